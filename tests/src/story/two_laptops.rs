//! Two laptops write about one patient without knowing of each other, and somebody chooses; a refused visit is mended.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{AYESHA, DOCTOR, Person, World};
use crate::{
    access::Problems,
    window::{Window, by},
};

pub(super) const COLLEAGUE: Person =
    Person { key: "colleague", name: "Dr Bilal Ahmad", registration: "22222-P", ..DOCTOR };

/// Opens her chart, once she is known here.
async fn chart(world: &World, window: &Window) -> Result<()> {
    window
        .wait("her name to be found here", async || {
            Ok((world.find(window, AYESHA.name).await? == 1).then_some(()))
        })
        .await?;
    window.click("result").await?;
    window.screen("patient").await?;
    window.see("details").await.map(drop)
}

/// Corrects one field of her details.
async fn correct(world: &World, window: &Window, field: &str, value: &str) -> Result<()> {
    chart(world, window).await?;
    window.click("amend").await?;
    window.screen("amend").await?;
    window
        .wait("the details as they are", async || {
            Ok((window.value("name").await? == AYESHA.name).then_some(()))
        })
        .await?;
    window.fill(field, value).await?;
    window.click("register").await?;
    window.screen("patient").await
}

impl World {
    /// Two laptops correct one patient's details without knowing of each other; both values stand until somebody chooses.
    pub async fn two_values(&mut self, problems: &mut Problems) -> Result<()> {
        let codes = self.found_empty_clinic().await?;
        let doctor = self.open_and_join(DOCTOR, &codes.doctor.code).await?;
        let invited = self.hie.enroll(&COLLEAGUE)?;
        let colleague = self.open_and_join(COLLEAGUE, &invited.code).await?;
        self.register(&doctor, &AYESHA).await?;
        self.all_at_hie(&doctor).await?;
        chart(self, &colleague).await?;

        self.hie.stop()?;
        correct(self, &doctor, "phone", "0300 0055888").await?;
        correct(self, &doctor, "landmark", "behind the flour mill").await?;
        correct(self, &colleague, "phone", "0300 0055999").await?;
        doctor.click("sync-chip").await?;
        doctor.screen("sync").await?;
        doctor.see("why").await?;
        self.shoot_every_way(&doctor, "Sync: no link, why each waits and how much it is").await?;
        self.hie.start().await?;
        self.all_at_hie(&doctor).await?;
        self.all_at_hie(&colleague).await?;

        // Both are told, and on both what only one of them changed is there.
        doctor.see("undecided").await?;
        self.shoot_every_way(&doctor, "Sync: a patient of whom two values stand").await?;
        problems.check_every_way(self, &doctor, "sync, with a patient to decide about").await?;
        doctor.click("row-patient").await?;
        doctor.screen("patient").await?;
        doctor.see("differs").await?;
        ensure!(doctor.count("differs-value").await? == 1, "the phone, and nothing else");
        ensure!(
            doctor.sees_now("differs-value-2").await? && !doctor.sees_now("differs-value-3").await?,
            "both"
        );
        for said in ["03000055888", "03000055999", "Dr Ayesha Khan", "Dr Bilal Ahmad"] {
            doctor.reads("differs", said).await?;
        }
        doctor.reads("details", "behind the flour mill").await?;
        let checked = format!("return document.querySelectorAll('{} input:checked').length", by("differs"));
        ensure!(doctor.eval(&checked).await? == json!(0), "nothing is chosen by itself");
        self.shoot_every_way(&doctor, "Two values of one detail: who, when, where").await?;
        problems.check_every_way(self, &doctor, "patient, with two values").await?;
        doctor.see("differs").await?;
        let off = format!("return document.querySelector('{}').disabled", by("decide"));
        ensure!(doctor.eval(&off).await? == json!(true), "nobody picks blindly");
        let later = doctor.text("differs-value-2").await?.contains("03000055999");
        doctor.click(if later { "differs-value-2" } else { "differs-value-1" }).await?;
        doctor.click("decide").await?;
        doctor.gone("differs").await?;
        doctor.reads("details", "03000055999").await?;
        self.all_at_hie(&doctor).await?;
        doctor.gone("undecided").await?;

        self.all_at_hie(&colleague).await?;
        colleague.gone("undecided").await?;
        chart(self, &colleague).await?;
        ensure!(!colleague.sees_now("differs").await?, "it is settled everywhere");
        colleague.reads("details", "behind the flour mill").await?;
        colleague.reads("details", "03000055999").await?;
        colleague.close().await?;
        doctor.close().await
    }

    /// The health exchange refuses a visit, says why, and it is mended.
    pub async fn refused_and_mended(&mut self, problems: &mut Problems) -> Result<()> {
        let window = self.open_empty_clinic().await?;
        self.register(&window, &AYESHA).await?;
        window.click("start-visit").await?;
        window.screen("visit").await?;
        window.settled().await?;
        window.click("danger-none").await?;
        // More than the server takes in one line.
        window.paste("complaint", &"fever ".repeat(4_000)).await?;
        window.click("allergy-state-none-known").await?;
        window.click("pregnant-no").await?;
        self.is_saved(&window).await?;
        self.sign_visit(&window).await?;

        window.click("sync-chip").await?;
        window.screen("sync").await?;
        window.see("refused-do").await?;
        window.reads("refused-means", "longer than").await?;
        self.shoot_every_way(&window, "Sync: refused, why, and what to do").await?;
        problems.check_every_way(self, &window, "sync, with a refused visit").await?;
        window.see("refused-do").await?;
        window.click("refused-mend").await?;
        window.screen("visit-page").await?;
        window.click("correct").await?;
        window.screen("visit").await?;
        window.settled().await?;
        window.paste("complaint", "Fever for two days").await?;
        self.is_saved(&window).await?;
        self.sign_visit(&window).await?;
        self.all_at_hie(&window).await?;
        window.see("seen-to").await?;
        window.see("data-used").await?;
        self.shoot_every_way(&window, "Sync: mended, and the refused one is still there").await?;
        problems.check_every_way(self, &window, "sync, mended").await?;
        window.click("go-today").await?;
        chart(self, &window).await?;
        window.reads("timeline", "Fever for two days").await?;
        self.shoot_every_way(&window, "A chart: where each visit is from, and how old it is").await?;
        problems.check_every_way(self, &window, "patient, with the mended visit").await?;
        window.close().await
    }
}
