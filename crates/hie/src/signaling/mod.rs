//! The WebSocket: who is here, frames between the ends of a call, hints that there is something to pull. A dumb
//! authenticated router: bodies pass unread, and only between parties of an open ask.
//!
//! - `GET /v1/signal`: the first frame is a hello with the token ([`rabta_wire::signal`]).
//! - `GET /v1/ws`: the token is in the `Authorization` header; hints (`{"t":"hint","v":1,"seq":n}`,
//!   [`rabta_wire::log::Hint`]) come at once, signaling after a hello as well.

mod bus;
mod hub;
mod ice;
mod socket;

pub use bus::{LocalBus, RoomBus};
pub use hub::Hub;
pub use ice::Ice;
pub use socket::{signal, ws};
