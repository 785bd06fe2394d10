//! `/healthz`, `/readyz`, `/metrics`: for machines that watch, with nothing about patients.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::IntoResponse};

use crate::App;

/// The process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers and can be written, and the server is not on its way out.
pub async fn readyz(State(app): State<Arc<App>>) -> impl IntoResponse {
    if app.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    if !app.disk.has_room().await {
        return (StatusCode::SERVICE_UNAVAILABLE, "the disk is full\n");
    }
    match sqlx::query_scalar::<_, i64>("SELECT 1").fetch_one(app.db.read()).await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

/// Prometheus' text format.
pub async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let sockets = app.hub.connected();
    ([("content-type", "text/plain; version=0.0.4")], app.metrics.text(sockets))
}
