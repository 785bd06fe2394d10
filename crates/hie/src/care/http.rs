//! `POST` and `GET /v1/break-glass`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rabta_wire::care::{BreakGlass, Grants};

use super::glass;
use crate::{
    App,
    auth::Reader,
    web::{ApiError, body},
};

const MOST: usize = 10_000;

/// `POST /v1/break-glass`
pub async fn open(State(app): State<Arc<App>>, who: Reader, request: Request) -> Result<Response, ApiError> {
    let wish: BreakGlass = body::json(request, MOST).await?;
    if let Some(device) = who.access.device() {
        app.lookups.spend(device, who.now)?;
    }
    let grant = glass::open(&app.db, &who, wish).await?;
    tracing::warn!(grant = %grant.id, "a glass was broken");
    app.changed();
    Ok((StatusCode::CREATED, Json(grant)).into_response())
}

/// `GET /v1/break-glass`
pub async fn list(State(app): State<Arc<App>>, who: Reader) -> Result<Json<Grants>, ApiError> {
    let mut db = app.db.read().acquire().await?;
    Ok(Json(Grants { grants: glass::of_reader(&mut db, &who).await? }))
}
