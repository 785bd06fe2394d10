//! The HIE's certificates for persons and devices: CBOR bytes and the HIE's Ed25519 signature over them.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::Id;

const PREFIX: &[u8] = b"rabta cert 1\0";

/// What the HIE says of a key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Cert {
    #[n(0)]
    pub subject: Subject,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: [u8; 32],
    #[n(2)]
    pub facility: Id,
    #[n(3)]
    pub facility_name: String,
    /// Milliseconds since 1970 by the HIE's clock.
    #[n(4)]
    pub issued_at: i64,
    #[n(5)]
    pub revoked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Subject {
    #[n(0)]
    Person {
        #[n(0)]
        id: Id,
        /// As the operator entered it. A professional's name on a prescription, not a patient's.
        #[n(1)]
        name: String,
        /// A role code: doctor, specialist, lhv, midwife, nurse, technician, dispenser, vaccinator, chw, registration, operator.
        #[n(2)]
        role: String,
        /// The professional council's number, as entered.
        #[n(3)]
        registration: Option<String>,
        #[n(4)]
        qualification: Option<String>,
        #[n(5)]
        specialty: Option<String>,
    },
    #[n(1)]
    Device {
        #[n(0)]
        id: Id,
        #[n(1)]
        name: String,
    },
}

/// A [`Cert`]'s exact bytes and the HIE's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedCert {
    #[n(0)]
    pub cert: ByteVec,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// The certificate is not the HIE's, or not readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a certificate of this HIE")]
pub struct NotCertified;

impl SignedCert {
    pub fn sign(hie: &SigningKey, cert: &Cert) -> Self {
        let cert = minicbor::to_vec(cert).expect("encoding into memory cannot fail");
        let signature = hie.sign(&[PREFIX, &cert].concat()).to_bytes();
        Self { cert: cert.into(), signature }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory cannot fail")
    }

    /// Decodes and verifies.
    pub fn open(bytes: &[u8], hie: &VerifyingKey) -> Result<Cert, NotCertified> {
        let signed: Self = minicbor::decode(bytes).map_err(|_| NotCertified)?;
        hie.verify(&[PREFIX, &signed.cert].concat(), &Signature::from_bytes(&signed.signature))
            .map_err(|_| NotCertified)?;
        minicbor::decode(&signed.cert).map_err(|_| NotCertified)
    }
}
