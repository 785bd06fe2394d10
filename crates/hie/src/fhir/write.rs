use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use rabta_wire::limits;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::{
    JSON_TYPES, acceptable, known, read,
    store::{self, New, Stored},
    validate,
};
use crate::{
    App,
    audit::{self, Act, Event},
    auth::{Access, Agent},
    care::consent::{self, Heard},
    clock::latest_date,
    db::Db,
    envelopes::scope::{self, Item, Scope},
    identity::new_id,
    web::{ApiError, body},
};

/// Persons write by signed envelopes; only an operator's program writes through FHIR.
pub fn may_write(who: &Access) -> Result<(), ApiError> {
    match who.agent {
        Agent::Operator | Agent::Hie => Ok(()),
        Agent::Device { .. } => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "write-by-envelope",
            "an enrolled device writes by signed envelopes, not through the FHIR API",
        )),
    }
}

/// Types that only the server itself writes.
fn may_write_kind(kind: &str) -> Result<(), ApiError> {
    if kind == "AuditEvent" {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "written-by-server",
            "the server alone writes AuditEvents",
        ));
    }
    Ok(())
}

/// A resource that was read and checked.
pub struct Checked {
    pub kind: &'static super::Kind,
    pub value: Value,
    pub text: String,
}

/// Reads and checks a resource of `kind`.
pub fn check(bytes: Vec<u8>, kind: Option<&str>, now: i64) -> Result<Checked, ApiError> {
    let text = String::from_utf8(bytes).map_err(|_| ApiError::bad("malformed", "the body is not UTF-8"))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| {
        ApiError::bad("malformed", format!("the body is not JSON (line {}, column {})", e.line(), e.column()))
    })?;
    super::json::members(&text).map_err(|e| ApiError::bad("malformed", e.to_string()))?;
    let found = validate::resource(&value, latest_date(now)).map_err(ApiError::from)?;
    if kind.is_some_and(|k| k != found.name) {
        return Err(ApiError::bad("type", "the resource is of another type than the URL"));
    }
    may_write_kind(found.name)?;
    Ok(Checked { kind: found, value, text })
}

impl From<validate::Problem> for ApiError {
    fn from(p: validate::Problem) -> Self {
        Self::invalid(p.code, p.text).at(p.path)
    }
}

async fn received(app: &App, kind: &str, request: Request) -> Result<Checked, ApiError> {
    acceptable(request.headers())?;
    if !body::is_type(request.headers(), &JSON_TYPES) {
        return Err(body::unsupported("application/fhir+json"));
    }
    check(body::bytes(request, limits::FHIR_BODY).await?, Some(kind), app.now())
}

/// `POST [type]`
pub async fn create(
    State(app): State<Arc<App>>,
    Path(kind): Path<String>,
    who: Access,
    request: Request,
) -> Result<Response, ApiError> {
    let kind = known(&kind)?.name;
    may_write(&who)?;
    if request.headers().contains_key("if-none-exist") {
        return Err(conditional());
    }
    let checked = received(&app, kind, request).await?;
    let id = new_id().to_string();
    let mut tx = app.db.write().await?;
    let patient = validate::patient_of(checked.kind, &id, &checked.value);
    references_exist(&mut tx, &who, &checked.value, &[]).await?;
    let stored = put(&app.db, &mut tx, &who, &checked, &id, patient, app.now()).await?;
    audit::write(
        &mut tx,
        &Event::new(Act::Create, &who).about(format!("{kind}/{id}"), stored.patient.clone()),
        app.now(),
    )
    .await?;
    tx.commit().await?;
    app.changed();
    let mut response = read::respond(StatusCode::CREATED, &stored)?;
    if let Ok(location) = format!("/fhir/{kind}/{id}/_history/{}", stored.version).parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `PUT [type]/[id]`, creating it where it is not there yet.
pub async fn update(
    State(app): State<Arc<App>>,
    Path((kind, id)): Path<(String, String)>,
    who: Access,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let kind = known(&kind)?.name;
    may_write(&who)?;
    let checked = received(&app, kind, request).await?;
    let if_match = headers.get(header::IF_MATCH).map(|v| v.to_str().unwrap_or("").to_owned());
    let mut tx = app.db.write().await?;
    let (act, stored) = put_at(&app.db, &mut tx, &who, &checked, &id, if_match.as_deref(), app.now()).await?;
    references_exist(&mut tx, &who, &checked.value, &[]).await?;
    audit::write(
        &mut tx,
        &Event::new(act, &who).about(format!("{kind}/{id}"), stored.patient.clone()),
        app.now(),
    )
    .await?;
    tx.commit().await?;
    app.changed();
    read::respond(if act == Act::Create { StatusCode::CREATED } else { StatusCode::OK }, &stored)
}

/// A conditional create or update would carry an identifier in a header or URL.
pub fn conditional() -> ApiError {
    ApiError::new(
        StatusCode::PRECONDITION_FAILED,
        "conditional",
        "this server makes nothing on condition of an identifier; search by POST first, then write",
    )
}

/// Stores `checked` as the next version of `id`, under `if_match` where it is given.
pub async fn put_at(
    db: &Db,
    tx: &mut SqliteConnection,
    who: &Access,
    checked: &Checked,
    id: &str,
    if_match: Option<&str>,
    now: i64,
) -> Result<(Act, Stored), ApiError> {
    let kind = checked.kind.name;
    if !validate::is_id(id) || checked.value.get("id").and_then(Value::as_str) != Some(id) {
        return Err(ApiError::bad("id", "the resource's id is not the one in the URL, or not an id"));
    }
    if matches!(kind, "Patient" | "RelatedPerson") && id.parse::<rabta_wire::Id>().is_err() {
        return Err(ApiError::invalid("id", "a person's id here is a UUID"));
    }
    let head = store::head(tx, kind, id).await?;
    let act = match &head {
        Some((_, owner, _)) if *owner != Some(who.facility) => {
            // The same words as for an id that cannot be: whose it is stays untold.
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "id-not-yours",
                "this id cannot be written by you",
            ));
        }
        Some(_) => Act::Update,
        None => Act::Create,
    };
    if let Some(wanted) = if_match {
        let current = head.as_ref().map(|(version, ..)| read::etag(*version));
        let strong = head.as_ref().map(|(version, ..)| format!("\"{version}\""));
        if ![current, strong].iter().flatten().any(|e| e == wanted.trim()) {
            return Err(ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "version",
                "the resource is not at the version that If-Match names; read it again",
            ));
        }
    }
    let patient = validate::patient_of(checked.kind, id, &checked.value);
    Ok((act, put(db, tx, who, checked, id, patient, now).await?))
}

