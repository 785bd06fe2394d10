//! A vault that is open: the store, and the keys while they may be used.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ed25519_dalek::{SigningKey, VerifyingKey};
use rabta_wire::{Id, envelope::PersonSignature};

use super::{
    derive::{self, Secret},
    file::{Paths, Person, Use, VaultFile},
    folder::FolderLock,
    screen::Screen,
    unlock::UnlockError,
    wrap::RECOVERY_ROW,
};
use crate::{
    append::DeviceSigner,
    error::StoreError,
    sqlite::{RawKey, SqliteStore},
    traits::RecordStore,
    transaction::Transaction,
};

/// Setting: the device's id, as the HIE certified it.
const DEVICE: &str = "vault.device";

/// An open vault. Dropping it without [`OpenVault::lock`] closes everything, too, but waits for nothing.
pub struct OpenVault {
    pub(crate) paths: Paths,
    id: Id,
    purpose: Use,
    store: SqliteStore,
    pub(crate) secrets: Mutex<Option<Secrets>>,
    /// While `vault.json` is being changed.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// All that vault lock wipes.
pub(crate) struct Secrets {
    pub key: RawKey,
    device: Arc<SigningKey>,
    /// Whose session it is; their key is among `given`.
    active: Id,
    /// Everybody who gave the passphrase since the vault was opened: a PIN is enough for these.
    given: Vec<PersonKey>,
    pub screen: Screen,
    folder: FolderLock,
}

impl Secrets {
    pub fn active(&self) -> Id {
        self.active
    }

    /// The key of whose session it is.
    pub fn person(&self) -> &PersonKey {
        self.given
            .iter()
            .find(|key| key.person == self.active)
            .expect("whose session it is gave the passphrase")
    }

    pub fn has_given(&self, person: Id) -> bool {
        self.given.iter().any(|key| key.person == person)
    }

    /// The session is `key`'s from now on, and the screen is free.
    pub fn enter(&mut self, key: PersonKey) {
        let person = key.person;
        self.given.retain(|known| known.person != person);
        self.given.push(key);
        self.switch(person);
    }

    /// As [`Secrets::enter`], for somebody who gave the passphrase before. `false` where they did not.
    pub fn switch(&mut self, person: Id) -> bool {
        if !self.has_given(person) {
            return false;
        }
        self.active = person;
        self.screen.free(person);
        true
    }

    /// Forgets the key of somebody whose session it is not.
    pub fn forget(&mut self, person: Id) {
        let active = self.active;
        self.given.retain(|key| key.person != person || key.person == active);
    }
}

/// A person's signing key in memory.
pub(crate) struct PersonKey {
    pub person: Id,
    pub(crate) key: Arc<SigningKey>,
}

impl PersonKey {
    pub fn new(person: Id, secret: &Secret) -> Self {
        Self { person, key: Arc::new(SigningKey::from_bytes(secret)) }
    }
}

/// Why a key cannot be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the vault is locked")]
    VaultLocked,
    #[error("the screen is locked")]
    ScreenLocked,
    #[error("this device is not enrolled yet")]
    NotEnrolled,
}

/// Signs as the person whose session it is. For one act: let go of it at once, so that a lock can wipe the key.
#[derive(Clone)]
pub struct PersonSigner {
    person: Id,
    pub(crate) key: Arc<SigningKey>,
}

impl PersonSigner {
    pub fn person(&self) -> Id {
        self.person
    }

    /// Signs an envelope's exact payload; `purpose` as in [`PersonSignature::sign`].
    pub fn sign(&self, purpose: &str, payload: &[u8]) -> PersonSignature {
        PersonSignature::sign(&self.key, self.person, purpose, payload)
    }

    /// For enrollment and access tokens.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }
}

impl std::fmt::Debug for PersonSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonSigner[..]")
    }
}

impl std::fmt::Debug for OpenVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenVault({})[..]", self.id)
    }
}

impl OpenVault {
    #[expect(clippy::too_many_arguments, reason = "the parts of an open vault, put together in two places")]
    pub(crate) fn new(
        paths: Paths,
        id: Id,
        purpose: Use,
        lock: FolderLock,
        store: SqliteStore,
        key: RawKey,
        device: Secret,
        person: PersonKey,
    ) -> Self {
        let device = derive::here(|| Arc::new(SigningKey::from_bytes(&device)));
        let (active, given) = (person.person, vec![person]);
        let secrets = Secrets { key, device, active, given, screen: Screen::default(), folder: lock };
        Self {
            paths,
            id,
            purpose,
            store,
            secrets: Mutex::new(Some(secrets)),
            changing: tokio::sync::Mutex::new(()),
        }
    }

