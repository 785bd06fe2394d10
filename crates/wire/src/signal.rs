//! Call signaling: what travels on the WebSocket at the HIE (`GET` [`PATH`]), together with the hints of
//! [`crate::log::Hint`] that there is something to pull.
//!
//! The HIE is an authenticated router. It reads a frame's outer fields (call, to), writes who it is from, and
//! passes the body on as the text that came in: it never reads an SDP. To it the body is a
//! [`serde_json::value::RawValue`] ([`Routed`]); to the two ends it is a [`Body`].
//!
//! ```
//! use rabta_wire::signal::{decode_client, ClientFrame, Routed, VERSION};
//! let frame = r#"{"leave":{"v":1,"call":"01020304-0506-4708-890a-0b0c0d0e0f10","later":true}}"#;
//! let ClientFrame::<Routed>::Leave { v, .. } = decode_client(frame).unwrap() else { panic!() };
//! assert_eq!(v, VERSION);
//! ```

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Id;

/// Where the WebSocket is.
pub const PATH: &str = "/v1/ws";
/// The version that this program speaks. A reader takes every version and ignores fields that it does not
/// know; a frame of a kind that it does not know is [`Signal::Unknown`] or a refusal, never a closed socket.
pub const VERSION: u16 = 1;
/// One frame, as text. A frame above it closes the socket.
pub const FRAME_BYTES: usize = 64_000;
/// An SDP inside a frame.
pub const SDP_BYTES: usize = 32_000;
/// A candidate line (RFC 8839, section 5.1).
pub const CANDIDATE_BYTES: usize = 512;
/// A base64 signature of Ed25519, with room for a longer algorithm.
pub const SIGNATURE_BYTES: usize = 256;
/// Frames that one socket may send in ten seconds before the HIE slows it.
pub const FRAMES_PER_TEN_SECONDS: usize = 400;

/// A frame body that the HIE carries unread.
pub type Routed = Box<serde_json::value::RawValue>;

/// One end of a call: a person at a device, as the HIE authenticated them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Party {
    pub person: Id,
    pub device: Id,
}

/// Whom a frame is for: one device, or every connected device of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    pub person: Id,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Id>,
}

impl From<Party> for Address {
    fn from(party: Party) -> Self {
        Self { person: party.person, device: Some(party.device) }
    }
}

/// What a program sends to the HIE: an object with one key, the frame's kind (a tag beside the body would have
/// the body parsed before it is carried).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientFrame<B = Body> {
    /// First on every socket. `session` resumes an earlier socket's place: presence does not flicker and
    /// frames that the HIE holds for this device (at most [`FRAMES_PER_TEN_SECONDS`], a minute) follow.
    Hello {
        v: u16,
        /// The access token of `POST /v1/token`.
        token: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<String>,
    },
    /// Opens the call's room, lets `to` into it and rings them. Sent again every few seconds while it rings,
    /// so a device that comes online late rings too.
    Ring { v: u16, call: Id, to: Address, body: B },
    /// To somebody in the call's room.
    To { v: u16, call: Id, to: Address, body: B },
    /// Leaves the room; the last one to leave closes it.
    Leave { v: u16, call: Id },
}

/// What the HIE sends to a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerFrame<B = Body> {
    /// The answer to a hello.
    Welcome { v: u16, session: String, me: Party, ice_servers: Vec<IceServer> },
    /// Fresh relay credentials, before the old ones end.
    IceServers { v: u16, ice_servers: Vec<IceServer> },
    /// From another party; `from` is the HIE's word.
    From { v: u16, call: Id, from: Party, body: B },
    /// A party of the room lost its socket (`here: false`) or came back.
    Presence { v: u16, call: Id, party: Party, here: bool },
    /// A frame was not carried.
    Refused {
        v: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<Id>,
        code: Refusal,
        /// Whom it was for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Address>,
    },
}

