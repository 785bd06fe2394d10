//! An ordered, reliable line to one instance of one remote device over signaling frames that may be lost,
//! repeated or swapped: numbers, a cumulative acknowledgement, and sending again.

use std::collections::{BTreeMap, VecDeque};

use rabta_wire::signal::{Body, Party, Signal};

use crate::Millis;

/// Messages from the future that are kept until the gap closes.
const WINDOW: u32 = 256;
const FIRST_RETRY: Millis = 1_000;
const LONGEST_RETRY: Millis = 4_000;

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) peer: Party,
    pub(crate) peer_inst: u32,
    inst: u32,
    sent: u32,
    unacked: VecDeque<Sent>,
    taken: u32,
    held: BTreeMap<u32, Signal>,
    ack_due: bool,
}

#[derive(Debug)]
struct Sent {
    seq: u32,
    signal: Signal,
    next_try: Millis,
    wait: Millis,
}

impl Link {
    pub(crate) fn new(inst: u32, peer: Party, peer_inst: u32) -> Self {
        Self {
            peer,
            peer_inst,
            inst,
            sent: 0,
            unacked: VecDeque::new(),
            taken: 0,
            held: BTreeMap::new(),
            ack_due: false,
        }
    }

    pub(crate) fn send(&mut self, now: Millis, signal: Signal) {
        self.sent += 1;
        self.unacked.push_back(Sent { seq: self.sent, signal, next_try: now, wait: FIRST_RETRY });
    }

    /// The messages that are next in order, if this body closed a gap.
    pub(crate) fn receive(&mut self, body: Body) -> Vec<Signal> {
        if body.ack_inst == self.inst {
            self.unacked.retain(|sent| sent.seq > body.ack);
        }
        if body.seq == 0 {
            return Vec::new();
        }
        self.ack_due = true;
        if body.seq > self.taken && body.seq - self.taken <= WINDOW {
            self.held.insert(body.seq, body.msg);
        }
        let mut ready = Vec::new();
        while let Some(signal) = self.held.remove(&(self.taken + 1)) {
            self.taken += 1;
            ready.push(signal);
        }
        ready
    }

    /// What is due on the wire now.
    pub(crate) fn poll(&mut self, now: Millis) -> Vec<Body> {
        let mut due = Vec::new();
        for sent in &mut self.unacked {
            if sent.next_try <= now {
                sent.next_try = now + sent.wait;
                sent.wait = (sent.wait * 2).min(LONGEST_RETRY);
                due.push((sent.seq, sent.signal.clone()));
            }
        }
        if due.is_empty() && self.ack_due {
            due.push((0, Signal::Ack));
        }
        self.ack_due = false;
        due.into_iter().map(|(seq, msg)| self.body(seq, msg)).collect()
    }

    /// Everything unacknowledged goes out at the next poll: the socket is new.
    pub(crate) fn retry_now(&mut self) {
        for sent in &mut self.unacked {
            sent.next_try = 0;
            sent.wait = FIRST_RETRY;
        }
        self.ack_due = true;
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        if self.ack_due {
            return Some(0);
        }
        self.unacked.iter().map(|sent| sent.next_try).min()
    }

    pub(crate) fn settled(&self) -> bool {
        self.unacked.is_empty()
    }

    fn body(&self, seq: u32, msg: Signal) -> Body {
        Body { inst: self.inst, seq, ack: self.taken, ack_inst: self.peer_inst, msg }
    }
}

#[cfg(test)]
mod tests {
    use rabta_wire::Id;

    use super::*;

    fn link(inst: u32, peer_inst: u32) -> Link {
        Link::new(inst, Party { person: Id([0; 16]), device: Id([0; 16]) }, peer_inst)
    }

    #[test]
    fn messages_arrive_once_and_in_order_whatever_the_wire_does() {
        let (mut a, mut b) = (link(1, 2), link(2, 1));
        for n in 0..5 {
            a.send(0, Signal::Answer { n, sdp: String::new(), sig: String::new() });
        }
        let mut frames = a.poll(0);
        frames.reverse();
        frames.remove(1);
        let twice = frames.clone();
        let mut got = Vec::new();
        for body in frames.into_iter().chain(twice) {
            got.extend(b.receive(body));
        }
        // Number 4 was lost; it comes with the retry.
        assert_eq!(got.len(), 3);
        for body in b.poll(10) {
            assert!(a.receive(body).is_empty());
        }
        let retried = a.poll(1_000);
        assert_eq!(retried.iter().map(|b| b.seq).collect::<Vec<_>>(), [4, 5]);
        got.extend(retried.into_iter().flat_map(|body| b.receive(body)));
        let order: Vec<u32> =
            got.iter().map(|s| if let Signal::Answer { n, .. } = s { *n } else { 99 }).collect();
        assert_eq!(order, [0, 1, 2, 3, 4]);
        for body in b.poll(1_001) {
            a.receive(body);
        }
        assert!(a.settled());
    }

    #[test]
    fn an_acknowledgement_for_an_earlier_instance_counts_for_nothing() {
        let mut a = link(1, 2);
        a.send(0, Signal::Accept);
        a.receive(Body { inst: 2, seq: 0, ack: 9, ack_inst: 77, msg: Signal::Ack });
        assert!(!a.settled());
    }
}
