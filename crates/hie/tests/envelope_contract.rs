//! What every envelope core keeps to: run on the encrypted database and on the model in memory.

mod support;

use std::collections::HashMap;

use rabta_domain::ask::State;
use rabta_hie::envelopes::EnvelopeCore;
use rabta_wire::{
    Id,
    envelope::{AttachmentPart, Codec, Envelope, Kind, PersonSignature},
    limits,
    log::{Item, Outcome},
};
use support::{Draft, Member, NOON, Sealed, id, key, payloads};

#[path = "contract/worlds.rs"]
mod worlds;
use worlds::{Model, Sqlite, World};

/// Runs each named suite on both cores.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() { super::$name::<crate::Sqlite>().await; })* }
        mod model { $(#[tokio::test] async fn $name() { super::$name::<crate::Model>().await; })* }
    };
}

#[path = "contract/pools.rs"]
mod pools;

contract!(
    a_repeated_push_is_acknowledged_again_and_stored_once,
    entries_may_come_in_any_order_and_a_fork_cannot_hide_in_it,
    two_branches_of_one_log_are_a_fork_and_close_the_device,
    an_entry_that_does_not_follow_is_a_fork_and_what_was_taken_stays,
    a_stranger_a_bent_bit_and_a_revoked_device_are_refused,
    a_refusal_holds_back_only_what_depends_on_it,
    a_payload_must_be_the_one_that_was_signed,
    what_a_person_must_sign_needs_that_persons_key,
    who_signs_must_have_the_role_for_it,
    another_facilitys_patient_is_unknown,
    a_payload_holds_what_its_kind_says,
    an_ask_without_consent_is_refused,
    a_patients_no_closes_the_ask_to_whoever_is_outside,
    whoever_is_asked_sees_the_ask_and_not_the_record,
    new_demographics_reach_whoever_is_asked,
    a_closed_ask_shows_the_patient_no_more,
    a_move_that_comes_too_late_is_superseded,
    a_move_built_on_what_came_too_late_is_late_itself,
    nobody_else_moves_an_ask,
    passing_on_shows_the_whole_ask_to_the_next,
    pages_put_together_are_the_whole,
    parts_of_a_photo_go_where_the_ask_goes,
);

async fn push<W: World>(world: &W, by: &Member, envelopes: &[Sealed]) -> Vec<Outcome> {
    let bytes = envelopes.iter().map(|e| e.bytes.clone()).collect();
    let acks = world.core().push(by.caller(), bytes, NOON).await.unwrap();
    assert_eq!(acks.len(), envelopes.len());
    acks.into_iter().map(|a| a.outcome).collect()
}

async fn push_one<W: World>(world: &W, by: &Member, envelope: &Sealed) -> Outcome {
    push(world, by, std::slice::from_ref(envelope)).await.remove(0)
}

#[track_caller]
fn durable(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Durable { seq } => *seq,
        other => panic!("not durable: {other:?}"),
    }
}

#[track_caller]
fn refused<'a>(outcome: &'a Outcome, code: &str) -> &'a str {
    match outcome {
        Outcome::Refused { code: found, text } if found == code => text,
        other => panic!("not refused as {code}: {other:?}"),
    }
}

/// The kinds and ids of the envelopes that `by` may pull after `after`, and where to go on.
async fn sees<W: World>(world: &W, by: &Member, after: u64) -> (Vec<(Kind, Id)>, u64) {
    let page = world.core().pull(by.caller(), after, 1000).await.unwrap();
    assert!(!page.more);
    let envelopes = page.changes.iter().filter_map(|c| match &c.item {
        Item::Envelope { bytes, .. } => {
            let header = Envelope::from_bytes(bytes).unwrap().header().unwrap();
            Some((header.kind, header.id))
        }
        _ => None,
    });
    (envelopes.collect(), page.next)
}

async fn kinds<W: World>(world: &W, by: &Member) -> Vec<Kind> {
    sees(world, by, 0).await.0.into_iter().map(|(kind, _)| kind).collect()
}

fn patient(member: &mut Member) -> (Id, Sealed) {
    let patient = id();
    (patient, member.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, "A"))))
}

