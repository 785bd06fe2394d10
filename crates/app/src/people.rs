//! Several people at one laptop: who they are, the next one joins, one takes over from another within a shift, one
//! leaves; and their passphrases and PINs.

use std::sync::Arc;

use rabta_domain::role::Act;
use rabta_ipc::{
    Error, Event,
    gate::{AddPerson, ChangePassphrase, ChangePin, Member, Recovery, RemovePerson, SwitchPerson},
};
use rabta_store::{
    Transaction,
    vault::{
        CreateError, Newcomer, NewcomerKey, Passphrase, Person, Pin, PinError, RecoveryCode, RemoveError,
    },
};
use rabta_sync::HieClient;
use rabta_wire::{Id, code::EnrollmentCode};

use crate::{
    App, Session,
    gate::{Gate, create_error, device_name, hie, parse_code, parse_id, pin_error, staff},
    keychain,
    routes::routes,
    session::Enrollment,
    sync_task,
};

routes!(App {
    SwitchPerson => switch_person,
    AddPerson => add_person,
    RemovePerson => remove_person,
    ChangePassphrase => change_passphrase,
    ChangePin => change_pin,
});

/// A recovery code that was shown and not asked back yet.
pub(crate) struct Shown {
    pub person: Id,
    pub code: RecoveryCode,
}

/// Somebody who is joining: if the HIE's answer is lost, the same code goes with the same key again.
pub(crate) struct Joining {
    secret: [u8; 10],
    key: Arc<NewcomerKey>,
}

/// Set while a person who joined later has not been asked their recovery code back.
pub(crate) fn unconfirmed(person: Id) -> String {
    format!("recovery-unconfirmed.{person}")
}

impl Session {
    /// Everybody with a way into this vault.
    pub(crate) fn people(&self) -> Vec<Member> {
        let persons = self.vault.persons().unwrap_or_default();
        let member = |person: &Person| Member {
            person: if person.id == self.person_id { self.person.clone() } else { staff(person) },
            pin: self.vault.has_given_passphrase(person.id).unwrap_or(false),
            active: person.id == self.person_id,
        };
        persons.iter().map(member).collect()
    }

    /// Whether something that `person` began is for this session to go on with: it is their own, nobody's, or of
    /// somebody who has left this laptop.
    pub(crate) fn may_go_on_with(&self, person: Option<Id>) -> bool {
        let Some(person) = person.filter(|person| *person != self.person_id) else { return true };
        !self.vault.persons().is_ok_and(|persons| persons.iter().any(|known| known.id == person))
    }

    /// The key for whoever joins with this code.
    fn joining_key(&self, code: &EnrollmentCode) -> Arc<NewcomerKey> {
        let mut joining = self.joining.lock().expect("nothing panics while it is held");
        if let Some(known) = joining.as_ref().filter(|known| known.secret == code.secret) {
            return known.key.clone();
        }
        let key = Arc::new(NewcomerKey::random());
        *joining = Some(Joining { secret: code.secret, key: key.clone() });
        key
    }
}

impl App {
    async fn switch_person(&self, switch: SwitchPerson) -> Result<(), Error> {
        let id = parse_id(&switch.person)?;
        let pin = Pin::new(switch.pin.0).map_err(|_| Error::new("wrong-pin"))?;
        let mut gate = self.0.gate.write().await;
        let session = gate.any_session().ok_or_else(|| Error::new("vault-locked"))?;
        session.may_leave_to(id)?;
        match session.vault.enter_by_pin(id, &pin).await {
            Ok(()) => self.take_over(&mut gate, session, id).await,
            Err(PinError::VaultLocked) => {
                drop((gate, session));
                self.lock_vault().await;
                Err(Error::new("vault-locked"))
            }
            Err(error) => Err(pin_error(error)),
        }
    }

    /// Makes the session `person`'s, whose key signs already. The vault, its store and its lease go on; what ran for the
    /// one before is stopped.
    pub(crate) async fn take_over(
        &self,
        gate: &mut Gate,
        session: Arc<Session>,
        person: Id,
    ) -> Result<(), Error> {
        if person == session.person_id {
            session.touch();
            return Ok(());
        }
        session.stop_work().await;
        let next = match self.enrollment(session.store(), person).await {
            Ok(enrollment) => {
                let lease = session.lease.clone();
                Session::start(self, session.vault.clone(), person, enrollment, lease).await
            }
            Err(error) => Err(error),
        };
        match next {
            Ok(next) => {
                let audit = next.audit("login", &format!("Practitioner/{person}"), None);
                let noted = next.commit(Transaction::new().audit(audit)).await;
                *gate = Gate::Open(next);
                noted.map(drop)
            }
            Err(error) => {
                // Nobody's session is left: the passphrase opens it again.
                session.emit(Event::Locked);
                session.vault.lock().await;
                *gate = Gate::Locked;
                Err(error)
            }
        }
    }

