//! FHIR as other systems write it, and our own documents.

use rabta_domain::{
    Private,
    fhir::{
        self, Bundle, Facility, Json, Resource, Signer, Slots, Stamp, advice, communication, consent,
        decisions, note, paper, patient, task, visit,
    },
    visit::{AllergyState, VisitForm},
};
use rabta_sync::foreign::{Capabilities, Page};
use time::macros::{date, datetime};

pub fn json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(read) = Json::parse(text) {
        // Digits and order are kept.
        assert!(Json::parse(&read.to_text()).as_ref() == Ok(&read), "written otherwise than read");
    }
}

pub fn resource(bytes: &[u8]) {
    let Ok(mut read) = Resource::parse(bytes) else { return };
    assert!(fhir::is_id(read.id()) || read.id().is_empty());
    // An edit rewrites only what was edited.
    let (kind, id) = (read.resource_type().to_owned(), read.id().to_owned());
    if read.set("language", "ur").is_ok() {
        let again = Resource::parse(read.bytes()).expect("an edit leaves a resource");
        assert_eq!((again.resource_type(), again.id()), (kind.as_str(), id.as_str()));
        assert_eq!(again.raw("language"), Some("\"ur\""));
    }
}

pub fn resources() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = bundles()
        .iter()
        .filter_map(|bundle| fhir::read(bundle).ok())
        .flatten()
        .map(|(_, _, body)| body)
        .filter(|body| body.len() < 4_000)
        .take(40)
        .collect();
    all.push(
        br#" {"resourceType":"Patient", "id":"a","x":[1.50,{"y":"\u0000"}],"name":[{"text":"a"}]} "#.to_vec(),
    );
    all
}

pub fn bundle(bytes: &[u8]) {
    let _ = Bundle::parse(bytes);
    if let Ok(resources) = fhir::read(bytes) {
        for (kind, id, body) in resources {
            let again = Resource::parse(&body).expect("what was read as a resource is one");
            assert_eq!((again.resource_type(), again.id()), (kind.as_str(), id.as_str()));
        }
    }
}

/// The smallest of the sample clinic.
pub fn bundles() -> Vec<Vec<u8>> {
    let path = rabta_sample::package("pk").join("sample/clinic.ndjson.zst");
    let clinic = rabta_sample::Clinic::read(&path).expect("the sample is part of the repository");
    let mut all: Vec<Vec<u8>> = clinic.bundles().map(|bundle| bundle.as_bytes().to_vec()).collect();
    all.sort_by_key(Vec::len);
    all.truncate(6);
    all.extend(documents_made());
    all
}

/// Everything that reads a payload.
pub fn documents(bytes: &[u8]) {
    let _ = visit::from_document(bytes);
    let _ = advice::from_document(bytes);
    let _ = note::view(bytes, date!(2026 - 11 - 22));
    let _ = patient::from_bundle(bytes);
    let _ = consent::from_bundle(bytes);
    let _ = communication::from_bundle(bytes);
    let _ = decisions::from_bundle(bytes);
    let _ = task::from_bundle(bytes);
    let _ = paper::code_of(bytes);
    let _ = paper::with_code(bytes, "RABTA:X");
}

/// A visit as it is signed.
pub fn documents_made() -> Vec<Vec<u8>> {
    let mut form = VisitForm {
        complaint: Private::from("fever and cough".to_owned()),
        history: Private::from("since Monday, بخار".to_owned()),
        ..VisitForm::default()
    };
    form.danger.asked = true;
    form.allergies.state = AllergyState::NoneKnown;
    let (author, facility) = (
        Signer {
            id: "d0c70000-0000-4000-8000-000000000001".into(),
            name: "Dr Amna".into(),
            ..Signer::default()
        },
        Facility { id: "fac00000-0000-4000-8000-000000000001".into(), name: "BHU Kot Radha".into() },
    );
    let context = visit::VisitContext {
        patient: "00000000-0000-4000-8000-000000000001",
        facility: &facility,
        author: &author,
        stamp: Stamp::new(datetime!(2026-11-22 14:05:06.789 +5)),
        started: datetime!(2026-11-22 14:00 +5),
        age: None,
        replaces: None,
    };
    let mut n = 0_u32;
    let mut id = || {
        n += 1;
        format!("00000000-0000-4000-8000-{n:012x}")
    };
    vec![visit::to_document(&form, &context, &mut Slots::default(), &mut id).expect("a visit is a document")]
}

pub fn searchset(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(page) = Page::read(text) {
        assert!(page.matches.iter().all(|resource| !resource.id().is_empty()));
    }
}

pub fn searchsets() -> Vec<Vec<u8>> {
    let some = resources();
    let entry = some.iter().take(3).map(|body| {
        let body = String::from_utf8_lossy(body).into_owned();
        format!(r#"{{"resource":{body},"search":{{"mode":"match"}}}}"#)
    });
    let entries: Vec<String> = entry.collect();
    let text = format!(
        r#"{{"resourceType":"Bundle","type":"searchset","total":3,"link":[{{"relation":"next","url":"http://a/b?c"}}],"entry":[{}]}}"#,
        entries.join(",")
    );
    vec![text.into_bytes()]
}

pub fn capabilities(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(json) = Json::parse(text) else { return };
    if let Ok(read) = Capabilities::read(&json) {
        let _ = (read.lacks(), read.unusable(), read.takes("Patient"), read.patient_param("Observation"));
    }
}

pub fn capability_statements() -> Vec<Vec<u8>> {
    let text = r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","format":["application/fhir+json"],
        "software":{"name":"x","version":"1"},"rest":[{"mode":"server","interaction":[{"code":"transaction"}],
        "searchParam":[{"name":"_lastUpdated","type":"date"}],"resource":[{"type":"Patient","versioning":"versioned",
        "updateCreate":true,"interaction":[{"code":"read"},{"code":"update"},{"code":"search-type"}],
        "searchParam":[{"name":"identifier","type":"token"}]}]}]}"#;
    vec![text.as_bytes().to_vec()]
}
