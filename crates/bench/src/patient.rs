//! What a patient's phone pays and how long it waits: the page's weight up to the waiting room, and the time from the press
//! on Join to the doctor's voice. In a real Chromium, over TLS, all on this machine: no slow link is between them yet.

use anyhow::{Context, Result};
use rabta_tests::{
    phone::Phone,
    story::{AYESHA, WORD, World},
};

use crate::figure::{Figure, median};

const CALLS: usize = 5;

/// Adds up what came over the wire until the waiting room showed, from the page's own timings (Resource Timing, section 4).
const WATCH: &str = "new MutationObserver(() => { if (document.documentElement.dataset.screen === 'waiting') \
    window.waitingSince ??= performance.now(); }).observe(document.documentElement, { attributes: true }); return true";
const WEIGHT: &str = "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]; \
    return all.filter(e => e.startTime < window.waitingSince).reduce((sum, e) => sum + e.transferSize, 0)";

pub async fn take() -> Result<Vec<Figure>> {
    let mut world = World::of_test("bench-patient").await?;
    let ca = world.let_phones_in()?;
    let doctor = world.open_empty_clinic().await?;
    world.register(&doctor, &AYESHA).await?;
    doctor.click("call-at-home").await?;
    doctor.screen("phone").await?;
    let (mut weight, mut audio) = (Vec::new(), Vec::new());
    for n in 0..CALLS {
        let url = world.make_link(&doctor, WORD).await?;
        // A phone that never was here: nothing is in its cache.
        let phone = Phone::open(&world.run, &ca, &format!("phone{n}"), "en").await?;
        phone.go(&url).await?;
        phone.screen("word").await?;
        phone.eval(WATCH).await?;
        phone.type_into("word", WORD).await?;
        phone.tap("word-go").await?;
        phone.tap("consent-video").await?;
        phone.see("join").await?;
        doctor.click("link-call").await?;
        doctor.see("call-words").await?;
        phone.tap("join").await?;
        phone.screen("call").await?;
        audio.push(phone.figures().await?.accept_to_first_audio_ms as f64);
        let bytes = phone.wait("the page's weight", async || Ok(phone.eval(WEIGHT).await?.as_f64())).await;
        weight.push(bytes.context("the waiting room was shown")? / 1000.0);
        doctor.click("hang-up").await?;
        doctor.see("call-ended").await?;
        doctor.click("link-end").await?;
        doctor.see("make-link-card").await?;
        phone.close().await?;
    }
    crate::say(&format!("weight {weight:.1?}, audio {audio:?}"));
    doctor.close().await?;
    world.hie.stop()?;
    Ok(vec![
        Figure::new("kb_to_waiting_room", median(weight), "kB", 120.0),
        Figure::new("join_to_first_audio", median(audio), "ms", 1_200.0),
    ])
}
