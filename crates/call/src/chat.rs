//! Chat lines and stills with one far side over its data channel: numbered, acknowledged, sent again on the
//! next channel, taken once.

use std::collections::{BTreeMap, BTreeSet};

use rabta_wire::{
    Id,
    data_channel::{
        self as wire, CHAT_BYTES, Control, Meet, Message, STILL_BYTES, decode, encode_control, encode_parts,
    },
    signal::HangupWhy,
};

/// Stills of one far side that may be arriving at once.
const STILLS_IN_FLIGHT: usize = 2;
/// Lines of one far side that are taken: nobody writes so many, but a program could.
const LINES: usize = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Exchange {
    open: bool,
    outgoing: Vec<Outgoing>,
    seen: BTreeSet<u32>,
    /// Chat lines taken.
    lines: usize,
    arriving: BTreeMap<u32, Arriving>,
}

#[derive(Debug)]
struct Outgoing {
    id: u32,
    item: Item,
    sent: bool,
}

#[derive(Clone)]
pub(crate) enum Item {
    Chat(String),
    Still {
        width: u32,
        height: u32,
        jpeg: std::sync::Arc<[u8]>,
    },
    /// Something about a third person, with the item's number in it.
    Word(Control),
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Chat(_) => "Chat",
            Self::Still { .. } => "Still",
            Self::Word(_) => "Word",
        })
    }
}

#[derive(Debug)]
struct Arriving {
    width: u32,
    height: u32,
    total: usize,
    data: Vec<u8>,
}

/// What a message brought.
#[derive(Debug, PartialEq)]
pub(crate) enum Arrived {
    Chat(String),
    /// A still grew, or (`done == total`) is whole.
    Still {
        id: u32,
        width: u32,
        height: u32,
        total: u32,
        done: u32,
        whole: Option<Vec<u8>>,
    },
    /// Our line, still or word `id` is over there.
    Got(u32),
    /// Question `id`: may this person join?
    MayJoin {
        id: u32,
        person: Id,
        name: String,
        role: String,
    },
    /// The answer to our question.
    Answer {
        about: u32,
        yes: bool,
    },
    /// Somebody is in the call already, at the patient's end.
    Here(Id),
    /// What the patient agreed to: with a picture, or not.
    Agreed(bool),
    Meet(Meet),
    /// The far side leaves.
    Bye(HangupWhy),
}

/// One message for the channel: whether it is text, and its bytes.
pub(crate) type Outbound = (bool, Vec<u8>);

impl Exchange {
    pub(crate) fn queue(&mut self, id: u32, item: Item) {
        self.outgoing.push(Outgoing { id, item, sent: false });
    }

    /// A channel opened: what was sent on an earlier one and not acknowledged goes out again.
    pub(crate) fn opened(&mut self) {
        self.open = true;
        self.arriving.clear();
        for item in &mut self.outgoing {
            item.sent = false;
        }
    }

    pub(crate) fn closed(&mut self) {
        self.open = false;
    }

    /// The goodbye, if there is a channel to say it on.
    pub(crate) fn bye(&self, why: HangupWhy) -> Option<Outbound> {
        let why = (why == HangupWhy::NotWanted).then_some(why);
        self.open.then(|| (true, encode_control(&Control::Bye { why })))
    }

    pub(crate) fn flush(&mut self) -> Vec<Outbound> {
        let mut out = Vec::new();
        if !self.open {
            return out;
        }
        for Outgoing { id, item, sent } in self.outgoing.iter_mut().filter(|o| !o.sent) {
            *sent = true;
            match item {
                Item::Chat(text) => {
                    out.push((true, encode_control(&Control::Chat { id: *id, text: text.clone() })))
                }
                Item::Word(words) => out.push((true, encode_control(words))),
                Item::Still { width, height, jpeg } => {
                    let (bytes, width, height) = (jpeg.len() as u32, *width, *height);
                    out.push((true, encode_control(&Control::Still { id: *id, bytes, width, height })));
                    out.extend(encode_parts(*id, jpeg).map(|part| (false, part)));
                }
            }
        }
        out
    }

