//! The log of signed envelopes: what is taken, in which order it is shown, and to whom.
//!
//! Invariants: an ack of *durable* follows the fsync; one envelope is stored, projected, shown and audited in one
//! transaction or not at all; a refused or waiting envelope holds back only what depends on it; places in the log
//! are in commit order; a fork is never merged away.
//!
//! [`EnvelopeCore`] is what the server asks of a store. [`SqliteCore`] is the real one, [`model::ModelCore`] a small
//! one in memory that says the same things; one contract suite runs on both.

mod chain;
pub(crate) mod content;
pub(crate) mod examine;
pub mod http;
pub mod model;
pub mod scope;
pub mod sequencer;
mod sqlite;
pub mod stick;
pub(crate) mod task;

use std::future::Future;

use rabta_wire::{
    Id,
    envelope::Kind,
    log::{Ack, Change},
};

pub(crate) use content::{consent_opens, unpack};
pub use examine::{Refusal, codes};
pub(crate) use sqlite::{Arrival, World, holders, kind_code, take};
pub use sqlite::{HandInError, HandedIn, SqliteCore, hand_in};

/// A person at a device, as their token says: who carries a push, or reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    pub device: Id,
    pub person: Id,
    pub facility: Id,
}

/// A reply to a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub changes: Vec<Change>,
    /// Where the next pull goes on.
    pub next: u64,
    pub more: bool,
    pub remaining: u64,
}

/// A stored envelope's exact payload and its media type.
pub(crate) fn payload_of(bytes: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let (envelope, header) = examine::read(bytes).ok()?;
    let payload = content::unpack(&envelope, &header).ok()?;
    let media_type = match header.kind {
        Kind::AttachmentPart => "application/cbor",
        _ => "application/fhir+json",
    };
    Some((media_type, payload))
}

/// The store failed; nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

/// Takes and shows envelopes. `now` in milliseconds by the HIE's clock.
pub trait EnvelopeCore: Send + Sync {
    /// One ack for each envelope, in order. Durable when it returns. A carrier may bring another device's
    /// envelopes: each is proven by its own signature.
    fn push(
        &self,
        carrier: Caller,
        envelopes: Vec<Vec<u8>>,
        now: i64,
    ) -> impl Future<Output = Result<Vec<Ack>, CoreError>> + Send;

    /// What `reader` may see after `after`, at most `limit` changes.
    fn pull(
        &self,
        reader: Caller,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Page, CoreError>> + Send;
}
