//! A backup: a folder with a copy of the vault that was read back, and `backup.json` beside it, which is written last.
//!
//! The copy is as encrypted as the vault, under the same key, and opens with the same passphrases and recovery codes. A
//! folder without `backup.json`, or whose files are not exactly those that it names, is no backup.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rabta_wire::Id;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    derive,
    file::{NoVault, Paths, Person, Use, VaultFile, sync_folder, write_atomically},
    folder::make_private,
    open::OpenVault,
    recovery::RecoveryCode,
    secret::Passphrase,
    unlock::{UnlockError, open_wraps},
    wrap::{Kind, Opener},
};
use crate::{
    error::StoreError,
    sqlite::{Contents, RawKey, copy, look_through},
};

/// The format that this program writes and the highest one that it reads.
const FORMAT: u64 = 1;
const MANIFEST: &str = "backup.json";
const PREFIX: &str = "rabta-backup-";
/// While it is being written.
const PART: &str = ".part";
const VAULT: &str = "vault.json";
const RECORDS: &str = "records.db";
/// So many of a vault's backups stay in one place.
const KEPT: usize = 2;
/// How much is read at once.
const PIECE: usize = 1 << 20;
/// How often progress is told.
const EVERY: Duration = Duration::from_millis(200);

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doing {
    #[default]
    Copying,
    /// Reading back what was written.
    Checking,
}

/// How far it is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub doing: Doing,
    pub done: u64,
    /// About; 0 while unknown.
    pub of: u64,
}

/// Why there is no backup, or it was not copied back. What was there before is there still.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no backup in this folder")]
    None,
    #[error("the backup was made by a newer version of this program (format {0})")]
    Newer(u64),
    #[error("the backup is not whole: {0}")]
    Damaged(&'static str),
    #[error("what was written does not read back: {0}")]
    NotReadBack(StoreError),
    #[error("the vault is locked")]
    Locked,
    #[error("the files cannot be written or read")]
    Files(#[from] io::Error),
    #[error(transparent)]
    Store(StoreError),
}

/// What somebody knows.
#[derive(Debug)]
pub enum Given<'a> {
    Recovery(&'a RecoveryCode),
    Passphrase { person: Id, passphrase: &'a Passphrase },
}

/// All of `backup.json`. No patient is ever in it.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u64,
    vault: Id,
    /// Milliseconds since 1970 by the laptop's clock.
    made_at: i64,
    contents: Contents,
    files: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    name: String,
    bytes: u64,
    /// Hex.
    sha256: String,
}

/// A backup that is whole as far as names and sizes tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub dir: PathBuf,
    pub vault: Id,
    /// Milliseconds since 1970 by the clock of the laptop that made it.
    pub made_at: i64,
    pub bytes: u64,
    pub contents: Contents,
    /// Whose recovery code or passphrase opens it.
    pub persons: Vec<Person>,
}

