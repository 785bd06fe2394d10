//! The plain visit that the servers' figures are taken with: `tests/fixtures/plain-visit.json`, a transaction Bundle of its
//! resources and a Provenance with the doctor's real signature over the document. `rabta-bench plain-visit` writes it anew.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use rabta_domain::fhir::{
    self, Facility, Json, Signer,
    provenance::{Signed, provenance, purpose},
};
use rabta_tests::run::checkout;
use rabta_wire::envelope::PersonSignature;
use time::macros::datetime;

use crate::{
    register::{Dice, Register},
    store::PACKAGE,
};

const FIXTURE: &str = "tests/fixtures/plain-visit.json";
/// Who is there before any visit: a server that checks references must know them.
const KNOWN: [&str; 4] = ["Patient", "Practitioner", "Organization", "Device"];

/// The fixture's text, made from the register's first patient.
pub fn make() -> Result<String> {
    let register = Register::read(&checkout().join(PACKAGE), 20_261_122)?;
    let somebody = register.somebody(0);
    let mut dice = Dice::new(20_261_122);
    let clinic = Facility { id: dice.uuid(), name: "BHU Basti Malook".into() };
    let doctor = Signer { id: dice.uuid(), name: "Dr Ayesha Khan".into(), ..Signer::default() };
    let [_, visit] = somebody.payloads(&clinic, &doctor)?;
    let person = doctor.id.parse().ok().context("a UUID is an id")?;
    let signature = PersonSignature::sign(&SigningKey::from_bytes(&[7; 32]), person, purpose::AUTHOR, &visit);
    let resources = fhir::read(&visit)?;
    let targets: Vec<String> = resources.iter().map(|(kind, id, _)| format!("{kind}/{id}")).collect();
    let (id, device) = (dice.uuid(), dice.uuid());
    let marker = provenance(&Signed {
        id: &id,
        targets: &targets,
        binary: None,
        signer: &doctor,
        facility: &clinic,
        device: &device,
        at: datetime!(2026-11-22 10:00 +5),
        purpose: purpose::AUTHOR,
        jws: &signature.detached_jws(),
    });
    let mut entries: Vec<String> = Vec::new();
    let mut add = |reference: String, body: &str| {
        entries.push(format!(r#"{{"resource":{body},"request":{{"method":"PUT","url":"{reference}"}}}}"#));
    };
    for (kind, id, body) in &resources {
        add(format!("{kind}/{id}"), std::str::from_utf8(body)?);
    }
    add(format!("Provenance/{id}"), &Json::to_text(&marker));
    let entries = entries.join(",\n");
    Ok(format!("{{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[\n{entries}\n]}}\n"))
}

/// The visit as it is sent, again and again with other ids.
pub struct PlainVisit {
    /// Text and the number of the id after it, in turns.
    parts: Vec<(String, usize)>,
    end: String,
    ids: usize,
    /// References of what must be there before.
    pub known: Vec<String>,
    /// Of the resources, in which place each one's id is.
    observations: Vec<usize>,
}

impl PlainVisit {
    pub fn read() -> Result<Self> {
        let text = std::fs::read_to_string(checkout().join(FIXTURE)).context(FIXTURE)?;
        let bundle: serde_json::Value = serde_json::from_str(&text)?;
        let entries = bundle["entry"].as_array().context("entries")?;
        let mut known = Vec::new();
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let (mut parts, mut rest) = (Vec::new(), text.as_str());
        let mut before = String::new();
        while let Some(at) = rest.find('-') {
            let (start, end) = (at.saturating_sub(8), at + 28);
            let Some(id) = rest.get(start..end).filter(|id| is_uuid(id)) else {
                before.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
                continue;
            };
            before.push_str(&rest[..start]);
            let kind = KNOWN.iter().find(|kind| before.ends_with(&format!("\"{kind}/")));
            if let Some(kind) = kind {
                before.push_str(id);
                let reference = format!("{kind}/{id}");
                if !known.contains(&reference) {
                    known.push(reference);
                }
            } else {
                let next = numbers.len();
                let number = *numbers.entry(id.to_owned()).or_insert(next);
                parts.push((std::mem::take(&mut before), number));
            }
            rest = &rest[end..];
        }
        before.push_str(rest);
        let of_kind = |kind: &str| {
            let chosen = entries.iter().map(|e| &e["resource"]).filter(|r| r["resourceType"] == kind);
            chosen.filter_map(|r| numbers.get(r["id"].as_str()?).copied()).collect::<Vec<_>>()
        };
        Ok(Self { observations: of_kind("Observation"), end: before, ids: numbers.len(), parts, known })
    }

    /// Its text with fresh ids, and what is to be read of it: `Observation/<id>` and so on.
    pub fn with(&self, dice: &mut Dice) -> (String, Vec<String>) {
        let ids: Vec<String> = (0..self.ids).map(|_| dice.uuid()).collect();
        let mut text = String::with_capacity(20_000);
        for (part, number) in &self.parts {
            text.push_str(part);
            text.push_str(&ids[*number]);
        }
        text.push_str(&self.end);
        (text, self.observations.iter().map(|at| format!("Observation/{}", ids[*at])).collect())
    }
}

fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.bytes()
        .enumerate()
        .all(|(at, b)| if dashes.contains(&at) { b == b'-' } else { b.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixture_is_what_a_clinic_writes_and_a_plain_visit() {
        let text = std::fs::read_to_string(checkout().join(FIXTURE)).expect("it is part of the repository");
        assert_eq!(text, make().expect("made"), "run `rabta-bench plain-visit` and look at what changed");
        let visit = PlainVisit::read().expect("read");
        // Four vitals, and what was asked of danger signs.
        assert_eq!(visit.observations.len(), 5);
        let count = |kind: &str| text.matches(&format!("\"resourceType\":\"{kind}\"")).count();
        assert_eq!((count("Observation"), count("MedicationRequest")), (5, 2));
        assert!(text.contains("\"sigFormat\":\"application/jose\""));
    }

    #[test]
    fn each_is_another_visit_of_the_same_patient() {
        let visit = PlainVisit::read().expect("read");
        let mut dice = Dice::new(1);
        let ((a, read), (b, _)) = (visit.with(&mut dice), visit.with(&mut dice));
        assert!(a != b && read.len() == 5 && read.iter().all(|r| a.contains(&r["Observation/".len()..])));
        assert!(visit.known.iter().all(|known| a.contains(known) && b.contains(known)));
        let parsed: serde_json::Value = serde_json::from_str(&a).expect("JSON");
        let entries = parsed["entry"].as_array().expect("entries");
        assert_eq!(entries.len(), 12);
        let fresh =
            |entry: &serde_json::Value| !b.contains(entry["resource"]["id"].as_str().unwrap_or_default());
        assert!(entries.iter().all(fresh), "each has a new id");
    }
}
