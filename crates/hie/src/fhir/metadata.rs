use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::kinds::KINDS;
use crate::{App, clock::instant, web::FHIR_JSON};

/// `GET metadata`: a CapabilityStatement (http://hl7.org/fhir/R4/capabilitystatement.html). Needs no token.
pub async fn metadata(State(app): State<Arc<App>>) -> Response {
    let resources: Vec<Value> = KINDS.iter().map(|kind| resource(kind.name)).collect();
    let statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(app.now()),
        "kind": "instance",
        "software": {"name": "rabta-hie", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": "Rabta HIE"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "documentation": "Searches that name a person are taken by POST to [type]/_search only. A read may name its purpose of use in the header rabta-purpose; \
                              what may not be read is answered as if it were not there.",
            "security": {
                "service": [{"coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR",
                }]}],
                "description": "SMART backend services: a signed assertion at /v1/token for a short opaque token.",
            },
            "resource": resources,
            "interaction": [{"code": "transaction"}],
        }],
    });
    ([(header::CONTENT_TYPE, FHIR_JSON)], statement.to_string()).into_response()
}

fn resource(name: &str) -> Value {
    let written = name != "AuditEvent";
    let codes = ["read", "vread", "history-instance", "search-type"].into_iter().chain(if written {
        vec!["create", "update"]
    } else {
        vec![]
    });
    let mut params = vec![("_id", "token"), ("_lastUpdated", "date"), ("identifier", "token")];
    match name {
        "Patient" => params.extend([
            ("name", "string"),
            ("birthdate", "date"),
            ("phone", "token"),
            ("gender", "token"),
        ]),
        _ => params.extend([
            ("patient", "reference"),
            ("encounter", "reference"),
            ("code", "token"),
            ("date", "date"),
            ("status", "token"),
        ]),
    }
    json!({
        "type": name,
        "interaction": codes.map(|code| json!({"code": code})).collect::<Vec<_>>(),
        "versioning": "versioned-update",
        "readHistory": true,
        "updateCreate": written,
        "conditionalCreate": false,
        "searchParam": params.into_iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect::<Vec<_>>(),
    })
}
