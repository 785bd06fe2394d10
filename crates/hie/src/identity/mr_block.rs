use rabta_wire::{Id, enroll::MrBlock};
use sqlx::{Row, SqliteConnection};

use super::IdentityError;

/// Numbers in one block.
const SIZE: i64 = 10_000;
/// An MR number has six digits.
const HIGHEST: i64 = 999_999;

/// The next free block of the facility's prefix, for `device`.
pub async fn allot(
    tx: &mut SqliteConnection,
    facility: Id,
    device: Option<Id>,
    now: i64,
) -> Result<MrBlock, IdentityError> {
    let sql = "SELECT f.mr_prefix, coalesce(max(b.last), 0) + 1 AS next FROM facility f \
               LEFT JOIN mr_block b ON b.prefix = f.mr_prefix WHERE f.id = ? GROUP BY f.mr_prefix";
    let row = sqlx::query(sql).bind(facility.0.to_vec()).fetch_optional(&mut *tx).await?;
    let row = row.ok_or(IdentityError::NoFacility)?;
    let (prefix, first): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
    if first + SIZE - 1 > HIGHEST {
        return Err(IdentityError::MrRange);
    }
    insert(tx, facility, prefix, (first, first + SIZE - 1), "clinic", device, now).await
}

/// Takes `range` out of what will be allotted, for `purpose`: numbers that are printed already, or a sample.
pub async fn reserve(
    tx: &mut SqliteConnection,
    facility: Id,
    range: (i64, i64),
    purpose: &str,
    now: i64,
) -> Result<MrBlock, IdentityError> {
    let (first, last) = range;
    if first < 0 || last < first || last > HIGHEST {
        return Err(IdentityError::MrRange);
    }
    let prefix: Option<String> = sqlx::query_scalar("SELECT mr_prefix FROM facility WHERE id = ?")
        .bind(facility.0.to_vec())
        .fetch_optional(&mut *tx)
        .await?;
    let prefix = prefix.ok_or(IdentityError::NoFacility)?;
    let overlapping: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mr_block WHERE prefix = ? AND first <= ? AND last >= ?")
            .bind(&prefix)
            .bind(last)
            .bind(first)
            .fetch_one(&mut *tx)
            .await?;
    if overlapping > 0 {
        return Err(IdentityError::MrRange);
    }
    insert(tx, facility, prefix, range, purpose, None, now).await
}

/// Blocks that a restore leaves out for each facility: more laptops than join one between two backups.
const GAP: i64 = 5;
/// Prefixes that a restore leaves out.
const PREFIX_GAP: i64 = 20;
/// The setting that holds the last prefix which may have been given (text).
const PREFIXES: &str = "mr-prefix-given";

/// After a restore: laptops may have got blocks, and facilities prefixes, that the backup does not know of, and go on
/// printing their numbers. Of each facility's numbers as much is left out as may have been given, [`GAP`] blocks or half
/// of what is left, at least one block.
pub async fn leave_gaps(tx: &mut SqliteConnection, now: i64) -> Result<(), sqlx::Error> {
    let sql = "SELECT f.id, f.mr_prefix, coalesce(max(b.last), 0) + 1 FROM facility f \
               LEFT JOIN mr_block b ON b.prefix = f.mr_prefix WHERE f.kind = 'clinic' GROUP BY f.id, f.mr_prefix";
    let facilities: Vec<(Vec<u8>, String, i64)> = sqlx::query_as(sql).fetch_all(&mut *tx).await?;
    for (facility, prefix, first) in facilities {
        let left = (HIGHEST + 1 - first) / SIZE;
        let gap = GAP.min(left / 2).max(1);
        let last = (first + gap * SIZE - 1).min(HIGHEST);
        if last < first {
            continue;
        }
        let sql = "INSERT INTO mr_block (facility, prefix, first, last, purpose, allotted_at, closed_at) \
                   VALUES (?1, ?2, ?3, ?4, 'restore', ?5, ?5)";
        sqlx::query(sql)
            .bind(facility)
            .bind(prefix)
            .bind(first)
            .bind(last)
            .bind(now)
            .execute(&mut *tx)
            .await?;
    }
    let given = last_prefix(tx).await? + PREFIX_GAP;
    sqlx::query(
        "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
    )
    .bind(PREFIXES)
    .bind(given.to_string().into_bytes())
    .execute(tx)
    .await?;
    Ok(())
}

/// The highest prefix that was given, as far as it is known.
pub(super) async fn last_prefix(db: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let sql = "SELECT max(coalesce((SELECT max(CAST(mr_prefix AS INTEGER)) FROM facility), 0), \
               coalesce((SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM setting WHERE name = ?), 0), 1000)";
    sqlx::query_scalar(sql).bind(PREFIXES).fetch_one(db).await
}

async fn insert(
    tx: &mut SqliteConnection,
    facility: Id,
    prefix: String,
    (first, last): (i64, i64),
    purpose: &str,
    device: Option<Id>,
    now: i64,
) -> Result<MrBlock, IdentityError> {
    let sql = "INSERT INTO mr_block (facility, prefix, first, last, purpose, device, allotted_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(sql)
        .bind(facility.0.to_vec())
        .bind(&prefix)
        .bind(first)
        .bind(last)
        .bind(purpose)
        .bind(device.map(|d| d.0.to_vec()))
        .bind(now)
        .execute(tx)
        .await?;
    Ok(MrBlock { prefix, first: first as u32, last: last as u32 })
}

/// The block that was allotted to `device`, if it is still open.
pub(super) async fn of_device(
    tx: &mut SqliteConnection,
    device: Id,
) -> Result<Option<MrBlock>, IdentityError> {
    let sql =
        "SELECT prefix, first, last FROM mr_block WHERE device = ? AND closed_at IS NULL ORDER BY id LIMIT 1";
    let row = sqlx::query(sql).bind(device.0.to_vec()).fetch_optional(tx).await?;
    let read = |row: sqlx::sqlite::SqliteRow| -> Result<MrBlock, sqlx::Error> {
        let (first, last): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
        Ok(MrBlock { prefix: row.try_get(0)?, first: first as u32, last: last as u32 })
    };
    Ok(row.map(read).transpose()?)
}
