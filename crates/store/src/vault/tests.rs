use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use ed25519_dalek::Verifier as _;
use rabta_domain::Private;
use rabta_wire::Id;

use super::*;
use crate::{RecordStore, SaveDraft, StoreError, Transaction};

const NOW: i64 = 1_700_000_000_000;

fn person(n: u8) -> Person {
    Person { id: Id([n; 16]), name: format!("Dr {n}"), role: "doctor".into() }
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

fn new_vault(passphrase: &Passphrase) -> NewVault<'_> {
    NewVault {
        vault: Id([9; 16]),
        purpose: Use::Clinic,
        person: person(1),
        passphrase,
        keychain: None,
        passphrase_alone: true,
    }
}

async fn create(dir: &Path) -> (OpenVault, RecoveryCode) {
    Vault::create(dir, new_vault(&passphrase("barley wind seven lamps"))).await.expect("a new vault")
}

async fn unlock(dir: &Path, said: &str) -> Result<OpenVault, UnlockError> {
    Vault::unlock(dir, Id([1; 16]), &passphrase(said), None, NOW).await
}

/// Every file of the folder with its bytes, but for what counts wrong tries and holds locks.
fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).expect("the folder").map(|entry| entry.expect("an entry").path());
    files
        .map(|path| {
            (
                path.file_name().expect("a name").to_string_lossy().into_owned(),
                fs::read(&path).expect("its bytes"),
            )
        })
        .filter(|(name, _)| !name.ends_with("lock") && name != "attempts.json")
        .collect()
}

#[tokio::test]
async fn what_is_saved_is_there_after_lock_and_unlock() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(Vault::inspect(dir.path()), VaultState::Absent);
    let (vault, _) = create(dir.path()).await;
    let draft = SaveDraft {
        id: "d".into(),
        kind: "visit".into(),
        patient: None,
        updated_at: 1,
        body: b"{}".to_vec().into(),
    };
    vault.store().save_draft(draft).await.expect("saved");
    vault.set_device(Id([5; 16])).await.expect("saved");
    let signer = vault.signer().expect("open");
    let signature = signer.sign("1.2.840.10065.1.12.1.1", b"x");
    vault.lock().await;
    assert!(vault.is_locked());
    assert_eq!(vault.signer().map(|_| ()), Err(KeyError::VaultLocked));
    assert!(matches!(vault.store().draft("d").await, Err(StoreError::Locked)));
    assert_eq!(Vault::inspect(dir.path()), VaultState::Locked(vec![person(1)]));

    let vault =
        unlock(dir.path(), "  barley wind seven lamps ").await.expect("blanks at the ends do not matter");
    assert_eq!(vault.store().draft("d").await.expect("open").expect("kept").body, Private(b"{}".to_vec()));
    let again = vault.signer().expect("open");
    assert!(signature.verify(&again.key().verifying_key(), b"x"), "the same key as before");
    assert_eq!(vault.device().await.expect("open"), Some(Id([5; 16])));
    let public = vault.person_public(Id([1; 16])).await.expect("open").expect("a key");
    assert_eq!(public, again.key().verifying_key());
}

#[tokio::test]
async fn a_wrong_passphrase_is_told_delayed_and_never_wipes() {
    let dir = tempfile::tempdir().expect("a folder");
    create(dir.path()).await.0.lock().await;
    let before = bytes(dir.path());
    let mut now = NOW;
    for (failures, delay) in [(1, 0), (2, 0), (3, 1), (4, 2), (5, 5)] {
        let refused = Vault::unlock(dir.path(), Id([1; 16]), &passphrase("wrong"), None, now).await;
        let expected = Duration::from_secs(delay);
        assert!(
            matches!(refused, Err(UnlockError::WrongPassphrase { failures: f, retry_after }) if f == failures && retry_after == expected),
            "{failures}: {refused:?}"
        );
        if delay > 0 {
            let too_soon = Vault::unlock(
                dir.path(),
                Id([1; 16]),
                &passphrase("barley wind seven lamps"),
                None,
                now + 10,
            )
            .await;
            assert!(matches!(too_soon, Err(UnlockError::TooSoon { .. })), "{too_soon:?}");
        }
        now += delay as i64 * 1000;
    }
    assert_eq!(bytes(dir.path()), before);
    let vault = Vault::unlock(dir.path(), Id([1; 16]), &passphrase("barley wind seven lamps"), None, now)
        .await
        .expect("right at last");
    assert!(!dir.path().join("attempts.json").exists());
    vault.lock().await;
    let unknown =
        Vault::unlock(dir.path(), Id([2; 16]), &passphrase("barley wind seven lamps"), None, now).await;
    assert!(matches!(unknown, Err(UnlockError::UnknownPerson)));
}

