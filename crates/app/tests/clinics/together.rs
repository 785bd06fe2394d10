//! Two laptops of one clinic write about the same patient without knowing of each other; what the HIE refuses is mended. Real
//! app cores on a real HIE.

#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::world::{World, ask, code, join, join_at, patient_at, until, visit_at};
use rabta_app::{App, Clock};
use rabta_domain::{
    age::{AgeSaid, Said},
    patient::{Phone, Registration, Sex},
};
use rabta_hie::admin::PersonFields;
use rabta_ipc::{
    patient::{Amend, Chart, Choice, DecideDetails, Differs, OpenPatient, Register},
    sync::{GetSync, SeeTo, SyncNow, SyncRow, SyncView},
    visit::{CorrectVisit, GetVisit, SaveVisit, SignVisit},
};
use time::OffsetDateTime;

const CLINIC: &str = "BHU Kot Radha";

async fn colleague_code(world: &World) -> String {
    let bilal = PersonFields {
        name: "Dr Bilal".into(),
        role: "doctor".into(),
        registration: Some("54321-P".into()),
        ..PersonFields::default()
    };
    code(world.hie.as_ref().unwrap(), CLINIC, bilal).await
}

/// A colleague's laptop at the same clinic.
async fn colleague(world: &World) -> App {
    let code = colleague_code(world).await;
    join(&world.folder.path().join("bilal"), code).await
}

async fn chart(app: &App, id: &str) -> Chart {
    ask(app, OpenPatient { id: id.to_owned() }).await.unwrap()
}

async fn shows<T>(app: &App, id: &str, good: impl Fn(Chart) -> Option<T>) -> T {
    until(app, OpenPatient { id: id.to_owned() }, good).await
}

/// Changes the details that this laptop shows.
async fn amend(app: &App, id: &str, change: impl FnOnce(&mut Registration)) {
    let mut registration = chart(app, id).await.registration;
    change(&mut registration);
    ask(app, Amend { id: id.to_owned(), registration, shared_cnic: None }).await.unwrap();
}

fn phone(number: &str) -> Vec<Phone> {
    vec![Phone { number: number.into(), owner: "self".into(), safe_to_call: true, ..Phone::default() }]
}

fn number(chart: &Chart) -> &str {
    chart.registration.phones.first().map_or("", |phone| phone.number.as_str())
}

async fn synced(app: &App) -> SyncView {
    ask(app, SyncNow {}).await.unwrap();
    until(app, GetSync {}, |view| (view.chip.here_only == 0 && view.chip.reachable).then_some(view)).await
}

async fn row(app: &App, good: impl Fn(&SyncRow) -> bool) -> SyncRow {
    until(app, GetSync {}, |view| view.rows.into_iter().find(|row| good(row))).await
}

fn undecided(view: &SyncView) -> usize {
    view.rows.iter().filter(|row| row.why == "undecided").count()
}

