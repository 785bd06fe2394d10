//! The envelope core on the encrypted database.

pub(crate) mod holders;
mod project;
mod pull;
mod record;
mod take;

pub(crate) use project::kind_code;
pub(crate) use take::{World, take};

use std::collections::HashMap;

use rabta_wire::{
    Id,
    log::{Ack, Outcome},
};

use super::{Caller, CoreError, EnvelopeCore, Page, examine};
use crate::{
    auth::{Access, Agent},
    db::Db,
    identity::{self, DeviceInfo, PersonKey},
};

#[derive(Clone)]
pub struct SqliteCore {
    db: Db,
}

impl SqliteCore {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// The newest place after `after` at which there is something for `reader` to pull.
    pub async fn newest(&self, reader: Caller, after: u64) -> Result<Option<u64>, CoreError> {
        Ok(pull::newest(&self.db, reader, after).await?)
    }
}

impl EnvelopeCore for SqliteCore {
    async fn push(&self, carrier: Caller, envelopes: Vec<Vec<u8>>, now: i64) -> Result<Vec<Ack>, CoreError> {
        // All that needs only bytes and keys is done before the writer is taken.
        let mut ready = Vec::with_capacity(envelopes.len());
        {
            let mut db = self.db.read().acquire().await?;
            let mut devices: HashMap<Id, Option<DeviceInfo>> = HashMap::new();
            let mut signers: HashMap<Id, Vec<PersonKey>> = HashMap::new();
            for bytes in envelopes {
                let (envelope, header) = match examine::read(&bytes) {
                    Ok(read) => read,
                    Err((id, refusal)) => {
                        ready.push((id, Err(refusal)));
                        continue;
                    }
                };
                if let std::collections::hash_map::Entry::Vacant(entry) = devices.entry(header.device) {
                    entry.insert(identity::device(&mut db, header.device).await?);
                }
                let mut signer: &[PersonKey] = &[];
                if let Some(signed) = &header.signed_by {
                    if let std::collections::hash_map::Entry::Vacant(entry) = signers.entry(signed.person) {
                        entry.insert(identity::person_keys(&mut db, signed.person).await?);
                    }
                    signer = &signers[&signed.person];
                }
                let device = devices[&header.device].as_ref();
                ready.push((header.id, examine::examine(&envelope, bytes, device, signer, now)));
            }
        }
        // One transaction, and so one fsync, for the whole push; a savepoint for each envelope.
        let who = Access {
            facility: carrier.facility,
            agent: Agent::Device { device: carrier.device, person: carrier.person },
        };
        let mut acks = Vec::with_capacity(ready.len());
        let mut tx = self.db.write().await?;
        let world = self.db.world();
        for (id, examined) in ready {
            let outcome = match examined {
                Ok(examined) => take::take(&mut tx, world, &who, examined, now).await?,
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
