//! A certificate for phones from a real authority: pebble, Let's Encrypt's own for tests. `cargo xtask test` builds it
//! where there is Go; `RABTA_PEBBLE` names another.

use std::{
    net::{SocketAddr, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use rabta_hie::{
    Config, Handle,
    admin::{self, Reply, Request, health},
    guests::{AcmeConfig, Certificates, DoorConfig, Source},
    serve,
};

use crate::{left_out::left_out, ports::free_port, support::server::client};

const DOMAIN: &str = "care.example";
const POLL: Duration = Duration::from_millis(50);

fn program() -> Option<PathBuf> {
    let named = std::env::var_os("RABTA_PEBBLE").map(PathBuf::from);
    let cache = std::env::var_os("RABTA_CACHE").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/rabta")));
    let found = named.or_else(|| Some(cache?.join("tools/pebble-v2.4.0/pebble"))).filter(|p| p.exists());
    if found.is_none() {
        left_out(
            "there is no pebble; `cargo xtask test` builds it where Go is installed (apt install golang-go)",
        );
    }
    found
}

/// Says of every name that it is this machine (RFC 1035, section 4).
fn names() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut bytes = [0; 1_500];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let asked = &bytes[..length];
            let Some(end) = asked.get(12..).and_then(|q| q.iter().position(|b| *b == 0)) else { continue };
            let question = &asked[12..12 + end + 5];
            let is_a = question[end + 1..end + 3] == [0, 1];
            let mut answer =
                [&asked[..2], &[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0], question].concat();
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&answer, from);
        }
    });
    port
}

/// The authority. It comes to `phones` in place of port 443.
struct Authority {
    program: PathBuf,
    folder: tempfile::TempDir,
    listen: u16,
    manage: u16,
    names: u16,
    phones: u16,
    child: Option<Child>,
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Authority {
    fn new(program: PathBuf, phones: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let (listen, manage) = (free_port(), free_port());
        Self { program, folder, listen, manage, names: names(), phones, child: None }
    }

    fn start(&mut self) {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.listen),
            "managementListenAddress": format!("127.0.0.1:{}", self.manage),
            "certificate": file("cert.pem"), "privateKey": file("key.pem"),
            "httpPort": 1, "tlsPort": self.phones, "ocspResponderURL": "",
            "certificateValidityPeriod": 90 * 24 * 3600,
        }});
        std::fs::write(file("config.json"), config.to_string()).unwrap();
        let log = std::fs::File::create(file("log")).unwrap();
        let child = Command::new(&self.program)
            .args(["-config", &file("config.json"), "-dnsserver", &format!("127.0.0.1:{}", self.names)])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_AUTHZREUSE", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        for port in [self.listen, self.manage] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                let ended = self.child.as_mut().unwrap().try_wait().unwrap();
                assert!(ended.is_none(), "{}", std::fs::read_to_string(file("log")).unwrap());
                std::thread::sleep(POLL);
            }
        }
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn door(&self, data: &Path) -> DoorConfig {
        DoorConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], self.phones)),
            certificate: Source::Acme(AcmeConfig {
                domain: DOMAIN.into(),
                contact: Some("mailto:operator@care.example".into()),
                directory: format!("https://127.0.0.1:{}/dir", self.listen),
                root: Some(self.folder.path().join("cert.pem")),
                folder: data.join("acme"),
            }),
            url: None,
        }
    }

    /// What a phone that trusts this authority sees at the page's address: status, and the certificate.
    async fn visit(&self) -> (u16, Vec<u8>) {
        let url = format!("https://127.0.0.1:{}/roots/0", self.manage);
        let root = client().get(url).send().await.unwrap().bytes().await.unwrap();
        let phone = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&root).unwrap()])
            .resolve(DOMAIN, SocketAddr::from(([127, 0, 0, 1], self.phones)))
            .tls_info(true)
            .no_proxy()
            .build()
            .unwrap();
        let answer = phone.get(format!("https://{DOMAIN}:{}/p/", self.phones)).send().await.unwrap();
        (answer.status().as_u16(), shown(&answer))
    }
}

fn shown(answer: &reqwest::Response) -> Vec<u8> {
    let tls = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
    tls.peer_certificate().unwrap().to_vec()
}

/// What is shown to a phone that takes anything.
async fn shown_to_all(port: u16) -> Vec<u8> {
    client();
    let any = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).tls_info(true).no_proxy();
    shown(&any.build().unwrap().get(format!("https://127.0.0.1:{port}/p/")).send().await.unwrap())
}

