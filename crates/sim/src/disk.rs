//! A laptop's disk: a record store that can die at any write, be full, and lie about what is durable.

use std::{
    collections::{BTreeSet, VecDeque},
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rabta_store::{
    Attachment, Committed, CustodyCounts, Details, Draft, EntryState, Handed, HitPage, LogEntry, LogHead,
    MemoryStore, MrNumber, NumberUse, PullBatch, Received, RecordStore, Resource, SaveDraft, Sealer,
    StoreError, StoredCert, Transaction, UnsentAudit,
};
use rabta_wire::{Id, cursor::Cursor, envelope::Kind, log::Ack};

use crate::known_bad::KnownBad;

type Answer<T> = Result<T, StoreError>;

/// How many commits back a lying disk can throw a laptop.
pub const REMEMBERED: usize = 6;

/// A store of which an image can be taken, as a copy of its file would be.
pub trait Durable: RecordStore + 'static {
    fn image(&self) -> Self;
}

impl Durable for MemoryStore {
    fn image(&self) -> Self {
        self.snapshot()
    }
}

/// When the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// Before the write is durable: it did not happen.
    Before,
    /// After it is, and before anybody was told.
    After,
}

struct Inner<S> {
    store: Arc<S>,
    /// Images from before the last commits, where the disk may lie.
    past: VecDeque<Arc<S>>,
    remembers: bool,
    full: bool,
    /// So many writes until the process dies.
    fuse: Option<(u64, Blow)>,
    dead: bool,
    /// Let go of, to have room: their bytes are not here any more.
    evicted: BTreeSet<Id>,
}

/// The disk. The laptop's programs see a [`RecordStore`].
pub struct Disk<S> {
    inner: Mutex<Inner<S>>,
    bad: Option<KnownBad>,
}

impl<S: Durable> Disk<S> {
    pub fn new(store: S, bad: Option<KnownBad>) -> Self {
        let remembers = bad == Some(KnownBad::AckBeforeDurable);
        let inner = Inner {
            store: Arc::new(store),
            past: VecDeque::new(),
            remembers,
            full: false,
            fuse: None,
            dead: false,
            evicted: BTreeSet::new(),
        };
        Self { inner: Mutex::new(inner), bad }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<S>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is on it, past all faults.
    pub fn store(&self) -> Arc<S> {
        self.inner().store.clone()
    }

    /// From now on it says "durable" of what is not.
    pub fn lies(&self, on: bool) {
        let mut inner = self.inner();
        inner.remembers = on || self.bad == Some(KnownBad::AckBeforeDurable);
        inner.past.clear();
    }

    pub fn full(&self, on: bool) {
        self.inner().full = on;
    }

    /// The process dies at the `writes`th write from now.
    pub fn set_fuse(&self, writes: u64, blow: Blow) {
        self.inner().fuse = Some((writes, blow));
    }

    /// It does not die any more.
    pub fn disarm(&self) {
        self.inner().fuse = None;
    }

    pub fn is_dead(&self) -> bool {
        self.inner().dead
    }

    /// The power is back: what is durable is there. `lost`: so many commits of which the disk had said it.
    pub fn reopen(&self, lost: usize) {
        let mut inner = self.inner();
        let lost = if self.bad == Some(KnownBad::AckBeforeDurable) { lost.max(1) } else { lost };
        let left = inner.past.len().saturating_sub(lost);
        if lost > 0 && left < inner.past.len() {
            inner.store = inner.past[left].clone();
        }
        inner.past.clear();
        (inner.dead, inner.fuse, inner.full) = (false, None, false);
    }

    /// Takes one from the store: all of its later pushes are impossible.
    pub fn evict(&self, envelope: Id) {
        self.inner().evicted.insert(envelope);
    }

    pub fn is_evicted(&self, envelope: Id) -> bool {
        self.inner().evicted.contains(&envelope)
    }

    async fn reading(&self) -> Arc<S> {
        if self.is_dead() {
            pending::<()>().await;
        }
        self.store()
    }

    /// Before a write; whether the process dies after it.
    async fn begin(&self) -> Answer<(Arc<S>, bool)> {
        let dies = {
            let mut inner = self.inner();
            if !inner.dead && inner.full {
                return Err(StoreError::DiskFull);
            }
            if let Some((writes, blow)) = inner.fuse.as_mut() {
                *writes = writes.saturating_sub(1);
                let (now, blow) = (*writes == 0, *blow);
                if now && blow == Blow::Before {
                    inner.dead = true;
                }
                now && blow == Blow::After
            } else {
                false
            }
        };
        let store = self.reading().await;
        let mut inner = self.inner();
        if inner.remembers {
            let before = Arc::new(store.image());
            // Readers and the writer go on with the new one; the image is of what was there.
            inner.past.push_back(before);
            if inner.past.len() > REMEMBERED {
                inner.past.pop_front();
            }
        }
        Ok((store, dies))
    }

    async fn end(&self, dies: bool) {
        if dies {
            self.inner().dead = true;
            pending::<()>().await;
        }
    }
}

macro_rules! reads {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(async fn $name(&self, $($arg: $type),*) -> Answer<$answer> {
            self.reading().await.$name($($arg),*).await
        })*
    };
}

