//! The window's video decoder (WebCodecs) and a canvas to draw on, as far as they are used here.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    pub type VideoDecoder;

    #[wasm_bindgen(catch, constructor)]
    pub fn new(init: &js_sys::Object) -> Result<VideoDecoder, JsValue>;

    #[wasm_bindgen(catch, method)]
    pub fn configure(this: &VideoDecoder, config: &js_sys::Object) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, method)]
    pub fn decode(this: &VideoDecoder, chunk: &EncodedVideoChunk) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, method)]
    pub fn close(this: &VideoDecoder) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter, js_name = decodeQueueSize)]
    pub fn queue_size(this: &VideoDecoder) -> u32;

    pub type EncodedVideoChunk;

    #[wasm_bindgen(catch, constructor)]
    pub fn new(init: &js_sys::Object) -> Result<EncodedVideoChunk, JsValue>;

    pub type VideoFrame;

    #[wasm_bindgen(method, getter, js_name = displayWidth)]
    pub fn width(this: &VideoFrame) -> u32;

    #[wasm_bindgen(method, getter, js_name = displayHeight)]
    pub fn height(this: &VideoFrame) -> u32;

    #[wasm_bindgen(method)]
    pub fn close(this: &VideoFrame);

    pub type Context2d;

    #[wasm_bindgen(catch, method, js_name = drawImage)]
    pub fn draw(this: &Context2d, frame: &VideoFrame, x: f64, y: f64) -> Result<(), JsValue>;
}

/// Whether this window can decode video at all.
pub fn is_there() -> bool {
    js_sys::Reflect::has(&crate::dom::window(), &JsValue::from_str("VideoDecoder")).unwrap_or(false)
}

/// A plain object of these properties.
pub fn object(of: &[(&str, JsValue)]) -> js_sys::Object {
    let object = js_sys::Object::new();
    for (key, value) in of {
        // Setting a property of a plain object of our own cannot fail.
        let _ = js_sys::Reflect::set(&object, &JsValue::from_str(key), value);
    }
    object
}
