//! What a patient's phone pays and how long it waits, in a real Chromium over TLS: the page's weight up to the waiting
//! room, the time to get there over a thin link, and the time from the press on Join to the doctor's voice. The phone is in
//! one place of the link emulator, the server and the doctor's window in another.

use std::{net::Ipv4Addr, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use rabta_netlab::{Lab, lab, profile};
use rabta_tests::{
    Run,
    phone::{Phone, TestCa},
    story::{AYESHA, WORD, World},
    window::Window,
};

use crate::figure::{self, Figure, median};

/// Phones that never were here, on the thin link; each comes twice.
const PHONES: usize = 3;
const CALLS: usize = 5;
/// Who is called does not press at the moment of the ring: the doctor's camera and microphone are open by then.
const RUNG: Duration = Duration::from_secs(3);
/// What the emulator loses, which is nothing on these links.
const SEED: u64 = 1;
/// The phone's namespace and the server's address, for the part that runs inside the emulator.
const PLACES: &str = "RABTA_BENCH_PLACES";

/// Adds up what came over the wire until the waiting room showed, from the page's own timings (Resource Timing, section 4).
const WATCH: &str = "new MutationObserver(() => { if (document.documentElement.dataset.screen === 'waiting') \
    window.waitingSince ??= performance.now(); }).observe(document.documentElement, { attributes: true }); return true";
const WEIGHT: &str = "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]; \
    return all.filter(e => e.startTime < window.waitingSince).reduce((sum, e) => sum + e.transferSize, 0)";

pub async fn take() -> Result<Vec<Figure>> {
    if let Some(why) = lab::missing() {
        bail!("there is no link emulator on this machine: {why}");
    }
    let (page, call) = (inside("page64", "patient-page").await?, inside("office", "patient-call").await?);
    Ok(page.into_iter().chain(call).collect())
}

/// Runs a part of this bench as a process of the server's place, with the phone's place on this link.
async fn inside(link: &str, part: &str) -> Result<Vec<Figure>> {
    // Beside the server there is nothing between it and the router.
    let lab = Lab::new("pat", SEED, &[("phone", profile(link)?), ("home", profile("direct")?)])?;
    let home = lab.place("home")?;
    let places = format!("{} {}", lab.place("phone")?.namespace(), home.address());
    let mut command = home.command(std::env::current_exe()?);
    command.args([part, "--json"]).env(PLACES, places).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut command = tokio::process::Command::from(command);
    let out = command.kill_on_drop(true).spawn()?.wait_with_output().await?;
    ensure!(out.status.code().is_some(), "{part} was ended by a signal");
    let text = String::from_utf8_lossy(&out.stdout);
    let line =
        text.lines().rev().find(|line| line.starts_with('{')).with_context(|| format!("{part} failed"))?;
    figure::read(&serde_json::from_str(line)?)
}

/// A clinic in the place where this runs, with one patient, whose page for calls at home is open.
struct Home {
    world: World,
    ca: TestCa,
    doctor: Window,
    phones: String,
}

impl Home {
    async fn open(name: &str) -> Result<Self> {
        let places = std::env::var(PLACES).context("this part runs inside of `bench patient` only")?;
        let (phones, host) = places.split_once(' ').context("two places")?;
        let mut world = World::new(Run::kept(name)?)?;
        world.hie.host = host.parse::<Ipv4Addr>()?;
        let ca = world.let_phones_in()?;
        let doctor = world.open_empty_clinic().await?;
        world.register(&doctor, &AYESHA).await?;
        doctor.click("call-at-home").await?;
        doctor.screen("phone").await?;
        Ok(Self { world, ca, doctor, phones: phones.to_owned() })
    }

    /// A phone that never was here: nothing is in its cache.
    async fn phone(&self, n: usize) -> Result<Phone> {
        Phone::open_elsewhere(&self.world.run, &self.ca, &format!("phone{n}"), "en", &self.phones).await
    }

    async fn close(mut self) -> Result<()> {
        self.doctor.close().await?;
        self.world.hie.stop()
    }
}

/// From the tap on the link to the waiting room, with the presses between, milliseconds by the page's own clock
/// (Navigation Timing): a browser that never ran before takes its time to begin, which a phone's does not.
async fn to_the_waiting_room(phone: &Phone, url: &str) -> Result<f64> {
    phone.go(url).await?;
    phone.screen("word").await?;
    phone.eval(WATCH).await?;
    phone.type_into("word", WORD).await?;
    phone.tap("word-go").await?;
    phone.tap("consent-video").await?;
    phone.tap("join").await?;
    phone.screen("waiting").await?;
    let since = phone.eval("return window.waitingSince").await?.as_f64();
    since.context("the waiting room was shown")
}

/// Inside the emulator: the page.
pub async fn page() -> Result<Vec<Figure>> {
    let home = Home::open("bench-patient-page").await?;
    let (mut weight, mut cold, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..PHONES {
        let phone = home.phone(n).await?;
        for (first, times) in [(true, &mut cold), (false, &mut again)] {
            let url = home.world.make_link(&home.doctor, WORD).await?;
            times.push(to_the_waiting_room(&phone, &url).await?);
            if first {
                let bytes = phone.wait("the page's weight", async || Ok(phone.eval(WEIGHT).await?.as_f64()));
                weight.push(bytes.await.context("the waiting room was shown")? / 1000.0);
            }
            home.doctor.click("link-end").await?;
            home.doctor.see("make-link-card").await?;
            phone.screen("over").await?;
        }
        phone.close().await?;
    }
    crate::say(&format!("weight {weight:.1?} kB, cold {cold:.0?} ms, again {again:.0?} ms"));
    home.close().await?;
    Ok(vec![
        Figure::new("kb_to_waiting_room", median(weight), "kB", 120.0),
        Figure::new("waiting_room_cold", median(cold), "ms", 20_000.0),
        Figure::new("waiting_room_again", median(again), "ms", 5_000.0),
    ])
}

/// Inside the emulator: the doctor calls, the patient presses Join.
pub async fn call() -> Result<Vec<Figure>> {
    let home = Home::open("bench-patient-call").await?;
    let mut audio = Vec::new();
    for n in 0..CALLS {
        let url = home.world.make_link(&home.doctor, WORD).await?;
        let phone = home.phone(n).await?;
        phone.go(&url).await?;
        phone.screen("word").await?;
        phone.type_into("word", WORD).await?;
        phone.tap("word-go").await?;
        phone.tap("consent-video").await?;
        phone.see("join").await?;
        home.doctor.click("link-call").await?;
        home.doctor.see("call-words").await?;
        tokio::time::sleep(RUNG).await;
        phone.tap("join").await?;
        phone.screen("call").await?;
        audio.push(phone.figures().await?.accept_to_first_audio_ms as f64);
        home.doctor.click("hang-up").await?;
        home.doctor.see("call-ended").await?;
        home.doctor.click("link-end").await?;
        home.doctor.see("make-link-card").await?;
        phone.close().await?;
    }
    crate::say(&format!("audio {audio:?}"));
    home.close().await?;
    Ok(vec![Figure::new("join_to_first_audio", median(audio), "ms", 1_200.0)])
}
