use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    enroll::{self as wire, Enroll, Enrolled, Invitation},
};
use sha2::{Digest, Sha256};
use sqlx::{Row, SqliteConnection};

use super::{IdentityError, facility::facility, id, mr_block, new_id, person::person};
use crate::{
    db::Db,
    envelopes::scope::{self, Item, Scope},
};

/// How long a code is good: seven days.
pub const CODE_LIFE_MS: i64 = 7 * 24 * 3_600_000;

/// Why a code was not taken.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    #[error("no such code")]
    Unknown,
    #[error("this code was used already; ask the operator for another")]
    Used,
    #[error("this code has expired; ask the operator for another")]
    Expired,
    /// The request is not what the protocol says; names the field.
    #[error("{0} is missing or not valid")]
    Field(&'static str),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the server's TLS key cannot be used")]
    Tls,
}

impl EnrollError {
    /// The stable code of [`rabta_wire::enroll::codes`], where it has one.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => wire::codes::UNKNOWN,
            Self::Used => wire::codes::USED,
            Self::Expired => wire::codes::EXPIRED,
            Self::Field(_) => "enroll-invalid",
            Self::Identity(_) | Self::Tls => "internal",
        }
    }
}

impl From<sqlx::Error> for EnrollError {
    fn from(e: sqlx::Error) -> Self {
        Self::Identity(e.into())
    }
}

/// Makes a one-time secret for `who`; only its hash is kept.
pub async fn invite(tx: &mut SqliteConnection, who: Id, now: i64) -> Result<[u8; 10], IdentityError> {
    let secret: [u8; 10] = crate::db::settings::random();
    sqlx::query("INSERT INTO enrollment (secret_sha256, person, created_at, expires_at) VALUES (?, ?, ?, ?)")
        .bind(Sha256::digest(secret).to_vec())
        .bind(who.0.to_vec())
        .bind(now)
        .bind(now + CODE_LIFE_MS)
        .execute(tx)
        .await?;
    Ok(secret)
}

struct Code {
    person: Id,
    used_by: Option<Id>,
}

async fn code(db: &mut SqliteConnection, secret: &str, now: i64) -> Result<Code, EnrollError> {
    let secret = bytes::<10>("secret", secret).map_err(|_| EnrollError::Unknown)?;
    // The look-up is by hash: how long it takes says nothing about the secret.
    let row =
        sqlx::query("SELECT person, expires_at, used_at, device FROM enrollment WHERE secret_sha256 = ?")
            .bind(Sha256::digest(secret).to_vec())
            .fetch_optional(db)
            .await?
            .ok_or(EnrollError::Unknown)?;
    let used_by = row.try_get::<Option<Vec<u8>>, _>("device")?.map(id).transpose()?;
    if used_by.is_none() && row.try_get::<i64, _>("expires_at")? <= now {
        return Err(EnrollError::Expired);
    }
    Ok(Code { person: id(row.try_get("person")?)?, used_by })
}

/// Whether there is such a code, used or not.
pub async fn known(db: &mut SqliteConnection, secret: &str, now: i64) -> Result<(), EnrollError> {
    code(db, secret, now).await.map(|_| ())
}

async fn invitation_of(db: &mut SqliteConnection, who: Id) -> Result<Invitation, EnrollError> {
    let (person, at) = person(db, who).await?;
    Ok(Invitation { facility: facility(db, at).await?, person })
}

/// Shows what an unused code is for.
pub async fn invitation(
    db: &mut SqliteConnection,
    secret: &str,
    now: i64,
) -> Result<Invitation, EnrollError> {
    let code = code(db, secret, now).await?;
    if code.used_by.is_some() {
        return Err(EnrollError::Used);
    }
    invitation_of(db, code.person).await
}

