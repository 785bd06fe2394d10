//! What somebody works as.

use crate::W;

/// A role's word; see `rabta_wire::cert::Subject`. `None` for a code that this program does not know.
pub fn word(code: &str) -> Option<W> {
    Some(match code {
        "doctor" => W::RoleDoctor,
        "lhv" => W::RoleLhv,
        "midwife" => W::RoleMidwife,
        "nurse" => W::RoleNurse,
        "technician" => W::RoleTechnician,
        "dispenser" => W::RoleDispenser,
        "vaccinator" => W::RoleVaccinator,
        "community-worker" | "chw" => W::RoleCommunity,
        "registration" => W::RoleRegistration,
        "specialist" => W::RoleSpecialist,
        "operator" => W::RoleOperator,
        _ => return None,
    })
}