    /// The newcomer's own code makes them known to the HIE; their passphrase and PIN give them a way into the vault.
    async fn add_person(&self, add: AddPerson) -> Result<Recovery, Error> {
        let session = self.session().await?;
        if session.training {
            return Err(Error::new("training"));
        }
        session.must(Act::Admit)?;
        let code = parse_code(&add.code)?;
        let pin = Pin::new(add.pin.0).map_err(|_| Error::field("invalid", "pin"))?;
        let passphrase = Passphrase::new(add.passphrase.0);
        if passphrase.is_empty() {
            return Err(Error::field("invalid", "passphrase"));
        }
        if !session.enrollment.is_of(&code) {
            return Err(Error::new("other-facility"));
        }
        let client = HieClient::for_code(&code, sync_task::Clock::new(&self.0)).map_err(hie)?;
        let key = session.joining_key(&code);
        let device = session.enrollment.enrolled.device;
        let invited = match client.check_code(&code).await {
            Ok(invited) => Some(invited),
            // Our own request, whose answer was lost, used it.
            Err(rabta_sync::HieError::Refused { code, .. }) if code == rabta_wire::enroll::codes::USED => {
                None
            }
            Err(error) => return Err(hie(error)),
        };
        if let Some(invited) = &invited {
            if invited.facility.id != session.facility_id() {
                return Err(Error::new("other-facility"));
            }
            let known = session.vault.persons().map_err(|_| Error::new("vault-locked"))?;
            if known.iter().any(|person| person.id == invited.person.id) {
                return Err(Error::new("person-known"));
            }
        }
        let device_key = session.vault.device_key().map_err(|_| Error::new("vault-locked"))?;
        let enrolled = client.enroll(&code, &device_key, key.key(), &device_name(), Some(device)).await;
        drop(device_key);
        let enrolled = enrolled.map_err(hie)?;
        if enrolled.hie_key != session.enrollment.enrolled.hie_key || enrolled.device != device {
            return Err(Error::new("other-facility"));
        }
        let invited = &enrolled.invitation.person;
        let person = Person { id: invited.id, name: invited.name.clone(), role: invited.role.clone() };
        let id = person.id;
        // First what lies in the vault: until `vault.json` names them, it leads nowhere.
        let kept = serde_json::to_vec(&Enrollment { address: code.address.clone(), enrolled })
            .map_err(|_| Error::new("unexpected"))?;
        let audit = session.audit("create", &format!("Practitioner/{id}"), None);
        let transaction =
            Transaction::new().set(Enrollment::setting(id), kept).set(unconfirmed(id), [1]).audit(audit);
        session.commit(transaction).await?;
        let new = Newcomer {
            person,
            key: &key,
            passphrase: &passphrase,
            pin: &pin,
            keychain: keychain::make(id).await,
            passphrase_alone: true,
        };
        let recovery = session.vault.add_person(new).await.map_err(|error| match error {
            // The same request twice at once.
            CreateError::Exists => Error::new("person-known"),
            error => create_error(error),
        })?;
        session.joining.lock().expect("nothing panics while it is held").take();
        let shown = recovery.reveal().to_string();
        session.show_recovery(id, recovery);
        session.sync.hurry();
        Ok(Recovery { code: shown.into() })
    }

    async fn remove_person(&self, remove: RemovePerson) -> Result<(), Error> {
        let session = self.session().await?;
        session.must(Act::Admit)?;
        let id = parse_id(&remove.person)?;
        session.vault.remove_person(id).await.map_err(|error| match error {
            RemoveError::Unknown => Error::new("not-found"),
            RemoveError::Last => Error::new("last-person"),
            RemoveError::Oneself => Error::new("not-allowed"),
            RemoveError::Files(error) => crate::gate::disk(error),
            RemoveError::Store(error) => session.told(error),
        })?;
        keychain::forget(id).await;
        let audit = session.audit("delete", &format!("Practitioner/{id}"), None);
        let transaction =
            Transaction::new().unset(Enrollment::setting(id)).unset(unconfirmed(id)).audit(audit);
        session.commit(transaction).await?;
        // Whoever left knows a passphrase that opened the key until now.
        session.change_key().await.map_err(|error| Error::detail("key-unchanged", error.code))
    }

    async fn change_passphrase(&self, change: ChangePassphrase) -> Result<(), Error> {
        let session = self.proven(change.passphrase.0).await?;
        let new = Passphrase::new(change.new.0);
        if new.is_empty() {
            return Err(Error::field("invalid", "new"));
        }
        let keychain = keychain::make(session.person_id).await;
        session.vault.set_passphrase(&new, keychain, true).await.map_err(create_error)?;
        let audit = session.audit("update", &format!("Practitioner/{}", session.person_id), None);
        session.commit(Transaction::new().audit(audit)).await.map(drop)
    }

    async fn change_pin(&self, change: ChangePin) -> Result<(), Error> {
        let pin = Pin::new(change.pin.0).map_err(|_| Error::field("invalid", "pin"))?;
        let session = self.proven(change.passphrase.0).await?;
        session.vault.set_pin(&pin).await.map_err(pin_error)
    }

    /// The session, whose person just gave the passphrase.
    async fn proven(&self, passphrase: String) -> Result<Arc<Session>, Error> {
        let session = self.session().await?;
        if session.training {
            return Err(Error::new("training"));
        }
        let now = self.0.config.clock.millis();
        let given = session.vault.enter(session.person_id, &Passphrase::new(passphrase), None, now).await;
        given.map_err(|error| self.unlock_error(error))?;
        Ok(session)
    }
}

impl Session {
    /// Whether this session may give way to `person`'s: a call is of the person who is in it.
    pub(crate) fn may_leave_to(&self, person: Id) -> Result<(), Error> {
        if person != self.person_id && self.calls.is_running() {
            return Err(Error::new("in-a-call"));
        }
        Ok(())
    }

    pub(crate) fn show_recovery(&self, person: Id, code: RecoveryCode) {
        *self.recovery.lock().expect("nothing panics while it is held") = Some(Shown { person, code });
    }
}
