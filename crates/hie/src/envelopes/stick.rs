//! What a laptop without a line sends on a stick, and what goes back to it ([`rabta_wire::stick`]).
//!
//! Whoever brings it (a colleague's laptop, the operator) is let in for the bringing only: what is in the file counts as
//! that laptop's own push and pull, and only that laptop can read the answer.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rabta_wire::{
    Id, limits,
    log::{Ack, Item, Outcome, PullReply, PushReply},
    shared::SharedSecret,
    stick::{self, Answer, FileError},
};
use serde::{Deserialize, Serialize};

use super::{Caller, CoreError, EnvelopeCore, http};
use crate::{
    App,
    audit::{Act, Event, NotRecorded},
    auth::{Access, Agent, Purpose, Reader},
    identity, private_file,
    web::{ApiError, body},
};

/// Of zstd: the file is read once, by a laptop that waits for a person with a stick.
const LEVEL: i32 = 9;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum StickError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("no laptop of this HIE wrote this file")]
    UnknownDevice,
    #[error("the laptop that wrote this file is out of service")]
    Revoked,
    #[error(transparent)]
    Core(#[from] CoreError),
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    #[error(transparent)]
    Audit(#[from] NotRecorded),
    #[error("the answer cannot be packed: {0}")]
    Pack(#[source] std::io::Error),
    #[error("no randomness")]
    Random,
}

impl StickError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "stick-damaged",
            Self::UnknownDevice => "stick-unknown",
            Self::Revoked => "device-revoked",
            _ => "internal",
        }
    }
}

impl From<StickError> for ApiError {
    fn from(error: StickError) -> Self {
        match error {
            StickError::File(_) | StickError::UnknownDevice => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), error.to_string())
            }
            StickError::Revoked => Self::new(StatusCode::FORBIDDEN, error.code(), error.to_string()),
            StickError::Core(error) => error.into(),
            StickError::Sql(error) => error.into(),
            StickError::Audit(error) => error.into(),
            StickError::Pack(_) | StickError::Random => Self::internal(&error),
        }
    }
}

/// An answer, and how many envelopes were taken for it.
pub struct Exchanged {
    pub device: Id,
    /// Durable now, or were before.
    pub taken: usize,
    pub refused: usize,
    /// Sealed for the device.
    pub file: Vec<u8>,
}

/// `POST /v1/stick`: the ask of some laptop, from any enrolled one. The answer is for the laptop that asked.
pub async fn post(State(app): State<Arc<App>>, who: Access, request: Request) -> Result<Response, ApiError> {
    http::caller(&who)?;
    if !body::is_type(request.headers(), &[stick::MEDIA_TYPE]) {
        return Err(body::unsupported(stick::MEDIA_TYPE));
    }
    let file = body::bytes(request, stick::MOST).await?;
    let done = exchange(&app, &file).await?;
    Ok(([(header::CONTENT_TYPE, stick::MEDIA_TYPE)], done.file).into_response())
}

/// Takes what is in the file and seals what there is for its laptop.
pub async fn exchange(app: &App, file: &[u8]) -> Result<Exchanged, StickError> {
    let device = stick::asked_by(file)?;
    let mut db = app.db.read().acquire().await?;
    let known = identity::device(&mut db, device).await?.ok_or(StickError::UnknownDevice)?;
    let secret = SharedSecret::between(&app.db.settings.signing_key, &known.key, device);
    let secret = secret.ok_or(FileError::Damaged)?;
    let ask = stick::open_ask(&secret, file)?;
    // As for a token: neither laptop nor person is revoked.
    let role = identity::role_at(&mut db, device, ask.person).await?.ok_or(StickError::Revoked)?;
    drop(db);
    let caller = Caller { device, person: ask.person, facility: known.facility };
    let epoch = app.db.settings.epoch;

    let acks = push(app, caller, ask.push.envelopes.into_iter().map(Into::into).collect()).await?;
    let taken = http::counted(app, &acks);
    let refused = acks.iter().filter(|ack| matches!(ack.outcome, Outcome::Refused { .. })).count();

    let after = ask.after.filter(|cursor| cursor.epoch == epoch);
    let pages = pull(app, caller, after.map_or(0, |cursor| cursor.seq)).await?;
    let count: usize = pages.iter().map(|page| page.changes.len()).sum();
    let access = Access { facility: caller.facility, agent: Agent::Device { device, person: ask.person } };
    let reader = Reader::new(access, Some(role), Purpose::TREAT, app.now());
    let mut event = Event::by(Act::Pull, &reader);
    event.what = Some(format!("Device/{device}"));
    event.detail = Some(("stick", format!("{taken} taken, {count} changes")));
    app.audit.record(event).await?;

    let answer = Answer { push: PushReply { epoch, acks }, asked: ask.after, pages };
    let mut nonce = [0; 24];
    getrandom::fill(&mut nonce).map_err(|_| StickError::Random)?;
    let sealed = tokio::task::spawn_blocking(move || {
        let bytes = minicbor::to_vec(&answer).expect("encoding into memory cannot fail");
        zstd::encode_all(bytes.as_slice(), LEVEL).map(|packed| stick::seal_answer(&secret, nonce, packed))
    });
    let file = sealed.await.map_err(std::io::Error::other).and_then(|done| done).map_err(StickError::Pack)?;
    Ok(Exchanged { device, taken, refused, file })
}

