use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rabta_wire::{
    Id,
    guest::{AFTER_LEAST, CONTACT_BYTES, Knock, LONGEST, LinkAct, MakeLink, TRIES, bytes, open_hash},
    signal::Party,
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use subtle::ConstantTimeEq;

use crate::{envelopes::Caller, identity::id};

/// Links that one person may have open.
const MOST_OPEN: i64 = 50;
/// How long ended links are remembered, to say "over" and not "never heard of".
const REMEMBERED_MS: i64 = 30 * 24 * 3_600_000;

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error(
        "the open hash or the word's proof is not 32 bytes of base64url, or the contact not something sealed"
    )]
    Malformed,
    #[error("a link lives for a week at most, and not in the past")]
    Life,
    #[error("fifty links are open; close one first")]
    TooMany,
    #[error("there is such a link already")]
    Taken,
    #[error("there is no such open link of yours")]
    Unknown,
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

/// Why a phone does not get in.
#[derive(Debug, thiserror::Error)]
pub enum KnockError {
    #[error("there is no such link")]
    NoSuchLink,
    #[error("the link is over")]
    Over,
    #[error("not the word; {left} tries left")]
    WrongWord { left: u32 },
    #[error("it was opened in another phone or browser")]
    Elsewhere,
    #[error("the call is not to be moved")]
    NotMoved,
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

/// Which tab has the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    Nobody,
    To(Id),
}

/// A link that the right word was given for.
#[derive(Debug, Clone)]
pub struct Found {
    pub guest: Id,
    pub owner: Id,
    pub doctor: String,
    pub expires_at: i64,
    pub joined_at: Option<i64>,
    pub bound: Bound,
}

/// Keeps a link that `caller` made.
pub async fn make(
    tx: &mut SqliteConnection,
    caller: Caller,
    link: &MakeLink,
    now: i64,
) -> Result<(), LinkError> {
    let (Some(open), Some(word)) = (bytes(&link.open), bytes(&link.word)) else {
        return Err(LinkError::Malformed);
    };
    let contact = link.contact.as_ref().map(|text| URL_SAFE_NO_PAD.decode(text)).transpose();
    let contact = contact.map_err(|_| LinkError::Malformed)?;
    if contact.as_ref().is_some_and(|sealed| !(AFTER_LEAST..=CONTACT_BYTES).contains(&sealed.len())) {
        return Err(LinkError::Malformed);
    }
    if link.expires_at <= now || link.expires_at > now + LONGEST {
        return Err(LinkError::Life);
    }
    sqlx::query("DELETE FROM link WHERE expires_at < ?").bind(now - REMEMBERED_MS).execute(&mut *tx).await?;
    let open_now: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM link WHERE owner = ? AND expires_at > ? AND closed_at IS NULL",
    )
    .bind(caller.person.0.to_vec())
    .bind(now)
    .fetch_one(&mut *tx)
    .await?;
    if open_now >= MOST_OPEN {
        return Err(LinkError::TooMany);
    }
    let done = sqlx::query(
        "INSERT INTO link (guest, open_hash, word_proof, owner, facility, made_at, expires_at, made_on, contact) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (SELECT 1 FROM person WHERE id = ?1) \
         ON CONFLICT DO NOTHING",
    )
    .bind(link.guest.0.to_vec())
    .bind(open.to_vec())
    .bind(word.to_vec())
    .bind(caller.person.0.to_vec())
    .bind(caller.facility.0.to_vec())
    .bind(now)
    .bind(link.expires_at)
    .bind(caller.device.0.to_vec())
    .bind(contact)
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(LinkError::Taken) }
}

