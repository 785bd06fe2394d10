use ed25519_dalek::VerifyingKey;
use rabta_wire::Id;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::id;

/// What the HIE knows of a device.
#[derive(Debug, Clone)]
pub struct DeviceInfo {
    pub id: Id,
    pub facility: Id,
    pub key: VerifyingKey,
    pub revoked: bool,
    /// Milliseconds since 1970, the HIE's clock.
    pub revoked_at: Option<i64>,
    pub forked: bool,
}

/// A key of a person that the HIE certified and has not revoked.
#[derive(Debug, Clone)]
pub struct PersonKey {
    pub key: VerifyingKey,
    pub device: Id,
    pub facility: Id,
    pub role: String,
}

pub async fn device(db: &mut SqliteConnection, device: Id) -> Result<Option<DeviceInfo>, sqlx::Error> {
    let sql = "SELECT facility, key, revoked_at, forked_at FROM device WHERE id = ?";
    let Some(row) = sqlx::query(sql).bind(device.0.to_vec()).fetch_optional(db).await? else {
        return Ok(None);
    };
    let revoked_at: Option<i64> = row.try_get("revoked_at")?;
    Ok(Some(DeviceInfo {
        id: device,
        facility: id(row.try_get("facility")?)?,
        key: key(row.try_get("key")?)?,
        revoked: revoked_at.is_some(),
        revoked_at,
        forked: row.try_get::<Option<i64>, _>("forked_at")?.is_some(),
    }))
}

/// All good keys of a person: one for each vault.
pub async fn person_keys(db: &mut SqliteConnection, person: Id) -> Result<Vec<PersonKey>, sqlx::Error> {
    let sql = "SELECT k.key, k.device, p.facility, p.role FROM person_key k JOIN person p ON p.id = k.person \
               WHERE k.person = ? AND k.revoked_at IS NULL";
    let rows = sqlx::query(sql).bind(person.0.to_vec()).fetch_all(db).await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        Ok(PersonKey {
            key: key(row.try_get("key")?)?,
            device: id(row.try_get("device")?)?,
            facility: id(row.try_get("facility")?)?,
            role: row.try_get("role")?,
        })
    };
    rows.iter().map(read).collect()
}

/// The role of a person who may work at a device now: neither is revoked.
pub async fn role_at(
    db: &mut SqliteConnection,
    device: Id,
    person: Id,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT p.role FROM person_key k JOIN person p ON p.id = k.person JOIN device d ON d.id = k.device \
         WHERE k.device = ? AND k.person = ? AND k.revoked_at IS NULL AND d.revoked_at IS NULL LIMIT 1",
    )
    .bind(device.0.to_vec())
    .bind(person.0.to_vec())
    .fetch_optional(db)
    .await
}

/// Whether somebody who reads whole records works at the device.
pub async fn is_clinical(db: &mut SqliteConnection, device: Id) -> Result<bool, sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT EXISTS (SELECT 1 FROM person_key k JOIN person p ON p.id = k.person WHERE k.revoked_at IS NULL AND k.device = ",
    );
    query.push_bind(device.0.to_vec()).push(" AND p.role IN (");
    let mut roles = query.separated(", ");
    for role in rabta_domain::role::clinical_roles() {
        roles.push_bind(role);
    }
    query.push("))");
    query.build_query_scalar().fetch_one(db).await
}

/// Whether the person has, or ever had, a key at the device.
pub async fn worked_at(db: &mut SqliteConnection, device: Id, person: Id) -> Result<bool, sqlx::Error> {
    let n: i64 = sqlx::query_scalar("SELECT count(*) FROM person_key WHERE device = ? AND person = ?")
        .bind(device.0.to_vec())
        .bind(person.0.to_vec())
        .fetch_one(db)
        .await?;
    Ok(n > 0)
}

fn key(bytes: Vec<u8>) -> Result<VerifyingKey, sqlx::Error> {
    let bad = || sqlx::Error::Decode("a key that is not an Ed25519 key".into());
    VerifyingKey::from_bytes(bytes.as_slice().try_into().map_err(|_| bad())?).map_err(|_| bad())
}
