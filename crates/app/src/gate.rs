//! Before the record: language, joining, unlocking, locking.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use rabta_ipc::{
    Command as _, Error, Event,
    gate::{
        Alive, CheckCode, ConfirmRecovery, ExportUnsent, GetStatus, Invitation, Join, LockScreen, LockVault,
        NewRecovery, PageStopped, PersonRef, Phase, Recovery, SetLanguage, SetTheme, Status, Unlock,
        UnlockPin, UnlockRecovery,
    },
    sync::{GetSticks, GetSync, SyncNow, UseStick},
};
use rabta_store::{
    RecordStore, SqliteStore, Transaction,
    vault::{
        CreateError, NewVault, OpenVault, Passphrase, Person, Pin, PinError, RecoveryCode, UnlockError, Use,
        Vault, VaultState,
    },
};
use rabta_sync::{HieClient, HieError};
use rabta_wire::{Id, code::EnrollmentCode, enroll::codes};

use crate::{
    App, Session, keychain,
    lease::Shut,
    people::unconfirmed,
    routes::routes,
    session::{Enrollment, new_wire_id},
    sync_task,
};

/// Set once the recovery code was asked back.
pub(crate) const RECOVERY_CONFIRMED: &str = "recovery-confirmed";

/// Where the vault stands.
pub(crate) enum Gate {
    /// No vault here yet.
    New,
    Locked,
    Open(Arc<Session>),
    /// Reported and left as it is.
    Broken(&'static str),
}

routes!(App {
    GetStatus => status,
    SetLanguage => set_language,
    SetTheme => set_theme,
    CheckCode => check_code,
    Join => join,
    ConfirmRecovery => confirm_recovery,
    NewRecovery => new_recovery,
    Unlock => unlock,
    UnlockPin => unlock_pin,
    UnlockRecovery => unlock_recovery,
    LockScreen => lock_screen_command,
    LockVault => lock_vault_command,
    Alive => alive,
    PageStopped => page_stopped,
});

pub(crate) fn vault_folder(folder: &Path) -> PathBuf {
    folder.join("vault")
}

impl Gate {
    pub fn inspect(folder: &Path) -> Self {
        crate::restore::put_back(folder);
        match Vault::inspect(&vault_folder(folder)) {
            VaultState::Absent => Self::New,
            VaultState::Locked(_) => Self::Locked,
            // Somebody put it where a clinic's belongs.
            VaultState::Training(_) => Self::Broken("vault-damaged"),
            VaultState::Newer(_) => Self::Broken("vault-newer"),
            VaultState::Damaged(_) => Self::Broken("vault-damaged"),
        }
    }

    /// The session that may show the record.
    pub fn session(&self) -> Result<Arc<Session>, Error> {
        self.session_for("")
    }

    /// The session, for a command that may be allowed although the record is not shown: what was not sent can be seen
    /// and handed over on a revoked laptop, and a laptop whose lease ended may try to reach the HIE, by a stick too.
    pub fn session_for(&self, command: &str) -> Result<Arc<Session>, Error> {
        match self {
            Self::Open(session) if session.is_screen_locked() => Err(Error::new("screen-locked")),
            Self::Open(session) => match session.shut() {
                Some(Shut::Ended) if [SyncNow::NAME, GetSticks::NAME, UseStick::NAME].contains(&command) => {
                    Ok(session.clone())
                }
                Some(Shut::Revoked)
                    if [SyncNow::NAME, GetSync::NAME, ExportUnsent::NAME].contains(&command) =>
                {
                    Ok(session.clone())
                }
                Some(shut) => Err(Error::new(shut.code())),
                None => Ok(session.clone()),
            },
            Self::Broken(code) => Err(Error::new(code)),
            Self::New | Self::Locked => Err(Error::new("vault-locked")),
        }
    }

