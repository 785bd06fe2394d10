use rabta_wire::{Id, enroll::RosterEntry};
use sqlx::{Row, SqliteConnection};

use super::{IdentityError, entered, id, person::person};
use crate::{
    db::Db,
    envelopes::scope::{self, Item, Scope},
};

/// Sets a person's line of the roster, and lets everybody pull the new roster.
pub async fn set_roster(
    db: &Db,
    tx: &mut SqliteConnection,
    who: Id,
    specialty: &str,
    phone: &str,
    hours: &str,
    now: i64,
) -> Result<(), IdentityError> {
    person(tx, who).await?;
    let sql = "INSERT INTO roster (person, specialty, phone, hours, updated_at) VALUES (?, ?, ?, ?, ?) \
               ON CONFLICT (person) DO UPDATE SET specialty = excluded.specialty, phone = excluded.phone, \
               hours = excluded.hours, updated_at = excluded.updated_at";
    sqlx::query(sql)
        .bind(who.0.to_vec())
        .bind(entered("the specialty", specialty)?)
        .bind(entered("the phone", phone)?)
        .bind(entered("the hours", hours)?)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    show(db, tx).await
}

/// Takes a person off the roster; nothing where they are not on it.
pub async fn leave_roster(db: &Db, tx: &mut SqliteConnection, who: Id) -> Result<(), IdentityError> {
    sqlx::query("DELETE FROM roster WHERE person = ?").bind(who.0.to_vec()).execute(&mut *tx).await?;
    show(db, tx).await
}

async fn show(db: &Db, tx: &mut SqliteConnection) -> Result<(), IdentityError> {
    // A pull delivers the roster as it then is: older rows would only repeat it.
    sqlx::query("DELETE FROM change WHERE item = 3").execute(&mut *tx).await?;
    scope::show(tx, db.sequencer(), Scope::Everybody, None, Item::Roster).await?;
    Ok(())
}

/// The whole roster.
pub async fn roster(db: &mut SqliteConnection) -> Result<Vec<RosterEntry>, IdentityError> {
    let sql = "SELECT p.id, p.name, f.name AS facility, r.specialty, r.phone, r.hours FROM roster r \
               JOIN person p ON p.id = r.person JOIN facility f ON f.id = p.facility ORDER BY r.specialty, p.name";
    let rows = sqlx::query(sql).fetch_all(db).await?;
    let entry = |row: &sqlx::sqlite::SqliteRow| -> Result<RosterEntry, sqlx::Error> {
        Ok(RosterEntry {
            person: id(row.try_get("id")?)?,
            name: row.try_get("name")?,
            facility: row.try_get("facility")?,
            specialty: row.try_get("specialty")?,
            phone: row.try_get("phone")?,
            hours: row.try_get("hours")?,
        })
    };
    Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
}
