//! The offline lease on this laptop: how many days of use are left without a word of the HIE, and what ends it.
//!
//! Time is the computer's monotone clock while the vault is open, added up; the wall clock is not asked, so setting it
//! neither ends nor prolongs a lease. Each opening of the vault counts a quarter of an hour at least.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rabta_ipc::{
    Error, Event,
    gate::{AskLease, GetLease, LeaseAsk, LeaseView, RenewLease},
};
use rabta_store::{RecordStore, SqliteStore, Transaction};
use rabta_wire::{
    lease::{Challenge, DAY_OF_USE, DAYS, Grant, TRIES},
    shared::SharedSecret,
};
use serde::{Deserialize, Serialize};

use crate::{App, Inner, Session, routes::routes};

pub(crate) const SETTING: &str = "lease";
/// What opening the vault counts at least.
const LEAST: Duration = Duration::from_secs(15 * 60);
/// How often the time of use is written down.
const EVERY: Duration = Duration::from_secs(60);

routes!(App {
    GetLease => get_lease,
    AskLease => ask_lease,
    RenewLease => renew_lease,
});

/// As it is kept in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Days of use that were granted last.
    days: u32,
    /// Of those, used, milliseconds.
    used: u64,
    /// What the laptop shows while it waits for a code.
    #[serde(default)]
    challenge: Option<[u8; 5]>,
    /// Wrong codes for that challenge.
    #[serde(default)]
    wrong: u32,
    /// The HIE said so.
    #[serde(default)]
    revoked: bool,
}

impl Default for Kept {
    fn default() -> Self {
        Self { days: DAYS, used: 0, challenge: None, wrong: 0, revoked: false }
    }
}

struct State {
    kept: Kept,
    /// Used when the count began, and the monotone clock then.
    base: u64,
    since: Duration,
    /// What counts at least since then.
    least: Duration,
}

impl State {
    fn count(&mut self, running: Duration) {
        let passed = running.saturating_sub(self.since).max(self.least);
        self.kept.used = self.base.saturating_add(passed.as_millis() as u64);
    }

    fn left(&self) -> u64 {
        (u64::from(self.kept.days) * DAY_OF_USE).saturating_sub(self.kept.used)
    }

    fn begin(&mut self, days: u32, running: Duration) {
        self.kept = Kept { days, revoked: self.kept.revoked, ..Kept { used: 0, ..Kept::default() } };
        (self.base, self.since, self.least) = (0, running, Duration::ZERO);
    }
}

/// Why an open vault shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shut {
    Ended,
    Revoked,
}

impl Shut {
    pub fn code(self) -> &'static str {
        match self {
            Self::Ended => "lease-ended",
            Self::Revoked => "device-revoked",
        }
    }
}

/// The lease of an open vault, whoever is at it.
pub(crate) struct Lease {
    app: Arc<Inner>,
    store: SqliteStore,
    state: Mutex<State>,
    /// Writes are in order: what was read last is written last.
    writing: tokio::sync::Mutex<()>,
}

impl Lease {
    /// Reads it from a vault that was just opened, and counts the opening.
    pub async fn open(app: &Arc<Inner>, store: &SqliteStore) -> Result<Arc<Self>, Error> {
        let text = store.setting(SETTING).await.map_err(crate::error::store)?;
        let kept: Kept = match text {
            Some(text) => {
                serde_json::from_slice(&text).map_err(|_| Error::detail("vault-damaged", "the lease"))?
            }
            None => Kept::default(),
        };
        let (base, since) = (kept.used, app.config.clock.running());
        let state = State { base, since, least: LEAST, kept };
        let writing = tokio::sync::Mutex::new(());
        let lease =
            Arc::new(Self { app: app.clone(), store: store.clone(), state: Mutex::new(state), writing });
        lease.write().await?;
        Ok(lease)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("nothing panics while it is held");
        state.count(self.app.config.clock.running());
        state
    }

    pub fn shut(&self) -> Option<Shut> {
        let state = self.state();
        match (state.kept.revoked, state.left()) {
            (true, _) => Some(Shut::Revoked),
            (false, 0) => Some(Shut::Ended),
            (false, _) => None,
        }
    }

    fn view(&self) -> LeaseView {
        let state = self.state();
        LeaseView { days_left: state.left().div_ceil(DAY_OF_USE) as u32, days: state.kept.days }
    }

    /// The HIE itself granted this, in answer to this device.
    pub async fn granted(&self, grant: &Grant) -> Result<(), Error> {
        let worth_writing = {
            let mut state = self.state();
            let before = state.kept.clone();
            state.kept.revoked = false;
            state.begin(grant.days, self.app.config.clock.running());
            // On a busy day the HIE answers every few seconds.
            before.used > EVERY.as_millis() as u64 || Kept { used: 0, ..before } != state.kept
        };
        if worth_writing { self.write().await } else { Ok(()) }
    }