    /// The session, behind a locked screen too.
    pub fn any_session(&self) -> Option<Arc<Session>> {
        if let Self::Open(session) = self { Some(session.clone()) } else { None }
    }
}

impl App {
    async fn status(&self, _: GetStatus) -> Result<Status, Error> {
        let inner = &self.0;
        let folder = inner.config.folder.display().to_string();
        let gate = inner.gate.read().await;
        let (training, people) = match &*gate {
            Gate::Open(session) => (session.training, session.people()),
            _ => (false, Vec::new()),
        };
        let phase = match &*gate {
            Gate::New => Phase::New,
            Gate::Broken(code) => Phase::Broken { code: (*code).to_owned(), folder: folder.clone() },
            Gate::Locked => match Vault::inspect(&vault_folder(&inner.config.folder)) {
                VaultState::Locked(persons) => Phase::Locked { persons: persons.iter().map(staff).collect() },
                VaultState::Newer(_) => Phase::Broken { code: "vault-newer".into(), folder: folder.clone() },
                VaultState::Absent | VaultState::Training(_) | VaultState::Damaged(_) => {
                    Phase::Broken { code: "vault-damaged".into(), folder: folder.clone() }
                }
            },
            Gate::Open(session) => {
                let person = session.person.clone();
                if session.is_screen_locked() {
                    Phase::ScreenLocked { person }
                } else if let Some(shut) = session.shut() {
                    shut_phase(session, shut).await?
                } else if confirmed(session).await? {
                    Phase::Open { person }
                } else {
                    Phase::Recovery { person }
                }
            }
        };
        let settings = inner.settings.lock().expect("nothing panics while it is held").clone();
        Ok(Status {
            phase,
            lang: settings.lang,
            theme: settings.theme,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            folder,
            wait_seconds: inner.wait.seconds(inner.config.clock.millis()),
            training,
            people,
        })
    }

    async fn set_language(&self, set: SetLanguage) -> Result<(), Error> {
        self.change_settings(|s| s.lang = Some(set.lang))
    }

    async fn set_theme(&self, set: SetTheme) -> Result<(), Error> {
        self.change_settings(|s| s.theme = set.theme)
    }

    fn change_settings(&self, change: impl FnOnce(&mut crate::settings::Settings)) -> Result<(), Error> {
        let mut settings = self.0.settings.lock().expect("nothing panics while it is held");
        change(&mut settings);
        settings.save(&self.0.config.folder).map_err(disk)
    }

    async fn check_code(&self, check: CheckCode) -> Result<Invitation, Error> {
        let code = parse_code(&check.code)?;
        let client = HieClient::for_code(&code, sync_task::Clock::new(&self.0)).map_err(hie)?;
        let invited = client.check_code(&code).await.map_err(hie)?;
        Ok(Invitation {
            facility: invited.facility.name,
            name: invited.person.name,
            role: invited.person.role,
            registration: invited.person.registration,
            qualification: invited.person.qualification,
            specialty: invited.person.specialty,
            hie: code.address,
        })
    }

    /// Makes the vault beside its final place, enrolls, and moves it there: a joining that is cut short leaves nothing
    /// that looks like a vault.
    async fn join(&self, join: Join) -> Result<Recovery, Error> {
        let mut gate = self.0.gate.write().await;
        if !matches!(*gate, Gate::New) {
            return Err(Error::new("not-allowed"));
        }
        let code = parse_code(&join.code)?;
        let client = HieClient::for_code(&code, sync_task::Clock::new(&self.0)).map_err(hie)?;
        let invited = client.check_code(&code).await.map_err(hie)?;
        let passphrase = Passphrase::new(join.passphrase.0);
        let pin = Pin::new(join.pin.0).map_err(|_| Error::field("invalid", "pin"))?;

        let folder = &self.0.config.folder;
        fs::create_dir_all(folder).map_err(disk)?;
        let fresh = folder.join("vault.joining");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(disk)?;
        }
        let person = Person {
            id: invited.person.id,
            name: invited.person.name.clone(),
            role: invited.person.role.clone(),
        };
        let new = NewVault {
            vault: new_wire_id(),
            purpose: Use::Clinic,
            person: person.clone(),
            passphrase: &passphrase,
            keychain: keychain::make(person.id).await,
            // Keychains vanish: the passphrase alone always opens, too.
            passphrase_alone: true,
        };
        let (vault, recovery) = Vault::create(&fresh, new).await.map_err(create_error)?;
        let joined = enroll(&vault, &client, code, &pin).await;
        vault.lock().await;
        if let Err(error) = joined {
            // Nothing of a patient is in it yet.
            let _ = fs::remove_dir_all(&fresh);
            return Err(error);
        }
        fs::rename(&fresh, vault_folder(folder)).map_err(disk)?;

        let now = self.0.config.clock.millis();
        let vault = Vault::unlock(&vault_folder(folder), person.id, &passphrase, None, now).await;
        let session = self.open(vault.map_err(|e| self.unlock_error(e))?, person.id).await?;
        let shown = recovery.reveal().to_string();
        session.show_recovery(person.id, recovery);
        *gate = Gate::Open(session);
        Ok(Recovery { code: shown.into() })
    }

