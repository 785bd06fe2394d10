use rabta_domain::ask::State;
use rabta_wire::{
    Id,
    envelope::Kind,
    log::{Item, Outcome},
};

use crate::support::{
    Draft, Member, id, payloads,
    server::{Server, said},
};

pub struct Ask {
    pub doctor: Member,
    pub specialist: Member,
    pub doctors: String,
    pub specialists: String,
    pub clinic: Id,
    pub patient: Id,
    pub task: Id,
}

/// A clinic, a hospital, a patient with consent, and an open ask.
pub async fn ask(server: &Server) -> Ask {
    let (clinic, hospital) = (server.facility("A", "clinic").await, server.facility("B", "hospital").await);
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let (specialist, _) = server.join(hospital, "specialist").await;
    let (doctors, specialists) = (server.token(&doctor).await, server.token(&specialist).await);
    let (patient, task) = (id(), id());
    let registered =
        doctor.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, "Zohra Bibi")));
    let consent = doctor.write(
        Draft::new(Kind::Consent, patient, payloads::consent(patient, "permit")).after(&[registered.id]),
    );
    let visit = doctor
        .write(Draft::new(Kind::Visit, patient, payloads::visit(patient)).after(&[registered.id]).signed());
    let note =
        Draft::new(Kind::ReferralNote, patient, payloads::note(task, patient, Some(specialist.person)));
    let note = doctor.write(note.task(task).after(&[consent.id]).signed());
    for ack in server.push(&doctors, &[registered, consent, visit, note]).await {
        assert!(matches!(ack.outcome, Outcome::Durable { .. }), "{ack:?}");
    }
    Ask { doctor, specialist, doctors, specialists, clinic, patient, task }
}

fn envelopes(reply: &rabta_wire::log::PullReply) -> usize {
    reply.changes.iter().filter(|c| matches!(c.item, Item::Envelope { .. })).count()
}

#[tokio::test]
async fn an_ask_goes_to_the_specialist_and_the_advice_comes_back() {
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let first = server.pull(&ask.specialists, None).await;
    assert_eq!(envelopes(&first), 3);
    let mine = server.pull(&ask.doctors, None).await;
    assert_eq!(envelopes(&mine), 4);

    let seen = payloads::task_move(ask.task, ask.patient, State::Seen, Some(ask.specialist.person));
    let seen =
        ask.specialist.write(Draft::new(Kind::TaskMove, ask.patient, seen).task(ask.task).on(1).signed());
    let advice = Draft::new(Kind::Advice, ask.patient, payloads::advice(ask.patient)).task(ask.task).signed();
    let advice = ask.specialist.write(advice);
    let acks = server.push(&ask.specialists, &[seen, advice]).await;
    assert!(acks.iter().all(|a| matches!(a.outcome, Outcome::Durable { .. })), "{acks:?}");
    let news = server.pull(&ask.doctors, Some(mine.next.to_string())).await;
    assert_eq!(envelopes(&news), 2);
    assert_eq!((news.more, news.remaining, news.backed_up), (false, 0, 0));
}

#[tokio::test]
async fn through_fhir_the_specialist_reads_the_ask_and_not_the_record() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    for (path, doctor, specialist) in [
        (format!("/fhir/Patient/{}", ask.patient), 200, 200),
        (format!("/fhir/Task/{}", ask.task), 200, 200),
        ("/fhir/Observation".into(), 1, 0),
        ("/fhir/ServiceRequest".into(), 1, 1),
        ("/fhir/Consent".into(), 1, 1),
        ("/fhir/Composition".into(), 2, 1),
        // Each is signed; the visit's provenance stays with the clinic.
        ("/fhir/Provenance".into(), 2, 1),
        ("/fhir/Patient".into(), 1, 1),
    ] {
        for (token, wanted) in [(&ask.doctors, doctor), (&ask.specialists, specialist)] {
            let (status, body) = said(server.get(token, &path)).await;
            let found = if wanted >= 200 { i64::from(status) } else { body["total"].as_i64().unwrap() };
            assert_eq!(found, wanted, "{path}");
        }
    }
}

