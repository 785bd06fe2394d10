use rabta_wire::{Id, enroll::RosterEntry};
use sqlx::{Row, SqliteConnection};

use super::{IdentityError, entered, id, person::person};
use crate::{
    db::Db,
    envelopes::{
        holders,
        scope::{self, Item, Scope},
    },
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
    pools(db, tx, who).await?;
    show(db, tx).await
}

/// Takes a person off the roster; nothing where they are not on it.
pub async fn leave_roster(db: &Db, tx: &mut SqliteConnection, who: Id) -> Result<(), IdentityError> {
    sqlx::query("DELETE FROM roster WHERE person = ?").bind(who.0.to_vec()).execute(&mut *tx).await?;
    pools(db, tx, who).await?;
    show(db, tx).await
}

/// What waits in a pool is with whoever is of it now; the duty looks at all of it again.
async fn pools(db: &Db, tx: &mut SqliteConnection, who: Id) -> Result<(), IdentityError> {
    sqlx::query(
        "DELETE FROM task_with WHERE person = ? AND task IN (SELECT id FROM task WHERE owner IS NULL AND pool = 1)",
    )
    .bind(who.0.to_vec())
    .execute(&mut *tx)
    .await?;
    let sql = "SELECT t.id, t.patient FROM task t JOIN roster r ON r.specialty = t.specialty \
               WHERE r.person = ? AND t.owner IS NULL AND t.pool = 1 AND t.closed = 0";
    for row in sqlx::query(sql).bind(who.0.to_vec()).fetch_all(&mut *tx).await? {
        let task = id(row.try_get(0)?)?;
        holders::give(tx, task, who, false).await?;
        scope::show_ask(tx, db.sequencer(), task, &row.try_get::<String, _>(1)?, who).await?;
    }
    sqlx::query("UPDATE task SET look_at = 0 WHERE look_at IS NOT NULL").execute(&mut *tx).await?;
    Ok(())
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