fn one(mut differs: Vec<Differs>) -> Option<Differs> {
    if differs.len() == 1 { differs.pop() } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_laptops_amend_one_patient_and_nothing_is_replaced_in_silence() {
    let mut world = World::new().await;
    let bilal = colleague(&world).await;
    let id = world.patient("Ayesha Bibi").await.id;
    shows(&bilal, &id, Some).await;
    synced(&world.doctor).await;

    world.stop_hie().await;
    amend(&world.doctor, &id, |form| {
        form.phones = phone("03001111111");
        form.place.text = "Chak 44".into();
    })
    .await;
    amend(&bilal, &id, |form| {
        form.phones = phone("03002222222");
        form.sex = Sex::Male;
    })
    .await;
    world.start_hie().await;
    synced(&world.doctor).await;
    synced(&bilal).await;

    for app in [&world.doctor, &bilal] {
        let (differs, chart) = shows(app, &id, |chart| Some((one(chart.differs.clone())?, chart))).await;
        assert_eq!(differs.field, "phones");
        let said = |by: &str, number: &str| {
            let value = differs.values.iter().find(|value| value.by == by).unwrap();
            assert_eq!(value.text.as_str(), number, "{by}");
            assert_eq!(value.facility, CLINIC);
            value.here
        };
        let (amna_here, bilal_here) = (said("Dr Amna", "03001111111"), said("Dr Bilal", "03002222222"));
        assert!(amna_here != bilal_here, "one was written here, the other not");
        // What only one of them changed is there on both.
        assert_eq!(chart.registration.place.text.as_str(), "Chak 44");
        assert_eq!((chart.registration.sex, chart.card.sex), (Sex::Male, Sex::Male));
        let view = ask(app, GetSync {}).await.unwrap();
        assert_eq!((view.chip.needs_you, undecided(&view)), (1, 1));
        assert!(view.used.is_some_and(|used| used.sent > 500 && used.received > 500));
    }
    let both = |app| shows(app, &id, |chart| Some(number(&chart).to_owned()));
    assert_eq!(both(&world.doctor).await, both(&bilal).await, "both show the same one meanwhile");

    // Nothing is decided by not choosing, nor by correcting something else.
    let nothing = ask(&world.doctor, DecideDetails { id: id.clone(), choices: vec![] }).await.unwrap_err();
    assert_eq!((nothing.code.as_str(), nothing.field.as_deref()), ("invalid", Some("phones")));
    amend(&world.doctor, &id, |form| form.place.landmark = "behind the mill".into()).await;
    synced(&world.doctor).await;
    let landmark = |chart: Chart| {
        (chart.registration.place.landmark.as_str() == "behind the mill").then_some(chart.differs)
    };
    assert_eq!(shows(&bilal, &id, landmark).await.len(), 1);

    let differs = chart(&bilal, &id).await.differs.remove(0);
    let of_bilal = differs.values.iter().find(|value| value.here).unwrap();
    let choices = vec![Choice { field: differs.field.clone(), version: of_bilal.version.clone() }];
    let card = ask(&bilal, DecideDetails { id: id.clone(), choices: choices.clone() }).await.unwrap();
    assert_eq!(card.phone_tail.unwrap().as_str(), "2222");
    synced(&bilal).await;
    for app in [&world.doctor, &bilal] {
        let settled =
            |chart: Chart| (chart.differs.is_empty() && number(&chart) == "03002222222").then_some(chart);
        let chart = shows(app, &id, settled).await;
        assert_eq!(chart.registration.place.landmark.as_str(), "behind the mill");
        let view = until(app, GetSync {}, |view| (view.chip.needs_you == 0).then_some(view)).await;
        assert_eq!(undecided(&view), 0);
    }
    let late = ask(&world.doctor, DecideDetails { id, choices }).await.unwrap_err();
    assert_eq!(late.code, "stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_visit_is_corrected_signed_anew_and_no_longer_needs_anybody() {
    let world = World::new().await;
    let bilal = colleague(&world).await;
    let id = world.patient("Sakina Mai").await.id;
    let visit = visit_at(&world.doctor, &id).await;
    let mut form = visit.form.clone();
    // More than the HIE takes in one line of text.
    form.complaint = "fever ".repeat(4_000).into();
    ask(&world.doctor, SaveVisit { id: visit.id.clone(), rev: visit.rev, form: form.clone() }).await.unwrap();
    ask(&world.doctor, SignVisit { id: visit.id.clone() }).await.unwrap();

    let refused = row(&world.doctor, |row| row.why == "refused").await;
    assert_eq!((refused.kind.as_str(), refused.code.as_str()), ("visit", "too-long"));
    assert_eq!(refused.means, "content");
    assert!(refused.text.contains("longer than"), "the HIE's own words: {}", refused.text);
    assert_eq!(refused.visit.as_deref(), Some(visit.id.as_str()));
    assert_eq!(refused.can, ["correct", "again", "keep"]);
    // Sent again as it is, it is refused again.
    ask(&world.doctor, SeeTo { envelope: refused.envelope.clone(), keep: false }).await.unwrap();
    row(&world.doctor, |row| row.why == "refused").await;

    let draft = ask(&world.doctor, CorrectVisit { id: visit.id.clone() }).await.unwrap();
    form.complaint = "fever".into();
    ask(&world.doctor, SaveVisit { id: draft.id.clone(), rev: draft.rev, form }).await.unwrap();
    ask(&world.doctor, SignVisit { id: draft.id }).await.unwrap();
    let view = synced(&world.doctor).await;
    assert_eq!(view.chip.needs_you, 0);
    let kept = view.rows.iter().find(|row| row.envelope == refused.envelope).unwrap();
    assert_eq!((kept.why.as_str(), kept.code.as_str()), ("replaced", "too-long"), "it is still there");
    let read = |chart: Chart| chart.visits.into_iter().find(|row| row.reason.as_str() == "fever");
    assert!(shows(&bilal, &id, read).await.here);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_mend_stays_here_and_needs_nobody() {
    let world = World::new().await;
    let id = world.patient("Bashir Ahmad").await.id;
    let visit = visit_at(&world.doctor, &id).await;
    let mut form = visit.form.clone();
    form.complaint = "fever ".repeat(4_000).into();
    ask(&world.doctor, SaveVisit { id: visit.id.clone(), rev: visit.rev, form }).await.unwrap();
    ask(&world.doctor, SignVisit { id: visit.id.clone() }).await.unwrap();
    let refused = row(&world.doctor, |row| row.why == "refused").await;
    let keep = SeeTo { envelope: refused.envelope.clone(), keep: true };
    ask(&world.doctor, keep.clone()).await.unwrap();
    let view = synced(&world.doctor).await;
    assert_eq!((view.chip.needs_you, view.chip.here_only), (0, 0));
    assert!(view.rows.iter().any(|row| row.envelope == refused.envelope && row.why == "kept"));
    assert_eq!(ask(&world.doctor, keep).await.unwrap_err().code, "stale");
    assert_eq!(chart(&world.doctor, &id).await.visits.len(), 1, "nothing of it is lost");
}

/// The machine's clock, and a wrong one.
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + time::Duration::days(self.0.load(Ordering::Relaxed))
    }

    fn offset_minutes(&self) -> i16 {
        300
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_registration_is_mended_and_what_waited_for_it_goes_with_its_signature() {
    let world = World::new().await;
    let days = Arc::new(AtomicI64::new(400));
    let code = colleague_code(&world).await;
    let bilal = join_at(&world.folder.path().join("bilal"), code, Arc::new(Ahead(days.clone()))).await;
    // By this laptop's clock the child was born yesterday; by the HIE's in a year.
    let age = |days_ago: i64, of: i64| {
        let today = (OffsetDateTime::now_utc() + time::Duration::days(of)).date();
        let date = today - time::Duration::days(days_ago);
        Some(AgeSaid { said: Said::BirthDate { date }, on: date, by: "paper".into() })
    };
    let registration = Registration {
        name: "Baby Ali".into(),
        sex: Sex::Male,
        age: age(3, 400),
        no_paper: Some("none".into()),
        ..Registration::default()
    };
    let id = ask(&bilal, Register { registration, shared_cnic: None }).await.unwrap().id;
    let visit = visit_at(&bilal, &id).await;
    ask(&bilal, SignVisit { id: visit.id.clone() }).await.unwrap();
    // Somebody else's goes on.
    let other = patient_at(&bilal, "Zainab Bibi").await.id;

    let refused = row(&bilal, |row| row.why == "refused" && row.waiting > 0).await;
    assert_eq!((refused.kind.as_str(), refused.code.as_str()), ("patient", "birth-date-future"));
    assert_eq!(
        (refused.waiting, refused.can.as_slice()),
        (1, ["amend", "again"].map(String::from).as_slice())
    );
    let waits = row(&bilal, |row| row.kind == "visit").await;
    assert_eq!(waits.why, "after");
    let keep = SeeTo { envelope: refused.envelope.clone(), keep: true };
    assert_eq!(ask(&bilal, keep).await.unwrap_err().code, "not-allowed", "a visit waits for it");
    shows(&world.doctor, &other, Some).await;

    days.store(0, Ordering::Relaxed);
    amend(&bilal, &id, |form| form.age = age(3, 0)).await;
    let view = synced(&bilal).await;
    assert_eq!(view.chip.needs_you, 0, "{:?}", view.rows);
    let seen_to: Vec<&str> =
        view.rows.iter().filter(|row| row.why == "replaced").map(|row| row.kind.as_str()).collect();
    assert_eq!(seen_to, ["visit", "patient"]);
    let seen = shows(&world.doctor, &id, |chart| chart.visits.first().map(|row| row.id.clone())).await;
    let signed = ask(&world.doctor, GetVisit { id: seen }).await.unwrap().signed.unwrap();
    assert!(signed.verified && signed.name == "Dr Bilal");
}
