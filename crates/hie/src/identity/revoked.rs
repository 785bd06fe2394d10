//! The HIE's word that a key is good no longer: a certificate like the first one, marked as revoked, which every laptop
//! pulls. From then on no laptop takes a call from it, and a paper that it signed is said to be of somebody revoked.

use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
};
use sqlx::{Row, SqliteConnection};

use super::{facility, id, person};
use crate::{
    db::Db,
    envelopes::scope::{self, Item, Scope},
    identity::IdentityError,
};

/// Says it of every key of a person that was revoked at `now` (milliseconds since 1970).
pub async fn tell_person_revoked(
    db: &Db,
    tx: &mut SqliteConnection,
    who: Id,
    now: i64,
) -> Result<(), IdentityError> {
    let (p, at) = person(tx, who).await?;
    let keys: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT key FROM person_key WHERE person = ? AND revoked_at = ? ORDER BY key")
            .bind(who.0.to_vec())
            .bind(now)
            .fetch_all(&mut *tx)
            .await?;
    let subject = Subject::Person {
        id: p.id,
        name: p.name,
        role: p.role,
        registration: p.registration,
        qualification: p.qualification,
        specialty: p.specialty,
    };
    for key in keys {
        tell(db, tx, who, subject.clone(), key, at, now).await?;
    }
    Ok(())
}

/// Says it of every device that was revoked at `now`.
pub async fn tell_devices_revoked(db: &Db, tx: &mut SqliteConnection, now: i64) -> Result<(), IdentityError> {
    let devices = sqlx::query(
        "SELECT id, name, key, facility FROM device WHERE revoked_at = ? ORDER BY created_at, id",
    )
    .bind(now)
    .fetch_all(&mut *tx)
    .await?;
    for row in devices {
        let device = id(row.try_get(0)?)?;
        let subject = Subject::Device { id: device, name: row.try_get(1)? };
        tell(db, tx, device, subject, row.try_get(2)?, id(row.try_get(3)?)?, now).await?;
    }
    Ok(())
}

async fn tell(
    db: &Db,
    tx: &mut SqliteConnection,
    of: Id,
    subject: Subject,
    key: Vec<u8>,
    at: Id,
    now: i64,
) -> Result<(), IdentityError> {
    let bad = |_| sqlx::Error::Decode("a key that is not 32 bytes".into());
    let cert = Cert {
        subject,
        key: key.try_into().map_err(bad)?,
        facility: at,
        facility_name: facility(tx, at).await?.name,
        issued_at: now,
        revoked: true,
    };
    let row = sqlx::query("INSERT INTO cert (subject, bytes) VALUES (?, ?)")
        .bind(of.0.to_vec())
        .bind(SignedCert::sign(&db.settings.signing_key, &cert).to_bytes())
        .execute(&mut *tx)
        .await?;
    scope::show(tx, db.sequencer(), Scope::Everybody, None, Item::Cert(row.last_insert_rowid())).await?;
    Ok(())
}
