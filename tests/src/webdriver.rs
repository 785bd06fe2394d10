//! The part of W3C WebDriver that we need, over plain HTTP on loopback. Every request has a deadline, so that a
//! window that hangs fails its test rather than the whole run.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The key under which WebDriver gives an element's reference (W3C WebDriver, section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Longer than any single step of a window should take.
const DEADLINE: Duration = Duration::from_secs(30);

pub struct Session {
    http: reqwest::Client,
    url: String,
}

/// A reference to an element of the page that was current when it was found.
#[derive(Clone, Debug)]
pub struct Element(String);

/// Calls back once the element was at one place for two frames, or after a second; the next click is noted.
const STANDS_STILL: &str = "const [e, done] = arguments; \
    window.rabtaClicked = false; \
    const hit = (c) => { window.rabtaClicked = [e, ...(e.labels ?? [])].some((own) => own.contains(c.target)) }; \
    addEventListener('click', hit, { capture: true, once: true }); \
    const at = () => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height].join() }; \
    const end = performance.now() + 1000; \
    const look = (before) => { \
        const now = at(); \
        if (now === before || performance.now() > end) done(null); \
        else setTimeout(() => look(now), 34) }; \
    look('')";

/// Whether the click went elsewhere, with the element still there. A list's options get none.
const MISSED: &str = "const e = arguments[0]; \
    return e.isConnected && e.localName !== 'option' && !window.rabtaClicked";

impl Session {
    /// Opens a session at a driver's address, such as `http://127.0.0.1:4444`.
    pub async fn open(driver: &str, capabilities: Value) -> Result<Self> {
        let http = client()?;
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let made =
            send(http.post(format!("{driver}/session")).json(&body)).await.context("opening the window")?;
        let id = made["sessionId"].as_str().context("the driver gave no session")?;
        Ok(Self { http, url: format!("{driver}/session/{id}") })
    }

    pub async fn close(&self) -> Result<()> {
        send(self.http.delete(&self.url)).await.map(drop)
    }

    pub async fn refresh(&self) -> Result<()> {
        self.post("refresh", json!({})).await.map(drop)
    }

    pub async fn go(&self, url: &str) -> Result<()> {
        self.post("url", json!({ "url": url })).await.map(drop)
    }

    pub async fn back(&self) -> Result<()> {
        self.post("back", json!({})).await.map(drop)
    }

    /// A further tab; what follows happens in it. Its handle.
    pub async fn new_tab(&self) -> Result<String> {
        let made = self.post("window/new", json!({ "type": "tab" })).await?;
        let handle = made["handle"].as_str().context("a new tab has a handle")?.to_owned();
        self.switch(&handle).await?;
        Ok(handle)
    }

    pub async fn tab(&self) -> Result<String> {
        Ok(self.get("window").await?.as_str().context("a tab has a handle")?.to_owned())
    }

    pub async fn switch(&self, handle: &str) -> Result<()> {
        self.post("window", json!({ "handle": handle })).await.map(drop)
    }

    /// Closes the tab that is used now; the next step has to be [`Session::switch`].
    pub async fn close_tab(&self) -> Result<()> {
        send(self.http.delete(format!("{}/window", self.url))).await.map(drop)
    }

    /// What the person once answered to a page's wish (W3C Permissions, section 7): `granted`, `denied`, `prompt`.
    pub async fn permit(&self, name: &str, state: &str) -> Result<()> {
        self.post("permissions", json!({ "descriptor": { "name": name }, "state": state })).await.map(drop)
    }

    /// A command of Chromium's own protocol, which the standard has none for.
    pub async fn cdp(&self, command: &str, params: Value) -> Result<Value> {
        self.post("goog/cdp/execute", json!({ "cmd": command, "params": params })).await
    }

    /// Runs a function's body that calls its last argument when it is done; what it was called with.
    pub async fn eval_later(&self, script: &str, arguments: Value) -> Result<Value> {
        self.post("execute/async", json!({ "script": script, "args": arguments })).await
    }

    /// The first element that the CSS selector finds and that is drawn.
    pub async fn visible(&self, css: &str) -> Result<Option<Element>> {
        Ok(self.all(css).await?.into_iter().next())
    }

    /// The first element that the CSS selector finds, drawn or not: the options of a closed list are not.
    pub async fn any(&self, css: &str) -> Result<Option<Element>> {
        let found = self.eval("return document.querySelector(arguments[0])", json!([css])).await?;
        Ok(found[ELEMENT].as_str().map(|id| Element(id.to_owned())))
    }