/// A link of `owner` that is open: guest, when it ends, when somebody joined, with which tab, whether another asks.
pub async fn list(
    db: &mut SqliteConnection,
    owner: Id,
    now: i64,
) -> Result<Vec<(Id, i64, Option<i64>, Option<Id>, bool)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT guest, expires_at, joined_at, device, asking FROM link \
         WHERE owner = ? AND expires_at > ? AND closed_at IS NULL ORDER BY made_at",
    )
    .bind(owner.0.to_vec())
    .bind(now)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let asks = row.try_get::<Option<Vec<u8>>, _>("asking")?.is_some();
            let guest = id(row.try_get("guest")?)?;
            Ok((guest, row.try_get("expires_at")?, row.try_get("joined_at")?, optional(row, "device")?, asks))
        })
        .collect()
}

/// Does what the owner wants with a link; returns the tab that has the call afterward.
pub async fn act(
    tx: &mut SqliteConnection,
    owner: Id,
    guest: Id,
    act: LinkAct,
    now: i64,
) -> Result<Option<Id>, LinkError> {
    let sql = match act {
        LinkAct::Close => {
            "UPDATE link SET closed_at = ?1, device = NULL, asking = NULL \
             WHERE guest = ?2 AND owner = ?3 AND expires_at > ?1 AND closed_at IS NULL RETURNING device"
        }
        LinkAct::Move => {
            "UPDATE link SET device = coalesce(asking, device), last_device = coalesce(asking, device), \
             asking = NULL, refused = NULL \
             WHERE guest = ?2 AND owner = ?3 AND expires_at > ?1 AND closed_at IS NULL RETURNING device"
        }
        LinkAct::DoNotMove => {
            "UPDATE link SET refused = asking, asking = NULL \
             WHERE guest = ?2 AND owner = ?3 AND expires_at > ?1 AND closed_at IS NULL RETURNING device"
        }
    };
    let row = sqlx::query(sql)
        .bind(now)
        .bind(guest.0.to_vec())
        .bind(owner.0.to_vec())
        .fetch_optional(tx)
        .await?
        .ok_or(LinkError::Unknown)?;
    Ok(optional(&row, "device")?)
}

/// What a knock shows; nothing is changed by looking.
#[derive(Debug)]
pub enum Seen {
    NoSuchLink,
    /// It was closed, or has expired.
    Over(Id),
    /// There is such a link, and its word is wanted.
    WordWanted(Id),
    WrongWord(Id),
    /// The right word; after so many wrong ones.
    Open(Found, u32),
}

/// The sealed contact beside a link, base64url, for whoever has its open key; also when it is over.
pub async fn contact(db: &mut SqliteConnection, knock: &Knock) -> Result<Option<String>, sqlx::Error> {
    let Some(open) = bytes(&knock.open) else { return Ok(None) };
    let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT contact FROM link WHERE open_hash = ?")
        .bind(open_hash(&open).to_vec())
        .fetch_optional(db)
        .await?
        .flatten();
    Ok(sealed.map(|sealed| URL_SAFE_NO_PAD.encode(sealed)))
}

/// Finds the link of an open key, and compares the word if one is given.
pub async fn look(db: &mut SqliteConnection, knock: &Knock, now: i64) -> Result<Seen, sqlx::Error> {
    let Some(open) = bytes(&knock.open) else { return Ok(Seen::NoSuchLink) };
    let row = sqlx::query(
        "SELECT l.guest, l.owner, l.word_proof, l.expires_at, l.closed_at, l.tries, l.device, l.joined_at, p.name \
         FROM link l JOIN person p ON p.id = l.owner WHERE l.open_hash = ?",
    )
    .bind(open_hash(&open).to_vec())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(Seen::NoSuchLink) };
    let guest = id(row.try_get("guest")?)?;
    let expires_at: i64 = row.try_get("expires_at")?;
    if expires_at <= now || row.try_get::<Option<i64>, _>("closed_at")?.is_some() {
        return Ok(Seen::Over(guest));
    }
    let Some(word) = &knock.word else { return Ok(Seen::WordWanted(guest)) };
    let proof: Vec<u8> = row.try_get("word_proof")?;
    if !bytes(word).is_some_and(|word| bool::from(word.as_slice().ct_eq(&proof))) {
        return Ok(Seen::WrongWord(guest));
    }
    let found = Found {
        guest,
        owner: id(row.try_get("owner")?)?,
        doctor: row.try_get("name")?,
        expires_at,
        joined_at: row.try_get("joined_at")?,
        bound: optional(&row, "device")?.map_or(Bound::Nobody, Bound::To),
    };
    Ok(Seen::Open(found, row.try_get::<i64, _>("tries")? as u32))
}

