//! Bodies, read up to a limit that is checked before and while reading.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::ApiError;

/// The whole body, at most `most` bytes.
pub async fn bytes(request: Request, most: usize) -> Result<Vec<u8>, ApiError> {
    let too_large = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("the body is larger than {most} bytes"),
        )
    };
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|n| n > most) {
        return Err(too_large());
    }
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|e| e != "identity") {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-encoding",
            "this server takes no compressed bodies here",
        ));
    }
    let mut read = Vec::with_capacity(announced.unwrap_or(0).min(most));
    let mut stream = request.into_body().into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ApiError::bad("malformed", "the body ended early"))?;
        if read.len() + chunk.len() > most {
            return Err(too_large());
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read)
}

/// Whether the content type is one of `types` (parameters aside).
pub fn is_type(headers: &HeaderMap, types: &[&str]) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    types.contains(&essence.as_str())
}

pub fn unsupported(wanted: &str) -> ApiError {
    ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media-type",
        format!("the content type must be {wanted}"),
    )
}

/// A JSON body of our own protocol.
pub async fn json<T: DeserializeOwned>(request: Request, most: usize) -> Result<T, ApiError> {
    if !is_type(request.headers(), &["application/json"]) {
        return Err(unsupported("application/json"));
    }
    let bytes = bytes(request, most).await?;
    serde_json::from_slice(&bytes)
        .map_err(|_| ApiError::bad("malformed", "the body is not the JSON that belongs here"))
}
