//! What the screen shows of a call: values and enums that the window translates, no sentences.

use rabta_wire::{Id, signal::Party};
use serde::{Deserialize, Serialize};

use crate::{Asked, DeviceState, LegId, LegStats, Millis, Named};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallView {
    pub call: Id,
    /// The Task that the call is about.
    pub ask: Option<Id>,
    /// Whether the other side called us.
    pub incoming: bool,
    pub phase: Phase,
    pub words: ConnectionWords,
    pub legs: Vec<LegView>,
    /// Since the first leg was accepted and connected.
    pub seconds: u32,
    pub mic_on: bool,
    pub camera_on: bool,
    pub microphone: DeviceState,
    pub camera: DeviceState,
    pub speaker: DeviceState,
    pub chat: Vec<ChatLine>,
    pub stills: Vec<StillView>,
    pub figures: Figures,
    /// Who is about to join, as far as the patient was asked.
    pub asked: Vec<AskedView>,
    /// At the patient's end: who wants to join and waits for an answer.
    pub wanted: Option<Named>,
    /// Who is with the patient since before we came back, as the patient's page says, and is not connected with us.
    pub here_already: Vec<Id>,
}

/// Somebody about whom the patient was asked and who is not in the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedView {
    pub person: Id,
    pub named: Named,
    pub asked: Asked,
}

/// A leg: of each person the newest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegView {
    pub leg: LegId,
    /// The person; the device once one of theirs rings.
    pub person: Id,
    /// What they are called, where the host or an introduction said so.
    pub named: Named,
    pub party: Option<Party>,
    /// Whether we called them, or make the offers.
    pub outgoing: bool,
    /// Somebody in the call introduced us to each other.
    pub introduced: bool,
    pub phase: Phase,
    pub words: ConnectionWords,
    /// What a patient agreed to on their phone: with their picture, or their voice only. `None` where it was not said.
    pub agreed: Option<bool>,
    /// What their microphone and camera do.
    pub mic_on: bool,
    pub camera_on: bool,
    pub stats: LegStats,
}

/// Where a leg is, and the call as the furthest of its legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Phase {
    /// We call; no device rings yet.
    Calling,
    /// It rings: here for an incoming call, else there.
    Ringing,
    /// Accepted; the link is not up yet.
    Connecting,
    InCall,
    /// The link is gone; it is being sought.
    Waiting {
        seconds: u32,
    },
    Ended {
        reason: EndReason,
    },
}

impl Phase {
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    WeHungUp,
    TheyHungUp,
    /// They declined.
    Declined,
    /// We declined.
    WeDeclined,
    Busy,
    /// Nobody took it within [`crate::limits::RING`].
    NoAnswer,
    /// The caller gave up, or vanished, before we answered.
    Missed,
    /// Taken on another of the person's devices.
    Elsewhere,
    /// The patient does not want this person in the call.
    NotWanted,
    /// The other device's key did not sign what came: somebody is in between.
    Untrusted,
    /// No connection within [`crate::limits::CONNECT`].
    NotConnected,
    /// The link stayed away longer than [`crate::limits::WAIT`].
    LinkLost,
    /// The engine gave up.
    Failed,
}

/// The connection in words, with what we do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ConnectionWords {
    Calling,
    /// No way to the HIE now: we ring as soon as there is one.
    CallingWithoutNetwork,
    RingingThere,
    RingingHere,
    Connecting,
    Good,
    /// Picture smaller.
    Weak,
    /// Picture off so that the voice stays clear.
    WeakPictureOff,
    /// Looking for them: "Waiting for …: 0:12. You can keep writing."
    WaitingForThem {
        seconds: u32,
    },
    /// Our own network is gone.
    WaitingForNetwork {
        seconds: u32,
    },
    Ended {
        reason: EndReason,
    },
}

/// A line of chat.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatLine {
    pub from_us: bool,
    /// Which leg wrote it; for our own lines `None`.
    pub leg: Option<LegId>,
    pub text: String,
    pub receipt: Receipt,
    pub at_ms: Millis,
}

impl std::fmt::Debug for ChatLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChatLine({}, {:?})", if self.from_us { "ours" } else { "theirs" }, self.receipt)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Receipt {
    /// Kept here until there is a channel.
    Waiting,
    /// On the far side.
    Delivered,
}

/// A still that was sent or that came; its bytes are fetched with [`crate::CallSession::still`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillView {
    pub number: u32,
    pub from_us: bool,
    pub width: u32,
    pub height: u32,
    pub bytes: u32,
    /// Of `bytes`, how much has arrived here; for our own, all once they have it.
    pub done: u32,
}

/// Measured by this side, for the screen and the benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// From the accept (given or received here) to the first sound of the far side.
    pub accept_to_first_audio_ms: Option<u32>,
    /// From the accept to the first frame of the far side at the window.
    pub accept_to_first_video_ms: Option<u32>,
    /// From the start of the ringing to a link that is up.
    pub ring_to_link_ms: Option<u32>,
}
