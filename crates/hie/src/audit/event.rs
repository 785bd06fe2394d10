//! AuditEvents after IHE BALP 1.1 (https://profiles.ihe.net/ITI/BALP, Read, Query, Create, Update and their Patient
//! variants).

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_wire::{Id, enroll::Enrolled};
use serde_json::{Value, json};

use super::Deed;
use crate::{
    auth::{Access, Agent, Purpose, Reader},
    clock::instant,
};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Create,
    Update,
    Read,
    VersionRead,
    History,
    Query,
    Transaction,
    /// An envelope was taken.
    Push,
    /// Changes were pulled.
    Pull,
    /// A person joined with a device.
    Enroll,
    /// A person opened another facility's record in an emergency.
    BreakGlass,
    /// Whoever keeps the server did something to it.
    Operator(Deed),
}

const INTERACTION: &str = "http://hl7.org/fhir/restful-interaction";
pub(super) const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const ENTITY: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";

/// How an act is coded.
struct Codes {
    /// `AuditEvent.action`.
    action: &'static str,
    subtype: &'static str,
    /// BALP's profile, without "Patient".
    profile: Option<&'static str>,
    /// The data flows to who asks: for a read the client is the destination; for a query, as DICOM has it, the source.
    client_is_source: bool,
    /// `agent[user].type`, of v3-ParticipationType.
    user: &'static str,
}

impl Act {
    fn codes(self) -> Codes {
        let (action, subtype, profile, client_is_source, user) = match self {
            Self::Create => ("C", "create", Some("Create"), true, "AUT"),
            Self::Update => ("U", "update", Some("Update"), true, "AUT"),
            Self::Read => ("R", "read", Some("Read"), false, "IRCP"),
            Self::VersionRead => ("R", "vread", Some("Read"), false, "IRCP"),
            Self::History => ("R", "history-instance", Some("Read"), false, "IRCP"),
            Self::Query => ("E", "search", Some("Query"), true, "IRCP"),
            Self::Transaction => ("E", "transaction", None, true, "AUT"),
            Self::Push => ("C", "create", Some("Create"), true, "AUT"),
            Self::Pull => ("R", "history-system", None, false, "IRCP"),
            Self::Enroll => ("C", "create", None, true, "AUT"),
            Self::BreakGlass => ("E", "110127", None, true, "IRCP"),
            Self::Operator(deed) => (deed.action(), deed.code(), None, true, "AUT"),
        };
        Codes { action, subtype, profile, client_is_source, user }
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
    pub purpose: Option<Purpose>,
    /// Why, in the person's own words.
    pub reason: Option<String>,
    pub from: Option<IpAddr>,
    /// By the operator's page, of what is by no agent.
    pub(super) page: bool,
    /// Further patients whom a query found.
    pub(super) also: Vec<String>,
}

impl Event {
    pub fn new(act: Act, who: &Access) -> Self {
        Self { facility: Some(who.facility), agent: Some(who.agent), ..Self::of_operator(act) }
    }

    /// An act of whoever keeps the server, at its own command line.
    pub fn of_operator(act: Act) -> Self {
        Self {
            act,
            facility: None,
            agent: None,
            patient: None,
            what: None,
            query: None,
            detail: None,
            purpose: None,
            reason: None,
            from: None,
            page: false,
            also: Vec::new(),
        }
    }

    /// An act of a reader: with its purpose, and where it came from.
    pub fn by(act: Act, who: &Reader) -> Self {
        Self { purpose: Some(who.purpose), from: who.from, ..Self::new(act, &who.access) }
    }

    pub fn about(mut self, what: String, patient: Option<String>) -> Self {
        self.what = Some(what);
        self.patient = patient;
        self
    }

    /// A query found this patient.
    pub fn found(&mut self, patient: &str) {
        match &self.patient {
            None => self.patient = Some(patient.to_owned()),
            Some(first) if first == patient => {}
            Some(_) => self.also.push(patient.to_owned()),
        }
    }

    pub(crate) fn enrolled(enrolled: &Enrolled) -> Self {
        let agent = Agent::Device { device: enrolled.device, person: enrolled.invitation.person.id };
        let access = Access { facility: enrolled.invitation.facility.id, agent };
        Self { what: Some(format!("Device/{}", enrolled.device)), ..Self::new(Act::Enroll, &access) }
    }

