//! A vault that becomes another device's: of a backup, on another laptop.

use super::{
    KeychainSecret,
    create::{CreateError, Ways, make_wraps, sealed_row},
    derive,
    file::{Person, VaultFile},
    open::OpenVault,
    persons::{NewcomerKey, pin_row},
    recovery::RecoveryCode,
    secret::{Passphrase, Pin},
    wrap,
};
use crate::{error::StoreError, transaction::Transaction};
use rabta_wire::Id;

/// What makes a vault another device's.
#[derive(Debug)]
pub struct NewDevice<'a> {
    /// As the HIE certified it, with these two keys.
    pub device: Id,
    pub device_key: &'a NewcomerKey,
    pub person_key: &'a NewcomerKey,
    /// The only one with a way into this vault from now on: others' keys are certified for the earlier device.
    pub person: Person,
    pub passphrase: &'a Passphrase,
    pub pin: &'a Pin,
    pub keychain: Option<KeychainSecret>,
    pub passphrase_alone: bool,
    /// What else changes in the same moment: the enrollment, the new block of numbers.
    pub with: Transaction,
}

impl OpenVault {
    /// Gives the vault to another device: its key, a new life of the log, no numbers of the earlier block, and one person
    /// with new secrets. The earlier device's log stays as it is; what of it was not sent can be sent still.
    ///
    /// For a copy that nobody works with yet: a crash in between leaves one that is to be thrown away. Close it afterwards
    /// and open it anew.
    pub async fn become_device(&self, new: NewDevice<'_>) -> Result<RecoveryCode, CreateError> {
        let _changing = self.changing.lock().await;
        let mut file = VaultFile::read(&self.paths)
            .map_err(|_| CreateError::Files(std::io::ErrorKind::InvalidData.into()))?;
        if new.passphrase.is_empty() {
            return Err(CreateError::EmptyPassphrase);
        }
        let key = self.copy_of_key().map_err(|_| StoreError::Locked)?;
        let (device_secret, person_secret) = (new.device_key.secret(), new.person_key.secret());
        let bound_to = wrap::bound_to(self.id(), Id::default(), "device key");
        let device_row = derive::here(|| sealed_row(&wrap::device_key_key(&key), &device_secret, &bound_to));
        let ways = Ways { keychain: new.keychain, passphrase_alone: new.passphrase_alone };
        let person = new.person.id;
        let (_key, made) =
            make_wraps(self.id(), person, new.passphrase.clone(), ways, key, person_secret).await?;
        for other in file.persons.iter().map(|p| p.id).chain([person]) {
            self.store().keep_person_keys(other, Vec::new()).await?;
            self.store().drop_pin(other).await?;
        }
        self.store().put_person_keys(person, made.rows).await?;
        let (salt, hash) = pin_row(new.pin).await;
        self.store().put_pin(person, salt, hash).await?;
        self.store().become_device(device_row, new.with).await?;
        self.set_device(new.device).await?;
        file.persons = vec![new.person];
        file.wraps = made.wraps;
        file.write(&self.paths).map_err(CreateError::Files)?;
        Ok(made.recovery)
    }
}
