//! The offline lease and a revoked laptop, with a real HIE.

#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::world::{address, ask, code, facility, join, join_at, patient_at, serve, tell, until, visit_at};
use rabta_app::{App, Clock};
use rabta_domain::Private;
use rabta_hie::{
    admin::{self, PersonFields, Reply, Request},
    db::Db,
};
use rabta_ipc::{
    gate::{AskLease, ExportUnsent, GetLease, GetStatus, LockVault, Phase, RenewLease, Unlock},
    patient::{Find, GetToday, OpenPatient},
    sync::{GetSync, SyncNow},
    visit::SignVisit,
};
use rabta_wire::Id;
use time::OffsetDateTime;

/// A laptop's clocks, both in the test's hand: what the wall says, and how long the computer ran.
#[derive(Default)]
struct TestClock {
    wall: AtomicI64,
    ran: AtomicU64,
}

impl TestClock {
    fn work(&self, hours: u64) {
        self.ran.fetch_add(hours * 3_600, Relaxed);
    }

    fn set_wall(&self, days: i64) {
        self.wall.store(days * 86_400, Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + time::Duration::seconds(self.wall.load(Relaxed))
    }

    fn offset_minutes(&self) -> i16 {
        300
    }

    fn running(&self) -> Duration {
        Duration::from_secs(self.ran.load(Relaxed))
    }
}

struct Clinic {
    folder: tempfile::TempDir,
    hie: Option<rabta_hie::Handle>,
    address: std::net::SocketAddr,
    laptop: App,
    clock: Arc<TestClock>,
}

fn doctor(name: &str) -> PersonFields {
    PersonFields { name: name.into(), role: "doctor".into(), ..PersonFields::default() }
}

impl Clinic {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hie = serve(folder.path(), address()).await;
        facility(&hie, "BHU Kot Radha", "clinic").await;
        let code = code(&hie, "BHU Kot Radha", doctor("Dr Amna")).await;
        let clock = Arc::<TestClock>::default();
        let laptop = join_at(&folder.path().join("laptop"), code, clock.clone()).await;
        let clinic = Self { folder, address: hie.addr, hie: Some(hie), laptop, clock };
        until(&clinic.laptop, GetSync {}, |sync| sync.last_contact.map(drop)).await;
        clinic
    }

    async fn stop_hie(&mut self) {
        self.hie.take().unwrap().shutdown().await;
    }

    async fn start_hie(&mut self) {
        self.hie = Some(serve(self.folder.path(), self.address).await);
    }

    /// What the operator does at an HIE that nobody reaches.
    async fn operator(&self, request: Request) -> Result<Reply, String> {
        let config = rabta_hie::Config::new(self.folder.path().join("hie"));
        let now = now();
        let db = Db::open(&config.data, &config.key_file, now).await.unwrap();
        let reply = admin::run(&db, request, now).await.map_err(|error| error.to_string());
        db.close().await;
        reply
    }

    async fn phase(&self) -> Phase {
        ask(&self.laptop, GetStatus {}).await.unwrap().phase
    }

    /// The device and the challenge on the screen of a laptop whose lease ended.
    async fn ended(&self) -> (Id, String) {
        match self.phase().await {
            Phase::LeaseEnded { device, challenge, .. } => (device.parse().unwrap(), challenge),
            other => panic!("not ended: {other:?}"),
        }
    }

    async fn lease_code(&self, days: u32) -> String {
        let (device, challenge) = self.ended().await;
        let reply = self.operator(Request::LeaseCode { device, challenge, days }).await;
        let Ok(Reply::LeaseCode { code, .. }) = reply else { panic!("no code") };
        code
    }

    async fn today(&self) -> Result<u64, String> {
        ask(&self.laptop, GetToday {}).await.map(|today| today.patients).map_err(|error| error.code)
    }
}

