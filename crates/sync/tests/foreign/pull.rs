use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rabta_domain::Private;
use rabta_store::{NewResource, RecordStore, Transaction};
use rabta_sync::foreign::{ForeignError, ForeignFailure, Lack, MOST_BYTES, Pulled};
use rabta_wire::Id;
use serde_json::{Value, json};

use crate::{
    laptop::{Laptop, PATIENT, observation},
    liar::{Kept, Liar, Reply, Say},
};

/// A laptop whose patient is over there, and five observations of others.
async fn both() -> (Liar, Laptop) {
    let (liar, laptop) = (Liar::start().await, Laptop::new().await);
    laptop.open(&liar.base).await.expect("it opens").push().await.expect("it goes");
    for n in 0x20..0x25 {
        liar.write(observation(n, "theirs"));
    }
    liar.write(json!({
        "resourceType": "Encounter", "id": Id([0x30; 16]).to_string(), "status": "finished",
        "class": { "code": "AMB" }, "subject": { "reference": format!("Patient/{PATIENT}") },
    }));
    (liar, laptop)
}

async fn pull(liar: &Liar, laptop: &Laptop) -> Pulled {
    laptop.open(&liar.base).await.expect("it opens").pull().await.expect("it reads")
}

async fn observations(laptop: &Laptop) -> usize {
    laptop.store.of_kind("Observation", None, 100).await.expect("it reads").len()
}

async fn encounter(laptop: &Laptop) -> bool {
    laptop.store.resource("Encounter", &Id([0x30; 16]).to_string()).await.expect("it reads").is_some()
}

fn said(pulled: &Pulled, kind: &str, words: &str) -> bool {
    pulled.words.iter().any(|(k, w)| k == kind && w.contains(words))
}

#[tokio::test]
async fn changes_of_our_patients_come_once_and_page_by_page() {
    let (liar, laptop) = both().await;
    liar.write(json!({ "resourceType": "Observation", "id": "of-another", "subject": { "reference": "Patient/another" } }));
    let pulled = pull(&liar, &laptop).await;
    assert_eq!((pulled.applied, pulled.strangers, pulled.unfinished.len()), (6, 0, 0));
    assert_eq!((observations(&laptop).await, encounter(&laptop).await), (5, true));
    // Our own patient came back as our own words.
    assert!(pulled.known >= 1 && pulled.differs.is_empty());

    assert_eq!(pull(&liar, &laptop).await.applied, 0);
    liar.write(observation(0x21, "changed"));
    assert_eq!(pull(&liar, &laptop).await.applied, 1);
    assert_eq!(laptop.value(0x21).await.as_deref(), Some("changed"));
}

#[tokio::test]
async fn what_was_written_here_stays_and_the_difference_is_named() {
    let (liar, laptop) = both().await;
    laptop.visit(2, "ours").await;
    laptop.open(&liar.base).await.expect("it opens").push().await.expect("it goes");
    liar.write(observation(2, "theirs"));
    let pulled = pull(&liar, &laptop).await;
    assert_eq!(pulled.differs, [format!("Observation/{}", Id([2; 16]))]);
    assert_eq!(laptop.value(2).await.as_deref(), Some("ours"));
}

#[tokio::test]
async fn a_success_that_is_an_outcome_of_errors_is_a_refusal_of_that_type_alone() {
    let (liar, laptop) = both().await;
    liar.says(|request| match request.searches("Observation") {
        true => Say::Instead(Reply::outcome(200, "the index is being built")),
        false => Say::Honest,
    });
    let pulled = pull(&liar, &laptop).await;
    assert!(said(&pulled, "Observation", "the index is being built"), "{pulled:?}");
    assert_eq!(pulled.unfinished, ["Observation"]);
    assert!(encounter(&laptop).await);
    liar.is_honest();
    pull(&liar, &laptop).await;
    assert_eq!(observations(&laptop).await, 5);
}

