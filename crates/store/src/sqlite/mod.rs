//! The record store on SQLCipher.
//!
//! One connection does all writing and all checkpoints (this SQLite can corrupt a WAL database when two do);
//! readers cannot write: they are another type, and their connections are `query_only`.

mod connect;
mod find;
mod keys;
#[cfg(test)]
mod plan_test;
mod read;
pub(crate) mod sql;
mod store;
mod write;

pub(crate) use connect::{RawKey, probe};
pub(crate) use keys::SealedRow;
pub use store::SqliteStore;
