//! What lists, links and the search need of a resource, read from its bytes. New resource types need no migration.

use rabta_domain::{ask, fhir, mr};
use rabta_search::{Field, Key, name_keys, name_length, number_keys, phone_keys};
use serde_json::Value;

use crate::error::StoreError;

pub use rabta_domain::fhir::BundleError;

/// More references than this of one resource are not followed.
const LINKS: usize = 200;
/// Resource types that references are not indexed for: patients have a column, people and places are not listed by.
const NOT_LINKED: &[&str] =
    &["Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "Device"];

/// `(type, id, exact bytes)` of a payload's entries.
pub fn bundle_entries(payload: &[u8]) -> Result<Vec<(String, String, Vec<u8>)>, BundleError> {
    fhir::read(payload)
}

/// A key, where it is from, and of a name of theirs its length in words (0 of all else).
pub(crate) type SearchKey = (Field, u8, Key);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Columns {
    pub patient: Option<String>,
    pub state: String,
    pub open: bool,
    /// Ids that it refers to.
    pub links: Vec<String>,
    /// Search keys for `patient`.
    pub keys: Vec<SearchKey>,
}

impl Columns {
    /// Reads a resource; it must be a JSON object with this type and id.
    pub fn read(kind: &str, id: &str, body: &[u8]) -> Result<Self, StoreError> {
        let json: Value = serde_json::from_slice(body).map_err(|_| StoreError::Resource("not JSON"))?;
        if json["resourceType"].as_str() != Some(kind) || json["id"].as_str() != Some(id) {
            return Err(StoreError::Resource("its type or id is not the one it is stored under"));
        }
        let patient = match kind {
            "Patient" => Some(id.to_owned()),
            _ => ["subject", "patient", "for", "beneficiary"]
                .iter()
                .find_map(|field| patient_reference(&json[field])),
        };
        let state = state(kind, &json);
        let mut links = Vec::new();
        collect_links(&json, &mut links);
        links.sort();
        links.dedup();
        links.truncate(LINKS);
        let keys = match (kind, &patient) {
            ("Patient", _) => keys(&json, Field::Name),
            ("RelatedPerson", Some(_)) => keys(&json, Field::Relative),
            _ => Vec::new(),
        };
        Ok(Self { open: is_open(kind, &state, &json), patient, state, links, keys })
    }
}

fn patient_reference(value: &Value) -> Option<String> {
    let reference = value["reference"].as_str()?;
    let id = reference.strip_prefix("Patient/").or_else(|| reference.strip_prefix("urn:uuid:"))?;
    Some(id.split('/').next().unwrap_or(id).to_owned())
}

fn first_code(concept: &Value) -> Option<&str> {
    concept["coding"].as_array()?.iter().find_map(|coding| coding["code"].as_str())
}

fn state(kind: &str, json: &Value) -> String {
    // A notice is told apart from the trail by what it is about.
    if kind == "AuditEvent" {
        let of = json["subtype"].as_array().and_then(|all| all.iter().find_map(|c| c["code"].as_str()));
        return of.unwrap_or_default().chars().take(64).collect();
    }
    let business = (kind == "Task").then(|| first_code(&json["businessStatus"])).flatten();
    let state = business.or_else(|| json["status"].as_str()).or_else(|| first_code(&json["clinicalStatus"]));
    state.unwrap_or_default().chars().take(64).collect()
}

fn is_open(kind: &str, state: &str, json: &Value) -> bool {
    match kind {
        "Task" => match ask::State::from_code(state) {
            Some(state) => !state.is_closed(),
            None => !matches!(
                json["status"].as_str().unwrap_or_default(),
                "completed" | "cancelled" | "failed" | "rejected" | "entered-in-error"
            ),
        },
        "Encounter" => matches!(state, "planned" | "arrived" | "triaged" | "in-progress" | "onleave"),
        "ServiceRequest" => matches!(state, "active" | "on-hold"),
        // A notice of a broken glass (DICOM, Emergency Override Started).
        "AuditEvent" => state == "110127",
        _ => false,
    }
}

fn collect_links(value: &Value, links: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(reference) if name == "reference" => links.extend(link(reference)),
                    // A contained resource's references are its own, and a document's sections name what came in its Bundle.
                    _ if name == "contained" || name == "section" => {}
                    _ => collect_links(member, links),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_links(item, links)),
        _ => {}
    }
}

fn link(reference: &str) -> Option<String> {
    if let Some(uuid) = reference.strip_prefix("urn:uuid:") {
        return Some(uuid.to_owned());
    }
    let mut parts = reference.split('/');
    let (kind, id) = (parts.next()?, parts.next()?);
    let relative = parts.next().is_none_or(|history| history == "_history");
    (relative && !NOT_LINKED.contains(&kind) && id.len() <= 64).then(|| id.to_owned())
}

