use std::{collections::HashMap, sync::Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rabta_wire::Id;
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use super::{Access, Agent, LEEWAY_S};
use crate::{
    db::{Db, settings::random},
    identity,
};

/// Seconds that a device's token is good for.
pub const TOKEN_LIFE_S: u32 = 600;
const LIFE_MS: i64 = TOKEN_LIFE_S as i64 * 1000;

type Hash = [u8; 32];

/// The tokens of devices, in memory and only as hashes: after a restart a device simply gets another. Operators'
/// tokens are in the database, also hashed.
#[derive(Default)]
pub struct Tokens(Mutex<HashMap<Hash, (Access, i64)>>);

fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// 160 random bits, 27 characters.
fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(random::<20>())
}

impl Tokens {
    /// A token for `access`, good from `now` (milliseconds) for [`TOKEN_LIFE_S`].
    pub fn issue(&self, access: Access, now: i64) -> String {
        let token = fresh();
        let mut tokens = self.0.lock().unwrap_or_else(|e| e.into_inner());
        tokens.retain(|_, (_, ends)| *ends > now);
        tokens.insert(hash(&token), (access, now + LIFE_MS));
        token
    }

    /// What `token` opens at `now`. The token of a revoked device or person opens nothing.
    pub async fn access(&self, db: &Db, token: &str, now: i64) -> Result<Option<Access>, sqlx::Error> {
        Ok(self.holder(db, token, now).await?.map(|(access, _)| access))
    }

    /// The same, with the person's role where it is a person's.
    pub async fn holder(
        &self,
        db: &Db,
        token: &str,
        now: i64,
    ) -> Result<Option<(Access, Option<String>)>, sqlx::Error> {
        if token.len() > 64 {
            return Ok(None);
        }
        let hash = hash(token);
        let found = self.0.lock().unwrap_or_else(|e| e.into_inner()).get(&hash).copied();
        let mut reader = db.read().acquire().await?;
        match found {
            // Also one that was made later than now: the clock went back, and it would live too long.
            Some((_, ends)) if ends <= now || ends - now > LIFE_MS + LEEWAY_S * 1000 => Ok(None),
            Some((access, _)) => {
                let Agent::Device { device, person } = access.agent else { return Ok(Some((access, None))) };
                let role = identity::role_at(&mut reader, device, person).await?;
                Ok(role.map(|role| (access, Some(role))))
            }
            None => {
                let row = sqlx::query(
                    "SELECT facility FROM operator_token WHERE token_sha256 = ? AND expires_at > ? AND created_at <= ?",
                )
                .bind(hash.to_vec())
                .bind(now)
                .bind(now + LEEWAY_S * 1000)
                .fetch_optional(&mut *reader)
                .await?;
                row.map(|row| {
                    let facility = identity::id(row.try_get(0)?)?;
                    Ok((Access { facility, agent: Agent::Operator }, None))
                })
                .transpose()
            }
        }
    }
}

/// Makes an operator's token for `facility`'s records, good for `life_s` seconds.
pub async fn operator_token(
    tx: &mut SqliteConnection,
    facility: Id,
    life_s: i64,
    now: i64,
) -> Result<String, sqlx::Error> {
    let token = fresh();
    sqlx::query("DELETE FROM operator_token WHERE expires_at <= ?").bind(now).execute(&mut *tx).await?;
    sqlx::query(
        "INSERT INTO operator_token (token_sha256, facility, created_at, expires_at) VALUES (?, ?, ?, ?)",
    )
    .bind(hash(&token).to_vec())
    .bind(facility.0.to_vec())
    .bind(now)
    .bind(now + life_s * 1000)
    .execute(tx)
    .await?;
    Ok(token)
}
