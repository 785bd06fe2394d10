//! What the window's two programs, `gate` and `app`, have in common: the words, the icons, questions to the shell, and the
//! few things asked of the browser. Nothing here knows how a page is drawn.

pub mod bridge;
pub mod dom;
pub mod errors;
pub mod icon;
pub mod ipc;
pub mod lean;
pub mod roles;
pub mod theme;
mod tree;
pub mod words;

pub use words::W;
