//! The operator's page: facilities, people, devices, what was refused, backups, the roster and the doctor's findings, in a
//! browser. Nothing of a patient is on it: no name, no id, no number by patient.
//!
//! It listens on a loopback address of its own, without TLS: it is for a browser on the server itself or at the end of an
//! ssh tunnel, which both call `localhost`, where browsers take a `Secure` cookie. Pages are whole HTML from the server with
//! the window's own style sheet: there is nothing here that needs a program in the browser.

mod keys;
mod look;
mod pages;
mod words;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use axum::{
    Router,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use rabta_wire::Id;
use tokio::task::JoinHandle;

use self::{keys::Session, words::Lang};
use crate::{
    App,
    admin::{self, AdminError},
    audit::By,
    fhir::params::form,
    web::{self, body},
};

pub use keys::{Keys, LINK_MS};

const COOKIE: &str = "rabta-operator";
/// A form is small.
const MOST: usize = 10_000;

/// Nothing from elsewhere, nothing inline, no program, no frame around it.
const HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    // Not "no-referrer": browsers then say of this page's own forms that they come from nowhere (`Origin: null`).
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

macro_rules! public {
    ($name:literal) => {
        include_bytes!(concat!("../../../../src-ui/public/", $name))
    };
}

/// The window's style sheet and letters, and what this page adds.
const FILES: [(&str, &str, &[u8]); 7] = [
    ("rabta.css", "text/css; charset=utf-8", public!("rabta.css")),
    ("board.css", "text/css; charset=utf-8", include_bytes!("board.css")),
    ("atkinson.woff2", "font/woff2", public!("fonts/atkinson.woff2")),
    ("atkinson-ext.woff2", "font/woff2", public!("fonts/atkinson-ext.woff2")),
    ("naskh.woff2", "font/woff2", public!("fonts/naskh.woff2")),
    ("naskh-bold.woff2", "font/woff2", public!("fonts/naskh-bold.woff2")),
    ("nastaliq.woff2", "font/woff2", public!("fonts/nastaliq.woff2")),
];

/// Where the page is, and who may see it.
pub struct Board {
    pub keys: Keys,
    pub addr: SocketAddr,
    /// For what the doctor says of files.
    data: PathBuf,
    key_file: PathBuf,
}

impl Board {
    pub fn new(addr: SocketAddr, data: PathBuf, key_file: PathBuf) -> Self {
        Self { keys: Keys::default(), addr, data, key_file }
    }

    /// A one-time address for the operator's browser, good for some minutes from `now`.
    pub fn link(&self, now: i64) -> String {
        format!("http://localhost:{}/enter?key={}", self.addr.port(), self.keys.link(now))
    }
}

/// Answers on `listener` until the server stops.
pub fn open(
    app: Arc<App>,
    listener: std::net::TcpListener,
    http: axum_server::Handle<SocketAddr>,
) -> std::io::Result<JoinHandle<std::io::Result<()>>> {
    let service = router(app).into_make_service();
    Ok(tokio::spawn(axum_server::from_tcp(listener)?.handle(http).serve(service)))
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(health))
        .route("/facilities", get(facilities))
        .route("/people", get(people))
        .route("/devices", get(devices))
        .route("/refused", get(refused))
        .route("/roster", get(roster))
        .route("/devices/revoke", post(act))
        .route("/people/close-codes", post(act))
        .route("/roster/set", post(act))
        .route("/roster/leave", post(act))
        .route("/lang", post(act))
        .route("/leave", post(act))
        .route("/enter", get(threshold).post(enter))
        .route("/{file}", get(file))
        .route("/fonts/{file}", get(file))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn(guard))
        .layer(middleware::from_fn_with_state(app.clone(), web::around))
        .with_state(app)
}

/// Whether a `Host` or the host of an `Origin` is this machine's own name, whatever the port: a tunnel may end at another.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Another site's name that was made to lead here is not answered (DNS rebinding), and what another site's page sends is
/// not taken, cookie or not.
fn turned_away(request: &Request) -> Option<StatusCode> {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let host = header("host").unwrap_or_default();
    if !is_local(host) {
        return Some(StatusCode::MISDIRECTED_REQUEST);
    }
    let origin = header("origin").is_none_or(|origin| origin == format!("http://{host}"));
    let site = header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    (request.method() == Method::POST && !(origin && site)).then_some(StatusCode::FORBIDDEN)
}

