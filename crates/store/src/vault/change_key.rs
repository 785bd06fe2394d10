//! Another key for the vault: every page encrypted anew, every person's ways in kept.
//!
//! A new file of records is made beside the old one, looked through and made durable; then `vault.json`, which names the
//! file and holds the new key's wraps, is replaced in one rename. Before it, the old key's vault is there and whole; after
//! it, the new one's. What is left over from either side goes at the next opening.

use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
};

use super::{
    create::sealed_row,
    derive::{self, Secret},
    file::{ROTATED, VaultFile, sync_folder},
    open::OpenVault,
    wrap::{self, Kind, RECOVERY_ROW, Wrap},
};
use crate::{
    error::StoreError,
    sqlite::{Contents, RawKey, SqliteStore, copy, look_through, rekey},
};

/// Why the vault has the key that it had.
#[derive(Debug, thiserror::Error)]
pub enum ChangeKeyError {
    #[error("the vault is locked")]
    Locked,
    #[error("the vault is damaged: {0}")]
    Damaged(&'static str),
    /// The new file was made and thrown away.
    #[error("the new file does not read back: {0}")]
    NotReadBack(StoreError),
    #[error("the vault's files cannot be written")]
    Files(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenVault {
    /// Encrypts the vault under a new key. Reading goes on; what would be written waits. Passphrases and recovery codes
    /// stay as they are; a copy of an earlier `vault.json` opens nothing that is written from now on.
    ///
    /// Needs about as much room on the disk as the records take. Goes on to its end even if nobody waits for it.
    pub async fn change_key(self: &Arc<Self>) -> Result<(), ChangeKeyError> {
        let vault = self.clone();
        let changed = tokio::spawn(async move { vault.change_key_now().await });
        changed.await.map_err(|error| ChangeKeyError::Files(io::Error::other(error)))?
    }

    async fn change_key_now(&self) -> Result<(), ChangeKeyError> {
        let _changing = self.changing.lock().await;
        let mut file = VaultFile::read(&self.paths).map_err(|_| ChangeKeyError::Damaged("vault.json"))?;
        let old = RawKey(self.copy_of_key().map_err(|_| ChangeKeyError::Locked)?);
        let new = derive::random();
        file.wraps = self.wraps_of(&file, &new).await?;
        let device = {
            let mut secret = derive::empty();
            secret.copy_from_slice(self.device_key().map_err(|_| ChangeKeyError::Locked)?.as_bytes());
            secret
        };
        let (from, name) = (file.records(&self.paths), file.next_records());
        let to = self.paths.dir.join(&name);
        file.sweep(&self.paths);

        // From here on nothing is written until the new file is everybody's.
        let hold = self.store().hold().await?;
        let expected = self.store().contents().await?;
        let made = self.make(&from, &to, &old, new, device, expected).await;
        let new = match made {
            Ok(new) => new,
            Err(error) => {
                discard(&to);
                return Err(error);
            }
        };
        (file.format, file.records) = (ROTATED, Some(name));
        if let Err(error) = file.write(&self.paths) {
            discard(&to);
            return Err(error.into());
        }
        // The new key's vault is the vault now, whatever happens.
        hold.move_to(&to, &new).await?;
        if let Some(secrets) = self.secrets().as_mut() {
            secrets.key = new;
        }
        file.sweep(&self.paths);
        Ok(())
    }

    /// A wrap of the new key for each way in, without what it needs to be known.
    async fn wraps_of(&self, file: &VaultFile, key: &Secret) -> Result<Vec<Wrap>, ChangeKeyError> {
        let mut wraps = Vec::new();
        // The keychain's wrap goes: the passphrase alone opens, and the next one that is set makes another.
        for way in file.wraps.iter().filter(|wrap| wrap.kind != Kind::PassphraseAndKeychain) {
            let row = match way.kind {
                Kind::Recovery => RECOVERY_ROW.to_owned(),
                _ => wrap::passphrase_row(&way.salt().ok_or(ChangeKeyError::Damaged("a wrap's salt"))?),
            };
            let row = self.store().person_key(way.person, &row).await?;
            let row = row.ok_or(ChangeKeyError::Damaged("a person's key is missing"))?;
            let made = derive::here(|| way.to_another_key(self.id(), &row, key));
            wraps.push(made.ok_or(ChangeKeyError::Damaged("a person's public key"))?);
        }
        let kept = |person| wraps.iter().any(|w: &Wrap| w.person == person && w.kind == Kind::Passphrase);
        if file.persons.iter().any(|person| !kept(person.id)) {
            return Err(ChangeKeyError::Damaged("a person has no passphrase"));
        }
        Ok(wraps)
    }

    /// The file under the new key, durable and looked through.
    async fn make(
        &self,
        from: &Path,
        to: &Path,
        old: &RawKey,
        new: Secret,
        device: Secret,
        expected: Contents,
    ) -> Result<RawKey, ChangeKeyError> {
        discard(to);
        copy(from, old, to).await?;
        let new = RawKey(new);
        rekey(to, old, &new).await?;
        let bound_to = wrap::bound_to(self.id(), rabta_wire::Id::default(), "device key");
        let row = derive::here(|| sealed_row(&wrap::device_key_key(&new.0), &device, &bound_to));
        let store = SqliteStore::open(to, &new, false).await?;
        let put = store.put_device_key(row).await;
        store.close().await?;
        put?;
        let found = look_through(to, &new).await.map_err(ChangeKeyError::NotReadBack)?;
        if found != expected {
            return Err(ChangeKeyError::NotReadBack(StoreError::Damaged("it holds something else")));
        }
        File::options().write(true).open(to)?.sync_all()?;
        sync_folder(to)?;
        Ok(new)
    }
}

/// A file that no `vault.json` names.
fn discard(path: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let _ = fs::remove_file(name);
    }
}
