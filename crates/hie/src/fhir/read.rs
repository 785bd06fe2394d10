use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use sqlx::{QueryBuilder, SqliteConnection};

use super::{
    acceptable, known,
    store::{self, Stored},
    visible::{self, Prepared},
};
use crate::{
    App,
    audit::{Act, Event},
    auth::Reader,
    clock::{http_date, instant},
    web::{ApiError, FHIR_JSON},
};

/// Which versions of a resource. Another version may have had another label.
enum Which {
    Current,
    One(i64),
    All,
}

macro_rules! versions {
    ($end:literal) => {
        Prepared::new(
            concat!(
                "SELECT r.type, r.id, v.version, v.updated_at, r.facility, r.patient, v.codec, v.dictionary, v.body \
                 FROM resource r JOIN resource_version v ON v.type = r.type AND v.id = r.id \
                 WHERE r.type = ?1 AND r.id = ?2 AND {visible}",
                $end
            ),
            "v.label",
        )
    };
}

static CURRENT: Prepared = versions!(" AND v.version = r.version");
static ONE: Prepared = versions!(" AND v.version = ?6");
static ALL: Prepared = versions!(" ORDER BY v.version DESC LIMIT 200");

async fn find(
    db: &mut SqliteConnection,
    who: &Reader,
    kind: &str,
    id: &str,
    which: Which,
) -> Result<Vec<Stored>, sqlx::Error> {
    let (prepared, version) = match which {
        Which::Current => (&CURRENT, None),
        Which::One(version) => (&ONE, Some(version)),
        Which::All => (&ALL, None),
    };
    let (facility, person, now) = visible::values(who);
    let query =
        sqlx::query(prepared.text(who, kind)).bind(kind).bind(id).bind(facility).bind(person).bind(now);
    let query = match version {
        Some(version) => query.bind(version),
        None => query,
    };
    query.fetch_all(db).await?.iter().map(store::stored).collect()
}

/// The current version, if `who` may see it.
pub async fn current(
    db: &mut SqliteConnection,
    who: &Reader,
    kind: &str,
    id: &str,
) -> Result<Option<Stored>, sqlx::Error> {
    Ok(find(db, who, kind, id, Which::Current).await?.pop())
}

/// `GET [type]/[id]`
pub async fn read(
    State(app): State<Arc<App>>,
    Path((kind, id)): Path<(String, String)>,
    who: Reader,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = known(&kind)?.name;
    acceptable(&headers)?;
    let found = {
        let mut db = app.db.read().acquire().await?;
        match current(&mut db, &who, kind, &id).await? {
            None if kind == "Binary" => payload(&mut db, &who, &id).await?,
            found => found,
        }
    };
    one(&app, Act::Read, &who, found, &headers).await
}

/// The exact payload of an envelope as a Binary: what a Provenance's detached JWS was made over. It is stored once, as
/// the envelope.
async fn payload(db: &mut SqliteConnection, who: &Reader, id: &str) -> Result<Option<Stored>, ApiError> {
    let Ok(envelope) = id.parse::<rabta_wire::Id>() else { return Ok(None) };
    let mut query = QueryBuilder::new(
        "SELECT e.bytes, e.received_at, e.patient FROM envelope e WHERE e.superseded = 0 AND e.kind <> 10 AND e.id = ",
    );
    query.push_bind(envelope.0.to_vec()).push(" AND ");
    visible::push_envelope(&mut query, who);
    let row: Option<(Vec<u8>, i64, Option<String>)> = query.build_query_as().fetch_optional(db).await?;
    let Some((bytes, updated_at, patient)) = row else { return Ok(None) };
    let Some((content_type, payload)) = crate::envelopes::payload_of(&bytes) else { return Ok(None) };
    let body =
        json!({"resourceType": "Binary", "contentType": content_type, "data": STANDARD.encode(payload)})
            .to_string();
    let kind = "Binary".to_owned();
    Ok(Some(Stored { kind, id: id.to_owned(), version: 1, updated_at, facility: None, patient, body }))
}

/// `GET [type]/[id]/_history/[version]`
pub async fn vread(
    State(app): State<Arc<App>>,
    Path((kind, id, version)): Path<(String, String, String)>,
    who: Reader,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = known(&kind)?.name;
    acceptable(&headers)?;
    let version = version.parse().map_err(|_| ApiError::not_found())?;
    let found = {
        let mut db = app.db.read().acquire().await?;
        find(&mut db, &who, kind, &id, Which::One(version)).await?.pop()
    };
    one(&app, Act::VersionRead, &who, found, &headers).await
}

async fn one(
    app: &App,
    act: Act,
    who: &Reader,
    found: Option<Stored>,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let found = found.ok_or_else(ApiError::not_found)?;
    app.audit
        .record(Event::by(act, who).about(format!("{}/{}", found.kind, found.id), found.patient.clone()))
        .await?;
    let etag = etag(found.version);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    respond(StatusCode::OK, &found)
}

/// A resource with its ETag and Last-Modified.
pub fn respond(status: StatusCode, stored: &Stored) -> Result<Response, ApiError> {
    let shown = stored.present().map_err(|e| ApiError::internal(&e))?;
    let headers = [
        (header::CONTENT_TYPE, FHIR_JSON.to_owned()),
        (header::ETAG, etag(stored.version)),
        (header::LAST_MODIFIED, http_date(stored.updated_at)),
    ];
    Ok((status, headers, shown).into_response())
}

/// A weak ETag of a version (http://hl7.org/fhir/R4/http.html#versioning).
pub fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// `GET [type]/[id]/_history`, newest first.
pub async fn history(
    State(app): State<Arc<App>>,
    Path((kind, id)): Path<(String, String)>,
    who: Reader,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = known(&kind)?.name;
    acceptable(&headers)?;
    let found = {
        let mut db = app.db.read().acquire().await?;
        find(&mut db, &who, kind, &id, Which::All).await?
    };
    let newest = found.first().ok_or_else(ApiError::not_found)?;
    app.audit
        .record(Event::by(Act::History, &who).about(format!("{kind}/{id}"), newest.patient.clone()))
        .await?;
    // As many as may be read: a version with a label above the reader's is not counted, either.
    let mut out = format!(r#"{{"resourceType":"Bundle","type":"history","total":{},"entry":["#, found.len());
    for (i, version) in found.iter().enumerate() {
        let shown = version.present().map_err(|e| ApiError::internal(&e))?;
        let (method, status) = if version.version == 1 { ("POST", "201") } else { ("PUT", "200") };
        out.push_str(&format!(
            r#"{}{{"fullUrl":"{kind}/{id}","resource":{shown},"request":{{"method":"{method}","url":"{kind}/{id}"}},"response":{{"status":"{status}","etag":"W/\"{}\"","lastModified":"{}"}}}}"#,
            if i == 0 { "" } else { "," },
            version.version,
            instant(version.updated_at),
        ));
    }
    out.push_str("]}");
    Ok(([(header::CONTENT_TYPE, FHIR_JSON)], out).into_response())
}
