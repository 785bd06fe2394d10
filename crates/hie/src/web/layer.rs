use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use rabta_wire::log::EPOCH_HEADER;

use crate::{App, clock::http_date};

/// Around every request: the epoch and the HIE's time on the answer, one line in the log with the route's template
/// (never the path: it has ids; never the query), and the counters.
pub async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", |m| m.as_str()).to_owned();
    let method = known(request.method());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(epoch) = HeaderValue::from_str(&app.db.settings.epoch.to_string()) {
        headers.insert(HeaderName::from_static(EPOCH_HEADER), epoch);
    }
    if let Ok(date) = HeaderValue::from_str(&http_date(app.now())) {
        headers.insert(header::DATE, date);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if response.status() == StatusCode::INSUFFICIENT_STORAGE {
        app.disk.is_full();
    }
    let status = response.status().as_u16();
    let took = started.elapsed();
    tracing::info!(method, route, status, ms = took.as_millis() as u64, "request");
    app.metrics.request(&route, method, status, took);
    response
}

/// A method as a label: whatever else a client makes up is "other".
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
