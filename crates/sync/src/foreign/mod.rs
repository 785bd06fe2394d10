//! Any FHIR R4 server beside our HIE: HAPI, a ministry's, another vendor's.
//!
//! What goes there is a projection of this device's log: each envelope one transaction Bundle of `PUT`s with the ids that were made
//! here, and a Provenance whose id is the envelope's. That Provenance is the *marker*: after a lost answer one read of it tells
//! whether the transaction was committed. What comes back are changes of our patients, by `_lastUpdated`.
//!
//! - [`Server`] is the line: sizes, packing, depth and identity of every answer are checked before anything is believed.
//! - [`Capabilities`] is what the server says of itself, and [`Lack`] each thing that it has not, in words.
//! - [`ForeignDriver`] pushes and pulls over a [`rabta_store::RecordStore`]; its places are settings of the store, written in
//!   the transaction that they belong to.
//!
//! It stands in this crate because it is one more driver over the log and the store, as the HIE's is. It never decides what a
//! record means: what was written here is never replaced by what comes from there.
//!
//! ```no_run
//! # async fn example<S: rabta_store::RecordStore + 'static>(store: std::sync::Arc<S>) -> Result<(), Box<dyn std::error::Error>> {
//! use rabta_sync::foreign::{Auth, ForeignDriver, Server, Trust};
//! let server = Server::new("https://fhir.example.org/r4", Auth::Bearer("token".into()), Trust::System)?;
//! let mut driver = ForeignDriver::open(server, store).await?;
//! for lack in driver.capabilities().lacks() {
//!     println!("{lack}");
//! }
//! let pushed = driver.push().await?;
//! let pulled = driver.pull().await?;
//! # let _ = (pushed, pulled); Ok(()) }
//! ```

mod answer;
mod capability;
mod driver;
mod page;
mod project;
mod pull;
mod push;
mod server;
mod state;

pub use answer::{Answer, ForeignError, MOST_BYTES, MOST_DEPTH};
pub use capability::{Capabilities, Lack};
pub use driver::{ForeignDriver, ForeignFailure};
pub use page::Page;
pub use project::{Parcel, marker_id, project};
pub use pull::{PULLED, Pulled};
pub use push::Pushed;
pub use server::{Auth, Server, Trust};
pub use state::{Held, Why};
