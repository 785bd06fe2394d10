//! Sync with the HIE: the pinned client, the plan, the loop that carries it out, and the WebSocket.
//!
//! - [`HieClient`] speaks the HIE's `/v1` over TLS that trusts one key ([`Pins`]), whatever the clocks say.
//! - [`plan`] is pure: from what is unsent, what the line said and the time to operations.
//! - [`Driver`] carries them out through a [`Carrier`] (the client is the one that ships) over a [`rabta_store::RecordStore`]: pushes this device's log, pulls everybody's,
//!   and lets nothing count whose signatures do not hold ([`Keyring`]).
//! - [`stick`] carries it as files, where there is no line.
//! - [`nearby`] hands it to the clinic's other laptops, while the HIE is out of reach.
//! - [`foreign`] carries the same log to FHIR servers of others, and their changes back.
//! - [`socket`] keeps the WebSocket for hints and call signaling.
//!
//! It never decides what a record means, never edits one, and logs opaque ids only.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # async fn example<S: rabta_store::RecordStore + 'static>(
//! #     endpoint: rabta_sync::Endpoint, me: rabta_sync::Identity, store: Arc<S>, hie: ed25519_dalek::VerifyingKey,
//! # ) -> Result<(), rabta_sync::HieError> {
//! use rabta_sync::{Driver, HieClient, Offset, SystemClock};
//! let client = HieClient::new(endpoint, me, Arc::new(SystemClock::default()), Offset::default())?;
//! let (changes, mut changed) = tokio::sync::mpsc::unbounded_channel();
//! let (driver, handle) = Driver::new(client, store, hie, changes, 7);
//! tokio::spawn(driver.run());
//! handle.now();
//! changed.recv().await;
//! # Ok(()) }
//! ```

mod apart;
pub mod backoff;
mod care;
mod carrier;
mod client;
mod clock;
mod driver;
mod error;
pub mod foreign;
pub mod nearby;
mod pin;
pub mod plan;
mod pull;
mod socket;
mod status;
pub mod stick;
mod strays;
mod traffic;
mod updates;
mod verify;

pub use apart::{Kept, kept_apart};
pub use care::RecordPage;
pub use carrier::Carrier;
pub use client::{Endpoint, HieClient, Identity};
pub use clock::{Clock, Offset, SystemClock, utc};
pub use driver::{Driver, SyncHandle};
pub use error::HieError;
pub use pin::{OtherKey, Pins};
pub use socket::{SocketEvent, SocketHandle, socket};
pub use status::{Changed, FirstPull, Status};
pub use traffic::Traffic;
pub use updates::Rest;
pub use verify::{Apart, Keyring, Verified, must_be_signed};