#[tokio::test]
async fn broken_vaults_are_reported_and_left_byte_for_byte() {
    let good = tempfile::tempdir().expect("a folder");
    let (vault, _) = create(good.path()).await;
    let big = Transaction::new().set("big", vec![7; 200_000]);
    vault.store().commit(big, None).await.expect("saved");
    vault.lock().await;
    let other = tempfile::tempdir().expect("a folder");
    create(other.path()).await.0.lock().await;

    type Break = Box<dyn Fn(&Path)>;
    let edit = |name: &'static str, change: fn(&mut Vec<u8>)| -> Break {
        Box::new(move |dir: &Path| {
            let mut bytes = fs::read(dir.join(name)).expect("its bytes");
            change(&mut bytes);
            fs::write(dir.join(name), bytes).expect("written");
        })
    };
    let others = other.path().join("records.db");
    let cases: Vec<(&str, Break, fn(&UnlockError) -> bool)> = vec![
        ("vault.json cut off", edit("vault.json", |b| b.truncate(b.len() / 2)), |e| {
            matches!(e, UnlockError::Damaged(_))
        }),
        ("vault.json emptied", edit("vault.json", Vec::clear), |e| matches!(e, UnlockError::Damaged(_))),
        (
            "vault.json of a newer program",
            Box::new(|dir| {
                fs::write(dir.join("vault.json"), br#"{"format":3,"new":true}"#).expect("written")
            }),
            |e| matches!(e, UnlockError::Newer(3)),
        ),
        ("a wrap changed", edit("vault.json", |b| swap_hex_digit(b)), |e| {
            matches!(e, UnlockError::WrongPassphrase { .. })
        }),
        (
            "records replaced",
            Box::new(move |dir| assert!(fs::copy(&others, dir.join("records.db")).expect("copied") > 0)),
            |e| matches!(e, UnlockError::DatabaseMismatch),
        ),
        ("records cut off", edit("records.db", |b| b.truncate(b.len() / 2)), |e| {
            matches!(e, UnlockError::DatabaseMismatch)
        }),
        ("records cut to one page", edit("records.db", |b| b.truncate(4096)), |e| {
            matches!(e, UnlockError::DatabaseMismatch)
        }),
        ("records cut within a page", edit("records.db", |b| b.truncate(5000)), |e| {
            matches!(e, UnlockError::DatabaseMismatch)
        }),
        ("records emptied", edit("records.db", Vec::clear), |e| matches!(e, UnlockError::DatabaseMismatch)),
        ("records overwritten", edit("records.db", |b| b.fill(0x41)), |e| {
            matches!(e, UnlockError::DatabaseMismatch)
        }),
        ("records missing", Box::new(|dir| fs::remove_file(dir.join("records.db")).expect("removed")), |e| {
            matches!(e, UnlockError::Damaged(_))
        }),
    ];
    for (name, break_it, expected) in cases {
        let dir = tempfile::tempdir().expect("a folder");
        for file in ["vault.json", "records.db"] {
            fs::copy(good.path().join(file), dir.path().join(file)).expect("copied");
        }
        break_it(dir.path());
        let before = bytes(dir.path());
        let refused = unlock(dir.path(), "barley wind seven lamps").await.expect_err(name);
        assert!(expected(&refused), "{name}: {refused:?}");
        assert_eq!(bytes(dir.path()).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{name}");
        assert_eq!(bytes(dir.path()), before, "{name}");
    }
}

#[tokio::test]
async fn what_a_crash_left_opens_and_a_broken_one_is_left_alone_with_its_log() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, _) = create(dir.path()).await;
    vault.store().commit(Transaction::new().set("k", vec![3; 50_000]), None).await.expect("saved");
    let copy = |to: &Path| {
        for file in ["vault.json", "records.db", "records.db-wal"] {
            fs::copy(dir.path().join(file), to.join(file)).expect("copied");
        }
    };
    let crashed = tempfile::tempdir().expect("a folder");
    copy(crashed.path());
    let replaced = tempfile::tempdir().expect("a folder");
    copy(replaced.path());
    vault.lock().await;

    let other = tempfile::tempdir().expect("a folder");
    create(other.path()).await.0.lock().await;
    fs::copy(other.path().join("records.db"), replaced.path().join("records.db")).expect("copied");
    let other_log = fs::read(replaced.path().join("records.db-wal")).expect("bytes");
    fs::write(replaced.path().join("records.db-wal"), vec![0x55; other_log.len()]).expect("written");
    let before = bytes(replaced.path());
    let refused = unlock(replaced.path(), "barley wind seven lamps").await;
    assert!(matches!(refused, Err(UnlockError::DatabaseMismatch)), "{refused:?}");
    let mut after = bytes(replaced.path());
    after.remove("records.db-shm");
    assert_eq!(after, before);

    let vault = unlock(crashed.path(), "barley wind seven lamps").await.expect("nothing is broken");
    assert_eq!(vault.store().setting("k").await.expect("open"), Some(vec![3; 50_000]));
    vault.lock().await;
}

