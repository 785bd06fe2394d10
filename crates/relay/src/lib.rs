//! STUN and TURN (RFC 8656) in process: what two ends of a call behind firewalls meet over.
//!
//! The protocol is `turn-server-proto`'s; around it stand this crate's rules. Credentials are short-lived
//! ([`credentials`]) and need no list of users. A relay reaches **no private or loopback address**, in whatever
//! notation, except its own allocations and what the operator allows ([`AllowRange`]): otherwise anybody with a
//! call token could reach the server's neighbours through it. Each person has a quota.
//!
//! It relays UDP only, over UDP only, and never logs an address or a user.
//!
//! ```no_run
//! # async fn example() -> Result<(), rabta_relay::StartError> {
//! use rabta_relay::{Relay, RelayConfig, Secret, credentials};
//! let secret = Secret::new(vec![7; 32]);
//! let config = RelayConfig::new("127.0.0.1:3478".parse().expect("an address"), secret.clone());
//! let relay = Relay::start(config).await?;
//! let (username, password) = credentials(&secret, "3f2a", 1_800_000_000, 600);
//! # let _ = (relay.local_addr(), username, password);
//! # Ok(()) }
//! ```

mod credential;
mod guard;
mod range;
mod udp;

pub use credential::{BadCredential, Secret, credentials};
pub use range::{AllowRange, BadRange};
pub use udp::{Relay, RelayConfig, RelayHandle, RelayStats, StartError};
