//! Envelopes that cannot be verified: kept, counted, tried again when a certificate comes, never part of the
//! record.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rabta_store::{Pulled, RecordStore, StoreError, Transaction};
use rabta_wire::Id;
use serde::{Deserialize, Serialize};

use crate::verify::{Apart, Keyring};

const SETTING: &str = "sync.apart";
/// Somebody who floods us with rubbish fills no disk: beyond this only the latest are kept.
const MOST: usize = 50;
const MOST_BYTES: usize = 4_000_000;

/// An envelope kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub hie_seq: u64,
    /// Milliseconds since 1970, the HIE's clock.
    pub received_at: i64,
    /// Whose log it claims to be from; `None` where not even that can be read.
    pub device: Option<Id>,
    pub why: Apart,
    /// Base64.
    bytes: String,
}

impl Kept {
    pub(crate) fn new(hie_seq: u64, received_at: i64, bytes: &[u8], why: Apart) -> Self {
        let header = rabta_wire::envelope::Envelope::from_bytes(bytes).and_then(|e| e.header());
        Self {
            hie_seq,
            received_at,
            device: header.ok().map(|h| h.device),
            why,
            bytes: STANDARD.encode(bytes),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        STANDARD.decode(&self.bytes).unwrap_or_default()
    }
}

/// What is kept apart, oldest first.
pub async fn kept_apart(store: &impl RecordStore) -> Result<Vec<Kept>, StoreError> {
    let text = store.setting(SETTING).await?;
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default())
}

pub(crate) async fn save(store: &impl RecordStore, mut kept: Vec<Kept>) -> Result<(), StoreError> {
    kept.sort_by_key(|k| k.hie_seq);
    kept.dedup_by_key(|k| k.hie_seq);
    let mut bytes = 0;
    let fits = kept.iter().rev().take(MOST).take_while(|k| {
        bytes += k.bytes.len();
        bytes <= MOST_BYTES
    });
    let count = fits.count();
    kept.drain(..kept.len() - count);
    let text = serde_json::to_vec(&kept).expect("strings and numbers");
    store.commit(Transaction::new().set(SETTING, text), None).await.map(|_| ())
}

/// Splits what `keyring` can verify by now from what stays apart.
pub(crate) fn retry(kept: Vec<Kept>, keyring: &Keyring) -> (Vec<Pulled>, Vec<Kept>) {
    let (mut good, mut still) = (Vec::new(), Vec::new());
    for one in kept {
        let bytes = one.bytes();
        match keyring.check(&bytes, one.received_at) {
            Ok(_) if one.why.may_mend() => {
                good.push(Pulled::Envelope { seq: one.hie_seq, received_at: one.received_at, bytes });
            }
            Err(why) => still.push(Kept { why, ..one }),
            Ok(_) => still.push(one),
        }
    }
    (good, still)
}
