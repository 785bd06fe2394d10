//! Two laptops of one clinic on the same Wi-Fi while the HIE is out of reach ([`rabta_wire::nearby`]): each hands over
//! what the other lacks, and whichever of them finds a line first brings all of it to the HIE (`strays`).
//!
//! Nothing that goes this way counts as sent.

mod line;
mod mdns;
mod meet;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ed25519_dalek::VerifyingKey;
use rabta_store::{RecordStore, StoreError};
use rabta_wire::Id;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, watch},
    time::timeout,
};

pub use self::mdns::Mdns;
use self::{
    line::Ends,
    meet::{Here, Side},
};
use crate::{
    client::Identity,
    clock::{Clock, Offset},
    driver::SyncHandle,
    status::Changed,
};

/// How often it is looked who is due.
const LOOK: Duration = Duration::from_secs(3);
/// Milliseconds after which somebody is met again.
const EVERY: u64 = 30_000;
/// After a failure, and after somebody who is not of this clinic.
const LATER: u64 = 60_000;
const MUCH_LATER: u64 = 600_000;
/// How many may speak with this laptop at once.
const AT_ONCE: usize = 4;
const CONNECT: Duration = Duration::from_secs(5);

/// Why a meeting came to nothing, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum NearbyError {
    #[error("the line: {0}")]
    Line(#[from] io::Error),
    #[error("no word within its time")]
    Silent,
    #[error("something else than was agreed on")]
    Malformed,
    #[error("not a device of this facility")]
    Stranger,
    #[error("it is this laptop itself")]
    Myself,
    #[error("no certificate of the HIE is here yet")]
    NotEnrolled,
    #[error("the record may not be used here now")]
    Shut,
    #[error("looking for others: {0}")]
    Looking(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who was met in this run, and what went each way in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    pub device: Id,
    /// The device's, by the HIE's word.
    pub name: String,
    /// Milliseconds since 1970, by the HIE's clock as far as it is known.
    pub at: i64,
    /// Envelopes that were new over there, and here.
    pub handed: usize,
    pub taken: usize,
}

/// Somebody calls from this network, or does no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Came { name: String, addresses: Vec<SocketAddr> },
    Went { name: String },
}

/// Whose laptop it is, and what it goes by.
pub struct Host<S> {
    pub store: Arc<S>,
    pub me: Identity,
    /// The key that signs certificates.
    pub hie: VerifyingKey,
    pub clock: Arc<dyn Clock>,
    pub offset: Offset,
    pub sync: SyncHandle,
    /// Is told what came.
    pub changes: mpsc::UnboundedSender<Changed>,
    /// Whether the record may be used here now: a laptop whose lease ended meets nobody.
    pub open: Box<dyn Fn() -> bool + Send + Sync>,
}

/// A laptop among others on its Wi-Fi.
pub struct Nearby<S> {
    host: Host<S>,
    ends: Ends,
    /// What it calls itself.
    name: String,
    /// By what they call themselves: when they may be called again.
    due: Mutex<BTreeMap<String, u64>>,
    met: watch::Sender<Vec<Met>>,
    answering: Semaphore,
}

impl<S: RecordStore + 'static> Nearby<S> {
    /// `name` is what this laptop calls itself on this Wi-Fi.
    pub fn new(host: Host<S>, name: String) -> Self {
        let ends = Ends::of(&host.me.device_key);
        let (met, _) = watch::channel(Vec::new());
        Self { host, ends, name, due: Mutex::default(), met, answering: Semaphore::new(AT_ONCE) }
    }

    /// Follows who was met, the last one first.
    pub fn watch(&self) -> watch::Receiver<Vec<Met>> {
        self.met.subscribe()
    }

    /// Answers whoever calls at `listener` and calls whom `found` tells of while the HIE is out of reach, for as long as
    /// it is polled.
    pub async fn run(self, listener: TcpListener, found: mpsc::Receiver<Found>) {
        tokio::join!(self.answer(listener), self.call(found));
    }

    async fn answer(&self, listener: TcpListener) {
        let mut going = futures_util::stream::FuturesUnordered::new();
        loop {
            tokio::select! {
                came = listener.accept() => match came {
                    Ok((tcp, _)) => if let Ok(permit) = self.answering.try_acquire() {
                        going.push(async move {
                            let _permit = permit;
                            let met = async { self.meet(self.ends.accept(tcp).await?, Side::Answered).await };
                            if let Err(error) = met.await {
                                tracing::debug!(%error, "a laptop nearby called");
                            }
                        });
                    },
                    Err(error) => {
                        tracing::debug!(%error, "nobody nearby can be heard");
                        self.host.clock.sleep(LOOK).await;
                    }
                },
                Some(()) = futures_util::StreamExt::next(&mut going) => {}
            }
        }
    }

    async fn call(&self, mut found: mpsc::Receiver<Found>) {
        let mut there: BTreeMap<String, Vec<SocketAddr>> = BTreeMap::new();
        let mut looking = true;
        loop {
            tokio::select! {
                word = found.recv(), if looking => match word {
                    Some(Found::Came { name, addresses }) => {
                        if name != self.name {
                            there.insert(name, addresses);
                        }
                    }
                    Some(Found::Went { name }) => {
                        there.remove(&name);
                        self.due().remove(&name);
                    }
                    None => looking = false,
                },
                () = self.host.clock.sleep(LOOK) => {}
            }
            if self.host.sync.status().reachable || self.host.sync.is_calling() || !(self.host.open)() {
                continue;
            }
            let now = self.host.clock.monotonic_ms();
            let due: Vec<String> = there
                .keys()
                .filter(|name| self.due().get(*name).is_none_or(|at| *at <= now))
                .cloned()
                .collect();
            for name in due {
                let later = match self.call_one(&there[&name]).await {
                    Ok(()) => EVERY,
                    Err(error) => {
                        tracing::debug!(%error, "a laptop nearby was called");
                        match error {
                            NearbyError::Stranger | NearbyError::Myself => MUCH_LATER,
                            _ => LATER,
                        }
                    }
                };
                let at = self.host.clock.monotonic_ms() + later;
                self.due().insert(name, at);
            }
        }
    }

    async fn call_one(&self, addresses: &[SocketAddr]) -> Result<(), NearbyError> {
        let mut last = NearbyError::Silent;
        for address in addresses {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return self.meet(self.ends.connect(tcp).await?, Side::Called).await,
                Ok(Err(error)) => last = error.into(),
                Err(_) => {}
            }
        }
        Err(last)
    }

    async fn meet(&self, line: line::Line<TcpStream>, side: Side) -> Result<(), NearbyError> {
        if !(self.host.open)() {
            return Err(NearbyError::Shut);
        }
        let Host { store, me, hie, clock, offset, .. } = &self.host;
        let here = Here {
            store: store.clone(),
            me: me.clone(),
            hie: *hie,
            name: self.name.clone(),
            now: clock.unix_ms().saturating_add(offset.get().unwrap_or_default()),
        };
        let mut changed = Changed::default();
        let met = here.meet(line, side, &mut changed).await;
        if !changed.is_empty() {
            let _ = self.host.changes.send(changed);
            self.host.sync.handed();
        }
        let (mut met, name) = met?;
        self.due().insert(name, self.host.clock.monotonic_ms() + EVERY);
        self.met.send_modify(|all| {
            if let Some(at) = all.iter().position(|known| known.device == met.device) {
                let known = all.remove(at);
                (met.handed, met.taken) = (met.handed + known.handed, met.taken + known.taken);
            }
            all.insert(0, met);
        });
        Ok(())
    }

    fn due(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
