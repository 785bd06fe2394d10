//! A patient takes the consent back: what the laptop of the specialist who was asked does at its next contact, and what the
//! clinic's own laptop shows. The withdrawal itself comes from another laptop of the clinic, as its bytes would.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use crate::world::{LONG, World, ask, code, consent, form, one_ask, until};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use rabta_app::App;
use rabta_domain::{
    ask::{State, Urgency},
    fhir::{self, Bundle, Facility, Signer, Stamp, consent::ConsentContext},
};
use rabta_hie::admin::PersonFields;
use rabta_ipc::{
    ask::{GetRoster, ListAsks, MoveAsk, OpenAsk, SendAsk},
    gate::{GetStatus, LockVault, Phase, Unlock},
    patient::{Find, OpenPatient},
};
use rabta_store::{DeviceSigner, MemoryStore, NewEnvelope, RecordStore, Transaction};
use rabta_sync::{Endpoint, HieClient, Identity, Offset, Pins};
use rabta_wire::{
    Id,
    code::EnrollmentCode,
    enroll::Enrolled,
    envelope::{Envelope, Kind, PersonSignature},
    log::{Item, Outcome},
};

/// ASTM E1762-95: consent witness's signature.
const WITNESS: &str = "1.2.840.10065.1.12.1.11";

fn fresh() -> Id {
    Id(*uuid::Uuid::new_v4().as_bytes())
}

/// A second laptop of the clinic, as the HIE sees one: keys and a client.
struct Colleague {
    enrolled: Enrolled,
    device_key: Arc<SigningKey>,
    person_key: SigningKey,
    client: HieClient,
}

impl Colleague {
    async fn join(world: &World) -> Self {
        let hie = world.hie.as_ref().unwrap();
        let new = PersonFields { name: "Dr Bilal".into(), role: "doctor".into(), ..PersonFields::default() };
        let code = EnrollmentCode::parse(&code(hie, "BHU Kot Radha", new).await).unwrap();
        let clock = Arc::new(rabta_sync::SystemClock::default());
        let joining = HieClient::for_code(&code, clock.clone()).unwrap();
        let (device_key, person_key) =
            (Arc::new(SigningKey::from_bytes(&[21; 32])), SigningKey::from_bytes(&[22; 32]));
        let enrolled = joining.enroll(&code, &device_key, &person_key, "a laptop", None).await.unwrap();
        let bytes32 = |text: &String| URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap();
        let endpoint =
            Endpoint { address: code.address.clone(), pins: Pins::whole(enrolled.pins.iter().map(bytes32)) };
        let person = enrolled.invitation.person.id;
        let identity = Identity { device: enrolled.device, person, device_key: device_key.clone() };
        let client = HieClient::new(endpoint, identity, clock, Offset::default()).unwrap();
        Self { enrolled, device_key, person_key, client }
    }

    /// Finds the consent in the clinic's record, and writes that it was taken back.
    async fn withdraws(&self, patient: &str) -> Outcome {
        let page = self.client.pull(None, 1_000).await.unwrap();
        let given = page.changes.iter().find_map(|change| match &change.item {
            Item::Envelope { bytes, .. } => {
                let envelope = Envelope::from_bytes(bytes).unwrap();
                let header = envelope.header().unwrap();
                (header.kind == Kind::Consent).then_some((envelope, header))
            }
            _ => None,
        });
        let (envelope, header) = given.expect("the consent is at the HIE");
        let payload = rabta_store::unpack_payload(&envelope, &header, None).unwrap();
        let known = fhir::consent::from_bundle(&payload).unwrap();
        assert_eq!(known.patient, patient);
        let (facility, me) = (&self.enrolled.invitation.facility, &self.enrolled.invitation.person);
        let at = time::OffsetDateTime::now_utc();
        let context = ConsentContext {
            id: &known.id,
            patient,
            facility: &Facility {
                id: facility.id.to_string(),
                name: facility.name.clone(),
                ..Facility::default()
            },
            author: &Signer {
                id: me.id.to_string(),
                name: me.name.clone(),
                role: me.role.clone(),
                ..Signer::default()
            },
            stamp: Stamp { at, today: at.date() },
            withdrawn: true,
        };
        let payload = fhir::consent::to_bundle(&known.form, &context, &mut || fresh().to_string());
        assert!(Bundle::parse(&payload).is_ok());
        let new = NewEnvelope {
            id: fresh(),
            kind: Kind::Consent,
            patient: header.patient,
            facility: facility.id,
            task: header.task,
            base_version: None,
            depends: vec![header.id],
            device_time: 0,
            clock_offset: None,
            signed_by: Some(PersonSignature::sign(&self.person_key, me.id, WITNESS, &payload)),
            payload: payload.into(),
        };
        let (log, id) = (MemoryStore::new(), new.id);
        let signer = DeviceSigner::new(self.enrolled.device, self.device_key.clone());
        log.commit(Transaction::new().append(new), Some(&signer)).await.unwrap();
        let bytes = log.log_entry(id).await.unwrap().unwrap().bytes.0;
        self.client.push(vec![bytes]).await.unwrap().acks.remove(0).outcome
    }
}