#[tokio::test]
async fn next_links_that_lead_in_a_circle_end() {
    // To the same page for ever, and each time under another address.
    for fixed in [true, false] {
        let (liar, laptop) = both().await;
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, base) = (asked.clone(), liar.base.clone());
        liar.says(move |request| {
            if !request.searches("Observation") {
                return Say::Honest;
            }
            let n = count.fetch_add(1, Ordering::SeqCst);
            let link =
                format!("{base}/Observation?patient={PATIENT}&offset=2&n={}", if fixed { 0 } else { n });
            Say::Changed(Box::new(move |reply| {
                let mut page = reply.json();
                page["link"] = json!([{ "relation": "next", "url": link }]);
                Reply::new(200, page)
            }))
        });
        let pulled = pull(&liar, &laptop).await;
        assert!(said(&pulled, "Observation", "lead in a circle"), "{pulled:?}");
        assert_eq!(pulled.unfinished, ["Observation"]);
        assert!(asked.load(Ordering::SeqCst) < 10);
        assert!(encounter(&laptop).await && observations(&laptop).await >= 4, "what came is kept");
        liar.is_honest();
        pull(&liar, &laptop).await;
        assert_eq!(observations(&laptop).await, 5);
    }
}

#[tokio::test]
async fn a_page_that_shrinks_is_asked_for_again() {
    let (liar, laptop) = both().await;
    liar.says(|request| match request.searches("Observation") {
        true => Say::Changed(Box::new(|reply| {
            let mut page = reply.json();
            page["entry"].as_array_mut().expect("entries").truncate(1);
            page["link"] = json!([]);
            Reply::new(200, page)
        })),
        false => Say::Honest,
    });
    let pulled = pull(&liar, &laptop).await;
    assert!(said(&pulled, "Observation", "fewer resources came"), "{pulled:?}");
    assert_eq!(pulled.unfinished, ["Observation"]);
    assert_eq!(observations(&laptop).await, 1);
    liar.is_honest();
    assert!(pull(&liar, &laptop).await.unfinished.is_empty());
    assert_eq!(observations(&laptop).await, 5);
}

#[tokio::test]
async fn a_version_that_goes_back_replaces_nothing_and_everything_is_looked_for_again() {
    let (liar, laptop) = both().await;
    laptop.visit(2, "ours").await;
    laptop.open(&liar.base).await.expect("it opens").push().await.expect("it goes");
    liar.write(observation(0x21, "newer"));
    pull(&liar, &laptop).await;
    assert_eq!(laptop.value(0x21).await.as_deref(), Some("newer"));

    // Restored from a backup that was made before our visit came.
    liar.with(|kept| {
        let reference = format!("Observation/{}", Id([0x21; 16]));
        let (version, resource) = kept.resources.get_mut(&reference).expect("it is there");
        *version = 1;
        resource["meta"]["versionId"] = "1".into();
        resource["code"]["text"] = "older".into();
        for gone in [format!("Observation/{}", Id([2; 16])), format!("Provenance/{}", Id([2; 16]))] {
            kept.resources.remove(&gone);
        }
    });
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    let pulled = driver.pull().await.expect("it reads");
    assert_eq!(pulled.went_back, [format!("Observation/{}", Id([0x21; 16]))]);
    assert_eq!(laptop.value(0x21).await.as_deref(), Some("newer"));
    let pushed = driver.push().await.expect("it goes");
    assert_eq!((pushed.sent, pushed.recognised), (1, 1));
    assert_eq!(liar.version(&format!("Observation/{}", Id([2; 16]))), 1);
    assert!(driver.pull().await.expect("it reads").went_back.is_empty(), "it is said once");
}

