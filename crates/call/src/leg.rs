//! One leg: a remote party, its signaling line, its negotiation and its link.

use std::collections::{BTreeMap, BTreeSet};

use rabta_wire::{
    Id,
    leg_key::LegKey,
    signal::{Party, Signal},
};

use crate::{
    Candidate, ConnectionWords, EndReason, LegId, LegStats, LegView, Millis, Named, Phase, SdpKind,
    chat::Exchange, link::Link, quality::Level, quality::Quality, third::Question,
};

/// The times that a call is measured by, in milliseconds.
pub mod limits {
    use crate::Millis;

    /// A ring ends after this.
    pub const RING: Millis = 60_000;
    /// The ring is sent again this often, so that a device that comes online late rings too.
    pub const RING_AGAIN: Millis = 3_000;
    /// A ringing device that hears nothing of its caller for this long stops.
    pub const RING_SILENCE: Millis = 20_000;
    /// From the accept to a link.
    pub const CONNECT: Millis = 45_000;
    /// A link that was up may stay away this long before the call ends.
    pub const WAIT: Millis = 300_000;
    /// Between two attempts to restart ICE.
    pub const RESTART_AGAIN: Millis = 5_000;
    /// An offer that got no answer for this long may be followed by another.
    pub const ANSWER: Millis = 12_000;
    /// How long an ended session goes on saying so to a far side that has not acknowledged it.
    pub const LINGER: Millis = 60_000;
    /// How long it stays once everybody knows, to acknowledge their repeats.
    pub const LINGER_SETTLED: Millis = 2_500;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Calling,
    Ringing,
    Accepted,
    Ended(EndReason),
}

/// A description that waits for its signature, or for the verdict on one.
pub(crate) struct Pending {
    pub(crate) token: u64,
    pub(crate) kind: SdpKind,
    pub(crate) n: u32,
    pub(crate) sdp: String,
}

pub(crate) struct Leg {
    pub(crate) id: LegId,
    /// Our instance on the wire.
    pub(crate) inst: u32,
    pub(crate) person: Id,
    /// Of a patient's link, by which we called them.
    pub(crate) patient: bool,
    /// The ask that our ring names.
    pub(crate) ask: Option<Id>,
    /// Of our ring, or of theirs.
    pub(crate) round: u32,
    /// We were introduced to each other: what authenticates this leg in place of what the host holds.
    pub(crate) key: Option<LegKey>,
    /// About whom this patient was asked.
    pub(crate) asked: BTreeMap<Id, Question>,
    /// With whom this patient was connected before we came back: they are not introduced again.
    pub(crate) already: BTreeSet<Id>,
    /// Whether we called, and so offer.
    pub(crate) outgoing: bool,
    /// The device that the leg is bound to; before the first answer of an outgoing call, none.
    pub(crate) link: Option<Link>,
    /// Further devices of the same person that ring.
    pub(crate) others: Vec<Link>,
    pub(crate) state: State,
    pub(crate) started: Millis,
    pub(crate) last_heard: Millis,
    pub(crate) next_ring: Millis,
    pub(crate) accepted_at: Option<Millis>,
    pub(crate) ended_at: Option<Millis>,
    /// Ended, and everybody has been told or will not be reached.
    pub(crate) quiet: bool,
    pub(crate) up: bool,
    pub(crate) ever_up: bool,
    /// Since the link went; from the accept on, if it was never there.
    pub(crate) down_since: Option<Millis>,
    pub(crate) next_restart: Millis,
    /// Whether the far side's socket at the HIE is there, as far as we were told.
    pub(crate) here: bool,
    // Negotiation.
    pub(crate) n: u32,
    pub(crate) offered_at: Option<Millis>,
    pub(crate) unsigned: Option<(SdpKind, String)>,
    pub(crate) signing: Option<Pending>,
    pub(crate) verifying: Option<Pending>,
    pub(crate) described: bool,
    pub(crate) held_local: Vec<Candidate>,
    pub(crate) withheld: Vec<Candidate>,
    pub(crate) remote_described: bool,
    pub(crate) held_remote: Vec<Candidate>,
    // The far side.
    /// A patient agreed: to a picture, or to their voice only.
    pub(crate) agreed: Option<bool>,
    pub(crate) mic_on: bool,
    pub(crate) camera_on: bool,
    pub(crate) stats: LegStats,
    pub(crate) quality: Quality,
    pub(crate) exchange: Exchange,
}

