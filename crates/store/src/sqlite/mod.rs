//! The record store on SQLCipher.
//!
//! One connection does all writing and all checkpoints (this SQLite can corrupt a WAL database when two do);
//! readers cannot write: they are another type, and their connections are `query_only`.

mod body;
#[cfg(test)]
mod body_train;
mod connect;
mod copy;
mod details;
mod find;
mod ids;
mod keys;
#[cfg(test)]
mod plan_test;
mod posting;
mod put;
mod read;
mod rekey;
pub(crate) mod sql;
mod store;
mod upgrade;
mod write;

pub(crate) use connect::{RawKey, probe};
pub use copy::Contents;
pub(crate) use copy::{copy, look_through, rekey};
pub(crate) use keys::SealedRow;
pub use store::SqliteStore;