    fn agents(&self, codes: &Codes) -> Vec<Value> {
        let side = |source: bool| {
            let (code, display) =
                if source { ("110153", "Source Role ID") } else { ("110152", "Destination Role ID") };
            json!({"coding": [{"system": DICOM, "code": code, "display": display}]})
        };
        let who = match self.agent {
            Some(Agent::Device { device, .. }) => json!({"reference": format!("Device/{device}")}),
            Some(Agent::Operator) => json!({"display": "operator's token"}),
            Some(Agent::Hie) => json!({"display": "rabta-hie"}),
            None if self.page => json!({"display": "the operator's page"}),
            None => json!({"display": "the operator's command"}),
        };
        let person = match self.agent {
            Some(Agent::Device { person, .. }) => Some(person),
            _ => None,
        };
        let mut client =
            json!({"type": side(codes.client_is_source), "who": who, "requestor": person.is_none()});
        if let Some(from) = self.from {
            client["network"] = json!({"address": from.to_string(), "type": "2"});
        }
        let mut agents = vec![
            client,
            json!({
                "type": side(!codes.client_is_source), "who": {"display": "rabta-hie"}, "requestor": false,
                "network": {"address": "rabta-hie", "type": "1"},
            }),
        ];
        if let Some(person) = person {
            let mut user = json!({
                "type": {"coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": codes.user,
                }]},
                "who": {"reference": format!("Practitioner/{person}")},
                "requestor": true,
            });
            if let Some(purpose) = self.purpose {
                user["purposeOfUse"] = json!([reason(purpose, None)]);
            }
            agents.push(user);
        }
        agents
    }

    fn entities(&self) -> Vec<Value> {
        let mut entities: Vec<Value> = self
            .patient
            .iter()
            .chain(&self.also)
            .map(|p| entity(&format!("Patient/{p}"), "1", "1"))
            .collect();
        if self.what.is_some() || self.detail.is_some() {
            let other = || json!({"type": {"system": ENTITY, "code": "4"}});
            let mut entity = self.what.as_ref().map_or_else(other, |what| entity(what, "2", "4"));
            if let Some((name, value)) = &self.detail {
                entity["detail"] = json!([{"type": name, "valueString": value}]);
            }
            entities.push(entity);
        }
        if let Some(query) = &self.query {
            entities.push(json!({
                "type": {"system": ENTITY, "code": "2"},
                "role": {"system": ROLE, "code": "24"},
                "query": STANDARD.encode(query),
            }));
        }
        entities
    }

    pub(super) fn resource(&self, id: &str, now: i64) -> Value {
        let codes = self.act.codes();
        let (kind, subtype) = match self.act {
            Act::BreakGlass => (
                json!({"system": DICOM, "code": "110113", "display": "Security Alert"}),
                json!([{"system": DICOM, "code": codes.subtype, "display": "Emergency Override Started"}]),
            ),
            Act::Operator(deed) => deed.coded(),
            _ => (
                json!({
                    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest",
                    "display": "RESTful Operation",
                }),
                json!([{"system": INTERACTION, "code": codes.subtype}]),
            ),
        };
        let mut event = json!({
            "resourceType": "AuditEvent",
            "id": id,
            "type": kind,
            "subtype": subtype,
            "action": codes.action,
            "recorded": instant(now),
            "outcome": "0",
            "agent": self.agents(&codes),
            "source": {
                "observer": {"display": "rabta-hie"},
                "type": [{"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4"}],
            },
        });
        if let Some(facility) = self.facility {
            event["source"]["site"] = facility.to_string().into();
        }
        if let Some(purpose) = self.purpose {
            event["purposeOfEvent"] = json!([reason(purpose, self.reason.as_deref())]);
        }
        if let Some(profile) = codes.profile {
            let of = if self.patient.is_some() { "Patient" } else { "" };
            event["meta"] = json!({"profile": [format!(
                "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{of}{profile}"
            )]});
        }
        let entities = self.entities();
        if !entities.is_empty() {
            event["entity"] = Value::Array(entities);
        }
        event
    }
}

fn reason(purpose: Purpose, text: Option<&str>) -> Value {
    let mut concept = json!({"coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": purpose.code(),
    }]});
    if let Some(text) = text {
        concept["text"] = text.into();
    }
    concept
}

fn entity(reference: &str, kind: &str, role: &str) -> Value {
    json!({
        "what": {"reference": reference},
        "type": {"system": ENTITY, "code": kind},
        "role": {"system": ROLE, "code": role},
    })
}
