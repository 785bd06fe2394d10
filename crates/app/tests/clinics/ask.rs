//! Two app cores and a real HIE: an ask from its consent to its end, with the network and without.

#![allow(clippy::unwrap_used)]

use crate::world::{World, ask, consent, form, one_ask, serve, until};
use rabta_app::App;
use rabta_domain::{
    advice::{AdviceForm, Decision},
    ask::{AskForm, State, Urgency},
    consent::ConsentForm,
    medicine::{Food, MedicineLine},
    patient::Custody,
};
use rabta_ipc::{
    Error,
    ask::{
        AskDraft, AskView, CheckAdvice, Decide, GetAskDraft, GetRoster, ListAsks, MoveAsk, OpenAsk,
        PreviewNote, RecordRefusal, SaveAdvice, SaveAskDraft, SendAsk, SendMessage, SignAdvice,
    },
    sync::{GetSync, SyncNow},
    visit::SignVisit,
};

fn line() -> MedicineLine {
    MedicineLine {
        id: uuid::Uuid::new_v4().to_string(),
        generic: "Amoxicillin".into(),
        form: "syrup".into(),
        strength: "250 mg/5 ml".into(),
        dose: "5 ml TDS".into(),
        food: Food::After,
        days: 5,
        ..MedicineLine::default()
    }
}