#[tokio::test]
async fn resources_that_were_not_asked_for_are_not_stored() {
    let (liar, laptop) = both().await;
    let other: Value = json!({ "resourceType": "Observation", "id": "x", "status": "final", "code": { "text": "x" },
        "subject": { "reference": "Patient/somebody-else" } });
    liar.says(move |request| {
        let other = other.clone();
        match request.searches("Observation") || request.searches("Patient") {
            true => Say::Changed(Box::new(move |reply| {
                let mut page = reply.json();
                page["total"] = Value::Null;
                let patient = json!({ "resourceType": "Patient", "id": "not-asked-for" });
                page["entry"].as_array_mut().expect("entries").extend([
                    json!({ "resource": other.clone() }),
                    json!({ "resource": patient }),
                    json!({ "resource": { "resourceType": "Observation", "id": "../../etc" } }),
                ]);
                Reply::new(200, page)
            })),
            false => Say::Honest,
        }
    });
    let pulled = pull(&liar, &laptop).await;
    assert!(pulled.strangers >= 2 && pulled.odd >= 1, "{pulled:?}");
    assert_eq!(observations(&laptop).await, 5);
    for (kind, id) in [("Patient", "not-asked-for"), ("Observation", "x")] {
        assert!(laptop.store.resource(kind, id).await.expect("it reads").is_none());
    }
}

/// What unpacks to far more than is allowed.
fn bomb(coding: &str) -> Vec<u8> {
    let zeros = vec![b' '; 1_000_000];
    let times = 4 * MOST_BYTES / zeros.len();
    if coding == "zstd" {
        let mut out = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("an encoder");
        (0..times).for_each(|_| out.write_all(&zeros).expect("memory"));
        return out.finish().expect("memory");
    }
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..times).for_each(|_| out.write_all(&zeros).expect("memory"));
    out.finish().expect("memory")
}

#[tokio::test]
async fn bombs_and_abysses_are_given_up_in_words_and_hold_up_nothing_else() {
    let deep = |_: &str| Reply {
        status: 200,
        headers: vec![],
        body: [b"[".repeat(10_000), b" ".repeat(10_000_000)].concat(),
    };
    let packed = |coding: &str| Reply::packed(coding, bomb(coding));
    let large = |_: &str| Reply { status: 200, headers: vec![], body: vec![b' '; MOST_BYTES + 1] };
    let cases: [(&str, &dyn Fn(&str) -> Reply, &str); 4] = [
        ("", &deep, "nested too deep"),
        ("gzip", &packed, "larger than"),
        ("zstd", &packed, "larger than"),
        ("", &large, "larger than"),
    ];
    for (coding, make, words) in cases {
        let (liar, laptop) = both().await;
        let reply = make(coding);
        assert!(coding.is_empty() || reply.body.len() < 1_000_000, "it comes small");
        let answer = reply.clone();
        liar.says(move |request| match request.searches("Observation") {
            true => Say::Instead(answer.clone()),
            false => Say::Honest,
        });
        let pulled = pull(&liar, &laptop).await;
        assert!(said(&pulled, "Observation", words), "{coding}: {pulled:?}");
        assert_eq!(pulled.unfinished, ["Observation"]);
        assert!(encounter(&laptop).await);
        // The same as its CapabilityStatement: an error, no more.
        liar.says(
            move |request| if request.path == "metadata" { Say::Instead(reply.clone()) } else { Say::Honest },
        );
        let opened = laptop.open(&liar.base).await.err();
        assert!(
            matches!(
                opened,
                Some(ForeignFailure::Server(ForeignError::TooLarge | ForeignError::Malformed(_)))
            ),
            "{opened:?}"
        );
        liar.is_honest();
        pull(&liar, &laptop).await;
        assert_eq!(observations(&laptop).await, 5);
    }
}

#[tokio::test]
async fn links_to_another_server_are_asked_of_this_one_and_the_token_goes_nowhere() {
    let (liar, laptop) = both().await;
    let stranger = Liar::start().await;
    let (own, other) = (liar.base.clone(), stranger.base.clone());
    liar.says(move |_| {
        let (own, other) = (own.clone(), other.clone());
        Say::Changed(Box::new(move |reply| {
            let text = String::from_utf8(reply.body).expect("text").replace(&own, &other);
            Reply { body: text.into_bytes(), ..reply }
        }))
    });
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    driver.pull().await.expect("it reads");
    assert_eq!(observations(&laptop).await, 5);
    assert!(driver.capabilities().lacks().contains(&Lack::OtherAddress));
    assert!(stranger.with(|kept| kept.seen.is_empty()));
}

