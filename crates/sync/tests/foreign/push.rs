use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rabta_sync::foreign::{ForeignError, ForeignFailure, Lack, Why};
use rabta_wire::{Id, envelope::Kind};
use serde_json::json;

use crate::{
    laptop::{Laptop, PATIENT, TOKEN, observation},
    liar::{Liar, Reply, Request, Say},
};

fn id(n: u8) -> Id {
    Id([n; 16])
}

fn sends(request: &Request, words: &str) -> bool {
    request.is("POST", "") && request.body.contains(words)
}

fn unreachable<T>(result: Result<T, ForeignFailure>) -> bool {
    matches!(result, Err(ForeignFailure::Server(ForeignError::Unreachable(_))))
}

#[tokio::test]
async fn a_log_goes_over_once_with_its_markers_and_whom_it_names() {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    laptop.visit(2, "cough").await;
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    assert_eq!(
        driver
            .capabilities()
            .lacks()
            .iter()
            .filter(|lack| matches!(lack, Lack::NoTransaction | Lack::NoMarker))
            .count(),
        0
    );
    let pushed = driver.push().await.expect("it goes");
    assert_eq!((pushed.sent, pushed.recognised, pushed.held), (2, 0, 0));
    for reference in [
        format!("Patient/{PATIENT}"),
        format!("Observation/{}", id(2)),
        format!("Provenance/{}", id(1)),
        format!("Provenance/{}", id(2)),
        format!("Binary/{}", id(2)),
        format!("Practitioner/{}", id(2)),
        format!("Organization/{}", id(4)),
        format!("Device/{}", id(3)),
    ] {
        assert_eq!(liar.version(&reference), 1, "{reference}");
    }
    let marker = liar.with(|kept| kept.resources[&format!("Provenance/{}", id(2))].1.clone());
    assert!(
        marker["signature"][0]["data"].is_string() && marker["entity"][0]["what"]["reference"].is_string()
    );
    let named = liar.with(|kept| kept.resources[&format!("Practitioner/{}", id(2))].1.clone());
    assert_eq!(named["name"][0]["text"], "Dr Amna");

    // Neither this program nor the next one says it again.
    assert_eq!(driver.push().await.expect("nothing to do").sent, 0);
    let mut next = laptop.open(&liar.base).await.expect("it opens");
    assert_eq!(next.push().await.expect("nothing to do").sent, 0);
    liar.with(|kept| {
        assert!(kept.seen.iter().all(|request| request.token.as_deref() == Some(&format!("Bearer {TOKEN}"))))
    });
}

#[tokio::test]
async fn after_a_lost_answer_the_marker_tells_that_it_arrived() {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    liar.says(|request| if request.is("POST", "") { Say::LostAnswer } else { Say::Honest });
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    assert!(unreachable(driver.push().await));
    drop(driver);

    liar.is_honest();
    // Another program: what it knows lies in the store.
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    let pushed = driver.push().await.expect("it goes");
    assert_eq!((pushed.sent, pushed.recognised), (0, 1));
    assert_eq!(liar.version(&format!("Patient/{PATIENT}")), 1, "it was not written twice");
}

#[tokio::test]
async fn after_a_lost_request_it_is_sent_again() {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    liar.says(|request| if request.is("POST", "") { Say::LostRequest } else { Say::Honest });
    assert!(unreachable(laptop.open(&liar.base).await.expect("it opens").push().await));
    liar.is_honest();
    let pushed = laptop.open(&liar.base).await.expect("it opens").push().await.expect("it goes");
    assert_eq!((pushed.sent, pushed.recognised), (1, 0));
}

