//! Microphone and loudspeaker. One pipeline plays every leg and, with a real microphone, records, so that the
//! echo canceller sees both; a recorded microphone has a pipeline of its own.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use rabta_call::{Device, DeviceState, LegId};
use tokio::sync::broadcast;

use crate::{
    Loudspeaker, MediaSource,
    clip::{Encoded, Kind, Watched, build, bytes_of, collect, opens},
};

/// The format inside: what the echo canceller and Opus both take.
pub(crate) const RAW: &str = "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1";
/// RFC 6716 at 20 ms, with loss protection inside and silence left out (RFC 7587).
const OPUS: &str = "opusenc name=opus audio-type=voice bitrate=24000 frame-size=20 inband-fec=true \
                    packet-loss-percentage=10 dtx=true";
/// How long a packet may be late before it is concealed.
const JITTER_MS: u32 = 60;
/// From a packet's arrival to the mixer at most: the jitter buffer, one frame that the decoder keeps back for
/// what the next one knows of it, and the work.
const HEARD_AFTER_MS: u32 = JITTER_MS + 30;

/// Tells what became of a device.
pub(crate) type DeviceTeller = Arc<dyn Fn(Device, DeviceState) + Send + Sync>;

pub(crate) struct Sound {
    playing: Watched,
    recording: Option<Watched>,
    mixer: gst::Element,
    mute: Option<gst::Element>,
    legs: HashMap<LegId, LegSound>,
}

/// Where a leg's packets go in and what comes of them.
pub(crate) struct LegSound {
    source: AppSrc,
    bin: gst::Element,
    pad: gst::Pad,
    meter: Arc<Meter>,
}

/// The far side's loudness, and the first moment of it.
#[derive(Default)]
pub(crate) struct Meter {
    level: AtomicU32,
    first: Mutex<Option<Box<dyn FnOnce(Instant) + Send>>>,
}

impl Meter {
    /// The loudest since the last look, 0 to 1.
    pub(crate) fn take_level(&self) -> f32 {
        f32::from_bits(self.level.swap(0, Ordering::Relaxed))
    }

    fn hear(&self, samples: &[u8]) {
        let squares: f64 =
            samples.chunks_exact(2).map(|s| f64::from(i16::from_le_bytes([s[0], s[1]])).powi(2)).sum();
        let count = (samples.len() / 2).max(1) as f64;
        let level = ((squares / count).sqrt() / 32_768.0) as f32;
        // Non-negative floats order as their bits do.
        self.level.fetch_max(level.to_bits(), Ordering::Relaxed);
    }
}

impl Sound {
    /// Opens what there is. `probe` names this engine's echo probe among all in the process.
    pub(crate) fn open(
        microphone: &MediaSource,
        loudspeaker: &Loudspeaker,
        probe: &str,
        origin: Instant,
        voice: broadcast::Sender<Arc<Encoded>>,
        tell: DeviceTeller,
    ) -> Result<Self, gst::glib::BoolError> {
        let (speaker, speaker_state) = speaker(loudspeaker);
        tell(Device::Speaker, speaker_state);
        let device = device_microphone(microphone);
        let mic_state = match microphone {
            MediaSource::File(path) if path.is_file() => DeviceState::Working,
            MediaSource::File(_) | MediaSource::Absent => DeviceState::Absent,
            MediaSource::Device | MediaSource::Named(_) if device.is_some() => DeviceState::Working,
            MediaSource::Device | MediaSource::Named(_) => DeviceState::Absent,
        };
        tell(Device::Microphone, mic_state);

        let echo = device.is_some()
            && speaker_state == DeviceState::Working
            && ["webrtcdsp", "webrtcechoprobe"].iter().all(|e| gst::ElementFactory::find(e).is_some());
        let (dsp, echo_probe) = if echo {
            (format!("webrtcdsp probe={probe} ! "), format!("webrtcechoprobe name={probe} ! "))
        } else {
            Default::default()
        };
        // Silence keeps the loudspeaker running, so that a voice is heard the moment it comes.
        let mut description = format!(
            "audiotestsrc is-live=true wave=silence samplesperbuffer=480 ! {RAW} ! mix. \
             audiomixer name=mix min-upstream-latency={}000000 ! {RAW} ! {echo_probe}\
             audioconvert ! audioresample ! {speaker} ",
            HEARD_AFTER_MS
        );
        if let Some(device) = &device {
            description += &format!(
                "{device} ! queue max-size-time=200000000 leaky=downstream ! audioconvert ! audioresample ! {RAW} ! \
                 {dsp}volume name=mute ! {OPUS} ! appsink name=voice sync=false async=false"
            );
        }
        let pipeline = build(&description, None)?;
        let failed = tell.clone();
        let has_device = device.is_some();
        let playing = Watched::new(pipeline, false, move || {
            failed(Device::Speaker, DeviceState::Failed);
            if has_device {
                failed(Device::Microphone, DeviceState::Failed);
            }
        });
        if let MediaSource::Named(name) = microphone
            && let Some(source) = playing.element("mic")
        {
            source.set_property("device", name);
        }
        name_speaker(&playing.pipeline, loudspeaker);
        let mixer = playing.element("mix").ok_or_else(|| gst::glib::bool_error!("no mixer"))?;

        let recording = match microphone {
            MediaSource::File(path) if path.is_file() => {
                let description = format!(
                    "filesrc name=file ! decodebin caps=audio/x-raw expose-all-streams=false ! audioconvert ! \
                     audioresample ! {RAW} ! volume name=mute ! {OPUS} ! appsink name=voice sync=true"
                );
                let pipeline = build(&description, Some(path))?;
                Some(Watched::new(pipeline, true, move || tell(Device::Microphone, DeviceState::Failed)))
            }
            _ => None,
        };
        let source = recording.as_ref().unwrap_or(&playing);
        collect(&source.pipeline, "voice", origin, move |time, buffer| {
            if let Some(data) = bytes_of(buffer) {
                // Nobody listens before the first leg.
                let _ = voice.send(Arc::new(Encoded { kind: Kind::Audio, time, data }));
            }
        });
        let mute = source.element("mute");
        playing.set(gst::State::Playing);
        if let Some(recording) = &recording {
            recording.set(gst::State::Paused);
        }
        Ok(Self { playing, recording, mixer, mute, legs: HashMap::new() })
    }

