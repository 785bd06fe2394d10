//! Two engines that meet over a relay while it rings.

mod common;

use std::time::Duration;

use common::{Pair, config, recordings};
use rabta_call::{Intent, Phase};
use rabta_relay::{Relay, RelayConfig, RelayHandle, Secret, credentials};
use rabta_wire::signal::IceServer;

const LONG: Duration = Duration::from_secs(30);

/// The bar for a call on loopback, times what a debug build on a busy machine may take longer.
const SLACK: u32 = 3;

/// A call that other work on the machine held up is made again, so often at most.
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connected_while_it_rang_the_accept_brings_sound_and_picture_at_once() {
    let secret = Secret::new(vec![3; 32]);
    let relay = Relay::start(RelayConfig::new("127.0.0.1:0".parse().unwrap(), secret.clone())).await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (username, credential) = credentials(&secret, "test", now, 600);
    let urls = vec![format!("turn:{}?transport=udp", relay.local_addr())];
    let ice_servers = vec![IceServer { urls, username, credential }];

    let dir = tempfile::tempdir().unwrap();
    let (video, audio) = recordings(dir.path());
    let at_once = |(audio, video): &(u32, u32)| *audio < 300 * SLACK && *video < 700 * SLACK;
    for round in 1..=ROUNDS {
        let pair = Pair::new(config(&video, &audio), config(&video, &audio), ice_servers.clone());
        let took = call(pair, &relay).await;
        if took.iter().all(at_once) {
            return;
        }
        assert!(round < ROUNDS, "from the accept to sound and picture, ms: {took:?}");
    }
}

/// A call from the first ring to its end; what each end waited from the accept to sound and to picture, ms.
async fn call(mut pair: Pair, relay: &RelayHandle) -> Vec<(u32, u32)> {
    pair.dial();
    pair.until(LONG, "both are connected while it rings", |p| {
        p.ends.iter().all(|e| e.session.is_some())
            && (0..2).all(|end| p.view(end).figures.ring_to_link_ms.is_some())
    })
    .await;
    assert_eq!(pair.view(1).phase, Phase::Ringing);
    assert!(pair.log.iter().any(|frame| frame.contains("typ relay")));
    assert!(!pair.log.iter().any(|frame| frame.contains("typ host")), "an address left before the accept");
    let before = relay.stats();
    assert!(before.allocations >= 2);

    pair.does(1, Intent::Accept);
    assert_eq!(pair.view(1).phase, Phase::InCall, "there was nothing left to connect");
    pair.until(LONG, "sound and picture on both sides", |p| {
        (0..2).all(|end| {
            let figures = p.view(end).figures;
            figures.accept_to_first_audio_ms.is_some() && figures.accept_to_first_video_ms.is_some()
        })
    })
    .await;
    let mut took = Vec::new();
    for end in 0..2 {
        let figures = pair.view(end).figures;
        let (audio, video) =
            (figures.accept_to_first_audio_ms.unwrap(), figures.accept_to_first_video_ms.unwrap());
        eprintln!(
            "{}: accept to first audio {audio} ms, to first video {video} ms, ring to link {:?} ms",
            ["caller", "callee"][end],
            figures.ring_to_link_ms
        );
        took.push((audio, video));
    }
    pair.until(LONG, "pictures", |p| p.far_frames(0) >= 30 && p.far_frames(1) >= 30).await;
    assert!(relay.stats().bytes_relayed > before.bytes_relayed);
    pair.does(0, Intent::HangUp);
    pair.until(LONG, "both have ended", |p| p.ends.iter().all(|e| e.finished)).await;
    took
}