/// A clinic's doctor, a hospital's specialist, and a patient with consent and an open ask between them.
struct Ask {
    doctor: Member,
    specialist: Member,
    patient: Id,
    task: Id,
}

async fn ask<W: World>(world: &W) -> Ask {
    let mut doctor = world.join(world.facility().await).await;
    let specialist = world.join(world.facility().await).await;
    let (patient, registered) = patient(&mut doctor);
    let consent = doctor.write(
        Draft::new(Kind::Consent, patient, payloads::consent(patient, "permit")).after(&[registered.id]),
    );
    let visit = doctor
        .write(Draft::new(Kind::Visit, patient, payloads::visit(patient)).after(&[registered.id]).signed());
    let task = id();
    let note =
        Draft::new(Kind::ReferralNote, patient, payloads::note(task, patient, Some(specialist.person)));
    let note = doctor.write(note.task(task).after(&[registered.id, consent.id]).signed());
    for outcome in push(world, &doctor, &[registered, consent, visit, note]).await {
        durable(&outcome);
    }
    Ask { doctor, specialist, patient, task }
}

impl Ask {
    fn by(&mut self, specialist: bool) -> &mut Member {
        if specialist { &mut self.specialist } else { &mut self.doctor }
    }

    async fn moves<W: World>(&mut self, world: &W, specialist: bool, to: State, base: u32) -> Outcome {
        let payload = payloads::task_move(self.task, self.patient, to, Some(self.specialist.person));
        let draft = Draft::new(Kind::TaskMove, self.patient, payload).task(self.task).on(base).signed();
        let envelope = self.by(specialist).write(draft);
        let by = self.by(specialist).clone();
        push_one(world, &by, &envelope).await
    }
}

async fn a_repeated_push_is_acknowledged_again_and_stored_once<W: World>() {
    let world = W::new().await;
    let mut doctor = world.join(world.facility().await).await;
    let (_, first) = patient(&mut doctor);
    let (_, second) = patient(&mut doctor);
    let once = push(&world, &doctor, &[first.clone(), second.clone()]).await;
    assert!(durable(&once[0]) < durable(&once[1]));
    assert_eq!(push(&world, &doctor, &[first.clone(), second.clone()]).await, once);
    let (seen, _) = sees(&world, &doctor, 0).await;
    assert_eq!(seen, [(Kind::Patient, first.id), (Kind::Patient, second.id)]);
}

async fn entries_may_come_in_any_order_and_a_fork_cannot_hide_in_it<W: World>() {
    let world = W::new().await;
    let facility = world.facility().await;
    let mut doctor = world.join(facility).await;
    let written: Vec<Sealed> = (0..5).map(|_| patient(&mut doctor).1).collect();
    for i in [3, 0, 4, 2, 1] {
        durable(&push_one(&world, &doctor, &written[i]).await);
    }
    assert_eq!(kinds(&world, &doctor).await.len(), 5);

    // A copy goes on from the third entry; only its second own entry arrives, beside the first one's fourth.
    let mut nurse = world.join(facility).await;
    let mut before = Vec::new();
    for _ in 0..3 {
        before.push(patient(&mut nurse).1);
    }
    let mut copy = nurse.clone();
    let fourth = patient(&mut nurse).1;
    let _lost = patient(&mut copy);
    let fifth = patient(&mut copy).1;
    push(&world, &nurse, &before).await;
    durable(&push_one(&world, &nurse, &fourth).await);
    refused(&push_one(&world, &copy, &fifth).await, "fork");

    // The other way round: the later entry is here first.
    let mut aide = world.join(facility).await;
    let mut copy = aide.clone();
    let first = patient(&mut aide).1;
    let _lost = patient(&mut copy);
    let second = patient(&mut copy).1;
    durable(&push_one(&world, &copy, &second).await);
    refused(&push_one(&world, &aide, &first).await, "fork");
}

async fn two_branches_of_one_log_are_a_fork_and_close_the_device<W: World>() {
    let world = W::new().await;
    let mut doctor = world.join(world.facility().await).await;
    let (_, first) = patient(&mut doctor);
    let mut clone = doctor.clone();
    let (_, one) = patient(&mut doctor);
    let (_, other) = patient(&mut clone);
    let taken = push(&world, &doctor, &[first, one.clone()]).await;
    refused(&push_one(&world, &clone, &other).await, "fork");
    // Neither branch goes on, and what was durable stays so.
    let (_, next) = patient(&mut doctor);
    refused(&push_one(&world, &doctor, &next).await, "fork");
    assert_eq!(push_one(&world, &doctor, &one).await, taken[1]);
    assert_eq!(kinds(&world, &doctor).await.len(), 2);
}

