//! Before the record: joining with a one-time code, locking, unlocking.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Person, World};
use crate::window::{Window, by};

/// What everybody in the sample clinic types. Real ones are nobody's business.
pub const PASSPHRASE: &str = "seven mangoes under the neem tree";
pub const PIN: &str = "4821";

impl World {
    /// First start: language, code, who it is for, passphrase, PIN, recovery code written down and asked back, first
    /// fetch. Ends at Today. Returns the recovery code.
    pub async fn join(&mut self, window: &Window, person: Person, code: &str) -> Result<String> {
        window.screen("gate-language").await?;
        self.shoot(window, "First start: which language").await?;
        window.click("lang-en").await?;
        window.screen("gate-code").await?;
        window.fill("code", code).await?;
        self.shoot(window, "The one-time code from the operator").await?;
        window.click("check-code").await?;
        window.screen("gate-confirm").await?;
        window.reads("invited-name", person.name).await?;
        window.reads("invited-registration", person.registration).await?;
        window.reads("invited-facility", person.facility).await?;
        self.shoot_every_way(window, "Whom the code is for, as the operator entered it").await?;
        window.click("confirm").await?;
        let recovery = self.choose_secrets(window).await?;
        window.screen("gate-pull").await?;
        window.click("start").await?;
        window.screen("today").await?;
        Ok(recovery)
    }

    /// Passphrase, PIN, and the recovery code written down and asked back: of whoever joins, on their own or at a
    /// colleague's laptop.
    pub async fn choose_secrets(&mut self, window: &Window) -> Result<String> {
        window.screen("gate-passphrase").await?;
        window.fill("passphrase", PASSPHRASE).await?;
        window.fill("passphrase-again", PASSPHRASE).await?;
        self.shoot(window, "A passphrase, with a plain word on its strength").await?;
        window.click("next").await?;
        window.screen("gate-pin").await?;
        window.fill("pin", PIN).await?;
        window.fill("pin-again", PIN).await?;
        self.shoot(window, "A PIN for within the shift").await?;
        window.click("join").await?;
        window.screen("gate-recovery").await?;
        self.shoot(window, "The recovery code, to be written down").await?;
        let recovery = self.recovery_code(window).await?;
        window.click("written").await?;
        window.screen("gate-recovery-ask").await?;
        window.fill("recovery", &recovery).await?;
        self.shoot(window, "The recovery code is asked back once").await?;
        window.click("compare").await?;
        Ok(recovery)
    }

    async fn recovery_code(&self, window: &Window) -> Result<String> {
        window.see("recovery-code").await?;
        let script = format!("return document.querySelector('{}').dataset.code", by("recovery-code"));
        let code = window.eval(&script).await?;
        let code = code.as_str().context("the recovery code can be read")?;
        ensure!(code.len() >= 16, "the recovery code is too short to be one");
        Ok(code.to_owned())
    }

    /// Opens the vault at the unlock page.
    pub async fn unlock(&self, window: &Window) -> Result<()> {
        window.screen("unlock").await?;
        window.fill("passphrase", PASSPHRASE).await?;
        window.click("unlock").await?;
        window.screen("today").await
    }

    /// Locks the screen by its key and opens it by the PIN.
    pub async fn lock_and_open(&mut self, window: &Window) -> Result<()> {
        let before = window.screen_name().await?;
        window.control('l').await?;
        window.screen("screen-lock").await?;
        self.shoot(window, "Locked: the record has left the window").await?;
        window.fill("pin", PIN).await?;
        window.click("unlock-pin").await?;
        window.screen(&before).await
    }

    /// Changes the language, at the gate or in the app, and comes back to the same page.
    pub async fn speak(&self, window: &Window, lang: &str) -> Result<()> {
        let now = window.eval("return document.documentElement.lang").await?;
        if now == Value::from(lang) {
            return Ok(());
        }
        if window.one_of(&["switch-language", "go-me"]).await? == "switch-language" {
            window.click("switch-language").await?;
            return self.speaks(window, lang).await;
        }
        let before = window.screen_name().await?;
        if before == "me" {
            window.click(&format!("language-{lang}")).await?;
            return self.speaks(window, lang).await;
        }
        window.click("go-me").await?;
        window.screen("me").await?;
        window.click(&format!("language-{lang}")).await?;
        self.speaks(window, lang).await?;
        window.eval("history.back()").await?;
        window.screen(&before).await
    }

    async fn speaks(&self, window: &Window, lang: &str) -> Result<()> {
        let wanted = Value::from(format!("{lang} {}", if lang == "ur" { "rtl" } else { "ltr" }));
        window
            .wait(&format!("the language {lang}"), async || {
                let now =
                    window.eval("const r = document.documentElement; return r.lang + ' ' + r.dir").await?;
                Ok((now == wanted).then_some(()))
            })
            .await
    }
}