    pub async fn revoked(&self) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.state().kept.revoked, true);
        if before { Ok(()) } else { self.write().await }
    }

    /// What the laptop shows to the person, who reads it to the operator.
    pub async fn challenge(&self) -> Result<Challenge, Error> {
        let known = self.state().kept.challenge;
        if let Some(bytes) = known {
            return Ok(Challenge::from_random(bytes));
        }
        let mut bytes = [0; 5];
        getrandom::fill(&mut bytes).map_err(|_| Error::detail("unexpected", "no randomness"))?;
        self.state().kept.challenge = Some(bytes);
        self.write().await?;
        Ok(Challenge::from_random(bytes))
    }

    /// A code for the challenge that is shown. The try is written down before it is answered.
    async fn redeem(&self, secret: &SharedSecret, code: &str) -> Result<(), Error> {
        let wrong = {
            let mut state = self.state();
            let challenge = state.kept.challenge.ok_or_else(|| Error::new("not-allowed"))?;
            match Challenge::from_random(challenge).days(secret, code) {
                Some(days) => {
                    state.begin(days, self.app.config.clock.running());
                    None
                }
                None => {
                    state.kept.wrong += 1;
                    let left = TRIES.saturating_sub(state.kept.wrong);
                    if left == 0 {
                        (state.kept.challenge, state.kept.wrong) = (None, 0);
                    }
                    Some(left)
                }
            }
        };
        self.write().await?;
        match wrong {
            None => Ok(()),
            Some(left) => Err(Error::detail("wrong-lease-code", left)),
        }
    }

    pub async fn write(&self) -> Result<(), Error> {
        let _writing = self.writing.lock().await;
        let text = serde_json::to_vec(&self.state().kept).expect("numbers");
        let kept = self.store.commit(Transaction::new().set(SETTING, text), None).await;
        kept.map(drop).map_err(crate::error::store)
    }
}

/// Writes the time of use down, and empties the window when the lease ends. A call that runs is not cut off.
pub(crate) async fn watch(session: std::sync::Weak<Session>) {
    let mut tick = tokio::time::interval(EVERY);
    let mut was_shut = false;
    // The opening was written down already.
    tick.tick().await;
    loop {
        tick.tick().await;
        let Some(session) = session.upgrade() else { return };
        let Some(lease) = &session.lease else { return };
        if let Err(error) = lease.write().await {
            tracing::debug!(code = error.code, "the time of use was not written down");
        }
        let shut = session.shut().is_some();
        if shut && !was_shut {
            session.emit(Event::Locked);
        }
        was_shut = shut;
    }
}

impl App {
    async fn get_lease(&self, _: GetLease) -> Result<LeaseView, Error> {
        let session = self.session().await?;
        Ok(session.lease.as_ref().ok_or_else(|| Error::new("training"))?.view())
    }

    async fn ask_lease(&self, _: AskLease) -> Result<LeaseAsk, Error> {
        let session = self.session().await?;
        let lease = session.lease.as_ref().ok_or_else(|| Error::new("training"))?;
        let challenge = lease.challenge().await?.text();
        Ok(LeaseAsk { device: session.enrollment.enrolled.device.to_string(), challenge })
    }

    async fn renew_lease(&self, renew: RenewLease) -> Result<LeaseView, Error> {
        let session = self.open_session().await?;
        if session.is_screen_locked() {
            return Err(Error::new("screen-locked"));
        }
        let lease = session.lease.as_ref().ok_or_else(|| Error::new("training"))?;
        // A code of the operator does not undo what the operator did.
        if lease.shut() == Some(Shut::Revoked) {
            return Err(Error::new("not-allowed"));
        }
        lease.redeem(&session.shared_secret()?, &renew.code).await?;
        session.touch();
        Ok(lease.view())
    }
}

impl Session {
    /// Why the record is not shown now. A running call goes on.
    pub(crate) fn shut(&self) -> Option<Shut> {
        let shut = self.lease.as_ref()?.shut()?;
        if shut == Shut::Ended && self.calls.is_running() { None } else { Some(shut) }
    }

    /// What this laptop and the HIE both know.
    pub(crate) fn shared_secret(&self) -> Result<SharedSecret, Error> {
        let device_key = self.vault.device_key().map_err(|_| Error::new("vault-locked"))?;
        let hie = crate::sync_task::hie_key(&self.enrollment)?;
        SharedSecret::between(&device_key, &hie, self.enrollment.enrolled.device)
            .ok_or_else(|| Error::detail("unexpected", "the HIE's key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_that_the_vault_was_open_counts() {
        let hours = |n: u64| Duration::from_secs(n * 3_600);
        let mut state = State { kept: Kept::default(), base: 0, since: hours(1), least: LEAST };
        state.count(hours(1));
        assert_eq!(state.kept.used, 15 * 60_000, "an opening counts");
        state.count(hours(3));
        assert_eq!(state.kept.used, 2 * 3_600_000);
        // A clock that stands still or runs backwards adds nothing and takes nothing.
        state.count(hours(0));
        assert_eq!(state.kept.used, 15 * 60_000);
        state.count(hours(1 + 30 * 8));
        assert_eq!(state.left(), 0);
        state.begin(7, hours(300));
        state.count(hours(301));
        assert_eq!(state.left(), 7 * DAY_OF_USE - 3_600_000);
    }
}
