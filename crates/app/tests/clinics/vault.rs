//! The vault on its way: a backup, a new laptop from it, another key, and a copy of a whole laptop; with a real HIE.

#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use crate::world::{self, World, app, ask, code, patient_at, tell, until, visit_at};
use rabta_app::{App, Clock, SystemClock};
use rabta_domain::Private;
use rabta_hie::admin::{PersonFields, Reply, Request};
use rabta_ipc::{
    gate::{
        AddPerson, BackUp, BackupRow, ChangeKey, ConfirmRecovery, ExportUnsent, GetBackup, GetStatus, Join,
        ListBackups, LockVault, Phase, RemovePerson, Restore, Unlock, UnlockRecovery,
    },
    patient::{GetToday, OpenPatient},
    sync::{GetSync, SyncNow},
    visit::SignVisit,
};
use time::OffsetDateTime;

const CLINIC: &str = "BHU Kot Radha";
const SAID: &str = "seven quiet herons wade";

fn private(text: &str) -> Private<String> {
    text.to_owned().into()
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock { offset_minutes: 300 })
}

/// Another code for somebody who is known.
async fn code_for(world: &World, person: &str) -> String {
    let request = Request::Enroll {
        facility: CLINIC.into(),
        person: Some(person.parse().unwrap()),
        new: None,
        public: None,
    };
    match tell(world.hie.as_ref().unwrap(), request).await {
        Reply::Code { code, .. } => code,
        _ => panic!("no code"),
    }
}

async fn me(app: &App) -> String {
    match ask(app, GetStatus {}).await.unwrap().phase {
        Phase::Open { person } | Phase::Recovery { person } => person.id,
        other => panic!("not open: {other:?}"),
    }
}

async fn sign(app: &App, patient: &str) -> String {
    let visit = visit_at(app, patient).await;
    ask(app, SignVisit { id: visit.id.clone() }).await.unwrap();
    visit.id
}

async fn back_up(app: &App, stick: &Path) -> BackupRow {
    ask(app, BackUp { place: stick.display().to_string() }).await.unwrap()
}

async fn restore(app: &App, backup: &str, code: &str, given: &str) -> Result<Private<String>, String> {
    let restore = Restore {
        backup: backup.to_owned(),
        code: code.to_owned(),
        given: private(given),
        passphrase: private("green boxes left of the door"),
        pin: private("2580"),
    };
    ask(app, restore).await.map(|recovery| recovery.code).map_err(|error| error.code)
}

