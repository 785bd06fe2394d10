//! Several people in one vault: the next one joins, one takes over from another, one leaves.

use std::{io, sync::Arc};

use ed25519_dalek::SigningKey;
use rabta_wire::Id;

use super::{
    KeychainSecret,
    attempts::Attempts,
    create::{CreateError, Ways, make_wraps, passphrase_wraps},
    derive::{self, Cost, Secret},
    file::{Person, VaultFile},
    open::{KeyError, OpenVault},
    recovery::RecoveryCode,
    secret::{Passphrase, Pin},
    unlock::{UnlockError, in_time, load_person_key, open_wraps},
    wrap::{Kind, RECOVERY_ROW},
};
use crate::error::StoreError;

/// The signing key of somebody who is about to join a vault: certified first, then kept.
pub struct NewcomerKey(Arc<SigningKey>);

impl NewcomerKey {
    pub fn random() -> Self {
        Self(derive::here(|| Arc::new(SigningKey::from_bytes(&derive::random()))))
    }

    /// For enrollment.
    pub fn key(&self) -> &SigningKey {
        &self.0
    }

    pub(crate) fn secret(&self) -> Secret {
        let mut secret = derive::empty();
        secret.copy_from_slice(self.0.as_bytes());
        secret
    }
}

impl std::fmt::Debug for NewcomerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewcomerKey[..]")
    }
}

/// A further person and their ways in.
#[derive(Debug)]
pub struct Newcomer<'a> {
    pub person: Person,
    pub key: &'a NewcomerKey,
    pub passphrase: &'a Passphrase,
    pub pin: &'a Pin,
    /// As in [`super::NewVault`].
    pub keychain: Option<KeychainSecret>,
    pub passphrase_alone: bool,
}

