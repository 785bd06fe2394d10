//! The code on a printed prescription, asked of the HIE by whoever holds the paper.

use ed25519_dalek::SigningKey;
use rabta_domain::{
    fhir::{self, Bundle, Facility, Signer, Slots, Stamp, visit::VisitContext},
    visit::VisitForm,
};
use rabta_hie::{
    admin::{PersonFields, Reply, Request},
    papers::{Document, PaperAnswer},
};
use rabta_wire::{
    Id,
    code::EnrollmentCode,
    envelope::Kind,
    log::Outcome,
    paper::{PaperCode, Statement},
};
use serde_json::json;
use time::macros::datetime;

use crate::support::{
    Draft, Member, NOON, Sealed, id, payloads,
    server::{Server, said},
};

const DAY: u16 = (NOON / 86_400_000) as u16;

async fn verify(server: &Server, code: &str) -> PaperAnswer {
    match server.admin(Request::VerifyPaper { code: code.to_owned() }).await {
        Reply::Paper(answer) => answer,
        _ => panic!("not an answer"),
    }
}

/// A doctor with a registration number.
async fn doctor(server: &Server, clinic: Id) -> Member {
    let new = PersonFields {
        name: "Dr Nadia Khan".into(),
        role: "doctor".into(),
        registration: Some("12345-P".into()),
        ..PersonFields::default()
    };
    let request =
        Request::Enroll { facility: clinic.to_string(), person: None, new: Some(new), public: None };
    let Reply::Code { code, .. } = server.admin(request).await else { panic!("not a code") };
    server.redeem(&EnrollmentCode::parse(&code).unwrap()).await.0
}

fn code(key: &SigningKey, document: Id, person: Id, medicines: u8) -> String {
    PaperCode::sign(key, Statement { document, person, day: DAY, medicines }).to_text()
}

/// A visit with a code for three medicines, as the app writes it.
fn visit(member: &mut Member, patient: Id, before: Option<&[u8]>) -> (Sealed, Vec<u8>, String) {
    let author = Signer {
        id: member.person.to_string(),
        name: "Dr Nadia Khan".into(),
        role: "doctor".into(),
        registration: "12345-P".into(),
        ..Signer::default()
    };
    let facility = Facility { id: member.facility.to_string(), name: "A".into() };
    let stamp = Stamp::new(datetime!(2026-11-22 15:00 +5));
    let replaced = before.map(|payload| Bundle::parse(payload).unwrap());
    let context = VisitContext {
        patient: &patient.to_string(),
        facility: &facility,
        author: &author,
        stamp,
        started: stamp.at,
        age: None,
        replaces: replaced.as_ref(),
    };
    let form: VisitForm = serde_json::from_value(json!({"complaint": "kharish"})).unwrap();
    let new_id = &mut || id().to_string();
    let payload = fhir::visit::to_document(&form, &context, &mut Slots::default(), new_id).unwrap();
    let document = id();
    let code = code(&member.person_key, document, member.person, 3);
    let payload = fhir::paper::with_code(&payload, &code).unwrap();
    let mut header = member.header(&Draft::new(Kind::Visit, patient, payload.clone()).signed());
    header.id = document;
    (member.seal(&header, payload.clone()), payload, code)
}

async fn take(server: &Server, member: &Member, sealed: &[Sealed]) {
    let acks = server.push(&server.token(member).await, sealed).await;
    assert!(acks.iter().all(|ack| matches!(ack.outcome, Outcome::Durable { .. })), "{acks:?}");
}

async fn registered(server: &Server, member: &mut Member) -> Id {
    let patient = id();
    let sealed = member.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, "Zohra")));
    take(server, member, &[sealed]).await;
    patient
}

