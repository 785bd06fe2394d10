//! From a payload to an entry of the log.

use rabta_ipc::Error;
use rabta_store::{NewEnvelope, RecordStore, vault::KeyError};
use rabta_wire::{Id, envelope::Kind};

use crate::{Session, session::new_wire_id};

/// What a signature is for: urn:iso-astm:E1762-95:2013 codes (CLINIC.md's table in docs/SECURITY.md).
pub(crate) mod purpose {
    pub const AUTHOR: &str = "1.2.840.10065.1.12.1.1";
    pub const CONSENT_WITNESS: &str = "1.2.840.10065.1.12.1.11";
    pub const REVIEW: &str = "1.2.840.10065.1.12.1.13";
}

impl Session {
    /// An envelope of this facility, not yet signed by anyone.
    pub(crate) fn envelope(&self, kind: Kind, patient: Option<&str>, payload: Vec<u8>) -> NewEnvelope {
        NewEnvelope {
            id: new_wire_id(),
            kind,
            patient: patient.and_then(|p| p.parse().ok()),
            facility: self.facility_id(),
            task: None,
            base_version: None,
            depends: vec![],
            device_time: self.millis(),
            clock_offset: self.sync.clock_offset(),
            payload: payload.into(),
            signed_by: None,
        }
    }

    /// Signs the exact payload with the person's key.
    pub(crate) fn sign(&self, mut envelope: NewEnvelope, purpose: &str) -> Result<NewEnvelope, Error> {
        let signer = self.vault.signer().map_err(|e| match e {
            KeyError::ScreenLocked => Error::new("screen-locked"),
            KeyError::VaultLocked | KeyError::NotEnrolled => Error::new("vault-locked"),
        })?;
        // Somebody else took over while this was under way: nobody signs for another.
        if signer.person() != self.person_id {
            return Err(Error::new("screen-locked"));
        }
        envelope.signed_by = Some(signer.sign(purpose, &envelope.payload));
        Ok(envelope)
    }

    /// The envelope that brought the current version of a resource: what a later one depends on.
    pub(crate) async fn brought_by(&self, kind: &str, id: &str) -> Result<Option<Id>, Error> {
        let resource = self.store().resource(kind, id).await.map_err(|e| self.told(e))?;
        Ok(resource.and_then(|r| r.envelope))
    }
}
