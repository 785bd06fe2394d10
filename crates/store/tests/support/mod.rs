//! A vault with one person, and entries of its log.

use std::path::Path;

use rabta_store::{
    DeviceSigner, NewEnvelope, RecordStore as _, Transaction,
    vault::{NewVault, OpenVault, Passphrase, Person, RecoveryCode, Use, Vault},
};
use rabta_wire::{Id, envelope::Kind};

pub const NOW: i64 = 1_700_000_000_000;
/// The first person's passphrase.
pub const SAID: &str = "barley wind seven lamps";
/// The device whose vault it is at first.
pub const DEVICE: u8 = 5;

pub fn person(n: u8) -> Person {
    Person { id: Id([n; 16]), name: format!("Dr {n}"), role: "doctor".into() }
}

/// A new vault of the first person.
pub async fn create(dir: &Path) -> (OpenVault, RecoveryCode) {
    let passphrase = Passphrase::new(SAID.into());
    let new = NewVault {
        vault: Id([9; 16]),
        purpose: Use::Clinic,
        person: person(1),
        passphrase: &passphrase,
        keychain: None,
        passphrase_alone: true,
    };
    let (vault, recovery) = Vault::create(dir, new).await.unwrap();
    vault.set_device(Id([DEVICE; 16])).await.unwrap();
    (vault, recovery)
}

/// Signs and stores the log's next entry.
pub async fn append(vault: &OpenVault, n: u64, device: u8) {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    let new = NewEnvelope {
        id: Id(id),
        kind: Kind::Visit,
        patient: Some(Id([8; 16])),
        facility: Id([4; 16]),
        task: None,
        base_version: None,
        depends: vec![],
        device_time: NOW,
        clock_offset: None,
        signed_by: None,
        payload: br#"{"resourceType":"Bundle","type":"document","entry":[]}"#.to_vec().into(),
    };
    let signer = DeviceSigner::new(Id([device; 16]), vault.device_key().unwrap());
    vault.store().commit(Transaction::new().append(new), Some(&signer)).await.unwrap();
}
