//! A clinic without internet: its records go to the health exchange on a stick that a colleague carries, and the answer comes
//! back on it.

use anyhow::Result;

use super::{AYESHA, DOCTOR, SPECIALIST, World};
use crate::{access::Problems, window::Window};

/// Presses on the Sync page, and waits for what is said.
async fn use_stick(world: &World, window: &Window, says: &str) -> Result<()> {
    window.click("sync-chip").await?;
    window.screen("sync").await?;
    window.fill("stick-place", &world.run.path("stick").display().to_string()).await?;
    window.click("use-stick").await?;
    window.reads("stick-said", says).await
}

impl World {
    /// A visit written without a line, at the health exchange by a colleague's laptop, and known to be there.
    pub async fn week_by_stick(&mut self, problems: &mut Problems) -> Result<()> {
        let codes = self.found_empty_clinic().await?;
        let doctor = self.open_and_join(DOCTOR, &codes.doctor.code).await?;
        let specialist = self.open_and_join(SPECIALIST, &codes.specialist.code).await?;
        std::fs::create_dir(self.run.path("stick"))?;

        self.hie.stop()?;
        self.register(&doctor, &AYESHA).await?;
        self.write_visit(&doctor).await?;
        self.sign_visit(&doctor).await?;
        doctor.click("sync-chip").await?;
        doctor.screen("sync").await?;
        doctor.fill("stick-place", "/nonexistent").await?;
        doctor.click("use-stick").await?;
        doctor.reads("error", "no stick that can be written to").await?;
        use_stick(self, &doctor, "of them visits").await?;
        doctor.reads("sync-chip", "1 visit only here").await?;
        self.shoot_every_way(&doctor, "Without internet: the visit is on the stick").await?;
        problems.check_every_way(self, &doctor, "sync, the visit is on the stick").await?;
        doctor.click("go-me").await?;
        doctor.screen("me").await?;
        doctor.click("lock-vault").await?;
        doctor.screen("unlock").await?;

        use_stick(self, &specialist, "stay on the stick until").await?;
        self.hie.start().await?;
        self.all_at_hie(&specialist).await?;
        use_stick(self, &specialist, "Give the stick back").await?;
        self.shoot_every_way(&specialist, "A colleague's laptop brought it there").await?;

        // Back in the village there is still no line.
        self.hie.stop()?;
        self.unlock(&doctor).await?;
        use_stick(self, &doctor, "The stick brought an answer").await?;
        doctor.reads("sync-chip", "No link").await?;
        self.shoot_every_way(&doctor, "The answer is back: the visit is at the health exchange").await?;
        problems.check_every_way(self, &doctor, "sync, the answer is back").await?;
        specialist.close().await?;
        doctor.close().await
    }
}
