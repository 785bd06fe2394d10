//! What a patient is told after a call: the next step and the medicines as a small JSON, and the paper as a PDF. Sealed
//! by the doctor's program and opened by the page on the patient's phone, both with a key from the link's secret; the
//! HIE keeps the sealed bytes for a few days and cannot read them.
//!
//! Sealed bytes: a nonce (12 bytes), then AES-256-GCM (NIST SP 800-38D) with its tag (16 bytes). The key is HKDF-SHA-256
//! (RFC 5869) of the secret, without a salt, with the label `rabta link after 1`; the part's name is authenticated with it, so
//! one part cannot stand in for the other.
//!
//! ```
//! use rabta_wire::guest::{AfterPart, LinkSecret};
//! let secret = LinkSecret::from_random([7; 16]);
//! let sealed = secret.seal_after(AfterPart::Paper, [1; 12], b"%PDF");
//! assert_eq!(secret.open_after(AfterPart::Paper, &sealed).as_deref(), Some(&b"%PDF"[..]));
//! assert_eq!(secret.open_after(AfterPart::Note, &sealed), None);
//! ```

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::guest::LinkSecret;

/// A sealed [`AfterNote`].
pub const NOTE_BYTES: usize = 16_000;
/// A sealed paper.
pub const PAPER_BYTES: usize = 300_000;
/// How long the HIE keeps either at the most, milliseconds.
pub const AFTER_KEPT: i64 = 7 * 24 * 3_600_000;
/// Nonce, tag and one byte: less is nothing sealed.
pub const AFTER_LEAST: usize = NONCE + 16 + 1;

const NONCE: usize = 12;
const LABEL: &[u8] = b"rabta link after 1";

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterPart {
    /// An [`AfterNote`] as JSON.
    #[default]
    Note,
    /// A PDF.
    Paper,
}

impl AfterPart {
    /// As on the wire and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Paper => "paper",
        }
    }

    /// The most that it may have, sealed, bytes.
    pub fn most(self) -> usize {
        match self {
            Self::Note => NOTE_BYTES,
            Self::Paper => PAPER_BYTES,
        }
    }
}

/// What the page shows in large words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterNote {
    /// What to do next, in the patient's words.
    pub next_step: String,
    #[serde(default)]
    pub medicines: Vec<AfterMedicine>,
    /// When to come back at once.
    #[serde(default)]
    pub warning: Option<String>,
    pub doctor: String,
    /// `YYYY-MM-DD`
    pub date: String,
    /// The language of the texts, `en` or `ur`.
    #[serde(default)]
    pub lang: Option<String>,
    /// A paper was put there too.
    #[serde(default)]
    pub paper: bool,
}

/// One medicine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterMedicine {
    pub name: String,
    /// How much and how, as it is said.
    pub how: String,
    #[serde(default)]
    pub days: Option<u32>,
    #[serde(default)]
    pub when: Vec<When>,
}

/// A time of the day, shown as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    Morning,
    Noon,
    Evening,
    Night,
    #[serde(other)]
    Unknown,
}

impl std::fmt::Debug for AfterNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AfterNote[..]")
    }
}

impl std::fmt::Debug for AfterMedicine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AfterMedicine[..]")
    }
}

impl LinkSecret {
    /// Seals a part. `nonce`: random, and another one each time.
    pub fn seal_after(&self, part: AfterPart, nonce: [u8; NONCE], plain: &[u8]) -> Vec<u8> {
        self.seal_named(part.name(), nonce, plain)
    }

    /// Opens a part; `None` if it was sealed with another link's key, as another part, or was changed on the way.
    pub fn open_after(&self, part: AfterPart, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open_named(part.name(), sealed)
    }

    pub(crate) fn seal_named(&self, name: &str, nonce: [u8; NONCE], plain: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: name.as_bytes() };
        let sealed =
            self.after_cipher().encrypt(&nonce.into(), payload).expect("parts are far below the limit");
        [&nonce[..], &sealed].concat()
    }

    pub(crate) fn open_named(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let payload = Payload { msg: sealed, aad: name.as_bytes() };
        self.after_cipher().decrypt(nonce.into(), payload).ok()
    }

    fn after_cipher(&self) -> Aes256Gcm {
        let mut key = Zeroizing::new([0; 32]);
        let hkdf = Hkdf::<Sha256>::new(None, self.bytes());
        hkdf.expand(LABEL, &mut *key).expect("32 bytes are less than 255 hashes");
        Aes256Gcm::new((&*key).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_on_the_way_does_not_open() {
        let (ours, other) = (LinkSecret::from_random([1; 16]), LinkSecret::from_random([2; 16]));
        let sealed = ours.seal_after(AfterPart::Note, [9; 12], b"{}");
        assert_eq!(sealed.len(), 12 + 2 + 16);
        assert_eq!(ours.open_after(AfterPart::Note, &sealed).as_deref(), Some(&b"{}"[..]));
        assert_eq!(other.open_after(AfterPart::Note, &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(ours.open_after(AfterPart::Note, &changed), None, "byte {at}");
            assert_eq!(ours.open_after(AfterPart::Note, &sealed[..at]), None, "{at} bytes");
        }
    }

    #[test]
    fn a_note_of_a_newer_program_is_read_and_none_is_printed() {
        let text = r#"{"next_step":"Drink","doctor":"Dr A","date":"2026-11-22","new":1,
            "medicines":[{"name":"ORS","how":"one glass","when":["morning","tea-time"]}]}"#;
        let note: AfterNote = serde_json::from_str(text).unwrap();
        assert_eq!(note.medicines[0].when, [When::Morning, When::Unknown]);
        assert_eq!(format!("{note:?} {:?}", note.medicines[0]), "AfterNote[..] AfterMedicine[..]");
    }
}
