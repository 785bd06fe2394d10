//! What is in a payload: unpacked within limits, checked, ready to be projected.

use std::collections::HashMap;

use rabta_domain::{
    ask::{STATE_SYSTEM, State, Urgency},
    fhir::urls::SPECIALTY,
};
use rabta_wire::{
    Id,
    envelope::{AttachmentPart, Codec, Envelope, Header, Kind},
    limits,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use time::Date;

use super::examine::{Refusal, codes};
use crate::fhir::{json::with_references, validate};

/// What a payload says.
pub struct Content {
    pub resources: Vec<Projected>,
    pub task: Option<TaskContent>,
    pub part: Option<AttachmentPart>,
}

/// A resource to be stored as a version of `kind/id`.
pub struct Projected {
    pub kind: &'static str,
    pub id: String,
    pub patient: Option<String>,
    /// As in the payload, with `urn:uuid:` references made relative.
    pub text: String,
    pub value: Value,
}

/// What the HIE needs of a Task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskContent {
    pub id: Id,
    pub state: State,
    pub holder: Holder,
    /// `Task.performerType`; empty where it says none.
    pub specialty: String,
    pub urgency: Urgency,
}

/// `Task.owner`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    Nobody,
    Person(Id),
    /// All of this specialty.
    Pool(String),
}

impl Holder {
    pub fn person(&self) -> Option<Id> {
        match self {
            Self::Person(id) => Some(*id),
            Self::Nobody | Self::Pool(_) => None,
        }
    }
}

/// Parts of one attachment, and their bytes together: base64 of it must still be a Binary that can be read.
const PARTS: u32 = 24;

/// The exact payload, proven to be the one that was signed. Never allocates more than the header announces, which
/// is limited.
pub fn unpack(envelope: &Envelope, header: &Header) -> Result<Vec<u8>, Refusal> {
    let wrong = || Refusal::new(codes::PAYLOAD, "the payload is not the one that was signed");
    let payload = match (header.codec, header.dictionary) {
        (Codec::Plain, 0) => envelope.payload.to_vec(),
        (Codec::Zstd, 0) => {
            zstd::bulk::decompress(&envelope.payload, header.payload_len as usize).map_err(|_| wrong())?
        }
        (_, n) => {
            return Err(Refusal::new(
                codes::PAYLOAD_CODEC,
                format!("packed with dictionary {n}, which this server does not have"),
            ));
        }
    };
    header.check_payload(&payload).map_err(|_| wrong())?;
    Ok(payload)
}

#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(rename = "resourceType")]
    resource_type: String,
    r#type: String,
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "fullUrl")]
    full_url: String,
    #[serde(borrow)]
    resource: &'a RawValue,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "resourceType")]
    resource_type: String,
    id: String,
}

/// Types that a payload may carry for whoever reads it as a document, but that it does not write: the HIE has its
/// own word on persons and places, and demographics have their own kind.
const CARRIED: [&str; 6] =
    ["Practitioner", "PractitionerRole", "Organization", "Location", "Device", "HealthcareService"];
const ENTRIES: usize = 2_000;

