//! The bell of a call that comes in: two tones for a second, two seconds of rest, until it is dropped.

use std::{f32::consts::TAU, sync::mpsc, thread};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSrc, AppSrcCallbacks};

use crate::{
    Loudspeaker,
    clip::build,
    sound::{RAW, name_speaker, speaker},
};

/// Samples a second, as in [`RAW`].
const RATE: u64 = 48_000;
const SOUND_SECONDS: u64 = 1;
const REST_SECONDS: u64 = 2;
/// The two tones of a ringing telephone (ITU-T E.180 lists pairs around these), Hz.
const TONES: [f32; 2] = [440.0, 480.0];
/// Loud enough for the next room, below full scale.
const LOUDNESS: f32 = 0.45;
/// Without a fade in and out each ring would crack.
const FADE_SECONDS: f32 = 0.02;

/// Rings from [`Ring::start`] until it is dropped.
pub struct Ring {
    /// Nothing is ever sent: the thread that rings ends when this goes away.
    _stop: mpsc::Sender<()>,
}

impl Ring {
    /// Returns at once; opening a loudspeaker may take its time. Without one the screen shows the call all the same.
    pub fn start(loudspeaker: Loudspeaker) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        thread::spawn(move || {
            if let Some(_bell) = Bell::ring(&loudspeaker) {
                let _ = stopped.recv();
            }
        });
        Self { _stop: stop }
    }
}

struct Bell(gst::Pipeline);

impl Bell {
    fn ring(loudspeaker: &Loudspeaker) -> Option<Self> {
        gst::init().ok()?;
        let (sink, _) = speaker(loudspeaker);
        let description =
            format!("appsrc name=bell format=time caps={RAW} ! audioconvert ! audioresample ! {sink}");
        let pipeline =
            build(&description, None).inspect_err(|error| tracing::warn!(%error, "no bell")).ok()?;
        name_speaker(&pipeline, loudspeaker);
        let source = pipeline.by_name("bell")?.downcast::<AppSrc>().ok()?;
        let samples = period();
        let length = gst::ClockTime::from_seconds(SOUND_SECONDS + REST_SECONDS);
        let mut next = gst::ClockTime::ZERO;
        let again = move |source: &AppSrc, _: u32| {
            let mut buffer = gst::Buffer::from_slice(samples.clone());
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(next);
                buffer.set_duration(length);
            }
            next += length;
            // Refused only while the pipeline shuts down.
            let _ = source.push_buffer(buffer);
        };
        source.set_callbacks(AppSrcCallbacks::builder().need_data(again).build());
        let bell = Self(pipeline);
        bell.0.set_state(gst::State::Playing).ok()?;
        Some(bell)
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// One ring and its rest, as [`RAW`]'s samples.
fn period() -> Vec<u8> {
    let sample = |n: u64| {
        if n >= SOUND_SECONDS * RATE {
            return 0_i16;
        }
        let at = n as f32 / RATE as f32;
        let fade = (at.min(SOUND_SECONDS as f32 - at) / FADE_SECONDS).clamp(0.0, 1.0);
        let wave: f32 = TONES.iter().map(|hertz| (TAU * hertz * at).sin()).sum::<f32>() / TONES.len() as f32;
        (wave * fade * LOUDNESS * f32::from(i16::MAX)) as i16
    };
    (0..(SOUND_SECONDS + REST_SECONDS) * RATE).flat_map(|n| sample(n).to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_a_second_of_tone_without_a_crack_and_two_of_rest() {
        let bytes = period();
        let samples: Vec<i16> =
            bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        assert_eq!(samples.len(), 3 * RATE as usize);
        let (tone, rest) = samples.split_at(RATE as usize);
        assert!(tone.iter().any(|s| *s > 10_000) && rest.iter().all(|s| *s == 0));
        assert!(tone.windows(2).all(|pair| pair[0].abs_diff(pair[1]) < 2_000), "no jump between samples");
    }

    #[test]
    fn it_rings_into_a_silent_loudspeaker_and_stops_when_dropped() {
        let ring = Bell::ring(&Loudspeaker::Silent).expect("GStreamer's base plugins are there");
        let pipeline = ring.0.clone();
        let playing = pipeline.state(gst::ClockTime::from_seconds(10)).1;
        assert_eq!(playing, gst::State::Playing);
        drop(ring);
        assert_eq!(pipeline.state(gst::ClockTime::from_seconds(10)).1, gst::State::Null);
    }
}
