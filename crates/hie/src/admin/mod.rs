//! What the operator's commands do. While a server runs it is asked over a socket that only its own user can open,
//! since one process writes the database; otherwise the command opens the database itself.

pub mod care;
pub mod health;
pub mod reach;
#[cfg(unix)]
pub mod socket;

use std::path::{Path, PathBuf};

use rabta_wire::{
    Id,
    code::EnrollmentCode,
    enroll::{Facility, MrBlock, Person, RosterEntry},
    handover,
    lease::{Challenge, MOST_DAYS},
    shared::SharedSecret,
};
use serde::{Deserialize, Serialize};

use self::health::{DeviceLine, Finding};
use crate::{
    App,
    audit::{
        self, By, Deed, Event,
        report::{Line, Report},
    },
    auth,
    backup::{self, BackupError, Made},
    board,
    care::glass,
    db::{Db, RotateError, settings},
    envelopes::{
        HandInError, HandedIn, hand_in,
        stick::{self, Answered},
    },
    guests,
    identity::{self, IdentityError, NewFacility, NewPerson},
    papers::{self, PaperAnswer},
};

/// An operator's wish.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Request {
    AddFacility {
        new: NewFacility,
    },
    Facilities,
    AddPerson {
        facility: String,
        new: PersonFields,
    },
    Persons,
    /// A code for a new person, or for `person` on a further device.
    Enroll {
        facility: String,
        person: Option<Id>,
        new: Option<PersonFields>,
        public: Option<String>,
    },
    SetRoster {
        person: Id,
        specialty: Option<String>,
        phone: Option<String>,
        hours: String,
    },
    /// Takes them off it.
    LeaveRoster {
        person: Id,
    },
    Roster,
    Token {
        facility: String,
        seconds: i64,
    },
    /// Takes a range out of what is allotted.
    ReserveMr {
        facility: String,
        first: i64,
        last: i64,
        purpose: String,
    },
    Devices,
    /// It may no longer push, pull or get a token.
    RevokeDevice {
        device: Id,
    },
    /// Codes that a person did not use yet open nothing any more.
    CloseCodes {
        person: Id,
    },
    /// A one-time address of the operator's page.
    AdminLink,
    /// Nothing that they sign from now on is taken, on any device; a code that they did not use yet opens nothing.
    RevokePerson {
        person: Id,
    },
    /// All of its devices, and codes that nobody used yet.
    RevokeFacility {
        facility: String,
    },
    /// What the code on a printed prescription proves.
    VerifyPaper {
        code: String,
    },
    /// A code for a laptop whose lease ended, for the challenge that it shows.
    LeaseCode {
        device: Id,
        challenge: String,
        days: u32,
    },
    /// Takes a file of [`rabta_wire::handover`] (absolute).
    Import {
        file: PathBuf,
    },
    /// Answers every ask on a stick that is plugged in at this folder (absolute; [`rabta_wire::stick`]).
    Stick {
        folder: PathBuf,
    },
    /// `deep` reads every page.
    Health {
        deep: bool,
    },
    /// Who looked at a patient's record: an id or an identifier; since a date, if given.
    Audit {
        patient: String,
        since: Option<String>,
    },
    /// What whoever keeps the server did; since a date, if given.
    OperatorActs {
        since: Option<String>,
    },
    /// Emergency accesses; `open`: only those that nobody reviewed.
    BreakGlass {
        open: bool,
    },
    /// `end`: it ends now.
    ReviewBreakGlass {
        grant: Id,
        note: String,
        end: bool,
    },
    /// The backup TLS key takes over. `again`: also shortly after the last time.
    RotateKey {
        again: bool,
    },
    /// Adds a backup to this folder (absolute) and keeps so many.
    Backup {
        folder: PathBuf,
        keep: usize,
    },
}

