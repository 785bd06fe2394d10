use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use rabta_wire::signal::{Address, Party};
use tokio::sync::mpsc;

/// Carries frames to sockets. In one process that is a map; on several nodes it is whatever connects them.
pub trait RoomBus: Send + Sync {
    /// Registers a socket of `party`; what is published to it arrives in `sender`. Returns its number.
    fn join(&self, party: Party, sender: mpsc::Sender<String>) -> u64;
    fn leave(&self, socket: u64);
    /// Sends `frame` to every socket that `to` names; returns the parties that got it.
    fn publish(&self, to: Address, frame: &str) -> Vec<Party>;
    /// Whether anybody whom `who` names has a socket.
    fn is_here(&self, who: Address) -> bool;
    fn sockets(&self) -> usize;
}

/// All sockets are in this process.
#[derive(Default)]
pub struct LocalBus {
    next: AtomicU64,
    sockets: Mutex<HashMap<u64, (Party, mpsc::Sender<String>)>>,
}

impl LocalBus {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, (Party, mpsc::Sender<String>)>> {
        self.sockets.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl RoomBus for LocalBus {
    fn join(&self, party: Party, sender: mpsc::Sender<String>) -> u64 {
        let socket = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(socket, (party, sender));
        socket
    }

    fn leave(&self, socket: u64) {
        self.lock().remove(&socket);
    }

    fn publish(&self, to: Address, frame: &str) -> Vec<Party> {
        let sockets = self.lock();
        let addressed = sockets.values().filter(|(p, _)| names(to, *p));
        // A socket that does not read fast enough loses frames; the ends number and repeat them.
        let mut got: Vec<Party> =
            addressed.filter(|(_, s)| s.try_send(frame.to_owned()).is_ok()).map(|(p, _)| *p).collect();
        got.sort_unstable();
        got.dedup();
        got
    }

    fn is_here(&self, who: Address) -> bool {
        self.lock().values().any(|(p, _)| names(who, *p))
    }

    fn sockets(&self) -> usize {
        self.lock().len()
    }
}

fn names(who: Address, party: Party) -> bool {
    party.person == who.person && who.device.is_none_or(|device| device == party.device)
}