async fn all_sent(app: &App) {
    until(app, GetSync {}, |view| (view.chip.here_only == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_laptop_s_backup_becomes_a_new_device_and_nothing_is_lost_or_sent_twice() {
    let mut world = World::new().await;
    let stick = tempfile::tempdir().unwrap();
    let first = world.patient("Zainab Bibi").await;
    sign(&world.doctor, &first.id).await;
    all_sent(&world.doctor).await;
    // Written without a link, and in no other place than here and in the backup.
    world.stop_hie().await;
    let second = world.patient("Bashir Ahmad").await;
    sign(&world.doctor, &second.id).await;
    let made = back_up(&world.doctor, stick.path()).await;
    assert_eq!(made.persons, ["Dr Amna"]);
    let view = ask(&world.doctor, GetBackup {}).await.unwrap();
    assert_eq!((view.doing.as_str(), view.last.as_str()), ("", made.path.as_str()));
    // After the backup, and sent by the first laptop before it is lost.
    world.start_hie().await;
    let third = world.patient("Sakina Mai").await;
    all_sent(&world.doctor).await;
    let (amna, old_device) = (me(&world.doctor).await, device(&world.doctor).await);
    world.doctor.close().await;

    let folder = world.folder.path().join("new laptop");
    let new = app(&folder, clock());
    let listed = ask(&new, ListBackups { place: stick.path().display().to_string() }).await.unwrap();
    assert_eq!(listed, [made.clone()]);
    let code = code_for(&world, &amna).await;
    assert_eq!(restore(&new, &made.path, &code, "a wrong passphrase").await, Err("backup-secret".into()));
    assert!(!folder.join("vault").exists(), "nothing was changed");
    let recovery = restore(&new, &made.path, &code, SAID).await.unwrap();
    assert!(ask(&new, ConfirmRecovery { typed: recovery.clone() }).await.unwrap());

    // What was sent after the backup comes from the HIE; what was not sent goes there as the old device's.
    let third = third.id;
    until(&new, OpenPatient { id: third.clone() }, |_| Some(())).await;
    all_sent(&new).await;
    let view = ask(&new, GetSync {}).await.unwrap();
    assert_eq!((view.chip.needs_you, view.problem.as_str()), (0, ""), "{:?}", view.rows);
    assert_ne!(device(&new).await, old_device);
    // A number of the new block, and a visit signed with the new keys.
    let fourth = patient_at(&new, "Nazia Parveen").await;
    let mr = |card: &rabta_domain::patient::PatientCard| card.mr.clone();
    assert_ne!(mr(&fourth), mr(&second));
    sign(&new, &fourth.id).await;
    all_sent(&new).await;
    assert_eq!(ask(&new, GetSync {}).await.unwrap().chip.needs_you, 0);
    let hie = world.hie.as_ref().unwrap();
    // Each once, as a laptop sees it that has nothing but what the HIE has.
    let fields = PersonFields { name: "Dr Bilal".into(), role: "doctor".into(), ..PersonFields::default() };
    let third_laptop = world::join(&world.folder.path().join("third"), code_of(hie, fields).await).await;
    for (id, visits) in [(&first.id, 1), (&second.id, 1), (&third, 0), (&fourth.id, 1)] {
        let open = OpenPatient { id: id.clone() };
        let chart = until(&third_laptop, open, |chart| (chart.visits.len() >= visits).then_some(chart)).await;
        assert_eq!(chart.visits.len(), visits);
    }
    assert_eq!(forked(hie).await, 0);

    // The old laptop turns up again: it is a device of its own, and nothing of either is in the way.
    let old = app(&world.folder.path().join("doctor"), clock());
    ask(&old, Unlock { person: amna.clone(), passphrase: private(SAID) }).await.unwrap();
    let fifth = patient_at(&old, "Ghulam Rasool").await;
    sign(&old, &fifth.id).await;
    all_sent(&old).await;
    until(&new, OpenPatient { id: fifth.id }, |_| Some(())).await;
    assert_eq!(forked(hie).await, 0);
    new.close().await;
    old.close().await;
}

async fn device(app: &App) -> String {
    ask(app, rabta_ipc::gate::AskLease {}).await.unwrap().device
}

async fn code_of(hie: &rabta_hie::Handle, fields: PersonFields) -> String {
    code(hie, CLINIC, fields).await
}

async fn forked(hie: &rabta_hie::Handle) -> usize {
    let Reply::Devices(devices) = tell(hie, Request::Devices).await else { panic!("no devices") };
    devices.iter().filter(|device| device.forked).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_refused_and_nothing_is_changed() {
    let world = World::new().await;
    let stick = tempfile::tempdir().unwrap();
    let amna = me(&world.doctor).await;
    patient_at(&world.doctor, "Zainab Bibi").await;
    let made = back_up(&world.doctor, stick.path()).await;
    let folder = world.folder.path().join("new laptop");
    let new = app(&folder, clock());
    let list = |place: &Path| ListBackups { place: place.display().to_string() };
    let told = |error: rabta_ipc::Error| error.code;
    let code_of_amna = code_for(&world, &amna).await;

    // Another person's code, another facility's, none at all.
    let new_person =
        |name: &str| PersonFields { name: name.into(), role: "doctor".into(), ..PersonFields::default() };
    let hie = world.hie.as_ref().unwrap();
    let other = code(hie, CLINIC, new_person("Dr Bilal")).await;
    assert_eq!(restore(&new, &made.path, &other, SAID).await, Err("other-person".into()));
    assert_eq!(restore(&new, &made.path, "ABC", SAID).await, Err("code-malformed".into()));
    // A recovery code of another vault.
    let elsewhere = app(&world.folder.path().join("elsewhere"), clock());
    let join = Join { code: other, passphrase: private(SAID), pin: private("4711") };
    let foreign = ask(&elsewhere, join).await.unwrap().code.0;
    assert_eq!(restore(&new, &made.path, &code_of_amna, &foreign).await, Err("backup-secret".into()));
    elsewhere.close().await;

    // No folder, a folder of something else, one that was cut off, one of a newer program.
    let nowhere = stick.path().join("nowhere");
    assert_eq!(ask(&new, list(&nowhere)).await.map_err(told), Err("backup-none".into()));
    let records = Path::new(&made.path).join("records.db");
    let whole = std::fs::read(&records).unwrap();
    std::fs::write(&records, &whole[..whole.len() / 3]).unwrap();
    assert_eq!(ask(&new, list(stick.path())).await.map_err(told), Err("backup-damaged".into()));
    assert_eq!(restore(&new, &made.path, &code_of_amna, SAID).await, Err("backup-damaged".into()));
    let mut bent = whole.clone();
    bent[whole.len() / 2] ^= 4;
    std::fs::write(&records, &bent).unwrap();
    assert_eq!(restore(&new, &made.path, &code_of_amna, SAID).await, Err("backup-damaged".into()));
    std::fs::write(&records, &whole).unwrap();
    let manifest = Path::new(&made.path).join("backup.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen("\"format\": 1", "\"format\": 7", 1)).unwrap();
    assert_eq!(ask(&new, list(stick.path())).await.map_err(told), Err("backup-newer".into()));
    assert_eq!(restore(&new, &made.path, &code_of_amna, SAID).await, Err("backup-newer".into()));
    std::fs::write(&manifest, text).unwrap();

    assert!(!folder.join("vault").exists() && !folder.join("vault.restoring").exists());
    assert!(matches!(ask(&new, GetStatus {}).await.unwrap().phase, Phase::New));
    // The code was not used up by any of them.
    restore(&new, &made.path, &code_of_amna, SAID).await.unwrap();
    assert!(matches!(ask(&new, GetStatus {}).await.unwrap().phase, Phase::Recovery { .. }));
    // Only from the first screen.
    assert_eq!(restore(&new, &made.path, &code_of_amna, SAID).await, Err("not-allowed".into()));
    let no_place = BackUp { place: nowhere.display().to_string() };
    assert_eq!(ask(&world.doctor, no_place).await.map_err(told), Err("backup-place".into()));
    new.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_revoked_laptop_are_carried_by_the_one_that_has_its_backup() {
    let mut world = World::new().await;
    let stick = tempfile::tempdir().unwrap();
    let amna = me(&world.doctor).await;
    let patient = world.patient("Zainab Bibi").await;
    all_sent(&world.doctor).await;
    world.stop_hie().await;
    sign(&world.doctor, &patient.id).await;
    let made = back_up(&world.doctor, stick.path()).await;
    let old = device(&world.doctor).await;
    world.doctor.close().await;
    world.start_hie().await;
    // A day is longer than any clock's slack: written before, by its own time.
    let hie = world.hie.as_ref().unwrap();
    tell(hie, Request::RevokeDevice { device: old.parse().unwrap() }).await;

    let new = app(&world.folder.path().join("new laptop"), clock());
    restore(&new, &made.path, &code_for(&world, &amna).await, SAID).await.unwrap();
    let rows = until(&new, GetSync {}, |view| (view.chip.needs_you > 0).then_some(view.rows)).await;
    assert!(rows.iter().any(|row| row.code == "device-revoked"), "{rows:?}");
    let handed = ask(&new, ExportUnsent {}).await.unwrap();
    assert!(handed.visits == 1 && handed.records >= 1, "{handed:?}");
    let request = Request::Import { file: handed.file.into() };
    let Reply::Imported(imported) = tell(hie, request).await else { panic!("not imported") };
    assert!(
        imported.refused.is_empty() && imported.waiting.is_empty() && imported.taken >= 1,
        "{imported:?}"
    );
    // It comes back as what it is, and nobody has to look any more.
    ask(&new, SyncNow {}).await.unwrap();
    until(&new, GetSync {}, |view| (view.chip.needs_you == 0 && view.chip.here_only == 0).then_some(()))
        .await;
    new.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_person_s_key_is_worth_nothing_and_everybody_else_goes_on() {
    let world = World::new().await;
    let hie = world.hie.as_ref().unwrap();
    let amna = me(&world.doctor).await;
    let fields = PersonFields { name: "Nasreen".into(), role: "lhv".into(), ..PersonFields::default() };
    let join = AddPerson {
        code: code(hie, CLINIC, fields).await,
        passphrase: private("the well is deep enough"),
        pin: private("2580"),
    };
    let code = ask(&world.doctor, join).await.unwrap().code;
    assert!(ask(&world.doctor, ConfirmRecovery { typed: code.clone() }).await.unwrap());
    let vault = world.folder.path().join("doctor").join("vault");
    let people = ask(&world.doctor, GetStatus {}).await.unwrap().people;
    let nasreen = people.into_iter().find(|member| member.person.role == "lhv").unwrap().person.id;
    ask(&world.doctor, ChangeKey {}).await.unwrap();
    assert!(vault.join("records-1.db").exists());
    let patient = patient_at(&world.doctor, "Zainab Bibi").await;
    ask(&world.doctor, RemovePerson { person: nasreen.clone() }).await.unwrap();
    assert!(vault.join("records-2.db").exists() && !vault.join("records-1.db").exists());
    sign(&world.doctor, &patient.id).await;
    all_sent(&world.doctor).await;
    assert_eq!(ask(&world.doctor, GetSync {}).await.unwrap().chip.needs_you, 0);
    ask(&world.doctor, LockVault {}).await.unwrap();
    let reopen = UnlockRecovery {
        person: nasreen,
        recovery: code,
        passphrase: private("once more with feeling now"),
        pin: private("2580"),
    };
    assert_eq!(ask(&world.doctor, reopen).await.map_err(|e| e.code), Err("wrong-recovery".into()));
    ask(&world.doctor, Unlock { person: amna, passphrase: private(SAID) }).await.unwrap();
    ask(&world.doctor, OpenPatient { id: patient.id }).await.unwrap();
}

struct Days {
    real: SystemClock,
    ahead: AtomicI64,
}

impl Clock for Days {
    fn now(&self) -> OffsetDateTime {
        self.real.now() + time::Duration::days(self.ahead.load(Ordering::Relaxed))
    }

    fn offset_minutes(&self) -> i16 {
        300
    }

    fn running(&self) -> std::time::Duration {
        self.real.running()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn today_says_when_something_waits_for_longer_than_a_day() {
    let mut world = World::new().await;
    let days = Arc::new(Days { real: SystemClock { offset_minutes: 300 }, ahead: AtomicI64::new(0) });
    let folder = world.folder.path().join("second");
    let fields = PersonFields { name: "Dr Bilal".into(), role: "doctor".into(), ..PersonFields::default() };
    let bilal = code(world.hie.as_ref().unwrap(), CLINIC, fields).await;
    let laptop = world::join_at(&folder, bilal, days.clone()).await;
    all_sent(&laptop).await;
    world.stop_hie().await;
    let patient = patient_at(&laptop, "Zainab Bibi").await;
    assert_eq!(ask(&laptop, GetToday {}).await.unwrap().waits, None);
    days.ahead.store(3, Ordering::Relaxed);
    sign(&laptop, &patient.id).await;
    let waits = ask(&laptop, GetToday {}).await.unwrap().waits.unwrap();
    assert!(waits.days >= 2 && waits.records >= 2, "{waits:?}");
    days.ahead.store(0, Ordering::Relaxed);
    world.start_hie().await;
    ask(&laptop, SyncNow {}).await.unwrap();
    all_sent(&laptop).await;
    assert_eq!(ask(&laptop, GetToday {}).await.unwrap().waits, None);
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_laptop_is_seen_both_are_told_and_nothing_of_either_is_lost() {
    let world = World::new().await;
    let amna = me(&world.doctor).await;
    let patient = world.patient("Zainab Bibi").await;
    sign(&world.doctor, &patient.id).await;
    all_sent(&world.doctor).await;
    world.doctor.close().await;
    let (first, second) = (world.folder.path().join("doctor"), world.folder.path().join("image"));
    copy_folder(&first, &second);
    let one = app(&first, clock());
    let two = app(&second, clock());
    for laptop in [&one, &two] {
        ask(laptop, Unlock { person: amna.clone(), passphrase: private(SAID) }).await.unwrap();
        assert_eq!(ask(laptop, GetSync {}).await.unwrap().problem, "");
    }
    let of_one = sign(&one, &patient.id).await;
    all_sent(&one).await;
    let of_two = sign(&two, &patient.id).await;
    ask(&two, SyncNow {}).await.unwrap();
    for laptop in [&two, &one] {
        ask(laptop, SyncNow {}).await.unwrap();
        until(laptop, GetSync {}, |view| (view.problem == "device-copied").then_some(())).await;
        assert!(ask(laptop, GetToday {}).await.unwrap().copied);
    }
    assert_eq!(forked(world.hie.as_ref().unwrap()).await, 1);
    // Both have what they wrote; the one whose branch was first sees it at the HIE, the other in words.
    let visits =
        |chart: rabta_ipc::patient::Chart| chart.visits.into_iter().map(|row| row.id).collect::<Vec<_>>();
    let open = OpenPatient { id: patient.id.clone() };
    assert!(visits(ask(&one, open.clone()).await.unwrap()).contains(&of_one));
    assert!(visits(ask(&two, open).await.unwrap()).contains(&of_two));
    let refused = ask(&two, GetSync {}).await.unwrap().rows;
    assert!(refused.iter().any(|row| row.code == "fork" && row.kind == "visit"), "{refused:?}");

    // Each starts anew as a device of its own, with all that it has.
    for laptop in [&one, &two] {
        let code = code_for(&world, &amna).await;
        assert_eq!(restore(laptop, "", &code, "not the passphrase").await, Err("backup-secret".into()));
        let recovery = restore(laptop, "", &code, SAID).await.unwrap();
        assert!(ask(laptop, ConfirmRecovery { typed: recovery }).await.unwrap());
    }
    assert_ne!(device(&one).await, device(&two).await);
    assert!(visits(ask(&two, OpenPatient { id: patient.id.clone() }).await.unwrap()).contains(&of_two));
    for (laptop, other, name) in [(&one, &two, "Bashir Ahmad"), (&two, &one, "Sakina Mai")] {
        let new = patient_at(laptop, name).await;
        sign(laptop, &new.id).await;
        until(other, OpenPatient { id: new.id }, |chart| (chart.visits.len() == 1).then_some(())).await;
        assert_eq!(ask(laptop, GetSync {}).await.unwrap().problem, "");
    }
    // What was refused is still there, with the reason.
    let refused = ask(&two, GetSync {}).await.unwrap().rows;
    assert!(refused.iter().any(|row| row.code == "fork" && row.kind == "visit"), "{refused:?}");
    for folder in [&first, &second] {
        assert!(!folder.join("vault.before").exists() && !folder.join("vault.copying").exists());
    }
    one.close().await;
    two.close().await;
    let World { doctor, folder: _folder, hie: _hie, .. } = world;
    drop((one, doctor));
    // The power fails between the two renames: the earlier device's vault is put back.
    std::fs::rename(first.join("vault"), first.join("vault.before")).unwrap();
    let back = app(&first, clock());
    assert!(matches!(ask(&back, GetStatus {}).await.unwrap().phase, Phase::Locked { .. }));
    back.close().await;
}
