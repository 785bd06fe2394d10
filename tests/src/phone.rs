//! The patient's phone: Chromium as a small Android phone, and a certificate authority that it trusts. Nothing here turns
//! certificate checks off.

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};

use crate::{
    Run,
    ports::free_port,
    process::{Kept, POLL},
    story::CallFigures,
    webdriver::Session,
    window::{PATIENCE, by, listening},
};

/// What a phone on a cheap plan has: kb/s down and up, milliseconds to the server.
const SLOW_LINK: (u32, u32, u32) = (400, 128, 300);

/// What a cheap phone calls itself.
const AGENT: &str = "Mozilla/5.0 (Linux; Android 13; SM-A045F) AppleWebKit/537.36 (KHTML, like Gecko) \
                     Chrome/120.0.0.0 Mobile Safari/537.36";

/// A certificate authority of one run, and a certificate for `localhost` and the server's address.
pub struct TestCa {
    authority: PathBuf,
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl TestCa {
    pub fn make(run: &Run, host: Ipv4Addr) -> Result<Self> {
        let folder = run.path("ca");
        fs::create_dir_all(&folder)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Rabta test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let cert = CertificateParams::new(vec!["localhost".to_owned(), host.to_string()])?;
        let cert = cert.signed_by(&key, &authority)?;
        let file = |name: &str, text: String| -> Result<PathBuf> {
            let path = folder.join(name);
            fs::write(&path, text)?;
            Ok(path)
        };
        Ok(Self {
            authority: file("authority.pem", authority.pem())?,
            cert: file("cert.pem", cert.pem())?,
            key: file("key.pem", key.serialize_pem())?,
        })
    }

    /// Puts the authority into the store of trust that Chromium reads below `home`.
    fn trust(&self, home: &Path) -> Result<()> {
        let store = home.join(".pki/nssdb");
        fs::create_dir_all(&store)?;
        let store = format!("sql:{}", store.display());
        for args in [
            vec!["-N", "--empty-password"],
            vec!["-A", "-t", "C,,", "-n", "rabta", "-i", self.authority.to_str().context("a path in UTF-8")?],
        ] {
            let out = Command::new("certutil").args(["-d", &store]).args(args).output();
            let out = out.context("starting certutil; is the package libnss3-tools installed?")?;
            ensure!(out.status.success(), "certutil: {}", String::from_utf8_lossy(&out.stderr));
        }
        Ok(())
    }
}

/// A browser on a phone, with one tab.
pub struct Phone {
    name: String,
    session: Session,
    shots: PathBuf,
    /// What was kept, for a report.
    album: Mutex<Vec<(String, Vec<u8>)>>,
    /// [`Phone::check_access`] checks.
    pub checks: bool,
    _driver: Kept,
}

impl Phone {
    /// Starts it. `lang`: what its owner reads, `en` or `ur`.
    pub async fn open(run: &Run, ca: &TestCa, name: &str, lang: &str) -> Result<Self> {
        Self::start(run, ca, name, lang, None, &["--use-fake-ui-for-media-stream"]).await
    }

    /// The same in a network namespace of `ip netns`; only the driver's orders come from outside of it.
    pub async fn open_elsewhere(
        run: &Run,
        ca: &TestCa,
        name: &str,
        lang: &str,
        namespace: &str,
    ) -> Result<Self> {
        let more = ["--use-fake-ui-for-media-stream", "--remote-debugging-pipe"];
        Self::start(run, ca, name, lang, Some(namespace), &more).await
    }

    /// The same with an owner who is asked about camera and microphone, and answers with [`Phone::permit`].
    pub async fn open_asking(run: &Run, ca: &TestCa, name: &str, lang: &str) -> Result<Self> {
        Self::start(run, ca, name, lang, None, &[]).await
    }

    async fn start(
        run: &Run,
        ca: &TestCa,
        name: &str,
        lang: &str,
        namespace: Option<&str>,
        more: &[&str],
    ) -> Result<Self> {
        let home = run.path(&format!("{name}.home"));
        ca.trust(&home)?;
        let port = free_port();
        let mut driver = Command::new("chromedriver");
        driver.arg(format!("--port={port}")).env("HOME", &home);
        let mut driver = Kept::start(name, &mut driver, &run.log(name))?;
        listening(
            &mut driver,
            port,
            "chromedriver does not listen; is the package chromium-driver installed?",
        )
        .await?;
        let profile = format!("--user-data-dir={}", home.join("profile").display());
        let lang_arg = format!("--lang={lang}");
        let mut args = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--use-fake-device-for-media-stream",
            // Both ends of the call are on this machine.
            "--allow-loopback-in-peer-connection",
            &lang_arg,
            &profile,
        ];
        args.extend(more);
        let mut options = json!({
            "args": args,
            "prefs": { "intl.accept_languages": lang },
            "mobileEmulation": {
                "deviceMetrics": { "width": 360, "height": 740, "pixelRatio": 2.6, "touch": true, "mobile": true },
                "userAgent": AGENT,
            },
        });
        if let Some(namespace) = namespace {
            let script = home.join("chromium.sh");
            fs::write(
                &script,
                format!("#!/bin/sh\nexec ip netns exec {namespace} /usr/bin/chromium \"$@\"\n"),
            )?;
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
            options["binary"] = json!(script);
        }
        let capabilities = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let session = Session::open(&format!("http://127.0.0.1:{port}"), capabilities).await?;
        Ok(Self {
            name: name.to_owned(),
            session,
            shots: run.folder().to_owned(),
            album: Mutex::default(),
            checks: true,
            _driver: driver,
        })
    }

