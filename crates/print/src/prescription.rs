//! The prescription: CLINIC.md's fields, "Print".

use rabta_domain::{
    Private,
    medicine::MedicineLine,
    patient::{AgeShown, Allergies, Relation, Sex},
    visit::{Diagnosis, FollowUp},
};
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use crate::{engine, engine::PrintError, input, qr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paper {
    A5,
    A4,
    /// A thermal roll 80 mm wide, 72 of them printable: one page as long as its content, black only.
    Roll,
}

/// The language of the page. Doses are given in both, this one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lang {
    En,
    Ur,
}

/// How the specialist was consulted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// No specialist: seen in person.
    InPerson,
    Video,
    Voice,
    Writing,
}

/// A doctor as they sign.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Clinician {
    pub name: String,
    /// "MBBS, FCPS (Pediatrics)".
    pub qualification: String,
    /// PMDC number.
    pub registration: String,
    /// A code of `rabta_domain::role`; said on the page of those who are no doctors.
    pub role: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Clinic {
    pub name: String,
    pub address: String,
    pub phone: String,
}

/// Everything that stands on a prescription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrescriptionData {
    pub clinic: Clinic,
    /// Who is with the patient, and orders unless the next says otherwise.
    pub doctor: Clinician,
    /// Who ordered the medicines, where `doctor` may not prescribe: the specialist, or another doctor of the clinic.
    #[serde(default)]
    pub ordered_by: Option<Clinician>,
    /// Whose advice it follows.
    #[serde(default)]
    pub specialist: Option<Clinician>,
    pub mode: Mode,
    pub date: Date,
    pub name: Private<String>,
    /// The same name in Urdu letters, where known.
    #[serde(default)]
    pub name_ur: Option<Private<String>>,
    #[serde(default)]
    pub relation: Option<Relation>,
    #[serde(default)]
    pub mr: Option<Private<String>>,
    pub sex: Sex,
    #[serde(default)]
    pub age: Option<AgeShown>,
    /// With its unit: "12.5 kg".
    #[serde(default)]
    pub weight: Option<String>,
    /// Weeks; 0: pregnant, weeks not known.
    #[serde(default)]
    pub pregnant_weeks: Option<u8>,
    pub allergies: Allergies,
    pub diagnoses: Vec<Diagnosis>,
    pub medicines: Vec<MedicineLine>,
    /// What `doctor` wrote down without the right to order it: named, with the words that nobody ordered it.
    #[serde(default)]
    pub proposed: Vec<MedicineLine>,
    /// What to do, in words.
    #[serde(default)]
    pub advice: Private<String>,
    /// When to come back at once.
    #[serde(default)]
    pub return_advice: Private<String>,
    #[serde(default)]
    pub follow_up: FollowUp,
}

/// Who signed, when, and the first digits of the signed bytes' hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    pub by: String,
    pub at: OffsetDateTime,
    /// Short: "9F3A 77C1".
    pub fingerprint: String,
    /// The text of the QR code that proves it (`rabta_wire::paper`).
    pub code: Option<String>,
}

/// The prescription as a PDF; marked DRAFT on every page until it is signed. Where nobody with the right to prescribe
/// ordered anything it is a visit slip, and says so.
pub fn prescription(
    data: &PrescriptionData,
    paper: Paper,
    lang: Lang,
    signed: Option<&Signed>,
) -> Result<Vec<u8>, PrintError> {
    let qr = signed.and_then(|s| s.code.as_deref()).map(qr::draw).transpose()?;
    engine::pdf(engine::Page::Prescription, &input::page(data, paper, lang, signed, qr))
}
