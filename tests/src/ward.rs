//! Where a patient's phone meets what may go wrong: a doctor's device without a window, and one browser whose every story has a tab of its
//! own.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    Run,
    desk::{Desk, Link, PHONE},
    hie::Hie,
    phone::{Phone, TestCa},
    story::Person,
};

pub const WORD: &str = "mango tree";
pub const HOUR: i64 = 3_600_000;

/// Before a page: what its loudspeaker plays is in `window.heard`.
pub const LISTENS: &str = "window.heard = []; window.Audio = class extends Audio { constructor(src) { super(src); \
    this.addEventListener('timeupdate', () => { if (this.currentTime > 0.3) window.heard.push(src); }); } }";

/// A server, a doctor's device and one browser.
pub struct Ward<'a> {
    pub hie: &'a mut Hie,
    pub desk: Desk,
    pub phone: Phone,
    first_tab: String,
}

impl<'a> Ward<'a> {
    /// On a server that runs. `asking`: the phone's owner is asked about camera and microphone.
    pub async fn open(
        run: &Run,
        ca: &TestCa,
        hie: &'a mut Hie,
        doctor: &Person,
        phone: &str,
        asking: bool,
    ) -> Result<Self> {
        let desk = Desk::join(hie, doctor).await?;
        let phone = if asking {
            Phone::open_asking(run, ca, phone, "en").await?
        } else {
            Phone::open(run, ca, phone, "en").await?
        };
        let first_tab = phone.tab().await?;
        Ok(Self { hie, desk, phone, first_tab })
    }

    pub async fn link(&self) -> Result<Link> {
        self.desk.make_link(WORD, HOUR).await
    }

    /// Closes what is open, and takes a fresh tab.
    pub async fn fresh(&self) -> Result<()> {
        let old = self.phone.tab().await?;
        if old != self.first_tab {
            self.phone.close_tab(&self.first_tab).await?;
        }
        self.phone.new_tab().await.map(drop)
    }

    /// From the address to the question whether the doctor may see and hear.
    pub async fn say_the_word(&self, link: &Link) -> Result<()> {
        self.phone.go(&link.url()).await?;
        self.phone.screen("word").await?;
        self.phone.type_into("word", "Mango  TREE").await?;
        self.phone.tap("word-go").await
    }

    pub async fn wait_in_the_room(&self, link: &Link) -> Result<()> {
        self.say_the_word(link).await?;
        self.phone.tap("consent-video").await?;
        self.phone.tap("join").await?;
        self.phone.screen("waiting").await
    }

    /// The clinic's number is on the button, and the phone's own dialer opens with it.
    pub async fn can_phone(&self) -> Result<()> {
        let phone = &self.phone;
        phone.see("dial").await?;
        let to = phone
            .eval(
                "const a = document.querySelector('a[data-t=dial]'); \
                 return [a.href, a.innerText.includes(a.href.slice(4)), a.offsetHeight >= 44]",
            )
            .await?;
        ensure!(to == json!([format!("tel:{PHONE}"), true, true]), "{to}");
        Ok(())
    }

    /// The loudspeaker says what this screen has recorded, in English, from a press to the next. The page was opened with [`LISTENS`].
    pub async fn aloud(&self, prompt: &str) -> Result<()> {
        self.phone.tap("speak").await?;
        heard(&self.phone, &format!("say-en-{prompt}.ogg")).await?;
        self.phone.tap("speak").await
    }

    /// See [`shows_in`].
    pub async fn shows(&self, screen: &str, en: &str, ur: &str) -> Result<()> {
        shows_in(&self.phone, screen, "#screen", en, ur).await
    }

    pub async fn shows_in(&self, screen: &str, css: &str, en: &str, ur: &str) -> Result<()> {
        shows_in(&self.phone, screen, css, en, ur).await
    }
}

/// This screen, with these words in English and in Urdu at `css`; nothing is cut off, nothing that axe would find, and it can be heard.
pub async fn shows_in(phone: &Phone, screen: &str, css: &str, en: &str, ur: &str) -> Result<()> {
    phone.screen(screen).await?;
    for (lang, words) in [("en", en), ("ur", ur)] {
        phone.reads(css, words).await?;
        ensure!(phone.eval("return document.documentElement.lang").await? == json!(lang));
        let name = format!("{screen}{}-{lang}", why(phone).await?);
        let cut = "const d = document.documentElement; \
        const small = [...document.querySelectorAll('button')].filter((b) => b.offsetWidth && b.offsetHeight < 44); \
        return [d.scrollWidth - innerWidth, small.length]";
        ensure!(phone.eval(cut).await? == json!([0, 0]), "{name}: cut off at the side, or small buttons");
        phone.check_access(&name).await?;
        phone.keep_picture(&name).await?;
        if std::env::var_os("RABTA_WIDE").is_some() {
            phone.be_wide(true).await?;
            phone.keep_picture(&format!("{name}-wide")).await?;
            phone.be_wide(false).await?;
        }
        let heard = "return document.documentElement.dataset.stage === 'call' \
        || !document.querySelector('[data-t=speak]').hidden";
        ensure!(phone.eval(heard).await? == json!(true), "{name}: nothing to listen to");
        phone.tap("language").await?;
    }
    Ok(())
}

/// Why a call has ended, for a picture's name; nothing on other screens.
async fn why(phone: &Phone) -> Result<String> {
    let script = "const d = document.documentElement.dataset; if (d.screen !== 'ended') return ''; \
        return '-' + d.why + (document.querySelector('[data-t=again]') ? '' : '-over')";
    Ok(phone.eval(script).await?.as_str().unwrap_or_default().to_owned())
}

/// Waits until this recording was played to its end, or has been playing.
pub async fn heard(phone: &Phone, file: &str) -> Result<()> {
    let script = format!("return window.heard?.includes({file:?}) ?? false");
    phone
        .wait(&format!("{file} to be heard"), async || {
            Ok((phone.eval(&script).await? == json!(true)).then_some(()))
        })
        .await
}
