//! The signed envelope: one entry of a device's append-only log.
//!
//! ```text
//! Envelope { 0: header bytes, 1: stored payload, 2: device signature }
//! ```
//! The device signs the header's exact bytes; the header holds the SHA-256 of the exact payload (before
//! compression) and of the previous header, so the log is a chain that a fork breaks visibly. A person signs
//! the exact payload as a detached JWS (RFC 7515 appendix F, EdDSA of RFC 8037), which FHIR's
//! `Provenance.signature` takes as it is.
//!
//! A payload is a FHIR R4 `Bundle` as JSON (`collection`, or `document` where it is signed as one), each
//! entry with `fullUrl: urn:uuid:<id>` and a `resource` that has that id; the HIE projects each entry as an
//! update of `Type/id`. The one exception is [`Kind::AttachmentPart`], whose payload is a CBOR
//! [`AttachmentPart`]; the last part to arrive makes the `Binary`.
//!
//! **Never change** the meaning of a field number, the domain prefix or the JWS input: signatures made years
//! ago must still verify.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use minicbor::{Decode, Encode, bytes::ByteVec};
use sha2::{Digest, Sha256};

use crate::{Id, limits};

/// What the device's signature covers begins with this.
const DEVICE_PREFIX: &[u8] = b"rabta envelope 1\0";

/// How far a laptop's idea of the HIE's clock may be off, in milliseconds: it has it from a `Date` header, which counts
/// whole seconds (RFC 9110, section 5.6.7), read at the end of a round trip of unknown length.
const CLOCK_GRAIN_MS: i64 = 60_000;

/// One unit of meaning in the log. The number is the wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// One patient's demographics: a Bundle of Patient and its RelatedPersons.
    #[n(1)]
    Patient,
    /// A Consent.
    #[n(2)]
    Consent,
    /// A signed visit: a document Bundle, Composition first.
    #[n(3)]
    Visit,
    /// The signed referral note of a visit, with its ServiceRequest and first Task.
    #[n(4)]
    ReferralNote,
    /// One transition of a Task (receipts too).
    #[n(5)]
    TaskMove,
    /// A Communication.
    #[n(6)]
    Communication,
    /// A signed advice: a consult note document Bundle.
    #[n(7)]
    Advice,
    /// The treating doctor's decisions on an advice's lines.
    #[n(8)]
    Decisions,
    /// A part of an attachment.
    #[n(9)]
    AttachmentPart,
    /// A batch of AuditEvents.
    #[n(10)]
    Audit,
}

/// A piece of a photo or a voice note, at most [`limits::ATTACHMENT_PART`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AttachmentPart {
    /// The id of the Binary that the parts make.
    #[n(0)]
    pub attachment: Id,
    #[n(1)]
    pub index: u32,
    #[n(2)]
    pub count: u32,
    #[n(3)]
    pub content_type: String,
    #[n(4)]
    pub bytes: ByteVec,
}

impl AttachmentPart {
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory cannot fail")
    }
}

/// How a stored payload is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Codec {
    #[n(0)]
    Plain,
    /// zstd (RFC 8878), with the dictionary that the header names (0: none).
    #[n(1)]
    Zstd,
}

