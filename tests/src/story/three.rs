//! Three in a call: the doctor, the patient at home, the specialist.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{NewPatient, WORD, World};
use crate::{
    phone::{Phone, TestCa},
    window::{Window, by},
};

/// A leg is made while two machines draw and encode on few processors.
const JOINS: Duration = Duration::from_secs(90);

impl World {
    /// The doctor and the patient talk; the specialist is brought in, with the patient's yes.
    pub async fn three(
        &mut self,
        doctor: &Window,
        specialist: &Window,
        ca: &TestCa,
        patient: &NewPatient,
    ) -> Result<()> {
        let phone = self.call_at_home(doctor, ca, patient, "phone-of-three").await?;
        doctor.see("bring-in").await?;
        self.shoot_every_way(doctor, "In a call with a patient: who can be brought in").await?;
        self.bring_in(doctor).await?;
        phone.see("wanted-yes").await?;
        self.shoot_phone_both(&phone, "The patient is asked first, aloud").await?;
        self.shoot(doctor, "The doctor sees that the patient is being asked").await?;
        phone.tap("wanted-yes").await?;
        specialist.see("call-incoming").await?;
        specialist.click("call-accept").await?;
        self.all_three(doctor, specialist, &phone).await?;
        self.shoot_every_way(doctor, "Three in a call, at the doctor's, with the record beside").await?;
        self.shoot_every_way(specialist, "The same at the specialist's").await?;
        self.shoot_phone_both(&phone, "And on the patient's phone").await?;
        specialist.click("hang-up").await?;
        phone.see("away").await?;
        self.shoot_phone_both(&phone, "The specialist has left; the two go on").await?;
        doctor.click("hang-up").await?;
        phone.screen("ended").await?;
        doctor.click("link-end").await?;
        doctor.see("make-link-card").await?;
        phone.close().await
    }

    /// A new link, the patient joins, both talk. The phone.
    pub async fn call_at_home(
        &mut self,
        doctor: &Window,
        ca: &TestCa,
        patient: &NewPatient,
        name: &str,
    ) -> Result<Phone> {
        let phone = self.waits_at_home(doctor, ca, patient, name).await?;
        doctor.click("link-call").await?;
        phone.screen("call").await?;
        self.sees_the_patient(doctor).await?;
        Ok(phone)
    }

    /// A new link, and the patient in its waiting room. The phone.
    pub async fn waits_at_home(
        &mut self,
        doctor: &Window,
        ca: &TestCa,
        patient: &NewPatient,
        name: &str,
    ) -> Result<Phone> {
        ensure!(self.find(doctor, patient.name).await? > 0, "the patient is found");
        doctor.click("result").await?;
        doctor.screen("patient").await?;
        Ok(self.waits_for(doctor, ca, name).await?.0)
    }

    /// From the open chart: a new link, and the patient in its waiting room. The phone, and what it opened.
    pub async fn waits_for(&mut self, doctor: &Window, ca: &TestCa, name: &str) -> Result<(Phone, String)> {
        doctor.click("call-at-home").await?;
        doctor.screen("phone").await?;
        let url = self.make_link(doctor, WORD).await?;
        let phone = Phone::open(&self.run, ca, name, "en").await?;
        phone.go(&url).await?;
        phone.screen("word").await?;
        phone.type_into("word", WORD).await?;
        phone.tap("word-go").await?;
        phone.tap("consent-video").await?;
        phone.tap("join").await?;
        phone.screen("waiting").await?;
        Ok((phone, url))
    }

    /// The first who can be brought in, is.
    pub async fn bring_in(&self, doctor: &Window) -> Result<()> {
        doctor.click("bring-in").await
    }

    /// All six directions: moving pictures and sound of both others at each of the three.
    pub async fn all_three(&self, doctor: &Window, specialist: &Window, phone: &Phone) -> Result<()> {
        for window in [doctor, specialist] {
            self.sees_and_hears(window, 2).await?;
        }
        for video in ["far", "far-2"] {
            phone.sees_and_hears(video).await?;
        }
        Ok(())
    }

    /// Moving pictures and sound of `others` far sides in this window, and of no more.
    pub async fn sees_and_hears(&self, window: &Window, others: usize) -> Result<()> {
        let frames = format!(
            "return [...document.querySelectorAll('{}')].map((e) => Number(e.dataset.frames || 0))",
            by("far-video")
        );
        let first = window.eval(&frames).await?;
        let first: Vec<u64> = serde_json::from_value(first).unwrap_or_default();
        let fewest = |all: &[u64]| all.iter().min().copied().unwrap_or_default();
        let more = fewest(&first) + 20;
        window
            .wait_within(JOINS, &format!("moving pictures of {others}"), async || {
                let now: Vec<u64> = serde_json::from_value(window.eval(&frames).await?).unwrap_or_default();
                Ok((now.len() == others && fewest(&now) >= more).then_some(()))
            })
            .await?;
        // Speech has pauses: each is heard at some moment.
        for n in 0..others {
            let level = format!(
                "return Number([...document.querySelectorAll('{}')].filter((e) => \
                 e.nextElementSibling?.dataset.phase !== 'ended')[{n}]?.dataset.level || 0)",
                by("call-name")
            );
            window
                .wait_within(JOINS, "their voice", async || {
                    Ok((window.eval(&level).await?.as_u64() >= Some(2)).then_some(()))
                })
                .await?;
        }
        Ok(())
    }

    /// One of the two far sides is waited for, the other's picture moves.
    pub async fn one_is_away(&self, window: &Window) -> Result<()> {
        let away =
            format!("return document.querySelectorAll('{}[data-phase=waiting]').length", by("call-words"));
        window
            .wait_within(JOINS, "one who is away", async || {
                Ok((window.eval(&away).await?.as_u64() == Some(1)).then_some(()))
            })
            .await?;
        let frames = format!(
            "return Math.max(...[...document.querySelectorAll('{}')].map((e) => Number(e.dataset.frames || 0)))",
            by("far-video")
        );
        let first = window.eval(&frames).await?.as_u64().unwrap_or_default();
        window
            .wait_within(JOINS, "a picture that moves", async || {
                Ok((window.eval(&frames).await?.as_u64() >= Some(first + 20)).then_some(()))
            })
            .await
    }

    async fn shoot_phone_both(&mut self, phone: &Phone, caption: &str) -> Result<()> {
        self.shoot_phone(phone, caption).await?;
        if self.report.is_none() {
            return Ok(());
        }
        phone.tap("language").await?;
        phone
            .wait("Urdu", async || {
                let lang = phone.eval("return document.documentElement.lang").await?;
                Ok((lang == json!("ur")).then_some(()))
            })
            .await?;
        self.shoot_phone(phone, &format!("{caption}, in Urdu")).await?;
        phone.tap("language").await
    }
}
