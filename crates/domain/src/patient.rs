//! A patient's demographics: the registration form, and the card that lists and the patient band show.

use serde::{Deserialize, Serialize};
use time::Date;

use crate::{Private, age::AgeSaid, paper::Paper};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    Male,
    Female,
    Other,
    #[default]
    Unknown,
}

/// S/O, D/O, W/O and the like: relation and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// FTH (son or daughter of), HUSB (wife of), MTH, GUARD: v3-RoleCode.
    pub code: String,
    pub name: Private<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Phone {
    pub number: Private<String>,
    /// self, husband, father, son, neighbor, ...
    pub owner: String,
    pub safe_to_call: bool,
    pub safe_to_text: bool,
    pub voice_only: bool,
    #[serde(default)]
    pub hours: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// An id of the country package's tree, where one was chosen.
    pub id: Option<String>,
    /// The village as said.
    pub text: Private<String>,
    /// "behind the flour mill".
    #[serde(default)]
    pub landmark: Private<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardian {
    pub name: Private<String>,
    /// v3-RoleCode: FTH, MTH, GRPRN, BRO, SIS, UNCLE, AUNT, GUARD.
    pub relation: String,
    pub cnic: Option<Private<String>>,
    pub phone: Option<Private<String>>,
}

/// What the registration form holds. One full name is the truth; the rest helps to tell people apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Registration {
    /// As said and heard, in Latin or Urdu letters; 1 to 300 characters.
    pub name: Private<String>,
    /// The same name in the other script, where known.
    #[serde(default)]
    pub name_other_script: Option<Private<String>>,
    /// Mst, Bibi, Haji, Dr: apart from the name.
    #[serde(default)]
    pub prefix: Option<String>,
    #[serde(default)]
    pub relation: Option<Relation>,
    pub sex: Sex,
    #[serde(default)]
    pub age: Option<AgeSaid>,
    #[serde(default)]
    pub phones: Vec<Phone>,
    #[serde(default)]
    pub place: Place,
    #[serde(default)]
    pub papers: Vec<Paper>,
    /// "none" or "unconscious" said instead of a paper.
    #[serde(default)]
    pub no_paper: Option<String>,
    #[serde(default)]
    pub guardian: Option<Guardian>,
    /// A newborn without a name: "Baby of X", with the mother's Patient id and the birth order.
    #[serde(default)]
    pub newborn_of: Option<Newborn>,
    /// Details of which whoever wrote this had several values before them and decided nothing: codes of
    /// [`crate::standing::Field`]. The app fills it, no form does.
    #[serde(default)]
    pub undecided: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newborn {
    pub mother: String,
    pub birth_order: u8,
}

/// Age for showing: `~` where approximate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeShown {
    /// Completed months, the youngest it can be.
    pub months_low: u32,
    /// Completed months, the oldest it can be.
    pub months_high: u32,
    pub approximate: bool,
}

/// What the band and lists say of allergies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allergies {
    #[default]
    NotAsked,
    NoneKnown,
    /// What to avoid, by name.
    Known(Vec<Private<String>>),
}

/// The facts that tell two Ayeshas apart, and the band's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientCard {
    /// Patient resource id (a UUID).
    pub id: String,
    pub name: Private<String>,
    pub name_ur: Option<Private<String>>,
    pub prefix: Option<String>,
    pub relation: Option<Relation>,
    pub sex: Sex,
    pub age: Option<AgeShown>,
    pub mr: Option<Private<String>>,
    pub village: Private<String>,
    /// The last four digits, to check aloud.
    pub phone_tail: Option<Private<String>>,
    pub allergies: Allergies,
    /// Weeks, where known to be pregnant now; 0 when the weeks are not known.
    pub pregnant_weeks: Option<u8>,
    /// The day of the last visit.
    pub last_visit: Option<Date>,
    pub custody: Custody,
}

/// Where a record is. Never "synced".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Custody {
    /// Refused by the HIE: somebody must look.
    NeedsYou,
    /// Saved on this laptop only.
    #[default]
    Here,
    /// A colleague's, on laptops of this clinic only.
    Clinic,
    /// Durable at the HIE.
    AtHie,
    /// At the HIE, and opened by the specialist: their signed receipt is here.
    SeenBySpecialist,
}