async fn hie(data: &Path, door: DoorConfig) -> Handle {
    client();
    let mut config = Config::new(data);
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.door = Some(door);
    serve(config).await.unwrap()
}

fn phones(hie: &Handle) -> &Certificates {
    hie.app.phones.as_deref().unwrap()
}

/// Waits for the next success or failure of the renewal that began with the server.
async fn tried(hie: &Handle, done: impl Fn(&Certificates) -> bool) {
    while !done(phones(hie)) {
        tokio::time::sleep(POLL).await;
    }
}

async fn certificate(hie: &Handle) -> health::Finding {
    let Reply::Health { findings, .. } =
        admin::run_in(&hie.app, Request::Health { deep: false }).await.unwrap()
    else {
        panic!("no findings")
    };
    findings.into_iter().find(|f| f.name == "cert").unwrap()
}

/// Puts a certificate there that ends in nine days of its ninety.
fn put_old(file: &Path) -> Vec<u8> {
    let mut params = rcgen::CertificateParams::new(vec![DOMAIN.into()]).unwrap();
    let day = Duration::from_secs(24 * 3600);
    params.not_before = (SystemTime::now() - 81 * day).into();
    params.not_after = (SystemTime::now() + 9 * day + day / 2).into();
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    std::fs::write(file, key.serialize_pem() + &cert.pem()).unwrap();
    cert.der().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_fetched_kept_and_renewed_and_the_old_one_serves_while_the_authority_is_away() {
    let Some(program) = program() else { return };
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("hie");
    let mut authority = Authority::new(program, free_port());
    authority.start();

    let first = hie(&data, authority.door(&data)).await;
    tried(&first, |phones| {
        assert_eq!(phones.standing().failed, None);
        phones.held().is_some()
    })
    .await;
    assert_eq!(first.app.page().as_deref(), Some("https://care.example/p/"));
    let (status, fetched) = authority.visit().await;
    assert!(status == 200 || status == 404, "{status}: a build without the page says so");
    let found = certificate(&first).await;
    assert!(found.state == health::State::Good && found.seen.contains("89 more days"), "{found:?}");
    first.shutdown().await;

    let kept = data.join(format!("acme/127.0.0.1_{}", authority.listen));
    let (account, pem) = (kept.join("account.json"), kept.join(format!("{DOMAIN}.pem")));
    #[cfg(unix)]
    for file in [&account, &pem] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // A start with a good one asks nobody.
    authority.stop();
    let second = hie(&data, authority.door(&data)).await;
    assert_eq!(shown_to_all(authority.phones).await, fetched);
    assert_eq!(phones(&second).standing().failed, None);
    second.shutdown().await;

    // It is due, and the authority is away: the failure is told, and the old one serves on.
    let old = put_old(&pem);
    let third = hie(&data, authority.door(&data)).await;
    tried(&third, |phones| phones.standing().failed.is_some()).await;
    assert_eq!(shown_to_all(authority.phones).await, old);
    assert!(third.app.page().is_some());
    let found = certificate(&third).await;
    assert_eq!(found.state, health::State::Look);
    assert!(found.seen.contains("ends in 9 days") && found.seen.contains("failed"), "{found:?}");
    third.shutdown().await;

    // It is back, but has forgotten us, as after a move of its own: another account is made.
    let was = std::fs::read(&account).unwrap();
    authority.start();
    let fourth = hie(&data, authority.door(&data)).await;
    tried(&fourth, |phones| {
        assert_eq!(phones.standing().failed, None);
        phones.held().is_some_and(|held| held.key.cert[0].as_ref() != old)
    })
    .await;
    assert_ne!(std::fs::read(&account).unwrap(), was);
    let (_, renewed) = authority.visit().await;
    assert!(renewed != old && renewed != fetched);
    fourth.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_lead_here_gets_no_certificate_and_the_reason_is_told() {
    let Some(program) = program() else { return };
    let temp = tempfile::tempdir().unwrap();
    let data = temp.path().join("hie");
    // The authority comes to a port where nobody is.
    let mut authority = Authority::new(program, free_port());
    authority.start();
    let mut door = authority.door(&data);
    door.listen = "127.0.0.1:0".parse().unwrap();
    let hie = hie(&data, door).await;
    tried(&hie, |phones| phones.standing().failed.is_some()).await;
    assert_eq!(hie.app.page(), None, "no links without a certificate");
    let found = certificate(&hie).await;
    assert_eq!(found.state, health::State::Bad);
    assert!(found.seen.contains("could not convince itself"), "{found:?}");
    assert!(found.todo.unwrap().contains("443"));
    hie.shutdown().await;
}
