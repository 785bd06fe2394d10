//! A laptop that joined a real HIE: its keys, its store on the disk, its sync. What it sends is noted as it goes out.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, VerifyingKey};
use rabta_hie::admin::{self, PersonFields, Reply, Request};
use rabta_store::{
    CustodyCounts, DeviceSigner, EntryState, NewEnvelope, RecordStore, SqliteStore, Transaction,
};
use rabta_sync::{
    Carrier, Changed, Clock, Driver, Endpoint, HieClient, HieError, Identity, Offset, Pins, Status,
    SyncHandle, SystemClock,
};
use rabta_wire::{
    Id,
    code::EnrollmentCode,
    cursor::Cursor,
    enroll::Enrolled,
    envelope::{Envelope, Kind, PersonSignature},
    log::{PullReply, PushReply},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What is waited for comes in seconds, on a machine that others use too in a minute.
pub const LONG: Duration = Duration::from_secs(180);

/// ASTM E1762-95: author's signature.
const AUTHOR: &str = "1.2.840.10065.1.12.1.1";

pub async fn serve(folder: &Path, listen: SocketAddr) -> rabta_hie::Handle {
    let mut config = rabta_hie::Config::new(folder);
    config.listen = listen;
    rabta_hie::serve(config).await.unwrap()
}

pub async fn tell(hie: &rabta_hie::Handle, request: Request) -> Reply {
    let now = (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64;
    admin::run(&hie.app.db, request, now).await.unwrap()
}

pub async fn facility(hie: &rabta_hie::Handle, name: &str) -> Id {
    let new = serde_json::from_value(json!({ "name": name, "kind": "clinic" })).unwrap();
    let Reply::Facility(facility) = tell(hie, Request::AddFacility { new }).await else {
        panic!("no facility")
    };
    facility.id
}

/// A code for a new doctor of the facility.
pub async fn code_at(hie: &rabta_hie::Handle, facility: Id) -> EnrollmentCode {
    let new = PersonFields { name: "Dr Amna".into(), role: "doctor".into(), ..PersonFields::default() };
    let request =
        Request::Enroll { facility: facility.to_string(), person: None, new: Some(new), public: None };
    let Reply::Code { code, .. } = tell(hie, request).await else { panic!("no code") };
    EnrollmentCode::parse(&code).unwrap()
}

pub async fn code(hie: &rabta_hie::Handle) -> EnrollmentCode {
    code_at(hie, facility(hie, "BHU Kot Radha").await).await
}

/// The machine's clock, of which the monotone half can be moved on.
#[derive(Debug, Default)]
pub struct Ahead {
    system: SystemClock,
    ms: AtomicU64,
}

impl Clock for Ahead {
    fn unix_ms(&self) -> i64 {
        self.system.unix_ms()
    }

    fn monotonic_ms(&self) -> u64 {
        self.system.monotonic_ms() + self.ms.load(Ordering::Acquire)
    }
}

/// What went out in one push, and how the laptop counted at that moment.
pub struct Sent {
    pub ids: Vec<Id>,
    pub counts: CustodyCounts,
    pub status: Status,
}

/// The client that ships, and a note of each push.
#[derive(Clone)]
pub struct Noted {
    inner: HieClient,
    store: Arc<SqliteStore>,
    sync: Arc<OnceLock<SyncHandle>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Carrier for Noted {
    async fn push(&self, envelopes: Vec<Vec<u8>>) -> Result<PushReply, HieError> {
        let id = |bytes: &Vec<u8>| Envelope::from_bytes(bytes).unwrap().header().unwrap().id;
        let ids = envelopes.iter().map(id).collect();
        let counts = self.store.custody().await.unwrap();
        let status = self.sync.get().map(SyncHandle::status).unwrap_or_default();
        self.sent.lock().unwrap().push(Sent { ids, counts, status });
        Carrier::push(&self.inner, envelopes).await
    }

    async fn pull(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        Carrier::pull(&self.inner, after, limit).await
    }

    async fn pull_lately(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        Carrier::pull_lately(&self.inner, after, limit).await
    }

    fn identity(&self) -> Option<&Identity> {
        Carrier::identity(&self.inner)
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        Carrier::clock(&self.inner)
    }

    fn offset(&self) -> &Offset {
        Carrier::offset(&self.inner)
    }
}

pub struct Laptop {
    pub enrolled: Enrolled,
    pub device_key: Arc<SigningKey>,
    pub person_key: SigningKey,
    pub store: Arc<SqliteStore>,
    pub sync: SyncHandle,
    pub client: HieClient,
    pub clock: Arc<Ahead>,
    pub sent: Arc<Mutex<Vec<Sent>>>,
    /// Keeps the other end of the driver's reports.
    _changes: mpsc::UnboundedReceiver<Changed>,
    _folder: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Laptop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn bytes32(text: &str) -> [u8; 32] {
    URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_bytes(
        &[uuid::Uuid::new_v4(), uuid::Uuid::new_v4()]
            .map(|half| *half.as_bytes())
            .concat()
            .try_into()
            .unwrap(),
    )
}

impl Laptop {
    pub async fn join(code: &EnrollmentCode) -> Self {
        let clock = Arc::new(Ahead::default());
        let joining = HieClient::for_code(code, clock.clone()).unwrap();
        let (device_key, person_key) = (Arc::new(key()), key());
        let invited = joining.check_code(code).await.unwrap();
        assert_eq!(invited.person.name, "Dr Amna");
        let enrolled = joining.enroll(code, &device_key, &person_key, "a laptop", None).await.unwrap();
        let person = enrolled.invitation.person.id;
        let pins = Pins::whole(enrolled.pins.iter().map(|pin| bytes32(pin)));
        let endpoint = Endpoint { address: code.address.clone(), pins };
        let identity = Identity { device: enrolled.device, person, device_key: device_key.clone() };
        let client = HieClient::new(endpoint, identity, clock.clone(), Offset::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::temporary(&folder.path().join("records.db")).await.unwrap());
        let hie = VerifyingKey::from_bytes(&bytes32(&enrolled.hie_key)).unwrap();
        let (changes, changed) = mpsc::unbounded_channel();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let noted =
            Noted { inner: client.clone(), store: store.clone(), sync: Arc::default(), sent: sent.clone() };
        let (driver, sync) = Driver::new(noted.clone(), store.clone(), hie, changes, 1);
        noted.sync.set(sync.clone()).unwrap();
        let task = tokio::spawn(driver.run());
        Self {
            enrolled,
            device_key,
            person_key,
            store,
            sync,
            client,
            clock,
            sent,
            _changes: changed,
            _folder: folder,
            task,
        }
    }

    /// So much later, and somebody looks.
    pub fn later(&self, minutes: u64) {
        self.clock.ms.fetch_add(minutes * 60_000, Ordering::AcqRel);
        self.sync.now();
    }

    /// Appends a batch of who looked at what.
    pub async fn append_audit(&self) -> Id {
        let patient = fresh();
        let event = json!({
            "resourceType": "AuditEvent", "id": fresh(), "type": {"code": "rest"}, "recorded": "2026-11-22T10:00:00Z",
            "agent": [{"requestor": true}], "source": {"observer": {"display": "a laptop"}},
        });
        self.append(Kind::Audit, patient, vec![], "collection", &[event]).await
    }

    async fn append(&self, kind: Kind, patient: Id, depends: Vec<Id>, of: &str, resources: &[Value]) -> Id {
        let entries: Vec<Value> = resources
            .iter()
            .map(|r| json!({"fullUrl": format!("urn:uuid:{}", r["id"].as_str().unwrap()), "resource": r}))
            .collect();
        let payload =
            json!({"resourceType": "Bundle", "type": of, "entry": entries}).to_string().into_bytes();
        let person = self.enrolled.invitation.person.id;
        let new = NewEnvelope {
            id: fresh(),
            kind,
            patient: Some(patient),
            facility: self.enrolled.invitation.facility.id,
            task: None,
            base_version: None,
            depends,
            device_time: 0,
            clock_offset: None,
            signed_by: Some(PersonSignature::sign(&self.person_key, person, AUTHOR, &payload)),
            payload: payload.into(),
        };
        let envelope = new.id;
        let signer = DeviceSigner::new(self.enrolled.device, self.device_key.clone());
        self.store.commit(Transaction::new().append(new), Some(&signer)).await.unwrap();
        self.sync.appended();
        envelope
    }

    /// Appends one patient and answers their id and the envelope's.
    pub async fn registered(&self) -> (Id, Id) {
        let patient = fresh();
        let facility = self.enrolled.invitation.facility.id;
        let resource = json!({
            "resourceType": "Patient", "id": patient, "name": [{"text": "Ayesha"}], "gender": "female",
            "managingOrganization": {"reference": format!("Organization/{facility}")},
        });
        (patient, self.append(Kind::Patient, patient, vec![], "collection", &[resource]).await)
    }

    /// Appends one patient and answers the envelope's id.
    pub async fn register(&self) -> Id {
        self.registered().await.1
    }

    /// Appends a signed visit of the patient whom `known` brought; answers the Observation's id and the envelope's.
    pub async fn visit(&self, patient: Id, known: Id) -> (Id, Id) {
        let subject = json!({"reference": format!("Patient/{patient}")});
        let (document, observation) = (fresh(), fresh());
        let document = json!({
            "resourceType": "Composition", "id": document, "status": "final",
            "type": {"coding": [{"code": "11488-4"}]}, "date": "2026-11-22T10:00:00Z",
            "author": [{"display": "a doctor"}], "title": "t", "subject": subject,
        });
        let observed = json!({
            "resourceType": "Observation", "id": observation, "status": "final",
            "code": {"coding": [{"code": "8867-4"}]}, "subject": subject, "valueQuantity": {"value": 80},
        });
        let envelope =
            self.append(Kind::Visit, patient, vec![known], "document", &[document, observed]).await;
        (observation, envelope)
    }

    pub async fn until(&self, good: impl FnMut(&Status) -> bool) -> Status {
        let mut watch = self.sync.watch();
        let waited = tokio::time::timeout(LONG, watch.wait_for(good)).await;
        waited.expect("it never came").unwrap().clone()
    }

    /// Until the HIE acknowledged it, and the counts say so too.
    pub async fn until_at_hie(&self, envelope: Id) {
        self.when(async || self.is_at_hie(envelope).await && self.sync.status().here_only == 0).await;
    }

    /// Until it is so.
    pub async fn when(&self, good: impl AsyncFn() -> bool) {
        let waited = tokio::time::timeout(LONG, async {
            while !good().await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        waited.await.expect("it never came");
    }

    pub async fn is_at_hie(&self, envelope: Id) -> bool {
        let entry = self.store.log_entry(envelope).await.unwrap().unwrap();
        matches!(entry.state, EntryState::AtHie(_))
    }
}

fn fresh() -> Id {
    Id(*uuid::Uuid::new_v4().as_bytes())
}

/// Where a server can be stopped and started again.
pub fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], crate::ports::free_port()))
}