/// Changes a digit of the sealed key.
fn swap_hex_digit(bytes: &mut [u8]) {
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    let at = text.find("\"sealed\": \"").expect("a wrap") + "\"sealed\": \"".len();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
}

#[tokio::test]
async fn a_missing_vault_file_beside_records_is_no_empty_folder() {
    let dir = tempfile::tempdir().expect("a folder");
    create(dir.path()).await.0.lock().await;
    fs::remove_file(dir.path().join("vault.json")).expect("removed");
    let before = bytes(dir.path());
    assert!(matches!(Vault::inspect(dir.path()), VaultState::Damaged(_)));
    let said = passphrase("x");
    assert!(matches!(Vault::create(dir.path(), new_vault(&said)).await, Err(CreateError::Exists)));
    assert_eq!(bytes(dir.path()), before);
}

#[tokio::test]
async fn records_of_a_newer_program_are_refused_in_words_and_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, _) = create(dir.path()).await;
    {
        let mut writer = vault.store().writer().await.expect("open");
        let connection = writer.begin().await.expect("a transaction");
        let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
                     VALUES (9999, 'from the future', CURRENT_TIMESTAMP, 1, x'00', 1)";
        let done = sqlx::query(newer).execute(connection).await.map(|_| ()).map_err(StoreError::from);
        writer.finish(done).await.expect("written");
    }
    vault.lock().await;
    let before = bytes(dir.path());
    let refused = unlock(dir.path(), "barley wind seven lamps").await.expect_err("newer");
    assert!(matches!(refused, UnlockError::Store(StoreError::Newer(9999))), "{refused:?}");
    assert!(refused.to_string().contains("newer version of this program"));
    assert_eq!(bytes(dir.path()), before);
}

#[tokio::test]
async fn a_second_program_is_refused_in_words() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, _) = create(dir.path()).await;
    let refused = unlock(dir.path(), "barley wind seven lamps").await.expect_err("in use");
    assert_eq!(refused.to_string(), "another program is using this data folder");
    vault.lock().await;
    unlock(dir.path(), "barley wind seven lamps").await.expect("free again").lock().await;

    let first = FolderLock::take(dir.path()).expect("free");
    assert!(matches!(FolderLock::take(dir.path()), Err(InUse::Taken)));
    drop(first);
    FolderLock::take(dir.path()).expect("free again");
}

