use std::sync::LazyLock;

use futures_util::TryStreamExt;
use rabta_wire::{
    limits,
    log::{Change, Item},
};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::{
    db::Db,
    envelopes::{Caller, Page, scope},
    fhir::store,
    identity,
};

/// The rows of `change` that a caller may see after a place: one branch for each scope, so that each walks its index;
/// the bound of an ask is part of the query. Parameters: after, facility, device, visible, clinical.
static SEEN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT * FROM (\
         SELECT * FROM change WHERE scope_kind = 0 AND scope = x'' AND seq > ?1 AND seq <= ?4 \
         UNION ALL SELECT * FROM change WHERE scope_kind = 1 AND scope = ?2 AND seq > ?1 AND seq <= ?4 \
         UNION ALL SELECT * FROM change WHERE scope_kind = 3 AND scope = ?3 AND seq > ?1 AND seq <= ?4 \
         UNION ALL SELECT * FROM change c WHERE scope_kind = 2 AND seq > ?1 AND seq <= ?4 \
           AND scope IN (SELECT person FROM person_key WHERE device = ?3 AND revoked_at IS NULL) \
           AND (while_open IS NULL OR EXISTS \
             (SELECT 1 FROM task_with w JOIN task t ON t.id = w.task \
               WHERE w.task = c.while_open AND w.person = c.scope AND t.shut_by = ''))\
         ) n WHERE ?5 OR NOT {}",
        scope::clinical("n")
    )
});

/// Whether somebody who reads whole records works at this device. One that has only a registration desk or a
/// vaccinator is given who the patients are, and what it wrote itself.
async fn is_clinical(db: &mut SqliteConnection, reader: Caller) -> Result<bool, sqlx::Error> {
    identity::is_clinical(db, reader.device).await
}

/// The patients who matter first to a new laptop: who was seen at its facility since a time, and who has an open ask that
/// it made or that somebody at it has. Parameters as above; 7: the time.
const LATELY: &str = "SELECT r.patient FROM resource_date d JOIN resource r ON r.type = 'Encounter' AND r.id = d.id \
     WHERE d.type = 'Encounter' AND d.param = 'date' AND d.low >= ?7 AND r.facility = ?2 AND r.patient IS NOT NULL \
     UNION SELECT patient FROM task WHERE facility = ?2 AND closed = 0 \
     UNION SELECT t.patient FROM task_with w JOIN task t ON t.id = w.task \
       WHERE w.person IN (SELECT person FROM person_key WHERE device = ?3 AND revoked_at IS NULL)";

pub async fn pull(db: &Db, reader: Caller, after: u64, limit: u32) -> Result<Page, sqlx::Error> {
    page(db, reader, after, limit, None).await
}

/// Of what [`pull`] gives, only what is needed to begin with: everything about patients seen since then or with an open ask,
/// with the certificates and the roster.
pub async fn lately(
    db: &Db,
    reader: Caller,
    since: i64,
    after: u64,
    limit: u32,
) -> Result<Page, sqlx::Error> {
    page(db, reader, after, limit, Some(since)).await
}

