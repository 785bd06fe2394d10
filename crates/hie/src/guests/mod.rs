//! Patients' links: a person makes one, a phone opens it, and the two meet in a call. The HIE knows who made a link, a
//! hash that finds it and a hash of the word; not the secret, not the word, not the patient.

mod acme;
pub mod after;
mod certificate;
mod door;
pub mod http;
mod links;
mod pass;

pub use acme::{AcmeConfig, AcmeError};
pub use certificate::{CertificateError, Certificates, Held, Source, Standing};
pub use door::{Door, DoorConfig, DoorError};
pub use http::end_closed;
pub use links::{Bound, KnockError, LinkError, may_ring};
pub use pass::Passes;