impl Leg {
    pub(crate) fn new(id: LegId, inst: u32, person: Id, outgoing: bool, now: Millis) -> Self {
        Self {
            id,
            inst,
            person,
            patient: false,
            ask: None,
            round: 0,
            key: None,
            asked: BTreeMap::new(),
            already: BTreeSet::new(),
            outgoing,
            link: None,
            others: Vec::new(),
            state: if outgoing { State::Calling } else { State::Ringing },
            started: now,
            last_heard: now,
            next_ring: now,
            accepted_at: None,
            ended_at: None,
            quiet: false,
            up: false,
            ever_up: false,
            down_since: None,
            next_restart: now,
            here: true,
            n: 0,
            offered_at: None,
            unsigned: None,
            signing: None,
            verifying: None,
            described: false,
            held_local: Vec::new(),
            withheld: Vec::new(),
            remote_described: false,
            held_remote: Vec::new(),
            agreed: None,
            mic_on: true,
            camera_on: true,
            stats: LegStats::default(),
            quality: Quality::default(),
            exchange: Exchange::default(),
        }
    }

    pub(crate) fn party(&self) -> Option<Party> {
        self.link.as_ref().map(|link| link.peer)
    }

    /// Whether the far end is a patient's phone that we called.
    pub(crate) fn is_patients(&self) -> bool {
        self.patient && self.key.is_none()
    }

    pub(crate) fn accepted(&self) -> bool {
        self.state == State::Accepted
    }

    pub(crate) fn ended(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    pub(crate) fn send(&mut self, now: Millis, signal: Signal) {
        if let Some(link) = &mut self.link {
            link.send(now, signal);
        }
    }

    /// When the leg must be looked at again, link aside.
    pub(crate) fn deadline(&self, signaling: bool) -> Option<Millis> {
        use limits::*;
        match self.state {
            State::Calling | State::Ringing if self.outgoing => {
                let ring = if signaling { self.next_ring } else { Millis::MAX };
                Some(ring.min(self.started + RING))
            }
            State::Calling | State::Ringing => {
                Some((self.last_heard + RING_SILENCE).min(self.started + RING + RING_SILENCE))
            }
            State::Accepted if !self.up => {
                let end = self.down_since? + if self.ever_up { WAIT } else { CONNECT };
                Some(if signaling { end.min(self.next_restart) } else { end })
            }
            State::Accepted => None,
            State::Ended(_) if self.quiet => None,
            State::Ended(_) => self.quiet_at(),
        }
    }

    /// When an ended leg stops answering: an acknowledged goodbye stays only a moment, for the far side's repeats.
    pub(crate) fn quiet_at(&self) -> Option<Millis> {
        let settled = self.link.iter().chain(&self.others).all(Link::settled);
        let linger = if settled { limits::LINGER_SETTLED } else { limits::LINGER };
        self.ended_at.map(|at| at + linger)
    }

    pub(crate) fn phase(&self, now: Millis) -> Phase {
        match self.state {
            State::Calling => Phase::Calling,
            State::Ringing => Phase::Ringing,
            State::Accepted if self.up => Phase::InCall,
            State::Accepted if self.ever_up => Phase::Waiting { seconds: self.waited(now) },
            State::Accepted => Phase::Connecting,
            State::Ended(reason) => Phase::Ended { reason },
        }
    }

    pub(crate) fn words(&self, now: Millis, signaling: bool) -> ConnectionWords {
        match self.phase(now) {
            Phase::Calling if signaling => ConnectionWords::Calling,
            Phase::Calling => ConnectionWords::CallingWithoutNetwork,
            Phase::Ringing if self.outgoing => ConnectionWords::RingingThere,
            Phase::Ringing => ConnectionWords::RingingHere,
            Phase::Connecting => ConnectionWords::Connecting,
            Phase::InCall => match self.quality.level() {
                Level::Good => ConnectionWords::Good,
                Level::Weak => ConnectionWords::Weak,
                Level::Voice => ConnectionWords::WeakPictureOff,
            },
            Phase::Waiting { seconds } if signaling => ConnectionWords::WaitingForThem { seconds },
            Phase::Waiting { seconds } => ConnectionWords::WaitingForNetwork { seconds },
            Phase::Ended { reason } => ConnectionWords::Ended { reason },
        }
    }

    pub(crate) fn view(&self, now: Millis, signaling: bool, named: Named) -> LegView {
        LegView {
            leg: self.id,
            person: self.person,
            named,
            party: self.party(),
            outgoing: self.outgoing,
            introduced: self.key.is_some(),
            phase: self.phase(now),
            words: self.words(now, signaling),
            agreed: self.agreed.filter(|_| self.is_patients()),
            mic_on: self.mic_on,
            camera_on: self.camera_on,
            stats: self.stats,
        }
    }

    fn waited(&self, now: Millis) -> u32 {
        self.down_since.map_or(0, |since| (now.saturating_sub(since) / 1_000) as u32)
    }
}
