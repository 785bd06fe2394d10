//! A laptop with a log: a patient and what was recorded of them, signed by a doctor.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use rabta_store::{DeviceSigner, MemoryStore, NewEnvelope, RecordStore, StoredCert, Transaction};
use rabta_sync::foreign::{Auth, ForeignDriver, ForeignFailure, Server, Trust};
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    envelope::{Kind, PersonSignature},
};
use serde_json::{Value, json};

pub const PATIENT: Id = Id([0x11; 16]);
const DEVICE: Id = Id([3; 16]);
const DOCTOR: Id = Id([2; 16]);
const FACILITY: Id = Id([4; 16]);
pub const TOKEN: &str = "a-token";

pub struct Laptop {
    pub store: Arc<MemoryStore>,
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn bundle(resources: &[Value]) -> Vec<u8> {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string().into_bytes()
}

pub fn observation(n: u8, value: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": Id([n; 16]).to_string(), "status": "final", "code": { "text": value },
        "subject": { "reference": format!("Patient/{PATIENT}") },
        "performer": [{ "reference": format!("Practitioner/{DOCTOR}") }],
    })
}

impl Laptop {
    /// With the patient in the log as envelope 1.
    pub async fn new() -> Self {
        let laptop = Self { store: Arc::new(MemoryStore::new()) };
        let doctor = Cert {
            subject: Subject::Person {
                id: DOCTOR,
                name: "Dr Amna".into(),
                role: "doctor".into(),
                registration: Some("1-P".into()),
                qualification: None,
                specialty: None,
            },
            key: key(6).verifying_key().to_bytes(),
            facility: FACILITY,
            facility_name: "BHU Kot Radha".into(),
            issued_at: 1,
            revoked: false,
        };
        let bytes = SignedCert::sign(&key(1), &doctor).to_bytes();
        let cert = StoredCert { subject: DOCTOR, key: doctor.key, issued_at: 1, bytes };
        laptop.store.commit(Transaction::new().put_cert(cert), None).await.expect("it is stored");
        let patient = json!({ "resourceType": "Patient", "id": PATIENT.to_string(), "gender": "female" });
        laptop.append(1, Kind::Patient, &[patient], &[]).await;
        laptop
    }

    /// Signed by the doctor, but for the patient's own.
    pub async fn append(&self, n: u8, kind: Kind, resources: &[Value], depends: &[u8]) {
        let payload = bundle(resources);
        let signed = (kind != Kind::Patient)
            .then(|| PersonSignature::sign(&key(6), DOCTOR, "1.2.840.10065.1.12.1.1", &payload));
        let new = NewEnvelope {
            id: Id([n; 16]),
            kind,
            patient: Some(PATIENT),
            facility: FACILITY,
            task: None,
            base_version: None,
            depends: depends.iter().map(|n| Id([*n; 16])).collect(),
            device_time: 1_763_892_000_000,
            clock_offset: None,
            signed_by: signed,
            payload: payload.into(),
        };
        let signer = DeviceSigner::new(DEVICE, Arc::new(key(5)));
        self.store.commit(Transaction::new().append(new), Some(&signer)).await.expect("it is appended");
    }

    /// A visit of one observation, which needs the patient.
    pub async fn visit(&self, n: u8, value: &str) {
        self.append(n, Kind::Visit, &[observation(n, value)], &[1]).await;
    }

    /// A driver as it begins with the program.
    pub async fn open(&self, base: &str) -> Result<ForeignDriver<MemoryStore>, ForeignFailure> {
        let server = Server::new(base, Auth::Bearer(TOKEN.into()), Trust::System)?;
        ForeignDriver::open(server, self.store.clone()).await
    }

    /// The value of the observation `n` as it stands here.
    pub async fn value(&self, n: u8) -> Option<String> {
        let found = self.store.resource("Observation", &Id([n; 16]).to_string()).await.expect("it reads")?;
        let json: Value = serde_json::from_slice(&found.body).expect("JSON");
        json["code"]["text"].as_str().map(str::to_owned)
    }
}
