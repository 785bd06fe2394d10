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

/// Practice has a color of its own on every page.
pub fn mark_training(on: bool) {
    let _ =
        if on { root().set_attribute("data-training", "") } else { root().remove_attribute("data-training") };
}

/// Goes to another page of the app; the page left is gone, also from the back button.
pub fn replace_page(url: &str) {
    let _ = window().location().replace(url);
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// How somebody likes the window: language, theme, paper, the place in the guide. Nothing about anybody.
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
    if let Some(element) =
        document().query_selector(selector).ok().flatten().and_then(|e| e.dyn_into::<HtmlElement>().ok())
    {
        let _ = element.focus();
    }
}

/// Whether no element has the keyboard: a page that was just opened.
pub fn nothing_has_the_keyboard() -> bool {
    document().active_element().is_none_or(|element| element.tag_name().eq_ignore_ascii_case("body"))
}

/// As [`focus`], once what is being drawn now is there.
pub fn focus_soon(selector: &'static str) {
    after(0, move || focus(selector));
}

/// Gives a field the keyboard with all that stands in it selected, so that typing replaces it. Unless `asked` for by a key, a
/// field that has the keyboard already is left alone: somebody may be typing.
pub fn focus_whole(selector: &str, asked: bool) {
    let field = document().query_selector(selector).ok().flatten();
    let Some(field) = field.and_then(|e| e.dyn_into::<web_sys::HtmlInputElement>().ok()) else { return };
    if asked || document().active_element().as_ref() != Some(field.as_ref()) {
        let _ = field.focus();
        field.select();
    }
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

/// A moment in milliseconds since 1970 as the laptop's local day (`2026-11-22`) and time (`14:05`).
pub fn local_moment(at_ms: f64) -> (String, String) {
    let at = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at_ms));
    let day = format!("{:04}-{:02}-{:02}", at.get_full_year(), at.get_month() + 1, at.get_date());
    (day, format!("{:02}:{:02}", at.get_hours(), at.get_minutes()))
}

/// A new random id (UUID, version 4), from the browser's own source of randomness.
pub fn uuid() -> String {
    let mut bytes = js_sys::Uint8Array::new_with_length(16);
    let crypto = js_sys::Reflect::get(&window(), &"crypto".into());
    let fill =
        crypto.as_ref().ok().and_then(|crypto| js_sys::Reflect::get(crypto, &"getRandomValues".into()).ok());
    if let (Ok(crypto), Some(fill)) = (&crypto, fill.and_then(|f| f.dyn_into::<js_sys::Function>().ok()))
        && let Ok(filled) = fill.call1(crypto, &bytes)
    {
        bytes = filled.unchecked_into();
    }
    let mut b = [0_u8; 16];
    bytes.copy_to(&mut b);
    b[6] = (b[6] & 0x0F) | 0x40;
    b[8] = (b[8] & 0x3F) | 0x80;
    let hex: String = b.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The bytes of a file that was chosen, in base64. `None` where it cannot be read.
pub async fn base64_of(file: &web_sys::File) -> Option<String> {
    let buffer = wasm_bindgen_futures::JsFuture::from(file.array_buffer()).await.ok()?;
    Some(base64(&js_sys::Uint8Array::new(&buffer).to_vec()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0_u32, |n, byte| (n << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = char::from(DIGITS[(n >> (18 - 6 * i)) as usize & 63]);
            out.push(if i <= chunk.len() { digit } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn bytes_are_base64_as_rfc_4648_has_them() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
