//! The client against a server whose every word is scripted.

#![allow(clippy::unwrap_used)]

#[path = "client/bad.rs"]
mod bad;
mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rabta_sync::{Endpoint, HieClient, HieError, Offset, Pins, SystemClock};
use rabta_wire::{
    Id,
    cursor::Cursor,
    log::{Ack, Outcome, PullReply, Push, PushReply},
    token::{AUDIENCE, Claims, claims_text, verify_assertion},
};
use support::{Answer, FakeHie, HIE_SECONDS, Request, StandingClock, TOKEN, me};

const EPOCH: Id = Id([8; 16]);

fn pull_reply(epoch: Id, seq: u64) -> Vec<u8> {
    let next = Cursor { epoch, seq };
    minicbor::to_vec(PullReply {
        changes: vec![],
        next,
        more: false,
        backed_up: 0,
        remaining: 0,
        lease: None,
        copied: None,
    })
    .unwrap()
}

fn well(request: &Request) -> Answer {
    match request.what.as_str() {
        "POST /v1/token" => Answer::ok(TOKEN),
        "GET /v1/changes" => Answer::ok(pull_reply(EPOCH, 5)),
        "POST /v1/envelopes" => {
            let push: Push = minicbor::decode(&request.body).unwrap();
            let ack = Ack { id: Id([0; 16]), outcome: Outcome::Durable { seq: 1 } };
            let acks = vec![ack; push.envelopes.len()];
            Answer::ok(minicbor::to_vec(PushReply { epoch: EPOCH, acks }).unwrap())
        }
        _ => Answer::refused(404, "not-found"),
    }
}

#[tokio::test]
async fn a_server_with_another_key_is_refused_before_anything_is_said_to_it() {
    let hie = FakeHie::start(well).await;
    let mut code = hie.code();
    code.spki_sha256_16[3] ^= 1;
    let client = HieClient::for_code(&code, Arc::new(SystemClock::default())).unwrap();
    assert!(matches!(client.check_code(&code).await, Err(HieError::KeyChanged)));

    let endpoint = Endpoint { address: hie.address.clone(), pins: Pins::whole([[0; 32], [1; 32]]) };
    let client = HieClient::new(endpoint, me(), Arc::new(SystemClock::default()), Offset::default()).unwrap();
    assert!(matches!(client.pull(None, 10).await, Err(HieError::KeyChanged)));
    assert!(hie.seen.lock().unwrap().is_empty(), "nothing was said");
}

#[tokio::test]
async fn the_code_s_half_hash_is_enough_to_ask_what_it_is_for_and_a_refusal_keeps_its_code() {
    let used = AtomicUsize::new(0);
    let hie = FakeHie::start(move |request| {
        assert_eq!(request.what, "POST /v1/enroll/check");
        assert!(String::from_utf8_lossy(&request.body).contains("BwcHBwcHBwcHBw"), "the secret, base64url");
        if used.fetch_add(1, Ordering::SeqCst) > 0 {
            return Answer::refused(409, "enroll-used");
        }
        let id = Id([4; 16]);
        Answer::ok(format!(
            r#"{{"facility":{{"id":"{id}","name":"BHU Kot","place":null,"address":null,"kind":"clinic"}},
                "person":{{"id":"{id}","name":"Dr Amna","role":"doctor","registration":"1-P","qualification":null,
                "specialty":null,"phone":null}}}}"#
        ))
    })
    .await;
    let client = HieClient::for_code(&hie.code(), Arc::new(SystemClock::default())).unwrap();
    assert_eq!(client.check_code(&hie.code()).await.unwrap().person.name, "Dr Amna");
    match client.check_code(&hie.code()).await {
        Err(HieError::Refused { status: 409, code, text }) => {
            assert_eq!((code.as_str(), text.as_str()), ("enroll-used", "in words"));
        }
        other => panic!("{:?}", other.err()),
    }
}

/// The server takes an assertion only by its own clock.
fn strict(request: &Request) -> Answer {
    if request.what != "POST /v1/token" {
        return well(request);
    }
    let body = String::from_utf8(request.body.clone()).unwrap();
    let assertion = body.split("client_assertion=").nth(1).unwrap();
    verify_assertion(&me().device_key.verifying_key(), assertion).unwrap();
    let claims: Claims = serde_json::from_slice(&claims_text(assertion).unwrap()).unwrap();
    assert_eq!((claims.aud.as_str(), claims.iss, claims.person), (AUDIENCE, me().device, me().person));
    if (claims.iat - HIE_SECONDS).abs() > 60 || claims.exp > HIE_SECONDS + 300 {
        return Answer::refused(401, "invalid_client");
    }
    Answer::ok(TOKEN)
}