async fn moved(app: &App, id: &str, to: State, reason: &str) -> Result<AskView, Error> {
    ask(app, MoveAsk { id: id.to_owned(), to, reason: reason.into(), to_person: None }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_goes_its_way_from_the_consent_to_done_and_every_signature_holds() {
    let world = World::new().await;
    let (doctor, specialist) = (&world.doctor, &world.specialist);
    let patient = world.patient("Ayesha Bibi").await;
    let visit = world.visit(&patient.id).await;
    let roster = until(doctor, GetRoster {}, |roster| (!roster.entries.is_empty()).then_some(roster)).await;
    assert!(roster.entries[0].on_duty && roster.entries[0].name == "Dr Saira");

    let preview = PreviewNote { visit: visit.id.clone(), ask: form(Urgency::Routine) };
    let preview = ask(doctor, preview).await.unwrap();
    assert_eq!((preview.question.as_str(), preview.signed.is_none()), ("Pneumonia? Refer?", true));

    let refused = ConsentForm { decision: "refused".into(), ..ConsentForm::default() };
    let send = SendAsk { visit: visit.id.clone(), consent: refused.clone(), ask: form(Urgency::Routine) };
    assert_eq!(ask(doctor, send).await.unwrap_err().code, "consent-missing");

    // What is filled in is kept, and gone once the patient said no: that is recorded without any ask.
    let draft = AskDraft {
        consent: consent(),
        ask: AskForm { wishes: vec!["chaperone".into()], ..form(Urgency::Urgent) },
    };
    let kept = async || ask(doctor, GetAskDraft { visit: visit.id.clone() }).await.unwrap();
    assert_eq!(kept().await, None);
    ask(doctor, SaveAskDraft { visit: visit.id.clone(), draft: draft.clone() }).await.unwrap();
    assert_eq!(kept().await.as_ref(), Some(&draft));
    let agreed = RecordRefusal { visit: visit.id.clone(), consent: consent() };
    assert_eq!(ask(doctor, agreed).await.unwrap_err().code, "invalid");
    ask(doctor, RecordRefusal { visit: visit.id.clone(), consent: refused }).await.unwrap();
    assert_eq!(kept().await, None);
    assert!(ask(doctor, ListAsks { closed: true }).await.unwrap().is_empty(), "nothing was asked");
    ask(doctor, SaveAskDraft { visit: visit.id.clone(), draft: draft.clone() }).await.unwrap();

    let wishes = vec!["chaperone".to_owned()];
    let wished = AskForm { wishes: wishes.clone(), ..form(Urgency::Routine) };
    let send = SendAsk { visit: visit.id.clone(), consent: consent(), ask: wished };
    let sent = ask(doctor, send).await.unwrap();
    assert_eq!(sent.row.state, State::Requested);
    assert_eq!(kept().await, None, "sent");
    assert!(sent.note.signed.as_ref().is_some_and(|signed| signed.verified) && !sent.nobody_has_seen);
    let id = sent.row.id.clone();

    // The specialist sees it appear, opens it, and that sends the receipt.
    let row = one_ask(specialist, |row| row.id == id).await;
    assert!(row.unread && row.card.name.as_str() == "Ayesha Bibi" && row.from_person == "Dr Amna");
    let opened = ask(specialist, OpenAsk { id: id.clone() }).await.unwrap();
    assert_eq!(opened.row.state, State::Seen);
    assert!(opened.note.signed.as_ref().is_some_and(|signed| signed.verified));
    assert_eq!((opened.note.consent.as_str(), &opened.note.wishes), ("given", &wishes));
    assert!(opened.mine_to_answer && !opened.row.unread);
    let again = ask(specialist, OpenAsk { id: id.clone() }).await.unwrap();
    assert_eq!(again.timeline.iter().filter(|row| row.what == "seen").count(), 1, "one receipt");
    one_ask(doctor, |row| row.custody == Custody::SeenBySpecialist).await;

    // A question back, and its answer hands the case over again.
    assert_eq!(moved(specialist, &id, State::AskedBack, " ").await.unwrap_err().code, "invalid");
    assert_eq!(moved(doctor, &id, State::Accepted, "").await.unwrap_err().code, "not-allowed");
    moved(specialist, &id, State::AskedBack, "How fast does she breathe?").await.unwrap();
    one_ask(doctor, |row| row.state == State::AskedBack && row.unread).await;
    let answered = SendMessage { ask: id.clone(), text: "44 a minute".into() };
    assert_eq!(ask(doctor, answered).await.unwrap().row.state, State::Accepted);
    one_ask(specialist, |row| row.state == State::Accepted).await;
    let seen = ask(specialist, OpenAsk { id: id.clone() }).await.unwrap();
    assert_eq!(seen.messages.last().map(|m| (m.text.0.as_str(), m.mine)), Some(("44 a minute", false)));

    // The advice.
    assert_eq!(ask(specialist, SignAdvice { ask: id.clone() }).await.unwrap_err().code, "not-found");
    let advice = AdviceForm {
        plan: "Treat at home, see again in two days.".into(),
        medicines: vec![line(), line()],
        danger_signs: "Not drinking, chest indrawing".into(),
        ..AdviceForm::default()
    };
    let save = SaveAdvice { ask: id.clone(), rev: 0, form: advice.clone() };
    let saved = ask(specialist, save.clone()).await.unwrap();
    assert_eq!(
        ask(specialist, save).await.unwrap_err().code,
        "stale",
        "saved since, as revision {}",
        saved.rev
    );
    let findings = ask(specialist, CheckAdvice { ask: id.clone() }).await.unwrap();
    assert!(findings.iter().all(|finding| !finding.stops), "{findings:?}");
    let signed = ask(specialist, SignAdvice { ask: id.clone() }).await.unwrap();
    assert_eq!(signed.row.state, State::Answered);
    assert!(signed.draft.is_none());

    // The doctor sees and decides.
    one_ask(doctor, |row| row.state == State::Answered).await;
    let view = ask(doctor, OpenAsk { id: id.clone() }).await.unwrap();
    assert_eq!(view.row.state, State::AdviceSeen);
    let came = view.advice.unwrap();
    assert!(came.signed.verified && came.signed.name == "Dr Saira");
    assert_eq!(came.form.modality, ["writing"]);
    let lines: Vec<String> = came.form.medicines.iter().map(|line| line.id.clone()).collect();
    let partial = Decide { ask: id.clone(), decisions: vec![Decision::Accepted { line: lines[0].clone() }] };
    assert_eq!(ask(doctor, partial).await.unwrap_err().code, "invalid");
    let decisions = vec![
        Decision::Accepted { line: lines[0].clone() },
        Decision::Declined { line: lines[1].clone(), reason: "twice the same".into() },
    ];
    let decided = ask(doctor, Decide { ask: id.clone(), decisions: decisions.clone() }).await.unwrap();
    assert_eq!(decided.decisions, decisions);
    moved(doctor, &id, State::Explained, "").await.unwrap();
    let done = moved(doctor, &id, State::Done, "").await.unwrap();
    assert!(done.moves.is_empty() && !done.can_call);
    one_ask(specialist, |row| row.state == State::Done).await;

    // The visit is signed after all that, and everything is at the HIE.
    ask(doctor, SignVisit { id: visit.id }).await.unwrap();
    let all_there =
        |view: rabta_ipc::sync::SyncView| (view.chip.here_only == 0 && view.chip.reachable).then_some(view);
    for app in [doctor, specialist] {
        let view = until(app, GetSync {}, all_there).await;
        assert_eq!((view.chip.needs_you, view.rows.len()), (0, 0));
    }
    world.doctor.close().await;
    world.specialist.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_hie_an_urgent_ask_says_that_nobody_has_seen_it_and_goes_when_the_hie_is_back() {
    let mut world = World::new().await;
    let patient = world.patient("Zainab").await;
    until(&world.doctor, GetRoster {}, |roster| (!roster.entries.is_empty()).then_some(())).await;
    until(&world.doctor, GetSync {}, |view| (view.chip.here_only == 0).then_some(())).await;
    world.stop_hie().await;

    let visit = world.visit(&patient.id).await;
    let send = SendAsk { visit: visit.id, consent: consent(), ask: form(Urgency::Urgent) };
    let sent = ask(&world.doctor, send).await.unwrap();
    assert!(sent.nobody_has_seen);
    assert_eq!(sent.phone.as_deref(), Some("+92 300 1234567"));
    assert_eq!((sent.row.custody, sent.row.state), (Custody::Here, State::Requested));
    let id = sent.row.id;
    let view = until(&world.doctor, GetSync {}, |view| (!view.chip.reachable).then_some(view)).await;
    assert!(view.chip.here_only >= 2, "consent and note");
    assert!(view.rows.iter().all(|row| row.custody == Custody::Here));

    world.start_hie().await;
    ask(&world.doctor, SyncNow {}).await.unwrap();
    one_ask(&world.doctor, |row| row.id == id && row.custody == Custody::AtHie).await;
    ask(&world.specialist, SyncNow {}).await.unwrap();
    one_ask(&world.specialist, |row| row.id == id).await;
    let opened = ask(&world.specialist, OpenAsk { id: id.clone() }).await.unwrap();
    assert!(!opened.nobody_has_seen);
    one_ask(&world.doctor, |row| row.custody == Custody::SeenBySpecialist).await;
    let view = until(&world.doctor, GetSync {}, |view| (view.chip.here_only == 0).then_some(view)).await;
    assert_eq!(view.chip.needs_you, 0);
    world.doctor.close().await;
    world.specialist.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_specialists_who_take_a_case_at_once_one_has_it_and_the_other_is_told() {
    let mut world = World::new().await;
    let second = world.another_specialist("Dr Bilal", "always").await;
    let patient = world.patient("Ayesha Bibi").await;
    let visit = world.visit(&patient.id).await;
    let send = SendAsk { visit: visit.id, consent: consent(), ask: form(Urgency::Urgent) };
    let sent = ask(&world.doctor, send).await.unwrap();
    let id = sent.row.id.clone();
    assert_eq!(sent.row.to_person, None, "whoever is first");
    let both = [&world.specialist, &second];
    for specialist in both {
        one_ask(specialist, |row| row.id == id && row.state == State::Requested).await;
    }
    // Neither may decline it for the other.
    let refused = moved(&second, &id, State::Declined, "busy").await.unwrap_err();
    assert_eq!(refused.code, "not-allowed");

    // Neither hears of the other before it takes it, however busy the machine is.
    world.hie.take().unwrap().shutdown().await;
    let take = |app| moved(app, &id, State::Accepted, "");
    let (one, two) = tokio::join!(take(both[0]), take(both[1]));
    one.unwrap();
    two.unwrap();
    world.hie = Some(serve(world.folder.path(), world.address).await);
    for app in [&world.doctor, both[0], both[1]] {
        ask(app, SyncNow {}).await.unwrap();
    }
    let has = one_ask(&world.doctor, |row| row.state == State::Accepted).await.to_person.unwrap();
    let (winner, loser) = if has == "Dr Saira" { (both[0], both[1]) } else { (both[1], both[0]) };
    assert!(has == "Dr Saira" || has == "Dr Bilal");
    let told = until(loser, OpenAsk { id: id.clone() }, |view| (!view.mine_to_answer).then_some(view)).await;
    assert_eq!((told.row.to_person.as_deref(), told.moves.len()), (Some(has.as_str()), 0));
    assert!(told.note.question.is_empty() && !told.can_call, "the case is the other's now");
    assert!(ask(loser, ListAsks { closed: false }).await.unwrap().is_empty());
    let sync = ask(loser, GetSync {}).await.unwrap();
    assert_eq!(sync.chip.needs_you, 0, "coming too late is no fault: {sync:?}");

    let view = ask(winner, OpenAsk { id: id.clone() }).await.unwrap();
    assert!(view.mine_to_answer && view.moves.contains(&State::Declined));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nobody_on_duty_the_doctor_is_told_to_refer_and_whom_to_telephone() {
    let world = World::new().await;
    // The person is known, and never on duty.
    world.hours("none").await;
    let patient = world.patient("Ayesha Bibi").await;
    let visit = world.visit(&patient.id).await;
    let send = SendAsk { visit: visit.id, consent: consent(), ask: form(Urgency::Emergency) };
    let id = ask(&world.doctor, send).await.unwrap().row.id;
    one_ask(&world.doctor, |row| row.state == State::NobodyOnDuty).await;
    let view = ask(&world.doctor, OpenAsk { id: id.clone() }).await.unwrap();
    assert!(view.nobody_has_seen && view.phone.is_some());
    assert!(
        view.timeline.iter().any(|row| row.what == "nobody-on-duty" && row.by == "HIE"),
        "said by the HIE"
    );
    assert!(view.moves.contains(&State::Requested) && view.moves.contains(&State::Cancelled));

    // Somebody comes on duty: it goes to them by name.
    world.hours("always").await;
    let row = one_ask(&world.specialist, |row| row.state == State::Escalated).await;
    assert_eq!(row.to_person.as_deref(), Some("Dr Saira"));
}
