//! The app's window, driven as a person would: it looks for what is drawn, clicks it, types.
//!
//! What can be found carries `data-t`, the page's name stands on `<html data-screen>`; src-ui/README.md lists both.

use std::{
    future::Future,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{
    Run,
    display::Display,
    ports::free_port,
    process::{self, Kept, POLL},
    webdriver::{Element, Session},
    x11,
};

/// How long a window may take to show what it should, with a debug build and on a machine that others use, too.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long a frame may take to be drawn; a picture is taken then in any case.
const DRAWS: Duration = Duration::from_secs(20);

/// How to start the app.
pub struct App<'a> {
    /// For messages and the log's name: `doctor`.
    pub name: &'a str,
    pub data: PathBuf,
    pub env: Vec<(String, String)>,
    /// Words to put before the program, such as `faketime`.
    pub wrapper: Vec<String>,
    /// Another program than the app: the figures compare with a bare window.
    pub program: Option<PathBuf>,
    /// The file that then runs, where that is another one than was started.
    pub becomes: Option<PathBuf>,
}

impl<'a> App<'a> {
    pub fn new(name: &'a str, data: PathBuf) -> Self {
        Self { name, data, env: Vec::new(), wrapper: Vec::new(), program: None, becomes: None }
    }

    pub fn env(mut self, key: &str, value: impl Into<String>) -> Self {
        self.env.push((key.to_owned(), value.into()));
        self
    }
}

pub struct Window {
    name: String,
    session: Session,
    driver: Kept,
    program: PathBuf,
    shots: PathBuf,
    screen: String,
    _display: Option<Display>,
}

impl Window {
    /// Starts the app with a screen of its own.
    pub async fn open(run: &Run, app: App<'_>) -> Result<Self> {
        let display = Display::hidden(&run.log("xvfb"))?;
        let mut window = Self::open_on(run, app, &display).await?;
        window._display = Some(display);
        Ok(window)
    }

