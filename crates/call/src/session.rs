//! [`CallSession`]: what goes in, what comes out, and its clockwork.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use rabta_wire::{
    Id,
    data_channel::{CHAT_BYTES, Control, STILL_BYTES},
    leg_key::LegKey,
    signal::{Address, Body, ClientFrame, HangupWhy, IceServer, Party, ServerFrame, Signal, VERSION},
};

use crate::{
    Asked, AskedView, CallView, ChatLine, ConnectionWords, Device, DeviceState, EndReason, EngineCommand,
    EngineEvent, Figures, Invitation, LegId, Millis, Named, Phase, Receipt, StillView,
    chat::Item,
    leg::{Leg, State, limits},
    link::Link,
    third::Wanted,
};

/// What a session is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    pub call: Id,
    /// This person at this device.
    pub me: Party,
    /// Random, not zero, fresh for every session object.
    pub inst: u32,
    /// Random, fresh for every session object: the keys of introductions are made from it.
    pub seed: LegKey,
    /// This end is the patient's: nobody joins it without a yes.
    pub patient: bool,
    pub ice_servers: Vec<IceServer>,
}

/// What the person does.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// Takes an incoming call.
    Accept,
    Decline,
    HangUp,
    Microphone {
        on: bool,
    },
    Camera {
        on: bool,
    },
    /// A line of chat, at most [`CHAT_BYTES`]; longer ones are cut at a character.
    Chat {
        text: String,
    },
    /// Takes a picture with the camera and sends it.
    TakeStill,
    /// Brings one more person into this call. Three is the most.
    Invite(Invitation),
    /// Calls somebody again who is in this call, or was until the link was lost: they are elsewhere now.
    CallAgain {
        person: Id,
    },
    /// The patient's answer to [`CallView::wanted`].
    Answer {
        yes: bool,
    },
    /// What the patient agreed to, for whoever called: with a picture, or voice only.
    Agreed {
        video: bool,
    },
}

/// Everything that reaches a session.
#[derive(Debug, Clone)]
pub enum Input {
    Intent(Intent),
    /// A frame of the HIE, for this call or for all.
    Frame(ServerFrame),
    /// The WebSocket to the HIE is there, and has been greeted, or is not.
    Signaling {
        up: bool,
    },
    Engine(EngineEvent),
    /// What a person is called. Said before they are invited.
    Named {
        person: Id,
        named: Named,
    },
    /// The answer to [`Output::Sign`], base64.
    Signed {
        token: u64,
        signature: String,
    },
    /// The answer to [`Output::Verify`].
    Verified {
        token: u64,
        good: bool,
    },
    /// The window's decoder lost its way.
    KeyFrameNeeded {
        leg: LegId,
    },
    /// Nothing but time.
    Tick,
}

/// Everything that a session asks of its host.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// To the HIE; dropped if there is no socket (the session sends again what matters).
    Send(ClientFrame),
    Engine(EngineCommand),
    /// Authenticate these exact bytes for `to`, with the key of their link or else with this device's; answer with
    /// [`Input::Signed`].
    Sign {
        token: u64,
        to: Party,
        bytes: Vec<u8>,
    },
    /// Did the key of `by`'s link, or else the certified key of `by.device`, enrolled and belonging with `by.person`,
    /// sign these bytes? Answer with [`Input::Verified`].
    Verify {
        token: u64,
        by: Party,
        bytes: Vec<u8>,
        signature: String,
    },
    /// The session is over and said so; drop it.
    Finished,
}

