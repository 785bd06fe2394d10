//! What nobody answers is moved by the HIE itself: to the next on duty, and when enough were asked, to "no one
//! answers: refer now". The rule is [`rabta_domain::duty`]; here it meets the database, by the HIE's clock.
//!
//! An ask that may have to be moved has a time at which it is looked at (`task.look_at`); each move of it, and each
//! change of the roster, makes that time come at once.

mod device;

use std::{sync::Arc, time::Duration};

use rabta_domain::{
    ask::{Party, State},
    duty::{self, Member, Next, Waiting},
    fhir::{
        Resource, Signer,
        task::{self, Move, Owner},
    },
};
use rabta_wire::{Id, log::Outcome, signal::Address};
use sqlx::{Row, SqliteConnection};
use time::{OffsetDateTime, UtcOffset};

pub use device::DutyDevice;
pub(crate) use device::ensure;

use crate::{App, clock::at, fhir::store, identity};

/// Most asks that are moved in one transaction.
const AT_ONCE: i64 = 100;
const PAUSE: Duration = Duration::from_secs(5);

/// Why the duty could not look.
#[derive(Debug, thiserror::Error)]
pub enum DutyError {
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    /// An ask that cannot be read, or a move that was not taken: it stays as it is.
    #[error("an ask cannot be moved: {0}")]
    Move(String),
}