/// Whether this laptop finds the patient by name.
async fn finds(app: &App, name: &str) -> bool {
    let found = ask(app, Find { q: name.into(), offset: 0, limit: 10 }).await.unwrap();
    found.rows.iter().any(|row| row.name.contains(name))
}

/// An ask that the specialist has opened.
async fn opened(world: &World) -> (String, String) {
    let patient = world.patient("Ayesha Bibi").await;
    let visit = world.visit(&patient.id).await;
    until(&world.doctor, GetRoster {}, |roster| (!roster.entries.is_empty()).then_some(())).await;
    let send = SendAsk { visit: visit.id.clone(), consent: consent(), ask: form(Urgency::Routine) };
    let id = ask(&world.doctor, send).await.unwrap().row.id;
    one_ask(&world.specialist, |row| row.id == id).await;
    let view = ask(&world.specialist, OpenAsk { id: id.clone() }).await.unwrap();
    assert_eq!(view.note.consent, "given");
    one_ask(&world.doctor, |row| row.state == State::Seen).await;
    (patient.id, id)
}

/// The ask, the patient and their record are not on this laptop any more, nor in what it says.
async fn nothing_left(app: &App, patient: &str, id: &str) {
    let withdrawn = ask(app, OpenAsk { id: id.to_owned() }).await.unwrap_err();
    assert_eq!(withdrawn.code, "consent-withdrawn");
    assert!(ask(app, ListAsks { closed: true }).await.unwrap().iter().all(|row| row.id != id));
    assert!(!finds(app, "Ayesha").await);
    assert!(ask(app, OpenPatient { id: patient.to_owned() }).await.is_err());
    let moved = MoveAsk { id: id.to_owned(), to: State::Accepted, reason: "".into(), to_person: None };
    assert!(ask(app, moved).await.is_err(), "nobody answers it any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_taken_back_takes_the_patient_from_the_specialists_laptop_and_the_clinic_shows_it() {
    let world = World::new().await;
    let (patient, id) = opened(&world).await;
    assert!(finds(&world.specialist, "Ayesha").await);
    let colleague = Colleague::join(&world).await;
    let outcome = colleague.withdraws(&patient).await;
    assert!(matches!(outcome, Outcome::Durable { .. }), "{outcome:?}");

    until(&world.specialist, ListAsks { closed: true }, |rows| {
        rows.iter().all(|row| row.id != id).then_some(())
    })
    .await;
    nothing_left(&world.specialist, &patient, &id).await;

    // The clinic goes on: its record is whole, and its own page of the ask says what the patient said.
    let said = async || ask(&world.doctor, OpenAsk { id: id.clone() }).await.unwrap().note.consent;
    let mut events = world.doctor.events();
    while said().await != "withdrawn" {
        let _ = tokio::time::timeout(LONG, events.recv()).await.expect("it never came");
    }
    assert!(finds(&world.doctor, "Ayesha").await);
    assert!(ask(&world.doctor, OpenPatient { id: patient.clone() }).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_that_was_shut_when_the_consent_was_taken_back_lets_go_at_its_next_contact() {
    let world = World::new().await;
    let (patient, id) = opened(&world).await;
    let colleague = Colleague::join(&world).await;
    ask(&world.specialist, LockVault {}).await.unwrap();
    let outcome = colleague.withdraws(&patient).await;
    assert!(matches!(outcome, Outcome::Durable { .. }), "{outcome:?}");

    let Phase::Locked { persons } = ask(&world.specialist, GetStatus {}).await.unwrap().phase else {
        panic!("not shut")
    };
    let unlock = Unlock { person: persons[0].id.clone(), passphrase: "seven quiet herons wade".into() };
    ask(&world.specialist, unlock).await.unwrap();
    until(&world.specialist, ListAsks { closed: true }, |rows| {
        rows.iter().all(|row| row.id != id).then_some(())
    })
    .await;
    nothing_left(&world.specialist, &patient, &id).await;
}
