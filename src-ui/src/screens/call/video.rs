//! The call's pictures: frames from the shell's raw channel, one decoder for each far side and one for our own
//! camera, each drawn on its canvas. A frame lives until it is drawn and no longer.
//!
//! A decoder that fails or falls behind waits for the next key frame and asks the shell for one.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::call::{FrameHead, NeedKeyframe, PictureDrawn};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::codec::{self, Context2d, EncodedVideoChunk, VideoDecoder, VideoFrame};
use crate::{bridge, dom, ipc};

/// Chunks that may wait in a decoder.
const WAITING: u32 = 8;
/// At most one wish for a key frame in this time.
const WISH_MS: f64 = 500.0;
/// A VP8 key frame, 16 by 16 and black, to start a decoder with: `gst-launch-1.0 videotestsrc num-buffers=1
/// pattern=black ! video/x-raw,format=I420,width=16,height=16 ! vp8enc ! filesink location=black.vp8`.
const BLACK: &[u8] = &[
    0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0x00, 0x10, 0x00, 0x00, 0x47, 0x08, 0x85, 0x85, 0x88, 0x85,
    0x84, 0x88, 0x02, 0x02, 0x00, 0x0c, 0x0d, 0x60, 0x00, 0xfe, 0xff, 0xab, 0x50, 0x80,
];

/// Which picture: our own camera, or a far side's by its index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    own: bool,
    leg: u8,
}

impl Source {
    /// The id of its canvas.
    fn canvas(self) -> String {
        if self.own { "own-video".to_owned() } else { far_canvas(self.leg) }
    }
}

/// The id of a far side's canvas.
pub fn far_canvas(leg: u8) -> String {
    format!("far-{leg}")
}

thread_local! {
    /// The pictures of the page that is open: there is at most one such page.
    static PICTURES: RefCell<Option<Pictures>> = const { RefCell::new(None) };
    static ASKED_AT: Cell<f64> = const { Cell::new(0.0) };
    /// A decoder that runs while it rings, for nobody. Its size is set for good by its first frame, so it cannot be
    /// the call's own; what it loaded stays in the window.
    static WARM: RefCell<Option<Decoder>> = const { RefCell::new(None) };
}

struct Pictures {
    sinks: BTreeMap<Source, Sink>,
    legs: RwSignal<Vec<u8>>,
    own: RwSignal<bool>,
}

/// Opens the channel and draws what comes, until the page is left. `legs` gets the index of each far side with a
/// picture, `own` whether our own came.
pub fn start(legs: RwSignal<Vec<u8>>, own: RwSignal<bool>) {
    PICTURES.with(|all| *all.borrow_mut() = Some(Pictures { sinks: BTreeMap::new(), legs, own }));
    on_cleanup(|| PICTURES.with(|all| *all.borrow_mut() = None));
    let Ok(channel) = bridge::Channel::new() else { return };
    // A channel cannot be closed from here: its callback stays, and finds nothing to draw on once the page is gone.
    let callback = Closure::<dyn Fn(JsValue)>::new(hear);
    channel.set_onmessage(callback.as_ref().unchecked_ref());
    callback.forget();
    let arguments = codec::object(&[("channel", channel.into())]);
    spawn_local(async move {
        let _ = bridge::invoke("frames", &arguments).await;
    });
}

/// Starts a decoder while it rings: what a window's first one loads takes a part of a second, which nobody should wait
/// for after they accepted.
pub fn warm() {
    if WARM.with_borrow(Option::is_some) {
        return;
    }
    let Some(decoder) = Decoder::new(None) else { return };
    let black = js_sys::Uint8Array::from(BLACK);
    if decoder.decode(true, 0.0, &black) {
        WARM.with_borrow_mut(|warm| *warm = Some(decoder));
    }
}

/// Nothing rings any more.
pub fn cool() {
    WARM.with_borrow_mut(Option::take);
}

fn hear(message: JsValue) {
    let bytes = js_sys::Uint8Array::new(&message);
    let Some(head) = FrameHead::read(&bytes.subarray(0, FrameHead::LEN as u32).to_vec()) else { return };
    let data = bytes.subarray(FrameHead::LEN as u32, bytes.length());
    let source = Source { own: head.own, leg: if head.own { 0 } else { head.leg } };
    let (new, lost) = PICTURES.with(|all| {
        let mut all = all.borrow_mut();
        let Some(pictures) = all.as_mut() else { return (None, false) };
        let new = (!pictures.sinks.contains_key(&source)).then_some((pictures.legs, pictures.own));
        let sink = pictures.sinks.entry(source).or_insert_with(|| Sink::new(source));
        (new, !sink.push(head, &data))
    });
    // Outside the borrow: signals draw at once.
    if let Some((legs, own)) = new {
        if source.own {
            own.try_set(true);
        } else {
            legs.try_update(|legs| legs.push(source.leg));
        }
    }
    if lost {
        want_keyframe();
    }
}