    /// Takes a message; foreign or broken ones bring nothing. The replies go to the same channel.
    pub(crate) fn receive(&mut self, text: bool, bytes: &[u8]) -> (Option<Arrived>, Option<Outbound>) {
        match decode(text, bytes) {
            Ok(Message::Control(Control::Chat { id, text })) => {
                let fresh = text.len() <= CHAT_BYTES && self.lines < LINES && self.seen.insert(id);
                self.lines += usize::from(fresh);
                (fresh.then_some(Arrived::Chat(text)), Some(got(id)))
            }
            Ok(Message::Control(Control::Still { id, bytes, width, height })) => {
                if self.seen.contains(&id) {
                    return (None, Some(got(id)));
                }
                let total = bytes as usize;
                if (1..=STILL_BYTES).contains(&total) && self.arriving.len() < STILLS_IN_FLIGHT {
                    self.arriving.insert(id, Arriving { width, height, total, data: Vec::new() });
                }
                (None, None)
            }
            Ok(Message::Part { still, offset, data }) => self.part(still, offset, data),
            Ok(Message::Control(Control::Got { id })) => {
                let before = self.outgoing.len();
                self.outgoing.retain(|o| o.id != id);
                ((self.outgoing.len() < before).then_some(Arrived::Got(id)), None)
            }
            Ok(Message::Control(Control::MayJoin { id, person, name, role })) => {
                let fresh = self.seen.insert(id);
                (fresh.then_some(Arrived::MayJoin { id, person, name, role }), Some(got(id)))
            }
            Ok(Message::Control(Control::Answer { id, about, yes })) => {
                let fresh = self.seen.insert(id);
                (fresh.then_some(Arrived::Answer { about, yes }), Some(got(id)))
            }
            Ok(Message::Control(Control::Here { id, person })) => {
                let fresh = self.seen.insert(id);
                (fresh.then_some(Arrived::Here(person)), Some(got(id)))
            }
            Ok(Message::Control(Control::Agreed { id, video })) => {
                let fresh = self.seen.insert(id);
                (fresh.then_some(Arrived::Agreed(video)), Some(got(id)))
            }
            Ok(Message::Control(Control::Meet { id, meet })) => {
                let fresh = self.seen.insert(id);
                (fresh.then_some(Arrived::Meet(meet)), Some(got(id)))
            }
            Ok(Message::Control(Control::Bye { why })) => {
                (Some(Arrived::Bye(why.unwrap_or(HangupWhy::HungUp))), None)
            }
            Ok(Message::Control(Control::Unknown)) | Err(wire::BadMessage) => (None, None),
        }
    }

    fn part(&mut self, id: u32, offset: u32, data: &[u8]) -> (Option<Arrived>, Option<Outbound>) {
        let Some(still) = self.arriving.get_mut(&id) else { return (None, None) };
        // The channel is ordered: anything but the next part is not ours.
        if offset as usize != still.data.len() || still.data.len() + data.len() > still.total {
            self.arriving.remove(&id);
            return (None, None);
        }
        still.data.extend_from_slice(data);
        let (width, height, total, done) =
            (still.width, still.height, still.total as u32, still.data.len() as u32);
        let whole = if total == done {
            self.seen.insert(id);
            self.arriving.remove(&id).map(|s| s.data)
        } else {
            None
        };
        let reply = whole.is_some().then(|| got(id));
        (Some(Arrived::Still { id, width, height, total, done, whole }), reply)
    }
}

fn got(id: u32) -> Outbound {
    (true, encode_control(&Control::Got { id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_channel_lost_comes_on_the_next_one_and_only_once() {
        let (mut a, mut b) = (Exchange::default(), Exchange::default());
        a.queue(1, Item::Chat("is the child drinking?".into()));
        a.queue(2, Item::Still { width: 4, height: 3, jpeg: vec![7; 30_000].into() });
        assert!(a.flush().is_empty(), "there is no channel yet");
        a.opened();
        let first = a.flush();
        // The line and half of the still arrive, no acknowledgement does.
        for (text, bytes) in &first[..3] {
            b.receive(*text, bytes);
        }
        a.closed();
        a.opened();
        b.opened();
        let (mut chats, mut stills) = (0, 0);
        for (text, bytes) in a.flush() {
            let (arrived, reply) = b.receive(text, &bytes);
            match arrived {
                Some(Arrived::Chat(_)) => chats += 1,
                Some(Arrived::Still { whole: Some(jpeg), .. }) => {
                    assert_eq!(jpeg, vec![7; 30_000]);
                    stills += 1;
                }
                _ => {}
            }
            if let Some((text, bytes)) = reply {
                a.receive(text, &bytes);
            }
        }
        assert_eq!((chats, stills), (0, 1));
        a.opened();
        assert!(a.flush().is_empty(), "everything was acknowledged");
    }

    #[test]
    fn a_line_above_the_limit_or_one_too_many_is_not_taken() {
        let mut b = Exchange::default();
        let mut take = |id, text: String| {
            let (arrived, reply) = b.receive(true, &encode_control(&Control::Chat { id, text }));
            (arrived.is_some(), reply.is_some())
        };
        assert_eq!(take(1, "x".repeat(CHAT_BYTES + 1)), (false, true), "acknowledged, so that it ends");
        assert_eq!(take(2, "x".repeat(10_000_000)), (false, false), "no control message is so big");
        assert_eq!(take(3, "\u{6cc}".repeat(CHAT_BYTES / 2)), (true, true), "bytes, not letters");
        for id in 4..3 + LINES as u32 {
            assert!(take(id, "x".into()).0);
        }
        assert_eq!(take(9_999, "x".into()), (false, true));
    }

    #[test]
    fn a_still_above_the_limit_is_not_taken() {
        let mut b = Exchange::default();
        let big = Control::Still { id: 1, bytes: STILL_BYTES as u32 + 1, width: 1, height: 1 };
        b.receive(true, &encode_control(&big));
        let part = encode_parts(1, &[1, 2, 3]).next().unwrap();
        assert_eq!(b.receive(false, &part), (None, None));
    }
}
