//! What a restored HIE lost is sent again by the laptop that wrote it. Where that one is gone, another laptop of the
//! facility still has it, with its author's signatures: it offers it, once the new life of the HIE was read to its end and
//! the author had time to do so. What a laptop nearby handed over goes the same way: whichever of them finds a line first
//! brings it.

use std::collections::{BTreeSet, VecDeque};

use rabta_store::{EntryState, LogEntry, Received, RecordStore, StoreError};
use rabta_wire::{
    Id,
    envelope::{Envelope, Header, Kind},
};

use crate::{
    carrier::Carrier,
    driver::Driver,
    plan::{Tier, Unsent},
};

/// Milliseconds after the log was read to its end: the authors, who are told of the new epoch as we are, go first, and
/// nothing is sent twice over a slow line.
const GRACE: u64 = 10 * 60_000;
/// How many are looked at in one round.
const WINDOW: usize = 50;

/// As it stands in the plan, and as it is sent.
type Offered = (Unsent, LogEntry);

/// Of one life of the HIE, in one run of the program.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    /// When the log was first read to its end.
    read_at: Option<u64>,
    /// Still to be offered, in the order in which the HIE had received them; `None` before they were looked for.
    left: Option<VecDeque<Id>>,
    /// What the HIE said that another envelope waits for.
    wanted: BTreeSet<Id>,
    /// Answered for good, or none of ours.
    done: BTreeSet<Id>,
}

impl Strays {
    /// The log was read to its end.
    pub fn read_to_end(&mut self, now: u64) {
        self.read_at.get_or_insert(now);
    }

    /// There may be more than was looked for.
    pub fn look_again(&mut self) {
        self.left = None;
    }

    pub fn want(&mut self, envelope: Id) {
        if !self.done.contains(&envelope) {
            self.wanted.insert(envelope);
        }
    }

    /// It came with a pull. What is still on the list is looked up before it is offered.
    pub fn arrived(&mut self, envelope: Id) {
        self.wanted.remove(&envelope);
    }

    pub fn done(&mut self, envelope: Id) {
        self.wanted.remove(&envelope);
        self.done.insert(envelope);
        if let Some(left) = &mut self.left {
            left.retain(|id| *id != envelope);
        }
    }

    /// It waits for another one: the rest need not wait with it.
    pub fn put_off(&mut self, envelope: Id) {
        if let Some(left) = self.left.as_mut().filter(|left| left.contains(&envelope)) {
            left.retain(|id| *id != envelope);
            left.push_back(envelope);
        }
    }
}

impl<S: RecordStore + 'static, C: Carrier> Driver<S, C> {
    /// What may be offered of others' envelopes now, at most about `bytes`.
    pub(crate) async fn strays(&mut self, bytes: usize) -> Result<Vec<Offered>, StoreError> {
        let Some(read_at) = self.strays.read_at else { return Ok(Vec::new()) };
        if self.strays.left.is_none() && self.now() >= read_at + GRACE {
            let mut left = self.store.strays().await?;
            left.retain(|id| !self.strays.done.contains(id));
            self.strays.left = Some(left.into());
        }
        let mut ids: Vec<Id> = self.strays.wanted.iter().copied().collect();
        ids.extend(self.strays.left.iter().flatten().filter(|id| !self.strays.wanted.contains(id)));
        let (mut found, mut size) = (Vec::new(), 0);
        for id in ids {
            if found.len() >= WINDOW || size >= bytes {
                break;
            }
            let offered = match self.store.received(id).await? {
                Some(received) => self.to_offer(received).await?,
                None => None,
            };
            match offered {
                Some((at, offered)) => {
                    size += offered.1.bytes.len();
                    found.push((at, offered));
                }
                None => self.strays.done(id),
            }
        }
        // What came in one push as it stands in its log: what depends on another one comes after it.
        found.sort_by_key(|(at, (_, entry))| (*at, entry.log_epoch, entry.seq));
        Ok(found.into_iter().map(|(_, offered)| offered).collect())
    }

    /// When the HIE had received it, and as it is offered; if the HIE is not known to have it and it is ours to offer: of
    /// this facility, of an ask of this facility, or what something that we offer waits for.
    async fn to_offer(&mut self, received: Received) -> Result<Option<(i64, Offered)>, StoreError> {
        let wanted = self.strays.wanted.contains(&received.id);
        if received.is_at_hie() && !wanted {
            return Ok(None);
        }
        let Ok(header) = Envelope::from_bytes(&received.bytes).and_then(|envelope| envelope.header()) else {
            return Ok(None);
        };
        if !wanted && !self.is_ours(&header).await? {
            return Ok(None);
        }
        let unsent = Unsent {
            id: received.id,
            // Before this device's own, which may need it.
            seq: 0,
            kind: received.kind,
            tier: Tier::Stray,
            depends: header.depends,
            bytes: received.bytes.len(),
            refused: false,
        };
        let entry = LogEntry {
            log_epoch: header.epoch,
            seq: header.seq,
            id: received.id,
            kind: received.kind,
            patient: received.patient,
            task: received.task,
            state: EntryState::Here,
            bytes: received.bytes,
        };
        Ok(Some((received.received_at, (unsent, entry))))
    }

    async fn is_ours(&mut self, header: &Header) -> Result<bool, StoreError> {
        let Some(device) = self.client.identity().map(|me| me.device) else { return Ok(false) };
        self.recall(device).await?;
        let Some(facility) = self.keyring.certs(device).first().map(|cert| cert.facility) else {
            return Ok(false);
        };
        if header.facility == facility {
            return Ok(true);
        }
        let Some(task) = header.task else { return Ok(false) };
        if self.store.log_of_task(task).await?.iter().any(|entry| entry.kind == Kind::ReferralNote) {
            return Ok(true);
        }
        let received = self.store.received_of_task(task).await?;
        let note = received.iter().find(|received| received.kind == Kind::ReferralNote);
        let note = note.and_then(|note| Envelope::from_bytes(&note.bytes).and_then(|e| e.header()).ok());
        Ok(note.is_some_and(|note| note.facility == facility))
    }
}
