//! The log carried by a stick ([`rabta_wire::stick`]): an ask is written where there is no line, somebody carries it to where
//! there is one, and the answer is taken in as a push and a pull are.
//!
//! What holds: nothing counts as sent before the HIE said so; an answer changes nothing twice; one that begins beyond what is
//! here is not taken, since what lies between would never come.

use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use rabta_store::{EntryState, LogEntry, RecordStore, StoreError};
use rabta_wire::{
    Id,
    cursor::Cursor,
    envelope::Kind,
    lease::Grant,
    log::{Outcome, PullReply, Push, PushReply},
    shared::SharedSecret,
    stick::{self, Answer, Ask, FileError},
};
use tokio::sync::{Mutex, mpsc};

use crate::{
    carrier::Carrier,
    client::{Identity, unpacked},
    clock::{Clock, Offset},
    driver::{Driver, Failure},
    error::HieError,
    status::Changed,
};

/// Why an answer was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum StickError {
    #[error(transparent)]
    File(#[from] FileError),
    /// It was made for another state of this laptop's records: it begins after what is here, or is of a life of the HIE that
    /// this laptop may have left.
    #[error("the answer does not follow what is here")]
    Gap,
    /// What is in it is not as the HIE says it.
    #[error(transparent)]
    Hie(HieError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for StickError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Hie(error) => Self::Hie(error),
            Failure::Store(error) => Self::Store(error),
        }
    }
}

/// An ask, as a file.
pub struct Asked {
    pub file: Vec<u8>,
    /// Envelopes in it, and of those visits.
    pub records: usize,
    pub visits: usize,
    /// More is unsent than went in.
    pub more: bool,
}

/// Seals what is unsent (in log order), and up to where the HIE's log is here. Nothing here is changed by it. `nonce` must
/// be fresh randomness.
pub fn ask(
    unsent: Vec<LogEntry>,
    after: Option<Cursor>,
    person: Id,
    secret: &SharedSecret,
    nonce: [u8; 24],
) -> Asked {
    // What was refused waits for a person; to say it again changes nothing.
    let mut going =
        unsent.into_iter().filter(|e| !matches!(e.state, EntryState::Quarantined { .. })).peekable();
    let (mut bytes, mut visits, mut envelopes) = (0, 0, Vec::new());
    while let Some(entry) = going.next_if(|e| bytes == 0 || bytes + e.bytes.len() <= stick::MOST_ASKED) {
        bytes += entry.bytes.len();
        visits += usize::from(entry.kind == Kind::Visit);
        envelopes.push(entry.bytes.0.into());
    }
    let records = envelopes.len();
    let file = stick::seal_ask(secret, nonce, &Ask { push: Push { envelopes }, after, person });
    Asked { file, records, visits, more: going.peek().is_some() }
}

/// What an answer brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TakenIn {
    /// Of this laptop's records: at the HIE now.
    pub sent: usize,
    /// Refused by it.
    pub refused: usize,
    /// Changes of others.
    pub changes: usize,
    /// What the HIE granted with it.
    pub lease: Option<Grant>,
}

/// Takes an answer in: acks, then each page with its cursor in one transaction. The power may go in between: what was
/// taken counts, and the rest is taken the next time.
pub async fn take_in<S: RecordStore + 'static>(
    store: Arc<S>,
    me: Identity,
    clock: Arc<dyn Clock>,
    hie: VerifyingKey,
    changes: mpsc::UnboundedSender<Changed>,
    secret: &SharedSecret,
    file: &[u8],
) -> Result<TakenIn, StickError> {
    let packed = stick::open_answer(secret, file)?;
    let bytes = unpacked(&packed, stick::MOST).map_err(StickError::Hie)?;
    let answer: Answer = minicbor::decode(&bytes).map_err(|_| FileError::Damaged)?;
    let here = store.cursor().await?;
    let epoch = answer.push.epoch;
    let at = |cursor: Option<Cursor>| cursor.filter(|cursor| cursor.epoch == epoch).map_or(0, |c| c.seq);
    let (begins, stands) = (at(answer.asked), at(here));
    let new_life = here.is_none_or(|cursor| cursor.epoch != epoch);
    // Of lives of the HIE nobody can say which came first, but by having asked in the one before.
    let follows = here.is_none_or(|here| answer.asked.is_some_and(|asked| asked.epoch == here.epoch));
    if begins > stands || (new_life && !follows) {
        return Err(StickError::Gap);
    }
    if new_life {
        store.enter_epoch(epoch).await?;
    }
    let mut taken = TakenIn::default();
    let mut changed = Changed::default();
    for ack in &answer.push.acks {
        match ack.outcome {
            Outcome::Durable { .. } | Outcome::Superseded { .. } => taken.sent += 1,
            Outcome::Refused { .. } => taken.refused += 1,
            Outcome::Waits { .. } => {}
        }
        if let Some(entry) = store.log_entry(ack.id).await? {
            changed.patients.extend(entry.patient.as_ref().and_then(|patient| patient.parse::<Id>().ok()));
            changed.asks.extend(entry.task);
        }
    }
    store.mark_acks(epoch, &answer.push.acks).await?;
    if !changed.is_empty() {
        let _ = changes.send(changed);
    }
    let line = Line { identity: me, clock, offset: Offset::default(), page: Mutex::new(None) };
    let (mut driver, handle) = Driver::new(line, store.clone(), hie, changes, 0);
    for page in answer.pages {
        // The line may have come back and brought it meanwhile.
        let here = store.cursor().await?;
        if page.next.seq > at(here) {
            taken.changes += page.changes.len();
            *driver.client.page.lock().await = Some(page);
            driver.pull(here, u32::MAX).await?;
        }
    }
    taken.lease = handle.status().lease;
    Ok(taken)
}

/// A page of an answer as a line to the HIE: it is read once, and nothing goes out.
struct Line {
    identity: Identity,
    clock: Arc<dyn Clock>,
    offset: Offset,
    page: Mutex<Option<PullReply>>,
}

impl Carrier for Line {
    async fn push(&self, _: Vec<Vec<u8>>) -> Result<PushReply, HieError> {
        Err(HieError::Malformed("a stick answers what was written on it"))
    }

    async fn pull(&self, _: Option<Cursor>, _: u32) -> Result<PullReply, HieError> {
        self.page.lock().await.take().ok_or(HieError::Malformed("an answer that ended too early"))
    }

    /// A stick brings all of it at once.
    async fn pull_lately(&self, _: Option<Cursor>, _: u32) -> Result<PullReply, HieError> {
        Err(HieError::Refused { status: 404, code: String::new(), text: String::new() })
    }

    fn identity(&self) -> Option<&Identity> {
        Some(&self.identity)
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn offset(&self) -> &Offset {
        &self.offset
    }
}
