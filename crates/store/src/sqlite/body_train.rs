//! Makes the program's own dictionary: `cargo test -p rabta-store make_the_dictionary -- --ignored`. From the sample clinic and
//! from documents made of the templates; none of it is what the figures are taken with.

use rabta_domain::{
    fhir::{self, Facility, Signer, Slots, Stamp},
    medicine::MedicineLine,
    visit::{AllergyAnswer, AllergyState, DangerSigns, Diagnosis, VisitForm},
    vitals::{Measured, Months, Vital},
};
use serde_json::Value;
use time::{Duration, macros::datetime};

use super::body::fold;
use crate::bundle_entries;

const SIZE: usize = 64 * 1024;

fn uuid(n: &mut u64) -> String {
    *n += 1;
    let mixed = |salt: u64| {
        (*n ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let hex = format!("{:016x}{:016x}", mixed(1), mixed(2));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn visit(template: &Value, turn: u64, patient: &str, n: &mut u64) -> Vec<u8> {
    let words = |all: &Value| {
        list(all).iter().map(|w| format!("{}: {}", text(&w["en"]), turn % 5)).collect::<Vec<_>>().join("\n")
    };
    let codes = list(&template["diagnoses"]);
    let code = text(&codes[turn as usize % codes.len()]);
    let vital = |vital, value: u64, unit: &str| Measured {
        vital,
        value: value.to_string(),
        unit: unit.into(),
        estimated: false,
        confirmed: false,
    };
    let form = VisitForm {
        informant: ["patient", "mother"][turn as usize % 2].into(),
        danger: DangerSigns { asked: true, signs: Vec::new() },
        complaint: text(&template["complaint"]["en"]).into(),
        complaint_since: format!("{} days", turn % 9 + 1),
        history: words(&template["history"]).into(),
        allergies: AllergyAnswer { state: AllergyState::NoneKnown, items: Vec::new() },
        vitals: vec![
            vital(Vital::Systolic, 100 + turn % 60, "mm[Hg]"),
            vital(Vital::Diastolic, 60 + turn % 30, "mm[Hg]"),
            vital(Vital::Pulse, 55 + turn % 60, "/min"),
            vital(Vital::Breathing, 12 + turn % 20, "/min"),
            vital(Vital::Spo2, 90 + turn % 10, "%"),
            vital(Vital::Temperature, 36 + turn % 4, "Cel"),
            vital(Vital::Weight, 3 + turn % 90, "kg"),
        ],
        examination: words(&template["examination"]).into(),
        diagnoses: vec![Diagnosis {
            id: uuid(n),
            text: format!("Diagnosis {code}").into(),
            code,
            certainty: ["provisional", "confirmed"][turn as usize % 2].into(),
        }],
        medicines: list(&template["medicines"])
            .iter()
            .map(|medicine| MedicineLine {
                id: uuid(n),
                generic: text(&medicine["generic"]),
                form: text(&medicine["form"]),
                strength: text(&medicine["strength"]),
                dose: text(&medicine["dose"]),
                days: medicine["days"].as_u64().unwrap_or(0) as u16,
                ..MedicineLine::default()
            })
            .collect(),
        disposition: "home".into(),
        return_advice: text(&template["return_advice"]["en"]).into(),
        ..VisitForm::default()
    };
    let at = datetime!(2026-02-03 09:10 +5) + Duration::minutes(turn as i64 * 4321);
    let facility = Facility { id: uuid(n), name: "BHU Kot Fazil".into() };
    let author = Signer {
        id: uuid(n),
        name: "Dr Sana Malik".into(),
        registration: format!("{}-P", 40_000 + turn),
        ..Signer::default()
    };
    let context = fhir::visit::VisitContext {
        patient,
        facility: &facility,
        author: &author,
        stamp: Stamp::new(at),
        started: at - Duration::minutes(11),
        age: Some(Months::years(20 + turn as u32 % 50)),
        replaces: None,
    };
    fhir::visit::to_document(&form, &context, &mut Slots::default(), &mut || uuid(n)).expect("a document")
}

#[test]
#[ignore = "it writes a file of the program"]
fn make_the_dictionary() {
    let package = rabta_sample::package("pk");
    let clinic = rabta_sample::Clinic::read(&package.join("sample/clinic.ndjson.zst")).expect("the sample");
    let mut samples: Vec<Vec<u8>> = Vec::new();
    for (i, bundle) in clinic.bundles().enumerate().filter(|(i, _)| i % 3 == 0) {
        let entries = bundle_entries(bundle.as_bytes()).expect("a Bundle");
        let patient = entries[0].1.clone();
        // Lives as long as these are rare; a few of each patient's.
        for (_, id, body) in entries.iter().take(2).chain(entries.iter().skip(2 + i % 4).step_by(4)) {
            samples.extend(fold(body, id, &patient));
        }
    }
    let templates = std::fs::read_to_string(package.join("templates.json")).expect("the templates");
    let templates: Value = serde_json::from_str(&templates).expect("JSON");
    let mut n = 0;
    for turn in 0..60 {
        for template in list(&templates["templates"]) {
            let patient = uuid(&mut n);
            let document = visit(template, turn, &patient, &mut n);
            for (_, id, body) in bundle_entries(&document).expect("a Bundle") {
                samples.extend(fold(&body, &id, &patient));
            }
        }
    }
    let dictionary = zstd::dict::from_samples(&samples, SIZE).expect("a dictionary");
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/dictionary/1.zdict"), &dictionary).expect("written");
    println!("{} samples, {} bytes", samples.len(), dictionary.len());
}