#[tokio::test]
async fn a_server_without_search_by_post_is_asked_by_address() {
    let (liar, laptop) = both().await;
    liar.says(|request| match request.path.ends_with("_search") {
        true => Say::Instead(Reply::outcome(405, "no")),
        false => Say::Honest,
    });
    let mut driver = laptop.open(&liar.base).await.expect("it opens");
    driver.pull().await.expect("it reads");
    assert_eq!(observations(&laptop).await, 5);
    assert!(driver.capabilities().lacks().contains(&Lack::NoPostSearch));
}

#[tokio::test]
async fn a_reading_that_was_cut_goes_on_and_loses_nothing() {
    let (liar, laptop) = both().await;
    liar.says(|request| if request.path.contains("offset=") { Say::LostRequest } else { Say::Honest });
    let cut = laptop.open(&liar.base).await.expect("it opens").pull().await;
    assert!(matches!(cut, Err(ForeignFailure::Server(ForeignError::Unreachable(_)))));
    assert_eq!(observations(&laptop).await, 2, "the first page stays");
    liar.is_honest();
    assert!(pull(&liar, &laptop).await.unfinished.is_empty());
    assert_eq!(observations(&laptop).await, 5);
}

#[tokio::test]
async fn a_circle_about_some_patients_leaves_the_older_ones() {
    let (liar, laptop) = both().await;
    // The first hundred are the newest ones; ours is the oldest.
    let mut newer = Transaction::new();
    for n in 0..120 {
        let id = format!("2dc9c22d-2fd4-882e-a701-{n:012}");
        newer = newer.put(NewResource {
            kind: "Patient".into(),
            id: id.clone(),
            patient: None,
            envelope: None,
            server_version: Some(1),
            body: Private(format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#).into_bytes()),
        });
    }
    laptop.store.commit(newer, None).await.expect("they are stored");
    let base = liar.base.clone();
    liar.says(move |request| {
        let about_ours = format!("{}{}", request.path, request.body).contains(&PATIENT.to_string());
        if !request.searches("Observation") || about_ours {
            return Say::Honest;
        }
        let link = format!("{base}/Observation?patient=2dc9c22d&offset=2");
        Say::Changed(Box::new(move |reply| {
            let mut page = reply.json();
            page["link"] = json!([{ "relation": "next", "url": link }]);
            Reply::new(200, page)
        }))
    });
    for _ in 0..2 {
        let pulled = pull(&liar, &laptop).await;
        assert!(said(&pulled, "Observation", "lead in a circle"), "{pulled:?}");
        assert_eq!(pulled.unfinished, ["Observation"]);
        assert_eq!(observations(&laptop).await, 5, "those of the oldest patient came");
    }
    liar.is_honest();
    assert!(pull(&liar, &laptop).await.unfinished.is_empty());
}

#[tokio::test]
async fn a_version_without_a_number_goes_back_too() {
    let (liar, laptop) = both().await;
    let as_of = |version: &'static str, at: &'static str, value: &'static str| {
        move |kept: &mut Kept| {
            let found = kept.resources.get_mut(&format!("Observation/{}", Id([0x21; 16])));
            let (_, resource) = found.expect("it is there");
            resource["meta"] = json!({ "versionId": version, "lastUpdated": at });
            resource["code"]["text"] = value.into();
        }
    };
    liar.with(as_of("b7", "2026-11-23T10:30:00Z", "newer"));
    pull(&liar, &laptop).await;
    liar.with(as_of("a1", "2026-11-23T10:00:01Z", "older"));
    let pulled = pull(&liar, &laptop).await;
    assert_eq!(pulled.went_back, [format!("Observation/{}", Id([0x21; 16]))]);
    assert_eq!(laptop.value(0x21).await.as_deref(), Some("newer"));
}
