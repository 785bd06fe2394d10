//! What the programs really write, built by the domain, is taken as it is.

use rabta_domain::{
    advice::AdviceForm,
    ask::{AskForm, Party, State},
    consent::ConsentForm,
    fhir::{self, Bundle, Facility, Signer, Slots, Stamp},
    medicine::MedicineLine,
    patient::Registration,
    visit::VisitForm,
};
use rabta_wire::{envelope::Kind, log::Outcome};
use serde_json::json;
use time::macros::datetime;

use crate::support::{
    Draft, Member, id,
    server::{Server, said},
};

fn form<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn signer(member: &Member, role: &str) -> Signer {
    Signer {
        id: member.person.to_string(),
        name: "Dr. A".into(),
        role: role.into(),
        registration: "1-P".into(),
        qualification: "MBBS".into(),
    }
}

#[tokio::test]
async fn the_main_jobs_payloads_are_taken_from_registration_to_decision() {
    let server = Server::start().await;
    let (clinic, hospital) = (server.facility("A", "clinic").await, server.facility("B", "hospital").await);
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let (mut specialist, _) = server.join(hospital, "specialist").await;
    let (doctors, specialists) = (server.token(&doctor).await, server.token(&specialist).await);
    let stamp = Stamp::new(datetime!(2026-11-22 15:00 +5));
    let new_id = &mut || id().to_string();
    let at = |id: rabta_wire::Id, name: &str| Facility { id: id.to_string(), name: name.into() };
    let (here, there) = (at(clinic, "A"), at(hospital, "B"));
    let (treating, asked) = (signer(&doctor, "doctor"), signer(&specialist, "specialist"));

    let patient = id();
    let who = patient.to_string();
    let registration: Registration =
        form(json!({"name": "زہرہ بی بی", "name_other_script": "Zohra Bibi", "sex": "female"}));
    let ids = fhir::patient::Ids {
        id: &who,
        mr: Some("1001-000001-5"),
        facility: &here,
        existing: None,
        related: &[],
    };
    let registered = fhir::patient::to_bundle(&registration, &ids, stamp, new_id).unwrap();
    let record = Bundle::parse(&registered).unwrap();

    let consent: ConsentForm = form(
        json!({"decision": "given", "given_by": "patient", "how": "thumb", "scope": ["this-consultation"]}),
    );
    let consent_id = id().to_string();
    let context = fhir::consent::ConsentContext {
        id: &consent_id,
        patient: &who,
        facility: &here,
        author: &treating,
        stamp,
        withdrawn: false,
    };
    let consented = fhir::consent::to_bundle(&consent, &context, new_id);

    let visit_context = || fhir::visit::VisitContext {
        patient: &who,
        facility: &here,
        author: &treating,
        stamp,
        started: stamp.at,
        age: None,
        replaces: None,
    };
    let mut slots = Slots::default();
    let visit: VisitForm = form(json!({}));
    let ask: AskForm = form(json!({"specialty": "dermatology", "question": "what is it?"}));
    let note_context = fhir::note::NoteContext {
        visit: visit_context(),
        patient: record.first("Patient").unwrap(),
        related: &[],
        consent: &consent_id,
        owner: Some(fhir::task::Owner::Person { id: &asked.id, name: &asked.name }),
        visit_signed: false,
    };
    let (note, note_ids) = fhir::note::to_document(&visit, &ask, &note_context, &mut slots, new_id).unwrap();
    let visited = fhir::visit::to_document(&visit, &visit_context(), &mut slots, new_id).unwrap();
    let encounter = Bundle::parse(&visited).unwrap().first("Encounter").unwrap().id().to_owned();

    let task = note_ids.task.parse().unwrap();
    let registered = doctor.write(Draft::new(Kind::Patient, patient, registered));
    let consented = doctor.write(Draft::new(Kind::Consent, patient, consented).after(&[registered.id]));
    let task_resource = Bundle::parse(&note).unwrap().first("Task").unwrap().clone();
    let note = doctor
        .write(Draft::new(Kind::ReferralNote, patient, note).task(task).after(&[consented.id]).signed());
    // The visit is signed after the ask, on the same resources.
    let visited = doctor.write(Draft::new(Kind::Visit, patient, visited).after(&[registered.id]).signed());
    durable(&server, &doctors, &[registered, consented, note, visited]).await;

    let step = |to, party, by, output| fhir::task::Move {
        to,
        party,
        by,
        at: stamp.at,
        reason: "",
        owner: None,
        output,
    };
    let seen =
        fhir::task::moved(&task_resource, &step(State::Seen, Party::Specialist, &asked, None)).unwrap();
    let accepted = fhir::task::moved(&seen, &step(State::Accepted, Party::Specialist, &asked, None)).unwrap();
    let chat = fhir::communication::Message {
        id: id().to_string(),
        kind: "chat".into(),
        task: note_ids.task.clone(),
        patient: who.clone(),
        sender: asked.clone(),
        sent: stamp.at,
        text: "how long?".into(),
        attachments: vec![],
        in_response_to: None,
    };
    let line: MedicineLine = form(
        json!({"id": id().to_string(), "generic": "Cetirizine", "form": "tablet", "strength": "10 mg", "dose": "0+0+1", "days": 5}),
    );
    let advice: AdviceForm = form(json!({"plan": "wait", "medicines": [line]}));
    let advice_context = fhir::advice::AdviceContext {
        task: &note_ids.task,
        service_request: &note_ids.service_request,
        part_of: &encounter,
        patient: &who,
        facility: &there,
        author: &asked,
        stamp,
        started: stamp.at,
        stretches: &[],
        informed_by: &[],
        replaces: None,
        orders: false,
    };
    let advised = fhir::advice::to_document(&advice, &advice_context, &mut Slots::default(), new_id);
    let advice_record = fhir::advice::from_document(&advised).unwrap();
    let answered = step(State::Answered, Party::Specialist, &asked, Some(&advice_record.id));
    let answered = fhir::task::moved(&accepted, &answered).unwrap();
    let mut moved = |task_after: &fhir::Resource, version| {
        let payload = fhir::task::to_bundle(task_after, stamp.at, &mut || id().to_string());
        specialist.write(Draft::new(Kind::TaskMove, patient, payload).task(task).on(version).signed())
    };
    let (seen, accepted) = (moved(&seen, 1), moved(&accepted, 2));
    let answered = moved(&answered, 3);
    let chat = fhir::communication::to_bundle(&chat, new_id);
    let chat = specialist.write(Draft::new(Kind::Communication, patient, chat).task(task));
    let advised = specialist.write(Draft::new(Kind::Advice, patient, advised).task(task).signed());
    durable(&server, &specialists, &[seen, accepted, answered, chat, advised]).await;

    let decisions = [form(json!({"accepted": {"line": advice_record.form.medicines[0].id}}))];
    let context = fhir::decisions::DecisionContext { advice: &advice_record, author: &treating, stamp };
    let decided = fhir::decisions::to_bundle(&decisions, &context, &mut Slots::default(), new_id).unwrap();
    let decided = doctor.write(Draft::new(Kind::Decisions, patient, decided).task(task).signed());
    durable(&server, &doctors, &[decided]).await;

    // Both sides read the course of it through FHIR, too.
    let (_, found) = said(server.get(&doctors, &format!("/fhir/MedicationRequest?patient={who}"))).await;
    assert_eq!(found["total"], 2, "the proposal and the order");
    let (_, found) = said(server.search(&doctors, "Patient", "name=zohra")).await;
    assert_eq!(found["total"], 1);
    let (_, found) = said(server.get(&specialists, &format!("/fhir/Task/{task}"))).await;
    assert_eq!(found.pointer("/meta/versionId").unwrap(), "4");
}

async fn durable(server: &Server, token: &str, envelopes: &[crate::support::Sealed]) {
    for ack in server.push(token, envelopes).await {
        assert!(matches!(ack.outcome, Outcome::Durable { .. }), "{ack:?}");
    }
}
