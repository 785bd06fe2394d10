//! The model: what a record store is, without a disk. The simulator runs it, and the contract suite holds it
//! beside the real one.

mod state;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rabta_domain::mr;
use rabta_search::{Field, Query};
use rabta_wire::{
    Id,
    cursor::Cursor,
    enroll::MrBlock,
    envelope::{AttachmentPart, Kind},
    log::{Ack, Outcome},
};

use crate::{
    append::{LogHead, Sealer},
    details::Details,
    error::StoreError,
    model::*,
    order::{Waiting, push_order},
    traits::RecordStore,
    transaction::{Committed, Handed, PullBatch, Pulled, Transaction},
};

type Answer<T> = Result<T, StoreError>;

/// A record store in memory; every write works on a copy, so that it happens wholly or not at all.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Clone, Default)]
struct State {
    settings: BTreeMap<String, Vec<u8>>,
    dictionaries: BTreeMap<u32, Vec<u8>>,
    /// Every version; `seq` is the place, from 1.
    versions: Vec<Version>,
    current: BTreeMap<(String, String), Current>,
    drafts: BTreeMap<String, Draft>,
    log: Vec<Logged>,
    inbox: BTreeMap<Id, Received>,
    certs: BTreeMap<(Id, [u8; 32]), StoredCert>,
    blocks: Vec<Block>,
    attachments: BTreeMap<String, Attachment>,
    parts: BTreeMap<(String, u32), AttachmentPart>,
    audit: Vec<(UnsentAudit, bool)>,
    cursor: Option<Cursor>,
    backed_up: u64,
    roster: Option<Vec<u8>>,
    /// Patients whose details stand beside each other, and whether somebody has to decide.
    beside: BTreeMap<String, bool>,
}

