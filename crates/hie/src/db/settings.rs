use std::sync::{Arc, RwLock};

use ed25519_dalek::SigningKey;
use rabta_wire::Id;
use sqlx::{SqliteConnection, SqlitePool};
use zeroize::Zeroizing;

use super::{Db, OpenError};
use crate::{
    duty::DutyDevice,
    tls::{BadTlsKey, TlsKeys},
};

/// What is made once, at the first start, and kept in the (encrypted) database.
pub struct Settings {
    /// This HIE's life. A restore from a backup makes a new one.
    pub epoch: Id,
    /// Signs certificates of persons and devices.
    pub signing_key: SigningKey,
    tls: RwLock<Arc<TlsKeys>>,
    /// What the HIE says itself is signed by this.
    pub duty: DutyDevice,
    /// The relay's shared secret (draft-uberti-behave-turn-rest-00).
    pub relay_secret: Zeroizing<Vec<u8>>,
}

impl Settings {
    pub(super) async fn load_or_make(writer: &SqlitePool, now: i64) -> Result<Self, OpenError> {
        let epoch = get_or_make(writer, "epoch", || Id::from_random(random()).0.to_vec()).await?;
        let seed = Zeroizing::new(get_or_make(writer, "signing-key", || random::<32>().to_vec()).await?);
        let relay_secret =
            Zeroizing::new(get_or_make(writer, "relay-secret", || random::<32>().to_vec()).await?);
        let made = TlsKeys::make(now);
        let key = get_or_make(writer, "tls-key", || made.key.to_vec()).await?;
        let cert = get_or_make(writer, "tls-cert", || made.cert.clone()).await?;
        let backup_key = get_or_make(writer, "tls-backup-key", || made.backup_key.to_vec()).await?;
        let duty = get_or_make(writer, "duty-device", || Id::from_random(random()).0.to_vec()).await?;
        let duty_key = Zeroizing::new(get_or_make(writer, "duty-key", || random::<32>().to_vec()).await?);
        let corrupt = || sqlx::Error::Decode("a setting has the wrong length".into());
        Ok(Self {
            epoch: Id(epoch.as_slice().try_into().map_err(|_| corrupt())?),
            signing_key: SigningKey::from_bytes(seed.as_slice().try_into().map_err(|_| corrupt())?),
            tls: RwLock::new(Arc::new(TlsKeys { key: key.into(), cert, backup_key: backup_key.into() })),
            duty: DutyDevice {
                id: Id(duty.as_slice().try_into().map_err(|_| corrupt())?),
                key: SigningKey::from_bytes(duty_key.as_slice().try_into().map_err(|_| corrupt())?),
            },
            relay_secret,
        })
    }

    /// The keys that staff programs pin, as they are now.
    pub fn tls(&self) -> Arc<TlsKeys> {
        self.tls.read().unwrap_or_else(|e| e.into_inner()).clone()
    }
}

/// A setting's value, which is removed.
pub(crate) async fn take(tx: &mut SqliteConnection, name: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar("DELETE FROM setting WHERE name = ? RETURNING value")
        .bind(name)
        .fetch_optional(tx)
        .await
}

/// Milliseconds since 1970: when the TLS key was last rotated.
const ROTATED: &str = "tls-rotated-at";

/// When the TLS key was last rotated, milliseconds since 1970.
pub(crate) async fn rotated_at(db: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    let value: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM setting WHERE name = ?")
        .bind(ROTATED)
        .fetch_optional(db)
        .await?;
    Ok(value.and_then(|v| v.try_into().ok()).map(i64::from_be_bytes))
}

impl Db {
    /// Lets the backup key take over, and makes another behind it; durable when it returns.
    pub(crate) async fn rotate_tls(&self, now: i64) -> Result<(), RotateError> {
        let keys = self.settings.tls().rotated()?;
        let mut tx = self.write().await?;
        let values: [(&str, &[u8]); 4] = [
            ("tls-key", &keys.key),
            ("tls-cert", &keys.cert),
            ("tls-backup-key", &keys.backup_key),
            (ROTATED, &now.to_be_bytes()),
        ];
        for (name, value) in values {
            sqlx::query("INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
                .bind(name)
                .bind(value)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        *self.settings.tls.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(keys);
        Ok(())
    }
}

/// Why the keys are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    #[error(transparent)]
    Key(#[from] BadTlsKey),
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

async fn get_or_make(
    writer: &SqlitePool,
    name: &str,
    make: impl FnOnce() -> Vec<u8>,
) -> Result<Vec<u8>, sqlx::Error> {
    let found: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM setting WHERE name = ?")
        .bind(name)
        .fetch_optional(writer)
        .await?;
    if let Some(value) = found {
        return Ok(value);
    }
    let value = make();
    sqlx::query("INSERT INTO setting (name, value) VALUES (?, ?)")
        .bind(name)
        .bind(&value)
        .execute(writer)
        .await?;
    Ok(value)
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}
