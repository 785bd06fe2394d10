//! What a laptop could not send any more, brought by the operator as a file ([`rabta_wire::handover`]).

use rabta_wire::{
    Id,
    handover::{self, FileError},
    log::Outcome,
    shared::SharedSecret,
};

use sqlx::SqliteConnection;

use super::{examined, take};
use crate::{
    auth::{Access, Agent},
    db::Db,
    envelopes::examine::codes,
    identity::{self, DeviceInfo},
};

/// Why nothing of a file was taken.
#[derive(Debug, thiserror::Error)]
pub enum HandInError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("no device of this HIE wrote this file")]
    UnknownDevice,
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

/// What became of a file's envelopes.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HandedIn {
    pub device: Id,
    /// Stored now, with all their effects.
    pub taken: usize,
    /// Were here already.
    pub known: usize,
    /// Not taken: id, stable code, the reason in words.
    pub refused: Vec<(Id, String, String)>,
    /// Not taken: something that they depend on is neither here nor in the file.
    pub waiting: Vec<Id>,
}

/// Takes a file's envelopes: each is proven by its own signatures, in one transaction. Those of a revoked device count
/// if they were written before the revocation by their own time, and the audit says so.
pub async fn hand_in(db: &Db, file: &[u8], now: i64) -> Result<HandedIn, HandInError> {
    let device = handover::device(file)?;
    let known = identity::device(&mut *db.read().acquire().await?, device).await?;
    let known = known.ok_or(HandInError::UnknownDevice)?;
    let secret = SharedSecret::between(&db.settings.signing_key, &known.key, device);
    let push = handover::open(&secret.ok_or(FileError::Damaged)?, file)?;
    let who = Access { facility: known.facility, agent: Agent::Operator };
    let mut left: Vec<Vec<u8>> = push.envelopes.into_iter().map(Into::into).collect();
    let mut done = HandedIn { device, ..HandedIn::default() };
    let mut tx = db.write().await?;
    loop {
        let count = left.len();
        let mut waiting = Vec::new();
        done.waiting.clear();
        for (id, bytes, ready) in examined(&mut tx, left, now).await? {
            let outcome = match ready {
                Ok(examined) if !may_carry(&mut tx, &known, examined.header.device).await? => {
                    done.refused.push((id, codes::DEVICE_UNKNOWN.into(), "of another device".into()));
                    continue;
                }
                Ok(examined) => {
                    let was_here = super::record::is_here(&mut tx, id).await?;
                    let outcome =
                        take::take(&mut tx, db.world(), &who, examined, take::Arrival::HandedIn, now).await?;
                    if was_here && matches!(outcome, Outcome::Durable { .. } | Outcome::Superseded { .. }) {
                        done.known += 1;
                        continue;
                    }
                    outcome
                }
                Err(refusal) => super::record::refused(refusal),
            };
            match outcome {
                Outcome::Durable { .. } | Outcome::Superseded { .. } => done.taken += 1,
                Outcome::Refused { code, text } => done.refused.push((id, code, text)),
                Outcome::Waits { .. } => {
                    done.waiting.push(id);
                    waiting.push(bytes);
                }
            }
        }
        if waiting.is_empty() || waiting.len() == count {
            break;
        }
        left = waiting;
    }
    tx.commit().await?;
    Ok(done)
}

/// Whether this device's file may hold that one's envelopes, each of which is proven by its own device's key: its own,
/// and those of the lost one whose backup it was made from. Of a device in service they come by themselves.
async fn may_carry(tx: &mut SqliteConnection, file: &DeviceInfo, of: Id) -> Result<bool, sqlx::Error> {
    if of == file.id {
        return Ok(true);
    }
    let other = identity::device(tx, of).await?;
    Ok(other.is_some_and(|other| other.facility == file.facility && other.revoked))
}
