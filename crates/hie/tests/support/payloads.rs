//! Payloads as the programs write them.

use rabta_domain::{
    ask::{STATE_SYSTEM, State},
    fhir::urls::SPECIALTY,
};
use rabta_wire::Id;
use serde_json::{Value, json};

use super::id;

/// A Bundle of `kind` (collection, document) over `resources`.
pub fn bundle(kind: &str, resources: &[Value]) -> Vec<u8> {
    let entry: Vec<Value> = resources
        .iter()
        .map(|r| json!({"fullUrl": format!("urn:uuid:{}", r["id"].as_str().unwrap()), "resource": r}))
        .collect();
    json!({"resourceType": "Bundle", "id": id().to_string(), "type": kind, "entry": entry})
        .to_string()
        .into_bytes()
}

fn subject(patient: Id) -> Value {
    json!({"reference": format!("Patient/{patient}")})
}

pub fn patient_resource(patient: Id, name: &str) -> Value {
    json!({"resourceType": "Patient", "id": patient.to_string(), "name": [{"text": name}], "birthDate": "1990"})
}

pub fn patient(patient: Id, name: &str) -> Vec<u8> {
    bundle("collection", &[patient_resource(patient, name)])
}

pub fn consent(patient: Id, kind: &str) -> Vec<u8> {
    let consent = json!({
        "resourceType": "Consent", "id": id().to_string(), "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"coding": [{"code": "59284-0"}]}],
        "patient": subject(patient), "provision": {"type": kind},
    });
    bundle("collection", &[consent])
}

fn composition(patient: Id, code: &str) -> Value {
    json!({
        "resourceType": "Composition", "id": id().to_string(), "status": "final", "type": {"coding": [{"code": code}]},
        "date": "2026-11-22T10:00:00Z", "author": [{"display": "a doctor"}], "title": "t", "subject": subject(patient),
    })
}

pub fn observation(patient: Id) -> Value {
    json!({
        "resourceType": "Observation", "id": id().to_string(), "status": "final", "code": {"coding": [{"code": "8867-4"}]},
        "subject": subject(patient), "valueQuantity": {"value": 1.50},
    })
}

pub fn visit(patient: Id) -> Vec<u8> {
    bundle("document", &[composition(patient, "11488-4"), observation(patient)])
}

pub fn task_resource(task: Id, patient: Id, state: State, owner: Option<Id>) -> Value {
    let mut resource = json!({
        "resourceType": "Task", "id": task.to_string(), "status": state.fhir_status(), "intent": "order",
        "businessStatus": {"coding": [{"system": STATE_SYSTEM, "code": state.code()}]}, "for": subject(patient),
    });
    if let Some(owner) = owner {
        resource["owner"] = json!({"reference": format!("Practitioner/{owner}")});
    }
    resource
}

/// A Task of the pediatricians' pool.
pub fn pool_task(task: Id, patient: Id, state: State, owner: Option<Id>) -> Value {
    let mut resource = task_resource(task, patient, state, owner);
    resource["performerType"] = json!([{"coding": [{"system": SPECIALTY, "code": "pediatrics"}]}]);
    if owner.is_none() {
        resource["owner"] = json!({
            "type": "HealthcareService", "identifier": {"system": SPECIALTY, "value": "pediatrics"},
        });
    }
    resource
}

pub fn pool_note(task: Id, patient: Id, urgency: &str, requester: Id) -> Vec<u8> {
    pool_note_to(task, patient, urgency, requester, None)
}

/// An ask to the pediatricians, or to one of them.
pub fn pool_note_to(task: Id, patient: Id, urgency: &str, requester: Id, owner: Option<Id>) -> Vec<u8> {
    let request = json!({
        "resourceType": "ServiceRequest", "id": id().to_string(), "status": "active", "intent": "order", "subject": subject(patient),
    });
    let mut resource = pool_task(task, patient, State::Requested, owner);
    resource["priority"] = urgency.into();
    resource["requester"] = json!({"reference": format!("Practitioner/{requester}")});
    bundle("document", &[composition(patient, "57133-1"), request, resource])
}

pub fn pool_move(task: Id, patient: Id, state: State, owner: Option<Id>) -> Vec<u8> {
    bundle("collection", &[pool_task(task, patient, state, owner)])
}

pub fn note(task: Id, patient: Id, owner: Option<Id>) -> Vec<u8> {
    let request = json!({
        "resourceType": "ServiceRequest", "id": id().to_string(), "status": "active", "intent": "order", "subject": subject(patient),
    });
    bundle(
        "document",
        &[composition(patient, "57133-1"), request, task_resource(task, patient, State::Requested, owner)],
    )
}

pub fn task_move(task: Id, patient: Id, state: State, owner: Option<Id>) -> Vec<u8> {
    bundle("collection", &[task_resource(task, patient, state, owner)])
}

pub fn advice(patient: Id) -> Vec<u8> {
    bundle("document", &[composition(patient, "11488-4")])
}
