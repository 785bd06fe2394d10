//! What leaves the printer: prescriptions, and sheets that say in pictures when to take what, as PDF, set by typst in the process, with the fonts inside.
//!
//! What people typed reaches the template as values, never as markup. Nothing is read from or written to disk, and
//! no clock is asked.
//!
//! ```no_run
//! # let data: rabta_print::PrescriptionData = unimplemented!();
//! use rabta_print::{Lang, Paper, prescription};
//! let draft = prescription(&data, Paper::A5, Lang::Ur, None)?;
//! # Ok::<(), rabta_print::PrintError>(())
//! ```

mod engine;
mod input;
mod pictures;
mod prescription;
mod qr;
mod words;

pub use engine::PrintError;
pub use pictures::{SheetData, medicine_sheet};
pub use prescription::{Clinic, Clinician, Lang, Mode, Paper, PrescriptionData, Signed, prescription};