    /// Lets a recorded microphone speak. A real one records from the start, and nothing of it leaves before the
    /// gate opens.
    pub(crate) fn go_live(&self) {
        if let Some(recording) = &self.recording {
            recording.set(gst::State::Playing);
        }
    }

    pub(crate) fn set_muted(&self, muted: bool) {
        if let Some(mute) = &self.mute {
            mute.set_property("mute", muted);
        }
    }

    /// A place for a leg's voice. `first` is told once, when its first sound is due at the loudspeaker.
    pub(crate) fn add_leg(
        &mut self,
        leg: LegId,
        first: impl FnOnce(Instant) + Send + 'static,
    ) -> Result<Arc<Meter>, gst::glib::BoolError> {
        let description = format!(
            "appsrc name=packets is-live=true format=time do-timestamp=true max-bytes=200000 leaky-type=downstream \
             caps=application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111 ! \
             rtpjitterbuffer latency={JITTER_MS} do-lost=true ! rtpopusdepay ! \
             opusdec plc=true use-inband-fec=true ! audioconvert ! audioresample ! {RAW} ! \
             identity name=heard silent=true"
        );
        let bin = gst::parse::bin_from_description(&description, true)
            .map_err(|error| gst::glib::bool_error!("{error}"))?;
        let source = bin
            .by_name("packets")
            .and_then(|e| e.downcast::<AppSrc>().ok())
            .ok_or_else(|| gst::glib::bool_error!("no appsrc"))?;
        let meter = Arc::new(Meter { first: Mutex::new(Some(Box::new(first))), ..Meter::default() });
        let pad = bin.static_pad("src").ok_or_else(|| gst::glib::bool_error!("no pad"))?;
        answer_latency(&pad);
        listen(&pad, meter.clone(), self.playing.pipeline.downgrade());
        self.playing.pipeline.add(&bin)?;
        let mix_pad = self
            .mixer
            .request_pad_simple("sink_%u")
            .ok_or_else(|| gst::glib::bool_error!("the mixer has no place"))?;
        pad.link(&mix_pad).map_err(|error| gst::glib::bool_error!("{error}"))?;
        bin.sync_state_with_parent()?;
        let sound = LegSound { source, bin: bin.upcast(), pad: mix_pad, meter: meter.clone() };
        self.legs.insert(leg, sound);
        Ok(meter)
    }

    /// Where a leg's RTP packets go, payload type 111.
    pub(crate) fn input(&self, leg: LegId) -> Option<AppSrc> {
        self.legs.get(&leg).map(|leg| leg.source.clone())
    }

    pub(crate) fn meter(&self, leg: LegId) -> Option<Arc<Meter>> {
        self.legs.get(&leg).map(|leg| leg.meter.clone())
    }

