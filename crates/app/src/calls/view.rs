//! From the call session's view to the window's.

use std::collections::BTreeMap;

use rabta_call::{
    Asked, CallView as Seen, ConnectionWords, DeviceState, EndReason, LegView as SeenLeg, Phase,
};
use rabta_ipc::call::{AskedThird, CallView, Figures, LegView, LinkCall};
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
    pub waits: Waits,
    /// It is a call to a patient's phone.
    pub link: Option<LinkCall>,
}

/// What the person waited for outside the session: on the way from the button to the shell, and from the shell to the
/// canvas. Times are milliseconds since 1970, device clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waits {
    accepted_at: Option<i64>,
    pub press_to_shell_ms: u32,
    pub first_picture_ms: Option<u32>,
}

/// No honest wait is longer than this; a clock that was set meanwhile makes one.
const MOST_MS: i64 = 60_000;

impl Waits {
    /// Accept was pressed here at `at`; the shell heard of it at `now`.
    pub fn pressed(&mut self, at: i64, now: i64) {
        let late = now.saturating_sub(at);
        if self.accepted_at.is_none() && (0..=MOST_MS).contains(&late) {
            self.accepted_at = Some(at);
            self.press_to_shell_ms = late as u32;
        }
    }

    /// The call is accepted; without effect where it was accepted here.
    pub fn accepted(&mut self, at: i64) {
        self.accepted_at.get_or_insert(at);
    }

    /// The far side's first picture was drawn.
    pub fn drawn(&mut self, at: i64) {
        let waited = self.accepted_at.map(|since| at.saturating_sub(since));
        let waited = waited.filter(|ms| (0..=MOST_MS).contains(ms)).map(|ms| ms as u32);
        self.first_picture_ms = self.first_picture_ms.or(waited);
    }
}

pub(crate) fn view(seen: &Seen, known: &Known) -> CallView {
    CallView {
        call: seen.call.to_string(),
        ask: seen.ask.map(|ask| ask.to_string()).unwrap_or_default(),
        link: known.link.clone(),
        outgoing: !seen.incoming,
        legs: seen.legs.iter().map(|leg| leg_view(leg, known)).collect(),
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
            accept_to_first_audio_ms: seen
                .figures
                .accept_to_first_audio_ms
                .map(|ms| ms.saturating_add(known.waits.press_to_shell_ms)),
            accept_to_first_video_ms: known.waits.first_picture_ms,
            frames: known.frames,
        }),
        asked: seen
            .asked
            .iter()
            .map(|asked| AskedThird {
                name: asked.named.name.clone(),
                state: match asked.asked {
                    Asked::Waiting | Asked::Yes => "waiting",
                    Asked::No => "no",
                    Asked::Unanswered => "unanswered",
                }
                .to_owned(),
            })
            .collect(),
    }
}

fn leg_view(leg: &SeenLeg, known: &Known) -> LegView {
    let introduced = || (leg.named.name.clone(), leg.named.role.clone());
    let (name, role) = known.persons.get(&leg.person).cloned().unwrap_or_else(introduced);
    let (phase, waiting_seconds) = match leg.phase {
        Phase::Calling => ("calling", 0),
        Phase::Ringing if !leg.outgoing => ("incoming", 0),
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
        leg: u8::try_from(leg.leg.0).unwrap_or(u8::MAX),
        person: leg.person.to_string(),
        name,
        role,
        phase: phase.to_owned(),
        ended: match leg.phase {
            Phase::Ended { reason } => Some(ended(reason).to_owned()),
            _ => None,
        },
        level: (leg.stats.audio_in_level.clamp(0.0, 1.0) * 100.0).ceil() as u8,
        waiting_seconds,
        far_muted: !leg.mic_on,
        far_camera_off: !leg.camera_on,
        agreed: leg.agreed,
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
        NotWanted => "not-wanted",
        Untrusted | NotConnected | Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_for_a_picture_begins_at_the_press_and_ends_when_it_is_drawn() {
        let mut waits = Waits::default();
        waits.drawn(900);
        assert_eq!(waits.first_picture_ms, None, "nothing was accepted");
        waits.pressed(1_000, 1_030);
        waits.accepted(1_031);
        waits.drawn(1_400);
        waits.drawn(9_000);
        assert_eq!((waits.press_to_shell_ms, waits.first_picture_ms), (30, Some(400)));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_figure() {
        let mut waits = Waits::default();
        waits.pressed(5_000, 1_000);
        waits.accepted(1_000);
        waits.drawn(500);
        assert_eq!((waits.press_to_shell_ms, waits.first_picture_ms), (0, None));
    }
}
