//! The sync while the vault is open: its loop, its WebSocket, and what the window shows of it.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;
use rabta_ipc::{
    Error, Event,
    gate::Progress,
    sync::{DataUsed, SyncChip},
};
use rabta_store::{RecordStore, SqliteStore, Transaction, vault::OpenVault};
use rabta_sync::{
    Changed, Driver, Endpoint, HieClient, Identity, Keyring, Offset, Pins, SocketEvent, SocketHandle, Status,
    SyncHandle, Traffic, nearby::Host, socket,
};
use rabta_wire::Id;
use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Inner, details,
    lease::Lease,
    nearby::{self, Standing},
    session::Enrollment,
    traffic::Meter,
};

/// What an earlier run learnt of the HIE's clock and when it last heard of it.
pub(crate) const REMEMBERED: &str = "sync.remembered";
/// How often that is written down, milliseconds: it is worth one fsync a minute, not one a request.
const REMEMBER_EVERY: i64 = 60_000;
/// A batch that touches more patients than this is told as "the lists changed".
const FEW: usize = 20;

/// A session's line to the HIE. In training there is none, and nothing that could make one.
pub(crate) struct Line(Option<SyncTask>);

impl Line {
    pub fn to_hie(sync: SyncTask) -> Self {
        Self(Some(sync))
    }

    pub fn training() -> Self {
        Self(None)
    }

    /// What is known of (HIE clock - device clock), milliseconds.
    pub fn clock_offset(&self) -> Option<i64> {
        self.0.as_ref()?.client.offset().get()
    }

    /// Milliseconds since 1970, device clock, of the HIE's last answer.
    pub fn last_contact(&self) -> Option<i64> {
        let sync = self.0.as_ref()?;
        sync.handle.status().last_contact.or(sync.remembered.last_contact)
    }

    /// Something was appended to the log.
    pub fn wake(&self) {
        if let Some(sync) = &self.0 {
            sync.handle.appended();
        }
    }

    /// Tries now, whatever failed before: somebody waits.
    pub fn hurry(&self) {
        if let Some(sync) = &self.0 {
            sync.socket.wake();
            sync.handle.now();
        }
    }

    /// For questions that are no sync; `training` where there is nobody to ask.
    pub fn client(&self) -> Result<&HieClient, Error> {
        self.0.as_ref().map(|sync| &sync.client).ok_or_else(|| Error::new("training"))
    }

    /// Stops all of it; when this returns, nothing of it runs.
    pub async fn stop(&self) {
        if let Some(sync) = &self.0 {
            sync.stop().await;
        }
    }

    /// The HIE saw two copies of this device.
    pub fn is_copied(&self) -> bool {
        self.0.as_ref().is_some_and(|sync| sync.handle.status().copied)
    }

    /// Envelopes of others that were not believed.
    pub fn apart(&self) -> u64 {
        self.0.as_ref().map_or(0, |sync| sync.handle.status().apart)
    }

    pub fn problem(&self) -> &'static str {
        self.0.as_ref().map_or("", SyncTask::problem)
    }

    /// A call is going on, and the rest waits.
    pub fn is_calling(&self) -> bool {
        self.0.as_ref().is_some_and(|sync| sync.handle.is_calling())
    }

    /// After a failure: when the next try is.
    pub fn next_try(&self) -> Option<i64> {
        self.0.as_ref()?.handle.status().next_try
    }

    /// What went over the line this month.
    pub async fn used(&self) -> Option<DataUsed> {
        Some(self.0.as_ref()?.meter.used().await)
    }

    /// Where it stands with the clinic's other laptops; `None` in training.
    pub async fn nearby(&self) -> Option<rabta_ipc::sync::Nearby> {
        Some(self.0.as_ref()?.nearby.lock().await.view())
    }

    /// Meets the clinic's other laptops from now on, or no more.
    pub async fn set_nearby(&self, on: bool) -> Result<(), Error> {
        self.0.as_ref().ok_or_else(|| Error::new("training"))?.set_nearby(on).await
    }

    pub fn chip(&self) -> SyncChip {
        self.0.as_ref().map(|sync| chip(&sync.handle.status())).unwrap_or_default()
    }
}

