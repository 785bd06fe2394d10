//! The engine's real sound path, over a PulseAudio server of the test's own: a loudspeaker that is a null sink,
//! and a microphone that hears another null sink. Skipped, and said so, where there is no PulseAudio.

mod common;
#[path = "../../../tests/src/left_out.rs"]
mod left_out;

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{Pair, config, recordings};
use rabta_call::{DeviceState, Intent, Phase};
use rabta_engine::{EngineConfig, Loudspeaker, MediaSource};

const LONG: Duration = Duration::from_secs(30);
const INNER: &str = "inner_real_devices_carry_a_voice";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server(dir: &Path) -> Option<Server> {
    let socket =
        format!("module-native-protocol-unix auth-anonymous=1 socket={}/sound.socket", dir.display());
    let child = Command::new("pulseaudio")
        .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"])
        .args(["-L", &socket])
        .args(["-L", "module-null-sink sink_name=speaker", "-L", "module-null-sink sink_name=room"])
        .args(["-L", "module-remap-source source_name=mic master=room.monitor"])
        .env("HOME", dir)
        .env("XDG_RUNTIME_DIR", dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    Some(Server(child))
}

#[test]
fn real_devices_carry_a_voice() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_server) = server(dir.path()) else {
        left_out::left_out("no pulseaudio here");
        return;
    };
    // The server is found through the environment, which a process may only set for another.
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", INNER, "--ignored", "--nocapture"])
        .env("PULSE_SERVER", format!("unix:{}/sound.socket", dir.path().display()))
        .env("PULSE_SOCKET", dir.path().join("sound.socket"))
        .status()
        .unwrap();
    assert!(status.success());
}

/// What the room hears: somebody speaks into the room's sink, and the far side of the call hears it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "run by real_devices_carry_a_voice, with its sound server"]
async fn inner_real_devices_carry_a_voice() {
    use gstreamer::prelude::*;
    let socket = std::env::var("PULSE_SOCKET").expect("run by real_devices_carry_a_voice");
    let end = Instant::now() + LONG;
    while !Path::new(&socket).exists() {
        assert!(Instant::now() < end, "the sound server does not come up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let (video, audio) = recordings(dir.path());
    let speaker = gstreamer::parse::launch(
        "audiotestsrc is-live=true wave=red-noise volume=0.8 ! audioconvert ! pulsesink device=room",
    )
    .unwrap();
    speaker.set_state(gstreamer::State::Playing).unwrap();

    let real = EngineConfig {
        microphone: MediaSource::Named("mic".into()),
        loudspeaker: Loudspeaker::Named("speaker".into()),
        camera: MediaSource::Absent,
        ..config(&video, &audio)
    };
    let mut pair = Pair::new(config(&video, &audio), real, vec![]);
    pair.dial();
    pair.until(LONG, "it rings", |p| p.ends[1].session.is_some() && p.view(0).phase == Phase::Ringing).await;
    pair.until(LONG, "the devices are open", |p| {
        let view = p.view(1);
        view.microphone == DeviceState::Working && view.speaker == DeviceState::Working
    })
    .await;
    pair.does(1, Intent::Accept);
    pair.until(LONG, "the microphone is heard on the far side", |p| p.ends[0].loudest > 0.005).await;
    pair.until(LONG, "the far side is heard here", |p| p.ends[1].loudest > 0.05).await;
    eprintln!("callee, real devices: {:?}", pair.view(1).figures);
    pair.does(0, Intent::HangUp);
    pair.until(LONG, "both have ended", |p| p.ends.iter().all(|e| e.finished)).await;
    speaker.set_state(gstreamer::State::Null).unwrap();
}
