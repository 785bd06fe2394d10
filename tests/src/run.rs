//! One run's folder: data of the programs, their logs, screenshots.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::disk;

/// A folder for one run. It stays until the next one of that name, so that somebody can look.
pub struct Run {
    folder: PathBuf,
}

impl Run {
    /// A folder for a test, named after it.
    pub fn of_test(name: &str) -> Result<Self> {
        Self::fresh(&base().join("tests").join(name))
    }

    /// A folder for a program that is not a test.
    pub fn kept(name: &str) -> Result<Self> {
        Self::fresh(&base().join(name))
    }

    fn fresh(folder: &Path) -> Result<Self> {
        if folder.exists() {
            disk::unmount_below(folder);
            fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file or folder of this run.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The log that a program of this run writes.
    pub fn log(&self, program: &str) -> PathBuf {
        self.folder.join(format!("{program}.log"))
    }

    /// All logs of this run.
    pub fn logs(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "log")).collect()
    }
}

/// `RABTA_RUN`, which xtask sets; else a folder of the system's temporary one.
fn base() -> PathBuf {
    std::env::var_os("RABTA_RUN").map_or_else(|| std::env::temp_dir().join("rabta-run"), PathBuf::from)
}

/// Windows are opened by one test at a time: they share two cores, and times matter.
static WINDOWS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Waits for the other tests' windows to be gone.
pub async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    WINDOWS.lock().await
}

/// The checkout, for its sample data, media and sources.
pub fn checkout() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}
