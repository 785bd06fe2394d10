//! What the tests share: people with keys, and the envelopes that their programs would write.
#![allow(dead_code)]

pub mod payloads;
pub mod server;

use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::SigningKey;
use rabta_hie::envelopes::Caller;
use rabta_wire::{
    Id,
    envelope::{Codec, Envelope, Header, Kind, PersonSignature, sha256},
};

/// A new id, different each time and the same in each run.
pub fn id() -> Id {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Id::from_random(bytes)
}

/// A key of its own.
pub fn key() -> SigningKey {
    SigningKey::from_bytes(&sha256(&id().0))
}

/// 2026-11-22T10:00:00Z.
pub const NOON: i64 = 1_795_341_600_000;

/// A person at an enrolled device, and where its log stands.
#[derive(Clone)]
pub struct Member {
    pub device: Id,
    pub device_key: SigningKey,
    pub person: Id,
    pub person_key: SigningKey,
    pub facility: Id,
    pub seq: u64,
    pub prev: [u8; 32],
}

/// An envelope to be written.
pub struct Draft {
    pub kind: Kind,
    pub patient: Option<Id>,
    pub task: Option<Id>,
    pub base: Option<u32>,
    pub depends: Vec<Id>,
    pub payload: Vec<u8>,
    pub signed: bool,
}

impl Draft {
    pub fn new(kind: Kind, patient: Id, payload: Vec<u8>) -> Self {
        Self { kind, patient: Some(patient), task: None, base: None, depends: vec![], payload, signed: false }
    }

    pub fn task(mut self, task: Id) -> Self {
        self.task = Some(task);
        self
    }

    pub fn on(mut self, version: u32) -> Self {
        self.base = Some(version);
        self
    }

    pub fn after(mut self, envelopes: &[Id]) -> Self {
        self.depends.extend_from_slice(envelopes);
        self
    }

    pub fn signed(mut self) -> Self {
        self.signed = true;
        self
    }
}

/// A sealed envelope: its id and its bytes.
#[derive(Clone)]
pub struct Sealed {
    pub id: Id,
    pub bytes: Vec<u8>,
}

impl Member {
    pub fn caller(&self) -> Caller {
        Caller { device: self.device, person: self.person, facility: self.facility }
    }

    /// The header that the next entry would have.
    pub fn header(&self, draft: &Draft) -> Header {
        let signed_by = draft.signed.then(|| {
            PersonSignature::sign(&self.person_key, self.person, "1.2.840.10065.1.12.1.1", &draft.payload)
        });
        Header {
            version: 1,
            id: id(),
            device: self.device,
            epoch: 0,
            seq: self.seq + 1,
            prev: self.prev,
            kind: draft.kind,
            patient: draft.patient,
            facility: self.facility,
            task: draft.task,
            base_version: draft.base,
            depends: draft.depends.clone(),
            device_time: NOON,
            clock_offset: None,
            codec: Codec::Plain,
            dictionary: 0,
            payload_sha256: sha256(&draft.payload),
            payload_len: draft.payload.len() as u32,
            signed_by,
        }
    }

    /// Seals `header` over `packed` as the log's next entry.
    pub fn seal(&mut self, header: &Header, packed: Vec<u8>) -> Sealed {
        let envelope = Envelope::seal(&self.device_key, header, packed);
        (self.seq, self.prev) = (header.seq, envelope.hash());
        Sealed { id: header.id, bytes: envelope.to_bytes() }
    }

    pub fn write(&mut self, draft: Draft) -> Sealed {
        let header = self.header(&draft);
        self.seal(&header, draft.payload)
    }
}
