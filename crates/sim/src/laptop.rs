//! A laptop: the shipped driver over the sim's disk and line, and what its person does at it.

use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use rabta_domain::ask::{Party, State};
use rabta_hie::{
    envelopes::Caller,
    identity::{DeviceInfo, PersonKey},
};
use rabta_store::{
    DeviceSigner, EntryState, LogEntry, MemoryStore, NewEnvelope, RecordStore, Resource, SaveDraft,
    StoreError, Transaction,
};
use rabta_sync::{Clock, Driver, Identity, Offset, SyncHandle};
use rabta_wire::{
    Id,
    envelope::{Envelope, PersonSignature},
};
use serde_json::Value;

use crate::{
    disk::{Disk, Durable},
    line::{Line, Sky, Weather},
    payload::Payload,
    time::{LaptopClock, Tasks, at_once},
    world::Around,
};

/// ASTM E1762-95: author's signature.
const AUTHOR: &str = "1.2.840.10065.1.12.1.1";

/// A laptop and its person.
pub struct Laptop {
    pub name: String,
    pub device: Id,
    pub key: Arc<SigningKey>,
    pub person: Id,
    pub person_key: Arc<SigningKey>,
    pub facility: Id,
    pub specialist: bool,
    pub disk: Arc<Disk<MemoryStore>>,
    pub sky: Sky,
    pub clock: LaptopClock,
    pub offset: Offset,
    pub running: Option<(u64, SyncHandle)>,
    /// When somebody starts it again.
    pub down_until: u64,
    /// Stolen: nothing of it comes back.
    pub gone: bool,
    /// Its disk says "durable" of what is not.
    pub lying: bool,
    pub doubtful: Arc<Mutex<Vec<Id>>>,
    /// Drafts that it said were saved: their revision.
    pub drafts: Vec<(String, u64)>,
}

/// An ask as this laptop sees it, by the same reading as the app's.
pub struct Ask {
    pub id: Id,
    pub patient: Id,
    pub state: State,
    pub owner: Id,
    pub version: u32,
    pub moved_by: Option<Id>,
}

impl Laptop {
    pub fn device_info(&self) -> DeviceInfo {
        DeviceInfo {
            id: self.device,
            facility: self.facility,
            key: self.key.verifying_key(),
            revoked: false,
            revoked_at: None,
            forked: false,
        }
    }

    pub fn person_info(&self) -> PersonKey {
        let role = if self.specialist { "specialist" } else { "doctor" };
        PersonKey {
            key: self.person_key.verifying_key(),
            device: self.device,
            facility: self.facility,
            role: role.into(),
        }
    }

    pub fn signer(&self) -> DeviceSigner {
        DeviceSigner::new(self.device, self.key.clone())
    }

    /// What is on its disk, past all faults.
    pub fn store(&self) -> Arc<MemoryStore> {
        self.disk.store()
    }

