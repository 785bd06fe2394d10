//! A specialist is asked, seen and heard, and answers in writing; the doctor decides; everything is at the server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{CallFigures, World};
use crate::window::{Window, by};

/// The server is found again within this time of its return.
const BACK: Duration = Duration::from_secs(90);

/// Nobody answers a ring faster: they hear it, look, and press. The apps connect meanwhile.
const RINGS: Duration = Duration::from_secs(2);

impl World {
    /// From the page to check: consent, urgency, the question; sends.
    pub async fn ask_specialist(&mut self, window: &Window) -> Result<()> {
        window.click("ask-specialist").await?;
        window.screen("ask").await?;
        self.shoot_every_way(
            window,
            "Asking a specialist: consent first, what each urgency promises, what will be sent",
        )
        .await?;
        self.fill_ask(window).await?;
        self.shoot(window, "Consent on record, the question asked").await?;
        window.click("send-ask").await?;
        window.screen("case").await
    }

    /// Consent, urgency, the question, whom.
    pub(super) async fn fill_ask(&self, window: &Window) -> Result<()> {
        window.screen("ask").await?;
        window.settled().await?;
        window.click("consent-given").await?;
        window.click("given-by-patient").await?;
        window.click("consent-how-spoken").await?;
        window.fill("witness", "Nurse Shabana").await?;
        if !self.is_checked(window, "scope-this-consultation").await? {
            window.click("scope-this-consultation").await?;
        }
        if !self.is_checked(window, "scope-photos").await? {
            window.click("scope-photos").await?;
        }
        window.click("urgency-urgent").await?;
        window
            .fill(
                "question",
                "Is this cellulitis that can be treated here, and with what, given the allergy?",
            )
            .await?;
        window.pick("specialty", "general-medicine").await?;
        // Whoever of them is first: the pool.
        if window.one_of(&["to-anyone", "roster-none"]).await? == "to-anyone" {
            window.click("to-anyone").await?;
        }
        Ok(())
    }

    async fn is_checked(&self, window: &Window, t: &str) -> Result<bool> {
        let script = format!(
            "const e = document.querySelector('{}'); const i = e && (e.matches('input') ? e : e.querySelector('input')); return !!(i && i.checked)",
            by(t)
        );
        Ok(window.eval(&script).await? == json!(true))
    }

    /// The specialist sees the ask come in, opens it, takes it.
    pub async fn open_ask(&mut self, specialist: &Window) -> Result<()> {
        specialist.click("go-asks").await?;
        specialist.screen("asks").await?;
        specialist
            .wait_within(BACK, "the ask in the specialist's queue", async || {
                Ok((specialist.count("ask-row").await? > 0).then_some(()))
            })
            .await?;
        self.shoot_every_way(specialist, "The specialist's queue: a new ask appeared by itself").await?;
        specialist.click("ask-row").await?;
        specialist.screen("case").await?;
        specialist.see("note").await?;
        self.shoot_every_way(specialist, "The case on one page: the question on top, what is abnormal first")
            .await?;
        specialist.click("move-accepted").await
    }

    /// The clinic hears that the specialist opened it.
    pub async fn ask_stands_at(&self, window: &Window, states: &[&str]) -> Result<()> {
        let script = format!("return document.querySelector('{}')?.dataset.state", by("ask-state"));
        window
            .wait_within(BACK, &format!("the ask to stand at {states:?}"), async || {
                let state = window.eval(&script).await?;
                Ok(state.as_str().is_some_and(|s| states.contains(&s)).then_some(()))
            })
            .await
    }

    /// The specialist calls, from the case or from the page of an earlier call; it rings at the doctor's.
    pub async fn ring(&self, doctor: &Window, specialist: &Window) -> Result<()> {
        specialist.click("call").await?;
        specialist.screen("call").await?;
        doctor.see("call-incoming").await.map(drop)
    }

    /// The doctor takes the call that rings, after as long as people need for it; both see and hear.
    pub async fn accept(&self, doctor: &Window, specialist: &Window) -> Result<CallFigures> {
        tokio::time::sleep(RINGS).await;
        doctor.click("call-accept").await?;
        doctor.screen("call").await?;
        for window in [doctor, specialist] {
            self.frames_beyond(window, "far-video", 20).await?;
        }
        self.call_figures(doctor).await
    }

    /// The specialist ends the call.
    pub async fn hang_up(&self, doctor: &Window, specialist: &Window) -> Result<()> {
        specialist.click("hang-up").await?;
        for window in [doctor, specialist] {
            window.see("call-ended").await?;
        }
        Ok(())
    }

    /// The specialist calls, the doctor accepts; both see and hear; a window is reloaded in the middle.
    pub async fn call(&mut self, doctor: &Window, specialist: &Window) -> Result<CallFigures> {
        self.ring(doctor, specialist).await?;
        self.shoot(doctor, "It rings at the doctor's, on whatever page they are").await?;
        let figures = self.accept(doctor, specialist).await?;
        self.shoot_every_way(doctor, "The call beside the record, which stays usable").await?;
        self.shoot(specialist, "The same call at the specialist's").await?;
        specialist.fill("chat-box", "Please show me the edge of the redness.").await?;
        specialist.click("chat-send").await?;
        doctor.see("chat-line").await?;
        doctor.click("mute").await?;
        doctor.click("mute").await?;
        doctor.click("still").await?;
        specialist.see("still-line").await?;
        doctor.reload().await?;
        doctor.screen("call").await?;
        self.frames_beyond(doctor, "far-video", 10).await?;
        self.shoot(doctor, "The window was reloaded in the middle: the call goes on").await?;
        self.hang_up(doctor, specialist).await?;
        Ok(figures)
    }

