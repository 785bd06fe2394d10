//! What a new laptop is given first, and that pages of changes are packed for who asks so.

use rabta_wire::{
    Id,
    log::{Item, PullReply},
};
use serde_json::json;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    server::asks,
    support::{id, payloads, server::Server},
};

/// Through the FHIR API: a patient and a visit so many days ago.
async fn seen(server: &Server, operator: &str, name: &str, days: i64) -> Id {
    let patient = id();
    let registered = payloads::patient_resource(patient, name);
    let put = server.put(operator, &format!("/fhir/Patient/{patient}"), registered);
    assert_eq!(put.send().await.unwrap().status(), 201);
    let now = OffsetDateTime::from_unix_timestamp(server.now() / 1000).unwrap();
    let start = (now - Duration::days(days)).format(&Rfc3339).unwrap();
    let encounter = id();
    let visit = json!({
        "resourceType": "Encounter", "id": encounter.to_string(), "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": format!("Patient/{patient}")}, "period": {"start": start},
    });
    let put = server.put(operator, &format!("/fhir/Encounter/{encounter}"), visit);
    assert_eq!(put.send().await.unwrap().status(), 201);
    patient
}

async fn pull(server: &Server, token: &str, path: &str) -> PullReply {
    let answer = server.get(token, path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    minicbor::decode(&answer.bytes().await.unwrap()).unwrap()
}

fn has(reply: &PullReply, patient: Id) -> usize {
    let about = patient.to_string();
    let of = |item: &Item| match item {
        Item::Resource { body, .. } => String::from_utf8_lossy(body).contains(&about),
        Item::Envelope { bytes, .. } => rabta_wire::envelope::Envelope::from_bytes(bytes)
            .and_then(|envelope| envelope.header())
            .is_ok_and(|header| header.patient == Some(patient)),
        _ => false,
    };
    reply.changes.iter().filter(|change| of(&change.item)).count()
}

#[tokio::test]
async fn who_was_seen_these_days_and_who_is_asked_about_come_first() {
    let server = Server::start().await;
    let ask = asks::ask(&server).await;
    let operator = server.operator(ask.clinic).await;
    let old = seen(&server, &operator, "Noor Jahan", 8).await;
    let new = seen(&server, &operator, "Sadiq Masih", 6).await;
    for token in [&ask.doctors, &ask.specialists] {
        let first = pull(&server, token, "/v1/changes/lately").await;
        let all = pull(&server, token, "/v1/changes").await;
        assert!(!first.more && has(&first, ask.patient) == has(&all, ask.patient));
        assert!(has(&first, ask.patient) > 2, "an open ask comes whole");
        assert_eq!((has(&first, old), has(&first, new)), (0, has(&all, new)));
        let certificates = |reply: &PullReply| {
            reply.changes.iter().filter(|change| matches!(change.item, Item::Cert { .. })).count()
        };
        assert_eq!(certificates(&first), certificates(&all), "nothing could be verified without them");
    }
    let mine = pull(&server, &ask.doctors, "/v1/changes").await;
    assert_eq!((has(&mine, old), has(&mine, new)), (2, 2));
    let theirs = pull(&server, &ask.specialists, "/v1/changes/lately").await;
    assert_eq!(has(&theirs, new), 0, "another facility's patient");

    // In pages, as a slow line takes them.
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let page = pull(&server, &ask.doctors, &format!("/v1/changes/lately?limit=2{after}")).await;
        count += has(&page, ask.patient) + has(&page, new) + has(&page, old);
        after = format!("&after={}", page.next);
        if !page.more {
            break;
        }
    }
    assert_eq!(count, has(&mine, ask.patient) + 2);
}

#[tokio::test]
async fn pages_are_packed_for_who_asks_so() {
    let server = Server::start().await;
    let ask = asks::ask(&server).await;
    let plain = server.get(&ask.doctors, "/v1/changes").send().await.unwrap();
    assert!(plain.headers().get("content-encoding").is_none());
    let plain = plain.bytes().await.unwrap();
    for asked in ["zstd", "gzip, zstd", "br,zstd"] {
        let packed = server.get(&ask.doctors, "/v1/changes").header("accept-encoding", asked);
        let packed = packed.send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "zstd");
        assert_eq!(packed.headers()["vary"], "accept-encoding");
        let unpacked = zstd::decode_all(&*packed.bytes().await.unwrap()).unwrap();
        let (a, b): (PullReply, PullReply) =
            (minicbor::decode(&plain).unwrap(), minicbor::decode(&unpacked).unwrap());
        assert_eq!(a.changes, b.changes);
    }
    let other = server.get(&ask.doctors, "/v1/changes").header("accept-encoding", "gzip;q=1, zstdx");
    assert!(other.send().await.unwrap().headers().get("content-encoding").is_none());
}
