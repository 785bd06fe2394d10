//! A real server in this process: TLS on a port of its own, data in a folder of its own, a clock that tests move.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Once,
        atomic::{AtomicI64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::Signer;
use rabta_hie::{
    Config, Handle,
    admin::{self, PersonFields, Reply, Request},
    guests::{DoorConfig, Source},
    identity::NewFacility,
    serve,
};
use rabta_wire::{
    Id,
    code::EnrollmentCode,
    enroll::{Enroll, Enrolled},
    log::{Ack, MEDIA_TYPE, PullReply, Push, PushReply},
    token::{AUDIENCE, Claims, sign_assertion},
};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use super::{Member, NOON, Sealed, id, key};

pub struct Server {
    pub handle: Handle,
    pub http: reqwest::Client,
    pub clock: Arc<AtomicI64>,
    folder: PathBuf,
    _temp: Option<tempfile::TempDir>,
}

/// A client that takes any certificate: pinning is the programs' business and has its own test.
pub fn client() -> reqwest::Client {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap()
}

/// A server that does not run.
pub struct Down {
    /// Milliseconds since 1970.
    now: i64,
    folder: PathBuf,
    temp: Option<tempfile::TempDir>,
}

impl Down {
    pub fn advance(&mut self, seconds: i64) {
        self.now += seconds * 1000;
    }

    /// Starts it again on the same data.
    pub async fn start(self) -> Server {
        let mut server = Server::opened_when(self.now, &self.folder, None, None).await;
        server._temp = self.temp;
        server
    }
}

impl Server {
    pub async fn start() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let mut server = Self::at(&temp.path().join("hie")).await;
        server._temp = Some(temp);
        server
    }

    /// One that phones can reach, with a certificate for `localhost`.
    pub async fn with_door() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let (cert, key) = (temp.path().join("cert.pem"), temp.path().join("key.pem"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let door = DoorConfig { listen, certificate: Source::Files { cert, key }, url: None };
        let mut server = Self::opened(&temp.path().join("hie"), Some(door), None).await;
        server._temp = Some(temp);
        server
    }

    /// One with the operator's page.
    pub async fn with_page() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let page = Some("127.0.0.1:0".parse().unwrap());
        let mut server = Self::opened(&temp.path().join("hie"), None, page).await;
        server._temp = Some(temp);
        server
    }

    pub async fn at(folder: &Path) -> Self {
        Self::opened(folder, None, None).await
    }

    async fn opened(folder: &Path, door: Option<DoorConfig>, page: Option<SocketAddr>) -> Self {
        Self::opened_when(NOON, folder, door, page).await
    }

    async fn opened_when(
        now: i64,
        folder: &Path,
        door: Option<DoorConfig>,
        page: Option<SocketAddr>,
    ) -> Self {
        let clock = Arc::new(AtomicI64::new(now));
        let mut config = Config::new(folder);
        config.listen = "127.0.0.1:0".parse().unwrap();
        config.door = door;
        config.updates = Some(folder.with_extension("updates"));
        config.admin_listen = page;
        let read = clock.clone();
        config.clock = Arc::new(move || read.load(Ordering::Relaxed));
        let handle = serve(config).await.unwrap();
        Self { handle, http: client(), clock, folder: folder.to_owned(), _temp: None }
    }

    /// Stops it and starts it on the same data.
    pub async fn restart(self) -> Self {
        let Self { handle, folder, _temp, .. } = self;
        handle.shutdown().await;
        let mut server = Self::at(&folder).await;
        server._temp = _temp;
        server
    }

    /// Stops it. Time goes on without it.
    pub async fn stop(self) -> Down {
        let now = self.now();
        let Self { handle, folder, _temp: temp, .. } = self;
        handle.shutdown().await;
        Down { now, folder, temp }
    }

    /// Its data folder; the key is beside it, with the ending `.key`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where packages for laptops may lie; made by who puts some there.
    pub fn updates(&self) -> PathBuf {
        self.folder.with_extension("updates")
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.handle.addr)
    }

    pub async fn admin(&self, request: Request) -> Reply {
        admin::run(&self.handle.app.db, request, self.now()).await.unwrap()
    }

    /// As the admin socket does it: the running server acts on it at once.
    pub async fn admin_in(&self, request: Request) -> Reply {
        admin::run_in(&self.handle.app, request).await.unwrap()
    }

    pub async fn facility(&self, name: &str, kind: &str) -> Id {
        let new = NewFacility {
            id: None,
            name: name.into(),
            kind: kind.into(),
            place: None,
            address: None,
            mr_prefix: None,
        };
        match self.admin(Request::AddFacility { new }).await {
            Reply::Facility(f) => f.id,
            _ => panic!("not a facility"),
        }
    }

    pub async fn code(&self, facility: Id, role: &str) -> EnrollmentCode {
        self.code_for(facility, role, &format!("a {role}")).await
    }

    /// The same for somebody of this name.
    pub async fn code_for(&self, facility: Id, role: &str, name: &str) -> EnrollmentCode {
        let new = PersonFields { name: name.into(), role: role.into(), ..Default::default() };
        let request =
            Request::Enroll { facility: facility.to_string(), person: None, new: Some(new), public: None };
        match self.admin(request).await {
            Reply::Code { code, .. } => EnrollmentCode::parse(&code).unwrap(),
            _ => panic!("not a code"),
        }
    }

    pub async fn operator(&self, facility: Id) -> String {
        match self.admin(Request::Token { facility: facility.to_string(), seconds: 900 }).await {
            Reply::Token { token, .. } => token,
            _ => panic!("not a token"),
        }
    }

    /// What a program sends to join with `code`.
    pub fn enrollment(code: &EnrollmentCode) -> (Enroll, Member) {
        let (device_key, person_key) = (key(), key());
        let secret = URL_SAFE_NO_PAD.encode(code.secret);
        let person = URL_SAFE_NO_PAD.encode(person_key.verifying_key().as_bytes());
        let said = [b"rabta enroll 1\0", secret.as_bytes(), person.as_bytes()].concat();
        let ask = Enroll {
            device_key: URL_SAFE_NO_PAD.encode(device_key.verifying_key().as_bytes()),
            countersignature: URL_SAFE_NO_PAD.encode(device_key.sign(&said).to_bytes()),
            device_name: "a laptop".into(),
            person_key: person,
            secret,
            device: None,
        };
        let member = Member {
            device: id(),
            device_key,
            person: id(),
            person_key,
            facility: id(),
            seq: 0,
            prev: [0; 32],
        };
        (ask, member)
    }

    pub async fn join(&self, facility: Id, role: &str) -> (Member, Enrolled) {
        self.redeem(&self.code(facility, role).await).await
    }

    /// Joins with a code.
    pub async fn redeem(&self, code: &EnrollmentCode) -> (Member, Enrolled) {
        let (ask, mut member) = Self::enrollment(code);
        let answer = self.http.post(self.url("/v1/enroll")).json(&ask).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let enrolled: Enrolled = answer.json().await.unwrap();
        (member.device, member.person, member.facility) =
            (enrolled.device, enrolled.invitation.person.id, enrolled.invitation.facility.id);
        (member, enrolled)
    }

    /// An assertion of `member`, made at `at` (seconds).
    pub fn assertion(member: &Member, at: i64) -> String {
        let claims = Claims {
            iss: member.device,
            sub: member.device,
            aud: AUDIENCE.into(),
            exp: at + 240,
            iat: at,
            jti: id().to_string(),
            person: member.person,
        };
        sign_assertion(&member.device_key, &claims)
    }

    pub async fn ask_token(&self, assertion: &str) -> Response {
        let body = format!(
            "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
        );
        let request =
            self.http.post(self.url("/v1/token")).header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap()
    }

    pub async fn token(&self, member: &Member) -> String {
        let answer = self.ask_token(&Self::assertion(member, self.now() / 1000)).await;
        assert_eq!(answer.status(), 200);
        let reply: Value = answer.json().await.unwrap();
        reply["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn push(&self, token: &str, envelopes: &[Sealed]) -> Vec<Ack> {
        let push = Push { envelopes: envelopes.iter().map(|e| e.bytes.clone().into()).collect() };
        let body = minicbor::to_vec(&push).unwrap();
        let request =
            self.http.post(self.url("/v1/envelopes")).bearer_auth(token).header("content-type", MEDIA_TYPE);
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        minicbor::decode::<PushReply>(&answer.bytes().await.unwrap()).unwrap().acks
    }

    pub async fn pull(&self, token: &str, after: Option<String>) -> PullReply {
        let after = after.map(|a| format!("?after={a}")).unwrap_or_default();
        let answer =
            self.http.get(self.url(&format!("/v1/changes{after}"))).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        minicbor::decode(&answer.bytes().await.unwrap()).unwrap()
    }

    pub fn get(&self, token: &str, path: &str) -> RequestBuilder {
        self.http.get(self.url(path)).bearer_auth(token)
    }

    pub fn put(&self, token: &str, path: &str, body: impl ToString) -> RequestBuilder {
        let request = self.http.put(self.url(path)).bearer_auth(token);
        request.header("content-type", "application/fhir+json").body(body.to_string())
    }

    pub fn post(&self, token: &str, path: &str, body: impl ToString) -> RequestBuilder {
        let request = self.http.post(self.url(path)).bearer_auth(token);
        request.header("content-type", "application/fhir+json").body(body.to_string())
    }

    pub fn search(&self, token: &str, kind: &str, form: &str) -> RequestBuilder {
        let request = self.http.post(self.url(&format!("/fhir/{kind}/_search"))).bearer_auth(token);
        request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
    }
}

/// Status and JSON of an answer.
pub async fn said(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

/// The stable code of an OperationOutcome.
pub fn code(outcome: &Value) -> &str {
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    outcome.pointer("/issue/0/details/coding/0/code").and_then(Value::as_str).unwrap()
}
