//! Where the records are.

use rabta_domain::patient::{Custody, PatientCard};
use serde::{Deserialize, Serialize};

use crate::macros::commands;

commands! {
    GetSync {} -> SyncView = "sync";
    /// Tries now.
    SyncNow {} -> () = "sync-now";
    /// A refused record is offered once more as it is; or, with `keep`, it stays on this laptop and needs nobody any more.
    /// Error `not-allowed` for that while others wait for it.
    SeeTo { envelope: String, keep: bool } -> () = "see-to";
    /// Whether records go to the clinic's other laptops on the same Wi-Fi while the HIE cannot be reached. Kept in the vault.
    SetNearby { on: bool } -> () = "set-nearby";
    /// Where sticks are plugged in.
    GetSticks {} -> Vec<String> = "sticks";
    /// All that a stick at `place` is for: takes in what it brings for this laptop, brings other laptops' records on it to
    /// the HIE if that can be reached, and writes what is unsent here on it. `stick-place`, `stick-full`.
    UseStick { place: String } -> StickDone = "use-stick";
}

/// What was done with a stick. Counts of envelopes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StickDone {
    pub taken: Option<StickTaken>,
    /// Other laptops whose records were brought to the HIE: the answers for them are on the stick.
    pub carried: u32,
    /// Other laptops whose records wait on the stick for somebody with a line.
    pub waiting: u32,
    pub written: Option<StickWritten>,
    /// Files that were left as they are, by the code of each: `stick-damaged`, `stick-gap`, `stick-unknown`, `device-revoked`,
    /// `hie-refused`.
    pub problems: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StickTaken {
    /// This laptop's, at the HIE now.
    pub sent: u32,
    pub refused: u32,
    /// Changes that came with it.
    pub changes: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StickWritten {
    pub records: u32,
    pub visits: u32,
    /// Not all of it went on.
    pub more: bool,
}

/// One place, in words. Never green while anything is unsent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncChip {
    /// Records (envelopes) that are on this laptop only.
    pub here_only: u32,
    /// Of those, visits.
    pub visits_here_only: u32,
    /// Refused ones, which need somebody, and patients of whom two values of one detail stand.
    pub needs_you: u32,
    /// Colleagues' records that came from their laptops, and the HIE has not shown yet.
    #[serde(default)]
    pub carried: u32,
    /// The HIE answered the last time that it was tried.
    pub reachable: bool,
    /// Sending or fetching now.
    pub busy: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SyncView {
    pub chip: SyncChip,
    pub hie: String,
    /// Why nothing goes on until somebody does something: `hie-key-changed`, `hie-refused`, `hie-unreadable`; else empty.
    pub problem: String,
    /// Milliseconds since 1970.
    pub last_contact: Option<i64>,
    /// Counts by kind of record.
    pub kinds: Vec<KindCount>,
    /// What needs somebody, what waits, and what somebody has seen to; each newest first, at most 200.
    pub rows: Vec<SyncRow>,
    /// HIE clock minus this device's, milliseconds, once known.
    pub clock_offset: Option<i64>,
    /// Bytes that wait to be sent.
    #[serde(default)]
    pub bytes: u64,
    /// After a failure: when the next try is, milliseconds since 1970.
    #[serde(default)]
    pub next_try: Option<i64>,
    /// What this month cost; `None` in training.
    #[serde(default)]
    pub used: Option<DataUsed>,
    /// Others' records whose signatures do not hold, kept apart.
    #[serde(default)]
    pub apart: u32,
    /// `None` in training.
    #[serde(default)]
    pub nearby: Option<Nearby>,
}

/// The clinic's other laptops on the same Wi-Fi.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nearby {
    pub on: bool,
    /// It is on, and nobody can be looked for.
    pub failed: bool,
    /// Who was met since the vault was opened, the last one first.
    pub met: Vec<NearbyLaptop>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearbyLaptop {
    pub name: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Records that were new over there, and here.
    pub handed: u32,
    pub taken: u32,
}

/// What went over the line, above TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataUsed {
    /// `YYYY-MM`.
    pub month: String,
    pub sent: u64,
    pub received: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindCount {
    /// patient, consent, visit, referral-note, task-move, communication, advice, decisions, attachment-part, audit.
    pub kind: String,
    pub here: u32,
    pub at_hie: u32,
    pub refused: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncRow {
    pub envelope: String,
    pub kind: String,
    pub card: Option<PatientCard>,
    pub custody: Custody,
    /// The server's code and own words, for a refused one.
    pub code: String,
    pub text: String,
    pub made_at: i64,
    #[serde(default)]
    pub bytes: u64,
    /// Why it is not at the HIE: `refused`, `after` (it waits for a refused one, or one that stays here), `call`,
    /// `no-link`, `stopped` (nothing goes at all), `next`; `replaced` by another, `kept` here; `undecided` of a patient of
    /// whom two values of one detail stand.
    #[serde(default)]
    pub why: String,
    /// What a refusal means: `role`, `patient`, `content`; else empty.
    #[serde(default)]
    pub means: String,
    /// How many wait for it.
    #[serde(default)]
    pub waiting: u32,
    /// What can be done about a refused one: `correct` (the visit), `amend` (the patient's details), `again`, `keep`.
    #[serde(default)]
    pub can: Vec<String>,
    /// The visit (Encounter id) that it is.
    #[serde(default)]
    pub visit: Option<String>,
}
