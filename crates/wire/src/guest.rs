//! A patient's link: one secret in the address's fragment, which no server ever sees, opens one room for a short time.
//!
//! From the secret come two keys. The *open key* is shown to the HIE, which keeps only its hash; it finds the link. The
//! *call key* never leaves the two ends: both DTLS fingerprints are authenticated with it (HMAC-SHA-256, RFC 2104), in
//! place of the signatures that devices with certificates make.
//!
//! ```
//! use rabta_wire::guest::LinkSecret;
//! let secret = LinkSecret::from_random([7; 16]);
//! assert_eq!(LinkSecret::from_fragment(&secret.fragment()).unwrap().open_key(), secret.open_key());
//! ```

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Id, leg_key::LegKey, signal::Party};

pub use crate::after::{
    AFTER_KEPT, AFTER_LEAST, AfterMedicine, AfterNote, AfterPart, NOTE_BYTES, PAPER_BYTES, When,
};
pub use crate::contact::{CONTACT_BYTES, Contact, dialable};

/// The page's path on the patients' door.
pub const PAGE: &str = "/p/";
/// The WebSocket of a patient's page.
pub const SOCKET: &str = "/v1/p/ws";
/// The most that a link may live, milliseconds.
pub const LONGEST: i64 = 7 * 24 * 3_600_000;
/// Wrong words until the link is closed.
pub const TRIES: u32 = 5;

/// What a link's fragment is.
#[derive(Clone)]
pub struct LinkSecret(Zeroizing<[u8; 16]>);

impl std::fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkSecret")
    }
}

impl LinkSecret {
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 22 characters of base64url (RFC 4648, section 5).
    pub fn fragment(&self) -> String {
        URL_SAFE_NO_PAD.encode(*self.0)
    }

    pub fn from_fragment(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        Some(Self::from_random(bytes))
    }

    /// Shown to the HIE to find the link.
    pub fn open_key(&self) -> [u8; 32] {
        digest(&[b"rabta link open 1", &*self.0])
    }

    /// The key of the leg between the two ends of the link.
    pub fn leg_key(&self) -> LegKey {
        LegKey::from_random(digest(&[b"rabta link call 1", &*self.0]))
    }

    /// Authenticates what one end of the call says to the other. `bytes` name both ends, so nothing can be sent back.
    pub fn mac(&self, bytes: &[u8]) -> String {
        self.leg_key().mac(bytes)
    }

    /// Whether `mac` (base64) is ours over these bytes; in constant time.
    pub fn good(&self, bytes: &[u8], mac: &str) -> bool {
        self.leg_key().good(bytes, mac)
    }
}

/// What proves the word that the patient chose. `normalized`: NFKC, lower case, white space as single spaces.
pub fn word_proof(open_key: &[u8; 32], normalized: &str) -> [u8; 32] {
    digest(&[b"rabta link word 1", open_key, normalized.as_bytes()])
}

/// What the HIE keeps to find a link by.
pub fn open_hash(open_key: &[u8; 32]) -> [u8; 32] {
    digest(&[open_key])
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// 32 bytes as base64url.
pub fn text(bytes: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads [`text`].
pub fn bytes(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// `POST /v1/links`: a person at a device makes a link. The HIE learns neither the secret nor the word nor whom it is
/// for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MakeLink {
    /// The guest: stands in the call where a person's id stands.
    pub guest: Id,
    /// [`open_hash`], as [`text`].
    pub open: String,
    /// [`word_proof`], as [`text`].
    pub word: String,
    /// Milliseconds since 1970; at most [`LONGEST`] from now.
    pub expires_at: i64,
    /// A sealed [`Contact`], base64url, at most [`CONTACT_BYTES`]; shown to whoever has the open key, also when the link is
    /// over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// `GET /v1/links`: whether links can be made here, and those of this person that are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// `https://host/p/`; `None` without a certificate that phones trust.
    pub page: Option<String>,
    pub open: Vec<OpenLink>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLink {
    pub guest: Id,
    pub expires_at: i64,
    /// Somebody pressed Join, at this time.
    pub joined_at: Option<i64>,
    /// The page is connected now.
    pub here: bool,
    /// Another phone or browser asks to have the call moved to it.
    pub asks_to_move: bool,
}

/// `POST /v1/links/{guest}`: what the person who made it does with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkAct {
    Close,
    /// The phone that asks gets the call; the one that has it loses it.
    Move,
    DoNotMove,
}

/// `POST /v1/p/open` and `POST /v1/p/join`: what the page sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Knock {
    /// The open key, as [`text`].
    pub open: String,
    /// [`word_proof`], as [`text`].
    #[serde(default)]
    pub word: Option<String>,
    /// This tab, made up by the page.
    #[serde(default)]
    pub device: Option<Id>,
    /// Ask for the call to be moved here.
    #[serde(default, rename = "move")]
    pub moves: bool,
}

/// `POST /v1/p/after`: the phone that had the call asks for what the doctor left there. The answer is the sealed bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FetchAfter {
    #[serde(flatten)]
    pub knock: Knock,
    #[serde(default)]
    pub part: AfterPart,
}

/// The answer to a join.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Welcome {
    /// For the hello on [`SOCKET`].
    pub token: String,
    pub me: Party,
    pub doctor: String,
    pub socket: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_the_laptop_derive_the_same() {
        // The page's own code (src-page/public/api.js) makes these with SubtleCrypto.
        let secret = LinkSecret::from_random(*b"0123456789abcdef");
        assert_eq!(secret.fragment(), "MDEyMzQ1Njc4OWFiY2RlZg");
        let open = secret.open_key();
        assert_eq!(open, digest(&[b"rabta link open 10123456789abcdef"]));
        assert_ne!(word_proof(&open, "mango"), word_proof(&open, "mangos"));
        assert_eq!(bytes(&text(&open)), Some(open));
    }

    #[test]
    fn a_mac_holds_for_its_bytes_and_its_link_only() {
        let (ours, other) = (LinkSecret::from_random([1; 16]), LinkSecret::from_random([2; 16]));
        let mac = ours.mac(b"fingerprints");
        assert!(ours.good(b"fingerprints", &mac));
        assert!(!ours.good(b"fingerprint", &mac));
        assert!(!other.good(b"fingerprints", &mac));
        assert!(!ours.good(b"fingerprints", "not base64"));
        assert!(!ours.good(b"fingerprints", ""));
    }

    #[test]
    fn what_is_no_fragment_opens_nothing() {
        for text in ["", "AAAA", "MDEyMzQ1Njc4OWFiY2RlZ", "MDEyMzQ1Njc4OWFiY2RlZmc", "MDEyMzQ1Njc4OWFiY2Rl+g"]
        {
            assert!(LinkSecret::from_fragment(text).is_none(), "{text}");
        }
    }
}
