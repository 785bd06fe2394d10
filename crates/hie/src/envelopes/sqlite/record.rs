//! The rows behind the log: entries of devices' chains, standings of asks.

use rabta_domain::ask::{State, Urgency};
use rabta_wire::{Id, envelope::Header, log::Outcome};
use sqlx::{Row, SqliteConnection};

use super::holders;
use crate::{
    envelopes::{
        chain::Neighbors,
        content::Holder,
        examine::Refusal,
        task::{Basis, Standing},
    },
    identity,
};

const DURABLE: i64 = 0;
const SUPERSEDED: i64 = 1;
const REFUSED: i64 = 2;
const WAITING: i64 = 3;

type Hash = [u8; 32];

fn hash(bytes: Vec<u8>) -> Result<Hash, sqlx::Error> {
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a hash that is not 32 bytes".into()))
}

/// What is known around the header's place in its log.
pub async fn neighbors(db: &mut SqliteConnection, h: &Header) -> Result<Neighbors, sqlx::Error> {
    let sql = "SELECT log_seq, hash, prev FROM log_entry WHERE device = ? AND log_epoch = ? AND log_seq BETWEEN ? AND ?";
    let seq = h.seq as i64;
    let rows = sqlx::query(sql)
        .bind(h.device.0.to_vec())
        .bind(i64::from(h.epoch))
        .bind(seq - 1)
        .bind(seq.saturating_add(1))
        .fetch_all(db)
        .await?;
    let mut known = Neighbors::default();
    for row in rows {
        let at: i64 = row.try_get(0)?;
        match at - seq {
            0 => known.at = Some(hash(row.try_get(1)?)?),
            1 => known.after = Some(hash(row.try_get(2)?)?),
            _ => known.before = Some(hash(row.try_get(1)?)?),
        }
    }
    Ok(known)
}

/// The outcome that the header's entry already has for good, if it has.
pub async fn settled(db: &mut SqliteConnection, h: &Header) -> Result<Option<Outcome>, sqlx::Error> {
    let sql = "SELECT e.seq, l.state, l.code FROM log_entry l JOIN envelope e ON e.id = l.id \
               WHERE l.device = ? AND l.log_epoch = ? AND l.log_seq = ? AND l.state IN (0, 1)";
    let row = sqlx::query(sql)
        .bind(h.device.0.to_vec())
        .bind(i64::from(h.epoch))
        .bind(h.seq as i64)
        .fetch_optional(db)
        .await?;
    row.map(|r| {
        let seq = r.try_get::<i64, _>(0)? as u64;
        Ok(match r.try_get::<i64, _>(1)? {
            SUPERSEDED => {
                Outcome::Superseded { seq, code: r.try_get::<Option<String>, _>(2)?.unwrap_or_default() }
            }
            _ => Outcome::Durable { seq },
        })
    })
    .transpose()
}

