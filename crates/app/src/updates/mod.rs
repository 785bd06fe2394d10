//! A new version of the program. The HIE offers it, minisign says whose it is, the person decides: nothing is looked for, fetched or put in place
//! unasked, and nothing of it happens during a call.
//!
//! What is fetched lies in the data folder's `updates/`: the signed list, and the package as `NAME.part` until its hash is right. Nothing there is
//! trusted: list and package are checked again whenever they are used.

mod fetch;
mod release;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rabta_ipc::{
    Error, Event,
    gate::Lang,
    update::{
        ApplyUpdate, CheckUpdate, FetchUpdate, GetUpdate, PauseUpdate, UpdateState, UpdateView, UpdateWay,
    },
};
use rabta_wire::update::Package;
use semver::Version;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use self::release::Offer;
use crate::{Session, routes::routes};

/// Behind the name of a package that is not all there.
const PART: &str = ".part";

routes!(Session {
    GetUpdate => get_update,
    CheckUpdate => check_update,
    FetchUpdate => fetch_update,
    PauseUpdate => pause_update,
    ApplyUpdate => apply_update,
});

/// How this program was installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Installed {
    /// Built from source, or in a way that is not known.
    #[default]
    Elsewhere,
    /// An AppImage: this file.
    AppImage(PathBuf),
    /// By the system's package manager.
    Package,
}

/// Which updates this program takes.
#[derive(Debug, Clone)]
pub struct Updates {
    /// The minisign public key of those who release Rabta, base64; without one there are no updates.
    pub key: Option<String>,
    pub installed: Installed,
    /// The version that runs.
    pub current: Version,
}

impl Updates {
    /// None at all.
    pub fn off() -> Self {
        Self::new(None, Installed::Elsewhere)
    }

    pub fn new(key: Option<String>, installed: Installed) -> Self {
        let current = Version::parse(env!("CARGO_PKG_VERSION")).expect("cargo takes no other version");
        Self { key, installed, current }
    }

    fn way(&self) -> UpdateWay {
        match (&self.key, &self.installed) {
            (None, _) | (_, Installed::Elsewhere) => UpdateWay::Off,
            (_, Installed::AppImage(_)) => UpdateWay::Own,
            (_, Installed::Package) => UpdateWay::Package,
        }
    }
}

/// What is known and fetched, shared with the task that fetches.
pub(crate) struct Shared {
    folder: PathBuf,
    now: Mutex<Now>,
    events: broadcast::Sender<Event>,
}

#[derive(Default)]
struct Now {
    offer: Option<Offer>,
    state: UpdateState,
    done: u64,
    problem: String,
    /// Of the task that fetches.
    stop: Option<CancellationToken>,
}

impl Shared {
    /// From what an earlier run left.
    pub(crate) fn open(updates: &Updates, data: &Path, events: broadcast::Sender<Event>) -> Arc<Self> {
        let folder = data.join("updates");
        let mut now = Now::default();
        if updates.way() != UpdateWay::Off {
            now.offer = release::kept(updates, &folder);
            if now.offer.is_none()
                && let Err(error) = release::forget(&folder, None)
            {
                tracing::debug!(%error, "an old update is still there");
            }
        }
        let shared = Self { folder, now: Mutex::new(now), events };
        shared.look();
        Arc::new(shared)
    }

    /// Sees how much of the offered package is here.
    fn look(&self) {
        let mut now = self.lock();
        let length = |path: PathBuf| std::fs::metadata(path).map(|m| m.len()).ok();
        let (state, done) = match now.offer.as_ref().map(|offer| &offer.package) {
            None => (UpdateState::Nothing, 0),
            Some(package) if length(self.whole(package)) == Some(package.size) => {
                (UpdateState::Ready, package.size)
            }
            Some(package) => {
                (UpdateState::Offered, length(self.part(package)).unwrap_or(0).min(package.size))
            }
        };
        (now.state, now.done) = (state, done);
    }

    fn part(&self, package: &Package) -> PathBuf {
        self.folder.join(format!("{}{PART}", package.file))
    }

    fn whole(&self, package: &Package) -> PathBuf {
        self.folder.join(&package.file)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().expect("nothing panics while it is held")
    }

    fn done(&self) -> u64 {
        self.lock().done
    }

    fn set(&self, state: UpdateState, problem: &str) {
        let mut now = self.lock();
        if now.state != state || now.problem != problem {
            (now.state, now.problem) = (state, problem.to_owned());
            drop(now);
            let _ = self.events.send(Event::Update);
        }
    }

    fn progress(&self, done: u64) {
        self.lock().done = done;
        let _ = self.events.send(Event::Update);
    }