/// In requests as a laptop would make them.
async fn push(app: &App, caller: Caller, mut left: Vec<Vec<u8>>) -> Result<Vec<Ack>, CoreError> {
    let mut acks = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let mut bytes = 0;
        let fit = left.iter().take(limits::PUSH_COUNT).take_while(|envelope| {
            bytes += envelope.len();
            bytes <= limits::PUSH
        });
        let rest = left.split_off(fit.count().max(1));
        acks.extend(app.core.push(caller, left, app.now()).await?);
        left = rest;
    }
    Ok(acks)
}

/// As many pages as go into a file.
async fn pull(app: &App, caller: Caller, mut after: u64) -> Result<Vec<PullReply>, StickError> {
    let mut pages = Vec::new();
    let mut bytes = 0;
    loop {
        let page = app.core.pull(caller, after, limits::PULL_COUNT).await?;
        let reply = http::reply(app, caller.device, page).await?;
        bytes += reply.changes.iter().map(|change| weight(&change.item)).sum::<usize>();
        // One page goes in, whatever it weighs.
        if bytes > stick::MOST_ANSWERED && !pages.is_empty() {
            return Ok(pages);
        }
        after = reply.next.seq;
        let more = reply.more;
        pages.push(reply);
        if !more {
            return Ok(pages);
        }
    }
}

fn weight(item: &Item) -> usize {
    match item {
        Item::Resource { body, .. } => body.len(),
        Item::Envelope { bytes, .. } | Item::Cert { bytes } => bytes.len(),
        Item::Roster { json } => json.len(),
        Item::Other => 0,
    }
}

/// What became of one file of a stick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Its name in the folder.
    pub name: String,
    pub taken: usize,
    pub refused: usize,
    /// Why nothing of it was taken; empty where it was.
    pub error: String,
}

/// Answers every ask on a stick that the operator plugged in: the stick's folder itself, or the one it is in.
pub async fn answer_all(app: &App, place: &Path) -> std::io::Result<Vec<Answered>> {
    let inner = place.join(stick::FOLDER);
    let folder = if inner.is_dir() { inner } else { place.to_owned() };
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).filter(|path| is_ask(path)).collect();
    names.sort();
    let mut all = Vec::new();
    for path in names {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let done = match answer_one(app, &folder, &path).await {
            Ok(done) => Answered { name, taken: done.taken, refused: done.refused, error: String::new() },
            Err(error) => Answered { name, taken: 0, refused: 0, error },
        };
        all.push(done);
    }
    Ok(all)
}

fn is_ask(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(stick::is_ask)
}

async fn answer_one(app: &App, folder: &Path, path: &Path) -> Result<Exchanged, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > stick::MOST as u64 {
        return Err("the file is larger than any that a laptop makes".into());
    }
    let file = std::fs::read(path).map_err(|e| e.to_string())?;
    let done = exchange(app, &file).await.map_err(|e| e.to_string())?;
    // The ask goes once its answer lies there whole.
    private_file::write_open(&folder.join(stick::answer_name(done.device)), &done.file)
        .and_then(|()| std::fs::remove_file(path))
        .map_err(|e| e.to_string())?;
    Ok(done)
}
