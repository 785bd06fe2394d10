//! Several people at one laptop: a colleague joins, and people take over from one another.

use anyhow::{Context, Result};

use super::{DOCTOR, PASSPHRASE, PIN, Person, World};
use crate::window::{Window, by};

pub const NURSE: Person = Person { key: "nurse", name: "Sister Nadia", role: "nurse", ..DOCTOR };

impl World {
    /// A nurse joins the laptop of whoever is at the open window, by her own code. It stays with whoever was there.
    pub async fn colleague_joins(&mut self, window: &Window) -> Result<()> {
        let code = self.hie.enroll(&NURSE)?;
        window.click("go-me").await?;
        window.screen("me").await?;
        self.shoot_every_way(window, "Who works at this laptop").await?;
        window.click("add-person").await?;
        window.screen("gate-code").await?;
        window.fill("code", &code.code).await?;
        window.click("check-code").await?;
        window.screen("gate-confirm").await?;
        window.reads("invited-name", NURSE.name).await?;
        window.click("confirm").await?;
        self.choose_secrets(window).await?;
        window.screen("me").await
    }
}

/// How somebody shows that it is them.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// The first time since the vault was opened.
    Passphrase,
    Pin,
}

/// From any page to the question who works now, with this person chosen and their secret filled in.
pub async fn ask_to_take_over(window: &Window, person: &Person, by: By) -> Result<()> {
    window.click("go-me").await?;
    window.screen("me").await?;
    window.click("switch-person").await?;
    window.screen("switch").await?;
    choose(window, person.name).await?;
    match by {
        By::Passphrase => window.fill("passphrase", PASSPHRASE).await,
        By::Pin => window.fill("pin", PIN).await,
    }
}

/// Takes over, and looks at whose the laptop is then.
pub async fn take_over(window: &Window, person: &Person, by: By) -> Result<()> {
    ask_to_take_over(window, person, by).await?;
    window.click("take-over").await?;
    window.screen("today").await?;
    window.click("go-me").await?;
    window.screen("me").await?;
    window.reads("me-name", person.name).await
}

/// Presses whoever has that name.
async fn choose(window: &Window, name: &str) -> Result<()> {
    let find = format!(
        "return [...document.querySelectorAll('{}')].findIndex((e) => e.textContent.includes('{name}'))",
        by("person"),
    );
    let place = window.eval(&find).await?.as_u64().context("they are among them")?;
    window.click_nth("person", place as usize).await
}
