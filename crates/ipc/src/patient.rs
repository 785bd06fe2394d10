//! Finding, registering and opening patients; Today.

use rabta_domain::{
    Private,
    patient::{AgeShown, Custody, PatientCard, Registration, Relation, Sex},
};
use serde::{Deserialize, Serialize};

use crate::{
    ask::AskRow,
    care::{Emergency, EmergencyRow, Notice},
    macros::commands,
};

commands! {
    /// One box: name in Latin or Urdu letters, father's or husband's, phone, CNIC, MR number, village. Ranked.
    Find { q: Private<String>, offset: u32, limit: u32 } -> Found = "find";
    /// Who might be the same person, before a new one is made.
    LikelySame { registration: Registration } -> Vec<Likeness> = "likely-same";
    /// Errors: `cnic-used` unless `shared_cnic` says whose it is; `invalid` with the field; `no-number-left`.
    Register { registration: Registration, shared_cnic: Option<SharedCnic> } -> PatientCard = "register";
    /// Corrects demographics; the old version is kept.
    Amend { id: String, registration: Registration, shared_cnic: Option<SharedCnic> } -> PatientCard = "amend";
    /// Decides between values that stand beside each other: one choice for each field of [`Chart::differs`]. It is an
    /// amendment like any other. Errors: `invalid` with the field where none was chosen; `stale` where it stands otherwise
    /// by now.
    DecideDetails { id: String, choices: Vec<Choice> } -> PatientCard = "decide-details";
    OpenPatient { id: String } -> Chart = "open-patient";
    Places { q: String } -> Vec<PlaceRow> = "places";
    GetToday {} -> Today = "today";
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub rows: Vec<PatientCard>,
    /// All hits, those not in `rows` too.
    pub total: u32,
}

/// Whose CNIC it is, when the number is recorded for somebody else already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedCnic {
    /// This patient's: the other record gets a mark to be checked.
    ThisPatient,
    /// The family head's: kept with the guardian or relation instead.
    FamilyHead,
    /// Mistyped over there or here: recorded as stated, both marked.
    Unsure,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub field: String,
    /// [`Said::version`].
    pub version: String,
}

/// A detail of which several values stand, written by people who did not know of each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Differs {
    /// `rabta_domain::standing::Field::code`.
    pub field: String,
    pub values: Vec<Said>,
    /// It is this facility's patient: whoever is here may decide.
    pub ours: bool,
}

/// One of the values, and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub version: String,
    /// Name, phones, village, numbers of papers, guardian; empty where nothing was written, and for what follows.
    pub text: Private<String>,
    pub relation: Option<Relation>,
    pub sex: Sex,
    pub age: Option<AgeShown>,
    /// Who wrote it; empty where nobody signed.
    pub by: String,
    pub facility: String,
    /// Written on this laptop.
    pub here: bool,
    /// Milliseconds since 1970 by the clock of whoever wrote it, corrected where that was known to be wrong.
    pub at: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    pub card: PatientCard,
    /// Codes of what agrees: `cnic`, `phone`, `name`, `relation`, `village`, `age`.
    pub because: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceRow {
    pub id: String,
    pub name: String,
    pub name_ur: String,
    /// Union council, tehsil, district.
    pub within: String,
    pub within_ur: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    pub card: PatientCard,
    pub registration: Registration,
    /// Newest first.
    pub visits: Vec<VisitRow>,
    pub problems: Vec<ChartLine>,
    /// The last medicines, newest first.
    pub medicines: Vec<ChartLine>,
    pub allergies: Vec<ChartLine>,
    pub vitals: Vec<VitalTrend>,
    pub immunizations: Vec<ChartLine>,
    pub asks: Vec<AskRow>,
    /// A draft left open.
    pub draft: Option<String>,
    /// Milliseconds since 1970 of the last contact with the HIE; `None` if there was none.
    pub hie_seen_at: Option<i64>,
    /// It is another facility's record, open for a time.
    pub emergency: Option<Emergency>,
    /// Details of which two values stand until somebody decides; `registration` shows one of them.
    #[serde(default)]
    pub differs: Vec<Differs>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VisitRow {
    pub id: String,
    /// `YYYY-MM-DD`, the device's date of the visit.
    pub day: String,
    pub facility: String,
    pub by: String,
    pub reason: Private<String>,
    pub diagnoses: Vec<Private<String>>,
    pub custody: Custody,
    /// Made here, so that it can be opened as a visit page; else it is history from elsewhere.
    pub ours: bool,
    /// Of this facility.
    #[serde(default)]
    pub here: bool,
    /// How many days ago.
    #[serde(default)]
    pub days: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartLine {
    pub text: Private<String>,
    /// Dose in words, reaction, status.
    pub more: Private<String>,
    pub code: String,
    pub day: String,
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VitalTrend {
    /// `rabta_domain::vitals::Vital` in kebab case.
    pub vital: String,
    pub unit: String,
    /// Day and value, oldest first, at most 12.
    pub points: Vec<(String, String)>,
}

/// What has waited for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waits {
    /// Days, whole ones.
    pub days: u32,
    /// Records that are on this laptop only.
    pub records: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Today {
    /// Asks of others that wait for this person, by urgency then arrival (specialists).
    pub queue: Vec<AskRow>,
    /// Drafts left open.
    pub drafts: Vec<DraftRow>,
    /// Our asks whose loop is not closed: advice that came in first.
    pub open: Vec<AskRow>,
    /// Visits signed today, newest first.
    pub done: Vec<DraftRow>,
    /// Follow-ups due.
    pub promises: Vec<Promise>,
    /// Who opened records of this facility in an emergency; until somebody has read it.
    pub notices: Vec<Notice>,
    /// This person's own, while they are open.
    pub emergencies: Vec<EmergencyRow>,
    /// 0 on the first day.
    pub patients: u64,
    /// Something written here waits to be sent for longer than a day.
    #[serde(default)]
    pub waits: Option<Waits>,
    /// The HIE saw that this laptop's records were copied to another, and that both went on.
    #[serde(default)]
    pub copied: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftRow {
    pub visit: String,
    pub card: PatientCard,
    pub reason: Private<String>,
    /// Milliseconds since 1970 by this device's clock, for showing only.
    pub saved_at: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Promise {
    pub card: PatientCard,
    pub visit: String,
    pub due: String,
    pub reason: Private<String>,
}