/// A call, seen from one end. See the crate's page.
pub struct CallSession {
    pub(crate) call: Id,
    pub(crate) me: Party,
    pub(crate) inst: u32,
    pub(crate) ask: Option<Id>,
    /// This end is the patient's.
    pub(crate) patient: bool,
    pub(crate) video: bool,
    pub(crate) incoming: bool,
    pub(crate) legs: BTreeMap<LegId, Leg>,
    pub(crate) names: BTreeMap<Id, Named>,
    pub(crate) seed: LegKey,
    /// Keys made from the seed so far.
    pub(crate) keys: u64,
    /// Pairs of a patient's leg and another's that were introduced to each other.
    pub(crate) introduced: BTreeSet<(LegId, LegId)>,
    /// What the second of a pair gets when the first has it, by the first's item.
    pub(crate) second_meet: BTreeMap<u32, (LegId, Control)>,
    pub(crate) wanted: Option<Wanted>,
    /// Whom this patient agreed to.
    pub(crate) agreed: BTreeSet<Id>,
    /// To what this patient agreed.
    pub(crate) agreed_to: Option<bool>,
    rounds: u32,
    next_leg: u32,
    next_token: u64,
    next_item: u32,
    pub(crate) out: VecDeque<Output>,
    pub(crate) signaling: bool,
    pub(crate) ice_servers: Vec<IceServer>,
    mic_on: bool,
    camera_on: bool,
    devices: [DeviceState; 3],
    pub(crate) chat: Vec<ChatLine>,
    /// The item number of our own lines, by index in `chat`.
    pub(crate) own_lines: BTreeMap<u32, usize>,
    pub(crate) stills: Vec<StillView>,
    pub(crate) pictures: BTreeMap<u32, Arc<[u8]>>,
    /// Our stills by item, theirs by leg and item, to the number on the screen.
    pub(crate) still_numbers: BTreeMap<(Option<LegId>, u32), u32>,
    pub(crate) figures: Figures,
    pub(crate) live_since: Option<Millis>,
    pub(crate) engine_closed: bool,
    finished: bool,
}

/// The answer of a device that is in another call already: to send, instead of a session.
pub fn refuse_busy(me: Party, call: Id, from: Party, ring: &Body, inst: u32) -> ClientFrame {
    let mut link = Link::new(inst, from, ring.inst);
    link.send(0, Signal::Busy);
    let body = link.poll(0).remove(0);
    debug_assert_ne!(me, from);
    ClientFrame::To { v: VERSION, call, to: from.into(), body }
}

impl CallSession {
    /// Calls a person, about an ask if there is one.
    pub fn dial(now: Millis, setup: Setup, to: Invitation) -> Self {
        Self::dial_back(now, setup, to, 0)
    }

    /// Calls back into a call that this person has left, or whose program began anew, while others may be in it.
    /// `rounds`: at least as high as that of any ring of theirs in it before ([`Signal::Ring`]).
    pub fn dial_back(now: Millis, setup: Setup, to: Invitation, rounds: u32) -> Self {
        let mut session = Self::new(setup, false, to.ask, true);
        session.rounds = rounds;
        session.command(EngineCommand::Prepare { live: true });
        session.add_outgoing(now, &to);
        session.advance(now);
        session
    }

    /// Rings: `ring` is a [`Signal::Ring`] that came from `from`. `None` if it is anything else.
    pub fn incoming(now: Millis, setup: Setup, from: Party, ring: &Body) -> Option<Self> {
        let Signal::Ring { ask, video, round } = ring.msg else { return None };
        let mut session = Self::new(setup, true, ask, video);
        session.command(EngineCommand::Prepare { live: false });
        let (id, inst) = (session.fresh_leg(), session.fresh_inst());
        let mut leg = Leg::new(id, inst, from.person, false, now);
        leg.round = round;
        leg.link = Some(Link::new(inst, from, ring.inst));
        leg.send(now, Signal::Ringing);
        session.legs.insert(id, leg);
        let ice_servers = session.ice_servers.clone();
        session.command(EngineCommand::OpenLeg { leg: id, offers: false, ice_servers });
        session.advance(now);
        Some(session)
    }

