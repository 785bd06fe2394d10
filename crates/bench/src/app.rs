//! What the app costs a small laptop: time until it can be used, memory with everything that it starts.

use std::time::Instant;

use anyhow::{Context, Result};
use rabta_tests::{
    Run, process,
    story::{DOCTOR, PASSPHRASE, World},
    window::{App, Window},
};

use crate::figure::{Figure, median};

const STARTS: usize = 5;
/// A bare window is the floor that WebKit sets; the app may add this much, MB.
const OVER_PEER: f64 = 100.0;

pub async fn take() -> Result<Vec<Figure>> {
    let mut world = World::new(Run::kept("bench-app")?)?;
    world.open_empty_clinic().await?.close().await?;

    let (mut cold, mut unlock) = (Vec::new(), Vec::new());
    let mut idle = 0.0;
    for _ in 0..STARTS {
        let window = world.open_as_it_is(DOCTOR).await?;
        window.screen("unlock").await?;
        window.see("passphrase").await?;
        cold.push(age_ms(window.pid()?)?);
        window.fill("passphrase", PASSPHRASE).await?;
        let pressed = Instant::now();
        window.click("unlock").await?;
        window.screen("today").await?;
        window.see("patients-here").await?;
        unlock.push(pressed.elapsed().as_secs_f64() * 1000.0);
        idle = memory(&window)?;
        window.close().await?;
    }
    let peer = peer(&world).await?;
    world.hie.stop()?;
    Ok(vec![
        Figure::new("cold_start", median(cold), "ms", 1000.0),
        Figure::new("unlock", median(unlock), "ms", 1000.0),
        Figure::new("pss_idle", idle, "MB", peer + OVER_PEER),
        // The floor itself has no bar of its own.
        Figure::new("peer", peer, "MB", peer),
    ])
}

async fn peer(world: &World) -> Result<f64> {
    let mut app = App::new("peer", world.run.path("peer"));
    app.program = Some(process::built("examples/bare-window")?);
    let window = Window::open(&world.run, app).await?;
    window.eval("return document.readyState").await?;
    let memory = memory(&window)?;
    window.close().await?;
    Ok(memory)
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
