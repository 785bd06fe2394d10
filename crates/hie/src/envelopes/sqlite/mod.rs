//! The envelope core on the encrypted database.

mod hand_in;
pub(crate) mod holders;
mod project;
mod pull;
mod record;
mod take;

pub(crate) use project::kind_code;
pub(crate) use take::{Arrival, World, take};

use std::collections::{HashMap, hash_map::Entry};

use rabta_wire::{
    Id,
    log::{Ack, Outcome},
};

use sqlx::SqliteConnection;

use super::{
    Caller, CoreError, EnvelopeCore, Page,
    examine::{self, Examined, Refusal},
};
use crate::{
    auth::{Access, Agent},
    db::Db,
    identity::{self, DeviceInfo, PersonKey},
};

pub use hand_in::{HandInError, HandedIn, hand_in};

#[derive(Clone)]
pub struct SqliteCore {
    db: Db,
}

impl SqliteCore {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// What a new laptop needs first: of what [`EnvelopeCore::pull`] gives, all about patients seen since `since`
    /// (milliseconds since 1970) or with an open ask.
    pub async fn lately(
        &self,
        reader: Caller,
        since: i64,
        after: u64,
        limit: u32,
    ) -> Result<Page, CoreError> {
        Ok(pull::lately(&self.db, reader, since, after, limit).await?)
    }

    /// The newest place after `after` at which there is something for `reader` to pull.
    pub async fn newest(&self, reader: Caller, after: u64) -> Result<Option<u64>, CoreError> {
        Ok(pull::newest(&self.db, reader, after).await?)
    }
}

/// What was read of each envelope: its id, its bytes, and what can be said of it from bytes and keys alone.
async fn examined(
    db: &mut SqliteConnection,
    envelopes: Vec<Vec<u8>>,
    now: i64,
) -> Result<Vec<(Id, Vec<u8>, Result<Examined, Refusal>)>, sqlx::Error> {
    let mut ready = Vec::with_capacity(envelopes.len());
    let mut devices: HashMap<Id, Option<DeviceInfo>> = HashMap::new();
    let mut signers: HashMap<Id, Vec<PersonKey>> = HashMap::new();
    for bytes in envelopes {
        let (envelope, header) = match examine::read(&bytes) {
            Ok(read) => read,
            Err((id, refusal)) => {
                ready.push((id, bytes, Err(refusal)));
                continue;
            }
        };
        if let Entry::Vacant(entry) = devices.entry(header.device) {
            entry.insert(identity::device(db, header.device).await?);
        }
        let mut signer: &[PersonKey] = &[];
        if let Some(signed) = &header.signed_by {
            if let Entry::Vacant(entry) = signers.entry(signed.person) {
                entry.insert(identity::person_keys(db, signed.person).await?);
            }
            signer = &signers[&signed.person];
        }
        let device = devices[&header.device].as_ref();
        let judged = examine::examine(&envelope, bytes.clone(), device, signer, now);
        ready.push((header.id, bytes, judged));
    }
    Ok(ready)
}

impl EnvelopeCore for SqliteCore {
    async fn push(&self, carrier: Caller, envelopes: Vec<Vec<u8>>, now: i64) -> Result<Vec<Ack>, CoreError> {
        // All that needs only bytes and keys is done before the writer is taken.
        let ready = examined(&mut *self.db.read().acquire().await?, envelopes, now).await?;
        // One transaction, and so one fsync, for the whole push; a savepoint for each envelope.
        let who = Access {
            facility: carrier.facility,
            agent: Agent::Device { device: carrier.device, person: carrier.person },
        };
        let mut acks = Vec::with_capacity(ready.len());
        let mut tx = self.db.write().await?;
        let world = self.db.world();
        for (id, _, examined) in ready {
            let outcome = match examined {
                Ok(examined) => {
                    take::take(&mut tx, world, &who, examined, take::Arrival::Pushed, now).await?
                }
                Err(refusal) => Outcome::Refused { code: refusal.code.into(), text: refusal.text },
            };
            acks.push(Ack { id, outcome });
        }
        tx.commit().await?;
        Ok(acks)
    }

    async fn pull(&self, reader: Caller, after: u64, limit: u32) -> Result<Page, CoreError> {
        Ok(pull::pull(&self.db, reader, after, limit).await?)
    }
}
