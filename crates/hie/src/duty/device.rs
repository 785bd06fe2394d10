//! The HIE's own device: what the HIE says of an ask is an envelope like everybody's, in a log of its own, signed
//! with a certified key, so that laptops check and show it as they do all others.

use ed25519_dalek::SigningKey;
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    envelope::{Codec, Envelope, Header, Kind, sha256},
    log::Outcome,
};
use sqlx::{Row, SqliteConnection};

use crate::{
    auth::{Access, Agent},
    db::Db,
    envelopes::{
        Arrival, examine,
        scope::{self, Item, Scope},
        take,
    },
    identity,
};

/// Its id, which is its facility's, too, and its key.
pub struct DutyDevice {
    pub id: Id,
    pub key: SigningKey,
}

const NAME: &str = "HIE";

/// Makes the device known where it is not yet. After a restore its log begins anew: what it wrote in the life that
/// was lost may be on laptops.
pub(crate) async fn ensure(db: &Db, now: i64) -> Result<(), sqlx::Error> {
    let duty = &db.settings.duty;
    let mut tx = db.write().await?;
    let id = duty.id.0.to_vec();
    let known: i64 =
        sqlx::query_scalar("SELECT count(*) FROM device WHERE id = ?").bind(&id).fetch_one(&mut *tx).await?;
    if known == 0 {
        let sql = "INSERT INTO facility (id, name, kind, mr_prefix, created_at) VALUES (?, ?, 'hie', ?, ?)";
        sqlx::query(sql).bind(&id).bind(NAME).bind(NAME).bind(now).execute(&mut *tx).await?;
        let key = duty.key.verifying_key().to_bytes();
        let sql = "INSERT INTO device (id, facility, name, key, created_at) VALUES (?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(&id)
            .bind(&id)
            .bind(NAME)
            .bind(key.to_vec())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        let cert = Cert {
            subject: Subject::Device { id: duty.id, name: NAME.into() },
            key,
            facility: duty.id,
            facility_name: NAME.into(),
            issued_at: now,
            revoked: false,
        };
        let bytes = SignedCert::sign(&db.settings.signing_key, &cert).to_bytes();
        let row = sqlx::query("INSERT INTO cert (subject, bytes) VALUES (?, ?)")
            .bind(&id)
            .bind(bytes)
            .execute(&mut *tx)
            .await?;
        let item = Item::Cert(row.last_insert_rowid());
        scope::show(&mut tx, db.sequencer(), Scope::Everybody, None, item).await?;
    }
    let life = db.settings.epoch.0.to_vec();
    let row = sqlx::query("SELECT life, log_epoch FROM duty_log").fetch_optional(&mut *tx).await?;
    let next = match row {
        None => Some(0),
        Some(row) if row.try_get::<Vec<u8>, _>(0)? != life => Some(row.try_get::<i64, _>(1)? + 1),
        Some(_) => None,
    };
    if let Some(epoch) = next {
        sqlx::query("DELETE FROM duty_log").execute(&mut *tx).await?;
        sqlx::query("INSERT INTO duty_log (life, log_epoch) VALUES (?, ?)")
            .bind(life)
            .bind(epoch)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await
}

/// What a move is about, and the version that it is made on.
pub(super) struct About {
    pub task: Id,
    pub patient: Id,
    pub version: u32,
}

/// Writes a move to the log and takes it, in the caller's transaction.
pub(super) async fn write(
    db: &Db,
    tx: &mut SqliteConnection,
    about: &About,
    payload: Vec<u8>,
    now: i64,
) -> Result<Outcome, sqlx::Error> {
    let duty = &db.settings.duty;
    let id = duty.id.0.to_vec();
    let epoch: i64 = sqlx::query_scalar("SELECT log_epoch FROM duty_log").fetch_one(&mut *tx).await?;
    let last = sqlx::query(
        "SELECT log_seq, hash FROM log_entry WHERE device = ? AND log_epoch = ? ORDER BY log_seq DESC LIMIT 1",
    )
    .bind(id)
    .bind(epoch)
    .fetch_optional(&mut *tx)
    .await?;
    let (seq, prev) = match last {
        None => (1, [0; 32]),
        Some(row) => {
            let hash: Vec<u8> = row.try_get(1)?;
            let hash =
                hash.try_into().map_err(|_| sqlx::Error::Decode("a hash that is not 32 bytes".into()))?;
            (row.try_get::<i64, _>(0)? as u64 + 1, hash)
        }
    };
    let header = Header {
        version: 1,
        id: identity::new_id(),
        device: duty.id,
        epoch: epoch as u32,
        seq,
        prev,
        kind: Kind::TaskMove,
        patient: Some(about.patient),
        facility: duty.id,
        task: Some(about.task),
        base_version: Some(about.version),
        depends: Vec::new(),
        device_time: now,
        clock_offset: Some(0),
        codec: Codec::Plain,
        dictionary: 0,
        payload_sha256: sha256(&payload),
        payload_len: payload.len() as u32,
        signed_by: None,
    };
    let envelope = Envelope::seal(&duty.key, &header, payload);
    let device = identity::device(tx, duty.id).await?;
    let bytes = envelope.to_bytes();
    let examined = match examine::examine(&envelope, bytes, device.as_ref(), &[], now) {
        Ok(examined) => examined,
        Err(refusal) => return Ok(Outcome::Refused { code: refusal.code.into(), text: refusal.text }),
    };
    let who = Access { facility: duty.id, agent: Agent::Hie };
    take(tx, db.world(), &who, examined, Arrival::Pushed, now).await
}
