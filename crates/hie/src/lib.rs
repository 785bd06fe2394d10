//! The HIE: one server that runs on nothing but itself. It takes the signed envelopes of clinics and
//! specialists, keeps them in an encrypted database, shows them as FHIR R4, says who may read what, routes call
//! signaling and relays media.
//!
//! What it never does: it never says *durable* before the fsync; never filters after a query what the query
//! should not have found; never writes a patient's name, number or complaint to a log, a metric, a URL or an
//! error's text; never reads an SDP.
//!
//! The way in: [`serve`] starts it in process; `envelopes` is the log, `fhir` the projection, `identity` who is
//! who, `auth` who may ask, `care` what opens another facility's record and what closes it, `audit` who did,
//! `signaling` the WebSocket, `guests` patients' links and their door, `duty` moves what nobody answers, `web` what all
//! answers share, `admin` what the operator's commands do, `db` the one writer.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! let config = rabta_hie::Config::new("/var/lib/rabta-hie");
//! let handle = rabta_hie::serve(config).await?;
//! println!("{}", handle.addr);
//! handle.shutdown().await;
//! # Ok(()) }
//! ```

pub mod admin;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod board;
pub mod care;
pub mod cli;
mod clock;
mod config;
pub mod db;
mod disk;
pub mod duty;
pub mod envelopes;
pub mod fhir;
pub mod guests;
pub mod identity;
pub mod measure;
pub mod papers;
mod private_file;
mod server;
pub mod signaling;
mod state;
mod tls;
mod updates;
pub mod web;

pub use clock::{Clock, system_clock};
pub use config::Config;
pub use server::{Handle, ServeError, serve};
pub use state::App;
