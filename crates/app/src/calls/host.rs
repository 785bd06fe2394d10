//! The host of call sessions: gives them time, wires, keys and an engine, and does what they ask.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use rabta_call::{CallSession, EngineEvent, Input, Intent, Millis, Named, Output, Phase, Setup, refuse_busy};
use rabta_engine::{NativeEngine, Ring};
use rabta_ipc::Error;
use rabta_store::{RecordStore, Transaction};
use rabta_sync::{SocketEvent, SocketHandle, Traffic};
use rabta_wire::{
    Id,
    guest::LinkSecret,
    leg_key::LegKey,
    signal::{Address, Body, IceServer, Party, Refusal, ServerFrame, Signal},
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    about::About,
    desk::Desk,
    frames::FrameDesk,
    last::{self, Last, Rung},
    leaving::Leaving,
    stretch::{self, Stretch},
    trust::Trust,
    view::{Known, view},
};
use crate::Inner;

/// The role of whom a link is for.
pub(super) const PATIENT: &str = "patient";
/// The screen counts seconds.
const TICK: Duration = Duration::from_secs(1);

type Answer<T> = oneshot::Sender<Result<T, Error>>;

/// What the window wants.
pub(super) enum Wish {
    Start {
        about: About,
        to: Address,
        video: bool,
        answer: Answer<()>,
    },
    Accept {
        video: bool,
        /// Milliseconds since 1970.
        pressed_at: i64,
        answer: Answer<()>,
    },
    /// One more into the running call.
    BringIn {
        about: About,
        to: Address,
        answer: Answer<()>,
    },
    Intent {
        intent: Intent,
        answer: Answer<()>,
    },
    /// The window drew the far side's first picture; milliseconds since 1970.
    PictureDrawn {
        at: i64,
    },
    /// The window's decoder of the far picture lost its place; with `own`, the window is new and has none at all.
    KeyFrame {
        own: bool,
    },
    End {
        done: oneshot::Sender<()>,
    },
}

pub(super) struct Parts {
    pub app: Arc<Inner>,
    pub me: Party,
    pub device_key: Arc<SigningKey>,
    pub trust: Trust,
    pub socket: SocketHandle,
    pub desk: Arc<Mutex<Desk>>,
    pub frames: FrameDesk,
    pub traffic: Arc<Traffic>,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
}

/// The session that the window sees, with its engine.
struct Running {
    session: CallSession,
    engine: NativeEngine,
    events: mpsc::UnboundedReceiver<EngineEvent>,
    counted: watch::Receiver<u64>,
    known: Known,
    /// Its stretches were written down.
    kept: bool,
    /// The bell, while somebody rings here.
    ring: Option<Ring>,
    /// Of patients' links, by their guests: the two ends know each other by it.
    secrets: BTreeMap<Id, LinkSecret>,
    /// Whom we brought in about an ask, where the call itself is about none: what is said with them belongs to it.
    brought: Option<(Id, Id)>,
    /// Who was still with the patient when we came back, and is rung again.
    found_there: Vec<Id>,
}

impl Running {
    fn new(
        session: CallSession,
        engine: NativeEngine,
        events: mpsc::UnboundedReceiver<EngineEvent>,
        counted: watch::Receiver<u64>,
    ) -> Self {
        Self {
            session,
            engine,
            events,
            counted,
            known: Known::default(),
            kept: false,
            ring: None,
            secrets: BTreeMap::new(),
            brought: None,
            found_there: Vec::new(),
        }
    }
}

/// What a task of ours found out for a call.
enum Found {
    Verified {
        call: Id,
        token: u64,
        by: Party,
        good: bool,
    },
    Person {
        person: Id,
        name: String,
        role: String,
    },
    /// With the patient to whom we came back is still somebody whom we had rung.
    StillThere {
        call: Id,
        rung: Rung,
    },
}

