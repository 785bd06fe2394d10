//! The patient's end of a call, for the page: the same [`CallSession`] as on a desktop, with the keys of a link in place
//! of a device's. JSON in, JSON out; `public/room.js` gives it the socket, the clock and a browser's
//! RTCPeerConnection.
//!
//! Whoever opens the room by ringing is answered at once: the patient accepted by pressing Join.

use rabta_call::{
    CallSession, EndReason, EngineCommand, EngineEvent, Input, Intent, LegId, Output, Phase, Setup,
};
use rabta_wire::{
    Id,
    guest::LinkSecret,
    signal::{Body, ClientFrame, IceServer, Party, ServerFrame, Signal, VERSION, encode},
};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

/// A call as the page holds it.
#[wasm_bindgen]
pub struct Call {
    secret: LinkSecret,
    me: Party,
    inst: u32,
    ice_servers: Vec<IceServer>,
    signaling: bool,
    microphone: bool,
    camera: bool,
    /// What the patient agreed to: with a picture, or voice only.
    agreed: bool,
    session: Option<CallSession>,
    /// The last call that ended and the round of its ring: its rings are still under way.
    over: Option<(Id, u32)>,
}

/// Where this page was before it was reloaded: the page keeps it for its tab.
#[derive(Serialize, Deserialize)]
struct Place {
    call: Id,
    doctor: Party,
}

/// What the page has to do.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Todo {
    /// To the HIE, as it is.
    Send(String),
    Engine(EngineCommand),
    /// The engine may go.
    Finished,
}

/// What the page shows.
#[derive(Serialize)]
struct Shown {
    phase: &'static str,
    why: Option<&'static str>,
    seconds: u32,
    /// While searching: for how long.
    searching: u32,
    mic_on: bool,
    camera_on: bool,
    far_camera: bool,
    far_microphone: bool,
    /// What the far sides wrote, in order.
    said: Vec<String>,
    /// Pictures that we sent, and how many of them are over there.
    stills: usize,
    stills_there: usize,
    /// Where the doctor is, while somebody else is in the call, too: `here`, `searching`, `left`.
    doctor: &'static str,
    third: Option<Third>,
    /// What who wants to join is called.
    wanted: Option<String>,
}

/// Whom the doctor brought in.
#[derive(Serialize)]
struct Third {
    name: String,
    /// `connecting`, `here`, `searching`, `left`.
    phase: &'static str,
    camera: bool,
}

#[wasm_bindgen]
impl Call {
    /// `secret`: the fragment's 16 bytes. `me`: the party of the join's answer, as JSON. `inst`: random. `camera`: there is
    /// one; `agreed`: the patient agreed to a picture, else to their voice only.
    #[wasm_bindgen(constructor)]
    pub fn new(secret: &[u8], me: &str, inst: u32, camera: bool, agreed: bool) -> Result<Call, JsError> {
        let secret: [u8; 16] = secret.try_into().map_err(|_| JsError::new("a secret has 16 bytes"))?;
        let me = serde_json::from_str(me).map_err(|_| JsError::new("not a party"))?;
        Ok(Call {
            secret: LinkSecret::from_random(secret),
            me,
            inst: inst.max(1),
            ice_servers: Vec::new(),
            signaling: false,
            microphone: true,
            camera,
            agreed,
            session: None,
            over: None,
        })
    }

    /// A frame of the socket. What cannot be read is nothing.
    pub fn frame(&mut self, now: f64, text: &str) {
        let Ok(frame) = serde_json::from_str::<ServerFrame>(text) else { return };
        if let ServerFrame::Welcome { ice_servers, .. } | ServerFrame::IceServers { ice_servers, .. } = &frame
        {
            self.ice_servers.clone_from(ice_servers);
        }
        if let ServerFrame::From { call, from, body, .. } = &frame
            && let Signal::Ring { round, .. } = body.msg
            && self.is_news(ms(now), *call, round)
        {
            let (me, ice_servers) = (self.me, self.ice_servers.clone());
            // A patient's page introduces nobody: the seed of introductions is only there to be there.
            let seed = self.secret.leg_key().derive(self.inst.into());
            let setup = Setup { call: *call, me, inst: self.inst, seed, patient: true, ice_servers };
            // A program that begins another call is another peer to the far side.
            self.inst = self.inst.wrapping_add(1).max(1);
            self.session = CallSession::incoming(ms(now), setup, *from, body);
            self.input(now, Input::Signaling { up: self.signaling });
            self.input(now, Input::Intent(Intent::Camera { on: self.camera }));
            self.input(now, Input::Intent(Intent::Microphone { on: self.microphone }));
            self.input(now, Input::Intent(Intent::Accept));
            self.input(now, Input::Intent(Intent::Agreed { video: self.agreed }));
            return;
        }
        self.input(now, Input::Frame(frame));
    }

