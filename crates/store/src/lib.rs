//! The laptop's encrypted home of the clinical record: the vault, the record store and the log of envelopes.
//!
//! - [`vault`]: a folder whose database only a person's passphrase (or recovery code) opens, and the keys of the
//!   device and its persons inside.
//! - [`RecordStore`]: what the app and the sync ask of a store; [`SqliteStore`] (SQLCipher) and [`MemoryStore`]
//!   (the model that the simulator runs) pass one contract suite.
//!
//! The store keeps resources as the bytes that came, every version of them, and projects what lists and the search
//! need into columns. Everything that belongs together is one [`Transaction`]. It never talks to a network, reads
//! no clock (times are arguments), and prints nothing of a patient: bodies are
//! [`Private`](rabta_domain::Private), errors name ids and codes only.
//!
//! ```no_run
//! use rabta_store::{RecordStore, vault::{Passphrase, Vault}};
//! # async fn example(dir: &std::path::Path, person: rabta_wire::Id, said: String, now_ms: i64) -> Result<(), Box<dyn std::error::Error>> {
//! let vault = Vault::unlock(dir, person, &Passphrase::new(said), None, now_ms).await?;
//! let page = vault.store().find_patients("ayesha akram", 0, 20).await?;
//! vault.lock().await;
//! # Ok(()) }
//! ```

mod append;
mod columns;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod details;
mod error;
mod memory;
mod model;
mod order;
mod pack;
mod sqlite;
mod traits;
mod transaction;
pub mod vault;

pub use append::{DeviceSigner, LogHead, NewEnvelope, Sealer};
pub use columns::{BundleError, bundle_entries};
pub use details::Details;
pub use error::StoreError;
pub use memory::MemoryStore;
pub use model::*;
pub use pack::{Packed, pack, unpack, unpack_payload};
pub use sqlite::{Contents, SqliteStore};
pub use traits::RecordStore;
pub use transaction::{Committed, Handed, PullBatch, Pulled, Transaction};

#[cfg(test)]
mod contract_of_memory {
    crate::contract_tests!(async { (crate::MemoryStore::new(), ()) });
}

#[cfg(test)]
mod contract_of_sqlite {
    async fn make() -> (crate::SqliteStore, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store =
            crate::SqliteStore::temporary(&dir.path().join("records.db")).await.expect("a new database");
        (store, dir)
    }

    crate::contract_tests!(make());
}
