//! What the sync says of itself: the state behind the chip, and what changed.

use std::{collections::BTreeSet, sync::Arc};

use rabta_store::{CustodyCounts, RecordStore, StoreError};
use rabta_wire::{Id, envelope::Kind, lease::Grant};
use tokio::sync::{Mutex, Notify, watch};

/// The state behind the sync chip. Never says "synced": it counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Envelopes that are on this laptop only, refused ones too.
    pub here_only: u64,
    /// Of those, visits.
    pub visits_here_only: u64,
    /// Refused by the HIE: a person must look.
    pub needs_you: u64,
    /// Colleagues' envelopes that came from their laptops, and the HIE has not shown yet.
    pub carried: u64,
    /// The HIE answered the last time that it was tried.
    pub reachable: bool,
    /// Sending or fetching now.
    pub busy: bool,
    /// Milliseconds since 1970 by this device's clock.
    pub last_contact: Option<i64>,
    /// (HIE clock - device clock) in milliseconds.
    pub clock_offset: Option<i64>,
    /// Another key answers at the HIE's address: nothing is sent.
    pub key_changed: bool,
    /// The HIE refuses this device or person as a whole: its code and words.
    pub refused: Option<(String, String)>,
    /// What the HIE answered to the last pull cannot be read.
    pub unread: bool,
    /// What it answered to the last push cannot be read, so nobody knows what it took.
    pub unsaid: bool,
    /// The operator revoked this device: nothing is sent or fetched any more.
    pub revoked: bool,
    /// Two copies of this device have both gone on: the HIE keeps what both wrote, and takes no more of either.
    pub copied: bool,
    /// What the HIE granted last, in this run.
    pub lease: Option<Grant>,
    /// The first fetch is going on.
    pub first_pull: Option<FirstPull>,
    /// What was pulled could not be stored: the disk is full.
    pub disk_full: bool,
    /// Envelopes of others whose signatures do not hold, kept apart.
    pub apart: u64,
    /// After tries that failed, when the next one is: milliseconds since 1970 by this device's clock.
    pub next_try: Option<i64>,
}

/// How far the first fetch of the facility's patients is, in changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FirstPull {
    pub done: u64,
    pub of: u64,
}

/// Something in the store changed through the sync.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// Patients and Tasks that envelopes were about, others' or (acknowledged) our own.
    pub patients: BTreeSet<Id>,
    pub asks: BTreeSet<Id>,
    /// Resources that came through the HIE's FHIR API.
    pub resources: u64,
    pub roster: bool,
}

impl Changed {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Counts what is unsent into a [`Status`], for the driver between its operations and for whoever appends during a long
/// one: "all at the HIE" must not stand beside a visit that was signed while a page came in over a slow line.
pub(crate) struct Tally<S> {
    store: Arc<S>,
    status: watch::Sender<Status>,
    /// An older count never overwrites a newer one.
    turn: Mutex<()>,
}

impl<S: RecordStore> Tally<S> {
    pub fn new(store: Arc<S>, status: watch::Sender<Status>) -> Self {
        Self { store, status, turn: Mutex::new(()) }
    }

    pub async fn count(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let unsent = |counts: &CustodyCounts| counts.here + counts.quarantined;
        let kinds = self.store.custody_by_kind().await?;
        let counted = (
            kinds.iter().map(|(_, counts)| unsent(counts)).sum(),
            kinds.iter().filter(|(kind, _)| *kind == Kind::Visit).map(|(_, counts)| unsent(counts)).sum(),
            kinds.iter().map(|(_, counts)| counts.quarantined).sum(),
            self.store.handed().await?,
        );
        self.status.send_if_modified(|status| {
            let stood = (status.here_only, status.visits_here_only, status.needs_you, status.carried);
            (status.here_only, status.visits_here_only, status.needs_you, status.carried) = counted;
            stood != counted
        });
        Ok(())
    }

    /// Counts whenever something was appended, for as long as it is polled.
    pub async fn follow(&self, appended: &Notify) {
        loop {
            appended.notified().await;
            if let Err(error) = self.count().await {
                tracing::debug!(%error, "what is unsent was not counted");
            }
        }
    }
}