/// The sync of one open vault. Stops when it is told to, or when this is dropped.
pub(crate) struct SyncTask {
    handle: SyncHandle,
    socket: SocketHandle,
    client: HieClient,
    for_calls: Mutex<Option<mpsc::Receiver<SocketEvent>>>,
    remembered: Remembered,
    meter: Arc<Meter>,
    /// What meeting other laptops takes.
    meets: Meets,
    nearby: tokio::sync::Mutex<Standing>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

struct Meets {
    app: Arc<Inner>,
    store: SqliteStore,
    facility: Id,
    hie: VerifyingKey,
    changes: mpsc::UnboundedSender<Changed>,
    lease: Arc<Lease>,
}

#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
struct Remembered {
    clock_offset: Option<i64>,
    last_contact: Option<i64>,
}

impl Drop for SyncTask {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl SyncTask {
    /// Starts the loop and the socket for `person` at `vault`.
    pub(crate) async fn start(
        app: &Arc<Inner>,
        vault: &OpenVault,
        enrollment: &Enrollment,
        person: Id,
        lease: Arc<Lease>,
    ) -> Result<Self, Error> {
        let store = vault.store().clone();
        keep_certs(&store, enrollment).await?;
        let remembered = remembered(&store).await;
        let identity = Identity {
            device: enrollment.enrolled.device,
            person,
            device_key: vault.device_key().map_err(|_| Error::new("vault-locked"))?,
        };
        let clock = Clock::new(app);
        let offset = Offset::remembered(remembered.clock_offset);
        let client =
            HieClient::new(endpoint(enrollment)?, identity, clock, offset).map_err(crate::gate::hie)?;
        let (changes, changed) = mpsc::unbounded_channel();
        let seed =
            u64::from_le_bytes(enrollment.enrolled.device.0[8..].try_into().expect("eight of sixteen bytes"));
        let hie = hie_key(enrollment)?;
        let facility = enrollment.enrolled.invitation.facility.id;
        let meets = Meets {
            app: app.clone(),
            store: store.clone(),
            facility,
            hie,
            changes: changes.clone(),
            lease: lease.clone(),
        };
        let (driver, handle) = Driver::new(client.clone(), Arc::new(store.clone()), hie, changes, seed);
        let (heard, from_socket) = mpsc::channel(64);
        let (socket, keep_up) = socket(client.clone(), heard);
        let (for_calls, calls) = mpsc::channel(256);
        let meter = Arc::new(Meter::new(app, store.clone(), client.traffic().clone()));
        let counting = meter.clone();
        let task = Self {
            handle: handle.clone(),
            socket,
            meter,
            meets,
            nearby: tokio::sync::Mutex::default(),
            client,
            for_calls: Mutex::new(Some(calls)),
            remembered,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let (mut kept, store_of_pins) = (enrollment.clone(), store.clone());
        let told = task.client.told_pins();
        task.spawn(driver.run());
        task.spawn(keep_up);
        task.spawn(async move { counting.run().await });
        task.spawn(sort(from_socket, handle.clone(), for_calls));
        task.spawn(tell_changes(app.clone(), changed));
        task.spawn(keep_lease(app.clone(), handle.clone(), lease));
        task.spawn(tell_status(app.clone(), handle, store, facility, remembered));
        task.spawn(async move { keep_pins(&store_of_pins, &mut kept, person, told).await });
        task.tasks.close();
        if nearby::is_on(&task.meets.store).await {
            task.set_nearby(true).await?;
        }
        Ok(task)
    }

    /// Where nobody can be looked for, the page says so.
    async fn set_nearby(&self, on: bool) -> Result<(), Error> {
        let mut standing = self.nearby.lock().await;
        *standing = Standing::Off;
        if !on {
            return Ok(());
        }
        let lease = self.meets.lease.clone();
        let host = Host {
            store: Arc::new(self.meets.store.clone()),
            me: self.client.identity().cloned().ok_or_else(|| Error::new("not-enrolled"))?,
            hie: self.meets.hie,
            clock: self.client.clock().clone(),
            offset: self.client.offset().clone(),
            sync: self.handle.clone(),
            changes: self.meets.changes.clone(),
            open: Box::new(move || lease.shut().is_none()),
        };
        *standing = match nearby::start(self.meets.app.clone(), self.meets.facility, host).await {
            Ok((standing, going)) => {
                self.spawn(going);
                standing
            }
            Err(error) => {
                tracing::warn!(%error, "nobody nearby can be looked for");
                Standing::Failed
            }
        };
        Ok(())
    }

    /// What the socket says besides hints; once, for the calls.
    pub(crate) fn signaling(&self) -> Option<mpsc::Receiver<SocketEvent>> {
        self.for_calls.lock().expect("nothing panics while it is held").take()
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// The sending end of the WebSocket.
    pub(crate) fn socket(&self) -> &SocketHandle {
        &self.socket
    }

    /// Where a call's bytes are counted, too.
    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        self.client.traffic()
    }

    /// Steers the loop: a call makes it yield.
    pub(crate) fn handle(&self) -> &SyncHandle {
        &self.handle
    }

    /// As [`Line::stop`].
    async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
        self.meter.write().await;
    }

