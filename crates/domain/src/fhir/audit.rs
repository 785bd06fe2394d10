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
    /// It was printed.
    Print,
    /// It left the program in another way: a file, a stick.
    Export,
}

impl Act {
    /// What a laptop's trail calls an act by a word of its own (`create`, `print`, `shared-paper`): one that is not
    /// known here changed something.
    pub fn of_action(action: &str) -> Self {
        match action {
            "read" | "open" | "view" => Self::Read,
            "query" | "search" => Self::Query,
            "create" => Self::Create,
            "print" => Self::Print,
            "export" => Self::Export,
            _ => Self::Update,
        }
    }
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
    let shape = shape(event.act);
    // BALP has the same pattern without a patient under the shorter name.
    let of = if event.patient.is_some() { "Patient" } else { "" };
    let profile = shape.profile.map(|profile| {
        format!("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.{of}{profile}")
    });
    let outcome = match event.outcome {
        Outcome::Success => "0",
        Outcome::Refused => "4",
        Outcome::Failed => "8",
    };
    let person = (!event.person.is_empty()).then(|| {
        obj! {
            "type": concept(urls::V3_PARTICIPATION, shape.user, ""),
            "who": reference("Practitioner", &event.person),
            "requestor": true,
        }
    });
    // Window and record store are one machine: both sides of the act.
    let side = |source: bool, requestor: bool| {
        let (code, name) =
            if source { ("110153", "Source Role ID") } else { ("110152", "Destination Role ID") };
        obj! {
            "type": concept(urls::DICOM, code, name),
            "who": reference("Device", &event.device),
            "requestor": requestor,
            "network": obj! { "address": format!("urn:uuid:{}", event.device), "type": "5" },
        }
    };
    let client = side(shape.client_is_source, event.person.is_empty());
    let server = side(!shape.client_is_source, false);
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
        "meta": obj! { "profile": arr![profile] },
        "type": shape.kind,
        "subtype": arr![shape.subtype],
        "action": shape.action,
        "recorded": dates::instant(event.at),
        "outcome": outcome,
        "purposeOfEvent": arr![event.purpose.as_deref().map(|p| concept(urls::V3_ACT_REASON, p, ""))],
        "agent": arr![client, server, person],
        "source": obj! {
            "site": &event.facility,
            "observer": reference("Device", &event.device),
        },
        "entity": arr![patient, object],
    }
}

/// How an act is coded.
struct Shape {
    kind: Json,
    subtype: Json,
    action: &'static str,
    /// BALP's profile, without "Patient".
    profile: Option<&'static str>,
    client_is_source: bool,
    /// Of v3-ParticipationType.
    user: &'static str,
}

fn shape(act: Act) -> Shape {
    let rest = |subtype: &str, action, profile, client_is_source, user| Shape {
        kind: coding_named(urls::AUDIT_TYPE, "rest", "RESTful Operation"),
        subtype: coding(urls::AUDIT_SUBTYPE, subtype),
        action,
        profile: Some(profile),
        client_is_source,
        user,
    };
    // DICOM calls printing and copying to media an export (PS3.15, A.5.3.4).
    let export = |lifecycle: &str| Shape {
        kind: coding_named(urls::DICOM, "110106", "Export"),
        subtype: coding(urls::LIFECYCLE, lifecycle),
        action: "R",
        profile: None,
        client_is_source: false,
        user: "IRCP",
    };
    match act {
        Act::Read => rest("read", "R", "Read", false, "IRCP"),
        Act::Query => rest("search", "E", "Query", true, "IRCP"),
        Act::Create => rest("create", "C", "Create", true, "AUT"),
        Act::Update => rest("update", "U", "Update", true, "AUT"),
        Act::Print => export("report"),
        Act::Export => export("disclose"),
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
    fn each_act_has_the_agents_of_its_pattern() {
        let event = |act| AuditEvent {
            id: "a".into(),
            act,
            outcome: Outcome::Success,
            at: datetime!(2026-11-22 10:00 UTC),
            person: "p".into(),
            device: "d".into(),
            facility: "f".into(),
            patient: Some("x".into()),
            what: "Encounter/e".into(),
            parameters: vec![],
            purpose: None,
        };
        for (act, client, user, profile) in [
            (Act::Read, "110152", "IRCP", "PatientRead"),
            (Act::Query, "110153", "IRCP", "PatientQuery"),
            (Act::Create, "110153", "AUT", "PatientCreate"),
            (Act::Update, "110153", "AUT", "PatientUpdate"),
        ] {
            let json = audit_event(&event(act));
            let agents: Vec<String> =
                json.items("agent").iter().map(|a| a.str("type.coding.code").to_owned()).collect();
            let server = if client == "110152" { "110153" } else { "110152" };
            assert_eq!(agents, [client, server, user], "{act:?}");
            assert!(json.str("meta.profile").ends_with(profile), "{act:?}");
        }
        let print = audit_event(&event(Act::of_action("print")));
        assert_eq!((print.str("type.code"), print.str("meta.profile")), ("110106", ""));
        assert_eq!(Act::of_action("shared-paper"), Act::Update);
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
