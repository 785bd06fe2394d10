//! A full disk is said at once, and nothing is half-written. Needs the right to mount a small file system; says so
//! where it is missing.

#![cfg(target_os = "linux")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rabta_store::{
    RecordStore, SaveDraft, StoreError, Transaction,
    vault::{NewVault, Passphrase, Person, Vault},
};
use rabta_wire::Id;

#[path = "../../../tests/src/left_out.rs"]
mod left_out;

const PERSON: Id = Id([1; 16]);

/// A file system of `kb` kilobytes, gone when this is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, kb: u32) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let options = format!("size={kb}k");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "rabta-test"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Bytes that no compression makes smaller.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

fn draft(id: &str, body: Vec<u8>) -> SaveDraft {
    SaveDraft { id: id.into(), kind: "visit".into(), patient: None, updated_at: 0, body: body.into() }
}

#[tokio::test]
async fn a_full_disk_is_said_at_once_and_nothing_is_half_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = folder.path().join("disk");
    let Some(_mounted) = SmallDisk::mount(&disk, 3000) else {
        left_out::left_out("this user may not mount a file system");
        return;
    };
    let dir = disk.join("data");
    let passphrase = Passphrase::new("barley wind".into());
    let person = Person { id: PERSON, name: "Dr".into(), role: "doctor".into() };
    let new = NewVault {
        vault: Id([2; 16]),
        purpose: rabta_store::vault::Use::Clinic,
        person,
        passphrase: &passphrase,
        keychain: None,
        passphrase_alone: true,
    };
    let (vault, _) = Vault::create(&dir, new).await.expect("made");
    let store = vault.store();
    store.save_draft(draft("typed", b"first words".to_vec())).await.expect("there is room");
    // What somebody deletes in the end to make room.
    let ballast = disk.join("ballast");
    fs::write(&ballast, noise(2, 200_000)).expect("there is room");

    let mut kept = Vec::new();
    let full = loop {
        let n = kept.len() as u64;
        match store.save_draft(draft(&format!("{n}"), noise(n, 60_000))).await {
            Ok(_) => kept.push(noise(n, 60_000)),
            Err(error) => break error,
        }
        assert!(kept.len() < 100, "the disk never filled");
    };
    assert!(matches!(full, StoreError::DiskFull), "{full:?}");
    assert_eq!(full.to_string(), "the disk is full");
    // Several writes in one transaction: none of them happens.
    let both = Transaction::new().set("small", "1").save_draft(draft("big", noise(7, 400_000)));
    assert!(matches!(store.commit(both, None).await, Err(StoreError::DiskFull)));

    for (n, body) in kept.iter().enumerate() {
        let read = store.draft(&format!("{n}")).await.expect("still readable").expect("was acknowledged");
        assert_eq!(&*read.body, body);
    }
    assert_eq!(store.draft(&format!("{}", kept.len())).await.expect("readable"), None);
    assert_eq!(store.setting("small").await.expect("readable"), None);
    assert_eq!(store.draft("typed").await.expect("readable").expect("there").body.as_slice(), b"first words");

    // Not even a new passphrase is half-set: fill what is left, then try.
    let filler = disk.join("filler");
    let mut size = 1_000_000;
    while size > 0 {
        if fs::write(&filler, noise(1, size)).is_ok() {
            break;
        }
        size /= 2;
    }
    let other = Passphrase::new("other words".into());
    let refused = vault.set_passphrase(&other, None, true).await;
    fs::remove_file(&filler).expect("there");
    fs::remove_file(&ballast).expect("there");
    vault.lock().await;
    let now = if refused.is_ok() { &other } else { &passphrase };
    let vault = Vault::unlock(&dir, PERSON, now, None, 0).await.expect("the passphrase that counts");

    // With room again it goes on, everything in place.
    vault.store().save_draft(draft("typed", b"more words".to_vec())).await.expect("there is room again");
    assert_eq!(vault.store().drafts(None).await.expect("readable").len(), kept.len() + 1);
    vault.lock().await;
}

#[tokio::test]
async fn a_vault_is_made_wholly_or_not_at_all_on_a_full_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = false;
    for kb in [4, 40, 120, 200, 280, 360, 500, 1000] {
        let disk = folder.path().join(format!("{kb}"));
        let Some(_mounted) = SmallDisk::mount(&disk, kb) else {
            left_out::left_out("this user may not mount a file system");
            return;
        };
        let dir = disk.join("data");
        let passphrase = Passphrase::new("barley wind".into());
        let person = Person { id: PERSON, name: "Dr".into(), role: "doctor".into() };
        let new = NewVault {
            vault: Id([2; 16]),
            purpose: rabta_store::vault::Use::Clinic,
            person,
            passphrase: &passphrase,
            keychain: None,
            passphrase_alone: true,
        };
        match Vault::create(&dir, new).await {
            Ok((vault, _)) => {
                vault.lock().await;
                made = true;
            }
            Err(error) => assert!(!made, "{kb} kB: {error}, but less was enough before"),
        }
        match Vault::inspect(&dir) {
            rabta_store::vault::VaultState::Absent => assert!(!made, "{kb} kB"),
            rabta_store::vault::VaultState::Locked(_) => {
                // It may only refuse for want of room, never for damage.
                match Vault::unlock(&dir, PERSON, &passphrase, None, 0).await {
                    Ok(vault) => vault.lock().await,
                    Err(error) => assert!(!made, "{kb} kB: {error}"),
                }
            }
            state => panic!("{kb} kB: {state:?}"),
        }
    }
    assert!(made, "a megabyte is enough");
}
