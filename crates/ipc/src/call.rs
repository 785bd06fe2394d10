//! The call: intents, and what the screen shows. Video frames come over a channel of their own.

use rabta_domain::Private;
use serde::{Deserialize, Serialize};

use crate::macros::commands;

commands! {
    /// Rings the other party of the ask.
    StartCall { ask: String, video: bool } -> () = "start-call";
    AcceptCall {
        video: bool,
        /// When the person pressed, milliseconds since 1970 by the laptop's clock: waiting begins there.
        pressed_at: i64,
    } -> () = "accept-call";
    DeclineCall {} -> () = "decline-call";
    HangUp {} -> () = "hang-up";
    Mute { on: bool } -> () = "mute";
    CameraOff { on: bool } -> () = "camera-off";
    /// Takes a picture at full detail and shows it to both.
    SendStill {} -> () = "send-still";
    SendChat { text: Private<String> } -> () = "send-chat";
    GetCall {} -> Option<CallView> = "call";
    /// Chat lines and stills of the running call, oldest first.
    CallItems {} -> Vec<CallItem> = "call-items";
    /// The far side's first picture of this call was drawn.
    PictureDrawn {
        /// Milliseconds since 1970 by the laptop's clock.
        at: i64,
    } -> () = "picture-drawn";
    /// The window's decoder lost its place.
    NeedKeyframe {} -> () = "need-keyframe";
    /// Whom the running call could get as a third: a specialist where a patient is in it, the patient who waits on a
    /// link where a specialist is. Empty while three are in it.
    GetThirds {} -> Vec<Third> = "thirds";
    /// Brings one of [`GetThirds`] in; a specialist only after the patient's yes. Errors: `not-found`, `not-allowed`.
    BringIn { third: ThirdId } -> () = "bring-in";
}

/// Who can be brought into a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThirdId {
    /// The other side of an open ask about this patient.
    Ask(String),
    /// Somebody on the roster.
    Person(String),
    /// The patient, on the phone that has this link.
    Guest(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Third {
    pub id: ThirdId,
    pub name: Private<String>,
    /// Of a specialist: the code of the specialty.
    pub specialty: String,
    /// Not known to be away from the HIE now.
    pub here: bool,
}

/// A session is a set of legs: one for each other party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallView {
    pub call: String,
    /// The ask that it is about; empty for a call to a patient's phone.
    pub ask: String,
    /// The guest of a patient's link, and who that is.
    pub link: Option<LinkCall>,
    /// Outgoing: this side rang.
    pub outgoing: bool,
    pub legs: Vec<LegView>,
    pub muted: bool,
    pub camera_off: bool,
    pub has_camera: bool,
    pub has_microphone: bool,
    /// Seconds since both were in the call.
    pub seconds: u32,
    /// Set when it is over: `hung-up`, `declined`, `busy`, `no-answer`, `failed`, `far-gone`, `not-wanted`.
    pub ended: Option<String>,
    pub figures: Option<Figures>,
    /// Who may join once the patient says yes, or did not get it.
    pub asked: Vec<AskedThird>,
}

/// Somebody about whom the patient was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedThird {
    pub name: String,
    /// `waiting`, `no`, `unanswered`.
    pub state: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkCall {
    pub guest: String,
    pub patient: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegView {
    /// As in [`FrameHead::leg`].
    pub leg: u8,
    pub person: String,
    pub name: String,
    pub role: String,
    /// `calling`, `ringing`, `incoming`, `connecting`, `in-call`, `weak`, `waiting`, `ended`.
    pub phase: String,
    /// Why it ended, as in [`CallView::ended`]; also `not-wanted`: the patient said no.
    pub ended: Option<String>,
    /// How loud they were at most in the last second, 0 to 100.
    pub level: u8,
    /// Seconds in `waiting`.
    pub waiting_seconds: u32,
    pub far_muted: bool,
    pub far_camera_off: bool,
    /// What a patient agreed to on their phone: `true` with their picture, `false` their voice only.
    pub agreed: Option<bool>,
    /// The far side's device signature over its DTLS fingerprint was verified.
    pub verified: bool,
}

/// How long this side waited, milliseconds: where the call was accepted from the press, where it rang from the moment
/// that the far side's accept came; until its voice was due at the loudspeaker, and its picture was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    pub accept_to_first_audio_ms: Option<u32>,
    pub accept_to_first_video_ms: Option<u32>,
    pub frames: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallItem {
    Chat {
        mine: bool,
        at: i64,
        text: Private<String>,
    },
    /// A data URL.
    Still {
        mine: bool,
        at: i64,
        url: Private<String>,
    },
}

/// A video frame as it crosses to the window, over the raw channel that the `frames` command opens.
///
/// Layout, little endian: byte 0 flags (1: keyframe, 2: our own camera), byte 1 the leg's index, bytes 2-9 the
/// presentation time in microseconds, 10-11 width, 12-13 height (0: unknown), then the VP8 frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    pub key: bool,
    pub own: bool,
    pub leg: u8,
    pub pts_us: u64,
    pub width: u16,
    pub height: u16,
}

impl FrameHead {
    pub const LEN: usize = 14;

    /// The head and `data` in one buffer.
    pub fn with(self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::LEN + data.len());
        out.push(u8::from(self.key) | u8::from(self.own) << 1);
        out.push(self.leg);
        out.extend(self.pts_us.to_le_bytes());
        out.extend(self.width.to_le_bytes());
        out.extend(self.height.to_le_bytes());
        out.extend(data);
        out
    }

    /// The head of a buffer, `None` if it is too short.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (head, _) = bytes.split_first_chunk::<{ Self::LEN }>()?;
        Some(Self {
            key: head[0] & 1 != 0,
            own: head[0] & 2 != 0,
            leg: head[1],
            pts_us: u64::from_le_bytes(head[2..10].try_into().ok()?),
            width: u16::from_le_bytes([head[10], head[11]]),
            height: u16::from_le_bytes([head[12], head[13]]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frames_head_is_read_back() {
        let head = FrameHead { key: true, own: false, leg: 1, pts_us: 1 << 40, width: 640, height: 480 };
        let bytes = head.with(b"vp8");
        assert_eq!(FrameHead::read(&bytes), Some(head));
        assert_eq!(&bytes[FrameHead::LEN..], b"vp8");
        assert_eq!(FrameHead::read(&bytes[..13]), None);
    }
}
