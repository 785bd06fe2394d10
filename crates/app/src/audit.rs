//! The laptop's own trail on its way to the HIE: acts are written down with what they did, and go out in batches.

use rabta_domain::fhir::audit::{Act, AuditEvent, Outcome, to_bundle};
use rabta_ipc::Error;
use rabta_store::{DeviceSigner, RecordStore, Transaction, UnsentAudit};
use rabta_wire::envelope::Kind;
use time::OffsetDateTime;

use crate::{Session, session::new_id};

/// A batch goes out when it has so many acts,
const MANY: usize = 50;
/// or when the oldest is older than this, in milliseconds by the device's clock.
const OLD: i64 = 15 * 60_000;

impl Session {
    /// Puts the acts that no envelope holds yet into one, where it is time. An error leaves them where they are: they
    /// go with the next batch.
    pub(crate) async fn send_trail(&self) {
        if let Err(error) = self.seal_trail(false).await {
            tracing::warn!(code = %error.code, "the audit trail was not put into an envelope");
        }
    }

    /// Puts all of them into envelopes now.
    pub(crate) async fn seal_whole_trail(&self) -> Result<(), Error> {
        while !self.store().unsent_audit(1).await.map_err(|e| self.told(e))?.is_empty() {
            self.seal_trail(true).await?;
        }
        Ok(())
    }

    async fn seal_trail(&self, at_once: bool) -> Result<(), Error> {
        let unsent = self.store().unsent_audit(MANY).await.map_err(|e| self.told(e))?;
        let (Some(first), Some(last)) = (unsent.first(), unsent.last()) else { return Ok(()) };
        // A clock that was set back makes an act no younger.
        if !at_once && unsent.len() < MANY && first.entry.at.abs_diff(self.millis()) < OLD as u64 {
            return Ok(());
        }
        let sent = last.seq;
        let mut events = Vec::with_capacity(unsent.len());
        for act in unsent {
            events.push(self.event(act).await?);
        }
        let payload = to_bundle(&events, self.now(), &mut new_id);
        let envelope = self.envelope(Kind::Audit, None, payload);
        let key = self.vault.device_key().map_err(|_| Error::new("vault-locked"))?;
        let sealer = DeviceSigner::new(self.enrollment.enrolled.device, key);
        let transaction = Transaction::new().append(envelope).audit_sent(sent);
        self.store().commit(transaction, Some(&sealer)).await.map_err(|e| self.told(e))?;
        self.sync.wake();
        Ok(())
    }

    async fn event(&self, act: UnsentAudit) -> Result<AuditEvent, Error> {
        let entry = act.entry;
        let mut patient = entry.patient;
        // What was printed says whose it is.
        if let (None, Some((kind, id))) = (&patient, entry.entity.split_once('/')) {
            let about = self.store().resource(kind, id).await.map_err(|e| self.told(e))?;
            patient = about.and_then(|resource| resource.patient);
        }
        Ok(AuditEvent {
            id: new_id(),
            act: Act::of_action(&entry.action),
            outcome: Outcome::Success,
            at: OffsetDateTime::from_unix_timestamp_nanos(i128::from(entry.at) * 1_000_000)
                .unwrap_or(OffsetDateTime::UNIX_EPOCH),
            person: entry.person.to_string(),
            device: self.enrollment.enrolled.device.to_string(),
            facility: self.facility_id().to_string(),
            patient,
            what: entry.entity,
            parameters: Vec::new(),
            purpose: None,
        })
    }
}
