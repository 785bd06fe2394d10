//! The whole story in order: what the demo plays.

use std::time::Instant;

use anyhow::Result;

use super::{AYESHA, Cold, DOCTOR, Pace, SPECIALIST, World};
use crate::{Run, access::Problems};

/// What the story measured.
#[derive(Debug, Clone)]
pub struct Figures {
    pub call: CallFigures,
    /// With the patient's phone; the accept is the patient's Join.
    pub patient_call: CallFigures,
    /// A plain cold, at a steady hand's pace where somebody looks on, else as fast as the program follows.
    pub plain_cold: Cold,
    /// Written while the server was stopped.
    pub visits_saved: u64,
    /// Of those, at the server when it was back.
    pub visits_at_hie_after: u64,
}

/// From accepting until the other party was heard and seen, milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct CallFigures {
    pub accept_to_first_audio_ms: u64,
    pub accept_to_first_video_ms: u64,
}

/// A woman of the sample clinic who has a plain cold; nobody else there has her name.
const PLAIN: &str = "Shaziya Khatoon";

impl World {
    /// Plays the main job, chapter by chapter.
    pub async fn tell(&mut self) -> Result<Figures> {
        let ca = self.let_phones_in()?;
        let codes = self
            .chapter("server", "The server starts with the sample clinic", async |w| w.found_clinic().await)
            .await?;
        let doctor = self
            .chapter("set-up", "The doctor joins with a one-time code", async |w| {
                w.open_and_join(DOCTOR, &codes.doctor.code).await
            })
            .await?;
        let specialist = self
            .chapter("set-up-specialist", "The specialist joins", async |w| {
                w.open_and_join(SPECIALIST, &codes.specialist.code).await
            })
            .await?;
        self.chapter("unlock", "Locking and unlocking", async |w| w.lock_and_open(&doctor).await).await?;
        self.chapter("register", "Finding nobody, registering a new patient", async |w| {
            w.register(&doctor, &AYESHA).await
        })
        .await?;
        self.chapter("visit", "The visit, saved as it is typed", async |w| w.write_visit(&doctor).await)
            .await?;
        self.chapter("ask", "Asking a specialist", async |w| w.ask_specialist(&doctor).await).await?;
        self.chapter("case", "The specialist sees the case", async |w| w.open_ask(&specialist).await).await?;
        self.chapter("seen", "The doctor sees that it was seen", async |w| {
            w.ask_stands_at(&doctor, &["seen", "accepted"]).await
        })
        .await?;
        let call = self
            .chapter("call", "Talking, face to face", async |w| w.call(&doctor, &specialist).await)
            .await?;
        self.chapter("advice", "The advice, signed", async |w| w.advise(&specialist).await).await?;
        self.chapter("decide", "The doctor decides on each line", async |w| w.decide(&doctor).await).await?;
        self.chapter("print", "Signed, and printed", async |w| w.sign_and_print(&doctor).await).await?;
        let patient_call = self
            .chapter("follow-up", "A follow-up at home, by a link", async |w| {
                w.follow_up(&doctor, &ca, &AYESHA).await
            })
            .await?;
        self.chapter(
            "three",
            "Three in a call: the patient at home, the doctor, the specialist",
            async |w| w.three(&doctor, &specialist, &ca, &AYESHA).await,
        )
        .await?;
        let pace = if self.report.is_some() { Pace::STEADY } else { Pace::NONE };
        let plain_cold = self
            .chapter("plain-cold", "A plain cold, found, written, signed and printed", async |w| {
                w.plain_cold(&doctor, PLAIN, pace).await
            })
            .await?;
        if let Some(report) = &mut self.report {
            let seconds = plain_cold.ms as f64 / 1000.0;
            report.figures.push(("a plain cold, keys and taps".into(), plain_cold.presses.to_string()));
            report.figures.push(("a plain cold, at a steady pace".into(), format!("{seconds:.0} s")));
        }
        let (visits_saved, visits_at_hie_after) = self
            .chapter("offline", "Ten visits without the server", async |w| w.offline(&doctor).await)
            .await?;
        doctor.close().await?;
        specialist.close().await?;
        // Each of these states has a test of its own (tests/patient_stranded.rs); here they are for who looks on.
        if self.report.is_some() {
            self.chapter("stranded", "A patient's phone is never stranded", async |w| w.stranded(&ca).await)
                .await?;
            self.broken_worlds().await?;
        }
        self.hie.stop()?;
        Ok(Figures { call, patient_call, plain_cold, visits_saved, visits_at_hie_after })
    }

    /// What breaks in a clinic's life, each in a clinic of its own. Each has a test; here they are for who looks on.
    async fn broken_worlds(&mut self) -> Result<()> {
        let unasked = &mut Problems::not_looked_for();
        self.apart("power-cut", "The power goes while a visit is typed", async |w| w.power_cut().await)
            .await?;
        self.apart("two-values", "Two laptops correct one patient, and somebody chooses", async |w| {
            w.two_values(unasked).await
        })
        .await?;
        self.apart("refused", "A refused visit says why, and is mended", async |w| {
            w.refused_and_mended(unasked).await
        })
        .await?;
        self.apart("restored", "A laptop is lost, and its records are on another", async |w| {
            w.lost_and_restored(unasked).await
        })
        .await?;
        self.apart("by-stick", "Without internet: records go by stick", async |w| {
            w.week_by_stick(unasked).await
        })
        .await
    }

    /// A chapter in a clinic with a server of its own; its pictures come into this story.
    async fn apart(
        &mut self,
        name: &str,
        title: &str,
        play: impl AsyncFnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let mut other = World::new(Run::kept(&format!("demo-{name}"))?)?;
        other.report = self.report.take();
        let played = other.chapter(name, title, play).await;
        self.report = other.report.take();
        played
    }

    /// Plays a chapter and tells the report how long it took.
    pub async fn chapter<T>(
        &mut self,
        name: &str,
        title: &str,
        play: impl AsyncFnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        if let Some(report) = &mut self.report {
            report.begin(name, title);
        }
        let start = Instant::now();
        let result = play(self).await?;
        if let Some(report) = &mut self.report {
            report.end(start.elapsed());
        }
        Ok(result)
    }
}
