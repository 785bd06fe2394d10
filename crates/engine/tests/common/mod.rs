//! Two real engines under two real sessions, with an in-memory line between them.
#![allow(dead_code)]

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use rabta_call::{CallSession, CallView, EngineEvent, Input, Intent, Invitation, Output, Setup};
use rabta_engine::{EngineConfig, FrameSource, Loudspeaker, MediaSource, NativeEngine, VideoFrame};
use rabta_wire::{
    Id,
    leg_key::LegKey,
    signal::{Address, ClientFrame, IceServer, Party, ServerFrame, VERSION},
};
use tokio::sync::mpsc;

/// A recording of a few seconds: colour bars and a tone, made once.
pub fn recordings(dir: &Path) -> (PathBuf, PathBuf) {
    gst::init().expect("GStreamer is installed");
    let (video, audio) = (dir.join("bars.webm"), dir.join("tone.ogg"));
    let play = |description: &str, to: &Path| {
        let pipeline = gst::parse::launch(description).expect("the elements are installed");
        let pipeline = pipeline.downcast::<gst::Pipeline>().expect("it is a pipeline");
        pipeline.by_name("out").expect("it has a sink").set_property("location", to);
        pipeline.set_state(gst::State::Playing).expect("it plays");
        let bus = pipeline.bus().expect("it has a bus");
        let end = bus.timed_pop_filtered(
            gst::ClockTime::from_seconds(60),
            &[gst::MessageType::Eos, gst::MessageType::Error],
        );
        assert!(end.is_some_and(|m| m.type_() == gst::MessageType::Eos), "the recording was not made");
        pipeline.set_state(gst::State::Null).expect("it stops");
    };
    play(
        "videotestsrc num-buffers=45 ! video/x-raw,width=320,height=240,framerate=15/1 ! \
         vp8enc deadline=1 cpu-used=8 ! webmmux ! filesink name=out",
        &video,
    );
    play(
        "audiotestsrc num-buffers=150 samplesperbuffer=960 freq=440 ! audio/x-raw,rate=48000,channels=1 ! \
         opusenc ! oggmux ! filesink name=out",
        &audio,
    );
    (video, audio)
}

pub struct End {
    pub party: Party,
    pub session: Option<CallSession>,
    engine: NativeEngine,
    events: mpsc::UnboundedReceiver<EngineEvent>,
    frames: mpsc::Receiver<VideoFrame>,
    pub seen: Vec<(FrameSource, bool, Option<(u16, u16)>)>,
    pub loudest: f32,
    pub finished: bool,
}

pub struct Pair {
    pub ends: [End; 2],
    epoch: Instant,
    wire: VecDeque<(usize, ServerFrame)>,
    pub ice_servers: Vec<IceServer>,
    /// The frames that have passed, as text.
    pub log: Vec<String>,
}

static CALLS: AtomicU32 = AtomicU32::new(1);

impl Pair {
    pub fn new(caller: EngineConfig, callee: EngineConfig, ice_servers: Vec<IceServer>) -> Self {
        let epoch = Instant::now();
        let end = |n: u8, mut config: EngineConfig| {
            config.epoch = epoch;
            let (tell, events) = mpsc::unbounded_channel();
            let (engine, frames) = NativeEngine::start(config, tell).expect("GStreamer is installed");
            let party = Party { person: Id([n; 16]), device: Id([n + 10; 16]) };
            let seen = Vec::new();
            End { party, session: None, engine, events, frames, seen, loudest: 0.0, finished: false }
        };
        let ends = [end(1, caller), end(2, callee)];
        Self { ends, epoch, wire: VecDeque::new(), ice_servers, log: Vec::new() }
    }

    pub fn now(&self) -> u64 {
        self.epoch.elapsed().as_millis() as u64
    }

    pub fn view(&self, end: usize) -> CallView {
        self.ends[end].session.as_ref().expect("the end has a session").view(self.now())
    }

