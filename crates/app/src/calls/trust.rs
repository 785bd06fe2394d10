//! Whose key signed a DTLS fingerprint, and how the other person is called.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use rabta_store::{RecordStore, SqliteStore};
use rabta_sync::{Keyring, SyncHandle};
use rabta_wire::{
    Id,
    cert::{Cert, Subject},
    signal::Party,
};

/// Certificates of a colleague who joined a minute ago may be on their way.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(250);

/// Reads certificates out of the store, each verified with the HIE's key.
#[derive(Clone)]
pub(crate) struct Trust {
    pub store: SqliteStore,
    pub hie: VerifyingKey,
    pub sync: SyncHandle,
}

impl Trust {
    /// Whether the certified key of `by.device` made `signature` (base64) over `bytes`, and the device and the person
    /// are of one facility and neither is revoked.
    pub async fn signed(&self, by: Party, bytes: &[u8], signature: &str) -> bool {
        let Some(signature) = STANDARD.decode(signature).ok().and_then(|s| Signature::from_slice(&s).ok())
        else {
            return false;
        };
        let Some((device, person)) = self.both(by).await else {
            tracing::warn!(device = %by.device, "no certificate for the other end of a call");
            return false;
        };
        let key = VerifyingKey::from_bytes(&device.key);
        let good = key.is_ok_and(|key| key.verify_strict(bytes, &signature).is_ok());
        good && !device.revoked && !person.revoked && device.facility == person.facility
    }

    async fn both(&self, by: Party) -> Option<(Cert, Cert)> {
        for attempt in 0..TRIES {
            let device = self.cert(by.device).await.filter(|c| matches!(c.subject, Subject::Device { .. }));
            let person = self.cert(by.person).await.filter(|c| matches!(c.subject, Subject::Person { .. }));
            if let (Some(device), Some(person)) = (device, person) {
                return Some((device, person));
            }
            if attempt == 0 {
                self.sync.now();
            }
            tokio::time::sleep(BETWEEN).await;
        }
        None
    }

    /// The HIE's newest word on `subject`.
    pub async fn cert(&self, subject: Id) -> Option<Cert> {
        let stored = self.store.certs(subject).await.ok()?;
        let mut ring = Keyring::new(self.hie);
        for cert in &stored {
            ring.learn(&cert.bytes);
        }
        ring.certs(subject).first().map(|cert| (*cert).clone())
    }

    /// Name and role of a person, as the HIE certified them.
    pub async fn person(&self, person: Id) -> Option<(String, String)> {
        match self.cert(person).await?.subject {
            Subject::Person { name, role, .. } => Some((name, role)),
            Subject::Device { .. } => None,
        }
    }
}