/// A person's signature over the exact payload, as the two outer parts of a detached JWS.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PersonSignature {
    #[n(0)]
    pub person: Id,
    /// The protected header's exact JSON text.
    #[n(1)]
    pub protected: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl PersonSignature {
    /// Signs `payload` for `person`. `key_id` goes into the header's `kid`, `purpose` (an
    /// urn:iso-astm:E1762-95:2013 code) into `sty`.
    pub fn sign(key: &SigningKey, person: Id, purpose: &str, payload: &[u8]) -> Self {
        let protected = Self::protected(person, purpose);
        let signature = key.sign(&jws_input(&protected, payload)).to_bytes();
        Self { person, protected, signature }
    }

    /// The protected header's exact text.
    pub(crate) fn protected(person: Id, purpose: &str) -> String {
        format!(r#"{{"alg":"EdDSA","kid":"{person}","sty":"{purpose}"}}"#)
    }

    /// Whether `key` made this over exactly `payload`.
    pub fn verify(&self, key: &VerifyingKey, payload: &[u8]) -> bool {
        let signature = Signature::from_bytes(&self.signature);
        key.verify(&jws_input(&self.protected, payload), &signature).is_ok()
    }

    /// `BASE64URL(protected)..BASE64URL(signature)`, for `Provenance.signature.data`.
    pub fn detached_jws(&self) -> String {
        format!("{}..{}", URL_SAFE_NO_PAD.encode(&self.protected), URL_SAFE_NO_PAD.encode(self.signature))
    }
}

fn jws_input(protected: &str, payload: &[u8]) -> Vec<u8> {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(protected), URL_SAFE_NO_PAD.encode(payload)).into_bytes()
}

/// What the device signs. `seq` counts from 1 without gaps within (`device`, `epoch`).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// 1.
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub id: Id,
    #[n(2)]
    pub device: Id,
    /// The log's own epoch: 0 for the first life of this device's log.
    #[n(3)]
    pub epoch: u32,
    #[n(4)]
    pub seq: u64,
    /// SHA-256 of the previous header's bytes; zeros for `seq` 1.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub prev: [u8; 32],
    #[n(6)]
    pub kind: Kind,
    /// The Patient resource that this is about, where there is one.
    #[n(7)]
    pub patient: Option<Id>,
    /// The facility that owns it.
    #[n(8)]
    pub facility: Id,
    /// The Task, for everything that belongs to an ask.
    #[n(9)]
    pub task: Option<Id>,
    /// For a Task's move: the version it was made on.
    #[n(10)]
    pub base_version: Option<u32>,
    /// Envelopes that must be accepted first.
    #[n(11)]
    pub depends: Vec<Id>,
    /// Milliseconds since 1970 by the device's clock: shown, never ordered by.
    #[n(12)]
    pub device_time: i64,
    /// What was known of (HIE clock - device clock) then, in milliseconds.
    #[n(13)]
    pub clock_offset: Option<i64>,
    #[n(14)]
    pub codec: Codec,
    /// Dictionary id, 0 for none.
    #[n(15)]
    pub dictionary: u32,
    /// Of the exact payload, before packing.
    #[cbor(n(16), with = "minicbor::bytes")]
    pub payload_sha256: [u8; 32],
    /// Length of the exact payload.
    #[n(17)]
    pub payload_len: u32,
    #[n(18)]
    pub signed_by: Option<PersonSignature>,
}

/// An entry of the log as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Envelope {
    /// The encoded [`Header`], exactly as signed.
    #[n(0)]
    pub header: ByteVec,
    /// The payload, packed as the header says.
    #[n(1)]
    pub payload: ByteVec,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// Why an envelope is not what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    #[error("not an envelope: {0}")]
    Malformed(&'static str),
    #[error("envelope version {0} is newer than this program")]
    Version(u8),
    #[error("the device's signature does not match")]
    DeviceSignature,
    #[error("the payload is not the one that was signed")]
    Payload,
}

impl Header {
    pub fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory cannot fail")
    }
}

