//! The vocabulary between a session and whatever moves the media: the native engine, a browser's
//! RTCPeerConnection, a test's fake.

use rabta_wire::signal::IceServer;
use serde::{Deserialize, Serialize};

use crate::Millis;

/// One connection to one remote device. A leg that is answered on another device gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SdpKind {
    Offer,
    Answer,
}

/// A trickled candidate (RFC 8838). An empty line ends the list.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub candidate: String,
    pub mid: Option<String>,
    pub index: Option<u16>,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_relay() { "Candidate(relay)" } else { "Candidate" })
    }
}

impl Candidate {
    /// Whether it names only a relay's address: the one kind that may leave before the call is accepted.
    pub fn is_relay(&self) -> bool {
        let mut words = self.candidate.split_ascii_whitespace();
        words.any(|w| w == "typ") && words.next() == Some("relay")
    }
}

/// What a session asks of an engine. An engine carries them out in order and answers with [`EngineEvent`]s; one
/// that cannot carry a command out says [`EngineEvent::LegFailed`], never nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum EngineCommand {
    /// Opens microphone and camera, builds the pipelines. `live`: the camera may run (our own picture); else
    /// everything waits, built, for [`EngineCommand::GoLive`].
    Prepare {
        live: bool,
    },
    /// Starts what `Prepare` built.
    GoLive,
    /// A connection; with `offers`, a [`EngineEvent::LocalDescription`] with an offer follows.
    OpenLeg {
        leg: LegId,
        offers: bool,
        ice_servers: Vec<IceServer>,
    },
    /// Makes another offer with fresh ICE credentials.
    RestartIce {
        leg: LegId,
    },
    /// Newer relay credentials, used from the next gathering on.
    IceServers {
        leg: LegId,
        ice_servers: Vec<IceServer>,
    },
    /// The far side's description; an offer is answered with [`EngineEvent::LocalDescription`].
    RemoteDescription {
        leg: LegId,
        kind: SdpKind,
        sdp: String,
    },
    RemoteCandidate {
        leg: LegId,
        candidate: Candidate,
    },
    /// The gate for media both ways: closed until the call is accepted.
    Media {
        leg: LegId,
        open: bool,
    },
    Microphone {
        on: bool,
    },
    Camera {
        on: bool,
    },
    /// The most that our picture may take on this leg; 0 pauses it.
    VideoBudget {
        leg: LegId,
        kbps: u32,
    },
    /// The window's decoder needs a key frame of the far picture.
    KeyFrame {
        leg: LegId,
    },
    /// One picture of our camera in full size.
    TakeStill,
    SendData {
        leg: LegId,
        text: bool,
        bytes: Vec<u8>,
    },
    CloseLeg {
        leg: LegId,
    },
    /// Lets go of everything.
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    Microphone,
    Camera,
    Speaker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceState {
    /// Not tried yet.
    #[default]
    Unknown,
    Working,
    /// There is none.
    Absent,
    /// There is one and it did not open, or it stopped.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    Connecting,
    Up,
    /// Nothing has come for a few seconds; it may come back by itself.
    Down,
    /// It will not come back without an ICE restart.
    Failed,
}

/// What an engine tells a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum EngineEvent {
    LocalDescription {
        leg: LegId,
        kind: SdpKind,
        sdp: String,
    },
    LocalCandidate {
        leg: LegId,
        candidate: Candidate,
    },
    Link {
        leg: LegId,
        state: LinkState,
    },
    /// The data channel opened; what was not acknowledged goes out again.
    DataOpen {
        leg: LegId,
    },
    Data {
        leg: LegId,
        text: bool,
        bytes: Vec<u8>,
    },
    /// The far side's first sound left the decoder for the speaker, at this time on the host's clock.
    FirstAudio {
        leg: LegId,
        at_ms: Millis,
    },
    /// The far side's first whole frame was handed to the window.
    FirstVideo {
        leg: LegId,
        at_ms: Millis,
    },
    Stats {
        leg: LegId,
        stats: LegStats,
    },
    Device {
        device: Device,
        state: DeviceState,
    },
    /// The answer to [`EngineCommand::TakeStill`]: a JPEG.
    Still {
        jpeg: Vec<u8>,
        width: u32,
        height: u32,
    },
    /// No picture could be taken.
    NoStill,
    /// The engine cannot go on with this leg.
    LegFailed {
        leg: LegId,
    },
}

/// One second of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LegStats {
    /// Of the packets that the far side sent us, 0 to 1.
    pub loss_in: f32,
    /// Of ours, as the far side reports it.
    pub loss_out: f32,
    pub rtt_ms: Option<u32>,
    pub audio_in_kbps: u32,
    pub audio_out_kbps: u32,
    pub video_in_kbps: u32,
    pub video_out_kbps: u32,
    /// Frames handed to the window.
    pub video_in_fps: u32,
    /// How loud the far side was at most, as decoded: root mean square, 0 to 1.
    pub audio_in_level: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_relay_candidate_counts_as_one() {
        let line = |kind: &str| Candidate {
            candidate: format!("candidate:1 1 udp 1 192.0.2.1 9 typ {kind} raddr 0.0.0.0 rport 0"),
            mid: None,
            index: None,
        };
        assert!(line("relay").is_relay());
        assert!(!line("host").is_relay());
        assert!(!line("srflx").is_relay());
    }
}
