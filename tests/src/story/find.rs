//! Finding a patient, registering a new one.

use anyhow::{Context, Result, ensure};

use super::World;
use crate::window::{Window, by};

/// What the doctor types of a new patient.
#[derive(Clone, Copy)]
pub struct NewPatient {
    pub name: &'static str,
    pub name_ur: &'static str,
    /// FTH, HUSB, MTH or GUARD.
    pub relation: &'static str,
    pub relation_name: &'static str,
    /// female, male or other.
    pub sex: &'static str,
    /// In years.
    pub age: &'static str,
    pub village: &'static str,
    pub phone: &'static str,
    pub cnic: &'static str,
}

/// The one whom the demo is about. She does not exist.
pub const AYESHA: NewPatient = NewPatient {
    name: "Zubaida Parveen",
    name_ur: "\u{632}\u{628}\u{6CC}\u{62F}\u{6C1} \u{67E}\u{631}\u{648}\u{6CC}\u{646}",
    relation: "HUSB",
    relation_name: "Ghulam Rasool",
    sex: "female",
    age: "34",
    village: "Kot Fazil",
    phone: "0300 0055123",
    cnic: "31950-9955123-4",
};

impl World {
    /// Goes to Find and types; waits for the answer.
    pub async fn find(&self, window: &Window, text: &str) -> Result<usize> {
        window.click("go-find").await?;
        window.screen("find").await?;
        window.fill("find-box", text).await?;
        let script = format!("return document.querySelector('{}')?.dataset.state", by("find-box"));
        window
            .wait("an answer to the search", async || {
                // The answer to its first letters may be listed before.
                if window.eval(&script).await? == "asking" || window.value("find-box").await? != text {
                    return Ok(None);
                }
                Ok(match window.count("result").await? {
                    0 if window.sees_now("find-none").await? => Some(0),
                    0 => None,
                    found => Some(found),
                })
            })
            .await
    }

    /// Registers somebody new and ends on their chart. Returns the Patient's id.
    pub async fn register(&mut self, window: &Window, patient: &NewPatient) -> Result<String> {
        self.find(window, patient.name).await?;
        window.click("new-patient").await?;
        self.fill_registration(window, patient).await?;
        self.shoot_every_way(window, "A new patient: one name, a relation, the age as said, a village")
            .await?;
        window.click("register").await?;
        window.screen("patient").await?;
        window.reads("band-name", patient.name).await?;
        self.open_patient(window).await
    }

    pub async fn fill_registration(&self, window: &Window, patient: &NewPatient) -> Result<()> {
        window.screen("register").await?;
        // The name that was searched for stands there already.
        window
            .wait("the name as it was typed", async || {
                Ok((window.value("name").await? == patient.name).then_some(()))
            })
            .await?;
        window.fill("name-other", patient.name_ur).await?;
        window.pick("relation", patient.relation).await?;
        window.fill("relation-name", patient.relation_name).await?;
        window.click(&format!("sex-{}", patient.sex)).await?;
        window.click("age-as-years").await?;
        window.fill("age", patient.age).await?;
        window.fill("village", patient.village).await?;
        window.click_with_text("village-option", patient.village).await?;
        window.fill("phone", patient.phone).await?;
        window.pick("paper-kind", "cnic").await?;
        window.fill("paper-number", patient.cnic).await
    }

    /// The id of the patient whose chart is open.
    pub async fn open_patient(&self, window: &Window) -> Result<String> {
        window.see("band").await?;
        let script = format!("return document.querySelector('{}').dataset.patient", by("band"));
        let id = window.eval(&script).await?;
        let id = id.as_str().context("the band knows whose it is")?;
        ensure!(!id.is_empty(), "the band has an id");
        Ok(id.to_owned())
    }
}
