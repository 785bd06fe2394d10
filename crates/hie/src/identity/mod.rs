//! Who is who: facilities, persons, devices, their keys and certificates, the duty roster, blocks of MR numbers.

mod directory;
mod enroll;
mod facility;
pub mod http;
mod mr_block;
mod person;
mod revoked;
mod roster;

pub use directory::{DeviceInfo, PersonKey, device, is_clinical, person_keys, role_at, worked_at};
pub use enroll::{CODE_LIFE_MS, EnrollError, enroll, invitation, invite, known};
pub use facility::{NewFacility, add_facility, facilities, facility, find_facility};
pub use mr_block::{allot, leave_gaps, reserve};
pub use person::{NewPerson, add_person, person, persons};
pub use revoked::{tell_devices_revoked, tell_person_revoked};
pub use roster::{leave_roster, roster, set_roster};

use rabta_wire::Id;

/// What an operator asked for cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("there is no facility of that id or name")]
    NoFacility,
    #[error("more than one facility has that name; give its id")]
    AmbiguousFacility,
    #[error("there is no person of that id")]
    NoPerson,
    #[error("{0:?} is not a role; it is one of {roles}", roles = rabta_domain::role::roles().collect::<Vec<_>>().join(", "))]
    Role(String),
    #[error("the kind is clinic or hospital")]
    Kind,
    #[error("{0} is empty or longer than 200 characters")]
    Text(&'static str),
    #[error("an MR prefix is four digits and belongs to one facility")]
    Prefix,
    #[error("that range of MR numbers is taken, or there are none left under this prefix")]
    MrRange,
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

pub(crate) fn id(bytes: Vec<u8>) -> Result<Id, sqlx::Error> {
    bytes.as_slice().try_into().map(Id).map_err(|_| sqlx::Error::Decode("an id that is not 16 bytes".into()))
}

pub(crate) fn new_id() -> Id {
    Id::from_random(crate::db::settings::random())
}

/// A text that an operator entered: trimmed, 1 to 200 characters, none of them a control character.
fn entered(name: &'static str, text: &str) -> Result<String, IdentityError> {
    let text = text.trim();
    let ok = !text.is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if ok { Ok(text.to_owned()) } else { Err(IdentityError::Text(name)) }
}

fn entered_option(name: &'static str, text: &Option<String>) -> Result<Option<String>, IdentityError> {
    text.as_deref().filter(|t| !t.trim().is_empty()).map(|t| entered(name, t)).transpose()
}
