//! What crosses the network between Rabta's programs: envelopes, the push and pull of the log, enrollment,
//! tokens and call signaling.
//!
//! Everything here is versioned, has a size limit ([`limits`]) and decodes foreign bytes without panicking.
//! Binary formats are CBOR maps with integer keys (RFC 8949), so that an old program skips what a newer one
//! added; text formats are JSON. This crate never does I/O and never reads a clock.
//!
//! ```
//! use rabta_wire::{cursor::Cursor, Id};
//! let cursor = Cursor { epoch: Id([7; 16]), seq: 42 };
//! assert_eq!(cursor.to_string().parse(), Ok(cursor));
//! ```

mod after;
pub mod care;
pub mod cert;
pub mod code;
mod contact;
pub mod cursor;
pub mod data_channel;
pub mod enroll;
pub mod envelope;
pub mod guest;
pub mod handover;
mod id;
pub mod lease;
pub mod leg_key;
pub mod limits;
pub mod log;
pub mod nearby;
pub mod paper;
mod sealed;
pub mod shared;
pub mod signal;
pub mod stick;
pub mod token;
pub mod update;

pub use id::Id;
