//! An open vault with somebody at it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rabta_domain::{
    fhir::{Facility, Signer, Stamp},
    role::{self, Act},
};
use rabta_ipc::{Error, Event, gate::PersonRef};
use rabta_store::{
    Committed, DeviceSigner, RecordStore, SaveDraft, SqliteStore, Transaction,
    vault::{OpenVault, Use},
};
use rabta_wire::{Id, code::EnrollmentCode, enroll::Enrolled};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

use crate::{
    App, Inner, backup,
    calls::Calls,
    emergency::{self, Emergencies},
    gate,
    lease::{self, Lease},
    people::{Joining, Shown},
    sync_task::{Line, SyncTask},
    updates,
};

/// What the HIE said when this person joined at this device; kept in the vault.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Enrollment {
    /// `host:port`.
    pub address: String,
    pub enrolled: Enrolled,
}

impl Enrollment {
    /// Several persons share a vault: each has their own.
    pub fn setting(person: Id) -> String {
        format!("enrollment.{person}")
    }

    /// Whether a code leads to the same HIE: its key is one of those that may answer there.
    pub fn is_of(&self, code: &EnrollmentCode) -> bool {
        let pins = self.enrolled.pins.iter().filter_map(|pin| URL_SAFE_NO_PAD.decode(pin).ok());
        pins.into_iter().any(|pin| pin.starts_with(&code.spki_sha256_16))
    }
}

/// A person at an open vault. Everything that needs the record starts here.
pub struct Session {
    pub(crate) app: Arc<Inner>,
    pub(crate) vault: Arc<OpenVault>,
    pub(crate) person: PersonRef,
    pub(crate) person_id: Id,
    pub(crate) enrollment: Enrollment,
    pub(crate) sync: Line,
    pub(crate) calls: Calls,
    pub(crate) updates: Arc<updates::Shared>,
    /// Shown once, until it was asked back.
    pub(crate) recovery: Mutex<Option<Shown>>,
    /// Who is about to join this laptop.
    pub(crate) joining: Mutex<Option<Joining>>,
    /// `None` in training, which ends by itself.
    pub(crate) lease: Option<Arc<Lease>>,
    /// Invented patients, no HIE.
    pub(crate) training: bool,
    /// Milliseconds since 1970 when somebody was last at the keyboard.
    pub(crate) alive_at: AtomicI64,
    pub(crate) emergencies: Emergencies,
    pub(crate) backing: backup::Running,
}

impl Session {
    /// Starts everything that an open vault has running; for training that is nothing. `lease`: of the vault, where it
    /// was open already.
    pub(crate) async fn start(
        app: &App,
        vault: Arc<OpenVault>,
        person: Id,
        enrollment: Enrollment,
        lease: Option<Arc<Lease>>,
    ) -> Result<Arc<Self>, Error> {
        let inner = app.0.clone();
        let training = vault.purpose() == Use::Training;
        let (sync, calls, lease) = if training {
            (Line::training(), Calls::none(), None)
        } else {
            let lease = match lease {
                Some(lease) => lease,
                None => Lease::open(&inner, vault.store()).await?,
            };
            let sync = SyncTask::start(&inner, &vault, &enrollment, person, lease.clone()).await?;
            let calls = Calls::new(&inner, &vault, &enrollment, person, &sync);
            (Line::to_hie(sync), calls, Some(lease))
        };
        let invited = &enrollment.enrolled.invitation;
        let session = Arc::new(Self {
            person: PersonRef {
                id: person.to_string(),
                name: invited.person.name.clone(),
                role: invited.person.role.clone(),
                registration: invited.person.registration.clone(),
                specialty: invited.person.specialty.clone(),
                facility: invited.facility.name.clone(),
            },
            person_id: person,
            enrollment,
            sync,
            calls,
            updates: updates::Shared::open(&inner.config.updates, &inner.config.folder, inner.events.clone()),
            vault,
            recovery: Mutex::new(None),
            joining: Mutex::new(None),
            lease,
            training,
            alive_at: AtomicI64::new(inner.config.clock.millis()),
            emergencies: Emergencies::default(),
            backing: backup::Running::default(),
            app: inner,
        });
        if !training {
            emergency::begin(&session).await?;
            tokio::spawn(gate::watch_idle(app.clone(), Arc::downgrade(&session)));
            tokio::spawn(lease::watch(Arc::downgrade(&session)));
        }
        Ok(session)
    }

