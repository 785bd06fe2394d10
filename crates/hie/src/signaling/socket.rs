use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use rabta_wire::{
    Id,
    signal::{
        ClientFrame, FRAME_BYTES, FRAMES_PER_TEN_SECONDS, FrameError, Party, Refusal, Routed, ServerFrame,
        VERSION, decode_client, encode,
    },
};
use tokio::{sync::mpsc, time::Instant};

use super::ice::LIFE_S;
use crate::{
    App,
    auth::{Access, Agent},
    envelopes::Caller,
    guests, identity,
    web::ApiError,
};

/// How long a lost socket may take to come back before its calls are told.
const FLICKER: Duration = Duration::from_secs(5);
/// How long a patient's page may take to say who it is: on a thin link its program comes beside the handshake.
const GREET: Duration = Duration::from_secs(30);
/// Most frames are smaller.
const READ_BUFFER: usize = 4_096;
/// How often a socket's device is looked up again, and a ping sent.
const TICK: Duration = Duration::from_secs(30);

/// `GET /v1/ws`: authenticated by its header.
pub async fn ws(
    State(app): State<Arc<App>>,
    who: Access,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let caller = caller(&who).ok_or_else(|| {
        ApiError::new(
            axum::http::StatusCode::FORBIDDEN,
            "device-only",
            "an operator's token opens the FHIR API only",
        )
    })?;
    Ok(limited(upgrade).on_upgrade(move |socket| Session::new(app, Who::Staff(caller)).run(socket)))
}

fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    // The buffer is held while a phone waits, and grows with a frame that needs more.
    upgrade.max_message_size(FRAME_BYTES).max_frame_size(FRAME_BYTES).read_buffer_size(READ_BUFFER)
}

fn caller(who: &Access) -> Option<Caller> {
    match who.agent {
        Agent::Device { device, person } => Some(Caller { device, person, facility: who.facility }),
        Agent::Operator | Agent::Hie => None,
    }
}

/// Whose socket it is.
#[derive(Clone, Copy)]
enum Who {
    /// From the header: hints are for it, and only its own hello is taken.
    Staff(Caller),
    /// A patient's page: nobody until its hello.
    Guest,
}

/// `GET /v1/p/ws`: a browser cannot set headers here, so the pass comes with the hello.
pub async fn guests_ws(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    limited(upgrade).on_upgrade(move |socket| Session::new(app, Who::Guest).run(socket))
}

struct Session {
    app: Arc<App>,
    who: Who,
    /// From the hello.
    me: Option<(Party, u64)>,
    sender: mpsc::Sender<String>,
    receiver: mpsc::Receiver<String>,
    window: (Instant, usize),
    ice_until: Instant,
}

