//! The server is away, the work goes on; it comes back, and everything is there.

use anyhow::{Context, Result, ensure};

use super::{CLINIC, World};
use crate::window::Window;

/// How many visits are written meanwhile.
const VISITS: usize = 10;
/// Names of which the sample clinic has several.
const NAMES: [&str; 5] = ["Muhammad", "Fatima", "Ali", "Bibi", "Ahmed"];

impl World {
    /// Ten visits with the server stopped; an urgent ask among them that nobody can see; the server comes back. How
    /// many were written, and how many of them the server then has.
    pub async fn offline(&mut self, doctor: &Window) -> Result<(u64, u64)> {
        self.all_at_hie(doctor).await?;
        let before = self.visits_at_hie().await?;
        self.hie.stop()?;
        let saved = self.plain_visits(doctor, &NAMES, VISITS).await?;
        doctor.click("ask-specialist").await?;
        self.fill_ask(doctor).await?;
        doctor.click("send-ask").await?;
        doctor.screen("case").await?;
        doctor.see("nobody-seen").await?;
        self.shoot_every_way(doctor, "Urgent and offline: nobody has seen this yet, and whom to phone")
            .await?;
        doctor.click("sync-chip").await?;
        doctor.screen("sync").await?;
        doctor.see("sync-row").await?;
        self.shoot_every_way(doctor, "What is only here, said plainly").await?;
        self.hie.start().await?;
        self.all_at_hie(doctor).await?;
        self.shoot(doctor, "The server is back: everything is there").await?;
        let after = self.visits_at_hie().await?;
        ensure!(
            after >= before + saved,
            "{saved} visits were written without the server, which now has {}",
            after - before
        );
        Ok((saved, after - before))
    }

    /// How many visits of the clinic the server has, by its own FHIR search.
    async fn visits_at_hie(&self) -> Result<u64> {
        let token = self.hie.token(CLINIC)?;
        let (status, bundle) = self.hie.fhir(&token, "Encounter?_count=1").await?;
        ensure!(status == 200, "the search answers {status}");
        bundle["total"].as_u64().context("the search says how many")
    }
}
