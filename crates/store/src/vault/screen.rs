//! Screen lock: the vault stays open, the person's key is withheld until the PIN is given.

use std::collections::BTreeMap;

use rabta_wire::Id;
use subtle::ConstantTimeEq;

use super::{
    derive::{self, Cost},
    open::{KeyError, OpenVault},
    persons::pin_row,
    secret::Pin,
};
use crate::error::StoreError;

/// Wrong PINs until the vault locks.
const TRIES: u32 = 5;

#[derive(Debug, Default)]
pub(crate) struct Screen {
    pub locked: bool,
    /// Wrong PINs in a row, for each person: one's own right PIN does not earn new guesses at a colleague's.
    wrong: BTreeMap<Id, u32>,
}

impl Screen {
    /// `person` gave what frees it.
    pub fn free(&mut self, person: Id) {
        self.locked = false;
        self.wrong.remove(&person);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PinError {
    #[error("the PIN is wrong, {left} more tries")]
    Wrong { left: u32 },
    /// It was the last try, or the vault was locked already: the passphrase is needed.
    #[error("the vault is locked")]
    VaultLocked,
    #[error("no PIN was set: the passphrase is needed")]
    NoPin,
    /// This person did not give the passphrase since the vault was opened.
    #[error("the passphrase is needed first")]
    PassphraseFirst,
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for PinError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Locked => Self::VaultLocked,
            error => Self::Store(error),
        }
    }
}

impl OpenVault {
    /// Sets the PIN of the person whose session it is.
    pub async fn set_pin(&self, pin: &Pin) -> Result<(), PinError> {
        let person = self.signer().map_err(|_| PinError::VaultLocked)?.person();
        let (salt, hash) = pin_row(pin).await;
        Ok(self.store().put_pin(person, salt, hash).await?)
    }

    pub async fn has_pin(&self) -> Result<bool, StoreError> {
        let person = self.person().map_err(|_| StoreError::Locked)?;
        Ok(self.store().pin(person).await?.is_some())
    }

    /// Withholds the person's key. Calls, sync and the store go on.
    pub fn screen_lock(&self) {
        if let Some(secrets) = self.secrets().as_mut() {
            secrets.screen.locked = true;
        }
    }

    pub fn is_screen_locked(&self) -> Result<bool, KeyError> {
        Ok(self.secrets().as_ref().ok_or(KeyError::VaultLocked)?.screen.locked)
    }

    /// Frees the screen. The fifth wrong PIN in a row locks the vault.
    pub async fn screen_unlock(&self, pin: &Pin) -> Result<(), PinError> {
        let person = self.person().map_err(|_| PinError::VaultLocked)?;
        self.enter_by_pin(person, pin).await
    }

    /// `person` takes over by their PIN, or comes back: their key signs from now on. Needs their passphrase once since
    /// the vault was opened. The fifth wrong PIN in a row locks the vault, whoever's it is.
    pub async fn enter_by_pin(&self, person: Id, pin: &Pin) -> Result<(), PinError> {
        // Counted before it is checked: tries at the same time do not get more of them.
        let wrong = {
            let mut secrets = self.secrets();
            let secrets = secrets.as_mut().ok_or(PinError::VaultLocked)?;
            if !secrets.has_given(person) {
                return Err(PinError::PassphraseFirst);
            }
            let wrong = secrets.screen.wrong.entry(person).or_default();
            *wrong += 1;
            *wrong
        };
        if wrong > TRIES {
            self.lock().await;
            return Err(PinError::VaultLocked);
        }
        let Some((salt, expected)) = self.store().pin(person).await? else {
            self.uncount(person);
            return Err(PinError::NoPin);
        };
        let pin = pin.clone();
        let right = derive::secretly(move || {
            let hash = derive::argon2id(pin.bytes(), &salt, Cost::PIN);
            bool::from(hash.as_slice().ct_eq(&expected))
        });
        if right.await {
            let mut secrets = self.secrets();
            let secrets = secrets.as_mut().ok_or(PinError::VaultLocked)?;
            // They may have been removed meanwhile.
            return if secrets.switch(person) { Ok(()) } else { Err(PinError::PassphraseFirst) };
        }
        if wrong >= TRIES {
            self.lock().await;
            return Err(PinError::VaultLocked);
        }
        Err(PinError::Wrong { left: TRIES - wrong })
    }

    fn uncount(&self, person: Id) {
        if let Some(secrets) = self.secrets().as_mut() {
            secrets.screen.wrong.remove(&person);
        }
    }
}
