//! Another facility's patient: found by a whole number, opened in an emergency; and what this facility is told of such
//! openings.

use rabta_domain::{
    Private,
    patient::{PatientCard, Sex},
};
use serde::{Deserialize, Serialize};

use crate::macros::commands;

commands! {
    /// Who has exactly this identity card or MR number, in the whole register. Errors: `not-a-number` (it is neither of
    /// the two, whole), `slow-down`, `not-allowed`, `hie-unreachable`, `training`.
    LookUp { number: Private<String> } -> Vec<Elsewhere> = "look-up";
    /// Opens another facility's record in an emergency and fetches it. Errors: `invalid` with the field (`reason`,
    /// `text`), `emergency-not-needed`, `slow-down`, `not-allowed`, `not-found`, `hie-unreachable`, `training`.
    /// `facility`: its name, as the lookup said.
    BreakGlass { patient: String, facility: String, reason: String, text: Private<String>, restricted: Option<Private<String>> } -> Emergency = "break-glass";
    /// Fetches the record behind an open glass, again or for the first time.
    FetchEmergency { patient: String } -> Emergency = "fetch-emergency";
    /// Somebody here has read a notice.
    SeeNotice { id: String } -> () = "see-notice";
}

/// A patient as the register tells of them: just enough to be sure that they are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Patient id.
    pub id: String,
    pub name: Private<String>,
    pub sex: Sex,
    /// `YYYY`, where known.
    pub born: Option<String>,
    /// The facility that has the record.
    pub facility: String,
    /// The record is on this laptop: it can simply be opened.
    pub here: bool,
    /// This person's role may open it in an emergency.
    pub may_open: bool,
}

/// Another facility's record, open for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// Patient id.
    pub patient: String,
    /// The facility that has the record.
    pub facility: String,
    /// One of `rabta_wire::care::REASONS`.
    pub reason: String,
    /// When it closes: milliseconds since 1970 by this device's clock.
    pub until: i64,
    /// All of it came down.
    pub complete: bool,
}

/// One's own open emergency, on Today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyRow {
    pub emergency: Emergency,
    /// `None` until the record came down.
    pub card: Option<PatientCard>,
}

/// Somebody of another facility opened a record of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// AuditEvent id.
    pub id: String,
    /// `None` where the patient is not on this laptop.
    pub card: Option<PatientCard>,
    /// Name of who opened it; empty where it is not known here.
    pub by: String,
    /// Their role's code, and their facility.
    pub role: String,
    pub facility: String,
    /// One of `rabta_wire::care::REASONS`.
    pub reason: String,
    /// In their own words.
    pub text: Private<String>,
    /// Very restricted parts, too.
    pub restricted: bool,
    /// Milliseconds since 1970, the HIE's clock.
    pub at: i64,
}
