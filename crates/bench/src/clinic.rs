//! What the figures of the app and of the call start from: a small clinic whose doctor asked a specialist.

use anyhow::{Context, Result};
use rabta_tests::{
    Run,
    story::{Clinic, World},
    window::Window,
};

/// Two joined apps with one ask between them, which the specialist took. Neither window is at a page that matters.
pub struct Consultation {
    pub world: World,
    pub doctor: Window,
    pub specialist: Window,
}

impl Consultation {
    /// On a clinic without other patients: what is measured here does not depend on their number.
    pub async fn open(name: &str) -> Result<Self> {
        let mut world = World::new(Run::kept(name)?)?;
        let Clinic { doctor, specialist } = world.open_asked().await?;
        Ok(Self { world, doctor, specialist })
    }

    /// Signs the doctor's visit. Its page's place in the window, for [`Window::eval`]: `#/...`.
    pub async fn sign_visit(&self) -> Result<String> {
        self.doctor.click("go-asks").await?;
        self.doctor.screen("asks").await?;
        self.doctor.click("ask-row").await?;
        self.doctor.screen("case").await?;
        self.world.sign_asked_visit(&self.doctor).await?;
        let place = self.doctor.eval("return location.hash").await?;
        place.as_str().map(str::to_owned).context("a page has a place")
    }
}
