//! The visit: a draft saved as it is typed, checked, signed, printed.

use rabta_domain::{
    Private,
    medicine::{Clash, MedicineLine},
    patient::{Custody, PatientCard},
    template::Template,
    visit::{Finding, PhotoRef, VisitForm},
};
use serde::{Deserialize, Serialize};

use crate::{gate::Lang, macros::commands};

commands! {
    /// Opens the patient's draft, or makes one.
    StartVisit { patient: String } -> VisitView = "start-visit";
    GetVisit { id: String } -> VisitView = "get-visit";
    /// Durable when it replies. `rev` is the one that the window last saw: error `stale` otherwise.
    SaveVisit { id: String, rev: u64, form: VisitForm } -> Saved = "save-visit";
    /// JPEG, PNG or WebP as the camera wrote it, base64; kept without EXIF, scaled to 1600 px.
    AddPhoto { visit: String, data: Private<String>, caption: Private<String>, intimate: bool } -> PhotoRef = "add-photo";
    /// A data URL.
    GetPhoto { id: String, thumb: bool } -> Private<String> = "get-photo";
    /// What stops the signature, and what deserves a look.
    CheckVisit { id: String } -> Check = "check-visit";
    /// Signs with this person's key. Errors: `stops`.
    SignVisit { id: String } -> VisitView = "sign-visit";
    /// A new draft that will replace the signed visit.
    CorrectVisit { id: String } -> VisitView = "correct-visit";
    DiscardDraft { id: String } -> () = "discard-draft";
    FindDiagnosis { q: String } -> Vec<Term> = "find-diagnosis";
    FindMedicine { q: String } -> Vec<MedicineTerm> = "find-medicine";
    FindAllergen { q: String } -> Vec<Term> = "find-allergen";
    /// The PDF, base64. DRAFT across it until signed.
    Prescription { visit: String, paper: Paper, lang: Lang } -> Pdf = "prescription";
    /// Writes the PDF into the documents folder and opens it with the system's viewer (which prints).
    PrintPrescription { visit: String, paper: Paper, lang: Lang } -> Printed = "print-prescription";
    /// When to take what, in pictures. Errors: `no-medicines`.
    MedicineSheet { visit: String, paper: Paper, lang: Lang } -> Pdf = "medicine-sheet";
    PrintMedicineSheet { visit: String, paper: Paper, lang: Lang } -> Printed = "print-medicine-sheet";
    /// What the code on a printed prescription proves, by what is known here; works offline.
    VerifyPaper { code: Private<String> } -> PaperProof = "verify-paper";
    /// The country package's templates; the window applies them (`rabta_domain::template`).
    GetTemplates {} -> Vec<Template> = "get-templates";
    /// What the patient was last ordered here, with new ids; none where there was nothing.
    LastMedicines { patient: String } -> Option<LastOrders> = "last-medicines";
    /// What this person orders most, most first.
    FavoriteMedicines {} -> Vec<Favorite> = "favorite-medicines";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paper {
    #[default]
    A5,
    A4,
    /// A thermal roll, 80 mm wide.
    Roll,
}

/// What a scanned or typed paper code proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperProof {
    pub verdict: PaperVerdict,
    /// Who signed, by the HIE's certificate; there where the verdict is genuine.
    pub signer: Option<PaperSigner>,
    /// `2026-11-22`; there where the verdict is genuine or revoked.
    pub day: Option<String>,
    /// How many medicines were ordered; 255: that many or more.
    pub medicines: Option<u8>,
    /// The visit (Encounter id), where this laptop has the document and it carries this very code.
    pub visit: Option<String>,
    /// A later version took its place, as far as is known here.
    pub corrected: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaperVerdict {
    Genuine,
    /// It holds; the signer was revoked on that day or later.
    GenuineSignerRevoked,
    NotACode,
    Mistyped,
    NewerProgram,
    /// Nobody whose certificate is here.
    UnknownSigner,
    Forged,
    /// The signer was revoked before the day that the paper names.
    Revoked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperSigner {
    pub name: String,
    pub role: String,
    pub registration: Option<String>,
    pub facility: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LastOrders {
    /// `2026-11-22`.
    pub day: String,
    pub lines: Vec<MedicineLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Favorite {
    /// As it was last ordered, with a new id.
    pub line: MedicineLine,
    pub times: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pdf {
    pub base64: Private<String>,
    pub draft: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Printed {
    pub file: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VisitStatus {
    Draft,
    Signed,
    /// A correction took its place.
    Replaced,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VisitView {
    /// The Encounter's id.
    pub id: String,
    pub card: PatientCard,
    pub form: VisitForm,
    pub rev: u64,
    pub status: VisitStatus,
    pub signed: Option<SignedBy>,
    /// The visit that this draft or version replaces.
    pub replaces: Option<String>,
    pub custody: Custody,
    /// The ask that was made for it, if any.
    pub ask: Option<String>,
    /// This person may prescribe.
    pub may_prescribe: bool,
    /// The last visit's form, for "what was it last time".
    pub last: Option<Box<LastVisit>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastVisit {
    pub day: String,
    pub form: VisitForm,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedBy {
    pub name: String,
    pub role: String,
    pub registration: Option<String>,
    /// Milliseconds since 1970, device clock.
    pub at: i64,
    /// The first 8 hex digits of the payload's SHA-256, to compare on paper.
    pub fingerprint: String,
    /// Whether the signature over the exact bytes verified here and now.
    pub verified: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub rev: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub findings: Vec<Finding>,
    pub clashes: Vec<Clash>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    pub code: String,
    pub en: String,
    pub ur: String,
    /// Allergy classes, for allergens.
    #[serde(default)]
    pub classes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MedicineTerm {
    pub generic: String,
    /// The brand that matched what was typed; empty when the generic did.
    pub brand: String,
    pub form: String,
    pub strengths: Vec<String>,
    pub atc: String,
    pub classes: Vec<String>,
    pub controlled: bool,
    pub aware: String,
}
