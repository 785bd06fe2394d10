//! What a person may do. Roles are permission sets: a program asks for the act, never for the role's name.
//!
//! The operator enters a person's role, the HIE certifies it with the person's key, and both the laptop and the HIE
//! look here.

/// An act that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Makes and changes a patient's demographics.
    Register,
    /// Writes and signs a visit.
    Visit,
    /// Asks a specialist.
    Ask,
    /// Orders medicines, and decides on those that a specialist proposed.
    Prescribe,
    /// Answers an ask with signed advice.
    Advise,
    /// Opens a record of another facility in an emergency, with a reason.
    BreakGlass,
    /// Lets the next person join a laptop, and takes somebody off it.
    Admit,
}

use Act::{Admit, Advise, Ask, BreakGlass, Prescribe, Register, Visit};

/// What a person may read of a record, by what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Facilities, people, places, services: in nobody's record.
    Directory,
    /// Who the patient is, whom they belong to, what they consented to, when they come.
    Demographics,
    Immunizations,
    /// Medicines, and the allergies that decide about them.
    Medicines,
    /// Tests: what was ordered and what came out.
    Diagnostics,
    /// All other parts of a record.
    Clinical,
    /// Who did what.
    Audit,
}

/// How sensitive a resource is (`meta.security`). Ordered: a right to one includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Label {
    #[default]
    Normal,
    /// v3-Confidentiality R, or a sensitive topic of v3-ActCode: SEX, HIV, PSY, SDV.
    Restricted,
    /// v3-Confidentiality V.
    VeryRestricted,
}

/// What may be read: which parts, and up to which label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub parts: &'static [Part],
    pub label: Label,
}

impl Reading {
    pub const EVERYTHING: Self = Self { parts: &WHOLE, label: Label::VeryRestricted };
    pub const NOTHING: Self = Self { parts: &[], label: Label::Normal };

    pub fn covers(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}

const WHOLE: [Part; 7] = [
    Part::Directory,
    Part::Demographics,
    Part::Immunizations,
    Part::Medicines,
    Part::Diagnostics,
    Part::Clinical,
    Part::Audit,
];

/// Each role with its set, as certificates name them.
const SETS: [(&str, &[Act]); 11] = [
    ("doctor", &[Register, Visit, Ask, Prescribe, Advise, BreakGlass, Admit]),
    ("specialist", &[Register, Visit, Ask, Prescribe, Advise, BreakGlass, Admit]),
    ("lhv", &[Register, Visit, Ask, BreakGlass, Admit]),
    ("midwife", &[Register, Visit, Ask, BreakGlass]),
    ("nurse", &[Register, Visit, Ask, BreakGlass]),
    ("technician", &[]),
    ("dispenser", &[]),
    ("vaccinator", &[Register, Visit]),
    ("chw", &[Register, Visit, Ask]),
    ("registration", &[Register]),
    ("operator", &[Admit]),
];

/// The roles that a certificate may name.
pub fn roles() -> impl Iterator<Item = &'static str> {
    SETS.iter().map(|(role, _)| *role)
}

/// May a person of this role do this? A role that is not known may nothing.
pub fn may(role: &str, act: Act) -> bool {
    SETS.iter().any(|(name, acts)| *name == role && acts.contains(&act))
}

/// What a person of this role may read. A role that is not known may read nothing.
pub fn reading(role: &str) -> Reading {
    use Part::{Audit, Demographics, Diagnostics, Directory, Immunizations, Medicines};
    let (parts, label): (&'static [Part], Label) = match role {
        "doctor" | "specialist" => (&WHOLE, Label::VeryRestricted),
        "lhv" | "midwife" | "nurse" => (&WHOLE, Label::Restricted),
        // A neighbor of the patients: nothing that is sensitive, and not who looked.
        "chw" => (&WHOLE[..6], Label::Normal),
        "technician" => (&[Directory, Demographics, Diagnostics], Label::Normal),
        "dispenser" => (&[Directory, Demographics, Medicines], Label::Normal),
        "vaccinator" => (&[Directory, Demographics, Immunizations], Label::Normal),
        "registration" => (&[Directory, Demographics], Label::Normal),
        "operator" => (&[Directory, Audit], Label::Normal),
        _ => return Reading::NOTHING,
    };
    Reading { parts, label }
}

/// The roles that read a whole record: a device at which none of them works is not given clinical parts.
pub fn clinical_roles() -> impl Iterator<Item = &'static str> {
    roles().filter(|role| reading(role).covers(Part::Clinical))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_reads_something_and_an_unknown_one_nothing() {
        for role in roles() {
            assert!(reading(role).covers(Part::Directory), "{role}");
        }
        assert_eq!(reading("minister"), Reading::NOTHING);
        assert_eq!(clinical_roles().count(), 6);
    }

    #[test]
    fn who_breaks_the_glass_reads_whole_records() {
        for role in roles().filter(|role| may(role, BreakGlass)) {
            assert!(reading(role).covers(Part::Clinical), "{role}");
        }
    }

    #[test]
    fn an_unknown_role_may_nothing() {
        assert!(!may("minister", Register));
        assert!(!may("", Visit));
    }

    #[test]
    fn who_prescribes_also_sees_patients() {
        for role in roles().filter(|role| may(role, Prescribe)) {
            assert!(may(role, Visit), "{role}");
        }
    }
}