    fn new(setup: Setup, incoming: bool, ask: Option<Id>, video: bool) -> Self {
        Self {
            call: setup.call,
            me: setup.me,
            inst: setup.inst,
            ask,
            video,
            incoming,
            patient: setup.patient,
            legs: BTreeMap::new(),
            names: BTreeMap::new(),
            seed: setup.seed,
            keys: 0,
            introduced: BTreeSet::new(),
            second_meet: BTreeMap::new(),
            wanted: None,
            agreed: BTreeSet::new(),
            agreed_to: None,
            rounds: 0,
            next_leg: 1,
            next_token: 1,
            next_item: 1,
            out: VecDeque::new(),
            signaling: true,
            ice_servers: setup.ice_servers,
            mic_on: true,
            camera_on: video,
            devices: [DeviceState::Unknown; 3],
            chat: Vec::new(),
            own_lines: BTreeMap::new(),
            stills: Vec::new(),
            pictures: BTreeMap::new(),
            still_numbers: BTreeMap::new(),
            figures: Figures::default(),
            live_since: None,
            engine_closed: false,
            finished: false,
        }
    }

    pub fn call(&self) -> Id {
        self.call
    }

    /// The round of the last ring that came ([`Signal::Ring`]): a ring of a higher one is not an echo of it.
    pub fn round(&self) -> u32 {
        self.legs.values().filter(|leg| !leg.outgoing).map(|leg| leg.round).max().unwrap_or_default()
    }

    /// Takes one input. Then [`CallSession::poll`] until it is empty, and see [`CallSession::deadline`].
    pub fn handle(&mut self, now: Millis, input: Input) {
        match input {
            Input::Intent(intent) => self.intent(now, intent),
            Input::Frame(frame) => self.frame(now, frame),
            Input::Signaling { up } => self.signaling(now, up),
            Input::Engine(event) => self.engine(now, event),
            Input::Named { person, named } => self.named(person, named),
            Input::Signed { token, signature } => self.signed(now, token, signature),
            Input::Verified { token, good } => self.verified(now, token, good),
            Input::KeyFrameNeeded { leg } => self.command(EngineCommand::KeyFrame { leg }),
            Input::Tick => {}
        }
        self.advance(now);
    }

    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// The time at which a [`Input::Tick`] is due at the latest, if nothing else comes.
    pub fn deadline(&self) -> Option<Millis> {
        if self.finished {
            return None;
        }
        let legs = self.legs.values().filter_map(|leg| leg.deadline(self.signaling));
        let links = self.links().filter_map(Link::deadline);
        legs.chain(links.filter(|_| self.signaling)).chain(self.question_due()).min()
    }

    /// A still's JPEG, by the number in [`StillView`]; whole ones only.
    pub fn still(&self, number: u32) -> Option<&[u8]> {
        self.pictures.get(&number).map(|jpeg| &jpeg[..])
    }

    pub fn view(&self, now: Millis) -> CallView {
        // The leg that is furthest speaks for the call.
        let rank = |leg: &&Leg| match leg.phase(now) {
            Phase::InCall => 5,
            Phase::Waiting { .. } => 4,
            Phase::Connecting => 3,
            Phase::Ringing => 2,
            Phase::Calling => 1,
            Phase::Ended { .. } => 0,
        };
        let (phase, words) =
            self.legs.values().max_by_key(rank).map_or((Phase::Calling, ConnectionWords::Calling), |leg| {
                (leg.phase(now), leg.words(now, self.signaling))
            });
        CallView {
            call: self.call,
            ask: self.ask,
            incoming: self.incoming,
            phase,
            words,
            legs: self.newest().map(|leg| leg.view(now, self.signaling, self.called(leg.person))).collect(),
            seconds: self.live_since.map_or(0, |since| (now.saturating_sub(since) / 1_000) as u32),
            mic_on: self.mic_on,
            camera_on: self.camera_on,
            microphone: self.devices[0],
            camera: self.devices[1],
            speaker: self.devices[2],
            chat: self.chat.clone(),
            stills: self.stills.clone(),
            figures: self.figures,
            asked: self.asked_views(),
            wanted: self.wanted.as_ref().map(|wanted| wanted.named.clone()),
            here_already: self.here_already(),
        }
    }

