//! Whom an ask is with, as rows: `task_with` for now, `task_asked` for ever.

use rabta_wire::Id;
use sqlx::SqliteConnection;

use crate::{envelopes::content::Holder, identity};

/// Whom an open ask is with now.
pub async fn with(db: &mut SqliteConnection, task: Id) -> Result<Vec<Id>, sqlx::Error> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT person FROM task_with WHERE task = ? ORDER BY person")
            .bind(task.0.to_vec())
            .fetch_all(db)
            .await?;
    rows.into_iter().map(identity::id).collect()
}

/// Whom it was ever with.
pub async fn asked(db: &mut SqliteConnection, task: Id) -> Result<Vec<Id>, sqlx::Error> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT person FROM task_asked WHERE task = ? ORDER BY person")
            .bind(task.0.to_vec())
            .fetch_all(db)
            .await?;
    rows.into_iter().map(identity::id).collect()
}

/// Gives the ask to `holder`, or to nobody once it is closed; returns whom it is with now.
pub async fn set(
    tx: &mut SqliteConnection,
    task: Id,
    holder: &Holder,
    closed: bool,
) -> Result<Vec<Id>, sqlx::Error> {
    let people = if closed { Vec::new() } else { of(tx, holder).await? };
    let id = task.0.to_vec();
    sqlx::query("DELETE FROM task_with WHERE task = ?").bind(&id).execute(&mut *tx).await?;
    let by_name = matches!(holder, Holder::Person(_));
    for person in &people {
        give(tx, task, *person, by_name).await?;
    }
    Ok(people)
}

/// The ask is now with this person, too.
pub async fn give(tx: &mut SqliteConnection, task: Id, person: Id, by_name: bool) -> Result<(), sqlx::Error> {
    let (task, person) = (task.0.to_vec(), person.0.to_vec());
    sqlx::query("INSERT OR IGNORE INTO task_with (task, person) VALUES (?, ?)")
        .bind(&task)
        .bind(&person)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO task_asked (task, person, by_name) VALUES (?, ?, ?) \
         ON CONFLICT (task, person) DO UPDATE SET by_name = max(by_name, excluded.by_name)",
    )
    .bind(&task)
    .bind(&person)
    .bind(by_name)
    .execute(tx)
    .await?;
    Ok(())
}

/// Who that is, today.
pub async fn of(db: &mut SqliteConnection, holder: &Holder) -> Result<Vec<Id>, sqlx::Error> {
    match holder {
        Holder::Nobody => Ok(Vec::new()),
        Holder::Person(person) => Ok(vec![*person]),
        Holder::Pool(specialty) => members(db, specialty).await,
    }
}

async fn members(db: &mut SqliteConnection, specialty: &str) -> Result<Vec<Id>, sqlx::Error> {
    let rows: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT person FROM roster WHERE specialty = ? ORDER BY person")
            .bind(specialty)
            .fetch_all(db)
            .await?;
    rows.into_iter().map(identity::id).collect()
}