async fn an_entry_that_does_not_follow_is_a_fork_and_what_was_taken_stays<W: World>() {
    let world = W::new().await;
    let facility = world.facility().await;
    let (mut doctor, mut nurse) = (world.join(facility).await, world.join(facility).await);
    let (_, first) = patient(&mut doctor);
    let taken = push_one(&world, &doctor, &first).await;
    durable(&taken);
    // Sealed by the right key: as the second of one log, and as the first of another.
    for member in [&mut doctor, &mut nurse] {
        let who = id();
        let draft = Draft::new(Kind::Patient, who, payloads::patient(who, "A"));
        let mut header = member.header(&draft);
        header.prev = [9; 32];
        let broken = member.seal(&header, draft.payload);
        refused(&push_one(&world, member, &broken).await, "fork");
    }
    assert_eq!(push_one(&world, &doctor, &first).await, taken);
    let mut third = world.join(facility).await;
    let (_, other) = patient(&mut third);
    durable(&push_one(&world, &third, &other).await);
}

async fn a_stranger_a_bent_bit_and_a_revoked_device_are_refused<W: World>() {
    let world = W::new().await;
    let mut doctor = world.join(world.facility().await).await;
    let mut stranger = Member { device: id(), ..doctor.clone() };
    let (_, strange) = patient(&mut stranger);
    refused(&push_one(&world, &doctor, &strange).await, "device-unknown");

    let mut thief = Member { device_key: key(), ..doctor.clone() };
    let (_, stolen) = patient(&mut thief);
    refused(&push_one(&world, &doctor, &stolen).await, "device-signature");

    let garbage = Sealed { id: id(), bytes: b"not an envelope".to_vec() };
    refused(&push_one(&world, &doctor, &garbage).await, "malformed");
    let huge = Sealed { id: id(), bytes: vec![0; limits::ENVELOPE + 1] };
    refused(&push_one(&world, &doctor, &huge).await, "too-large");

    world.revoke(doctor.device).await;
    let (_, late) = patient(&mut doctor);
    refused(&push_one(&world, &doctor, &late).await, "device-revoked");
    assert!(kinds(&world, &doctor).await.is_empty());
}

async fn a_refusal_holds_back_only_what_depends_on_it<W: World>() {
    let world = W::new().await;
    let mut doctor = world.join(world.facility().await).await;
    let born = id();
    let mut future = payloads::patient_resource(born, "A");
    future["birthDate"] = "2027-01-01".into();
    let bad = doctor.write(Draft::new(Kind::Patient, born, payloads::bundle("collection", &[future])));
    let visit = doctor.write(Draft::new(Kind::Visit, born, payloads::visit(born)).after(&[bad.id]).signed());
    let (_, good) = patient(&mut doctor);
    let outcomes = push(&world, &doctor, &[bad.clone(), visit, good]).await;
    let text = refused(&outcomes[0], "birth-date-future");
    assert!(!text.contains("2027"), "a refusal quotes nothing of the patient");
    assert_eq!(outcomes[1], Outcome::Waits { on: bad.id });
    durable(&outcomes[2]);
    // The refusal is stable.
    assert_eq!(push_one(&world, &doctor, &bad).await, outcomes[0]);
}

