//! The HIE of the sim: the model core behind what `/v1` does (epoch of cursors, limits, the backup watermark), backups, a
//! restore, and letters that arrive late.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ed25519_dalek::SigningKey;
use rabta_hie::{
    envelopes::{Caller, EnvelopeCore, Page, model::ModelCore},
    identity::{DeviceInfo, PersonKey},
};
use rabta_sync::HieError;
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    cursor::Cursor,
    enroll::MrBlock,
    envelope::{Envelope, Kind},
    limits,
    log::{Ack, Item, Outcome, PullReply, PushReply},
};

use crate::{
    chance::Chance,
    known_bad::KnownBad,
    story::{Story, tell},
    time::{Time, at_once},
};

/// As in the HIE's `/v1/changes/lately`.
const LATELY_MS: i64 = 7 * 24 * 3_600_000;
/// MR numbers in a block.
const BLOCK: u32 = 100;

/// Who joined: what the operator enrolls again when a restore forgot it.
struct Enrolled {
    device: DeviceInfo,
    person: Id,
    person_key: PersonKey,
    name: String,
}

struct Inner {
    core: ModelCore,
    epoch: Id,
    /// The state as of the last backup, and its newest place.
    backup: Option<(ModelCore, u64)>,
    /// Pushes that are still on their way, by when they arrive.
    late: BTreeMap<(u64, u64), (Caller, Vec<Vec<u8>>)>,
    late_made: u64,
    enrolled: Vec<Enrolled>,
    /// Each facility's number, and the block that it is handed next.
    blocks: BTreeMap<Id, (usize, u32)>,
    down_until: u64,
}

/// The HIE. Clones are the same one.
#[derive(Clone)]
pub struct Hie {
    inner: Arc<Mutex<Inner>>,
    pub key: Arc<SigningKey>,
    time: Time,
    chance: Chance,
    story: Story,
    bad: Option<KnownBad>,
}

impl Hie {
    pub fn new(time: Time, chance: Chance, story: Story, bad: Option<KnownBad>) -> Self {
        let key = Arc::new(chance.key());
        let inner = Inner {
            core: ModelCore::default(),
            epoch: chance.id(),
            backup: None,
            late: BTreeMap::new(),
            late_made: 0,
            enrolled: Vec::new(),
            blocks: BTreeMap::new(),
            down_until: 0,
        };
        Self { inner: Arc::new(Mutex::new(inner)), key, time, chance, story, bad }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn epoch(&self) -> Id {
        self.inner().epoch
    }

    /// A look at what it holds, for the promises.
    pub fn look<T>(&self, look: impl FnOnce(&ModelCore) -> T) -> T {
        look(&self.inner().core)
    }

    /// A device and its person join: certificates for both, seen by everybody, and a block of MR numbers.
    pub fn enroll(&self, device: DeviceInfo, person: Id, person_key: PersonKey, name: &str) -> MrBlock {
        let enrolled = Enrolled { device, person, person_key, name: name.to_owned() };
        let mut inner = self.inner();
        self.certify(&inner.core, &enrolled);
        let facility = enrolled.device.facility;
        inner.enrolled.push(enrolled);
        let place = inner.blocks.len() + 1;
        let (place, block) = inner.blocks.entry(facility).or_insert((place, 0));
        let first = *block * BLOCK + 1;
        *block += 1;
        MrBlock { prefix: format!("S{place:04}"), first, last: first + BLOCK - 1 }
    }

    fn certify(&self, core: &ModelCore, who: &Enrolled) {
        let facility = who.device.facility;
        core.add_device(who.device.clone());
        core.add_person(who.person, who.person_key.clone());
        let device = Subject::Device { id: who.device.id, name: who.name.clone() };
        let person = Subject::Person {
            id: who.person,
            name: who.name.clone(),
            role: who.person_key.role.clone(),
            registration: None,
            qualification: None,
            specialty: None,
        };
        for (subject, key) in [(device, who.device.key), (person, who.person_key.key)] {
            let cert = Cert {
                subject,
                key: key.to_bytes(),
                facility,
                facility_name: "a place".into(),
                issued_at: self.time.unix_ms(),
                revoked: false,
            };
            core.show_cert(SignedCert::sign(&self.key, &cert).to_bytes());
        }
    }

    /// Nobody answers until `until` (milliseconds of the world's clock).
    pub fn down(&self, until: u64) {
        self.inner().down_until = until;
    }

    pub fn is_down(&self) -> bool {
        self.time.now() < self.inner().down_until
    }

    pub fn back_up(&self) {
        let mut inner = self.inner();
        let newest = inner.core.newest();
        inner.backup = Some((inner.core.snapshot(), newest));
        tell!(self.story, "HIE: backup up to {newest}");
    }

    /// The last backup takes the place of what is there. What joined since is enrolled again by the operator. Whether there
    /// was one.
    pub fn restore(&self) -> bool {
        let mut inner = self.inner();
        let Some((backup, newest)) = inner.backup.as_ref().map(|(core, newest)| (core.snapshot(), *newest))
        else {
            return false;
        };
        let lost = inner.core.newest();
        inner.core = backup;
        if self.bad != Some(KnownBad::NoEpoch) {
            inner.epoch = self.chance.id();
        }
        let known: Vec<Id> =
            inner.enrolled.iter().filter(|e| inner.core.knows(e.device.id)).map(|e| e.device.id).collect();
        for who in inner.enrolled.iter().filter(|e| !known.contains(&e.device.id)) {
            self.certify(&inner.core, who);
        }
        tell!(self.story, "HIE: restored to {newest}, {} places are gone", lost.saturating_sub(newest));
        true
    }

    /// A push whose sender has given up waiting arrives `ms` later.
    pub fn arrives_late(&self, ms: u64, caller: Caller, envelopes: Vec<Vec<u8>>) {
        let mut inner = self.inner();
        inner.late_made += 1;
        let at = (self.time.now() + ms, inner.late_made);
        inner.late.insert(at, (caller, envelopes));
    }

    pub fn next_late(&self) -> Option<u64> {
        self.inner().late.keys().next().map(|(at, _)| *at)
    }

    /// Takes what has arrived by now.
    pub fn deliver_late(&self) {
        loop {
            let mut inner = self.inner();
            let Some(((at, _), _)) = inner.late.first_key_value() else { return };
            if *at > self.time.now() {
                return;
            }
            let Some((_, (caller, envelopes))) = inner.late.pop_first() else { return };
            drop(inner);
            if !self.is_down() {
                tell!(self.story, "HIE: a push of {} arrives late", envelopes.len());
                self.push(caller, envelopes);
            }
        }
    }

    /// `POST /v1/envelopes`.
    pub fn push(&self, caller: Caller, envelopes: Vec<Vec<u8>>) -> PushReply {
        let inner = self.inner();
        let now = self.time.unix_ms();
        let mut acks = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            if self.bad == Some(KnownBad::LastWriteWins)
                && let Some(ack) = older_edit(&inner.core, &envelope)
            {
                acks.push(ack);
                continue;
            }
            let taken = at_once(inner.core.push(caller, vec![envelope], now));
            acks.extend(taken.and_then(Result::ok).into_iter().flatten());
        }
        PushReply { epoch: inner.epoch, acks }
    }

