//! Messages between the window and the shell. One build has both ends, so nothing here is versioned.
//!
//! The window sends a [`Command`] by name and gets its `Reply` or an [`Error`]; the shell sends [`Event`]s over one
//! channel that the window opens when it starts, and video frames over another.

mod error;
mod event;
mod macros;

pub mod ask;
pub mod call;
pub mod care;
pub mod gate;
pub mod link;
pub mod patient;
pub mod sync;
pub mod update;
pub mod visit;

pub use error::Error;
pub use event::Event;

/// A request of the window. `NAME` is what travels beside the JSON of `Self`.
pub trait Command: serde::Serialize + serde::de::DeserializeOwned {
    const NAME: &'static str;
    type Reply: serde::Serialize + serde::de::DeserializeOwned;
}
