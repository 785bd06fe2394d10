//! Where a call stands, in words.

use rabta_ipc::call::LegView;

use crate::W;
use crate::prefs::{say, say_with};
use crate::screens::ask::words::clock;

/// The connection to one far side, and what is done about it.
pub fn leg(leg: &LegView) -> String {
    match leg.phase.as_str() {
        "calling" => say_with(W::CallCalling, &[&leg.name]),
        "ringing" => say_with(W::CallRinging, &[&leg.name]),
        "incoming" => say_with(W::CallIncomingWords, &[&leg.name]),
        "connecting" => say(W::CallConnecting).to_owned(),
        "weak" => say(W::CallWeak).to_owned(),
        "waiting" => say_with(W::CallWaiting, &[&leg.name, &clock(i64::from(leg.waiting_seconds))]),
        "ended" => match leg.ended.as_deref() {
            Some("not-wanted") => say_with(W::CallNotWanted, &[&leg.name]),
            Some("hung-up" | "far-gone") | None => say_with(W::CallLeft, &[&leg.name]),
            Some(reason) => say(ended(reason)).to_owned(),
        },
        _ => say(W::CallInCall).to_owned(),
    }
}

/// Why it is over.
pub fn ended(reason: &str) -> W {
    match reason {
        "declined" => W::CallEndedDeclined,
        "busy" => W::CallEndedBusy,
        "no-answer" => W::CallEndedNoAnswer,
        "failed" => W::CallEndedFailed,
        "far-gone" => W::CallEndedFarGone,
        "not-wanted" => W::CallEndedNotWanted,
        _ => W::CallEndedHungUp,
    }
}
