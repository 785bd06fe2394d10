//! The main job, chapter by chapter, played through the real windows. The demo plays all of it; a test plays what it
//! needs to get to its own subject.

mod by_stick;
mod by_wifi;
mod clinic;
mod cold;
mod consult;
pub mod ends;
mod find;
mod gate;
mod home;
mod lost;
mod offline;
mod people;
mod power;
pub mod stranded;
mod tell;
mod three;
mod two_laptops;
mod visit;

use std::path::PathBuf;

use anyhow::Result;
use tokio::sync::MutexGuard;

use crate::{
    Run,
    display::{Display, NARROW, WIDE},
    hie::Hie,
    report::Report,
    window::{App, Window},
};

pub use clinic::Clinic;
pub use cold::{Cold, Pace, scanned};
pub use find::{AYESHA, NewPatient};
pub use gate::{PASSPHRASE, PIN};
pub use home::{WORD, medicines, paper};
pub use lost::{fill_restore, read_back};
pub use people::{By, NURSE, ask_to_take_over, take_over};
pub use power::{begin_visit, find_visit_again};
pub use tell::{CallFigures, Figures};

/// A person of the sample clinic, as the operator enters them.
#[derive(Clone, Copy)]
pub struct Person {
    /// For logs, pictures and the data folder.
    pub key: &'static str,
    pub name: &'static str,
    pub role: &'static str,
    pub registration: &'static str,
    pub qualification: &'static str,
    pub facility: &'static str,
    pub specialty: Option<&'static str>,
    /// The duty telephone.
    pub phone: &'static str,
}

pub const DOCTOR: Person = Person {
    key: "doctor",
    name: "Dr Ayesha Khan",
    role: "doctor",
    registration: "12345-P",
    qualification: "MBBS",
    facility: CLINIC,
    specialty: None,
    phone: "0300 0055101",
};

pub const SPECIALIST: Person = Person {
    key: "specialist",
    name: "Dr Saira Malik",
    role: "specialist",
    registration: "54321-P",
    qualification: "MBBS, FCPS (Medicine)",
    facility: HOSPITAL,
    specialty: Some("general-medicine"),
    phone: "068-0000123",
};

impl Person {
    /// Recordings in place of the devices: a talking head and speech.
    pub fn media(&self) -> [(String, String); 3] {
        let folder = crate::run::checkout().join("packages/pk/media");
        let who = if self.role == "specialist" { "specialist" } else { "doctor" };
        let file = |ending: &str| folder.join(format!("{who}.{ending}")).display().to_string();
        [
            ("RABTA_CAMERA".to_owned(), file("webm")),
            ("RABTA_MICROPHONE".to_owned(), file("ogg")),
            // Both ends of a call are on this machine.
            ("RABTA_LOOPBACK".to_owned(), "1".to_owned()),
        ]
    }
}

pub const CLINIC: &str = "BHU Kot Fazil";
pub const HOSPITAL: &str = "DHQ Hospital Rahimpur";

/// Everything that a run has: its folder, the server, the windows, the report.
pub struct World {
    pub run: Run,
    pub hie: Hie,
    pub report: Option<Report>,
    /// A screen that is there already, for people to watch. Otherwise each window gets a hidden one.
    pub display: Option<Display>,
    _alone: Option<MutexGuard<'static, ()>>,
}

impl World {
    pub fn new(run: Run) -> Result<Self> {
        Ok(Self { hie: Hie::new(&run)?, run, report: None, display: None, _alone: None })
    }

    /// For a test that opens windows; it waits until other such tests of this program are over. With `RABTA_PICTURES`
    /// in the environment it keeps the pictures that it passes, in the folder of its run.
    pub async fn of_test(name: &str) -> Result<Self> {
        let alone = crate::run::alone().await;
        let mut world = Self::new(Run::of_test(name)?)?;
        if std::env::var_os("RABTA_PICTURES").is_some() {
            let mut report = Report::new(world.run.folder())?;
            report.begin(name, name);
            world.report = Some(report);
        }
        world._alone = Some(alone);
        Ok(world)
    }

    /// Starts a person's app. Its camera and microphone play the recordings of that person.
    pub async fn open(&self, person: Person) -> Result<Window> {
        self.open_with(person, |app| app).await
    }

    /// The same, with changes to how it is started.
    pub async fn open_with<'a>(
        &self,
        person: Person,
        change: impl FnOnce(App<'a>) -> App<'a>,
    ) -> Result<Window> {
        let window = self.open_sized_by_itself(person, change).await?;
        window.resize(WIDE).await?;
        Ok(window)
    }

    /// The same, in the size that the app gives itself: nothing is done to it before it shows.
    pub async fn open_as_it_is(&self, person: Person) -> Result<Window> {
        self.open_sized_by_itself(person, |app| app).await
    }

    async fn open_sized_by_itself<'a>(
        &self,
        person: Person,
        change: impl FnOnce(App<'a>) -> App<'a>,
    ) -> Result<Window> {
        let mut app = App::new(person.key, self.run.path(person.key)).env("RABTA_SPEAKER", "none");
        app.env.extend(person.media());
        match &self.display {
            Some(display) => Window::open_on(&self.run, change(app), display).await,
            None => Window::open(&self.run, change(app)).await,
        }
    }

    /// Where a person's app keeps its vault.
    pub fn vault(&self, person: Person) -> PathBuf {
        self.run.path(person.key).join("vault")
    }

    /// A person's app on a data folder that exists already, at the unlock page.
    pub async fn reopen(&self, person: Person) -> Result<Window> {
        let window = self.open(person).await?;
        window.screen("unlock").await?;
        Ok(window)
    }

    /// A picture for the report, if there is one.
    pub async fn shoot(&mut self, window: &Window, caption: &str) -> Result<()> {
        match &mut self.report {
            Some(report) => report.shoot(window, caption).await,
            None => Ok(()),
        }
    }

    /// The same page wide and narrow, in English and in Urdu; the window is then as it was.
    pub async fn shoot_every_way(&mut self, window: &Window, caption: &str) -> Result<()> {
        if self.report.is_none() {
            return Ok(());
        }
        self.shoot(window, caption).await?;
        window.resize(NARROW).await?;
        self.shoot(window, &format!("{caption}, narrow")).await?;
        self.speak(window, "ur").await?;
        self.shoot(window, &format!("{caption}, narrow, in Urdu")).await?;
        window.resize(WIDE).await?;
        self.shoot(window, &format!("{caption}, in Urdu")).await?;
        self.speak(window, "en").await
    }
}
