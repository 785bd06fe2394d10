//! An ask that goes to a pool: who sees it, who gets it, and what becomes of those who came too late.

use super::*;

contract!(
    all_of_a_pool_see_an_ask_until_one_takes_it,
    of_two_who_take_an_ask_at_once_one_has_it,
    nobody_takes_an_ask_for_somebody_else,
    advice_of_one_who_was_asked_is_kept_while_there_is_no_other,
);

/// A clinic's doctor, two pediatricians of two hospitals, and an ask to whoever of them is first.
struct PoolAsk {
    doctor: Member,
    one: Member,
    two: Member,
    patient: Id,
    task: Id,
}

async fn ask<W: World>(world: &W) -> PoolAsk {
    let mut doctor = world.join(world.facility().await).await;
    let one = world.join_as("specialist", world.facility().await).await;
    let two = world.join_as("specialist", world.facility().await).await;
    let surgeon = world.join_as("specialist", one.facility).await;
    world.on_duty(one.person, "pediatrics").await;
    world.on_duty(two.person, "pediatrics").await;
    world.on_duty(surgeon.person, "surgery").await;
    let (patient, registered) = patient(&mut doctor);
    let consent = doctor.write(
        Draft::new(Kind::Consent, patient, payloads::consent(patient, "permit")).after(&[registered.id]),
    );
    let task = id();
    let note = payloads::pool_note(task, patient, "urgent", doctor.person);
    let note = Draft::new(Kind::ReferralNote, patient, note).task(task).after(&[consent.id]).signed();
    let note = doctor.write(note);
    for outcome in push(world, &doctor, &[registered, consent, note]).await {
        durable(&outcome);
    }
    assert!(kinds(world, &surgeon).await.is_empty(), "of another specialty");
    PoolAsk { doctor, one, two, patient, task }
}

impl PoolAsk {
    fn makes(&self, to: State, owner: Option<Id>, base: u32) -> Draft {
        let payload = payloads::pool_move(self.task, self.patient, to, owner);
        Draft::new(Kind::TaskMove, self.patient, payload).task(self.task).on(base).signed()
    }
}

async fn all_of_a_pool_see_an_ask_until_one_takes_it<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let whole = [Kind::Patient, Kind::Consent, Kind::ReferralNote];
    assert_eq!(kinds(&world, &ask.one).await, whole);
    assert_eq!(kinds(&world, &ask.two).await, whole);

    let seen = ask.makes(State::Seen, None, 1);
    let seen = ask.one.write(seen);
    durable(&push_one(&world, &ask.one, &seen).await);
    assert_eq!(
        kinds(&world, &ask.two).await,
        [&whole[..], &[Kind::TaskMove]].concat(),
        "a look takes nothing"
    );

    let taken = ask.makes(State::Accepted, Some(ask.two.person), 2);
    let taken = ask.two.write(taken);
    durable(&push_one(&world, &ask.two, &taken).await);
    assert_eq!(
        kinds(&world, &ask.one).await,
        [Kind::TaskMove, Kind::TaskMove],
        "that it is taken, and no more"
    );
    assert_eq!(kinds(&world, &ask.two).await.len(), 5);

    // What comes now is theirs alone who took it.
    let advice = Draft::new(Kind::Advice, ask.patient, payloads::advice(ask.patient)).task(ask.task).signed();
    let advice = ask.two.write(advice);
    durable(&push_one(&world, &ask.two, &advice).await);
    assert_eq!(kinds(&world, &ask.one).await.len(), 2);
    assert!(kinds(&world, &ask.doctor).await.contains(&Kind::Advice));
}

async fn of_two_who_take_an_ask_at_once_one_has_it<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let first = ask.makes(State::Accepted, Some(ask.one.person), 1);
    let second = ask.makes(State::Accepted, Some(ask.two.person), 1);
    let (first, second) = (ask.one.write(first), ask.two.write(second));
    durable(&push_one(&world, &ask.one, &first).await);
    let late = push_one(&world, &ask.two, &second).await;
    assert!(matches!(&late, Outcome::Superseded { code, .. } if code == "accepted"), "{late:?}");
    // They may not take it from the other, either.
    let again = ask.makes(State::Declined, Some(ask.one.person), 2);
    let again = ask.two.write(again);
    refused(&push_one(&world, &ask.two, &again).await, "task-move");
}

async fn nobody_takes_an_ask_for_somebody_else<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let (one, two) = (ask.one.person, ask.two.person);
    for (to, owner, code) in [
        (State::Accepted, Some(two), "task-owner"),
        (State::Accepted, None, "task-owner"),
        (State::Declined, None, "task-move"),
        (State::PassedOn, Some(two), "task-move"),
        (State::Seen, Some(one), "task-owner"),
    ] {
        let wrong = ask.makes(to, owner, 1);
        let wrong = ask.one.write(wrong);
        refused(&push_one(&world, &ask.one, &wrong).await, code);
    }
}

async fn advice_of_one_who_was_asked_is_kept_while_there_is_no_other<W: World>() {
    let world = W::new().await;
    let mut ask = ask(&world).await;
    let taken = ask.makes(State::Accepted, Some(ask.one.person), 1);
    let taken = ask.one.write(taken);
    durable(&push_one(&world, &ask.one, &taken).await);
    let advise = |ask: &PoolAsk| {
        Draft::new(Kind::Advice, ask.patient, payloads::advice(ask.patient)).task(ask.task).signed()
    };
    // Written without a link, before they heard of it.
    let (advice, answered) = (advise(&ask), ask.makes(State::Answered, Some(ask.two.person), 1));
    let (advice, answered) = (ask.two.write(advice), ask.two.write(answered));
    for outcome in push(&world, &ask.two, &[advice, answered]).await {
        durable(&outcome);
    }
    let doctors = kinds(&world, &ask.doctor).await;
    assert!(doctors.contains(&Kind::Advice));
    // It is done: the other's advice is kept for who wrote it, and told that it came too late.
    for (to, base) in [(State::AdviceSeen, 3), (State::Done, 4)] {
        let step = ask.makes(to, Some(ask.two.person), base);
        let step = ask.doctor.write(step);
        durable(&push_one(&world, &ask.doctor, &step).await);
    }
    let (advice, answered) = (advise(&ask), ask.makes(State::Answered, Some(ask.one.person), 2));
    let (advice, answered) = (ask.one.write(advice), ask.one.write(answered));
    for outcome in push(&world, &ask.one, &[advice, answered]).await {
        assert!(matches!(&outcome, Outcome::Superseded { code, .. } if code == "done"), "{outcome:?}");
    }
}
