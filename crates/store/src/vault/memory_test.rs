//! What vault lock leaves in memory: a child process looks through its own.

#![cfg(target_os = "linux")]

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    process::Command,
};

use rabta_wire::Id;

use super::{NewVault, Passphrase, Person, Pin, Vault, derive};
use crate::{RecordStore, SaveDraft, Transaction};

/// What is looked for is kept XORed, so that looking finds no copy of one's own.
const MASK: u8 = 0x5a;

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|b| b ^ MASK).collect()
}

/// Memory is looked through in pieces of this size, so that the search leaves no second copy of what it reads.
const PIECE: usize = 1 << 20;

/// Places in this process's writable memory that hold each of the masked needles.
fn look_for(needles: &[(&'static str, Vec<u8>)]) -> Vec<String> {
    let longest = needles.iter().map(|(_, needle)| needle.len()).max().expect("there are needles");
    let mut begins = [false; 256];
    needles.iter().for_each(|(_, needle)| begins[usize::from(needle[0])] = true);
    let maps = fs::read_to_string("/proc/self/maps").expect("the kernel's list of maps");
    let memory = File::open("/proc/self/mem").expect("one's own memory");
    let mut found = Vec::new();
    let mut piece = vec![0_u8; PIECE];
    for map in maps.lines() {
        let mut columns = map.split_whitespace();
        let (Some(range), Some(rights)) = (columns.next(), columns.next()) else { continue };
        let name = columns.nth(3).unwrap_or("anonymous").to_owned();
        if !rights.starts_with("rw") || name == "[vvar]" {
            continue;
        }
        let (start, end) = range.split_once('-').expect("a range");
        let parse = |text| u64::from_str_radix(text, 16).expect("an address");
        let (mut at, end) = (parse(start), parse(end));
        while at < end {
            let length = usize::try_from(end - at).map_or(PIECE, |left| left.min(PIECE));
            let read = memory.read_exact_at(&mut piece[..length], at);
            // From here on only masked bytes are in this buffer, which is memory, too; also where reading failed
            // halfway, since a thread's end takes its maps along.
            piece.iter_mut().for_each(|b| *b ^= MASK);
            if read.is_err() {
                piece.fill(0);
                break;
            }
            for (i, byte) in piece[..length].iter().enumerate() {
                if begins[usize::from(*byte)] {
                    for (what, needle) in needles {
                        if piece[i..length].starts_with(needle) {
                            found.push(format!("{what} at {:x} in {name} {range}", at + i as u64));
                        }
                    }
                }
            }
            // The masked needles were read, too: unmasked now, they would be found in this buffer.
            piece.fill(0);
            // The next piece begins where a needle may have been cut.
            let last = at + length as u64 == end;
            at += if last { length } else { length - longest + 1 } as u64;
        }
    }
    found
}

async fn a_working_day(dir: std::path::PathBuf) {
    let mut typed = String::with_capacity(64);
    let random: [u8; 12] = derive::random_bytes();
    typed.extend(random.iter().map(|b| char::from(b'a' + b % 26)));
    typed.push_str(" and words");
    let masked_passphrase = masked(typed.as_bytes());
    let passphrase = Passphrase::new(typed);
    let person = Person { id: Id([1; 16]), name: "Dr".into(), role: "doctor".into() };
    let new = NewVault {
        vault: Id([2; 16]),
        purpose: crate::vault::Use::Clinic,
        person,
        passphrase: &passphrase,
        keychain: None,
        passphrase_alone: true,
    };
    let (vault, recovery) = Vault::create(&dir, new).await.expect("made");
    vault.lock().await;
    let masked_recovery = masked(recovery.reveal().as_bytes());
    drop((vault, recovery));

    let vault = Vault::unlock(&dir, Id([1; 16]), &passphrase, None, 0).await.expect("open");
    let signing = masked(vault.signer_secret_for_test().as_slice());
    let needles = {
        let secrets = vault.secrets();
        let secrets = secrets.as_ref().expect("open");
        let key = masked(secrets.key.0.as_slice());
        let hex: Vec<u8> = key
            .iter()
            .map(|b| b ^ MASK)
            .flat_map(|b| [b >> 4, b & 15])
            .map(|digit| (if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }) ^ MASK)
            .collect();
        let upper: Vec<u8> = hex.iter().map(|b| (b ^ MASK).to_ascii_uppercase() ^ MASK).collect();
        vec![
            ("key", key),
            ("key in hex", hex),
            ("key in upper hex", upper),
            ("passphrase", masked_passphrase),
            ("recovery code", masked_recovery),
            ("person's signing key", signing),
        ]
    };
    derive::burn_stack();
    // Work: reads, writes, a PIN, another unlock's worth of Argon2.
    vault.set_pin(&Pin::new("2580".into()).expect("digits")).await.expect("set");
    vault.screen_lock();
    vault.screen_unlock(&Pin::new("2580".into()).expect("digits")).await.expect("right");
    for n in 0..50 {
        let draft = SaveDraft {
            id: format!("{n}"),
            kind: "k".into(),
            patient: None,
            updated_at: 0,
            body: vec![n; 3000].into(),
        };
        vault.store().save_draft(draft).await.expect("saved");
        vault.store().drafts(None).await.expect("read");
    }
    vault.store().commit(Transaction::new().set("a", "b"), None).await.expect("saved");
    vault.enter(Id([1; 16]), &passphrase, None, 0).await.expect("right");

    let open = look_for(&needles);
    assert!(open.iter().any(|f| f.starts_with("key at")), "the search would find it: {open:?}");
    assert!(open.iter().any(|f| f.starts_with("passphrase at")), "the search would find it: {open:?}");

    vault.lock().await;
    drop(passphrase);
    derive::burn_stack();
    // The database's threads end on their own: what they hold goes with them, a moment after the lock.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let mut left = look_for(&needles);
    while !left.is_empty() && std::time::Instant::now() < deadline {
        tokio::task::yield_now().await;
        left = look_for(&needles);
    }
    assert!(left.is_empty(), "left in memory: {left:#?}");
}

#[test]
#[ignore = "runs in a process of its own, started by the test below"]
fn child() {
    let Some(dir) = std::env::var_os("RABTA_MEMORY_TEST_DIR") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async { tokio::spawn(a_working_day(dir.into())).await.expect("nothing is left") });
}

#[test]
fn after_vault_lock_no_key_and_no_passphrase_is_in_memory() {
    let dir = tempfile::tempdir().expect("a folder");
    let done = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "vault::memory_test::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env("RABTA_MEMORY_TEST_DIR", dir.path())
        .output()
        .expect("started");
    assert!(dir.path().join("records.db").exists(), "the child worked");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("1 passed"), "the child ran");
}
