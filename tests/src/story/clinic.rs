//! The server with the sample clinic, and its people's apps.

use anyhow::Result;

use super::{AYESHA, CLINIC, DOCTOR, HOSPITAL, Person, SPECIALIST, World};
use crate::{hie::Invited, sample, window::Window};

/// Where the sample clinic is, in the country package's tree of places.
const VILLAGE: &str = "pk-pb-sample-rahimpur-kot-fazil-kot-fazil";

/// Both apps, joined and open at Today.
pub struct Clinic {
    pub doctor: Window,
    pub specialist: Window,
}

/// Codes with which the sample clinic's people join.
pub struct Codes {
    pub doctor: Invited,
    pub specialist: Invited,
}

impl World {
    /// Starts the server and founds the sample clinic: about a thousand patients, loaded through the FHIR API.
    pub async fn found_clinic(&mut self) -> Result<Codes> {
        let codes = self.found_empty_clinic().await?;
        sample::load(&self.hie).await?;
        Ok(codes)
    }

    /// Starts the server and founds the clinic and the hospital, with nobody in them yet.
    pub async fn found_empty_clinic(&mut self) -> Result<Codes> {
        self.hie.start().await?;
        let clinic =
            ["--address", "Kot Fazil, Tehsil Rahimpur", "--place", VILLAGE, "--mr-prefix", sample::MR_PREFIX];
        self.hie.add_facility(CLINIC, "clinic", &clinic)?;
        self.hie.add_facility(HOSPITAL, "hospital", &["--address", "Hospital Road, Rahimpur"])?;
        let (first, last) = sample::MR_NUMBERS;
        self.hie.admin(&[
            "mr-block",
            "--facility",
            CLINIC,
            "--first",
            first,
            "--last",
            last,
            "--purpose",
            "sample",
        ])?;
        Ok(Codes { doctor: self.hie.enroll(&DOCTOR)?, specialist: self.hie.enroll(&SPECIALIST)? })
    }

    /// A person's app, joined.
    pub async fn open_and_join(&mut self, person: Person, code: &str) -> Result<Window> {
        let window = self.open(person).await?;
        self.join(&window, person, code).await?;
        Ok(window)
    }

    /// The doctor's app alone, joined to a clinic without patients: what most tests start from.
    pub async fn open_empty_clinic(&mut self) -> Result<Window> {
        let codes = self.found_empty_clinic().await?;
        self.open_and_join(DOCTOR, &codes.doctor.code).await
    }

    /// Both apps, joined to a clinic without patients.
    pub async fn open_both(&mut self) -> Result<Clinic> {
        let codes = self.found_empty_clinic().await?;
        let doctor = self.open_and_join(DOCTOR, &codes.doctor.code).await?;
        let specialist = self.open_and_join(SPECIALIST, &codes.specialist.code).await?;
        Ok(Clinic { doctor, specialist })
    }

    /// The same, with one ask between them, which the specialist took. Neither window is at a page that matters.
    pub async fn open_asked(&mut self) -> Result<Clinic> {
        let clinic = self.open_both().await?;
        self.register(&clinic.doctor, &AYESHA).await?;
        self.write_visit(&clinic.doctor).await?;
        self.ask_specialist(&clinic.doctor).await?;
        self.open_ask(&clinic.specialist).await?;
        self.ask_stands_at(&clinic.doctor, &["accepted"]).await?;
        Ok(clinic)
    }
}