    async fn confirm_recovery(&self, confirm: ConfirmRecovery) -> Result<bool, Error> {
        let session = self.open_session().await?;
        let typed = RecoveryCode::parse(confirm.typed.0).ok();
        let shown = {
            let mut shown = session.recovery.lock().expect("nothing panics while it is held");
            shown.take_if(|shown| typed.as_ref() == Some(&shown.code)).map(|shown| shown.person)
        };
        let right = shown.is_some();
        if let Some(person) = shown {
            let transaction = Transaction::new().set(RECOVERY_CONFIRMED, vec![1]).unset(unconfirmed(person));
            let kept = session.store().commit(transaction, None).await;
            kept.map_err(|e| session.told(e))?;
        }
        Ok(right)
    }

    /// The code was not written down before the power went: another one, and the old one is worth nothing.
    async fn new_recovery(&self, _: NewRecovery) -> Result<Recovery, Error> {
        let session = self.open_session().await?;
        if session.is_screen_locked() {
            return Err(Error::new("screen-locked"));
        }
        if confirmed(&session).await? {
            return Err(Error::new("not-allowed"));
        }
        let code = session.vault.renew_recovery_code().await.map_err(create_error)?;
        let shown = code.reveal().to_string();
        session.show_recovery(session.person_id, code);
        Ok(Recovery { code: shown.into() })
    }

    async fn unlock(&self, unlock: Unlock) -> Result<(), Error> {
        let mut gate = self.0.gate.write().await;
        let id = parse_id(&unlock.person)?;
        let passphrase = Passphrase::new(unlock.passphrase.0);
        let now = self.0.config.clock.millis();
        if let Gate::Open(session) = &*gate {
            // The screen is locked and the PIN forgotten, or somebody takes over whose PIN is not enough yet.
            let session = session.clone();
            session.may_leave_to(id)?;
            session.vault.enter(id, &passphrase, None, now).await.map_err(|e| self.unlock_error(e))?;
            self.0.wait.clear();
            return self.take_over(&mut gate, session, id).await;
        }
        let keychain = keychain::read(id).await;
        let vault = Vault::unlock(&vault_folder(&self.0.config.folder), id, &passphrase, keychain, now).await;
        let opened = match vault {
            Ok(vault) => self.open(vault, id).await,
            Err(error) => Err(self.unlock_error(error)),
        };
        match opened {
            Ok(session) => *gate = Gate::Open(session),
            Err(error) => {
                // Seen only now, by who holds the key: the page says so, and nothing is touched.
                match error.code.as_str() {
                    "vault-damaged" => *gate = Gate::Broken("vault-damaged"),
                    "vault-newer" => *gate = Gate::Broken("vault-newer"),
                    _ => {}
                }
                return Err(error);
            }
        }
        Ok(())
    }

    async fn unlock_recovery(&self, unlock: UnlockRecovery) -> Result<(), Error> {
        let mut gate = self.0.gate.write().await;
        if !matches!(*gate, Gate::Locked) {
            return Err(Error::new("not-allowed"));
        }
        let code = RecoveryCode::parse(unlock.recovery.0).map_err(|_| Error::new("wrong-recovery"))?;
        let passphrase = Passphrase::new(unlock.passphrase.0);
        let pin = Pin::new(unlock.pin.0).map_err(|_| Error::field("invalid", "pin"))?;
        let now = self.0.config.clock.millis();
        let vault = Vault::unlock_with_recovery(&vault_folder(&self.0.config.folder), &code, now).await;
        let vault = vault.map_err(|e| self.unlock_error(e))?;
        let id = vault.person().map_err(|_| Error::new("vault-locked"))?;
        let keychain = keychain::make(id).await;
        vault.set_passphrase(&passphrase, keychain, true).await.map_err(create_error)?;
        vault.set_pin(&pin).await.map_err(pin_error)?;
        *gate = Gate::Open(self.open(vault, id).await?);
        Ok(())
    }

    async fn unlock_pin(&self, unlock: UnlockPin) -> Result<(), Error> {
        let session = self.open_session().await?;
        let pin = Pin::new(unlock.pin.0).map_err(|_| Error::new("wrong-pin"))?;
        match session.vault.screen_unlock(&pin).await {
            Ok(()) => {
                session.touch();
                Ok(())
            }
            Err(PinError::VaultLocked) => {
                self.lock_vault().await;
                Err(Error::new("vault-locked"))
            }
            Err(error) => Err(pin_error(error)),
        }
    }

    async fn lock_screen_command(&self, _: LockScreen) -> Result<(), Error> {
        self.lock_screen().await;
        Ok(())
    }

    async fn lock_vault_command(&self, _: LockVault) -> Result<(), Error> {
        self.lock_vault().await;
        Ok(())
    }

