//! `vault.json`.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rabta_wire::Id;
use serde::{Deserialize, Serialize};

use super::{VaultState, wrap::Wrap};

/// The format that this program writes. A higher one is left alone.
pub(crate) const FORMAT: u64 = 1;

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
                return if paths.records.exists() {
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
        if format > FORMAT {
            return Err(NoVault::Newer(format));
        }
        let file: Self =
            serde_json::from_slice(&bytes).map_err(|_| NoVault::Damaged("vault.json is not complete"))?;
        if file.wraps.is_empty() || file.wraps.iter().any(|w| !w.cost_is_sane()) {
            return Err(NoVault::Damaged("vault.json has no usable wrap"));
        }
        if !paths.records.exists() && !paths.unborn.exists() {
            return Err(NoVault::Damaged("the records are missing"));
        }
        Ok(file)
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

/// Either the old bytes or the new ones are there, whatever happens meanwhile.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
