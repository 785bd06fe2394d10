//! What opens a record to somebody outside the facility that has it, and what closes it again: the patient's consent,
//! a lookup by exact identifier, a broken glass.

pub mod consent;
pub mod glass;
pub mod http;
pub mod lookup;
mod pace;

pub use pace::Lookups;
