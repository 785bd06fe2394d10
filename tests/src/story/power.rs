//! The power goes while somebody types.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{AYESHA, DOCTOR, World};
use crate::window::Window;

/// What may be lost.
const MAY_BE_LOST: Duration = Duration::from_millis(500);

/// A patient's new visit, open in the doctor's window.
pub async fn begin_visit(world: &mut World, window: &Window) -> Result<()> {
    world.register(window, &AYESHA).await?;
    window.click("start-visit").await?;
    window.screen("visit").await?;
    window.settled().await?;
    world.is_saved(window).await
}

/// The same visit after the app was started again.
pub async fn find_visit_again(world: &mut World) -> Result<Window> {
    let window = world.reopen(DOCTOR).await?;
    world.unlock(&window).await?;
    window.click("draft-row").await?;
    window.screen("visit").await?;
    window.settled().await?;
    Ok(window)
}

impl World {
    /// The power goes while a doctor types, twice: at most half a second of it is lost.
    pub async fn power_cut(&mut self) -> Result<()> {
        let window = self.open_empty_clinic().await?;
        begin_visit(self, &window).await?;
        let first = "Fever since Friday, with shivering at night. ";
        window.type_into("history", first).await?;
        let rested = Instant::now();
        while rested.elapsed() < MAY_BE_LOST {
            ensure!(window.screen_name().await? == "visit");
        }
        window.kill()?;
        let window = find_visit_again(self).await?;
        ensure!(window.value("history").await? == first, "the keys had rested for 500 ms");

        // Now in the middle of typing that never rests.
        let mut pieces: Vec<(String, Instant)> = Vec::new();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(4) {
            let piece = format!("word{} ", pieces.len());
            window.type_into("history", &piece).await?;
            pieces.push((piece, Instant::now()));
        }
        window.kill()?;
        let killed = Instant::now();
        let window = find_visit_again(self).await?;
        let kept = window.value("history").await?;
        let whole = pieces.iter().fold(first.to_owned(), |text, (piece, _)| text + piece);
        ensure!(whole.starts_with(&kept), "what is there is what was typed, in order: {kept:?}");
        let safe = pieces.iter().filter(|(_, at)| killed.duration_since(*at) > MAY_BE_LOST);
        let safe = safe.fold(first.to_owned(), |text, (piece, _)| text + piece);
        let rests = pieces.windows(2).map(|pair| pair[1].1.duration_since(pair[0].1)).max();
        ensure!(
            kept.len() >= safe.len(),
            "typed more than 500 ms before, yet lost: {:?} (longest rest between keys: {rests:?})",
            &safe[kept.len()..]
        );
        window.close().await
    }
}