    pub async fn go(&self, url: &str) -> Result<()> {
        self.session.go(url).await
    }

    pub async fn eval(&self, script: &str) -> Result<Value> {
        self.session.eval(script, json!([])).await
    }

    /// Another tab of the same browser; what follows happens in it. Its handle, for [`Phone::switch`].
    pub async fn new_tab(&self) -> Result<String> {
        self.session.new_tab().await
    }

    pub async fn tab(&self) -> Result<String> {
        self.session.tab().await
    }

    pub async fn switch(&self, tab: &str) -> Result<()> {
        self.session.switch(tab).await
    }

    /// Closes this tab and goes on in `next`. A page that asks whether to leave is not asked.
    pub async fn close_tab(&self, next: &str) -> Result<()> {
        self.eval("window.addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)")
            .await?;
        self.session.close_tab().await?;
        self.switch(next).await
    }

    pub async fn back(&self) -> Result<()> {
        self.session.back().await
    }

    pub async fn reload(&self) -> Result<()> {
        self.session.refresh().await
    }

    /// What the person once answered about `camera` or `microphone`: `granted`, `denied`.
    pub async fn permit(&self, device: &str, state: &str) -> Result<()> {
        self.session.permit(device, state).await
    }

    /// Runs before every page that this tab opens: for phones that lack something.
    pub async fn before_load(&self, script: &str) -> Result<()> {
        self.session.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await.map(drop)
    }

    /// What this tab asks for at these addresses (`*` stands for anything) does not come.
    pub async fn block(&self, urls: &[&str]) -> Result<()> {
        self.session.cdp("Network.enable", json!({})).await?;
        self.session.cdp("Network.setBlockedURLs", json!({ "urls": urls })).await.map(drop)
    }

    /// A slow processor and a thin link, in this tab; or this machine's again.
    pub async fn be_cheap(&self, cheap: bool) -> Result<()> {
        self.session
            .cdp("Emulation.setCPUThrottlingRate", json!({ "rate": if cheap { 4 } else { 1 } }))
            .await?;
        let (down, up, delay) = SLOW_LINK;
        let bytes = |kbps: u32| if cheap { f64::from(kbps) * 125.0 } else { -1.0 };
        self.network(false, bytes(down), bytes(up), if cheap { delay } else { 0 }).await
    }

    /// Takes this tab's network away, or gives it back as it was made.
    pub async fn offline(&self, offline: bool) -> Result<()> {
        self.network(offline, -1.0, -1.0, 0).await
    }

    async fn network(&self, offline: bool, down: f64, up: f64, latency_ms: u32) -> Result<()> {
        self.session.cdp("Network.enable", json!({})).await?;
        let conditions = json!({
            "offline": offline, "latency": latency_ms, "downloadThroughput": down, "uploadThroughput": up,
        });
        self.session.cdp("Network.emulateNetworkConditions", conditions).await.map(drop)
    }

    /// Puts the tab away, as when another app is opened, or takes it up again.
    pub async fn put_away(&self, away: bool) -> Result<()> {
        let script = format!(
            "Object.defineProperty(document, 'hidden', {{ configurable: true, get: () => {away} }}); \
             document.dispatchEvent(new Event('visibilitychange'))"
        );
        self.eval(&script).await.map(drop)
    }

    /// As wide as a laptop, or as a phone again.
    pub async fn be_wide(&self, wide: bool) -> Result<()> {
        let (width, height, scale) = if wide { (1366, 768, 1.0) } else { (360, 740, 2.6) };
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": !wide });
        self.session.cdp("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
    }

    /// Fails where axe finds something on the page as it is now. The demo only tells, and is without axe.
    pub async fn check_access(&self, what: &str) -> Result<()> {
        if !self.checks {
            return Ok(());
        }
        crate::axe::check(&self.session, what).await
    }

    /// Keeps a picture of the page in the run's folder.
    pub async fn keep_picture(&self, name: &str) -> Result<()> {
        let file = self.shots.join(format!("{}-{name}.png", self.name));
        let png = self.picture().await?;
        fs::write(&file, &png).with_context(|| format!("writing {}", file.display()))?;
        self.album.lock().expect("nothing panics while it is held").push((name.to_owned(), png));
        Ok(())
    }

    /// The pictures that were kept so far, by name; each once.
    pub fn album(&self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut *self.album.lock().expect("nothing panics while it is held"))
    }