fn keys(json: &Value, names: Field) -> Vec<SearchKey> {
    let list = |field: &str| json[field].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut keys = Vec::new();
    for name in list("name") {
        let name = full_name(name);
        keys.extend(name_keys(&name).into_iter().map(|key| (names, name_length(&name), key)));
    }
    for contact in list("contact") {
        let name = full_name(&contact["name"]);
        keys.extend(name_keys(&name).into_iter().map(|key| (Field::Relative, name_length(&name), key)));
    }
    for telecom in list("telecom") {
        if matches!(telecom["system"].as_str(), Some("phone" | "sms") | None) {
            let number = telecom["value"].as_str().unwrap_or_default();
            keys.extend(phone_keys(number).into_iter().map(|key| (Field::Phone, 0, key)));
        }
    }
    for identifier in list("identifier") {
        let field = if identifier["system"].as_str() == Some(mr::SYSTEM) { Field::Mr } else { Field::Paper };
        let value = identifier["value"].as_str().unwrap_or_default();
        // A name's worth: nobody's paper has more, and a broken record must not fill the index.
        if value.len() <= 64 {
            keys.extend(number_keys(value).into_iter().map(|key| (field, 0, key)));
        }
    }
    if names == Field::Name {
        for address in list("address") {
            for part in ["text", "city"] {
                let place = address[part].as_str().unwrap_or_default();
                keys.extend(name_keys(place).into_iter().map(|key| (Field::Place, 0, key)));
            }
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// The one full string, or what others made of it.
fn full_name(name: &Value) -> String {
    if let Some(text) = name["text"].as_str() {
        return text.to_owned();
    }
    let given = name["given"].as_array().map(Vec::as_slice).unwrap_or_default();
    let parts = given.iter().chain(Some(&name["family"])).filter_map(Value::as_str);
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Columns {
        let json: Value = serde_json::from_str(text).expect("test JSON");
        Columns::read(
            json["resourceType"].as_str().unwrap_or_default(),
            json["id"].as_str().unwrap_or_default(),
            text.as_bytes(),
        )
        .expect("a resource")
    }

    #[test]
    fn a_tasks_state_is_its_business_status() {
        let task = read(
            r#"{"resourceType":"Task","id":"t","status":"received","businessStatus":{"coding":[{"code":"seen"}]},
                "for":{"reference":"Patient/p"},"focus":{"reference":"ServiceRequest/s"},"requester":{"reference":"Practitioner/x"}}"#,
        );
        assert_eq!((task.state.as_str(), task.open, task.patient.as_deref()), ("seen", true, Some("p")));
        assert_eq!(task.links, ["s"]);
        assert!(!read(r#"{"resourceType":"Task","id":"t","status":"completed"}"#).open);
    }

    #[test]
    fn references_are_followed_wherever_they_stand() {
        let note = read(
            r##"{"resourceType":"DiagnosticReport","id":"c","subject":{"reference":"urn:uuid:p"},"deep":[{"entry":[{"reference":"Observation/o1"},
                {"reference":"Observation/o2/_history/3"},{"reference":"#local"},{"reference":"https://elsewhere/fhir/Observation/o3"}]}],
                "section":[{"entry":[{"reference":"Observation/o4"}]}]}"##,
        );
        assert_eq!(note.patient.as_deref(), Some("p"));
        assert_eq!(note.links, ["o1", "o2", "p"]);
    }

    #[test]
    fn a_body_under_another_id_is_refused() {
        assert!(Columns::read("Patient", "a", br#"{"resourceType":"Patient","id":"b"}"#).is_err());
        assert!(Columns::read("Patient", "a", br#"{"resourceType":"Person","id":"a"}"#).is_err());
        assert!(Columns::read("Patient", "a", b"\xff").is_err());
    }

    #[test]
    fn names_phones_papers_and_places_become_keys() {
        let columns = read(
            r#"{"resourceType":"Patient","id":"p","name":[{"text":"Ayesha Bibi"},{"given":["Aisha"],"family":"Khan"}],
                "telecom":[{"system":"phone","value":"+92 300 1234567"},{"system":"email","value":"a@b"}],
                "identifier":[{"system":"https://rabta.health/fhir/sid/mr","value":"3740-000123-4"},{"value":"35202-1234567-2"}],
                "address":[{"city":"Chak 44"}]}"#,
        );
        let fields: Vec<Field> = columns.keys.iter().map(|(f, ..)| *f).collect();
        for field in [Field::Name, Field::Phone, Field::Mr, Field::Paper, Field::Place] {
            assert!(fields.contains(&field), "{field:?}");
        }
    }
}
