//! A laptop with two invented patients: a plain visit of each, signed; of one a whole case that a specialist is asked about; and
//! one entry that no FHIR server should take.

use std::{path::Path, sync::Arc, time::SystemTime};

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use rabta_domain::fhir::{Facility, Signer};
use rabta_store::{Attachment, DeviceSigner, NewEnvelope, RecordStore, SqliteStore, StoredCert, Transaction};
use rabta_sync::foreign::{ForeignDriver, ForeignFailure, Server};
use rabta_tests::run::checkout;
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    envelope::{Kind, PersonSignature},
};
use serde_json::json;

use super::case::case;
use crate::{
    register::{Dice, Register},
    store::PACKAGE,
};

/// ASTM E1762-95: author's signature.
const AUTHOR: &str = "1.2.840.10065.1.12.1.1";

/// What is written, the same for each store that is filled with it.
pub struct Story {
    facility: Id,
    device: Id,
    doctor: Id,
    key: Arc<SigningKey>,
    /// Their Patient ids.
    pub patients: Vec<String>,
    envelopes: Vec<NewEnvelope>,
    pub bad: Id,
    photo: Attachment,
}

impl Story {
    /// New people each time: a server that is not ours may keep what it was sent.
    pub fn new(facility: Option<Id>) -> Result<Self> {
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos() as u64;
        // Streams of their own: the register's people are drawn from the seed itself.
        let mut dice = Dice::new(!nanos);
        let mut id = || -> Result<Id> { dice.uuid().parse().ok().context("a UUID is an id") };
        let (facility, device, doctor) = (facility.map_or_else(&mut id, Ok)?, id()?, id()?);
        let key = SigningKey::from_bytes(&[7; 32]);
        let register = Register::read(&checkout().join(PACKAGE), nanos)?;
        let clinic = Facility { id: facility.to_string(), name: "BHU Basti Malook".into() };
        let signer = Signer { id: doctor.to_string(), name: "Dr Ayesha Khan".into(), ..Signer::default() };
        let at = (nanos / 1_000_000) as i64;
        let (mut patients, mut envelopes) = (Vec::new(), Vec::new());
        let mut cases = Dice::new(!nanos ^ 0x5eed << 40);
        let mut photo = None;
        let mut add = |kind, patient, task, depends, payload: Vec<u8>, signed: bool| -> Result<Id> {
            let new = NewEnvelope {
                id: id()?,
                kind,
                patient: Some(patient),
                facility,
                task,
                base_version: None,
                depends,
                device_time: at,
                clock_offset: None,
                signed_by: signed.then(|| PersonSignature::sign(&key, doctor, AUTHOR, &payload)),
                payload: payload.into(),
            };
            envelopes.push(new);
            Ok(envelopes[envelopes.len() - 1].id)
        };
        let mut bad = None;
        for n in 0..2 {
            let somebody = register.somebody(n);
            let patient: Id = somebody.id.parse().ok().context("a UUID is an id")?;
            let [person, visit] = somebody.payloads(&clinic, &signer)?;
            let first = add(Kind::Patient, patient, None, vec![], person.clone(), false)?;
            if n == 1 {
                // No status, a subject that is nowhere, a code that is no CodeableConcept.
                let nonsense = json!({ "resourceType": "Bundle", "type": "collection", "entry": [{ "resource": {
                    "resourceType": "Observation", "id": first.to_string(), "status": "nonsense", "code": 7,
                    "subject": { "reference": format!("Patient/{}", first) } } }] });
                bad = Some(add(
                    Kind::Visit,
                    patient,
                    None,
                    vec![first],
                    nonsense.to_string().into_bytes(),
                    true,
                )?);
            }
            add(Kind::Visit, patient, None, vec![first], visit, true)?;
            if n == 0 {
                let case = case(&person, &clinic, &signer, &mut cases)?;
                for (kind, payload, signed) in case.payloads {
                    let task = (kind != Kind::AttachmentPart).then_some(case.task);
                    add(kind, patient, task, vec![first], payload, signed)?;
                }
                photo = Some(Attachment {
                    id: case.photo.0.to_string(),
                    content_type: "image/jpeg".into(),
                    bytes: case.photo.1.to_vec().into(),
                    thumb: Vec::new().into(),
                });
            }
            patients.push(somebody.id);
        }
        let (bad, photo) = (bad.context("the second has one")?, photo.context("the first has one")?);
        Ok(Self { facility, device, doctor, key: Arc::new(key), patients, envelopes, bad, photo })
    }

    /// A laptop on which all of it was written.
    pub async fn laptop(&self, folder: &Path) -> Result<Arc<SqliteStore>> {
        std::fs::create_dir_all(folder)?;
        let store = SqliteStore::temporary(&folder.join("records.db")).await?;
        let doctor = Cert {
            subject: Subject::Person {
                id: self.doctor,
                name: "Dr Ayesha Khan".into(),
                role: "doctor".into(),
                registration: Some("12345-P".into()),
                qualification: Some("MBBS".into()),
                specialty: None,
            },
            key: self.key.verifying_key().to_bytes(),
            facility: self.facility,
            facility_name: "BHU Basti Malook".into(),
            issued_at: 1,
            revoked: false,
        };
        let bytes = SignedCert::sign(&self.key, &doctor).to_bytes();
        let cert = StoredCert { subject: self.doctor, key: doctor.key, issued_at: 1, bytes };
        let mut transaction = Transaction::new().put_cert(cert).put_attachment(self.photo.clone());
        for envelope in &self.envelopes {
            transaction = transaction.append(envelope.clone());
        }
        let signer = DeviceSigner::new(self.device, self.key.clone());
        store.commit(transaction, Some(&signer)).await?;
        Ok(Arc::new(store))
    }

    /// A resource of the visit of the first patient.
    pub async fn observation(&self, store: &SqliteStore) -> Result<rabta_store::Resource> {
        let found = store.of_patient(&self.patients[0], "Observation", None, 1).await?;
        found.into_iter().next().context("a visit has an observation")
    }
}

pub async fn open(
    server: &Server,
    store: &Arc<SqliteStore>,
) -> Result<ForeignDriver<SqliteStore>, ForeignFailure> {
    ForeignDriver::open(server.clone(), store.clone()).await
}
