//! A medicine line: generic found by brand, dose as "1+0+1", before or after food, days.

mod clash;
mod dose;
mod words;

pub use clash::{clashes, crosses};
pub use dose::{Amount, Course, DoseUnit, Moment};

use serde::{Deserialize, Serialize};

use crate::Private;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Food {
    #[default]
    Any,
    Before,
    After,
    With,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MedicineLine {
    /// Made once (a UUID): becomes the MedicationRequest's id, so that decisions can point to it.
    pub id: String,
    pub generic: String,
    /// The brand it was found by, shown in small.
    #[serde(default)]
    pub brand: String,
    /// tablet, capsule, syrup, injection, drops, cream, inhaler, sachet.
    pub form: String,
    pub strength: String,
    #[serde(default)]
    pub atc: String,
    /// Allergy classes, for the clash check: `penicillins`, `sulfonamides`, ...
    #[serde(default)]
    pub classes: Vec<String>,
    #[serde(default)]
    pub controlled: bool,
    /// As entered: `1+0+1`, `BD`, `TDS`, `HS`, `SOS`, `1/2+0+1/2`, `5 ml TDS`.
    pub dose: String,
    #[serde(default)]
    pub food: Food,
    /// 0: until told otherwise.
    pub days: u16,
    #[serde(default)]
    pub note: Private<String>,
    /// The reason that was given for keeping it in spite of a recorded allergy.
    #[serde(default)]
    pub clash_reason: Option<String>,
}

/// A medicine's line against a recorded allergy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clash {
    /// The line's id.
    pub line: String,
    /// The allergy as recorded.
    pub allergy: Private<String>,
    /// The class through which it clashes; empty where it is the substance itself.
    pub through: String,
}
