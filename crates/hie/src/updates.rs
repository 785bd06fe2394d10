//! `GET /v1/updates/{file}`: the folder of packages that the operator put there (`serve --updates FOLDER`), for enrolled laptops. The files are
//! signed by whoever releases the program and checked by the laptops: the server only hands them out, by range, since a package takes an hour
//! over a thin link.

use std::{io::SeekFrom, path::Path, sync::Arc, time::UNIX_EPOCH};

use axum::{
    body::{Body, Bytes},
    extract::{Path as UrlPath, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rabta_wire::update;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::{App, auth::Access, web::ApiError};

/// Read and sent at once.
const PIECE: u64 = 64 * 1024;

pub async fn file(
    State(app): State<Arc<App>>,
    who: Access,
    UrlPath(name): UrlPath<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if who.device().is_none() {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "device-only", "updates are for enrolled laptops"));
    }
    let folder = app.updates.as_deref().ok_or_else(none)?;
    if !update::is_name(&name) {
        return Err(none());
    }
    let (mut file, size, tag) = open(folder, &name).await?;
    let asked = headers.get(header::RANGE).and_then(|v| v.to_str().ok());
    // Another file by now: whoever began with the old one gets all of the new (RFC 9110, section 13.1.5).
    let same = headers.get(header::IF_RANGE).is_none_or(|v| v.as_bytes() == tag.as_bytes());
    let range = asked.filter(|_| same).map_or(Range::Whole, |asked| range(asked, size));
    let (status, from, to) = match range {
        Range::Whole => (StatusCode::OK, 0, size),
        Range::Part { from, to } => (StatusCode::PARTIAL_CONTENT, from, to),
        Range::Outside => {
            let error =
                ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", "the file ends before that");
            return Err(error.header(header::CONTENT_RANGE, format!("bytes */{size}")));
        }
    };
    file.seek(SeekFrom::Start(from)).await.map_err(|e| ApiError::internal(&e))?;
    let pieces = futures_util::stream::try_unfold((file, to - from), |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        let mut piece = vec![0; left.min(PIECE) as usize];
        let count = file.read(&mut piece).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        piece.truncate(count);
        Ok(Some((Bytes::from(piece), (file, left - count as u64))))
    });
    let mut response = (status, Body::from_stream(pieces)).into_response();
    let mut say = |name: header::HeaderName, value: String| {
        if let Ok(value) = value.try_into() {
            response.headers_mut().insert(name, value);
        }
    };
    say(header::CONTENT_TYPE, "application/octet-stream".to_owned());
    say(header::ACCEPT_RANGES, "bytes".to_owned());
    say(header::ETAG, tag);
    say(header::CONTENT_LENGTH, (to - from).to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        say(header::CONTENT_RANGE, format!("bytes {from}-{}/{size}", to - 1));
    }
    Ok(response)
}

/// No folder and no file look the same: there is no update.
fn none() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no-update", "there is no such update here")
}

/// A plain file of the folder, its size and its tag, which another content would not have.
async fn open(folder: &Path, name: &str) -> Result<(tokio::fs::File, u64, String), ApiError> {
    let path = folder.join(name);
    let meta = tokio::fs::symlink_metadata(&path).await.map_err(|_| none())?;
    if !meta.is_file() {
        return Err(none());
    }
    let file = tokio::fs::File::open(&path).await.map_err(|e| ApiError::internal(&e))?;
    let changed = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Ok((file, meta.len(), format!("\"{:x}-{:x}\"", meta.len(), changed.as_nanos())))
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    /// `to` is behind the last byte.
    Part {
        from: u64,
        to: u64,
    },
    Outside,
}

/// One range of a file of `size` bytes (RFC 9110, section 14.1.2). What is no single range of bytes is ignored, as a server may.
fn range(asked: &str, size: u64) -> Range {
    let Some((from, to)) = asked.strip_prefix("bytes=").and_then(|r| r.split_once('-')) else {
        return Range::Whole;
    };
    let (from, to) = match (from.parse::<u64>(), to) {
        (Ok(from), "") => (from, size),
        (Ok(from), to) => match to.parse::<u64>() {
            Ok(last) if last >= from => (from, size.min(last.saturating_add(1))),
            _ => return Range::Whole,
        },
        // The last so many bytes.
        (Err(_), to) => match (from, to.parse::<u64>()) {
            ("", Ok(count)) if count > 0 => (size.saturating_sub(count), size),
            _ => return Range::Whole,
        },
    };
    if from < size { Range::Part { from, to } } else { Range::Outside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says_and_what_is_none_is_ignored() {
        assert_eq!(range("bytes=0-", 10), Range::Part { from: 0, to: 10 });
        assert_eq!(range("bytes=4-6", 10), Range::Part { from: 4, to: 7 });
        assert_eq!(range("bytes=4-99", 10), Range::Part { from: 4, to: 10 });
        assert_eq!(range("bytes=-3", 10), Range::Part { from: 7, to: 10 });
        assert_eq!(range("bytes=-30", 10), Range::Part { from: 0, to: 10 });
        assert_eq!(range("bytes=10-", 10), Range::Outside);
        for ignored in [
            "bytes=0-1,4-5",
            "bytes=6-4",
            "bytes=-0",
            "bytes=x-",
            "lines=0-",
            "bytes",
            "bytes=-",
            "bytes=0-18446744073709551616",
        ] {
            assert_eq!(range(ignored, 10), Range::Whole, "{ignored}");
        }
        assert_eq!(range("bytes=0-18446744073709551615", 10), Range::Part { from: 0, to: 10 });
        assert_eq!(range("bytes=0-", 0), Range::Outside);
    }
}
