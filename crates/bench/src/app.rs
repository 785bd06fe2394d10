//! What the app costs a small laptop: time until it can be used and until a prescription is on paper, memory with
//! everything that it starts.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rabta_tests::{
    process,
    story::{By, DOCTOR, NURSE, PASSPHRASE, World, ask_to_take_over, take_over},
    window::{App, Window, by},
};

use crate::{
    clinic::Consultation,
    figure::{Figure, median},
};

/// Even: half of them print in English, half in Urdu.
const STARTS: usize = 6;
/// A bare window is the floor that WebKit sets; the app may add this much, MB.
const OVER_PEER: f64 = 100.0;
/// Memory counts as settled when it has not grown for this long.
const QUIET: Duration = Duration::from_secs(3);
/// A call's memory is the most of this long.
const TALK: Duration = Duration::from_secs(15);

pub async fn take() -> Result<Vec<Figure>> {
    let all = Consultation::open("bench-app").await?;
    let call = call_memory(&all).await?;
    let visit = all.sign_visit().await?;
    let Consultation { mut world, doctor, specialist } = all;
    specialist.close().await?;
    doctor.close().await?;

    let (mut cold, mut unlock, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    let (mut english, mut urdu) = (Vec::new(), Vec::new());
    for start in 0..STARTS {
        let window = world.open_as_it_is(DOCTOR).await?;
        window.screen("unlock").await?;
        window.see("passphrase").await?;
        cold.push(age_ms(window.pid()?)?);
        window.fill("passphrase", PASSPHRASE).await?;
        let pressed = Instant::now();
        window.click("unlock").await?;
        window.screen("today").await?;
        window.see("patients-here").await?;
        unlock.push(ms(pressed.elapsed()));
        idle.push(settled(&window).await?);
        if start % 2 == 0 {
            english.push(prescription(&window, &visit, "en").await?);
        } else {
            urdu.push(prescription(&window, &visit, "ur").await?);
        }
        window.close().await?;
    }
    let switch = switches(&mut world).await?;
    let peer = peer(&world).await?;
    world.hie.stop()?;
    crate::say(&format!(
        "cold {cold:.0?}, unlock {unlock:.0?}, switch {switch:.0?}, idle {idle:.0?}, pdf {english:.0?} {urdu:.0?}"
    ));
    Ok(vec![
        Figure::new("cold_start", median(cold), "ms", 1000.0),
        Figure::new("unlock", median(unlock), "ms", 1000.0),
        Figure::new("pin_switch", median(switch), "ms", 300.0),
        Figure::new("pss_idle", median(idle), "MB", peer + OVER_PEER),
        Figure::new("pss_call", call, "MB", peer + OVER_PEER),
        // The floor itself has no bar of its own.
        Figure::new("peer", peer, "MB", peer),
        Figure::new("pdf", median(english), "ms", 500.0),
        Figure::new("pdf_urdu", median(urdu), "ms", 500.0),
    ])
}

/// From pressing "take over" with the PIN until the next person's Today shows its numbers, ms; two people in turns.
async fn switches(world: &mut World) -> Result<Vec<f64>> {
    let window = world.reopen(DOCTOR).await?;
    window.fill("passphrase", PASSPHRASE).await?;
    window.click("unlock").await?;
    window.screen("today").await?;
    world.colleague_joins(&window).await?;
    take_over(&window, &NURSE, By::Passphrase).await?;
    let mut took = Vec::new();
    for turn in 0..STARTS {
        let next = if turn % 2 == 0 { &DOCTOR } else { &NURSE };
        ask_to_take_over(&window, next, By::Pin).await?;
        let pressed = Instant::now();
        window.click("take-over").await?;
        window.screen("today").await?;
        window.see("patients-here").await?;
        took.push(ms(pressed.elapsed()));
    }
    window.close().await?;
    Ok(took)
}

/// The most that the doctor's app takes during a video call, MB.
async fn call_memory(all: &Consultation) -> Result<f64> {
    all.world.ring(&all.doctor, &all.specialist).await?;
    all.world.accept(&all.doctor, &all.specialist).await?;
    let mut most = 0.0_f64;
    let since = Instant::now();
    while since.elapsed() < TALK {
        most = most.max(memory(&all.doctor)?);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    all.world.hang_up(&all.doctor, &all.specialist).await?;
    Ok(most)
}

/// From pressing Print until the file's name is shown, ms: the first prescription of this process.
async fn prescription(window: &Window, visit: &str, lang: &str) -> Result<f64> {
    window.eval(&format!("location.hash = {visit:?}")).await?;
    window.screen("visit-page").await?;
    window.click("prescription").await?;
    window.see("prescription-panel").await?;
    window.click(&format!("print-lang-{lang}")).await?;
    // The page's own clock: asking the window from outside takes time, too.
    let watch = format!(
        "addEventListener('click', event => {{ \
            if (event.target.closest('{}')) window.benchPressed = performance.now(); \
        }}, true); \
        new MutationObserver((_, observer) => {{ \
            if (!document.querySelector('{}')) return; \
            window.benchShown = performance.now(); observer.disconnect(); \
        }}).observe(document.body, {{ subtree: true, childList: true }})",
        by("print"),
        by("printed-file"),
    );
    window.eval(&watch).await?;
    window.click("print").await?;
    window.see("printed-file").await?;
    let took = window.eval("return window.benchShown - window.benchPressed").await?;
    let took = took.as_f64().context("the page measured it")?;
    ensure!(took > 0.0, "a prescription takes time");
    Ok(took)
}

async fn peer(world: &World) -> Result<f64> {
    let mut app = App::new("peer", world.run.path("peer"));
    app.program = Some(process::built("examples/bare-window")?);
    let window = Window::open(&world.run, app).await?;
    window.eval("return document.readyState").await?;
    let memory = settled(&window).await?;
    window.close().await?;
    Ok(memory)
}

/// Memory once it has stopped growing, MB.
async fn settled(window: &Window) -> Result<f64> {
    let mut highest = memory(window)?;
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let now = memory(window)?;
        // A page that was touched meanwhile is no growth.
        if now > highest + 0.5 {
            highest = now;
            since = Instant::now();
        }
    }
    memory(window)
}

/// The window's process with all that it started, MB.
fn memory(window: &Window) -> Result<f64> {
    Ok(process::pss(&process::tree(window.pid()?)) as f64 / 1e6)
}

/// How long ago a process started, milliseconds, by the kernel's clock.
fn age_ms(pid: u32) -> Result<f64> {
    let started = process::started(pid)?;
    let uptime = std::fs::read_to_string("/proc/uptime").context("reading the uptime")?;
    let now: f64 = uptime.split_whitespace().next().context("an uptime")?.parse()?;
    Ok((now - started) * 1000.0)
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}
