//! What all answers share: errors as OperationOutcomes, bounded bodies, headers, metrics, the access log.

pub mod body;
mod error;
mod guesses;
pub mod health;
mod layer;
pub mod metrics;

pub use error::ApiError;
pub use guesses::{Guesser, Guesses};
pub use layer::around;

/// http://hl7.org/fhir/R4/http.html#mime-type
pub const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";
