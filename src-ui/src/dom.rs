//! The few things asked of the browser itself.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, HtmlElement, Storage, Window};

pub fn window() -> Window {
    web_sys::window().expect("this program runs in a window")
}

pub fn document() -> Document {
    window().document().expect("a window has a document")
}

/// `<html>`.
pub fn root() -> Element {
    document().document_element().expect("a document has a root")
}

/// Says which screen this is, on the root (`data-screen`), and scrolls nothing.
pub fn set_screen(name: &str) {
    let _ = root().set_attribute("data-screen", name);
}

/// Goes to another page of the app; the page left is gone, also from the back button.
pub fn replace_page(url: &str) {
    let _ = window().location().replace(url);
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// Language and theme only; nothing about anybody.
pub fn stored(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

pub fn store(key: &str, value: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(key, value);
    }
}

pub fn system_is_dark() -> bool {
    window().match_media("(prefers-color-scheme: dark)").ok().flatten().is_some_and(|query| query.matches())
}

/// Whether the layout is the narrow one (one column, bottom bar).
pub fn is_narrow() -> bool {
    window().match_media("(max-width: 760px)").ok().flatten().is_some_and(|query| query.matches())
}

/// Puts the keyboard into the first element that `selector` finds.
pub fn focus(selector: &str) {
    if let Some(element) = document().query_selector(selector).ok().flatten().and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// As [`focus`], once what is being drawn now is there.
pub fn focus_soon(selector: &'static str) {
    after(0, move || focus(selector));
}

/// Scrolls the first element that `selector` finds into view, if it is not.
pub fn reveal(selector: &str) {
    if let Some(element) = document().query_selector(selector).ok().flatten() {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Runs `then` once, after `ms` milliseconds.
pub fn after(ms: i32, then: impl FnOnce() + 'static) {
    let callback = Closure::once_into_js(then);
    let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(callback.unchecked_ref(), ms);
}

/// A pause, for async code.
pub async fn pause(ms: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

/// Milliseconds since 1970 by the laptop's clock, which may be wrong.
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// The laptop's local day, as year, month (1-12), day.
pub fn today() -> (i32, u8, u8) {
    let now = js_sys::Date::new_0();
    (now.get_full_year() as i32, now.get_month() as u8 + 1, now.get_date() as u8)
}
