//! What people see: the window of the desktop app, as two small WebAssembly programs over one library.
//!
//! - `gate` (`index.html`): language, joining a facility, unlocking. Nothing of a patient is ever in it, so locking
//!   the screen is going there: the page that held the record is gone, not hidden.
//! - `app` (`app.html`): everything else, behind a hash router ([`router::Route`]).
//!
//! The window holds no truth. Every answer comes from the shell over [`ipc`], every keystroke worth keeping goes
//! there, and a call lives there, so a reload of either page loses nothing. It never talks to the network, never
//! stores anything but the language and the theme, and never puts a name or number into a URL.
//!
//! To add a screen: a variant in `router::Route`, a module in `screens`, its words in `words/en.rs` and
//! `words/ur.rs` (a word missing in either does not compile), its look from the components of [`parts`], which
//! `#/gallery` shows in all their states.

pub mod bridge;
pub mod dom;
pub mod errors;
pub mod format;
pub mod frame;
pub mod gate;
pub mod icon;
pub mod ipc;
pub mod lean;
pub mod parts;
pub mod prefs;
pub mod router;
pub mod screens;
pub mod session;
pub mod text;
pub mod words;

pub use text::Text;
pub use words::W;