    /// All that the CSS selector finds and that are drawn.
    pub async fn all(&self, css: &str) -> Result<Vec<Element>> {
        let script = "return [...document.querySelectorAll(arguments[0])].filter(e => { \
            const r = e.getBoundingClientRect(); \
            return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden'; })";
        let found = self.eval(script, json!([css])).await?;
        let list = found.as_array().cloned().unwrap_or_default();
        Ok(list.into_iter().filter_map(|e| e[ELEMENT].as_str().map(|id| Element(id.to_owned()))).collect())
    }

    /// Scrolls it to the middle, where no bar at an edge covers it, waits until it stands still, and clicks.
    /// An error where the click came to nothing, as when the page moved under the pointer.
    pub async fn click(&self, element: &Element) -> Result<()> {
        self.to_the_middle(element).await?;
        self.eval_later(STANDS_STILL, json!([element.reference()])).await?;
        self.post(&format!("element/{}/click", element.0), json!({})).await?;
        // A page that went with the click cannot be asked.
        let missed = self.eval(MISSED, json!([element.reference()])).await.unwrap_or(Value::Bool(false));
        ensure!(missed != Value::Bool(true), "the click was lost");
        Ok(())
    }

    async fn to_the_middle(&self, element: &Element) -> Result<()> {
        let middle = "const e = arguments[0]; (e.closest('select') || e).scrollIntoView({ block: 'center', inline: 'nearest' })";
        self.eval(middle, json!([element.reference()])).await.map(drop)
    }

    /// Empties a field, likewise in the middle.
    pub async fn clear(&self, element: &Element) -> Result<()> {
        self.to_the_middle(element).await?;
        self.post(&format!("element/{}/clear", element.0), json!({})).await.map(drop)
    }

    /// Types as a keyboard would, at the end of what is there.
    pub async fn type_keys(&self, element: &Element, text: &str) -> Result<()> {
        self.post(&format!("element/{}/value", element.0), json!({ "text": text })).await.map(drop)
    }

    pub async fn text(&self, element: &Element) -> Result<String> {
        let value = self.get(&format!("element/{}/text", element.0)).await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a function's body in the page. `arguments` is a list; elements may be passed by [`Element::reference`].
    pub async fn eval(&self, script: &str, arguments: Value) -> Result<Value> {
        self.post("execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// The page as a PNG. WebKit's window has none without a GPU: see `x11`.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        let text = self.get("screenshot").await?;
        let text = text.as_str().context("a screenshot is base64")?;
        Ok(STANDARD.decode(text)?)
    }

    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.post("window/rect", json!({ "x": 0, "y": 0, "width": width, "height": height })).await.map(drop)
    }

    /// Presses a key, wherever the keyboard is.
    pub async fn key(&self, key: char) -> Result<()> {
        let act = |kind: &str| json!({ "type": kind, "value": key.to_string() });
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": [act("keyDown"), act("keyUp")] });
        self.post("actions", json!({ "actions": [keyboard] })).await.map(drop)
    }

    /// Presses a key with Control held, wherever the keyboard is.
    pub async fn control(&self, key: char) -> Result<()> {
        const CONTROL: &str = "\u{E009}";
        let act = |kind: &str, value: &str| json!({ "type": kind, "value": value });
        let key = key.to_string();
        let actions =
            [act("keyDown", CONTROL), act("keyDown", &key), act("keyUp", &key), act("keyUp", CONTROL)];
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("actions", json!({ "actions": [keyboard] })).await.map(drop)
    }

    async fn get(&self, path: &str) -> Result<Value> {
        send(self.http.get(format!("{}/{path}", self.url))).await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value> {
        send(self.http.post(format!("{}/{path}", self.url)).json(&body)).await
    }
}

impl Element {
    pub fn reference(&self) -> Value {
        json!({ ELEMENT: self.0 })
    }
}

/// An HTTP client for loopback. TLS certificates are not checked: tests talk to servers that made their own.
pub fn client() -> Result<reqwest::Client> {
    // Fails where another test of this process was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().timeout(DEADLINE).no_proxy().danger_accept_invalid_certs(true);
    builder.build().context("an HTTP client")
}

async fn send(request: reqwest::RequestBuilder) -> Result<Value> {
    let answer = request.send().await.context("the driver does not answer")?;
    let status = answer.status();
    let body: Value = answer.json().await.context("the driver's answer is not JSON")?;
    let value = body.get("value").cloned().unwrap_or(Value::Null);
    if !status.is_success() {
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        bail!("{} {}", text("error"), text("message"));
    }
    Ok(value)
}