macro_rules! writes {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(async fn $name(&self, $($arg: $type),*) -> Answer<$answer> {
            let (store, dies) = self.begin().await?;
            let answer = store.$name($($arg),*).await;
            self.end(dies).await;
            answer
        })*
    };
}

impl<S: Durable> RecordStore for Disk<S> {
    writes! {
        commit(transaction: Transaction, sealer: Option<&dyn Sealer>) -> Committed;
        save_draft(draft: SaveDraft) -> u64;
        next_mr() -> MrNumber;
        mark_acks(epoch: Id, acks: &[Ack]) -> ();
        requeue(envelope: Id) -> ();
        apply_pull(batch: PullBatch) -> ();
        take_handed(handed: Handed) -> usize;
        enter_epoch(epoch: Id) -> ();
    }

    async fn unsent(&self, count: usize, bytes: usize) -> Answer<Vec<LogEntry>> {
        let store = self.reading().await;
        if self.bad == Some(KnownBad::QuarantineBlocks) && !store.quarantined().await?.is_empty() {
            return Ok(Vec::new());
        }
        let mut entries = store.unsent(count, bytes).await?;
        entries.retain(|entry| !self.is_evicted(entry.id));
        Ok(entries)
    }

    reads! {
        find_patients(text: &str, offset: usize, limit: usize) -> HitPage;
        number_uses(number: &str) -> Vec<NumberUse>;
        resource(kind: &str, id: &str) -> Option<Resource>;
        history(kind: &str, id: &str) -> Vec<Resource>;
        of_patient(patient: &str, kind: &str, before: Option<i64>, limit: usize) -> Vec<Resource>;
        of_kind(kind: &str, before: Option<i64>, limit: usize) -> Vec<Resource>;
        count_of_kind(kind: &str) -> u64;
        open(kind: &str, before: Option<i64>, limit: usize) -> Vec<Resource>;
        referring_to(target: &str, kind: Option<&str>) -> Vec<Resource>;
        of_envelope(envelope: Id) -> Vec<Resource>;
        details(patient: &str) -> Option<Details>;
        undecided() -> Vec<String>;
        seen_to(limit: usize) -> Vec<LogEntry>;
        draft(id: &str) -> Option<Draft>;
        drafts(kind: Option<&str>) -> Vec<Draft>;
        drafts_of(patient: &str) -> Vec<Draft>;
        log_head() -> LogHead;
        log_entry(envelope: Id) -> Option<LogEntry>;
        quarantined() -> Vec<LogEntry>;
        log_after(epoch: u32, seq: u64, limit: usize) -> Vec<LogEntry>;
        log_of_task(task: Id) -> Vec<LogEntry>;
        custody() -> CustodyCounts;
        custody_by_kind() -> Vec<(Kind, CustodyCounts)>;
        custody_of_patient(patient: &str) -> CustodyCounts;
        custody_of(kind: &str, id: &str) -> Option<EntryState>;
        received(envelope: Id) -> Option<Received>;
        strays() -> Vec<Id>;
        handed() -> u64;
        only_here() -> Vec<Id>;
        received_of_task(task: Id) -> Vec<Received>;
        certs(subject: Id) -> Vec<StoredCert>;
        cursor() -> Option<Cursor>;
        backed_up() -> u64;
        roster() -> Option<Vec<u8>>;
        setting(key: &str) -> Option<Vec<u8>>;
        attachment(id: &str) -> Option<Attachment>;
        unsent_audit(limit: usize) -> Vec<UnsentAudit>;
        mr_left() -> u64;
        dictionary(id: u32) -> Option<Vec<u8>>;
    }
}
