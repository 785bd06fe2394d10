//! Nothing that was pulled counts before its signatures were checked against certificates of the HIE.

use std::collections::HashMap;

use ed25519_dalek::VerifyingKey;
use rabta_store::StoredCert;
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    envelope::{Envelope, Header, Kind, PersonSignature},
    lease::{Grant, SignedGrant},
};

/// The certificates that are known, each verified with the HIE's key.
pub struct Keyring {
    hie: VerifyingKey,
    /// A person has one for each device that they joined on; all stay, old signatures must go on verifying.
    certs: HashMap<Id, Vec<Cert>>,
}

/// Why an envelope is kept apart: it is neither shown as signed nor becomes part of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Apart {
    #[error("not readable")]
    Unreadable,
    #[error("from a newer version of this program")]
    Newer,
    #[error("no certificate for its device")]
    UnknownDevice,
    #[error("the device's signature does not match")]
    DeviceSignature,
    #[error("its device was revoked before")]
    Revoked,
    #[error("the payload is not the one that was signed")]
    Payload,
    #[error("no certificate for the person who signed")]
    UnknownPerson,
    #[error("the person's signature does not match")]
    PersonSignature,
    #[error("of a kind that a person signs, and nobody did")]
    Unsigned,
}

impl Apart {
    /// Whether a certificate that comes later may change it.
    pub fn may_mend(self) -> bool {
        matches!(self, Self::UnknownDevice | Self::UnknownPerson)
    }
}

/// An envelope that is what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub header: Header,
    /// Exact, unpacked.
    pub payload: Vec<u8>,
    /// Of the person who signed the payload, where somebody did.
    pub signer: Option<Cert>,
}

impl Keyring {
    pub fn new(hie: VerifyingKey) -> Self {
        Self { hie, certs: HashMap::new() }
    }

    /// Takes an encoded [`SignedCert`]; `None` if it is not this HIE's. The answer is what the store keeps.
    pub fn learn(&mut self, bytes: &[u8]) -> Option<StoredCert> {
        let cert = SignedCert::open(bytes, &self.hie).ok()?;
        let stored = StoredCert {
            subject: subject(&cert),
            key: cert.key,
            issued_at: cert.issued_at,
            bytes: bytes.to_vec(),
        };
        let known = self.certs.entry(stored.subject).or_default();
        if !known.contains(&cert) {
            known.push(cert);
        }
        Some(stored)
    }

    /// What the HIE grants, if these bytes are its word (an encoded [`rabta_wire::lease::SignedGrant`]).
    pub fn lease(&self, bytes: &[u8]) -> Option<Grant> {
        SignedGrant::open(bytes, &self.hie).ok()
    }

    pub fn knows(&self, subject: Id) -> bool {
        self.certs.contains_key(&subject)
    }

    /// The newest word of the HIE on each key of `subject`, newest first.
    pub fn certs(&self, subject: Id) -> Vec<&Cert> {
        let mut certs: Vec<&Cert> = self.certs.get(&subject).into_iter().flatten().collect();
        certs.sort_by_key(|cert| (std::cmp::Reverse(cert.issued_at), !cert.revoked));
        let mut keys = Vec::new();
        certs.retain(|cert| {
            !keys.contains(&cert.key) && {
                keys.push(cert.key);
                true
            }
        });
        certs
    }

    /// Checks the device's signature, the payload and the person's signature. `received_at` is the HIE's time.
    pub fn check(&self, bytes: &[u8], received_at: i64) -> Result<Verified, Apart> {
        let envelope = Envelope::from_bytes(bytes).map_err(|_| Apart::Unreadable)?;
        let header = envelope.header().map_err(|e| match e {
            rabta_wire::envelope::EnvelopeError::Version(_) => Apart::Newer,
            _ => Apart::Unreadable,
        })?;
        let devices = self.certs(header.device);
        let device = devices.iter().find(|cert| opens(&envelope, cert));
        let device =
            device.ok_or(if devices.is_empty() { Apart::UnknownDevice } else { Apart::DeviceSignature })?;
        // What it wrote before may come later, in a file by the operator's hand.
        if device.revoked && received_at >= device.issued_at && !header.was_written_before(device.issued_at) {
            return Err(Apart::Revoked);
        }
        let payload = rabta_store::unpack_payload(&envelope, &header, None).map_err(|_| Apart::Payload)?;
        let signer = match &header.signed_by {
            Some(signature) => Some(self.signer(signature, &payload)?.clone()),
            None if must_be_signed(header.kind) => return Err(Apart::Unsigned),
            None => None,
        };
        Ok(Verified { header, payload, signer })
    }