/// Why a person stays in the vault.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    #[error("nobody of that id is in this vault")]
    Unknown,
    #[error("somebody must be left who can open the vault")]
    Last,
    #[error("nobody removes themselves while they are at work")]
    Oneself,
    #[error("the vault's files cannot be written")]
    Files(#[source] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenVault {
    /// Gives a further person a way in: their signing key, wraps, PIN and a recovery code. The session stays who it is,
    /// and everybody else's wraps stay as they are.
    pub async fn add_person(&self, new: Newcomer<'_>) -> Result<RecoveryCode, CreateError> {
        let _changing = self.changing.lock().await;
        let mut file = VaultFile::read(&self.paths)
            .map_err(|_| CreateError::Files(io::ErrorKind::InvalidData.into()))?;
        let person = new.person.id;
        if file.persons.iter().any(|p| p.id == person) {
            return Err(CreateError::Exists);
        }
        if new.passphrase.is_empty() {
            return Err(CreateError::EmptyPassphrase);
        }
        let key = self.copy_of_key().map_err(|_| StoreError::Locked)?;
        let ways = Ways { keychain: new.keychain, passphrase_alone: new.passphrase_alone };
        let secret = new.key.secret();
        let (_key, made) = make_wraps(self.id(), person, new.passphrase.clone(), ways, key, secret).await?;
        let (salt, hash) = pin_row(new.pin).await;
        // The database first: rows that no wrap leads to harm nobody.
        self.store().put_person_keys(person, made.rows).await?;
        self.store().put_pin(person, salt, hash).await?;
        file.persons.push(new.person);
        file.wraps.extend(made.wraps);
        file.write(&self.paths).map_err(CreateError::Files)?;
        Ok(made.recovery)
    }

    /// Takes a person's ways in away. What they wrote and signed stays. The vault's key stays the same: a copy of the
    /// old `vault.json` together with their passphrase still opens a copy of the records, until [`OpenVault::change_key`].
    pub async fn remove_person(&self, person: Id) -> Result<(), RemoveError> {
        let _changing = self.changing.lock().await;
        let mut file = VaultFile::read(&self.paths)
            .map_err(|_| RemoveError::Files(io::ErrorKind::InvalidData.into()))?;
        if !file.persons.iter().any(|p| p.id == person) {
            return Err(RemoveError::Unknown);
        }
        // Somebody with a name and a wrap, not only a line in the list.
        let left = file.persons.iter().filter(|p| p.id != person);
        if !left.into_iter().any(|p| file.wraps.iter().any(|w| w.person == p.id)) {
            return Err(RemoveError::Last);
        }
        if self.person().map_err(|_| StoreError::Locked)? == person {
            return Err(RemoveError::Oneself);
        }
        file.persons.retain(|p| p.id != person);
        file.wraps.retain(|w| w.person != person);
        // The file first: once no wrap is left, the rows lead nowhere.
        file.write(&self.paths).map_err(RemoveError::Files)?;
        if let Some(secrets) = self.secrets().as_mut() {
            secrets.forget(person);
        }
        self.store().keep_person_keys(person, Vec::new()).await?;
        Ok(self.store().drop_pin(person).await?)
    }

    /// Whether `person` gave the passphrase since the vault was opened, so that the PIN is enough.
    pub fn has_given_passphrase(&self, person: Id) -> Result<bool, KeyError> {
        Ok(self.secrets().as_ref().ok_or(KeyError::VaultLocked)?.has_given(person))
    }

    /// A new passphrase for the person whose session it is; the recovery code stays good.
    pub async fn set_passphrase(
        &self,
        passphrase: &Passphrase,
        keychain: Option<KeychainSecret>,
        passphrase_alone: bool,
    ) -> Result<(), CreateError> {
        if passphrase.is_empty() {
            return Err(CreateError::EmptyPassphrase);
        }
        let ways = Ways { keychain, passphrase_alone };
        if ways.keychain.is_none() && !ways.passphrase_alone {
            return Err(CreateError::NoWay);
        }
        let _changing = self.changing.lock().await;
        let mut file = VaultFile::read(&self.paths)
            .map_err(|_| CreateError::Files(io::ErrorKind::InvalidData.into()))?;
        let key = self.copy_of_key().map_err(|_| StoreError::Locked)?;
        let (person, signing) = {
            let secrets = self.secrets();
            let person = secrets.as_ref().ok_or(StoreError::Locked)?.person();
            (person.person, person.key.clone())
        };
        let (vault, passphrase) = (self.id(), passphrase.clone());
        let (wraps, rows) = derive::secretly(move || {
            let mut secret = derive::empty();
            secret.copy_from_slice(signing.as_bytes());
            passphrase_wraps(vault, person, &passphrase, &ways, &key, &secret)
        })
        .await;
        // The old passphrase's row stays until vault.json has the new wraps: whatever fails between, the passphrase that
        // opens the vault opens the signing key, too.
        let kept = rows.iter().map(|(row, _)| row.clone()).chain([RECOVERY_ROW.to_owned()]).collect();
        self.store().put_person_keys(person, rows).await?;
        file.wraps.retain(|w| w.person != person || w.kind == Kind::Recovery);
        file.wraps.extend(wraps);
        file.write(&self.paths).map_err(CreateError::Files)?;
        Ok(self.store().keep_person_keys(person, kept).await?)
    }

    /// Another person takes over, or the same one comes back without the PIN: their passphrase frees their key and
    /// the screen.
    pub async fn enter(
        &self,
        person: Id,
        passphrase: &Passphrase,
        keychain: Option<KeychainSecret>,
        now_ms: i64,
    ) -> Result<(), UnlockError> {
        let file = VaultFile::read(&self.paths)?;
        let attempts = in_time(&self.paths, now_ms)?;
        let Some((_key, opener, row)) = open_wraps(&file, person, passphrase, keychain).await? else {
            let failed = attempts.failed(&self.paths.attempts, now_ms);
            return Err(UnlockError::WrongPassphrase {
                failures: failed.failures,
                retry_after: failed.delay(),
            });
        };
        let key = load_person_key(self.store(), self.id(), person, row, opener).await?;
        Attempts::forget(&self.paths.attempts);
        let mut secrets = self.secrets();
        let secrets = secrets.as_mut().ok_or(UnlockError::Store(StoreError::Locked))?;
        secrets.enter(key);
        Ok(())
    }
}

/// Salt and verifier of a PIN.
pub(crate) async fn pin_row(pin: &Pin) -> (Vec<u8>, Vec<u8>) {
    let (pin, salt) = (pin.clone(), derive::random_bytes::<16>());
    let hash = derive::secretly(move || derive::argon2id(pin.bytes(), &salt, Cost::PIN)).await;
    (salt.to_vec(), hash.to_vec())
}