async fn guard(request: Request, next: Next) -> Response {
    let mut response = match turned_away(&request) {
        Some(status) => status.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(file, ..)| *file == name) {
        Some((_, kind, bytes)) => {
            let kept = (header::CACHE_CONTROL, "private, max-age=3600");
            ([(header::CONTENT_TYPE, *kind), kept], *bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What a page cannot be shown for.
enum Refused {
    /// No session, or one that has ended.
    NoSession(Lang),
    /// A form that this page did not make.
    Form,
    Admin(AdminError, Session),
    Internal,
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the operator's page");
        Self::Internal
    }
}

impl From<AdminError> for Refused {
    fn from(error: AdminError) -> Self {
        tracing::error!(%error, "the operator's page");
        Self::Internal
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::NoSession(lang) => (StatusCode::FORBIDDEN, pages::no_session(lang)).into_response(),
            Self::Form => StatusCode::FORBIDDEN.into_response(),
            Self::Admin(error, session) => {
                (StatusCode::UNPROCESSABLE_ENTITY, pages::failed(&session, &error.to_string()))
                    .into_response()
            }
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

type Page = Result<Response, Refused>;

/// The page behind which `app` is; it is not routed without one.
fn board(app: &App) -> Result<&Board, Refused> {
    app.board.as_ref().ok_or(Refused::Internal)
}

/// Whose request this is; refused where nobody let them in.
fn session(app: &App, headers: &HeaderMap) -> Result<Session, Refused> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut ours = cookies.flat_map(|line| line.split(';')).filter_map(|pair| {
        pair.trim().split_once('=').filter(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
    });
    let found = ours.find_map(|value| app.board.as_ref()?.keys.session(&value, app.now()));
    found.ok_or_else(|| Refused::NoSession(Lang::asked(headers)))
}

async fn health(State(app): State<Arc<App>>, headers: HeaderMap) -> Page {
    let session = session(&app, &headers)?;
    let board = board(&app)?;
    let seen = look::health(&app, &board.data, &board.key_file).await?;
    Ok(pages::health(&session, &seen, &look::backups(&app).await?, app.now()))
}

async fn facilities(State(app): State<Arc<App>>, headers: HeaderMap) -> Page {
    let session = session(&app, &headers)?;
    Ok(pages::facilities(&session, &look::facilities(&app).await?, app.now()))
}

async fn people(State(app): State<Arc<App>>, headers: HeaderMap) -> Page {
    let session = session(&app, &headers)?;
    Ok(pages::people(&session, &look::people(&app).await?, app.now()))
}

async fn devices(State(app): State<Arc<App>>, headers: HeaderMap) -> Page {
    let session = session(&app, &headers)?;
    Ok(pages::devices(&session, &look::devices(&app).await?, app.now()))
}

async fn refused(State(app): State<Arc<App>>, headers: HeaderMap) -> Page {
    let session = session(&app, &headers)?;
    Ok(pages::refused(&session, &look::refused(&app).await?, app.now()))
}

async fn roster(State(app): State<Arc<App>>, headers: HeaderMap) -> Page {
    let session = session(&app, &headers)?;
    Ok(pages::roster(&session, &look::roster(&app).await?))
}

/// A one-time address was opened. Looking uses nothing up: mail programs and browsers look ahead.
async fn threshold(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Page {
    let asked = form(query.unwrap_or_default().as_bytes());
    let key = asked.iter().find(|(name, _)| name == "key").map_or("", |(_, value)| value);
    let lang = Lang::asked(&headers);
    match board(&app)?.keys.works(key, app.now()) {
        true => Ok(pages::threshold(lang, key)),
        false => Err(Refused::NoSession(lang)),
    }
}

async fn fields(request: Request) -> Result<Vec<(String, String)>, Refused> {
    if !body::is_type(request.headers(), &["application/x-www-form-urlencoded"]) {
        return Err(Refused::Form);
    }
    Ok(form(&body::bytes(request, MOST).await.map_err(|_| Refused::Form)?))
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
}

async fn enter(State(app): State<Arc<App>>, request: Request) -> Page {
    let lang = Lang::asked(request.headers());
    let fields = fields(request).await?;
    let cookie = board(&app)?.keys.enter(field(&fields, "key"), lang, app.now());
    let cookie = cookie.ok_or(Refused::NoSession(lang))?;
    tracing::info!("an operator's session began");
    let cookie = format!("{COOKIE}={cookie}; HttpOnly; Secure; SameSite=Strict; Path=/");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// What the page may do. Each act is the operator's command of the same name.
async fn act(State(app): State<Arc<App>>, request: Request) -> Page {
    let session = session(&app, request.headers())?;
    let path = request.uri().path().to_owned();
    let fields = fields(request).await?;
    if !bool::from(subtle::ConstantTimeEq::ct_eq(
        field(&fields, "form").as_bytes(),
        session.form_key.as_bytes(),
    )) {
        return Err(Refused::Form);
    }
    let id = || field(&fields, "id").parse::<Id>().map_err(|_| Refused::Form);
    let (wish, back) = match path.as_str() {
        "/devices/revoke" => (admin::Request::RevokeDevice { device: id()? }, "/devices"),
        "/people/close-codes" => (admin::Request::CloseCodes { person: id()? }, "/people"),
        "/roster/leave" => (admin::Request::LeaveRoster { person: id()? }, "/roster"),
        "/roster/set" => {
            let hours = field(&fields, "hours").to_owned();
            let phone = Some(field(&fields, "phone").to_owned()).filter(|phone| !phone.trim().is_empty());
            (admin::Request::SetRoster { person: id()?, specialty: None, phone, hours }, "/roster")
        }
        "/lang" => {
            board(&app)?.keys.speak(&session, Lang::of(field(&fields, "lang")));
            return Ok(Redirect::to(look::known(field(&fields, "to"))).into_response());
        }
        _ => {
            board(&app)?.keys.leave(&session);
            let gone = format!("{COOKIE}=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0");
            return Ok(([(header::SET_COOKIE, gone)], pages::left(session.lang)).into_response());
        }
    };
    match admin::run_in_by(&app, wish, By::Page).await {
        Ok(_) => {
            tracing::info!(act = path, "done on the operator's page");
            Ok(Redirect::to(back).into_response())
        }
        Err(error) => Err(Refused::Admin(error, session)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names_are_answered() {
        for host in
            ["localhost", "localhost:8444", "LOCALHOST:1", "127.0.0.1:8444", "[::1]:8444", "127.0.0.2"]
        {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:8444",
            "192.168.1.2:8444",
            "[2001:db8::1]:80",
            "127.0.0.1.nip.io",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
