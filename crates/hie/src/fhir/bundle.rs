use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rabta_wire::limits;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{JSON_TYPES, acceptable, json, kind, read, store::Stored, validate, write};
use crate::{
    App,
    audit::{self, Act, Event},
    auth::Access,
    clock::instant,
    identity::new_id,
    web::{ApiError, FHIR_JSON, body},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    resource_type: String,
    r#type: Option<String>,
    #[serde(borrow, default)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    full_url: Option<String>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    request: Option<EntryRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryRequest {
    method: String,
    url: String,
    if_match: Option<String>,
    if_none_exist: Option<String>,
}

/// What an entry will become.
struct Planned<'a> {
    resource: &'a RawValue,
    kind: &'static str,
    id: String,
    create: bool,
    if_match: Option<String>,
}

/// Entries in one transaction.
const MOST: usize = 5_000;

/// `POST [base]`: a transaction, all of it or nothing (http://hl7.org/fhir/R4/http.html#transaction).
pub async fn transaction(
    State(app): State<Arc<App>>,
    who: Access,
    request: Request,
) -> Result<Response, ApiError> {
    write::may_write(&who)?;
    acceptable(request.headers())?;
    if !body::is_type(request.headers(), &JSON_TYPES) {
        return Err(body::unsupported("application/fhir+json"));
    }
    let bytes = body::bytes(request, limits::FHIR_BODY).await?;
    let now = app.now();
    let text = String::from_utf8(bytes).map_err(|_| ApiError::bad("malformed", "the body is not UTF-8"))?;
    let bundle: Bundle<'_> = serde_json::from_str(&text).map_err(|e| {
        ApiError::bad(
            "malformed",
            format!("the body is not a Bundle (line {}, column {})", e.line(), e.column()),
        )
    })?;
    if bundle.resource_type != "Bundle" || bundle.r#type.as_deref() != Some("transaction") {
        return Err(ApiError::bad("type", "only a Bundle of type transaction is taken here"));
    }
    if bundle.entry.len() > MOST {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("more than {MOST} entries"),
        ));
    }
    let (planned, map) = plan(&bundle)?;
    let coming: Vec<String> = planned.iter().map(|p| format!("{}/{}", p.kind, p.id)).collect();

    let mut checked = Vec::with_capacity(planned.len());
    for (i, entry) in planned.iter().enumerate() {
        let mut text = json::with_references(entry.resource.get(), &map);
        if text.contains("\"urn:uuid:") && has_dangling(&text) {
            let error = ApiError::invalid("wrong-reference", "a reference names no entry of the Bundle");
            return Err(error.at(format!("Bundle.entry[{i}]")));
        }
        if entry.create {
            // What the client called it is not its id here.
            text = without_id(&text)?;
        }
        checked.push(write::check(text.into_bytes(), Some(entry.kind), now).map_err(|e| in_entry(e, i))?);
    }

    let mut tx = app.db.write().await?;
    let mut done: Vec<(Act, Stored)> = Vec::with_capacity(planned.len());
    for (i, (entry, checked)) in planned.iter().zip(&checked).enumerate() {
        write::references_exist(&mut tx, &who, &checked.value, &coming).await.map_err(|e| in_entry(e, i))?;
        let result = if entry.create {
            let patient = validate::patient_of(checked.kind, &entry.id, &checked.value);
            write::put(&app.db, &mut tx, &who, checked, &entry.id, patient, now)
                .await
                .map(|s| (Act::Create, s))
        } else {
            write::put_at(&app.db, &mut tx, &who, checked, &entry.id, entry.if_match.as_deref(), now).await
        };
        done.push(result.map_err(|e| in_entry(e, i))?);
    }
    let mut event = Event::new(Act::Transaction, &who);
    let mut patients: Vec<&String> = done.iter().filter_map(|(_, s)| s.patient.as_ref()).collect();
    patients.sort_unstable();
    patients.dedup();
    // One patient's transaction is in that patient's audit.
    if let [patient] = patients[..] {
        event.patient = Some(patient.clone());
    }
    event.what = Some("Bundle/transaction".into());
    event.detail = Some(("entries", done.len().to_string()));
    audit::write(&mut tx, &event, now).await?;
    tx.commit().await?;
    app.changed();

    let mut out = String::from(r#"{"resourceType":"Bundle","type":"transaction-response","entry":["#);
    for (i, (act, stored)) in done.iter().enumerate() {
        let status = if *act == Act::Create { "201 Created" } else { "200 OK" };
        out.push_str(&format!(
            r#"{}{{"response":{{"status":"{status}","location":"{}/{}/_history/{}","etag":{},"lastModified":"{}"}}}}"#,
            if i == 0 { "" } else { "," },
            stored.kind,
            stored.id,
            stored.version,
            serde_json::Value::from(read::etag(stored.version)),
            instant(stored.updated_at),
        ));
    }
    out.push_str("]}");
    Ok(([(header::CONTENT_TYPE, FHIR_JSON)], out).into_response())
}