    /// The hello to send on a new socket.
    pub fn hello(&self, token: String, session: Option<String>) -> String {
        encode(&ClientFrame::<rabta_wire::signal::Body>::Hello { v: VERSION, token, session })
    }

    pub fn signaling(&mut self, now: f64, up: bool) {
        self.signaling = up;
        self.input(now, Input::Signaling { up });
    }

    /// An event of the engine, as JSON of an [`EngineEvent`].
    pub fn engine(&mut self, now: f64, event: &str) -> bool {
        let Ok(event) = serde_json::from_str::<EngineEvent>(event) else { return false };
        self.input(now, Input::Engine(event));
        true
    }

    pub fn microphone(&mut self, now: f64, on: bool) {
        self.microphone = on;
        self.input(now, Input::Intent(Intent::Microphone { on }));
    }

    pub fn camera(&mut self, now: f64, on: bool) {
        self.camera = on;
        self.input(now, Input::Intent(Intent::Camera { on }));
    }

    /// Takes a picture with the camera and sends it.
    pub fn still(&mut self, now: f64) {
        self.input(now, Input::Intent(Intent::TakeStill));
    }

    /// The patient's answer to who wants to join.
    pub fn answer(&mut self, now: f64, yes: bool) {
        self.input(now, Input::Intent(Intent::Answer { yes }));
    }

    /// Whether leg `leg` is the third person's.
    pub fn is_third(&self, now: f64, leg: u32) -> bool {
        let legs = self.session.as_ref().map(|session| session.view(ms(now)).legs).unwrap_or_default();
        legs.iter().any(|seen| seen.leg == LegId(leg) && seen.introduced)
    }

    /// Where this page is, to be kept for its tab; `undefined` outside a call.
    pub fn place(&self, now: f64) -> Option<String> {
        let view = self.session.as_ref()?.view(ms(now));
        let doctor = view.legs.iter().find(|leg| !leg.introduced)?.party?;
        let runs = matches!(view.phase, Phase::InCall | Phase::Waiting { .. });
        serde_json::to_string(&Place { call: view.call, doctor }).ok().filter(|_| runs)
    }

    /// What to send, from a page that was in a call before it was reloaded, so that the doctor's program calls it again
    /// into the same call; `undefined` once it did, or where `place` is none.
    pub fn rejoin(&self, place: &str) -> Option<String> {
        let Place { call, doctor } = serde_json::from_str(place).ok()?;
        let body = Body { inst: self.inst, seq: 0, ack: 0, ack_inst: 0, msg: Signal::Rejoin };
        let frame = ClientFrame::To { v: VERSION, call, to: doctor.into(), body };
        self.session.is_none().then(|| encode(&frame))
    }

    pub fn hang_up(&mut self, now: f64) {
        self.input(now, Input::Intent(Intent::HangUp));
    }

    pub fn tick(&mut self, now: f64) {
        self.input(now, Input::Tick);
    }

    /// The time at which a tick is due at the latest.
    pub fn deadline(&self) -> Option<f64> {
        self.session.as_ref()?.deadline().map(|at| at as f64)
    }

    /// What to do next, as JSON; `undefined` when there is nothing.
    pub fn poll(&mut self, now: f64) -> Option<String> {
        loop {
            let session = self.session.as_mut()?;
            let todo = match session.poll()? {
                Output::Send(frame) => Todo::Send(encode(&frame)),
                Output::Engine(command) => Todo::Engine(command),
                Output::Sign { token, bytes, .. } => {
                    let signature = self.secret.mac(&bytes);
                    session.handle(ms(now), Input::Signed { token, signature });
                    continue;
                }
                Output::Verify { token, bytes, signature, .. } => {
                    let good = self.secret.good(&bytes, &signature);
                    session.handle(ms(now), Input::Verified { token, good });
                    continue;
                }
                Output::Finished => {
                    self.over = Some((session.call(), session.round()));
                    Todo::Finished
                }
            };
            return serde_json::to_string(&todo).ok();
        }
    }

