//! A patient of another facility, found by exact identifier and by nothing else. What is told is the minimum with which
//! two people can make sure that they mean the same patient, and where the record is.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use rabta_domain::role::{Act as Right, Label};
use serde_json::{Value, json};
use sqlx::Row;

use crate::{
    App,
    audit::Event,
    auth::Reader,
    clock::instant,
    fhir::{
        labels,
        params::{Condition, Search},
        store,
    },
    identity,
    web::{ApiError, FHIR_JSON},
};

/// An identifier: its system and its value, both exact.
pub struct Wanted {
    system: String,
    value: String,
}

/// Shorter values are no person's number.
const SHORTEST: usize = 6;
/// A number that more people share is nobody's.
const MOST: i64 = 5;

/// The exact lookup that a search by POST amounts to, if it is one: Patient, one identifier with its system, nothing
/// else, by a person who registers or treats patients.
pub fn asked(who: &Reader, search: &Search) -> Option<Wanted> {
    let cares = who.purpose.is_care() && (who.may(Right::Register) || who.may(Right::Visit));
    let [Condition::Tokens { param: "identifier", any }] = search.conditions.as_slice() else { return None };
    let [(Some(system), value)] = any.as_slice() else { return None };
    let exact = search.kind == "Patient" && !system.is_empty() && value.chars().count() >= SHORTEST;
    (cares && exact).then(|| Wanted { system: system.clone(), value: value.clone() })
}

/// Answers the lookup: a searchset of minimal Patients, audited under `event`, limited for each device.
pub async fn answer(
    app: &App,
    who: &Reader,
    wanted: &Wanted,
    mut event: Event,
) -> Result<Response, ApiError> {
    let Some(device) = who.access.device() else { return Err(ApiError::not_found()) };
    app.lookups.spend(device, who.now)?;
    // Patients who are very restricted are found by nobody outside.
    let sql = "SELECT r.id, r.version, r.updated_at, r.facility, v.codec, v.dictionary, v.body \
               FROM resource_token x JOIN resource r ON r.type = x.type AND r.id = x.id \
               JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version \
               WHERE x.type = 'Patient' AND x.param = 'identifier' AND x.value = ? AND x.system = ? \
               AND r.facility IS NOT NULL AND r.label <= ? ORDER BY r.id LIMIT ?";
    let mut db = app.db.read().acquire().await?;
    let rows = sqlx::query(sql)
        .bind(&wanted.value)
        .bind(&wanted.system)
        .bind(labels::number(who.rights.label.min(Label::Restricted)))
        .bind(MOST + 1)
        .fetch_all(&mut *db)
        .await?;
    let mut entries = Vec::new();
    if rows.len() as i64 <= MOST {
        for row in rows {
            let id: String = row.try_get(0)?;
            let owner = identity::id(row.try_get(3)?)?;
            let facility = identity::facility(&mut db, owner).await.ok();
            let body = store::unpack(row.try_get(4)?, row.try_get(5)?, row.try_get(6)?)?;
            let patient: Value = serde_json::from_str(&body).map_err(|e| ApiError::internal(&e))?;
            let mut shown = minimum(&patient, &id, row.try_get(1)?, row.try_get(2)?);
            shown["managingOrganization"] = json!({
                "reference": format!("Organization/{owner}"), "display": facility.map(|f| f.name),
            });
            event.found(&id);
            entries.push(json!({
                "fullUrl": format!("Patient/{id}"), "resource": shown, "search": {"mode": "match"},
            }));
        }
    }
    drop(db);
    app.audit.record(event).await?;
    let mut bundle = json!({
        "resourceType": "Bundle", "type": "searchset", "total": entries.len(),
        "link": [{"relation": "self", "url": "Patient"}],
    });
    if !entries.is_empty() {
        bundle["entry"] = Value::Array(entries);
    }
    Ok(([(header::CONTENT_TYPE, FHIR_JSON)], bundle.to_string()).into_response())
}

/// Name, sex, year of birth. Marked as part of a resource (http://hl7.org/fhir/R4/search.html#subsetted).
fn minimum(patient: &Value, id: &str, version: i64, updated_at: i64) -> Value {
    let mut shown = json!({
        "resourceType": "Patient",
        "id": id,
        "meta": {
            "versionId": version.to_string(),
            "lastUpdated": instant(updated_at),
            "tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}],
        },
    });
    let name = patient.pointer("/name/0").map(|name| {
        let given = name["given"].as_array().into_iter().flatten().chain([&name["family"]]);
        let parts: Vec<&str> = given.filter_map(Value::as_str).collect();
        name["text"].as_str().map_or_else(|| parts.join(" "), str::to_owned)
    });
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        shown["name"] = json!([{"text": name}]);
    }
    if let Some(gender) = patient.get("gender") {
        shown["gender"] = gender.clone();
    }
    if let Some(year) = patient["birthDate"].as_str().and_then(|date| date.get(..4)) {
        shown["birthDate"] = year.into();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_minimum_is_told() {
        let patient = json!({
            "resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1990-05-06",
            "name": [{"text": "Zohra", "extension": [{"url": "x"}]}, {"text": "Other"}],
            "identifier": [{"value": "35202"}], "telecom": [{"value": "0300"}], "address": [{"text": "a"}],
            "contact": [{}], "extension": [{"url": "y"}], "photo": [{}], "link": [{}],
        });
        let shown = minimum(&patient, "p", 3, 0);
        let names: Vec<&String> = shown.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["birthDate", "gender", "id", "meta", "name", "resourceType"]);
        assert_eq!(shown["birthDate"], "1990");
        assert_eq!(shown["name"], json!([{"text": "Zohra"}]));
    }
}