    /// Somebody is at the keyboard.
    pub(crate) fn touch(&self) {
        self.alive_at.store(self.millis(), Ordering::Relaxed);
    }

    pub(crate) fn store(&self) -> &SqliteStore {
        self.vault.store()
    }

    pub(crate) fn emit(&self, event: Event) {
        // Nobody listens while the window is being reloaded: it asks for what it shows when it is back.
        let _ = self.app.events.send(event);
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        let clock = &self.app.config.clock;
        let offset =
            UtcOffset::from_whole_seconds(i32::from(clock.offset_minutes()) * 60).unwrap_or(UtcOffset::UTC);
        clock.now().to_offset(offset)
    }

    pub(crate) fn millis(&self) -> i64 {
        self.app.config.clock.millis()
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::new(self.now())
    }

    /// Who signs what this person writes.
    pub(crate) fn signer(&self) -> Signer {
        let person = &self.enrollment.enrolled.invitation.person;
        Signer {
            id: self.person.id.clone(),
            name: self.person.name.clone(),
            role: self.person.role.clone(),
            registration: self.person.registration.clone().unwrap_or_default(),
            qualification: person.qualification.clone().unwrap_or_default(),
        }
    }

    pub(crate) fn facility(&self) -> Facility {
        let facility = &self.enrollment.enrolled.invitation.facility;
        Facility { id: facility.id.to_string(), name: facility.name.clone() }
    }

    pub(crate) fn facility_id(&self) -> Id {
        self.enrollment.enrolled.invitation.facility.id
    }

    /// Specialists answer asks; everybody else makes them.
    pub(crate) fn is_specialist(&self) -> bool {
        self.person.role == "specialist"
    }

    /// Error `not-allowed` where this person's role has no such right; the HIE would refuse what they sign.
    pub(crate) fn must(&self, act: Act) -> Result<(), Error> {
        if role::may(&self.person.role, act) { Ok(()) } else { Err(Error::new("not-allowed")) }
    }

    pub(crate) fn may_prescribe(&self) -> bool {
        role::may(&self.person.role, Act::Prescribe)
    }

    /// Commits, wakes the sync and tells the window.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<Committed, Error> {
        let key = self.vault.device_key().map_err(|_| Error::new("vault-locked"))?;
        let sealer = DeviceSigner::new(self.enrollment.enrolled.device, key);
        let committed = self.store().commit(transaction, Some(&sealer)).await;
        let committed = committed.map_err(|e| self.told(e))?;
        self.app.disk_has_room();
        if !committed.appended.is_empty() {
            self.sync.wake();
        }
        self.send_trail().await;
        Ok(committed)
    }

    /// Puts a draft on the disk; its new revision.
    pub(crate) async fn save_draft(&self, draft: SaveDraft) -> Result<u64, Error> {
        let rev = self.store().save_draft(draft).await.map_err(|e| self.told(e))?;
        self.app.disk_has_room();
        Ok(rev)
    }

    /// A store error as the window gets it. A full disk is told to every page at once.
    pub(crate) fn told(&self, error: rabta_store::StoreError) -> Error {
        let error = crate::error::store(error);
        if error.code == "disk-full" {
            self.app.disk_is_full();
        }
        error
    }

    pub(crate) fn is_screen_locked(&self) -> bool {
        // A vault that locked itself shows nothing either.
        self.vault.is_screen_locked().unwrap_or(true)
    }

    /// Stops what runs for this person; the vault stays open.
    pub(crate) async fn stop_work(&self) {
        self.updates.stop();
        self.calls.end().await;
        self.sync.stop().await;
    }

    /// Stops what runs and closes the vault: keys leave memory.
    pub(crate) async fn end(&self) {
        self.stop_work().await;
        if let Some(lease) = &self.lease
            && let Err(error) = lease.write().await
        {
            tracing::warn!(code = error.code, "the time of use was not written down");
        }
        self.vault.lock().await;
    }
}

/// A new random UUID.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

pub(crate) fn new_wire_id() -> Id {
    Id(*uuid::Uuid::new_v4().as_bytes())
}