async fn a_payload_must_be_the_one_that_was_signed<W: World>() {
    let world = W::new().await;
    let mut doctor = world.join(world.facility().await).await;
    let who = id();
    let draft = Draft::new(Kind::Patient, who, payloads::patient(who, "A"));
    let header = doctor.header(&draft);
    let other = doctor.seal(&header, payloads::patient(who, "B"));
    refused(&push_one(&world, &doctor, &other).await, "payload");

    // A bomb unpacks to far more than the header announces.
    let mut header = doctor.header(&draft);
    header.codec = Codec::Zstd;
    let bomb = doctor.seal(&header, zstd::bulk::compress(&vec![b' '; 200_000_000], 3).unwrap());
    refused(&push_one(&world, &doctor, &bomb).await, "payload");

    let mut header = doctor.header(&draft);
    (header.codec, header.dictionary) = (Codec::Zstd, 7);
    let foreign = doctor.seal(&header, vec![1, 2, 3]);
    refused(&push_one(&world, &doctor, &foreign).await, "payload-codec");

    let mut header = doctor.header(&draft);
    header.codec = Codec::Zstd;
    let packed = doctor.seal(&header, zstd::bulk::compress(&draft.payload, 3).unwrap());
    durable(&push_one(&world, &doctor, &packed).await);
}

async fn who_signs_must_have_the_role_for_it<W: World>() {
    let world = W::new().await;
    let facility = world.facility().await;
    let mut midwife = world.join_as("midwife", facility).await;
    let (who, registered) = patient(&mut midwife);
    durable(&push_one(&world, &midwife, &registered).await);
    let advice = midwife.write(Draft::new(Kind::Advice, who, payloads::advice(who)).signed());
    refused(&push_one(&world, &midwife, &advice).await, "role");
    let visit = midwife.write(Draft::new(Kind::Visit, who, payloads::visit(who)).signed());
    durable(&push_one(&world, &midwife, &visit).await);

    let mut technician = world.join_as("technician", facility).await;
    let visit = technician.write(Draft::new(Kind::Visit, who, payloads::visit(who)).signed());
    refused(&push_one(&world, &technician, &visit).await, "role");
}

async fn what_a_person_must_sign_needs_that_persons_key<W: World>() {
    let world = W::new().await;
    let facility = world.facility().await;
    let mut doctor = world.join(facility).await;
    let colleague = world.join(facility).await;
    let (who, registered) = patient(&mut doctor);
    durable(&push_one(&world, &doctor, &registered).await);

    let unsigned = doctor.write(Draft::new(Kind::Visit, who, payloads::visit(who)));
    refused(&push_one(&world, &doctor, &unsigned).await, "person-not-signed");

    let draft = Draft::new(Kind::Visit, who, payloads::visit(who)).signed();
    let mut header = doctor.header(&draft);
    // The colleague's name under the doctor's key.
    header.signed_by =
        Some(PersonSignature::sign(&doctor.person_key, colleague.person, "1.2", &draft.payload));
    let forged = doctor.seal(&header, draft.payload.clone());
    refused(&push_one(&world, &doctor, &forged).await, "person-signature");

    let mut header = doctor.header(&draft);
    header.signed_by = Some(PersonSignature::sign(&doctor.person_key, doctor.person, "1.2", b"other bytes"));
    let other = doctor.seal(&header, draft.payload.clone());
    refused(&push_one(&world, &doctor, &other).await, "person-signature");

    let signed = doctor.write(draft);
    durable(&push_one(&world, &doctor, &signed).await);
}

async fn another_facilitys_patient_is_unknown<W: World>() {
    let world = W::new().await;
    let mut here = world.join(world.facility().await).await;
    let mut there = world.join(world.facility().await).await;
    let (theirs, registered) = patient(&mut there);
    durable(&push_one(&world, &there, &registered).await);

    let visit = here.write(Draft::new(Kind::Visit, theirs, payloads::visit(theirs)).signed());
    let known = push_one(&world, &here, &visit).await;
    let nobody = id();
    let visit = here.write(Draft::new(Kind::Visit, nobody, payloads::visit(nobody)).signed());
    assert_eq!(push_one(&world, &here, &visit).await, known, "another's patient and none look the same");
    refused(&known, "patient-unknown");

    let over = here.write(Draft::new(Kind::Patient, theirs, payloads::patient(theirs, "mine now")));
    refused(&push_one(&world, &here, &over).await, "not-yours");

    let draft = Draft::new(Kind::Patient, id(), payloads::patient(id(), "x"));
    let mut header = here.header(&draft);
    header.facility = there.facility;
    let elsewhere = here.seal(&header, draft.payload);
    refused(&push_one(&world, &here, &elsewhere).await, "facility");
    assert!(kinds(&world, &here).await.is_empty());
}