    /// Stops the task that fetches. What is there is kept.
    pub(crate) fn stop(&self) {
        if let Some(stop) = self.lock().stop.take() {
            stop.cancel();
        }
    }

    fn view(&self, updates: &Updates, lang: Option<Lang>) -> UpdateView {
        let now = self.lock();
        let mut view = UpdateView {
            current: updates.current.to_string(),
            way: updates.way(),
            state: now.state,
            done: now.done,
            problem: now.problem.clone(),
            ..UpdateView::default()
        };
        if let Some(offer) = &now.offer {
            let lang = if lang == Some(Lang::Ur) { "ur" } else { "en" };
            let notes = &offer.release.notes;
            view.notes = notes.get(lang).or_else(|| notes.get("en")).cloned().unwrap_or_default();
            view.version = offer.version.to_string();
            view.of = offer.package.size;
            if now.state == UpdateState::Ready && view.way == UpdateWay::Package {
                view.file = self.whole(&offer.package).display().to_string();
            }
        }
        view
    }
}

impl Session {
    fn update_view(&self) -> UpdateView {
        let lang = self.app.settings.lock().expect("nothing panics while it is held").lang;
        self.updates.view(&self.app.config.updates, lang)
    }

    async fn get_update(&self, _: GetUpdate) -> Result<UpdateView, Error> {
        Ok(self.update_view())
    }

    async fn check_update(&self, _: CheckUpdate) -> Result<UpdateView, Error> {
        let updates = &self.app.config.updates;
        if updates.way() == UpdateWay::Off {
            return Err(Error::new("update-none"));
        }
        let asked = self.sync.client()?.release().await.map_err(crate::gate::hie)?;
        let (list, signature) = asked.ok_or_else(|| Error::new("update-none"))?;
        let offer = release::check(updates, &list, &signature)?;
        let changed = self.updates.lock().offer != offer;
        if changed {
            self.updates.stop();
            match &offer {
                Some(offer) => release::keep(&self.updates.folder, offer, &list, &signature),
                None => release::forget(&self.updates.folder, None),
            }
            .map_err(crate::gate::disk)?;
            let mut now = self.updates.lock();
            now.offer = offer;
            now.problem.clear();
            drop(now);
            self.updates.look();
        }
        Ok(self.update_view())
    }

    async fn fetch_update(&self, _: FetchUpdate) -> Result<UpdateView, Error> {
        if self.calls.is_running() {
            return Err(Error::new("in-a-call"));
        }
        let client = self.sync.client()?.clone();
        let mut now = self.updates.lock();
        let running = matches!(now.state, UpdateState::Fetching | UpdateState::Waits);
        if let (false, Some(offer)) = (running, now.offer.clone())
            && now.state == UpdateState::Offered
        {
            let stop = CancellationToken::new();
            now.stop = Some(stop.clone());
            now.state = UpdateState::Fetching;
            let in_call = self.calls.running();
            tokio::spawn(fetch::run(self.updates.clone(), client, offer.package, in_call, stop));
        }
        drop(now);
        Ok(self.update_view())
    }

    async fn pause_update(&self, _: PauseUpdate) -> Result<UpdateView, Error> {
        self.updates.stop();
        // The task says so itself a moment later; the window need not wait for that.
        let mut now = self.updates.lock();
        if matches!(now.state, UpdateState::Fetching | UpdateState::Waits) {
            (now.state, now.problem) = (UpdateState::Offered, String::new());
        }
        drop(now);
        Ok(self.update_view())
    }

    async fn apply_update(&self, _: ApplyUpdate) -> Result<UpdateView, Error> {
        if self.calls.is_running() {
            return Err(Error::new("in-a-call"));
        }
        let ready = {
            let now = self.updates.lock();
            now.offer.clone().filter(|_| now.state == UpdateState::Ready)
        };
        let Some(Offer { package, version, .. }) = ready else { return Err(Error::new("stale")) };
        let Installed::AppImage(own) = self.app.config.updates.installed.clone() else {
            return Err(Error::new("update-not-writable"));
        };
        let file = self.updates.whole(&package);
        let again = (file.clone(), package.clone());
        let replaced = tokio::task::spawn_blocking(move || {
            // It may have lain there for weeks.
            if !fetch::is(&file, &package).map_err(crate::gate::disk)? {
                return Err(Error::new("update-damaged"));
            }
            fetch::replace(&own, &file, &package)
        });
        let replaced = replaced.await.map_err(|_| Error::new("unexpected"))?;
        if let Err(error) = &replaced
            && error.code == "update-damaged"
        {
            let _ = std::fs::remove_file(&again.0);
            self.updates.look();
        }
        replaced?;
        tracing::info!(%version, "the next start is of another version");
        self.updates.set(UpdateState::Applied, "");
        Ok(self.update_view())
    }
}