    fn setup(&self, end: usize) -> Setup {
        let inst = CALLS.fetch_add(1, Ordering::Relaxed);
        let (me, ice_servers) = (self.ends[end].party, self.ice_servers.clone());
        let seed = LegKey::from_random([end as u8 + 1; 32]);
        Setup { call: Id([9; 16]), me, inst, seed, patient: false, ice_servers }
    }

    pub fn dial(&mut self) {
        let to = Address { person: self.ends[1].party.person, device: None };
        self.ends[0].session =
            Some(CallSession::dial(self.now(), self.setup(0), Invitation { to, ask: None, patient: false }));
        self.drain(0);
    }

    pub fn does(&mut self, end: usize, intent: Intent) {
        self.input(end, Input::Intent(intent));
    }

    pub fn input(&mut self, end: usize, input: Input) {
        let now = self.now();
        if let Some(session) = self.ends[end].session.as_mut() {
            session.handle(now, input);
        }
        self.drain(end);
    }

    fn drain(&mut self, end: usize) {
        while let Some(output) = self.ends[end].session.as_mut().and_then(CallSession::poll) {
            match output {
                Output::Send(ClientFrame::Ring { call, body, .. } | ClientFrame::To { call, body, .. }) => {
                    let frame = ServerFrame::From { v: VERSION, call, from: self.ends[end].party, body };
                    self.log.push(rabta_wire::signal::encode(&frame));
                    self.wire.push_back((1 - end, frame));
                }
                Output::Send(_) => {}
                Output::Engine(command) => self.ends[end].engine.command(command),
                Output::Sign { token, .. } => {
                    self.input(end, Input::Signed { token, signature: "signed".into() });
                }
                Output::Verify { token, signature, .. } => {
                    self.input(end, Input::Verified { token, good: signature == "signed" });
                }
                Output::Finished => self.ends[end].finished = true,
            }
        }
    }

    /// Carries everything to and fro until `what` holds; fails after `most`.
    pub async fn until(&mut self, most: Duration, say: &str, what: impl Fn(&Self) -> bool) {
        let end = Instant::now() + most;
        while !what(self) {
            assert!(
                Instant::now() < end,
                "{say}: not within {most:?}; {:?}",
                self.ends[0].session.as_ref().map(|s| s.view(self.now()))
            );
            self.turn().await;
        }
    }

    async fn turn(&mut self) {
        while let Some((to, frame)) = self.wire.pop_front() {
            if self.ends[to].session.is_none() && !self.ends[to].finished {
                let ServerFrame::From { from, body, .. } = &frame else { continue };
                self.ends[to].session = CallSession::incoming(self.now(), self.setup(to), *from, body);
                self.drain(to);
            } else {
                self.input(to, Input::Frame(frame));
            }
        }
        let [a, b] = &mut self.ends;
        let (end, event) = tokio::select! {
            Some(event) = a.events.recv() => (0, Some(event)),
            Some(event) = b.events.recv() => (1, Some(event)),
            Some(frame) = a.frames.recv() => { a.seen.push((frame.source, frame.key, frame.size)); (0, None) }
            Some(frame) = b.frames.recv() => { b.seen.push((frame.source, frame.key, frame.size)); (1, None) }
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                self.input(0, Input::Tick);
                self.input(1, Input::Tick);
                return;
            }
        };
        if let Some(event) = event {
            if let EngineEvent::Stats { stats, .. } = &event {
                self.ends[end].loudest = self.ends[end].loudest.max(stats.audio_in_level);
            }
            self.input(end, Input::Engine(event));
        }
    }

    pub fn far_frames(&self, end: usize) -> usize {
        self.ends[end].seen.iter().filter(|(source, ..)| matches!(source, FrameSource::Leg(_))).count()
    }
}

pub fn config(video: &Path, audio: &Path) -> EngineConfig {
    EngineConfig {
        microphone: MediaSource::File(audio.to_owned()),
        camera: MediaSource::File(video.to_owned()),
        loudspeaker: Loudspeaker::Silent,
        bind: vec!["127.0.0.1:0".into()],
        ..EngineConfig::default()
    }
}
