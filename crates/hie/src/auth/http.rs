//! `POST /v1/token` (RFC 6749, section 4.4, with a client assertion).

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rabta_wire::token::{ASSERTION_TYPE, GRANT_TYPE, TokenReply};
use serde_json::json;

use super::{AssertionError, TOKEN_LIFE_S, assertion};
use crate::{
    App,
    clock::instant,
    fhir::params::form,
    web::{ApiError, body},
};

pub async fn token(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    if !body::is_type(request.headers(), &["application/x-www-form-urlencoded"]) {
        return Err(body::unsupported("application/x-www-form-urlencoded"));
    }
    let bytes = body::bytes(request, 10_000).await?;
    let fields = form(&bytes);
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    if field("grant_type") != Some(GRANT_TYPE) {
        return Ok(refuse(
            &app,
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "only client_credentials",
        ));
    }
    let assertion = match (field("client_assertion_type"), field("client_assertion")) {
        (Some(ASSERTION_TYPE), Some(assertion)) => assertion,
        _ => {
            return Ok(refuse(&app, StatusCode::BAD_REQUEST, "invalid_request", "a JWT assertion is needed"));
        }
    };
    let mut tx = app.db.write().await?;
    match assertion::check(&mut tx, assertion, app.now()).await {
        Ok(access) => {
            tx.commit().await?;
            Ok(Json(TokenReply {
                access_token: app.tokens.issue(access, app.now()),
                token_type: "bearer".into(),
                expires_in: TOKEN_LIFE_S,
            })
            .into_response())
        }
        Err(AssertionError::Sql(e)) => Err(e.into()),
        Err(e @ AssertionError::Revoked) => Ok(revoked(&app, &e.to_string())),
        Err(e) => Ok(refuse(&app, StatusCode::UNAUTHORIZED, "invalid_client", &e.to_string())),
    }
}

/// As [`refuse`], with the stable code by which the device knows that no later try will do.
fn revoked(app: &App, why: &str) -> Response {
    let body = json!({
        "error": "invalid_client", "error_description": why, "hie_time": instant(app.now()),
        "rabta_code": rabta_wire::token::REVOKED,
    });
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

/// RFC 6749, section 5.2, and the HIE's time, so that a client whose clock is wrong can mend its next assertion.
fn refuse(app: &App, status: StatusCode, error: &str, why: &str) -> Response {
    let time = instant(app.now());
    let description = format!("{why}; the time here is {time}");
    (status, Json(json!({"error": error, "error_description": description, "hie_time": time})))
        .into_response()
}
