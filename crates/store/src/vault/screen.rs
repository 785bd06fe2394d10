//! Screen lock: the vault stays open, the person's key is withheld until the PIN is given.

use subtle::ConstantTimeEq;

use super::{
    derive::{self, Cost},
    open::{KeyError, OpenVault},
    secret::Pin,
};
use crate::error::StoreError;

/// Wrong PINs until the vault locks.
const TRIES: u32 = 5;

#[derive(Debug, Default)]
pub(crate) struct Screen {
    pub locked: bool,
    wrong: u32,
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
        let (pin, salt) = (pin.clone(), derive::random_bytes::<16>());
        let hash = derive::secretly(move || derive::argon2id(pin.bytes(), &salt, Cost::PIN)).await;
        Ok(self.store().put_pin(person, salt.to_vec(), hash.to_vec()).await?)
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
        let (salt, expected) = self.store().pin(person).await?.ok_or(PinError::NoPin)?;
        // Counted before it is checked: tries at the same time do not get more of them.
        let wrong = {
            let mut secrets = self.secrets();
            let screen = &mut secrets.as_mut().ok_or(PinError::VaultLocked)?.screen;
            screen.wrong += 1;
            screen.wrong
        };
        if wrong > TRIES {
            self.lock().await;
            return Err(PinError::VaultLocked);
        }
        let pin = pin.clone();
        let right = derive::secretly(move || {
            let hash = derive::argon2id(pin.bytes(), &salt, Cost::PIN);
            bool::from(hash.as_slice().ct_eq(&expected))
        });
        if right.await {
            let mut secrets = self.secrets();
            let secrets = secrets.as_mut().ok_or(PinError::VaultLocked)?;
            // Another person may have entered meanwhile.
            if secrets.person.person == person {
                secrets.screen = Screen::default();
            }
            return Ok(());
        }
        if wrong >= TRIES {
            self.lock().await;
            return Err(PinError::VaultLocked);
        }
        Err(PinError::Wrong { left: TRIES - wrong })
    }
}
