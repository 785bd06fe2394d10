//! Bad links, made on purpose: hosts in network namespaces, and between them an emulator that is ours, since `tc netem`
//! is not in every kernel.
//!
//! ```text
//!   namespace "clinic"                this process                 namespace "hie"
//!   program -> TUN --> up link -> NAT -> router -> down link --> TUN -> program
//! ```
//! The model ([`link`], [`nat`]) is pure: time comes in as an argument and chance from a seed, so that a run can be
//! played again. [`lab`] does the I/O. Each place has its own access link in both directions; what passes from one place
//! to another goes up the one's and down the other's.
//!
//! It needs root, `ip` (iproute2) and `/dev/net/tun`: [`lab::missing`] says what is not there, and a test that needs a
//! lab says so and ends.

pub mod chance;
#[cfg(target_os = "linux")]
pub mod lab;
pub mod link;
pub mod nat;
#[cfg(target_os = "linux")]
mod own;
#[cfg(target_os = "linux")]
pub mod place;
pub mod profile;
pub mod rival;

#[cfg(target_os = "linux")]
pub use lab::{Lab, Seen, Traffic};
pub use link::{Fate, Link, Lost};
#[cfg(target_os = "linux")]
pub use own::{in_own_network, is_own_network};
#[cfg(target_os = "linux")]
pub use place::Place;
pub use profile::{Profile, profile, profiles};
