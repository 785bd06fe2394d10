//! `/v1/links` for who makes links, `/v1/p/…` for the phones.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rabta_wire::{
    Id,
    guest::{Knock, LinkAct, Links, MakeLink, OpenLink, SOCKET, Welcome},
    signal::{Address, Party},
};
use serde_json::json;

use super::{
    Bound, KnockError, LinkError, after,
    links::{self, Seen},
};
use crate::{
    App,
    auth::{Access, Agent},
    envelopes::Caller,
    web::{ApiError, Guesser, body},
};

const MOST: usize = 4_000;

pub(super) fn caller(who: &Access) -> Result<Caller, ApiError> {
    match who.agent {
        Agent::Device { device, person } => Ok(Caller { device, person, facility: who.facility }),
        Agent::Operator | Agent::Hie => {
            Err(ApiError::new(StatusCode::FORBIDDEN, "device-only", "links are for persons"))
        }
    }
}

/// `GET /v1/links`
pub async fn list(State(app): State<Arc<App>>, who: Access) -> Result<Json<Links>, ApiError> {
    let caller = caller(&who)?;
    let mut db = app.db.read().acquire().await?;
    let open = links::list(&mut db, caller.person, app.now()).await?;
    let open = open.into_iter().map(|(guest, expires_at, joined_at, device, asks_to_move)| OpenLink {
        guest,
        expires_at,
        joined_at,
        here: device.is_some_and(|device| app.hub.is_here(Party { person: guest, device }.into())),
        asks_to_move,
    });
    Ok(Json(Links { page: app.page(), open: open.collect() }))
}

/// `POST /v1/links`
pub async fn make(State(app): State<Arc<App>>, who: Access, request: Request) -> Result<Response, ApiError> {
    let caller = caller(&who)?;
    let Some(page) = app.page() else {
        return Err(ApiError::invalid("no-certificate", "this server has no certificate that phones trust"));
    };
    let link: MakeLink = body::json(request, MOST).await?;
    let mut tx = app.db.write().await?;
    links::make(&mut tx, caller, &link, app.now()).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(json!({ "page": page }))).into_response())
}

