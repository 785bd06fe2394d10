//! What a doctor leaves for the patient after a call (`rabta_wire::guest`): sealed bytes, kept for a week at most, for the phone that
//! had the call and the word. They outlive the link's own end, and go with its row or by five wrong words.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rabta_wire::{
    Id,
    guest::{AFTER_KEPT, AFTER_LEAST, AfterPart, FetchAfter, Knock, TRIES, bytes, open_hash},
};
use serde_json::json;
use sqlx::{Row, SqliteConnection};
use subtle::ConstantTimeEq;

use super::{
    KnockError,
    http::{caller, refusal, slow_down, told},
    links::optional,
};
use crate::{
    App,
    auth::Access,
    identity::id,
    web::{ApiError, Guesser, body},
};

/// The request around an open key, a word and a device.
const MOST: usize = 4_000;
/// Parts that one person may have lying here.
const MOST_PARTS: i64 = 400;
/// How often what is too old is deleted, whether or not anybody comes.
const SWEPT_EVERY: Duration = Duration::from_secs(3_600);

const SEALED: &str = "application/octet-stream";

/// `PUT /v1/links/{guest}/after`: a sealed note; it takes the place of an earlier one and of that one's paper.
pub async fn put_note(
    State(app): State<Arc<App>>,
    who: Access,
    Path(guest): Path<Id>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    put(&app, &who, guest, AfterPart::Note, request).await
}

/// `PUT /v1/links/{guest}/after/paper`: the sealed paper of the note that is there.
pub async fn put_paper(
    State(app): State<Arc<App>>,
    who: Access,
    Path(guest): Path<Id>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    put(&app, &who, guest, AfterPart::Paper, request).await
}

