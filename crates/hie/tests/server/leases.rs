//! The lease in each pull, the code that the operator reads out, and what a laptop hands in that cannot send any more.

use clap::Parser as _;
use ed25519_dalek::VerifyingKey;
use rabta_hie::{
    admin::{Reply, Request},
    cli::{Cli, operate},
    envelopes::HandedIn,
};
use rabta_wire::{
    Id,
    envelope::Kind,
    handover,
    lease::{Challenge, DAYS, SignedGrant},
    log::Push,
    shared::SharedSecret,
};
use serde_json::Value;

use crate::support::{
    Draft, Member, NOON, Sealed, id, key, payloads,
    server::{Server, said},
};

fn hie_key(server: &Server) -> VerifyingKey {
    server.handle.app.db.settings.signing_key.verifying_key()
}

fn file(server: &Server, member: &Member, envelopes: &[&Sealed]) -> std::path::PathBuf {
    let secret = SharedSecret::between(&member.device_key, &hie_key(server), member.device).unwrap();
    let push = Push { envelopes: envelopes.iter().map(|e| e.bytes.clone().into()).collect() };
    let path = server.folder().join(format!("{}.rabta", id()));
    std::fs::write(&path, handover::seal(&secret, [7; 24], &push)).unwrap();
    path
}

async fn import(server: &Server, file: std::path::PathBuf) -> HandedIn {
    let Reply::Imported(done) = server.admin(Request::Import { file }).await else { panic!("not taken") };
    let Reply::OperatorActs(acts) = server.admin(Request::OperatorActs { since: None }).await else {
        panic!("no list")
    };
    // The clock of these tests stands still, so which act is the last is not said.
    let about = [format!("Device/{}", done.device)];
    assert!(acts.iter().any(|act| act.act == "import" && act.what == about), "what was done is written down");
    done
}

fn register(member: &mut Member, name: &str) -> (Id, Sealed) {
    let patient = id();
    let draft = Draft::new(Kind::Patient, patient, payloads::patient(patient, name));
    (patient, member.write(draft))
}

fn visit(member: &mut Member, patient: Id, after: Id) -> Sealed {
    member.write(Draft::new(Kind::Visit, patient, payloads::visit(patient)).after(&[after]).signed())
}

#[tokio::test]
async fn each_pull_brings_the_readers_own_lease() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    let token = server.token(&doctor).await;
    let lease = server.pull(&token, None).await.lease.unwrap();
    let grant = SignedGrant::open(&lease, &hie_key(&server)).unwrap();
    assert_eq!((grant.device, grant.days, grant.issued_at), (doctor.device, DAYS, NOON));
    server.advance(60);
    let lease = server.pull(&token, None).await.lease.unwrap();
    assert_eq!(SignedGrant::open(&lease, &hie_key(&server)).unwrap().issued_at, NOON + 60_000);
}

#[tokio::test]
async fn only_the_device_itself_is_told_that_it_is_revoked() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (doctor, _) = server.join(clinic, "doctor").await;
    server.admin(Request::RevokeDevice { device: doctor.device }).await;
    let answer = server.ask_token(&Server::assertion(&doctor, NOON / 1000)).await;
    assert_eq!(answer.status(), 401);
    let said: Value = answer.json().await.unwrap();
    assert_eq!(
        (said["error"].as_str(), said["rabta_code"].as_str()),
        (Some("invalid_client"), Some("device-revoked"))
    );
    let mut stranger = doctor.clone();
    stranger.device_key = key();
    let answer = server.ask_token(&Server::assertion(&stranger, NOON / 1000)).await;
    let said: Value = answer.json().await.unwrap();
    assert_eq!((said["error"].as_str(), said.get("rabta_code")), (Some("invalid_client"), None));
}

#[tokio::test]
async fn what_was_written_before_the_revocation_is_taken_in_any_order_and_the_audit_says_how_it_came() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let (mut colleague, _) = server.join(clinic, "doctor").await;
    let (patient, registered) = register(&mut doctor, "Zohra");
    let seen = visit(&mut doctor, patient, registered.id);
    let (_, others) = register(&mut colleague, "Kulsoom");
    let orphan = visit(&mut doctor, id(), id());
    server.advance(3_600);
    server.admin(Request::RevokeDevice { device: doctor.device }).await;
    let mut late = doctor.header(&Draft::new(Kind::Patient, patient, payloads::patient(patient, "Zohra B")));
    late.device_time = NOON + 7_200_000;
    let late = doctor.seal(&late, payloads::patient(patient, "Zohra B"));

    // The visit before the patient whom it needs.
    let path = file(&server, &doctor, &[&seen, &registered, &others, &orphan, &late]);
    let done = import(&server, path.clone()).await;
    assert_eq!((done.device, done.taken, done.known), (doctor.device, 2, 0));
    let refused: Vec<_> = done.refused.iter().map(|(id, code, _)| (*id, code.as_str())).collect();
    assert!(refused.contains(&(others.id, "device-unknown")), "{refused:?}");
    assert!(refused.contains(&(late.id, "device-revoked")), "{refused:?}");
    assert_eq!(done.waiting, [orphan.id]);
    let again = import(&server, path).await;
    assert_eq!((again.taken, again.known), (0, 2));

    let operator = server.operator(clinic).await;
    let (status, _) = said(server.get(&operator, &format!("/fhir/Patient/{patient}"))).await;
    assert_eq!(status, 200);
    let (_, events) = said(server.get(&operator, &format!("/fhir/AuditEvent?patient={patient}"))).await;
    let noted = events.to_string().matches("its device was revoked after it was written").count();
    assert_eq!(noted, 2, "{events}");
}

#[tokio::test]
async fn a_laptop_that_is_not_revoked_hands_in_and_sends_the_same_again_later() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let (_, registered) = register(&mut doctor, "Zohra");
    assert_eq!(import(&server, file(&server, &doctor, &[&registered])).await.taken, 1);
    let token = server.token(&doctor).await;
    let acks = server.push(&token, &[registered]).await;
    assert!(matches!(acks[0].outcome, rabta_wire::log::Outcome::Durable { .. }), "{acks:?}");
}

#[tokio::test]
async fn the_operators_commands_are_these() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let (_, registered) = register(&mut doctor, "Zohra");
    let path = file(&server, &doctor, &[&registered]);
    let data = server.folder().to_str().unwrap().to_owned();
    let run = async |words: &[&str]| {
        let cli = Cli::try_parse_from(words).unwrap();
        operate(cli.command).await
    };
    // The running server is asked.
    let device = doctor.device.to_string();
    let challenge = Challenge::from_random([1, 2, 3, 4, 5]);
    let shown = challenge.text();
    let words =
        ["rabta-hie", "device", "lease-code", "--data", &data, "--device", &device, "--challenge", &shown];
    let said = run(&words).await.unwrap();
    let secret = SharedSecret::between(&doctor.device_key, &hie_key(&server), doctor.device).unwrap();
    assert_eq!(challenge.days(&secret, said.lines().last().unwrap()), Some(DAYS));
    let said = run(&["rabta-hie", "import", "--data", &data, path.to_str().unwrap()]).await.unwrap();
    assert!(said.contains("1 taken, 0 were here already, 0 refused"), "{said}");
    let missing = run(&["rabta-hie", "import", "--data", &data, "/nowhere"]).await.unwrap_err();
    assert!(missing.to_string().contains("the file"), "{missing}");
}