fn now() -> i64 {
    (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
}

/// Every file of a folder.
fn size(folder: &Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_after_days_of_use_and_a_code_that_the_operator_reads_out_renews_it() {
    let mut clinic = Clinic::new().await;
    let laptop = clinic.laptop.clone();
    patient_at(&laptop, "Ayesha Bibi").await;
    clinic.stop_hie().await;
    // The wall clock neither ends nor prolongs it.
    for days in [4_000, -4_000, 0] {
        clinic.clock.set_wall(days);
        assert_eq!(clinic.today().await, Ok(1));
    }
    clinic.clock.work(8 * 29);
    assert_eq!(clinic.today().await, Ok(1));
    let left = ask(&laptop, GetLease {}).await.unwrap();
    assert_eq!((left.days_left, left.days), (1, 30));
    // Locking the vault and opening it again gives nothing back.
    ask(&laptop, LockVault {}).await.unwrap();
    let Phase::Locked { persons } = clinic.phase().await else { panic!("open") };
    let unlock =
        Unlock { person: persons[0].id.clone(), passphrase: Private("seven quiet herons wade".into()) };
    ask(&laptop, unlock.clone()).await.unwrap();
    assert_eq!(ask(&laptop, GetLease {}).await.unwrap().days_left, 1);
    clinic.clock.set_wall(-500);
    clinic.clock.work(8);
    assert_eq!(clinic.today().await.unwrap_err(), "lease-ended");
    assert_eq!(ask(&laptop, GetSync {}).await.unwrap_err().code, "lease-ended", "it lists patients");
    assert_eq!(ask(&laptop, ExportUnsent {}).await.unwrap_err().code, "lease-ended");
    // And it stays ended over a lock; nothing was deleted.
    ask(&laptop, LockVault {}).await.unwrap();
    let before = size(&clinic.folder.path().join("laptop/vault"));
    ask(&laptop, unlock.clone()).await.unwrap();
    let (device, first) = clinic.ended().await;
    assert!(size(&clinic.folder.path().join("laptop/vault")) >= before);

    let renew = |code: &str| RenewLease { code: code.to_owned() };
    for left in ["4", "3", "2", "1", "0"] {
        let wrong = ask(&laptop, renew("AAAAA-AAAAA")).await.unwrap_err();
        assert_eq!((wrong.code.as_str(), wrong.detail.as_deref()), ("wrong-lease-code", Some(left)));
    }
    let (_, second) = clinic.ended().await;
    assert_ne!(first, second, "another challenge after five tries");
    let reply = clinic.operator(Request::LeaseCode { device, challenge: first, days: 30 }).await;
    let Ok(Reply::LeaseCode { code: stale, .. }) = reply else { panic!("no code") };
    assert_eq!(ask(&laptop, renew(&stale)).await.unwrap_err().code, "wrong-lease-code");
    let code = clinic.lease_code(7).await;
    let view = ask(&laptop, renew(&code.to_lowercase().replace('-', " "))).await.unwrap();
    assert_eq!((view.days_left, view.days), (7, 7));
    assert_eq!(clinic.today().await, Ok(1), "as it was");
    assert_eq!(ask(&laptop, renew(&code)).await.unwrap_err().code, "not-allowed");

    // Before it has ended, where the doctor goes for weeks to where no network is.
    let ahead = ask(&laptop, AskLease {}).await.unwrap();
    assert_eq!(ask(&laptop, AskLease {}).await.unwrap(), ahead, "the same until a code was taken");
    let wrong = ask(&laptop, renew("AAAAA-AAAAA")).await.unwrap_err();
    assert_eq!((wrong.code.as_str(), wrong.detail.as_deref()), ("wrong-lease-code", Some("4")));
    let request =
        Request::LeaseCode { device: ahead.device.parse().unwrap(), challenge: ahead.challenge, days: 7 };
    let Ok(Reply::LeaseCode { code: early, .. }) = clinic.operator(request).await else { panic!("no code") };
    clinic.clock.work(8);
    assert_eq!(ask(&laptop, GetLease {}).await.unwrap().days_left, 6);
    assert_eq!(ask(&laptop, renew(&early)).await.unwrap().days_left, 7);
    assert_eq!(ask(&laptop, renew(&early)).await.unwrap_err().code, "not-allowed");

    // Used once is used up.
    clinic.clock.work(8 * 7);
    assert_eq!(clinic.today().await.unwrap_err(), "lease-ended");
    assert_ne!(clinic.ended().await.1, second);
    assert_eq!(ask(&laptop, renew(&code)).await.unwrap_err().code, "wrong-lease-code");
    // A contact does it, too.
    clinic.start_hie().await;
    ask(&laptop, SyncNow {}).await.unwrap();
    until(&laptop, GetToday {}, |today| (today.patients == 1).then_some(())).await;
    assert_eq!(ask(&laptop, GetLease {}).await.unwrap().days_left, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_gives_no_code_for_a_revoked_or_unknown_device_or_a_bad_challenge() {
    let mut clinic = Clinic::new().await;
    clinic.stop_hie().await;
    clinic.clock.work(8 * 31);
    let (device, challenge) = clinic.ended().await;
    let ask_for = |device: Id, challenge: &str, days: u32| {
        clinic.operator(Request::LeaseCode { device, challenge: challenge.into(), days })
    };
    assert!(ask_for(device, "ABC", 30).await.err().unwrap().contains("eight letters"));
    assert!(ask_for(device, &challenge, 0).await.err().unwrap().contains("1 to 90"));
    assert!(ask_for(device, &challenge, 91).await.err().unwrap().contains("1 to 90"));
    assert!(ask_for(Id([9; 16]), &challenge, 30).await.err().unwrap().contains("no such device"));
    clinic.operator(Request::RevokeDevice { device }).await.unwrap();
    assert!(ask_for(device, &challenge, 30).await.err().unwrap().contains("revoked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_laptop_keeps_ten_unsent_visits_shows_them_and_hands_them_over() {
    let mut clinic = Clinic::new().await;
    let laptop = clinic.laptop.clone();
    let Phase::Open { person } = clinic.phase().await else { panic!("not open") };
    clinic.stop_hie().await;
    let patient = patient_at(&laptop, "Zulaikha Perveen").await;
    for _ in 0..10 {
        let visit = visit_at(&laptop, &patient.id).await;
        ask(&laptop, SignVisit { id: visit.id }).await.unwrap();
    }
    let Ok(Reply::Devices(devices)) = clinic.operator(Request::Devices).await else { panic!("no devices") };
    let ours = devices.iter().find(|line| line.persons.iter().any(|name| name.contains("Amna")));
    let device = ours.unwrap().id;
    clinic.operator(Request::RevokeDevice { device }).await.unwrap();
    // One more, on the day after: nobody here knows of the revocation yet.
    clinic.clock.set_wall(1);
    let late = visit_at(&laptop, &patient.id).await;
    ask(&laptop, SignVisit { id: late.id }).await.unwrap();

    clinic.start_hie().await;
    ask(&laptop, SyncNow {}).await.unwrap();
    let told = until(&laptop, GetStatus {}, |status| match status.phase {
        Phase::Revoked { unsent, visits, device, .. } => Some((unsent, visits, device)),
        _ => None,
    })
    .await;
    // The patient, eleven visits, and what the trail of acts may have added.
    let (unsent, visits, shown) = told;
    assert_eq!((visits, shown), (11, device.to_string()));
    assert!(unsent >= 12, "{unsent}");
    assert_eq!(clinic.today().await.unwrap_err(), "device-revoked");
    assert_eq!(
        ask(&laptop, OpenPatient { id: patient.id.clone() }).await.unwrap_err().code,
        "device-revoked"
    );
    let sync = ask(&laptop, GetSync {}).await.unwrap();
    assert_eq!((sync.rows.len(), sync.problem.as_str()), (sync.chip.here_only as usize, "device-revoked"));
    assert_eq!(sync.rows.iter().filter(|row| row.kind == "visit").count(), 11);
    let renew = RenewLease { code: "AAAAA-AAAAA".into() };
    assert_eq!(ask(&laptop, renew).await.unwrap_err().code, "not-allowed");

    // Without the HIE, too: it was written down.
    clinic.stop_hie().await;
    ask(&laptop, LockVault {}).await.unwrap();
    let passphrase = Private("seven quiet herons wade".into());
    ask(&laptop, Unlock { person: person.id, passphrase }).await.unwrap();
    assert!(matches!(clinic.phase().await, Phase::Revoked { visits: 11, .. }));
    let handed = ask(&laptop, ExportUnsent {}).await.unwrap();
    assert_eq!((handed.records >= 12, handed.visits), (true, 11));
    let file = std::fs::read(&handed.file).unwrap();
    let has = |needle: &[u8]| file.windows(needle.len()).any(|window| window == needle);
    assert!(!has(b"Zulaikha") && !has(b"Patient") && !has(patient.id.as_bytes()), "for the HIE alone");
    clinic.start_hie().await;
    let hie = clinic.hie.as_ref().unwrap();
    let import = |file: &str| Request::Import { file: file.into() };
    let Reply::Imported(done) = tell(hie, import(&handed.file)).await else { panic!("not taken") };
    assert_eq!((done.taken, done.known, done.waiting.len()), (11, 0, 0), "the patient and ten visits");
    assert!(!done.refused.is_empty(), "what was written after the revocation");
    assert!(done.refused.iter().all(|(_, code, _)| code == "device-revoked"), "{:?}", done.refused);
    let Reply::Imported(again) = tell(hie, import(&handed.file)).await else { panic!("not taken") };
    assert_eq!((again.taken, again.known, again.refused.len()), (0, 11, done.refused.len()));

    // The clinic's next laptop has them.
    let code = code(hie, "BHU Kot Radha", doctor("Dr Farah")).await;
    let next = join(&clinic.folder.path().join("next"), code).await;
    let find = Find { q: Private("Zulaikha".into()), offset: 0, limit: 5 };
    until(&next, find, |found| (!found.rows.is_empty()).then_some(())).await;
    let chart = until(&next, OpenPatient { id: patient.id }, |c| (c.visits.len() == 10).then_some(c)).await;
    assert_eq!(chart.visits.len(), 10);
    // And the revoked one still has all of its own.
    assert!(matches!(clinic.phase().await, Phase::Revoked { visits: 11, .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_whole_or_not_ours_is_refused() {
    let mut clinic = Clinic::new().await;
    clinic.stop_hie().await;
    assert_eq!(ask(&clinic.laptop, ExportUnsent {}).await.unwrap_err().code, "nothing-unsent");
    patient_at(&clinic.laptop, "Ayesha Bibi").await;
    let handed = ask(&clinic.laptop, ExportUnsent {}).await.unwrap();
    let file = std::fs::read(&handed.file).unwrap();
    let other = clinic.folder.path().join("other");
    for (bytes, word) in [
        (&b"hello"[..], "no file of a laptop"),
        (&file[..file.len() - 1], "cut off or changed"),
        (&[&file[..60], &[file[60] ^ 1], &file[61..]].concat(), "cut off or changed"),
        (&[&file[..17], &[7_u8; 16], &file[33..]].concat(), "no device of this HIE"),
    ] {
        std::fs::write(&other, bytes).unwrap();
        let refused = clinic.operator(Request::Import { file: other.clone() }).await.err().unwrap();
        assert!(refused.contains(word), "{refused}");
    }
    let missing = clinic.operator(Request::Import { file: "/nowhere/at/all".into() }).await.err().unwrap();
    assert!(missing.contains("cannot be read"), "{missing}");
    let Ok(Reply::Imported(done)) = clinic.operator(Request::Import { file: handed.file.into() }).await
    else {
        panic!("the whole one is taken")
    };
    assert_eq!((done.taken, done.refused.len()), (1, 0), "of a laptop that is not revoked, too");
}
