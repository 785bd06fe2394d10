//! Provenance: who signed what, for other systems. Our own proof is the envelope; this is its projection.

use time::OffsetDateTime;

use super::{
    Facility, Json, Signer,
    audit::base64,
    dates,
    json::{arr, obj},
    parts::{coding_named, concept, facility, signer},
    urls,
};

/// urn:iso-astm:E1762-95:2013, as CLINIC.md lists them.
pub mod purpose {
    pub const AUTHOR: &str = "1.2.840.10065.1.12.1.1";
    pub const CONSENT: &str = "1.2.840.10065.1.12.1.7";
    pub const CONSENT_WITNESS: &str = "1.2.840.10065.1.12.1.11";
    pub const REVIEW: &str = "1.2.840.10065.1.12.1.13";
    pub const ADDENDUM: &str = "1.2.840.10065.1.12.1.15";
}

/// One signature to be projected.
pub struct Signed<'a> {
    /// Made once, so that after a lost answer a GET of it tells whether it was committed.
    pub id: &'a str,
    /// `Type/id` of what the payload holds.
    pub targets: &'a [String],
    /// The signed bytes: the Binary that keeps them.
    pub binary: Option<&'a str>,
    pub signer: &'a Signer,
    pub facility: &'a Facility,
    pub device: &'a str,
    pub at: OffsetDateTime,
    /// One of [`purpose`].
    pub purpose: &'a str,
    /// `header..signature`: a detached JWS (RFC 7515 appendix F).
    pub jws: &'a str,
}

/// The Provenance (http://hl7.org/fhir/R4/provenance.html).
pub fn provenance(signed: &Signed<'_>) -> Json {
    let targets = signed.targets.iter().map(|t| obj! { "reference": t });
    let binary = signed.binary.map(|id| {
        obj! {
            "role": "source", "what": obj! { "reference": format!("Binary/{id}") },
        }
    });
    let when = dates::instant(signed.at);
    obj! {
        "resourceType": "Provenance",
        "id": signed.id,
        "target": targets.collect::<Json>(),
        "recorded": when.as_str(),
        "agent": arr![
            obj! {
                "type": concept(urls::PROVENANCE_AGENT, "author", "Author"),
                "who": signer(signed.signer),
                "onBehalfOf": facility(signed.facility),
            },
            obj! {
                "type": concept(urls::PROVENANCE_AGENT, "assembler", "Assembler"),
                "who": obj! { "reference": format!("Device/{}", signed.device) },
            },
        ],
        "entity": arr![binary],
        "signature": arr![obj! {
            "type": arr![coding_named(urls::SIGNATURE_TYPE, signed.purpose, "")],
            "when": when.as_str(),
            "who": signer(signed.signer),
            "targetFormat": "application/fhir+json",
            "sigFormat": "application/jose",
            "data": base64(signed.jws.as_bytes()),
        }],
    }
}

/// What no person signed: a device's word that these belong together.
pub struct Unsigned<'a> {
    /// Made once, as [`Signed::id`].
    pub id: &'a str,
    pub targets: &'a [String],
    pub facility: &'a Facility,
    pub device: &'a str,
    pub at: OffsetDateTime,
}

/// The Provenance of what no person signed.
pub fn unsigned(unsigned: &Unsigned<'_>) -> Json {
    let targets = unsigned.targets.iter().map(|t| obj! { "reference": t });
    obj! {
        "resourceType": "Provenance",
        "id": unsigned.id,
        "target": targets.collect::<Json>(),
        "recorded": dates::instant(unsigned.at),
        "agent": arr![obj! {
            "type": concept(urls::PROVENANCE_AGENT, "assembler", "Assembler"),
            "who": obj! { "reference": format!("Device/{}", unsigned.device) },
            "onBehalfOf": facility(unsigned.facility),
        }],
    }
}

/// The Practitioner that a signer is (http://hl7.org/fhir/R4/practitioner.html), as the HIE certified them.
pub fn practitioner(person: &Signer) -> Json {
    let name = if person.name.is_empty() {
        Json::Null
    } else {
        obj! { "text": &person.name }
    };
    let qualification = if person.qualification.is_empty() {
        Json::Null
    } else {
        obj! { "code": obj! { "text": &person.qualification } }
    };
    let identifier = signer(person).get("identifier").clone();
    obj! {
        "resourceType": "Practitioner",
        "id": &person.id,
        "identifier": arr![identifier],
        "name": arr![name],
        "qualification": arr![qualification],
    }
}