    fn called(&self, person: Id) -> Named {
        self.names.get(&person).cloned().unwrap_or_default()
    }

    /// Of each person the newest leg.
    fn newest(&self) -> impl Iterator<Item = &Leg> {
        self.legs
            .values()
            .filter(|leg| self.legs.values().all(|other| other.person != leg.person || other.id <= leg.id))
    }

    /// Yes is no news; nobody is asked about who talks already.
    fn asked_views(&self) -> Vec<AskedView> {
        let patients = self.newest().filter(|leg| leg.accepted());
        let asked = patients.flat_map(|leg| leg.asked.iter()).filter(|(_, q)| q.state != Asked::Yes);
        asked
            .map(|(person, q)| AskedView { person: *person, named: self.called(*person), asked: q.state })
            .collect()
    }

    fn intent(&mut self, now: Millis, intent: Intent) {
        match intent {
            Intent::Accept => self.accept(now),
            Intent::Decline => {
                for leg in self.legs.values_mut().filter(|leg| !leg.outgoing && leg.state == State::Ringing) {
                    leg.send(now, Signal::Decline);
                }
                self.end_where(
                    now,
                    |leg| leg.state == State::Ringing && !leg.outgoing,
                    EndReason::WeDeclined,
                );
            }
            Intent::HangUp => {
                let open: Vec<LegId> = self.legs.values().filter(|l| !l.ended()).map(|l| l.id).collect();
                for leg in open {
                    self.hang_up(now, leg, HangupWhy::HungUp, EndReason::WeHungUp);
                }
            }
            Intent::Microphone { on } => {
                self.mic_on = on;
                self.command(EngineCommand::Microphone { on });
                self.say_media(now);
            }
            Intent::Camera { on } => {
                self.camera_on = on;
                self.command(EngineCommand::Camera { on });
                self.say_media(now);
            }
            Intent::Chat { text } => self.say(now, text),
            Intent::TakeStill => self.command(EngineCommand::TakeStill),
            Intent::Invite(invitation) => self.invite(now, invitation),
            Intent::CallAgain { person } => self.call_again(now, person),
            Intent::Answer { yes } => self.answer(yes),
            Intent::Agreed { video } => {
                self.agreed_to = Some(video);
                let own = |leg: &&Leg| leg.key.is_none() && !leg.ended();
                let legs: Vec<LegId> = self.legs.values().filter(own).map(|leg| leg.id).collect();
                legs.into_iter().for_each(|leg| self.say_agreed(leg));
            }
        }
    }

