//! A visit: written on one page, checked, signed; and many of them with no server.

use anyhow::{Result, ensure};
use serde_json::json;

use super::World;
use crate::window::{Window, by};

/// What the doctor writes of a plain visit.
#[derive(Clone, Copy)]
pub struct PlainVisit {
    pub complaint: &'static str,
    pub diagnosis: &'static str,
}

impl World {
    /// From the open chart: the whole page, with a photo, up to the page to check. Leaves it unsigned.
    pub async fn write_visit(&mut self, window: &Window) -> Result<()> {
        window.click("start-visit").await?;
        window.screen("visit").await?;
        window.click("informant-patient").await?;
        window.click("danger-none").await?;
        window.fill("complaint", "Fever and a painful red swelling on the left leg").await?;
        window.fill("complaint-since", "3 days").await?;
        window
            .fill("history", "Stepped on a thorn last week. No cough, no vomiting. Eats and drinks.")
            .await?;
        self.allergic_to(window, "penicillin").await?;
        window.click("pregnant-no").await?;
        for (vital, value) in [
            ("systolic", "118"),
            ("diastolic", "76"),
            ("pulse", "104"),
            ("breathing", "20"),
            ("spo2", "97"),
            ("temperature", "101.4"),
            ("weight", "58"),
        ] {
            window.fill(&format!("vital-{vital}"), value).await?;
        }
        window.fill("test-glucose", "112").await?;
        window
            .fill("examination", "Left shin: warm, red, 8 by 5 cm, tender, no pus. Foot pulses felt.")
            .await?;
        self.add_photo(window).await?;
        window.fill("diagnosis", "cellulitis").await?;
        window.click("diagnosis-option").await?;
        window.fill("plan", "Leg up. Mark the edge with a pen and look again tomorrow.").await?;
        self.shoot_every_way(window, "The visit, on one page in the order in which it is asked").await?;
        self.clash(window).await?;
        self.medicine(window, "Panadol", "1+1+1", "3").await?;
        window.click("disposition-home").await?;
        window.fill("return-advice", "Come back at once if the redness passes the pen mark.").await?;
        self.is_saved(window).await
    }

    async fn allergic_to(&self, window: &Window, substance: &str) -> Result<()> {
        window.click("allergy-state-known").await?;
        window.fill("allergen", substance).await?;
        window.click("allergen-option").await
    }

    async fn add_photo(&self, window: &Window) -> Result<()> {
        let photo = crate::run::checkout().join("packages/pk/media/wound.jpg");
        window.give_file("photo-file", &photo).await?;
        window.see("photo").await.map(drop)
    }

    /// Amoxicillin for somebody allergic to penicillin stops and asks; it is taken out again.
    async fn clash(&mut self, window: &Window) -> Result<()> {
        window.fill("medicine", "amoxi").await?;
        window.click("medicine-option").await?;
        window.see("clash-dialog").await?;
        self.shoot(window, "A medicine that clashes with a recorded allergy stops and asks").await?;
        window.click("clash-remove").await?;
        window.gone("clash-dialog").await
    }

    async fn medicine(&self, window: &Window, brand: &str, dose: &str, days: &str) -> Result<()> {
        window.fill("medicine", brand).await?;
        window.click("medicine-option").await?;
        window.fill("dose", dose).await?;
        window.fill("days", days).await?;
        window.see("dose-words").await.map(drop)
    }

    /// Waits until the page says that everything is saved.
    pub async fn is_saved(&self, window: &Window) -> Result<()> {
        let script = format!("return document.querySelector('{}')?.dataset.state", by("save-state"));
        window
            .wait("the page to say Saved", async || {
                Ok((window.eval(&script).await? == json!("saved")).then_some(()))
            })
            .await
    }

    /// From the visit page: checks and signs.
    pub async fn sign_visit(&mut self, window: &Window) -> Result<()> {
        window.click("check-and-sign").await?;
        window.screen("visit-page").await?;
        window.click("sign").await?;
        window.see("signed-by").await?;
        window.see("verified").await.map(drop)
    }

    /// `count` plain visits of patients who are here already. The server may be away.
    pub async fn plain_visits(&mut self, window: &Window, names: &[&str], count: usize) -> Result<u64> {
        let mut saved = 0;
        for i in 0..count {
            let found = self.find(window, names[i % names.len()]).await?;
            ensure!(found > 0, "the sample clinic has a {}", names[i % names.len()]);
            window.click_nth("result", i / names.len()).await?;
            window.screen("patient").await?;
            self.plain_visit(
                window,
                PlainVisit { complaint: "Cough and a running nose for two days", diagnosis: "J00" },
            )
            .await?;
            saved += 1;
        }
        Ok(saved)
    }

    async fn plain_visit(&mut self, window: &Window, visit: PlainVisit) -> Result<()> {
        window.click("start-visit").await?;
        window.screen("visit").await?;
        window.settled().await?;
        window.click("danger-none").await?;
        window.fill("complaint", visit.complaint).await?;
        window.click("allergy-state-none-known").await?;
        if window.sees_now("pregnant-no").await? {
            window.click("pregnant-no").await?;
        }
        window.fill("diagnosis", visit.diagnosis).await?;
        window.click("diagnosis-option").await?;
        window.fill("plan", "Warm drinks, rest.").await?;
        self.is_saved(window).await?;
        self.sign_visit(window).await
    }
}
