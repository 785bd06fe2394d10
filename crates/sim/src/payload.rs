//! What people write, as FHIR: small, and whole enough for the HIE's checks.

use rabta_domain::ask::{STATE_SYSTEM, State};
use rabta_wire::{Id, envelope::Kind};
use serde_json::{Value, json};

use crate::chance::Chance;

/// A payload, and which resources it writes (type and id).
#[derive(Debug, Clone)]
pub struct Payload {
    pub kind: Kind,
    pub bytes: Vec<u8>,
    pub writes: Vec<(String, String)>,
}

fn payload(kind: Kind, of: &str, chance: &Chance, resources: Vec<Value>) -> Payload {
    let text = |r: &Value, key: &str| r[key].as_str().unwrap_or_default().to_owned();
    let writes = resources.iter().map(|r| (text(r, "resourceType"), text(r, "id"))).collect();
    let entries: Vec<Value> = resources
        .into_iter()
        .map(|r| json!({"fullUrl": format!("urn:uuid:{}", text(&r, "id")), "resource": r}))
        .collect();
    let bundle = json!({"resourceType": "Bundle", "id": chance.id(), "type": of, "entry": entries});
    Payload { kind, bytes: bundle.to_string().into_bytes(), writes }
}

fn subject(patient: Id) -> Value {
    json!({"reference": format!("Patient/{patient}")})
}

/// Demographics. `mr` is the number on the patient's card.
pub fn patient(chance: &Chance, patient: Id, name: &str, mr: &str) -> Payload {
    let resource = json!({
        "resourceType": "Patient", "id": patient, "name": [{"text": name}], "birthDate": "1990",
        "identifier": [{"system": "urn:example:mr", "value": mr}],
    });
    payload(Kind::Patient, "collection", chance, vec![resource])
}

pub fn consent(chance: &Chance, patient: Id, permit: bool) -> Payload {
    let consent = json!({
        "resourceType": "Consent", "id": chance.id(), "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]}, "category": [{"coding": [{"code": "59284-0"}]}],
        "patient": subject(patient), "provision": {"type": if permit { "permit" } else { "deny" }},
    });
    payload(Kind::Consent, "collection", chance, vec![consent])
}

fn composition(chance: &Chance, patient: Id, code: &str) -> Value {
    json!({
        "resourceType": "Composition", "id": chance.id(), "status": "final", "type": {"coding": [{"code": code}]},
        "date": "2026-11-22T10:00:00Z", "author": [{"display": "a doctor"}], "title": "t", "subject": subject(patient),
    })
}

/// A signed visit. `corrects`: the Composition and the Observation of an earlier one.
pub fn visit(chance: &Chance, patient: Id, corrects: Option<(&str, &str)>) -> Payload {
    let mut head = composition(chance, patient, "11488-4");
    let mut observation = json!({
        "resourceType": "Observation", "id": chance.id(), "status": "final", "code": {"coding": [{"code": "8867-4"}]},
        "subject": subject(patient), "valueQuantity": {"value": chance.between(50, 140)},
    });
    if let Some((before, observed)) = corrects {
        let target = json!({"reference": format!("Composition/{before}")});
        head["relatesTo"] = json!([{"code": "replaces", "targetReference": target}]);
        observation["id"] = observed.into();
    }
    payload(Kind::Visit, "document", chance, vec![head, observation])
}

fn task(task: Id, patient: Id, state: State, owner: Id) -> Value {
    json!({
        "resourceType": "Task", "id": task, "status": state.fhir_status(), "intent": "order",
        "businessStatus": {"coding": [{"system": STATE_SYSTEM, "code": state.code()}]}, "for": subject(patient),
        "owner": {"reference": format!("Practitioner/{owner}")},
    })
}

/// The referral note with its ServiceRequest and first Task, for the person `owner`.
pub fn note(chance: &Chance, ask: Id, patient: Id, owner: Id) -> Payload {
    let request = json!({
        "resourceType": "ServiceRequest", "id": chance.id(), "status": "active", "intent": "order",
        "subject": subject(patient),
    });
    let note = composition(chance, patient, "57133-1");
    payload(
        Kind::ReferralNote,
        "document",
        chance,
        vec![note, request, task(ask, patient, State::Requested, owner)],
    )
}

pub fn task_move(chance: &Chance, ask: Id, patient: Id, state: State, owner: Id) -> Payload {
    payload(Kind::TaskMove, "collection", chance, vec![task(ask, patient, state, owner)])
}

pub fn advice(chance: &Chance, patient: Id) -> Payload {
    payload(Kind::Advice, "document", chance, vec![composition(chance, patient, "11488-4")])
}
