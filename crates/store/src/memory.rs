//! The model: what a record store is, without a disk. The simulator runs it, and the contract suite holds it
//! beside the real one.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rabta_domain::mr;
use rabta_search::{Field, Key, Query};
use rabta_wire::{
    Id,
    cursor::Cursor,
    enroll::MrBlock,
    envelope::{AttachmentPart, Envelope, Header, Kind},
    log::{Ack, Outcome},
};

use crate::{
    append::{LogHead, NewEnvelope, Projection, Sealer, project, seal_next},
    columns::Columns,
    error::StoreError,
    model::*,
    order::{Waiting, push_order},
    pack,
    traits::RecordStore,
    transaction::{Committed, Op, PullBatch, Pulled, Transaction},
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
    keys: Vec<(Field, Key)>,
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

impl State {
    fn put(&mut self, new: NewResource) -> Answer<()> {
        let deleted = new.body.is_empty();
        let columns =
            if deleted { Columns::default() } else { Columns::read(&new.kind, &new.id, &new.body)? };
        let same = |v: &&Version| v.kind == new.kind && v.id == new.id;
        if new.server_version.is_some()
            && self
                .versions
                .iter()
                .filter(same)
                .any(|v| v.server_version == new.server_version && v.body == *new.body)
        {
            return Ok(());
        }
        let version = self.versions.iter().filter(same).count() as u32 + 1;
        let seq = self.versions.len() as i64 + 1;
        let key = (new.kind.clone(), new.id.clone());
        let first_seq = self.current.get(&key).map_or(seq, |c| c.first_seq);
        let current = Current {
            seq,
            first_seq,
            patient: columns.patient.or(new.patient),
            state: columns.state,
            open: columns.open,
            deleted,
            links: columns.links,
            keys: columns.keys,
        };
        self.current.insert(key, current);
        let (server_version, envelope) = (new.server_version, new.envelope);
        self.versions.push(Version {
            kind: new.kind,
            id: new.id,
            version,
            server_version,
            envelope,
            body: new.body.0,
        });
        Ok(())
    }

    fn resource(&self, version: &Version, seq: i64, current: &Current) -> Resource {
        Resource {
            kind: version.kind.clone(),
            id: version.id.clone(),
            version: version.version,
            seq,
            first_seq: current.first_seq,
            patient: current.patient.clone(),
            state: current.state.clone(),
            open: current.open,
            deleted: version.body.is_empty(),
            envelope: version.envelope,
            body: version.body.clone().into(),
        }
    }

    fn current(&self, key: &(String, String)) -> Option<Resource> {
        let current = self.current.get(key)?;
        Some(self.resource(&self.versions[current.seq as usize - 1], current.seq, current))
    }

    fn list(
        &self,
        before: Option<i64>,
        limit: usize,
        which: impl Fn(&str, &Current) -> bool,
    ) -> Vec<Resource> {
        let mut found: Vec<Resource> = self
            .current
            .iter()
            .filter(|((kind, _), c)| !c.deleted && c.first_seq < before.unwrap_or(i64::MAX) && which(kind, c))
            .filter_map(|(key, _)| self.current(key))
            .collect();
        found.sort_by_key(|r| -r.first_seq);
        found.truncate(limit);
        found
    }

    fn head(&self) -> LogHead {
        self.log.last().map_or_else(LogHead::default, |last| LogHead {
            epoch: 0,
            seq: last.entry.seq,
            hash: last.hash,
        })
    }

    fn append(&mut self, new: &NewEnvelope, sealer: &dyn Sealer) -> Answer<u64> {
        let (envelope, header, head) = seal_next(self.head(), new, sealer);
        if self.log.iter().any(|l| l.entry.id == header.id) {
            return Err(StoreError::Database("an envelope with this id is in the log".into()));
        }
        let entry = LogEntry {
            log_epoch: header.epoch,
            seq: header.seq,
            id: header.id,
            kind: header.kind,
            patient: header.patient.map(|p| p.to_string()),
            task: header.task,
            state: EntryState::Here,
            bytes: envelope.to_bytes().into(),
        };
        self.log.push(Logged { entry, depends: header.depends.clone(), hash: head.hash });
        self.store_payload(&header, &new.payload)?;
        Ok(header.seq)
    }

    fn store_payload(&mut self, header: &Header, payload: &[u8]) -> Answer<()> {
        match project(header, payload)? {
            Projection::Resources(resources) => {
                resources.into_iter().try_for_each(|resource| self.put(resource))
            }
            Projection::Part(part) => {
                self.put_part(part);
                Ok(())
            }
        }
    }

    fn put_part(&mut self, part: AttachmentPart) {
        let id = part.attachment.to_string();
        if self.attachments.contains_key(&id) {
            return;
        }
        let (count, content_type) = (part.count as usize, part.content_type.clone());
        self.parts.entry((id.clone(), part.index)).or_insert(part);
        let here: Vec<&AttachmentPart> =
            self.parts.iter().filter(|((of, _), _)| *of == id).map(|(_, part)| part).collect();
        if here.len() >= count {
            let bytes: Vec<u8> = here.iter().flat_map(|part| part.bytes.iter().copied()).collect();
            self.parts.retain(|(of, _), _| *of != id);
            self.attachments.insert(
                id.clone(),
                Attachment { id, content_type, bytes: bytes.into(), thumb: Vec::new().into() },
            );
        }
    }

    fn put_cert(&mut self, cert: StoredCert) {
        let newest =
            self.certs.get(&(cert.subject, cert.key)).is_none_or(|known| cert.issued_at >= known.issued_at);
        if newest {
            self.certs.insert((cert.subject, cert.key), cert);
        }
    }

    fn save_draft(&mut self, save: SaveDraft) -> u64 {
        let known = self.drafts.get(&save.id);
        let rev = known.map_or(0, |d| d.rev) + 1;
        let seq = known.map_or_else(|| self.drafts.values().map(|d| d.seq).max().unwrap_or(0) + 1, |d| d.seq);
        let SaveDraft { id, kind, patient, updated_at, body } = save;
        self.drafts.insert(id.clone(), Draft { id, kind, patient, rev, seq, updated_at, body });
        rev
    }

    fn op(&mut self, op: Op, sealer: Option<&dyn Sealer>, committed: &mut Committed) -> Answer<()> {
        match op {
            Op::Put(resource) => self.put(resource)?,
            Op::SaveDraft(draft) => {
                let id = draft.id.clone();
                let rev = self.save_draft(draft);
                committed.drafts.push((id, rev));
            }
            Op::DropDraft(id) => {
                self.drafts.remove(&id);
            }
            Op::Append(new) => {
                let seq = self.append(&new, sealer.ok_or(StoreError::NoSealer)?)?;
                committed.appended.push((new.id, seq));
            }
            Op::PutAttachment(attachment) => {
                self.attachments.insert(attachment.id.clone(), attachment);
            }
            Op::PutCert(cert) => self.put_cert(cert),
            Op::Set(key, value) => {
                self.settings.insert(key, value);
            }
            Op::Unset(key) => {
                self.settings.remove(&key);
            }
            Op::Audit(entry) => {
                let seq = self.audit.len() as i64 + 1;
                self.audit.push((UnsentAudit { seq, entry }, false));
            }
            Op::AuditSent(seq) => {
                self.audit.iter_mut().filter(|(a, _)| a.seq <= seq).for_each(|(_, sent)| *sent = true)
            }
            Op::MrBlock(block) => {
                if !self.blocks.iter().any(|b| b.block.prefix == block.prefix && b.block.first == block.first)
                {
                    self.blocks.push(Block { next: block.first, closed: false, block });
                    self.blocks.sort_by(|a, b| {
                        (&a.block.prefix, a.block.first).cmp(&(&b.block.prefix, b.block.first))
                    });
                }
            }
            Op::CloseMrBlocks => self.blocks.iter_mut().for_each(|b| b.closed = true),
            Op::AddDictionary(0, _) => return Err(StoreError::Resource("dictionary 0 means none")),
            Op::AddDictionary(id, bytes) => {
                self.dictionaries.entry(id).or_insert(bytes);
            }
        }
        Ok(())
    }

    fn receive(&mut self, epoch: Id, seq: u64, received_at: i64, bytes: Vec<u8>) -> Answer<()> {
        let envelope =
            Envelope::from_bytes(&bytes).map_err(|_| StoreError::Payload(pack::NO_ID, "not an envelope"))?;
        let header =
            envelope.header().map_err(|_| StoreError::Payload(pack::NO_ID, "no header that can be read"))?;
        if let Some(ours) = self.log.iter_mut().find(|l| l.entry.id == header.id) {
            let superseded =
                matches!(&ours.entry.state, EntryState::Superseded { at, .. } if at.epoch == epoch);
            if !superseded {
                ours.entry.state = EntryState::AtHie(Cursor { epoch, seq });
            }
            return Ok(());
        }
        if let Some(known) = self.inbox.get_mut(&header.id) {
            known.hie_seq = seq;
            return Ok(());
        }
        let received = Received {
            id: header.id,
            hie_seq: seq,
            device: header.device,
            kind: header.kind,
            patient: header.patient.map(|p| p.to_string()),
            task: header.task,
            received_at,
            bytes: bytes.into(),
        };
        self.inbox.insert(header.id, received);
        let dictionary = self.dictionaries.get(&header.dictionary).cloned();
        let payload = pack::unpack_payload(&envelope, &header, dictionary.as_deref())?;
        self.store_payload(&header, &payload)
    }

    fn number_of(counts: &mut CustodyCounts, state: &EntryState) {
        let number = match state {
            EntryState::Here => 0,
            EntryState::AtHie(_) => 1,
            EntryState::Superseded { .. } => 2,
            EntryState::Quarantined { .. } => 3,
        };
        counts.add(number, 1);
    }

    fn find(&self, query: &Query, slips: bool) -> Vec<(u32, String)> {
        let mut keys: BTreeMap<&str, Vec<(Field, &str)>> = BTreeMap::new();
        for current in self.current.values() {
            if let Some(patient) = &current.patient {
                keys.entry(patient).or_default().extend(current.keys.iter().map(|(f, k)| (*f, k.as_str())));
            }
        }
        let reached = |keys: &[(Field, &str)]| {
            query.tokens().iter().all(|token| {
                let (ranges, near) = (token.ranges(), if slips { token.slips() } else { Vec::new() });
                keys.iter()
                    .any(|(_, k)| ranges.iter().any(|r| r.holds(k)) || near.iter().any(|n| n.as_str() == *k))
            })
        };
        let mut ranked: Vec<(u32, String)> = keys
            .into_iter()
            .filter(|(_, keys)| reached(keys))
            .filter_map(|(patient, keys)| Some((query.score(keys)?, patient.to_owned())))
            .collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        ranked
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
            for ack in acks {
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
            state.cursor = Some(Cursor { epoch, seq: 0 });
            state.backed_up = 0;
            Ok(())
        })
    }

    async fn find_patients(&self, text: &str, offset: usize, limit: usize) -> Answer<HitPage> {
        let Some(query) = Query::parse(text) else { return Ok(HitPage::default()) };
        let state = self.state();
        let mut ranked = state.find(&query, false);
        if ranked.is_empty() {
            ranked = state.find(&query, true);
        }
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
                c.keys.iter().any(|(field, k)| matches!(field, Field::Paper | Field::Mr) && *k == key)
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

    async fn in_state(
        &self,
        kind: &str,
        state: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Answer<Vec<Resource>> {
        Ok(self.state().list(before, limit, |k, c| k == kind && c.state == state))
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
            .filter(|l| matches!(l.entry.state, EntryState::Quarantined { .. }))
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

    async fn log_of_task(&self, task: Id) -> Answer<Vec<LogEntry>> {
        Ok(self.state().log.iter().filter(|l| l.entry.task == Some(task)).map(|l| l.entry.clone()).collect())
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
        let seq = current.envelope.and_then(|e| state.inbox.get(&e)).map_or(0, |received| received.hie_seq);
        let epoch = state.cursor.map(|cursor| cursor.epoch).unwrap_or_default();
        Ok(Some(EntryState::AtHie(Cursor { epoch, seq })))
    }

    async fn received(&self, envelope: Id) -> Answer<Option<Received>> {
        Ok(self.state().inbox.get(&envelope).cloned())
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