/// Watches until the server stops.
pub(crate) async fn watch(app: Arc<App>) -> std::io::Result<()> {
    let mut changes = app.changes.subscribe();
    loop {
        if let Err(error) = tick(&app).await {
            tracing::error!(%error, "the duty could not look at the open asks");
        }
        tokio::select! {
            () = app.stopping.cancelled() => return Ok(()),
            _ = changes.changed() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Looks at every ask whose time has come; returns how many were moved.
pub async fn tick(app: &App) -> Result<usize, DutyError> {
    let now = app.now();
    let mut moved = 0;
    loop {
        let due: Vec<Vec<u8>> = sqlx::query_scalar(
            // One that the patient closed to whoever is outside waits for the patient.
            "SELECT id FROM task WHERE look_at IS NOT NULL AND look_at <= ? AND shut_by = '' ORDER BY look_at LIMIT ?",
        )
        .bind(now)
        .bind(AT_ONCE)
        .fetch_all(app.db.read())
        .await?;
        if due.is_empty() {
            break;
        }
        let mut tx = app.db.write().await?;
        for ask in due {
            let ask = identity::id(ask)?;
            let next = match look(app, &mut tx, ask, now).await {
                Ok(Some(look_at)) => look_at,
                Ok(None) => {
                    moved += 1;
                    continue;
                }
                Err(DutyError::Sql(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(%ask, %error, "an ask stays where it is");
                    Some(now + 60_000)
                }
            };
            sqlx::query("UPDATE task SET look_at = ? WHERE id = ?")
                .bind(next)
                .bind(ask.0.to_vec())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
    }
    if moved > 0 {
        app.changed();
    }
    Ok(moved)
}

/// `None`: it was moved. Else when it is looked at again; `Some(None)` for one that waits for nobody there.
async fn look(
    app: &App,
    tx: &mut SqliteConnection,
    ask: Id,
    now: i64,
) -> Result<Option<Option<i64>>, DutyError> {
    let row = sqlx::query(
        "SELECT t.state, t.updated_at, t.asked_at, t.version, t.patient, t.owner IS NULL AND t.pool = 1, \
         (SELECT count(*) FROM task_asked a WHERE a.task = t.id AND a.by_name = 1), \
         v.codec, v.dictionary, v.body FROM task t \
         JOIN resource r ON r.type = 'Task' AND r.id = ?2 \
         JOIN resource_version v ON v.type = 'Task' AND v.id = r.id AND v.version = r.version WHERE t.id = ?1",
    )
    .bind(ask.0.to_vec())
    .bind(ask.to_string())
    .fetch_one(&mut *tx)
    .await?;
    let body = store::unpack(row.try_get(7)?, row.try_get(8)?, row.try_get(9)?)?;
    let wrong = |e: &dyn std::fmt::Display| DutyError::Move(e.to_string());
    let resource = Resource::from_text(&body).map_err(|e| wrong(&e))?;
    let view = task::view(&resource).map_err(|e| wrong(&e))?;
    let members = members(app, tx, ask, &view.specialty, &view.requester.id).await?;
    let known: Vec<Member> = members.iter().map(|m| m.seen).collect();
    let state: String = row.try_get(0)?;
    let waiting = Waiting {
        state: State::from_code(&state).ok_or_else(|| wrong(&"an unknown state"))?,
        urgency: view.urgency,
        in_pool: row.try_get(5)?,
        since: (now - row.try_get::<i64, _>(1)?) / 1000,
        asked: (now - row.try_get::<i64, _>(2)?) / 1000,
        tries: row.try_get::<i64, _>(6)? as u32,
    };
    let pool = Some(Owner::Pool(&view.specialty)).filter(|_| !view.specialty.is_empty());
    let (to, owner) = match duty::next(waiting, &known) {
        Next::Wait(seconds) => return Ok(Some(Some(now + seconds * 1000))),
        Next::Rest => return Ok(Some(None)),
        Next::Escalate(i) => {
            (State::Escalated, Some(Owner::Person { id: &members[i].id, name: &members[i].name }))
        }
        Next::Nobody => (State::NobodyOnDuty, pool),
        Next::Expire => (State::Expired, None),
    };
    let step = Move {
        to,
        party: Party::System,
        by: &Signer { name: "HIE".into(), ..Signer::default() },
        at: at(now),
        reason: "",
        owner,
        output: None,
    };
    let task = task::moved(&resource, &step).map_err(|e| wrong(&e))?;
    let payload = task::to_bundle(&task, step.at, &mut || identity::new_id().to_string());
    let patient: String = row.try_get(4)?;
    let about = device::About {
        task: ask,
        patient: patient.parse().map_err(|_| wrong(&"not a patient of ours"))?,
        version: row.try_get::<i64, _>(3)? as u32,
    };
    match device::write(&app.db, tx, &about, payload, now).await? {
        Outcome::Durable { .. } => Ok(None),
        Outcome::Refused { code, .. } => Err(wrong(&code)),
        other => Err(wrong(&format!("{other:?}"))),
    }
}

struct OnRoster {
    id: String,
    name: String,
    seen: Member,
}

/// Everybody of the specialty who can be asked, in the roster's order; never the one who asks.
async fn members(
    app: &App,
    db: &mut SqliteConnection,
    ask: Id,
    specialty: &str,
    requester: &str,
) -> Result<Vec<OnRoster>, DutyError> {
    let rows = sqlx::query(
        "SELECT p.id, p.name, r.hours, coalesce(a.by_name, 0) FROM roster r JOIN person p ON p.id = r.person \
         LEFT JOIN task_asked a ON a.task = ? AND a.person = p.id WHERE r.specialty = ? ORDER BY p.name, p.id",
    )
    .bind(ask.0.to_vec())
    .bind(specialty)
    .fetch_all(db)
    .await?;
    let here = local(app.now(), app.utc_offset);
    let mut members = Vec::new();
    for row in rows {
        let id = identity::id(row.try_get(0)?)?;
        if id.to_string() == requester {
            continue;
        }
        let hours: String = row.try_get(2)?;
        let seen = Member {
            on_duty: duty::covers(&hours, here),
            reachable: app.hub.is_here(Address { person: id, device: None }),
            tried: row.try_get(3)?,
        };
        members.push(OnRoster { id: id.to_string(), name: row.try_get(1)?, seen });
    }
    Ok(members)
}

fn local(now: i64, offset: UtcOffset) -> OffsetDateTime {
    at(now).to_offset(offset)
}
