//! What happens to the model's state.

use std::collections::BTreeMap;

use rabta_domain::fhir;
use rabta_search::{FEW, Field, Query, SURE, Token};
use rabta_wire::{
    Id,
    cursor::Cursor,
    envelope::{AttachmentPart, Envelope, Header, Kind},
};

use super::{Answer, Block, Current, Logged, State, Version};
use crate::{
    append::{LogHead, NewEnvelope, Projection, Sealer, project, seal_next},
    columns::Columns,
    details::{self, Details, Written, is_beside},
    error::StoreError,
    model::*,
    pack,
    transaction::{Committed, Op},
};

impl State {
    pub(super) fn put(&mut self, new: NewResource) -> Answer<()> {
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
        let version = self.versions.iter().filter(same).map(|v| v.version).max().unwrap_or(0) + 1;
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

    /// Takes out the versions that no envelope brought; their places stay empty, under no kind.
    pub(super) fn forget(&mut self, kind: String, id: String) {
        let of = |v: &Version| v.kind == kind && v.id == id;
        let stands = self.versions.iter().rev().filter(|v| of(v)).take_while(|v| !v.body.is_empty());
        if stands.into_iter().any(|v| v.envelope.is_some()) {
            return;
        }
        let taken = self
            .versions
            .iter_mut()
            .filter(|v| v.kind == kind && v.id == id && v.envelope.is_none() && !v.body.is_empty());
        for version in taken {
            (version.kind, version.body) = (String::new(), Vec::new());
        }
        let left = self.versions.iter().rposition(|v| v.kind == kind && v.id == id);
        let key = (kind, id);
        let Some(left) = left else {
            self.current.remove(&key);
            return;
        };
        if let Some(current) = self.current.get_mut(&key) {
            (current.seq, current.deleted, current.open) = (left as i64 + 1, true, false);
            (current.state, current.links, current.keys) = Default::default();
        }
    }

    pub(super) fn resource(&self, version: &Version, seq: i64, current: &Current) -> Resource {
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

    pub(super) fn current(&self, key: &(String, String)) -> Option<Resource> {
        let current = self.current.get(key)?;
        Some(self.resource(&self.versions[current.seq as usize - 1], current.seq, current))
    }

    pub(super) fn list(
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

    pub(super) fn head(&self) -> LogHead {
        self.log.last().map_or_else(LogHead::default, |last| LogHead {
            epoch: 0,
            seq: last.entry.seq,
            hash: last.hash,
        })
    }

    pub(super) fn append(&mut self, new: &NewEnvelope, sealer: &dyn Sealer) -> Answer<u64> {
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
        self.note_details(&header);
        Ok(header.seq)
    }

    fn note_details(&mut self, header: &Header) {
        if let (Kind::Patient, Some(patient)) = (header.kind, header.patient) {
            self.note_patient(&patient.to_string());
        }
    }

    fn note_patient(&mut self, patient: &str) {
        let written = self.written(patient);
        let details = if is_beside(&written) { self.stands(patient, &written) } else { None };
        match details {
            Some(details) => drop(self.beside.insert(patient.to_owned(), !details.open.is_empty())),
            None => drop(self.beside.remove(patient)),
        }
    }

    pub(super) fn details(&self, patient: &str) -> Option<Details> {
        self.beside.contains_key(patient).then(|| self.stands(patient, &self.written(patient)))?
    }

    fn written(&self, patient: &str) -> Vec<Written> {
        let of =
            |kind: Kind, about: &Option<String>| kind == Kind::Patient && about.as_deref() == Some(patient);
        let log = self.log.iter().filter(|l| {
            of(l.entry.kind, &l.entry.patient) && !matches!(l.entry.state, EntryState::SeenTo { .. })
        });
        let inbox = self.inbox.values().filter(|r| of(r.kind, &r.patient));
        let bytes = log.map(|l| &l.entry.bytes).chain(inbox.map(|r| &r.bytes));
        bytes.filter_map(|bytes| Written::read(bytes)).collect()
    }

    fn stands(&self, patient: &str, written: &[Written]) -> Option<Details> {
        let mut person = None;
        let mut related = BTreeMap::new();
        for version in self.versions.iter().filter(|v| v.envelope.is_none() && !v.body.is_empty()) {
            let Ok(resource) = fhir::Resource::parse(&version.body) else { continue };
            let about = self.current.get(&(version.kind.clone(), version.id.clone()));
            match version.kind.as_str() {
                "Patient" if version.id == patient => person = Some(resource),
                "RelatedPerson" if about.is_some_and(|c| c.patient.as_deref() == Some(patient)) => {
                    related.insert(version.id.clone(), resource);
                }
                _ => {}
            }
        }
        let related: Vec<fhir::Resource> = related.into_values().collect();
        let imported = person.and_then(|person| fhir::patient::read(&person, &related).ok());
        details::read(written, imported.map(|record| record.form), &self.dictionaries)
    }

    fn see_to(&mut self, old: Id, new: Option<Id>) {
        let Some(logged) = self.log.iter_mut().find(|l| l.entry.id == old) else { return };
        let (code, text) = match &logged.entry.state {
            EntryState::Here => Default::default(),
            EntryState::Quarantined { code, text } => (code.clone(), text.clone()),
            _ => return,
        };
        logged.entry.state = EntryState::SeenTo { code, text, by: new };
        if let (Kind::Patient, Some(patient)) = (logged.entry.kind, logged.entry.patient.clone()) {
            self.note_patient(&patient);
        }
    }

    pub(super) fn store_payload(&mut self, header: &Header, payload: &[u8]) -> Answer<()> {
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

    pub(super) fn put_part(&mut self, part: AttachmentPart) {
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

    pub(super) fn put_cert(&mut self, cert: StoredCert) {
        let newest =
            self.certs.get(&(cert.subject, cert.key)).is_none_or(|known| cert.issued_at >= known.issued_at);
        if newest {
            self.certs.insert((cert.subject, cert.key), cert);
        }
    }

    pub(super) fn save_draft(&mut self, save: SaveDraft) -> u64 {
        let known = self.drafts.get(&save.id);
        let rev = known.map_or(0, |d| d.rev) + 1;
        let seq = known.map_or_else(|| self.drafts.values().map(|d| d.seq).max().unwrap_or(0) + 1, |d| d.seq);
        let SaveDraft { id, kind, patient, updated_at, body } = save;
        self.drafts.insert(id.clone(), Draft { id, kind, patient, rev, seq, updated_at, body });
        rev
    }

    pub(super) fn op(
        &mut self,
        op: Op,
        sealer: Option<&dyn Sealer>,
        committed: &mut Committed,
    ) -> Answer<()> {
        match op {
            Op::Put(resource) => self.put(resource)?,
            Op::Forget(kind, id) => self.forget(kind, id),
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
            Op::SeeTo(old, new) => self.see_to(old, new),
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

    pub(super) fn receive(&mut self, epoch: Id, seq: u64, received_at: i64, bytes: Vec<u8>) -> Answer<()> {
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
            return self.settle(header.id);
        }
        if let Some(known) = self.inbox.get_mut(&header.id) {
            known.hie_seq = seq;
            return self.settle(header.id);
        }
        self.keep(&envelope, &header, seq, received_at, bytes)
    }

    /// Whether it was new.
    pub(super) fn take_handed(&mut self, at: i64, bytes: Vec<u8>) -> Answer<bool> {
        let envelope =
            Envelope::from_bytes(&bytes).map_err(|_| StoreError::Payload(pack::NO_ID, "not an envelope"))?;
        let header =
            envelope.header().map_err(|_| StoreError::Payload(pack::NO_ID, "no header that can be read"))?;
        let known = |logged: &Logged| logged.entry.id == header.id;
        if self.log.iter().any(known) || self.inbox.contains_key(&header.id) {
            return Ok(false);
        }
        self.keep(&envelope, &header, NEARBY, at, bytes)?;
        Ok(true)
    }

    fn keep(
        &mut self,
        envelope: &Envelope,
        header: &Header,
        seq: u64,
        received_at: i64,
        bytes: Vec<u8>,
    ) -> Answer<()> {
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
        let payload = pack::unpack_payload(envelope, header, dictionary.as_deref())?;
        self.store_payload(header, &payload)?;
        self.note_details(header);
        self.settle(header.id)
    }

    /// Of each resource that the envelope brought, the version that the HIE took last becomes the current one; what this
    /// laptop has still to send comes after all of those. So all laptops show the same in the end, in whichever order
    /// they heard of it, and nobody's own word disappears before it was sent.
    fn settle(&mut self, envelope: Id) -> Answer<()> {
        let brought = self.versions.iter().filter(|v| v.envelope == Some(envelope) && !v.kind.is_empty());
        let brought: Vec<(String, String)> = brought.map(|v| (v.kind.clone(), v.id.clone())).collect();
        for (kind, id) in brought {
            let key = (kind, id);
            let Some(current) = self.current(&key).and_then(|resource| resource.envelope) else { continue };
            let of = |v: &&Version| v.kind == key.0 && v.id == key.1;
            let ranked =
                self.versions.iter().filter(of).filter_map(|v| Some((self.rank(v.envelope?), v.version)));
            let Some((rank, best)) = ranked.max().filter(|(rank, _)| *rank > self.rank(current)) else {
                continue;
            };
            debug_assert!(rank > 0);
            let Some(version) =
                self.versions.iter_mut().find(|v| v.kind == key.0 && v.id == key.1 && v.version == best)
            else {
                continue;
            };
            let (envelope, body) = (version.envelope, std::mem::take(&mut version.body));
            let patient = self.current.get(&key).and_then(|current| current.patient.clone());
            let (kind, id) = key;
            let raised = NewResource { kind, id, patient, envelope, server_version: None, body: body.into() };
            self.put(raised)?;
            let moved = |v: &&mut Version| v.body.is_empty() && v.envelope == envelope && v.version == best;
            self.versions.iter_mut().filter(moved).for_each(|v| v.kind = String::new());
        }
        Ok(())
    }

    /// An envelope's place in the HIE's order. What it took without effect, or not at all, is before everything.
    fn rank(&self, envelope: Id) -> u64 {
        let own = self.log.iter().find(|logged| logged.entry.id == envelope);
        match own.map(|logged| &logged.entry.state) {
            Some(EntryState::Here) => u64::MAX,
            Some(EntryState::AtHie(at)) => at.seq,
            Some(
                EntryState::Superseded { .. } | EntryState::Quarantined { .. } | EntryState::SeenTo { .. },
            ) => 0,
            None => self.inbox.get(&envelope).map_or(0, |received| received.hie_seq),
        }
    }

    pub(super) fn number_of(counts: &mut CustodyCounts, state: &EntryState) {
        let number = match state {
            EntryState::Here => 0,
            EntryState::AtHie(_) => 1,
            EntryState::Superseded { .. } => 2,
            EntryState::Quarantined { .. } => 3,
            EntryState::SeenTo { .. } => 4,
        };
        counts.add(number, 1);
    }

    /// As the database does it: slips where few were found, and of words that no name begins with.
    pub(super) fn find(&self, query: &Query) -> Vec<(u32, String)> {
        let mut keys: BTreeMap<&str, Vec<(Field, u8, &str)>> = BTreeMap::new();
        for current in self.current.values() {
            if let Some(patient) = &current.patient {
                let own = current.keys.iter().map(|(field, length, key)| (*field, *length, key.as_str()));
                keys.entry(patient).or_default().extend(own);
            }
        }
        let ranked = |slips: &dyn Fn(&Token) -> bool| {
            let reached = |keys: &[(Field, u8, &str)]| {
                query.tokens().iter().all(|token| {
                    let (ranges, slips) = (token.ranges(), slips(token));
                    keys.iter().any(|(.., key)| {
                        ranges.iter().any(|range| range.holds(key)) || slips && token.meant(key).is_some()
                    })
                })
            };
            let mut ranked: Vec<(u32, String)> = keys
                .iter()
                .filter(|(_, keys)| reached(keys))
                .filter_map(|(patient, keys)| {
                    Some((query.score(keys.iter().copied())?, (*patient).to_owned()))
                })
                .collect();
            ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            ranked
        };
        let without = ranked(&|_| false);
        let doubted = without.get(FEW - 1).is_none_or(|(score, _)| *score < SURE);
        let as_typed = |token: &Token| keys.values().flatten().any(|(.., key)| token.is_in(key));
        ranked(&|token| doubted || !as_typed(token))
    }
}