    pub fn weather(&self, weather: Weather) {
        *self.sky.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    pub fn is_up(&self) -> bool {
        self.sky.lock().unwrap_or_else(PoisonError::into_inner).up
    }

    /// Opens the vault: the shipped driver begins.
    pub fn start(&mut self, world: &Around, tasks: &mut Tasks) {
        let identity = Identity { device: self.device, person: self.person, device_key: self.key.clone() };
        let line = Line {
            name: self.name.clone(),
            caller: Caller { device: self.device, person: self.person, facility: self.facility },
            identity,
            clock: Arc::new(self.clock.clone()),
            offset: self.offset.clone(),
            hie: world.hie.clone(),
            sky: self.sky.clone(),
            time: world.time.clone(),
            chance: world.lines.clone(),
            story: world.story.clone(),
            doubtful: self.doubtful.clone(),
        };
        let (changes, _) = tokio::sync::mpsc::unbounded_channel();
        let seed = u64::from_le_bytes(self.device.0[8..].try_into().unwrap_or_default());
        let (driver, handle) =
            Driver::new(line, self.disk.clone(), world.hie.key.verifying_key(), changes, seed);
        self.running = Some((tasks.spawn(driver.run()), handle));
    }

    /// The power goes.
    pub fn stop(&mut self, tasks: &mut Tasks) {
        if let Some((task, _)) = self.running.take() {
            tasks.stop(task);
        }
    }

    /// The envelope of a payload, signed by the laptop's person.
    pub fn envelope(&self, id: Id, patient: Id, task: Option<Id>, payload: &Payload) -> NewEnvelope {
        NewEnvelope {
            id,
            kind: payload.kind,
            patient: Some(patient),
            facility: self.facility,
            task,
            base_version: None,
            depends: Vec::new(),
            device_time: self.clock.unix_ms(),
            clock_offset: self.offset.get(),
            payload: payload.bytes.clone().into(),
            signed_by: Some(PersonSignature::sign(&self.person_key, self.person, AUTHOR, &payload.bytes)),
        }
    }

    /// Appends to the log. `None`: the laptop died over it, and nobody was told anything.
    pub fn append(&self, envelope: NewEnvelope) -> Option<Result<(), StoreError>> {
        let signer = self.signer();
        let done = at_once(self.disk.commit(Transaction::new().append(envelope), Some(&signer)))?;
        if done.is_ok()
            && let Some((_, handle)) = &self.running
        {
            handle.appended();
        }
        Some(done.map(drop))
    }

    pub fn save_draft(&self, id: &str, body: Vec<u8>) -> Option<Result<u64, StoreError>> {
        let draft = SaveDraft {
            id: id.to_owned(),
            kind: "visit".into(),
            patient: None,
            updated_at: self.clock.unix_ms(),
            body: body.into(),
        };
        at_once(self.disk.save_draft(draft))
    }

    pub fn resource(&self, kind: &str, id: &str) -> Option<Resource> {
        at_once(self.store().resource(kind, id))?.ok()?
    }

    pub fn history(&self, kind: &str, id: &str) -> Vec<Resource> {
        at_once(self.store().history(kind, id)).and_then(Result::ok).unwrap_or_default()
    }

    pub fn all(&self, kind: &str) -> Vec<Resource> {
        at_once(self.store().of_kind(kind, None, 1_000)).and_then(Result::ok).unwrap_or_default()
    }

    pub fn entry(&self, envelope: Id) -> Option<LogEntry> {
        at_once(self.store().log_entry(envelope))?.ok()?
    }

    pub fn has_received(&self, envelope: Id) -> bool {
        at_once(self.store().received(envelope)).is_some_and(|r| matches!(r, Ok(Some(_))))
    }

    /// What an envelope that is here depends on.
    pub fn needs(&self, envelope: Id) -> Vec<Id> {
        let received = at_once(self.store().received(envelope)).and_then(Result::ok).flatten();
        let bytes = self.entry(envelope).map(|entry| entry.bytes.0).or(received.map(|r| r.bytes.0));
        let header = Envelope::from_bytes(&bytes.unwrap_or_default()).and_then(|e| e.header());
        header.map(|header| header.depends).unwrap_or_default()
    }

    pub fn quarantined(&self) -> Vec<LogEntry> {
        at_once(self.store().quarantined()).and_then(Result::ok).unwrap_or_default()
    }

    pub fn image(&self) -> MemoryStore {
        self.store().image()
    }

    /// An ask by its Task's versions that took effect.
    pub fn ask(&self, ask: Id) -> Option<Ask> {
        let mut current = None;
        let mut version = 0;
        for resource in self.history("Task", &ask.to_string()) {
            let own = resource.envelope.and_then(|envelope| self.entry(envelope));
            if own.is_some_and(|own| matches!(own.state, EntryState::Superseded { .. })) {
                continue;
            }
            version += 1;
            current = Some(resource);
        }
        let current = current?;
        let task: Value = serde_json::from_slice(&current.body).ok()?;
        let code = task.pointer("/businessStatus/coding/0/code")?.as_str()?;
        let reference =
            |pointer: &str| task.pointer(pointer)?.as_str()?.split('/').nth(1)?.parse::<Id>().ok();
        Some(Ask {
            id: ask,
            patient: reference("/for/reference")?,
            state: State::from_code(code)?,
            owner: reference("/owner/reference")?,
            version,
            moved_by: current.envelope,
        })
    }

    /// As whom its person acts on an ask.
    pub fn party(&self, ask: &Ask, asked_by: Option<Id>) -> Option<Party> {
        if self.specialist && ask.owner == self.person {
            Some(Party::Specialist)
        } else {
            (asked_by == Some(self.facility)).then_some(Party::Requester)
        }
    }
}
