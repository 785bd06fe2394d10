//! What phones cost that wait for a doctor: each joined by a link of its own, with its socket open and its page asking
//! again and again.

use std::{fs, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use futures_util::{SinkExt as _, StreamExt as _};
use rabta_sync::{Endpoint, HieClient, Identity, Offset, Pins, SystemClock};
use rabta_tests::{Run, phone::TestCa, story::World};
use rabta_wire::{
    Id,
    code::EnrollmentCode,
    guest::{Knock, LinkSecret, MakeLink, SOCKET, Welcome, open_hash, text, word_proof},
    signal::{ClientFrame, Routed, ServerFrame, VERSION, decode_server, encode},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config, tungstenite::Message,
};

use crate::{figure::Figure, hie::settled};

/// Doctors, and phones that wait for each.
const DOCTORS: u8 = 4;
const EACH: u8 = 50;
const BAR_MB: f64 = 20.0;
const CLINIC: &str = "A clinic";
const WORD: &str = "mango";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How the server's memory grows with 200 phones in the waiting room.
pub async fn take() -> Result<Figure> {
    let mut world = World::new(Run::kept("bench-waiting")?)?;
    let ca = TestCa::make(&world.run, world.hie.host)?;
    world.hie.open_door(&ca)?;
    world.hie.start().await?;
    world.hie.add_facility(CLINIC, "clinic", &[])?;
    let mut doctors = Vec::new();
    for n in 0..DOCTORS {
        doctors.push(doctor(&world, n).await?);
    }
    let phones = Phones::new(&world)?;
    // The first ones warm up what is there once: connections, caches, code.
    let mut sockets = Vec::new();
    for (n, doctor) in (1..).zip(&doctors) {
        sockets.push(phones.join(doctor, [n, 0]).await?);
    }
    let pid = world.hie.pid()?;
    let before = settled(pid).await?;
    for (n, doctor) in (1..).zip(&doctors) {
        for m in 1..EACH {
            sockets.push(phones.join(doctor, [n, m]).await?);
        }
    }
    // They answer the server's pings while it is looked at.
    let waiting = sockets.len();
    let mut held: JoinSet<()> = JoinSet::new();
    for mut socket in sockets {
        held.spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
    }
    phones.ask_again().await?;
    let after = settled(pid).await?;
    ensure!(held.try_join_next().is_none(), "a phone lost its socket");
    let metrics = phones.http.get(world.hie.url("/metrics")).send().await?.text().await?;
    ensure!(metrics.contains(&format!("rabta_sockets {waiting}")), "{waiting} phones wait:\n{metrics}");
    held.abort_all();
    world.hie.stop()?;
    // The few that warmed it up are counted in by their share.
    let grown = after.saturating_sub(before) as f64 * waiting as f64 / (waiting - doctors.len()) as f64;
    Ok(Figure::new("waiting_rss", grown / 1e6, "MB", BAR_MB))
}

/// A doctor at a laptop that joined, as the app's own client does it.
async fn doctor(world: &World, n: u8) -> Result<HieClient> {
    let name = format!("Dr {n}");
    let made = world.hie.admin(&["enroll", "--facility", CLINIC, "--name", &name, "--role", "doctor"])?;
    let code = made.pointer("/code/code").and_then(Value::as_str).context("a code")?;
    let Ok(code) = EnrollmentCode::parse(code) else { bail!("the code cannot be read") };
    let clock = Arc::new(SystemClock::default());
    let device_key = Arc::new(SigningKey::from_bytes(&[n + 1; 32]));
    let person_key = SigningKey::from_bytes(&[n + 101; 32]);
    let joining = HieClient::for_code(&code, clock.clone())?;
    let enrolled = joining.enroll(&code, &device_key, &person_key, "a laptop", None).await?;
    let mut pins = Vec::new();
    for pin in &enrolled.pins {
        let pin = URL_SAFE_NO_PAD.decode(pin)?;
        pins.push(<[u8; 32]>::try_from(pin.as_slice())?);
    }
    let endpoint = Endpoint { address: code.address.clone(), pins: Pins::whole(pins) };
    let identity = Identity { device: enrolled.device, person: enrolled.invitation.person.id, device_key };
    Ok(HieClient::new(endpoint, identity, clock, Offset::default())?)
}

/// Phones that trust the tests' authority.
struct Phones {
    http: reqwest::Client,
    tls: Arc<rustls::ClientConfig>,
    door: String,
    clock: SystemClock,
    secrets: std::sync::Mutex<Vec<LinkSecret>>,
}

impl Phones {
    fn new(world: &World) -> Result<Self> {
        let (port, ..) = world.hie.door.as_ref().context("phones come in")?;
        let authority = fs::read(world.run.path("ca").join("authority.pem"))?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&authority)?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            http: rabta_tests::webdriver::client()?,
            tls: Arc::new(tls),
            door: format!("localhost:{port}"),
            clock: SystemClock::default(),
            secrets: std::sync::Mutex::default(),
        })
    }

    /// The doctor makes a link, a phone opens it, gives the word, joins and says hello.
    async fn join(&self, doctor: &HieClient, [n, m]: [u8; 2]) -> Result<Socket> {
        let mut bytes = [n; 16];
        bytes[15] = m;
        let (secret, guest) = (LinkSecret::from_random(bytes), Id::from_random(bytes));
        let open = secret.open_key();
        let link = MakeLink {
            guest,
            open: text(&open_hash(&open)),
            word: text(&word_proof(&open, WORD)),
            expires_at: rabta_sync::Clock::unix_ms(&self.clock) + 3_600_000,
            contact: None,
        };
        doctor.make_link(&link).await?;
        bytes[14] = 1;
        let knock = knock(&secret, Some(Id::from_random(bytes)));
        self.knock("/v1/p/open", &knock).await?;
        let welcome: Welcome = serde_json::from_value(self.knock("/v1/p/join", &knock).await?)?;
        let url = format!("wss://{}{SOCKET}", self.door);
        let connector = Some(Connector::Rustls(self.tls.clone()));
        let (mut socket, _) = connect_async_tls_with_config(url, None, true, connector).await?;
        let hello = ClientFrame::<Routed>::Hello { v: VERSION, token: welcome.token, session: None };
        socket.send(Message::Text(encode(&hello).into())).await?;
        loop {
            match socket.next().await.context("the socket ended")?? {
                Message::Text(said) => match decode_server::<Routed>(&said) {
                    Ok(ServerFrame::Welcome { .. }) => break,
                    other => bail!("not welcome: {}", other.is_ok()),
                },
                _ => continue,
            }
        }
        self.secrets.lock().unwrap_or_else(|e| e.into_inner()).push(secret);
        Ok(socket)
    }

    /// Every page asks how things stand, some times.
    async fn ask_again(&self) -> Result<()> {
        let secrets = self.secrets.lock().unwrap_or_else(|e| e.into_inner()).clone();
        for _ in 0..3 {
            for secret in &secrets {
                let told = self.knock("/v1/p/open", &knock(secret, None)).await?;
                ensure!(told["state"] == json!("open"), "{told}");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    async fn knock(&self, path: &str, knock: &Knock) -> Result<Value> {
        let answer = self.http.post(format!("https://{}{path}", self.door)).json(knock).send().await?;
        let (status, told) = (answer.status(), answer.json().await.unwrap_or(Value::Null));
        ensure!(status.is_success(), "{path}: {status} {told}");
        Ok(told)
    }
}

fn knock(secret: &LinkSecret, device: Option<Id>) -> Knock {
    let open = secret.open_key();
    Knock { open: text(&open), word: Some(text(&word_proof(&open, WORD))), device, moves: false }
}
