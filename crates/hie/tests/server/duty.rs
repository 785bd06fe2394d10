//! What nobody answers is moved by the HIE, by its own clock, in envelopes that laptops check like all others.

use rabta_domain::{
    ask::State,
    fhir::{Resource, task},
};
use rabta_hie::{admin::Request, duty};
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    envelope::{Envelope, Kind},
    log::{Item, Outcome, PullReply},
};
use serde_json::Value;

use crate::support::{
    Draft, Member, id, payloads,
    server::{Server, said},
};

/// A clinic's doctor, and pediatricians with these hours.
pub struct House {
    pub doctor: Member,
    pub pediatricians: Vec<Member>,
}

pub async fn house(server: &Server, hours: &[&str]) -> House {
    let (clinic, hospital) = (server.facility("A", "clinic").await, server.facility("B", "hospital").await);
    let (doctor, _) = server.join(clinic, "doctor").await;
    let mut pediatricians = Vec::new();
    for (n, hours) in hours.iter().enumerate() {
        // The next on duty is found in the order of names, and of random ids only where names are the same.
        let code = server.code_for(hospital, "specialist", &format!("pediatrician {n:02}")).await;
        let (member, _) = server.redeem(&code).await;
        roster(server, &member, hours).await;
        pediatricians.push(member);
    }
    House { doctor, pediatricians }
}

pub async fn roster(server: &Server, member: &Member, hours: &str) {
    let request = Request::SetRoster {
        person: member.person,
        specialty: Some("pediatrics".into()),
        phone: Some("0300".into()),
        hours: hours.into(),
    };
    server.admin(request).await;
}

/// A new patient's ask to the pediatricians; the envelopes, in order.
pub fn asking(doctor: &mut Member, urgency: &str) -> (Id, Id, Vec<crate::support::Sealed>) {
    asking_one(doctor, urgency, None)
}

/// The same, to one of them by name.
pub fn asking_one(
    doctor: &mut Member,
    urgency: &str,
    to: Option<Id>,
) -> (Id, Id, Vec<crate::support::Sealed>) {
    let (patient, task) = (id(), id());
    let registered = doctor.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, "Z")));
    let consent = doctor.write(
        Draft::new(Kind::Consent, patient, payloads::consent(patient, "permit")).after(&[registered.id]),
    );
    let note = payloads::pool_note_to(task, patient, urgency, doctor.person, to);
    let note = Draft::new(Kind::ReferralNote, patient, note).task(task).after(&[consent.id]).signed();
    let note = doctor.write(note);
    (patient, task, vec![registered, consent, note])
}

/// How the ask stands at the HIE: state, owner's person, version.
async fn stands(server: &Server, ask: Id) -> (State, Option<Id>, String) {
    duty::tick(&server.handle.app).await.unwrap();
    let resource = resource(server, ask).await;
    let view = task::view(&Resource::parse(resource.to_string().as_bytes()).unwrap()).unwrap();
    (view.state, view.owner.id.parse().ok(), view.pool.unwrap_or_default())
}

async fn resource(server: &Server, ask: Id) -> Value {
    let facility: Vec<u8> = sqlx::query_scalar("SELECT facility FROM task WHERE id = ?")
        .bind(ask.0.to_vec())
        .fetch_one(server.handle.app.db.read())
        .await
        .unwrap();
    let token = server.operator(Id(facility.try_into().unwrap())).await;
    let (status, resource) = said(server.get(&token, &format!("/fhir/Task/{ask}"))).await;
    assert_eq!(status, 200);
    resource
}

fn moves(reply: &PullReply) -> Vec<(Id, Vec<u8>)> {
    let headers = reply.changes.iter().filter_map(|change| match &change.item {
        Item::Envelope { bytes, .. } => Some(bytes),
        _ => None,
    });
    headers
        .filter_map(|bytes| {
            let envelope = Envelope::from_bytes(bytes).unwrap();
            let header = envelope.header().unwrap();
            (header.kind == Kind::TaskMove).then(|| (header.device, bytes.to_vec()))
        })
        .collect()
}