/// Counts a wrong word; the [`TRIES`]th closes the link.
pub async fn wrong_word(tx: &mut SqliteConnection, guest: Id, now: i64) -> Result<KnockError, sqlx::Error> {
    let tries: Option<i64> = sqlx::query_scalar(
        "UPDATE link SET tries = tries + 1, closed_at = CASE WHEN tries + 1 >= ?1 THEN ?2 END \
         WHERE guest = ?3 AND closed_at IS NULL AND expires_at > ?2 RETURNING tries",
    )
    .bind(TRIES)
    .bind(now)
    .bind(guest.0.to_vec())
    .fetch_optional(tx)
    .await?;
    let left = tries.map_or(0, |tries| TRIES.saturating_sub(tries as u32));
    Ok(if left == 0 { KnockError::Over } else { KnockError::WrongWord { left } })
}

/// After the right word the wrong ones before it count no more.
pub async fn right_word(tx: &mut SqliteConnection, guest: Id) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE link SET tries = 0 WHERE guest = ?").bind(guest.0.to_vec()).execute(tx).await?;
    Ok(())
}

/// The guests whose links are open.
pub async fn open_guests(db: &mut SqliteConnection, now: i64) -> Result<HashSet<Id>, sqlx::Error> {
    let sql = "SELECT guest FROM link WHERE closed_at IS NULL AND expires_at > ?";
    let guests: Vec<Vec<u8>> = sqlx::query_scalar(sql).bind(now).fetch_all(db).await?;
    guests.into_iter().map(id).collect()
}

/// Binds the link to the tab that pressed Join. `Ok(None)`: the owner has been asked to move the call.
pub async fn join(
    tx: &mut SqliteConnection,
    found: &Found,
    device: Id,
    moves: bool,
    now: i64,
) -> Result<Option<Party>, KnockError> {
    let party = Party { person: found.guest, device };
    if found.bound == Bound::To(device) {
        return Ok(Some(party));
    }
    let guest = found.guest.0.to_vec();
    if found.bound == Bound::Nobody {
        sqlx::query("UPDATE link SET device = ?1, last_device = ?1, joined_at = ?2 WHERE guest = ?3 AND device IS NULL")
            .bind(device.0.to_vec())
            .bind(now)
            .bind(guest)
            .execute(tx)
            .await?;
        return Ok(Some(party));
    }
    if !moves {
        return Err(KnockError::Elsewhere);
    }
    let asked = sqlx::query("UPDATE link SET asking = ?1 WHERE guest = ?2 AND refused IS NOT ?1")
        .bind(device.0.to_vec())
        .bind(guest)
        .execute(tx)
        .await?;
    if asked.rows_affected() == 0 { Err(KnockError::NotMoved) } else { Ok(None) }
}

/// Whether `from` made an open link for `guest`.
pub async fn may_ring(db: &mut SqliteConnection, from: Id, guest: Id, now: i64) -> Result<bool, sqlx::Error> {
    let n: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM link WHERE guest = ? AND owner = ? AND expires_at > ? AND closed_at IS NULL",
    )
    .bind(guest.0.to_vec())
    .bind(from.0.to_vec())
    .bind(now)
    .fetch_one(db)
    .await?;
    Ok(n > 0)
}

pub(super) fn optional(row: &SqliteRow, column: &str) -> Result<Option<Id>, sqlx::Error> {
    row.try_get::<Option<Vec<u8>>, _>(column)?.map(id).transpose()
}
