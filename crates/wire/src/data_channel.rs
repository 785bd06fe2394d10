//! What the ends of a call say to each other over the data channel: chat lines, stills, and what brings a third person
//! in. End to end; the HIE never sees them.
//!
//! The channel is reliable and ordered while it lives. It can die with its connection, so each line and each
//! still has an id, is acknowledged, and is sent again on the next channel; the receiver keeps the first.
//!
//! A control message is JSON text. A part of a still is binary: `0x01`, the still's id (4 bytes, big endian),
//! the offset (4 bytes, big endian), then at most [`PART_BYTES`] of the picture.

use serde::{Deserialize, Serialize};

use crate::{
    Id,
    signal::{HangupWhy, Party},
};

/// The label of the one channel.
pub const LABEL: &str = "rabta";
/// A chat line, in bytes of UTF-8.
pub const CHAT_BYTES: usize = 4_000;
/// A still.
pub const STILL_BYTES: usize = 3_000_000;
/// One part of a still: with its header below the 16 KiB that every WebRTC stack carries in one message.
pub const PART_BYTES: usize = 12_000;
/// A control message.
pub const CONTROL_BYTES: usize = 8_000;

const PART: u8 = 1;
const PART_HEADER: usize = 9;

/// A control message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Control {
    /// A line of chat. `id` counts up from 1 for each sender.
    Chat { id: u32, text: String },
    /// A picture of `bytes` bytes follows in parts.
    Still { id: u32, bytes: u32, width: u32, height: u32 },
    /// The line or the whole still `id` has arrived.
    Got { id: u32 },
    /// To the patient: may this person join? Nothing of the patient reaches them before a yes.
    MayJoin { id: u32, person: Id, name: String, role: String },
    /// The patient's answer to question `about`.
    Answer { id: u32, about: u32, yes: bool },
    /// From a patient's page, to who left and came back: this person is in the call with the patient's yes, and the two are
    /// connected. Programs from before it ask the patient again.
    Here { id: u32, person: Id },
    /// From a patient's page: what they agreed to before they joined, their picture and voice or their voice only.
    Agreed { id: u32, video: bool },
    /// Connect with this party, too.
    Meet {
        id: u32,
        #[serde(flatten)]
        meet: Meet,
    },
    /// The sender leaves. Said here too, since the line to the HIE may be the one that is gone.
    Bye {
        /// Nothing: a person ended the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<HangupWhy>,
    },
    #[serde(other)]
    Unknown,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Chat { id, .. } => write!(f, "Chat({id})"),
            Self::Still { id, bytes, .. } => write!(f, "Still({id}, {bytes} bytes)"),
            Self::Got { id } => write!(f, "Got({id})"),
            Self::MayJoin { id, .. } => write!(f, "MayJoin({id})"),
            Self::Answer { id, .. } => write!(f, "Answer({id})"),
            Self::Here { id, .. } => write!(f, "Here({id})"),
            Self::Agreed { id, .. } => write!(f, "Agreed({id})"),
            Self::Meet { id, .. } => write!(f, "Meet({id})"),
            Self::Bye { .. } => f.write_str("Bye"),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

/// An introduction: whoever is connected with two others gives each the other's place in the call, and to both the
/// same fresh key, with which they authenticate their DTLS fingerprints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meet {
    pub peer: Party,
    /// The receiver's instance on this leg ([`crate::signal::Body::inst`]).
    pub inst: u32,
    /// The peer's.
    pub peer_inst: u32,
    /// Whether the receiver makes the offer.
    pub offers: bool,
    /// [`crate::leg_key::LegKey::text`].
    pub key: String,
    /// What the peer is called, and their role.
    pub name: String,
    pub role: String,
}

impl std::fmt::Debug for Meet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meet")
    }
}

/// One message of the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    Control(Control),
    Part { still: u32, offset: u32, data: &'a [u8] },
}

/// The message was not one of ours, or too big.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a data channel message")]
pub struct BadMessage;

/// Reads one message. `text` as the channel marked it.
pub fn decode(text: bool, bytes: &[u8]) -> Result<Message<'_>, BadMessage> {
    if text {
        if bytes.len() > CONTROL_BYTES {
            return Err(BadMessage);
        }
        return serde_json::from_slice(bytes).map(Message::Control).map_err(|_| BadMessage);
    }
    let (header, data) = bytes.split_at_checked(PART_HEADER).ok_or(BadMessage)?;
    if header[0] != PART || data.len() > PART_BYTES {
        return Err(BadMessage);
    }
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    Ok(Message::Part { still: number(1), offset: number(5), data })
}

/// A control message as text.
pub fn encode_control(control: &Control) -> Vec<u8> {
    serde_json::to_vec(control).expect("a control message holds only strings and numbers")
}

/// The parts of a still, in order.
pub fn encode_parts(still: u32, picture: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    picture.chunks(PART_BYTES).enumerate().map(move |(i, data)| {
        let mut part = Vec::with_capacity(PART_HEADER + data.len());
        part.push(PART);
        part.extend_from_slice(&still.to_be_bytes());
        part.extend_from_slice(&((i * PART_BYTES) as u32).to_be_bytes());
        part.extend_from_slice(data);
        part
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_still_survives_its_parts() {
        let picture: Vec<u8> = (0..30_000u32).map(|n| n as u8).collect();
        let mut built = Vec::new();
        for part in encode_parts(9, &picture) {
            let Ok(Message::Part { still: 9, offset, data }) = decode(false, &part) else { panic!() };
            assert_eq!(offset as usize, built.len());
            built.extend_from_slice(data);
        }
        assert_eq!(built, picture);
    }

    #[test]
    fn an_introduction_is_read_back_and_its_key_is_in_no_log() {
        let party = Party { person: Id([1; 16]), device: Id([2; 16]) };
        let key = crate::leg_key::LegKey::from_random([7; 32]).text();
        let (name, role) = ("Dr Saira".to_owned(), "specialist".to_owned());
        let meet = Meet { peer: party, inst: 3, peer_inst: 4, offers: true, key: key.clone(), name, role };
        let words = Control::Meet { id: 9, meet };
        assert_eq!(decode(true, &encode_control(&words)), Ok(Message::Control(words.clone())));
        let shown = format!(
            "{words:?} {:?}",
            Control::MayJoin { id: 1, person: Id([1; 16]), name: "Dr Saira".into(), role: String::new() }
        );
        assert!(!shown.contains(&key) && !shown.contains("Saira"), "{shown}");
    }

    #[test]
    fn a_goodbye_reads_as_it_did_before_it_had_a_reason() {
        let plain = Control::Bye { why: None };
        assert_eq!(encode_control(&plain), br#"{"type":"bye"}"#);
        assert_eq!(decode(true, br#"{"type":"bye"}"#), Ok(Message::Control(plain)));
        let because = Control::Bye { why: Some(HangupWhy::NotWanted) };
        assert_eq!(decode(true, &encode_control(&because)), Ok(Message::Control(because)));
    }

    #[test]
    fn foreign_bytes_are_refused_without_a_panic() {
        for bytes in [&b""[..], b"\x01abc", b"\x02aaaaaaaaaaaa", b"{"] {
            assert!(decode(false, bytes).is_err());
            assert!(decode(true, bytes).is_err());
        }
        assert!(decode(true, &vec![b' '; CONTROL_BYTES + 1]).is_err());
    }
}
