//! An HIE whose answers cannot be used: faulty, newer, or something between that meddles.

use std::{sync::Arc, time::Duration};

use ed25519_dalek::SigningKey;
use minicbor::bytes::ByteVec;
use rabta_store::{DeviceSigner, EntryState, MemoryStore, NewEnvelope, RecordStore, Transaction};
use rabta_sync::{Driver, HieError, SyncHandle, SystemClock};
use rabta_wire::{
    Id,
    cursor::Cursor,
    envelope::{Envelope, Kind},
    log::{Ack, Outcome, PullReply, Push, PushReply},
    shared::SharedSecret,
    stick,
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use crate::support::{Answer, FakeHie, Request, TOKEN, me};

const EPOCH: Id = Id([5; 16]);
const VISIT: Id = Id([7; 16]);
const NEXT: Id = Id([8; 16]);
const LONG: Duration = Duration::from_secs(60);

/// A laptop with two visits that are not sent, the second of which waits for the first.
async fn laptop(hie: &FakeHie) -> (Arc<MemoryStore>, SyncHandle, JoinHandle<()>) {
    let store = Arc::new(MemoryStore::new());
    let visit = |id: Id, depends: Vec<Id>| NewEnvelope {
        id,
        kind: Kind::Visit,
        patient: Some(Id([9; 16])),
        facility: Id([4; 16]),
        task: None,
        base_version: None,
        depends,
        device_time: 0,
        clock_offset: None,
        signed_by: None,
        payload: br#"{"resourceType":"Bundle","type":"document","entry":[]}"#.to_vec().into(),
    };
    let signer = DeviceSigner::new(me().device, me().device_key);
    let both = Transaction::new().append(visit(VISIT, vec![])).append(visit(NEXT, vec![VISIT]));
    store.commit(both, Some(&signer)).await.unwrap();
    let key = SigningKey::from_bytes(&[9; 32]).verifying_key();
    let client = hie.client(Arc::new(SystemClock::default()));
    let (driver, sync) = Driver::new(client, store.clone(), key, mpsc::unbounded_channel().0, 1);
    (store, sync, tokio::spawn(driver.run()))
}

/// Acks of what a push brought, each with the id that `named` makes of its own.
fn acked(request: &Request, outcome: &Outcome, named: fn(Id) -> Id) -> Answer {
    let push: Push = minicbor::decode(&request.body).unwrap();
    let ack = |bytes: &ByteVec| Ack {
        id: named(Envelope::from_bytes(bytes).unwrap().header().unwrap().id),
        outcome: outcome.clone(),
    };
    let acks = push.envelopes.iter().map(ack).collect();
    Answer::ok(minicbor::to_vec(PushReply { epoch: EPOCH, acks }).unwrap())
}

fn page(seq: u64, more: bool) -> Answer {
    let next = Cursor { epoch: EPOCH, seq };
    let page =
        PullReply { changes: vec![], next, more, backed_up: 0, remaining: 0, lease: None, copied: None };
    Answer::ok(minicbor::to_vec(page).unwrap())
}

/// 100 MB of nothing.
fn bomb(how: &str) -> Answer {
    let zeros = std::io::repeat(0);
    let mut zeros = std::io::Read::take(zeros, 100_000_000);
    let packed = match how {
        "zstd" => zstd::encode_all(zeros, 3).unwrap(),
        _ => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::copy(&mut zeros, &mut gzip).unwrap();
            gzip.finish().unwrap()
        }
    };
    Answer::ok(packed).with("content-encoding", how)
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_cannot_be_read_hold_up_no_record_and_somebody_is_told() {
    let answers: [fn() -> Answer; 6] = [
        // A success that is an outcome of errors.
        || Answer::refused(200, "index"),
        || bomb("zstd"),
        || bomb("gzip"),
        || Answer::ok([b"[".repeat(10_000), b" ".repeat(10_000_000)].concat()),
        || Answer::ok([0x81_u8].repeat(20_000_000)),
        // It leads to itself.
        || page(0, true),
    ];
    for (n, answer) in answers.into_iter().enumerate() {
        let hie = FakeHie::start(move |request| match request.what.as_str() {
            "POST /v1/token" => Answer::ok(TOKEN),
            "POST /v1/envelopes" => acked(request, &Outcome::Durable { seq: 1 }, |id| id),
            "GET /v1/changes" | "GET /v1/changes/lately" => answer(),
            _ => Answer::refused(404, "not-found"),
        })
        .await;
        let (store, sync, task) = laptop(&hie).await;
        timeout(LONG, sync.watch().wait_for(|status| status.unread)).await.expect("nobody is told").unwrap();
        let sent = async {
            while store.custody().await.unwrap().here > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(LONG, sent).await.unwrap_or_else(|_| panic!("the visits go, answer {n}"));
        assert!(store.cursor().await.unwrap().is_none_or(|at| at.seq == 0), "nothing was moved, answer {n}");
        let asked = hie.asked_for("GET /v1/changes") + hie.asked_for("GET /v1/changes/lately");
        assert!(asked < 10, "it is asked again after a while, answer {n}: {asked}");
        task.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_it_can_be_read_again_nobody_is_told_any_more() {
    let faulty = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_faulty = faulty.clone();
    let hie = FakeHie::start(move |request| match request.what.as_str() {
        "POST /v1/token" => Answer::ok(TOKEN),
        "POST /v1/envelopes" => acked(request, &Outcome::Durable { seq: 1 }, |id| id),
        "GET /v1/changes" if is_faulty.load(std::sync::atomic::Ordering::Acquire) => Answer::ok("later"),
        "GET /v1/changes" => page(3, false),
        _ => Answer::refused(404, "not-found"),
    })
    .await;
    let (store, sync, task) = laptop(&hie).await;
    timeout(LONG, sync.watch().wait_for(|status| status.unread)).await.unwrap().unwrap();
    faulty.store(false, std::sync::atomic::Ordering::Release);
    timeout(LONG, sync.watch().wait_for(|status| !status.unread)).await.expect("it is tried again").unwrap();
    assert_eq!(store.cursor().await.unwrap().map(|at| at.seq), Some(3));
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ack_of_another_envelope_is_no_ack_and_is_not_asked_for_at_once_again() {
    let hie = FakeHie::start(|request| match request.what.as_str() {
        "POST /v1/token" => Answer::ok(TOKEN),
        // The one that waits for the first is in the log, too.
        "POST /v1/envelopes" => acked(request, &Outcome::Durable { seq: 1 }, |_| NEXT),
        "GET /v1/changes" => page(3, false),
        _ => Answer::refused(404, "not-found"),
    })
    .await;
    let (store, sync, task) = laptop(&hie).await;
    timeout(LONG, sync.watch().wait_for(|status| status.unsaid)).await.expect("nobody is told").unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(hie.asked_for("POST /v1/envelopes") < 6);
    for id in [VISIT, NEXT] {
        assert_eq!(store.log_entry(id).await.unwrap().unwrap().state, EntryState::Here);
    }
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hie_cannot_even_read_is_refused_and_not_sent_for_ever() {
    let hie = FakeHie::start(|request| match request.what.as_str() {
        "POST /v1/token" => Answer::ok(TOKEN),
        "POST /v1/envelopes" => {
            let outcome = Outcome::Refused { code: "unreadable".into(), text: "not an envelope".into() };
            acked(request, &outcome, |_| Id::default())
        }
        "GET /v1/changes" => page(3, false),
        _ => Answer::refused(404, "not-found"),
    })
    .await;
    let (store, sync, task) = laptop(&hie).await;
    timeout(LONG, sync.watch().wait_for(|status| status.needs_you > 0)).await.expect("it is told").unwrap();
    let state = store.log_entry(VISIT).await.unwrap().unwrap().state;
    assert!(matches!(&state, EntryState::Quarantined { text, .. } if text == "not an envelope"), "{state:?}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(hie.asked_for("POST /v1/envelopes") <= 2);
    task.abort();
}

#[tokio::test]
async fn what_is_no_answer_for_a_stick_is_none() {
    let hie = FakeHie::start(|request| match request.what.as_str() {
        "POST /v1/token" => Answer::ok(TOKEN),
        _ => Answer::refused(200, "later"),
    })
    .await;
    let theirs = SigningKey::from_bytes(&[9; 32]).verifying_key();
    let secret = SharedSecret::between(&me().device_key, &theirs, Id([3; 16])).unwrap();
    let ask = stick::Ask { push: Push { envelopes: vec![] }, after: None, person: Id([2; 16]) };
    let file = stick::seal_ask(&secret, [7; 24], &ask);
    let answer = hie.client(Arc::new(SystemClock::default())).carry(file).await;
    assert!(matches!(answer, Err(HieError::Malformed(_))), "{answer:?}");
}