fn in_entry(mut error: ApiError, i: usize) -> ApiError {
    error.expression = Some(match error.expression.take() {
        Some(path) => format!("Bundle.entry[{i}].resource ({path})"),
        None => format!("Bundle.entry[{i}]"),
    });
    error
}

/// What each entry becomes, and where each `urn:uuid:` leads.
fn plan<'a>(bundle: &Bundle<'a>) -> Result<(Vec<Planned<'a>>, HashMap<String, String>), ApiError> {
    let (mut planned, mut map) = (Vec::new(), HashMap::new());
    let mut seen = std::collections::HashSet::new();
    for (i, entry) in bundle.entry.iter().enumerate() {
        let bad = |code, text: &str| in_entry(ApiError::bad(code, text), i);
        let request = entry
            .request
            .as_ref()
            .ok_or_else(|| bad("request", "an entry of a transaction has a request"))?;
        let resource = entry.resource.ok_or_else(|| bad("request", "an entry without a resource"))?;
        if request.if_none_exist.is_some() || request.url.contains('?') {
            return Err(in_entry(write::conditional(), i));
        }
        let mut parts = request.url.trim_start_matches('/').split('/');
        let name = parts.next().unwrap_or_default();
        let id = parts.next();
        let known = kind(name).ok_or_else(|| {
            in_entry(ApiError::invalid("unknown-resource", "this server keeps no resources of that type"), i)
        })?;
        let (create, id) = match (request.method.as_str(), id) {
            ("POST", None) => (true, new_id().to_string()),
            ("PUT", Some(id)) if parts.next().is_none() && validate::is_id(id) => (false, id.to_owned()),
            _ => {
                return Err(bad(
                    "request",
                    "only POST [type] and PUT [type]/[id] are taken in a transaction",
                ));
            }
        };
        if !seen.insert((known.name, id.clone())) {
            return Err(bad("twice", "the same resource is in the transaction twice"));
        }
        if let Some(url) = entry.full_url.as_ref().filter(|u| u.starts_with("urn:uuid:"))
            && map.insert(url.clone(), format!("{}/{id}", known.name)).is_some()
        {
            return Err(bad("twice", "two entries have the same fullUrl"));
        }
        planned.push(Planned { resource, kind: known.name, id, create, if_match: request.if_match.clone() });
    }
    Ok((planned, map))
}

/// A `urn:uuid:` reference that is left after all known ones were resolved.
fn has_dangling(text: &str) -> bool {
    fn look(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Object(members) => {
                members.get("reference").and_then(|r| r.as_str()).is_some_and(|r| r.starts_with("urn:uuid:"))
                    || members.values().any(look)
            }
            serde_json::Value::Array(items) => items.iter().any(look),
            _ => false,
        }
    }
    serde_json::from_str(text).is_ok_and(|v| look(&v))
}

fn without_id(text: &str) -> Result<String, ApiError> {
    let members = json::members(text).map_err(|e| ApiError::bad("malformed", e.to_string()))?;
    if !members.iter().any(|(name, _)| name == "id") {
        return Ok(text.to_owned());
    }
    let kept: Vec<String> = members
        .iter()
        .filter(|(name, _)| name != "id")
        .map(|(name, value)| format!("{}:{}", serde_json::Value::from(name.as_str()), value.get()))
        .collect();
    Ok(format!("{{{}}}", kept.join(",")))
}
