//! `POST /v1/envelopes` and `GET /v1/changes`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rabta_wire::{
    Id,
    cursor::Cursor,
    lease::{Grant, SignedGrant},
    limits,
    log::{Ack, MEDIA_TYPE, Outcome, PullReply, Push, PushReply},
};

use super::{Caller, CoreError, EnvelopeCore, Page};
use crate::{
    App,
    audit::{Act, Event},
    auth::{Access, Agent, Reader},
    backup,
    fhir::params::form,
    web::{ApiError, body},
};

/// Who was seen in these days is needed first.
const LATELY_MS: i64 = 7 * 24 * 3600 * 1000;
/// Of zstd: beyond it a page takes longer to pack than to send over a clinic's line.
const LEVEL: i32 = 9;

/// Envelopes and changes are for enrolled devices.
pub(super) fn caller(who: &Access) -> Result<Caller, ApiError> {
    match who.agent {
        Agent::Device { device, person } => Ok(Caller { device, person, facility: who.facility }),
        Agent::Operator | Agent::Hie => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "device-only",
            "an operator's token opens the FHIR API only",
        )),
    }
}

pub async fn push(State(app): State<Arc<App>>, who: Access, request: Request) -> Result<Response, ApiError> {
    let caller = caller(&who)?;
    if !body::is_type(request.headers(), &[MEDIA_TYPE]) {
        return Err(body::unsupported(MEDIA_TYPE));
    }
    let bytes = body::bytes(request, limits::PUSH).await?;
    let push: Push =
        minicbor::decode(&bytes).map_err(|_| ApiError::bad("malformed", "the body is not a push"))?;
    if push.envelopes.len() > limits::PUSH_COUNT {
        let most = limits::PUSH_COUNT;
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("more than {most} envelopes"),
        ));
    }
    let envelopes = push.envelopes.into_iter().map(Into::into).collect();
    let acks = app.core.push(caller, envelopes, app.now()).await?;
    counted(&app, &acks);
    Ok(cbor(&PushReply { epoch: app.db.settings.epoch, acks }))
}

/// What became of a push goes into the metrics, and whoever waits for something to pull is woken. How many are stored.
pub(super) fn counted(app: &App, acks: &[Ack]) -> usize {
    let mut stored = 0;
    for ack in acks {
        let outcome = match &ack.outcome {
            Outcome::Durable { .. } => "durable",
            Outcome::Superseded { .. } => "superseded",
            Outcome::Refused { code, .. } => {
                tracing::info!(envelope = %ack.id, code, "an envelope was refused");
                "refused"
            }
            Outcome::Waits { .. } => "waits",
        };
        let is_here = matches!(ack.outcome, Outcome::Durable { .. } | Outcome::Superseded { .. });
        stored += usize::from(is_here);
        app.metrics.envelope(outcome);
    }
    if stored > 0 {
        app.changed();
    }
    stored
}

/// `GET /v1/changes`.
pub async fn pull(State(app): State<Arc<App>>, who: Reader, request: Request) -> Result<Response, ApiError> {
    changes(&app, &who, request, None).await
}

/// `GET /v1/changes/lately`: the same of what is needed first. It moves no cursor: all of it comes again.
pub async fn pull_lately(
    State(app): State<Arc<App>>,
    who: Reader,
    request: Request,
) -> Result<Response, ApiError> {
    let since = app.now() - LATELY_MS;
    changes(&app, &who, request, Some(since)).await
}

async fn changes(
    app: &App,
    who: &Reader,
    request: Request,
    since: Option<i64>,
) -> Result<Response, ApiError> {
    let caller = caller(&who.access)?;
    let params = form(request.uri().query().unwrap_or("").as_bytes());
    let param = |name: &str| params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let epoch = app.db.settings.epoch;
    let after = match param("after") {
        None => 0,
        Some(text) => {
            let cursor: Cursor =
                text.parse().map_err(|_| ApiError::bad("cursor", "after is not a cursor"))?;
            if cursor.epoch != epoch {
                return Err(ApiError::new(
                    StatusCode::CONFLICT,
                    "epoch",
                    "this server was restored since: push what you have and pull from the start",
                ));
            }
            cursor.seq
        }
    };
    let limit = match param("limit") {
        None => 500,
        Some(text) => text.parse::<u32>().map_err(|_| ApiError::bad("limit", "limit is not a number"))?,
    };
    let packs = request.headers().get_all(header::ACCEPT_ENCODING).iter().any(takes_zstd);
    let limit = limit.clamp(1, limits::PULL_COUNT);
    let page = match since {
        Some(since) => app.core.lately(caller, since, after, limit).await?,
        None => app.core.pull(caller, after, limit).await?,
    };
    if !page.changes.is_empty() {
        let mut event = Event::by(Act::Pull, who);
        event.what = Some(format!("Device/{}", caller.device));
        event.detail = Some(("changes", format!("{} after {after}", page.changes.len())));
        app.audit.record(event).await?;
    }
    let reply = reply(app, caller.device, page).await?;
    Ok(if packs { packed(&reply).await? } else { cbor(&reply) })
}

/// A page as its device gets it.
pub(super) async fn reply(app: &App, device: Id, page: Page) -> Result<PullReply, sqlx::Error> {
    let mut db = app.db.read().acquire().await?;
    let backed_up = backup::last(&mut db).await?.map_or(0, |(seq, _)| seq);
    let copied = crate::identity::device(&mut db, device).await?.is_some_and(|device| device.forked);
    Ok(PullReply {
        changes: page.changes,
        next: Cursor { epoch: app.db.settings.epoch, seq: page.next },
        more: page.more,
        backed_up,
        remaining: page.remaining,
        lease: Some(lease(app, device).into()),
        copied: Some(copied),
    })
}

/// `zstd` among the codings of an `Accept-Encoding` (RFC 9110, section 12.5.3), as laptops ask for it.
fn takes_zstd(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|list| list.split(',').any(|coding| coding.trim() == "zstd"))
}

/// Resources as JSON shrink to a tenth; on a slow line that is minutes in place of hours.
async fn packed(reply: &PullReply) -> Result<Response, ApiError> {
    let bytes = minicbor::to_vec(reply).expect("encoding into memory cannot fail");
    let bytes = tokio::task::spawn_blocking(move || zstd::encode_all(bytes.as_slice(), LEVEL))
        .await
        .map_err(std::io::Error::other)
        .and_then(|packed| packed)
        .map_err(|error| ApiError::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, MEDIA_TYPE),
        (header::CONTENT_ENCODING, "zstd"),
        (header::VARY, "accept-encoding"),
    ];
    Ok((headers, bytes).into_response())
}

/// Whoever may pull may go on working for a while.
fn lease(app: &App, device: Id) -> Vec<u8> {
    let grant = Grant { device, issued_at: app.now(), days: app.lease_days };
    SignedGrant::sign(&app.db.settings.signing_key, &grant)
}

fn cbor<T: minicbor::Encode<()>>(value: &T) -> Response {
    let bytes = minicbor::to_vec(value).expect("encoding into memory cannot fail");
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], bytes).into_response()
}

impl From<CoreError> for ApiError {
    fn from(e: CoreError) -> Self {
        let CoreError::Sql(e) = e;
        e.into()
    }
}