    /// Waits until the first element of this selector has these words in it.
    pub async fn reads(&self, css: &str, words: &str) -> Result<()> {
        let script = format!("return document.querySelector({})?.innerText ?? ''", json!(css));
        self.wait(&format!("{words:?} in {css}"), async || {
            let text = self.eval(&script).await?;
            Ok(text.as_str().is_some_and(|text| text.contains(words)).then_some(()))
        })
        .await
    }

    /// Waits until this page shows.
    pub async fn screen(&self, name: &str) -> Result<()> {
        self.wait(&format!("the screen {name}"), async || {
            let now = self.eval("return document.documentElement.dataset.screen || ''").await?;
            Ok((now == json!(name)).then_some(()))
        })
        .await
    }

    pub async fn see(&self, t: &str) -> Result<()> {
        self.wait(t, async || Ok(self.session.visible(&by(t)).await?.map(drop))).await
    }

    /// Taps what is drawn and not disabled.
    pub async fn tap(&self, t: &str) -> Result<()> {
        self.wait(&format!("{t} to tap"), async || {
            let Some(found) = self.session.visible(&format!("{}:not([disabled])", by(t))).await? else {
                return Ok(None);
            };
            Ok(self.session.click(&found).await.ok())
        })
        .await
    }

    pub async fn type_into(&self, t: &str, text: &str) -> Result<()> {
        let found = self.wait(t, async || self.session.visible(&by(t)).await).await?;
        self.session.type_keys(&found, text).await
    }

    /// Polls until `look` finds something; else says what the phone shows, and keeps a picture of it.
    pub async fn wait<T, F>(&self, what: &str, look: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(Some(found)) = look().await {
                return Ok(found);
            }
            if Instant::now() > deadline {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        let screen = self
            .eval("return location.pathname + ' ' + document.documentElement.dataset.screen + ': ' + document.body.innerText")
            .await;
        let picture = self.shots.join(format!("failed-{}.png", self.name));
        if let Ok(png) = self.picture().await {
            let _ = fs::write(&picture, png);
        }
        bail!(
            "{}: waited {PATIENCE:?} for {what}; it shows {screen:?}; picture: {}",
            self.name,
            picture.display()
        )
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it shows, as a PNG.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        self.session.picture().await
    }

    /// From the press on Join to the doctor's first sound and first picture.
    pub async fn figures(&self) -> Result<CallFigures> {
        let script = "const d = document.querySelector('video[data-t=far]').dataset; \
            return [d.audioMs, d.videoMs].map(Number)";
        self.wait("the call's figures", async || {
            let figures = self.eval(script).await?;
            Ok(figures[0].as_u64().zip(figures[1].as_u64()).map(|(audio, video)| CallFigures {
                accept_to_first_audio_ms: audio,
                accept_to_first_video_ms: video,
            }))
        })
        .await
    }

    /// How many frames of the far side were drawn so far.
    pub async fn frames(&self) -> Result<u64> {
        self.frames_of("far").await
    }

    /// The same of one of the call's videos.
    pub async fn frames_of(&self, video: &str) -> Result<u64> {
        let script = format!(
            "return document.querySelector('video[data-t={video}]')?.getVideoPlaybackQuality().totalVideoFrames ?? 0"
        );
        Ok(self.eval(&script).await?.as_u64().unwrap_or_default())
    }

    /// Waits for a moving picture of the far side.
    pub async fn sees_them(&self) -> Result<()> {
        let first = self.frames().await?;
        self.wait("20 more frames of the far side", async || {
            Ok((self.frames().await? >= first + 20).then_some(()))
        })
        .await
    }

    /// Waits for a moving picture and a voice in one of the call's videos: `far` is the doctor's, `far-2` the third's.
    pub async fn sees_and_hears(&self, video: &str) -> Result<()> {
        let script = format!(
            "const v = document.querySelector('video[data-t={video}]'); \
             return [v.getVideoPlaybackQuality().totalVideoFrames, Number(v.dataset.level || 0)]"
        );
        let first = self.eval(&script).await?[0].as_u64().unwrap_or_default();
        self.wait(&format!("20 more frames of {video}"), async || {
            Ok((self.eval(&script).await?[0].as_u64() >= Some(first + 20)).then_some(()))
        })
        .await?;
        self.wait(&format!("the voice of {video}"), async || {
            Ok(self.eval(&script).await?[1].as_f64().filter(|level| *level > 0.01).map(drop))
        })
        .await
    }

    pub async fn close(&self) -> Result<()> {
        self.session.close().await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(())
    }
}
