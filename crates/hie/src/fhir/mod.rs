//! FHIR R4 at `/fhir` (http://hl7.org/fhir/R4/http.html).
//!
//! Bytes are kept as received; `meta.versionId` and `meta.lastUpdated` are spliced in on reading, so that no number
//! is ever written anew. Everything is authorised in the query: another facility's record is not found, not counted
//! and not paged over.

mod bundle;
mod dates;
mod index;
pub mod json;
mod kinds;
pub mod labels;
mod metadata;
pub mod paging;
pub mod params;
mod read;
mod search;
pub mod store;
pub mod validate;
mod visible;
mod write;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};

use tower_http::compression::CompressionLayer;

use crate::{App, web::ApiError};

pub use index::fold;
pub use kinds::{Kind, kind, types};
pub use read::current;

/// The first instant that a FHIR date or instant covers, in milliseconds.
pub(crate) fn instant_of(text: &str) -> Option<i64> {
    dates::range(text).map(|(low, _)| low)
}

/// The FHIR API, to be nested at `/fhir`.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/fhir", post(bundle::transaction))
        .route("/fhir/", post(bundle::transaction))
        .route("/fhir/metadata", get(metadata::metadata))
        .route("/fhir/{type}", get(search::by_get).post(write::create))
        .route("/fhir/{type}/_search", post(search::by_post))
        .route("/fhir/{type}/{id}", get(read::read).put(write::update))
        .route("/fhir/{type}/{id}/_history", get(read::history))
        .route("/fhir/{type}/{id}/_history/{version}", get(read::vread))
        // gzip for who asks for it: programs with a token of their own, into whose answers no stranger can write.
        .layer(CompressionLayer::new())
}

/// The type in a URL, if we know it.
fn known(name: &str) -> Result<&'static Kind, ApiError> {
    kind(name).ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, "unknown-type", "this server keeps no resources of that type")
    })
}

/// XML is not spoken here.
fn acceptable(headers: &HeaderMap) -> Result<(), ApiError> {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("*/*");
    if accept.contains("json")
        || accept.contains("*/*")
        || accept.contains("application/*")
        || accept.is_empty()
    {
        Ok(())
    } else {
        Err(ApiError::new(
            StatusCode::NOT_ACCEPTABLE,
            "json-only",
            "this server answers in application/fhir+json",
        ))
    }
}

/// The media types of a resource in a request.
const JSON_TYPES: [&str; 2] = ["application/fhir+json", "application/json"];
