//! FHIR R4 (http://hl7.org/fhir/R4) resources: the bytes as received, narrow typed views of them, and the
//! Bundles that our payloads are.
//!
//! One module per kind of payload (`rabta_wire::envelope::Kind`), each with a function that makes the payload's
//! exact bytes and one that reads them back: [`patient`], [`consent`], [`visit`], [`note`], [`task`], [`communication`],
//! [`advice`], [`decisions`], [`audit`]. References between resources are literal (`Type/id`),
//! so that a projection can store each entry as it is.

pub mod advice;
pub mod allergies;
pub mod audit;
mod bundle;
mod card;
mod clinical;
pub mod communication;
pub mod consent;
pub mod dates;
pub mod decisions;
pub mod json;
mod medication;
mod merge;
pub mod note;
pub mod paper;
mod parts;
pub mod patient;
pub mod provenance;
mod resource;
pub mod task;
pub mod urls;
pub mod visit;

pub use bundle::{Builder, Bundle, BundleError, BundleType, MAX_ENTRIES, read};
pub use card::{Known, last_weight, patient_card};
pub use clinical::Slots;
pub use json::{Decimal, Json, JsonError};
pub(crate) use parts::clean;
pub use parts::{Facility, NewId, Signer, Stamp};
pub use resource::{Resource, ResourceError, is_id};
