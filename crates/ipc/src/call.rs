//! The call: intents, and what the screen shows. Video frames come over a channel of their own.

use rabta_domain::Private;
use serde::{Deserialize, Serialize};

use crate::macros::commands;

commands! {
    /// Rings the other party of the ask.
    StartCall { ask: String, video: bool } -> () = "start-call";
    AcceptCall { video: bool } -> () = "accept-call";
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
    /// The window's decoder lost its place.
    NeedKeyframe {} -> () = "need-keyframe";
}

/// A session is a set of legs: one for each other party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallView {
    pub call: String,
    pub ask: String,
    /// Outgoing: this side rang.
    pub outgoing: bool,
    pub legs: Vec<LegView>,
    pub muted: bool,
    pub camera_off: bool,
    pub has_camera: bool,
    pub has_microphone: bool,
    /// Seconds since both were in the call.
    pub seconds: u32,
    /// Set when it is over: `hung-up`, `declined`, `busy`, `no-answer`, `failed`, `far-gone`.
    pub ended: Option<String>,
    pub figures: Option<Figures>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegView {
    pub person: String,
    pub name: String,
    pub role: String,
    /// `calling`, `ringing`, `incoming`, `connecting`, `in-call`, `weak`, `waiting`.
    pub phase: String,
    /// Seconds in `waiting`.
    pub waiting_seconds: u32,
    pub far_muted: bool,
    pub far_camera_off: bool,
    /// The far side's device signature over its DTLS fingerprint was verified.
    pub verified: bool,
}

/// From accept to the first decoded audio and the first video frame, milliseconds, this side.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    pub accept_to_first_audio_ms: Option<u32>,
    pub accept_to_first_video_ms: Option<u32>,
    pub frames: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CallItem {
    Chat { mine: bool, at: i64, text: Private<String> },
    /// A data URL.
    Still { mine: bool, at: i64, url: Private<String> },
}
