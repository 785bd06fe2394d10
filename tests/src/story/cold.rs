//! A plain cold, as a doctor sees thirty of a day: found, written from a template, checked, signed, printed. Every key and
//! tap beyond typing goes through one counting hand.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::World;
use crate::window::{Window, by};

/// What one such visit cost.
#[derive(Debug, Clone)]
pub struct Cold {
    /// Keys and taps beyond typing.
    pub presses: u32,
    /// Letters and digits typed.
    pub typed: u32,
    /// From the first key until the paper was written, milliseconds; the hand's pace is in it.
    pub ms: u64,
    /// The printed PDF.
    pub file: String,
}

/// How fast somebody works who thinks before each press.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Before a press: looking, deciding, pointing.
    pub press: Duration,
    /// For each letter.
    pub letter: Duration,
}

impl Pace {
    /// As fast as the program follows.
    pub const NONE: Self = Self { press: Duration::ZERO, letter: Duration::ZERO };
    /// Somebody who knows the program, after the keystroke-level model (Card, Moran, Newell 1980): 1.35 s to decide,
    /// 1.1 s to point and 0.2 s to press; a letter 0.28 s, an average typist who is not skilled.
    pub const STEADY: Self = Self { press: Duration::from_millis(2_650), letter: Duration::from_millis(280) };
}

/// Counts what it does.
struct Hand<'a> {
    window: &'a Window,
    pace: Pace,
    presses: u32,
    typed: u32,
}

impl Hand<'_> {
    async fn press(&mut self) {
        self.presses += 1;
        tokio::time::sleep(self.pace.press).await;
    }

    async fn tap(&mut self, t: &str) -> Result<()> {
        self.press().await;
        self.window.click(t).await
    }

    async fn tap_css(&mut self, css: &str) -> Result<()> {
        self.press().await;
        self.window.click_css(css).await
    }

    /// One press, both keys at once.
    async fn control(&mut self, key: char) -> Result<()> {
        self.press().await;
        self.window.control(key).await
    }

    async fn types(&mut self, text: &str) -> Result<()> {
        let letters = text.chars().count() as u32;
        self.typed += letters;
        tokio::time::sleep(self.pace.letter * letters).await;
        self.window.press(text).await
    }
}

const ENTER: char = '\u{E007}';

impl World {
    /// From anywhere in the app. `name`: an adult's, who is found first by it and of whom no allergy is on record.
    pub async fn plain_cold(&mut self, window: &Window, name: &str, pace: Pace) -> Result<Cold> {
        let start = Instant::now();
        let mut hand = Hand { window, pace, presses: 0, typed: 0 };
        hand.control('k').await?;
        window.screen("find").await?;
        hand.types(name).await?;
        window
            .wait("the patient of that name, first of all", async || {
                let state = format!("return document.querySelector('{}')?.dataset.state", by("find-box"));
                let answered = window.eval(&state).await? == json!("answered");
                let first = format!("return document.querySelector('{}')?.textContent ?? ''", by("result"));
                let first = window.eval(&first).await?;
                Ok((answered && first.as_str().is_some_and(|text| text.contains(name))).then_some(()))
            })
            .await?;
        hand.control(ENTER).await?;
        window.screen("visit").await?;
        window.see("templates").await?;
        hand.tap("danger-none").await?;
        hand.tap_css(&format!("{}[data-id=cough-cold]", by("template"))).await?;
        hand.tap("template-diagnosis").await?;
        hand.tap("template-medicine").await?;
        hand.tap("template-fill").await?;
        window.see("template-undo").await?;
        hand.tap("allergy-state-none-known").await?;
        if window.sees_now("pregnant-no").await? {
            hand.tap("pregnant-no").await?;
        }
        hand.tap("disposition-home").await?;
        self.shoot(window, "A plain cold, written from a template").await?;
        hand.control(ENTER).await?;
        window.screen("visit-page").await?;
        hand.tap("sign-and-print").await?;
        let file = window.text("printed-file").await?;
        let cold = Cold {
            presses: hand.presses,
            typed: hand.typed,
            ms: start.elapsed().as_millis() as u64,
            file: file.trim().to_owned(),
        };
        window.see("signed-by").await?;
        self.shoot_every_way(window, "Signed and printed in one press").await?;
        Ok(cold)
    }
}

/// The code on the first page of a PDF, read as a camera does: from more than one distance. Needs poppler's `pdftoppm`.
pub fn scanned(pdf: &str, read: impl Fn(&image::GrayImage) -> Option<String>) -> Result<String> {
    for dpi in ["220", "180", "260"] {
        let page = std::process::Command::new("pdftoppm")
            .args(["-r", dpi, "-gray", "-f", "1", "-l", "1", "-png", pdf])
            .output()
            .context("pdftoppm does not start; is the package poppler-utils installed?")?;
        ensure!(page.status.success(), "pdftoppm: {}", String::from_utf8_lossy(&page.stderr));
        if let Some(code) = read(&image::load_from_memory(&page.stdout)?.to_luma8()) {
            return Ok(code);
        }
    }
    anyhow::bail!("no code can be read on the page")
}