    /// `GET /v1/changes`, and of `lately` where asked.
    pub fn pull(
        &self,
        caller: Caller,
        after: Option<Cursor>,
        limit: u32,
        lately: bool,
    ) -> Result<PullReply, HieError> {
        let inner = self.inner();
        if let Some(cursor) = after
            && cursor.epoch != inner.epoch
        {
            return Err(HieError::EpochChanged(inner.epoch));
        }
        let (after, limit) = (after.map_or(0, |cursor| cursor.seq), limit.clamp(1, limits::PULL_COUNT));
        let page = match (lately, self.bad) {
            (true, _) => inner.core.lately(caller, self.time.unix_ms() - LATELY_MS, after, limit),
            (false, Some(KnownBad::TimestampCursor)) => by_time(&inner.core, caller, after, limit),
            (false, _) => at_once(inner.core.pull(caller, after, limit))
                .and_then(Result::ok)
                .ok_or(HieError::Malformed("the model answers at once"))?,
        };
        let backed_up = inner.backup.as_ref().map_or(0, |(_, newest)| *newest);
        Ok(PullReply {
            changes: page.changes,
            next: Cursor { epoch: inner.epoch, seq: page.next },
            more: page.more,
            backed_up,
            remaining: page.remaining,
            lease: None,
            copied: None,
        })
    }
}

/// Known-bad: an edit with an earlier device time than one that is there is taken, and thrown away.
fn older_edit(core: &ModelCore, bytes: &[u8]) -> Option<Ack> {
    let header = Envelope::from_bytes(bytes).and_then(|envelope| envelope.header()).ok()?;
    if header.kind != Kind::Patient {
        return None;
    }
    let newer = core.held().into_iter().rev().find(|held| {
        let other = &held.header;
        other.kind == Kind::Patient
            && other.patient == header.patient
            && other.device_time > header.device_time
    })?;
    Some(Ack { id: header.id, outcome: Outcome::Durable { seq: newer.seq } })
}

/// Known-bad: what was received after the cursor's time (milliseconds since 1970).
fn by_time(core: &ModelCore, caller: Caller, after: u64, limit: u32) -> Page {
    let Some(Ok(mut page)) = at_once(core.pull(caller, 0, u32::MAX)) else {
        return Page { changes: Vec::new(), next: after, more: false, remaining: 0 };
    };
    let mut last = 0;
    let mut times = Vec::new();
    page.changes.retain(|change| {
        if let Item::Envelope { received_at, .. } = &change.item {
            last = (*received_at).max(0) as u64;
        }
        let is_new = last > after || after == 0;
        if is_new {
            times.push(last);
        }
        is_new
    });
    page.remaining = page.changes.len().saturating_sub(limit as usize) as u64;
    page.changes.truncate(limit as usize);
    times.truncate(limit as usize);
    page.next = times.into_iter().max().unwrap_or(after).max(after);
    page.more = page.remaining > 0 && page.next > after;
    page
}
