//! The projection: what an envelope is on a FHIR server.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_domain::fhir::{
    self, Facility, Json, Resource, Signer,
    provenance::{self, Signed, Unsigned},
};
use rabta_store::{LogEntry, RecordStore, StoreError, unpack_payload};
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    envelope::{AttachmentPart, Envelope, Header, Kind},
};

use crate::clock::utc;

/// An envelope as resources, all of which go together.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub envelope: Id,
    /// Envelopes that must be there first.
    pub depends: Vec<Id>,
    /// In the payload's order, then the exact payload as a Binary where it is signed.
    pub entries: Vec<Resource>,
    /// The Provenance that tells that it was committed.
    pub marker: Resource,
    /// Who signed it and at which device, as resources, for servers that want what is referred to.
    pub people: Vec<Resource>,
}

/// The marker's id: the envelope's, made once, so that every try has the same.
pub fn marker_id(envelope: Id) -> String {
    envelope.to_string()
}

/// What `entry` of this device's log is over there; `None` where it is nothing (an audit trail is its HIE's; a part of a photo
/// that is not the last).
pub async fn project(store: &impl RecordStore, entry: &LogEntry) -> Result<Option<Parcel>, StoreError> {
    let bad = |why| StoreError::Payload(entry.id, why);
    let envelope = Envelope::from_bytes(&entry.bytes).map_err(|_| bad("it is no envelope"))?;
    let header = envelope.header().map_err(|_| bad("it has no header"))?;
    if header.kind == Kind::Audit {
        return Ok(None);
    }
    let dictionary = match header.dictionary {
        0 => None,
        id => store.dictionary(id).await?,
    };
    let payload = unpack_payload(&envelope, &header, dictionary.as_deref())?;
    let mut entries = if header.kind == Kind::AttachmentPart {
        let part: AttachmentPart = minicbor::decode(&payload).map_err(|_| bad("it is no part"))?;
        if part.index + 1 != part.count {
            return Ok(None);
        }
        let id = part.attachment.to_string();
        let Some(whole) = store.attachment(&id).await? else { return Ok(None) };
        vec![binary(&id, &whole.content_type, &whole.bytes)]
    } else {
        let all = fhir::read(&payload).map_err(|_| bad("it is no Bundle"))?;
        let parsed = all.iter().map(|(_, _, bytes)| Resource::parse(bytes));
        parsed.collect::<Result<Vec<_>, _>>().map_err(|_| bad("an entry is no resource"))?
    };
    let targets: Vec<String> = entries.iter().map(Resource::reference).collect();
    let certs = match &header.signed_by {
        Some(signature) => certs(store, signature.person).await?,
        None => certs(store, header.device).await?,
    };
    let facility = facility(&header, &certs);
    let (id, device) = (marker_id(entry.id), header.device.to_string());
    let at = utc(header.device_time.saturating_add(header.clock_offset.unwrap_or(0)));
    let marker = match &header.signed_by {
        Some(signature) => {
            entries.push(binary(&id, "application/fhir+json", &payload));
            let signed = Signed {
                id: &id,
                targets: &targets,
                binary: Some(&id),
                signer: &signer(signature.person, &certs),
                facility: &facility,
                device: &device,
                at,
                purpose: &purpose(&signature.protected),
                jws: &signature.detached_jws(),
            };
            provenance::provenance(&signed)
        }
        None => {
            let unsigned = Unsigned { id: &id, targets: &targets, facility: &facility, device: &device, at };
            provenance::unsigned(&unsigned)
        }
    };
    let marker = Resource::from_json(&marker).map_err(|_| bad("its marker is no resource"))?;
    let people = people(&header, &certs, &facility);
    Ok(Some(Parcel { envelope: entry.id, depends: header.depends.clone(), entries, marker, people }))
}

fn binary(id: &str, content_type: &str, bytes: &[u8]) -> Resource {
    let text = serde_json::json!({
        "resourceType": "Binary", "id": id, "contentType": content_type, "data": STANDARD.encode(bytes),
    });
    Resource::from_text(&text.to_string()).expect("a Binary with an id is a resource")
}

