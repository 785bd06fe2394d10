//! Wraps: a secret sealed with XChaCha20-Poly1305, bound to what it is for.

use chacha20poly1305::{AeadInPlace, KeyInit, XChaCha20Poly1305, XNonce};
use ed25519_dalek::{SigningKey, VerifyingKey};
use rabta_wire::{Id, shared::SharedSecret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::derive::{self, Cost, Secret};
use crate::sqlite::SealedRow;

/// What opens a wrap. The names are the vault's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    #[serde(rename = "passphrase")]
    Passphrase,
    /// Needs the keychain's secret, too.
    #[serde(rename = "passphrase+keychain")]
    PassphraseAndKeychain,
    #[serde(rename = "recovery")]
    Recovery,
}

/// One person's wrap of the vault's key, as in `vault.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wrap {
    pub person: Id,
    pub kind: Kind,
    /// Argon2id's salt, or HKDF's for a recovery code: hex.
    pub salt: String,
    /// Argon2id's cost; all 0 for a recovery code, which needs no stretching.
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    /// Hex.
    pub nonce: String,
    pub sealed: String,
    /// Where the vault's key was changed since: what leads to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_key: Option<Through>,
}

/// The way to a vault's key that was changed while this person was not there: what they know opens their own signing key,
/// and `nonce` and `sealed` of the [`Wrap`] open with the secret of that key and of another that was thrown away (X25519).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Through {
    /// The person's signing key, sealed as in the database: hex.
    pub nonce: String,
    pub sealed: String,
    /// The public half of the key that was thrown away: hex.
    pub other: String,
}

/// A sealed secret: nonce, then ciphertext and tag.
pub(crate) struct Sealed {
    pub nonce: [u8; 24],
    pub bytes: Vec<u8>,
}

/// Seals `secret`; it opens only with the same `bound_to`.
pub(crate) fn seal(key: &Secret, secret: &[u8; 32], bound_to: &[u8]) -> Sealed {
    let nonce = derive::random_bytes::<24>();
    // Room for the tag, so that the secret never moves.
    let mut bytes = Vec::with_capacity(32 + 16);
    bytes.extend_from_slice(secret);
    XChaCha20Poly1305::new(key.as_slice().into())
        .encrypt_in_place(XNonce::from_slice(&nonce), bound_to, &mut bytes)
        .expect("32 bytes are within the cipher's limit");
    Sealed { nonce, bytes }
}

/// The secret, if this is the key that sealed it for this purpose.
pub(crate) fn open(key: &Secret, nonce: &[u8], sealed: &[u8], bound_to: &[u8]) -> Option<Secret> {
    if nonce.len() != 24 {
        return None;
    }
    let mut bytes = Zeroizing::new(sealed.to_vec());
    XChaCha20Poly1305::new(key.as_slice().into())
        .decrypt_in_place(XNonce::from_slice(nonce), bound_to, &mut *bytes)
        .ok()?;
    let mut secret = derive::empty();
    if bytes.len() != secret.len() {
        return None;
    }
    secret.copy_from_slice(&bytes);
    Some(secret)
}

/// What a passphrase or a recovery code gives: the key of the vault's wrap and the key of the person's signing key.
pub(crate) struct Opener {
    master: Secret,
}

const RECOVERY_PURPOSE: &str = "rabta recovery 1";
const WRAP_PURPOSE: &str = "rabta vault wrap 1";
const PERSON_KEY_PURPOSE: &str = "rabta person key 1";
const THROUGH_PURPOSE: &str = "rabta vault wrap 2";
const DEVICE_KEY_PURPOSE: &str = "rabta device key 1";

impl Opener {
    pub fn of_passphrase(passphrase: &[u8], salt: &[u8], cost: Cost) -> Self {
        Self { master: derive::argon2id(passphrase, salt, cost) }
    }

    /// 120 random bits need no stretching.
    pub fn of_recovery_code(code: &[u8], salt: &[u8; 32]) -> Self {
        Self { master: derive::expand(code, Some(salt), RECOVERY_PURPOSE) }
    }

    fn wrap_key(&self, keychain: Option<&[u8; 32]>) -> Secret {
        derive::expand(self.master.as_slice(), keychain, WRAP_PURPOSE)
    }

    pub fn person_key_key(&self) -> Secret {
        derive::expand(self.master.as_slice(), None, PERSON_KEY_PURPOSE)
    }
}

/// The row of a person's signing key that the recovery code opens.
pub(crate) const RECOVERY_ROW: &str = "recovery";

