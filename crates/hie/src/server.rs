use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use axum_server::{accept::NoDelayAcceptor, tls_rustls::RustlsConfig};
use rabta_relay::{Relay, RelayConfig, RelayHandle, Secret, StartError};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    App, Config, admin,
    audit::AuditLog,
    auth::{self, Tokens},
    board::{self, Board},
    care::{self, Lookups},
    db::{DataLock, Db, LockError, OpenError},
    disk::Disk,
    duty,
    envelopes::{self, SqliteCore},
    fhir::{self, paging::Pages},
    guests::{self, Door, DoorError, Passes},
    identity,
    signaling::{self, Hub, Ice},
    tls::BadTlsKey,
    updates,
    web::{self, ApiError, Guesses, health, metrics::Metrics},
};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("plain HTTP is only for a loopback address")]
    PlainOutside,
    #[error("the operator's page is only for a loopback address; reach it from elsewhere through ssh")]
    AdminOutside,
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    #[error(transparent)]
    Tls(#[from] BadTlsKey),
    #[error("the relay: {0}")]
    Relay(#[from] StartError),
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error("{0}: {1}")]
    Io(&'static str, #[source] std::io::Error),
}

/// A running server.
pub struct Handle {
    pub addr: SocketAddr,
    /// SHA-256 of the SubjectPublicKeyInfo that clients pin.
    pub spki_sha256: [u8; 32],
    pub app: Arc<App>,
    http: axum_server::Handle<SocketAddr>,
    tasks: Vec<JoinHandle<std::io::Result<()>>>,
    /// Where STUN and TURN listen.
    pub relay_addr: Option<SocketAddr>,
    _relay: Option<RelayHandle>,
    _lock: DataLock,
}

/// Two seconds in all.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// How long requests that are under way may take when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

impl Handle {
    /// Takes no more connections, finishes what is under way, closes sockets, checkpoints and closes the database.
    pub async fn shutdown(self) {
        self.app.stopping.cancel();
        self.http.graceful_shutdown(Some(DRAIN));
        for task in self.tasks {
            if let Ok(Err(e)) = task.await {
                tracing::error!(error = %e, "a listener ended with an error");
            }
        }
        self.app.db.close().await;
        tracing::info!("stopped");
    }
}

/// Opens the data and starts serving; returns once it listens.
pub async fn serve(config: Config) -> Result<Handle, ServeError> {
    if config.plain_http_loopback && !config.listen.ip().is_loopback() {
        return Err(ServeError::PlainOutside);
    }
    if config.admin_listen.is_some_and(|addr| !addr.ip().is_loopback()) {
        return Err(ServeError::AdminOutside);
    }
    let lock = take_lock(&config.data).await?;
    let db = Db::open(&config.data, &config.key_file, (config.clock)()).await?;
    let listener =
        std::net::TcpListener::bind(config.listen).map_err(|e| ServeError::Io("cannot listen", e))?;
    listener.set_nonblocking(true).map_err(|e| ServeError::Io("cannot listen", e))?;
    let addr = listener.local_addr().map_err(|e| ServeError::Io("cannot listen", e))?;
    admin::keep_public_address(&db, &config.public.clone().unwrap_or_else(|| addr.to_string())).await?;

    let relay = start_relay(&config, &db).await?;
    let ice =
        relay.as_ref().map(|r| (relay_address(&config, r), Secret::new(db.settings.relay_secret.to_vec())));

    let keys = db.settings.tls();
    let (spki_sha256, tls) = (keys.pins()?[0], RustlsConfig::from_config(keys.server_config()?));

    let door = config.door.clone().map(Door::prepare).transpose()?;

    let page = config.admin_listen.map(listen_for_operator).transpose()?;
    let board =
        page.as_ref().map(|(_, addr)| Board::new(*addr, config.data.clone(), config.key_file.clone()));

    let app = Arc::new(App {
        board,
        core: SqliteCore::new(db.clone()),
        tokens: Tokens::default(),
        audit: AuditLog::start(db.clone(), config.clock.clone()),
        pages: Pages::default(),
        hub: Hub::default(),
        ice: Ice::new(ice),
        metrics: Metrics::default(),
        guesses: Guesses::new(30, 0.5),
        knocks: Guesses::new(30, 0.5),
        lookups: Lookups::default(),
        passes: Passes::default(),
        phones: door.as_ref().map(|door| door.certificates.clone()),
        tls,
        started: ((config.clock)(), Instant::now()),
        lease_days: config.lease_days.clamp(1, rabta_wire::lease::MOST_DAYS),
        updates: config.updates.clone(),
        stopping: CancellationToken::new(),
        changes: watch::channel(0).0,
        clock: config.clock.clone(),
        utc_offset: config.utc_offset,
        disk: Disk::new(&config.data),
        db,
    });
    #[cfg(unix)]
    admin::socket::listen(app.clone(), &config.data).map_err(|e| ServeError::Io("the admin socket", e))?;

    let http = axum_server::Handle::new();
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let mut tasks = Vec::new();
    tasks.push(if config.plain_http_loopback {
        let server = axum_server::from_tcp(listener).map_err(|e| ServeError::Io("cannot listen", e))?;
        tokio::spawn(server.acceptor(NoDelayAcceptor::new()).handle(http.clone()).serve(service))
    } else {
        let server = axum_server::from_tcp_rustls(listener, app.tls.clone())
            .map_err(|e| ServeError::Io("cannot listen", e))?;
        // Signaling is many small frames, each of which somebody waits for (RFC 896 would hold them back).
        let server = server.map(|tls| tls.acceptor(NoDelayAcceptor::new()));
        tokio::spawn(server.handle(http.clone()).serve(service))
    });
    tokio::spawn(guests::after::forget_in_time(app.clone()));
    if let Some(door) = door {
        tasks.push(door.open(app.clone(), http.clone())?);
    }
    if let Some((listener, addr)) = page {
        let served = board::open(app.clone(), listener, http.clone());
        tasks.push(served.map_err(|e| ServeError::Io("the operator's page", e))?);
        tracing::info!(%addr, "the operator's page");
    }
    tasks.push(tokio::spawn(duty::watch(app.clone())));
    tracing::info!(%addr, tls = !config.plain_http_loopback, "listening");
    let relay_addr = relay.as_ref().map(RelayHandle::local_addr);
    Ok(Handle { addr, spki_sha256, app, http, tasks, relay_addr, _relay: relay, _lock: lock })
}

fn listen_for_operator(addr: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr), ServeError> {
    let listener = std::net::TcpListener::bind(addr).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    });
    listener.map_err(|e| ServeError::Io("the operator's page cannot listen", e))
}

