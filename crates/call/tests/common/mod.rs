//! Two or more sessions on a simulated wire with fake engines, run by a seed.
#![allow(dead_code)]

use std::collections::BTreeMap;

use rabta_call::{
    CallSession, CallView, Candidate, EngineCommand, EngineEvent, Input, Intent, Invitation, LegId,
    LinkState, Millis, Output, SdpKind, Setup, refuse_busy,
};
use rabta_wire::{
    Id,
    leg_key::LegKey,
    signal::{Address, Body, ClientFrame, Party, ServerFrame, Signal, VERSION},
};

/// A small generator (xorshift64*): the same seed, the same day.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
}

/// How bad the wire is, in percent and milliseconds.
#[derive(Clone, Copy)]
pub struct Weather {
    pub loss: u64,
    pub twice: u64,
    pub delay: u64,
}

pub const FAIR: Weather = Weather { loss: 0, twice: 0, delay: 20 };

/// An engine of the strictest kind: after an outage a link comes up only through an ICE restart.
#[derive(Default, Clone)]
pub struct FakeLeg {
    generation: u32,
    local: Option<u32>,
    remote: Option<u32>,
    remote_candidates: usize,
    offers: bool,
    up: bool,
    pub open: bool,
    pub closed: bool,
}

pub struct End {
    pub party: Party,
    pub session: Option<CallSession>,
    pub engine: BTreeMap<LegId, FakeLeg>,
    pub finished: bool,
    pub online: bool,
    pub live: bool,
    pub inst: u32,
    /// Whether this end is a patient's.
    pub patient: bool,
    /// Whether this device is in another call.
    pub busy: bool,
}

enum Event {
    Frame { to: usize, frame: ServerFrame },
    Engine { to: usize, event: EngineEvent },
}

pub struct World {
    pub now: Millis,
    pub ends: Vec<End>,
    pub weather: Weather,
    pub network: bool,
    pub dice: Dice,
    /// A router that rewrites every fingerprint on the way.
    pub tampers: bool,
    /// The same, only between these two ends.
    pub tampers_between: Option<(usize, usize)>,
    /// Candidate lines that left an end before anybody accepted.
    pub leaked: Vec<String>,
    /// What the router carried, as it carried it.
    pub carried: Vec<String>,
    queue: BTreeMap<(Millis, u64), Event>,
    count: u64,
}

pub const CALL: Id = Id([9; 16]);

/// A colleague, about ask 5.
pub fn whom(person: u8) -> Invitation {
    let to = Address { person: Id([person; 16]), device: None };
    Invitation { to, ask: Some(Id([5; 16])), patient: false }
}

pub fn party(person: u8, device: u8) -> Party {
    Party { person: Id([person; 16]), device: Id([device; 16]) }
}

impl World {
    /// One end for each party; the first one calls with [`World::dial`].
    pub fn new(seed: u64, weather: Weather, parties: &[Party]) -> Self {
        let end = |(i, party): (usize, &Party)| End {
            party: *party,
            session: None,
            engine: BTreeMap::new(),
            finished: false,
            online: true,
            live: false,
            inst: 100 + i as u32,
            patient: false,
            busy: false,
        };
        Self {
            now: 1_000,
            ends: parties.iter().enumerate().map(end).collect(),
            weather,
            network: true,
            dice: Dice::new(seed),
            tampers: false,
            tampers_between: None,
            leaked: Vec::new(),
            carried: Vec::new(),
            queue: BTreeMap::new(),
            count: 0,
        }
    }

    pub fn dial(&mut self, person: u8) {
        self.dial_from(0, whom(person));
    }

    pub fn dial_from(&mut self, end: usize, to: Invitation) {
        let setup = self.setup(end);
        self.ends[end].session = Some(CallSession::dial(self.now, setup, to));
        self.drain(end);
    }

    /// Calls back into the call, with a fresh program; as the hosts do after a restart, or after hanging up.
    pub fn dial_back_from(&mut self, end: usize, to: Invitation, rounds: u32) {
        self.begin_anew(end);
        let setup = self.setup(end);
        self.ends[end].session = Some(CallSession::dial_back(self.now, setup, to, rounds));
        self.drain(end);
    }

    pub fn view(&self, end: usize) -> CallView {
        self.ends[end].session.as_ref().expect("the end has a session").view(self.now)
    }

