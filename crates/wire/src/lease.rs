//! The offline lease: for how many days of use a laptop opens its records without having heard from the HIE.
//!
//! The HIE signs a [`Grant`] into each answer to a pull: signed, so that another carrier could bring it, and only its
//! device can use it. Without any carrier the operator reads out a code: the laptop shows a [`Challenge`], the
//! HIE answers with letters that authenticate challenge and days (HMAC-SHA-256 with a key of [`SharedSecret`], cut to
//! 50 bits; the laptop allows few tries for each challenge, and a challenge is good once).
//!
//! ```
//! use ed25519_dalek::SigningKey;
//! use rabta_wire::{Id, lease::Challenge, shared::SharedSecret};
//! let (hie, laptop) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
//! let at_hie = SharedSecret::between(&hie, &laptop.verifying_key(), Id([7; 16])).unwrap();
//! let challenge = Challenge::from_random([9; 5]);
//! let read_out = challenge.code(&at_hie, 30);
//! let here = SharedSecret::between(&laptop, &hie.verifying_key(), Id([7; 16])).unwrap();
//! assert_eq!(challenge.days(&here, &read_out.to_lowercase()), Some(30));
//! ```

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use hmac::{Hmac, Mac};
use minicbor::{Decode, Encode, bytes::ByteVec};
use sha2::Sha256;

use crate::{Id, cert::NotCertified, code, shared::SharedSecret};

/// Days of use of a lease, where the operator says nothing else.
pub const DAYS: u32 = 30;
/// The most that a grant or a code may give.
pub const MOST_DAYS: u32 = 90;
/// Wrong codes until the laptop shows another challenge.
pub const TRIES: u32 = 5;
/// A day of use: the vault was open for so long, milliseconds. A clinic's day.
pub const DAY_OF_USE: u64 = 8 * 3_600_000;

const PREFIX: &[u8] = b"rabta lease 1\0";
const PURPOSE: &str = "rabta lease code 1";

/// What the HIE grants a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Grant {
    #[n(0)]
    pub device: Id,
    /// Milliseconds since 1970 by the HIE's clock. What the HIE answers itself counts as it is, since its clock may have
    /// been set; what another carrier brings must be newer than the last one.
    #[n(1)]
    pub issued_at: i64,
    /// Days of use, 1 to [`MOST_DAYS`].
    #[n(2)]
    pub days: u32,
}

/// A [`Grant`]'s exact bytes and the HIE's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedGrant {
    #[n(0)]
    pub grant: ByteVec,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl SignedGrant {
    pub fn sign(hie: &SigningKey, grant: &Grant) -> Vec<u8> {
        let grant = minicbor::to_vec(grant).expect("encoding into memory cannot fail");
        let signature = hie.sign(&[PREFIX, &grant].concat()).to_bytes();
        minicbor::to_vec(Self { grant: grant.into(), signature }).expect("encoding into memory cannot fail")
    }

    /// Decodes and verifies. The days are within 1 to [`MOST_DAYS`].
    pub fn open(bytes: &[u8], hie: &VerifyingKey) -> Result<Grant, NotCertified> {
        let signed: Self = minicbor::decode(bytes).map_err(|_| NotCertified)?;
        hie.verify(&[PREFIX, &signed.grant].concat(), &Signature::from_bytes(&signed.signature))
            .map_err(|_| NotCertified)?;
        let grant: Grant = minicbor::decode(&signed.grant).map_err(|_| NotCertified)?;
        if (1..=MOST_DAYS).contains(&grant.days) { Ok(grant) } else { Err(NotCertified) }
    }
}

/// What the laptop shows and the person reads to the operator: 40 random bits as eight letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; 5]);

impl Challenge {
    pub fn from_random(bytes: [u8; 5]) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> [u8; 5] {
        self.0
    }

    /// `ABCD-EFGH`.
    pub fn text(&self) -> String {
        let text = code::base32(&self.0);
        format!("{}-{}", &text[..4], &text[4..])
    }

    /// Reads it as people type it. `None` if it is not eight letters and digits.
    pub fn parse(typed: &str) -> Option<Self> {
        code::unbase32(typed).ok()?.try_into().ok().map(Self)
    }

    /// What the operator reads out, for so many days of use: ten letters and digits, `ABCDE-FGHJK`.
    pub fn code(&self, secret: &SharedSecret, days: u32) -> String {
        let letters = self.letters(secret, days);
        format!("{}-{}", &letters[..5], &letters[5..])
    }

    /// The days that a code gives; `None` where it is not this challenge's.
    pub fn days(&self, secret: &SharedSecret, typed: &str) -> Option<u32> {
        let typed: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            })
            .collect();
        (1..=MOST_DAYS).find(|days| self.letters(secret, *days) == typed)
    }

    fn letters(&self, secret: &SharedSecret, days: u32) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*secret.key(PURPOSE)).expect("any length is a key");
        mac.update(&secret.device().0);
        mac.update(&self.0);
        mac.update(&days.to_be_bytes());
        let mut text = code::base32(&mac.finalize().into_bytes()[..7]);
        text.truncate(10);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(n: u8) -> SharedSecret {
        let hie = SigningKey::from_bytes(&[1; 32]);
        SharedSecret::between(&SigningKey::from_bytes(&[n; 32]), &hie.verifying_key(), Id([n; 16]))
            .expect("sound")
    }

    #[test]
    fn a_grant_is_the_hies_or_nothing() {
        let hie = SigningKey::from_bytes(&[1; 32]);
        let grant = Grant { device: Id([2; 16]), issued_at: 5, days: 30 };
        let bytes = SignedGrant::sign(&hie, &grant);
        assert_eq!(SignedGrant::open(&bytes, &hie.verifying_key()), Ok(grant));
        assert!(SignedGrant::open(&bytes, &SigningKey::from_bytes(&[2; 32]).verifying_key()).is_err());
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 1;
            assert_ne!(SignedGrant::open(&bent, &hie.verifying_key()), Ok(Grant { days: 31, ..grant }));
        }
        let endless = SignedGrant::sign(&hie, &Grant { days: MOST_DAYS + 1, ..grant });
        assert!(SignedGrant::open(&endless, &hie.verifying_key()).is_err());
    }

    #[test]
    fn a_code_is_of_one_challenge_one_device_and_its_days() {
        let challenge = Challenge::from_random([1, 2, 3, 4, 5]);
        let code = challenge.code(&secret(2), 30);
        assert_eq!(code.len(), 11);
        assert_eq!(challenge.days(&secret(2), &format!(" {} ", code.to_lowercase())), Some(30));
        assert_eq!(challenge.days(&secret(2), &challenge.code(&secret(2), 90)), Some(90));
        assert_eq!(challenge.days(&secret(2), &challenge.code(&secret(2), 91)), None);
        assert_eq!(challenge.days(&secret(3), &code), None);
        assert_eq!(Challenge::from_random([1, 2, 3, 4, 6]).days(&secret(2), &code), None);
        assert_eq!(challenge.days(&secret(2), ""), None);
    }

    #[test]
    fn a_challenge_is_read_as_people_type_it() {
        let challenge = Challenge::from_random([0, 255, 16, 77, 1]);
        assert_eq!(challenge.text().len(), 9);
        let sloppy = challenge.text().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(Challenge::parse(&sloppy), Some(challenge));
        assert_eq!(Challenge::parse("ABC"), None);
        assert_eq!(Challenge::parse("ABCD-EFGH-JKLM"), None);
    }
}
