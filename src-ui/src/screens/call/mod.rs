//! The call: picture and record side by side, and its ring on every page; the call to a patient's phone, by a link.

mod codec;
mod controls;
mod figures;
mod items;
mod link;
mod phone;
mod ring;
mod screen;
mod third;
mod video;
mod words;

pub use link::Waiting;
pub use phone::PhoneScreen;
pub use ring::Ringing;
pub use screen::{CallScreen, NOW};
