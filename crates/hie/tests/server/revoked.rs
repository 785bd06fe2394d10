//! What everybody's laptop learns of a revocation, and what a person without the right to prescribe may send.

use ed25519_dalek::VerifyingKey;
use rabta_hie::admin::Request;
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    envelope::Kind,
    log::{Item, Outcome},
};
use serde_json::json;

use crate::support::{Draft, Member, id, payloads, server::Server};

/// What a laptop pulls of revoked keys from `after` on, and where it stands then.
async fn revoked(server: &Server, reader: &Member, after: Option<String>) -> (Vec<Cert>, String) {
    let hie: VerifyingKey = server.handle.app.db.settings.signing_key.verifying_key();
    let pulled = server.pull(&server.token(reader).await, after).await;
    let certs = pulled.changes.iter().filter_map(|change| match &change.item {
        Item::Cert { bytes } => Some(SignedCert::open(bytes, &hie).unwrap()),
        _ => None,
    });
    (certs.filter(|cert| cert.revoked).collect(), pulled.next.to_string())
}

fn of(cert: &Cert) -> Id {
    match &cert.subject {
        Subject::Person { id, .. } | Subject::Device { id, .. } => *id,
    }
}

#[tokio::test]
async fn every_laptop_learns_which_person_device_or_facility_was_revoked() {
    let server = Server::start().await;
    let (clinic, hospital) = (server.facility("A", "clinic").await, server.facility("B", "hospital").await);
    let (doctor, _) = server.join(clinic, "doctor").await;
    let (nurse, _) = server.join(clinic, "nurse").await;
    let (third, _) = server.join(clinic, "doctor").await;
    let (specialist, _) = server.join(hospital, "specialist").await;
    let (none, at) = revoked(&server, &specialist, None).await;
    assert!(none.is_empty());

    server.advance(60);
    server.admin(Request::RevokePerson { person: doctor.person }).await;
    let (certs, at) = revoked(&server, &specialist, Some(at)).await;
    let [cert] = certs.as_slice() else { panic!("{certs:?}") };
    assert_eq!((of(cert), cert.issued_at), (doctor.person, server.now()));
    assert_eq!(cert.key, doctor.person_key.verifying_key().to_bytes());
    assert!(matches!(&cert.subject, Subject::Person { role, .. } if role == "doctor"));
    assert_eq!((cert.facility, cert.facility_name.as_str()), (clinic, "A"));

    server.advance(60);
    server.admin(Request::RevokeDevice { device: nurse.device }).await;
    let (certs, at) = revoked(&server, &specialist, Some(at)).await;
    let [cert] = certs.as_slice() else { panic!("{certs:?}") };
    assert_eq!(of(cert), nurse.device);
    assert_eq!(cert.key, nurse.device_key.verifying_key().to_bytes());

    server.advance(60);
    server.admin(Request::RevokeFacility { facility: clinic.to_string() }).await;
    let (certs, at) = revoked(&server, &specialist, Some(at)).await;
    let mut left: Vec<Id> = certs.iter().map(of).collect();
    let mut devices = vec![doctor.device, third.device];
    left.sort_by_key(|id| id.0);
    devices.sort_by_key(|id| id.0);
    assert_eq!(left, devices, "the one that was revoked before is not revoked again");

    // Nothing of it is said twice, and a laptop that joins later learns all of it.
    assert!(revoked(&server, &specialist, Some(at)).await.0.is_empty());
    let (late, _) = server.join(hospital, "specialist").await;
    assert_eq!(revoked(&server, &late, None).await.0.len(), 4);
}

#[tokio::test]
async fn who_may_not_prescribe_proposes_medicines_and_orders_none() {
    let server = Server::start().await;
    let clinic = server.facility("A", "clinic").await;
    let patient = id();
    let subject = json!({"reference": format!("Patient/{patient}")});
    let visit = |intent: &str, status: &str| {
        let composition = json!({
            "resourceType": "Composition", "id": id().to_string(), "status": "final",
            "type": {"coding": [{"code": "34108-1"}]}, "date": "2026-11-22T10:00:00Z", "title": "Visit",
            "author": [{"display": "x"}], "subject": subject,
        });
        let medicine = json!({
            "resourceType": "MedicationRequest", "id": id().to_string(), "status": status, "intent": intent,
            "subject": subject, "medicationCodeableConcept": {"text": "Amoxicillin"},
        });
        payloads::bundle("document", &[composition, medicine])
    };
    let (mut doctor, _) = server.join(clinic, "doctor").await;
    let registered = doctor.write(Draft::new(Kind::Patient, patient, payloads::patient(patient, "Zohra")));
    let ordered = doctor.write(Draft::new(Kind::Visit, patient, visit("order", "active")).signed());
    for ack in server.push(&server.token(&doctor).await, &[registered, ordered]).await {
        assert!(matches!(ack.outcome, Outcome::Durable { .. }), "{ack:?}");
    }
    for role in ["lhv", "midwife", "nurse", "chw", "vaccinator"] {
        let (mut member, _) = server.join(clinic, role).await;
        let token = server.token(&member).await;
        let mut send = async |intent: &str, status: &str| {
            let draft = Draft::new(Kind::Visit, patient, visit(intent, status)).signed();
            let sealed = member.write(draft);
            match server.push(&token, &[sealed]).await.remove(0).outcome {
                Outcome::Durable { .. } => String::new(),
                Outcome::Refused { code, .. } => code,
                other => panic!("{role}: {other:?}"),
            }
        };
        assert_eq!(send("order", "active").await, "not-prescriber", "{role}");
        assert_eq!(send("instance-order", "draft").await, "not-prescriber", "{role}");
        assert_eq!(send("proposal", "active").await, "", "{role}");
        // A correction carries what was wrong along, and that orders nothing.
        assert_eq!(send("order", "entered-in-error").await, "", "{role}");
    }
}