/// Why a socket ends.
struct Close(u16, &'static str);

impl Session {
    fn new(app: Arc<App>, who: Who) -> Self {
        let (sender, receiver) = mpsc::channel(FRAMES_PER_TEN_SECONDS);
        let now = Instant::now();
        Self { app, who, me: None, sender, receiver, window: (now, 0), ice_until: now }
    }

    async fn run(mut self, mut socket: WebSocket) {
        let Close(code, reason) = self.serve(&mut socket).await;
        // 1006 says that there was no close frame, and is never sent (RFC 6455, section 7.4.1).
        if code != close_code::ABNORMAL {
            let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
        }
        if let Some((party, number)) = self.me {
            self.app.hub.lost(number, party, self.app.now());
            let app = self.app.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep(FLICKER) => app.hub.still_lost(party),
                    () = app.stopping.cancelled() => {}
                }
            });
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket) -> Close {
        let mut changes = self.app.changes.subscribe();
        let mut links = self.app.passes.changes();
        let opened = Instant::now();
        // The first hint says how things stand: what came between a pull and this socket is not missed.
        changes.mark_changed();
        let mut hinted_to = 0;
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                () = self.app.stopping.cancelled() => return Close(close_code::RESTART, "the server stops"),
                frame = self.receiver.recv() => {
                    let Some(frame) = frame else { return Close(close_code::NORMAL, "") };
                    if socket.send(Message::Text(frame.into())).await.is_err() {
                        return Close(close_code::ABNORMAL, "");
                    }
                }
                changed = changes.changed() => {
                    if changed.is_err() {
                        return Close(close_code::RESTART, "the server stops");
                    }
                    // A lost device is told at once: what an operator does is a change, too.
                    if let Who::Staff(caller) = self.who
                        && let Some(close) = self.revoked(caller).await
                    {
                        return close;
                    }
                    if let Who::Staff(caller) = self.who
                        && let Ok(Some(seq)) = self.app.core.newest(caller, hinted_to).await
                    {
                        hinted_to = seq;
                        let hint = format!(r#"{{"t":"hint","v":{VERSION},"seq":{seq}}}"#);
                        if socket.send(Message::Text(hint.into())).await.is_err() {
                            return Close(close_code::ABNORMAL, "");
                        }
                    }
                }
                _ = links.recv(), if matches!(self.who, Who::Guest) => {
                    if let Some(close) = self.guest_is_gone() {
                        return close;
                    }
                }
                () = tokio::time::sleep_until(opened + GREET), if self.me.is_none() && matches!(self.who, Who::Guest) => {
                    return Close(close_code::POLICY, "no hello");
                }
                _ = tick.tick() => {
                    if let Some(close) = self.tick().await {
                        return close;
                    }
                    if socket.send(Message::Ping(Default::default())).await.is_err() {
                        return Close(close_code::ABNORMAL, "");
                    }
                }
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => match self.frame(&text).await {
                        Ok(Some(answer)) => {
                            if socket.send(Message::Text(answer.into())).await.is_err() {
                                return Close(close_code::ABNORMAL, "");
                            }
                        }
                        Ok(None) => {}
                        Err(close) => return close,
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Binary(_))) => return Close(close_code::UNSUPPORTED, "frames are text"),
                    Some(Ok(Message::Close(_))) | None => return Close(close_code::NORMAL, ""),
                    Some(Err(_)) => return Close(close_code::SIZE, "a frame that cannot be read or is too big"),
                },
            }
        }
    }

    /// Looks again whether the device may be here, and renews relay credentials before they end.
    async fn tick(&mut self) -> Option<Close> {
        match self.who {
            Who::Staff(caller) => {
                if let Some(close) = self.revoked(caller).await {
                    return Some(close);
                }
            }
            Who::Guest => {
                if let Some(close) = self.guest_is_gone() {
                    return Some(close);
                }
            }
        }
        if let Some((party, _)) = self.me
            && Instant::now() + TICK * 4 >= self.ice_until
        {
            let ice_servers = self.ice(party.device);
            if !ice_servers.is_empty() {
                let _ = self
                    .sender
                    .try_send(encode(&ServerFrame::<Routed>::IceServers { v: VERSION, ice_servers }));
            }
        }
        None
    }

    /// The device, or the person at it, was revoked.
    async fn revoked(&self, caller: Caller) -> Option<Close> {
        let role = async {
            let mut db = self.app.db.read().acquire().await?;
            identity::role_at(&mut db, caller.device, caller.person).await
        };
        matches!(role.await, Ok(None))
            .then_some(Close(close_code::POLICY, "this device's enrollment was revoked"))
    }

    /// The link was closed, or the call was moved to another phone.
    fn guest_is_gone(&self) -> Option<Close> {
        let (me, _) = self.me?;
        (!self.app.passes.holds(me, self.app.now())).then_some(Close(close_code::POLICY, "over or moved"))
    }

    /// Who says hello with this token, if it may on this socket.
    async fn greeted(&self, token: &str, now: i64) -> Option<Party> {
        match self.who {
            Who::Staff(mine) => {
                let access = self.app.tokens.access(&self.app.db, token, now).await.ok().flatten()?;
                let caller = caller(&access).filter(|c| c.device == mine.device)?;
                Some(Party { person: caller.person, device: caller.device })
            }
            Who::Guest => self.app.passes.party(token, now),
        }
    }

    fn ice(&mut self, device: Id) -> Vec<rabta_wire::signal::IceServer> {
        self.ice_until = Instant::now() + Duration::from_secs(LIFE_S);
        self.app.ice.servers(device, self.app.now())
    }

    fn too_many(&mut self) -> bool {
        if self.window.0.elapsed() > Duration::from_secs(10) {
            self.window = (Instant::now(), 0);
        }
        self.window.1 += 1;
        self.window.1 > FRAMES_PER_TEN_SECONDS
    }

    /// One frame of the program; what to answer, if anything.
    async fn frame(&mut self, text: &str) -> Result<Option<String>, Close> {
        let refuse = |call, code| {
            Ok(Some(encode(&ServerFrame::<Routed>::Refused { v: VERSION, call, code, to: None })))
        };
        if self.too_many() {
            return refuse(None, Refusal::TooMany);
        }
        let frame = match decode_client::<Routed>(text) {
            Ok(frame) => frame,
            Err(FrameError::TooBig(_)) => return Err(Close(close_code::SIZE, "a frame is too big")),
            Err(FrameError::Malformed(_)) => return refuse(None, Refusal::Unknown),
        };
        let now = self.app.now();
        if let ClientFrame::Hello { token, session, .. } = frame {
            let Some(party) = self.greeted(&token, now).await else { return refuse(None, Refusal::Token) };
            if let Some((old, number)) = self.me.take() {
                self.app.hub.lost(number, old, now);
            }
            let joined = self.app.hub.join(party, self.sender.clone(), session.as_deref(), now);
            self.me = Some((party, joined.socket));
            let ice_servers = self.ice(party.device);
            let welcome = ServerFrame::<Routed>::Welcome {
                v: VERSION,
                session: joined.session,
                me: party,
                ice_servers,
            };
            for kept in joined.kept {
                let _ = self.sender.try_send(kept);
            }
            return Ok(Some(encode(&welcome)));
        }
        let Some((me, _)) = self.me else { return refuse(None, Refusal::Token) };
        let hub = &self.app.hub;
        let (call, to, result) = match frame {
            ClientFrame::Hello { .. } => return Ok(None),
            ClientFrame::Ring { call, to, body, .. } => {
                let may = match self.who {
                    Who::Staff(_) => may_call(&self.app, call, me.person, to.person).await,
                    // Guests are called; they call nobody.
                    Who::Guest => Ok(May::Not),
                };
                let result = match may {
                    Ok(May::Not) | Err(_) => Err(Refusal::NotAllowed),
                    Ok(may) => hub.ring(me, call, to, may == May::Patient, body, now),
                };
                (call, Some(to), result)
            }
            ClientFrame::To { call, to, body, .. } => (call, Some(to), hub.carry(me, call, to, body, now)),
            ClientFrame::Leave { call, .. } => {
                hub.leave_room(me, call);
                (call, None, Ok(()))
            }
        };
        match result {
            Ok(()) => Ok(None),
            Err(code) => {
                Ok(Some(encode(&ServerFrame::<Routed>::Refused { v: VERSION, call: Some(call), code, to })))
            }
        }
    }
}

