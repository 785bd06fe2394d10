//! A laptop that takes a backup's records and becomes a new device; also this laptop's own, where they were copied.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rabta_ipc::{
    Error,
    gate::{BackupRow, ListBackups, Recovery, Restore},
};
use rabta_store::{
    Transaction,
    vault::{
        Backup, BackupError, Given, NewDevice, NewcomerKey, OpenVault, Passphrase, Person, Pin, RecoveryCode,
        Vault,
    },
};
use rabta_sync::HieClient;
use rabta_wire::{Id, code::EnrollmentCode, enroll::Invitation};

use crate::{
    App, Session,
    backup::{LAST, backup_error, row, sticks},
    gate::{Gate, create_error, device_name, disk, hie, parse_code, vault_folder},
    keychain, lease,
    people::unconfirmed,
    routes::routes,
    session::Enrollment,
    sync_task,
};

/// While a backup is being copied back.
const FRESH: &str = "vault.restoring";
/// While this laptop's own vault is copied to become another device's, and that of the earlier device until it did.
const COPYING: &str = "vault.copying";
const BEFORE: &str = "vault.before";

/// A vault that waits to be put in its place.
struct Taken {
    fresh: PathBuf,
    person: Id,
    passphrase: Passphrase,
    recovery: RecoveryCode,
}

/// The power failed between taking the earlier device's vault away and putting the new one there: it is put back.
pub(crate) fn put_back(folder: &Path) {
    let (vault, before) = (vault_folder(folder), folder.join(BEFORE));
    if !vault.exists()
        && before.exists()
        && let Err(error) = fs::rename(&before, &vault)
    {
        tracing::error!(kind = ?error.kind(), "the vault could not be put back");
    }
}

routes!(App {
    ListBackups => list_backups,
    Restore => restore,
});

impl Session {
    /// The HIE saw two copies of this device, and somebody is at this one.
    fn may_start_anew(&self) -> bool {
        !self.training && !self.is_screen_locked() && self.sync.is_copied()
    }
}

impl App {
    async fn list_backups(&self, list: ListBackups) -> Result<Vec<BackupRow>, Error> {
        let place = list.place.trim();
        let mut places = sticks();
        if place.is_empty() {
            places.push(self.0.config.documents.clone());
        } else {
            places = vec![PathBuf::from(place)];
        }
        let found: Vec<BackupRow> = places.iter().flat_map(|place| Backup::found(place)).map(row).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        // Why there is none: something in it may be a backup that cannot be used.
        let inside = places.iter().flat_map(|place| fs::read_dir(place).into_iter().flatten().flatten());
        let looked = places.clone().into_iter().chain(inside.map(|entry| entry.path()));
        let why = looked.filter_map(|dir| Backup::read(&dir).err());
        let told =
            why.into_iter().find(|error| matches!(error, BackupError::Newer(_) | BackupError::Damaged(_)));
        Err(backup_error(told.unwrap_or(BackupError::None)))
    }

