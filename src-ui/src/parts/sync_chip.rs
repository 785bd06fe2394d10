use crate::W;
use crate::icon::{self, Icon};
use crate::prefs::{say, say_count};

/// What the sync chip says: where the records are, in words. Never a spinner, never calm while anything is unsent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncState {
    /// Records that are only on this laptop.
    pub only_here: usize,
    /// Of those, visits.
    pub visits: usize,
    /// Records that the HIE refused: somebody must look.
    pub needs_you: usize,
    /// Whether the HIE answered last time.
    /// Colleagues', which laptops of this clinic have and the HIE is not known to have.
    pub carried: usize,
    pub reachable: bool,
}

/// The chip's words, drawing and class, for the rail and the gallery.
pub struct SyncWords;

impl SyncWords {
    /// In full: "3 visits only here".
    pub fn text(state: SyncState) -> String {
        match state {
            SyncState { needs_you: n, .. } if n > 0 => say_count(n, W::OneNeedsYou, W::NeedYou),
            SyncState { visits: n, .. } if n > 0 => say_count(n, W::OneVisitHere, W::VisitsHere),
            SyncState { only_here: n, .. } if n > 0 => say_count(n, W::OneOnlyHere, W::OnlyHere),
            SyncState { carried: 1.., .. } => say(W::CustodyClinic).to_owned(),
            SyncState { reachable: false, .. } => say(W::NoLink).to_owned(),
            _ => say(W::AllAtHie).to_owned(),
        }
    }

    pub const fn icon(state: SyncState) -> Icon {
        match state {
            SyncState { needs_you: 1.., .. } => icon::CLOUD_ALERT,
            SyncState { only_here: 1.., .. }
            | SyncState { carried: 1.., .. }
            | SyncState { reachable: false, .. } => icon::CLOUD_OFF,
            _ => icon::CLOUD_CHECK,
        }
    }

    pub const fn class(state: SyncState) -> &'static str {
        match state {
            SyncState { needs_you: 1.., .. } => "sync stop",
            SyncState { only_here: 1.., .. }
            | SyncState { carried: 1.., .. }
            | SyncState { reachable: false, .. } => "sync look",
            _ => "sync",
        }
    }
}