impl OpenVault {
    /// Makes a backup in the folder `place`, under `name` (what tells it from others: a date). Records are written
    /// meanwhile; whoever changes a passphrase waits. Older backups of this vault in the same place go once this one was
    /// read back, but for the newest.
    pub async fn back_up(
        &self,
        place: &Path,
        name: &str,
        now_ms: i64,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Backup, BackupError> {
        let _changing = self.changing.lock().await;
        let file = VaultFile::read(&self.paths).map_err(|_| BackupError::Damaged("vault.json"))?;
        let records = file.records(&self.paths);
        let key = RawKey(self.copy_of_key().map_err(|_| BackupError::Locked)?);
        if !place.is_dir() {
            return Err(BackupError::Files(io::ErrorKind::NotFound.into()));
        }
        sweep_parts(place);
        let dir = unused(place, name);
        let mut part = dir.clone().into_os_string();
        part.push(PART);
        let part = PathBuf::from(part);
        let made = self.write_copy(file, &records, &key, &part, now_ms, tell).await;
        let made = made.and_then(|()| {
            fs::rename(&part, &dir)?;
            Ok(sync_folder(&dir)?)
        });
        if let Err(error) = made {
            let _ = fs::remove_dir_all(&part);
            return Err(error);
        }
        let made = Backup::read(&dir)?;
        for old in Backup::found(place).into_iter().filter(|b| b.vault == made.vault).skip(KEPT) {
            if let Err(error) = fs::remove_dir_all(&old.dir) {
                tracing::warn!(kind = ?error.kind(), "an older backup stays");
            }
        }
        Ok(made)
    }

    async fn write_copy(
        &self,
        mut file: VaultFile,
        records: &Path,
        key: &RawKey,
        part: &Path,
        now_ms: i64,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<(), BackupError> {
        make_private(part)?;
        let to = part.join(RECORDS);
        let before = self.store().contents().await.map_err(store)?;
        let about = fs::metadata(records)?.len();
        let mut copying = std::pin::pin!(copy(records, key, &to));
        loop {
            let size = fs::metadata(&to).map_or(0, |made| made.len());
            tell(Progress { doing: Doing::Copying, done: size.min(about), of: about });
            tokio::select! {
                done = &mut copying => break done.map_err(store)?,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        file.records = None;
        let text = serde_json::to_vec_pretty(&file).map_err(io::Error::other)?;
        write_atomically(&part.join(VAULT), &text)?;
        // On the stick, not in a cache of writes.
        File::options().write(true).open(&to)?.sync_all()?;
        sync_folder(&to)?;

        // Read back: every byte for its sum, then as a database.
        let mut parts = Vec::new();
        for name in [VAULT, RECORDS] {
            let (bytes, sha256) = sum(part.join(name), None, Doing::Checking, about, tell).await?;
            parts.push(Part { name: name.to_owned(), bytes, sha256 });
        }
        let found = look_through(&to, key).await.map_err(BackupError::NotReadBack)?;
        let after = self.store().contents().await.map_err(store)?;
        if found.log < before.log || found.log > after.log {
            return Err(BackupError::NotReadBack(StoreError::Damaged("the copy lacks entries of the log")));
        }
        let manifest =
            Manifest { format: FORMAT, vault: file.vault, made_at: now_ms, contents: found, files: parts };
        let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other)?;
        Ok(write_atomically(&part.join(MANIFEST), &text)?)
    }
}

fn store(error: StoreError) -> BackupError {
    match error {
        StoreError::Locked => BackupError::Locked,
        error => BackupError::Store(error),
    }
}

/// A name that nothing in `place` has.
fn unused(place: &Path, name: &str) -> PathBuf {
    let first = place.join(format!("{PREFIX}{name}"));
    let next = (2..1000).map(|n| place.join(format!("{PREFIX}{name}-{n}")));
    std::iter::once(first.clone()).chain(next).find(|path| !path.exists()).unwrap_or(first)
}

/// What earlier backups left that were cut off.
fn sweep_parts(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(PART)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Reads a file to its end, and writes it to `to` where there is one: its size and its sum, as hex.
async fn sum(
    path: PathBuf,
    to: Option<PathBuf>,
    doing: Doing,
    of: u64,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(u64, String), BackupError> {
    let (sent, mut told) = tokio::sync::mpsc::channel::<u64>(1);
    let work = tokio::task::spawn_blocking(move || -> io::Result<(u64, String)> {
        let mut from = File::open(path)?;
        let mut to = to.map(File::create_new).transpose()?;
        let (mut hash, mut done) = (Sha256::new(), 0);
        let mut piece = vec![0; PIECE];
        loop {
            let n = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hash.update(&piece[..n]);
            if let Some(to) = &mut to {
                to.write_all(&piece[..n])?;
            }
            done += n as u64;
            let _ = sent.try_send(done);
        }
        if let Some(to) = to {
            to.sync_all()?;
        }
        Ok((done, hex::encode(hash.finalize())))
    });
    while let Some(done) = told.recv().await {
        tell(Progress { doing, done: done.min(of.max(done)), of: of.max(done) });
    }
    let summed = work.await.map_err(io::Error::other)?;
    Ok(summed?)
}

impl Backup {
    /// The backup in this very folder.
    pub fn read(dir: &Path) -> Result<Self, BackupError> {
        let (manifest, file) = Self::parts(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            vault: manifest.vault,
            made_at: manifest.made_at,
            bytes: manifest.files.iter().map(|part| part.bytes).sum(),
            contents: manifest.contents,
            persons: file.persons,
        })
    }

    fn parts(dir: &Path) -> Result<(Manifest, VaultFile), BackupError> {
        let text = match fs::read(dir.join(MANIFEST)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BackupError::None),
            Err(error) => return Err(error.into()),
        };
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let damaged = |_| BackupError::Damaged("backup.json cannot be read");
        let Format { format } = serde_json::from_slice(&text).map_err(damaged)?;
        if format > FORMAT {
            return Err(BackupError::Newer(format));
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(damaged)?;
        if !manifest.files.iter().map(|part| part.name.as_str()).eq([VAULT, RECORDS]) {
            return Err(BackupError::Damaged("backup.json names other files"));
        }
        for part in &manifest.files {
            match fs::metadata(dir.join(&part.name)) {
                Ok(found) if found.len() == part.bytes => {}
                Ok(_) => return Err(BackupError::Damaged("a file is not as long as it was")),
                Err(_) => return Err(BackupError::Damaged("a file is missing")),
            }
        }
        let file = VaultFile::read(&Paths::new(dir)).map_err(|why| match why {
            NoVault::Newer(format) => BackupError::Newer(format),
            NoVault::Absent => BackupError::Damaged("vault.json is missing"),
            NoVault::Damaged(why) => BackupError::Damaged(why),
        })?;
        if file.vault != manifest.vault || file.purpose != Use::Clinic {
            return Err(BackupError::Damaged("vault.json is of another vault"));
        }
        Ok((manifest, file))
    }

    /// The backups in a folder, newest first; the folder may be one itself.
    pub fn found(place: &Path) -> Vec<Self> {
        let inside = fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path());
        let named = inside.filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(PREFIX) && !name.ends_with(PART)
        });
        let mut found: Vec<Self> =
            std::iter::once(place.to_owned()).chain(named).filter_map(|dir| Self::read(&dir).ok()).collect();
        found.sort_by(|a, b| (b.made_at, &b.dir).cmp(&(a.made_at, &a.dir)));
        found
    }

    /// Whose it opens, if what is given is right; `None` if not. Reads `vault.json` alone.
    pub async fn opens(&self, given: &Given<'_>) -> Result<Option<Id>, BackupError> {
        let (_, file) = Self::parts(&self.dir)?;
        match given {
            Given::Passphrase { person, passphrase } => {
                match open_wraps(&file, *person, passphrase, None).await {
                    Ok(opened) => Ok(opened.map(|_| *person)),
                    Err(UnlockError::UnknownPerson | UnlockError::KeychainNeeded) => Ok(None),
                    Err(_) => Err(BackupError::Damaged("vault.json")),
                }
            }
            Given::Recovery(code) => {
                let (vault, code) = (file.vault, (*code).clone());
                let wraps: Vec<_> = file.wraps.into_iter().filter(|w| w.kind == Kind::Recovery).collect();
                Ok(derive::secretly(move || {
                    wraps.iter().find_map(|wrap| {
                        let opener = Opener::of_recovery_code(code.bytes(), &wrap.salt()?);
                        wrap.open(vault, &opener, None).map(|_| wrap.person)
                    })
                })
                .await)
            }
        }
    }

    /// Copies the vault into `dir`, which must not exist, and compares every byte with what was read back when the backup
    /// was made.
    pub async fn copy_to(
        &self,
        dir: &Path,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<(), BackupError> {
        let (manifest, _) = Self::parts(&self.dir)?;
        if dir.exists() {
            return Err(BackupError::Files(io::ErrorKind::AlreadyExists.into()));
        }
        make_private(dir)?;
        let copied = async {
            for part in &manifest.files {
                let to = dir.join(&part.name);
                let from = self.dir.join(&part.name);
                let found = sum(from, Some(to), Doing::Copying, self.bytes, tell).await?;
                if found != (part.bytes, part.sha256.clone()) {
                    return Err(BackupError::Damaged("a file is not what it was"));
                }
            }
            Ok(sync_folder(&dir.join(VAULT))?)
        }
        .await;
        if copied.is_err() {
            let _ = fs::remove_dir_all(dir);
        }
        copied
    }
}