    pub fn does(&mut self, end: usize, intent: Intent) {
        self.input(end, Input::Intent(intent));
    }

    pub fn input(&mut self, end: usize, input: Input) {
        let now = self.now;
        if let Some(session) = self.ends[end].session.as_mut() {
            session.handle(now, input);
        }
        self.drain(end);
    }

    pub fn socket(&mut self, end: usize, up: bool) {
        self.ends[end].online = up;
        self.input(end, Input::Signaling { up });
    }

    /// The media's path breaks, or may be found again.
    pub fn set_network(&mut self, up: bool) {
        self.network = up;
        if up {
            return;
        }
        for end in 0..self.ends.len() {
            let legs: Vec<LegId> = self.ends[end].engine.keys().copied().collect();
            for leg in legs {
                let fake = self.ends[end].engine.get_mut(&leg).expect("it was just there");
                if std::mem::take(&mut fake.up) {
                    self.engine_says(end, EngineEvent::Link { leg, state: LinkState::Down });
                }
            }
        }
    }

    pub fn run(&mut self, millis: Millis) {
        let end = self.now + millis;
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until `what` holds, at most this long; whether it came to hold.
    pub fn run_until(&mut self, millis: Millis, what: impl Fn(&World) -> bool) -> bool {
        let end = self.now + millis;
        loop {
            if what(self) {
                return true;
            }
            if !self.step(end) {
                return false;
            }
        }
    }

    fn step(&mut self, end: Millis) -> bool {
        let event = self.queue.keys().next().map(|key| key.0);
        let tick = self.ends.iter().filter_map(|e| e.session.as_ref()?.deadline()).min();
        let next = event.into_iter().chain(tick).min().unwrap_or(Millis::MAX);
        if next > end {
            return false;
        }
        self.now = self.now.max(next);
        if event.is_some_and(|at| at <= self.now) {
            let (_, event) = self.queue.pop_first().expect("it has a first key");
            match event {
                Event::Frame { to, frame } => self.deliver(to, frame),
                Event::Engine { to, event } => self.input(to, Input::Engine(event)),
            }
        } else {
            for i in 0..self.ends.len() {
                self.input(i, Input::Tick);
            }
        }
        true
    }

    fn deliver(&mut self, to: usize, frame: ServerFrame) {
        if !self.ends[to].online {
            return;
        }
        let ServerFrame::From { from, body, .. } = &frame else { return };
        // As the hosts do: a ring of a higher round is not an echo of the one that was answered before.
        if let Signal::Ring { round, .. } = body.msg
            && let Some(session) = &self.ends[to].session
            && session.view(self.now).phase.is_ended()
            && round > session.round()
        {
            self.begin_anew(to);
        }
        if self.ends[to].session.is_none() && !self.ends[to].finished {
            if self.ends[to].busy {
                let inst = self.ends[to].inst;
                let reply = refuse_busy(self.ends[to].party, CALL, *from, body, inst);
                if matches!(body.msg, Signal::Ring { .. }) {
                    self.route(to, reply);
                }
                return;
            }
            let setup = self.setup(to);
            self.ends[to].session = CallSession::incoming(self.now, setup, *from, body);
            return self.drain(to);
        }
        self.input(to, Input::Frame(frame));
    }

    /// The program there starts again: nothing of the call is left in it.
    pub fn begin_anew(&mut self, end: usize) {
        let legs: Vec<LegId> = self.ends[end].engine.keys().copied().collect();
        for leg in legs {
            if !self.ends[end].engine[&leg].closed {
                self.command(end, EngineCommand::CloseLeg { leg });
            }
        }
        let end = &mut self.ends[end];
        (end.session, end.finished, end.inst) = (None, false, end.inst + 50);
        end.engine.clear();
    }

    /// What a page says that was reloaded in a call with `to`.
    pub fn says_rejoin(&mut self, end: usize, to: usize) {
        let inst = self.ends[end].inst;
        let body = Body { inst, seq: 0, ack: 0, ack_inst: 0, msg: Signal::Rejoin };
        let to = self.ends[to].party.into();
        self.route(end, ClientFrame::To { v: VERSION, call: CALL, to, body });
    }

    fn setup(&self, end: usize) -> Setup {
        let End { party, inst, patient, .. } = &self.ends[end];
        let seed = LegKey::from_random([*inst as u8; 32]);
        Setup { call: CALL, me: *party, inst: *inst, seed, patient: *patient, ice_servers: vec![] }
    }

    fn drain(&mut self, end: usize) {
        while let Some(output) = self.ends[end].session.as_mut().and_then(CallSession::poll) {
            match output {
                Output::Send(frame) => self.route(end, frame),
                Output::Engine(command) => self.command(end, command),
                Output::Sign { token, bytes, .. } => {
                    let signature = sign(self.ends[end].party.device, &bytes);
                    self.input(end, Input::Signed { token, signature });
                }
                Output::Verify { token, by, bytes, signature } => {
                    let good = signature == sign(by.device, &bytes);
                    self.input(end, Input::Verified { token, good });
                }
                Output::Finished => {
                    self.ends[end].finished = true;
                }
            }
        }
    }

    fn route(&mut self, from: usize, frame: ClientFrame) {
        let (to, mut body) = match frame {
            ClientFrame::Ring { to, body, .. } | ClientFrame::To { to, body, .. } => (to, body),
            ClientFrame::Hello { .. } | ClientFrame::Leave { .. } => return,
        };
        if !self.ends[from].online {
            return;
        }
        self.watch(&body);
        self.carried.push(rabta_wire::signal::encode(&body));
        let between = |(a, b): (usize, usize)| {
            let (a, b) = (self.ends[a].party.person, self.ends[b].party.person);
            let from = self.ends[from].party.person;
            (from, to.person) == (a, b) || (from, to.person) == (b, a)
        };
        if (self.tampers || self.tampers_between.is_some_and(between))
            && let Signal::Offer { sdp, .. } | Signal::Answer { sdp, .. } = &mut body.msg
        {
            *sdp = sdp.replace("AA", "EE");
        }
        let sender = self.ends[from].party;
        for end in 0..self.ends.len() {
            let there = self.ends[end].party;
            if there.person != to.person || to.device.is_some_and(|device| device != there.device) {
                continue;
            }
            let copies = if self.dice.below(100) < self.weather.loss {
                0
            } else if self.dice.below(100) < self.weather.twice {
                2
            } else {
                1
            };
            for _ in 0..copies {
                let at = self.now + 1 + self.dice.below(self.weather.delay + 1);
                let frame = ServerFrame::From { v: VERSION, call: CALL, from: sender, body: body.clone() };
                self.later(at, Event::Frame { to: end, frame });
            }
        }
    }

    fn watch(&mut self, body: &Body) {
        let accepted = self.ends.iter().any(|end| end.engine.values().any(|leg| leg.open));
        let line = match &body.msg {
            Signal::Candidate { candidate, .. } => candidate,
            Signal::Offer { sdp, .. } | Signal::Answer { sdp, .. } => sdp,
            _ => return,
        };
        if !accepted && line.contains("typ host") {
            self.leaked.push(line.clone());
        }
    }

    fn later(&mut self, at: Millis, event: Event) {
        self.count += 1;
        self.queue.insert((at, self.count), event);
    }

    fn engine_says(&mut self, end: usize, event: EngineEvent) {
        let at = self.now + 1 + self.dice.below(5);
        self.later(at, Event::Engine { to: end, event });
    }

    fn command(&mut self, end: usize, command: EngineCommand) {
        match command {
            EngineCommand::OpenLeg { leg, offers, .. } => {
                self.ends[end].engine.insert(leg, FakeLeg { offers, ..FakeLeg::default() });
                if offers {
                    self.describe(end, leg, SdpKind::Offer);
                }
            }
            EngineCommand::RestartIce { leg } => {
                let fake = self.ends[end].engine.get_mut(&leg).expect("a restart is of an open leg");
                assert!(fake.offers, "only the caller offers");
                fake.generation += 1;
                fake.remote_candidates = 0;
                self.describe(end, leg, SdpKind::Offer);
            }
            EngineCommand::RemoteDescription { leg, kind, sdp } => {
                let generation = sdp.lines().find_map(|l| l.strip_prefix("o=")).expect("our SDP has one");
                let generation = generation.parse().expect("it is a number");
                let fake = self.ends[end].engine.get_mut(&leg).expect("the leg is open");
                fake.remote = Some(generation);
                fake.remote_candidates = 0;
                if kind == SdpKind::Offer {
                    fake.generation = generation;
                    self.describe(end, leg, SdpKind::Answer);
                }
                self.meet();
            }
            EngineCommand::RemoteCandidate { leg, .. } => {
                let fake = self.ends[end].engine.get_mut(&leg).expect("the leg is open");
                assert!(fake.remote.is_some(), "a candidate follows its description");
                fake.remote_candidates += 1;
                self.meet();
            }
            EngineCommand::Media { leg, open } => {
                self.ends[end].engine.get_mut(&leg).expect("the leg is open").open = open;
            }
            EngineCommand::SendData { leg, text, bytes } => {
                if let Some((far, far_leg)) = self.other_side(end, leg)
                    && self.network
                {
                    self.engine_says(far, EngineEvent::Data { leg: far_leg, text, bytes });
                }
            }
            EngineCommand::CloseLeg { leg } => {
                // The far side hears nothing any more and says so a few seconds later.
                if let Some((far, far_leg)) = self.other_side(end, leg)
                    && std::mem::take(&mut self.ends[far].engine.get_mut(&far_leg).expect("it is there").up)
                {
                    let event = EngineEvent::Link { leg: far_leg, state: LinkState::Down };
                    self.later(self.now + 4_000, Event::Engine { to: far, event });
                }
                let fake = self.ends[end].engine.get_mut(&leg).expect("the leg is open");
                (fake.closed, fake.up) = (true, false);
            }
            EngineCommand::Prepare { live } => self.ends[end].live = live,
            EngineCommand::GoLive => self.ends[end].live = true,
            _ => {}
        }
    }

    fn describe(&mut self, end: usize, leg: LegId, kind: SdpKind) {
        let fake = self.ends[end].engine.get_mut(&leg).expect("the leg is open");
        fake.local = Some(fake.generation);
        let generation = fake.generation;
        let sdp = format!("v=0\no={generation}\na=fingerprint:sha-256 AA:{end}\na=candidate:1 typ host\n");
        self.engine_says(end, EngineEvent::LocalDescription { leg, kind, sdp });
        for kind in ["host", "relay"] {
            let candidate =
                Candidate { candidate: format!("candidate:1 typ {kind}"), mid: None, index: None };
            self.engine_says(end, EngineEvent::LocalCandidate { leg, candidate });
        }
    }

    /// Pairs of legs whose two ends know each other's newest description and address come up.
    fn meet(&mut self) {
        if !self.network {
            return;
        }
        let ready = |leg: &FakeLeg| {
            !leg.closed && leg.local.is_some() && leg.local == leg.remote && leg.remote_candidates > 0
        };
        for end in 0..self.ends.len() {
            let legs: Vec<LegId> = self.ends[end].engine.keys().copied().collect();
            for leg in legs {
                let Some((far, far_leg)) = self.other_side(end, leg) else { continue };
                let (a, b) = (&self.ends[end].engine[&leg], &self.ends[far].engine[&far_leg]);
                if ready(a) && ready(b) && a.generation == b.generation && !a.up {
                    self.ends[end].engine.get_mut(&leg).expect("it was just there").up = true;
                    self.engine_says(end, EngineEvent::Link { leg, state: LinkState::Up });
                    self.engine_says(end, EngineEvent::DataOpen { leg });
                }
            }
        }
    }

    /// The far end of a leg, found as a network would: by who talks to whom.
    fn other_side(&self, end: usize, leg: LegId) -> Option<(usize, LegId)> {
        let view = self.ends[end].session.as_ref()?.view(self.now);
        let party = view.legs.iter().find(|l| l.leg == leg)?.party?;
        let far = self.ends.iter().position(|e| e.party == party)?;
        let me = self.ends[end].party;
        let far_view = self.ends[far].session.as_ref()?.view(self.now);
        let far_leg = far_view.legs.iter().find(|l| l.party == Some(me) && !l.phase.is_ended())?;
        if self.ends[far].engine.get(&far_leg.leg).is_none_or(|fake| fake.closed) {
            return None;
        }
        self.ends[far].engine.contains_key(&far_leg.leg).then_some((far, far_leg.leg))
    }
}

fn sign(device: Id, bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(7u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(*b)));
    format!("{device}:{sum}")
}
