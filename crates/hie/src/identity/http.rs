//! `POST /v1/enroll/check` and `POST /v1/enroll`.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::StatusCode,
};
use rabta_wire::enroll::{Check, Enroll, Enrolled, Invitation};

use super::EnrollError;
use crate::{
    App, audit,
    web::{ApiError, Guesser, body},
};

const MOST: usize = 10_000;

pub async fn check(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: axum::extract::Request,
) -> Result<Json<Invitation>, ApiError> {
    let ask: Check = body::json(request, MOST).await?;
    let mut db = app.db.read().acquire().await?;
    let shown = super::invitation(&mut db, &ask.secret, app.now()).await;
    Ok(Json(counted(&app, from, shown)?))
}

pub async fn enroll(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: axum::extract::Request,
) -> Result<Json<Enrolled>, ApiError> {
    let ask: Enroll = body::json(request, MOST).await?;
    // Who only guesses does not get as far as the one writer.
    let mut db = app.db.read().acquire().await?;
    let known = super::known(&mut db, &ask.secret, app.now()).await;
    drop(db);
    counted(&app, from, known)?;
    let mut tx = app.db.write().await?;
    let enrolled = super::enroll(&app.db, &mut tx, &ask, app.now()).await?;
    audit::write(&mut tx, &audit::Event::enrolled(&enrolled), app.now()).await?;
    tx.commit().await?;
    app.changed();
    Ok(Json(enrolled))
}

/// An unknown code counts as a guess.
fn counted<T>(app: &App, from: SocketAddr, answer: Result<T, EnrollError>) -> Result<T, ApiError> {
    if matches!(answer, Err(EnrollError::Unknown)) {
        app.guesses.wrong(Guesser::at(from))?;
    }
    Ok(answer?)
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
