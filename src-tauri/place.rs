//! Where this program keeps its things, and which camera and microphone it uses. The environment can say otherwise:
//!
//! - `RABTA_DATA`: the data folder
//! - `RABTA_DOCUMENTS`: where prescriptions are written
//! - `RABTA_CAMERA`, `RABTA_MICROPHONE`: a recorded file instead of the device, or `none`
//! - `RABTA_SPEAKER`: `none` plays into nothing, in time
//! - `RABTA_IDLE_LOCK`: seconds until the screen locks

use std::{env, io, path::PathBuf, sync::Arc};

use rabta_app::{Config, MediaConfig, SystemClock};

/// Pakistan has one time zone and no daylight saving: UTC+5. The country package will say it for others.
const OFFSET_MINUTES: i16 = 5 * 60;

pub(crate) fn config(identifier: &str) -> io::Result<Config> {
    let folder = match env::var_os("RABTA_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => home_data()?.join(identifier),
    };
    let documents =
        env::var_os("RABTA_DOCUMENTS").map_or_else(|| folder.join("prescriptions"), PathBuf::from);
    let idle_lock_seconds = env::var("RABTA_IDLE_LOCK").ok().and_then(|s| s.parse().ok()).unwrap_or(300);
    Ok(Config {
        folder,
        documents,
        media: MediaConfig::from_env(),
        clock: Arc::new(SystemClock { offset_minutes: OFFSET_MINUTES }),
        idle_lock_seconds,
    })
}

/// The system's folder for an app's own data.
fn home_data() -> io::Result<PathBuf> {
    let from = |name: &str| env::var_os(name).map(PathBuf::from);
    let folder = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        from("XDG_DATA_HOME").or_else(|| from("HOME").map(|home| home.join(".local/share")))
    };
    folder
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "neither RABTA_DATA nor a home folder is set"))
}
