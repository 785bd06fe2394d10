//! Making the next entry of this device's log.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use rabta_domain::Private;
use rabta_wire::{
    Id,
    envelope::{AttachmentPart, Envelope, Header, Kind, PersonSignature, sha256},
    limits,
};

use crate::{columns::bundle_entries, error::StoreError, model::NewResource, pack::pack};

/// The end of the log: what the next envelope follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogHead {
    /// The log's own epoch.
    pub epoch: u32,
    /// 0: empty.
    pub seq: u64,
    /// Hash of the last header; zeros where empty.
    pub hash: [u8; 32],
}

/// Who seals envelopes: the device's key, or a test's.
pub trait Sealer: Send + Sync {
    fn device(&self) -> Id;
    fn seal(&self, header: &Header, packed_payload: Vec<u8>) -> Envelope;
}

/// Seals with the device's Ed25519 key. Prints `[..]`; the key is wiped when this is dropped.
pub struct DeviceSigner {
    device: Id,
    key: Arc<SigningKey>,
}

impl DeviceSigner {
    pub fn new(device: Id, key: Arc<SigningKey>) -> Self {
        Self { device, key }
    }

    /// For enrollment, tokens and call fingerprints.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }
}

impl std::fmt::Debug for DeviceSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSigner[..]")
    }
}

impl Sealer for DeviceSigner {
    fn device(&self) -> Id {
        self.device
    }

    fn seal(&self, header: &Header, packed_payload: Vec<u8>) -> Envelope {
        Envelope::seal(&self.key, header, packed_payload)
    }
}

/// An envelope to append; place in the log, hash chain, packing and device signature come from the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnvelope {
    pub id: Id,
    pub kind: Kind,
    pub patient: Option<Id>,
    pub facility: Id,
    pub task: Option<Id>,
    /// For a Task's move: the version that it was made on.
    pub base_version: Option<u32>,
    pub depends: Vec<Id>,
    /// Milliseconds since 1970 by the device's clock.
    pub device_time: i64,
    /// What is known of (HIE clock - device clock), in milliseconds.
    pub clock_offset: Option<i64>,
    /// The exact payload: a Bundle as JSON, or an encoded `AttachmentPart`.
    pub payload: Private<Vec<u8>>,
    /// The person's signature over exactly `payload`.
    pub signed_by: Option<PersonSignature>,
}

/// The envelope that follows `head`, sealed, and the head after it. Payloads are packed without a dictionary until
/// the HIE and this device have agreed on one.
pub(crate) fn seal_next(
    head: LogHead,
    new: &NewEnvelope,
    sealer: &dyn Sealer,
) -> (Envelope, Header, LogHead) {
    let packed = pack(&new.payload, None);
    let header = Header {
        version: 1,
        id: new.id,
        device: sealer.device(),
        epoch: head.epoch,
        seq: head.seq + 1,
        prev: head.hash,
        kind: new.kind,
        patient: new.patient,
        facility: new.facility,
        task: new.task,
        base_version: new.base_version,
        depends: new.depends.clone(),
        device_time: new.device_time,
        clock_offset: new.clock_offset,
        codec: packed.codec,
        dictionary: packed.dictionary,
        payload_sha256: sha256(&new.payload),
        payload_len: u32::try_from(new.payload.len()).unwrap_or(u32::MAX),
        signed_by: new.signed_by.clone(),
    };
    let envelope = sealer.seal(&header, packed.bytes.0);
    let head = LogHead { epoch: head.epoch, seq: header.seq, hash: envelope.hash() };
    (envelope, header, head)
}

/// What an envelope's payload adds to the record: its Bundle's entries, or a part of an attachment.
pub(crate) enum Projection {
    Resources(Vec<NewResource>),
    Part(AttachmentPart),
}

pub(crate) fn project(header: &Header, payload: &[u8]) -> Result<Projection, StoreError> {
    let bad = |why| StoreError::Payload(header.id, why);
    if header.kind == Kind::AttachmentPart {
        let part: AttachmentPart = minicbor::decode(payload).map_err(|_| bad("not an attachment part"))?;
        let sound =
            part.index < part.count && part.count <= PARTS && part.bytes.len() <= limits::ATTACHMENT_PART;
        return if sound { Ok(Projection::Part(part)) } else { Err(bad("an impossible attachment part")) };
    }
    let patient = header.patient.map(|p| p.to_string());
    let entries = bundle_entries(payload).map_err(|_| bad("not a Bundle of resources with ids"))?;
    let resources = entries.into_iter().map(|(kind, id, body)| NewResource {
        kind,
        id,
        patient: patient.clone(),
        envelope: Some(header.id),
        server_version: None,
        body: body.into(),
    });
    Ok(Projection::Resources(resources.collect()))
}

/// The parts that an attachment may have: 256 MB is no photo and no voice note.
const PARTS: u32 = 1000;
