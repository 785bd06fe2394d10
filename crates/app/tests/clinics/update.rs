//! A new version of the program, from a real HIE over a line that breaks: signed, resumed, never in a call, and no older one.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::world::{self, World, ask, consent, form, invited, one_ask, until};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use blake2::{Blake2b512, Digest as _};
use ed25519_dalek::{Signer as _, SigningKey};
use rabta_app::{App, Installed, SystemClock, Updates};
use rabta_domain::ask::Urgency;
use rabta_ipc::{
    ask::{GetRoster, OpenAsk, SendAsk},
    call::{DeclineCall, GetCall, StartCall},
    gate::{ConfirmRecovery, GetStatus, Join, Phase, Unlock},
    update::{
        ApplyUpdate, CheckUpdate, FetchUpdate, GetUpdate, PauseUpdate, UpdateState, UpdateView, UpdateWay,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const MIB: u64 = 1024 * 1024;
const PASSPHRASE: &str = "seven quiet herons wade";

/// A line to the HIE that cuts, or holds up, a connection which has carried much.
#[derive(Default)]
struct Line {
    to: OnceLock<SocketAddr>,
    /// Bytes that came from the HIE.
    came: AtomicU64,
    /// A connection that has carried so much is cut or held up; 0: none is.
    most: AtomicU64,
    cut: AtomicBool,
}

impl Line {
    async fn open() -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (line, address) = (Arc::new(Self::default()), listener.local_addr().unwrap());
        let this = line.clone();
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(this.clone().carry(from));
            }
        });
        (line, address)
    }

    async fn carry(self: Arc<Self>, from: TcpStream) {
        let Ok(to) = TcpStream::connect(*self.to.get().unwrap()).await else { return };
        let ((mut from_in, mut from_out), (mut to_in, mut to_out)) = (from.into_split(), to.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut from_in, &mut to_out).await });
        let (mut piece, mut carried) = (vec![0; 16 * 1024], 0);
        while let Ok(count @ 1..) = to_in.read(&mut piece).await {
            carried += count as u64;
            self.came.fetch_add(count as u64, SeqCst);
            while (1..=carried).contains(&self.most.load(SeqCst)) {
                if self.cut.load(SeqCst) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            if from_out.write_all(&piece[..count]).await.is_err() {
                return;
            }
        }
    }
}

/// Whoever releases Rabta: a minisign key (its format: <https://jedisct1.github.io/minisign/#signature-format>).
struct Maker(SigningKey);

const KEY_ID: &[u8] = b"rabta-01";

impl Maker {
    fn public(&self) -> String {
        STANDARD.encode([b"Ed", KEY_ID, self.0.verifying_key().as_bytes()].concat())
    }

    fn sign(&self, bytes: &[u8]) -> String {
        let signature = self.0.sign(&Blake2b512::digest(bytes)).to_bytes();
        let comment = "a test's release";
        let global = self.0.sign(&[&signature[..], comment.as_bytes()].concat()).to_bytes();
        let first = STANDARD.encode([b"ED", KEY_ID, &signature].concat());
        format!(
            "untrusted comment: signature\n{first}\ntrusted comment: {comment}\n{}\n",
            STANDARD.encode(global)
        )
    }
}

/// A clinic whose HIE has a folder of updates, reached over the line.
struct Clinic {
    world: World,
    line: Arc<Line>,
    maker: Maker,
}

impl Clinic {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (line, public) = Line::open().await;
        let mut config = rabta_hie::Config::new(folder.path().join("hie"));
        config.listen = "127.0.0.1:0".parse().unwrap();
        config.public = Some(public.to_string());
        config.updates = Some(folder.path().join("offered"));
        let hie = rabta_hie::serve(config).await.unwrap();
        line.to.set(hie.addr).unwrap();
        let (amna, saira) = invited(&hie, "doctor").await;
        let maker = Maker(SigningKey::from_bytes(&[7; 32]));
        let own = folder.path().join("Rabta.AppImage");
        fs::write(&own, b"the version that runs").unwrap();
        let doctor = start(folder.path(), &maker, Installed::AppImage(own));
        let join =
            Join { code: amna, passphrase: PASSPHRASE.to_owned().into(), pin: "4711".to_owned().into() };
        let recovery = ask(&doctor, join).await.unwrap();
        assert!(ask(&doctor, ConfirmRecovery { typed: recovery.code }).await.unwrap());
        let specialist = world::join(&folder.path().join("specialist"), saira).await;
        let world = World { address: hie.addr, hie: Some(hie), folder, doctor, specialist };
        Self { world, line, maker }
    }

    fn own(&self) -> PathBuf {
        self.world.folder.path().join("Rabta.AppImage")
    }

    fn offered(&self) -> PathBuf {
        self.world.folder.path().join("offered")
    }

    /// Puts a version at the HIE; its package's bytes.
    fn offer(&self, version: &str, size: u64) -> Vec<u8> {
        let package: Vec<u8> =
            (0..size).map(|n| (n.wrapping_mul(n >> 7) >> 3) as u8 ^ version.len() as u8).collect();
        let file = format!("Rabta_{version}_x86_64.AppImage");
        let list = serde_json::json!({
            "version": version,
            "notes": { "en": "Calls are clearer." },
            "packages": [{
                "kind": "appimage", "arch": std::env::consts::ARCH, "file": file, "size": size,
                "sha256": hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&package)),
            }],
        });
        fs::create_dir_all(self.offered()).unwrap();
        fs::write(self.offered().join(file), &package).unwrap();
        self.publish(list.to_string().as_bytes(), &self.maker);
        package
    }

    fn publish(&self, list: &[u8], maker: &Maker) {
        fs::write(self.offered().join("release.json"), list).unwrap();
        fs::write(self.offered().join("release.json.minisig"), maker.sign(list)).unwrap();
    }

    /// The session ends and another begins, which knows only what lies in the folder.
    async fn begin_anew(&self) {
        let doctor = &self.world.doctor;
        doctor.close().await;
        let Phase::Locked { persons } = ask(doctor, GetStatus {}).await.unwrap().phase else {
            panic!("locked")
        };
        let unlock = Unlock { person: persons[0].id.clone(), passphrase: PASSPHRASE.to_owned().into() };
        ask(doctor, unlock).await.unwrap();
    }
}

