//! `POST /v1/token` (RFC 6749, section 4.4, with a client assertion).

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rabta_wire::token::{ASSERTION_TYPE, GRANT_TYPE, TokenReply};
use serde_json::json;

use super::{Access, AssertionError, TOKEN_LIFE_S, assertion};
use crate::{
    App,
    clock::instant,
    fhir::params::form,
    web::{ApiError, Guesser, body},
};

pub async fn token(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, ApiError> {
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
    match take(&app, assertion).await {
        Ok(access) => Ok(Json(TokenReply {
            access_token: app.tokens.issue(access, app.now()),
            token_type: "bearer".into(),
            expires_in: TOKEN_LIFE_S,
            pins: pins(&app),
        })
        .into_response()),
        Err(AssertionError::Sql(e)) => Err(e.into()),
        Err(e @ AssertionError::Revoked) => Ok(revoked(&app, &e.to_string())),
        Err(e) => {
            app.guesses.wrong(Guesser::at(from))?;
            Ok(refuse(&app, StatusCode::UNAUTHORIZED, "invalid_client", &e.to_string()))
        }
    }
}

/// A laptop that was enrolled before the key was rotated learns the next one here.
fn pins(app: &App) -> Vec<String> {
    let pins = app.db.settings.tls().pins().map(|pins| pins.map(|pin| URL_SAFE_NO_PAD.encode(pin)));
    pins.map(Vec::from).unwrap_or_default()
}

/// The one writer is only for assertions that are good.
async fn take(app: &App, assertion: &str) -> Result<Access, AssertionError> {
    let mut db = app.db.read().acquire().await?;
    let (access, claims) = assertion::read(&mut db, assertion, app.now()).await?;
    drop(db);
    let mut tx = app.db.write().await?;
    assertion::use_up(&mut tx, &claims, app.now()).await?;
    tx.commit().await?;
    Ok(access)
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
