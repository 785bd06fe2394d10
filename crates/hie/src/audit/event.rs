use rabta_wire::{Id, enroll::Enrolled};
use serde_json::{Value, json};

use crate::{
    auth::{Access, Agent},
    clock::instant,
};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Create,
    Update,
    Read,
    Query,
    Transaction,
    /// An envelope was taken.
    Push,
    /// Changes were pulled.
    Pull,
    /// A person joined with a device.
    Enroll,
}

impl Act {
    /// (`AuditEvent.action`, `subtype` of http://hl7.org/fhir/restful-interaction, BALP's profile without and with a
    /// patient).
    fn codes(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Create => ("C", "create", "Create"),
            Self::Update => ("U", "update", "Update"),
            Self::Read => ("R", "read", "Read"),
            Self::Query => ("E", "search", "Query"),
            Self::Transaction => ("E", "transaction", ""),
            Self::Push => ("C", "create", "Create"),
            Self::Pull => ("R", "history-system", ""),
            Self::Enroll => ("C", "create", ""),
        }
    }
}

/// An act, before it is a resource.
#[derive(Debug, Clone)]
pub struct Event {
    pub act: Act,
    pub facility: Option<Id>,
    pub agent: Option<Agent>,
    pub patient: Option<String>,
    /// `Type/id` of what was acted on.
    pub what: Option<String>,
    /// A search as it was asked, for [`Act::Query`]. It may name a patient: it lives in the database only.
    pub query: Option<String>,
    pub detail: Option<(&'static str, String)>,
}

impl Event {
    pub fn new(act: Act, who: &Access) -> Self {
        Self {
            act,
            facility: Some(who.facility),
            agent: Some(who.agent),
            patient: None,
            what: None,
            query: None,
            detail: None,
        }
    }

    pub fn about(mut self, what: String, patient: Option<String>) -> Self {
        self.what = Some(what);
        self.patient = patient;
        self
    }

    pub(crate) fn enrolled(enrolled: &Enrolled) -> Self {
        Self {
            act: Act::Enroll,
            facility: Some(enrolled.invitation.facility.id),
            agent: Some(Agent::Device { device: enrolled.device, person: enrolled.invitation.person.id }),
            patient: None,
            what: Some(format!("Device/{}", enrolled.device)),
            query: None,
            detail: None,
        }
    }

    pub(super) fn resource(&self, id: &str, now: i64) -> Value {
        let (action, subtype, profile) = self.act.codes();
        let mut agents = Vec::new();
        match self.agent {
            Some(Agent::Device { device, person }) => {
                agents.push(json!({
                    "type": dicom("110153", "Source Role ID"),
                    "who": {"reference": format!("Device/{device}")}, "requestor": false,
                }));
                agents.push(json!({
                    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]},
                    "who": {"reference": format!("Practitioner/{person}")}, "requestor": true,
                }));
            }
            Some(Agent::Operator) => agents.push(json!({
                "type": dicom("110153", "Source Role ID"),
                "who": {"display": "operator's token"}, "requestor": true,
            })),
            Some(Agent::Hie) | None => {
                agents.push(json!({"who": {"display": "rabta-hie"}, "requestor": true}))
            }
        }
        let mut entities = Vec::new();
        if let Some(patient) = &self.patient {
            entities.push(entity(format!("Patient/{patient}"), "1", "1"));
        }
        if let Some(what) = self
            .what
            .as_ref()
            .filter(|w| Some(w.as_str()) != self.patient.as_ref().map(|p| format!("Patient/{p}")).as_deref())
        {
            let mut entity = entity(what.clone(), "2", "4");
            if let Some((name, value)) = &self.detail {
                entity["detail"] = json!([{"type": name, "valueString": value}]);
            }
            entities.push(entity);
        }
        if let Some(query) = &self.query {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            entities.push(json!({
                "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "2"},
                "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "24"},
                "query": STANDARD.encode(query),
            }));
        }
        let mut event = json!({
            "resourceType": "AuditEvent",
            "id": id,
            "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
            "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": subtype}],
            "action": action,
            "recorded": instant(now),
            "outcome": "0",
            "agent": agents,
            "source": {"observer": {"display": "rabta-hie"}},
        });
        if !profile.is_empty() {
            let of = if self.patient.is_some() { "Patient" } else { "" };
            event["meta"] = json!({"profile": [format!(
                "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{of}{profile}"
            )]});
        }
        if !entities.is_empty() {
            event["entity"] = Value::Array(entities);
        }
        event
    }
}

fn dicom(code: &str, display: &str) -> Value {
    json!({"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": code, "display": display}]})
}

fn entity(reference: String, kind: &str, role: &str) -> Value {
    json!({
        "what": {"reference": reference},
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": kind},
        "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": role},
    })
}
