//! A program that is killed while somebody types loses nothing that was said to be saved.

use std::{
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use rabta_store::{
    RecordStore, SaveDraft,
    vault::{NewVault, OpenVault, Passphrase, Person, Vault},
};
use rabta_wire::Id;

const PERSON: Id = Id([1; 16]);
const FOLDER: &str = "RABTA_CRASH_TEST_DIR";

fn passphrase() -> Passphrase {
    Passphrase::new("kill me while I type".into())
}

async fn unlock(dir: &Path) -> OpenVault {
    Vault::unlock(dir, PERSON, &passphrase(), None, 0).await.expect("the vault opens")
}

fn draft(n: u64) -> SaveDraft {
    // A form grows while it is typed; the number at both ends shows a torn one.
    let body = format!("{n}|{}|{n}", "a word ".repeat((n % 500) as usize));
    SaveDraft {
        id: "visit".into(),
        kind: "visit".into(),
        patient: None,
        updated_at: 0,
        body: body.into_bytes().into(),
    }
}

async fn last_saved(dir: &Path) -> Option<u64> {
    let vault = unlock(dir).await;
    let draft = vault.store().draft("visit").await.expect("readable");
    vault.lock().await;
    draft.map(|draft| {
        let body = String::from_utf8(draft.body.0).expect("text");
        let (first, last) = (body.split('|').next(), body.rsplit('|').next());
        assert_eq!(first, last, "no half of a form");
        first.and_then(|n| n.parse().ok()).expect("a number")
    })
}

/// Saves and says so, until it is killed.
#[test]
#[ignore = "runs in a process of its own, started by the test below"]
fn child() {
    let Some(dir) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let dir = Path::new(&dir);
        let vault = unlock(dir).await;
        let from = vault.store().draft("visit").await.expect("readable").map_or(0, |draft| {
            String::from_utf8_lossy(&draft.body)
                .split('|')
                .next()
                .and_then(|n| n.parse().ok())
                .expect("a number")
        });
        let mut out = std::io::stdout();
        for n in from + 1.. {
            vault.store().save_draft(draft(n)).await.expect("saved");
            writeln!(out, "saved {n}").and_then(|()| out.flush()).expect("the parent reads");
        }
    });
}

#[tokio::test]
async fn the_last_acknowledged_save_survives_kill_9() {
    let dir = tempfile::tempdir().expect("a folder");
    let said = passphrase();
    let person = Person { id: PERSON, name: "Dr".into(), role: "doctor".into() };
    let new = NewVault {
        vault: Id([2; 16]),
        purpose: rabta_store::vault::Use::Clinic,
        person,
        passphrase: &said,
        keychain: None,
        passphrase_alone: true,
    };
    Vault::create(dir.path(), new).await.expect("made").0.lock().await;

    for round in 0_u64..6 {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut acknowledged = 0;
        let mut seen = 0;
        for line in lines.map_while(Result::ok) {
            let Some(n) = line.strip_prefix("saved ").and_then(|n| n.parse::<u64>().ok()) else { continue };
            acknowledged = n;
            seen += 1;
            // Not always at the same place of the write-ahead log, once beyond a checkpoint.
            if seen == 20 + round * 97 {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("gone");
        assert!(acknowledged > 0, "the child saved something");
        let kept = last_saved(dir.path()).await.expect("something is there");
        assert!(kept >= acknowledged, "round {round}: {acknowledged} was acknowledged, {kept} is there");
    }
}
