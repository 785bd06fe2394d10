//! Whether there is room to write.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Room for a push and what it makes of the database.
const PROBE: usize = 4_000_000;

/// The disk of the data folder. A write that found it full is remembered until a probe finds room.
#[derive(Clone)]
pub struct Disk(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    full: AtomicBool,
}

impl Disk {
    pub fn new(folder: &Path) -> Self {
        Self(Arc::new(Inner { folder: folder.to_owned(), full: AtomicBool::new(false) }))
    }

    /// A write found no room.
    pub fn is_full(&self) {
        self.0.full.store(true, Ordering::Relaxed);
    }

    /// Whether a write would find room now. Costs nothing while none has failed.
    pub async fn has_room(&self) -> bool {
        if !self.0.full.load(Ordering::Relaxed) {
            return true;
        }
        let disk = self.clone();
        let room = tokio::task::spawn_blocking(move || probe(&disk.0.folder)).await.unwrap_or(false);
        if room {
            self.0.full.store(false, Ordering::Relaxed);
            tracing::info!("the disk has room again");
        }
        room
    }
}

/// Writes a file and takes it away again.
fn probe(folder: &Path) -> bool {
    let path = folder.join("room.probe");
    let wrote = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![0x5a; PROBE])?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&path);
    wrote.is_ok() && removed.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_remembered_until_there_is_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = Disk::new(&folder.path().join("not-there"));
        assert!(gone.has_room().await, "no write has failed");
        gone.is_full();
        assert!(!gone.has_room().await && !gone.has_room().await);
        let disk = Disk::new(folder.path());
        disk.is_full();
        assert!(disk.has_room().await);
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0, "the probe is gone");
    }
}