fn want_keyframe() {
    let now = dom::now_ms();
    if now - ASKED_AT.get() < WISH_MS {
        return;
    }
    ASKED_AT.set(now);
    spawn_local(async {
        let _ = ipc::call(NeedKeyframe {}).await;
    });
}

/// One picture's way: decoder, then canvas.
struct Sink {
    source: Source,
    decoder: Option<Decoder>,
    /// Nothing can be shown before the next key frame.
    needs_key: bool,
}

/// A decoder with the callbacks that it calls; they live as long as it does.
struct Decoder {
    decoder: VideoDecoder,
    failed: Rc<Cell<bool>>,
    _output: Closure<dyn FnMut(VideoFrame)>,
    _error: Closure<dyn FnMut(JsValue)>,
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // One that failed is closed already.
        let _ = self.decoder.close();
    }
}

impl Sink {
    fn new(source: Source) -> Self {
        Sink { source, decoder: None, needs_key: true }
    }

    /// Takes a frame; `false`: a key frame is wanted.
    fn push(&mut self, head: FrameHead, data: &js_sys::Uint8Array) -> bool {
        if self.decoder.as_ref().is_some_and(|decoder| decoder.failed.get()) {
            self.decoder = None;
            self.needs_key = true;
        }
        if self.decoder.as_ref().is_some_and(|decoder| decoder.decoder.queue_size() > WAITING) {
            self.needs_key = true;
        }
        if self.needs_key && !head.key {
            return false;
        }
        if self.decoder.is_none() {
            self.decoder = Decoder::new(Some(self.source));
        }
        let Some(decoder) = &self.decoder else { return true };
        let taken = decoder.decode(head.key, head.pts_us as f64, data);
        self.needs_key = !taken;
        if !taken {
            self.decoder = None;
        }
        taken
    }
}

impl Decoder {
    /// `None` where this window has no such decoder. `source`: whose picture is drawn, if any.
    fn new(source: Option<Source>) -> Option<Self> {
        if !codec::is_there() {
            return None;
        }
        let mut screen = Screen::default();
        let output = Closure::<dyn FnMut(VideoFrame)>::new(move |frame: VideoFrame| {
            if let Some(source) = source {
                screen.draw(source, &frame);
            }
            frame.close();
        });
        let failed = Rc::<Cell<bool>>::default();
        let failing = failed.clone();
        let error = Closure::<dyn FnMut(JsValue)>::new(move |_| {
            failing.set(true);
            want_keyframe();
        });
        let init = codec::object(&[("output", output.as_ref().clone()), ("error", error.as_ref().clone())]);
        let decoder = VideoDecoder::new(&init).ok()?;
        let config =
            codec::object(&[("codec", JsValue::from_str("vp8")), ("optimizeForLatency", JsValue::TRUE)]);
        decoder.configure(&config).ok()?;
        Some(Decoder { decoder, failed, _output: output, _error: error })
    }

    /// Whether the frame was taken. `time`: microseconds.
    fn decode(&self, key: bool, time: f64, data: &js_sys::Uint8Array) -> bool {
        let chunk = codec::object(&[
            ("type", JsValue::from_str(if key { "key" } else { "delta" })),
            ("timestamp", JsValue::from_f64(time)),
            ("data", data.into()),
        ]);
        EncodedVideoChunk::new(&chunk).and_then(|chunk| self.decoder.decode(&chunk)).is_ok()
    }
}

/// Where a picture is drawn. The canvas is looked up when it is not there yet, or was drawn anew.
#[derive(Default)]
struct Screen {
    canvas: Option<(HtmlCanvasElement, Context2d)>,
    drawn: u32,
}

impl Screen {
    fn draw(&mut self, source: Source, frame: &VideoFrame) {
        if self.canvas.as_ref().is_none_or(|(canvas, _)| !canvas.is_connected()) {
            self.canvas = find(source);
        }
        let Some((canvas, context)) = &self.canvas else { return };
        if canvas.width() != frame.width() || canvas.height() != frame.height() {
            canvas.set_width(frame.width());
            canvas.set_height(frame.height());
        }
        if context.draw(frame, 0.0, 0.0).is_err() {
            return;
        }
        if self.drawn == 0 && !source.own {
            tell_drawn();
        }
        self.drawn = self.drawn.wrapping_add(1);
        let _ = canvas.set_attribute("data-frames", &self.drawn.to_string());
    }
}

fn find(source: Source) -> Option<(HtmlCanvasElement, Context2d)> {
    let element = dom::document().get_element_by_id(&source.canvas())?;
    let canvas = element.dyn_into::<HtmlCanvasElement>().ok()?;
    let context = canvas.get_context("2d").ok().flatten()?.unchecked_into::<Context2d>();
    Some((canvas, context))
}

/// The wait for their picture is over. The shell takes the first of a call.
fn tell_drawn() {
    let at = dom::now_ms() as i64;
    spawn_local(async move {
        let _ = ipc::call(PictureDrawn { at }).await;
    });
}