async fn certs(store: &impl RecordStore, subject: Id) -> Result<Vec<Cert>, StoreError> {
    // They were verified when they came.
    let read = |bytes: &[u8]| {
        let signed: SignedCert = minicbor::decode(bytes).ok()?;
        minicbor::decode::<Cert>(&signed.cert).ok()
    };
    Ok(store.certs(subject).await?.iter().filter_map(|cert| read(&cert.bytes)).collect())
}

fn facility(header: &Header, certs: &[Cert]) -> Facility {
    let named = certs.iter().find(|cert| cert.facility == header.facility);
    Facility {
        id: header.facility.to_string(),
        name: named.map(|cert| cert.facility_name.clone()).unwrap_or_default(),
    }
}

fn signer(person: Id, certs: &[Cert]) -> Signer {
    let mut signer = Signer { id: person.to_string(), ..Signer::default() };
    if let Some(Subject::Person { name, role, registration, qualification, .. }) =
        certs.first().map(|cert| &cert.subject)
    {
        signer.name.clone_from(name);
        signer.role.clone_from(role);
        signer.registration = registration.clone().unwrap_or_default();
        signer.qualification = qualification.clone().unwrap_or_default();
    }
    signer
}

/// `sty` of the JWS's protected header; the author's signature where it says nothing.
fn purpose(protected: &str) -> String {
    let json = Json::parse(protected).ok();
    let said = json.as_ref().and_then(|json| json.opt("sty")).unwrap_or(provenance::purpose::AUTHOR);
    said.to_owned()
}

/// Practitioner, Organization and Device, as far as certificates name them.
fn people(header: &Header, certs: &[Cert], facility: &Facility) -> Vec<Resource> {
    let mut people = vec![
        stub("Organization", &facility.id, &[("name", &facility.name)]),
        stub("Device", &header.device.to_string(), &[]),
    ];
    if let Some(signature) = &header.signed_by {
        let who = provenance::practitioner(&signer(signature.person, certs));
        people.extend(Resource::from_json(&who).ok());
    }
    people
}

/// A resource that is known by its id alone.
pub(crate) fn stub(kind: &str, id: &str, texts: &[(&str, &str)]) -> Resource {
    let mut text = serde_json::json!({ "resourceType": kind, "id": id });
    for (name, value) in texts.iter().filter(|(_, value)| !value.is_empty()) {
        text[*name] = (*value).into();
    }
    Resource::from_text(&text.to_string()).expect("a type and an id are a resource")
}

/// `Type/id` of every literal reference in these resources to one that is not among them.
pub(crate) fn refers_to<'a>(resources: impl Iterator<Item = &'a Resource> + Clone) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for resource in resources.clone() {
        if let Ok(json) = resource.view() {
            references(&json, &mut found);
        }
    }
    for resource in resources {
        found.remove(&resource.reference());
    }
    found
}

fn references(json: &Json, found: &mut BTreeSet<String>) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::String(text) if name == "reference" => {
                        let mut parts = text.split('/');
                        if let (Some(kind), Some(id)) = (parts.next(), parts.next())
                            && kind.starts_with(|c: char| c.is_ascii_uppercase())
                            && kind.bytes().all(|b| b.is_ascii_alphanumeric())
                            && fhir::is_id(id)
                        {
                            found.insert(format!("{kind}/{id}"));
                        }
                    }
                    value => references(value, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_references_to_others_are_found_and_no_other_words() {
        let of = |text| Resource::from_text(text).expect("a resource");
        let all = [
            of(
                r##"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient/p"},"note":"Patient/no",
                "participant":[{"individual":{"reference":"Practitioner/d/_history/2"}}],"x":{"reference":"#in"},
                "y":{"reference":"urn:uuid:1"},"z":{"reference":"https://other.example/fhir/Patient/q"}}"##,
            ),
            of(r#"{"resourceType":"Patient","id":"p"}"#),
        ];
        let found: Vec<String> = refers_to(all.iter()).into_iter().collect();
        assert_eq!(found, ["Practitioner/d"]);
    }
}
