use serde::{Deserialize, Serialize};

use crate::{call::CallView, gate::Progress, sync::SyncChip};

/// What the shell tells the window unasked. Each says that something changed; the window asks for what it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The screen was locked, or the vault: go to the gate.
    Locked,
    /// The chip's new state.
    Sync { chip: SyncChip },
    /// How far the first fetch of the facility's patients is.
    FirstPull { progress: Progress },
    /// The list of asks, or one ask, changed.
    Asks { ask: Option<String> },
    /// Something of this patient changed.
    Patient { id: String },
    /// The call's new state; `None` when there is none.
    Call { call: Option<CallView> },
    /// A chat line or a still arrived in the call.
    CallItem { item: crate::call::CallItem },
    /// Fetching a new version went on, stopped or ended.
    Update,
    /// The disk is full: nothing more is being saved.
    DiskFull,
    /// What was written last found room again.
    DiskRoom,
}