/// `POST /v1/links/{guest}`
pub async fn act(
    State(app): State<Arc<App>>,
    who: Access,
    Path(guest): Path<Id>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let caller = caller(&who)?;
    let act: LinkAct = body::json(request, MOST).await?;
    let mut tx = app.db.write().await?;
    let keep = links::act(&mut tx, caller.person, guest, act, app.now()).await?;
    tx.commit().await?;
    if act != LinkAct::DoNotMove {
        app.passes.drop_others(guest, keep);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/p/open`: what the page may know before anybody joins. The page asks again and again while it waits: with the
/// right word that is a read, and is not limited.
pub async fn open(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, ApiError> {
    let knock: Knock = body::json(request, MOST).await?;
    let now = app.now();
    let (found, tries) = match look(&app, &knock).await? {
        Seen::Open(found, tries) => (found, tries),
        other => return not_in(&app, from, &knock, other).await,
    };
    if tries > 0 {
        let mut tx = app.db.write().await?;
        links::right_word(&mut tx, found.guest).await?;
        tx.commit().await?;
    }
    let mut db = app.db.read().acquire().await?;
    let after = after::is_there(&mut db, &knock, now).await?;
    let open = links::list(&mut db, found.owner, now).await?;
    let mine = found.joined_at.unwrap_or(i64::MAX);
    let contact = links::contact(&mut db, &knock).await?;
    let before = open.iter().filter(|(guest, _, joined_at, device, _)| {
        let here = device.is_some_and(|device| app.hub.is_here(Party { person: *guest, device }.into()));
        *guest != found.guest && here && joined_at.is_some_and(|at| at < mine)
    });
    let bound = match found.bound {
        Bound::Nobody => "no",
        Bound::To(device) if Some(device) == knock.device => "here",
        Bound::To(_) => "elsewhere",
    };
    let told = json!({
        "state": "open",
        "doctor": found.doctor,
        "doctor_here": app.hub.is_here(Address { person: found.owner, device: None }),
        "before_you": before.count(),
        "expires_at": found.expires_at,
        "bound": bound,
        "after": after,
    });
    Ok(Json(with_contact(told, contact)).into_response())
}

/// What a page is told, with what it can phone.
fn with_contact(mut told: serde_json::Value, contact: Option<String>) -> serde_json::Value {
    if let Some(contact) = contact {
        told["contact"] = contact.into();
    }
    told
}

/// `POST /v1/p/join`: the patient pressed Join.
pub async fn join(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, ApiError> {
    let knock: Knock = body::json(request, MOST).await?;
    let (Some(device), Some(_)) = (knock.device, &knock.word) else {
        return Err(ApiError::bad("malformed", "a join has a word and a device"));
    };
    let now = app.now();
    let seen = look(&app, &knock).await?;
    if !matches!(seen, Seen::Open(..)) {
        return not_in(&app, from, &knock, seen).await;
    }
    let mut tx = app.db.write().await?;
    // Somebody may have closed or joined it since.
    let found = match links::look(&mut tx, &knock, now).await? {
        Seen::Open(found, _) => found,
        other => {
            drop(tx);
            return not_in(&app, from, &knock, other).await;
        }
    };
    links::right_word(&mut tx, found.guest).await?;
    let joined = links::join(&mut tx, &found, device, knock.moves, now).await;
    tx.commit().await?;
    match joined {
        Ok(Some(me)) => {
            let token = app.passes.issue(me, now);
            Ok(Json(Welcome { token, me, doctor: found.doctor, socket: SOCKET.into() }).into_response())
        }
        Ok(None) => Ok((StatusCode::ACCEPTED, Json(json!({"state": "asked"}))).into_response()),
        Err(error) => refusal(error),
    }
}

async fn look(app: &App, knock: &Knock) -> Result<Seen, sqlx::Error> {
    let mut db = app.db.read().acquire().await?;
    links::look(&mut db, knock, app.now()).await
}

/// What is told to whoever does not have the link and its word. Each such try counts: a made-up link for the address that
/// it came from, everything else for the link.
async fn not_in(app: &App, from: SocketAddr, knock: &Knock, seen: Seen) -> Result<Response, ApiError> {
    let who = match &seen {
        Seen::NoSuchLink => Guesser::at(from),
        Seen::Over(guest) | Seen::WordWanted(guest) | Seen::WrongWord(guest) => Guesser::Link(*guest),
        Seen::Open(found, _) => Guesser::Link(found.guest),
    };
    if app.knocks.wrong(who).is_err() {
        return Ok(slow_down());
    }
    match seen {
        Seen::NoSuchLink => refusal(KnockError::NoSuchLink),
        Seen::Over(_) => {
            let mut db = app.db.read().acquire().await?;
            let after = after::is_there(&mut db, knock, app.now()).await?;
            let contact = links::contact(&mut db, knock).await?;
            Ok(told(StatusCode::GONE, with_contact(json!({"error": "over", "after": after}), contact)))
        }
        Seen::WordWanted(_) | Seen::Open(..) => {
            let mut db = app.db.read().acquire().await?;
            let contact = links::contact(&mut db, knock).await?;
            Ok(Json(with_contact(json!({"state": "word"}), contact)).into_response())
        }
        Seen::WrongWord(guest) => {
            let mut tx = app.db.write().await?;
            let told = links::wrong_word(&mut tx, guest, app.now()).await?;
            tx.commit().await?;
            refusal(told)
        }
    }
}

/// After something was revoked: phones that wait on a link that is no more are told.
pub async fn end_closed(app: &App) -> Result<(), sqlx::Error> {
    let mut db = app.db.read().acquire().await?;
    let open = links::open_guests(&mut db, app.now()).await?;
    app.passes.keep(&open);
    Ok(())
}

pub(super) fn slow_down() -> Response {
    told(StatusCode::TOO_MANY_REQUESTS, json!({"error": "slow-down"}))
}

/// For a page that has its own words for each.
pub(super) fn refusal(error: KnockError) -> Result<Response, ApiError> {
    Ok(match error {
        KnockError::NoSuchLink => told(StatusCode::NOT_FOUND, json!({"error": "no-such-link"})),
        KnockError::Over => told(StatusCode::GONE, json!({"error": "over"})),
        KnockError::WrongWord { left } => {
            told(StatusCode::FORBIDDEN, json!({"error": "wrong-word", "left": left}))
        }
        KnockError::Elsewhere => told(StatusCode::CONFLICT, json!({"error": "elsewhere"})),
        KnockError::NotMoved => told(StatusCode::FORBIDDEN, json!({"error": "not-moved"})),
        KnockError::Sql(error) => return Err(error.into()),
    })
}

pub(super) fn told(status: StatusCode, body: serde_json::Value) -> Response {
    (status, Json(body)).into_response()
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Malformed => Self::bad("malformed", error.to_string()),
            LinkError::Life => Self::invalid("link-life", error.to_string()),
            // Not 409: that is how a changed epoch is told.
            LinkError::TooMany => Self::invalid("too-many-links", error.to_string()),
            LinkError::Taken => Self::invalid("taken", error.to_string()),
            LinkError::Unknown => Self::new(StatusCode::NOT_FOUND, "no-such-link", error.to_string()),
            LinkError::Sql(error) => error.into(),
        }
    }
}