/// Uses a code up: certifies the device's and the person's keys. The same request again (its answer was lost) is
/// answered again; anybody else is told that the code was used.
pub async fn enroll(
    db: &Db,
    tx: &mut SqliteConnection,
    ask: &Enroll,
    now: i64,
) -> Result<Enrolled, EnrollError> {
    let code = code(tx, &ask.secret, now).await?;
    let device_key = bytes::<32>("device_key", &ask.device_key)?;
    let person_key = bytes::<32>("person_key", &ask.person_key)?;
    let device_name = super::entered("the device's name", &ask.device_name)
        .map_err(|_| EnrollError::Field("device_name"))?;
    let verifier = VerifyingKey::from_bytes(&device_key).map_err(|_| EnrollError::Field("device_key"))?;
    VerifyingKey::from_bytes(&person_key).map_err(|_| EnrollError::Field("person_key"))?;
    let countersignature = bytes::<64>("countersignature", &ask.countersignature)?;
    let secret = bytes::<10>("secret", &ask.secret)?;
    // The two as they stand in the request: base64url text.
    let input = [b"rabta enroll 1\0", ask.secret.as_bytes(), ask.person_key.as_bytes()].concat();
    verifier
        .verify(&input, &Signature::from_bytes(&countersignature))
        .map_err(|_| EnrollError::Field("countersignature"))?;

    let invitation = invitation_of(tx, code.person).await?;
    if let Some(device) = code.used_by {
        let same: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM device d JOIN person_key k ON k.device = d.id WHERE d.id = ? AND d.key = ? AND k.key = ?",
        )
        .bind(device.0.to_vec())
        .bind(device_key.to_vec())
        .bind(person_key.to_vec())
        .fetch_one(&mut *tx)
        .await?;
        if same == 0 {
            return Err(EnrollError::Used);
        }
        return answer(db, tx, device, invitation).await;
    }

    let facility = invitation.facility.id;
    let device = match ask.device {
        Some(device) => {
            let known = super::device(tx, device).await?.ok_or(EnrollError::Field("device"))?;
            if known.key != verifier || known.facility != facility || known.revoked || known.forked {
                return Err(EnrollError::Field("device"));
            }
            device
        }
        None => {
            let device = new_id();
            let sql = "INSERT INTO device (id, facility, name, key, created_at) VALUES (?, ?, ?, ?, ?)";
            let made = sqlx::query(sql)
                .bind(device.0.to_vec())
                .bind(facility.0.to_vec())
                .bind(&device_name)
                .bind(device_key.to_vec())
                .bind(now)
                .execute(&mut *tx)
                .await;
            unique(made, "device_key")?;
            if invitation.facility.kind == "clinic" {
                mr_block::allot(tx, facility, Some(device), now).await?;
            }
            let subject = Subject::Device { id: device, name: device_name };
            certify(db, tx, device, device_key, subject, &invitation, now).await?;
            device
        }
    };
    let was_clinical = super::is_clinical(tx, device).await?;
    let sql = "INSERT INTO person_key (key, person, device, created_at) VALUES (?, ?, ?, ?)";
    let made = sqlx::query(sql)
        .bind(person_key.to_vec())
        .bind(invitation.person.id.0.to_vec())
        .bind(device.0.to_vec())
        .bind(now)
        .execute(&mut *tx)
        .await;
    unique(made, "person_key")?;
    let p = &invitation.person;
    let subject = Subject::Person {
        id: p.id,
        name: p.name.clone(),
        role: p.role.clone(),
        registration: p.registration.clone(),
        qualification: p.qualification.clone(),
        specialty: p.specialty.clone(),
    };
    certify(db, tx, p.id, person_key, subject, &invitation, now).await?;
    sqlx::query("UPDATE enrollment SET used_at = ?, device = ? WHERE secret_sha256 = ?")
        .bind(now)
        .bind(device.0.to_vec())
        .bind(Sha256::digest(secret).to_vec())
        .execute(&mut *tx)
        .await?;
    // What waits for this person may be behind the cursor of a device that they join.
    if ask.device.is_some() {
        if !was_clinical && super::is_clinical(tx, device).await? {
            scope::show_record_to(tx, db.sequencer(), facility, device).await?;
        }
        scope::show_open_asks(tx, db.sequencer(), p.id).await?;
    }
    answer(db, tx, device, invitation).await
}

fn unique<T>(done: Result<T, sqlx::Error>, field: &'static str) -> Result<T, EnrollError> {
    match done {
        Err(sqlx::Error::Database(e)) if e.is_unique_violation() => Err(EnrollError::Field(field)),
        other => Ok(other?),
    }
}

async fn certify(
    db: &Db,
    tx: &mut SqliteConnection,
    subject_id: Id,
    key: [u8; 32],
    subject: Subject,
    at: &Invitation,
    now: i64,
) -> Result<(), sqlx::Error> {
    let cert = Cert {
        subject,
        key,
        facility: at.facility.id,
        facility_name: at.facility.name.clone(),
        issued_at: now,
        revoked: false,
    };
    let bytes = SignedCert::sign(&db.settings.signing_key, &cert).to_bytes();
    let row = sqlx::query("INSERT INTO cert (subject, bytes) VALUES (?, ?)")
        .bind(subject_id.0.to_vec())
        .bind(bytes)
        .execute(&mut *tx)
        .await?;
    scope::show(tx, db.sequencer(), Scope::Everybody, None, Item::Cert(row.last_insert_rowid())).await?;
    Ok(())
}

async fn answer(
    db: &Db,
    tx: &mut SqliteConnection,
    device: Id,
    invitation: Invitation,
) -> Result<Enrolled, EnrollError> {
    let certs: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT bytes FROM cert WHERE subject IN (?, ?) ORDER BY id")
            .bind(device.0.to_vec())
            .bind(invitation.person.id.0.to_vec())
            .fetch_all(&mut *tx)
            .await?;
    Ok(Enrolled {
        device,
        epoch: db.settings.epoch,
        hie_key: URL_SAFE_NO_PAD.encode(db.settings.signing_key.verifying_key().as_bytes()),
        pins: db
            .settings
            .tls()
            .pins()
            .map_err(|_| EnrollError::Tls)?
            .map(|p| URL_SAFE_NO_PAD.encode(p))
            .into(),
        certs: certs.iter().map(|c| URL_SAFE_NO_PAD.encode(c)).collect(),
        mr_block: mr_block::of_device(tx, device).await?,
        invitation,
    })
}

fn bytes<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], EnrollError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| EnrollError::Field(field))?;
    bytes.try_into().map_err(|_| EnrollError::Field(field))
}
