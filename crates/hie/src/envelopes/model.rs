//! A small envelope core in memory: what the rules come to without a database. The contract suite runs on it and on
//! the real one; the simulator stands it in for a server. It keeps no versions, no audit and no FHIR index. Nothing in
//! it depends on the order of a hash map, so that the same calls give the same answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use rabta_domain::ask::State as AskState;
use rabta_wire::{
    Id,
    envelope::{Header, Kind},
    log::{Ack, Change, Item, Outcome},
};
use serde_json::Value;

use super::{
    Caller, CoreError, EnvelopeCore, Page,
    chain::{Neighbors, Place, place},
    content::{Content, Holder, consent_opens},
    examine::{self, Examined, Refusal, codes},
    scope::{Scope, only_while_open},
    task::{self, Basis, Effect, Standing},
};
use crate::identity::{DeviceInfo, PersonKey};

/// The model. Devices and persons are put in directly.
#[derive(Default)]
pub struct ModelCore(Mutex<Model>);

#[derive(Clone, Default)]
struct Model {
    seq: u64,
    devices: BTreeMap<Id, DeviceInfo>,
    persons: BTreeMap<Id, Vec<PersonKey>>,
    /// Of each (device, log epoch), by seq.
    logs: BTreeMap<(Id, u32), BTreeMap<u64, Entry>>,
    envelopes: BTreeMap<u64, Kept>,
    resources: BTreeMap<(String, String), Owned>,
    asks: BTreeMap<Id, Standing>,
    /// Asks that a patient's no closed to whoever is outside, with the Consent that said so.
    shut: BTreeMap<Id, String>,
    changes: Vec<Row>,
    /// Persons and their specialties.
    roster: Vec<(Id, String)>,
    /// Encoded, in the order in which they were shown.
    certs: Vec<Vec<u8>>,
}

#[derive(Clone)]
struct Entry {
    hash: [u8; 32],
    prev: [u8; 32],
    settled: Option<Outcome>,
}

#[derive(Clone)]
struct Kept {
    header: Header,
    bytes: Vec<u8>,
    received_at: i64,
    superseded: bool,
}

#[derive(Clone)]
struct Owned {
    facility: Id,
    patient: Option<String>,
    /// The envelope that wrote it last.
    seq: u64,
    value: Value,
}

#[derive(Clone)]
struct Row {
    seq: u64,
    scope: Scope,
    while_open: Option<Id>,
    item: Shown,
}

#[derive(Clone, Copy)]
enum Shown {
    /// By its place in the log.
    Envelope(u64),
    /// By its place among the certificates.
    Cert(usize),
}

/// An envelope that the model holds.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its place in the log.
    pub seq: u64,
    pub header: Header,
    /// It came too late for its ask: kept, without effect.
    pub superseded: bool,
}

impl ModelCore {
    pub fn add_device(&self, device: DeviceInfo) {
        self.lock().devices.insert(device.id, device);
    }

    pub fn add_person(&self, person: Id, key: PersonKey) {
        self.lock().persons.entry(person).or_default().push(key);
    }

    /// Puts a person on the roster; asks that are there already do not come to them.
    pub fn add_to_roster(&self, person: Id, specialty: &str) {
        self.lock().roster.push((person, specialty.to_owned()));
    }

    /// Shows a certificate (an encoded [`rabta_wire::cert::SignedCert`]) to everybody.
    pub fn show_cert(&self, cert: Vec<u8>) {
        let mut model = self.lock();
        model.certs.push(cert);
        let (seq, item) = (model.next(), Shown::Cert(model.certs.len() - 1));
        model.changes.push(Row { seq, scope: Scope::Everybody, while_open: None, item });
    }

    /// All that it knows now, as a backup has it.
    pub fn snapshot(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }

    pub fn knows(&self, device: Id) -> bool {
        self.lock().devices.contains_key(&device)
    }

    /// The newest place that it gave.
    pub fn newest(&self) -> u64 {
        self.lock().seq
    }

    /// What it holds, in the order of its log.
    pub fn held(&self) -> Vec<Held> {
        let model = self.lock();
        let held = |(seq, kept): (&u64, &Kept)| Held {
            seq: *seq,
            header: kept.header.clone(),
            superseded: kept.superseded,
        };
        model.envelopes.iter().map(held).collect()
    }