async fn a_payload_holds_what_its_kind_says<W: World>() {
    let world = W::new().await;
    let mut doctor = world.join(world.facility().await).await;
    let (who, registered) = patient(&mut doctor);
    durable(&push_one(&world, &doctor, &registered).await);
    let cases: [(Vec<u8>, &str); 6] = [
        (b"{}".to_vec(), "payload"),
        (payloads::bundle("collection", &[payloads::observation(who)]), "payload-kind"),
        (payloads::bundle("collection", &[payloads::patient_resource(id(), "x")]), "patient-mismatch"),
        (
            payloads::bundle("collection", &[serde_json::json!({"resourceType": "Patient", "id": "1"})]),
            "payload",
        ),
        (payloads::patient(who, "a\u{7}b"), "control-character"),
        (
            String::from_utf8(payloads::patient(who, "x"))
                .unwrap()
                .replace("urn:uuid:", "urn:uuid:0")
                .into_bytes(),
            "payload",
        ),
    ];
    for (payload, code) in cases {
        let envelope = doctor.write(Draft::new(Kind::Patient, who, payload));
        refused(&push_one(&world, &doctor, &envelope).await, code);
    }
    let mut starship = payloads::observation(who);
    starship["resourceType"] = "Starship".into();
    let mut document: serde_json::Value = serde_json::from_slice(&payloads::visit(who)).unwrap();
    document["entry"][1]["resource"] = starship.clone();
    document["entry"][1]["fullUrl"] = format!("urn:uuid:{}", starship["id"].as_str().unwrap()).into();
    let envelope = doctor.write(Draft::new(Kind::Visit, who, document.to_string().into_bytes()).signed());
    refused(&push_one(&world, &doctor, &envelope).await, "unknown-resource");
    document["entry"][1]["resource"]["resourceType"] = "Observation".into();
    document["entry"][1]["resource"]["encounter"] =
        serde_json::json!({"reference": "Encounter?identifier=1"});
    let envelope = doctor.write(Draft::new(Kind::Visit, who, document.to_string().into_bytes()).signed());
    refused(&push_one(&world, &doctor, &envelope).await, "wrong-reference");
}

async fn an_ask_without_consent_is_refused<W: World>() {
    let world = W::new().await;
    let mut doctor = world.join(world.facility().await).await;
    let specialist = world.join(world.facility().await).await;
    let (who, registered) = patient(&mut doctor);
    let denied = doctor.write(Draft::new(Kind::Consent, who, payloads::consent(who, "deny")));
    let task = id();
    let mut note = || {
        let draft = Draft::new(Kind::ReferralNote, who, payloads::note(task, who, Some(specialist.person)));
        doctor.write(draft.task(task).signed())
    };
    let (first, second) = (note(), note());
    let outcomes = push(&world, &doctor, &[registered, denied, first, second]).await;
    refused(&outcomes[2], "consent-missing");
    refused(&outcomes[3], "consent-missing");
    assert!(kinds(&world, &specialist).await.is_empty());

    let given = doctor.write(Draft::new(Kind::Consent, who, payloads::consent(who, "permit")));
    let draft = Draft::new(Kind::ReferralNote, who, payloads::note(task, who, Some(specialist.person)));
    let note = doctor.write(draft.task(task).signed().after(&[given.id]));
    for outcome in push(&world, &doctor, &[given, note]).await {
        durable(&outcome);
    }
}

async fn a_patients_no_closes_the_ask_to_whoever_is_outside<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let (doctor, clinic) = (ask.doctor.clone(), kinds(&world, &ask.doctor).await.len());
    let no = ask.doctor.write(Draft::new(Kind::Consent, ask.patient, payloads::consent(ask.patient, "deny")));
    durable(&push_one(&world, &doctor, &no).await);
    // Their word itself is what is left.
    assert_eq!(kinds(&world, &ask.specialist).await, [Kind::Consent]);
    assert_eq!(kinds(&world, &ask.doctor).await.len(), clinic + 1);
}