pub(super) struct Host {
    parts: Parts,
    /// The zero of the clock that sessions and engines share.
    epoch: Instant,
    running: Option<Running>,
    leaving: Leaving,
    /// The last call that we made, the running one included.
    last: Option<Last>,
    ice_servers: Vec<IceServer>,
    signaling: bool,
    found: (mpsc::UnboundedSender<Found>, mpsc::UnboundedReceiver<Found>),
}

impl Host {
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            epoch: Instant::now(),
            running: None,
            leaving: Leaving::default(),
            last: None,
            ice_servers: Vec::new(),
            signaling: false,
            found: mpsc::unbounded_channel(),
        }
    }

    /// Works until it is stopped.
    pub async fn run(
        mut self,
        mut wishes: mpsc::UnboundedReceiver<Wish>,
        mut socket: mpsc::Receiver<SocketEvent>,
    ) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let wake = self.deadline();
            let idle = self.running.is_none();
            tokio::select! {
                () = self.parts.stop.cancelled() => return,
                Some(wish) = wishes.recv() => self.wish(wish).await,
                Some(event) = socket.recv() => self.heard(event).await,
                Some(event) = engine_event(&mut self.running) => {
                    self.count(&event);
                    self.input(Input::Engine(event)).await;
                }
                Some(found) = self.found.1.recv() => self.found(found).await,
                () = sleep_until(wake) => self.tick().await,
                _ = tick.tick(), if !idle => self.tick().await,
            }
        }
    }

    /// What a leg's sound and picture cost, from each second's report.
    fn count(&self, event: &EngineEvent) {
        if let EngineEvent::Stats { stats, .. } = event {
            let bytes = |kbps: u32| kbps as usize * 1_000 / 8;
            self.parts.traffic.add_received(bytes(stats.audio_in_kbps + stats.video_in_kbps));
            self.parts.traffic.add_sent(bytes(stats.audio_out_kbps + stats.video_out_kbps));
        }
    }

    fn now(&self) -> Millis {
        self.epoch.elapsed().as_millis() as Millis
    }

    fn deadline(&self) -> Option<Instant> {
        let running = self.running.as_ref().and_then(|running| running.session.deadline());
        let soonest = running.into_iter().chain(self.leaving.deadline()).min()?;
        Some(self.epoch + Duration::from_millis(soonest))
    }

    async fn wish(&mut self, wish: Wish) {
        match wish {
            Wish::Start { about, to, video, answer } => {
                let done = self.start(about, to, video).await;
                let _ = answer.send(done);
            }
            Wish::Accept { video, pressed_at, answer } => {
                let done = if self.is_busy() {
                    self.pressed(pressed_at);
                    if !video {
                        self.input(Input::Intent(Intent::Camera { on: false })).await;
                    }
                    self.input(Input::Intent(Intent::Accept)).await;
                    Ok(())
                } else {
                    Err(Error::new("not-found"))
                };
                let _ = answer.send(done);
            }
            Wish::BringIn { about, to, answer } => {
                let _ = answer.send(self.bring_in(about, to).await);
            }
            Wish::Intent { intent, answer } => {
                let done = if self.running.is_some() { Ok(()) } else { Err(Error::new("not-found")) };
                if done.is_ok() {
                    self.input(Input::Intent(intent)).await;
                }
                let _ = answer.send(done);
            }
            Wish::PictureDrawn { at } => {
                if let Some(running) = &mut self.running {
                    running.known.waits.drawn(at);
                }
                self.show().await;
            }
            Wish::KeyFrame { own } => {
                if let Some(running) = self.running.as_ref().filter(|_| own) {
                    running.engine.own_key_frame();
                }
                let legs = self.running.as_ref().map(|running| running.session.view(self.now()).legs);
                for leg in legs.unwrap_or_default() {
                    self.input(Input::KeyFrameNeeded { leg: leg.leg }).await;
                }
            }
            Wish::End { done } => {
                self.input(Input::Intent(Intent::HangUp)).await;
                self.keep_stretches().await;
                self.running = None;
                self.parts.desk.lock().expect("nothing panics while it is held").clear();
                let _ = done.send(());
            }
        }
    }

    /// The person's wait began when they pressed, a moment before the shell heard of it.
    fn pressed(&mut self, at: i64) {
        let now = self.parts.app.config.clock.millis();
        if let Some(running) = &mut self.running {
            running.known.waits.pressed(at, now);
        }
    }

    async fn start(&mut self, about: About, to: Address, video: bool) -> Result<(), Error> {
        if self.is_busy() {
            return Err(Error::new("in-a-call"));
        }
        self.retire().await;
        let at = self.parts.app.config.clock.millis();
        let (invitation, store, me) = (about.invitation(to), &self.parts.trust.store, self.parts.me.person);
        let last = last::of_call_to(Rung::of(&invitation), self.last.take(), store, me, at).await;
        let setup = self.setup(last.call)?;
        let (engine, events, counted) = self.engine()?;
        let rounds = last.rounds();
        self.leaving.drop_call(last.call);
        self.last = Some(last);
        self.note(Rung::of(&invitation), true).await;
        let session = CallSession::dial_back(self.now(), setup, invitation, rounds);
        let mut running = Running::new(session, engine, events, counted);
        if let About::Link { link, .. } = &about {
            running.known.link = Some(link.clone());
        }
        self.begin(running).await;
        self.introduce(about, to.person).await;
        if !video {
            self.input(Input::Intent(Intent::Camera { on: false })).await;
        }
        Ok(())
    }

    /// Remembers whom we ring in the running call.
    async fn note(&mut self, rung: Rung, begins: bool) {
        let Some(last) = &mut self.last else { return };
        if last.note(rung) || begins {
            last::keep(&self.parts.trust.store, self.parts.me.person, last).await;
        }
    }

    /// One more into the running call.
    async fn bring_in(&mut self, about: About, to: Address) -> Result<(), Error> {
        if !self.is_busy() {
            return Err(Error::new("not-found"));
        }
        let invitation = about.invitation(to);
        if let (About::Ask(ask), Some(running)) = (&about, &mut self.running) {
            running.brought = Some((*ask, to.person));
        }
        if self.is_ours() {
            self.note(Rung::of(&invitation), false).await;
        }
        self.introduce(about, to.person).await;
        self.input(Input::Intent(Intent::Invite(invitation))).await;
        Ok(())
    }

    /// What is known of whom we call, before they are called.
    async fn introduce(&mut self, about: About, person: Id) {
        match about {
            About::Link { secret, name, .. } => {
                if let Some(running) = &mut self.running {
                    running.secrets.insert(person, secret);
                }
                self.known(person, name, PATIENT.to_owned()).await;
            }
            About::Ask(_) | About::Colleague => {
                if let Some((name, role)) = self.parts.trust.person(person).await {
                    self.known(person, name, role).await;
                }
            }
        }
    }

    async fn known(&mut self, person: Id, name: String, role: String) {
        if let Some(running) = &mut self.running {
            running.known.persons.insert(person, (name.clone(), role.clone()));
        }
        self.input(Input::Named { person, named: Named { name, role } }).await;
    }

    fn setup(&self, call: Id) -> Result<Setup, Error> {
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|_| Error::detail("unexpected", "no randomness"))?;
        // Zero means "nobody" on the wire.
        let inst = u32::from_ne_bytes(random).max(1);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| Error::detail("unexpected", "no randomness"))?;
        let (me, ice_servers) = (self.parts.me, self.ice_servers.clone());
        Ok(Setup { call, me, inst, seed: LegKey::from_random(seed), patient: false, ice_servers })
    }

    #[allow(clippy::type_complexity)]
    fn engine(
        &self,
    ) -> Result<(NativeEngine, mpsc::UnboundedReceiver<EngineEvent>, watch::Receiver<u64>), Error> {
        let (tell, events) = mpsc::unbounded_channel();
        let config = self.parts.app.config.media.engine(self.epoch);
        let (engine, frames) = NativeEngine::start(config, tell).map_err(|error| {
            tracing::error!(%error, "no call engine");
            Error::detail("unexpected", error)
        })?;
        let (counted, count) = watch::channel(0);
        self.spawn(self.parts.frames.clone().carry(frames, counted));
        Ok((engine, events, count))
    }

    async fn begin(&mut self, running: Running) {
        tracing::info!(call = %running.session.call(), "a call begins");
        self.parts.desk.lock().expect("nothing panics while it is held").clear();
        self.running = Some(running);
        // Others' sync and our own yield to the voice.
        self.parts.socket.calling(true);
        self.parts.trust.sync.calling(true);
        self.input(Input::Signaling { up: self.signaling }).await;
    }

    /// The running call is the last one that we made.
    fn is_ours(&self) -> bool {
        let call = self.running.as_ref().map(|running| running.session.call());
        self.last.as_ref().map(|last| last.call) == call
    }

    /// A call that is not over.
    fn is_busy(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.session.view(self.now()).phase.is_ended())
    }

    async fn heard(&mut self, event: SocketEvent) {
        match event {
            SocketEvent::Up | SocketEvent::Down => {
                self.signaling = event == SocketEvent::Up;
                if !self.signaling {
                    self.desk(|desk| desk.online.clear());
                }
                self.all(Input::Signaling { up: self.signaling }).await;
            }
            SocketEvent::Frame(frame) => self.frame(frame).await,
            SocketEvent::Hint(_) => {}
        }
    }

    async fn frame(&mut self, frame: ServerFrame) {
        match &frame {
            ServerFrame::Welcome { ice_servers, .. } | ServerFrame::IceServers { ice_servers, .. } => {
                self.ice_servers.clone_from(ice_servers);
            }
            ServerFrame::From { from, .. } => self.online(from.person, true),
            ServerFrame::Presence { party, here, .. } => self.online(party.person, *here),
            ServerFrame::Refused { call, code, to, .. } => {
                tracing::debug!(?code, "a signaling frame was refused");
                self.refused(*call, *code, *to);
            }
        }
        if let ServerFrame::From { call, from, body, .. } = &frame
            && let Signal::Ring { round, .. } = body.msg
            && self.is_news(*call, round)
        {
            self.rung(*call, *from, body).await;
            return;
        }
        self.all(Input::Frame(frame)).await;
    }

    /// For the running call and those that are over.
    async fn all(&mut self, input: Input) {
        self.leaving.handle(self.now(), &input, &self.parts.socket);
        self.input(input).await;
    }

    /// Who is not there is shown so. What may not be is the session's to end.
    fn refused(&mut self, call: Option<Id>, code: Refusal, to: Option<Address>) {
        let Some(running) = self.running.as_ref().filter(|running| call == Some(running.session.call()))
        else {
            return;
        };
        if code == Refusal::NotHere {
            let all = running.session.view(self.now()).legs.into_iter().map(|leg| leg.person);
            let persons: Vec<Id> = all.filter(|person| to.is_none_or(|to| to.person == *person)).collect();
            persons.into_iter().for_each(|person| self.online(person, false));
        }
        if code == Refusal::NotAllowed
            && let Some(last) = self.last.as_mut().filter(|last| call == Some(last.call))
        {
            last.forget();
        }
    }

    /// Whether a ring is of a call that we do not know, or calls back into one that we have left.
    fn is_news(&self, call: Id, round: u32) -> bool {
        if let Some(running) = self.running.as_ref().filter(|running| running.session.call() == call) {
            return !self.is_busy() && round > running.session.round();
        }
        self.leaving.is_new(call, round)
    }

    /// Somebody calls.
    async fn rung(&mut self, call: Id, from: Party, ring: &Body) {
        let Ok(setup) = self.setup(call) else { return };
        if self.is_busy() {
            self.parts.socket.send(refuse_busy(self.parts.me, call, from, ring, setup.inst));
            return;
        }
        self.retire().await;
        self.leaving.drop_call(call);
        let Some(session) = CallSession::incoming(self.now(), setup, from, ring) else { return };
        let Ok((engine, events, counted)) = self.engine() else { return };
        self.begin(Running::new(session, engine, events, counted)).await;
        self.look_up(from.person);
    }

    async fn input(&mut self, input: Input) {
        let now = self.now();
        let Some(running) = &mut self.running else { return };
        running.session.handle(now, input);
        let mut finished = false;
        while let Some(output) = running.session.poll() {
            match output {
                Output::Send(frame) => self.parts.socket.send(frame),
                Output::Engine(command) => running.engine.command(command),
                Output::Sign { token, to, bytes } => {
                    let signature = match running.secrets.get(&to.person) {
                        Some(secret) => secret.mac(&bytes),
                        None => STANDARD.encode(self.parts.device_key.sign(&bytes).to_bytes()),
                    };
                    running.session.handle(now, Input::Signed { token, signature });
                }
                Output::Verify { token, by, bytes, signature }
                    if running.secrets.contains_key(&by.person) =>
                {
                    let secret = running.secrets.get(&by.person);
                    let good = secret.is_some_and(|secret| secret.good(&bytes, &signature));
                    let call = running.session.call();
                    let _ = self.found.0.send(Found::Verified { call, token, by, good });
                }
                Output::Verify { token, by, bytes, signature } => {
                    let (call, trust, found) =
                        (running.session.call(), self.parts.trust.clone(), self.found.0.clone());
                    let stop = self.parts.stop.clone();
                    self.parts.tasks.spawn(async move {
                        tokio::select! {
                            good = trust.signed(by, &bytes, &signature) => {
                                let _ = found.send(Found::Verified { call, token, by, good });
                            }
                            () = stop.cancelled() => {}
                        }
                    });
                }
                Output::Finished => finished = true,
            }
        }
        self.show().await;
        if finished {
            self.finish().await;
        }
    }

    /// The window sees how it stands.
    async fn show(&mut self) {
        let now = self.now();
        let at = self.parts.app.config.clock.millis();
        let Some(running) = &mut self.running else { return };
        let seen = running.session.view(now);
        running.known.frames = *running.counted.borrow();
        if seen.legs.iter().any(|leg| matches!(leg.phase, Phase::Connecting | Phase::InCall)) {
            running.known.waits.accepted(at);
        }
        let rings = seen.legs.iter().any(|leg| !leg.outgoing && leg.phase == Phase::Ringing);
        if !rings {
            running.ring = None;
        } else if running.ring.is_none() {
            running.ring = Some(Ring::start(self.parts.app.config.media.loudspeaker.clone()));
        }
        for rung in self.last.iter().flat_map(|last| last.still_there(&seen)) {
            if !running.found_there.contains(&rung.person) {
                running.found_there.push(rung.person);
                let _ = self.found.0.send(Found::StillThere { call: seen.call, rung });
            }
        }
        let shown = view(&seen, &running.known);
        {
            let mut desk = self.parts.desk.lock().expect("nothing panics while it is held");
            let with = running.brought.filter(|_| seen.ask.is_none()).map(|(_, person)| person);
            stretch::note(&mut desk.stretches, stretch::modality(&seen, with), at);
            desk.collect(&self.parts.app, &running.session, &seen, at);
            desk.show(&self.parts.app, Some(shown));
        }
        if seen.phase.is_ended() {
            self.keep_stretches().await;
        }
    }

    async fn found(&mut self, found: Found) {
        match found {
            Found::Verified { call, token, by, good } => {
                let Some(running) = self.running.as_mut().filter(|running| running.session.call() == call)
                else {
                    return;
                };
                if good && !running.known.verified.contains(&by.person) {
                    running.known.verified.push(by.person);
                }
                self.input(Input::Verified { token, good }).await;
            }
            Found::Person { person, name, role } => self.known(person, name, role).await,
            Found::StillThere { call, rung } => {
                if self.running.as_ref().is_some_and(|running| running.session.call() == call) {
                    let about = rung.ask.map_or(About::Colleague, About::Ask);
                    let to = Address { person: rung.person, device: None };
                    let _ = self.bring_in(about, to).await;
                }
            }
        }
    }

    async fn tick(&mut self) {
        self.all(Input::Tick).await;
    }

    /// The session said goodbye and was heard, or long enough.
    async fn finish(&mut self) {
        self.keep_stretches().await;
        if let Some(running) = self.running.take() {
            tracing::info!(call = %running.session.call(), "a call is over");
            self.leaving.forget(running.session.call(), running.session.round());
        }
        self.desk(Desk::clear);
        let app = self.parts.app.clone();
        let _ = app.events.send(rabta_ipc::Event::Call { call: None });
    }

    /// An ended call makes room for the next: its goodbyes go on, its engine is gone.
    async fn retire(&mut self) {
        self.keep_stretches().await;
        if let Some(running) = self.running.take() {
            self.leaving.push(running.session);
        }
    }

    /// Writes down how the call went, once, when it is over; sync may hurry again.
    async fn keep_stretches(&mut self) {
        let Some(running) = self.running.as_mut().filter(|running| !running.kept) else { return };
        running.kept = true;
        let (figures, waits) = (running.session.view(0).figures, running.known.waits);
        tracing::info!(
            call = %running.session.call(),
            ring_to_link_ms = ?figures.ring_to_link_ms,
            press_to_shell_ms = waits.press_to_shell_ms,
            accept_to_first_audio_ms = ?figures.accept_to_first_audio_ms,
            accept_to_first_frame_ms = ?figures.accept_to_first_video_ms,
            accept_to_first_picture_ms = ?waits.first_picture_ms,
            "how long a call's people waited"
        );
        self.parts.socket.calling(false);
        self.parts.trust.sync.calling(false);
        let ask = running.session.view(0).ask.or(running.brought.map(|(ask, _)| ask));
        let fresh: Vec<Stretch> =
            std::mem::take(&mut self.parts.desk.lock().expect("nothing panics while it is held").stretches);
        let Some(ask) = ask.filter(|_| !fresh.is_empty()) else { return };
        let (store, key) = (&self.parts.trust.store, stretch::setting(&ask.to_string()));
        let mut all = stretch::read(store.setting(&key).await.ok().flatten());
        all.extend(fresh);
        let text = serde_json::to_vec(&all).expect("strings and numbers");
        if let Err(error) = store.commit(Transaction::new().set(key, text), None).await {
            tracing::warn!(%error, "how a call went was not written down");
        }
        let _ = self.parts.app.events.send(rabta_ipc::Event::Asks { ask: Some(ask.to_string()) });
    }

    fn look_up(&self, person: Id) {
        let (trust, found) = (self.parts.trust.clone(), self.found.0.clone());
        self.spawn(async move {
            if let Some((name, role)) = trust.person(person).await {
                let _ = found.send(Found::Person { person, name, role });
            }
        });
    }

    fn online(&self, person: Id, here: bool) {
        self.desk(|desk| {
            desk.online.insert(person, here);
        });
    }

    fn desk(&self, change: impl FnOnce(&mut Desk)) {
        change(&mut self.parts.desk.lock().expect("nothing panics while it is held"));
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.parts.stop.clone();
        self.parts.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

async fn engine_event(running: &mut Option<Running>) -> Option<EngineEvent> {
    match running {
        Some(running) => match running.events.recv().await {
            Some(event) => Some(event),
            // An engine that closed says nothing more; the session's own clock goes on.
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
