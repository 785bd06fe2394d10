//! A clinic without a line: what is unsent goes to the HIE on a stick, and its answer comes back on it
//! ([`rabta_wire::stick`]). The same press at a laptop with a line carries for others.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rabta_ipc::{
    Error, Event,
    sync::{GetSticks, StickDone, StickTaken, StickWritten, UseStick},
};
use rabta_store::{RecordStore, StoreError, Transaction, vault::write_atomically};
use rabta_sync::{
    HieError, Identity,
    stick::{self as carried, StickError},
};
use rabta_wire::stick;
use tokio::sync::mpsc;

use crate::{
    Session,
    backup::sticks,
    routes::routes,
    sync_task::{Clock, hie_key, tell_changes},
};

routes!(Session {
    GetSticks => get_sticks,
    UseStick => use_stick,
});

impl Session {
    async fn get_sticks(&self, _: GetSticks) -> Result<Vec<String>, Error> {
        Ok(sticks().iter().map(|place| place.display().to_string()).collect())
    }

    async fn use_stick(&self, ask: UseStick) -> Result<StickDone, Error> {
        if self.training {
            return Err(Error::new("training"));
        }
        let place = PathBuf::from(ask.place.trim());
        if !place.is_dir() {
            return Err(Error::new("stick-place"));
        }
        let folder = place.join(stick::FOLDER);
        fs::create_dir_all(&folder).map_err(on_stick)?;
        let mut done = StickDone::default();
        self.take_answer(&folder, &mut done).await?;
        self.carry_others(&folder, &mut done).await?;
        self.write_ask(&folder, &mut done).await?;
        Ok(done)
    }

    /// What the HIE said to this laptop goes into the record, and then from the stick.
    async fn take_answer(&self, folder: &Path, done: &mut StickDone) -> Result<(), Error> {
        let device = self.enrollment.enrolled.device;
        let path = folder.join(stick::answer_name(device));
        let Some(file) = read(path.clone()).await? else { return Ok(()) };
        let me = Identity {
            device,
            person: self.person_id,
            device_key: self.vault.device_key().map_err(|_| Error::new("vault-locked"))?,
        };
        let (changes, changed) = mpsc::unbounded_channel();
        let telling = tokio::spawn(tell_changes(self.app.clone(), changed));
        let taken = carried::take_in(
            Arc::new(self.store().clone()),
            me,
            Clock::new(&self.app),
            hie_key(&self.enrollment)?,
            changes,
            &self.shared_secret()?,
            &file,
        )
        .await;
        let _ = telling.await;
        match taken {
            Ok(taken) => {
                if let (Some(lease), Some(grant)) = (&self.lease, &taken.lease) {
                    let before = lease.shut();
                    lease.granted(grant).await?;
                    if lease.shut() != before {
                        self.emit(Event::Locked);
                    }
                }
                let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                done.taken = Some(StickTaken {
                    sent: count(taken.sent),
                    refused: count(taken.refused),
                    changes: count(taken.changes),
                });
                fs::remove_file(&path).map_err(on_stick)?;
                self.sync.wake();
                Ok(())
            }
            Err(error) => {
                let code = match error {
                    StickError::Store(error) => return Err(self.told(error)),
                    StickError::File(_) => "stick-damaged",
                    StickError::Gap => "stick-gap",
                    StickError::Hie(_) => "hie-refused",
                };
                done.problems.push(code.to_owned());
                Ok(())
            }
        }
    }

    /// Brings other laptops' asks to the HIE, if there is a line.
    async fn carry_others(&self, folder: &Path, done: &mut StickDone) -> Result<(), Error> {
        let own = stick::ask_name(self.enrollment.enrolled.device);
        let mut asks: Vec<PathBuf> = fs::read_dir(folder)
            .map_err(on_stick)?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| stick::is_ask(name) && name != own)
            })
            .collect();
        asks.sort();
        let mut line = true;
        for path in asks {
            let Some(file) = read(path.clone()).await? else {
                done.problems.push("stick-damaged".into());
                continue;
            };
            let Ok(device) = stick::asked_by(&file) else {
                done.problems.push("stick-damaged".into());
                continue;
            };
            if !line {
                done.waiting += 1;
                continue;
            }
            match self.sync.client()?.carry(file).await {
                Ok(answer) => {
                    // The ask goes once its answer lies there whole.
                    write(folder.join(stick::answer_name(device)), answer).await?;
                    fs::remove_file(&path).map_err(on_stick)?;
                    done.carried += 1;
                }
                Err(HieError::Refused { code, .. }) if !code.is_empty() => {
                    let known = ["stick-damaged", "stick-unknown", "device-revoked"];
                    let code = known.into_iter().find(|known| *known == code);
                    done.problems.push(code.unwrap_or("hie-refused").into());
                }
                Err(_) => {
                    line = false;
                    done.waiting += 1;
                }
            }
        }
        Ok(())
    }

    /// What is unsent goes on the stick; so does the question what is new, where nothing else asks it.
    async fn write_ask(&self, folder: &Path, done: &mut StickDone) -> Result<(), Error> {
        let told = |e: StoreError| self.told(e);
        let path = folder.join(stick::ask_name(self.enrollment.enrolled.device));
        let mut unsent = self.store().all_unsent().await.map_err(told)?;
        if !unsent.is_empty() && !self.sync.chip().reachable {
            // Who looked at what until now goes along.
            self.seal_whole_trail().await?;
            unsent = self.store().all_unsent().await.map_err(told)?;
        }
        if unsent.is_empty() && self.sync.chip().reachable {
            return match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(on_stick(e)),
                _ => Ok(()),
            };
        }
        let after = self.store().cursor().await.map_err(told)?;
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(|_| Error::detail("unexpected", "no randomness"))?;
        let asked = carried::ask(unsent, after, self.person_id, &self.shared_secret()?, nonce);
        write(path, asked.file).await?;
        let audit = self.audit("export", &format!("Device/{}", self.enrollment.enrolled.device), None);
        self.commit(Transaction::new().audit(audit)).await?;
        // Without records it is only the question what is new.
        done.written = (asked.records > 0).then(|| StickWritten {
            records: u32::try_from(asked.records).unwrap_or(u32::MAX),
            visits: u32::try_from(asked.visits).unwrap_or(u32::MAX),
            more: asked.more,
        });
        Ok(())
    }
}

/// The file, if it is there and not larger than any that belongs there.
async fn read(path: PathBuf) -> Result<Option<Vec<u8>>, Error> {
    let read = move || match fs::metadata(&path) {
        Ok(about) if about.is_file() && about.len() <= stick::MOST as u64 => fs::read(&path).map(Some),
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(None),
    };
    slowly(read).await
}

/// Whole or not at all: a stick is pulled out at any moment.
async fn write(path: PathBuf, bytes: Vec<u8>) -> Result<(), Error> {
    slowly(move || write_atomically(&path, &bytes)).await
}

/// A stick takes its time, and a call goes on meanwhile.
async fn slowly<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other).and_then(|done| done).map_err(on_stick)
}

fn on_stick(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge | io::ErrorKind::QuotaExceeded => {
            Error::new("stick-full")
        }
        kind => Error::detail("stick-place", kind),
    }
}
