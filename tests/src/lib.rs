//! Drives the real programs, only through what a person or another system can reach: windows by WebDriver, HTTP,
//! files; and the kernel's view of them: signals, `/proc`, clocks, full disks.
//!
//! The demo and the tests share the chapters in [`story`]. Nothing here waits for a fixed time: everything polls for
//! what it wants to see, up to a deadline, and says what it saw instead.

pub mod access;
pub mod axe;
pub mod desk;
pub mod disk;
pub mod display;
pub mod hie;
mod left_out;
pub mod pages;
pub mod phone;
pub mod ports;
pub mod process;
pub mod report;
pub mod rings;
pub mod root;
pub mod run;
pub mod sample;
pub mod story;
pub mod ward;
pub mod webdriver;
pub mod window;
mod x11;

pub use left_out::left_out;
pub use run::Run;