pub fn read(header: &Header, payload: Vec<u8>, latest: Date) -> Result<Content, Refusal> {
    if header.kind == Kind::AttachmentPart {
        return attachment(&payload);
    }
    let malformed =
        || Refusal::new(codes::PAYLOAD, "the payload is not a FHIR Bundle of the form that belongs here");
    let text = String::from_utf8(payload).map_err(|_| malformed())?;
    let bundle: Bundle<'_> = serde_json::from_str(&text).map_err(|_| malformed())?;
    if bundle.resource_type != "Bundle"
        || !matches!(bundle.r#type.as_str(), "collection" | "document")
        || bundle.entry.is_empty()
    {
        return Err(malformed());
    }
    if bundle.entry.len() > ENTRIES {
        return Err(Refusal::new(codes::TOO_LARGE, format!("more than {ENTRIES} resources in one payload")));
    }
    let mut heads = Vec::with_capacity(bundle.entry.len());
    let mut map = HashMap::new();
    for entry in &bundle.entry {
        let head: Head = serde_json::from_str(entry.resource.get()).map_err(|_| malformed())?;
        let uuid = head
            .id
            .parse::<Id>()
            .map_err(|_| Refusal::new(codes::PAYLOAD, "a resource's id is not a UUID"))?;
        if entry.full_url != format!("urn:uuid:{}", head.id) || uuid.to_string() != head.id {
            return Err(Refusal::new(codes::PAYLOAD, "an entry's fullUrl is not its resource's id"));
        }
        if map.insert(entry.full_url.clone(), format!("{}/{}", head.resource_type, head.id)).is_some() {
            return Err(Refusal::new(codes::PAYLOAD, "the same id is in the payload twice"));
        }
        heads.push(head);
    }
    kinds(header.kind, &bundle.r#type, &heads)?;

    let patient = header.patient.map(|p| p.to_string());
    let mut content = Content { resources: Vec::new(), task: None, part: None };
    for (entry, head) in bundle.entry.iter().zip(heads) {
        let text = with_references(entry.resource.get(), &map);
        let value: Value = serde_json::from_str(&text).map_err(|_| malformed())?;
        crate::fhir::json::members(&text).map_err(|_| malformed())?;
        let kind = validate::resource(&value, latest).map_err(|p| Refusal::new(p.code, p.text))?;
        let of = validate::patient_of(kind, &head.id, &value);
        if of.is_some() && of != patient {
            return Err(Refusal::new(
                codes::PATIENT,
                format!("a {} in the payload is of another patient", kind.name),
            ));
        }
        if kind.name == "Task" {
            content.task = Some(task(header, &head.id, &value)?);
        }
        let carried =
            CARRIED.contains(&kind.name) || (kind.name == "Patient" && header.kind != Kind::Patient);
        if !carried {
            // An AuditEvent's patient is among its entities, not the envelope's.
            let patient = match header.kind {
                Kind::Audit => audited(&value),
                _ => of.or_else(|| patient.clone()),
            };
            content.resources.push(Projected { kind: kind.name, id: head.id, patient, text, value });
        }
    }
    Ok(content)
}

/// Whether what is in the payload is what its kind says.
fn kinds(kind: Kind, bundle: &str, heads: &[Head]) -> Result<(), Refusal> {
    let count = |name: &str| heads.iter().filter(|h| h.resource_type == name).count();
    let only = |names: &[&str]| heads.iter().all(|h| names.contains(&h.resource_type.as_str()));
    let first_is_composition = || heads[0].resource_type == "Composition" && bundle == "document";
    let right = match kind {
        Kind::Patient => count("Patient") == 1 && only(&["Patient", "RelatedPerson", "Group", "Provenance"]),
        Kind::Consent => count("Consent") > 0 && only(&["Consent", "RelatedPerson", "Provenance"]),
        Kind::Visit => first_is_composition() && count("Task") == 0 && count("AuditEvent") == 0,
        Kind::ReferralNote => count("Task") == 1 && count("ServiceRequest") > 0 && count("AuditEvent") == 0,
        Kind::TaskMove => count("Task") == 1 && only(&["Task", "ServiceRequest", "Encounter", "Provenance"]),
        Kind::Communication => {
            count("Communication") > 0 && only(&["Communication", "Encounter", "Provenance"])
        }
        Kind::Advice | Kind::Decisions => count("Task") == 0 && count("AuditEvent") == 0,
        Kind::Audit => only(&["AuditEvent"]),
        Kind::AttachmentPart => false,
    };
    if right {
        Ok(())
    } else {
        Err(Refusal::new(
            codes::PAYLOAD_KIND,
            format!("the payload does not hold what a {kind:?} envelope holds"),
        ))
    }
}

/// The patient whom an AuditEvent is about.
fn audited(event: &Value) -> Option<String> {
    let entities = event["entity"].as_array()?;
    let reference =
        |e: &Value| e.pointer("/what/reference")?.as_str()?.strip_prefix("Patient/").map(str::to_owned);
    entities.iter().find_map(reference)
}

fn task(header: &Header, id: &str, value: &Value) -> Result<TaskContent, Refusal> {
    let wrong = |text: &str| Refusal::new(codes::TASK_STATE, text);
    let id: Id = id.parse().map_err(|_| wrong("the Task's id is not a UUID"))?;
    if header.task != Some(id) {
        return Err(wrong("the Task is not the one that the envelope names"));
    }
    let codings = value.pointer("/businessStatus/coding").and_then(Value::as_array);
    let code = codings
        .and_then(|list| list.iter().find(|c| c["system"] == STATE_SYSTEM))
        .and_then(|c| c["code"].as_str())
        .and_then(State::from_code);
    let state = code.ok_or_else(|| wrong("Task.businessStatus is none that this server knows"))?;
    if value["status"] != state.fhir_status() {
        return Err(wrong("Task.status does not fit Task.businessStatus"));
    }
    if value.pointer("/for/reference").is_none() {
        return Err(wrong("the Task is for no patient"));
    }
    let coded = value.pointer("/performerType").and_then(Value::as_array).into_iter().flatten();
    let mut codings = coded.filter_map(|c| c["coding"].as_array()).flatten();
    let specialty = codings.find(|c| c["system"] == SPECIALTY).and_then(|c| c["code"].as_str());
    let specialty = specialty.unwrap_or_default().to_owned();
    let urgency = Urgency::from_fhir(value["priority"].as_str().unwrap_or_default());
    let holder = holder(&value["owner"])?;
    if let Holder::Pool(pool) = &holder
        && (*pool != specialty || pool.len() > 64)
    {
        return Err(Refusal::new(codes::TASK_OWNER, "the ask is of another specialty than its pool"));
    }
    Ok(TaskContent { id, state, holder, specialty, urgency })
}

fn holder(owner: &Value) -> Result<Holder, Refusal> {
    let wrong = || Refusal::new(codes::TASK_STATE, "the Task's owner is not a person or a pool of this HIE");
    if owner.is_null() {
        return Ok(Holder::Nobody);
    }
    if owner["type"] == "HealthcareService" && owner.pointer("/identifier/system") == Some(&SPECIALTY.into())
    {
        let pool = owner.pointer("/identifier/value").and_then(Value::as_str);
        return pool.filter(|p| !p.is_empty()).map(|p| Holder::Pool(p.to_owned())).ok_or_else(wrong);
    }
    let Some(reference) = owner["reference"].as_str() else { return Ok(Holder::Nobody) };
    let person = reference.strip_prefix("Practitioner/").ok_or_else(wrong)?;
    person.parse().map(Holder::Person).map_err(|_| wrong())
}

fn attachment(payload: &[u8]) -> Result<Content, Refusal> {
    let wrong = |text: &str| Refusal::new(codes::ATTACHMENT, text);
    let part: AttachmentPart = minicbor::decode(payload).map_err(|_| wrong("not a part of an attachment"))?;
    if part.bytes.len() > limits::ATTACHMENT_PART || part.bytes.is_empty() {
        return Err(wrong("a part is empty or larger than a part may be"));
    }
    if part.count == 0 || part.count > PARTS || part.index >= part.count {
        return Err(wrong("too many parts, or a part beyond their number"));
    }
    const TYPES: [&str; 8] = [
        "image/jpeg",
        "image/png",
        "image/webp",
        "audio/ogg",
        "audio/webm",
        "audio/mpeg",
        "video/webm",
        "application/pdf",
    ];
    if !TYPES.contains(&part.content_type.as_str()) {
        return Err(wrong("an attachment of this type is not taken"));
    }
    Ok(Content { resources: Vec::new(), task: None, part: Some(part) })
}

/// Whether this Consent lets somebody outside the clinic read a case: active, and a permission (or an emergency
/// override, which is recorded as one).
pub fn consent_opens(consent: &Value) -> bool {
    consent["status"] == "active"
        && consent.pointer("/provision/type").and_then(Value::as_str) != Some("deny")
}
