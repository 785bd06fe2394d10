//! What happened on a laptop is told to the HIE's operator: an app core and a real HIE.

#![allow(clippy::unwrap_used)]

use crate::world::{self, World, ask};
use rabta_hie::{
    Handle,
    admin::{self, Reply, Request},
};
use rabta_ipc::{
    gate::{ExportUnsent, Lang},
    patient::OpenPatient,
    sync::SyncNow,
    visit::{Paper, PrintPrescription, SignVisit},
};
use serde_json::Value;

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

/// What the clinic's own program reads at the HIE of the acts of one kind: `Type/id` of what each was done to.
async fn acts_at_the_clinic(hie: &Handle, subtype: &str) -> Vec<String> {
    let request = Request::Token { facility: "BHU Kot Radha".into(), seconds: 600 };
    let Reply::Token { token, .. } = world::tell(hie, request).await else { panic!("no token") };
    // Whoever was first has installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
    let url = format!("https://{}/fhir/AuditEvent?_count=200", hie.addr);
    let found: Value = client.get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
    let events = found["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
    let of_kind = events.filter(|event| event["subtype"][0]["code"] == subtype);
    of_kind
        .flat_map(|event| event["entity"].as_array().into_iter().flatten())
        .filter_map(|entity| entity.pointer("/what/reference")?.as_str().map(str::to_owned))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_printed_and_what_was_carried_away_in_a_file_is_in_its_audit() {
    let mut world = World::new().await;
    let patient = world.patient("Zohra Bibi").await;
    world.stop_hie().await;
    let visit = world.visit(&patient.id).await;
    ask(&world.doctor, SignVisit { id: visit.id.clone() }).await.unwrap();
    let print = PrintPrescription { visit: visit.id.clone(), paper: Paper::A5, lang: Lang::En };
    let printed = ask(&world.doctor, print).await.unwrap();
    assert!(std::path::Path::new(&printed.file).exists());
    let carried = ask(&world.doctor, ExportUnsent {}).await.unwrap();
    assert!(carried.visits >= 1);
    // A batch is whole with fifty acts.
    for _ in 0..60 {
        ask(&world.doctor, OpenPatient { id: patient.id.clone() }).await.unwrap();
    }
    world.start_hie().await;
    ask(&world.doctor, SyncNow {}).await.unwrap();
    let mut events = world.doctor.events();
    let acts = loop {
        let acts = told(&world, &patient.id).await;
        if acts.iter().any(|act| act.ends_with(": print")) {
            break acts;
        }
        let _ = events.recv().await;
    };
    // The paper is told as the patient's, though the act named the visit only.
    assert!(acts.contains(&"Dr Amna (doctor): print".to_owned()), "{acts:?}");
    assert!(acts.iter().all(|act| !act.ends_with(": export")), "no patient's page was given away: {acts:?}");
    let hie = world.hie.as_ref().unwrap();
    let told = acts_at_the_clinic(hie, "disclose").await;
    assert!(told.iter().any(|what| what.starts_with("Device/")), "{told:?}");
    let printed = acts_at_the_clinic(hie, "report").await;
    assert!(printed.contains(&format!("Encounter/{}", visit.id)), "{printed:?}");
}