/// Why the HIE did not carry a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The token is unknown or expired: get another and say hello again.
    Token,
    /// Nobody of that id may be called by this person.
    NotAllowed,
    /// The addressee has no connected device now. A ring is kept and delivered when one connects.
    NotHere,
    TooBig,
    TooMany,
    #[serde(other)]
    Unknown,
}

/// A STUN or TURN server with short-lived credentials (RFC 7065 URIs).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    pub urls: Vec<String>,
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub credential: String,
}

impl std::fmt::Debug for IceServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// What one end says to the other. Numbered, so that a lost socket, a duplicate or a change of order on the
/// way changes nothing: the receiver takes `seq` 1, 2, 3 … once each and acknowledges cumulatively.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Chosen at random for each leg of a session object: a program that restarted in mid-call, or was asked back
    /// into a call that it had left, is another peer.
    pub inst: u32,
    /// From 1; 0 on messages that need no order (ring, a bare acknowledgement).
    #[serde(default)]
    pub seq: u32,
    /// The highest `seq` taken from the addressee's instance `ack_inst`.
    #[serde(default)]
    pub ack: u32,
    #[serde(default)]
    pub ack_inst: u32,
    pub msg: Signal,
}

/// A signaling message between the ends of a call.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Signal {
    /// A call about `ask` (the Task's id), if it is about one.
    Ring {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask: Option<Id>,
        #[serde(default)]
        video: bool,
        /// Counts the caller's invitations within the call: whoever left and is asked back hears a higher one. Programs
        /// from before it say nothing, which is 0.
        #[serde(default)]
        round: u32,
    },
    /// The device rings.
    Ringing,
    /// An SDP offer (RFC 9429) of negotiation `n`, with the signature of its DTLS fingerprints by the
    /// sender's device key, base64.
    Offer {
        n: u32,
        sdp: String,
        sig: String,
    },
    /// The answer to offer `n`.
    Answer {
        n: u32,
        sdp: String,
        sig: String,
    },
    /// A trickled candidate (RFC 8838) of the sender's newest description.
    Candidate {
        candidate: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mid: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        index: Option<u16>,
    },
    /// The person took the call.
    Accept,
    Decline,
    /// In another call.
    Busy,
    Hangup {
        why: HangupWhy,
    },
    /// What the sender's microphone and camera do.
    Media {
        mic: bool,
        camera: bool,
    },
    /// The answerer asks the offerer for an ICE restart.
    Restart,
    /// The sender was in this call, began anew (a page that was reloaded) and wants to be rung again. Needs no order.
    Rejoin,
    /// Carries only the acknowledgement.
    Ack,
    #[serde(other)]
    Unknown,
}

impl std::fmt::Debug for Signal {
    /// Names the message and leaves its content out: an SDP holds addresses, which do not belong in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ring { .. } => "Ring",
            Self::Ringing => "Ringing",
            Self::Offer { .. } => "Offer",
            Self::Answer { .. } => "Answer",
            Self::Candidate { .. } => "Candidate",
            Self::Accept => "Accept",
            Self::Decline => "Decline",
            Self::Busy => "Busy",
            Self::Hangup { .. } => "Hangup",
            Self::Media { .. } => "Media",
            Self::Restart => "Restart",
            Self::Rejoin => "Rejoin",
            Self::Ack => "Ack",
            Self::Unknown => "Unknown",
        })
    }
}

/// Why the sender left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HangupWhy {
    /// A person ended the call.
    HungUp,
    /// Nobody answered in time.
    NoAnswer,
    /// The same person took the call on another device.
    Elsewhere,
    /// The patient does not want this person in the call.
    NotWanted,
    #[serde(other)]
    Failed,
}

/// Why a frame was not read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes is above the limit")]
    TooBig(usize),
    #[error("not a signaling frame")]
    Malformed(#[source] serde_json::Error),
}

/// Reads a program's frame, at most [`FRAME_BYTES`].
pub fn decode_client<B: DeserializeOwned>(text: &str) -> Result<ClientFrame<B>, FrameError> {
    decode(text)
}

