//! What becomes of an ask besides being answered: declined, passed on, asked back, cancelled, the patient gone, its time
//! over; and two who move it at the same moment. Real app cores on a real HIE.

#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::world::{World, ask, consent, form, one_ask, until};
use rabta_app::App;
use rabta_domain::{
    advice::AdviceForm,
    ask::{State, Urgency},
};
use rabta_ipc::{
    Error,
    ask::{
        AskRow, AskView, GetRoster, ListAsks, MoveAsk, OpenAsk, RosterRow, SaveAdvice, SendAsk, SignAdvice,
    },
    patient::GetToday,
    sync::GetSync,
    visit::SignVisit,
};

async fn moves(app: &App, id: &str, to: State, reason: &str) -> Result<AskView, Error> {
    ask(app, MoveAsk { id: id.to_owned(), to, reason: reason.into(), to_person: None }).await
}

async fn passes(app: &App, id: &str, to: &str) -> Result<AskView, Error> {
    let pass =
        MoveAsk { id: id.to_owned(), to: State::PassedOn, reason: "".into(), to_person: Some(to.to_owned()) };
    ask(app, pass).await
}

async fn opens(app: &App, id: &str) -> AskView {
    ask(app, OpenAsk { id: id.to_owned() }).await.unwrap()
}

/// An ask to the pool, which this specialist then has before them.
async fn asked(world: &World, urgency: Urgency) -> String {
    let patient = world.patient("Ayesha Bibi").await;
    let visit = world.visit(&patient.id).await;
    let send = SendAsk { visit: visit.id, consent: consent(), ask: form(urgency) };
    let id = ask(&world.doctor, send).await.unwrap().row.id;
    stands(&world.specialist, &id, State::Requested).await;
    id
}

async fn accepted(world: &World, urgency: Urgency) -> String {
    let id = asked(world, urgency).await;
    moves(&world.specialist, &id, State::Accepted, "").await.unwrap();
    stands(&world.doctor, &id, State::Accepted).await;
    id
}

async fn stands(app: &App, id: &str, state: State) -> AskRow {
    one_ask(app, |row| row.id == id && row.state == state).await
}

async fn in_queue(app: &App, id: &str) -> bool {
    ask(app, ListAsks { closed: false }).await.unwrap().iter().any(|row| row.id == id)
}

async fn drafts_advice(app: &App, id: &str, plan: &str) {
    let form = AdviceForm {
        plan: plan.into(),
        danger_signs: "Not drinking, chest indrawing".into(),
        ..AdviceForm::default()
    };
    ask(app, SaveAdvice { ask: id.to_owned(), rev: 0, form }).await.unwrap();
}

/// How many visits are shown as signed today.
async fn signed_today(app: &App) -> usize {
    ask(app, GetToday {}).await.unwrap().done.len()
}

async fn on_roster(app: &App, name: &str) -> RosterRow {
    let find = |roster: rabta_ipc::ask::Roster| roster.entries.into_iter().find(|entry| entry.name == name);
    until(app, GetRoster {}, find).await
}