    /// Why nothing goes on until somebody does something; empty where nothing is wrong.
    fn problem(&self) -> &'static str {
        let status = self.handle.status();
        match (status.key_changed, status.refused) {
            (true, _) => "hie-key-changed",
            (false, _) if status.revoked => "device-revoked",
            (false, Some((code, _))) if code == "disk-full" => "hie-disk-full",
            (false, Some(_)) => "hie-refused",
            (false, None) if status.unread || status.unsaid => "hie-unreadable",
            (false, None) if status.copied => "device-copied",
            (false, None) => "",
        }
    }
}

/// This device's and person's certificates, which came with the enrollment, stand beside everybody's.
async fn keep_certs(store: &SqliteStore, enrollment: &Enrollment) -> Result<(), Error> {
    let mut ring = Keyring::new(hie_key(enrollment)?);
    let mut transaction = Transaction::new();
    for cert in &enrollment.enrolled.certs {
        let cert = URL_SAFE_NO_PAD.decode(cert).ok().and_then(|bytes| ring.learn(&bytes));
        let Some(cert) = cert else {
            tracing::warn!("a certificate of the enrollment is not the HIE's");
            continue;
        };
        let known = store.certs(cert.subject).await.map_err(crate::error::store)?;
        if !known.contains(&cert) {
            transaction = transaction.put_cert(cert);
        }
    }
    if !transaction.is_empty() {
        store.commit(transaction, None).await.map_err(crate::error::store)?;
    }
    Ok(())
}

/// The HIE rotates its key: the next one is kept, so that this laptop still knows it after the rotation that follows.
async fn keep_pins(
    store: &SqliteStore,
    enrollment: &mut Enrollment,
    person: Id,
    mut told: watch::Receiver<Option<Vec<[u8; 32]>>>,
) {
    while told.changed().await.is_ok() {
        let Some(pins) = told.borrow_and_update().clone() else { continue };
        enrollment.enrolled.pins = pins.iter().map(|pin| URL_SAFE_NO_PAD.encode(pin)).collect();
        let Ok(kept) = serde_json::to_vec(&enrollment) else { continue };
        let transaction = Transaction::new().set(Enrollment::setting(person), kept);
        match store.commit(transaction, None).await {
            Ok(_) => tracing::info!("the HIE's next key is kept"),
            Err(error) => tracing::warn!(%error, "the HIE's next key is not kept"),
        }
    }
}

/// The HIE's address and the keys that may answer there.
fn endpoint(enrollment: &Enrollment) -> Result<Endpoint, Error> {
    let pins = enrollment.enrolled.pins.iter().map(|pin| bytes32(pin)).collect::<Result<Vec<_>, _>>()?;
    Ok(Endpoint { address: enrollment.address.clone(), pins: Pins::whole(pins) })
}

pub(crate) fn hie_key(enrollment: &Enrollment) -> Result<VerifyingKey, Error> {
    let key = bytes32(&enrollment.enrolled.hie_key)?;
    VerifyingKey::from_bytes(&key).map_err(|_| Error::detail("unexpected", "the HIE's key"))
}

fn bytes32(text: &str) -> Result<[u8; 32], Error> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Error::detail("unexpected", "a key of the enrollment"))
}

/// The app's clock as the sync wants it.
pub(crate) struct Clock {
    app: Arc<Inner>,
    start: Instant,
}

impl Clock {
    pub(crate) fn new(app: &Arc<Inner>) -> Arc<Self> {
        Arc::new(Self { app: app.clone(), start: Instant::now() })
    }
}

impl rabta_sync::Clock for Clock {
    fn unix_ms(&self) -> i64 {
        self.app.config.clock.millis()
    }

    fn monotonic_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}

