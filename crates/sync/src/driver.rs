//! [`Driver`]: carries the [`plan`] out over a client and a store, for as long as the vault is open.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rabta_store::{LogEntry, RecordStore, StoreError};
use rabta_wire::{
    Id,
    envelope::Envelope,
    log::{Ack, Outcome},
};
use tokio::sync::{Notify, mpsc, watch};

use crate::{
    HieClient,
    carrier::Carrier,
    error::HieError,
    plan::{Link, Local, Operation, Tier, Unsent, plan},
    status::{Changed, Status, Tally},
    strays::Strays,
    verify::Keyring,
};

/// How many unsent envelopes are looked at in one round; the store gives them in pushing order.
const WINDOW: usize = 200;
/// An envelope that the HIE put off is offered again after this, or when what it waits for has arrived.
const PUT_OFF: u64 = 60_000;

/// Steers a running [`Driver`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SyncHandle {
    control: Arc<Control>,
    status: watch::Receiver<Status>,
}

#[derive(Debug, Default)]
pub(crate) struct Control {
    wake: Notify,
    appended: Notify,
    wanted: AtomicBool,
    calling: AtomicBool,
    socket: AtomicBool,
    /// The socket came back: so did the network.
    back: AtomicBool,
    /// A laptop nearby handed something over.
    handed: AtomicBool,
    hint: AtomicU64,
}

impl SyncHandle {
    /// An envelope was appended.
    pub fn appended(&self) {
        self.control.appended.notify_one();
        self.control.wake.notify_one();
    }

    /// Tries now, whatever failed before.
    pub fn now(&self) {
        self.set(&self.control.wanted, true);
    }

    /// A call runs: all but the ask waits.
    pub fn calling(&self, on: bool) {
        self.set(&self.control.calling, on);
    }

    /// The HIE's newest place, as it told over the socket.
    pub fn hint(&self, seq: u64) {
        self.control.hint.fetch_max(seq, Ordering::AcqRel);
        self.control.wake.notify_one();
    }

    pub fn socket(&self, up: bool) {
        if up {
            self.control.back.store(true, Ordering::Release);
        }
        self.set(&self.control.socket, up);
    }

    /// A laptop nearby handed something over, which may be brought to the HIE.
    pub fn handed(&self) {
        self.set(&self.control.handed, true);
    }

    pub fn is_calling(&self) -> bool {
        self.control.calling.load(Ordering::Acquire)
    }

    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Follows the status.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    fn set(&self, flag: &AtomicBool, on: bool) {
        flag.store(on, Ordering::Release);
        self.control.wake.notify_one();
    }
}

/// The sync of one open vault with its HIE, over whatever carries it there.
pub struct Driver<S, C = HieClient> {
    pub(crate) client: C,
    pub(crate) store: Arc<S>,
    pub(crate) keyring: Keyring,
    /// Whose certificates were read from the store.
    pub(crate) recalled: BTreeSet<Id>,
    pub(crate) link: Link,
    /// What a put-off envelope waits for.
    pub(crate) waits_on: BTreeMap<Id, Id>,
    pub(crate) strays: Strays,
    pub(crate) status: watch::Sender<Status>,
    tally: Arc<Tally<S>>,
    pub(crate) changes: mpsc::UnboundedSender<Changed>,
    control: Arc<Control>,
    seed: u64,
}

