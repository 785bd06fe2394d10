//! What the operator's page shows, read from the database. No row here names a patient or what was recorded.

use std::path::Path;

use rabta_domain::duty;
use rabta_wire::{
    Id,
    enroll::{Facility, RosterEntry},
};
use sqlx::Row;

use super::words::Tab;
use crate::{
    App,
    admin::{
        self, AdminError, Reply, Request,
        health::{self, DeviceLine, Finding},
    },
    backup::{self, Kept},
    identity,
};

/// A path of this page; any other leads to the first.
pub fn known(path: &str) -> &'static str {
    Tab::ALL.into_iter().map(Tab::path).find(|known| *known == path).unwrap_or("/")
}

/// The doctor's findings, the worst first.
pub async fn health(app: &App, data: &Path, key_file: &Path) -> Result<Vec<Finding>, AdminError> {
    let mut findings = health::of_files(data, key_file);
    if let Reply::Health { findings: more, .. } = admin::run_in(app, Request::Health { deep: false }).await? {
        findings.extend(more);
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.state as u8));
    Ok(findings)
}

/// The backups that there are, the newest first: a month of nights.
pub async fn backups(app: &App) -> Result<Vec<Kept>, sqlx::Error> {
    backup::kept(&mut *app.db.read().acquire().await?, 30).await
}

/// A facility and how much there is of it.
pub struct FacilityLine {
    pub facility: Facility,
    pub people: i64,
    /// Not revoked.
    pub devices: i64,
    /// When one of its devices was last in contact, milliseconds since 1970.
    pub seen: Option<i64>,
}

pub async fn facilities(app: &App) -> Result<Vec<FacilityLine>, sqlx::Error> {
    let sql = "SELECT f.id, f.name, f.kind, f.place, f.address, \
               (SELECT count(*) FROM person p WHERE p.facility = f.id), \
               (SELECT count(*) FROM device d WHERE d.facility = f.id AND d.revoked_at IS NULL), \
               (SELECT max(d.seen_at) FROM device d WHERE d.facility = f.id) \
               FROM facility f WHERE f.kind <> 'hie' ORDER BY f.name";
    let rows = sqlx::query(sql).fetch_all(app.db.read()).await?;
    let line = |row: &sqlx::sqlite::SqliteRow| {
        let facility = Facility {
            id: identity::id(row.try_get(0)?)?,
            name: row.try_get(1)?,
            kind: row.try_get(2)?,
            place: row.try_get(3)?,
            address: row.try_get(4)?,
        };
        Ok(FacilityLine {
            facility,
            people: row.try_get(5)?,
            devices: row.try_get(6)?,
            seen: row.try_get(7)?,
        })
    };
    rows.iter().map(line).collect()
}

/// A person who works with the HIE.
pub struct PersonLine {
    pub id: Id,
    pub name: String,
    pub role: String,
    pub registration: Option<String>,
    pub facility: String,
    /// Laptops at which they have a key.
    pub keys: i64,
    /// They had one, and it was revoked.
    pub revoked: bool,
    /// A code that nobody used yet, until then; milliseconds since 1970.
    pub code_until: Option<i64>,
}

pub async fn people(app: &App) -> Result<Vec<PersonLine>, sqlx::Error> {
    let sql = "SELECT p.id, p.name, p.role, p.registration, f.name, \
               (SELECT count(*) FROM person_key k JOIN device d ON d.id = k.device \
                WHERE k.person = p.id AND k.revoked_at IS NULL AND d.revoked_at IS NULL), \
               (SELECT count(*) FROM person_key k WHERE k.person = p.id AND k.revoked_at IS NOT NULL), \
               (SELECT max(e.expires_at) FROM enrollment e WHERE e.person = p.id AND e.used_at IS NULL AND e.expires_at > ?) \
               FROM person p JOIN facility f ON f.id = p.facility WHERE f.kind <> 'hie' ORDER BY f.name, p.name, p.id";
    let rows = sqlx::query(sql).bind(app.now()).fetch_all(app.db.read()).await?;
    let line = |row: &sqlx::sqlite::SqliteRow| {
        let keys: i64 = row.try_get(5)?;
        Ok(PersonLine {
            id: identity::id(row.try_get(0)?)?,
            name: row.try_get(1)?,
            role: row.try_get(2)?,
            registration: row.try_get(3)?,
            facility: row.try_get(4)?,
            keys,
            revoked: keys == 0 && row.try_get::<i64, _>(6)? > 0,
            code_until: row.try_get(7)?,
        })
    };
    rows.iter().map(line).collect()
}

pub async fn devices(app: &App) -> Result<Vec<DeviceLine>, AdminError> {
    let mut db = app.db.read().acquire().await?;
    Ok(health::devices(&mut db).await?)
}

/// Entries of one device that were refused for one reason.
pub struct RefusedLine {
    pub device: Id,
    pub name: String,
    pub facility: String,
    /// The stable code.
    pub code: String,
    pub count: i64,
    /// When the first and the last of them came, milliseconds since 1970.
    pub first: i64,
    pub last: i64,
}

pub async fn refused(app: &App) -> Result<Vec<RefusedLine>, sqlx::Error> {
    let sql = "SELECT d.id, d.name, f.name, coalesce(l.code, ''), count(*), min(l.seen_at), max(l.seen_at) \
               FROM log_entry l JOIN device d ON d.id = l.device JOIN facility f ON f.id = d.facility \
               WHERE l.state = 2 GROUP BY d.id, l.code ORDER BY max(l.seen_at) DESC, d.id, l.code";
    let rows = sqlx::query(sql).fetch_all(app.db.read()).await?;
    let line = |row: &sqlx::sqlite::SqliteRow| {
        Ok(RefusedLine {
            device: identity::id(row.try_get(0)?)?,
            name: row.try_get(1)?,
            facility: row.try_get(2)?,
            code: row.try_get(3)?,
            count: row.try_get(4)?,
            first: row.try_get(5)?,
            last: row.try_get(6)?,
        })
    };
    rows.iter().map(line).collect()
}

/// A line of the roster, and whether its hours cover now.
pub struct DutyLine {
    pub entry: RosterEntry,
    pub now: bool,
}

pub async fn roster(app: &App) -> Result<Vec<DutyLine>, AdminError> {
    let mut db = app.db.read().acquire().await?;
    let now = time::OffsetDateTime::from_unix_timestamp(app.now() / 1000)
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
        .to_offset(app.utc_offset);
    let all = identity::roster(&mut db).await?;
    Ok(all.into_iter().map(|entry| DutyLine { now: duty::covers(&entry.hours, now), entry }).collect())
}