async fn page(
    db: &Db,
    reader: Caller,
    after: u64,
    limit: u32,
    since: Option<i64>,
) -> Result<Page, sqlx::Error> {
    let mut connection = db.read().acquire().await?;
    // One snapshot for the rows, the count and the newest place.
    let mut tx = connection.begin().await?;
    let visible = i64::try_from(db.sequencer().visible()).unwrap_or(i64::MAX);
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let newest: i64 =
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM change").fetch_one(&mut *tx).await?;
    let newest = newest.min(visible);
    let clinical = is_clinical(&mut tx, reader).await?;
    let seen = &*SEEN;

    let first = match since {
        Some(_) => format!(
            "AND (c.item IN (2, 3) OR coalesce(e.patient, (SELECT p.patient FROM resource p \
               WHERE p.type = c.resource_type AND p.id = c.resource_id)) IN ({LATELY}))"
        ),
        None => String::new(),
    };
    let sql = format!(
        "SELECT c.seq, c.item, e.bytes, e.received_at, x.bytes, c.resource_type, c.resource_id, c.resource_version, v.codec, v.dictionary, v.body \
         FROM ({seen}) c \
         LEFT JOIN envelope e ON e.seq = c.envelope \
         LEFT JOIN cert x ON x.id = c.cert \
         LEFT JOIN resource r ON r.type = c.resource_type AND r.id = c.resource_id AND r.version = c.resource_version \
         LEFT JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version \
         WHERE (c.item <> 0 OR r.id IS NOT NULL) {first} ORDER BY c.seq LIMIT ?6"
    );
    let (mut changes, mut size, mut next, mut more) = (Vec::new(), 0, after, false);
    let mut roster_at = None;
    {
        let mut query = sqlx::query(AssertSqlSafe(sql))
            .bind(after)
            .bind(reader.facility.0.to_vec())
            .bind(reader.device.0.to_vec())
            .bind(visible)
            .bind(clinical)
            .bind(i64::from(limit) + 1);
        if since.is_some() {
            query = query.bind(since);
        }
        let mut rows = query.fetch(&mut *tx);
        while let Some(row) = rows.try_next().await? {
            if changes.len() >= limit as usize || size >= limits::PULL_BYTES {
                more = true;
                break;
            }
            let seq: i64 = row.try_get(0)?;
            let item = match row.try_get::<i64, _>(1)? {
                0 => Item::Resource {
                    kind: row.try_get(5)?,
                    id: row.try_get(6)?,
                    version: row.try_get::<i64, _>(7)? as u64,
                    body: store::unpack(row.try_get(8)?, row.try_get(9)?, row.try_get(10)?)?
                        .into_bytes()
                        .into(),
                },
                1 => Item::Envelope {
                    bytes: row.try_get::<Vec<u8>, _>(2)?.into(),
                    received_at: row.try_get(3)?,
                },
                2 => Item::Cert { bytes: row.try_get::<Vec<u8>, _>(4)?.into() },
                // What may no longer be read comes as a deletion.
                4 => Item::Resource {
                    kind: row.try_get(5)?,
                    id: row.try_get(6)?,
                    version: row.try_get::<i64, _>(7)? as u64,
                    body: Vec::new().into(),
                },
                3 => {
                    roster_at = Some(changes.len());
                    Item::Roster { json: Vec::new().into() }
                }
                _ => Item::Other,
            };
            size += bytes_of(&item);
            changes.push(Change { seq: seq as u64, item });
            next = seq;
        }
    }
    if let Some(i) = roster_at {
        let roster = identity::roster(&mut tx).await.map_err(|e| match e {
            identity::IdentityError::Sql(e) => e,
            e => sqlx::Error::Decode(e.to_string().into()),
        })?;
        let json = serde_json::to_vec(&roster).map_err(|e| sqlx::Error::Decode(e.into()))?;
        changes[i].item = Item::Roster { json: json.into() };
    }
    let remaining = if more && since.is_none() {
        let sql = format!("SELECT count(*) FROM ({seen})");
        let n: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(next)
            .bind(reader.facility.0.to_vec())
            .bind(reader.device.0.to_vec())
            .bind(visible)
            .bind(clinical)
            .fetch_one(&mut *tx)
            .await?;
        n as u64
    } else if more {
        0
    } else {
        // Nothing in between is this reader's: the cursor may skip it.
        next = next.max(newest);
        0
    };
    tx.rollback().await?;
    Ok(Page { changes, next: next as u64, more, remaining })
}

fn bytes_of(item: &Item) -> usize {
    match item {
        Item::Resource { body, .. } => body.len(),
        Item::Envelope { bytes, .. } | Item::Cert { bytes } => bytes.len(),
        Item::Roster { json } => json.len(),
        Item::Other => 0,
    }
}

/// The newest place after `after` at which there is something for `reader`.
pub async fn newest(db: &Db, reader: Caller, after: u64) -> Result<Option<u64>, sqlx::Error> {
    let visible = i64::try_from(db.sequencer().visible()).unwrap_or(i64::MAX);
    let mut connection = db.read().acquire().await?;
    let clinical = is_clinical(&mut connection, reader).await?;
    let newest: Option<i64> = sqlx::query_scalar(AssertSqlSafe(format!("SELECT max(seq) FROM ({})", *SEEN)))
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(reader.facility.0.to_vec())
        .bind(reader.device.0.to_vec())
        .bind(visible)
        .bind(clinical)
        .fetch_one(&mut *connection)
        .await?;
    Ok(newest.map(|n| n as u64))
}
