//! A server with a key of its own and a script for answers: what the client does is told by what reaches it.

#![allow(dead_code, clippy::unwrap_used)]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use ed25519_dalek::SigningKey;
use rabta_sync::{Clock, Endpoint, HieClient, Identity, Offset, Pins};
use rabta_wire::{Id, code::EnrollmentCode, envelope::sha256};
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// A device's clock that stands where a test puts it.
pub struct StandingClock {
    pub unix_ms: i64,
    pub start: Instant,
}

impl StandingClock {
    pub fn at(unix_ms: i64) -> Arc<Self> {
        Arc::new(Self { unix_ms, start: Instant::now() })
    }
}

impl Clock for StandingClock {
    fn unix_ms(&self) -> i64 {
        self.unix_ms
    }

    fn monotonic_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}

#[derive(Debug, Clone)]
pub struct Request {
    /// `POST /v1/token`, without the query.
    pub what: String,
    pub query: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn bearer(&self) -> Option<&str> {
        self.headers.get("authorization")?.strip_prefix("Bearer ")
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: vec![], body: body.into() }
    }

    pub fn refused(status: u16, code: &str) -> Self {
        let body = format!(
            r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":"processing","details":{{"coding":[{{"code":"{code}"}}],"text":"in words"}}}}]}}"#
        );
        Self { status, headers: vec![], body: body.into() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

pub const TOKEN: &str = r#"{"access_token":"t1","token_type":"Bearer","expires_in":600}"#;
/// What the fake server's clock says: 2026-11-22 14:00:00.
pub const HIE_DATE: &str = "Sun, 22 Nov 2026 14:00:00 GMT";
pub const HIE_SECONDS: i64 = 1_795_356_000;

pub struct FakeHie {
    pub address: String,
    pub spki_sha256: [u8; 32],
    pub seen: Arc<Mutex<Vec<Request>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for FakeHie {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeHie {
    pub async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["some.other.name".to_owned()]).unwrap();
        let cert = params.self_signed(&key).unwrap();
        let spki_sha256 = sha256(&key.subject_public_key_info());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (seen.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, log, answer) = (acceptor.clone(), log.clone(), answer.clone());
                tokio::spawn(async move {
                    let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                    while let Some(request) = read(&mut tls).await {
                        let reply = answer(&request);
                        log.lock().unwrap().push(request);
                        let mut head = format!(
                            "HTTP/1.1 {} X\r\ncontent-length: {}\r\n",
                            reply.status,
                            reply.body.len()
                        );
                        if !reply.headers.iter().any(|(name, _)| name == "date") {
                            head.push_str(&format!("date: {HIE_DATE}\r\n"));
                        }
                        for (name, value) in &reply.headers {
                            head.push_str(&format!("{name}: {value}\r\n"));
                        }
                        head.push_str("\r\n");
                        if tls.write_all(head.as_bytes()).await.is_err()
                            || tls.write_all(&reply.body).await.is_err()
                        {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, spki_sha256, seen, task }
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint { address: self.address.clone(), pins: Pins::whole([self.spki_sha256]) }
    }

    pub fn code(&self) -> EnrollmentCode {
        let spki_sha256_16 = self.spki_sha256[..16].try_into().unwrap();
        EnrollmentCode { address: self.address.clone(), spki_sha256_16, secret: [7; 10] }
    }

    pub fn client(&self, clock: Arc<dyn Clock>) -> HieClient {
        HieClient::new(self.endpoint(), me(), clock, Offset::default()).unwrap()
    }

    pub fn asked_for(&self, what: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|request| request.what == what).count()
    }
}

pub fn me() -> Identity {
    Identity {
        device: Id([1; 16]),
        person: Id([2; 16]),
        device_key: Arc::new(SigningKey::from_bytes(&[3; 32])),
    }
}

async fn read(tls: &mut (impl AsyncReadExt + Unpin)) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tls.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    tls.read_exact(&mut body).await.ok()?;
    Some(Request { what: format!("{method} {path}"), query: query.to_owned(), headers, body })
}
