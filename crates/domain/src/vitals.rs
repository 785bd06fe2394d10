//! Vital signs and point-of-care tests: codes, units as entered, limits by age.

mod codes;
mod limits;

pub use codes::{convert, number};
pub use limits::{Months, judge_pressure};

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vital {
    Systolic,
    Diastolic,
    Pulse,
    Breathing,
    Spo2,
    Temperature,
    Weight,
    Height,
    HeadCircumference,
    Muac,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PocTest {
    Glucose,
    Hemoglobin,
    MalariaRdt,
    UrineProtein,
    UrineGlucose,
    PregnancyTest,
}

/// A number as entered: its text is kept, digits and all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    pub vital: Vital,
    /// As typed, a decimal number with a point.
    pub value: String,
    /// UCUM, as entered: `mm[Hg]`, `/min`, `%`, `Cel`, `[degF]`, `kg`, `cm`, `mm`.
    pub unit: String,
    /// For weight: estimated rather than measured.
    #[serde(default)]
    pub estimated: bool,
    /// The person was asked about an unlikely value and said yes.
    #[serde(default)]
    pub confirmed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    pub test: PocTest,
    /// A decimal number, or `positive` / `negative` / `invalid`, or `0`, `trace`, `1+` .. `4+`.
    pub value: String,
    /// UCUM (`mg/dL`, `mmol/L`, `g/dL`); empty for a result in words.
    #[serde(default)]
    pub unit: String,
    #[serde(default)]
    pub confirmed: bool,
}

/// What to do with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As expected at this age.
    Usual,
    /// Outside what is usual at this age: shown in amber.
    Abnormal,
    /// A value that calls for action now: shown in red.
    Critical,
    /// Possible, but probably a slip: asks.
    Unlikely,
    /// No living person has it: refused.
    Impossible,
    /// Not a number.
    NotANumber,
}
