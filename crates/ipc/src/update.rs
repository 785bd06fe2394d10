//! A new version of the program, when somebody wants it.

use serde::{Deserialize, Serialize};

use crate::macros::commands;

commands! {
    GetUpdate {} -> UpdateView = "update";
    /// Asks the HIE. `update-signature` where the list is not signed by those who release Rabta, `update-older` where it offers a version
    /// before this one.
    CheckUpdate {} -> UpdateView = "check-update";
    /// Fetches what was offered, or goes on where it stopped. `in-a-call` while one runs.
    FetchUpdate {} -> UpdateView = "fetch-update";
    /// Stops fetching; what is there is kept.
    PauseUpdate {} -> UpdateView = "pause-update";
    /// Puts the fetched version in the place of this one: it starts at the next start. `in-a-call` while one runs, `update-damaged` where it
    /// is not what was signed, `update-not-writable` where this person may not change the program.
    ApplyUpdate {} -> UpdateView = "apply-update";
}

/// What takes the place of this program, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateWay {
    /// This build knows no key of a release, or was installed in a way that it does not know: it takes no updates by itself.
    #[default]
    Off,
    /// One file of the person's own: replaced in place.
    Own,
    /// A package of the system: fetched and checked here, installed by who looks after the laptop.
    Package,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateState {
    /// No newer version is known.
    #[default]
    Nothing,
    /// A newer one is known. Some of it may be here ([`UpdateView::done`]).
    Offered,
    Fetching,
    /// Fetching goes on when the call is over.
    Waits,
    /// All of it is here, and it is what was signed.
    Ready,
    /// It starts at the next start.
    Applied,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UpdateView {
    /// The version that runs.
    pub current: String,
    pub way: UpdateWay,
    pub state: UpdateState,
    /// The newer version; empty where none is known.
    pub version: String,
    /// What is new, in the language of the screen or in English; may be empty.
    pub notes: String,
    /// Bytes that are here.
    pub done: u64,
    /// Bytes of all.
    pub of: u64,
    /// Why fetching stopped, an error's code; empty where it did not.
    pub problem: String,
    /// Where a fetched package lies, for who installs it; else empty.
    pub file: String,
}
