//! The native call engine: WebRTC by the `webrtc` crate, microphone, camera, codecs and loudspeaker by GStreamer.
//!
//! It carries out [`EngineCommand`]s and tells [`EngineEvent`]s. Sound is played here. Pictures are not drawn
//! here: the window decodes VP8 itself, so whole encoded frames, the far side's and our own, come out of
//! [`NativeEngine::start`]'s second half as [`VideoFrame`]s.
//!
//! It never decides anything about a call, never sends media before its gate is opened, and never logs an
//! address, a name or an SDP. Without a camera, a microphone or a loudspeaker it goes on, and says so
//! ([`EngineEvent::Device`]).
//!
//! ```no_run
//! # async fn example() -> Result<(), rabta_engine::StartError> {
//! use rabta_engine::{EngineConfig, NativeEngine};
//! let (events, mut from_engine) = tokio::sync::mpsc::unbounded_channel();
//! let (engine, mut frames) = NativeEngine::start(EngineConfig::default(), events)?;
//! engine.command(rabta_call::EngineCommand::Prepare { live: true });
//! # let _ = (from_engine.recv().await, frames.recv().await);
//! # Ok(()) }
//! ```

mod actor;
mod camera;
mod clip;
mod keyframe;
mod leg;
mod nudge;
mod outgoing;
mod ring;
mod sound;
mod stats;
mod vp8;

use std::{path::PathBuf, sync::Arc, time::Instant};

use bytes::Bytes;
use rabta_call::{EngineCommand, EngineEvent, LegId};
use tokio::sync::{Notify, mpsc};

pub use ring::Ring;

/// Where a microphone's or a camera's signal comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MediaSource {
    /// The system's own: PulseAudio, else ALSA; the first V4L2 camera.
    #[default]
    Device,
    /// A certain one: a PulseAudio source's name, or a camera's path.
    Named(String),
    /// A recording, played in real time, over and over.
    File(PathBuf),
    Absent,
}

/// Where the far side's voice goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Loudspeaker {
    #[default]
    Device,
    /// A PulseAudio sink's name.
    Named(String),
    /// Played in real time to nobody.
    Silent,
}

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    pub microphone: MediaSource,
    pub camera: MediaSource,
    pub loudspeaker: Loudspeaker,
    /// The zero of the host's clock, in which events tell their times.
    pub epoch: Instant,
    /// UDP addresses to bind. A wildcard stands for every interface but loopback.
    pub bind: Vec<String>,
    /// Pictures a second at most.
    pub frame_rate: u32,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            microphone: MediaSource::Device,
            camera: MediaSource::Device,
            loudspeaker: Loudspeaker::Device,
            epoch: Instant::now(),
            bind: vec!["0.0.0.0:0".into()],
            frame_rate: 15,
        }
    }
}

impl EngineConfig {
    /// For two programs on one machine: loopback is bound as well.
    pub fn with_loopback(mut self) -> Self {
        self.bind.push("127.0.0.1:0".into());
        self
    }
}

/// Whose picture a frame is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameSource {
    /// Ours.
    Own,
    /// The far side of a leg.
    Leg(LegId),
}

/// One whole VP8 frame (RFC 6386), for a decoder. After a gap only a key frame follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoFrame {
    pub source: FrameSource,
    pub key: bool,
    /// Microseconds, of the sender's clock; only differences mean something.
    pub pts_us: u64,
    /// Of a key frame, in pixels.
    pub size: Option<(u16, u16)>,
    pub data: Bytes,
}

/// GStreamer is not there.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("GStreamer did not start")]
    GStreamer(#[source] gstreamer::glib::Error),
    /// A package is missing: the element's name tells which.
    #[error("the GStreamer element {0} is not installed")]
    Missing(&'static str),
}

/// The elements that no call goes without, all in gstreamer1.0-plugins-{base,good}.
const NEEDED: [&str; 9] = [
    "appsrc",
    "appsink",
    "opusenc",
    "opusdec",
    "rtpopusdepay",
    "rtpjitterbuffer",
    "vp8enc",
    "audiomixer",
    "decodebin",
];

/// Frames that may wait for the window before the oldest picture is given up.
const FRAMES_WAITING: usize = 60;

/// Loads what every call needs. The first time on a machine GStreamer looks through all its plugins, which takes
/// seconds; later times are quick, and a second one in a program costs nothing. Blocks.
pub fn get_ready() -> Result<(), StartError> {
    gstreamer::init().map_err(StartError::GStreamer)?;
    for element in NEEDED {
        gstreamer::ElementFactory::find(element).ok_or(StartError::Missing(element))?;
    }
    Ok(())
}

/// A running engine. Dropping it closes everything.
pub struct NativeEngine {
    commands: mpsc::UnboundedSender<EngineCommand>,
    own_key: Arc<Notify>,
}

impl NativeEngine {
    /// Starts an engine on the current Tokio runtime. It tells its events on `events`; pictures come from the
    /// receiver.
    pub fn start(
        config: EngineConfig,
        events: mpsc::UnboundedSender<EngineEvent>,
    ) -> Result<(Self, mpsc::Receiver<VideoFrame>), StartError> {
        get_ready()?;
        let (commands, inbox) = mpsc::unbounded_channel();
        let (frames, frames_out) = mpsc::channel(FRAMES_WAITING);
        let actor = actor::Actor::new(config, events, frames);
        let own_key = actor.key();
        tokio::spawn(actor.run(inbox));
        Ok((Self { commands, own_key }, frames_out))
    }

    /// Commands are carried out in order. After [`EngineCommand::Close`] they are dropped.
    pub fn command(&self, command: EngineCommand) {
        // The actor ends only after Close; a command after it has nothing left to do.
        let _ = self.commands.send(command);
    }

    /// Makes the next frame of our own picture a key frame, for a decoder that is new. Often asked is seldom done.
    pub fn own_key_frame(&self) {
        self.own_key.notify_one();
    }
}
