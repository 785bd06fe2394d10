use ed25519_dalek::VerifyingKey;
use rabta_wire::Id;
use sqlx::{Row, SqliteConnection};

use super::id;

/// What the HIE knows of a device.
#[derive(Debug, Clone)]
pub struct DeviceInfo {
    pub id: Id,
    pub facility: Id,
    pub key: VerifyingKey,
    pub revoked: bool,
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
    Ok(Some(DeviceInfo {
        id: device,
        facility: id(row.try_get("facility")?)?,
        key: key(row.try_get("key")?)?,
        revoked: row.try_get::<Option<i64>, _>("revoked_at")?.is_some(),
        forked: row.try_get::<Option<i64>, _>("forked_at")?.is_some(),
    }))
}

/// Whether neither the device nor the person's key on it is revoked.
pub async fn may_act(db: &mut SqliteConnection, device: Id, person: Id) -> Result<bool, sqlx::Error> {
    let sql = "SELECT count(*) FROM device d JOIN person_key k ON k.device = d.id \
               WHERE d.id = ? AND d.revoked_at IS NULL AND k.person = ? AND k.revoked_at IS NULL";
    let keys: i64 =
        sqlx::query_scalar(sql).bind(device.0.to_vec()).bind(person.0.to_vec()).fetch_one(db).await?;
    Ok(keys > 0)
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

fn key(bytes: Vec<u8>) -> Result<VerifyingKey, sqlx::Error> {
    let bad = || sqlx::Error::Decode("a key that is not an Ed25519 key".into());
    VerifyingKey::from_bytes(bytes.as_slice().try_into().map_err(|_| bad())?).map_err(|_| bad())
}