#[tokio::test]
async fn the_recovery_code_opens_the_vault_and_a_new_passphrase_follows() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, code) = create(dir.path()).await;
    let public = vault.signer().expect("open").key().verifying_key();
    vault.lock().await;

    let typed = RecoveryCode::parse(code.reveal().to_lowercase()).expect("as written down");
    let vault = Vault::unlock_with_recovery(dir.path(), &typed, NOW).await.expect("the code opens it");
    assert_eq!(vault.person(), Ok(Id([1; 16])));
    assert_eq!(vault.signer().expect("open").key().verifying_key(), public, "the person's key comes along");
    vault.set_passphrase(&passphrase("new words"), None, true).await.expect("set");
    vault.lock().await;

    assert!(matches!(
        unlock(dir.path(), "barley wind seven lamps").await,
        Err(UnlockError::WrongPassphrase { .. })
    ));
    let vault = unlock(dir.path(), "new words").await.expect("the new one");
    assert_eq!(vault.signer().expect("open").key().verifying_key(), public);
    vault.lock().await;
    Vault::unlock_with_recovery(dir.path(), &code, NOW).await.expect("the code stays good").lock().await;

    let other = tempfile::tempdir().expect("a folder");
    let (vault, others_code) = create(other.path()).await;
    vault.lock().await;
    let refused = Vault::unlock_with_recovery(dir.path(), &others_code, NOW).await;
    assert!(matches!(refused, Err(UnlockError::WrongRecoveryCode { failures: 1, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_keychain_helps_but_is_not_needed_unless_the_policy_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let said = passphrase("said");
    let secret = || Some(KeychainSecret::new([3; 32]));
    let new = NewVault { keychain: secret(), ..new_vault(&said) };
    Vault::create(dir.path(), new).await.expect("made").0.lock().await;
    for keychain in [secret(), None, Some(KeychainSecret::new([4; 32]))] {
        Vault::unlock(dir.path(), Id([1; 16]), &said, keychain, NOW)
            .await
            .expect("the passphrase alone will do")
            .lock()
            .await;
    }

    let strict = tempfile::tempdir().expect("a folder");
    let new = NewVault { keychain: secret(), passphrase_alone: false, ..new_vault(&said) };
    Vault::create(strict.path(), new).await.expect("made").0.lock().await;
    assert!(matches!(
        Vault::unlock(strict.path(), Id([1; 16]), &said, None, NOW).await,
        Err(UnlockError::KeychainNeeded)
    ));
    let wrong =
        Vault::unlock(strict.path(), Id([1; 16]), &said, Some(KeychainSecret::new([4; 32])), NOW).await;
    assert!(matches!(wrong, Err(UnlockError::WrongPassphrase { .. })));
    Vault::unlock(strict.path(), Id([1; 16]), &said, secret(), NOW).await.expect("both").lock().await;

    let nothing = tempfile::tempdir().expect("a folder");
    let new = NewVault { passphrase_alone: false, ..new_vault(&said) };
    assert!(matches!(Vault::create(nothing.path(), new).await, Err(CreateError::NoWay)));
    assert_eq!(Vault::inspect(nothing.path()), VaultState::Absent);
}

#[tokio::test]
async fn the_pin_frees_the_screen_and_five_wrong_ones_lock_the_vault() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, _) = create(dir.path()).await;
    let pin = |text: &str| Pin::new(text.to_owned()).expect("digits");
    assert!(matches!(vault.screen_unlock(&pin("2580")).await, Err(PinError::NoPin)));
    vault.set_pin(&pin("2580")).await.expect("set");
    assert!(vault.has_pin().await.expect("open"));
    vault.screen_lock();
    assert_eq!(vault.signer().map(|_| ()), Err(KeyError::ScreenLocked));
    assert!(vault.set_pin(&pin("1111")).await.is_err(), "not while the screen is locked");
    vault
        .store()
        .save_draft(SaveDraft {
            id: "d".into(),
            kind: "k".into(),
            patient: None,
            updated_at: 0,
            body: vec![1].into(),
        })
        .await
        .expect("the store goes on");
    for left in [4, 3, 2, 1] {
        assert!(
            matches!(vault.screen_unlock(&pin("0000")).await, Err(PinError::Wrong { left: l }) if l == left)
        );
    }
    vault.screen_unlock(&pin("2580")).await.expect("the right one");
    assert!(vault.signer().is_ok());

    vault.screen_lock();
    for _ in 0..4 {
        assert!(
            matches!(vault.screen_unlock(&pin("0000")).await, Err(PinError::Wrong { .. })),
            "counted anew"
        );
    }
    assert!(matches!(vault.screen_unlock(&pin("0000")).await, Err(PinError::VaultLocked)));
    assert!(vault.is_locked());
    assert!(
        matches!(vault.screen_unlock(&pin("2580")).await, Err(PinError::VaultLocked)),
        "the passphrase is needed now"
    );
    let vault = unlock(dir.path(), "barley wind seven lamps").await.expect("the passphrase");

    vault.screen_lock();
    vault
        .enter(Id([1; 16]), &passphrase("barley wind seven lamps"), None, NOW)
        .await
        .expect("instead of the PIN");
    assert_eq!(vault.is_screen_locked(), Ok(false));
    for bad in ["123", "12345a", "", "1234567890123"] {
        assert!(Pin::new(bad.to_owned()).is_err());
    }
}

#[tokio::test]
async fn a_vault_cut_off_while_it_was_made_is_none_or_a_whole_one() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("records.new"), b"half a database").expect("written");
    fs::write(dir.path().join("records.new-wal"), b"and its log").expect("written");
    assert_eq!(Vault::inspect(dir.path()), VaultState::Absent);
    create(dir.path()).await.0.lock().await;
    // The last step undone: the records still have their first name.
    fs::rename(dir.path().join("records.db"), dir.path().join("records.new")).expect("renamed");
    unlock(dir.path(), "barley wind seven lamps").await.expect("finished now").lock().await;
    assert!(dir.path().join("records.db").exists());
}

