//! What the sources have in common: pipelines that are watched, recordings that start over, and one time line
//! for what they encode.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;

/// One encoded unit of our own media.
#[derive(Debug, Clone)]
pub(crate) struct Encoded {
    pub(crate) kind: Kind,
    /// On the source's time line.
    pub(crate) time: Duration,
    pub(crate) data: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Audio,
    Video { key: bool },
}

/// Turns a pipeline's times, which begin anew when a recording starts over, into one that only grows.
pub(crate) struct TimeLine {
    origin: Instant,
    offset: Duration,
    last: Option<Duration>,
}

impl TimeLine {
    pub(crate) fn new(origin: Instant) -> Self {
        Self { origin, offset: Duration::ZERO, last: None }
    }

    /// `at`: the pipeline's running time of a unit that came at `now`.
    pub(crate) fn place(&mut self, now: Instant, at: Duration) -> Duration {
        if self.last.is_none_or(|last| at < last) {
            // A start: it is placed by the wall clock, everything after it by its own times.
            self.offset = now.saturating_duration_since(self.origin).saturating_sub(at);
        }
        self.last = Some(at);
        self.offset + at
    }
}

/// A pipeline with a thread on its bus. Stopped when dropped.
pub(crate) struct Watched {
    pub(crate) pipeline: gst::Pipeline,
}

impl Watched {
    /// `again`: a recording, which starts over at its end. `failed` is told once if the pipeline breaks.
    pub(crate) fn new(pipeline: gst::Pipeline, again: bool, failed: impl FnOnce() + Send + 'static) -> Self {
        let weak = pipeline.downgrade();
        if let Some(bus) = pipeline.bus() {
            let watch = move || {
                let mut failed = Some(failed);
                for message in bus.iter_timed(gst::ClockTime::NONE) {
                    match message.view() {
                        gst::MessageView::Eos(_) if again => {
                            let Some(pipeline) = weak.upgrade() else { return };
                            if let Err(error) =
                                pipeline.seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::ZERO)
                            {
                                tracing::warn!(%error, "a recording does not start over");
                            }
                        }
                        gst::MessageView::Error(error) => {
                            tracing::warn!(error = %error.error(), "a media pipeline failed");
                            if let Some(failed) = failed.take() {
                                failed();
                            }
                        }
                        gst::MessageView::Application(_) => return,
                        _ => {}
                    }
                }
            };
            // A thread that cannot be had leaves the pipeline unwatched: it plays, but not over and over.
            let _ = std::thread::Builder::new().name("media-bus".into()).spawn(watch);
        }
        Self { pipeline }
    }

    pub(crate) fn set(&self, state: gst::State) -> bool {
        self.pipeline.set_state(state).is_ok()
    }

    pub(crate) fn element(&self, name: &str) -> Option<gst::Element> {
        self.pipeline.by_name(name)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
        let quit = gst::message::Application::new(gst::Structure::new_empty("quit"));
        let _ = self.pipeline.post_message(quit);
    }
}

/// Builds a pipeline from its description, with the location of `filesrc name=file` set apart, so that a path is
/// never part of the description.
pub(crate) fn build(
    description: &str,
    file: Option<&std::path::Path>,
) -> Result<gst::Pipeline, gst::glib::BoolError> {
    let pipeline = gst::parse::launch(description)
        .map_err(|error| gst::glib::bool_error!("{error}"))?
        .downcast::<gst::Pipeline>()
        .map_err(|_| gst::glib::bool_error!("not a pipeline"))?;
    if let (Some(path), Some(source)) = (file, pipeline.by_name("file")) {
        source.set_property("location", path);
    }
    Ok(pipeline)
}

/// Hands every buffer of `appsink name=…` on, placed on one time line.
pub(crate) fn collect(
    pipeline: &gst::Pipeline,
    sink: &str,
    origin: Instant,
    out: impl Fn(Duration, &gst::Buffer) + Send + 'static,
) {
    let Some(sink) = pipeline.by_name(sink).and_then(|e| e.downcast::<AppSink>().ok()) else { return };
    let line = Arc::new(Mutex::new(TimeLine::new(origin)));
    let callbacks = gstreamer_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let segment = sample.segment().and_then(|s| s.downcast_ref::<gst::ClockTime>());
            if let Some(buffer) = sample.buffer()
                && let Some(pts) = buffer.pts()
            {
                let at = segment.and_then(|s| s.to_running_time(pts)).unwrap_or(pts);
                let at = Duration::from_nanos(at.nseconds());
                let now = Instant::now();
                let time = line.lock().unwrap_or_else(|e| e.into_inner()).place(now, at);
                out(time, &buffer.to_owned());
            }
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    sink.set_callbacks(callbacks);
}

/// A buffer's bytes.
pub(crate) fn bytes_of(buffer: &gst::Buffer) -> Option<Bytes> {
    buffer.map_readable().ok().map(|map| Bytes::copy_from_slice(&map))
}

/// Whether an element of this kind opens now.
pub(crate) fn opens(factory: &str, set: impl Fn(&gst::Element)) -> bool {
    let Ok(element) = gst::ElementFactory::make(factory).build() else { return false };
    set(&element);
    let ready = element.set_state(gst::State::Ready).is_ok();
    let _ = element.set_state(gst::State::Null);
    ready
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_that_starts_over_goes_on_in_time() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let mut line = TimeLine::new(start);
        assert_eq!(line.place(start + ms(100), ms(0)), ms(100));
        assert_eq!(line.place(start + ms(180), ms(66)), ms(166));
        // It begins anew, 50 ms late.
        assert_eq!(line.place(start + ms(282), ms(0)), ms(282));
        assert_eq!(line.place(start + ms(340), ms(66)), ms(348));
    }
}
