//! `POST /v1/enroll/check` and `POST /v1/enroll`.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use rabta_wire::enroll::{Check, Enroll, Enrolled, Invitation};

use super::EnrollError;
use crate::{
    App, audit,
    web::{ApiError, body},
};

const MOST: usize = 10_000;

pub async fn check(
    State(app): State<Arc<App>>,
    request: axum::extract::Request,
) -> Result<Json<Invitation>, ApiError> {
    app.guesses.spend()?;
    let ask: Check = body::json(request, MOST).await?;
    let mut db = app.db.read().acquire().await?;
    Ok(Json(super::invitation(&mut db, &ask.secret, app.now()).await?))
}

pub async fn enroll(
    State(app): State<Arc<App>>,
    request: axum::extract::Request,
) -> Result<Json<Enrolled>, ApiError> {
    app.guesses.spend()?;
    let ask: Enroll = body::json(request, MOST).await?;
    let mut tx = app.db.write().await?;
    let enrolled = super::enroll(&app.db, &mut tx, &ask, app.now()).await?;
    audit::write(&mut tx, &audit::Event::enrolled(&enrolled), app.now()).await?;
    tx.commit().await?;
    app.changed();
    Ok(Json(enrolled))
}

impl From<EnrollError> for ApiError {
    fn from(e: EnrollError) -> Self {
        let status = match &e {
            EnrollError::Unknown => StatusCode::NOT_FOUND,
            // Not 409: that is how a changed epoch is told.
            EnrollError::Used | EnrollError::Expired => StatusCode::GONE,
            EnrollError::Field(_) => StatusCode::BAD_REQUEST,
            EnrollError::Identity(super::IdentityError::Sql(_)) | EnrollError::Tls => {
                return Self::internal(&e);
            }
            EnrollError::Identity(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, e.code(), e.to_string())
    }
}