    pub(crate) fn remove_leg(&mut self, leg: LegId) {
        if let Some(LegSound { bin, pad, .. }) = self.legs.remove(&leg) {
            // Else a change of the whole pipeline that is under way sets it to play again, and it goes while it plays.
            bin.set_locked_state(true);
            let _ = bin.set_state(gst::State::Null);
            self.mixer.release_request_pad(&pad);
            let _ = self.playing.pipeline.remove(&bin);
        }
    }
}

/// Gives an RTP packet to the decoder.
pub(crate) fn push(source: &AppSrc, packet: Bytes) {
    let _ = source.push_buffer(gst::Buffer::from_slice(packet));
}

/// Tells the mixer the true latency of a leg. The decoder claims 120 ms, for the longest frames that Opus knows;
/// the mixer would wait that long in every silence, later than the loudspeaker does.
fn answer_latency(pad: &gst::Pad) {
    pad.add_probe(gst::PadProbeType::QUERY_UPSTREAM | gst::PadProbeType::PUSH, |_, info| {
        if let Some(gst::QueryViewMut::Latency(query)) = info.query_mut().map(|query| query.view_mut()) {
            query.set(true, gst::ClockTime::from_mseconds(u64::from(HEARD_AFTER_MS)), gst::ClockTime::NONE);
            return gst::PadProbeReturn::Handled;
        }
        gst::PadProbeReturn::Ok
    });
}

/// Measures what goes to the mixer, and tells when the first of it is heard.
fn listen(pad: &gst::Pad, meter: Arc<Meter>, pipeline: gst::glib::WeakRef<gst::Pipeline>) {
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer() {
            if let Ok(map) = buffer.map_readable() {
                meter.hear(&map);
            }
            let first = meter.first.lock().unwrap_or_else(|e| e.into_inner()).take();
            if let Some(first) = first {
                first(Instant::now() + until_heard(&pipeline, buffer.pts()));
            }
        }
        gst::PadProbeReturn::Ok
    });
}

/// From now until a buffer with this time leaves the loudspeaker: its time, plus the latency that the sinks wait,
/// less the time that it is.
fn until_heard(pipeline: &gst::glib::WeakRef<gst::Pipeline>, pts: Option<gst::ClockTime>) -> Duration {
    let Some(pipeline) = pipeline.upgrade() else { return Duration::ZERO };
    let mut query = gst::query::Latency::new();
    let latency = if pipeline.query(&mut query) { query.result().1 } else { gst::ClockTime::ZERO };
    let due = pts.unwrap_or_default() + latency;
    let now = pipeline.current_running_time().unwrap_or(due);
    Duration::from_nanos(due.saturating_sub(now).nseconds())
}

/// Plays on the loudspeaker that was named.
pub(crate) fn name_speaker(pipeline: &gst::Pipeline, wanted: &Loudspeaker) {
    if let Loudspeaker::Named(name) = wanted
        && let Some(sink) = pipeline.by_name("speaker")
        && sink.has_property("device")
    {
        sink.set_property("device", name);
    }
}

/// The sink's description, and whether somebody hears it.
pub(crate) fn speaker(wanted: &Loudspeaker) -> (&'static str, DeviceState) {
    const SILENT: &str = "fakesink name=speaker sync=true";
    let named = |element: &gst::Element| {
        if let Loudspeaker::Named(name) = wanted {
            element.set_property("device", name);
        }
    };
    if *wanted == Loudspeaker::Silent {
        (SILENT, DeviceState::Working)
    } else if opens("pulsesink", named) {
        ("pulsesink name=speaker buffer-time=60000 latency-time=10000", DeviceState::Working)
    } else if *wanted == Loudspeaker::Device && opens("alsasink", |_| {}) {
        ("alsasink name=speaker buffer-time=60000 latency-time=10000", DeviceState::Working)
    } else {
        (SILENT, DeviceState::Absent)
    }
}

fn device_microphone(wanted: &MediaSource) -> Option<&'static str> {
    match wanted {
        MediaSource::Named(name) => opens("pulsesrc", |e| e.set_property("device", name))
            .then_some("pulsesrc name=mic buffer-time=60000 latency-time=10000"),
        MediaSource::Device if opens("pulsesrc", |_| {}) => {
            Some("pulsesrc name=mic buffer-time=60000 latency-time=10000")
        }
        MediaSource::Device if opens("alsasrc", |_| {}) => {
            Some("alsasrc name=mic buffer-time=60000 latency-time=10000")
        }
        MediaSource::Device | MediaSource::File(_) | MediaSource::Absent => None,
    }
}