/// Why one person may ring another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    /// As a colleague.
    Colleague,
    /// As the guest of a link that they made.
    Patient,
    Not,
}

/// Whether two persons are the two sides of an open ask, or one made an open link for the other, or one has a patient
/// in this call and the other is on the roster.
async fn may_call(app: &App, call: Id, from: Id, to: Id) -> Result<May, sqlx::Error> {
    // With a pool's ask that nobody has taken yet, anybody of the pool may ring the clinic, and be rung.
    let sql = "SELECT EXISTS (SELECT 1 FROM task_with w JOIN task t ON t.id = w.task JOIN person p ON p.id = ?2 \
               WHERE w.person = ?1 AND t.shut_by = '' AND p.facility = t.facility) \
               OR EXISTS (SELECT 1 FROM task_with w JOIN task t ON t.id = w.task JOIN person p ON p.id = ?1 \
               WHERE w.person = ?2 AND t.shut_by = '' AND p.facility = t.facility) \
               OR (?3 AND EXISTS (SELECT 1 FROM roster r WHERE r.person = ?2))";
    let n: i64 = sqlx::query_scalar(sql)
        .bind(from.0.to_vec())
        .bind(to.0.to_vec())
        .bind(app.hub.host(call) == Some(from))
        .fetch_one(app.db.read())
        .await?;
    if n > 0 {
        return Ok(May::Colleague);
    }
    let mut db = app.db.read().acquire().await?;
    let theirs = guests::may_ring(&mut db, from, to, app.now()).await?;
    Ok(if theirs { May::Patient } else { May::Not })
}