#[tokio::test]
async fn what_was_signed_can_be_proven_from_the_projection() {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    use ed25519_dalek::{Signature, Verifier};
    let server = Server::start().await;
    let ask = ask(&server).await;
    let operator = server.operator(ask.clinic).await;
    let (_, all) = said(server.get(&operator, "/fhir/Provenance")).await;
    assert_eq!(all["total"], 2);
    let provenance = &all["entry"][0]["resource"];
    let jws = STANDARD.decode(provenance.pointer("/signature/0/data").unwrap().as_str().unwrap()).unwrap();
    let jws = String::from_utf8(jws).unwrap();
    let (protected, signature) = jws.split_once("..").unwrap();
    let source = provenance.pointer("/entity/0/what/reference").unwrap().as_str().unwrap();
    let (status, binary) = said(server.get(&operator, &format!("/fhir/{source}"))).await;
    assert_eq!((status, binary["contentType"].as_str()), (200, Some("application/fhir+json")));
    let payload = STANDARD.decode(binary["data"].as_str().unwrap()).unwrap();
    let input = format!("{protected}.{}", URL_SAFE_NO_PAD.encode(&payload));
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    ask.doctor.person_key.verifying_key().verify(input.as_bytes(), &signature).unwrap();
    // Another facility does not get the bytes.
    let stranger = server.operator(server.facility("C", "clinic").await).await;
    assert_eq!(said(server.get(&stranger, &format!("/fhir/{source}"))).await.0, 404);
}

#[tokio::test]
async fn a_photo_in_parts_becomes_one_binary() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use rabta_wire::envelope::AttachmentPart;
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let photo = id();
    let mut parts = Vec::new();
    for (index, bytes) in [(1, b"world".to_vec()), (0, b"hello ".to_vec())] {
        let part = AttachmentPart {
            attachment: photo,
            index,
            count: 2,
            content_type: "image/jpeg".into(),
            bytes: bytes.into(),
        };
        let draft = Draft::new(Kind::AttachmentPart, ask.patient, minicbor::to_vec(&part).unwrap());
        parts.push(ask.doctor.write(draft.task(ask.task)));
    }
    server.push(&ask.doctors, &parts[..1]).await;
    assert_eq!(said(server.get(&ask.doctors, &format!("/fhir/Binary/{photo}"))).await.0, 404);
    server.push(&ask.doctors, &parts[1..]).await;
    let (status, binary) = said(server.get(&ask.specialists, &format!("/fhir/Binary/{photo}"))).await;
    assert_eq!((status, binary["data"].as_str()), (200, Some(STANDARD.encode("hello world").as_str())));
}

#[tokio::test]
async fn a_cursor_of_another_epoch_is_told_and_the_envelopes_are_audited() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let foreign = format!("{}.3", id());
    let answer = server.get(&ask.doctors, &format!("/v1/changes?after={foreign}")).send().await.unwrap();
    assert_eq!(answer.status(), 409);
    assert_eq!(answer.headers()["rabta-epoch"], server.handle.app.db.settings.epoch.to_string());
    let operator = server.operator(ask.clinic).await;
    let (_, events) = said(server.get(&operator, &format!("/fhir/AuditEvent?patient={}", ask.patient))).await;
    assert_eq!(events["total"], 4, "one for each envelope");
}

#[tokio::test]
async fn an_envelope_that_is_pushed_again_after_a_restart_gets_the_same_ack() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let patient = id();
    let envelope = doctor.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, "A")));
    let token = server.token(&doctor).await;
    let first = server.push(&token, std::slice::from_ref(&envelope)).await;
    let epoch = server.handle.app.db.settings.epoch;
    let server = server.restart().await;
    assert_eq!(server.handle.app.db.settings.epoch, epoch, "a restart is not a restore");
    let token = server.token(&doctor).await;
    assert_eq!(server.push(&token, std::slice::from_ref(&envelope)).await, first);
    let operator = server.operator(clinic).await;
    let (_, history) = said(server.get(&operator, &format!("/fhir/Patient/{patient}/_history"))).await;
    assert_eq!(history["total"], 1);
}
