//! What the server costs while nobody asks it anything, and while patients wait.

use std::time::{Duration, Instant};

use anyhow::Result;
use rabta_tests::{Run, process, story::World};

use crate::{figure::Figure, waiting};

/// Memory is read until it has not grown for this long.
const QUIET: Duration = Duration::from_secs(5);

/// The sample clinic is loaded, then the server is started anew: what a clinic's server holds overnight.
pub async fn take() -> Result<Vec<Figure>> {
    let mut world = World::new(Run::kept("bench-hie")?)?;
    world.found_clinic().await?;
    world.hie.stop()?;
    world.hie.start().await?;
    let idle = settled(world.hie.pid()?).await?;
    world.hie.stop()?;
    Ok(vec![Figure::new("idle_rss", idle as f64 / 1e6, "MB", 60.0), waiting::take().await?])
}

/// A process's memory, bytes, when it has not grown for [`QUIET`].
pub async fn settled(pid: u32) -> Result<u64> {
    let mut highest = process::rss(pid)?;
    let mut since = Instant::now();
    while since.elapsed() < QUIET {
        let now = process::rss(pid)?;
        if now > highest {
            highest = now;
            since = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(highest)
}
