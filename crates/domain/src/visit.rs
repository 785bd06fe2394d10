//! A visit: what the page holds while it is a draft, in the order in which it is asked.

mod check;
mod tidy;

pub use check::{Seen, check, may_sign};
pub(crate) use tidy::tidied_line;

use serde::{Deserialize, Serialize};
use time::Date;

use crate::{
    Private,
    medicine::MedicineLine,
    vitals::{Measured, Tested},
};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VisitForm {
    /// patient, mother, father, husband, guardian, other.
    pub informant: String,
    /// Present in the room, besides doctor and patient.
    pub present: String,
    pub danger: DangerSigns,
    pub complaint: Private<String>,
    /// As said: "3 days".
    pub complaint_since: String,
    pub history: Private<String>,
    pub current_medicines: Vec<CurrentMedicine>,
    pub allergies: AllergyAnswer,
    pub pregnancy: PregnancyAnswer,
    pub vitals: Vec<Measured>,
    pub tests: Vec<Tested>,
    pub examination: Private<String>,
    pub photos: Vec<PhotoRef>,
    pub diagnoses: Vec<Diagnosis>,
    pub procedures: Private<String>,
    pub plan: Private<String>,
    pub medicines: Vec<MedicineLine>,
    /// home, referred, admitted, left, died; empty until said.
    pub disposition: String,
    pub return_advice: Private<String>,
    pub follow_up: FollowUp,
}

/// Asked as a whole; `asked` tells "none" from "not asked".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DangerSigns {
    pub asked: bool,
    /// Codes: airway, breathing, shock, unconscious, convulsions, severe-pain, bleeding, not-drinking, severe-dehydration,
    /// stiff-neck, high-fever-infant, pregnancy-bleeding, pregnancy-headache, chest-pain, stroke, poisoning, bite, trauma.
    pub signs: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CurrentMedicine {
    pub text: Private<String>,
    /// doctor, dispenser, self, hakeem, injection, steroid.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllergyState {
    #[default]
    NotAsked,
    NoneKnown,
    Known,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AllergyAnswer {
    pub state: AllergyState,
    pub items: Vec<Allergy>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Allergy {
    pub id: String,
    pub substance: Private<String>,
    /// Allergy classes of the country package.
    pub classes: Vec<String>,
    pub reaction: Private<String>,
    /// mild, severe, unknown.
    pub severity: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PregnancyAnswer {
    /// yes, no, unsure; empty when not asked (or not applicable).
    pub pregnant: String,
    /// Last menstrual period, where said.
    pub lmp: Option<Date>,
    /// Weeks as said, where there is no date.
    pub weeks: Option<u8>,
    /// yes, no; empty when not asked.
    pub breastfeeding: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PhotoRef {
    /// The Binary's id.
    pub id: String,
    pub caption: Private<String>,
    /// Blurred until tapped, never printed, with its own consent.
    pub intimate: bool,
    pub width: u32,
    pub height: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagnosis {
    pub id: String,
    /// ICD-10, empty for a diagnosis in words only.
    pub code: String,
    pub text: Private<String>,
    /// provisional, confirmed.
    pub certainty: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FollowUp {
    pub day: Option<Date>,
    /// "after Eid".
    pub event: String,
}

/// Something that stops the signature, or that deserves a look before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code, which the window puts into words: `complaint-missing`, `allergies-not-asked`, `pregnancy-not-asked`,
    /// `vital-impossible`, `vital-unlikely`, `allergy-clash`, `dose-unreadable`, `weight-missing`, ...
    pub code: String,
    /// Where on the page: the field's name.
    pub field: String,
    /// True: cannot be signed like this.
    pub stops: bool,
}
