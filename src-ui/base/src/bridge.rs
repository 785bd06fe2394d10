//! Tauri's side of the window: `invoke` and `Channel` of `window.__TAURI__.core`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Calls a command of the shell; rejects with what the command's error serializes to.
    #[wasm_bindgen(catch, js_namespace = ["window", "__TAURI__", "core"], js_name = invoke)]
    pub async fn invoke(command: &str, arguments: &JsValue) -> Result<JsValue, JsValue>;

    /// An ordered stream from the shell to this page.
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "core"])]
    pub type Channel;

    #[wasm_bindgen(catch, constructor, js_namespace = ["window", "__TAURI__", "core"])]
    pub fn new() -> Result<Channel, JsValue>;

    #[wasm_bindgen(method, setter)]
    pub fn set_onmessage(this: &Channel, callback: &js_sys::Function);
}
