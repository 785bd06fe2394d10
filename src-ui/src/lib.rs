//! What people see behind the gate (`app.html`), by a hash router ([`router::Route`]). The gate itself (`index.html`) is a
//! program of its own in `gate/`, without Leptos: nothing of a patient is ever in it, so locking the screen is going there:
//! the page that held the record is gone, not hidden. Both share `base/`.
//!
//! The window holds no truth. Every answer comes from the shell over [`ipc`], every keystroke worth keeping goes
//! there, and a call lives there, so a reload of either page loses nothing. It never talks to the network, never
//! stores anything but how somebody likes it (language, theme, paper), and never puts a name or number into a URL.
//!
//! To add a screen: a variant in `router::Route`, a module in `screens`, its words in `base/src/words/en.rs` and
//! `ur.rs` (a word missing in either does not compile), its look from the components of [`parts`], which
//! the gallery (`bin/gallery`) shows in all their states.

pub mod errors;
pub mod format;
pub mod frame;
pub mod guide;
pub mod help;
pub mod parts;
pub mod prefs;
pub mod router;
pub mod screens;
pub mod session;
pub mod text;

pub use rabta_ui_base::{W, bridge, dom, icon, ipc, words};
pub use text::Text;
