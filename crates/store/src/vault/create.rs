//! Making a vault.

use std::{fs, io, path::Path};

use rabta_wire::Id;

use super::{
    KeychainSecret, Vault, VaultState,
    derive::{self, Cost, Secret},
    file::{FORMAT, Paths, Person, Use, VaultFile, sync_folder},
    folder::{FolderLock, InUse, make_private},
    open::{OpenVault, PersonKey},
    recovery::RecoveryCode,
    secret::Passphrase,
    wrap::{self, Kind, Opener, Wrap},
};
use crate::{
    error::StoreError,
    sqlite::{RawKey, SealedRow, SqliteStore},
};

/// What a new vault needs; everything else is random.
#[derive(Debug)]
pub struct NewVault<'a> {
    /// A new random id.
    pub vault: Id,
    pub purpose: Use,
    /// The first person.
    pub person: Person,
    pub passphrase: &'a Passphrase,
    /// A second wrap then needs this, too.
    pub keychain: Option<KeychainSecret>,
    /// Whether the passphrase alone opens it as well. Keychains vanish: without this, and without the recovery code,
    /// everything is lost with the keychain.
    pub passphrase_alone: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error("there is a vault in this folder already")]
    Exists,
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    #[error("neither the passphrase alone nor a keychain would open it")]
    NoWay,
    #[error(transparent)]
    InUse(#[from] InUse),
    #[error("the vault's files cannot be written")]
    Files(#[source] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Vault {
    /// What is in `dir`. Reads only.
    pub fn inspect(dir: &Path) -> VaultState {
        VaultFile::state(&Paths::new(dir))
    }

    /// Makes a vault in `dir` and opens it. The recovery code is shown once and stored nowhere.
    ///
    /// The files appear in an order in which a crash leaves either no vault or a whole one.
    pub async fn create(dir: &Path, new: NewVault<'_>) -> Result<(OpenVault, RecoveryCode), CreateError> {
        let paths = Paths::new(dir);
        if new.passphrase.is_empty() {
            return Err(CreateError::EmptyPassphrase);
        }
        make_private(dir).map_err(CreateError::Files)?;
        let lock = FolderLock::on(&paths.lock)?;
        if paths.vault.exists() || paths.records.exists() {
            return Err(CreateError::Exists);
        }
        // Left by a crash while a vault was being made: no key of it was ever stored.
        for unborn in
            [paths.unborn.clone(), paths.dir.join("records.new-wal"), paths.dir.join("records.new-shm")]
        {
            match fs::remove_file(unborn) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(CreateError::Files(error));
                }
                _ => {}
            }
        }

        let key = derive::random();
        let person = new.person.id;
        let ways = Ways { keychain: new.keychain, passphrase_alone: new.passphrase_alone };
        let (key, made) =
            make_wraps(new.vault, person, new.passphrase.clone(), ways, key, derive::random()).await?;

        let device_secret = derive::random();
        let bound_to = wrap::bound_to(new.vault, Id::default(), "device key");
        let device_row = derive::here(|| sealed_row(&wrap::device_key_key(&key), &device_secret, &bound_to));

        let raw = RawKey(key);
        let store = SqliteStore::open(&paths.unborn, &raw, true).await?;
        store.put_device_key(device_row).await?;
        store.put_person_keys(person, made.rows).await?;
        store.close().await?;

        let file = VaultFile {
            format: FORMAT,
            vault: new.vault,
            purpose: new.purpose,
            records: None,
            persons: vec![new.person],
            wraps: made.wraps,
        };
        file.write(&paths).map_err(CreateError::Files)?;
        fs::rename(&paths.unborn, &paths.records).map_err(CreateError::Files)?;
        sync_folder(&paths.records).map_err(CreateError::Files)?;

        let store = SqliteStore::open(&paths.records, &raw, false).await?;
        let open =
            OpenVault::new(paths, new.vault, new.purpose, lock, store, raw, device_secret, made.person_key);
        Ok((open, made.recovery))
    }
}

/// How a person may open the vault, besides the recovery code.
pub(crate) struct Ways {
    pub keychain: Option<KeychainSecret>,
    pub passphrase_alone: bool,
}

/// One person's way in: wraps for `vault.json`, rows for the database, and what is kept in memory or shown.
pub(crate) struct Made {
    pub wraps: Vec<Wrap>,
    pub rows: Vec<(String, SealedRow)>,
    pub person_key: PersonKey,
    pub recovery: RecoveryCode,
}

pub(crate) fn sealed_row(key: &Secret, secret: &Secret, bound_to: &[u8]) -> SealedRow {
    let sealed = wrap::seal(key, secret, bound_to);
    let public = ed25519_dalek::SigningKey::from_bytes(secret).verifying_key();
    SealedRow { nonce: sealed.nonce.to_vec(), sealed: sealed.bytes, public: public.to_bytes().to_vec() }
}

/// Wraps the vault's key and the person's signing key for one person. Gives `key` back.
pub(crate) async fn make_wraps(
    vault: Id,
    person: Id,
    passphrase: Passphrase,
    ways: Ways,
    key: Secret,
    person_secret: Secret,
) -> Result<(Secret, Made), CreateError> {
    if ways.keychain.is_none() && !ways.passphrase_alone {
        return Err(CreateError::NoWay);
    }
    let made = derive::secretly(move || {
        let recovery = RecoveryCode::random();
        let recovery_salt = derive::random_bytes::<32>();
        let by_recovery = Opener::of_recovery_code(recovery.bytes(), &recovery_salt);
        let (mut wraps, mut rows) = passphrase_wraps(vault, person, &passphrase, &ways, &key, &person_secret);
        wraps.push(Wrap::new(vault, person, Kind::Recovery, &recovery_salt, &by_recovery, None, &key));
        let bound_to = wrap::bound_to(vault, person, "person key");
        rows.push((
            wrap::RECOVERY_ROW.to_owned(),
            sealed_row(&by_recovery.person_key_key(), &person_secret, &bound_to),
        ));
        let person_key = PersonKey::new(person, &person_secret);
        (key, Made { wraps, rows, person_key, recovery })
    });
    Ok(made.await)
}

/// The wraps that the passphrase opens, all from one run of Argon2id.
pub(crate) fn passphrase_wraps(
    vault: Id,
    person: Id,
    passphrase: &Passphrase,
    ways: &Ways,
    key: &Secret,
    person_secret: &Secret,
) -> (Vec<Wrap>, Vec<(String, SealedRow)>) {
    let salt = derive::random_bytes::<32>();
    let opener = Opener::of_passphrase(passphrase.bytes(), &salt, Cost::PASSPHRASE);
    let mut wraps = Vec::new();
    if let Some(keychain) = &ways.keychain {
        wraps.push(Wrap::new(
            vault,
            person,
            Kind::PassphraseAndKeychain,
            &salt,
            &opener,
            Some(keychain),
            key,
        ));
    }
    if ways.passphrase_alone {
        wraps.push(Wrap::new(vault, person, Kind::Passphrase, &salt, &opener, None, key));
    }
    let bound_to = wrap::bound_to(vault, person, "person key");
    let row = sealed_row(&opener.person_key_key(), person_secret, &bound_to);
    (wraps, vec![(wrap::passphrase_row(&salt), row)])
}