/// SHA-256, as used for `prev` and `payload_sha256`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl Envelope {
    /// Seals `header` (whose payload fields must already describe the payload) with the device's key.
    pub fn seal(key: &SigningKey, header: &Header, packed_payload: Vec<u8>) -> Self {
        let header = header.encode();
        let signature = key.sign(&device_input(&header)).to_bytes();
        Self { header: header.into(), payload: packed_payload.into(), signature }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory cannot fail")
    }

    /// Decodes, within [`limits::ENVELOPE`]. Says nothing yet about signatures.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > limits::ENVELOPE {
            return Err(EnvelopeError::TooLarge(limits::ENVELOPE));
        }
        minicbor::decode(bytes).map_err(|_| EnvelopeError::Malformed("outer map"))
    }

    pub fn header(&self) -> Result<Header, EnvelopeError> {
        let header: Header =
            minicbor::decode(&self.header).map_err(|_| EnvelopeError::Malformed("header"))?;
        if header.version != 1 {
            return Err(EnvelopeError::Version(header.version));
        }
        if header.payload_len as usize > limits::PAYLOAD {
            return Err(EnvelopeError::TooLarge(limits::PAYLOAD));
        }
        Ok(header)
    }

    /// The header, once the device's signature over its exact bytes is proven.
    pub fn open(&self, device: &VerifyingKey) -> Result<Header, EnvelopeError> {
        device
            .verify(&device_input(&self.header), &Signature::from_bytes(&self.signature))
            .map_err(|_| EnvelopeError::DeviceSignature)?;
        self.header()
    }

    /// What the next envelope's `prev` must be.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.header)
    }
}

impl Header {
    /// Checks that `payload` (unpacked) is the one that this header describes.
    pub fn check_payload(&self, payload: &[u8]) -> Result<(), EnvelopeError> {
        if payload.len() == self.payload_len as usize && sha256(payload) == self.payload_sha256 {
            Ok(())
        } else {
            Err(EnvelopeError::Payload)
        }
    }

    /// Whether it was written before `at` (milliseconds since 1970, the HIE's clock), as far as its device knew that
    /// clock. Decides what still counts of a device that was revoked at `at`.
    pub fn was_written_before(&self, at: i64) -> bool {
        let written = self.device_time.saturating_add(self.clock_offset.unwrap_or(0));
        written < at.saturating_add(CLOCK_GRAIN_MS)
    }
}

fn device_input(header: &[u8]) -> Vec<u8> {
    [DEVICE_PREFIX, header].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(payload: &[u8]) -> Header {
        Header {
            version: 1,
            id: Id([1; 16]),
            device: Id([2; 16]),
            epoch: 0,
            seq: 1,
            prev: [0; 32],
            kind: Kind::Visit,
            patient: Some(Id([3; 16])),
            facility: Id([4; 16]),
            task: None,
            base_version: None,
            depends: vec![],
            device_time: 0,
            clock_offset: None,
            codec: Codec::Plain,
            dictionary: 0,
            payload_sha256: sha256(payload),
            payload_len: payload.len() as u32,
            signed_by: None,
        }
    }

    #[test]
    fn a_sealed_envelope_opens_with_its_own_key_only() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let other = SigningKey::from_bytes(&[8; 32]);
        let sealed = Envelope::seal(&key, &header(b"{}"), b"{}".to_vec());
        let read = Envelope::from_bytes(&sealed.to_bytes()).expect("it was just encoded");
        assert_eq!(read.open(&key.verifying_key()).map(|h| h.seq), Ok(1));
        assert_eq!(read.open(&other.verifying_key()), Err(EnvelopeError::DeviceSignature));
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_noticed() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let sealed = Envelope::seal(&key, &header(b"{}"), b"{}".to_vec());
        for i in 0..sealed.header.len() * 8 {
            let mut bent = sealed.clone();
            bent.header[i / 8] ^= 1 << (i % 8);
            assert!(bent.open(&key.verifying_key()).is_err(), "bit {i}");
        }
    }

    #[test]
    fn a_persons_signature_is_over_the_exact_payload() {
        let key = SigningKey::from_bytes(&[5; 32]);
        let signature = PersonSignature::sign(&key, Id([6; 16]), "1.2.840.10065.1.12.1.1", b"{\"a\":1}");
        assert!(signature.verify(&key.verifying_key(), b"{\"a\":1}"));
        assert!(!signature.verify(&key.verifying_key(), b"{\"a\": 1}"));
        assert_eq!(signature.detached_jws().matches('.').count(), 2);
    }
}