    /// Whether two histories were written in this device's name.
    pub fn is_forked(&self, device: Id) -> bool {
        self.lock().devices.get(&device).is_some_and(|device| device.forked)
    }

    /// How an ask stands.
    pub fn standing(&self, ask: Id) -> Option<Standing> {
        self.lock().asks.get(&ask).cloned()
    }

    /// Of what a laptop needs first: see [`EnvelopeCore::pull`], for patients seen since `since` (milliseconds since 1970)
    /// and those whose ask is open.
    pub fn lately(&self, reader: Caller, since: i64, after: u64, limit: u32) -> Page {
        let model = self.lock();
        let seen = model.envelopes.values().filter(|kept| kept.received_at >= since);
        let seen = seen.filter_map(|kept| kept.header.patient.map(|patient| patient.to_string()));
        let asked = model.asks.values().filter(|ask| !ask.state.is_closed()).map(|ask| ask.patient.clone());
        let patients: BTreeSet<String> = seen.chain(asked).collect();
        model.page(reader, after, limit, |row| match row.item {
            Shown::Cert(_) => true,
            Shown::Envelope(seq) => model
                .envelopes
                .get(&seq)
                .and_then(|kept| kept.header.patient)
                .is_some_and(|patient| patients.contains(&patient.to_string())),
        })
    }