    /// The certificate of whoever made `signature` over exactly `payload`.
    pub fn signer(&self, signature: &PersonSignature, payload: &[u8]) -> Result<&Cert, Apart> {
        let persons = self.certs(signature.person);
        if persons.is_empty() {
            return Err(Apart::UnknownPerson);
        }
        // Signed while the certificate was good: a later revocation does not unsign what was written before.
        let good = |cert: &&Cert| key(cert).is_some_and(|key| signature.verify(&key, payload));
        if !names_itself(signature) {
            return Err(Apart::PersonSignature);
        }
        persons.into_iter().find(good).ok_or(Apart::PersonSignature)
    }
}

/// What is only worth something with a person's name under it.
pub fn must_be_signed(kind: Kind) -> bool {
    matches!(kind, Kind::Visit | Kind::ReferralNote | Kind::Advice | Kind::Decisions)
}

fn subject(cert: &Cert) -> Id {
    match &cert.subject {
        Subject::Person { id, .. } | Subject::Device { id, .. } => *id,
    }
}

fn key(cert: &Cert) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&cert.key).ok()
}

fn opens(envelope: &Envelope, cert: &Cert) -> bool {
    matches!(cert.subject, Subject::Device { .. }) && key(cert).is_some_and(|key| envelope.open(&key).is_ok())
}