#[tokio::test]
async fn one_refused_envelope_keeps_the_servers_words_and_holds_back_only_what_needs_it() {
    // A refusal by status, and one that calls itself a success.
    for status in [422, 200] {
        let (liar, laptop) = (Liar::start().await, Laptop::new().await);
        laptop.visit(2, "bad").await;
        laptop.append(3, Kind::Visit, &[observation(3, "follows")], &[2]).await;
        laptop.visit(4, "fine").await;
        liar.says(move |request| match sends(request, r#""bad""#) {
            true => Say::Instead(Reply::outcome(status, "Observation.code is unknown here")),
            false => Say::Honest,
        });
        let mut driver = laptop.open(&liar.base).await.expect("it opens");
        let pushed = driver.push().await.expect("the others go");
        assert_eq!((pushed.sent, pushed.held), (2, 2), "{status}");
        assert_eq!(liar.version(&format!("Observation/{}", id(4))), 1);
        let words = "Observation.code is unknown here".into();
        assert_eq!(driver.held()[0].why, Why::Refused { status, words });
        assert_eq!(driver.held()[1].why, Why::Waits { on: id(2) });

        // It stays refused until somebody says so, also for the next program; then both go.
        let mut driver = laptop.open(&liar.base).await.expect("it opens");
        assert_eq!((driver.push().await.expect("nothing").sent, driver.held().len()), (0, 2));
        liar.is_honest();
        driver.again(id(2)).await.expect("it is noted");
        assert_eq!((driver.push().await.expect("they go").sent, driver.held().len()), (2, 0));
        assert_eq!(liar.version(&format!("Observation/{}", id(3))), 1);
    }
}

#[tokio::test]
async fn a_server_that_fails_on_one_envelope_gets_the_others_and_this_one_later() {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    laptop.visit(2, "odd").await;
    laptop.visit(3, "fine").await;
    liar.says(|request| match sends(request, r#""odd""#) {
        true => Say::Instead(Reply::outcome(500, "NullPointerException")),
        false => Say::Honest,
    });
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    let pushed = driver.push().await.expect("the others go");
    assert_eq!((pushed.sent, pushed.held), (2, 1));
    assert_eq!(driver.held()[0].why, Why::PutOff { words: "NullPointerException".into() });
    liar.is_honest();
    assert_eq!((driver.push().await.expect("it goes").sent, driver.held().len()), (1, 0));
}

#[tokio::test]
async fn a_server_that_is_down_or_knows_us_not_holds_nothing_back_for_good() {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    for status in [401, 429, 503] {
        liar.says(move |request| match request.is("POST", "") {
            true => Say::Instead(Reply::outcome(status, "later")),
            false => Say::Honest,
        });
        let mut driver = laptop.open(&liar.base).await.expect("it opens");
        let ended = driver.push().await;
        assert!(
            matches!(ended, Err(ForeignFailure::Server(ForeignError::Refused { status: s, .. })) if s == status)
        );
        assert!(driver.held().is_empty());
    }
    liar.is_honest();
    assert_eq!(laptop.open(&liar.base).await.expect("it opens").push().await.expect("it goes").sent, 1);
}

#[tokio::test]
async fn without_transactions_resources_go_one_by_one_and_the_marker_last() {
    // One that says so, and one that promises what it cannot do.
    for honest in [true, false] {
        let (liar, laptop) = (Liar::start().await, Laptop::new().await);
        laptop.visit(2, "cough").await;
        if honest {
            liar.with(|kept| kept.no_transactions = true);
        } else {
            liar.says(|request| match request.is("POST", "") {
                true => Say::Instead(Reply::outcome(501, "not yet")),
                false => Say::Honest,
            });
        }
        let mut driver = laptop.open(&liar.base).await.expect("it opens");
        assert_eq!(driver.push().await.expect("it goes").sent, 2);
        assert!(driver.capabilities().lacks().contains(&Lack::NoTransaction));
        let puts: Vec<String> = liar
            .with(|kept| kept.seen.iter().filter(|r| r.method == "PUT").map(|r| r.path.clone()).collect());
        assert_eq!(puts.last(), Some(&format!("Provenance/{}", id(2))));
        assert!(puts.contains(&format!("Observation/{}", id(2))));
    }
}