fn clock() -> Arc<SystemClock> {
    Arc::new(SystemClock { offset_minutes: 300 })
}

fn start(folder: &Path, maker: &Maker, installed: Installed) -> App {
    world::app_that_takes(Updates::new(Some(maker.public()), installed), &folder.join("doctor"), clock())
}

async fn state(app: &App, wanted: UpdateState) -> UpdateView {
    until(app, GetUpdate {}, |view| (view.state == wanted).then_some(view)).await
}

async fn refused(app: &App) -> String {
    ask(app, CheckUpdate {}).await.unwrap_err().code
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_fetched_in_pieces_over_a_line_that_breaks_and_takes_the_place_of_the_program() {
    let clinic = Clinic::new().await;
    let size = 6 * MIB + 321;
    let package = clinic.offer("99.0.0", size);
    let doctor = &clinic.world.doctor;
    let before = ask(doctor, GetUpdate {}).await.unwrap();
    assert_eq!(
        (before.state, before.way),
        (UpdateState::Nothing, UpdateWay::Own),
        "nothing is looked for unasked"
    );
    let view = ask(doctor, CheckUpdate {}).await.unwrap();
    assert_eq!((view.state, view.version.as_str(), view.of), (UpdateState::Offered, "99.0.0", size));
    assert_eq!((view.notes.as_str(), view.done), ("Calls are clearer.", 0), "and nothing fetched unasked");

    clinic.line.cut.store(true, SeqCst);
    clinic.line.most.store(4 * MIB, SeqCst);
    ask(doctor, FetchUpdate {}).await.unwrap();
    let broken =
        until(doctor, GetUpdate {}, |view| (view.problem == "hie-unreachable").then_some(view)).await;
    assert!(broken.done >= 3 * MIB, "what came is kept: {}", broken.done);
    assert_eq!(fs::read(clinic.own()).unwrap(), b"the version that runs");

    clinic.begin_anew().await;
    let view = ask(doctor, GetUpdate {}).await.unwrap();
    assert_eq!(view.state, UpdateState::Offered, "it does not go on unasked");
    assert!(view.done >= 3 * MIB);
    clinic.line.most.store(0, SeqCst);
    let came = clinic.line.came.load(SeqCst);
    ask(doctor, FetchUpdate {}).await.unwrap();
    let ready = state(doctor, UpdateState::Ready).await;
    assert_eq!((ready.done, ready.file.as_str()), (size, ""));
    let rest = clinic.line.came.load(SeqCst) - came;
    assert!(rest < 5 * MIB, "only the rest was fetched: {rest} of {size}");

    let view = ask(doctor, ApplyUpdate {}).await.unwrap();
    assert_eq!(view.state, UpdateState::Applied);
    assert!(fs::read(clinic.own()).unwrap() == package, "it is in place");
    let previous = clinic.own().with_extension("AppImage.previous");
    assert_eq!(fs::read(previous).unwrap(), b"the version that runs", "the one before is kept");
    doctor.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_not_newer_or_not_whole_is_refused_and_changes_nothing() {
    let clinic = Clinic::new().await;
    let doctor = &clinic.world.doctor;
    assert_eq!(refused(doctor).await, "update-none", "there is no folder");

    clinic.offer("0.0.9", 1000);
    assert_eq!(refused(doctor).await, "update-older");
    clinic.offer(env!("CARGO_PKG_VERSION"), 1000);
    assert_eq!(ask(doctor, CheckUpdate {}).await.unwrap().state, UpdateState::Nothing);

    clinic.offer("99.0.0", 1000);
    let list = fs::read(clinic.offered().join("release.json")).unwrap();
    clinic.publish(&list, &Maker(SigningKey::from_bytes(&[8; 32])));
    assert_eq!(refused(doctor).await, "update-signature", "somebody else's key");
    clinic.publish(&list, &clinic.maker);
    let raised = String::from_utf8(list.clone()).unwrap().replace("99.0.0", "99.0.1");
    fs::write(clinic.offered().join("release.json"), raised).unwrap();
    assert_eq!(refused(doctor).await, "update-signature", "a changed list");
    fs::remove_file(clinic.offered().join("release.json.minisig")).unwrap();
    assert_eq!(refused(doctor).await, "update-none", "a list that nobody signed is none");
    clinic.publish(br#"{"version":"99.0.0","packages":[]}"#, &clinic.maker);
    assert_eq!(refused(doctor).await, "update-none", "none for this machine");
    assert_eq!(ask(doctor, GetUpdate {}).await.unwrap().state, UpdateState::Nothing);

    // Signed and newer, and the package was changed on the way.
    let mut package = clinic.offer("99.0.0", 3 * MIB);
    package[2_000_000] ^= 1;
    let file = clinic.offered().join("Rabta_99.0.0_x86_64.AppImage");
    fs::write(&file, &package).unwrap();
    ask(doctor, CheckUpdate {}).await.unwrap();
    ask(doctor, FetchUpdate {}).await.unwrap();
    let damaged =
        until(doctor, GetUpdate {}, |view| (view.problem == "update-damaged").then_some(view)).await;
    assert_eq!((damaged.state, damaged.done), (UpdateState::Offered, 0), "it is deleted");
    assert_eq!(ask(doctor, ApplyUpdate {}).await.unwrap_err().code, "stale", "nothing is ready");

    // Mended there, it can be had; what is changed here afterwards is seen before it is put in place.
    package[2_000_000] ^= 1;
    fs::write(&file, &package).unwrap();
    ask(doctor, FetchUpdate {}).await.unwrap();
    state(doctor, UpdateState::Ready).await;
    let fetched = clinic.world.folder.path().join("doctor/updates/Rabta_99.0.0_x86_64.AppImage");
    package[5] ^= 1;
    fs::write(&fetched, &package).unwrap();
    assert_eq!(ask(doctor, ApplyUpdate {}).await.unwrap_err().code, "update-damaged");
    assert_eq!(fs::read(clinic.own()).unwrap(), b"the version that runs");
    assert_eq!(ask(doctor, GetUpdate {}).await.unwrap().state, UpdateState::Offered);
    doctor.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_gives_way_to_a_call_and_can_be_paused() {
    let clinic = Clinic::new().await;
    let (doctor, specialist) = (&clinic.world.doctor, &clinic.world.specialist);
    let patient = clinic.world.patient("Ayesha Bibi").await;
    let visit = clinic.world.visit(&patient.id).await;
    until(doctor, GetRoster {}, |roster| (!roster.entries.is_empty()).then_some(())).await;
    let send = SendAsk { visit: visit.id, consent: consent(), ask: form(Urgency::Urgent) };
    let id = ask(doctor, send).await.unwrap().row.id;
    one_ask(specialist, |row| row.id == id).await;
    ask(specialist, OpenAsk { id: id.clone() }).await.unwrap();
    until(doctor, OpenAsk { id: id.clone() }, |view| view.can_call.then_some(())).await;

    clinic.offer("99.0.0", 4 * MIB);
    ask(doctor, CheckUpdate {}).await.unwrap();
    // The line holds the package up in its middle, and nothing else.
    clinic.line.most.store(2 * MIB, SeqCst);
    ask(doctor, FetchUpdate {}).await.unwrap();
    until(doctor, GetUpdate {}, |view| (view.done >= MIB).then_some(())).await;
    let paused = ask(doctor, PauseUpdate {}).await.unwrap();
    assert_eq!(paused.state, UpdateState::Offered);
    assert!(paused.done >= MIB, "what came is kept");

    ask(specialist, StartCall { ask: id.clone(), video: false }).await.unwrap();
    until(doctor, GetCall {}, |call| call.filter(|view| view.ended.is_none())).await;
    assert_eq!(ask(doctor, FetchUpdate {}).await.unwrap_err().code, "in-a-call");
    assert_eq!(ask(doctor, ApplyUpdate {}).await.unwrap_err().code, "in-a-call");
    ask(doctor, DeclineCall {}).await.unwrap();
    let over =
        |call: Option<rabta_ipc::call::CallView>| call.is_none_or(|view| view.ended.is_some()).then_some(());
    until(doctor, GetCall {}, over).await;
    until(specialist, GetCall {}, over).await;

    // A call that begins meanwhile stops it, and its end lets it go on.
    clinic.line.most.store(3 * MIB / 2, SeqCst);
    ask(doctor, FetchUpdate {}).await.unwrap();
    state(doctor, UpdateState::Fetching).await;
    ask(specialist, StartCall { ask: id, video: false }).await.unwrap();
    until(doctor, GetCall {}, |call| call.filter(|view| view.ended.is_none())).await;
    clinic.line.most.store(0, SeqCst);
    state(doctor, UpdateState::Waits).await;
    ask(doctor, DeclineCall {}).await.unwrap();
    state(doctor, UpdateState::Ready).await;
    clinic.world.doctor.close().await;
    clinic.world.specialist.close().await;
}
