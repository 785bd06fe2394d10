//! Where this program keeps its things, and which camera and microphone it uses. The environment can say otherwise:
//!
//! - `RABTA_DATA`: the data folder
//! - `RABTA_DOCUMENTS`: where prescriptions are written
//! - `RABTA_CAMERA`, `RABTA_MICROPHONE`: a recorded file instead of the device, or `none`
//! - `RABTA_SPEAKER`: `none` plays into nothing, in time
//! - `RABTA_IDLE_LOCK`: seconds until the screen locks
//! - `APPIMAGE`: which file was started, as an AppImage's runtime says; updates replace it

use std::{env, io, path::PathBuf, sync::Arc};

use rabta_app::{Config, Installed, MediaConfig, SystemClock, Updates};

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
        updates: Updates::new(update_key(), installed()),
    })
}

/// The key of those who release Rabta, minisign's public key in base64, is built in: `RABTA_UPDATE_KEY` at the build. A build without it takes no
/// updates. A debug build can be told one when it starts.
fn update_key() -> Option<String> {
    let told = cfg!(debug_assertions).then(|| env::var("RABTA_UPDATE_KEY").ok()).flatten();
    told.or_else(|| option_env!("RABTA_UPDATE_KEY").map(str::to_owned)).filter(|key| !key.is_empty())
}

/// An AppImage's runtime says which file was started; a package's programs lie in `/usr/bin`.
fn installed() -> Installed {
    if let Some(file) = env::var_os("APPIMAGE") {
        return Installed::AppImage(PathBuf::from(file));
    }
    let own = env::current_exe().unwrap_or_default();
    if cfg!(target_os = "linux") && own.parent().is_some_and(|folder| folder == "/usr/bin") {
        return Installed::Package;
    }
    Installed::Elsewhere
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
