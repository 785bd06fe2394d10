//! The call session: what a call does, without a socket, a clock or a microphone.
//!
//! [`CallSession`] takes the person's intents, signaling frames, the engine's events and the time, and gives
//! back frames to send, commands for an engine, bytes to sign and what the screen shows. It lives in the shell
//! on a desktop and in the page on a phone; an engine ([`EngineCommand`], [`EngineEvent`]) is a limb that can be
//! replaced under it.
//!
//! A session is a set of legs, one a remote party. A leg connects **while it rings**: the caller offers as soon
//! as a device rings, over relay candidates only, so that no address is given away before the call is accepted;
//! accepting then only opens the media. Addresses follow after the accept. A third person is one more leg at each of
//! the two who are there already: the patient is asked first, and whoever is connected with both gives them the key of
//! the leg between them.
//!
//! It never does I/O, never reads a clock, never logs, and never hands an engine an SDP whose DTLS fingerprints
//! the host has not verified against the other device's key.
//!
//! ```
//! use rabta_call::{CallSession, Input, Intent, Invitation, Output, Setup};
//! use rabta_wire::{Id, leg_key::LegKey, signal::{Address, Party}};
//!
//! let me = Party { person: Id([1; 16]), device: Id([2; 16]) };
//! let seed = LegKey::from_random([9; 32]);
//! let setup = Setup { call: Id([3; 16]), me, inst: 7, seed, patient: false, ice_servers: vec![] };
//! let to = Address { person: Id([4; 16]), device: None };
//! let mut call = CallSession::dial(0, setup, Invitation { to, ask: None, patient: false });
//! assert!(matches!(call.poll(), Some(Output::Engine(_))));
//! call.handle(1_000, Input::Intent(Intent::HangUp));
//! assert!(call.view(1_000).phase.is_ended());
//! ```

mod chat;
mod engine;
mod leg;
mod link;
mod negotiate;
mod quality;
mod sdp;
mod session;
mod third;
mod view;

pub use engine::{
    Candidate, Device, DeviceState, EngineCommand, EngineEvent, LegId, LegStats, LinkState, SdpKind,
};
pub use leg::limits;
pub use session::{CallSession, Input, Intent, Output, Setup, refuse_busy};
pub use third::{Asked, Invitation, Named};
pub use view::{
    AskedView, CallView, ChatLine, ConnectionWords, EndReason, Figures, LegView, Phase, Receipt, StillView,
};

/// Milliseconds on the host's monotone clock; any start, the same for a whole session.
pub type Millis = u64;
