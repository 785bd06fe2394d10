//! The app core: everything that the shell does, without a window.
//!
//! [`App::handle`] takes a command of `rabta_ipc` as name and JSON and answers it; what changes unasked goes out as
//! [`rabta_ipc::Event`]s. The Tauri shell only forwards, so a test or a benchmark drives the same code headless.
//!
//! The core never shows anything, never names Tauri, and logs opaque ids only.

mod audit;
mod backup;
mod cards;
mod chart;
mod clock;
mod country;
mod details;
mod emergency;
mod error;
mod favorites;
mod photos;
mod routes;
mod settings;
mod stick;

mod after;
pub mod asks;
pub mod calls;
mod gate;
mod hand_over;
mod keychain;
mod lease;
mod links;
mod mend;
mod nearby;
mod notices;
mod outbox;
mod papers;
mod patients;
mod people;
mod prints;
mod restore;
mod session;
mod sync_task;
mod sync_view;
mod today;
mod traffic;
mod training;
mod updates;
mod visits;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

pub use calls::{FrameReceiver, MediaConfig};
pub use clock::{Clock, SystemClock};
pub use country::Country;
use rabta_ipc::{Error, Event};
use rabta_store::vault::{FolderLock, InUse};
use serde_json::Value;
pub use session::Session;
use tokio::sync::{RwLock, broadcast};
pub use updates::{Installed, Updates};

use crate::settings::Settings;

/// Where an app keeps its things, and where its senses come from.
pub struct Config {
    /// The data folder: vault and settings.
    pub folder: PathBuf,
    /// Where prescriptions are written for printing.
    pub documents: PathBuf,
    pub media: MediaConfig,
    pub clock: Arc<dyn Clock>,
    /// Seconds without anybody at the keyboard until the screen locks.
    pub idle_lock_seconds: u64,
    pub updates: Updates,
}

/// The app core. Cheap to clone: a handle.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) country: Country,
    pub(crate) settings: std::sync::Mutex<Settings>,
    pub(crate) gate: RwLock<gate::Gate>,
    pub(crate) wait: gate::Wait,
    /// No second program works in this folder while this one does.
    _folder: Option<FolderLock>,
    pub(crate) events: broadcast::Sender<Event>,
    disk_full: AtomicBool,
}

impl Inner {
    /// The last write found no room. Every page is told each time: one that was loaded since does not know.
    pub(crate) fn disk_is_full(&self) {
        self.disk_full.store(true, Ordering::Relaxed);
        let _ = self.events.send(Event::DiskFull);
    }

    /// The last write found room.
    pub(crate) fn disk_has_room(&self) {
        if self.disk_full.swap(false, Ordering::Relaxed) {
            let _ = self.events.send(Event::DiskRoom);
        }
    }
}

/// How long a program that was ended hard may take to let go of the folder: its last write has to reach the disk.
const LETS_GO_WITHIN: Duration = Duration::from_secs(3);

fn take_folder(folder: &Path) -> Result<FolderLock, InUse> {
    let began = Instant::now();
    loop {
        match FolderLock::take(folder) {
            Err(InUse::Taken) if began.elapsed() < LETS_GO_WITHIN => {
                std::thread::sleep(Duration::from_millis(50));
            }
            taken => return taken,
        }
    }
}

impl App {
    /// Opens nothing yet: the vault stays locked until somebody unlocks it.
    pub fn new(config: Config) -> Self {
        let settings = Settings::load(&config.folder);
        let folder = take_folder(&config.folder);
        let gate = match &folder {
            Err(InUse::Taken) => gate::Gate::Broken("vault-in-use"),
            Ok(_) | Err(InUse::Folder(_)) => gate::Gate::inspect(&config.folder),
        };
        Self(Arc::new(Inner {
            country: Country::pakistan(),
            settings: std::sync::Mutex::new(settings),
            gate: RwLock::new(gate),
            wait: gate::Wait::default(),
            _folder: folder.ok(),
            events: broadcast::channel(256).0,
            disk_full: AtomicBool::new(false),
            config,
        }))
    }

    /// What changes unasked, from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Answers one command of the window.
    pub async fn handle(&self, name: &str, body: Value) -> Result<Value, Error> {
        let answer = self.route(name, body).await;
        if let Err(error) = &answer {
            // A failure is logged once, here. The code says it all; details may come from outside.
            tracing::info!(command = name, code = error.code, "refused");
        }
        answer
    }

    async fn route(&self, name: &str, body: Value) -> Result<Value, Error> {
        for answer in [
            Box::pin(gate::route(self, name, &body)).await,
            Box::pin(people::route(self, name, &body)).await,
            Box::pin(lease::route(self, name, &body)).await,
            Box::pin(restore::route(self, name, &body)).await,
            Box::pin(training::route(self, name, &body)).await,
        ] {
            if let Some(answer) = answer {
                return answer;
            }
        }
        let session = self.0.gate.read().await.session_for(name)?;
        for answer in [
            Box::pin(patients::route(&session, name, &body)).await,
            Box::pin(details::route(&session, name, &body)).await,
            Box::pin(visits::route(&session, name, &body)).await,
            Box::pin(asks::route(&session, name, &body)).await,
            Box::pin(calls::route(&session, name, &body)).await,
            Box::pin(links::route(&session, name, &body)).await,
            Box::pin(after::route(&session, name, &body)).await,
            Box::pin(emergency::route(&session, name, &body)).await,
            Box::pin(hand_over::route(&session, name, &body)).await,
            Box::pin(nearby::route(&session, name, &body)).await,
            Box::pin(stick::route(&session, name, &body)).await,
            Box::pin(backup::route(&session, name, &body)).await,
            Box::pin(sync_view::route(&session, name, &body)).await,
            Box::pin(mend::route(&session, name, &body)).await,
            Box::pin(updates::route(&session, name, &body)).await,
        ] {
            if let Some(answer) = answer {
                return answer;
            }
        }
        Err(Error::detail("unexpected", format!("no command {name}")))
    }

    /// The open session, or why there is none.
    pub async fn session(&self) -> Result<Arc<Session>, Error> {
        self.0.gate.read().await.session()
    }

    /// The running call's video, for the window's decoder. The newest caller gets the frames.
    pub async fn frames(&self) -> Result<FrameReceiver, Error> {
        Ok(self.session().await?.calls.frames())
    }

    /// Ends everything in order: the call, the sync, the vault.
    pub async fn close(&self) {
        self.lock_vault().await;
    }
}
