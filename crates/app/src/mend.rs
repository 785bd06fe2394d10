//! What the HIE refused: a mended record takes its place, what waited for it goes on after that one, and what nobody can
//! mend is sent once more or stays here.

use std::collections::BTreeMap;

use rabta_ipc::{Error, Event, sync::SeeTo};
use rabta_store::{EntryState, LogEntry, NewEnvelope, RecordStore, Transaction};
use rabta_wire::{
    Id,
    envelope::{Envelope, Header},
};

use crate::{Session, routes::routes, session::new_wire_id};

routes!(Session {
    SeeTo => see_to,
});

/// What a new record follows.
#[derive(Debug, Default)]
pub(crate) struct Follows {
    pub depends: Vec<Id>,
    /// Refused: it takes their place, and follows what they followed.
    pub refused: Vec<Id>,
}

impl Session {
    /// What a record that is built on `parents` depends on: of a refused one, what that one depended on.
    pub(crate) async fn follow(&self, parents: Vec<Id>) -> Result<Follows, Error> {
        let (mut follows, mut look) = (Follows::default(), parents);
        while let Some(parent) = look.pop() {
            let entry = self.store().log_entry(parent).await.map_err(|e| self.told(e))?;
            match entry.as_ref().map(|entry| &entry.state) {
                Some(EntryState::SeenTo { by: Some(new), .. }) => look.push(*new),
                Some(EntryState::Quarantined { .. } | EntryState::SeenTo { .. })
                    if !follows.refused.contains(&parent) =>
                {
                    follows.refused.push(parent);
                    look.extend(
                        entry.as_ref().and_then(header).map(|header| header.depends).unwrap_or_default(),
                    );
                }
                Some(EntryState::Quarantined { .. } | EntryState::SeenTo { .. }) => {}
                _ if follows.depends.contains(&parent) => {}
                _ => follows.depends.push(parent),
            }
        }
        Ok(follows)
    }

    /// `new`, which the transaction appends, takes the place of what was refused. What waited for those is sealed anew, its
    /// bytes and its person's signature as they are: only what it waits for is another.
    pub(crate) async fn mend(
        &self,
        mut transaction: Transaction,
        refused: &[Id],
        new: Id,
    ) -> Result<Transaction, Error> {
        if refused.is_empty() {
            return Ok(transaction);
        }
        let mut takes_place: BTreeMap<Id, Id> = BTreeMap::new();
        for old in refused {
            transaction = transaction.see_to(*old, Some(new));
            takes_place.insert(*old, new);
        }
        // In the log's order: what waits for something always stands behind it.
        for entry in self.store().all_unsent().await.map_err(|e| self.told(e))? {
            let waits = entry.state == EntryState::Here;
            let Some(header) = header(&entry).filter(|_| waits) else { continue };
            if !header.depends.iter().any(|on| takes_place.contains_key(on)) {
                continue;
            }
            let (_, payload) = self.payload(entry.id).await?;
            let mut depends = Vec::with_capacity(header.depends.len());
            for on in header.depends {
                let on = takes_place.get(&on).copied().unwrap_or(on);
                if !depends.contains(&on) {
                    depends.push(on);
                }
            }
            let again = NewEnvelope {
                id: new_wire_id(),
                kind: header.kind,
                patient: header.patient,
                facility: header.facility,
                task: header.task,
                base_version: header.base_version,
                depends,
                device_time: header.device_time,
                clock_offset: header.clock_offset,
                payload: payload.into(),
                signed_by: header.signed_by,
            };
            takes_place.insert(entry.id, again.id);
            transaction = transaction.see_to(entry.id, Some(again.id)).append(again);
        }
        Ok(transaction)
    }

    async fn see_to(&self, see: SeeTo) -> Result<(), Error> {
        let entry = self.refused(&see.envelope).await?;
        if see.keep {
            return self.keep_here(entry).await;
        }
        self.store().requeue(entry.id).await.map_err(|e| self.told(e))?;
        self.sync.wake();
        self.sync.hurry();
        Ok(())
    }

    async fn keep_here(&self, entry: LogEntry) -> Result<(), Error> {
        let unsent = self.store().all_unsent().await.map_err(|e| self.told(e))?;
        if unsent.iter().filter_map(header).any(|header| header.depends.contains(&entry.id)) {
            return Err(Error::new("not-allowed"));
        }
        let mut transaction = Transaction::new().see_to(entry.id, None);
        if let Some(patient) = &entry.patient {
            let audit = self.audit("update", &format!("Patient/{patient}"), Some(patient));
            transaction = transaction.audit(audit);
        }
        self.commit(transaction).await?;
        self.sync.wake();
        if let Some(id) = entry.patient {
            self.emit(Event::Patient { id });
        }
        Ok(())
    }

    async fn refused(&self, envelope: &str) -> Result<LogEntry, Error> {
        let id: Id = envelope.parse().map_err(|_| Error::new("not-found"))?;
        let entry = self.store().log_entry(id).await.map_err(|e| self.told(e))?;
        let refused = entry.filter(|entry| matches!(entry.state, EntryState::Quarantined { .. }));
        refused.ok_or_else(|| Error::new("stale"))
    }
}

pub(crate) fn header(entry: &LogEntry) -> Option<Header> {
    Envelope::from_bytes(&entry.bytes).and_then(|envelope| envelope.header()).ok()
}