/// Why an operation did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Hie(#[from] HieError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S: RecordStore + 'static, C: Carrier> Driver<S, C> {
    /// `hie` is the key that signs certificates; `changes` is told what the sync changed in the store; `seed`
    /// spreads the waiting (use something of the device's own).
    pub fn new(
        client: C,
        store: Arc<S>,
        hie: ed25519_dalek::VerifyingKey,
        changes: mpsc::UnboundedSender<Changed>,
        seed: u64,
    ) -> (Self, SyncHandle) {
        let (status, watch) =
            watch::channel(Status { clock_offset: client.offset().get(), ..Status::default() });
        let control = Arc::new(Control::default());
        let handle = SyncHandle { control: control.clone(), status: watch };
        let tally = Arc::new(Tally::new(store.clone(), status.clone()));
        let driver = Self {
            client,
            store,
            keyring: Keyring::new(hie),
            recalled: BTreeSet::new(),
            link: Link::default(),
            waits_on: BTreeMap::new(),
            strays: Strays::default(),
            status,
            tally,
            changes,
            control,
            seed,
        };
        (driver, handle)
    }

    /// Works until the vault is locked, or until the future is dropped: whatever is dropped half-done was not
    /// committed and is done again the next time.
    pub async fn run(self) {
        let (tally, control) = (self.tally.clone(), self.control.clone());
        tokio::select! {
            biased;
            () = tally.follow(&control.appended) => {}
            () = self.work() => {}
        }
    }

    async fn work(mut self) {
        loop {
            match self.round().await {
                Ok(Some(until)) => self.rest(until).await,
                Ok(None) => {}
                Err(Failure::Store(StoreError::Locked)) => return,
                Err(failure) => self.failed(failure),
            }
        }
    }

    /// One plan, carried out; a time to rest until, or none to go on at once.
    async fn round(&mut self) -> Result<Option<u64>, Failure> {
        self.listen();
        let (local, entries) = self.local().await?;
        self.tally.count().await?;
        for operation in plan(&local, &self.link, self.now(), self.seed) {
            match operation {
                Operation::Wait { until } => {
                    self.tell_next_try(until);
                    return Ok(Some(until));
                }
                Operation::ResetEpoch(epoch) => {
                    tracing::warn!(%epoch, "the HIE has a new epoch: everything is offered again");
                    self.store.enter_epoch(epoch).await?;
                    (self.link.new_epoch, self.link.catching_up) = (None, true);
                    self.strays = Strays::default();
                }
                Operation::Push(ids) => {
                    if !self.push(&ids, &entries, &local).await? {
                        return Ok(None);
                    }
                }
                Operation::Pull { after, limit } => match self.pull(after, limit).await {
                    Ok(()) => self.unread(None),
                    Err(Failure::Hie(HieError::Malformed(what))) => self.unread(Some(what)),
                    Err(failure) => return Err(failure),
                },
            }
        }
        Ok(None)
    }

    /// Whether all of it was taken.
    async fn push(&mut self, ids: &[Id], entries: &[LogEntry], local: &Local) -> Result<bool, Failure> {
        let chosen: Vec<&LogEntry> =
            ids.iter().filter_map(|id| entries.iter().find(|e| e.id == *id)).collect();
        self.busy(true);
        let began = self.now();
        let mut reply = self.client.push(chosen.iter().map(|e| e.bytes.0.clone()).collect()).await?;
        answers(&chosen, &mut reply.acks)?;
        self.contact(began);
        if local.cursor.is_none_or(|cursor| cursor.epoch != reply.epoch) {
            self.store.enter_epoch(reply.epoch).await?;
            self.strays = Strays::default();
            if local.cursor.is_some() {
                (self.link.catching_up, self.link.more) = (true, true);
            }
        }
        self.change(|status| status.unsaid = false);
        self.store.mark_acks(reply.epoch, &reply.acks).await?;
        let mut changed = Changed::default();
        for (entry, ack) in chosen.into_iter().zip(&reply.acks) {
            self.acked(entry, ack);
            changed.patients.extend(entry.patient.as_ref().and_then(|p| p.parse::<Id>().ok()));
            changed.asks.extend(entry.task);
        }
        self.tally.count().await?;
        let _ = self.changes.send(changed);
        Ok(reply.acks.iter().all(|ack| matches!(ack.outcome, Outcome::Durable { .. })))
    }

    fn acked(&mut self, entry: &LogEntry, ack: &Ack) {
        self.link.put_off.remove(&entry.id);
        self.waits_on.remove(&entry.id);
        match &ack.outcome {
            Outcome::Durable { .. } | Outcome::Superseded { .. } => {
                self.arrived(entry.id);
                self.strays.done(entry.id);
            }
            Outcome::Refused { code, .. } => {
                tracing::warn!(envelope = %entry.id, code, "refused by the HIE");
                self.strays.done(entry.id);
            }
            Outcome::Waits { on } => {
                tracing::debug!(envelope = %entry.id, %on, "put off by the HIE");
                self.link.put_off.insert(entry.id, self.now() + PUT_OFF);
                self.waits_on.insert(entry.id, *on);
                self.strays.put_off(entry.id);
                self.strays.want(*on);
            }
        }
    }

    /// Whether a pull's answer could be read, or what was wrong with it.
    fn unread(&mut self, wrong: Option<&'static str>) {
        match wrong {
            None => self.link.unread = 0,
            Some(what) => {
                tracing::warn!(what, "what the HIE answers cannot be read");
                let now = self.now();
                self.link.unreadable(now);
            }
        }
        self.change(|status| {
            status.unread = wrong.is_some();
            status.busy &= wrong.is_none();
        });
    }

    /// What waited for `id` may go.
    pub(crate) fn arrived(&mut self, id: Id) {
        let ready: Vec<Id> = self.waits_on.iter().filter(|(_, on)| **on == id).map(|(id, _)| *id).collect();
        for id in ready {
            self.waits_on.remove(&id);
            self.link.put_off.remove(&id);
        }
    }

    /// What the handle was told since the last round.
    fn listen(&mut self) {
        let control = &self.control;
        self.link.wanted |= control.wanted.swap(false, Ordering::AcqRel);
        self.link.calling = control.calling.load(Ordering::Acquire);
        self.link.socket = control.socket.load(Ordering::Acquire);
        self.link.hint = self.link.hint.max(control.hint.load(Ordering::Acquire));
        if control.handed.swap(false, Ordering::AcqRel) {
            self.strays.look_again();
        }
        if control.back.swap(false, Ordering::AcqRel) {
            // Hints may have been missed while it was away.
            (self.link.failures, self.link.pulled_at) = (0, None);
        }
    }

    async fn local(&mut self) -> Result<(Local, Vec<LogEntry>), StoreError> {
        let bytes = self.link.push_bytes.saturating_mul(2);
        let (mut unsent, mut entries): (Vec<_>, Vec<_>) = self.strays(bytes).await?.into_iter().unzip();
        let own = self.store.unsent(WINDOW, bytes).await?;
        unsent.extend(own.iter().filter_map(to_send));
        entries.extend(own);
        Ok((Local { unsent, cursor: self.store.cursor().await? }, entries))
    }

    fn tell_next_try(&self, until: u64) {
        let clock = self.client.clock();
        let left = i64::try_from(until.saturating_sub(self.now())).unwrap_or(i64::MAX);
        let at = (self.link.failures > 0).then(|| clock.unix_ms().saturating_add(left));
        self.change(|status| status.next_try = at);
    }

    async fn rest(&self, until: u64) {
        self.busy(false);
        let rest = Duration::from_millis(until.saturating_sub(self.now()));
        let over = self.client.clock().sleep(rest);
        tokio::select! {
            // In a fixed order, so that what happened once can be played again.
            biased;
            () = over => {}
            () = self.control.wake.notified() => {}
        }
    }

    /// An answer came.
    pub(crate) fn contact(&mut self, began: u64) {
        self.link.answered(self.now().saturating_sub(began));
        let at = self.client.clock().unix_ms();
        let offset = self.client.offset().get();
        self.status.send_if_modified(|status| {
            status.last_contact = Some(at);
            status.clock_offset = offset;
            (status.reachable, status.key_changed, status.disk_full, status.refused) =
                (true, false, false, None);
            (status.revoked, status.next_try) = (false, None);
            true
        });
    }

    fn failed(&mut self, failure: Failure) {
        let now = self.now();
        match failure {
            Failure::Hie(HieError::EpochChanged(epoch)) => {
                // It answered.
                (self.link.new_epoch, self.link.failures) = (Some(epoch), 0);
                return;
            }
            Failure::Hie(error) => {
                tracing::info!(%error, "sync");
                self.link.failed(now);
                self.change(|status| {
                    status.busy = false;
                    status.reachable = !matches!(error, HieError::Unreachable(_) | HieError::KeyChanged);
                    status.unsaid = matches!(error, HieError::Malformed(_));
                    status.key_changed = matches!(error, HieError::KeyChanged);
                    status.revoked = error.is_revoked() || (status.revoked && !status.reachable);
                    status.refused = match error {
                        HieError::Refused { code, text, .. } => Some((code, text)),
                        _ => None,
                    };
                });
            }
            Failure::Store(error) => {
                tracing::warn!(%error, "sync");
                self.link.failed(now);
                let full = matches!(error, StoreError::DiskFull);
                self.change(|status| (status.busy, status.disk_full) = (false, full));
            }
        }
    }

    pub(crate) fn busy(&self, on: bool) {
        self.change(|status| status.busy = on);
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
    }

    pub(crate) fn now(&self) -> u64 {
        self.client.clock().monotonic_ms()
    }
}

