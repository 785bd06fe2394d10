//! Who did what to whose record: AuditEvents after IHE BALP
//! (https://profiles.ihe.net/ITI/BALP). They name ids only, never people.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Builder, BundleType, Json, NewId, dates,
    json::{arr, obj},
    parts::{coding, coding_named, concept, reference},
    urls,
};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    Read,
    Query,
    Create,
    Update,
}

/// How it ended (http://hl7.org/fhir/R4/valueset-audit-event-outcome.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Success,
    /// Refused, not found: the asker's side.
    Refused,
    /// The program's side.
    Failed,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub id: String,
    pub act: Act,
    pub outcome: Outcome,
    pub at: OffsetDateTime,
    /// Practitioner id; empty where a program acted by itself.
    pub person: String,
    /// Device id.
    pub device: String,
    /// Organization id.
    pub facility: String,
    /// Patient id, where it was about one.
    pub patient: Option<String>,
    /// `Type/id`, or `Type` for a query.
    pub what: String,
    /// Which search parameters were used, by name: their values may say who was looked for.
    pub parameters: Vec<String>,
    /// Why, for what needs a reason.
    pub purpose: Option<String>,
}

/// The payload: a collection of AuditEvents.
pub fn to_bundle(events: &[AuditEvent], at: OffsetDateTime, new_id: NewId<'_>) -> Vec<u8> {
    let mut bundle = Builder::new(BundleType::Collection, new_id(), at);
    events.iter().for_each(|event| bundle.push(&audit_event(event)));
    bundle.into_bytes()
}

/// One AuditEvent.
pub fn audit_event(event: &AuditEvent) -> Json {
    let (profile, subtype, action) = match event.act {
        Act::Read => ("PatientRead", "read", "R"),
        Act::Query => ("PatientQuery", "search", "E"),
        Act::Create => ("PatientCreate", "create", "C"),
        Act::Update => ("PatientUpdate", "update", "U"),
    };
    // BALP has the same pattern without a patient under the shorter name.
    let profile = if event.patient.is_some() { profile } else { &profile["Patient".len()..] };
    let outcome = match event.outcome {
        Outcome::Success => "0",
        Outcome::Refused => "4",
        Outcome::Failed => "8",
    };
    let person = (!event.person.is_empty()).then(|| {
        obj! {
            "type": concept(urls::V3_PARTICIPATION, "IRCP", "information recipient"),
            "who": reference("Practitioner", &event.person),
            "requestor": true,
        }
    });
    let device = obj! {
        "type": concept(urls::DICOM, "110153", "Source Role ID"),
        "who": reference("Device", &event.device),
        "requestor": event.person.is_empty(),
    };
    let patient = event.patient.as_deref().map(|id| {
        obj! {
            "what": reference("Patient", id),
            "type": coding_named("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person"),
            "role": coding_named("http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient"),
        }
    });
    let object = if event.act == Act::Query {
        let query = format!("{}?{}", event.what, event.parameters.join("&"));
        obj! {
            "type": coding_named("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object"),
            "role": coding_named("http://terminology.hl7.org/CodeSystem/object-role", "24", "Query"),
            "query": base64(query.as_bytes()),
        }
    } else {
        obj! {
            "what": obj! { "reference": &event.what },
            "type": coding_named("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object"),
            "role": coding_named("http://terminology.hl7.org/CodeSystem/object-role", "4", "Domain Resource"),
        }
    };
    obj! {
        "resourceType": "AuditEvent",
        "id": &event.id,
        "meta": obj! {
            "profile": arr![format!("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{profile}")],
        },
        "type": coding_named(urls::AUDIT_TYPE, "rest", "RESTful Operation"),
        "subtype": arr![coding(urls::AUDIT_SUBTYPE, subtype)],
        "action": action,
        "recorded": dates::instant(event.at),
        "outcome": outcome,
        "purposeOfEvent": arr![event.purpose.as_deref().map(|p| concept(urls::V3_ACT_REASON, p, ""))],
        "agent": arr![person, device],
        "source": obj! {
            "site": &event.facility,
            "observer": reference("Device", &event.device),
        },
        "entity": arr![patient, object],
    }
}

/// RFC 4648, standard alphabet, padded.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0_u32, |n, b| (n << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let sextet = (n >> (18 - 6 * i)) & 63;
            out.push(if i <= chunk.len() { ALPHABET[sextet as usize] as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn base64_is_rfc_4648s() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_query_is_audited_without_what_was_looked_for() {
        let event = AuditEvent {
            id: "a".into(),
            act: Act::Query,
            outcome: Outcome::Refused,
            at: datetime!(2026-11-22 10:00 UTC),
            person: "p".into(),
            device: "d".into(),
            facility: "f".into(),
            patient: None,
            what: "Patient".into(),
            parameters: vec!["name".into(), "birthdate".into()],
            purpose: None,
        };
        let json = audit_event(&event);
        assert_eq!(
            json.str("meta.profile"),
            "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.Query"
        );
        assert_eq!((json.str("action"), json.str("outcome")), ("E", "4"));
        assert_eq!(json.str("entity.query"), base64(b"Patient?name&birthdate"));
    }
}