async fn put(
    app: &App,
    who: &Access,
    guest: Id,
    part: AfterPart,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let caller = caller(who)?;
    if !body::is_type(request.headers(), &[SEALED]) {
        return Err(body::unsupported(SEALED));
    }
    let sealed = body::bytes(request, part.most()).await?;
    if sealed.len() < AFTER_LEAST {
        return Err(ApiError::bad("malformed", "these bytes are too few to be sealed"));
    }
    let now = app.now();
    let mut tx = app.db.write().await?;
    forget(&mut tx, now).await?;
    let lying: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM link_after a JOIN link l ON l.guest = a.guest WHERE l.owner = ? AND a.guest != ?",
    )
    .bind(caller.person.0.to_vec())
    .bind(guest.0.to_vec())
    .fetch_one(&mut *tx)
    .await?;
    if lying >= MOST_PARTS {
        return Err(ApiError::invalid("too-many-after", "too much lies here for patients already"));
    }
    let done = sqlx::query(
        "INSERT INTO link_after (guest, part, sealed, put_at, expires_at) \
         SELECT guest, ?2, ?3, ?4, ?5 FROM link WHERE guest = ?1 AND owner = ?6 AND tries < ?7 \
         AND (?2 = 'note' OR EXISTS (SELECT 1 FROM link_after n WHERE n.guest = ?1 AND n.part = 'note')) \
         ON CONFLICT (guest, part) DO UPDATE SET \
         sealed = excluded.sealed, put_at = excluded.put_at, expires_at = excluded.expires_at",
    )
    .bind(guest.0.to_vec())
    .bind(part.name())
    .bind(sealed)
    .bind(now)
    .bind(now + AFTER_KEPT)
    .bind(caller.person.0.to_vec())
    .bind(TRIES)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(unknown());
    }
    if part == AfterPart::Note {
        sqlx::query("DELETE FROM link_after WHERE guest = ? AND part = 'paper'")
            .bind(guest.0.to_vec())
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /v1/links/{guest}/after`: the doctor takes both parts back.
pub async fn take_back(
    State(app): State<Arc<App>>,
    who: Access,
    Path(guest): Path<Id>,
) -> Result<StatusCode, ApiError> {
    let caller = caller(&who)?;
    let mut tx = app.db.write().await?;
    let done = sqlx::query(
        "DELETE FROM link_after WHERE guest = ?1 \
         AND EXISTS (SELECT 1 FROM link WHERE guest = ?1 AND owner = ?2)",
    )
    .bind(guest.0.to_vec())
    .bind(caller.person.0.to_vec())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    if done.rows_affected() == 0 { Err(unknown()) } else { Ok(StatusCode::NO_CONTENT) }
}

fn unknown() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "no-such-link",
        "there is no such link of yours, or nothing left with it",
    )
}

/// `POST /v1/p/after`: the sealed bytes, for the phone that had the call.
pub async fn fetch(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, ApiError> {
    let FetchAfter { knock, part } = body::json(request, MOST).await?;
    let (Some(word), Some(device)) = (&knock.word, knock.device) else {
        return Err(ApiError::bad("malformed", "a word and a device are wanted"));
    };
    let now = app.now();
    let mut tx = app.db.write().await?;
    let found = find(&mut tx, &knock, word, device, part, now).await;
    // Also a wrong word: it was counted.
    tx.commit().await?;
    match found {
        Ok(Some(sealed)) => {
            Ok(([(header::CONTENT_TYPE, SEALED), (header::CACHE_CONTROL, "no-store")], sealed)
                .into_response())
        }
        Ok(None) => Ok(told(StatusCode::NOT_FOUND, json!({"error": "nothing-yet"}))),
        // A word is counted with its link; who makes up links is slowed down.
        Err(KnockError::NoSuchLink) if app.knocks.wrong(Guesser::at(from)).is_err() => Ok(slow_down()),
        Err(error) => refusal(error),
    }
}

/// `Ok(None)`: nothing is there, and the link is still open.
async fn find(
    tx: &mut SqliteConnection,
    knock: &Knock,
    word: &str,
    device: Id,
    part: AfterPart,
    now: i64,
) -> Result<Option<Vec<u8>>, KnockError> {
    forget(tx, now).await?;
    let open = bytes(&knock.open).ok_or(KnockError::NoSuchLink)?;
    let row = sqlx::query(
        "SELECT l.guest, l.word_proof, l.tries, l.last_device, l.expires_at <= ?2 OR l.closed_at IS NOT NULL AS over, a.sealed \
         FROM link l LEFT JOIN link_after a ON a.guest = l.guest AND a.part = ?3 WHERE l.open_hash = ?1",
    )
    .bind(open_hash(&open).to_vec())
    .bind(now)
    .bind(part.name())
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(KnockError::NoSuchLink)?;
    let sealed: Option<Vec<u8>> = row.try_get("sealed")?;
    let tries = row.try_get::<i64, _>("tries")? as u32;
    if tries >= TRIES || (sealed.is_none() && row.try_get("over")?) {
        return Err(KnockError::Over);
    }
    let guest = id(row.try_get("guest")?)?;
    let proof: Vec<u8> = row.try_get("word_proof")?;
    let weighed = weigh(tx, guest, &proof, tries, word, now).await;
    if matches!(weighed, Err(KnockError::Over)) {
        sqlx::query("DELETE FROM link_after WHERE guest = ?").bind(guest.0.to_vec()).execute(tx).await?;
    }
    weighed?;
    if optional(&row, "last_device")?.is_some_and(|had| had != device) {
        return Err(KnockError::Elsewhere);
    }
    Ok(sealed)
}

/// Checks a word and counts the wrong ones, of a link that has ended too; the last of them ends it.
async fn weigh(
    tx: &mut SqliteConnection,
    guest: Id,
    proof: &[u8],
    tries: u32,
    word: &str,
    now: i64,
) -> Result<(), KnockError> {
    if bytes(word).is_some_and(|word| bool::from(word.as_slice().ct_eq(proof))) {
        if tries > 0 {
            sqlx::query("UPDATE link SET tries = 0 WHERE guest = ?")
                .bind(guest.0.to_vec())
                .execute(tx)
                .await?;
        }
        return Ok(());
    }
    let left = TRIES.saturating_sub(tries + 1);
    sqlx::query(
        "UPDATE link SET tries = tries + 1, closed_at = CASE WHEN ?1 = 0 THEN ?2 ELSE closed_at END WHERE guest = ?3",
    )
    .bind(left)
    .bind(now)
    .bind(guest.0.to_vec())
    .execute(tx)
    .await?;
    Err(if left == 0 { KnockError::Over } else { KnockError::WrongWord { left } })
}

/// Whether a note lies there for whoever has this open key.
pub(super) async fn is_there(
    db: &mut SqliteConnection,
    knock: &Knock,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let Some(open) = bytes(&knock.open) else { return Ok(false) };
    let n: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM link_after a JOIN link l ON l.guest = a.guest \
         WHERE l.open_hash = ? AND l.tries < ? AND a.part = 'note' AND a.expires_at > ?",
    )
    .bind(open_hash(&open).to_vec())
    .bind(TRIES)
    .bind(now)
    .fetch_one(db)
    .await?;
    Ok(n > 0)
}

async fn forget(tx: &mut SqliteConnection, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM link_after WHERE expires_at <= ?").bind(now).execute(tx).await.map(drop)
}

/// Deletes what is a week old, also where nobody comes to ask.
pub async fn forget_in_time(app: Arc<App>) {
    loop {
        let done = async {
            let mut tx = app.db.write().await?;
            forget(&mut tx, app.now()).await?;
            tx.commit().await
        };
        let done: Result<(), sqlx::Error> = done.await;
        if let Err(error) = done {
            tracing::warn!(%error, "what was left for patients could not be cleared");
        }
        tokio::select! {
            () = tokio::time::sleep(SWEPT_EVERY) => {}
            () = app.stopping.cancelled() => return,
        }
    }
}
