//! The client and the driver against the real HIE.

#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, sync::Arc};

use ed25519_dalek::SigningKey;
use rabta_hie::admin::{self, Reply, Request};
use rabta_store::RecordStore;
use rabta_sync::{Endpoint, HieClient, HieError, Offset, Pins, SocketEvent, SystemClock, socket};
use tokio::sync::mpsc;

#[path = "support/laptop.rs"]
mod laptop;
#[path = "../../../tests/src/left_out.rs"]
mod left_out;
#[path = "hie/nearby.rs"]
mod nearby;
#[path = "../../../tests/src/ports.rs"]
mod ports;
#[path = "hie/restored.rs"]
mod restored;

use laptop::{LONG, Laptop, any_port, bytes32, code, serve, tell};

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_joins_sends_loses_the_hie_and_sends_the_rest_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let hie = serve(&folder.path().join("hie"), any_port()).await;
    let address = hie.addr;
    let code = code(&hie).await;
    let laptop = Laptop::join(&code).await;
    let first = laptop.register().await;
    laptop.until_at_hie(first).await;
    let status = laptop.sync.status();
    assert!(status.reachable && status.last_contact.is_some());
    let certs = laptop.when(async || laptop.store.certs(laptop.enrolled.device).await.unwrap().len() == 1);
    certs.await;

    hie.shutdown().await;
    laptop.sync.now();
    let second = laptop.register().await;
    let status = laptop.until(|status| !status.reachable).await;
    assert!(!status.key_changed && !laptop.is_at_hie(second).await);

    let hie = serve(&folder.path().join("hie"), address).await;
    laptop.sync.now();
    laptop.until_at_hie(second).await;
    hie.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_hie_at_the_same_address_is_refused_in_words_and_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hie = serve(&folder.path().join("hie"), any_port()).await;
    let address = hie.addr;
    let laptop = Laptop::join(&code(&hie).await).await;
    laptop.until(|status| status.reachable).await;
    hie.shutdown().await;

    let other = serve(&folder.path().join("other"), address).await;
    let envelope = laptop.register().await;
    laptop.sync.now();
    let status = laptop.until(|status| status.key_changed).await;
    assert!(!status.reachable && !laptop.is_at_hie(envelope).await);
    assert!(matches!(laptop.client.pull(None, 1).await, Err(HieError::KeyChanged)));
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_brings_a_lease_and_a_revoked_device_learns_that_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let hie = serve(&folder.path().join("hie"), any_port()).await;
    let laptop = Laptop::join(&code(&hie).await).await;
    let device = laptop.enrolled.device;
    let status = laptop.until(|status| status.lease.is_some()).await;
    assert_eq!(status.lease.map(|grant| (grant.device, grant.days)), Some((device, 30)));
    assert!(!status.revoked);
    tell(&hie, Request::RevokeDevice { device }).await;
    let unsent = laptop.register().await;
    let status = laptop.until(|status| status.revoked).await;
    assert_eq!((status.reachable, status.here_only), (true, 1));
    assert!(!laptop.is_at_hie(unsent).await);
    let refused = laptop.client.pull(None, 1).await.err().unwrap();
    assert!(refused.is_revoked() && !refused.is_passing(), "{refused:?}");
    // A line that breaks then does not make it good again.
    hie.shutdown().await;
    laptop.sync.now();
    let status = laptop.until(|status| !status.reachable).await;
    assert!(status.revoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_used_once() {
    let folder = tempfile::tempdir().unwrap();
    let hie = serve(&folder.path().join("hie"), any_port()).await;
    let code = code(&hie).await;
    let _laptop = Laptop::join(&code).await;
    let client = HieClient::for_code(&code, Arc::new(SystemClock::default())).unwrap();
    let (device, person) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    match client.enroll(&code, &device, &person, "x", None).await {
        Err(HieError::Refused { code, .. }) => assert_eq!(code, rabta_wire::enroll::codes::USED),
        other => panic!("{:?}", other.err()),
    }
    hie.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_greets_hints_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let hie = serve(&folder.path().join("hie"), any_port()).await;
    let address = hie.addr;
    let laptop = Laptop::join(&code(&hie).await).await;
    let (heard, mut events) = mpsc::channel(64);
    let (handle, keep_up) = socket(laptop.client.clone(), heard);
    let task = tokio::spawn(keep_up);
    let mut next = async |want: fn(&SocketEvent) -> bool| {
        tokio::time::timeout(LONG, async {
            while let Some(event) = events.recv().await {
                if want(&event) {
                    return;
                }
            }
            panic!("the socket's task ended");
        })
        .await
        .expect("it never came");
    };
    next(|event| *event == SocketEvent::Up).await;
    laptop.register().await;
    next(|event| matches!(event, SocketEvent::Hint(_))).await;
    hie.shutdown().await;
    next(|event| *event == SocketEvent::Down).await;
    let hie = serve(&folder.path().join("hie"), address).await;
    handle.wake();
    next(|event| *event == SocketEvent::Up).await;
    task.abort();
    hie.shutdown().await;
}

#[tokio::test]
async fn an_old_client_follows_a_rotated_key_twice_and_a_stranger_s_key_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("hie");
    let hie = serve(&data, any_port()).await;
    let (at, pinned) = (hie.addr, hie.spki_sha256);
    let unused = code(&hie).await;
    let laptop = Laptop::join(&code(&hie).await).await;
    laptop.client.token().await.unwrap();
    let mut told = laptop.client.told_pins();
    assert_eq!(*told.borrow(), None, "nothing has changed");

    // The server shows the backup key from one moment to the next. The client as it was enrolled goes on.
    let rotated = admin::run_in(&hie.app, Request::RotateKey { again: false }).await.unwrap();
    let Reply::Key { pins: [now, _] } = rotated else { panic!("no key") };
    assert_ne!(now, hex(&pinned));
    let old = fresh_client(&laptop, at, laptop.enrolled.pins.iter().map(|pin| bytes32(pin)).collect());
    let (mut told_old, token) = (old.told_pins(), old.token().await);
    token.unwrap();
    let next = told_old.borrow_and_update().clone().unwrap();
    assert_eq!(hex(&next[0]), now);
    assert!(!next.contains(&pinned), "the key that was told is trusted no more");
    // The one that was connected all the while learns it too, with its next token.
    laptop.client.drop_token(&laptop.client.token().await.unwrap()).await;
    laptop.client.token().await.unwrap();
    assert_eq!(told.borrow_and_update().as_ref(), Some(&next));

    // A code of before is for a key that is gone, and says so; a new one is for the new key.
    let joining = HieClient::for_code(&unused, Arc::new(SystemClock::default())).unwrap();
    assert!(matches!(joining.check_code(&unused).await, Err(HieError::KeyChanged)));
    let fresh = code(&hie).await;
    let joining = HieClient::for_code(&fresh, Arc::new(SystemClock::default())).unwrap();
    joining.check_code(&fresh).await.unwrap();

    // Again at once only on purpose: a laptop that was away knows no further key.
    let twice = admin::run_in(&hie.app, Request::RotateKey { again: false }).await;
    assert!(twice.err().unwrap().to_string().contains("--again"));
    admin::run_in(&hie.app, Request::RotateKey { again: true }).await.unwrap();
    let away = fresh_client(&laptop, at, laptop.enrolled.pins.iter().map(|pin| bytes32(pin)).collect());
    assert!(matches!(away.token().await, Err(HieError::KeyChanged)));
    let followed = fresh_client(&laptop, at, next);
    followed.token().await.unwrap();

    // It is kept over a restart; and a stranger at the same address is nobody.
    hie.shutdown().await;
    let hie = serve(&data, at).await;
    followed.drop_token(&followed.token().await.unwrap()).await;
    followed.token().await.unwrap();
    hie.shutdown().await;
    let stranger = serve(&temp.path().join("stranger"), at).await;
    followed.drop_token(&followed.token().await.unwrap()).await;
    assert!(matches!(followed.token().await, Err(HieError::KeyChanged)));
    stranger.shutdown().await;
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The laptop's client as it starts anew with these keys kept.
fn fresh_client(laptop: &Laptop, at: SocketAddr, pins: Vec<[u8; 32]>) -> HieClient {
    let endpoint = Endpoint { address: at.to_string(), pins: Pins::whole(pins) };
    let identity = laptop.client.identity().unwrap().clone();
    HieClient::new(endpoint, identity, Arc::new(SystemClock::default()), Offset::default()).unwrap()
}