#[tokio::test]
async fn a_marker_with_another_id_is_no_marker() {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    laptop.visit(2, "cough").await;
    liar.says(|request| if request.is("POST", "") { Say::LostRequest } else { Say::Honest });
    assert!(unreachable(laptop.open(&liar.base).await.expect("it opens").push().await));

    // What it answers is a Provenance, but of something else: neither there nor not there.
    liar.says(|request| match request.path.starts_with("Provenance/") {
        true => Say::Instead(Reply::new(
            200,
            serde_json::json!({ "resourceType": "Provenance", "id": "another" }),
        )),
        false => Say::Honest,
    });
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    let pushed = driver.push().await.expect("it goes on");
    assert_eq!((pushed.sent, pushed.recognised, pushed.held), (0, 0, 2));
    let Why::PutOff { words } = &driver.held()[0].why else { panic!("{:?}", driver.held()) };
    assert!(words.contains("another resource than the one that was asked for"), "{}", words.as_str());
    liar.is_honest();
    assert_eq!((driver.push().await.expect("they go").sent, driver.held().len()), (2, 0));
}

#[tokio::test]
async fn what_somebody_changed_over_there_is_not_overwritten_unseen() {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    driver.push().await.expect("it goes");
    let patient = |gender: &str| serde_json::json!({ "resourceType": "Patient", "id": PATIENT.to_string(), "gender": gender });
    liar.write(patient("other"));
    laptop.append(2, Kind::Patient, &[patient("male")], &[]).await;
    assert_eq!(driver.push().await.expect("it goes on").held, 1);
    assert!(matches!(driver.held()[0].why, Why::Conflict { .. }));
    assert_eq!(liar.version(&format!("Patient/{PATIENT}")), 2);
    // A person says that ours holds.
    driver.again(id(2)).await.expect("it is noted");
    assert_eq!(driver.push().await.expect("it goes").sent, 1);
    assert_eq!(liar.version(&format!("Patient/{PATIENT}")), 3);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_no_reason_to_send_twice() {
    let answers: [fn(Reply) -> Reply; 4] = [
        |_| Reply { status: 200, headers: vec![], body: b"<html>".to_vec() },
        |_| Reply::packed("gzip", b"no gzip at all".to_vec()),
        |_| Reply { status: 200, headers: vec![], body: b"[".repeat(10_000_000) },
        |_| {
            Reply::new(
                200,
                serde_json::json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": [] }),
            )
        },
    ];
    for answer in answers {
        let (liar, laptop) = (Liar::start().await, Laptop::new().await);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        liar.says(move |request| match request.is("POST", "") {
            true => {
                count.fetch_add(1, Ordering::SeqCst);
                Say::Changed(Box::new(answer))
            }
            false => Say::Honest,
        });
        let mut driver = laptop.open(&liar.base).await.expect("it opens");
        let pushed = driver.push().await.expect("it goes on");
        assert_eq!((pushed.recognised, pushed.held, asked.load(Ordering::SeqCst)), (1, 0, 1));
    }
}

#[tokio::test]
async fn a_server_that_stores_under_ids_of_its_own_has_not_taken_it() {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    liar.says(|request| {
        if !request.is("POST", "") {
            return Say::Honest;
        }
        let bundle: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
        let one = json!({ "response": { "status": "201 Created", "location": "Patient/999/_history/1" } });
        let entry = vec![one; bundle["entry"].as_array().expect("entries").len()];
        let answer = json!({ "resourceType": "Bundle", "type": "transaction-response", "entry": entry });
        Say::Instead(Reply::new(200, answer))
    });
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    let pushed = driver.push().await.expect("it goes on");
    assert_eq!((pushed.sent, pushed.held), (0, 1));
    assert!(matches!(&driver.held()[0].why, Why::Refused { words, .. } if words.contains("another id")));
    liar.is_honest();
    driver.again(Id([1; 16])).await.expect("it is noted");
    assert_eq!(driver.push().await.expect("it goes").sent, 1);
}
