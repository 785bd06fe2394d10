//! Another recovery code.

use super::{
    create::{CreateError, sealed_row},
    derive,
    file::VaultFile,
    open::OpenVault,
    recovery::RecoveryCode,
    wrap::{self, Kind, Opener, Wrap},
};
use crate::error::StoreError;

impl OpenVault {
    /// A new recovery code for the person whose session it is; the old one opens nothing from then on.
    pub async fn renew_recovery_code(&self) -> Result<RecoveryCode, CreateError> {
        let _changing = self.changing.lock().await;
        let damaged = |_| CreateError::Files(std::io::ErrorKind::InvalidData.into());
        let mut file = VaultFile::read(&self.paths).map_err(damaged)?;
        let key = self.copy_of_key().map_err(|_| StoreError::Locked)?;
        let (person, signing) = {
            let secrets = self.secrets();
            let person = secrets.as_ref().ok_or(StoreError::Locked)?.person();
            (person.person, person.key.clone())
        };
        let vault = self.id();
        let (recovery, wrap, row) = derive::secretly(move || {
            let recovery = RecoveryCode::random();
            let salt = derive::random_bytes::<32>();
            let opener = Opener::of_recovery_code(recovery.bytes(), &salt);
            let wrap = Wrap::new(vault, person, Kind::Recovery, &salt, &opener, None, &key);
            let mut secret = derive::empty();
            secret.copy_from_slice(signing.as_bytes());
            let row =
                sealed_row(&opener.person_key_key(), &secret, &wrap::bound_to(vault, person, "person key"));
            (recovery, wrap, row)
        })
        .await;
        // The database first: if the file is not written then, the passphrase still opens the vault.
        self.store().put_person_keys(person, vec![("recovery".to_owned(), row)]).await?;
        file.wraps.retain(|w| w.person != person || w.kind != Kind::Recovery);
        file.wraps.push(wrap);
        file.write(&self.paths).map_err(CreateError::Files)?;
        Ok(recovery)
    }
}