    async fn alive(&self, _: Alive) -> Result<(), Error> {
        if let Ok(session) = self.session().await {
            session.touch();
        }
        Ok(())
    }

    async fn page_stopped(&self, stop: PageStopped) -> Result<(), Error> {
        tracing::warn!(why = ?stop.why, at = ?stop.at, "the page stopped and opens itself again");
        Ok(())
    }

    /// Empties the window; calls and sync go on.
    pub(crate) async fn lock_screen(&self) {
        if let Some(session) = self.0.gate.read().await.any_session() {
            session.vault.screen_lock();
            session.emit(Event::Locked);
        }
    }

    /// Keys leave memory.
    pub(crate) async fn lock_vault(&self) {
        let mut gate = self.0.gate.write().await;
        if let Gate::Open(session) = std::mem::replace(&mut *gate, Gate::Locked) {
            session.emit(Event::Locked);
            session.end().await;
            if session.training {
                *gate = Gate::inspect(&self.0.config.folder);
            }
        } else {
            *gate = Gate::inspect(&self.0.config.folder);
        }
    }

    pub(crate) async fn open_session(&self) -> Result<Arc<Session>, Error> {
        self.0.gate.read().await.any_session().ok_or_else(|| Error::new("vault-locked"))
    }

    pub(crate) async fn open(&self, vault: OpenVault, person: Id) -> Result<Arc<Session>, Error> {
        let enrollment = self.enrollment(vault.store(), person).await?;
        self.0.wait.clear();
        Session::start(self, vault.into(), person, enrollment, None).await
    }

    /// What the HIE said when `person` joined at this device.
    pub(crate) async fn enrollment(&self, store: &SqliteStore, person: Id) -> Result<Enrollment, Error> {
        let kept = store.setting(&Enrollment::setting(person)).await.map_err(crate::error::store)?;
        kept.and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| Error::detail("vault-damaged", "enrollment"))
    }

    pub(crate) fn unlock_error(&self, error: UnlockError) -> Error {
        let now = self.0.config.clock.millis();
        match error {
            UnlockError::WrongPassphrase { retry_after, .. } => {
                self.0.wait.told("wrong-passphrase", retry_after, now)
            }
            UnlockError::WrongRecoveryCode { retry_after, .. } => {
                self.0.wait.told("wrong-recovery", retry_after, now)
            }
            UnlockError::TooSoon { wait } => self.0.wait.told("wait", wait, now),
            UnlockError::InUse(_) => Error::new("vault-in-use"),
            UnlockError::Newer(_) => Error::new("vault-newer"),
            UnlockError::Store(error) => crate::error::store(error),
            UnlockError::Files(error) => disk(error),
            UnlockError::UnknownPerson => Error::new("not-found"),
            other => Error::detail("vault-damaged", other),
        }
    }
}

/// Sets the PIN, uses the code up, and keeps what the HIE said. The vault is fit for use when this returns.
async fn enroll(vault: &OpenVault, client: &HieClient, code: EnrollmentCode, pin: &Pin) -> Result<(), Error> {
    vault.set_pin(pin).await.map_err(pin_error)?;
    let device_key = vault.device_key().map_err(|_| Error::new("vault-locked"))?;
    let signer = vault.signer().map_err(|_| Error::new("vault-locked"))?;
    let enrolled =
        client.enroll(&code, &device_key, signer.key(), &device_name(), None).await.map_err(hie)?;
    vault.set_device(enrolled.device).await.map_err(crate::error::store)?;
    let setting = Enrollment::setting(enrolled.invitation.person.id);
    let enrollment = Enrollment { address: code.address, enrolled };
    let kept = serde_json::to_vec(&enrollment).map_err(|_| Error::new("unexpected"))?;
    let mut transaction = Transaction::new().set(setting, kept);
    if let Some(block) = &enrollment.enrolled.mr_block {
        transaction = transaction.add_mr_block(block.clone());
    }
    vault.store().commit(transaction, None).await.map_err(crate::error::store)?;
    Ok(())
}

/// How long the gate stays shut after wrong passphrases: what the vault said last, for the countdown.
#[derive(Default)]
pub(crate) struct Wait(AtomicI64);

impl Wait {
    fn seconds(&self, now: i64) -> u32 {
        let left = self.0.load(Ordering::Relaxed) - now;
        // A clock that jumped must not shut the gate for longer than the vault does.
        u32::try_from((left + 999) / 1000).unwrap_or(0).min(60)
    }