/// Hints to the loop, all else to the calls.
async fn sort(mut heard: mpsc::Receiver<SocketEvent>, handle: SyncHandle, calls: mpsc::Sender<SocketEvent>) {
    while let Some(event) = heard.recv().await {
        match &event {
            SocketEvent::Hint(seq) => {
                handle.hint(*seq);
                continue;
            }
            SocketEvent::Up => handle.socket(true),
            SocketEvent::Down => handle.socket(false),
            SocketEvent::Frame(_) => {}
        }
        if calls.send(event).await.is_err() {
            return;
        }
    }
}

pub(crate) async fn tell_changes(app: Arc<Inner>, mut changed: mpsc::UnboundedReceiver<Changed>) {
    while let Some(Changed { patients, asks, resources, roster }) = changed.recv().await {
        if patients.len() <= FEW {
            for id in patients {
                let _ = app.events.send(Event::Patient { id: id.to_string() });
            }
        }
        if asks.len() > FEW || resources > 0 || roster {
            let _ = app.events.send(Event::Asks { ask: None });
        } else {
            for id in asks {
                let _ = app.events.send(Event::Asks { ask: Some(id.to_string()) });
            }
        }
    }
}

/// Tells the chip and the first fetch's progress as they change, and writes down what the next run should know.
async fn tell_status(
    app: Arc<Inner>,
    handle: SyncHandle,
    store: SqliteStore,
    facility: Id,
    mut written: Remembered,
) {
    let mut watch = handle.watch();
    let mut told = (SyncChip::default(), None, false);
    let mut copied = false;
    loop {
        let status = watch.borrow_and_update().clone();
        let now = (told_chip(&store, facility, &status).await, status.first_pull, status.disk_full);
        if now.0 != told.0 {
            let _ = app.events.send(Event::Sync { chip: now.0.clone() });
        }
        if let (true, Some(pull)) = (now.1 != told.1, now.1) {
            let progress = Progress { done: pull.done, of: pull.of };
            let _ = app.events.send(Event::FirstPull { progress });
        }
        if now.2 && !told.2 {
            app.disk_is_full();
        }
        told = now;
        if status.copied != copied {
            copied = status.copied;
            // Today says so, and asks for what it shows.
            let _ = app.events.send(Event::Asks { ask: None });
        }
        let fresh = Remembered { clock_offset: status.clock_offset, last_contact: status.last_contact };
        let later = fresh.last_contact.unwrap_or(0).abs_diff(written.last_contact.unwrap_or(0))
            >= REMEMBER_EVERY as u64;
        if fresh.last_contact.is_some() && (later || fresh.clock_offset != written.clock_offset) {
            let text = serde_json::to_vec(&fresh).expect("two numbers");
            match store.commit(Transaction::new().set(REMEMBERED, text), None).await {
                Ok(_) => app.disk_has_room(),
                Err(error) => tracing::debug!(%error, "the last contact was not written down"),
            }
            written = fresh;
        }
        if watch.changed().await.is_err() {
            return;
        }
    }
}

/// Writes down what the HIE grants, or that it has revoked this device, and tells the window when that opens or shuts it.
async fn keep_lease(app: Arc<Inner>, handle: SyncHandle, lease: Arc<Lease>) {
    let mut watch = handle.watch();
    let mut granted = None;
    loop {
        let status = watch.borrow_and_update().clone();
        let before = lease.shut();
        let kept = if status.revoked {
            lease.revoked().await
        } else if status.lease.is_some() && status.lease != granted {
            granted = status.lease;
            match &granted {
                Some(grant) => lease.granted(grant).await,
                None => Ok(()),
            }
        } else {
            Ok(())
        };
        if let Err(error) = kept {
            tracing::debug!(code = error.code, "the lease was not written down");
        }
        if lease.shut() != before {
            let _ = app.events.send(Event::Locked);
        }
        if watch.changed().await.is_err() {
            return;
        }
    }
}

async fn remembered(store: &SqliteStore) -> Remembered {
    let text = store.setting(REMEMBERED).await.ok().flatten();
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// The chip as the window shows it.
pub(crate) async fn told_chip(store: &SqliteStore, facility: Id, status: &Status) -> SyncChip {
    let mut chip = chip(status);
    chip.needs_you += details::undecided(store, facility).await.unwrap_or_default().len() as u32;
    chip
}

fn chip(status: &Status) -> SyncChip {
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    SyncChip {
        here_only: count(status.here_only),
        visits_here_only: count(status.visits_here_only),
        needs_you: count(status.needs_you),
        carried: count(status.carried),
        reachable: status.reachable,
        busy: status.busy,
    }
}