#[tokio::test]
async fn the_devices_key_signs_for_the_log_once_it_is_enrolled() {
    let dir = tempfile::tempdir().expect("a folder");
    let (vault, _) = create(dir.path()).await;
    assert!(matches!(vault.sealer().await, Err(KeyError::NotEnrolled)));
    let key = vault.device_key().expect("open");
    let signature = ed25519_dalek::Signer::sign(&*key, b"hello");
    vault.set_device(Id([6; 16])).await.expect("set");
    let sealer = vault.sealer().await.expect("enrolled");
    assert_eq!(crate::Sealer::device(&sealer), Id([6; 16]));
    assert!(sealer.key().verifying_key().verify(b"hello", &signature).is_ok());
    drop((key, sealer));
    vault.lock().await;
    let vault = unlock(dir.path(), "barley wind seven lamps").await.expect("open");
    let key = vault.device_key().expect("open");
    assert!(key.verifying_key().verify(b"hello", &signature).is_ok(), "the same key after a restart");
}

#[test]
fn secrets_print_nothing() {
    let printed =
        format!("{:?} {:?} {:?}", passphrase("barley"), Pin::new("2580".into()), RecoveryCode::random());
    assert_eq!(printed, "[..] Ok([..]) RecoveryCode[..]");
}

#[test]
fn a_passphrase_is_the_same_on_every_keyboard() {
    // An e with its accent as one character and as two; Arabic letters as presentation forms.
    assert_eq!(passphrase("caf\u{e9} ").bytes(), passphrase("cafe\u{301}").bytes());
    assert_eq!(passphrase("\u{fee3}\u{fea4}").bytes(), passphrase("\u{645}\u{62d}").bytes());
}
