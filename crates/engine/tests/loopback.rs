//! Two engines in one process, over loopback.

mod common;

use std::time::Duration;

use common::{Pair, config, recordings};
use rabta_call::{DeviceState, EngineEvent, Input, Intent, LegId, LinkState, Phase, Receipt};
use rabta_engine::{EngineConfig, FrameSource, Loudspeaker, MediaSource};

const LONG: Duration = Duration::from_secs(30);

fn in_call(pair: &Pair) -> bool {
    pair.ends.iter().all(|e| e.session.is_some()) && (0..2).all(|end| pair.view(end).phase == Phase::InCall)
}

fn rings(pair: &Pair) -> bool {
    pair.ends[1].session.is_some() && pair.view(0).phase == Phase::Ringing
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sound_and_picture_cross_in_both_directions_soon_after_the_accept() {
    let dir = tempfile::tempdir().unwrap();
    let (video, audio) = recordings(dir.path());
    let mut pair = Pair::new(config(&video, &audio), config(&video, &audio), vec![]);
    pair.dial();
    pair.until(LONG, "it rings", rings).await;
    pair.until(LONG, "the callee's devices are ready", |p| p.view(1).camera == DeviceState::Working).await;
    assert!(pair.ends[1].seen.is_empty(), "the callee's camera ran before they accepted");
    assert_eq!(pair.far_frames(0) + pair.far_frames(1), 0, "a picture left before the accept");

    pair.does(1, Intent::Accept);
    pair.until(LONG, "both are in the call", in_call).await;
    pair.until(LONG, "two seconds of pictures", |p| p.far_frames(0) >= 30 && p.far_frames(1) >= 30).await;
    pair.until(LONG, "both hear the other", |p| p.ends.iter().all(|e| e.loudest > 0.05)).await;
    for end in &pair.ends {
        let first = end.seen.iter().find(|(source, ..)| matches!(source, FrameSource::Leg(_))).unwrap();
        assert_eq!((first.1, first.2), (true, Some((320, 240))), "a decoder starts with a key frame");
        assert!(end.seen.iter().any(|(source, ..)| *source == FrameSource::Own), "no own picture");
    }
    for end in 0..2 {
        let figures = pair.view(end).figures;
        eprintln!(
            "{}: accept to first audio {:?} ms, to first video {:?} ms, ring to link {:?} ms",
            ["caller", "callee"][end],
            figures.accept_to_first_audio_ms,
            figures.accept_to_first_video_ms,
            figures.ring_to_link_ms
        );
        assert!(figures.accept_to_first_audio_ms.is_some() && figures.accept_to_first_video_ms.is_some());
    }

    // The recordings are three seconds long: they start over, and the pictures go on.
    let before = pair.far_frames(0);
    pair.until(LONG, "pictures after the recording's end", |p| p.far_frames(0) >= before + 75).await;
    // Of one second, in which a busy machine may have done something else.
    pair.until(LONG, "sound and picture as much as they are", |p| {
        let stats = p.view(0).legs[0].stats;
        stats.audio_in_kbps > 5 && stats.video_in_kbps > 20
    })
    .await;

    pair.does(0, Intent::Chat { text: "how is the rash today?".into() });
    pair.does(0, Intent::TakeStill);
    pair.until(LONG, "the line arrives", |p| {
        p.view(0).chat.first().is_some_and(|c| c.receipt == Receipt::Delivered)
    })
    .await;
    pair.until(LONG, "the still arrives", |p| p.ends[1].session.as_ref().unwrap().still(1).is_some()).await;
    let jpeg = pair.ends[1].session.as_ref().unwrap().still(1).unwrap();
    assert_eq!(jpeg[..3], [0xff, 0xd8, 0xff], "a JPEG");
    assert_eq!((pair.view(1).stills[0].width, pair.view(1).stills[0].height), (320, 240));

    pair.does(1, Intent::HangUp);
    pair.until(LONG, "both have ended", |p| p.ends.iter().all(|e| e.finished)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_camera_and_microphone_the_call_goes_on_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (video, audio) = recordings(dir.path());
    let poor = EngineConfig {
        microphone: MediaSource::Absent,
        camera: MediaSource::Absent,
        loudspeaker: Loudspeaker::Named("no such speaker".into()),
        ..config(&video, &audio)
    };
    let mut pair = Pair::new(poor, config(&video, &audio), vec![]);
    pair.dial();
    pair.until(LONG, "it rings", rings).await;
    pair.does(1, Intent::Accept);
    pair.until(LONG, "both are in the call", in_call).await;
    pair.until(LONG, "the poor end sees", |p| p.far_frames(0) >= 20).await;
    pair.until(LONG, "the poor end's decoder hears", |p| p.ends[0].loudest > 0.05).await;
    let view = pair.view(0);
    assert_eq!(
        (view.microphone, view.camera, view.speaker),
        (DeviceState::Absent, DeviceState::Absent, DeviceState::Absent)
    );
    assert!(!pair.view(1).legs[0].camera_on, "the other side is told that there is no picture");
    pair.does(0, Intent::TakeStill);
    pair.does(0, Intent::HangUp);
    pair.until(LONG, "both have ended", |p| p.ends.iter().all(|e| e.finished)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_ice_restart_in_mid_call_finds_the_other_side_again() {
    let dir = tempfile::tempdir().unwrap();
    let (video, audio) = recordings(dir.path());
    let mut pair = Pair::new(config(&video, &audio), config(&video, &audio), vec![]);
    pair.dial();
    pair.until(LONG, "it rings", rings).await;
    pair.does(1, Intent::Accept);
    pair.until(LONG, "both are in the call", in_call).await;
    pair.until(LONG, "pictures", |p| p.far_frames(0) >= 10 && p.far_frames(1) >= 10).await;
    for end in 0..2 {
        let down = EngineEvent::Link { leg: LegId(1), state: LinkState::Down };
        pair.input(end, Input::Engine(down));
    }
    assert!(matches!(pair.view(0).phase, Phase::Waiting { .. }));
    pair.until(LONG, "they found each other", in_call).await;
    let offers = pair.log.iter().filter(|frame| frame.contains("\"type\":\"offer\"")).count();
    assert_eq!(offers, 2, "the first and the restart's");
    let before = (pair.far_frames(0), pair.far_frames(1));
    pair.until(LONG, "pictures again", |p| {
        p.far_frames(0) > before.0 + 20 && p.far_frames(1) > before.1 + 20
    })
    .await;
    pair.does(0, Intent::HangUp);
    pair.until(LONG, "both have ended", |p| p.ends.iter().all(|e| e.finished)).await;
}