/// Whether each ack is of the envelope in its place. One that the HIE could not even read has no id there; it is the one in
/// its place.
fn answers(sent: &[&LogEntry], acks: &mut [Ack]) -> Result<(), HieError> {
    if acks.len() != sent.len() {
        return Err(HieError::Malformed("one ack for each envelope"));
    }
    for (entry, ack) in sent.iter().zip(acks) {
        if ack.id == Id::default() && matches!(ack.outcome, Outcome::Refused { .. }) {
            ack.id = entry.id;
        }
        if ack.id != entry.id {
            return Err(HieError::Malformed("an ack of another envelope"));
        }
    }
    Ok(())
}

fn to_send(entry: &LogEntry) -> Option<Unsent> {
    let header = Envelope::from_bytes(&entry.bytes).and_then(|e| e.header()).ok()?;
    Some(Unsent {
        id: entry.id,
        seq: entry.seq,
        kind: entry.kind,
        tier: Tier::of(&header),
        depends: header.depends,
        bytes: entry.bytes.len(),
        refused: matches!(entry.state, rabta_store::EntryState::Quarantined { .. }),
    })
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use rabta_store::{DeviceSigner, MemoryStore, NewEnvelope, Transaction};
    use rabta_wire::envelope::Kind;

    use super::*;
    use crate::carrier::Scripted;

    #[tokio::test]
    async fn what_is_appended_during_a_long_fetch_is_counted_at_once() {
        let store = Arc::new(MemoryStore::new());
        let asked = Arc::new(Notify::new());
        let told_of = asked.clone();
        // A line on which the answer is still to come.
        let slow = Scripted::new(move || {
            told_of.notify_one();
            None
        });
        let (told, _) = mpsc::unbounded_channel();
        let hie = SigningKey::from_bytes(&[1; 32]).verifying_key();
        let (driver, handle) = Driver::new(slow, store.clone(), hie, told, 1);
        let task = tokio::spawn(driver.run());
        asked.notified().await;

        let new = NewEnvelope {
            id: Id([7; 16]),
            kind: Kind::Visit,
            patient: Some(Id([8; 16])),
            facility: Id([4; 16]),
            task: None,
            base_version: None,
            depends: vec![],
            device_time: 0,
            clock_offset: None,
            signed_by: None,
            payload: br#"{"resourceType":"Bundle","type":"document","entry":[]}"#.to_vec().into(),
        };
        let signer = DeviceSigner::new(Id([3; 16]), Arc::new(SigningKey::from_bytes(&[5; 32])));
        store.commit(Transaction::new().append(new), Some(&signer)).await.expect("it is appended");
        handle.appended();
        let mut watch = handle.watch();
        watch
            .wait_for(|status| status.here_only == 1 && status.visits_here_only == 1)
            .await
            .expect("it runs");
        task.abort();
    }
}
