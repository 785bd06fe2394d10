//! Enrollment: `POST /v1/enroll/check` shows what a code is for without using it up, `POST /v1/enroll` uses it.
//! JSON, over the connection that the code's key hash pins. Errors are OperationOutcomes whose
//! `details.coding[0].code` is one of [`codes`].

use serde::{Deserialize, Serialize};

use crate::Id;

/// Stable codes of what can go wrong.
pub mod codes {
    pub const UNKNOWN: &str = "enroll-unknown";
    pub const USED: &str = "enroll-used";
    pub const EXPIRED: &str = "enroll-expired";
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Check {
    /// Base64url of the code's secret.
    pub secret: String,
}

/// What the operator entered when they made the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub facility: Facility,
    pub person: Person,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facility {
    pub id: Id,
    pub name: String,
    /// A place id of the country package.
    pub place: Option<String>,
    /// Shown on prints.
    pub address: Option<String>,
    /// clinic or hospital.
    pub kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: Id,
    pub name: String,
    /// As in [`crate::cert::Subject::Person`].
    pub role: String,
    pub registration: Option<String>,
    pub qualification: Option<String>,
    pub specialty: Option<String>,
    pub phone: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Enroll {
    pub secret: String,
    /// The device's and the person's new Ed25519 public keys, base64url.
    pub device_key: String,
    pub person_key: String,
    /// What the operator sees in the list of devices.
    pub device_name: String,
    /// Set where a further person joins a device that is enrolled already.
    pub device: Option<Id>,
    /// Base64url Ed25519 signature by the device's key over `rabta enroll 1\0` + secret + person key: the
    /// device countersigns.
    pub countersignature: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolled {
    pub device: Id,
    pub invitation: Invitation,
    /// The HIE's epoch.
    pub epoch: Id,
    /// The HIE's Ed25519 key that signs certificates, base64url.
    pub hie_key: String,
    /// SHA-256 of the SPKI in use and of the backup key, base64url.
    pub pins: Vec<String>,
    /// [`crate::cert::SignedCert`]s of this device and person, base64url.
    pub certs: Vec<String>,
    /// For a clinic.
    pub mr_block: Option<MrBlock>,
}

/// MR numbers `prefix` + `first..=last`, to which the check digit is added (see the domain's `mr`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MrBlock {
    pub prefix: String,
    pub first: u32,
    pub last: u32,
}

/// A line of the duty roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    pub person: Id,
    pub name: String,
    pub facility: String,
    /// A code of the country package's specialties.
    pub specialty: String,
    /// The duty telephone.
    pub phone: String,
    /// Lines like `mon-fri 08:00-16:00` or `always`, in the HIE's local time.
    pub hours: String,
}
