//! What is stored, as the app sees it.

use rabta_domain::Private;
use rabta_wire::{Id, cursor::Cursor, envelope::Kind};

/// A FHIR resource, in the version that is current here (or in the version that was asked for).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// `Patient`, `Encounter`, ...
    pub kind: String,
    pub id: String,
    /// Counted here, from 1.
    pub version: u32,
    /// The store's own order; what came later has a higher one, whatever any clock said.
    pub seq: i64,
    /// `seq` of the resource's first version: what lists are sorted by.
    pub first_seq: i64,
    /// The Patient that it is about (a Patient's own id for a Patient), where it says so.
    pub patient: Option<String>,
    /// `Task.businessStatus` of a Task, `subtype` of an AuditEvent, else `status`; empty where there is none.
    pub state: String,
    /// Something is still to be done about it (Tasks by the transition table).
    pub open: bool,
    pub deleted: bool,
    /// The envelope that brought this version, where one did.
    pub envelope: Option<Id>,
    /// The JSON exactly as it came. Empty where deleted.
    pub body: Private<Vec<u8>>,
}

/// A resource to store as a new version. What columns need is read from the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResource {
    pub kind: String,
    pub id: String,
    /// Where the body does not say which patient it is about (Binary, Provenance).
    pub patient: Option<String>,
    pub envelope: Option<Id>,
    /// The HIE's version number, where it came through the FHIR API: stored once only.
    pub server_version: Option<u64>,
    /// Empty: it was deleted.
    pub body: Private<Vec<u8>>,
}

/// Something being written: a visit, an advice. The body is the form as JSON and means nothing to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub id: String,
    /// `visit`, `advice`, `registration`, ...
    pub kind: String,
    pub patient: Option<String>,
    /// Counts the saves, from 1.
    pub rev: u64,
    /// In the order in which drafts were begun.
    pub seq: i64,
    /// As the caller gave it: milliseconds since 1970 by the device's clock; shown, never ordered by.
    pub updated_at: i64,
    pub body: Private<Vec<u8>>,
}

/// A draft to save over whatever was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveDraft {
    pub id: String,
    pub kind: String,
    pub patient: Option<String>,
    pub updated_at: i64,
    pub body: Private<Vec<u8>>,
}

/// Where an envelope of this device's log stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// On this laptop only.
    Here,
    /// Durable at the HIE, at this place of its log.
    AtHie(Cursor),
    /// Durable at the HIE, but without effect: the Task stood as `code` says.
    Superseded { at: Cursor, code: String },
    /// Refused, with the HIE's own words.
    Quarantined { code: String, text: String },
    /// Was refused, or waited for one that was, and somebody has seen to it: another envelope took its place, or it stays
    /// on this laptop.
    SeenTo { code: String, text: String, by: Option<Id> },
}

/// An entry of this device's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub log_epoch: u32,
    pub seq: u64,
    pub id: Id,
    pub kind: Kind,
    pub patient: Option<String>,
    pub task: Option<Id>,
    pub state: EntryState,
    /// The encoded [`rabta_wire::envelope::Envelope`].
    pub bytes: Private<Vec<u8>>,
}

/// How many envelopes are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CustodyCounts {
    pub here: u64,
    pub at_hie: u64,
    pub superseded: u64,
    pub quarantined: u64,
}

impl CustodyCounts {
    pub(crate) fn add(&mut self, state: i64, count: u64) {
        match state {
            0 => self.here += count,
            1 => self.at_hie += count,
            2 => self.superseded += count,
            3 => self.quarantined += count,
            // What somebody has seen to is no record that counts.
            _ => {}
        }
    }

    pub fn total(&self) -> u64 {
        self.here + self.at_hie + self.superseded + self.quarantined
    }
}

/// A patient that a query found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub score: u32,
    pub patient: Resource,
    /// Father, husband, guardian: the patient's RelatedPersons.
    pub relatives: Vec<Resource>,
}

/// A page of what was found, best first, ties in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HitPage {
    pub hits: Vec<Hit>,
    /// There are more after these.
    pub more: bool,
}

/// An identity paper's number and whose it is said to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumberUse {
    pub patient: String,
    /// `Patient` where it is the patient's own, `RelatedPerson` where it is a relative's.
    pub source_kind: String,
    pub source_id: String,
}

/// A number of the clinic's block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MrNumber {
    pub prefix: String,
    pub number: u32,
    /// With the check digit, as it is shown and stored.
    pub text: Private<String>,
}

/// A photo or a voice note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The Binary's id.
    pub id: String,
    pub content_type: String,
    pub bytes: Private<Vec<u8>>,
    /// A small picture of it, where somebody made one; may be empty.
    pub thumb: Private<Vec<u8>>,
}

/// A certificate as the HIE signed it; verified by whoever hands it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCert {
    /// The person or device.
    pub subject: Id,
    pub key: [u8; 32],
    /// Milliseconds since 1970, the HIE's clock.
    pub issued_at: i64,
    /// The encoded [`rabta_wire::cert::SignedCert`].
    pub bytes: Vec<u8>,
}

/// The place of an envelope that a laptop nearby handed over and the HIE is not known to have: it comes after everything
/// that the HIE has and before what this laptop has still to send.
pub const NEARBY: u64 = i64::MAX as u64 - 1;

/// Somebody else's envelope, as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub id: Id,
    /// Its place in the HIE's log; 0 where the HIE was restored and has not shown it since, [`NEARBY`] where it never came
    /// from there.
    pub hie_seq: u64,
    pub device: Id,
    pub kind: Kind,
    pub patient: Option<String>,
    pub task: Option<Id>,
    /// Milliseconds since 1970, the HIE's clock.
    pub received_at: i64,
    pub bytes: Private<Vec<u8>>,
}

impl Received {
    /// Whether the HIE is known to have it.
    pub fn is_at_hie(&self) -> bool {
        !matches!(self.hie_seq, 0 | NEARBY)
    }
}

/// One act for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Milliseconds since 1970 by the device's clock.
    pub at: i64,
    pub person: Id,
    /// read, create, update, query, print, unlock, ...
    pub action: String,
    /// `Patient/<id>` and the like; never a name or a number.
    pub entity: String,
    pub patient: Option<String>,
}

/// An audit entry that is not part of an envelope yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentAudit {
    pub seq: i64,
    pub entry: AuditEntry,
}
