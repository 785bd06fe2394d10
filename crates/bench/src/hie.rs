//! What the server costs while nobody asks it anything, while patients wait, what it adds to a read to know that it may
//! be read, and how much it takes and gives beside a peer.

use std::time::{Duration, Instant};

use anyhow::Result;
use rabta_tests::{Run, process, story::World};

use crate::{figure::Figure, load, waiting};

/// Memory is read until it has not grown for this long.
const QUIET: Duration = Duration::from_secs(5);

/// The sample clinic is loaded, then the server is started anew: what a clinic's server holds overnight.
pub async fn take(peer: Option<&str>) -> Result<Vec<Figure>> {
    let mut world = World::new(Run::kept("bench-hie")?)?;
    world.found_clinic().await?;
    world.hie.stop()?;
    world.hie.start().await?;
    let idle = settled(world.hie.pid()?).await?;
    world.hie.stop()?;
    let mut figures = vec![
        Figure::new("idle_rss", idle as f64 / 1e6, "MB", 60.0),
        waiting::take().await?,
        authz_overhead().await?,
    ];
    figures.extend(load::take(peer).await?);
    Ok(figures)
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

/// The worst of three ways to stand to a patient.
async fn authz_overhead() -> Result<Figure> {
    let run = Run::kept("bench-hie-authz")?;
    let compared = rabta_hie::measure::authorisation(run.folder()).await?;
    for c in &compared {
        let (plain, authorised) = (c.plain.as_secs_f64() * 1e6, c.authorised.as_secs_f64() * 1e6);
        crate::say(&format!(
            "{}: {plain:.1} us, authorised {authorised:.1} us, {:+.1} %",
            c.relation,
            c.percent()
        ));
    }
    let worst = compared.iter().map(rabta_hie::measure::Compared::percent).fold(f64::MIN, f64::max);
    Ok(Figure::new("authz_overhead", worst.max(0.0), "%", 10.0))
}