#[derive(Debug, Clone)]
struct Version {
    kind: String,
    id: String,
    version: u32,
    server_version: Option<u64>,
    envelope: Option<Id>,
    body: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Current {
    seq: i64,
    first_seq: i64,
    patient: Option<String>,
    state: String,
    open: bool,
    deleted: bool,
    links: Vec<String>,
    keys: Vec<crate::columns::SearchKey>,
}

#[derive(Debug, Clone)]
struct Logged {
    entry: LogEntry,
    depends: Vec<Id>,
    hash: [u8; 32],
}

#[derive(Debug, Clone)]
struct Block {
    block: MrBlock,
    next: u32,
    closed: bool,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// All that it holds now, as a copy of its disk would have it.
    pub fn snapshot(&self) -> Self {
        Self(Mutex::new(self.state().clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> Answer<T>) -> Answer<T> {
        let mut state = self.state();
        let mut changed = state.clone();
        let value = change(&mut changed)?;
        *state = changed;
        Ok(value)
    }
}

impl RecordStore for MemoryStore {
    async fn commit(&self, transaction: Transaction, sealer: Option<&dyn Sealer>) -> Answer<Committed> {
        self.write(|state| {
            let mut committed = Committed::default();
            transaction.ops.into_iter().try_for_each(|op| state.op(op, sealer, &mut committed))?;
            Ok(committed)
        })
    }

    async fn save_draft(&self, draft: SaveDraft) -> Answer<u64> {
        self.write(|state| Ok(state.save_draft(draft)))
    }

    async fn next_mr(&self) -> Answer<MrNumber> {
        self.write(|state| {
            let open = state
                .blocks
                .iter_mut()
                .find(|b| !b.closed && b.next <= b.block.last)
                .ok_or(StoreError::NoMrNumbers)?;
            let (prefix, number) = (open.block.prefix.clone(), open.next);
            open.next += 1;
            Ok(MrNumber { text: mr::format(&prefix, number).into(), prefix, number })
        })
    }

    async fn mark_acks(&self, epoch: Id, acks: &[Ack]) -> Answer<()> {
        self.write(|state| {
            let here = state.cursor.is_some_and(|cursor| cursor.epoch == epoch);
            for ack in acks {
                if let (Outcome::Durable { seq }, Some(carried)) =
                    (&ack.outcome, state.inbox.get_mut(&ack.id))
                    && here
                    && !carried.is_at_hie()
                {
                    carried.hie_seq = *seq;
                }
                let Some(ours) = state.log.iter_mut().find(|l| l.entry.id == ack.id) else { continue };
                ours.entry.state = match &ack.outcome {
                    Outcome::Durable { seq } => EntryState::AtHie(Cursor { epoch, seq: *seq }),
                    Outcome::Superseded { seq, code } => {
                        EntryState::Superseded { at: Cursor { epoch, seq: *seq }, code: code.clone() }
                    }
                    Outcome::Refused { code, text } => {
                        EntryState::Quarantined { code: code.clone(), text: text.clone() }
                    }
                    Outcome::Waits { .. } => continue,
                };
            }
            Ok(())
        })
    }

    async fn requeue(&self, envelope: Id) -> Answer<()> {
        self.write(|state| {
            for logged in state.log.iter_mut().filter(|l| l.entry.id == envelope) {
                if matches!(logged.entry.state, EntryState::Quarantined { .. }) {
                    logged.entry.state = EntryState::Here;
                }
            }
            Ok(())
        })
    }

    async fn apply_pull(&self, batch: PullBatch) -> Answer<()> {
        self.write(|state| {
            for item in batch.items {
                let done = match item {
                    Pulled::Resource { kind, id, version, body } => {
                        let server_version = Some(version);
                        state.put(NewResource {
                            kind,
                            id,
                            patient: None,
                            envelope: None,
                            server_version,
                            body: body.into(),
                        })
                    }
                    Pulled::Envelope { seq, received_at, bytes } => {
                        state.receive(batch.next.epoch, seq, received_at, bytes)
                    }
                    Pulled::Cert(cert) => {
                        state.put_cert(cert);
                        Ok(())
                    }
                    Pulled::Roster(json) => {
                        state.roster = Some(json);
                        Ok(())
                    }
                };
                match done {
                    Err(StoreError::Resource(_) | StoreError::Payload(..)) => {}
                    done => done?,
                }
            }
            state.cursor = Some(batch.next);
            state.backed_up = batch.backed_up;
            Ok(())
        })
    }

    async fn take_handed(&self, handed: Handed) -> Answer<usize> {
        self.write(|state| {
            handed.certs.into_iter().for_each(|cert| state.put_cert(cert));
            let mut new = 0;
            for bytes in handed.envelopes {
                match state.take_handed(handed.at, bytes) {
                    Err(StoreError::Resource(_) | StoreError::Payload(..)) => {}
                    taken => new += usize::from(taken?),
                }
            }
            Ok(new)
        })
    }

    async fn enter_epoch(&self, epoch: Id) -> Answer<()> {
        self.write(|state| {
            if state.cursor.is_some_and(|cursor| cursor.epoch == epoch) {
                return Ok(());
            }
            for logged in &mut state.log {
                match &logged.entry.state {
                    EntryState::AtHie(at) | EntryState::Superseded { at, .. } if at.epoch != epoch => {
                        logged.entry.state = EntryState::Here;
                    }
                    _ => {}
                }
            }
            // Places are of a life of the HIE.
            state.inbox.values_mut().filter(|r| r.is_at_hie()).for_each(|received| received.hie_seq = 0);
            state.cursor = Some(Cursor { epoch, seq: 0 });
            state.backed_up = 0;
            Ok(())
        })
    }

    async fn find_patients(&self, text: &str, offset: usize, limit: usize) -> Answer<HitPage> {
        let Some(query) = Query::parse(text) else { return Ok(HitPage::default()) };
        let state = self.state();
        let ranked = state.find(&query);
        let mut hits = ranked.into_iter().filter_map(|(score, patient)| {
            let found = state.current(&("Patient".to_owned(), patient)).filter(|r| !r.deleted)?;
            let relatives = state.list(None, 20, |kind, c| {
                kind == "RelatedPerson" && c.patient.as_deref() == Some(found.id.as_str())
            });
            Some(Hit { score, patient: found, relatives })
        });
        let page: Vec<Hit> = hits.by_ref().skip(offset).take(limit).collect();
        Ok(HitPage { hits: page, more: hits.next().is_some() })
    }

    async fn number_uses(&self, number: &str) -> Answer<Vec<NumberUse>> {
        let Some(key) = rabta_search::number_key(number) else { return Ok(Vec::new()) };
        let state = self.state();
        let mut uses: Vec<NumberUse> = state
            .current
            .iter()
            .filter(|(_, c)| {
                c.keys.iter().any(|(field, _, k)| matches!(field, Field::Paper | Field::Mr) && *k == key)
            })
            .map(|((kind, id), c)| NumberUse {
                patient: c.patient.clone().unwrap_or_default(),
                source_kind: kind.clone(),
                source_id: id.clone(),
            })
            .collect();
        uses.sort();
        Ok(uses)
    }

    async fn resource(&self, kind: &str, id: &str) -> Answer<Option<Resource>> {
        Ok(self.state().current(&(kind.to_owned(), id.to_owned())).filter(|r| !r.deleted))
    }

    async fn history(&self, kind: &str, id: &str) -> Answer<Vec<Resource>> {
        let state = self.state();
        let Some(current) = state.current.get(&(kind.to_owned(), id.to_owned())) else {
            return Ok(Vec::new());
        };
        let versions = (1..).zip(&state.versions).filter(|(_, v)| v.kind == kind && v.id == id);
        Ok(versions.map(|(seq, v)| state.resource(v, seq, current)).collect())
    }

    async fn of_patient(
        &self,
        patient: &str,
        kind: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<Vec<Resource>> {
        Ok(self.state().list(before, limit, |k, c| k == kind && c.patient.as_deref() == Some(patient)))
    }

    async fn of_kind(&self, kind: &str, before: Option<i64>, limit: usize) -> Answer<Vec<Resource>> {
        Ok(self.state().list(before, limit, |k, _| k == kind))
    }

    async fn count_of_kind(&self, kind: &str) -> Answer<u64> {
        Ok(self.state().list(None, usize::MAX, |k, _| k == kind).len() as u64)
    }

    async fn open(&self, kind: &str, before: Option<i64>, limit: usize) -> Answer<Vec<Resource>> {
        Ok(self.state().list(before, limit, |k, c| k == kind && c.open))
    }

    async fn referring_to(&self, target: &str, kind: Option<&str>) -> Answer<Vec<Resource>> {
        let which =
            |k: &str, c: &Current| kind.is_none_or(|kind| kind == k) && c.links.iter().any(|l| l == target);
        let mut found = self.state().list(None, usize::MAX, which);
        found.reverse();
        Ok(found)
    }

    async fn of_envelope(&self, envelope: Id) -> Answer<Vec<Resource>> {
        let state = self.state();
        let versions = (1..).zip(&state.versions).filter(|(_, v)| v.envelope == Some(envelope));
        Ok(versions
            .filter_map(|(seq, v)| {
                Some(state.resource(v, seq, state.current.get(&(v.kind.clone(), v.id.clone()))?))
            })
            .collect())
    }

    async fn details(&self, patient: &str) -> Answer<Option<Details>> {
        Ok(self.state().details(patient))
    }

    async fn undecided(&self) -> Answer<Vec<String>> {
        let state = self.state();
        Ok(state.beside.iter().filter(|(_, open)| **open).map(|(patient, _)| patient.clone()).collect())
    }

    async fn draft(&self, id: &str) -> Answer<Option<Draft>> {
        Ok(self.state().drafts.get(id).cloned())
    }

    async fn drafts(&self, kind: Option<&str>) -> Answer<Vec<Draft>> {
        let mut drafts: Vec<Draft> = self
            .state()
            .drafts
            .values()
            .filter(|d| kind.is_none_or(|kind| d.kind == kind))
            .cloned()
            .collect();
        drafts.sort_by_key(|d| -d.seq);
        Ok(drafts)
    }

    async fn drafts_of(&self, patient: &str) -> Answer<Vec<Draft>> {
        let mut drafts = self.drafts(None).await?;
        drafts.retain(|d| d.patient.as_deref() == Some(patient));
        Ok(drafts)
    }

    async fn log_head(&self) -> Answer<LogHead> {
        Ok(self.state().head())
    }

    async fn log_entry(&self, envelope: Id) -> Answer<Option<LogEntry>> {
        Ok(self.state().log.iter().find(|l| l.entry.id == envelope).map(|l| l.entry.clone()))
    }

    async fn unsent(&self, count: usize, bytes: usize) -> Answer<Vec<LogEntry>> {
        let state = self.state();
        let waiting: Vec<Waiting> = (0..)
            .zip(&state.log)
            .filter(|(_, l)| l.entry.state == EntryState::Here)
            .map(|(n, l)| Waiting {
                n,
                id: l.entry.id,
                kind: l.entry.kind,
                of_task: l.entry.task.is_some(),
                depends: l.depends.clone(),
            })
            .collect();
        let refused: HashSet<Id> = state
            .log
            .iter()
            .filter(|l| matches!(l.entry.state, EntryState::Quarantined { .. } | EntryState::SeenTo { .. }))
            .map(|l| l.entry.id)
            .collect();
        let mut size = 0;
        let mut entries: Vec<LogEntry> = Vec::new();
        for n in push_order(&waiting, &refused).into_iter().take(count) {
            let entry = &state.log[n as usize].entry;
            size += entry.bytes.len();
            if size > bytes && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        Ok(entries)
    }

    async fn quarantined(&self) -> Answer<Vec<LogEntry>> {
        let state = self.state();
        let refused = state.log.iter().filter(|l| matches!(l.entry.state, EntryState::Quarantined { .. }));
        Ok(refused.map(|l| l.entry.clone()).collect())
    }

    async fn seen_to(&self, limit: usize) -> Answer<Vec<LogEntry>> {
        let state = self.state();
        let seen_to = state.log.iter().rev().filter(|l| matches!(l.entry.state, EntryState::SeenTo { .. }));
        Ok(seen_to.take(limit).map(|l| l.entry.clone()).collect())
    }

    async fn log_after(&self, epoch: u32, seq: u64, limit: usize) -> Answer<Vec<LogEntry>> {
        let state = self.state();
        let after = state.log.iter().filter(|l| (l.entry.log_epoch, l.entry.seq) > (epoch, seq));
        let mut found: Vec<LogEntry> = after.map(|l| l.entry.clone()).collect();
        found.sort_by_key(|entry| (entry.log_epoch, entry.seq));
        found.truncate(limit);
        Ok(found)
    }

    async fn log_of_task(&self, task: Id) -> Answer<Vec<LogEntry>> {
        let replaced = |l: &&Logged| matches!(l.entry.state, EntryState::SeenTo { by: Some(_), .. });
        let state = self.state();
        let of_task = state.log.iter().filter(|l| l.entry.task == Some(task) && !replaced(l));
        Ok(of_task.map(|l| l.entry.clone()).collect())
    }

    async fn custody(&self) -> Answer<CustodyCounts> {
        let mut counts = CustodyCounts::default();
        self.state().log.iter().for_each(|l| State::number_of(&mut counts, &l.entry.state));
        Ok(counts)
    }

    async fn custody_by_kind(&self) -> Answer<Vec<(Kind, CustodyCounts)>> {
        let kinds = [
            Kind::Patient,
            Kind::Consent,
            Kind::Visit,
            Kind::ReferralNote,
            Kind::TaskMove,
            Kind::Communication,
            Kind::Advice,
            Kind::Decisions,
            Kind::AttachmentPart,
            Kind::Audit,
        ];
        let state = self.state();
        let counted = kinds.into_iter().map(|kind| {
            let mut counts = CustodyCounts::default();
            state
                .log
                .iter()
                .filter(|l| l.entry.kind == kind)
                .for_each(|l| State::number_of(&mut counts, &l.entry.state));
            (kind, counts)
        });
        Ok(counted.filter(|(_, counts)| counts.total() > 0).collect())
    }

    async fn custody_of_patient(&self, patient: &str) -> Answer<CustodyCounts> {
        let mut counts = CustodyCounts::default();
        let state = self.state();
        let theirs = state.log.iter().filter(|l| l.entry.patient.as_deref() == Some(patient));
        theirs.for_each(|l| State::number_of(&mut counts, &l.entry.state));
        Ok(counts)
    }

    async fn custody_of(&self, kind: &str, id: &str) -> Answer<Option<EntryState>> {
        let state = self.state();
        let Some(current) = state.current(&(kind.to_owned(), id.to_owned())) else { return Ok(None) };
        if let Some(ours) = state.log.iter().find(|l| Some(l.entry.id) == current.envelope) {
            return Ok(Some(ours.entry.state.clone()));
        }
        let seq = match current.envelope.and_then(|e| state.inbox.get(&e)).map(|received| received.hie_seq) {
            Some(0 | NEARBY) => return Ok(Some(EntryState::Here)),
            place => place.unwrap_or_default(),
        };
        let epoch = state.cursor.map(|cursor| cursor.epoch).unwrap_or_default();
        Ok(Some(EntryState::AtHie(Cursor { epoch, seq })))
    }

    async fn received(&self, envelope: Id) -> Answer<Option<Received>> {
        Ok(self.state().inbox.get(&envelope).cloned())
    }

    async fn strays(&self) -> Answer<Vec<Id>> {
        let state = self.state();
        let mut strays: Vec<&Received> = state.inbox.values().filter(|r| !r.is_at_hie()).collect();
        strays.sort_by_key(|r| (r.received_at, r.id));
        Ok(strays.into_iter().map(|r| r.id).collect())
    }

    async fn handed(&self) -> Answer<u64> {
        Ok(self.state().inbox.values().filter(|r| r.hie_seq == NEARBY).count() as u64)
    }

    async fn only_here(&self) -> Answer<Vec<Id>> {
        let state = self.state();
        let own =
            state.log.iter().filter(|l| l.entry.state == EntryState::Here && l.entry.kind != Kind::Audit);
        let mut strays: Vec<&Received> =
            state.inbox.values().filter(|r| !r.is_at_hie() && r.kind != Kind::Audit).collect();
        strays.sort_by_key(|r| (r.received_at, r.id));
        Ok(own.map(|l| l.entry.id).chain(strays.into_iter().map(|r| r.id)).collect())
    }

    async fn received_of_task(&self, task: Id) -> Answer<Vec<Received>> {
        let mut received: Vec<Received> =
            self.state().inbox.values().filter(|r| r.task == Some(task)).cloned().collect();
        received.sort_by_key(|r| r.hie_seq);
        Ok(received)
    }

    async fn certs(&self, subject: Id) -> Answer<Vec<StoredCert>> {
        let mut certs: Vec<StoredCert> =
            self.state().certs.values().filter(|c| c.subject == subject).cloned().collect();
        certs.sort_by_key(|c| -c.issued_at);
        Ok(certs)
    }

    async fn cursor(&self) -> Answer<Option<Cursor>> {
        Ok(self.state().cursor)
    }

    async fn backed_up(&self) -> Answer<u64> {
        Ok(self.state().backed_up)
    }

    async fn roster(&self) -> Answer<Option<Vec<u8>>> {
        Ok(self.state().roster.clone())
    }

    async fn setting(&self, key: &str) -> Answer<Option<Vec<u8>>> {
        Ok(self.state().settings.get(key).cloned())
    }

    async fn attachment(&self, id: &str) -> Answer<Option<Attachment>> {
        Ok(self.state().attachments.get(id).cloned())
    }

    async fn unsent_audit(&self, limit: usize) -> Answer<Vec<UnsentAudit>> {
        Ok(self.state().audit.iter().filter(|(_, sent)| !sent).map(|(a, _)| a.clone()).take(limit).collect())
    }

    async fn mr_left(&self) -> Answer<u64> {
        let state = self.state();
        let open = state.blocks.iter().filter(|b| !b.closed);
        Ok(open.map(|b| (u64::from(b.block.last) + 1).saturating_sub(u64::from(b.next))).sum())
    }

    async fn dictionary(&self, id: u32) -> Answer<Option<Vec<u8>>> {
        Ok(self.state().dictionaries.get(&id).cloned())
    }
}