    fn told(&self, code: &str, wait: Duration, now: i64) -> Error {
        self.0.store(now + wait.as_millis() as i64, Ordering::Relaxed);
        let seconds = wait.as_secs_f32().ceil() as u32;
        if seconds > 0 { Error::wait(code, seconds) } else { Error::new(code) }
    }

    fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Locks the screen when nobody was at the keyboard for a while. A running call counts as somebody.
pub(crate) async fn watch_idle(app: App, session: std::sync::Weak<Session>) {
    let mut tick = tokio::time::interval(std::time::Duration::from_secs(5));
    loop {
        tick.tick().await;
        let Some(session) = session.upgrade() else { return };
        if session.calls.is_running() {
            session.touch();
            continue;
        }
        let idle = session.millis() - session.alive_at.load(Ordering::Relaxed);
        if !session.is_screen_locked() && idle > app.0.config.idle_lock_seconds as i64 * 1000 {
            app.lock_screen().await;
        }
    }
}

async fn confirmed(session: &Session) -> Result<bool, Error> {
    let is_set = async |key: &str| {
        session.store().setting(key).await.map(|value| value.is_some()).map_err(|e| session.told(e))
    };
    Ok(is_set(RECOVERY_CONFIRMED).await? && !is_set(&unconfirmed(session.person_id)).await?)
}

/// What the gate shows in place of the record.
async fn shut_phase(session: &Session, shut: Shut) -> Result<Phase, Error> {
    let (person, device) = (session.person.clone(), session.enrollment.enrolled.device.to_string());
    Ok(match (shut, &session.lease) {
        (Shut::Ended, Some(lease)) => {
            let challenge = lease.challenge().await?.text();
            Phase::LeaseEnded { person, device, challenge }
        }
        _ => {
            let chip = session.counted_chip().await?;
            Phase::Revoked { person, device, unsent: chip.here_only, visits: chip.visits_here_only }
        }
    })
}

/// A person on the unlock screen: before it is open, the vault tells no more.
pub(crate) fn staff(person: &Person) -> PersonRef {
    PersonRef {
        id: person.id.to_string(),
        name: person.name.clone(),
        role: person.role.clone(),
        registration: None,
        specialty: None,
        facility: String::new(),
    }
}

pub(crate) fn parse_id(text: &str) -> Result<Id, Error> {
    text.parse().map_err(|_| Error::new("not-found"))
}

pub(crate) fn parse_code(text: &str) -> Result<EnrollmentCode, Error> {
    EnrollmentCode::parse(text).map_err(|e| Error::detail("code-malformed", e))
}

/// What the operator sees in the list of devices: the computer's own name.
pub(crate) fn device_name() -> String {
    let named = fs::read_to_string("/etc/hostname").ok().or_else(|| std::env::var("COMPUTERNAME").ok());
    named
        .map(|n| n.trim().chars().take(60).collect::<String>())
        .filter(|n| !n.is_empty())
        .unwrap_or_else(|| "laptop".into())
}

pub(crate) fn disk(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull => Error::new("disk-full"),
        kind => Error::detail("unexpected", kind),
    }
}

pub(crate) fn create_error(error: CreateError) -> Error {
    match error {
        CreateError::EmptyPassphrase => Error::field("invalid", "passphrase"),
        CreateError::InUse(_) => Error::new("vault-in-use"),
        CreateError::Files(error) => disk(error),
        CreateError::Store(error) => crate::error::store(error),
        other => Error::detail("unexpected", other),
    }
}

pub(crate) fn pin_error(error: PinError) -> Error {
    match error {
        PinError::Wrong { left } => Error::detail("wrong-pin", left),
        PinError::PassphraseFirst => Error::new("passphrase-first"),
        PinError::VaultLocked | PinError::NoPin => Error::new("vault-locked"),
        PinError::Store(error) => crate::error::store(error),
    }
}

/// What the HIE did, as the window is told.
pub(crate) fn hie(error: HieError) -> Error {
    match error {
        HieError::Unreachable(_) => Error::new("hie-unreachable"),
        HieError::KeyChanged => Error::new("hie-key-changed"),
        HieError::Refused { code, text, .. } => match code.as_str() {
            codes::UNKNOWN => Error::new("code-unknown"),
            codes::USED => Error::new("code-used"),
            codes::EXPIRED => Error::new("code-expired"),
            "no-certificate" => Error::new("no-certificate"),
            _ => Error::detail("hie-refused", format!("{code}: {text}")),
        },
        HieError::EpochChanged(_) | HieError::Malformed(_) => Error::detail("hie-refused", error),
    }
}
