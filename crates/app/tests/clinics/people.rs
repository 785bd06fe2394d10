//! Several people at one laptop, with a real HIE.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use crate::world::{World, app, ask, code, consent, facility, form, patient_at, until, visit_at};
use rabta_app::SystemClock;
use rabta_domain::{
    Private,
    ask::{AskForm, Urgency},
    patient::Custody,
};
use rabta_hie::admin::PersonFields;
use rabta_ipc::{
    ask::{AskDraft, GetAskDraft, SaveAskDraft, SendAsk},
    gate::{
        AddPerson, ChangePassphrase, ChangePin, ConfirmRecovery, GetStatus, LockScreen, LockVault, Member,
        NewRecovery, Phase, RemovePerson, SwitchPerson, Unlock, UnlockPin, UnlockRecovery,
    },
    patient::{GetToday, OpenPatient},
    visit::{CorrectVisit, DiscardDraft, GetVisit, SaveVisit, SignVisit, StartVisit, VisitStatus},
};

const CLINIC: &str = "BHU Kot Radha";
const DOCTOR: (&str, &str) = ("seven quiet herons wade", "4711");
const LHV: (&str, &str) = ("the well is deep enough", "2580");
const DISPENSER: (&str, &str) = ("green boxes left of the door", "1357");

fn private(text: &str) -> Private<String> {
    text.to_owned().into()
}

async fn invite(world: &World, at: &str, name: &str, role: &str) -> String {
    let fields = PersonFields { name: name.into(), role: role.into(), ..PersonFields::default() };
    code(world.hie.as_ref().unwrap(), at, fields).await
}

async fn add(world: &World, code: &str, (passphrase, pin): (&str, &str)) -> Result<Private<String>, String> {
    let add = AddPerson { code: code.to_owned(), passphrase: private(passphrase), pin: private(pin) };
    ask(&world.doctor, add).await.map(|recovery| recovery.code).map_err(|error| error.code)
}

/// A laptop of a doctor, an LHV and a dispenser; the LHV's recovery code.
async fn of_three() -> (World, Private<String>) {
    let world = World::new().await;
    let lhv = add(&world, &invite(&world, CLINIC, "Nasreen Akhtar", "lhv").await, LHV).await.unwrap();
    assert!(ask(&world.doctor, ConfirmRecovery { typed: lhv.clone() }).await.unwrap());
    add(&world, &invite(&world, CLINIC, "Bilal", "dispenser").await, DISPENSER).await.unwrap();
    (world, lhv)
}

async fn people(world: &World) -> Vec<Member> {
    ask(&world.doctor, GetStatus {}).await.unwrap().people
}

async fn id_of(world: &World, role: &str) -> String {
    people(world).await.into_iter().find(|member| member.person.role == role).unwrap().person.id
}

async fn unlock(world: &World, person: &str, passphrase: &str) -> Result<(), String> {
    let unlock = Unlock { person: person.to_owned(), passphrase: private(passphrase) };
    ask(&world.doctor, unlock).await.map_err(|error| error.code)
}

async fn switch(world: &World, person: &str, pin: &str) -> Result<(), String> {
    let switch = SwitchPerson { person: person.to_owned(), pin: private(pin) };
    ask(&world.doctor, switch).await.map_err(|error| error.code)
}

