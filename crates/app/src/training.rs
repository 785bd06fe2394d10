//! The training vault: a folder of its own, invented patients, no HIE.
//!
//! Nothing leads from it to a clinic's record. Its vault says what it is for; its session is made without a sync, so
//! there is no client and no socket; its certificates are of a key that was thrown away, so no HIE and no other laptop
//! takes what is signed in it.

use std::{fs, io, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use rabta_domain::fhir::Bundle;
use rabta_ipc::{
    Error,
    gate::{LeaveTraining, OpenTraining, ResetTraining},
};
use rabta_store::{
    NewResource, RecordStore, Transaction,
    vault::{NewVault, OpenVault, Passphrase, Person, Pin, Use, Vault, VaultState},
};
use rabta_wire::{
    Id,
    cert::{Cert, SignedCert, Subject},
    enroll::{Enrolled, Facility, Invitation, MrBlock, Person as Invited},
};

use crate::{
    App, Session,
    gate::{Gate, create_error, disk, pin_error},
    routes::routes,
    session::{Enrollment, new_wire_id},
};

routes!(App {
    OpenTraining => open_training_command,
    ResetTraining => reset_training,
    LeaveTraining => leave_training,
});

/// Nothing is protected by these, and nothing has to be.
const PASSPHRASE: &str = "training only";
const PIN: &str = "0000";
/// A few of the sample clinic's patients, one FHIR transaction Bundle a line.
const PATIENTS: &[u8] = include_bytes!("../../../packages/pk/sample/training.ndjson.zst");
/// Numbers under this prefix are no clinic's.
const MR_PREFIX: &str = "0000";

impl App {
    fn training_folder(&self) -> PathBuf {
        self.0.config.folder.join("training")
    }

    async fn open_training_command(&self, _: OpenTraining) -> Result<(), Error> {
        self.open_training().await
    }

    /// Opens the training vault and makes it where there is none: for a program that was started for it, too. Not over
    /// an open vault.
    pub async fn open_training(&self) -> Result<(), Error> {
        let mut gate = self.0.gate.write().await;
        if !matches!(*gate, Gate::New | Gate::Locked) {
            return Err(Error::new("not-allowed"));
        }
        let session = self.training_session().await?;
        *gate = Gate::Open(session);
        Ok(())
    }

    async fn reset_training(&self, _: ResetTraining) -> Result<(), Error> {
        let mut gate = self.0.gate.write().await;
        let session = gate.any_session().filter(|session| session.training);
        let session = session.ok_or_else(|| Error::new("not-allowed"))?;
        session.end().await;
        *gate = Gate::inspect(&self.0.config.folder);
        let folder = self.training_folder();
        // Only ever what says of itself that it is for training.
        if matches!(Vault::inspect(&folder), VaultState::Training(_)) {
            fs::remove_dir_all(&folder).map_err(disk)?;
        }
        *gate = Gate::Open(self.training_session().await?);
        Ok(())
    }

    async fn leave_training(&self, _: LeaveTraining) -> Result<(), Error> {
        let session = self.open_session().await?;
        if !session.training {
            return Err(Error::new("not-allowed"));
        }
        self.lock_vault().await;
        Ok(())
    }

    async fn training_session(&self) -> Result<std::sync::Arc<Session>, Error> {
        let folder = self.training_folder();
        let passphrase = Passphrase::new(PASSPHRASE.to_owned());
        let now = self.0.config.clock.millis();
        let persons = match Vault::inspect(&folder) {
            VaultState::Absent => {
                self.make_training(&passphrase).await?;
                Vec::new()
            }
            VaultState::Training(persons) => persons,
            // A clinic's vault, or something broken, in the folder for training: not touched.
            VaultState::Newer(_) => return Err(Error::new("vault-newer")),
            VaultState::Locked(_) | VaultState::Damaged(_) => return Err(Error::new("vault-damaged")),
        };
        let person = match persons.first() {
            Some(person) => person.id,
            None => match Vault::inspect(&folder) {
                VaultState::Training(persons) => persons.first().map(|person| person.id).unwrap_or_default(),
                _ => return Err(Error::new("vault-damaged")),
            },
        };
        let vault = Vault::unlock(&folder, person, &passphrase, None, now).await;
        let vault = vault.map_err(|error| self.unlock_error(error))?;
        if vault.purpose() != Use::Training {
            vault.lock().await;
            return Err(Error::new("vault-damaged"));
        }
        let enrollment = self.enrollment(vault.store(), person).await?;
        Session::start(self, vault.into(), person, enrollment, None).await
    }

    /// Beside its final place first: what was cut short is made anew.
    async fn make_training(&self, passphrase: &Passphrase) -> Result<(), Error> {
        let fresh = self.0.config.folder.join("training.new");
        match fs::remove_dir_all(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(disk(error)),
            _ => {}
        }
        let id = new_wire_id();
        let new = NewVault {
            vault: new_wire_id(),
            purpose: Use::Training,
            person: Person { id, name: "Dr Training".into(), role: "doctor".into() },
            passphrase,
            keychain: None,
            passphrase_alone: true,
        };
        let (vault, _) = Vault::create(&fresh, new).await.map_err(create_error)?;
        let furnished = furnish(&vault, id, self.0.config.clock.millis()).await;
        vault.lock().await;
        furnished?;
        fs::rename(&fresh, self.training_folder()).map_err(disk)
    }
}

async fn furnish(vault: &OpenVault, person: Id, now: i64) -> Result<(), Error> {
    let pin = Pin::new(PIN.to_owned()).map_err(|_| Error::new("unexpected"))?;
    vault.set_pin(&pin).await.map_err(pin_error)?;
    let enrollment = enrollment(vault, person, now)?;
    vault.set_device(enrollment.enrolled.device).await.map_err(crate::error::store)?;
    let kept = serde_json::to_vec(&enrollment).map_err(|_| Error::new("unexpected"))?;
    let mut transaction = Transaction::new()
        .set(Enrollment::setting(person), kept)
        .set(crate::gate::RECOVERY_CONFIRMED, [1])
        .add_mr_block(MrBlock { prefix: MR_PREFIX.into(), first: 1, last: 9_999 });
    for resource in patients()? {
        transaction = transaction.put(resource);
    }
    vault.store().commit(transaction, None).await.map(drop).map_err(crate::error::store)
}

/// The sample patients' resources.
fn patients() -> Result<Vec<NewResource>, Error> {
    let broken = |what: &'static str| Error::detail("unexpected", what);
    let text = zstd::decode_all(PATIENTS).map_err(|_| broken("the sample patients"))?;
    let text = String::from_utf8(text).map_err(|_| broken("the sample patients"))?;
    let mut resources = Vec::new();
    for line in text.lines() {
        let bundle = Bundle::parse(line.as_bytes()).map_err(crate::error::bundle)?;
        let patient = bundle.first("Patient").map(|patient| patient.id().to_owned());
        resources.extend(bundle.entries.iter().map(|resource| NewResource {
            kind: resource.resource_type().to_owned(),
            id: resource.id().to_owned(),
            patient: patient.clone(),
            envelope: None,
            server_version: Some(1),
            body: resource.bytes().to_vec().into(),
        }));
    }
    Ok(resources)
}

/// As if the person had joined an HIE; its key signs two certificates and is gone.
fn enrollment(vault: &OpenVault, id: Id, now: i64) -> Result<Enrollment, Error> {
    let locked = |_| Error::new("vault-locked");
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|_| Error::detail("unexpected", "no randomness"))?;
    let nobody = SigningKey::from_bytes(&seed);
    let (device, facility) = (new_wire_id(), new_wire_id());
    let name = "Training (not a clinic)".to_owned();
    let person = Invited {
        id,
        name: "Dr Training".into(),
        role: "doctor".into(),
        registration: None,
        qualification: None,
        specialty: None,
        phone: None,
    };
    let certify = |subject: Subject, key: [u8; 32]| {
        let (facility_name, issued_at) = (name.clone(), now);
        let cert = Cert { subject, key, facility, facility_name, issued_at, revoked: false };
        URL_SAFE_NO_PAD.encode(SignedCert::sign(&nobody, &cert).to_bytes())
    };
    let device_key = vault.device_key().map_err(locked)?.verifying_key().to_bytes();
    let person_key = vault.signer().map_err(locked)?.key().verifying_key().to_bytes();
    let certs = vec![
        certify(Subject::Device { id: device, name: "training".into() }, device_key),
        certify(
            Subject::Person {
                id,
                name: person.name.clone(),
                role: person.role.clone(),
                registration: None,
                qualification: None,
                specialty: None,
            },
            person_key,
        ),
    ];
    let facility = Facility { id: facility, name, place: None, address: None, kind: "clinic".into() };
    Ok(Enrollment {
        address: String::new(),
        enrolled: Enrolled {
            device,
            invitation: Invitation { facility, person },
            epoch: new_wire_id(),
            hie_key: URL_SAFE_NO_PAD.encode(nobody.verifying_key().as_bytes()),
            pins: Vec::new(),
            certs,
            mr_block: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_patients_are_the_sample_clinics_and_few() {
        let resources = patients().expect("readable");
        let count = resources.iter().filter(|resource| resource.kind == "Patient").count();
        assert!((10..=40).contains(&count), "{count}");
        let clinic = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packages/pk/sample/clinic.ndjson.zst");
        let clinic = zstd::decode_all(fs::File::open(clinic).expect("the clinic")).expect("zstd");
        let clinic = String::from_utf8(clinic).expect("text");
        let known: std::collections::HashSet<&str> = clinic.lines().collect();
        let few = String::from_utf8(zstd::decode_all(PATIENTS).expect("zstd")).expect("text");
        assert!(few.lines().all(|line| known.contains(line)));
    }
}
