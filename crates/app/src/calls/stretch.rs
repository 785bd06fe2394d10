//! How a consultation went: its stretches of video and voice, for the VR Encounter's modality and the timeline.

use rabta_call::{CallView, ConnectionWords, DeviceState, Phase};
use rabta_wire::Id;
use serde::{Deserialize, Serialize};

/// One stretch of a call. Milliseconds since 1970, device clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stretch {
    /// `video` or `voice`.
    pub modality: String,
    pub start: i64,
    pub end: i64,
}

/// A still image of a call does not change a stretch; a pause shorter than this does not end one.
const JOIN_MS: i64 = 5_000;

/// The setting that keeps an ask's stretches.
pub(crate) fn setting(ask: &str) -> String {
    format!("call.stretches.{ask}")
}

pub(crate) fn read(bytes: Option<Vec<u8>>) -> Vec<Stretch> {
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// The modality of this moment; `None` while nobody hears the other, or, if they are named, while that person is not
/// in the call.
pub(crate) fn modality(view: &CallView, with: Option<Id>) -> Option<&'static str> {
    if view.phase != Phase::InCall {
        return None;
    }
    let there = |person| view.legs.iter().any(|leg| leg.person == person && leg.phase == Phase::InCall);
    if !with.is_none_or(there) {
        return None;
    }
    let off = matches!(view.words, ConnectionWords::WeakPictureOff);
    let ours = view.camera_on && matches!(view.camera, DeviceState::Unknown | DeviceState::Working);
    let video = !off && (ours || view.legs.iter().any(|leg| leg.camera_on));
    Some(if video { "video" } else { "voice" })
}

/// Notes that `modality` is what it is at `now`.
pub(crate) fn note(stretches: &mut Vec<Stretch>, modality: Option<&str>, now: i64) {
    let Some(modality) = modality else { return };
    match stretches.last_mut() {
        Some(last) if last.modality == modality && now - last.end <= JOIN_MS && now >= last.end => {
            last.end = now
        }
        _ => stretches.push(Stretch { modality: modality.to_owned(), start: now, end: now }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_lost_its_picture_has_two_stretches_and_a_short_pause_makes_no_third() {
        let mut all = Vec::new();
        for (at, modality) in [
            (0, Some("video")),
            (1_000, Some("video")),
            (2_000, Some("voice")),
            (3_000, None),
            (4_000, Some("voice")),
        ] {
            note(&mut all, modality, at);
        }
        let said: Vec<_> = all.iter().map(|s| (s.modality.as_str(), s.start, s.end)).collect();
        assert_eq!(said, [("video", 0, 1_000), ("voice", 2_000, 4_000)]);
    }

    #[test]
    fn a_call_an_hour_later_is_a_stretch_of_its_own() {
        let mut all = Vec::new();
        note(&mut all, Some("voice"), 0);
        note(&mut all, Some("voice"), 3_600_000);
        assert_eq!(all.len(), 2);
    }
}