/// What is entered of a person.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PersonFields {
    pub name: String,
    pub role: String,
    pub registration: Option<String>,
    pub qualification: Option<String>,
    pub specialty: Option<String>,
    pub phone: Option<String>,
    /// Duty hours; with a specialty and a phone they make a line of the roster.
    pub hours: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    Facility(Facility),
    Facilities(Vec<Facility>),
    Person {
        facility: Id,
        person: Person,
    },
    Persons(Vec<(Person, Id)>),
    Code {
        code: String,
        facility: Id,
        person: Id,
        expires_at: i64,
    },
    Roster(Vec<RosterEntry>),
    Token {
        token: String,
        facility: Id,
        expires_at: i64,
    },
    MrBlock(MrBlock),
    Devices(Vec<DeviceLine>),
    /// `page` and `relay` are what a running server can be reached at besides `address`.
    Health {
        findings: Vec<Finding>,
        address: String,
        page: Option<String>,
        relay: Option<String>,
    },
    /// SHA-256 of the SubjectPublicKeyInfo in use and of its backup, hexadecimal.
    Key {
        pins: [String; 2],
    },
    Backup(Made),
    Audit(Vec<Report>),
    OperatorActs(Vec<Line>),
    BreakGlass(Vec<glass::Line>),
    Paper(PaperAnswer),
    LeaseCode {
        code: String,
        days: u32,
    },
    Imported(HandedIn),
    Stick(Vec<Answered>),
    /// The page's address, good once and for so many minutes.
    AdminLink {
        url: String,
        minutes: i64,
    },
    Done,
    Failed(String),
}

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the TLS key in the database cannot be used")]
    Tls,
    #[error("a person on the roster needs a specialty and a phone")]
    Roster,
    #[error("give the name and role of a new person, or --person with the id of a known one")]
    WhichPerson,
    #[error("no such device, or it is revoked already")]
    NoDevice,
    #[error("this person has no code that waits to be used")]
    NoCode,
    #[error(
        "there is no page without a running server; start it, with --admin-listen if it was started with none"
    )]
    NoPage,
    #[error("only a running server answers what a stick brings; start it")]
    NoServer,
    #[error("no such person, or they have no key and no code that is not revoked")]
    NoKey,
    #[error("no patient here has that id or identifier")]
    NoPatient,
    #[error("a date is like 2026-11-22 or 2026-11-22T10:00:00Z")]
    Date,
    #[error("there is no such emergency access")]
    NoGrant,
    #[error("a review says something, in at most 1000 characters")]
    Note,
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(
        "the key was rotated less than 30 days ago; a laptop that was not in contact since would be shut out. \
             With --again it is done all the same"
    )]
    RotatedLately,
    #[error(transparent)]
    Rotate(#[from] RotateError),
    #[error("no such device, or it is revoked: it gets no code")]
    NoLease,
    #[error("the challenge is eight letters and digits, as the laptop shows them")]
    Challenge,
    #[error("a lease is for 1 to {MOST_DAYS} days of use")]
    LeaseDays,
    #[error("the file cannot be read: {0}")]
    File(#[source] std::io::Error),
    #[error(transparent)]
    HandIn(#[from] HandInError),
    #[error("a token is good for at least a second and at most 30 days")]
    TokenLife,
}

impl From<sqlx::Error> for AdminError {
    fn from(e: sqlx::Error) -> Self {
        Self::Identity(e.into())
    }
}

/// Does it, by the operator's command; durable when it returns.
pub async fn run(db: &Db, request: Request, now: i64) -> Result<Reply, AdminError> {
    run_by(db, request, By::Command, now).await
}

/// Does it and writes down that it was done; durable when it returns.
async fn run_by(db: &Db, request: Request, by: By, now: i64) -> Result<Reply, AdminError> {
    let mut tx = db.write().await?;
    let did = |deed, kind: &str, id: Id| Some(Event::deed(deed, by, Some(format!("{kind}/{id}"))));
    let mut event = None;
    let reply = match request {
        Request::Backup { folder, keep } => {
            // It needs the writer itself, not a transaction of it.
            tx.rollback().await?;
            let made = backup::make(db, &folder, keep, now).await?;
            let name = made.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            note(db, &Event::deed(Deed::Backup, by, None).with("backup", name), now).await?;
            return Ok(Reply::Backup(made));
        }
        Request::RotateKey { again } => {
            let last = settings::rotated_at(&mut tx).await?;
            tx.rollback().await?;
            if !again && last.is_some_and(|at| now - at < ROTATE_DUE) {
                return Err(AdminError::RotatedLately);
            }
            db.rotate_tls(now).await?;
            note(db, &Event::deed(Deed::RotateKey, by, None), now).await?;
            return Ok(Reply::Key { pins: pins(db)?.map(hex::encode) });
        }
        Request::Import { file } => {
            tx.rollback().await?;
            let taken = import(db, &file, now).await?;
            note(db, &Event::deed(Deed::Import, by, Some(format!("Device/{}", taken.device))), now).await?;
            return Ok(Reply::Imported(taken));
        }
        Request::Stick { .. } => return Err(AdminError::NoServer),
        Request::LeaseCode { device, challenge, days } => {
            if !(1..=MOST_DAYS).contains(&days) {
                return Err(AdminError::LeaseDays);
            }
            let challenge = Challenge::parse(&challenge).ok_or(AdminError::Challenge)?;
            let known = identity::device(&mut tx, device).await?.filter(|device| !device.revoked);
            let key = known.ok_or(AdminError::NoLease)?.key;
            let secret = SharedSecret::between(&db.settings.signing_key, &key, device);
            let code = challenge.code(&secret.ok_or(AdminError::NoLease)?, days);
            tracing::info!(%device, days, "a lease code was made");
            event = did(Deed::LeaseCode, "Device", device).map(|e| e.with("days", days.to_string()));
            Reply::LeaseCode { code, days }
        }
        Request::Health { deep } => Reply::Health {
            findings: health::of_database(db, deep, now).await?,
            address: public_address(&mut tx).await?,
            page: None,
            relay: None,
        },
        Request::Audit { patient, since } => {
            care::who_looked(&mut tx, &patient, since.as_deref(), now).await?
        }
        Request::BreakGlass { open } => Reply::BreakGlass(glass::all(&mut tx, open).await?),
        Request::ReviewBreakGlass { grant, note, end } => {
            let reply = care::review(&mut tx, grant, &note, end, now).await?;
            let how = format!("{grant}{}", if end { ", ended" } else { "" });
            event = Some(Event::deed(Deed::ReviewBreakGlass, by, None).with("grant", how));
            reply
        }
        Request::OperatorActs { since } => Reply::OperatorActs(care::operator_acts(&mut tx, since).await?),
        Request::VerifyPaper { code } => Reply::Paper(papers::verify(&mut tx, &code).await?),
        Request::Devices => Reply::Devices(health::devices(&mut tx).await?),
        Request::RevokePerson { person } => {
            revoke(&mut tx, REVOKE_PERSON, person, now, AdminError::NoKey).await?;
            identity::tell_person_revoked(db, &mut tx, person, now).await?;
            // They are asked for nothing any more, either.
            identity::leave_roster(db, &mut tx, person).await?;
            event = did(Deed::RevokePerson, "Practitioner", person);
            Reply::Done
        }
        Request::RevokeFacility { facility } => {
            let facility = identity::find_facility(&mut tx, &facility).await?.id;
            revoke(&mut tx, REVOKE_FACILITY, facility, now, AdminError::NoDevice).await?;
            identity::tell_devices_revoked(db, &mut tx, now).await?;
            event = did(Deed::RevokeFacility, "Organization", facility);
            Reply::Done
        }
        Request::RevokeDevice { device } => {
            revoke(&mut tx, REVOKE_DEVICE, device, now, AdminError::NoDevice).await?;
            identity::tell_devices_revoked(db, &mut tx, now).await?;
            event = did(Deed::RevokeDevice, "Device", device);
            Reply::Done
        }
        Request::CloseCodes { person } => {
            revoke(&mut tx, CLOSE_CODES, person, now, AdminError::NoCode).await?;
            event = did(Deed::CloseCodes, "Practitioner", person);
            Reply::Done
        }
        Request::AdminLink => return Err(AdminError::NoPage),
        Request::AddFacility { new } => {
            let facility = identity::add_facility(&mut tx, &new, now).await?;
            event = did(Deed::AddFacility, "Organization", facility.id);
            Reply::Facility(facility)
        }
        Request::Facilities => Reply::Facilities(identity::facilities(&mut tx).await?),
        Request::AddPerson { facility, new } => {
            let facility = identity::find_facility(&mut tx, &facility).await?.id;
            let person = add_person(db, &mut tx, facility, new, now).await?;
            event = did(Deed::AddPerson, "Practitioner", person.id);
            Reply::Person { facility, person }
        }
        Request::Persons => Reply::Persons(identity::persons(&mut tx).await?),
        Request::Enroll { facility, person, new, public } => {
            let facility = identity::find_facility(&mut tx, &facility).await?.id;
            let person = match (person, new) {
                (Some(id), _) => {
                    let (person, at) = identity::person(&mut tx, id).await?;
                    if at != facility {
                        return Err(IdentityError::NoPerson.into());
                    }
                    person
                }
                (None, Some(new)) => add_person(db, &mut tx, facility, new, now).await?,
                (None, None) => return Err(AdminError::WhichPerson),
            };
            let secret = identity::invite(&mut tx, person.id, now).await?;
            let address = match public {
                Some(address) => address,
                None => public_address(&mut tx).await?,
            };
            let pin = pins(db)?[0];
            let mut half = [0; 16];
            half.copy_from_slice(&pin[..16]);
            let code = EnrollmentCode { address, spki_sha256_16: half, secret };
            event = did(Deed::MakeCode, "Practitioner", person.id);
            Reply::Code {
                code: code.to_text(),
                facility,
                person: person.id,
                expires_at: now + identity::CODE_LIFE_MS,
            }
        }
        Request::SetRoster { person, specialty, phone, hours } => {
            let (known, _) = identity::person(&mut tx, person).await?;
            let specialty = specialty.or(known.specialty).ok_or(AdminError::Roster)?;
            let phone = phone.or(known.phone).ok_or(AdminError::Roster)?;
            identity::set_roster(db, &mut tx, person, &specialty, &phone, &hours, now).await?;
            event = did(Deed::SetRoster, "Practitioner", person);
            Reply::Roster(identity::roster(&mut tx).await?)
        }
        Request::LeaveRoster { person } => {
            identity::leave_roster(db, &mut tx, person).await?;
            event = did(Deed::LeaveRoster, "Practitioner", person);
            Reply::Roster(identity::roster(&mut tx).await?)
        }
        Request::Roster => Reply::Roster(identity::roster(&mut tx).await?),
        Request::Token { facility, seconds } => {
            if !(1..=30 * 24 * 3600).contains(&seconds) {
                return Err(AdminError::TokenLife);
            }
            let facility = identity::find_facility(&mut tx, &facility).await?.id;
            let token = auth::operator_token(&mut tx, facility, seconds, now).await?;
            event = did(Deed::IssueToken, "Organization", facility)
                .map(|e| e.with("seconds", seconds.to_string()));
            Reply::Token { token, facility, expires_at: now + seconds * 1000 }
        }
        Request::ReserveMr { facility, first, last, purpose } => {
            let facility = identity::find_facility(&mut tx, &facility).await?.id;
            event = did(Deed::ReserveNumbers, "Organization", facility);
            Reply::MrBlock(identity::reserve(&mut tx, facility, (first, last), &purpose, now).await?)
        }
    };
    if let Some(event) = &event {
        audit::write(&mut tx, event, now).await?;
    }
    tx.commit().await?;
    Ok(reply)
}

async fn note(db: &Db, event: &Event, now: i64) -> Result<(), sqlx::Error> {
    let mut tx = db.write().await?;
    audit::write(&mut tx, event, now).await?;
    tx.commit().await
}

async fn import(db: &Db, file: &Path, now: i64) -> Result<HandedIn, AdminError> {
    let size = std::fs::metadata(file).map_err(AdminError::File)?.len();
    if size > handover::MOST as u64 {
        return Err(AdminError::File(std::io::ErrorKind::FileTooLarge.into()));
    }
    let bytes = std::fs::read(file).map_err(AdminError::File)?;
    Ok(hand_in(db, &bytes, now).await?)
}

/// Does it in a running server, which also acts on it at once: phones whose link ended are told, a new key is shown.
pub async fn run_in(app: &App, request: Request) -> Result<Reply, AdminError> {
    run_in_by(app, request, By::Command).await
}

/// [`run_in`], by the command or by the operator's page.
pub async fn run_in_by(app: &App, request: Request, by: By) -> Result<Reply, AdminError> {
    if let (Request::AdminLink, Some(board)) = (&request, &app.board) {
        note(&app.db, &Event::deed(Deed::OpenPage, by, None), app.now()).await?;
        return Ok(Reply::AdminLink { url: board.link(app.now()), minutes: board::LINK_MS / 60_000 });
    }
    if let Request::Stick { folder } = &request {
        let answered = stick::answer_all(app, folder).await.map_err(AdminError::File)?;
        for done in &answered {
            let event = Event::deed(Deed::Carry, by, None).with("file", done.name.clone());
            note(&app.db, &event, app.now()).await?;
        }
        return Ok(Reply::Stick(answered));
    }
    let revokes = matches!(
        request,
        Request::RevokeDevice { .. } | Request::RevokePerson { .. } | Request::RevokeFacility { .. }
    );
    let mut reply = run_by(&app.db, request, by, app.now()).await?;
    if revokes {
        guests::end_closed(app).await?;
    }
    match &mut reply {
        Reply::Key { .. } => {
            let tls = app.db.settings.tls().server_config().map_err(|_| AdminError::Tls)?;
            app.tls.reload_from_config(tls);
        }
        Reply::Health { findings, page, relay, .. } => {
            let standing = app.phones.as_ref().map(|phones| phones.standing());
            findings.push(reach::certificate(standing.as_ref(), app.now()));
            findings.push(reach::clock_was_set(app.clock_moved()));
            *page = app.phones.as_ref().map(|phones| phones.address().to_owned());
            *relay = app.ice.address().map(str::to_owned);
        }
        _ => {}
    }
    app.changed();
    Ok(reply)
}

/// How long laptops have to learn of the next key after a rotation.
const ROTATE_DUE: i64 = 30 * 24 * 3_600_000;

fn pins(db: &Db) -> Result<[[u8; 32]; 2], AdminError> {
    db.settings.tls().pins().map_err(|_| AdminError::Tls)
}

/// Keys and devices, the codes that would make new ones, and the links that reach them.
const REVOKE_DEVICE: &[&str] = &[
    "UPDATE device SET revoked_at = ?1 WHERE id = ?2 AND revoked_at IS NULL",
    "UPDATE link SET closed_at = ?1, device = NULL, asking = NULL \
     WHERE made_on = ?2 AND closed_at IS NULL AND expires_at > ?1",
];
const REVOKE_PERSON: &[&str] = &[
    "UPDATE person_key SET revoked_at = ?1 WHERE person = ?2 AND revoked_at IS NULL",
    "UPDATE enrollment SET expires_at = ?1 WHERE person = ?2 AND used_at IS NULL AND expires_at > ?1",
    "UPDATE link SET closed_at = ?1, device = NULL, asking = NULL \
     WHERE owner = ?2 AND closed_at IS NULL AND expires_at > ?1",
];
const CLOSE_CODES: &[&str] =
    &["UPDATE enrollment SET expires_at = ?1 WHERE person = ?2 AND used_at IS NULL AND expires_at > ?1"];
const REVOKE_FACILITY: &[&str] = &[
    "UPDATE device SET revoked_at = ?1 WHERE facility = ?2 AND revoked_at IS NULL",
    "UPDATE enrollment SET expires_at = ?1 WHERE used_at IS NULL AND expires_at > ?1 \
     AND person IN (SELECT id FROM person WHERE facility = ?2)",
    "UPDATE link SET closed_at = ?1, device = NULL, asking = NULL \
     WHERE facility = ?2 AND closed_at IS NULL AND expires_at > ?1",
];

/// `none` where there was nothing to revoke.
async fn revoke(
    tx: &mut sqlx::SqliteConnection,
    statements: &[&'static str],
    what: Id,
    now: i64,
    none: AdminError,
) -> Result<(), AdminError> {
    let mut revoked = 0;
    for sql in statements {
        let done = sqlx::query(*sql).bind(now).bind(what.0.to_vec()).execute(&mut *tx).await?;
        revoked += done.rows_affected();
    }
    if revoked > 0 { Ok(()) } else { Err(none) }
}

async fn add_person(
    db: &Db,
    tx: &mut sqlx::SqliteConnection,
    facility: Id,
    new: PersonFields,
    now: i64,
) -> Result<Person, AdminError> {
    let fields = NewPerson {
        facility,
        name: new.name,
        role: new.role,
        registration: new.registration,
        qualification: new.qualification,
        specialty: new.specialty,
        phone: new.phone,
    };
    let person = identity::add_person(tx, &fields, now).await?;
    if let Some(hours) = &new.hours {
        let (Some(specialty), Some(phone)) = (&person.specialty, &person.phone) else {
            return Err(AdminError::Roster);
        };
        identity::set_roster(db, tx, person.id, specialty, phone, hours, now).await?;
    }
    Ok(person)
}

/// The address that the server last ran under.
async fn public_address(tx: &mut sqlx::SqliteConnection) -> Result<String, sqlx::Error> {
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM setting WHERE name = 'public-address'")
        .fetch_optional(tx)
        .await?;
    Ok(kept.and_then(|b| String::from_utf8(b).ok()).unwrap_or_else(|| "127.0.0.1:8443".into()))
}

/// Keeps the address for codes that are made while no server runs.
pub async fn keep_public_address(db: &Db, address: &str) -> Result<(), sqlx::Error> {
    let mut tx = db.write().await?;
    sqlx::query("INSERT INTO setting (name, value) VALUES ('public-address', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(address.as_bytes())
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