/// Writes or overwrites the entry's outcome. The chain goes on over whatever it is.
pub async fn settle(
    tx: &mut SqliteConnection,
    h: &Header,
    entry: Hash,
    outcome: &Outcome,
    now: i64,
) -> Result<(), sqlx::Error> {
    let (state, code) = match outcome {
        Outcome::Durable { .. } => (DURABLE, None),
        Outcome::Superseded { code, .. } => (SUPERSEDED, Some(code.clone())),
        Outcome::Refused { code, .. } => (REFUSED, Some(code.clone())),
        Outcome::Waits { on } => (WAITING, Some(on.to_string())),
    };
    let sql = "INSERT INTO log_entry (device, log_epoch, log_seq, id, hash, prev, state, code, seen_at) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) \
               ON CONFLICT (device, log_epoch, log_seq) DO UPDATE SET state = excluded.state, code = excluded.code";
    sqlx::query(sql)
        .bind(h.device.0.to_vec())
        .bind(i64::from(h.epoch))
        .bind(h.seq as i64)
        .bind(h.id.0.to_vec())
        .bind(entry.to_vec())
        .bind(h.prev.to_vec())
        .bind(state)
        .bind(code)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Keeps the other branch of a fork, and marks the device: it and its number block are closed until it enrolls anew.
pub async fn fork(
    tx: &mut SqliteConnection,
    h: &Header,
    entry: Hash,
    bytes: &[u8],
    now: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT OR IGNORE INTO envelope_fork (hash, id, device, log_epoch, log_seq, received_at, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(entry.to_vec())
    .bind(h.id.0.to_vec())
    .bind(h.device.0.to_vec())
    .bind(i64::from(h.epoch))
    .bind(h.seq as i64)
    .bind(now)
    .bind(bytes)
    .execute(&mut *tx)
    .await?;
    let device = h.device.0.to_vec();
    let marked = sqlx::query("UPDATE device SET forked_at = ? WHERE id = ? AND forked_at IS NULL")
        .bind(now)
        .bind(&device)
        .execute(&mut *tx)
        .await?;
    if marked.rows_affected() > 0 {
        tracing::warn!(device = %h.device, "two copies of a device have both gone on; both branches are kept");
        sqlx::query("UPDATE mr_block SET closed_at = ? WHERE device = ? AND closed_at IS NULL")
            .bind(now)
            .bind(&device)
            .execute(tx)
            .await?;
    }
    Ok(())
}

pub async fn is_here(db: &mut SqliteConnection, envelope: Id) -> Result<bool, sqlx::Error> {
    let n: i64 = sqlx::query_scalar("SELECT count(*) FROM envelope WHERE id = ?")
        .bind(envelope.0.to_vec())
        .fetch_one(db)
        .await?;
    Ok(n > 0)
}

pub async fn standing(db: &mut SqliteConnection, task: Id) -> Result<Option<Standing>, sqlx::Error> {
    let sql = "SELECT t.facility, t.patient, t.owner, t.state, t.version, e.seq, t.specialty, t.urgency, t.pool \
               FROM task t JOIN envelope e ON e.id = t.note WHERE t.id = ?";
    let Some(row) = sqlx::query(sql).bind(task.0.to_vec()).fetch_optional(&mut *db).await? else {
        return Ok(None);
    };
    let state: String = row.try_get(3)?;
    let owner = row.try_get::<Option<Vec<u8>>, _>(2)?.map(identity::id).transpose()?;
    let specialty: String = row.try_get(6)?;
    Ok(Some(Standing {
        id: task,
        facility: identity::id(row.try_get(0)?)?,
        patient: row.try_get(1)?,
        holder: match owner {
            Some(person) => Holder::Person(person),
            None if row.try_get(8)? => Holder::Pool(specialty.clone()),
            None => Holder::Nobody,
        },
        with: holders::with(db, task).await?,
        asked: holders::asked(db, task).await?,
        urgency: Urgency::from_fhir(&row.try_get::<String, _>(7)?),
        specialty,
        state: State::from_code(&state)
            .ok_or_else(|| sqlx::Error::Decode("an unknown state of an ask".into()))?,
        version: row.try_get::<i64, _>(4)? as u32,
        note: row.try_get::<i64, _>(5)? as u64,
    }))
}

/// What `header` is built on, of the ask that it belongs to.
pub async fn basis(db: &mut SqliteConnection, header: &Header) -> Result<Basis, sqlx::Error> {
    if header.task.is_none() {
        return Ok(Basis::Unnamed);
    }
    let mut superseded = Vec::new();
    for dependency in &header.depends {
        let sql = "SELECT superseded FROM envelope WHERE id = ? AND task = ?";
        let found: Option<bool> = sqlx::query_scalar(sql)
            .bind(dependency.0.to_vec())
            .bind(header.task.map(|t| t.0.to_vec()))
            .fetch_optional(&mut *db)
            .await?;
        superseded.extend(found);
    }
    Ok(Basis::of(superseded))
}

pub async fn persons_at(db: &mut SqliteConnection, device: Id) -> Result<Vec<Id>, sqlx::Error> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT DISTINCT person FROM person_key WHERE device = ? AND revoked_at IS NULL")
            .bind(device.0.to_vec())
            .fetch_all(db)
            .await?;
    rows.into_iter().map(identity::id).collect()
}

/// An outcome of a refusal.
pub fn refused(r: Refusal) -> Outcome {
    Outcome::Refused { code: r.code.into(), text: r.text }
}
