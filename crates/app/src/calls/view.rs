//! From the call session's view to the window's.

use std::collections::BTreeMap;

use rabta_call::{CallView as Seen, ConnectionWords, DeviceState, EndReason, LegView as SeenLeg, Phase};
use rabta_ipc::call::{CallView, Figures, LegView};
use rabta_wire::Id;

/// What the session does not know of the parties.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Name and role.
    pub persons: BTreeMap<Id, (String, String)>,
    /// Persons whose device's signature was verified.
    pub verified: Vec<Id>,
    /// Frames of the far side that the window got.
    pub frames: u64,
}

pub(crate) fn view(seen: &Seen, known: &Known) -> CallView {
    CallView {
        call: seen.call.to_string(),
        ask: seen.ask.map(|ask| ask.to_string()).unwrap_or_default(),
        outgoing: !seen.incoming,
        legs: seen.legs.iter().map(|leg| leg_view(seen, leg, known)).collect(),
        muted: !seen.mic_on,
        camera_off: !seen.camera_on,
        has_camera: there(seen.camera),
        has_microphone: there(seen.microphone),
        seconds: seen.seconds,
        ended: match seen.phase {
            Phase::Ended { reason } => Some(ended(reason).to_owned()),
            _ => None,
        },
        figures: Some(Figures {
            accept_to_first_audio_ms: seen.figures.accept_to_first_audio_ms,
            accept_to_first_video_ms: seen.figures.accept_to_first_video_ms,
            frames: known.frames,
        }),
    }
}

fn leg_view(seen: &Seen, leg: &SeenLeg, known: &Known) -> LegView {
    let (name, role) = known.persons.get(&leg.person).cloned().unwrap_or_default();
    let (phase, waiting_seconds) = match leg.phase {
        Phase::Calling => ("calling", 0),
        Phase::Ringing if seen.incoming => ("incoming", 0),
        Phase::Ringing => ("ringing", 0),
        Phase::Connecting => ("connecting", 0),
        Phase::InCall => match leg.words {
            ConnectionWords::Weak | ConnectionWords::WeakPictureOff => ("weak", 0),
            _ => ("in-call", 0),
        },
        Phase::Waiting { seconds } => ("waiting", seconds),
        Phase::Ended { .. } => ("ended", 0),
    };
    LegView {
        person: leg.person.to_string(),
        name,
        role,
        phase: phase.to_owned(),
        waiting_seconds,
        far_muted: !leg.mic_on,
        far_camera_off: !leg.camera_on,
        verified: known.verified.contains(&leg.person),
    }
}

/// A device that has not been tried yet counts as there.
fn there(state: DeviceState) -> bool {
    matches!(state, DeviceState::Unknown | DeviceState::Working)
}

fn ended(reason: EndReason) -> &'static str {
    use EndReason::*;
    match reason {
        WeHungUp | TheyHungUp | Elsewhere => "hung-up",
        Declined | WeDeclined => "declined",
        Busy => "busy",
        NoAnswer | Missed => "no-answer",
        LinkLost => "far-gone",
        Untrusted | NotConnected | Failed => "failed",
    }
}
