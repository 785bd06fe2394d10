//! Which microphone, camera and loudspeaker a call uses.

use std::{env, path::PathBuf, time::Instant};

use rabta_engine::{EngineConfig, Loudspeaker, MediaSource};

/// Microphone, camera and loudspeaker of this program's calls.
#[derive(Debug, Clone, Default)]
pub struct MediaConfig {
    pub microphone: MediaSource,
    pub camera: MediaSource,
    pub loudspeaker: Loudspeaker,
    /// Also bind loopback: two programs on one machine.
    pub loopback: bool,
}

impl MediaConfig {
    /// No device at all, on one machine: for app cores without a person at them.
    pub fn none() -> Self {
        Self {
            microphone: MediaSource::Absent,
            camera: MediaSource::Absent,
            loudspeaker: Loudspeaker::Silent,
            loopback: true,
        }
    }

    /// From `RABTA_CAMERA`, `RABTA_MICROPHONE` (a recorded file instead of the device, or `none`), `RABTA_SPEAKER`
    /// (`none` plays into nothing, in time) and `RABTA_LOOPBACK` (set: calls on one machine).
    pub fn from_env() -> Self {
        Self {
            microphone: source("RABTA_MICROPHONE"),
            camera: source("RABTA_CAMERA"),
            loudspeaker: match env::var("RABTA_SPEAKER").ok().as_deref() {
                None | Some("") => Loudspeaker::Device,
                Some("none") => Loudspeaker::Silent,
                Some(name) => Loudspeaker::Named(name.to_owned()),
            },
            loopback: env::var_os("RABTA_LOOPBACK").is_some(),
        }
    }

    /// `epoch` is the zero of the clock in which the engine tells its times.
    pub(crate) fn engine(&self, epoch: Instant) -> EngineConfig {
        let config = EngineConfig {
            microphone: self.microphone.clone(),
            camera: self.camera.clone(),
            loudspeaker: self.loudspeaker.clone(),
            epoch,
            ..EngineConfig::default()
        };
        if self.loopback { config.with_loopback() } else { config }
    }
}

fn source(name: &str) -> MediaSource {
    match env::var_os(name) {
        None => MediaSource::Device,
        Some(said) if said.is_empty() => MediaSource::Device,
        Some(said) if said == "none" => MediaSource::Absent,
        Some(said) => {
            let path = PathBuf::from(&said);
            // A camera is a path, too, but not a recording.
            if path.is_file() {
                MediaSource::File(path)
            } else {
                MediaSource::Named(said.to_string_lossy().into_owned())
            }
        }
    }
}