/// Reads the HIE's frame, at most [`FRAME_BYTES`].
pub fn decode_server<B: DeserializeOwned>(text: &str) -> Result<ServerFrame<B>, FrameError> {
    decode(text)
}

fn decode<T: DeserializeOwned>(text: &str) -> Result<T, FrameError> {
    if text.len() > FRAME_BYTES {
        return Err(FrameError::TooBig(text.len()));
    }
    serde_json::from_str(text).map_err(FrameError::Malformed)
}

/// A frame as text.
pub fn encode<T: Serialize>(frame: &T) -> String {
    serde_json::to_string(frame).expect("frames hold only strings, numbers and lists")
}

impl Signal {
    /// Whether every part is within this module's limits.
    pub fn within_limits(&self) -> bool {
        match self {
            Self::Offer { sdp, sig, .. } | Self::Answer { sdp, sig, .. } => {
                sdp.len() <= SDP_BYTES && sig.len() <= SIGNATURE_BYTES
            }
            Self::Candidate { candidate, mid, .. } => {
                candidate.len() <= CANDIDATE_BYTES && mid.as_ref().is_none_or(|m| m.len() <= 16)
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> Id {
        Id::from_random([n; 16])
    }

    #[test]
    fn the_router_passes_a_body_on_as_it_came() {
        let body = Body { inst: 7, seq: 1, ack: 0, ack_inst: 0, msg: Signal::Accept };
        let to = Address { person: id(2), device: None };
        let sent = encode(&ClientFrame::To { v: VERSION, call: id(1), to, body: body.clone() });
        // A newer program's field inside the body survives a router that does not know it.
        let sent = sent.replace("\"inst\":7", "\"inst\":7,\"later\":[1.5]");
        let ClientFrame::<Routed>::To { call, body: raw, .. } = decode_client(&sent).unwrap() else {
            panic!("not a To");
        };
        let from = Party { person: id(3), device: id(4) };
        let passed = encode(&ServerFrame::From { v: VERSION, call, from, body: raw });
        assert!(passed.contains("\"later\":[1.5]"));
        let ServerFrame::<Body>::From { from: got, body: read, .. } = decode_server(&passed).unwrap() else {
            panic!("not a From");
        };
        assert_eq!((got, read), (from, body));
    }

    #[test]
    fn a_message_of_a_kind_from_the_future_is_unknown_and_not_an_error() {
        let text = r#"{"inst":1,"seq":4,"msg":{"type":"hologram","depth":3}}"#;
        assert_eq!(serde_json::from_str::<Body>(text).unwrap().msg, Signal::Unknown);
    }

    #[test]
    fn frames_of_before_there_were_three_in_a_call_are_read() {
        let ring = r#"{"inst":1,"msg":{"type":"ring","video":true}}"#;
        let msg = serde_json::from_str::<Body>(ring).unwrap().msg;
        assert_eq!(msg, Signal::Ring { ask: None, video: true, round: 0 });
        let refused = r#"{"refused":{"v":1,"code":"not-allowed"}}"#;
        let ServerFrame::<Body>::Refused { code, to, .. } = decode_server(refused).unwrap() else { panic!() };
        assert_eq!((code, to), (Refusal::NotAllowed, None));
    }

    #[test]
    fn a_frame_above_the_limit_is_refused_before_it_is_parsed() {
        let text = " ".repeat(FRAME_BYTES + 1);
        assert!(matches!(decode_client::<Body>(&text), Err(FrameError::TooBig(_))));
    }

    #[test]
    fn debug_shows_neither_an_sdp_nor_a_credential() {
        let signal = Signal::Offer { n: 1, sdp: "c=IN IP4 192.0.2.7".into(), sig: String::new() };
        assert_eq!(format!("{signal:?}"), "Offer");
        let server = IceServer { urls: vec![], username: "u".into(), credential: "hunter2".into() };
        assert!(!format!("{server:?}").contains("hunter2"));
    }
}