    async fn frames_beyond(&self, window: &Window, t: &str, count: u64) -> Result<()> {
        let script = format!("return document.querySelector('{}')?.dataset.frames", by(t));
        window
            .wait_within(Duration::from_secs(40), &format!("{count} pictures in {t}"), async || {
                Ok(number(&window.eval(&script).await?).is_some_and(|n| n > count).then_some(()))
            })
            .await
    }

    async fn call_figures(&self, window: &Window) -> Result<CallFigures> {
        let read =
            |name: &str| format!("return document.querySelector('{}')?.dataset.{name}", by("call-figures"));
        let (audio, video) = (read("audioMs"), read("videoMs"));
        let figures = window
            .wait_within(Duration::from_secs(20), "the call's figures", async || {
                let audio = number(&window.eval(&audio).await?);
                let video = number(&window.eval(&video).await?);
                Ok(audio.zip(video))
            })
            .await?;
        Ok(CallFigures { accept_to_first_audio_ms: figures.0, accept_to_first_video_ms: figures.1 })
    }

    /// The specialist answers: what it is, what to do, one medicine; signs.
    pub async fn advise(&mut self, specialist: &Window) -> Result<()> {
        specialist.click("go-asks").await?;
        specialist.screen("asks").await?;
        specialist.click("ask-row").await?;
        specialist.screen("case").await?;
        specialist.click("answer-writing").await?;
        specialist.screen("advice").await?;
        specialist.fill("advice-diagnosis", "cellulitis").await?;
        specialist.click("advice-diagnosis-option").await?;
        specialist.fill("advice-plan", "Treat at the clinic. See her daily for three days.").await?;
        specialist.fill("advice-medicine", "clindamycin").await?;
        specialist.click("advice-medicine-option").await?;
        specialist.fill("advice-dose", "1+1+1").await?;
        specialist.fill("advice-days", "7").await?;
        specialist.click("advice-line-ready").await?;
        specialist
            .fill(
                "advice-danger",
                "Rigors, confusion, or the redness beyond the mark: to the hospital at once.",
            )
            .await?;
        self.is_saved(specialist).await?;
        self.shoot_every_way(specialist, "The advice, with the case beside it").await?;
        specialist.click("sign-advice").await?;
        specialist.screen("case").await
    }

    /// The doctor reads the advice and accepts its line.
    pub async fn decide(&mut self, doctor: &Window) -> Result<()> {
        doctor.click("go-asks").await?;
        doctor.screen("asks").await?;
        doctor.click("ask-row").await?;
        doctor.screen("case").await?;
        doctor
            .wait_within(BACK, "the advice", async || Ok(doctor.sees_now("advice").await?.then_some(())))
            .await?;
        self.shoot_every_way(
            doctor,
            "The signed advice at the doctor's: each line is accepted, changed or declined",
        )
        .await?;
        doctor.click("line-accept").await?;
        doctor.click("decide").await?;
        doctor.see("explained").await?;
        doctor.click("explained").await?;
        doctor.see("done").await.map(drop)
    }

    /// From the case: signs the visit that the ask was about.
    pub async fn sign_asked_visit(&self, doctor: &Window) -> Result<()> {
        doctor.click("to-visit").await?;
        doctor.one_of_screens(&["visit", "visit-page"]).await?;
        if doctor.screen_name().await? == "visit" {
            doctor.click("check-and-sign").await?;
            doctor.screen("visit-page").await?;
        }
        if doctor.one_of(&["sign", "verified"]).await? == "sign" {
            doctor.click("sign").await?;
        }
        doctor.see("verified").await.map(drop)
    }

    /// Signs the visit that the ask was about, and prints.
    pub async fn sign_and_print(&mut self, doctor: &Window) -> Result<()> {
        self.sign_asked_visit(doctor).await?;
        doctor.click("prescription").await?;
        doctor.see("prescription-panel").await?;
        for lang in ["en", "ur"] {
            doctor.click(&format!("print-lang-{lang}")).await?;
            doctor.click("paper-a5").await?;
            doctor.click("print").await?;
            doctor.see("printed-file").await?;
        }
        self.shoot(doctor, "Signed; the prescription is printed").await?;
        let file = doctor.text("printed-file").await?;
        let file = file
            .split_whitespace()
            .find(|w| w.ends_with(".pdf"))
            .context("a PDF's path is shown")?
            .to_owned();
        ensure!(std::fs::metadata(&file)?.len() > 1000, "the prescription is a file");
        Ok(())
    }

    /// The chip says that everything is at the server.
    pub async fn all_at_hie(&self, window: &Window) -> Result<()> {
        window.click("sync-chip").await?;
        window.screen("sync").await?;
        window.click("sync-now").await?;
        window
            .wait_within(BACK, "everything to be at the server", async || {
                Ok(window.sees_now("sync-nothing").await?.then_some(()))
            })
            .await
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_u64())
}
