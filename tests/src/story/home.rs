//! A follow-up at home: the doctor makes a link, the patient opens it on a phone, both see and hear each other.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{CallFigures, NewPatient, World};
use crate::{
    phone::{Phone, TestCa},
    window::{Window, by},
};

/// The word that the patient chose.
pub const WORD: &str = "Mango tree";

/// How many medicines the page of what to do next shows.
pub async fn medicines(phone: &Phone) -> Result<u64> {
    let count = phone.eval("return document.querySelectorAll('.medicine').length").await?;
    count.as_u64().context("a number")
}

/// Presses for the prescription: the file that the phone then keeps.
pub async fn paper(phone: &Phone) -> Result<Vec<u8>> {
    phone
        .eval(
            "const make = URL.createObjectURL; window.paper = null; URL.createObjectURL = (blob) => { \
             const file = new FileReader(); file.onload = () => { window.paper = file.result.split(',')[1]; }; \
             file.readAsDataURL(blob); return make.call(URL, blob); }",
        )
        .await?;
    phone.tap("paper").await?;
    let file = phone
        .wait("the prescription", async || {
            Ok(phone.eval("return window.paper").await?.as_str().map(str::to_owned))
        })
        .await?;
    STANDARD.decode(file).context("a file")
}

impl World {
    /// Phones trust this run's server from its start on. Before the server starts.
    pub fn let_phones_in(&mut self) -> Result<TestCa> {
        let ca = TestCa::make(&self.run, self.hie.host)?;
        self.hie.open_door(&ca)?;
        Ok(ca)
    }

    /// On the patient's page for calls at home: makes a link; the address in its message.
    pub async fn make_link(&self, window: &Window, word: &str) -> Result<String> {
        window.fill("link-word", word).await?;
        window.click("make-link").await?;
        let message = window.value("link-message").await?;
        let at = message.find("https://").context("the message has an address")?;
        Ok(message[at..].trim().to_owned())
    }

    /// The doctor calls, the patient presses Join: what the patient waited from there.
    pub async fn follow_up(
        &mut self,
        doctor: &Window,
        ca: &TestCa,
        patient: &NewPatient,
    ) -> Result<CallFigures> {
        self.find(doctor, patient.name).await?;
        doctor.click("result").await?;
        doctor.screen("patient").await?;
        doctor.click("call-at-home").await?;
        doctor.screen("phone").await?;
        doctor.see("make-link-card").await?;
        self.shoot_every_way(doctor, "A follow-up at home: a link with a word that the patient chooses")
            .await?;
        let url = self.make_link(doctor, WORD).await?;
        self.shoot_every_way(doctor, "The link: by message, or as a picture for the phone's camera").await?;
        let phone = Phone::open(&self.run, ca, "phone", "ur").await?;
        phone.go(&url).await?;
        phone.screen("word").await?;
        self.shoot_phone(&phone, "The patient's phone asks for the word").await?;
        phone.type_into("word", "mango  TREE").await?;
        phone.tap("word-go").await?;
        phone.screen("consent").await?;
        self.shoot_phone(&phone, "Who will see and hear, and that nothing is recorded").await?;
        phone.tap("consent-video").await?;
        phone.see("join").await?;
        self.shoot_phone(&phone, "One button").await?;
        doctor.click("link-call").await?;
        doctor.see("call-words").await?;
        // Nobody presses at once.
        tokio::time::sleep(Duration::from_secs(2)).await;
        phone.tap("join").await?;
        phone.screen("call").await?;
        self.sees_the_patient(doctor).await?;
        phone.sees_them().await?;
        self.shoot_phone(&phone, "The doctor on the patient's phone").await?;
        self.shoot_every_way(doctor, "The patient at the doctor's: first check who it is, aloud").await?;
        let figures = phone.figures().await?;
        doctor.click("hang-up").await?;
        phone.screen("ended").await?;
        self.shoot_phone(&phone, "Afterward").await?;
        doctor.see("call-ended").await?;
        // The next step, with the medicines of the last visit, comes to the phone by itself.
        doctor.fill("after-text", "پٹی روز بدلیں۔ جمعرات کو دوبارہ آئیں۔").await?;
        doctor.click("after-medicines").await?;
        self.shoot(doctor, "The patient was asked aloud: the medicines and the paper of this visit go, too")
            .await?;
        doctor.click("after-send").await?;
        phone.screen("after").await?;
        ensure!(medicines(&phone).await? > 0, "the medicines are on the phone");
        self.shoot_phone(&phone, "What to do next stays on the patient's phone for a week").await?;
        let paper = paper(&phone).await?;
        ensure!(paper.starts_with(b"%PDF-"), "the paper is no PDF");
        doctor.click("link-end").await?;
        doctor.see("make-link-card").await?;
        phone.close().await?;
        Ok(figures)
    }

    /// The patient's camera moves in the doctor's window.
    pub async fn sees_the_patient(&self, window: &Window) -> Result<()> {
        let script =
            format!("return Number(document.querySelector('{}')?.dataset.frames || 0)", by("far-video"));
        window
            .wait_within(Duration::from_secs(40), "20 pictures of the patient", async || {
                Ok((window.eval(&script).await?.as_u64() > Some(20)).then_some(()))
            })
            .await
    }

    pub(super) async fn shoot_phone(&mut self, phone: &Phone, caption: &str) -> Result<()> {
        match &mut self.report {
            Some(report) => report.add(phone.name(), phone.picture().await?, caption),
            None => Ok(()),
        }
    }
}