    fn say(&mut self, now: Millis, mut text: String) {
        if text.len() > CHAT_BYTES {
            let cut = (0..=CHAT_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(cut);
        }
        if text.trim().is_empty() {
            return;
        }
        let item = self.queue_item(&Item::Chat(text.clone()));
        self.own_lines.insert(item, self.chat.len());
        self.chat.push(ChatLine { from_us: true, leg: None, text, receipt: Receipt::Waiting, at_ms: now });
    }

    /// Takes the engine's picture on its way to every leg.
    pub(crate) fn send_still(&mut self, jpeg: Vec<u8>, width: u32, height: u32) {
        if jpeg.is_empty() || jpeg.len() > STILL_BYTES {
            return;
        }
        let jpeg: Arc<[u8]> = jpeg.into();
        let item = self.queue_item(&Item::Still { width, height, jpeg: jpeg.clone() });
        let number = self.stills.len() as u32 + 1;
        self.still_numbers.insert((None, item), number);
        let bytes = jpeg.len() as u32;
        self.stills.push(StillView { number, from_us: true, width, height, bytes, done: 0 });
        self.pictures.insert(number, jpeg);
    }

    fn queue_item(&mut self, item: &Item) -> u32 {
        let id = self.fresh_item();
        for leg in self.legs.values_mut().filter(|leg| !leg.ended()) {
            leg.exchange.queue(id, item.clone());
        }
        id
    }

    pub(crate) fn say_media(&mut self, now: Millis) {
        // One that is not there, or broke, is off to the far side. One that was not tried yet counts as there.
        let there = |state| matches!(state, DeviceState::Unknown | DeviceState::Working);
        let (mic, camera) = (self.mic_on && there(self.devices[0]), self.camera_on && there(self.devices[1]));
        for leg in self.legs.values_mut().filter(|leg| leg.accepted()) {
            leg.send(now, Signal::Media { mic, camera });
        }
    }

    pub(crate) fn device(&mut self, now: Millis, device: Device, state: DeviceState) {
        let at = match device {
            Device::Microphone => 0,
            Device::Camera => 1,
            Device::Speaker => 2,
        };
        if self.devices[at] != state {
            self.devices[at] = state;
            self.say_media(now);
        }
    }

    fn signaling(&mut self, now: Millis, up: bool) {
        self.signaling = up;
        for leg in self.legs.values_mut() {
            // Silence while our own socket was away says nothing about the caller.
            leg.last_heard = now;
            leg.next_ring = now;
            for link in leg.link.iter_mut().chain(&mut leg.others).filter(|_| up) {
                link.retry_now();
            }
        }
    }

    pub(crate) fn add_outgoing(&mut self, now: Millis, to: &Invitation) -> LegId {
        let (id, inst) = (self.fresh_leg(), self.fresh_inst());
        self.rounds += 1;
        let mut leg = Leg::new(id, inst, to.to.person, true, now);
        (leg.ask, leg.patient, leg.round) = (to.ask, to.patient, self.rounds);
        self.legs.insert(id, leg);
        let ice_servers = self.ice_servers.clone();
        self.command(EngineCommand::OpenLeg { leg: id, offers: true, ice_servers });
        id
    }

    /// Our instance on the newest leg: the session's own on the first.
    pub(crate) fn fresh_inst(&self) -> u32 {
        let legs = self.next_leg.saturating_sub(2);
        (self.inst ^ legs.wrapping_mul(0x9e37_79b1)).max(1)
    }

    pub(crate) fn fresh_item(&mut self) -> u32 {
        self.next_item += 1;
        self.next_item - 1
    }

    pub(crate) fn fresh_leg(&mut self) -> LegId {
        self.next_leg += 1;
        LegId(self.next_leg - 1)
    }

    pub(crate) fn fresh_token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token - 1
    }