/// The row of a person's signing key that goes with the wraps of this salt. While a passphrase is being changed both
/// rows are there, so that whichever wraps `vault.json` then holds have theirs.
pub(crate) fn passphrase_row(salt: &[u8; 32]) -> String {
    format!("passphrase/{}", hex::encode(salt))
}

/// The key that seals the device's signing key inside the vault.
pub(crate) fn device_key_key(vault_key: &Secret) -> Secret {
    derive::expand(vault_key.as_slice(), None, DEVICE_KEY_PURPOSE)
}

pub(crate) fn bound_to(vault: Id, person: Id, what: &str) -> Vec<u8> {
    [b"rabta vault 1\0".as_slice(), &vault.0, &person.0, what.as_bytes()].concat()
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::PassphraseAndKeychain => "passphrase+keychain",
            Self::Recovery => "recovery",
        }
    }
}

impl Wrap {
    pub fn new(
        vault: Id,
        person: Id,
        kind: Kind,
        salt: &[u8],
        opener: &Opener,
        keychain: Option<&[u8; 32]>,
        key: &Secret,
    ) -> Self {
        let cost = match kind {
            Kind::Recovery => Cost { memory_kib: 0, passes: 0, lanes: 0 },
            _ => Cost::PASSPHRASE,
        };
        let sealed = seal(&opener.wrap_key(keychain), key, &bound_to(vault, person, kind.name()));
        Self {
            person,
            kind,
            salt: hex::encode(salt),
            memory_kib: cost.memory_kib,
            passes: cost.passes,
            lanes: cost.lanes,
            nonce: hex::encode(sealed.nonce),
            sealed: hex::encode(sealed.bytes),
            person_key: None,
        }
    }

    /// The same person's same way in, to another key of the vault: `row` is their signing key as the database has it under
    /// what opens this wrap. `None` where the row's public key is none.
    pub fn to_another_key(&self, vault: Id, row: &SealedRow, key: &Secret) -> Option<Self> {
        let public = VerifyingKey::from_bytes(row.public.as_slice().try_into().ok()?).ok()?;
        let other = SigningKey::from_bytes(&derive::random());
        let agreed = agreed(&other, &public, vault)?;
        let kind = if self.kind == Kind::Recovery { Kind::Recovery } else { Kind::Passphrase };
        let sealed = seal(&agreed, key, &bound_to(vault, self.person, kind.name()));
        Some(Self {
            kind,
            nonce: hex::encode(sealed.nonce),
            sealed: hex::encode(sealed.bytes),
            person_key: Some(Through {
                nonce: hex::encode(&row.nonce),
                sealed: hex::encode(&row.sealed),
                other: hex::encode(other.verifying_key().as_bytes()),
            }),
            ..self.clone()
        })
    }

    pub fn cost(&self) -> Cost {
        Cost { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes }
    }

    pub fn cost_is_sane(&self) -> bool {
        self.kind == Kind::Recovery || self.cost().is_sane()
    }

    pub fn salt(&self) -> Option<[u8; 32]> {
        hex::decode(&self.salt).ok()?.try_into().ok()
    }

    /// The vault's key, if `opener` is the right one.
    pub fn open(&self, vault: Id, opener: &Opener, keychain: Option<&[u8; 32]>) -> Option<Secret> {
        let (nonce, sealed) = (hex::decode(&self.nonce).ok()?, hex::decode(&self.sealed).ok()?);
        if let Some(through) = &self.person_key {
            let (own_nonce, own) = (hex::decode(&through.nonce).ok()?, hex::decode(&through.sealed).ok()?);
            let own = bound_to_open(opener, &own_nonce, &own, vault, self.person)?;
            let other = VerifyingKey::from_bytes(&hex::decode(&through.other).ok()?.try_into().ok()?).ok()?;
            let agreed = agreed(&SigningKey::from_bytes(&own), &other, vault)?;
            return open(&agreed, &nonce, &sealed, &bound_to(vault, self.person, self.kind.name()));
        }
        open(&opener.wrap_key(keychain), &nonce, &sealed, &bound_to(vault, self.person, self.kind.name()))
    }
}

/// What two keys agree on, for one vault.
fn agreed(mine: &SigningKey, theirs: &VerifyingKey, vault: Id) -> Option<Secret> {
    let agreed = SharedSecret::between(mine, theirs, vault)?.key(THROUGH_PURPOSE);
    let mut key = derive::empty();
    key.copy_from_slice(&*agreed);
    Some(key)
}

fn bound_to_open(opener: &Opener, nonce: &[u8], sealed: &[u8], vault: Id, person: Id) -> Option<Secret> {
    open(&opener.person_key_key(), nonce, sealed, &bound_to(vault, person, "person key"))
}