    /// Copies the backup beside the vault's final place, enrolls, makes it this new device's, and moves it there: what is
    /// cut short leaves nothing that looks like a vault, and the backup as it was. Without a backup it is this laptop's own
    /// vault, of which the HIE saw two copies: that one becomes the new device's.
    async fn restore(&self, restore: Restore) -> Result<Recovery, Error> {
        let mut gate = self.0.gate.write().await;
        let own = match &*gate {
            Gate::New if !restore.backup.is_empty() => None,
            Gate::Open(session) if restore.backup.is_empty() && session.may_start_anew() => {
                Some(session.clone())
            }
            _ => return Err(Error::new("not-allowed")),
        };
        let Some(session) = own else {
            let backup = Backup::read(Path::new(&restore.backup)).map_err(backup_error)?;
            let taken = self.take(&backup, restore).await?;
            fs::rename(&taken.fresh, vault_folder(&self.0.config.folder)).map_err(disk)?;
            return self.begin(&mut gate, taken).await;
        };
        if session.calls.is_running() {
            return Err(Error::new("in-a-call"));
        }
        // The sync goes on meanwhile: what it brings or tells comes again to the new device.
        let place = self.0.config.folder.join(COPYING);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).map_err(disk)?;
        session.seal_whole_trail().await?;
        let taken = match session.vault.back_up(&place, "own", session.millis(), &|_| {}).await {
            Ok(backup) => self.take(&backup, restore).await,
            Err(error) => Err(backup_error(error)),
        };
        let _ = fs::remove_dir_all(&place);
        let taken = taken?;
        session.end().await;
        *gate = Gate::Locked;
        let (vault, before) = (vault_folder(&self.0.config.folder), self.0.config.folder.join(BEFORE));
        let _ = fs::remove_dir_all(&before);
        fs::rename(&vault, &before).map_err(disk)?;
        if let Err(error) = fs::rename(&taken.fresh, &vault) {
            fs::rename(&before, &vault).map_err(disk)?;
            return Err(disk(error));
        }
        let begun = self.begin(&mut gate, taken).await?;
        if let Err(error) = fs::remove_dir_all(&before) {
            tracing::warn!(kind = ?error.kind(), "the vault of the earlier device stays");
        }
        Ok(begun)
    }

    /// A vault of this new device, beside where it belongs.
    async fn take(&self, backup: &Backup, restore: Restore) -> Result<Taken, Error> {
        let code = parse_code(&restore.code)?;
        let pin = Pin::new(restore.pin.0).map_err(|_| Error::field("invalid", "pin"))?;
        let passphrase = Passphrase::new(restore.passphrase.0);
        if passphrase.is_empty() {
            return Err(Error::field("invalid", "passphrase"));
        }
        let client = HieClient::for_code(&code, sync_task::Clock::new(&self.0)).map_err(hie)?;
        let invited = client.check_code(&code).await.map_err(hie)?;
        let person = invited.person.id;
        if !backup.persons.iter().any(|known| known.id == person) {
            return Err(Error::new("other-person"));
        }
        let typed = restore.given.0;
        let recovery = RecoveryCode::parse(typed.clone()).ok();
        let earlier = Passphrase::new(typed);
        let given = match &recovery {
            Some(code) => Given::Recovery(code),
            None => Given::Passphrase { person, passphrase: &earlier },
        };
        match backup.opens(&given).await.map_err(backup_error)? {
            Some(whose) if whose == person => {}
            Some(_) => return Err(Error::new("other-person")),
            None => return Err(Error::new("backup-secret")),
        }
        let folder = &self.0.config.folder;
        fs::create_dir_all(folder).map_err(disk)?;
        let fresh = folder.join(FRESH);
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(disk)?;
        }
        backup.copy_to(&fresh, &|_| {}).await.map_err(|error| match error {
            // Here it is this laptop's disk that is full.
            BackupError::Files(error) => disk(error),
            error => backup_error(error),
        })?;
        let now = self.0.config.clock.millis();
        let opened = match &recovery {
            Some(code) => Vault::unlock_with_recovery(&fresh, code, now).await,
            None => Vault::unlock(&fresh, person, &earlier, None, now).await,
        };
        let made = match opened {
            Ok(vault) => {
                let made = self.renew(&vault, &client, code, &invited, &passphrase, &pin).await;
                vault.lock().await;
                made
            }
            Err(error) => Err(match self.unlock_error(error) {
                error if error.code == "vault-newer" => Error::new("backup-newer"),
                error if error.code == "vault-damaged" => Error { code: "backup-damaged".into(), ..error },
                error => error,
            }),
        };
        match made {
            Ok(recovery) => Ok(Taken { fresh, person, passphrase, recovery }),
            Err(error) => {
                let _ = fs::remove_dir_all(&fresh);
                Err(error)
            }
        }
    }

    /// Opens the vault that was just put in its place.
    async fn begin(&self, gate: &mut Gate, taken: Taken) -> Result<Recovery, Error> {
        *gate = Gate::Locked;
        let (folder, now) = (vault_folder(&self.0.config.folder), self.0.config.clock.millis());
        let vault = Vault::unlock(&folder, taken.person, &taken.passphrase, None, now).await;
        let session = self.open(vault.map_err(|e| self.unlock_error(e))?, taken.person).await?;
        let device = session.enrollment.enrolled.device;
        tracing::info!(%device, "this laptop is a new device, with the records of an earlier one");
        let audit = session.audit("create", &format!("Device/{device}"), None);
        let noted = session.commit(Transaction::new().audit(audit)).await;
        let shown = taken.recovery.reveal().to_string();
        session.show_recovery(taken.person, taken.recovery);
        *gate = Gate::Open(session);
        noted?;
        Ok(Recovery { code: shown.into() })
    }

    /// Enrolls a new device with the operator's code and gives it the copied vault.
    async fn renew(
        &self,
        vault: &OpenVault,
        client: &HieClient,
        code: EnrollmentCode,
        invited: &Invitation,
        passphrase: &Passphrase,
        pin: &Pin,
    ) -> Result<RecoveryCode, Error> {
        let person = invited.person.id;
        let earlier = self.enrollment(vault.store(), person).await?;
        if earlier.enrolled.invitation.facility.id != invited.facility.id || !earlier.is_of(&code) {
            return Err(Error::new("other-facility"));
        }
        let others: Vec<Id> =
            vault.persons().map_err(|e| self.unlock_error(e))?.into_iter().map(|p| p.id).collect();
        let (device_key, person_key) = (NewcomerKey::random(), NewcomerKey::random());
        let enrolled = client
            .enroll(&code, device_key.key(), person_key.key(), &device_name(), None)
            .await
            .map_err(hie)?;
        let device = enrolled.device;
        let enrollment = Enrollment { address: code.address, enrolled };
        let kept = serde_json::to_vec(&enrollment).map_err(|_| Error::new("unexpected"))?;
        let mut with = Transaction::new();
        for other in others {
            with = with.unset(Enrollment::setting(other)).unset(unconfirmed(other));
        }
        // The lease, and what was known of the clock, were another device's.
        with =
            with.unset(lease::SETTING).unset(sync_task::REMEMBERED).unset(LAST).set(unconfirmed(person), [1]);
        with = with.set(Enrollment::setting(person), kept);
        if let Some(block) = &enrollment.enrolled.mr_block {
            with = with.add_mr_block(block.clone());
        }
        let invited = &enrollment.enrolled.invitation.person;
        let new = NewDevice {
            device,
            device_key: &device_key,
            person_key: &person_key,
            person: Person { id: person, name: invited.name.clone(), role: invited.role.clone() },
            passphrase,
            pin,
            keychain: keychain::make(person).await,
            passphrase_alone: true,
            with,
        };
        vault.become_device(new).await.map_err(create_error)
    }
}