    pub(crate) fn command(&mut self, command: EngineCommand) {
        if !self.engine_closed {
            self.out.push_back(Output::Engine(command));
        }
    }

    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.legs.values().filter(|leg| !leg.quiet).flat_map(|leg| leg.link.iter().chain(&leg.others))
    }

    fn end_where(&mut self, now: Millis, which: impl Fn(&Leg) -> bool, reason: EndReason) {
        let ids: Vec<LegId> = self.legs.values().filter(|leg| which(leg)).map(|leg| leg.id).collect();
        for id in ids {
            self.end(now, id, reason);
        }
    }

    /// Ends a leg and tells its far side, every device of it.
    pub(crate) fn hang_up(&mut self, now: Millis, id: LegId, why: HangupWhy, reason: EndReason) {
        let call = self.call;
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.ended() {
            return;
        }
        let inst = leg.inst;
        for link in leg.link.iter_mut().chain(&mut leg.others) {
            link.send(now, Signal::Hangup { why });
        }
        if leg.outgoing && !leg.accepted() {
            // Devices that ring and whose answer has not reached us.
            let to = Address { person: leg.person, device: None };
            let body = Body { inst, seq: 0, ack: 0, ack_inst: 0, msg: Signal::Hangup { why } };
            self.out.push_back(Output::Send(ClientFrame::To { v: VERSION, call, to, body }));
        }
        let bye = leg.exchange.bye(why);
        if let Some((text, bytes)) = bye {
            self.command(EngineCommand::SendData { leg: id, text, bytes });
        }
        self.end(now, id, reason);
    }

    pub(crate) fn end(&mut self, now: Millis, id: LegId, reason: EndReason) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.ended() {
            return;
        }
        leg.state = State::Ended(reason);
        leg.ended_at = Some(now);
        leg.up = false;
        leg.exchange.closed();
        self.wanted.take_if(|wanted| wanted.leg == id);
        self.command(EngineCommand::CloseLeg { leg: id });
        if self.legs.values().all(Leg::ended) {
            self.command(EngineCommand::Close);
            self.engine_closed = true;
        }
    }

    /// What time alone brings, and what is due on the wire.
    pub(crate) fn advance(&mut self, now: Millis) {
        let ids: Vec<LegId> = self.legs.keys().copied().collect();
        for id in ids {
            self.advance_leg(now, id);
        }
        self.introduce(now);
        self.flush_exchange();
        if self.signaling {
            self.flush_links(now);
        }
        self.finish(now);
    }

    fn advance_leg(&mut self, now: Millis, id: LegId) {
        let signaling = self.signaling;
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match leg.state {
            State::Calling | State::Ringing if leg.outgoing => {
                if now >= leg.started + limits::RING {
                    self.hang_up(now, id, HangupWhy::NoAnswer, EndReason::NoAnswer);
                } else if signaling && now >= leg.next_ring {
                    leg.next_ring = now + limits::RING_AGAIN;
                    let to = Address { person: leg.person, device: None };
                    let msg = Signal::Ring { ask: leg.ask, video: self.video, round: leg.round };
                    let body = Body { inst: leg.inst, seq: 0, ack: 0, ack_inst: 0, msg };
                    let frame = ClientFrame::Ring { v: VERSION, call: self.call, to, body };
                    self.out.push_back(Output::Send(frame));
                }
            }
            State::Calling | State::Ringing => {
                let silent = now >= leg.last_heard + limits::RING_SILENCE;
                if silent || now >= leg.started + limits::RING + limits::RING_SILENCE {
                    self.end(now, id, EndReason::Missed);
                }
            }
            State::Accepted if !leg.up => {
                let since = *leg.down_since.get_or_insert(now);
                let (most, reason) = if leg.ever_up {
                    (limits::WAIT, EndReason::LinkLost)
                } else {
                    (limits::CONNECT, EndReason::NotConnected)
                };
                if now >= since + most {
                    self.hang_up(now, id, HangupWhy::Failed, reason);
                } else if signaling && now >= leg.next_restart {
                    self.seek(now, id);
                }
            }
            State::Accepted | State::Ended(_) => {}
        }
    }

    fn flush_exchange(&mut self) {
        let mut commands = Vec::new();
        for leg in self.legs.values_mut().filter(|leg| leg.accepted()) {
            for (text, bytes) in leg.exchange.flush() {
                commands.push(EngineCommand::SendData { leg: leg.id, text, bytes });
            }
        }
        commands.into_iter().for_each(|command| self.command(command));
    }

    fn flush_links(&mut self, now: Millis) {
        let call = self.call;
        for leg in self.legs.values_mut().filter(|leg| !leg.quiet) {
            for link in leg.link.iter_mut().chain(&mut leg.others) {
                let to: Address = link.peer.into();
                for body in link.poll(now) {
                    self.out.push_back(Output::Send(ClientFrame::To { v: VERSION, call, to, body }));
                }
            }
        }
    }

    fn finish(&mut self, now: Millis) {
        for leg in self.legs.values_mut() {
            leg.quiet |= leg.quiet_at().is_some_and(|at| now >= at);
        }
        if !self.finished && self.legs.values().all(|leg| leg.quiet) {
            self.finished = true;
            self.out.push_back(Output::Send(ClientFrame::Leave { v: VERSION, call: self.call }));
            self.out.push_back(Output::Finished);
        }
    }
}
