//! A call between two app cores over a real HIE and the real engine, without microphone and camera.

#![allow(clippy::unwrap_used)]

use crate::world::{World, ask, consent, form, one_ask, until};
use rabta_app::App;
use rabta_domain::ask::Urgency;
use rabta_ipc::{
    ask::{GetRoster, OpenAsk, SendAsk},
    call::{
        AcceptCall, CallItem, CallItems, CallView, DeclineCall, GetCall, HangUp, Mute, SendChat, StartCall,
    },
    gate::SwitchPerson,
};

async fn asked(world: &World) -> String {
    let patient = world.patient("Ayesha Bibi").await;
    let visit = world.visit(&patient.id).await;
    until(&world.doctor, GetRoster {}, |roster| (!roster.entries.is_empty()).then_some(())).await;
    let send = SendAsk { visit: visit.id, consent: consent(), ask: form(Urgency::Urgent) };
    let id = ask(&world.doctor, send).await.unwrap().row.id;
    one_ask(&world.specialist, |row| row.id == id).await;
    // Of a pool's ask the clinic may call whoever looked at it; and both must have been heard of.
    ask(&world.specialist, OpenAsk { id: id.clone() }).await.unwrap();
    until(&world.doctor, OpenAsk { id: id.clone() }, |view| view.can_call.then_some(())).await;
    id
}

async fn call(app: &App, good: impl Fn(&CallView) -> bool) -> CallView {
    until(app, GetCall {}, |call| call.filter(|view| good(view))).await
}

fn phase(view: &CallView) -> &str {
    view.legs.first().map_or("", |leg| leg.phase.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_rings_is_taken_carries_words_and_is_part_of_the_ask_afterwards() {
    let world = World::new().await;
    let (doctor, specialist) = (&world.doctor, &world.specialist);
    let id = asked(&world).await;

    ask(specialist, StartCall { ask: id.clone(), video: true }).await.unwrap();
    let busy = ask(specialist, StartCall { ask: id.clone(), video: true }).await;
    assert_eq!(busy.unwrap_err().code, "in-a-call");
    let ringing = call(doctor, |view| phase(view) == "incoming" && view.legs[0].name == "Dr Saira").await;
    assert!(!ringing.outgoing && ringing.ask == id);
    ask(doctor, AcceptCall { video: true, pressed_at: 0 }).await.unwrap();
    for app in [doctor, specialist] {
        let view = call(app, |view| matches!(phase(view), "in-call" | "weak")).await;
        assert!(view.legs[0].verified, "the other device's key signed what it said");
        assert!(!view.has_camera && !view.has_microphone, "told, and no reason not to talk");
    }

    // A call is of the person who is in it: nobody takes over before it ends.
    let colleague = SwitchPerson { person: uuid::Uuid::new_v4().to_string(), pin: "2580".to_owned().into() };
    assert_eq!(ask(doctor, colleague).await.unwrap_err().code, "in-a-call");

    ask(specialist, Mute { on: true }).await.unwrap();
    call(doctor, |view| view.legs[0].far_muted).await;
    let endless = ask(specialist, SendChat { text: "x".repeat(10_000_000).into() }).await;
    assert_eq!(endless.unwrap_err().code, "too-large", "neither into the call nor to the ask");
    ask(specialist, SendChat { text: "Is she drinking?".into() }).await.unwrap();
    let line = |items: Vec<CallItem>| {
        items.into_iter().find_map(|item| match item {
            CallItem::Chat { mine, text, .. } => Some((mine, text.0)),
            CallItem::Still { .. } => None,
        })
    };
    assert_eq!(until(doctor, CallItems {}, line).await, (false, "Is she drinking?".to_owned()));

    ask(doctor, HangUp {}).await.unwrap();
    for app in [doctor, specialist] {
        let view = until(app, GetCall {}, |call| match call {
            None => Some(None),
            Some(view) => view.ended.clone().map(Some),
        });
        assert!(matches!(view.await.as_deref(), None | Some("hung-up")));
    }
    // What was said in it belongs to the ask, and so does how it was held.
    let view =
        until(doctor, OpenAsk { id: id.clone() }, |view| (!view.messages.is_empty()).then_some(view)).await;
    assert_eq!(view.messages[0].text.0, "Is she drinking?");
    assert!(view.timeline.iter().any(|row| row.what == "call"));
    world.doctor.close().await;
    world.specialist.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_call_ends_on_both_sides_and_the_next_one_rings_at_once() {
    let world = World::new().await;
    let (doctor, specialist) = (&world.doctor, &world.specialist);
    let id = asked(&world).await;
    ask(doctor, StartCall { ask: id.clone(), video: false }).await.unwrap();
    let first = call(specialist, |view| phase(view) == "incoming").await;
    ask(specialist, DeclineCall {}).await.unwrap();
    let ended = call(doctor, |view| view.ended.is_some()).await;
    assert_eq!(ended.ended.as_deref(), Some("declined"));

    ask(doctor, StartCall { ask: id, video: false }).await.unwrap();
    let second = call(specialist, |view| phase(view) == "incoming" && view.call != first.call).await;
    assert!(second.ended.is_none());
    world.doctor.close().await;
    world.specialist.close().await;
}
