//! Weeks without internet: records go to the HIE on a stick, and the answer comes back on it.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use crate::world::{World, ask, code, join, patient_at, until, visit_at};
use rabta_app::App;
use rabta_domain::Private;
use rabta_hie::admin::PersonFields;
use rabta_ipc::{
    gate::{GetStatus, Phase, Unlock},
    patient::OpenPatient,
    sync::{GetSync, StickDone, SyncView, UseStick},
    visit::SignVisit,
};

/// Opens a vault again that was locked.
async fn unlock(app: &App) {
    let Phase::Locked { persons } = ask(app, GetStatus {}).await.unwrap().phase else { panic!("not locked") };
    let passphrase = Private::from("seven quiet herons wade".to_owned());
    ask(app, Unlock { person: persons[0].id.clone(), passphrase }).await.unwrap();
}

async fn sign(app: &App, patient: &str) {
    let visit = visit_at(app, patient).await;
    ask(app, SignVisit { id: visit.id }).await.unwrap();
}

async fn use_stick(app: &App, stick: &Path) -> StickDone {
    ask(app, UseStick { place: stick.display().to_string() }).await.unwrap()
}

fn names(stick: &Path) -> Vec<String> {
    let entries = fs::read_dir(stick.join("rabta-carry")).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_without_internet_goes_by_stick_and_comes_back() {
    let mut world = World::new().await;
    let stick = tempfile::tempdir().unwrap();
    world.stop_hie().await;
    let patient = patient_at(&world.doctor, "Zainab Bibi").await;
    sign(&world.doctor, &patient.id).await;
    sign(&world.doctor, &patient.id).await;
    let done = use_stick(&world.doctor, stick.path()).await;
    let written = done.written.unwrap();
    assert_eq!((written.visits, written.more, done.taken, done.carried), (2, false, None, 0));
    assert!(written.records >= 3, "the patient, too: {written:?}");
    assert_eq!(ask(&world.doctor, GetSync {}).await.unwrap().chip.visits_here_only, 2, "nothing is sent yet");

    // The laptop is shut, and somebody takes the stick to the city.
    world.doctor.close().await;
    let used = ask(&world.specialist, GetSync {}).await.unwrap().used.unwrap().sent;
    assert_eq!(use_stick(&world.specialist, stick.path()).await.waiting, 1, "there is no line here either");
    let after = ask(&world.specialist, GetSync {}).await.unwrap().used.unwrap().sent;
    assert_eq!(after, used, "nobody pays for what reached nobody");
    world.start_hie().await;
    let done = use_stick(&world.specialist, stick.path()).await;
    assert_eq!((done.carried, done.waiting, done.problems), (1, 0, vec![]));
    let back = names(stick.path());
    let answer = back.iter().find(|name| name.starts_with("for-")).unwrap();
    assert!(!back.contains(&answer.replace("for-", "from-")), "its ask is answered: {back:?}");

    // Back in the village there is still no line.
    world.stop_hie().await;
    let doctor = world.doctor.clone();
    unlock(&doctor).await;
    let carried = stick.path().join("rabta-carry");
    let whole = fs::read(carried.join(answer)).unwrap();
    let mut bent = whole.clone();
    *bent.last_mut().unwrap() ^= 1;
    fs::write(carried.join(answer), &bent).unwrap();
    let done = use_stick(&doctor, stick.path()).await;
    assert_eq!((done.taken, done.problems), (None, vec!["stick-damaged".to_owned()]));
    assert_eq!(ask(&doctor, GetSync {}).await.unwrap().chip.visits_here_only, 2);

    fs::write(carried.join(answer), &whole).unwrap();
    let taken = use_stick(&doctor, stick.path()).await.taken.unwrap();
    assert!(taken.sent >= written.records && taken.refused == 0 && taken.changes >= 3, "{taken:?}");
    assert_eq!(ask(&doctor, GetSync {}).await.unwrap().chip.visits_here_only, 0);
    // What is taken in a second time changes nothing.
    fs::write(carried.join(answer), &whole).unwrap();
    let again = use_stick(&doctor, stick.path()).await.taken.unwrap();
    assert_eq!((again.sent, again.changes), (taken.sent, 0));
    let chart = ask(&doctor, OpenPatient { id: patient.id.clone() }).await.unwrap();
    assert_eq!(chart.visits.len(), 2);

    // With a line again, what went by stick is not sent twice.
    world.start_hie().await;
    let all_there = |view: SyncView| (view.chip.reachable && view.chip.here_only == 0).then_some(());
    until(&doctor, GetSync {}, all_there).await;
    let bilal = PersonFields { name: "Dr Bilal".into(), role: "doctor".into(), ..PersonFields::default() };
    let code = code(world.hie.as_ref().unwrap(), "BHU Kot Radha", bilal).await;
    let colleague = join(&world.folder.path().join("colleague"), code).await;
    let visits = until(&colleague, OpenPatient { id: patient.id.clone() }, |chart| {
        (chart.visits.len() >= 2).then_some(chart.visits.len())
    });
    assert_eq!(visits.await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stick_of_strangers_is_left_as_it_is() {
    let (ours, mut theirs) = (World::new().await, World::new().await);
    let stick = tempfile::tempdir().unwrap();
    // Another clinic's laptop, of another HIE, which is not there now.
    theirs.stop_hie().await;
    let patient = patient_at(&theirs.doctor, "Zainab Bibi").await;
    sign(&theirs.doctor, &patient.id).await;
    assert!(use_stick(&theirs.doctor, stick.path()).await.written.is_some());
    let carried = stick.path().join("rabta-carry");
    fs::write(carried.join("from-holiday.rabta"), b"no file of ours").unwrap();
    let before = names(stick.path());
    let mut done = use_stick(&ours.doctor, stick.path()).await;
    done.problems.sort();
    assert_eq!((done.carried, done.waiting), (0, 0));
    assert_eq!(done.problems, ["stick-damaged", "stick-unknown"]);
    for name in &before {
        assert!(carried.join(name).exists(), "{name} is left");
    }
    let missing = ask(&ours.doctor, UseStick { place: "/nonexistent/stick".into() }).await;
    assert_eq!(missing.unwrap_err().code, "stick-place");
}
