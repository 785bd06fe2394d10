use rabta_wire::token::{AUDIENCE, Claims, claims_text, verify_assertion};
use sqlx::SqliteConnection;

use super::{Access, Agent};
use crate::identity;

/// Seconds by which an assertion's times may differ from the HIE's clock.
pub const LEEWAY_S: i64 = 60;
/// An assertion may not be good for longer than this.
const LONGEST_S: i64 = 300;

/// Why an assertion (RFC 7523, section 3) was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AssertionError {
    #[error("the assertion cannot be read")]
    Malformed,
    #[error("the assertion is for another audience")]
    Audience,
    /// The device's clock is off, or the assertion is old.
    #[error("the assertion's times do not fit the time here")]
    Time,
    #[error("no enrolled device made this assertion, or it or the person is revoked")]
    Unknown,
    /// Told only to who holds its key.
    #[error("this device's enrollment was revoked")]
    Revoked,
    #[error("the assertion was used before")]
    Replayed,
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

/// Whose `assertion` it is at `now` (milliseconds), and what it says; only reads.
pub async fn read(
    db: &mut SqliteConnection,
    assertion: &str,
    now: i64,
) -> Result<(Access, Claims), AssertionError> {
    let text = claims_text(assertion).map_err(|_| AssertionError::Malformed)?;
    let claims: Claims = serde_json::from_slice(&text).map_err(|_| AssertionError::Malformed)?;
    if claims.iss != claims.sub || claims.jti.is_empty() || claims.jti.len() > 64 {
        return Err(AssertionError::Malformed);
    }
    if claims.aud != AUDIENCE {
        return Err(AssertionError::Audience);
    }
    let device = identity::device(db, claims.iss).await?.ok_or(AssertionError::Unknown)?;
    verify_assertion(&device.key, assertion).map_err(|_| AssertionError::Unknown)?;
    // Only the device itself learns more than "unknown".
    let now_s = now.div_euclid(1000);
    let good = claims.exp.saturating_add(LEEWAY_S) > now_s
        && claims.exp <= now_s.saturating_add(LONGEST_S + LEEWAY_S)
        && claims.iat <= now_s.saturating_add(LEEWAY_S)
        && claims.exp.saturating_sub(claims.iat) <= LONGEST_S;
    if !good {
        return Err(AssertionError::Time);
    }
    if device.revoked {
        return Err(AssertionError::Revoked);
    }
    let here = identity::person_keys(db, claims.person).await?.into_iter().any(|k| k.device == device.id);
    if !here {
        return Err(AssertionError::Unknown);
    }
    let access = Access {
        facility: device.facility,
        agent: Agent::Device { device: device.id, person: claims.person },
    };
    Ok((access, claims))
}

/// Marks an assertion that was [`read`] as used: it works once.
pub async fn use_up(tx: &mut SqliteConnection, claims: &Claims, now: i64) -> Result<(), AssertionError> {
    sqlx::query("DELETE FROM used_assertion WHERE expires_at < ?").bind(now).execute(&mut *tx).await?;
    let marked =
        sqlx::query("INSERT OR IGNORE INTO used_assertion (device, jti, expires_at) VALUES (?, ?, ?)")
            .bind(claims.iss.0.to_vec())
            .bind(&claims.jti)
            .bind((claims.exp + LEEWAY_S + 1).saturating_mul(1000))
            .execute(&mut *tx)
            .await?;
    if marked.rows_affected() == 0 {
        return Err(AssertionError::Replayed);
    }
    sqlx::query("UPDATE device SET seen_at = ? WHERE id = ?")
        .bind(now)
        .bind(claims.iss.0.to_vec())
        .execute(tx)
        .await?;
    Ok(())
}
