//! From a locked vault to an open one.

use std::{fs, io, path::Path, time::Duration};

use rabta_wire::Id;

use super::{
    KeychainSecret, Vault,
    attempts::Attempts,
    derive::{self, Secret},
    file::{NoVault, Paths, VaultFile, sync_folder},
    folder::{FolderLock, InUse},
    open::{OpenVault, PersonKey},
    recovery::RecoveryCode,
    secret::Passphrase,
    wrap::{self, Kind, Opener, Wrap},
};
use crate::{
    error::StoreError,
    sqlite::{RawKey, SqliteStore, probe},
};

/// Why the vault stays locked. Nothing of it was changed.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    #[error("there is no vault in this folder")]
    Absent,
    /// The next try is taken after `retry_after`.
    #[error("the passphrase is wrong")]
    WrongPassphrase { failures: u32, retry_after: Duration },
    #[error("the recovery code is not of this vault")]
    WrongRecoveryCode { failures: u32, retry_after: Duration },
    /// Too soon after a wrong one; not even tried.
    #[error("too many wrong tries: wait {} s", .wait.as_secs_f32().ceil())]
    TooSoon { wait: Duration },
    #[error("this person has no way into this vault")]
    UnknownPerson,
    /// The policy forbids the passphrase alone and the keychain gives no secret.
    #[error("the keychain's secret is needed, too")]
    KeychainNeeded,
    #[error("the vault was made by a newer version of this program (format {0})")]
    Newer(u64),
    #[error("the vault is damaged: {0}")]
    Damaged(&'static str),
    /// The passphrase is right, but the database is not the one that this vault's key belongs to, or is cut off.
    #[error("the records do not belong to this vault's key, or are damaged")]
    DatabaseMismatch,
    #[error(transparent)]
    InUse(#[from] InUse),
    #[error("the vault's files cannot be used")]
    Files(#[source] io::Error),
    #[error(transparent)]
    Store(StoreError),
}

impl From<NoVault> for UnlockError {
    fn from(why: NoVault) -> Self {
        match why {
            NoVault::Absent => Self::Absent,
            NoVault::Newer(format) => Self::Newer(format),
            NoVault::Damaged(why) => Self::Damaged(why),
        }
    }
}

impl From<StoreError> for UnlockError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(_) => Self::DatabaseMismatch,
            error => Self::Store(error),
        }
    }
}

impl Vault {
    /// Opens the vault in `dir` for `person`. `keychain` is the secret of the operating system's keychain, where it
    /// has one; `now_ms` (since 1970, the device's clock) counts the wait after wrong tries.
    pub async fn unlock(
        dir: &Path,
        person: Id,
        passphrase: &Passphrase,
        keychain: Option<KeychainSecret>,
        now_ms: i64,
    ) -> Result<OpenVault, UnlockError> {
        let paths = Paths::new(dir);
        let file = VaultFile::read(&paths)?;
        let lock = FolderLock::on(&paths.lock)?;
        let attempts = in_time(&paths, now_ms)?;
        match open_wraps(&file, person, passphrase, keychain).await? {
            Some((key, opener, row)) => open(paths, file, lock, key, person, row, opener).await,
            None => {
                let failed = attempts.failed(&paths.attempts, now_ms);
                Err(UnlockError::WrongPassphrase { failures: failed.failures, retry_after: failed.delay() })
            }
        }
    }

    /// Opens the vault with whichever person's recovery code this is. That person then gives a new passphrase
    /// ([`OpenVault::set_passphrase`]).
    pub async fn unlock_with_recovery(
        dir: &Path,
        code: &RecoveryCode,
        now_ms: i64,
    ) -> Result<OpenVault, UnlockError> {
        let paths = Paths::new(dir);
        let file = VaultFile::read(&paths)?;
        let lock = FolderLock::on(&paths.lock)?;
        let attempts = in_time(&paths, now_ms)?;
        let wraps: Vec<Wrap> = file.wraps.iter().filter(|w| w.kind == Kind::Recovery).cloned().collect();
        let (vault, code) = (file.vault, code.clone());
        let opened = derive::secretly(move || {
            wraps.iter().find_map(|wrap| {
                let opener = Opener::of_recovery_code(code.bytes(), &wrap.salt()?);
                Some((wrap.open(vault, &opener, None)?, opener, wrap.person))
            })
        });
        match opened.await {
            Some((key, opener, person)) => {
                open(paths, file, lock, key, person, wrap::RECOVERY_ROW.to_owned(), opener).await
            }
            None => {
                let failed = attempts.failed(&paths.attempts, now_ms);
                Err(UnlockError::WrongRecoveryCode { failures: failed.failures, retry_after: failed.delay() })
            }
        }
    }
}

