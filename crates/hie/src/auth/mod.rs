//! Who may ask: opaque access tokens for signed assertions, and what each token opens.

mod assertion;
pub mod http;
mod reader;
mod tokens;

pub use assertion::{AssertionError, LEEWAY_S};
pub use reader::{Purpose, Reader};
pub use tokens::{TOKEN_LIFE_S, Tokens, operator_token};

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use rabta_wire::Id;

use crate::{App, clock::instant, web::ApiError};

/// What a token opens. Every query takes this and finds nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub facility: Id,
    pub agent: Agent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// A program that loads or reads a facility's records through FHIR.
    Operator,
    /// The HIE itself.
    Hie,
    /// A person at an enrolled device.
    Device { device: Id, person: Id },
}

impl Access {
    pub fn device(&self) -> Option<Id> {
        match self.agent {
            Agent::Operator | Agent::Hie => None,
            Agent::Device { device, .. } => Some(device),
        }
    }
}

/// The bearer token of a request (RFC 6750, section 2.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// 401, with the HIE's time: a client whose clock is wrong learns it here.
pub fn unauthorized(app: &App, code: &'static str, text: &str) -> ApiError {
    let text = format!("{text}; the time here is {}", instant(app.now()));
    ApiError::new(StatusCode::UNAUTHORIZED, code, text)
        .header(header::WWW_AUTHENTICATE, "Bearer realm=\"rabta-hie\", error=\"invalid_token\"")
}

impl FromRequestParts<Arc<App>> for Access {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers)
            .ok_or_else(|| unauthorized(app, "token-missing", "an access token is needed"))?;
        app.tokens
            .access(&app.db, token, app.now())
            .await?
            .ok_or_else(|| unauthorized(app, "token-unknown", "the access token is unknown or expired"))
    }
}