#[tokio::test]
async fn an_emergency_that_nobody_takes_goes_on_until_the_doctor_is_told_to_refer() {
    let server = Server::start().await;
    let mut house = house(&server, &["always", "always", "mon 03:00-03:01"]).await;
    let doctors = server.token(&house.doctor).await;
    let (_, ask, envelopes) = asking(&mut house.doctor, "stat");
    server.push(&doctors, &envelopes).await;
    assert_eq!(stands(&server, ask).await, (State::Requested, None, "pediatrics".into()));
    server.advance(299);
    assert_eq!(stands(&server, ask).await.0, State::Requested);
    server.advance(1);
    let (state, first, _) = stands(&server, ask).await;
    assert_eq!(state, State::Escalated);
    let first = first.expect("it has an owner by name");
    server.advance(300);
    let (state, second, _) = stands(&server, ask).await;
    assert_eq!(state, State::Escalated);
    let second = second.expect("it has an owner by name");
    let on_duty = [house.pediatricians[0].person, house.pediatricians[1].person];
    assert!(first != second && on_duty.contains(&first) && on_duty.contains(&second));
    server.advance(300);
    assert_eq!(stands(&server, ask).await, (State::NobodyOnDuty, None, "pediatrics".into()));

    // The clinic pulls each of these moves, signed by the HIE's own certified device.
    let doctors = server.token(&house.doctor).await;
    let reply = server.pull(&doctors, None).await;
    let moves = moves(&reply);
    assert_eq!(moves.len(), 3);
    let hie = server.handle.app.db.settings.signing_key.verifying_key();
    let certs = reply.changes.iter().filter_map(|change| match &change.item {
        Item::Cert { bytes } => Some(SignedCert::open(bytes, &hie).unwrap()),
        _ => None,
    });
    let certs: Vec<Cert> = certs.collect();
    for (device, bytes) in &moves {
        let is = |cert: &&Cert| matches!(&cert.subject, Subject::Device { id, .. } if id == device);
        let cert = certs.iter().find(is).expect("its certificate is pulled");
        let key = ed25519_dalek::VerifyingKey::from_bytes(&cert.key).unwrap();
        Envelope::from_bytes(bytes).unwrap().open(&key).expect("signed by it");
    }
    // Whoever comes later may still take it.
    let late = &mut house.pediatricians[2];
    let tokens = server.token(late).await;
    let patient: Id = resource(&server, ask).await["for"]["reference"]
        .as_str()
        .unwrap()
        .trim_start_matches("Patient/")
        .parse()
        .unwrap();
    let taken = payloads::pool_move(ask, patient, State::Accepted, Some(late.person));
    let taken = late.write(Draft::new(Kind::TaskMove, patient, taken).task(ask).on(4).signed());
    let acks = server.push(&tokens, &[taken]).await;
    assert!(matches!(acks[0].outcome, Outcome::Durable { .. }), "{acks:?}");
    assert_eq!(stands(&server, ask).await.1, Some(late.person));
}

#[tokio::test]
async fn with_nobody_on_duty_the_doctor_is_told_at_once_and_who_comes_gets_it() {
    let server = Server::start().await;
    // 10:00 UTC is 15:00 where the duty hours are meant.
    let mut house = house(&server, &["sun 16:00-20:00"]).await;
    let doctors = server.token(&house.doctor).await;
    let (_, ask, envelopes) = asking(&mut house.doctor, "urgent");
    server.push(&doctors, &envelopes).await;
    assert_eq!(stands(&server, ask).await.0, State::NobodyOnDuty);
    server.advance(3600);
    let (state, owner, _) = stands(&server, ask).await;
    assert_eq!((state, owner), (State::Escalated, Some(house.pediatricians[0].person)));
}

#[tokio::test]
async fn who_joins_the_roster_gets_what_waits_and_who_leaves_loses_it() {
    let server = Server::start().await;
    let mut house = house(&server, &["always"]).await;
    let doctors = server.token(&house.doctor).await;
    let (_, _, envelopes) = asking(&mut house.doctor, "routine");
    server.push(&doctors, &envelopes).await;
    let (late, _) = server.join(house.pediatricians[0].facility, "specialist").await;
    let token = server.token(&late).await;
    let count = async |token: &str| {
        let reply = server.pull(token, None).await;
        reply.changes.iter().filter(|c| matches!(c.item, Item::Envelope { .. })).count()
    };
    assert_eq!(count(&token).await, 0);
    roster(&server, &late, "always").await;
    assert_eq!(count(&token).await, 3, "the patient, the consent and the note");
    server.admin(Request::LeaveRoster { person: late.person }).await;
    assert_eq!(count(&token).await, 0);
    let first = server.token(&house.pediatricians[0]).await;
    assert_eq!(count(&first).await, 3, "the others keep it");
}

#[tokio::test]
async fn a_declined_ask_goes_to_the_next_and_one_that_was_taken_and_left_too() {
    let server = Server::start().await;
    let mut house = house(&server, &["always", "always"]).await;
    let doctors = server.token(&house.doctor).await;
    let (patient, ask, envelopes) = asking(&mut house.doctor, "stat");
    server.push(&doctors, &envelopes).await;
    let one = house.pediatricians[0].person;
    let mut by_one = async |state, base| {
        let member = &mut house.pediatricians[0];
        let payload = payloads::pool_move(ask, patient, state, Some(one));
        let draft = Draft::new(Kind::TaskMove, patient, payload).task(ask).on(base).signed();
        let envelope = member.write(draft);
        let token = server.token(member).await;
        server.push(&token, &[envelope]).await.remove(0).outcome
    };
    assert!(matches!(by_one(State::Accepted, 1).await, Outcome::Durable { .. }));
    server.advance(19 * 60);
    assert_eq!(stands(&server, ask).await.0, State::Accepted, "whoever took it has time");
    assert!(matches!(by_one(State::Declined, 2).await, Outcome::Durable { .. }));
    let (state, owner, _) = stands(&server, ask).await;
    assert_eq!((state, owner), (State::Escalated, Some(house.pediatricians[1].person)));
}

#[tokio::test]
async fn the_hies_own_device_is_no_facility_or_device_of_the_operators() {
    let server = Server::start().await;
    let duty = server.handle.app.db.settings.duty.id;
    let devices = serde_json::to_string(&server.admin(Request::Devices).await).unwrap();
    let facilities = serde_json::to_string(&server.admin(Request::Facilities).await).unwrap();
    assert!(!devices.contains(&duty.to_string()) && !facilities.contains(&duty.to_string()));
    let server = server.restart().await;
    assert_eq!(server.handle.app.db.settings.duty.id, duty);
}