/// Whether the protected header is for EdDSA and for the person that the envelope names (RFC 8725, section 3.1).
fn names_itself(signature: &PersonSignature) -> bool {
    #[derive(serde::Deserialize)]
    struct Protected {
        alg: String,
        kid: Id,
    }
    serde_json::from_str::<Protected>(&signature.protected)
        .is_ok_and(|protected| protected.alg == "EdDSA" && protected.kid == signature.person)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use rabta_wire::envelope::{Codec, sha256};

    use super::*;

    const DEVICE: Id = Id([1; 16]);
    const PERSON: Id = Id([2; 16]);

    fn key_of(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn cert(subject: Subject, key: &SigningKey, issued_at: i64, revoked: bool) -> Vec<u8> {
        let key = key.verifying_key().to_bytes();
        let cert =
            Cert { subject, key, facility: Id([4; 16]), facility_name: "BHU".into(), issued_at, revoked };
        SignedCert::sign(&key_of(9), &cert).to_bytes()
    }

    fn device(issued_at: i64, revoked: bool) -> Vec<u8> {
        cert(Subject::Device { id: DEVICE, name: "laptop".into() }, &key_of(1), issued_at, revoked)
    }

    fn person(key: &SigningKey) -> Vec<u8> {
        let (name, role) = ("Dr Saira".into(), "specialist".into());
        let subject = Subject::Person {
            id: PERSON,
            name,
            role,
            registration: None,
            qualification: None,
            specialty: None,
        };
        cert(subject, key, 5, false)
    }

    fn keyring(certs: &[Vec<u8>]) -> Keyring {
        let mut ring = Keyring::new(key_of(9).verifying_key());
        for cert in certs {
            assert!(ring.learn(cert).is_some());
        }
        ring
    }

    fn envelope(kind: Kind, signed_by: Option<PersonSignature>) -> Envelope {
        written(kind, signed_by, 0)
    }

    fn written(kind: Kind, signed_by: Option<PersonSignature>, device_time: i64) -> Envelope {
        let payload = br#"{"resourceType":"Bundle"}"#;
        let header = Header {
            version: 1,
            id: Id([7; 16]),
            device: DEVICE,
            epoch: 0,
            seq: 1,
            prev: [0; 32],
            kind,
            patient: None,
            facility: Id([4; 16]),
            task: None,
            base_version: None,
            depends: vec![],
            device_time,
            clock_offset: None,
            codec: Codec::Plain,
            dictionary: 0,
            payload_sha256: sha256(payload),
            payload_len: payload.len() as u32,
            signed_by,
        };
        Envelope::seal(&key_of(1), &header, payload.to_vec())
    }

    fn signature(key: &SigningKey) -> Option<PersonSignature> {
        Some(PersonSignature::sign(key, PERSON, "1.2.840.10065.1.12.1.1", br#"{"resourceType":"Bundle"}"#))
    }

    #[test]
    fn what_device_and_person_signed_counts_with_the_persons_certificate() {
        let ring = keyring(&[device(1, false), person(&key_of(2))]);
        let verified = ring.check(&envelope(Kind::Advice, signature(&key_of(2))).to_bytes(), 10).unwrap();
        assert_eq!(verified.signer.map(|cert| cert.issued_at), Some(5));
        assert_eq!(verified.payload, br#"{"resourceType":"Bundle"}"#);
    }

    #[test]
    fn every_way_of_not_being_signed_is_told_apart() {
        let ring = keyring(&[device(1, false), person(&key_of(2))]);
        let check = |ring: &Keyring, envelope: &Envelope| ring.check(&envelope.to_bytes(), 10).unwrap_err();
        assert_eq!(check(&ring, &envelope(Kind::Advice, None)), Apart::Unsigned);
        assert_eq!(check(&ring, &envelope(Kind::Advice, signature(&key_of(3)))), Apart::PersonSignature);
        let mut bent = envelope(Kind::Audit, None);
        bent.payload.push(b' ');
        assert_eq!(check(&ring, &bent), Apart::Payload);
        let mut bent = envelope(Kind::Audit, None);
        bent.signature[0] ^= 1;
        assert_eq!(check(&ring, &bent), Apart::DeviceSignature);
        let stranger = keyring(&[]);
        assert_eq!(check(&stranger, &envelope(Kind::Audit, None)), Apart::UnknownDevice);
        let nobody = keyring(&[device(1, false)]);
        assert_eq!(check(&nobody, &envelope(Kind::Advice, signature(&key_of(2)))), Apart::UnknownPerson);
        assert_eq!(ring.check(b"\xa0", 10), Err(Apart::Unreadable));
    }

    #[test]
    fn a_signature_that_names_somebody_else_is_nobodys() {
        let ring = keyring(&[device(1, false), person(&key_of(2))]);
        let mut signed = PersonSignature::sign(&key_of(2), DEVICE, "x", br#"{"resourceType":"Bundle"}"#);
        signed.person = PERSON;
        let envelope = envelope(Kind::Advice, Some(signed));
        assert_eq!(ring.check(&envelope.to_bytes(), 10), Err(Apart::PersonSignature));
    }

    #[test]
    fn a_revoked_device_is_not_heard_from_then_on_and_its_past_stays() {
        let ring = keyring(&[device(1, false), device(100_000, true)]);
        let bytes = written(Kind::Audit, None, 200_000).to_bytes();
        assert_eq!(ring.check(&bytes, 200_000), Err(Apart::Revoked));
        assert!(ring.check(&bytes, 99_999).is_ok());
        // Written before, handed in after.
        assert!(ring.check(&written(Kind::Audit, None, 90_000).to_bytes(), 200_000).is_ok());
    }

    #[test]
    fn a_certificate_of_another_hie_is_not_taken() {
        let mut ring = Keyring::new(key_of(8).verifying_key());
        assert!(ring.learn(&device(1, false)).is_none() && !ring.knows(DEVICE));
    }

    #[test]
    fn what_a_person_signed_with_an_earlier_key_still_verifies() {
        let ring = keyring(&[device(1, false), person(&key_of(2)), person(&key_of(6))]);
        for n in [2, 6] {
            assert!(ring.check(&envelope(Kind::Advice, signature(&key_of(n))).to_bytes(), 10).is_ok());
        }
    }
}
