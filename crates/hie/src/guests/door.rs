//! The patients' door: a second listener with the page, its two questions and its socket, under a certificate that phones
//! trust. Staff programs pin the HIE's own key and never come here; phones never see the rest.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router, extract,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use axum_server::{accept::NoDelayAcceptor, tls_rustls::RustlsConfig};
use rabta_wire::guest::{PAGE, SOCKET};
use tokio::task::JoinHandle;

use super::{
    acme::{self, ACME_TLS, AcmeError},
    after,
    certificate::{CertificateError, Certificates, Held, Source},
    http,
};
use crate::{App, signaling, web};

/// How often the certificate's file is looked at: whoever renews it need not restart anything.
const RENEWED_EVERY: Duration = Duration::from_secs(3_600);

/// Where phones come in.
#[derive(Debug, Clone)]
pub struct DoorConfig {
    pub listen: SocketAddr,
    pub certificate: Source,
    /// `https://host[:port]`, if it is not the certificate's first name and the listening port (with ACME: port 443).
    pub url: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Acme(#[from] AcmeError),
    #[error("TLS for phones: {0}")]
    Tls(#[source] rustls::Error),
    #[error("cannot listen for phones: {0}")]
    Listen(#[source] std::io::Error),
}

/// A file of the page: name, type, bytes, and the same as brotli (RFC 7932).
type PageFile = (&'static str, &'static str, &'static [u8], Option<&'static [u8]>);

static FILES: &[PageFile] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Nothing from elsewhere, nothing inline, no frame around it, no address told to others.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(self), microphone=(self), geolocation=()"),
    ("strict-transport-security", "max-age=31536000"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// A door that can be opened: its files were read, its port is ours.
pub struct Door {
    source: Source,
    listener: std::net::TcpListener,
    pub certificates: Arc<Certificates>,
    pub addr: SocketAddr,
}

impl Door {
    pub fn prepare(config: DoorConfig) -> Result<Self, DoorError> {
        let held = match &config.certificate {
            Source::Files { cert, key } => Some(Held::read(cert, key)?),
            Source::Acme(acme) => {
                acme.check()?;
                acme.kept()
            }
        };
        let listener = std::net::TcpListener::bind(config.listen).map_err(DoorError::Listen)?;
        listener.set_nonblocking(true).map_err(DoorError::Listen)?;
        let addr = listener.local_addr().map_err(DoorError::Listen)?;
        let base = match (&config.url, &config.certificate) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            // The authority comes to port 443 (RFC 8737, section 3), so that is where this listener is reached.
            (None, Source::Acme(acme)) => format!("https://{}", acme.domain),
            (None, Source::Files { .. }) => {
                let name = held.as_ref().and_then(|held| held.name.clone());
                let host = name.ok_or(CertificateError::NoName)?;
                if addr.port() == 443 {
                    format!("https://{host}")
                } else {
                    format!("https://{host}:{}", addr.port())
                }
            }
        };
        let acme = matches!(config.certificate, Source::Acme(_));
        let certificates = Arc::new(Certificates::new(format!("{base}{PAGE}"), acme, held));
        Ok(Self { source: config.certificate, listener, certificates, addr })
    }

    pub fn open(
        self,
        app: Arc<App>,
        http: axum_server::Handle<SocketAddr>,
    ) -> Result<JoinHandle<std::io::Result<()>>, DoorError> {
        let tls = RustlsConfig::from_config(self.tls().map_err(DoorError::Tls)?);
        match self.source {
            Source::Files { cert, key } => {
                drop(tokio::spawn(keep_files(cert, key, self.certificates, app.clone())));
            }
            Source::Acme(config) => drop(tokio::spawn(acme::keep(config, self.certificates, app.clone()))),
        }
        let server = axum_server::from_tcp_rustls(self.listener, tls).map_err(DoorError::Listen)?;
        let server = server.map(|tls| tls.acceptor(NoDelayAcceptor::new()));
        tracing::info!(addr = %self.addr, "phones may come in");
        let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
        Ok(tokio::spawn(server.handle(http).serve(service)))
    }

    fn tls(&self) -> Result<Arc<rustls::ServerConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.certificates.clone());
        // The page's small files share one connection, which on a thin line is what counts. A browser opens its WebSocket
        // over HTTP/1.1 beside it, since the server does not offer RFC 8441.
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if matches!(self.source, Source::Acme(_)) {
            tls.alpn_protocols.push(ACME_TLS.to_vec());
        }
        Ok(Arc::new(tls))
    }
}

/// Takes a renewed certificate into use.
async fn keep_files(cert: PathBuf, key: PathBuf, certificates: Arc<Certificates>, app: Arc<App>) {
    let mut seen = changed_at(&cert);
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEWED_EVERY) => {}
            () = app.stopping.cancelled() => return,
        }
        let now = changed_at(&cert);
        if now == seen {
            continue;
        }
        match Held::read(&cert, &key) {
            Ok(fresh) => {
                certificates.renewed(fresh);
                seen = now;
                tracing::info!("the certificate for phones was renewed");
            }
            Err(error) => {
                tracing::error!(%error, "the certificate for phones cannot be renewed");
                certificates.not_renewed(error.to_string());
            }
        }
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|file| file.modified()).ok()
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to(PAGE) }))
        .route(PAGE, get(|headers: HeaderMap| async move { file("index.html", &headers) }))
        .route("/p/{file}", get(page_file))
        .route("/v1/p/open", post(http::open))
        .route("/v1/p/join", post(http::join))
        .route("/v1/p/after", post(after::fetch))
        .route(SOCKET, get(signaling::guests_ws))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn_with_state(app.clone(), web::around))
        .with_state(app)
}

async fn page_file(extract::Path(name): extract::Path<String>, headers: HeaderMap) -> Response {
    file(&name, &headers)
}

fn file(name: &str, asked: &HeaderMap) -> Response {
    let Some((_, kind, bytes, packed)) = FILES.iter().find(|(file, ..)| *file == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let packed = packed.filter(|_| takes_brotli(asked));
    let mut response = packed.unwrap_or(bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    let fresh = if name == "index.html" { "no-cache" } else { "public, max-age=3600" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(fresh));
    for (name, value) in HEADERS {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    response
}

/// Whether `br` is among the codings and not refused by its weight (RFC 9110, section 12.5.3).
fn takes_brotli(asked: &HeaderMap) -> bool {
    let codings = asked.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    codings.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "br" && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_goes_to_whoever_takes_it() {
        let takes = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            takes_brotli(&headers)
        };
        assert!(takes("gzip, deflate, br, zstd") && takes("br;q=0.5"));
        assert!(!takes("gzip") && !takes("br;q=0, gzip") && !takes_brotli(&HeaderMap::new()));
    }
}
