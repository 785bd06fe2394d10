//! What the HIE and a device both know and nobody else: the secret of their two keys, without a word on the wire.
//!
//! X25519 (RFC 7748) of the device's key and the HIE's signing key. Using one key pair for Ed25519 and for an X25519
//! key agreement is sound (Thormarker, <https://eprint.iacr.org/2021/509>); from the agreed secret each purpose gets a
//! key of its own (HKDF-SHA256, RFC 5869). Devices that joined before this existed have it, too.

use ed25519_dalek::{SigningKey, VerifyingKey};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Id;

/// The secret between one HIE and one device. Prints nothing.
pub struct SharedSecret {
    agreed: Zeroizing<[u8; 32]>,
    device: Id,
}

impl std::fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedSecret")
    }
}

impl SharedSecret {
    /// From one's own secret key and the other's public key: the HIE's signing key and the key of `device`, either way
    /// around. `None` where the other key is of small order and would agree on nothing.
    pub fn between(mine: &SigningKey, theirs: &VerifyingKey, device: Id) -> Option<Self> {
        if theirs.is_weak() {
            return None;
        }
        let scalar = Zeroizing::new(mine.to_scalar_bytes());
        let agreed = Zeroizing::new(theirs.to_montgomery().mul_clamped(*scalar).to_bytes());
        Some(Self { agreed, device })
    }

    /// The key for one purpose.
    pub fn key(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(&self.device.0), &*self.agreed)
            .expand(purpose.as_bytes(), &mut *key)
            .expect("32 bytes are within HKDF's limit");
        key
    }

    pub fn device(&self) -> Id {
        self.device
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_come_to_the_same_and_nobody_else_does() {
        let (hie, laptop, other) = (
            SigningKey::from_bytes(&[1; 32]),
            SigningKey::from_bytes(&[2; 32]),
            SigningKey::from_bytes(&[3; 32]),
        );
        let device = Id([7; 16]);
        let at_hie = SharedSecret::between(&hie, &laptop.verifying_key(), device).expect("a sound key");
        let at_laptop = SharedSecret::between(&laptop, &hie.verifying_key(), device).expect("a sound key");
        assert_eq!(*at_hie.key("a"), *at_laptop.key("a"));
        assert_ne!(*at_hie.key("a"), *at_hie.key("b"));
        let elsewhere = SharedSecret::between(&other, &hie.verifying_key(), device).expect("a sound key");
        assert_ne!(*at_hie.key("a"), *elsewhere.key("a"));
        let renamed = SharedSecret::between(&hie, &laptop.verifying_key(), Id([8; 16])).expect("a sound key");
        assert_ne!(*at_hie.key("a"), *renamed.key("a"));
        let mut small = [0; 32];
        small[0] = 1;
        let weak = VerifyingKey::from_bytes(&small).expect("a point");
        assert!(SharedSecret::between(&hie, &weak, device).is_none());
    }
}
