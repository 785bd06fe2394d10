use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::FHIR_JSON;

/// The one mapping of failures to HTTP: an OperationOutcome (http://hl7.org/fhir/R4/operationoutcome.html). Its text
/// names no patient.
#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    /// Stable; `details.coding[0].code`.
    pub code: &'static str,
    pub text: String,
    /// Where in the resource, as a path of element names; never a value.
    pub expression: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The system of our stable codes.
pub const CODE_SYSTEM: &str = "https://rabta.health/fhir/CodeSystem/hie-outcome";

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into(), expression: None, headers: Vec::new() }
    }

    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    pub fn header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.push((name, value));
        }
        self
    }

    /// Something of ours failed. It is logged here, once; the answer says only that.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server could not do this; it was logged",
        )
    }

    /// There is no room for what was sent: it may be sent again.
    pub fn disk_full() -> Self {
        tracing::error!("the server's disk is full");
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "disk-full",
            "the server's disk is full; nothing was stored",
        )
    }

    /// Of another facility and not there at all look the same.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "there is nothing of that type and id that you may read",
        )
    }

    pub fn bad(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, text)
    }

    pub fn invalid(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, text)
    }

    /// http://hl7.org/fhir/R4/valueset-issue-type.html
    fn issue_type(&self) -> &'static str {
        match self.status.as_u16() {
            400 if self.code == "malformed" => "structure",
            400 => "invalid",
            401 => "login",
            403 => "forbidden",
            404 => "not-found",
            405 | 406 | 415 | 501 => "not-supported",
            409 | 412 => "conflict",
            410 => "deleted",
            413 => "too-long",
            422 => "invariant",
            428 => "required",
            429 => "throttled",
            503 | 507 => "transient",
            _ => "exception",
        }
    }

    pub fn outcome(&self) -> serde_json::Value {
        let mut issue = json!({
            "severity": "error",
            "code": self.issue_type(),
            "details": {"coding": [{"system": CODE_SYSTEM, "code": self.code}], "text": self.text},
            "diagnostics": self.text,
        });
        if let Some(expression) = &self.expression {
            issue["expression"] = json!([expression]);
        }
        json!({"resourceType": "OperationOutcome", "issue": [issue]})
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(e: sqlx::Error) -> Self {
        if crate::db::is_disk_full(&e) { Self::disk_full() } else { Self::internal(&e) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = self.outcome().to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, FHIR_JSON)], body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}
