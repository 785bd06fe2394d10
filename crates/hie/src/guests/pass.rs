use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rabta_wire::{Id, signal::Party};
use sha2::{Digest, Sha256};
use tokio::sync::broadcast;

use crate::db::settings::random;

/// A call may last as long, with time to come back.
const LIFE_MS: i64 = 2 * 3_600_000;

/// What phones that joined carry: opens the guests' socket and nothing else. In memory, as hashes; after a restart the
/// page joins again.
pub struct Passes {
    open: Mutex<HashMap<[u8; 32], (Party, i64)>>,
    /// A link was closed or moved: its sockets look again.
    changed: broadcast::Sender<Id>,
}

impl Default for Passes {
    fn default() -> Self {
        Self { open: Mutex::default(), changed: broadcast::channel(64).0 }
    }
}

impl Passes {
    /// A fresh pass for the guest's tab; it takes the place of every other pass of that guest.
    pub fn issue(&self, party: Party, now: i64) -> String {
        let token = URL_SAFE_NO_PAD.encode(random::<20>());
        let mut open = self.lock();
        open.retain(|_, (held, ends)| *ends > now && held.person != party.person);
        open.insert(Sha256::digest(&token).into(), (party, now + LIFE_MS));
        token
    }

    pub fn party(&self, token: &str, now: i64) -> Option<Party> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        self.lock().get(&hash).filter(|(_, ends)| *ends > now).map(|(party, _)| *party)
    }

    /// Whether that tab still has a pass.
    pub fn holds(&self, party: Party, now: i64) -> bool {
        self.lock().values().any(|(held, ends)| *held == party && *ends > now)
    }

    /// Every pass of the guest but that of `keep` is worth nothing, at once.
    pub fn drop_others(&self, guest: Id, keep: Option<Id>) {
        self.lock().retain(|_, (held, _)| held.person != guest || Some(held.device) == keep);
        let _ = self.changed.send(guest);
    }

    /// Passes of all other guests are worth nothing, at once.
    pub fn keep(&self, guests: &HashSet<Id>) {
        let mut ended = HashSet::new();
        self.lock().retain(|_, (held, _)| {
            let stays = guests.contains(&held.person);
            if !stays {
                ended.insert(held.person);
            }
            stays
        });
        for guest in ended {
            let _ = self.changed.send(guest);
        }
    }

    pub fn changes(&self) -> broadcast::Receiver<Id> {
        self.changed.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], (Party, i64)>> {
        self.open.lock().unwrap_or_else(|e| e.into_inner())
    }
}
