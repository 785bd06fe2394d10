use ed25519_dalek::SigningKey;
use rabta_wire::Id;
use sqlx::SqlitePool;
use zeroize::Zeroizing;

use super::OpenError;
use crate::{duty::DutyDevice, tls::TlsKeys};

/// What is made once, at the first start, and kept in the (encrypted) database.
pub struct Settings {
    /// This HIE's life. A restore from a backup makes a new one.
    pub epoch: Id,
    /// Signs certificates of persons and devices.
    pub signing_key: SigningKey,
    pub tls: TlsKeys,
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
            tls: TlsKeys { key: key.into(), cert, backup_key: backup_key.into() },
            duty: DutyDevice {
                id: Id(duty.as_slice().try_into().map_err(|_| corrupt())?),
                key: SigningKey::from_bytes(duty_key.as_slice().try_into().map_err(|_| corrupt())?),
            },
            relay_secret,
        })
    }
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
