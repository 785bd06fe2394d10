//! A backup: whole, read back, and refused in all other states.

#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::Path, sync::Mutex};

use rabta_store::{
    RecordStore as _, Transaction,
    vault::{
        Backup, BackupError, Doing, Given, NewDevice, NewcomerKey, OpenVault, Passphrase, Pin, Progress,
        UnlockError, Vault, VaultState,
    },
};
use rabta_wire::Id;
use support::{DEVICE, NOW, SAID, append, create, person};

fn nothing(_: Progress) {}

async fn back_up(vault: &OpenVault, place: &Path, at: i64) -> Backup {
    vault.back_up(place, &format!("day-{at}"), NOW + at, &nothing).await.unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_opens_with_what_opened_the_vault_and_two_are_kept() {
    let (dir, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (vault, recovery) = create(dir.path()).await;
    for n in 1..=3 {
        append(&vault, n, DEVICE).await;
    }
    let told = Mutex::new(Vec::new());
    let made = vault
        .back_up(stick.path(), "first", NOW, &|progress| told.lock().unwrap().push(progress.doing))
        .await
        .unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.contains(&Doing::Copying) && told.last() == Some(&Doing::Checking), "{told:?}");
    assert_eq!((made.contents.log, made.persons.clone()), (3, vec![person(1)]));
    assert_eq!(names(&made.dir), ["backup.json", "records.db", "vault.json"]);

    let (right, wrong) = (Passphrase::new(SAID.into()), Passphrase::new("something else".into()));
    let of = |passphrase| Given::Passphrase { person: Id([1; 16]), passphrase };
    assert_eq!(made.opens(&of(&right)).await.unwrap(), Some(Id([1; 16])));
    assert_eq!(made.opens(&of(&wrong)).await.unwrap(), None);
    assert_eq!(made.opens(&Given::Recovery(&recovery)).await.unwrap(), Some(Id([1; 16])));
    let (other, _) = {
        let elsewhere = tempfile::tempdir().unwrap();
        let (vault, code) = create(elsewhere.path()).await;
        vault.lock().await;
        (code, elsewhere)
    };
    assert_eq!(made.opens(&Given::Recovery(&other)).await.unwrap(), None);

    // The newest two stay; what was cut off goes; what is not ours stays.
    fs::create_dir(stick.path().join("rabta-backup-cut.part")).unwrap();
    fs::create_dir(stick.path().join("rabta-backup-of-somebody")).unwrap();
    fs::write(stick.path().join("songs.mp3"), "la").unwrap();
    append(&vault, 4, DEVICE).await;
    back_up(&vault, stick.path(), 1).await;
    append(&vault, 5, DEVICE).await;
    back_up(&vault, stick.path(), 2).await;
    let kept = Backup::found(stick.path());
    assert_eq!(kept.iter().map(|b| b.contents.log).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(
        names(stick.path()),
        ["rabta-backup-day-1", "rabta-backup-day-2", "rabta-backup-of-somebody", "songs.mp3"]
    );
    // After another key, too.
    let vault = std::sync::Arc::new(vault);
    vault.change_key().await.unwrap();
    let made = back_up(&vault, stick.path(), 3).await;
    assert_eq!(made.opens(&Given::Recovery(&recovery)).await.unwrap(), Some(Id([1; 16])));
    vault.lock().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_written_while_it_is_made_and_no_place_is_told() {
    let (dir, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (vault, _) = create(dir.path()).await;
    append(&vault, 1, DEVICE).await;
    let work = async {
        for n in 2..30 {
            append(&vault, n, DEVICE).await;
        }
    };
    let (made, ()) = tokio::join!(vault.back_up(stick.path(), "busy", NOW, &nothing), work);
    assert!((1..=29).contains(&made.unwrap().contents.log));
    let none = vault.back_up(&stick.path().join("no-such"), "x", NOW, &nothing).await;
    assert!(matches!(none, Err(BackupError::Files(_))));
    vault.lock().await;
    let locked = vault.back_up(stick.path(), "x", NOW, &nothing).await;
    assert!(matches!(locked, Err(BackupError::Locked)), "{locked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_whole_is_no_backup() {
    let (dir, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (vault, _) = create(dir.path()).await;
    append(&vault, 1, DEVICE).await;
    let made = back_up(&vault, stick.path(), 1).await;
    vault.lock().await;
    let records = made.dir.join("records.db");
    let whole = fs::read(&records).unwrap();
    let to = dir.path().join("copy");

    // Cut off: at every step of the way it has another size.
    for size in [0, 1, 4096, whole.len() / 2, whole.len() - 1] {
        fs::write(&records, &whole[..size]).unwrap();
        assert!(matches!(Backup::read(&made.dir), Err(BackupError::Damaged(_))), "{size}");
        assert!(Backup::found(stick.path()).is_empty());
    }
    // One bit: seen when it is copied back, and nothing is left of it.
    let mut bent = whole.clone();
    bent[whole.len() / 2] ^= 1;
    fs::write(&records, &bent).unwrap();
    let copied = Backup::read(&made.dir).unwrap().copy_to(&to, &nothing).await;
    assert!(matches!(copied, Err(BackupError::Damaged(_))) && !to.exists());
    fs::write(&records, &whole).unwrap();

    let manifest = made.dir.join("backup.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("\"format\": 1", "\"format\": 2", 1)).unwrap();
    assert!(matches!(Backup::read(&made.dir), Err(BackupError::Newer(2))));
    fs::write(&manifest, &text[..text.len() / 2]).unwrap();
    assert!(matches!(Backup::read(&made.dir), Err(BackupError::Damaged(_))));
    fs::write(&manifest, text.replace("records.db", "../secret")).unwrap();
    assert!(matches!(Backup::read(&made.dir), Err(BackupError::Damaged(_))));
    fs::remove_file(&manifest).unwrap();
    assert!(matches!(Backup::read(&made.dir), Err(BackupError::None)));
    fs::write(&manifest, &text).unwrap();
    Backup::read(&made.dir).unwrap().copy_to(&to, &nothing).await.unwrap();
    assert_eq!(fs::read(to.join("records.db")).unwrap(), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_vault_is_another_device_s_and_keeps_the_earlier_log() {
    let (dir, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (vault, recovery) = create(dir.path()).await;
    append(&vault, 1, DEVICE).await;
    append(&vault, 2, DEVICE).await;
    let old_key = vault.device_key().unwrap().verifying_key();
    let made = back_up(&vault, stick.path(), 1).await;
    vault.lock().await;

    let to = dir.path().join("restored");
    made.copy_to(&to, &nothing).await.unwrap();
    let vault = Vault::unlock_with_recovery(&to, &recovery, NOW).await.unwrap();
    let (device_key, person_key) = (NewcomerKey::random(), NewcomerKey::random());
    let new = NewDevice {
        device: Id([6; 16]),
        device_key: &device_key,
        person_key: &person_key,
        person: person(1),
        passphrase: &Passphrase::new("a new one for here".into()),
        pin: &Pin::new("2580".into()).unwrap(),
        keychain: None,
        passphrase_alone: true,
        with: Transaction::new().set("enrollment", b"new".to_vec()),
    };
    let code = vault.become_device(new).await.unwrap();
    vault.lock().await;
    assert!(Vault::unlock_with_recovery(&to, &recovery, NOW).await.is_err(), "the old code is worth nothing");
    let vault = Vault::unlock_with_recovery(&to, &code, NOW).await.unwrap();
    assert_eq!(vault.device().await.unwrap(), Some(Id([6; 16])));
    assert_eq!(vault.device_key().unwrap().verifying_key(), device_key.key().verifying_key());
    assert_ne!(old_key, device_key.key().verifying_key());
    assert_eq!(vault.signer().unwrap().key().verifying_key(), person_key.key().verifying_key());
    assert_eq!(vault.store().mr_left().await.unwrap(), 0);
    append(&vault, 3, 6).await;
    let head = vault.store().log_head().await.unwrap();
    assert_eq!((head.epoch, head.seq), (1, 1), "its own log begins");
    assert_eq!(vault.store().all_unsent().await.unwrap().len(), 3, "what was not sent still is to be");
    // Both logs hold in a backup of it.
    assert_eq!(back_up(&vault, stick.path(), 9).await.contents.log, 3);
    vault.lock().await;
}

/// A vault of format 1, as the first program that this test was part of left it: a person, a visit's envelope, a draft.
const OLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vault-1");

fn copy_of_old(dir: &Path) {
    for name in ["vault.json", "records.db"] {
        fs::copy(Path::new(OLD).join(name), dir.join(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_of_format_1_opens_and_goes_on_and_a_newer_one_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    copy_of_old(dir.path());
    let said = Passphrase::new(SAID.into());
    let vault = Vault::unlock(dir.path(), Id([1; 16]), &said, None, NOW).await.unwrap();
    assert_eq!(vault.store().log_head().await.unwrap().seq, 1);
    assert_eq!(vault.store().drafts(None).await.unwrap().len(), 1);
    append(&vault, 2, DEVICE).await;
    let vault = std::sync::Arc::new(vault);
    vault.change_key().await.unwrap();
    assert_eq!(vault.store().log_head().await.unwrap().seq, 2);
    vault.lock().await;

    let newer = tempfile::tempdir().unwrap();
    copy_of_old(newer.path());
    let file = newer.path().join("vault.json");
    let text = fs::read_to_string(&file).unwrap().replacen("\"format\": 1", "\"format\": 3", 1);
    fs::write(&file, &text).unwrap();
    assert_eq!(Vault::inspect(newer.path()), VaultState::Newer(3));
    let refused = Vault::unlock(newer.path(), Id([1; 16]), &said, None, NOW).await;
    assert!(matches!(refused, Err(UnlockError::Newer(3))));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    let records = |dir: &Path| fs::read(dir.join("records.db")).unwrap();
    assert!(records(newer.path()) == records(Path::new(OLD)), "nothing was touched");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes the vault that is kept beside this test"]
async fn make_old() {
    let (dir, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (vault, _) = create(dir.path()).await;
    append(&vault, 1, DEVICE).await;
    let draft = rabta_store::SaveDraft {
        id: "d".into(),
        kind: "visit".into(),
        patient: None,
        updated_at: NOW,
        body: b"{}".to_vec().into(),
    };
    vault.store().save_draft(draft).await.unwrap();
    let made = back_up(&vault, stick.path(), 1).await;
    vault.lock().await;
    fs::create_dir_all(OLD).unwrap();
    for name in ["vault.json", "records.db"] {
        fs::copy(made.dir.join(name), Path::new(OLD).join(name)).unwrap();
    }
}
