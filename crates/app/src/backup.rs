//! Backups of the open vault, and another key for it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use rabta_ipc::{
    Error,
    gate::{BackUp, BackupRow, BackupView, ChangeKey, GetBackup, Progress},
};
use rabta_store::{
    RecordStore, Transaction,
    vault::{Backup, BackupError, ChangeKeyError, Doing},
};
use serde::{Deserialize, Serialize};

use crate::{Session, gate::disk, routes::routes};

/// When and where the last backup of this laptop was made.
pub(crate) const LAST: &str = "backup.last";

#[derive(Serialize, Deserialize)]
struct Last {
    at: i64,
    path: String,
}

/// The backup that is being made.
#[derive(Default)]
pub(crate) struct Running(Mutex<Option<rabta_store::vault::Progress>>);

impl Running {
    fn set(&self, progress: Option<rabta_store::vault::Progress>) {
        *self.0.lock().expect("nothing panics while it is held") = progress;
    }

    fn get(&self) -> Option<rabta_store::vault::Progress> {
        *self.0.lock().expect("nothing panics while it is held")
    }

    /// The only one, until the guard goes.
    fn begin(&self) -> Option<Begun<'_>> {
        let mut running = self.0.lock().expect("nothing panics while it is held");
        running.is_none().then(|| {
            *running = Some(rabta_store::vault::Progress::default());
            Begun(self)
        })
    }
}

struct Begun<'a>(&'a Running);

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

routes!(Session {
    GetBackup => get_backup,
    BackUp => back_up,
    ChangeKey => change_key_command,
});

impl Session {
    async fn get_backup(&self, _: GetBackup) -> Result<BackupView, Error> {
        let last = self.store().setting(LAST).await.map_err(|e| self.told(e))?;
        let last: Option<Last> = last.and_then(|text| serde_json::from_slice(&text).ok());
        let running = self.backing.get();
        Ok(BackupView {
            places: sticks().iter().map(|place| place.display().to_string()).collect(),
            doing: match running.map(|progress| progress.doing) {
                Some(Doing::Copying) => "copying".into(),
                Some(Doing::Checking) => "checking".into(),
                None => String::new(),
            },
            progress: running.map_or_else(Progress::default, |p| Progress { done: p.done, of: p.of }),
            last_at: last.as_ref().map(|last| last.at),
            last: last.map(|last| last.path).unwrap_or_default(),
        })
    }

    async fn back_up(&self, ask: BackUp) -> Result<BackupRow, Error> {
        if self.training {
            return Err(Error::new("training"));
        }
        let _begun = self.backing.begin().ok_or_else(|| Error::new("not-allowed"))?;
        let place = PathBuf::from(ask.place.trim());
        // What was done so far is signed for in the copy, too: on another laptop nobody else could send it.
        self.seal_whole_trail().await?;
        let now = self.now();
        let name = format!(
            "{}-{:02}{:02}{:02}",
            now.date(),
            now.time().hour(),
            now.time().minute(),
            now.time().second()
        );
        let tell = |progress| self.backing.set(Some(progress));
        let made = self.vault.back_up(&place, &name, self.millis(), &tell).await.map_err(backup_error)?;
        let path = made.dir.display().to_string();
        let last = serde_json::to_vec(&Last { at: made.made_at, path }).expect("a number and text");
        let audit = self.audit("export", &format!("Device/{}", self.enrollment.enrolled.device), None);
        self.commit(Transaction::new().set(LAST, last).audit(audit)).await?;
        tracing::info!(bytes = made.bytes, "a backup was made and read back");
        Ok(row(made))
    }

    async fn change_key_command(&self, _: ChangeKey) -> Result<(), Error> {
        if self.training {
            return Err(Error::new("training"));
        }
        self.change_key().await
    }

    /// Encrypts the vault under a new key, and says so in the trail.
    pub(crate) async fn change_key(&self) -> Result<(), Error> {
        self.vault.change_key().await.map_err(|error| match error {
            ChangeKeyError::Locked => Error::new("vault-locked"),
            ChangeKeyError::Files(error) => disk(error),
            ChangeKeyError::Store(error) => crate::error::store(error),
            error @ (ChangeKeyError::Damaged(_) | ChangeKeyError::NotReadBack(_)) => {
                tracing::error!(%error, "the vault keeps its key");
                Error::detail("unexpected", error)
            }
        })?;
        let audit = self.audit("update", &format!("Device/{}", self.enrollment.enrolled.device), None);
        self.commit(Transaction::new().audit(audit)).await.map(drop)
    }
}

pub(crate) fn row(backup: Backup) -> BackupRow {
    BackupRow {
        path: backup.dir.display().to_string(),
        made_at: backup.made_at,
        bytes: backup.bytes,
        persons: backup.persons.into_iter().map(|person| person.name).collect(),
    }
}

pub(crate) fn backup_error(error: BackupError) -> Error {
    match error {
        BackupError::None => Error::new("backup-none"),
        BackupError::Newer(format) => Error::detail("backup-newer", format),
        BackupError::Damaged(what) => Error::detail("backup-damaged", what),
        BackupError::NotReadBack(error) => Error::detail("backup-not-read-back", error),
        BackupError::Locked => Error::new("vault-locked"),
        BackupError::Files(error) => match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge | io::ErrorKind::QuotaExceeded => {
                Error::new("backup-full")
            }
            kind => Error::detail("backup-place", kind),
        },
        BackupError::Store(rabta_store::StoreError::DiskFull) => Error::new("backup-full"),
        // The copy is written by the database: what it cannot open is the place's fault.
        BackupError::Store(rabta_store::StoreError::DiskFailed(code)) => Error::detail("backup-place", code),
        BackupError::Store(error) => crate::error::store(error),
    }
}

/// Where removable disks appear, on each system.
pub(crate) fn sticks() -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let mut found = Vec::new();
    if cfg!(target_os = "linux") {
        let user = std::env::var("USER").unwrap_or_default();
        for root in ["/run/media", "/media"] {
            if !user.is_empty() {
                found.extend(inside(&Path::new(root).join(&user)));
            }
        }
    } else if cfg!(target_os = "macos") {
        found.extend(inside(Path::new("/Volumes")));
    } else {
        let letters = ('D'..='Z').map(|letter| PathBuf::from(format!("{letter}:\\")));
        found.extend(letters.filter(|drive| drive.is_dir()));
    }
    found.sort();
    found
}