/// Stores and shows it to the facility.
pub async fn put(
    db: &Db,
    tx: &mut SqliteConnection,
    who: &Access,
    checked: &Checked,
    id: &str,
    patient: Option<String>,
    now: i64,
) -> Result<Stored, ApiError> {
    let kind = checked.kind.name;
    let new = New {
        kind,
        id,
        facility: Some(who.facility),
        patient: patient.as_deref(),
        task: None,
        envelope: None,
        body: checked.text.as_bytes(),
        value: &checked.value,
    };
    let version = store::put(tx, &new, now).await?;
    let item = Item::Resource { kind: kind.into(), id: id.into(), version };
    scope::show(tx, db.sequencer(), Scope::Facility(who.facility), None, item.clone()).await?;
    if kind == "Patient" {
        scope::show_patient_to_asked(tx, db.sequencer(), id, item.clone()).await?;
    }
    if let ("Consent", Some(patient)) = (kind, patient.as_deref()) {
        let facility = who.facility;
        let heard = Heard { consent: &checked.value, id, patient, facility, task: None, item };
        consent::heard(tx, db.sequencer(), &heard, now).await?;
    }
    Ok(Stored {
        kind: kind.into(),
        id: id.into(),
        version,
        updated_at: now,
        facility: Some(who.facility),
        patient,
        body: checked.text.clone(),
    })
}

/// Whether everything of a patient's record that `value` refers to is there and the caller's. `coming`: what the same
/// transaction writes, as `Type/id`.
pub async fn references_exist(
    tx: &mut SqliteConnection,
    who: &Access,
    value: &Value,
    coming: &[String],
) -> Result<(), ApiError> {
    let mut found = Vec::new();
    references(value, &mut found);
    found.sort_unstable();
    found.dedup();
    for reference in found {
        let mut parts = reference.split('/');
        let (Some(kind), Some(id)) = (parts.next(), parts.next()) else { continue };
        // What is not in a patient's record (a practitioner, a place) may live elsewhere.
        let clinical =
            super::kind(kind).is_some_and(|k| k.patient.is_some() || k.name == "Patient") && kind != "Device";
        if !clinical || coming.iter().any(|c| *c == format!("{kind}/{id}")) {
            continue;
        }
        let ours = store::head(tx, kind, id).await?.is_some_and(|(_, owner, _)| owner == Some(who.facility));
        if !ours {
            return Err(ApiError::invalid(
                "wrong-reference",
                format!("a reference to a {kind} names none that this facility has"),
            ));
        }
    }
    Ok(())
}

fn references<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("reference") {
                out.push(reference);
            }
            members.values().for_each(|v| references(v, out));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, out)),
        _ => {}
    }
}
