//! What could not be sent, as a file for the operator: sealed for the HIE, so that whoever carries it reads nothing.

use std::{fs, io::Write as _};

use rabta_ipc::{
    Error,
    gate::{ExportUnsent, HandedOver},
};
use rabta_store::Transaction;
use rabta_wire::{envelope::Kind, handover, log::Push};

use crate::{Session, routes::routes};

routes!(Session {
    ExportUnsent => export_unsent,
});

impl Session {
    /// All envelopes that the HIE does not have, refused ones too, in the log's order. Nothing here is changed by it.
    async fn export_unsent(&self, _: ExportUnsent) -> Result<HandedOver, Error> {
        if self.training {
            return Err(Error::new("training"));
        }
        let told = |e| self.told(e);
        let entries = self.store().all_unsent().await.map_err(told)?;
        if entries.is_empty() {
            return Err(Error::new("nothing-unsent"));
        }
        let visits = entries.iter().filter(|entry| entry.kind == Kind::Visit).count() as u32;
        let records = entries.len() as u32;
        let push = Push { envelopes: entries.into_iter().map(|entry| entry.bytes.0.into()).collect() };
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(|_| Error::detail("unexpected", "no randomness"))?;
        let sealed = handover::seal(&self.shared_secret()?, nonce, &push);
        if sealed.len() > handover::MOST {
            return Err(Error::new("too-large"));
        }
        let device = self.enrollment.enrolled.device.to_string();
        let name = format!("rabta-unsent-{}-{}.rabta", &device[..8], self.millis() / 1000);
        let folder = &self.app.config.documents;
        let path = folder.join(name);
        let written = fs::create_dir_all(folder).and_then(|()| {
            let mut file = fs::File::create(&path)?;
            file.write_all(&sealed)?;
            file.sync_all()
        });
        written.map_err(crate::gate::disk)?;
        let audit = self.audit("export", &format!("Device/{device}"), None);
        self.commit(Transaction::new().audit(audit)).await?;
        Ok(HandedOver { file: path.display().to_string(), records, visits })
    }
}
