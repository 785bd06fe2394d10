//! What happened on a laptop is told to the HIE's operator: an app core and a real HIE.

#![allow(clippy::unwrap_used)]

mod world;

use rabta_hie::admin::{self, Reply, Request};
use rabta_ipc::{patient::OpenPatient, sync::SyncNow};
use world::{World, ask};

/// The acts of laptops about a patient, as the operator sees them.
async fn told(world: &World, patient: &str) -> Vec<String> {
    let request = Request::Audit { patient: patient.into(), since: None };
    let now = (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64;
    match admin::run(&world.hie.as_ref().unwrap().app.db, request, now).await {
        Ok(Reply::Audit(mut reports)) => {
            let acts = reports.remove(0).acts.into_iter().filter(|act| act.place == "laptop");
            acts.map(|act| format!("{}: {}", act.who, act.act)).collect()
        }
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_that_were_opened_without_the_hie_are_in_its_audit_later() {
    let mut world = World::new().await;
    let patient = world.patient("Zohra Bibi").await;
    world.stop_hie().await;
    for _ in 0..60 {
        ask(&world.doctor, OpenPatient { id: patient.id.clone() }).await.unwrap();
    }
    world.start_hie().await;
    ask(&world.doctor, SyncNow {}).await.unwrap();
    let mut events = world.doctor.events();
    let acts = loop {
        let acts = told(&world, &patient.id).await;
        if acts.len() >= 40 {
            break acts;
        }
        let _ = events.recv().await;
    };
    assert!(acts.iter().all(|act| act.starts_with("Dr Amna (doctor)")), "{acts:?}");
    assert!(acts.iter().any(|act| act.ends_with(": read")), "{acts:?}");
    // Batches of 50: what is not yet many and not yet old waits.
    assert!(acts.len() <= 50, "{}", acts.len());
}