    /// What the page shows, as JSON.
    pub fn view(&self, now: f64) -> String {
        let waiting = Shown {
            phase: "waiting",
            why: None,
            seconds: 0,
            searching: 0,
            mic_on: self.microphone,
            camera_on: self.camera,
            far_camera: false,
            far_microphone: false,
            said: Vec::new(),
            stills: 0,
            stills_there: 0,
            doctor: "here",
            third: None,
            wanted: None,
        };
        let shown = match &self.session {
            None => waiting,
            Some(session) => {
                let view = session.view(ms(now));
                let far = view.legs.iter().find(|leg| !leg.introduced);
                let third = view.legs.iter().find(|leg| leg.introduced);
                let ours = || view.stills.iter().filter(|still| still.from_us);
                let theirs = view.chat.iter().filter(|line| !line.from_us);
                Shown {
                    phase: match view.phase {
                        Phase::Calling | Phase::Ringing | Phase::Connecting => "connecting",
                        Phase::InCall => "in-call",
                        Phase::Waiting { .. } => "searching",
                        Phase::Ended { .. } => "ended",
                    },
                    why: if let Phase::Ended { reason } = view.phase { Some(why(reason)) } else { None },
                    seconds: view.seconds,
                    searching: if let Phase::Waiting { seconds } = view.phase { seconds } else { 0 },
                    mic_on: view.mic_on,
                    camera_on: view.camera_on,
                    far_camera: far.is_some_and(|leg| leg.camera_on),
                    far_microphone: far.is_some_and(|leg| leg.mic_on),
                    said: theirs.map(|line| line.text.clone()).collect(),
                    stills: ours().count(),
                    stills_there: ours().filter(|still| still.done == still.bytes).count(),
                    doctor: far.map_or("here", |leg| place(leg.phase)),
                    third: third.map(|leg| Third {
                        name: leg.named.name.clone(),
                        phase: place(leg.phase),
                        camera: leg.camera_on,
                    }),
                    wanted: view.wanted.map(|named| named.name),
                }
            }
        };
        serde_json::to_string(&shown).unwrap_or_default()
    }
}

impl Call {
    /// Whether a ring is of another call than the one that ends here, or calls back into it.
    fn is_news(&self, now: u64, call: Id, round: u32) -> bool {
        let echo = |before: Id, its: u32| before == call && round <= its;
        match &self.session {
            Some(session) if !session.view(now).phase.is_ended() => false,
            Some(session) if echo(session.call(), session.round()) => false,
            _ => !self.over.is_some_and(|(before, its)| echo(before, its)),
        }
    }

    fn input(&mut self, now: f64, input: Input) {
        if let Some(session) = &mut self.session {
            session.handle(ms(now), input);
        }
    }
}

/// `performance.now()` as the session counts.
fn ms(now: f64) -> u64 {
    now.max(0.0) as u64
}

/// Where one far side is.
fn place(phase: Phase) -> &'static str {
    match phase {
        Phase::Calling | Phase::Ringing | Phase::Connecting => "connecting",
        Phase::InCall => "here",
        Phase::Waiting { .. } => "searching",
        Phase::Ended { .. } => "left",
    }
}

fn why(reason: EndReason) -> &'static str {
    match reason {
        EndReason::WeHungUp | EndReason::WeDeclined => "hung-up",
        EndReason::TheyHungUp | EndReason::Declined | EndReason::Busy | EndReason::NotWanted => {
            "they-hung-up"
        }
        EndReason::NoAnswer | EndReason::Missed => "no-answer",
        EndReason::Elsewhere => "elsewhere",
        EndReason::Untrusted => "untrusted",
        EndReason::LinkLost => "link-lost",
        EndReason::NotConnected | EndReason::Failed => "failed",
    }
}