async fn active(world: &World) -> String {
    match ask(&world.doctor, GetStatus {}).await.unwrap().phase {
        Phase::Open { person } => person.role,
        other => panic!("not open: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_person_joins_by_their_own_code_and_only_somebody_with_the_right_lets_them() {
    let (world, _) = of_three().await;
    let all = people(&world).await;
    let seen: Vec<_> = all.iter().map(|m| (m.person.role.as_str(), m.pin, m.active)).collect();
    assert_eq!(seen, [("doctor", true, true), ("lhv", false, false), ("dispenser", false, false)]);

    let nurse = invite(&world, CLINIC, "Sana", "nurse").await;
    assert_eq!(add(&world, &nurse, ("", "1111")).await.unwrap_err(), "invalid");
    assert_eq!(add(&world, &nurse, ("x y z", "11")).await.unwrap_err(), "invalid");
    add(&world, &nurse, ("x y z", "1111")).await.expect("a refused try uses nothing up");
    assert_eq!(add(&world, &nurse, ("x y z", "1111")).await.unwrap_err(), "code-used");
    assert_eq!(add(&world, "hello", ("x y z", "1111")).await.unwrap_err(), "code-malformed");
    facility(world.hie.as_ref().unwrap(), "BHU Elsewhere", "clinic").await;
    let elsewhere = invite(&world, "BHU Elsewhere", "Sana", "nurse").await;
    assert_eq!(add(&world, &elsewhere, ("x y z", "1111")).await.unwrap_err(), "other-facility");

    let (doctor, dispenser) = (id_of(&world, "doctor").await, id_of(&world, "dispenser").await);
    assert_eq!(unlock(&world, &dispenser, DOCTOR.0).await.unwrap_err(), "wrong-passphrase");
    unlock(&world, &dispenser, DISPENSER.0).await.unwrap();
    // Their recovery code was shown and not asked back: it is the first thing, and the shown one is worth nothing then.
    let status = ask(&world.doctor, GetStatus {}).await.unwrap();
    assert!(matches!(status.phase, Phase::Recovery { .. }), "{:?}", status.phase);
    ask(&world.doctor, LockScreen {}).await.unwrap();
    assert_eq!(ask(&world.doctor, NewRecovery {}).await.unwrap_err().code, "screen-locked");
    ask(&world.doctor, UnlockPin { pin: private(DISPENSER.1) }).await.unwrap();
    let fresh = ask(&world.doctor, NewRecovery {}).await.unwrap();
    assert!(ask(&world.doctor, ConfirmRecovery { typed: fresh.code }).await.unwrap());
    assert_eq!(active(&world).await, "dispenser");
    let another = invite(&world, CLINIC, "Zahid", "nurse").await;
    assert_eq!(add(&world, &another, ("x y z", "1111")).await.unwrap_err(), "not-allowed");
    let remove = RemovePerson { person: doctor.clone() };
    assert_eq!(ask(&world.doctor, remove.clone()).await.unwrap_err().code, "not-allowed");
    switch(&world, &doctor, DOCTOR.1).await.unwrap();
    assert_eq!(ask(&world.doctor, remove).await.unwrap_err().code, "not-allowed", "oneself");
    ask(&world.doctor, RemovePerson { person: dispenser.clone() }).await.unwrap();
    assert_eq!(switch(&world, &dispenser, DISPENSER.1).await.unwrap_err(), "passphrase-first");
    assert_eq!(unlock(&world, &dispenser, DISPENSER.0).await.unwrap_err(), "not-found");
    ask(&world.doctor, LockVault {}).await.unwrap();
    match ask(&world.doctor, GetStatus {}).await.unwrap().phase {
        Phase::Locked { persons } => assert_eq!(persons.len(), 3, "the doctor, the LHV, the nurse"),
        other => panic!("{other:?}"),
    }
    unlock(&world, &doctor, DOCTOR.0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_takes_over_by_pin_and_each_signs_and_writes_as_themselves() {
    let (world, _) = of_three().await;
    let laptop = &world.doctor;
    let (doctor, lhv) = (id_of(&world, "doctor").await, id_of(&world, "lhv").await);
    let patient = world.patient("Ayesha Bibi").await;
    let begun = world.visit(&patient.id).await;

    assert_eq!(switch(&world, &lhv, LHV.1).await.unwrap_err(), "passphrase-first");
    unlock(&world, &lhv, LHV.0).await.unwrap();
    assert_eq!(active(&world).await, "lhv");
    // What the doctor began stays the doctor's.
    assert!(ask(laptop, GetToday {}).await.unwrap().drafts.is_empty());
    assert_eq!(ask(laptop, OpenPatient { id: patient.id.clone() }).await.unwrap().draft, None);
    assert_eq!(ask(laptop, GetVisit { id: begun.id.clone() }).await.unwrap_err().code, "not-found");
    assert_eq!(ask(laptop, SignVisit { id: begun.id.clone() }).await.unwrap_err().code, "not-found");
    assert_eq!(ask(laptop, DiscardDraft { id: begun.id.clone() }).await.unwrap_err().code, "not-found");
    let save = SaveVisit { id: begun.id.clone(), rev: begun.rev, form: begun.form.clone() };
    assert_eq!(ask(laptop, save).await.unwrap_err().code, "not-found");
    let own = visit_at(laptop, &patient.id).await;
    assert_ne!(own.id, begun.id);
    let signed = ask(laptop, SignVisit { id: own.id.clone() }).await.unwrap().signed.unwrap();
    assert_eq!(
        (signed.name.as_str(), signed.role.as_str(), signed.verified),
        ("Nasreen Akhtar", "lhv", true)
    );

    let pressed = std::time::Instant::now();
    switch(&world, &doctor, DOCTOR.1).await.unwrap();
    let took = pressed.elapsed();
    assert_eq!(active(&world).await, "doctor");
    let drafts = ask(laptop, GetToday {}).await.unwrap().drafts;
    assert_eq!(drafts.iter().map(|row| row.visit.as_str()).collect::<Vec<_>>(), [begun.id.as_str()]);
    assert_eq!(ask(laptop, StartVisit { patient: patient.id.clone() }).await.unwrap().id, begun.id);
    let signed = ask(laptop, SignVisit { id: begun.id.clone() }).await.unwrap().signed.unwrap();
    assert_eq!((signed.name.as_str(), signed.verified), ("Dr Amna", true));
    // The HIE takes both: each by a key that it certified for that person at this device.
    for visit in [&own.id, &begun.id] {
        until(laptop, GetVisit { id: visit.clone() }, |v| (v.custody == Custody::AtHie).then_some(())).await;
    }
    // Two corrections of one visit at once would lose one.
    ask(laptop, CorrectVisit { id: begun.id.clone() }).await.unwrap();
    switch(&world, &lhv, LHV.1).await.unwrap();
    assert_eq!(ask(laptop, CorrectVisit { id: begun.id.clone() }).await.unwrap_err().code, "not-allowed");
    let there = ask(laptop, GetVisit { id: begun.id.clone() }).await.unwrap();
    assert_eq!(there.status, VisitStatus::Signed, "others see what is signed");
    println!("taking over by PIN took {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_that_one_fills_in_is_not_the_next_persons() {
    let (world, _) = of_three().await;
    let laptop = &world.doctor;
    let (doctor, lhv) = (id_of(&world, "doctor").await, id_of(&world, "lhv").await);
    let patient = world.patient("Ayesha Bibi").await;
    let visit = world.visit(&patient.id).await.id;
    ask(laptop, SignVisit { id: visit.clone() }).await.unwrap();
    let draft = |question: &str| AskDraft {
        consent: consent(),
        ask: AskForm { question: question.into(), ..form(Urgency::Urgent) },
    };
    let save = async |question: &str| {
        ask(laptop, SaveAskDraft { visit: visit.clone(), draft: draft(question) }).await.unwrap();
    };
    let kept = async || {
        let draft = ask(laptop, GetAskDraft { visit: visit.clone() }).await.unwrap();
        draft.map(|draft| draft.ask.question.0)
    };
    save("The doctor's?").await;
    assert_eq!(kept().await.as_deref(), Some("The doctor's?"));

    unlock(&world, &lhv, LHV.0).await.unwrap();
    assert_eq!(kept().await, None, "it is the doctor's alone");
    save("The LHV's?").await;
    switch(&world, &doctor, DOCTOR.1).await.unwrap();
    assert_eq!(kept().await.as_deref(), Some("The doctor's?"), "nobody wrote over it");
    let AskDraft { consent, ask: asked } = draft("The doctor's?");
    ask(laptop, SendAsk { visit: visit.clone(), consent, ask: asked }).await.unwrap();
    assert_eq!(kept().await, None, "sent");
    switch(&world, &lhv, LHV.1).await.unwrap();
    assert_eq!(kept().await.as_deref(), Some("The LHV's?"));

    // Once she has left this laptop others may go on with what she began.
    switch(&world, &doctor, DOCTOR.1).await.unwrap();
    ask(laptop, RemovePerson { person: lhv }).await.unwrap();
    assert_eq!(kept().await.as_deref(), Some("The LHV's?"));
    save("The doctor's again?").await;
    assert_eq!(kept().await.as_deref(), Some("The doctor's again?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_pins_lock_the_vault_whoevers_they_are() {
    let (world, _) = of_three().await;
    let laptop = &world.doctor;
    let (doctor, lhv) = (id_of(&world, "doctor").await, id_of(&world, "lhv").await);
    unlock(&world, &lhv, LHV.0).await.unwrap();
    ask(laptop, LockScreen {}).await.unwrap();
    let status = ask(laptop, GetStatus {}).await.unwrap();
    assert!(matches!(status.phase, Phase::ScreenLocked { .. }) && status.people.len() == 3);
    switch(&world, &doctor, DOCTOR.1).await.expect("at a locked screen, too");
    for _ in 0..4 {
        assert_eq!(switch(&world, &lhv, "9999").await.unwrap_err(), "wrong-pin");
        ask(laptop, LockScreen {}).await.unwrap();
        ask(laptop, UnlockPin { pin: private(DOCTOR.1) }).await.unwrap();
    }
    assert_eq!(active(&world).await, "doctor");
    assert_eq!(switch(&world, &lhv, "9999").await.unwrap_err(), "vault-locked");
    let status = ask(laptop, GetStatus {}).await.unwrap();
    assert!(matches!(status.phase, Phase::Locked { .. }) && status.people.is_empty());
    assert_eq!(ask(laptop, GetToday {}).await.unwrap_err().code, "vault-locked");
    unlock(&world, &lhv, LHV.0).await.unwrap();
    assert_eq!(switch(&world, &doctor, DOCTOR.1).await.unwrap_err(), "passphrase-first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_or_changed_passphrase_is_nobody_elses_business() {
    let (world, recovery) = of_three().await;
    let laptop = &world.doctor;
    let (doctor, lhv) = (id_of(&world, "doctor").await, id_of(&world, "lhv").await);
    let change = |old: &str, new: &str| ChangePassphrase { passphrase: private(old), new: private(new) };
    assert_eq!(ask(laptop, change(LHV.0, "a new one")).await.unwrap_err().code, "wrong-passphrase");
    assert_eq!(ask(laptop, change(DOCTOR.0, " ")).await.unwrap_err().code, "invalid");
    ask(laptop, change(DOCTOR.0, "a new one")).await.unwrap();
    let pin = ChangePin { passphrase: private("a new one"), pin: private("8642") };
    ask(laptop, pin).await.unwrap();
    patient_at(laptop, "Ayesha Bibi").await;
    ask(laptop, LockVault {}).await.unwrap();
    assert_eq!(unlock(&world, &doctor, DOCTOR.0).await.unwrap_err(), "wrong-passphrase");
    unlock(&world, &lhv, LHV.0).await.expect("the LHV's as ever");
    unlock(&world, &doctor, "a new one").await.unwrap();
    switch(&world, &lhv, LHV.1).await.unwrap();
    switch(&world, &doctor, "8642").await.expect("the new PIN");
    ask(laptop, LockVault {}).await.unwrap();

    // The LHV forgot hers.
    let forgot = UnlockRecovery {
        person: lhv.clone(),
        recovery: recovery.clone(),
        passphrase: private("written nowhere"),
        pin: private("1212"),
    };
    ask(laptop, forgot).await.unwrap();
    assert_eq!(active(&world).await, "lhv");
    unlock(&world, &doctor, "a new one").await.unwrap();
    switch(&world, &lhv, "1212").await.unwrap();
    ask(laptop, LockVault {}).await.unwrap();
    assert_eq!(unlock(&world, &lhv, LHV.0).await.unwrap_err(), "wrong-passphrase");
    unlock(&world, &lhv, "written nowhere").await.unwrap();
    assert_eq!(ask(laptop, GetToday {}).await.unwrap().patients, 1);

    // All of it survives the program.
    laptop.close().await;
    let folder = world.folder.path().join("doctor");
    let World { doctor: old, .. } = world;
    drop(old);
    let again = app(&folder, Arc::new(SystemClock { offset_minutes: 300 }));
    let unlock = Unlock { person: doctor, passphrase: private("a new one") };
    ask(&again, unlock).await.unwrap();
    assert_eq!(ask(&again, GetStatus {}).await.unwrap().people.len(), 3);
    again.close().await;
}
