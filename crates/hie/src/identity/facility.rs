use rabta_wire::{Id, enroll::Facility};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{IdentityError, entered, entered_option, id, mr_block::last_prefix, new_id};

const HIGHEST_PREFIX: i64 = 9_999;

/// What an operator enters of a facility.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct NewFacility {
    pub id: Option<Id>,
    pub name: String,
    /// clinic or hospital.
    pub kind: String,
    pub place: Option<String>,
    pub address: Option<String>,
    /// Four digits; the next free one if not given.
    pub mr_prefix: Option<String>,
}

pub async fn add_facility(
    tx: &mut SqliteConnection,
    new: &NewFacility,
    now: i64,
) -> Result<Facility, IdentityError> {
    if !["clinic", "hospital"].contains(&new.kind.as_str()) {
        return Err(IdentityError::Kind);
    }
    let facility = Facility {
        id: new.id.unwrap_or_else(new_id),
        name: entered("the name", &new.name)?,
        place: entered_option("the place", &new.place)?,
        address: entered_option("the address", &new.address)?,
        kind: new.kind.clone(),
    };
    let prefix = match &new.mr_prefix {
        Some(p) if p.len() == 4 && p.bytes().all(|b| b.is_ascii_digit()) => p.clone(),
        Some(_) => return Err(IdentityError::Prefix),
        None => {
            let next = last_prefix(tx).await? + 1;
            if next > HIGHEST_PREFIX {
                return Err(IdentityError::Prefix);
            }
            format!("{next:04}")
        }
    };
    let sql = "INSERT INTO facility (id, name, kind, place, address, mr_prefix, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let done = sqlx::query(sql)
        .bind(facility.id.0.to_vec())
        .bind(&facility.name)
        .bind(&facility.kind)
        .bind(&facility.place)
        .bind(&facility.address)
        .bind(&prefix)
        .bind(now)
        .execute(tx)
        .await;
    match done {
        Err(sqlx::Error::Database(e)) if e.is_unique_violation() => Err(IdentityError::Prefix),
        other => other.map(|_| facility).map_err(Into::into),
    }
}

const COLUMNS: &str = "SELECT id, name, kind, place, address FROM facility";

fn read(row: SqliteRow) -> Result<Facility, sqlx::Error> {
    Ok(Facility {
        id: id(row.try_get("id")?)?,
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        place: row.try_get("place")?,
        address: row.try_get("address")?,
    })
}

pub async fn facilities(db: &mut SqliteConnection) -> Result<Vec<Facility>, IdentityError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE kind <> 'hie' ORDER BY name"));
    let rows = sqlx::query(sql).fetch_all(db).await?;
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}

pub async fn facility(db: &mut SqliteConnection, id: Id) -> Result<Facility, IdentityError> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = ?"));
    let row = sqlx::query(sql).bind(id.0.to_vec()).fetch_optional(db).await?;
    Ok(read(row.ok_or(IdentityError::NoFacility)?)?)
}

/// By id, or by its exact name if only one has it.
pub async fn find_facility(db: &mut SqliteConnection, which: &str) -> Result<Facility, IdentityError> {
    if let Ok(id) = which.parse() {
        return facility(db, id).await;
    }
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name = ? LIMIT 2"));
    let mut rows = sqlx::query(sql).bind(which.trim()).fetch_all(db).await?;
    match (rows.pop(), rows.pop()) {
        (Some(row), None) => Ok(read(row)?),
        (None, _) => Err(IdentityError::NoFacility),
        _ => Err(IdentityError::AmbiguousFacility),
    }
}
