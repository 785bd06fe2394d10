//! What whoever keeps the server does to it: one AuditEvent each, by the command or by the operator's page. None names a
//! patient.

use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::{Act, Event, event::DICOM, write};
use crate::db::settings;

/// The code system of [`Deed::code`].
pub const SYSTEM: &str = "https://rabta.health/fhir/CodeSystem/operator-act";

/// By which door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Command,
    Page,
}

/// An operator's act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    AddFacility,
    AddPerson,
    MakeCode,
    CloseCodes,
    SetRoster,
    LeaveRoster,
    IssueToken,
    ReserveNumbers,
    RevokeDevice,
    RevokePerson,
    RevokeFacility,
    LeaseCode,
    /// Took in what a revoked laptop had not sent.
    Import,
    /// Answered what a laptop without a line sent on a stick.
    Carry,
    RotateKey,
    Backup,
    Restore,
    ReviewBreakGlass,
    OpenPage,
}

impl Deed {
    pub fn code(self) -> &'static str {
        match self {
            Self::AddFacility => "add-facility",
            Self::AddPerson => "add-person",
            Self::MakeCode => "make-enrollment-code",
            Self::CloseCodes => "close-codes",
            Self::SetRoster => "set-roster",
            Self::LeaveRoster => "leave-roster",
            Self::IssueToken => "issue-token",
            Self::ReserveNumbers => "reserve-numbers",
            Self::RevokeDevice => "revoke-device",
            Self::RevokePerson => "revoke-person",
            Self::RevokeFacility => "revoke-facility",
            Self::LeaseCode => "lease-code",
            Self::Import => "import",
            Self::Carry => "carry",
            Self::RotateKey => "rotate-key",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::ReviewBreakGlass => "review-break-glass",
            Self::OpenPage => "open-page",
        }
    }

    /// `AuditEvent.action`.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::AddFacility | Self::AddPerson | Self::MakeCode | Self::IssueToken | Self::LeaseCode => "C",
            Self::Backup => "R",
            Self::Restore | Self::OpenPage => "E",
            _ => "U",
        }
    }

    /// `AuditEvent.type` and `subtype`, codes of DICOM (PS3.16, CID 400 and 401) where there is one that fits.
    pub(super) fn coded(self) -> (Value, Value) {
        let of = |code: &str, display: &str| json!({"system": DICOM, "code": code, "display": display});
        let own = json!({"system": SYSTEM, "code": self.code()});
        let alert = || of("110113", "Security Alert");
        match self {
            Self::Backup => (of("110106", "Export"), json!([own])),
            Self::Restore | Self::Import | Self::Carry => (of("110107", "Import"), json!([own])),
            Self::OpenPage => (of("110114", "User Authentication"), json!([own])),
            Self::RotateKey => (alert(), json!([own, of("110129", "Security Configuration")])),
            Self::SetRoster | Self::LeaveRoster => {
                (alert(), json!([own, of("110136", "Security Roles Changed")]))
            }
            Self::AddFacility | Self::ReserveNumbers => {
                (alert(), json!([own, of("110131", "Software Configuration")]))
            }
            Self::ReviewBreakGlass => (alert(), json!([own])),
            _ => (alert(), json!([own, of("110137", "User Security Attributes Changed")])),
        }
    }
}

impl Event {
    /// `what`: `Type/id` of whom or what it was done to; never a patient.
    pub fn deed(deed: Deed, by: By, what: Option<String>) -> Self {
        Self { what, page: by == By::Page, ..Self::of_operator(Act::Operator(deed)) }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.detail = Some((name, value.into()));
        self
    }
}

/// Set by a restore, whose database may be of an older program: written down once that one was brought up to date.
pub const RESTORED: &str = "restored-from";

/// Writes down that this database was restored, if it was since the last time.
pub async fn note_restore(tx: &mut SqliteConnection, now: i64) -> Result<(), sqlx::Error> {
    if let Some(from) = settings::take(tx, RESTORED).await? {
        let from = String::from_utf8_lossy(&from).into_owned();
        write(tx, &Event::deed(Deed::Restore, By::Command, None).with("backup", from), now).await?;
    }
    Ok(())
}
