//! Questions to the shell, and what it says unasked. Both are JSON; the shell's one command is `rabta`, its one
//! stream is opened by the command `events`.

use std::{cell::Cell, pin::Pin};

use rabta_ipc::{Command, Error, Event};
use wasm_bindgen::prelude::*;

use crate::{bridge, lean};

/// Asks the shell. A window without a shell behind it answers `no-shell`. The command is written down at once, so that no
/// caller's future carries it.
pub fn call<C: Command>(command: C) -> impl Future<Output = Result<C::Reply, Error>> {
    let sent = sent(C::NAME, body(&command));
    async move { reply::<C>(&sent.await?) }
}

/// A command as it travels beside its name: JSON.
pub fn body<C: Command>(command: &C) -> Result<String, Error> {
    serde_json::to_string(command).map_err(|_| unexpected(C::NAME, "body"))
}

/// What the shell answered to such a command, from its JSON.
pub fn reply<C: Command>(json: &str) -> Result<C::Reply, Error> {
    lean::read(json).map_err(|error| unexpected(C::NAME, error.0))
}

#[inline(never)]
fn unexpected(name: &str, what: &str) -> Error {
    Error { detail: Some([name, ": ", what].concat()), ..Error::new("unexpected") }
}

/// [`send`] in a box: the window asks a hundred things, and each caller would carry all of it.
#[inline(never)]
fn sent(
    name: &'static str,
    body: Result<String, Error>,
) -> Pin<Box<dyn Future<Output = Result<String, Error>>>> {
    Box::pin(async move { send(name, &body?).await })
}

/// The part of [`call`] that is the same for every command.
pub async fn send(name: &str, body: &str) -> Result<String, Error> {
    let arguments = js_sys::Object::new();
    let body = js_sys::JSON::parse(body).map_err(|_| Error::new("unexpected"))?;
    set(&arguments, "name", &JsValue::from_str(name));
    set(&arguments, "body", &body);
    match bridge::invoke("rabta", &arguments).await {
        Ok(value) => Ok(text(&value).unwrap_or_else(|| "null".to_owned())),
        Err(value) => {
            let error: Error = text(&value)
                .and_then(|json| lean::read(&json).ok())
                .unwrap_or_else(|| Error::detail(if shell() { "unexpected" } else { "no-shell" }, name));
            if let ("screen-locked" | "vault-locked", Some(leave)) = (error.code.as_str(), ON_LOCKED.get()) {
                leave();
            }
            Err(error)
        }
    }
}

thread_local! {
    static ON_LOCKED: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// What is done when the shell answers that it is locked: a press at the very moment of a lock may have kept the page
/// from leaving.
pub fn on_locked(leave: fn()) {
    ON_LOCKED.set(Some(leave));
}

/// Opens the stream of events; `hear` gets each, in order, for as long as the page lives.
pub async fn listen(hear: impl Fn(Event) + 'static) -> Result<(), Error> {
    listen_json(move |json| {
        // An event of a newer shell that this window does not know is nothing to it.
        if let Ok(event) = lean::read::<Event>(json) {
            hear(event);
        }
    })
    .await
}

/// As [`listen`], before it is read: the gate knows two events and carries no reader for the others.
pub async fn listen_json(hear: impl Fn(&str) + 'static) -> Result<(), Error> {
    let channel = bridge::Channel::new().map_err(|_| Error::new("no-shell"))?;
    let callback = Closure::<dyn Fn(JsValue)>::new(move |message: JsValue| {
        if let Some(json) = text(&message) {
            hear(&json);
        }
    });
    channel.set_onmessage(callback.as_ref().unchecked_ref());
    callback.forget();
    let arguments = js_sys::Object::new();
    set(&arguments, "channel", &channel);
    bridge::invoke("events", &arguments).await.map(|_| ()).map_err(|_| Error::new("no-shell"))
}

/// JSON of a value that came over, whether as text or as an object.
fn text(value: &JsValue) -> Option<String> {
    match value.as_string() {
        Some(json) if json.starts_with(['{', '[', '"']) => Some(json),
        _ => js_sys::JSON::stringify(value).ok().and_then(|json| json.as_string()),
    }
}

fn set(object: &js_sys::Object, key: &str, value: &JsValue) {
    // Setting a property of a plain object of our own cannot fail.
    let _ = js_sys::Reflect::set(object, &JsValue::from_str(key), value);
}

fn shell() -> bool {
    js_sys::Reflect::has(&crate::dom::window(), &JsValue::from_str("__TAURI__")).unwrap_or(false)
}