#[tokio::test]
async fn a_laptop_whose_clock_stands_in_1970_learns_the_time_and_gets_its_token() {
    let hie = FakeHie::start(strict).await;
    let client = hie.client(StandingClock::at(86_400_000));
    assert_eq!(client.token().await.unwrap(), "t1");
    assert_eq!(hie.asked_for("POST /v1/token"), 2, "the refusal brought the time");
    let offset = client.offset().get().unwrap();
    assert_eq!(offset, HIE_SECONDS * 1_000 + 500 - 86_400_000);
}

#[tokio::test]
async fn a_token_is_used_until_its_end_and_a_refused_one_is_replaced_once() {
    let pulls = AtomicUsize::new(0);
    let hie = FakeHie::start(move |request| match request.what.as_str() {
        "GET /v1/changes" if pulls.fetch_add(1, Ordering::SeqCst) == 2 => Answer::refused(401, "token"),
        _ => strict(request),
    })
    .await;
    let client = hie.client(StandingClock::at(HIE_SECONDS * 1_000));
    client.pull(None, 10).await.unwrap();
    client.pull(None, 10).await.unwrap();
    assert_eq!(hie.asked_for("POST /v1/token"), 1);
    client.pull(None, 10).await.unwrap();
    assert_eq!((hie.asked_for("POST /v1/token"), hie.asked_for("GET /v1/changes")), (2, 4));
    assert_eq!(hie.seen.lock().unwrap().last().unwrap().bearer(), Some("t1"));
}

#[tokio::test]
async fn a_cursor_of_another_life_is_told_as_a_new_epoch_in_both_ways_of_saying_it() {
    let new = Id([9; 16]);
    let hie = FakeHie::start(move |request| match (request.what.as_str(), request.query.as_str()) {
        ("GET /v1/changes", query) if query.contains(".3&") => {
            Answer::refused(409, "epoch").with("rabta-epoch", new)
        }
        ("GET /v1/changes", _) => Answer::ok(pull_reply(new, 1)),
        _ => well(request),
    })
    .await;
    let client = hie.client(Arc::new(SystemClock::default()));
    for seq in [3, 4] {
        match client.pull(Some(Cursor { epoch: EPOCH, seq }), 10).await {
            Err(HieError::EpochChanged(epoch)) => assert_eq!(epoch, new),
            other => panic!("{:?}", other.err()),
        }
    }
}

#[tokio::test]
async fn a_dead_address_is_unreachable_and_not_a_changed_key() {
    let hie = FakeHie::start(well).await;
    let endpoint = hie.endpoint();
    drop(hie);
    let client = HieClient::new(endpoint, me(), Arc::new(SystemClock::default()), Offset::default()).unwrap();
    let error = client.push(vec![vec![1]]).await.unwrap_err();
    assert!(matches!(error, HieError::Unreachable(_)) && error.is_passing());
}

#[tokio::test]
async fn a_push_brings_one_ack_for_each_envelope_or_is_no_answer() {
    let hie = FakeHie::start(|request| match request.what.as_str() {
        "POST /v1/envelopes" if request.body.len() > 100 => {
            Answer::ok(minicbor::to_vec(PushReply { epoch: EPOCH, acks: vec![] }).unwrap())
        }
        _ => well(request),
    })
    .await;
    let client = hie.client(Arc::new(SystemClock::default()));
    assert_eq!(client.push(vec![vec![1], vec![2]]).await.unwrap().acks.len(), 2);
    assert!(matches!(client.push(vec![vec![1; 200]]).await, Err(HieError::Malformed(_))));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let hie = FakeHie::start(|request| match request.what.as_str() {
        "POST /v1/token" => Answer::ok(vec![b' '; 1_000_000]),
        _ => well(request),
    })
    .await;
    let client = hie.client(Arc::new(SystemClock::default()));
    assert!(matches!(client.token().await, Err(HieError::Malformed(_))));
}