pub(crate) fn in_time(paths: &Paths, now_ms: i64) -> Result<Attempts, UnlockError> {
    let attempts = Attempts::read(&paths.attempts);
    match attempts.wait(now_ms) {
        Duration::ZERO => Ok(attempts),
        wait => Err(UnlockError::TooSoon { wait }),
    }
}

/// The vault's key by the person's passphrase, and the row of their signing key; `None` if it is wrong.
pub(crate) async fn open_wraps(
    file: &VaultFile,
    person: Id,
    passphrase: &Passphrase,
    keychain: Option<KeychainSecret>,
) -> Result<Option<(Secret, Opener, String)>, UnlockError> {
    let theirs: Vec<Wrap> =
        file.wraps.iter().filter(|w| w.person == person && w.kind != Kind::Recovery).cloned().collect();
    if theirs.is_empty() {
        return Err(UnlockError::UnknownPerson);
    }
    if keychain.is_none() && theirs.iter().all(|w| w.kind == Kind::PassphraseAndKeychain) {
        return Err(UnlockError::KeychainNeeded);
    }
    let (vault, passphrase) = (file.vault, passphrase.clone());
    let opened = derive::secretly(move || {
        // A person's wraps are from one run of Argon2id: the same salt and cost.
        let mut last: Option<([u8; 32], Opener)> = None;
        for wrap in theirs {
            let salt = wrap.salt()?;
            let opener = match last.take() {
                Some((known, opener)) if known == salt => opener,
                _ => Opener::of_passphrase(passphrase.bytes(), &salt, wrap.cost()),
            };
            let mixed_in = match wrap.kind {
                Kind::PassphraseAndKeychain => match &keychain {
                    Some(secret) => Some(&**secret),
                    None => {
                        last = Some((salt, opener));
                        continue;
                    }
                },
                _ => None,
            };
            if let Some(key) = wrap.open(vault, &opener, mixed_in) {
                return Some((key, opener, wrap::passphrase_row(&salt)));
            }
            last = Some((salt, opener));
        }
        None
    });
    Ok(opened.await)
}

async fn open(
    paths: Paths,
    file: VaultFile,
    lock: FolderLock,
    key: Secret,
    person: Id,
    row: String,
    opener: Opener,
) -> Result<OpenVault, UnlockError> {
    let (vault, purpose, records) = (file.vault, file.purpose, file.records(&paths));
    // The last step of making the vault was cut off.
    if !records.exists() && file.records.is_none() {
        fs::rename(&paths.unborn, &paths.records).map_err(UnlockError::Files)?;
        sync_folder(&paths.records).map_err(UnlockError::Files)?;
    }
    let raw = RawKey(key);
    match probe(&records, &raw).await? {
        None => return Err(UnlockError::DatabaseMismatch),
        Some(version) if SqliteStore::is_newer(version) => {
            return Err(UnlockError::Store(StoreError::Newer(version)));
        }
        Some(_) => {}
    }
    let store = SqliteStore::open(&records, &raw, false).await?;
    match load_keys(&store, vault, &raw, person, row, opener).await {
        Ok((device, person_key)) => {
            Attempts::forget(&paths.attempts);
            file.sweep(&paths);
            Ok(OpenVault::new(paths, vault, purpose, lock, store, raw, device, person_key))
        }
        Err(error) => {
            store.close().await?;
            Err(error)
        }
    }
}

async fn load_keys(
    store: &SqliteStore,
    vault: Id,
    key: &RawKey,
    person: Id,
    row: String,
    opener: Opener,
) -> Result<(Secret, PersonKey), UnlockError> {
    let device_row = store.device_key().await?.ok_or(UnlockError::Damaged("the device's key is missing"))?;
    let bound_to = wrap::bound_to(vault, Id::default(), "device key");
    let open = || wrap::open(&wrap::device_key_key(&key.0), &device_row.nonce, &device_row.sealed, &bound_to);
    let device = derive::here(open).ok_or(UnlockError::Damaged("the device's key does not open"))?;
    let person_key = load_person_key(store, vault, person, row, opener).await?;
    Ok((device, person_key))
}

pub(crate) async fn load_person_key(
    store: &SqliteStore,
    vault: Id,
    person: Id,
    row: String,
    opener: Opener,
) -> Result<PersonKey, UnlockError> {
    let row =
        store.person_key(person, &row).await?.ok_or(UnlockError::Damaged("the person's key is missing"))?;
    let opened = derive::secretly(move || {
        let secret = wrap::open(
            &opener.person_key_key(),
            &row.nonce,
            &row.sealed,
            &wrap::bound_to(vault, person, "person key"),
        )?;
        Some(PersonKey::new(person, &secret))
    });
    opened.await.ok_or(UnlockError::Damaged("the person's key does not open"))
}
