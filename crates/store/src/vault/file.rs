//! `vault.json`.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rabta_wire::Id;
use serde::{Deserialize, Serialize};

use super::{VaultState, wrap::Wrap};

/// The format of a new vault.
pub(crate) const FORMAT: u64 = 1;
/// The format of a vault whose key was changed: wraps lead over persons' keys, and the records' file is named. The
/// highest one that this program reads; a higher one is left alone.
pub(crate) const ROTATED: u64 = 2;
/// The records' file where `vault.json` names none.
const RECORDS: &str = "records.db";

/// A member of the clinic's staff who has a way into the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: Id,
    /// For the unlock screen, as certified.
    pub name: String,
    pub role: String,
}

/// What a vault is for. The names are the vault's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    #[default]
    Clinic,
    /// Somebody learns with invented patients. A program that does not know this word leaves the vault alone.
    Training,
}

impl Use {
    fn is_clinic(&self) -> bool {
        *self == Self::Clinic
    }
}

/// All of `vault.json`. No patient is ever in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VaultFile {
    pub format: u64,
    pub vault: Id,
    #[serde(default, rename = "use", skip_serializing_if = "Use::is_clinic")]
    pub purpose: Use,
    /// From format 2: the file of the records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    pub persons: Vec<Person>,
    pub wraps: Vec<Wrap>,
}

/// Why `vault.json` gives no vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoVault {
    Absent,
    Newer(u64),
    Damaged(&'static str),
}

pub(crate) struct Paths {
    pub dir: PathBuf,
    pub vault: PathBuf,
    pub records: PathBuf,
    /// The database while a vault is being made: nobody's data is in it yet.
    pub unborn: PathBuf,
    pub attempts: PathBuf,
    pub lock: PathBuf,
}

impl Paths {
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            vault: dir.join("vault.json"),
            records: dir.join("records.db"),
            unborn: dir.join("records.new"),
            attempts: dir.join("attempts.json"),
            lock: dir.join("records.lock"),
        }
    }
}

impl VaultFile {
    pub fn read(paths: &Paths) -> Result<Self, NoVault> {
        let bytes = match fs::read(&paths.vault) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return if has_records(&paths.dir) {
                    Err(NoVault::Damaged("vault.json is missing beside the records"))
                } else {
                    Err(NoVault::Absent)
                };
            }
            Err(_) => return Err(NoVault::Damaged("vault.json cannot be read")),
        };
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let Format { format } =
            serde_json::from_slice(&bytes).map_err(|_| NoVault::Damaged("vault.json is not readable"))?;
        if format > ROTATED {
            return Err(NoVault::Newer(format));
        }
        let file: Self =
            serde_json::from_slice(&bytes).map_err(|_| NoVault::Damaged("vault.json is not complete"))?;
        if file.wraps.is_empty() || file.wraps.iter().any(|w| !w.cost_is_sane()) {
            return Err(NoVault::Damaged("vault.json has no usable wrap"));
        }
        if file.records.as_deref().is_some_and(|name| generation(name).is_none()) {
            return Err(NoVault::Damaged("vault.json names no file of records"));
        }
        let unborn = file.records.is_none() && paths.unborn.exists();
        if !file.records(paths).exists() && !unborn {
            return Err(NoVault::Damaged("the records are missing"));
        }
        Ok(file)
    }

    /// Where the records are.
    pub fn records(&self, paths: &Paths) -> PathBuf {
        paths.dir.join(self.records.as_deref().unwrap_or(RECORDS))
    }

    /// The name of the records' next file, under another key.
    pub fn next_records(&self) -> String {
        let now = self.records.as_deref().and_then(generation).unwrap_or(0);
        format!("records-{}.db", now + 1)
    }

    /// Takes files of records away that this vault does not name: an earlier key's, or one that was not finished.
    pub fn sweep(&self, paths: &Paths) {
        let kept = self.records.as_deref().unwrap_or(RECORDS);
        for entry in fs::read_dir(&paths.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let base =
                ["-wal", "-shm", "-journal"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            if base != kept && (base == RECORDS || generation(base).is_some()) {
                if let Err(error) = fs::remove_file(entry.path()) {
                    tracing::warn!(kind = ?error.kind(), "records of an earlier key stay");
                }
            }
        }
    }

    pub fn write(&self, paths: &Paths) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        write_atomically(&paths.vault, &bytes)
    }

    pub fn state(paths: &Paths) -> VaultState {
        match Self::read(paths) {
            Ok(file) if file.purpose == Use::Training => VaultState::Training(file.persons),
            Ok(file) => VaultState::Locked(file.persons),
            Err(NoVault::Absent) => VaultState::Absent,
            Err(NoVault::Newer(format)) => VaultState::Newer(format),
            Err(NoVault::Damaged(why)) => VaultState::Damaged(why),
        }
    }
}

/// `3` of `records-3.db`.
fn generation(name: &str) -> Option<u32> {
    name.strip_prefix("records-")?.strip_suffix(".db")?.parse().ok()
}

fn has_records(dir: &Path) -> bool {
    let names = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.into_iter().any(|name| name.to_str().is_some_and(|n| n == RECORDS || generation(n).is_some()))
}

/// Either the old bytes or the new ones are there, whatever happens meanwhile.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("tmp");
    let written = (|| {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()
    })();
    if let Err(error) = written {
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    fs::rename(&beside, path)?;
    sync_folder(path)
}

/// Makes a rename in the folder of `path` durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
