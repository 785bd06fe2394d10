//! The tables of resources: every version's bytes as received, and the index of the current one.

use rabta_wire::Id;
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{index, labels};

/// A version to be stored.
pub struct New<'a> {
    pub kind: &'a str,
    pub id: &'a str,
    /// `None`: the HIE's own, for everybody.
    pub facility: Option<Id>,
    pub patient: Option<&'a str>,
    pub task: Option<Id>,
    pub envelope: Option<Id>,
    /// Exactly what is kept.
    pub body: &'a [u8],
    /// `body`, read.
    pub value: &'a Value,
}

/// A stored version.
#[derive(Debug, Clone)]
pub struct Stored {
    pub kind: String,
    pub id: String,
    pub version: i64,
    pub updated_at: i64,
    pub facility: Option<Id>,
    pub patient: Option<String>,
    pub body: String,
}

const PLAIN: i64 = 0;
const ZSTD: i64 = 1;
/// Smaller bodies do not gain by compression without a dictionary.
const COMPRESS_FROM: usize = 600;
/// What a stored body may be once unpacked.
const MOST: usize = 16_000_000;

/// (codec, stored bytes).
fn pack(body: &[u8]) -> (i64, Vec<u8>) {
    if body.len() >= COMPRESS_FROM
        && let Ok(packed) = zstd::bulk::compress(body, 3)
        && packed.len() < body.len()
    {
        return (ZSTD, packed);
    }
    (PLAIN, body.to_vec())
}

/// A stored body as it was received.
pub fn unpack(codec: i64, dictionary: i64, stored: Vec<u8>) -> Result<String, sqlx::Error> {
    let bytes = match (codec, dictionary) {
        (PLAIN, 0) => Ok(stored),
        (ZSTD, 0) => zstd::bulk::decompress(&stored, MOST).map_err(|e| sqlx::Error::Decode(e.into())),
        _ => Err(sqlx::Error::Decode("a codec or dictionary that this program does not know".into())),
    }?;
    String::from_utf8(bytes).map_err(|e| sqlx::Error::Decode(e.into()))
}

/// Who owns `kind/id` now, and its version.
pub async fn head(
    db: &mut SqliteConnection,
    kind: &str,
    id: &str,
) -> Result<Option<(i64, Option<Id>, Option<String>)>, sqlx::Error> {
    let row = sqlx::query("SELECT version, facility, patient FROM resource WHERE type = ? AND id = ?")
        .bind(kind)
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|r| Ok((r.try_get(0)?, owner(r.try_get(1)?)?, r.try_get(2)?))).transpose()
}

fn owner(bytes: Option<Vec<u8>>) -> Result<Option<Id>, sqlx::Error> {
    bytes.map(crate::identity::id).transpose()
}

/// Stores the next version of a resource and indexes it; returns its number, from 1. Whether the caller may was
/// decided before.
pub async fn put(tx: &mut SqliteConnection, new: &New<'_>, now: i64) -> Result<i64, sqlx::Error> {
    let sql = "INSERT INTO resource (type, id, version, facility, patient, task, updated_at, label) VALUES (?, ?, 1, ?, ?, ?, ?, ?) \
               ON CONFLICT (type, id) DO UPDATE SET version = version + 1, patient = excluded.patient, \
               task = coalesce(excluded.task, task), updated_at = excluded.updated_at, label = excluded.label RETURNING version";
    let mut label = labels::number(labels::of(new.value));
    if new.kind == "Binary" {
        label = label.max(labels::of_content(tx, new.id).await?);
    }
    let version: i64 = sqlx::query_scalar(sql)
        .bind(new.kind)
        .bind(new.id)
        .bind(new.facility.map(|f| f.0.to_vec()))
        .bind(new.patient)
        .bind(new.task.map(|t| t.0.to_vec()))
        .bind(now)
        .bind(label)
        .fetch_one(&mut *tx)
        .await?;
    let (codec, body) = pack(new.body);
    sqlx::query(
        "INSERT INTO resource_version (type, id, version, updated_at, envelope, codec, dictionary, body, label) \
         VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)",
    )
    .bind(new.kind)
    .bind(new.id)
    .bind(version)
    .bind(now)
    .bind(new.envelope.map(|e| e.0.to_vec()))
    .bind(codec)
    .bind(body)
    .bind(label)
    .execute(&mut *tx)
    .await?;
    if version > 1 {
        for sql in [
            "DELETE FROM resource_token WHERE type = ? AND id = ?",
            "DELETE FROM resource_date WHERE type = ? AND id = ?",
        ] {
            sqlx::query(sql).bind(new.kind).bind(new.id).execute(&mut *tx).await?;
        }
    }
    let entries = index::entries(new.value);
    // One statement for all rows: a call to the database costs more than a row.
    if !entries.tokens.is_empty() {
        let sql = "INSERT INTO resource_token (type, id, param, value, system) \
                   SELECT ?1, ?2, j.value ->> 0, j.value ->> 1, j.value ->> 2 FROM json_each(?3) j";
        let rows = Value::from_iter(
            entries.tokens.into_iter().map(|(param, value, system)| json!([param, value, system])),
        );
        sqlx::query(sql).bind(new.kind).bind(new.id).bind(rows.to_string()).execute(&mut *tx).await?;
    }
    if !entries.dates.is_empty() {
        let sql = "INSERT INTO resource_date (type, id, param, low, high) \
                   SELECT ?1, ?2, j.value ->> 0, j.value ->> 1, j.value ->> 2 FROM json_each(?3) j";
        let rows =
            Value::from_iter(entries.dates.into_iter().map(|(param, low, high)| json!([param, low, high])));
        sqlx::query(sql).bind(new.kind).bind(new.id).bind(rows.to_string()).execute(&mut *tx).await?;
    }
    labels::pass_on(tx, new.value, label).await?;
    Ok(version)
}

/// The columns that [`stored`] reads, of `resource r` joined with `resource_version v`.
pub const COLUMNS: &str =
    "r.type, r.id, v.version, v.updated_at, r.facility, r.patient, v.codec, v.dictionary, v.body";

pub fn stored(row: &SqliteRow) -> Result<Stored, sqlx::Error> {
    Ok(Stored {
        kind: row.try_get(0)?,
        id: row.try_get(1)?,
        version: row.try_get(2)?,
        updated_at: row.try_get(3)?,
        facility: owner(row.try_get(4)?)?,
        patient: row.try_get(5)?,
        body: unpack(row.try_get(6)?, row.try_get(7)?, row.try_get(8)?)?,
    })
}

/// The current version, whoever asks: for what the server itself needs, and to measure what authorisation adds.
pub async fn plain(db: &mut SqliteConnection, kind: &str, id: &str) -> Result<Option<Stored>, sqlx::Error> {
    let sql = "SELECT r.type, r.id, v.version, v.updated_at, r.facility, r.patient, v.codec, v.dictionary, v.body \
               FROM resource r JOIN resource_version v ON v.type = r.type AND v.id = r.id \
               WHERE r.type = ?1 AND r.id = ?2 AND v.version = r.version";
    sqlx::query(sql).bind(kind).bind(id).fetch_all(db).await?.first().map(stored).transpose()
}

impl Stored {
    /// As it is shown.
    pub fn present(&self) -> Result<String, super::json::NotAnObject> {
        super::json::present(&self.body, &self.id, self.version, self.updated_at)
    }
}
