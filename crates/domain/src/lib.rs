//! The clinical vocabulary on FHIR R4: what a patient, a visit, an ask and an advice are, what is valid, and how
//! each becomes FHIR resources and is read back from them.
//!
//! No I/O, no clock, no randomness: dates and new ids are arguments. Compiles for `wasm32-unknown-unknown`, since
//! the window validates with the same code as the shell.

pub mod advice;
pub mod age;
pub mod ask;
pub mod consent;
pub mod duty;
pub mod fhir;
pub mod medicine;
pub mod mr;
pub mod paper;
pub mod passphrase;
pub mod patient;
pub mod pregnancy;
mod private;
pub mod registration;
pub mod role;
pub mod standing;
pub mod template;
pub mod visit;
pub mod vitals;

pub use private::Private;