#[tokio::test]
async fn a_genuine_code_tells_who_when_and_how_many_and_nothing_of_the_patient() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let mut doctor = doctor(&server, clinic).await;
    let patient = registered(&server, &mut doctor).await;
    let (sealed, payload, code) = visit(&mut doctor, patient, None);

    let early = verify(&server, &code).await;
    assert!(
        early.genuine && early.document == Document::NotHere,
        "the signature holds before the document comes"
    );
    take(&server, &doctor, &[sealed]).await;
    let answer = verify(&server, &code.to_lowercase()).await;
    let expected = PaperAnswer {
        genuine: true,
        code: "genuine".into(),
        words: "genuine".into(),
        name: Some("Dr Nadia Khan".into()),
        registration: Some("12345-P".into()),
        day: Some("2026-11-22".into()),
        medicines: Some(3),
        document: Document::Here,
    };
    assert_eq!(answer, expected);
    let words = rabta_hie::papers::words(&answer);
    assert!(words.starts_with("GENUINE\n") && words.contains("12345-P") && words.contains("medicines  3"));
    for secret in ["Zohra", "kharish", &patient.to_string()] {
        assert!(!words.contains(secret));
    }
    // The code is in the document for whoever may read it, and does not keep it from being read as FHIR.
    let (status, found) =
        said(server.get(&server.operator(clinic).await, &format!("/fhir/Encounter?patient={patient}"))).await;
    assert_eq!((status, &found["total"]), (200, &json!(1)));

    let (corrected, _, newer) = visit(&mut doctor, patient, Some(&payload));
    take(&server, &doctor, &[corrected]).await;
    assert_eq!(verify(&server, &code).await.document, Document::Corrected);
    assert_eq!(verify(&server, &newer).await.document, Document::Here);
}

#[tokio::test]
async fn every_way_of_not_being_genuine_is_told_apart() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let mut doctor = doctor(&server, clinic).await;
    let (other, _) = server.join(clinic, "doctor").await;
    let patient = registered(&server, &mut doctor).await;
    let (sealed, _, genuine) = visit(&mut doctor, patient, None);
    let document = sealed.id;
    take(&server, &doctor, &[sealed]).await;

    let mut mistyped = genuine.clone();
    let place = genuine.len() - 5..genuine.len() - 4;
    let other_letter = if &genuine[place.clone()] == "0" { "1" } else { "0" };
    mistyped.replace_range(place, other_letter);
    let cases = [
        ("not-a-code", "https://example.org".to_owned()),
        ("not-a-code", String::new()),
        ("mistyped", genuine[..genuine.len() - 1].to_owned()),
        ("mistyped", mistyped),
        ("unknown-signer", code(&doctor.person_key, document, id(), 3)),
        ("forged", code(&other.person_key, document, doctor.person, 3)),
        // Their own key, another number of medicines, another person's document.
        ("document-differs", code(&doctor.person_key, document, doctor.person, 4)),
        ("document-differs", code(&other.person_key, document, other.person, 3)),
    ];
    for (why, code) in cases {
        let answer = verify(&server, &code).await;
        assert_eq!((answer.genuine, answer.code.as_str()), (false, why), "{code}");
        assert_eq!((answer.name, answer.day, answer.medicines), (None, None, None), "nothing else is told");
        assert!(rabta_hie::papers::words(&verify(&server, &code).await).starts_with("NOT GENUINE: "));
    }
}

#[tokio::test]
async fn after_a_revocation_only_what_was_here_before_still_holds() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let mut doctor = doctor(&server, clinic).await;
    let patient = registered(&server, &mut doctor).await;
    let (sealed, _, before) = visit(&mut doctor, patient, None);
    take(&server, &doctor, &[sealed]).await;
    let (_, _, never_sent) = visit(&mut doctor, patient, None);
    server.advance(3600);
    server.admin(Request::RevokePerson { person: doctor.person }).await;

    let answer = verify(&server, &before).await;
    assert!(answer.genuine && answer.name.as_deref() == Some("Dr Nadia Khan"));
    // The day on it may have been put back.
    assert_eq!(verify(&server, &never_sent).await.code, "signer-revoked-since");
    let later = Statement { document: id(), person: doctor.person, day: DAY + 5, medicines: 1 };
    let later = PaperCode::sign(&doctor.person_key, later).to_text();
    assert_eq!(verify(&server, &later).await.code, "revoked");
}

#[test]
fn the_command_says_it_and_fails_where_it_is_not_genuine() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("hie");
    let run = |code: &str, json: bool| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rabta-hie"));
        command.args(["verify", "--data"]).arg(&folder).arg(code);
        if json {
            command.arg("--json");
        }
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let nobodys = code(&SigningKey::from_bytes(&[1; 32]), id(), id(), 1);
    let (good, said) = run(&nobodys, false);
    assert!(!good && said.contains("NOT GENUINE: nobody who is known here signed it"), "{said}");
    let (good, said) = run("RABTA:NO", true);
    assert!(!good && said.contains(r#""code":"mistyped""#), "{said}");
}
