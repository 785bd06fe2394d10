//! The vault: a folder that a person's passphrase or recovery code opens.
//!
//! ```text
//! vault.json     format, vault id, what for, persons (staff: names and roles for the unlock screen), wraps of the vault's key
//! records.db     SQLCipher under that key: every patient, the log, the device's and the persons' signing keys
//! attempts.json  wrong passphrases in a row: the next try waits, nothing is ever wiped
//! lock           held by the program that works in the folder; records.lock while the vault is open
//! ```
//! The vault's key is 32 random bytes. Only wraps of it are stored (XChaCha20-Poly1305, bound to vault, person and
//! kind): by each person's passphrase (Argon2id), with or without a secret of the operating system's keychain, and
//! by each person's recovery code. A vault that does not open, or that a newer program wrote, is reported and left
//! exactly as it is: nothing here repairs or recreates. docs/VAULT.md has the format in full, with test vectors.
//!
//! [`OpenVault::change_key`] encrypts it under another key, [`OpenVault::back_up`] makes a [`Backup`], and
//! [`OpenVault::become_device`] gives a backup's copy to another laptop.
//!
//! States are types: [`Vault::inspect`] reads what anybody may see, [`Vault::unlock`] makes an [`OpenVault`], and
//! [`OpenVault::lock`] ends it: connections closed, keys wiped. Within it the *screen lock* withholds the person's
//! signing key until the PIN (or the passphrase) is given.

mod attempts;
mod backup;
mod change_key;
mod create;
mod derive;
mod file;
mod folder;
#[cfg(test)]
mod memory_test;
mod new_device;
mod open;
mod persons;
#[cfg(test)]
mod persons_test;
mod recovery;
mod renew;
mod screen;
mod secret;
#[cfg(test)]
mod tests;
mod unlock;
#[cfg(test)]
mod vectors_test;
mod wrap;

pub use backup::{Backup, BackupError, Doing, Given, Progress};
pub use change_key::ChangeKeyError;
pub use create::{CreateError, NewVault};
pub use file::{Person, Use, write_atomically};
pub use folder::{FolderLock, InUse};
pub use new_device::NewDevice;
pub use open::{KeyError, OpenVault, PersonSigner};
pub use persons::{Newcomer, NewcomerKey, RemoveError};
pub use recovery::{NotARecoveryCode, RecoveryCode};
pub use screen::PinError;
pub use secret::{NotAPin, Passphrase, Pin};
pub use unlock::UnlockError;

/// A secret of the operating system's keychain, 32 random bytes that the caller keeps there.
pub type KeychainSecret = zeroize::Zeroizing<[u8; 32]>;

/// What a folder holds, as far as anybody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultState {
    Absent,
    /// Who may unlock it.
    Locked(Vec<Person>),
    /// For training only: no patient of anybody's is in it.
    Training(Vec<Person>),
    /// Of a newer program: this format. Nothing was touched.
    Newer(u64),
    /// Cannot be used as it is; nothing was touched.
    Damaged(&'static str),
}

/// The ways into a vault; see the module.
pub struct Vault;