async fn whoever_is_asked_sees_the_ask_and_not_the_record<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    assert_eq!(kinds(&world, &ask.specialist).await, [Kind::Patient, Kind::Consent, Kind::ReferralNote]);
    assert_eq!(
        kinds(&world, &ask.doctor).await,
        [Kind::Patient, Kind::Consent, Kind::Visit, Kind::ReferralNote]
    );
    let outsider = world.join(ask.specialist.facility).await;
    assert!(kinds(&world, &outsider).await.is_empty(), "a colleague at the hospital was not asked");

    let (_, before) = sees(&world, &ask.doctor, 0).await;
    durable(&ask.moves(&world, true, State::Seen, 1).await);
    let advice = Draft::new(Kind::Advice, ask.patient, payloads::advice(ask.patient)).task(ask.task).signed();
    let advice = ask.specialist.write(advice);
    durable(&push_one(&world, &ask.specialist, &advice).await);
    let (new, _) = sees(&world, &ask.doctor, before).await;
    assert_eq!(new.iter().map(|(k, _)| *k).collect::<Vec<_>>(), [Kind::TaskMove, Kind::Advice]);
}

async fn new_demographics_reach_whoever_is_asked<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let (_, before) = sees(&world, &ask.specialist, 0).await;
    let changed =
        ask.doctor.write(Draft::new(Kind::Patient, ask.patient, payloads::patient(ask.patient, "B")));
    durable(&push_one(&world, &ask.doctor, &changed).await);
    assert_eq!(sees(&world, &ask.specialist, before).await.0, [(Kind::Patient, changed.id)]);
}

async fn a_closed_ask_shows_the_patient_no_more<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    durable(&ask.moves(&world, false, State::Cancelled, 1).await);
    // That it was cancelled still reaches whoever was asked.
    assert_eq!(kinds(&world, &ask.specialist).await, [Kind::TaskMove]);
    let changed =
        ask.doctor.write(Draft::new(Kind::Patient, ask.patient, payloads::patient(ask.patient, "B")));
    durable(&push_one(&world, &ask.doctor, &changed).await);
    assert_eq!(kinds(&world, &ask.specialist).await, [Kind::TaskMove]);
}

async fn a_move_that_comes_too_late_is_superseded<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    durable(&ask.moves(&world, false, State::Cancelled, 1).await);
    let late = ask.moves(&world, true, State::Accepted, 1).await;
    assert!(matches!(&late, Outcome::Superseded { code, .. } if code == "cancelled"), "{late:?}");
    // It is kept for the one who made it, and shown to nobody else.
    assert_eq!(kinds(&world, &ask.specialist).await, [Kind::TaskMove, Kind::TaskMove]);
    let doctors = kinds(&world, &ask.doctor).await;
    assert_eq!(doctors.iter().filter(|k| **k == Kind::TaskMove).count(), 1);

    let wrong = ask.moves(&world, true, State::Seen, 9).await;
    refused(&wrong, "task-version");
}

async fn a_move_built_on_what_came_too_late_is_late_itself<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let (task, patient, owner) = (ask.task, ask.patient, ask.specialist.person);
    let to = |state, base| {
        let payload = payloads::task_move(task, patient, state, Some(owner));
        Draft::new(Kind::TaskMove, patient, payload).task(task).on(base).signed()
    };
    let cancelled = ask.doctor.write(to(State::Cancelled, 1));
    durable(&push_one(&world, &ask.doctor, &cancelled).await);
    // What a specialist wrote in a life of the HIE in which nobody had cancelled: versions 2, 3 and 4.
    let accepted = ask.specialist.write(to(State::Accepted, 1));
    let answered = ask.specialist.write(to(State::Answered, 2).after(&[accepted.id]));
    let seen = ask.doctor.write(to(State::AdviceSeen, 3).after(&[cancelled.id, answered.id]));
    let out_of_nowhere = ask.doctor.write(to(State::AdviceSeen, 3));
    for (by, envelope) in [(&ask.specialist, &accepted), (&ask.specialist, &answered), (&ask.doctor, &seen)] {
        let late = push_one(&world, by, envelope).await;
        assert!(matches!(&late, Outcome::Superseded { code, .. } if code == "cancelled"), "{late:?}");
    }
    refused(&push_one(&world, &ask.doctor, &out_of_nowhere).await, "task-version");
}

