//! The WebSocket: who is here, frames between the ends of a call, hints that there is something to pull. A dumb
//! authenticated router: bodies pass unread, and only between parties of an open ask.
//!
//! `GET /v1/ws` ([`rabta_wire::signal::PATH`]) with the token in the `Authorization` header. Hints
//! (`{"t":"hint","v":1,"seq":n}`, read as [`rabta_wire::log::Hint`]) come at once, signaling after a hello.

mod bus;
mod hub;
mod ice;
mod socket;

pub use bus::{LocalBus, RoomBus};
pub use hub::Hub;
pub use ice::Ice;
pub use socket::{guests_ws, ws};