/// Everything that these wrote is at the HIE, and nothing of it was refused.
async fn settled(apps: &[&App]) {
    for app in apps {
        let view =
            until(app, GetSync {}, |view| (view.chip.here_only == 0 && view.chip.reachable).then_some(view))
                .await;
        assert_eq!((view.chip.needs_you, view.rows.len()), (0, 0), "{:?}", view.rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_is_passed_on_to_whom_one_chooses_or_back_to_all() {
    let world = World::new().await;
    let bilal = world.another_specialist("Dr Bilal", "always").await;
    let saira = &world.specialist;
    let id = accepted(&world, Urgency::Urgent).await;
    let to_bilal = on_roster(saira, "Dr Bilal").await.person;
    let me = on_roster(saira, "Dr Saira").await.person;

    let stranger = uuid::Uuid::new_v4().to_string();
    for not_to in [me.as_str(), stranger.as_str(), ""] {
        let error = passes(saira, &id, not_to).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.field.as_deref()), ("invalid", Some("to_person")), "{not_to}");
    }
    let give = MoveAsk {
        id: id.clone(),
        to: State::Declined,
        reason: "in surgery".into(),
        to_person: Some(to_bilal.clone()),
    };
    assert_eq!(ask(saira, give).await.unwrap_err().code, "invalid", "who declines gives it to nobody");
    assert_eq!(opens(saira, &id).await.row.state, State::Accepted, "nothing of that had an effect");

    let told = passes(saira, &id, &to_bilal).await.unwrap();
    assert_eq!((told.row.to_person.as_deref(), told.moves.len()), (Some("Dr Bilal"), 0));
    assert!(told.note.question.is_empty(), "the case is the other's now");
    let row = stands(&bilal, &id, State::PassedOn).await;
    assert_eq!(row.to_person.as_deref(), Some("Dr Bilal"));
    assert_eq!(stands(&world.doctor, &id, State::PassedOn).await.to_person.as_deref(), Some("Dr Bilal"));
    assert!(!in_queue(saira, &id).await);

    // Back to the pool: both have it before them, and either may take it.
    moves(&bilal, &id, State::Accepted, "").await.unwrap();
    let back = moves(&bilal, &id, State::PassedOn, "not mine").await.unwrap();
    assert_eq!(back.row.to_person, None);
    // Both had it: the doctor is told, too, that nobody else is there.
    let is_back = |row: &AskRow| {
        let stands = matches!(row.state, State::PassedOn | State::NobodyOnDuty);
        row.id == id && stands && row.to_person.is_none()
    };
    assert!(one_ask(saira, is_back).await.unread && in_queue(saira, &id).await);
    stands(&world.doctor, &id, State::NobodyOnDuty).await;
    stands(saira, &id, State::NobodyOnDuty).await;
    let taken = moves(saira, &id, State::Accepted, "").await.unwrap();
    assert!(taken.mine_to_answer && taken.timeline.iter().any(|row| row.reason.as_str() == "not mine"));
    let told = |view: AskView| (view.row.to_person.as_deref() == Some("Dr Saira")).then_some(view.moves);
    assert!(until(&bilal, OpenAsk { id: id.clone() }, told).await.is_empty());
    settled(&[&world.doctor, saira, &bilal]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_back_where_nobody_else_is_the_doctor_is_told_to_refer_at_once() {
    let world = World::new().await;
    let id = accepted(&world, Urgency::Emergency).await;
    moves(&world.specialist, &id, State::PassedOn, "").await.unwrap();
    stands(&world.doctor, &id, State::NobodyOnDuty).await;
    let view = opens(&world.doctor, &id).await;
    assert!(view.nobody_has_seen && view.phone.is_some());
    assert!(in_queue(&world.specialist, &id).await, "who changes their mind may still take it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_ask_says_why_and_is_asked_again() {
    let world = World::new().await;
    let id = accepted(&world, Urgency::Urgent).await;
    let error = moves(&world.specialist, &id, State::Declined, " ").await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("reason"));
    moves(&world.specialist, &id, State::Declined, "in surgery").await.unwrap();
    stands(&world.doctor, &id, State::NobodyOnDuty).await;
    let view = opens(&world.doctor, &id).await;
    let said = |what: &str, reason: &str| {
        view.timeline.iter().any(|row| row.what == what && row.reason.as_str() == reason)
    };
    assert!(said("declined", "in surgery") && said("nobody-on-duty", ""));

    // Who declined it may still take it; that the page is open is not a look at it.
    stands(&world.specialist, &id, State::NobodyOnDuty).await;
    let view = opens(&world.specialist, &id).await;
    assert_eq!(view.row.state, State::NobodyOnDuty, "the doctor is still told to refer");
    assert!(view.moves.contains(&State::Accepted));

    moves(&world.doctor, &id, State::Requested, "").await.unwrap();
    let row = stands(&world.specialist, &id, State::Requested).await;
    assert_eq!(row.to_person, None, "whoever is there");
    assert_eq!(opens(&world.specialist, &id).await.row.state, State::Seen, "asked again, seen again");
    moves(&world.specialist, &id, State::Accepted, "").await.unwrap();
    stands(&world.doctor, &id, State::Accepted).await;
    settled(&[&world.doctor, &world.specialist]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_for_a_patient_who_left_is_still_wanted() {
    let world = World::new().await;
    let id = accepted(&world, Urgency::Urgent).await;
    moves(&world.doctor, &id, State::PatientLeft, "").await.unwrap();
    assert!(in_queue(&world.doctor, &id).await, "it is not closed");
    stands(&world.specialist, &id, State::PatientLeft).await;
    assert!(in_queue(&world.specialist, &id).await, "an answer helps when they come back");
    let view = opens(&world.specialist, &id).await;
    assert_eq!((view.moves.as_slice(), view.mine_to_answer), ([State::Answered].as_slice(), true));
    drafts_advice(&world.specialist, &id, "When she comes back: amoxicillin, see again in two days.").await;
    ask(&world.specialist, SignAdvice { ask: id.clone() }).await.unwrap();
    stands(&world.doctor, &id, State::Answered).await;
    let view = opens(&world.doctor, &id).await;
    assert!(view.row.state == State::AdviceSeen && view.advice.is_some());

    // They are still away: closed by the doctor, with the advice in the record.
    moves(&world.doctor, &id, State::PatientLeft, "").await.unwrap();
    assert!(!in_queue(&world.specialist, &id).await, "it has its answer");
    moves(&world.doctor, &id, State::Done, "").await.unwrap();
    stands(&world.specialist, &id, State::Done).await;
    assert!(!in_queue(&world.doctor, &id).await);
    settled(&[&world.doctor, &world.specialist]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_was_only_asked_about_is_not_shown_as_signed() {
    let world = World::new().await;
    let id = asked(&world, Urgency::Routine).await;
    assert_eq!((signed_today(&world.doctor).await, signed_today(&world.specialist).await), (0, 0));
    let visit = opens(&world.doctor, &id).await.visit.unwrap();
    ask(&world.doctor, SignVisit { id: visit }).await.unwrap();
    assert_eq!(signed_today(&world.doctor).await, 1);
    settled(&[&world.doctor]).await;
    opens(&world.specialist, &id).await;
    assert_eq!(signed_today(&world.specialist).await, 0, "it is the clinic's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_ask_says_why_and_leaves_the_queue() {
    let world = World::new().await;
    let id = asked(&world, Urgency::Routine).await;
    assert_eq!(moves(&world.doctor, &id, State::Cancelled, "").await.unwrap_err().code, "invalid");
    assert_eq!(moves(&world.specialist, &id, State::Cancelled, "no").await.unwrap_err().code, "not-allowed");
    moves(&world.doctor, &id, State::Cancelled, "sent to the hospital").await.unwrap();
    one_ask(&world.specialist, |row| row.id == id && row.state == State::Cancelled).await;
    assert!(!in_queue(&world.specialist, &id).await && !in_queue(&world.doctor, &id).await);
    let late = moves(&world.specialist, &id, State::Accepted, "").await.unwrap_err();
    assert!(matches!(late.code.as_str(), "not-allowed" | "not-found"), "{late:?}");
    settled(&[&world.doctor, &world.specialist]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_answered_in_a_week_is_asked_again() {
    let mut world = World::new().await;
    let id = accepted(&world, Urgency::Routine).await;
    settled(&[&world.doctor, &world.specialist]).await;
    // The same HIE eight days later. The laptops learn the time from it.
    world.stop_hie().await;
    let later = Arc::new(AtomicI64::new(8 * 86_400_000));
    let ahead = later.clone();
    let clock = rabta_hie::system_clock();
    let mut config = rabta_hie::Config::new(world.folder.path().join("hie"));
    config.listen = world.address;
    config.clock = Arc::new(move || clock() + ahead.load(Ordering::Relaxed));
    world.hie = Some(rabta_hie::serve(config).await.unwrap());
    for app in [&world.doctor, &world.specialist] {
        ask(app, rabta_ipc::sync::SyncNow {}).await.unwrap();
    }
    stands(&world.doctor, &id, State::Expired).await;
    let view = opens(&world.doctor, &id).await;
    assert!(view.moves.contains(&State::Requested) && view.timeline.iter().any(|row| row.what == "expired"));
    assert!(in_queue(&world.doctor, &id).await, "it waits for the doctor");

    moves(&world.doctor, &id, State::Requested, "").await.unwrap();
    let row = stands(&world.specialist, &id, State::Requested).await;
    assert!(row.to_person.is_none() && row.unread);
    moves(&world.specialist, &id, State::Accepted, "").await.unwrap();
    stands(&world.doctor, &id, State::Accepted).await;
    settled(&[&world.doctor, &world.specialist]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_and_answered_at_once_it_is_one_of_both_for_everybody() {
    let world = World::new().await;
    for round in 0..4 {
        let id = accepted(&world, Urgency::Urgent).await;
        drafts_advice(&world.specialist, &id, "Treat at home.").await;
        let (doctors, specialists) = tokio::join!(
            moves(&world.doctor, &id, State::Cancelled, "sent to the hospital"),
            ask(&world.specialist, SignAdvice { ask: id.clone() }),
        );
        // Each laptop moves it on its own word; which one counts, the HIE says.
        assert!(doctors.is_ok() || specialists.is_ok(), "round {round}");
        let settles = |row: &AskRow| matches!(row.state, State::Cancelled | State::Answered);
        settled(&[&world.doctor, &world.specialist]).await;
        let mut ends = Vec::new();
        for app in [&world.doctor, &world.specialist] {
            ends.push(one_ask(app, |row| row.id == id && settles(row)).await.state);
        }
        assert_eq!(ends[0], ends[1], "round {round}: both sides say the same");
        if ends[0] == State::Answered {
            assert!(opens(&world.doctor, &id).await.advice.is_some_and(|advice| advice.signed.verified));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_answers_at_once_the_doctor_reads_the_one_that_counts() {
    let world = World::new().await;
    let bilal = world.another_specialist("Dr Bilal", "always").await;
    for _ in 0..3 {
        let id = asked(&world, Urgency::Urgent).await;
        stands(&bilal, &id, State::Requested).await;
        for app in [&world.specialist, &bilal] {
            drafts_advice(app, &id, "Treat at home.").await;
        }
        let sign = |app| ask(app, SignAdvice { ask: id.clone() });
        let (one, two) = tokio::join!(sign(&world.specialist), sign(&bilal));
        assert!(one.is_ok() || two.is_ok());
        settled(&[&world.specialist, &bilal]).await;
        let row = stands(&world.doctor, &id, State::Answered).await;
        let has = row.to_person.unwrap();
        let read = |view: AskView| view.advice.filter(|advice| advice.signed.name == has);
        let came = until(&world.doctor, OpenAsk { id: id.clone() }, read).await;
        assert!(came.signed.verified);
        let loser = if has == "Dr Saira" { &bilal } else { &world.specialist };
        let told =
            until(loser, OpenAsk { id: id.clone() }, |view| (!view.mine_to_answer).then_some(view)).await;
        assert_eq!((told.row.to_person.as_deref(), told.moves.len()), (Some(has.as_str()), 0));
    }
    settled(&[&world.doctor, &world.specialist, &bilal]).await;
}