async fn nobody_else_moves_an_ask<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let mut outsider = world.join(ask.specialist.facility).await;
    let payload = payloads::task_move(ask.task, ask.patient, State::Seen, Some(ask.specialist.person));
    let envelope =
        outsider.write(Draft::new(Kind::TaskMove, ask.patient, payload).task(ask.task).on(1).signed());
    refused(&push_one(&world, &outsider, &envelope).await, "task-unknown");
    refused(&ask.moves(&world, true, State::Done, 1).await, "task-move");
    // The doctor does not advise themselves, the specialist does not decide for the clinic.
    let advice = Draft::new(Kind::Advice, ask.patient, payloads::advice(ask.patient)).task(ask.task).signed();
    let advice = ask.doctor.write(advice);
    refused(&push_one(&world, &ask.doctor, &advice).await, "task-unknown");
    let decisions =
        Draft::new(Kind::Decisions, ask.patient, payloads::advice(ask.patient)).task(ask.task).signed();
    let decisions = ask.specialist.write(decisions);
    refused(&push_one(&world, &ask.specialist, &decisions).await, "task-unknown");
}

async fn passing_on_shows_the_whole_ask_to_the_next<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let next = world.join(world.facility().await).await;
    assert!(kinds(&world, &next).await.is_empty());
    let payload = payloads::task_move(ask.task, ask.patient, State::PassedOn, Some(next.person));
    let draft = Draft::new(Kind::TaskMove, ask.patient, payload).task(ask.task).on(1).signed();
    let envelope = ask.specialist.write(draft);
    durable(&push_one(&world, &ask.specialist, &envelope).await);
    assert_eq!(
        kinds(&world, &next).await,
        [Kind::Patient, Kind::Consent, Kind::ReferralNote, Kind::TaskMove]
    );
    // The first specialist keeps that they passed it on, and reads the patient no more.
    assert_eq!(kinds(&world, &ask.specialist).await, [Kind::TaskMove]);
}

async fn pages_put_together_are_the_whole<W: World>() {
    let world = W::new().await;
    let mut doctor = world.join(world.facility().await).await;
    let mut other = world.join(world.facility().await).await;
    let mut written = HashMap::new();
    for i in 0..20 {
        let (_, envelope) = patient(&mut doctor);
        durable(&push_one(&world, &doctor, &envelope).await);
        let (_, noise) = patient(&mut other);
        durable(&push_one(&world, &other, &noise).await);
        written.insert(envelope.id, i);
    }
    let (mut after, mut seen, mut pages) = (0, Vec::new(), 0);
    loop {
        let page = world.core().pull(doctor.caller(), after, 7).await.unwrap();
        assert!(page.changes.len() <= 7);
        assert_eq!(page.more, page.remaining > 0);
        for change in &page.changes {
            assert!(change.seq > after);
            after = change.seq;
            if let Item::Envelope { bytes, received_at } = &change.item {
                assert_eq!(*received_at, NOON);
                seen.push(written[&Envelope::from_bytes(bytes).unwrap().header().unwrap().id]);
            }
        }
        pages += 1;
        after = page.next;
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
    assert!(pages >= 3);
    assert!(world.core().pull(doctor.caller(), after, 7).await.unwrap().changes.is_empty());
}

async fn parts_of_a_photo_go_where_the_ask_goes<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let (_, before) = sees(&world, &ask.specialist, 0).await;
    let photo = id();
    let part = |index, bytes: &[u8]| {
        let part = AttachmentPart {
            attachment: photo,
            index,
            count: 2,
            content_type: "image/jpeg".into(),
            bytes: bytes.to_vec().into(),
        };
        minicbor::to_vec(&part).unwrap()
    };
    let mut envelopes = Vec::new();
    for payload in [part(1, b"world"), part(0, b"hello ")] {
        envelopes
            .push(ask.doctor.write(Draft::new(Kind::AttachmentPart, ask.patient, payload).task(ask.task)));
    }
    for outcome in push(&world, &ask.doctor, &envelopes).await {
        durable(&outcome);
    }
    assert_eq!(sees(&world, &ask.specialist, before).await.0.len(), 2);
    let beyond = ask.doctor.write(Draft::new(Kind::AttachmentPart, ask.patient, part(2, b"x")));
    refused(&push_one(&world, &ask.doctor, &beyond).await, "attachment");
}
