//! Another key for the vault: everything is there afterwards, for everybody, and a process that is killed at any moment of
//! it leaves a vault that opens and holds what was acknowledged.

#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use rabta_store::{
    RecordStore as _,
    vault::{Newcomer, NewcomerKey, OpenVault, Passphrase, Pin, UnlockError, Vault},
};
use rabta_wire::Id;
use support::{DEVICE, NOW, SAID, append, create, person};

const SECOND: &str = "the well is deep enough";
/// Where a child process works.
const CHILD: &str = "RABTA_CHANGE_KEY_CHILD";
const ROUNDS: u32 = 24;

fn said(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

async fn unlock(dir: &Path, n: u8, passphrase: &str) -> Result<OpenVault, UnlockError> {
    Vault::unlock(dir, Id([n; 16]), &said(passphrase), None, NOW).await
}

fn records(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> =
        names.filter(|name| name.starts_with("records") && name.ends_with(".db")).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_still_gets_in_and_whoever_was_removed_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, recovery) = create(dir.path()).await;
    let vault = Arc::new(vault);
    let (key, passphrase, pin) = (NewcomerKey::random(), said(SECOND), Pin::new("2580".into()).unwrap());
    let new = Newcomer {
        person: person(2),
        key: &key,
        passphrase: &passphrase,
        pin: &pin,
        keychain: None,
        passphrase_alone: true,
    };
    let seconds = vault.add_person(new).await.unwrap();
    append(&vault, 1, DEVICE).await;
    let signs = vault.signer().unwrap().sign("a", b"b");
    let before = fs::read(dir.path().join("vault.json")).unwrap();
    let earlier =
        ["records.db", "records.db-wal"].map(|name| (name, fs::read(dir.path().join(name)).unwrap()));

    vault.change_key().await.unwrap();
    // The same open vault goes on.
    append(&vault, 2, DEVICE).await;
    assert_eq!(vault.signer().unwrap().sign("a", b"b"), signs);
    vault.change_key().await.unwrap();
    append(&vault, 3, DEVICE).await;
    assert_eq!(records(dir.path()), ["records-2.db"], "earlier keys' files are gone");
    assert!(matches!(Arc::into_inner(vault), Some(vault) if { vault.lock().await; true }));
    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join("vault.json")).unwrap()).unwrap();
    assert_eq!((&file["format"], &file["records"]), (&2.into(), &"records-2.db".into()));

    for (n, passphrase) in [(1, SAID), (2, SECOND)] {
        let vault = unlock(dir.path(), n, passphrase).await.unwrap();
        assert_eq!(vault.store().log_head().await.unwrap().seq, 3);
        assert_eq!(vault.person().unwrap(), Id([n; 16]));
        vault.signer().unwrap();
        vault.lock().await;
    }
    for code in [&recovery, &seconds] {
        let vault = Vault::unlock_with_recovery(dir.path(), code, NOW).await.unwrap();
        assert_eq!(vault.store().log_head().await.unwrap().seq, 3);
        vault.lock().await;
    }
    assert!(matches!(unlock(dir.path(), 1, SECOND).await, Err(UnlockError::WrongPassphrase { .. })));

    // A new passphrase and a new recovery code after it, and another person.
    let vault = Arc::new(unlock(dir.path(), 1, SAID).await.unwrap());
    vault.set_passphrase(&said("green boxes by the door"), None, true).await.unwrap();
    let recovery = vault.renew_recovery_code().await.unwrap();
    vault.remove_person(Id([2; 16])).await.unwrap();
    vault.change_key().await.unwrap();
    vault.lock().await;
    unlock(dir.path(), 1, "green boxes by the door").await.unwrap().lock().await;
    Vault::unlock_with_recovery(dir.path(), &recovery, NOW).await.unwrap().lock().await;
    assert!(matches!(unlock(dir.path(), 2, SECOND).await, Err(UnlockError::UnknownPerson)));

    // Whoever was removed has the vault.json of then: it opens the records of then, and none of now.
    let kept = tempfile::tempdir().unwrap();
    fs::write(kept.path().join("vault.json"), &before).unwrap();
    fs::copy(dir.path().join(&records(dir.path())[0]), kept.path().join("records.db")).unwrap();
    assert!(matches!(unlock(kept.path(), 2, SECOND).await, Err(UnlockError::DatabaseMismatch)));
    for (name, bytes) in earlier {
        fs::write(kept.path().join(name), bytes).unwrap();
    }
    unlock(kept.path(), 2, SECOND).await.unwrap().lock().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_meanwhile_waits_and_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Arc::new(create(dir.path()).await.0);
    let writing = {
        let vault = vault.clone();
        tokio::spawn(async move {
            for n in 0..40 {
                append(&vault, n, DEVICE).await;
            }
        })
    };
    for _ in 0..3 {
        vault.change_key().await.unwrap();
    }
    writing.await.unwrap();
    assert_eq!(vault.store().log_head().await.unwrap().seq, 40);
    vault.lock().await;
    assert_eq!(unlock(dir.path(), 1, SAID).await.unwrap().store().log_head().await.unwrap().seq, 40);
}

/// The process that is killed: writes and changes the key, over and over, and says what is durable.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of the next test"]
async fn child() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let vault = Arc::new(unlock(Path::new(&dir), 1, SAID).await.unwrap());
    println!("begun");
    let writing = {
        let vault = vault.clone();
        tokio::spawn(async move {
            loop {
                let n = vault.store().log_head().await.unwrap().seq;
                append(&vault, n, DEVICE).await;
                println!("durable {}", n + 1);
            }
        })
    };
    loop {
        vault.change_key().await.unwrap();
        println!("changed");
        if writing.is_finished() {
            panic!("the writer stopped");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_vault_opens_with_all_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, recovery) = create(dir.path()).await;
    vault.lock().await;
    let (mut changes, mut seen, mut one_takes) = (0, std::collections::BTreeSet::new(), None);
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Unlocking is slow on purpose; the moments that matter are after it.
        assert!(lines.by_ref().any(|line| line.unwrap().contains("begun")), "round {round}: the child began");
        let began = Instant::now();
        let mut durable = 0;
        let mut hear = |line: String| {
            // The last line may be cut.
            if let Some(n) = line.strip_prefix("durable ").and_then(|n| n.parse().ok()) {
                durable = n;
            }
            let changed = line == "changed";
            changes += u32::from(changed);
            changed
        };
        // One whole change first; then moments spread over the time of two, whatever the machine's speed.
        match one_takes {
            None => {
                assert!(lines.by_ref().any(|line| hear(line.unwrap())), "the key was changed");
                one_takes = Some(began.elapsed());
            }
            Some(one) => std::thread::sleep(one * (round * 37 % 100) / 50),
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            hear(line);
        }
        seen.extend(records(dir.path()));
        let vault = unlock(dir.path(), 1, SAID).await.unwrap_or_else(|e| panic!("round {round}: {e}"));
        let head = vault.store().log_head().await.unwrap();
        assert!(head.seq >= durable, "round {round}: {} of {durable}", head.seq);
        vault.signer().unwrap();
        assert_eq!(records(dir.path()).len(), 1, "round {round}: nothing is left over");
        vault.lock().await;
    }
    assert!(changes > 0 && seen.len() > 1, "the key was changed meanwhile: {changes}, {seen:?}");
    let vault = Vault::unlock_with_recovery(dir.path(), &recovery, NOW).await.unwrap();
    vault.lock().await;
}