/// An operator's command holds the lock for a moment; another server holds it on.
async fn take_lock(data: &std::path::Path) -> Result<DataLock, LockError> {
    let mut left = LOCK_TRIES;
    loop {
        match DataLock::take(data) {
            Err(LockError::Taken) if left > 0 => left -= 1,
            other => return other,
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
}

async fn start_relay(config: &Config, db: &Db) -> Result<Option<RelayHandle>, ServeError> {
    let Some(listen) = config.relay_listen else { return Ok(None) };
    let mut relay = RelayConfig::new(listen, Secret::new(db.settings.relay_secret.to_vec()));
    relay.allow.clone_from(&config.relay_allow);
    relay.external_ip = config.relay_external;
    Ok(Some(Relay::start(relay).await?))
}

/// The relay as clients reach it: the public host's name, the relay's own port.
fn relay_address(config: &Config, relay: &RelayHandle) -> String {
    let addr = relay.local_addr();
    match (&config.relay_external, &config.public) {
        (Some(ip), _) => SocketAddr::new(*ip, addr.port()).to_string(),
        (None, Some(public)) if addr.ip().is_unspecified() => {
            format!("{}:{}", public.rsplit_once(':').map_or(public.as_str(), |(host, _)| host), addr.port())
        }
        _ => addr.to_string(),
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/v1/enroll/check", post(identity::http::check))
        .route("/v1/enroll", post(identity::http::enroll))
        .route("/v1/token", post(auth::http::token))
        .route("/v1/envelopes", post(envelopes::http::push))
        .route(rabta_wire::stick::PATH, post(envelopes::stick::post))
        .route("/v1/changes", get(envelopes::http::pull))
        .route("/v1/changes/lately", get(envelopes::http::pull_lately))
        .route(rabta_wire::care::PATH, get(care::http::list).post(care::http::open))
        .route("/v1/links", get(guests::http::list).post(guests::http::make))
        .route("/v1/links/{guest}", post(guests::http::act))
        .route("/v1/links/{guest}/after", put(guests::after::put_note).delete(guests::after::take_back))
        .route("/v1/links/{guest}/after/paper", put(guests::after::put_paper))
        .route("/v1/updates/{file}", get(updates::file))
        .route(rabta_wire::signal::PATH, get(signaling::ws))
        .merge(fhir::routes())
        .fallback(|| async {
            ApiError::new(StatusCode::NOT_FOUND, "no-such-path", "there is nothing at this path")
        })
        .method_not_allowed_fallback(|| async {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this path does not take that method")
        })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), web::around))
        .with_state(app)
}

/// A panic's message may hold anything, so it is not told.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server could not do this")
        .into_response()
}
