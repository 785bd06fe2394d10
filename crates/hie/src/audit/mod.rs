//! Who did what: one AuditEvent per act (IHE BALP, https://profiles.ihe.net/ITI/BALP), stored like any resource of
//! the facility whose people acted, durable before the act is answered.

mod deed;
mod event;
mod log;
pub mod report;

pub use deed::{By, Deed, RESTORED, SYSTEM as OPERATOR, note_restore};
pub use event::{Act, Event};
pub use log::{AuditLog, NotRecorded};

use sqlx::SqliteConnection;

use crate::{
    fhir::store::{self, New},
    identity::new_id,
};

/// Stores `event` in the transaction of the act itself; returns its id.
pub async fn write(tx: &mut SqliteConnection, event: &Event, now: i64) -> Result<String, sqlx::Error> {
    let id = new_id().to_string();
    let value = event.resource(&id, now);
    let body = value.to_string();
    let new = New {
        kind: "AuditEvent",
        id: &id,
        facility: event.facility,
        patient: event.patient.as_deref(),
        task: None,
        envelope: None,
        body: body.as_bytes(),
        value: &value,
    };
    store::put(tx, &new, now).await?;
    Ok(id)
}
