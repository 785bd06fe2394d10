//! How long two people wait for each other's voice and picture after the one who is called accepted.

use anyhow::Result;

use crate::{
    clinic::Consultation,
    figure::{Figure, median},
};

const CALLS: usize = 9;

/// Between the two real windows, through the server's signaling and relay, all on this machine. The times are those of
/// the side that accepted: from the press to sound at the loudspeaker and a picture on the canvas.
pub async fn take() -> Result<Vec<Figure>> {
    let mut all = Consultation::open("bench-call").await?;
    let (mut audio, mut video) = (Vec::new(), Vec::new());
    for _ in 0..CALLS {
        // It rings on whatever page they are.
        all.doctor.click("go-today").await?;
        all.doctor.screen("today").await?;
        all.world.ring(&all.doctor, &all.specialist).await?;
        let figures = all.world.accept(&all.doctor, &all.specialist).await?;
        all.world.hang_up(&all.doctor, &all.specialist).await?;
        audio.push(figures.accept_to_first_audio_ms as f64);
        video.push(figures.accept_to_first_video_ms as f64);
    }
    crate::say(&format!("audio {audio:?}, video {video:?}"));
    all.doctor.close().await?;
    all.specialist.close().await?;
    all.world.hie.stop()?;
    Ok(vec![
        Figure::new("accept_to_first_audio", median(audio), "ms", 300.0),
        Figure::new("accept_to_first_video", median(video), "ms", 700.0),
    ])
}
