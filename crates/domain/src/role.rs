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
}

use Act::{Advise, Ask, Prescribe, Register, Visit};

/// Each role with its set, as certificates name them.
const SETS: [(&str, &[Act]); 11] = [
    ("doctor", &[Register, Visit, Ask, Prescribe, Advise]),
    ("specialist", &[Register, Visit, Ask, Prescribe, Advise]),
    ("lhv", &[Register, Visit, Ask]),
    ("midwife", &[Register, Visit, Ask]),
    ("nurse", &[Register, Visit, Ask]),
    ("technician", &[]),
    ("dispenser", &[]),
    ("vaccinator", &[Register, Visit]),
    ("chw", &[Register, Visit, Ask]),
    ("registration", &[Register]),
    ("operator", &[]),
];

/// The roles that a certificate may name.
pub fn roles() -> impl Iterator<Item = &'static str> {
    SETS.iter().map(|(role, _)| *role)
}

/// May a person of this role do this? A role that is not known may nothing.
pub fn may(role: &str, act: Act) -> bool {
    SETS.iter().any(|(name, acts)| *name == role && acts.contains(&act))
}

#[cfg(test)]
mod tests {
    use super::*;

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
