//! A clinic without internet whose laptops are on one Wi-Fi: what one writes is on the other, and still waits to be sent.

use anyhow::Result;

use super::{AYESHA, DOCTOR, World, two_laptops::COLLEAGUE};
use crate::{access::Problems, window::Window};

async fn turn_on(window: &Window) -> Result<()> {
    window.click("sync-chip").await?;
    window.screen("sync").await?;
    window.click("nearby-on").await?;
    window.reads("nearby-met", "None was met yet").await
}

impl World {
    /// A patient and a visit of one laptop on the other, the health exchange out of reach; then it is back.
    pub async fn week_by_wifi(&mut self, problems: &mut Problems) -> Result<()> {
        let codes = self.found_empty_clinic().await?;
        let doctor = self.open_and_join(DOCTOR, &codes.doctor.code).await?;
        let invited = self.hie.enroll(&COLLEAGUE)?;
        let colleague = self.open_and_join(COLLEAGUE, &invited.code).await?;
        for window in [&doctor, &colleague] {
            turn_on(window).await?;
        }
        self.hie.stop()?;
        self.register(&doctor, &AYESHA).await?;
        self.write_visit(&doctor).await?;
        self.sign_visit(&doctor).await?;
        colleague
            .wait("her name to be found here", async || {
                Ok((self.find(&colleague, AYESHA.name).await? == 1).then_some(()))
            })
            .await?;
        colleague.click("result").await?;
        colleague.screen("patient").await?;
        colleague.reads("timeline", "laptops only").await?;
        self.shoot_every_way(
            &colleague,
            "A colleague's laptop: the patient and the visit came over the clinic's Wi-Fi",
        )
        .await?;
        problems.check_every_way(self, &colleague, "patient, from a laptop nearby").await?;

        for window in [&doctor, &colleague] {
            window.click("sync-chip").await?;
            window.screen("sync").await?;
        }
        doctor.reads("nearby-met", "records given").await?;
        doctor.reads("sync-chip", "1 visit only here").await?;
        self.shoot_every_way(&doctor, "Sync: who was met on the Wi-Fi, and what still waits").await?;
        problems.check_every_way(self, &doctor, "sync, with a laptop nearby").await?;
        colleague.reads("sync-chip", "laptops only").await?;
        self.shoot_every_way(&colleague, "Sync at the colleague's laptop").await?;

        self.hie.start().await?;
        self.all_at_hie(&doctor).await?;
        self.all_at_hie(&colleague).await?;
        colleague.close().await?;
        doctor.close().await
    }
}