    pub fn id(&self) -> Id {
        self.id
    }

    /// What it was made for; never changes.
    pub fn purpose(&self) -> Use {
        self.purpose
    }

    pub fn dir(&self) -> &Path {
        &self.paths.dir
    }

    /// The record store. Clones of it answer [`StoreError::Locked`] once the vault is locked.
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }

    pub(crate) fn secrets(&self) -> MutexGuard<'_, Option<Secrets>> {
        // Nothing panics while it holds this; if it did, the secrets are still to be wiped.
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Locking

    /// Vault lock: waits for what is being written, closes every connection and wipes the keys. The passphrase is
    /// needed from then on. Doing it twice is no error.
    pub async fn lock(&self) {
        // First, so that nothing signs any more while the store is closing.
        let folder = self.secrets().take().map(Secrets::keep_folder);
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "the store did not close cleanly");
        }
        drop(folder);
        derive::burn_stack();
    }

    pub fn is_locked(&self) -> bool {
        self.secrets().is_none()
    }

    // Persons

    /// Whose session it is.
    pub fn person(&self) -> Result<Id, KeyError> {
        Ok(self.secrets().as_ref().ok_or(KeyError::VaultLocked)?.active())
    }

    /// Everybody with a way into this vault.
    pub fn persons(&self) -> Result<Vec<Person>, UnlockError> {
        Ok(VaultFile::read(&self.paths)?.persons)
    }

    /// The person's signing key, unless the screen is locked.
    pub fn signer(&self) -> Result<PersonSigner, KeyError> {
        let secrets = self.secrets();
        let secrets = secrets.as_ref().ok_or(KeyError::VaultLocked)?;
        if secrets.screen.locked {
            return Err(KeyError::ScreenLocked);
        }
        let person = secrets.person();
        Ok(PersonSigner { person: person.person, key: person.key.clone() })
    }

    /// The public half of a person's key, for enrollment.
    pub async fn person_public(&self, person: Id) -> Result<Option<VerifyingKey>, StoreError> {
        let row = self.store.person_key(person, RECOVERY_ROW).await?;
        row.map(|row| public_key(&row.public)).transpose()
    }

    pub(crate) fn copy_of_key(&self) -> Result<Secret, KeyError> {
        let secrets = self.secrets();
        let mut copy = derive::empty();
        copy.copy_from_slice(secrets.as_ref().ok_or(KeyError::VaultLocked)?.key.0.as_slice());
        Ok(copy)
    }

    // The device

    /// The device's key, for enrollment and countersignatures. For one act, as [`PersonSigner`].
    pub fn device_key(&self) -> Result<Arc<SigningKey>, KeyError> {
        Ok(self.secrets().as_ref().ok_or(KeyError::VaultLocked)?.device.clone())
    }

    /// Remembers the id under which the HIE enrolled this device.
    pub async fn set_device(&self, device: Id) -> Result<(), StoreError> {
        self.store.commit(Transaction::new().set(DEVICE, device.0.to_vec()), None).await.map(|_| ())
    }

    /// The device's id, once enrolled.
    pub async fn device(&self) -> Result<Option<Id>, StoreError> {
        let bytes = self.store.setting(DEVICE).await?;
        bytes.map(|b| b.try_into().map(Id).map_err(|_| StoreError::Damaged("the device's id"))).transpose()
    }

    /// Seals envelopes for [`RecordStore::commit`]. For one act, as [`PersonSigner`].
    pub async fn sealer(&self) -> Result<DeviceSigner, KeyError> {
        let device = self.device().await.map_err(|_| KeyError::VaultLocked)?.ok_or(KeyError::NotEnrolled)?;
        Ok(DeviceSigner::new(device, self.device_key()?))
    }
}

#[cfg(test)]
impl OpenVault {
    pub(crate) fn signer_secret_for_test(&self) -> Secret {
        let secrets = self.secrets();
        let mut copy = derive::empty();
        copy.copy_from_slice(secrets.as_ref().expect("open").person().key.as_bytes());
        copy
    }
}

impl Secrets {
    /// Wipes everything but the hold on the folder, which must outlive the connections.
    fn keep_folder(self) -> FolderLock {
        self.folder
    }
}

fn public_key(bytes: &[u8]) -> Result<VerifyingKey, StoreError> {
    let damaged = StoreError::Damaged("a public key");
    let Ok(bytes) = bytes.try_into() else { return Err(damaged) };
    VerifyingKey::from_bytes(&bytes).map_err(|_| damaged)
}
