//! The patients' door: a second listener with the page, its two questions and its socket, under a certificate that phones
//! trust. Staff programs pin the HIE's own key and never come here; phones never see the rest.

use std::{
    fs::File,
    io::BufReader,
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
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::task::JoinHandle;

use super::{after, http};
use crate::{App, signaling, web};

/// How often the certificate's file is looked at: whoever renews it need not restart anything.
const RENEWED_EVERY: Duration = Duration::from_secs(3_600);

/// Where phones come in.
#[derive(Debug, Clone)]
pub struct DoorConfig {
    pub listen: SocketAddr,
    /// PEM: the certificate and what it is signed by.
    pub cert: PathBuf,
    /// PEM.
    pub key: PathBuf,
    /// `https://host[:port]`, if it is not the certificate's first name and the listening port.
    pub url: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error("the certificate for phones, {}: {why}", path.display())]
    Pem { path: PathBuf, why: String },
    #[error("the certificate for phones names no host; give --patient-url")]
    NoName,
    #[error("the certificate and the key for phones do not belong together: {0}")]
    Pair(#[source] rustls::Error),
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
    config: DoorConfig,
    listener: std::net::TcpListener,
    tls: RustlsConfig,
    /// `https://host/p/`.
    pub page: String,
    pub addr: SocketAddr,
}

impl Door {
    pub fn prepare(config: DoorConfig) -> Result<Self, DoorError> {
        let chain = chain(&config.cert)?;
        let tls = RustlsConfig::from_config(server_config(&config)?);
        let listener = std::net::TcpListener::bind(config.listen).map_err(DoorError::Listen)?;
        listener.set_nonblocking(true).map_err(DoorError::Listen)?;
        let addr = listener.local_addr().map_err(DoorError::Listen)?;
        let base = match &config.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let host = first_name(&chain[0]).ok_or(DoorError::NoName)?;
                if addr.port() == 443 {
                    format!("https://{host}")
                } else {
                    format!("https://{host}:{}", addr.port())
                }
            }
        };
        Ok(Self { config, listener, tls, page: format!("{base}{PAGE}"), addr })
    }

    pub fn open(
        self,
        app: Arc<App>,
        http: axum_server::Handle<SocketAddr>,
    ) -> std::io::Result<JoinHandle<std::io::Result<()>>> {
        tokio::spawn(keep_certificate(self.config, self.tls.clone(), app.clone()));
        let server = axum_server::from_tcp_rustls(self.listener, self.tls)?;
        let server = server.map(|tls| tls.acceptor(NoDelayAcceptor::new()));
        tracing::info!(addr = %self.addr, "phones may come in");
        Ok(tokio::spawn(server.handle(http).serve(router(app).into_make_service())))
    }
}

/// Takes a renewed certificate into use.
async fn keep_certificate(config: DoorConfig, tls: RustlsConfig, app: Arc<App>) {
    let mut seen = changed_at(&config.cert);
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEWED_EVERY) => {}
            () = app.stopping.cancelled() => return,
        }
        let now = changed_at(&config.cert);
        if now == seen {
            continue;
        }
        match server_config(&config) {
            Ok(fresh) => {
                tls.reload_from_config(fresh);
                seen = now;
                tracing::info!("the certificate for phones was renewed");
            }
            Err(error) => tracing::error!(%error, "the certificate for phones cannot be renewed"),
        }
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|file| file.modified()).ok()
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, DoorError> {
    let bad = |why: String| DoorError::Pem { path: path.to_owned(), why };
    let file = File::open(path).map_err(|e| bad(e.to_string()))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(BufReader::new(file)).collect();
    let chain = chain.map_err(|e| bad(e.to_string()))?;
    if chain.is_empty() { Err(bad("there is no certificate in it".into())) } else { Ok(chain) }
}

fn server_config(config: &DoorConfig) -> Result<Arc<rustls::ServerConfig>, DoorError> {
    let key = PrivateKeyDer::from_pem_file(&config.key)
        .map_err(|e| DoorError::Pem { path: config.key.clone(), why: e.to_string() })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(DoorError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain(&config.cert)?, key)
        .map_err(DoorError::Pair)?;
    // No h2: a WebSocket over it (RFC 8441) is not in every phone's browser.
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(tls))
}

/// The first DNS name of a certificate (RFC 5280, section 4.2.1.6).
fn first_name(cert: &CertificateDer<'_>) -> Option<String> {
    let (_, cert) = x509_parser::parse_x509_certificate(cert).ok()?;
    let names = cert.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| match name {
        x509_parser::extensions::GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    })
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
