//! The key of one leg of a call whose two ends have no certificates of each other: both authenticate their DTLS
//! fingerprints with it (HMAC-SHA-256, RFC 2104) where devices sign.
//!
//! A patient's link holds the key of the leg between doctor and patient ([`crate::guest::LinkSecret::leg_key`]). The
//! key of the leg between a third person and the patient is fresh, and is given to both by the doctor's program over
//! its two legs, which are authenticated already ([`crate::data_channel::Meet`]).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 32 secret bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct LegKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for LegKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LegKey")
    }
}

impl LegKey {
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// 43 characters of base64url (RFC 4648, section 5).
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(*self.0)
    }

    pub fn from_text(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        Some(Self::from_random(bytes))
    }

    /// The `n`th key that is made from this one; whoever has it does not have this one, nor the others.
    pub fn derive(&self, n: u64) -> Self {
        let mut hmac = self.hmac();
        hmac.update(b"rabta call introduction 1");
        hmac.update(&n.to_be_bytes());
        Self::from_random(hmac.finalize().into_bytes().into())
    }

    /// A number that is not zero, for everybody who has the key: `which` tells several apart.
    pub fn number(&self, which: u8) -> u32 {
        let mut hmac = self.hmac();
        hmac.update(b"rabta call instance 1");
        hmac.update(&[which]);
        let bytes = hmac.finalize().into_bytes();
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).max(1)
    }

    /// Authenticates what one end says to the other, base64. `bytes` name both ends, so nothing can be sent back.
    pub fn mac(&self, bytes: &[u8]) -> String {
        let mut hmac = self.hmac();
        hmac.update(bytes);
        STANDARD.encode(hmac.finalize().into_bytes())
    }

    /// Whether `mac` (base64) is ours over these bytes; in constant time.
    pub fn good(&self, bytes: &[u8], mac: &str) -> bool {
        let mut hmac = self.hmac();
        hmac.update(bytes);
        STANDARD.decode(mac).is_ok_and(|given| hmac.verify_slice(&given).is_ok())
    }

    fn hmac(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&*self.0).expect("any length is a key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_holds_for_its_bytes_and_its_key_only() {
        let (ours, other) = (LegKey::from_random([1; 32]), LegKey::from_random([2; 32]));
        let mac = ours.mac(b"fingerprints");
        assert!(ours.good(b"fingerprints", &mac));
        assert!(!ours.good(b"fingerprint", &mac) && !other.good(b"fingerprints", &mac));
        assert!(!ours.good(b"fingerprints", "not base64") && !ours.good(b"fingerprints", ""));
    }

    #[test]
    fn each_derived_key_is_another_and_none_says_itself_in_a_log() {
        let seed = LegKey::from_random([7; 32]);
        assert_ne!(seed.derive(1), seed.derive(2));
        assert_ne!(seed.derive(1), seed);
        assert_ne!(seed.derive(1).number(0), seed.derive(1).number(1));
        assert_eq!(LegKey::from_text(&seed.text()), Some(seed.clone()));
        assert_eq!(LegKey::from_text("short"), None);
        assert_eq!(format!("{seed:?}"), "LegKey");
    }
}