    pub fn revoke_device(&self, device: Id) {
        if let Some(device) = self.lock().devices.get_mut(&device) {
            device.revoked = true;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl EnvelopeCore for ModelCore {
    async fn push(&self, _carrier: Caller, envelopes: Vec<Vec<u8>>, now: i64) -> Result<Vec<Ack>, CoreError> {
        let mut model = self.lock();
        Ok(envelopes.into_iter().map(|bytes| model.take(bytes, now)).collect())
    }

    async fn pull(&self, reader: Caller, after: u64, limit: u32) -> Result<Page, CoreError> {
        Ok(self.lock().page(reader, after, limit, |_| true))
    }
}

fn refused(r: Refusal) -> Outcome {
    Outcome::Refused { code: r.code.into(), text: r.text }
}

impl Model {
    fn take(&mut self, bytes: Vec<u8>, now: i64) -> Ack {
        let (envelope, header) = match examine::read(&bytes) {
            Ok(read) => read,
            Err((id, refusal)) => return Ack { id, outcome: refused(refusal) },
        };
        let id = header.id;
        let signer = header
            .signed_by
            .as_ref()
            .and_then(|s| self.persons.get(&s.person))
            .map_or(&[][..], Vec::as_slice);
        let outcome = match examine::examine(&envelope, bytes, self.devices.get(&header.device), signer, now)
        {
            Ok(examined) => self.decide(examined, now),
            Err(refusal) => refused(refusal),
        };
        Ack { id, outcome }
    }

    fn decide(&mut self, examined: Examined, now: i64) -> Outcome {
        let Examined { header, hash, bytes, verdict } = examined;
        let log = self.logs.entry((header.device, header.epoch)).or_default();
        let known = Neighbors {
            before: log.get(&(header.seq - 1)).map(|e| e.hash),
            at: log.get(&header.seq).map(|e| e.hash),
            after: log.get(&(header.seq + 1)).map(|e| e.prev),
        };
        let place = place(known, &header, hash);
        if let (Place::Again, Some(Entry { settled: Some(settled), .. })) = (place, log.get(&header.seq)) {
            return settled.clone();
        }
        let Some(device) = self.devices.get_mut(&header.device) else {
            return refused(Refusal::new(codes::DEVICE_UNKNOWN, "unknown"));
        };
        if place == Place::Fork || device.forked {
            device.forked = true;
            return refused(Refusal::new(codes::FORK, "forked"));
        }
        log.entry(header.seq).or_insert(Entry { hash, prev: header.prev, settled: None });
        let outcome = if device.revoked {
            refused(Refusal::new(codes::DEVICE_REVOKED, "revoked"))
        } else {
            match verdict {
                Ok(content) => self.judge(&header, bytes, content, now),
                Err(refusal) => refused(refusal),
            }
        };
        if matches!(outcome, Outcome::Durable { .. } | Outcome::Superseded { .. })
            && let Some(entry) =
                self.logs.get_mut(&(header.device, header.epoch)).and_then(|l| l.get_mut(&header.seq))
        {
            entry.settled = Some(outcome.clone());
        }
        outcome
    }

    fn is_here(&self, id: Id) -> bool {
        self.envelopes.values().any(|e| e.header.id == id)
    }

    fn judge(&mut self, header: &Header, bytes: Vec<u8>, content: Content, now: i64) -> Outcome {
        if let Some(missing) = header.depends.iter().find(|d| !self.is_here(**d)) {
            return Outcome::Waits { on: *missing };
        }
        if self.is_here(header.id) {
            return refused(Refusal::new(codes::ID_TAKEN, "taken"));
        }
        match self.check(header, &content) {
            Err(refusal) => refused(refusal),
            Ok(Effect::Superseded(state)) => {
                let seq = self.keep(header, bytes, now, true);
                self.changes.push(Row {
                    seq,
                    scope: Scope::Device(header.device),
                    while_open: None,
                    item: Shown::Envelope(seq),
                });
                Outcome::Superseded { seq, code: state.code().into() }
            }
            Ok(Effect::Moved) => Outcome::Durable { seq: self.project(header, bytes, content, now) },
        }
    }

    fn check(&self, header: &Header, content: &Content) -> Result<Effect, Refusal> {
        let ask = header.task.and_then(|t| self.asks.get(&t));
        let patient = header.patient.map(|p| p.to_string());
        if header.kind != Kind::Patient
            && let Some(patient) = &patient
        {
            let ours = self
                .resources
                .get(&("Patient".into(), patient.clone()))
                .map(|r| r.facility == header.facility);
            let asked = ask.is_some_and(|a| a.patient == *patient);
            if !ours.is_some_and(|ours| ours || asked) {
                return Err(Refusal::new(codes::PATIENT_UNKNOWN, "unknown patient"));
            }
        }
        if patient.is_none() && !matches!(header.kind, Kind::Audit | Kind::AttachmentPart) {
            return Err(Refusal::new(codes::PATIENT, "no patient"));
        }
        for r in &content.resources {
            let owner = self.resources.get(&(r.kind.into(), r.id.clone())).map(|o| o.facility);
            if owner.is_some_and(|o| o != header.facility) && !(r.kind == "Task" && ask.is_some()) {
                return Err(Refusal::new(codes::NOT_YOURS, "not yours"));
            }
        }
        let needs_ask =
            matches!(header.kind, Kind::TaskMove | Kind::Communication | Kind::Advice | Kind::Decisions);
        match (header.kind, header.task, ask) {
            (Kind::ReferralNote, Some(_), Some(_)) => Err(Refusal::new(codes::ID_TAKEN, "there already")),
            (Kind::ReferralNote, Some(_), None) => self.note(header, content),
            (Kind::ReferralNote | Kind::TaskMove | Kind::Advice | Kind::Decisions, None, _) => {
                Err(task::unknown())
            }
            (_, None, _) => Ok(Effect::Moved),
            (_, Some(_), None) if needs_ask => Err(task::unknown()),
            (_, Some(_), None) => Ok(Effect::Moved),
            (kind, Some(_), Some(ask)) => {
                let here = |keys: &Vec<PersonKey>| keys.iter().any(|k| k.device == header.device);
                let persons: Vec<Id> =
                    self.persons.iter().filter(|(_, keys)| here(keys)).map(|(id, _)| *id).collect();
                let mover = task::mover(ask, header, &persons, false, self.basis(header));
                if mover.is_stranger() || patient.is_some_and(|p| p != ask.patient) {
                    return Err(task::unknown());
                }
                task::belongs(ask, kind, content.task.as_ref(), header.base_version, &mover)
            }
        }
    }

    /// What `header` is built on, of the ask that it belongs to.
    fn basis(&self, header: &Header) -> Basis {
        let named = |kept: &&Kept| {
            header.depends.contains(&kept.header.id)
                && kept.header.task == header.task
                && header.task.is_some()
        };
        Basis::of(self.envelopes.values().filter(named).map(|kept| kept.superseded))
    }

    fn note(&self, header: &Header, content: &Content) -> Result<Effect, Refusal> {
        let task = content.task.as_ref().ok_or_else(task::unknown)?;
        if task.state != AskState::Requested {
            return Err(Refusal::new(codes::TASK_STATE, "starts as requested"));
        }
        if task.holder.person().is_some_and(|o| !self.persons.contains_key(&o)) {
            return Err(Refusal::new(codes::TASK_OWNER, "unknown person"));
        }
        let patient = header.patient.map(|p| p.to_string());
        let kept = self.resources.iter().filter(|((kind, _), o)| {
            kind == "Consent" && o.patient == patient && o.facility == header.facility
        });
        // The last word counts.
        let last = kept.max_by_key(|(_, o)| o.seq).is_some_and(|(_, o)| consent_opens(&o.value));
        let opens = last || content.resources.iter().any(|r| r.kind == "Consent" && consent_opens(&r.value));
        if opens { Ok(Effect::Moved) } else { Err(Refusal::new(codes::CONSENT_MISSING, "no consent")) }
    }

    /// Whom a holder is, in the order in which they joined the roster.
    fn people(&self, holder: &Holder, closed: bool) -> Vec<Id> {
        match holder {
            _ if closed => Vec::new(),
            Holder::Nobody => Vec::new(),
            Holder::Person(person) => vec![*person],
            Holder::Pool(of) => {
                let fit = self.roster.iter().filter(|(_, specialty)| specialty == of);
                fit.map(|(person, _)| *person).collect()
            }
        }
    }

    fn next(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn keep(&mut self, header: &Header, bytes: Vec<u8>, now: i64, superseded: bool) -> u64 {
        let seq = self.next();
        self.envelopes.insert(seq, Kept { header: header.clone(), bytes, received_at: now, superseded });
        seq
    }

    fn show(&mut self, scope: Scope, while_open: Option<Id>, envelope: u64) {
        let seq = self.next();
        self.changes.push(Row { seq, scope, while_open, item: Shown::Envelope(envelope) });
    }

    fn show_patient(&mut self, task: Id, patient: &str, person: Id) {
        let mut about: Vec<(&String, u64)> = self
            .resources
            .iter()
            .filter(|((kind, _), o)| {
                o.patient.as_deref() == Some(patient) && (kind == "Patient" || kind == "Consent")
            })
            .map(|((kind, _), o)| (kind, o.seq))
            .collect();
        about.sort_by(|a, b| b.cmp(a));
        for seq in about.into_iter().map(|(_, seq)| seq).collect::<Vec<_>>() {
            self.show(Scope::Person(person), Some(task), seq);
        }
    }

    fn project(&mut self, header: &Header, bytes: Vec<u8>, content: Content, now: i64) -> u64 {
        let patient = header.patient.map(|p| p.to_string()).unwrap_or_default();
        if header.kind == Kind::ReferralNote
            && let Some(task) = &content.task
        {
            for person in self.people(&task.holder, false) {
                self.show_patient(task.id, &patient, person);
            }
        }
        let seq = self.keep(header, bytes, now, false);
        let consents: Vec<(String, bool)> = content
            .resources
            .iter()
            .filter(|r| r.kind == "Consent")
            .map(|r| (r.id.clone(), consent_opens(&r.value)))
            .collect();
        for r in content.resources {
            let owned = self.resources.entry((r.kind.into(), r.id)).or_insert_with(|| Owned {
                facility: header.facility,
                patient: None,
                seq,
                value: Value::Null,
            });
            (owned.patient, owned.seq, owned.value) = (r.patient, seq, r.value);
        }
        let before = header.task.and_then(|t| self.asks.get(&t)).cloned();
        if let Some(to) = &content.task {
            let holder = task::holder_after(before.as_ref(), to);
            let with = self.people(&holder, to.state.is_closed());
            let mut asked = before.as_ref().map(|ask| ask.asked.clone()).unwrap_or_default();
            asked.extend(&with);
            let (facility, version, note) = match &before {
                Some(ask) => (ask.facility, ask.version + 1, ask.note),
                None => (header.facility, 1, seq),
            };
            let ask = Standing {
                id: to.id,
                facility,
                patient: patient.clone(),
                holder,
                with,
                asked,
                specialty: before.as_ref().map_or(&to.specialty, |ask| &ask.specialty).clone(),
                urgency: before.as_ref().map_or(to.urgency, |ask| ask.urgency),
                state: to.state,
                version,
                note,
            };
            self.asks.insert(to.id, ask);
        }
        if header.kind == Kind::Audit {
            self.changes.push(Row {
                seq,
                scope: Scope::Device(header.device),
                while_open: None,
                item: Shown::Envelope(seq),
            });
            return seq;
        }
        let clinic = before.as_ref().map_or(header.facility, |a| a.facility);
        let item = Shown::Envelope(seq);
        self.changes.push(Row { seq, scope: Scope::Facility(clinic), while_open: None, item });
        if let Some(task) = header.task {
            let is: Vec<Id> = self.asks.get(&task).map(|a| a.with.clone()).unwrap_or_default();
            let was = before.as_ref().map_or(&[][..], |a| &a.with);
            for person in if before.is_some() { was } else { &is } {
                self.show(Scope::Person(*person), only_while_open(header.kind).then_some(task), seq);
            }
            for person in is.iter().filter(|person| before.is_some() && !was.contains(person)) {
                self.show_patient(task, &patient, *person);
                let of_ask = |e: &Kept| e.header.task == Some(task) && !e.superseded;
                let all: Vec<u64> =
                    self.envelopes.iter().filter(|(_, e)| of_ask(e)).map(|(seq, _)| *seq).collect();
                all.into_iter().for_each(|seq| self.show(Scope::Person(*person), Some(task), seq));
            }
            if header.kind == Kind::ReferralNote {
                let is_part =
                    |e: &Kept| e.header.kind == Kind::AttachmentPart && header.depends.contains(&e.header.id);
                let parts: Vec<u64> =
                    self.envelopes.iter().filter(|(_, e)| is_part(e)).map(|(seq, _)| *seq).collect();
                for person in is {
                    parts.iter().for_each(|seq| self.show(Scope::Person(person), Some(task), *seq));
                }
            }
        }
        if matches!(header.kind, Kind::Patient | Kind::Consent) {
            let of = self.asks.values().filter(|a| a.patient == patient);
            let asked: Vec<(Id, Id)> = of.flat_map(|a| a.with.iter().map(|person| (a.id, *person))).collect();
            asked.into_iter().for_each(|(task, owner)| self.show(Scope::Person(owner), Some(task), seq));
        }
        for (consent, opens) in consents {
            self.word(&patient, header.task, &consent, opens, seq);
        }
        seq
    }

    /// A patient's word closes their open asks to whoever is outside, or opens what it closed.
    fn word(&mut self, patient: &str, task: Option<Id>, consent: &str, opens: bool, seq: u64) {
        if opens {
            self.shut.retain(|ask, by| by != consent && Some(*ask) != task);
            return;
        }
        let open = self.asks.values().filter(|a| a.patient == patient && !a.state.is_closed());
        let open = open.filter(|a| !self.shut.contains_key(&a.id));
        let closing: Vec<(Id, Vec<Id>)> = open.map(|a| (a.id, a.with.clone())).collect();
        for (ask, with) in closing {
            self.shut.insert(ask, consent.to_owned());
            for person in with {
                self.show(Scope::Person(person), None, seq);
            }
        }
    }

    fn page(&self, reader: Caller, after: u64, limit: u32, wanted: impl Fn(&Row) -> bool) -> Page {
        let seen = |row: &&Row| {
            let scope = match row.scope {
                Scope::Everybody => true,
                Scope::Facility(facility) => facility == reader.facility,
                Scope::Device(device) => device == reader.device,
                Scope::Person(person) => self
                    .persons
                    .get(&person)
                    .is_some_and(|keys| keys.iter().any(|k| k.device == reader.device)),
            };
            let open = row.while_open.is_none_or(|task| {
                !self.shut.contains_key(&task)
                    && self
                        .asks
                        .get(&task)
                        .is_some_and(|a| a.with.iter().any(|person| Scope::Person(*person) == row.scope))
            });
            scope && open && row.seq > after && wanted(row)
        };
        let mut rows: Vec<&Row> = self.changes.iter().filter(seen).collect();
        rows.sort_by_key(|row| row.seq);
        let remaining = rows.len().saturating_sub(limit as usize) as u64;
        rows.truncate(limit as usize);
        let changes: Vec<Change> = rows
            .iter()
            .filter_map(|row| {
                let item = match row.item {
                    Shown::Cert(n) => Item::Cert { bytes: self.certs.get(n)?.clone().into() },
                    Shown::Envelope(seq) => {
                        let kept = self.envelopes.get(&seq)?;
                        Item::Envelope { bytes: kept.bytes.clone().into(), received_at: kept.received_at }
                    }
                };
                Some(Change { seq: row.seq, item })
            })
            .collect();
        let more = remaining > 0;
        let last = changes.last().map_or(after, |c| c.seq);
        Page { changes, next: if more { last } else { self.seq.max(after) }, more, remaining }
    }
}
