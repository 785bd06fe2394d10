//! The call: picture and record side by side, and its ring on every page.

mod codec;
mod controls;
mod figures;
mod items;
mod ring;
mod screen;
mod video;
mod words;

pub use ring::Ringing;
pub use screen::CallScreen;
