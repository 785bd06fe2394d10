//! The camera, or a recording in its place, encoded as VP8 for a weak laptop and a weak link.

use std::{path::Path, sync::Arc, time::Instant};

use bytes::Bytes;
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;
use rabta_call::{Device, DeviceState};
use tokio::sync::broadcast;

use crate::{
    MediaSource,
    clip::{Encoded, Kind, Watched, build, bytes_of, collect, opens},
    sound::DeviceTeller,
};

/// Real time at the least cost, frames that decode although a part is lost, a key frame of its own every ten
/// seconds.
const VP8: &str = "vp8enc name=vp8 deadline=1 cpu-used=8 threads=2 error-resilient=partitions end-usage=cbr \
                   lag-in-frames=0 min-quantizer=4 max-quantizer=56 keyframe-max-dist=150 target-bitrate=600000 \
                   buffer-size=600 buffer-initial-size=400 buffer-optimal-size=500";
/// The camera's own formats, none of them too much for the laptop.
const CAMERA_CAPS: &str = "video/x-raw,width=[160,1920],height=[120,1080],framerate=[5/1,30/1];\
                           image/jpeg,width=[160,1920],height=[120,1080],framerate=[5/1,30/1]";

pub(crate) struct Camera {
    watched: Watched,
    encoder: gst::Element,
    raw: AppSink,
}

/// A JPEG of the camera's picture.
pub(crate) struct Still {
    pub(crate) jpeg: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Camera {
    /// Opens the camera, still dark. `None`, and told, if there is none.
    pub(crate) fn open(
        source: &MediaSource,
        frame_rate: u32,
        origin: Instant,
        picture: broadcast::Sender<Arc<Encoded>>,
        tell: DeviceTeller,
    ) -> Option<Self> {
        let state = probe(source);
        tell(Device::Camera, state);
        if state != DeviceState::Working {
            return None;
        }
        let recorded = matches!(source, MediaSource::File(_));
        let (input, leaky, sync) = if recorded {
            ("filesrc name=file", "", "sync=true")
        } else {
            ("v4l2src name=camera", "leaky=downstream", "sync=false async=false")
        };
        let caps = if recorded { String::new() } else { format!("! {CAMERA_CAPS} ") };
        // The first branch keeps the newest whole picture for a still; the second is the call's.
        let description = format!(
            "{input} {caps}! decodebin caps=video/x-raw expose-all-streams=false ! tee name=t \
             t. ! queue max-size-buffers=1 leaky=downstream ! \
             appsink name=raw sync=false async=false max-buffers=1 drop=true wait-on-eos=false \
             t. ! queue max-size-buffers=2 {leaky} ! videoconvert ! videoscale ! \
             videorate drop-only=true max-rate={frame_rate} ! \
             video/x-raw,format=I420,width=[16,640],height=[16,480],pixel-aspect-ratio=1/1 ! \
             {VP8} ! appsink name=picture {sync}"
        );
        let file = if let MediaSource::File(path) = source { Some(path.as_path()) } else { None };
        let pipeline = match build(&description, file) {
            Ok(pipeline) => pipeline,
            Err(error) => {
                tracing::warn!(%error, "no camera pipeline");
                tell(Device::Camera, DeviceState::Failed);
                return None;
            }
        };
        let failed = tell.clone();
        let watched = Watched::new(pipeline, recorded, move || failed(Device::Camera, DeviceState::Failed));
        if let MediaSource::Named(path) = source
            && let Some(camera) = watched.element("camera")
        {
            camera.set_property("device", path);
        }
        collect(&watched.pipeline, "picture", origin, move |time, buffer| {
            if let Some(data) = bytes_of(buffer) {
                let key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
                // Nobody looks before the first leg or the window.
                let _ = picture.send(Arc::new(Encoded { kind: Kind::Video { key }, time, data }));
            }
        });
        let encoder = watched.element("vp8")?;
        let raw = watched.element("raw")?.downcast::<AppSink>().ok()?;
        Some(Self { watched, encoder, raw })
    }

    /// Builds everything up to the first picture without a camera's light: a recording is at its first frame, a
    /// camera is open and dark.
    pub(crate) fn make_ready(&self) -> bool {
        self.watched.set(gst::State::Paused)
    }

    pub(crate) fn start(&self) -> bool {
        self.watched.set(gst::State::Playing)
    }

    /// Dark, and its light off.
    pub(crate) fn stop(&self) {
        self.watched.set(gst::State::Ready);
    }

    pub(crate) fn force_key_frame(&self) {
        let event = gstreamer_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build();
        if let Some(pad) = self.encoder.static_pad("src") {
            pad.send_event(event);
        }
    }

    /// The encoder's target in kb/s.
    pub(crate) fn set_budget(&self, kbps: u32) {
        self.encoder.set_property("target-bitrate", i32::try_from(kbps.max(30) * 1_000).unwrap_or(600_000));
    }

    /// The newest picture in full size. Blocks for as long as a JPEG takes.
    pub(crate) fn still(raw: &AppSink) -> Option<Still> {
        let sample = raw.try_pull_sample(gst::ClockTime::from_mseconds(500))?;
        let caps = gst::Caps::builder("image/jpeg").build();
        let jpeg =
            gstreamer_video::convert_sample(&sample, &caps, Some(gst::ClockTime::from_seconds(3))).ok()?;
        let structure = jpeg.caps().or(sample.caps())?.structure(0)?;
        let side = |name| structure.get::<i32>(name).ok().and_then(|n| u32::try_from(n).ok());
        let (width, height) = (side("width")?, side("height")?);
        let bytes: Bytes = bytes_of(&jpeg.buffer()?.to_owned())?;
        Some(Still { jpeg: bytes.to_vec(), width, height })
    }

    pub(crate) fn raw(&self) -> AppSink {
        self.raw.clone()
    }
}

fn probe(source: &MediaSource) -> DeviceState {
    let device = |path: &str| {
        if !Path::new(path).exists() {
            DeviceState::Absent
        } else if opens("v4l2src", |e| e.set_property("device", path)) {
            DeviceState::Working
        } else {
            DeviceState::Failed
        }
    };
    match source {
        MediaSource::Device => device("/dev/video0"),
        MediaSource::Named(path) => device(path),
        MediaSource::File(path) if path.is_file() => DeviceState::Working,
        MediaSource::File(_) | MediaSource::Absent => DeviceState::Absent,
    }
}
