//! What one backup consists of.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rabta_wire::Id;
use serde::{Deserialize, Serialize};

/// What the HIE's signature covers begins with this.
const PREFIX: &[u8] = b"rabta backup 1\0";

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this format: 1.
    pub version: u32,
    /// Whose it is: the public half of the HIE's signing key, base64url.
    pub hie: String,
    /// The epoch that was saved.
    pub epoch: Id,
    /// Counts the backups of a folder, from 1; 0 in backups of an earlier version. Clocks jump, this does not.
    #[serde(default)]
    pub number: u64,
    /// The last change in it.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub made_at: i64,
    /// Bytes of the database file.
    pub length: u64,
    /// SHA-256 of each piece in order, hexadecimal.
    pub pieces: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    /// The manifest as JSON text: the very bytes that are signed.
    manifest: String,
    signature: String,
}

/// Why a manifest is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("reading {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is not a backup's manifest", .0.display())]
    Malformed(PathBuf),
    #[error("{} was made by a newer version of rabta-hie", .0.display())]
    Newer(PathBuf),
    #[error("the signature of {} does not match: it was changed", .0.display())]
    Signature(PathBuf),
}

impl Manifest {
    /// `20261122T031500Z-1234.json`: the time and the last change.
    pub fn file_name(&self) -> String {
        let at = time::OffsetDateTime::from_unix_timestamp(self.made_at.div_euclid(1000))
            .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
        let at = at.format(&format).unwrap_or_default();
        format!("{at}-{}.json", self.seq)
    }

    pub(super) fn signed(&self, key: &SigningKey) -> Vec<u8> {
        let manifest = serde_json::to_string(self).expect("a manifest is JSON");
        let signature = key.sign(&[PREFIX, manifest.as_bytes()].concat());
        let signature = BASE64.encode(signature.to_bytes());
        serde_json::to_vec(&Signed { manifest, signature }).expect("a manifest is JSON")
    }

    /// Reads one and checks its signature by the key that it names; whose key that is must be checked by the caller.
    pub(super) fn read(path: &Path) -> Result<Self, ManifestError> {
        let bytes = fs::read(path).map_err(|source| ManifestError::Io { path: path.to_owned(), source })?;
        let malformed = || ManifestError::Malformed(path.to_owned());
        let signed: Signed = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        let version: serde_json::Value = serde_json::from_str(&signed.manifest).map_err(|_| malformed())?;
        if version["version"].as_u64().ok_or_else(malformed)? > 1 {
            return Err(ManifestError::Newer(path.to_owned()));
        }
        let manifest: Self = serde_json::from_str(&signed.manifest).map_err(|_| malformed())?;
        let names_are_hashes =
            manifest.pieces.iter().all(|p| p.len() == 64 && p.bytes().all(|b| b.is_ascii_hexdigit()));
        let key = manifest.key().filter(|_| names_are_hashes).ok_or_else(malformed)?;
        let signature = BASE64.decode(&signed.signature).map_err(|_| malformed())?;
        let signature = Signature::from_slice(&signature).map_err(|_| malformed())?;
        key.verify_strict(&[PREFIX, signed.manifest.as_bytes()].concat(), &signature)
            .map_err(|_| ManifestError::Signature(path.to_owned()))?;
        Ok(manifest)
    }

    fn key(&self) -> Option<VerifyingKey> {
        let bytes: [u8; 32] = BASE64.decode(&self.hie).ok()?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok()
    }

    /// All backups in a folder, in the order in which they were made.
    pub(super) fn all(folder: &Path) -> Result<Vec<(PathBuf, Self)>, ManifestError> {
        let io = |source| ManifestError::Io { path: folder.to_owned(), source };
        let mut all = Vec::new();
        for entry in fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|e| e == "json") {
                let manifest = Self::read(&path)?;
                all.push((path, manifest));
            }
        }
        all.sort_by(|(a, one), (b, two)| (one.number, a).cmp(&(two.number, b)));
        Ok(all)
    }
}

/// How an HIE is named in a manifest.
pub(super) fn name_of(key: &VerifyingKey) -> String {
    BASE64.encode(key.to_bytes())
}
