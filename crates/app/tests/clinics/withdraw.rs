//! A patient takes the consent back: at the clinic it stands so, and the specialist's laptop loses the case.

#![allow(clippy::unwrap_used)]

use crate::world::{self, World, ask, consent, form, one_ask, until};
use rabta_domain::ask::AskForm;
use rabta_domain::ask::{State, Urgency};
use rabta_ipc::{
    ask::{ListAsks, OpenAsk, SendAsk, WithdrawConsent},
    sync::{GetSync, SyncNow},
};

fn back(ask: &str) -> WithdrawConsent {
    WithdrawConsent { ask: ask.to_owned(), reason: "Consent withdrawn".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_is_taken_back_takes_the_case_from_the_specialist_and_calls_the_ask_off() {
    let mut world = World::new().await;
    let patient = world.patient("Ayesha Bibi").await;
    let visit = world.visit(&patient.id).await;
    let send = SendAsk { visit: visit.id.clone(), consent: consent(), ask: form(Urgency::Routine) };
    let id = ask(&world.doctor, send).await.unwrap().row.id;
    one_ask(&world.specialist, |row| row.id == id).await;
    assert_eq!(ask(&world.specialist, OpenAsk { id: id.clone() }).await.unwrap().note.consent, "given");
    one_ask(&world.doctor, |row| row.state == State::Seen).await;
    assert_eq!(ask(&world.specialist, back(&id)).await.unwrap_err().code, "not-allowed");

    // Without a network it stands at the clinic at once, and goes when there is one.
    let address = world.address;
    world.hie.take().unwrap().shutdown().await;
    let view = ask(&world.doctor, back(&id)).await.unwrap();
    assert_eq!((view.note.consent.as_str(), view.row.state), ("withdrawn", State::Cancelled));
    assert!(!view.row.card.name.as_str().is_empty(), "the record here stays");
    let waits = ask(&world.doctor, GetSync {}).await.unwrap().chip.here_only;
    ask(&world.doctor, back(&id)).await.unwrap();
    assert_eq!(ask(&world.doctor, GetSync {}).await.unwrap().chip.here_only, waits, "once is enough");

    world.hie = Some(world::serve(world.folder.path(), address).await);
    for app in [&world.doctor, &world.specialist] {
        ask(app, SyncNow {}).await.unwrap();
    }
    until(&world.doctor, GetSync {}, |sync| {
        (sync.chip.here_only == 0 && sync.chip.needs_you == 0).then_some(())
    })
    .await;
    until(&world.specialist, ListAsks { closed: true }, |rows| rows.is_empty().then_some(())).await;
    let gone = ask(&world.specialist, OpenAsk { id: id.clone() }).await.unwrap_err();
    assert_eq!(gone.code, "consent-withdrawn");

    // A new yes is a new ask.
    let send = SendAsk {
        visit: visit.id,
        consent: consent(),
        ask: AskForm { question: "Again: refer?".into(), ..form(Urgency::Routine) },
    };
    let again = ask(&world.doctor, send).await.unwrap().row.id;
    one_ask(&world.specialist, |row| row.id == again).await;
    until(&world.specialist, OpenAsk { id: again }, |view| (view.note.consent == "given").then_some(()))
        .await;
}