    /// Starts the app on a screen that somebody else keeps.
    pub async fn open_on(run: &Run, app: App<'_>, display: &Display) -> Result<Self> {
        let program = match app.program {
            Some(program) => program,
            None => process::built("rabta")?,
        };
        let start = wrap(run, app.name, &app.wrapper, &program)?;
        let port = free_port();
        let mut driver = Command::new("WebKitWebDriver");
        driver
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            .env("DISPLAY", display.name())
            .env("GDK_BACKEND", "x11")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("RABTA_DATA", &app.data)
            // The page's own storage must not be shared between two apps of one account.
            .env("XDG_DATA_HOME", app.data.with_extension("xdg"))
            .env("XDG_CACHE_HOME", app.data.with_extension("cache"))
            .env_remove("WAYLAND_DISPLAY")
            // No keychain: the passphrase alone opens the vault, as on a bare laptop.
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
            .envs(app.env.iter().map(|(k, v)| (k, v)));
        let mut driver = Kept::start(app.name, &mut driver, &run.log(app.name))?;
        let address = format!("http://127.0.0.1:{port}");
        listening(
            &mut driver,
            port,
            "WebKitWebDriver does not listen; is the package webkit2gtk-driver installed?",
        )
        .await?;
        let capabilities = json!({ "webkitgtk:browserOptions": { "binary": start, "args": [] } });
        let session =
            Session::open(&address, capabilities).await.with_context(|| format!("{}'s window", app.name))?;
        let name = app.name.to_owned();
        let (shots, screen) = (run.folder().to_owned(), display.name().to_owned());
        let program = app.becomes.unwrap_or(program);
        Ok(Self { name, session, driver, program, shots, screen, _display: None })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The app's process.
    pub fn pid(&self) -> Result<u32> {
        let found = process::running(self.driver.pid(), &self.program);
        found.first().copied().with_context(|| format!("{} does not run", self.name))
    }

    /// Kills the app at once, as a power cut would, and forgets the window.
    pub fn kill(self) -> Result<()> {
        process::signal(self.pid()?, "KILL")
    }

    /// Closes the window as its owner would, and waits until the app has ended by itself.
    pub async fn close(self) -> Result<()> {
        let pid = self.pid()?;
        x11::ask_to_close(&self.screen, pid)?;
        let deadline = Instant::now() + PATIENCE;
        while Path::new(&format!("/proc/{pid}")).exists() && !is_zombie(pid) {
            if Instant::now() > deadline {
                bail!("{} did not end within {PATIENCE:?} after its window was closed", self.name);
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Goes to another page than the app's own.
    pub async fn go(&self, url: &str) -> Result<()> {
        self.session.go(url).await
    }

    /// The page's name now.
    pub async fn screen_name(&self) -> Result<String> {
        let name =
            self.session.eval("return document.documentElement.dataset.screen || ''", json!([])).await?;
        Ok(name.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until this page shows.
    pub async fn screen(&self, name: &str) -> Result<()> {
        self.wait(&format!("the screen {name}"), async || {
            Ok((self.screen_name().await? == name).then_some(()))
        })
        .await
    }

    /// Waits until one of these pages shows; which.
    pub async fn one_of_screens(&self, names: &[&str]) -> Result<String> {
        let wanted = names.join(" or ");
        self.wait(&format!("the screen {wanted}"), async || {
            let now = self.screen_name().await?;
            Ok(names.contains(&now.as_str()).then_some(now))
        })
        .await
    }

    /// Waits until it is drawn.
    pub async fn see(&self, t: &str) -> Result<Element> {
        self.wait(t, async || self.session.visible(&by(t)).await).await
    }

    /// Waits until one of them is drawn; which.
    pub async fn one_of(&self, names: &[&'static str]) -> Result<&'static str> {
        self.wait(&names.join(" or "), async || {
            for name in names {
                if self.session.visible(&by(name)).await?.is_some() {
                    return Ok(Some(*name));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Waits until nothing on the page is still being loaded.
    pub async fn settled(&self) -> Result<()> {
        // The components' page shows for ever how a page looks that is still to come.
        let script = "return document.querySelector('[data-t=\"loading\"]:not(.gallery *)') === null && \
            [...document.images].every(i => i.complete)";
        self.wait("the page to be loaded", async || {
            Ok((self.eval(script).await? == Value::Bool(true)).then_some(()))
        })
        .await
    }

    /// Waits until every picture of a call is there; a page without any has them all.
    pub async fn pictured(&self) -> Result<()> {
        let script = "return [...document.querySelectorAll('canvas')].every(c => c.width > 0)";
        self.wait("the call's pictures", async || {
            Ok((self.eval(script).await? == Value::Bool(true)).then_some(()))
        })
        .await
    }

    /// Is it drawn at this moment? Of a page that is loaded, see `settled`.
    pub async fn sees_now(&self, t: &str) -> Result<bool> {
        Ok(self.session.visible(&by(t)).await?.is_some())
    }

    /// Waits until it is no longer drawn.
    pub async fn gone(&self, t: &str) -> Result<()> {
        self.gone_css(&by(t)).await
    }

    /// Waits until nothing is drawn that the CSS selector finds.
    pub async fn gone_css(&self, css: &str) -> Result<()> {
        self.wait(&format!("{css} to go"), async || {
            Ok(self.session.visible(css).await?.is_none().then_some(()))
        })
        .await
    }

    pub async fn count(&self, t: &str) -> Result<usize> {
        Ok(self.session.all(&by(t)).await?.len())
    }

    /// Clicks it as soon as it is drawn, enabled and not covered.
    pub async fn click(&self, t: &str) -> Result<()> {
        self.click_css(&by(t)).await
    }

    /// Clicks the one of them that shows this text.
    pub async fn click_with_text(&self, t: &str, text: &str) -> Result<()> {
        self.wait(&format!("{t} with the text \"{text}\""), async || {
            for element in self.session.all(&by(t)).await? {
                if self.session.text(&element).await?.contains(text) {
                    return Ok(self.session.click(&element).await.ok());
                }
            }
            Ok(None)
        })
        .await
    }

    pub async fn click_css(&self, css: &str) -> Result<()> {
        let enabled = "const e = arguments[0]; return !e.disabled && e.getAttribute('aria-busy') !== 'true'";
        self.wait(&format!("{css} to click"), async || {
            let Some(element) = self.session.visible(css).await? else { return Ok(None) };
            if self.session.eval(enabled, json!([element.reference()])).await? != Value::Bool(true) {
                return Ok(None);
            }
            // Covered or redrawn meanwhile: looked for again until the deadline.
            Ok(self.session.click(&element).await.ok())
        })
        .await
    }

    /// Types at the end of what is there.
    pub async fn type_into(&self, t: &str, text: &str) -> Result<()> {
        let element = self.see(t).await?;
        let before = self.value(t).await?;
        let mut tries = 0;
        loop {
            let Err(error) = self.session.type_keys(&element, text).await else { return Ok(()) };
            tries += 1;
            // WebKit's driver says "unknown error" now and then on a busy machine, with nothing typed.
            if tries == 3 || self.value(t).await? != before {
                return Err(error).with_context(|| format!("{}: typing into {t}", self.name));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Replaces what is there.
    pub async fn fill(&self, t: &str, text: &str) -> Result<()> {
        let element = self.see(t).await?;
        self.session.clear(&element).await.with_context(|| format!("{}: clearing {t}", self.name))?;
        self.type_into(t, text).await
    }

    /// Puts text in place of what stands in a field, as pasting does: keys would take minutes, or cannot type it.
    pub async fn paste(&self, t: &str, text: &str) -> Result<()> {
        self.put(t, "e.select()", text).await
    }

    /// Puts text at the end of what stands in a field, as pasting does.
    pub async fn append(&self, t: &str, text: &str) -> Result<()> {
        self.put(t, "e.setSelectionRange(e.value.length, e.value.length)", text).await
    }

    async fn put(&self, t: &str, place: &str, text: &str) -> Result<()> {
        self.see(t).await?;
        let script = format!(
            "const e = document.querySelector('{}'); e.focus(); {place}; return document.execCommand('insertText', false, {})",
            by(t),
            json!(text)
        );
        ensure!(self.eval(&script).await? == json!(true), "the text was put into {t}");
        Ok(())
    }

    /// Chooses from a drop-down list by its code.
    pub async fn pick(&self, t: &str, code: &str) -> Result<()> {
        self.see(t).await?;
        let option = format!("{} option[value=\"{code}\"]", by(t));
        self.wait(&format!("{t} to offer {code}"), async || {
            let Some(element) = self.session.any(&option).await? else { return Ok(None) };
            self.session.click(&element).await?;
            Ok((self.value(t).await? == code).then_some(()))
        })
        .await
    }

    /// Clicks the `n`th of them, from 0.
    pub async fn click_nth(&self, t: &str, n: usize) -> Result<()> {
        self.wait(&format!("{t}, number {n}, to click"), async || {
            let all = self.session.all(&by(t)).await?;
            let Some(element) = all.get(n) else { return Ok(None) };
            Ok(self.session.click(element).await.ok())
        })
        .await
    }

    /// Gives a file to a file input, which is never drawn itself.
    pub async fn give_file(&self, t: &str, file: &std::path::Path) -> Result<()> {
        let element = self.wait(t, async || self.session.any(&by(t)).await).await?;
        self.session
            .type_keys(&element, &file.display().to_string())
            .await
            .with_context(|| format!("{}: giving a file to {t}", self.name))
    }

    pub async fn text(&self, t: &str) -> Result<String> {
        let element = self.see(t).await?;
        self.session.text(&element).await
    }

    /// What stands in an input.
    pub async fn value(&self, t: &str) -> Result<String> {
        let element = self.see(t).await?;
        let value = self.session.eval("return arguments[0].value", json!([element.reference()])).await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until its text holds this.
    pub async fn reads(&self, t: &str, text: &str) -> Result<()> {
        self.wait(&format!("{t} to read \"{text}\""), async || {
            for element in self.session.all(&by(t)).await? {
                if self.session.text(&element).await.is_ok_and(|now| now.contains(text)) {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Types where the keyboard is now.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let element = self.session.any(":focus").await?.context("an element has the keyboard")?;
        self.session.type_keys(&element, keys).await.with_context(|| format!("{}: a key", self.name))
    }

    /// Fails where axe-core finds something on the page as it is; `what` names the page.
    pub async fn check_access(&self, what: &str) -> Result<()> {
        self.settled().await?;
        crate::axe::check(&self.session, what).await
    }

    /// To the next control.
    pub async fn tab(&self) -> Result<()> {
        self.session.key('\u{E004}').await
    }

    /// Presses a key with Control held.
    pub async fn control(&self, key: char) -> Result<()> {
        self.session.control(key).await
    }

    pub async fn eval(&self, script: &str) -> Result<Value> {
        self.session.eval(script, json!([])).await
    }

    pub async fn reload(&self) -> Result<()> {
        self.session.refresh().await
    }

    /// All that the page shows, as text.
    pub async fn all_text(&self) -> Result<String> {
        Ok(self.eval("return document.body.innerText").await?.as_str().unwrap_or_default().to_owned())
    }

    /// Where pictures are wanted (`RABTA_PICTURES`), one of the page as it is, under this name in the run folder.
    pub async fn keep_picture(&self, name: &str) -> Result<()> {
        if std::env::var_os("RABTA_PICTURES").is_none() {
            return Ok(());
        }
        let name = name.replace(|c: char| !c.is_alphanumeric(), "-");
        let file = self.shots.join(format!("{name}-{}.png", self.name));
        std::fs::write(&file, self.screenshot().await?).with_context(|| format!("writing {}", file.display()))
    }

    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        self.painted().await?;
        x11::picture(&self.screen, self.pid()?)
    }

    /// Waits until what the page holds now has been drawn: the frame after the next one begins when that one is shown.
    async fn painted(&self) -> Result<()> {
        let ask = "window.drawn = false; requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = true }))";
        self.eval(ask).await?;
        let deadline = Instant::now() + DRAWS;
        while self.eval("return window.drawn === true").await? != Value::Bool(true)
            && Instant::now() < deadline
        {
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Makes the page this large.
    pub async fn resize(&self, (width, height): (u32, u32)) -> Result<()> {
        self.session.resize(width, height).await?;
        self.wait(&format!("the window to be {width} by {height}"), async || {
            let size = self.eval("return [innerWidth, innerHeight]").await?;
            Ok((size == json!([width, height])).then_some(()))
        })
        .await
    }

    /// Polls until `look` finds something; else says what the window shows instead, and keeps a picture of it.
    pub async fn wait<T, F>(&self, what: &str, look: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        self.wait_within(PATIENCE, what, look).await
    }

    pub async fn wait_within<T, F>(&self, patience: Duration, what: &str, look: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let deadline = Instant::now() + patience;
        let mut last;
        loop {
            match look().await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => last = String::new(),
                // The page may be between two states; what it said counts only at the deadline.
                Err(error) => last = format!(" ({error:#})"),
            }
            if Instant::now() > deadline {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        let shown = self.describe().await;
        bail!("{}: waited {patience:?} for {what}{last}; {shown}", self.name)
    }

    /// Which page shows, what can be found on it, and where its picture was put.
    async fn describe(&self) -> String {
        let script = "return [...new Set([...document.querySelectorAll('[data-t]')] \
            .filter(e => e.getBoundingClientRect().width > 0).map(e => e.dataset.t))].join(' ')";
        let names =
            self.eval(script).await.ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        let screen = self.screen_name().await.unwrap_or_else(|e| format!("unknown ({e:#})"));
        let file = self.shots.join(format!("failed-{}.png", self.name));
        let picture = match self.screenshot().await.map(|png| std::fs::write(&file, png)) {
            Ok(Ok(())) => format!("picture: {}", file.display()),
            _ => "no picture".to_owned(),
        };
        format!("it shows the screen {screen} with: {names}; {picture}")
    }
}

/// The CSS selector of a name for tests.
pub fn by(t: &str) -> String {
    format!("[data-t=\"{t}\"]")
}

/// WebDriver starts one file, so words before the program become a script.
fn wrap(run: &Run, name: &str, wrapper: &[String], program: &Path) -> Result<PathBuf> {
    if wrapper.is_empty() {
        return Ok(program.to_owned());
    }
    use std::os::unix::fs::PermissionsExt;
    let file = run.path(&format!("start-{name}.sh"));
    let words: Vec<String> = wrapper.iter().map(|w| format!("'{w}'")).collect();
    std::fs::write(&file, format!("#!/bin/sh\nexec {} '{}' \"$@\"\n", words.join(" "), program.display()))?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
    Ok(file)
}

pub(crate) async fn listening(driver: &mut Kept, port: u16, else_say: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if driver.has_ended() || Instant::now() > deadline {
            bail!("{else_say}");
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

fn is_zombie(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| s.contains(") Z "))
}
