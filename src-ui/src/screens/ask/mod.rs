//! Asking a specialist, the queue, the case, the advice.

mod advice;
mod advice_form;
mod advised;
mod case;
mod consent;
mod decide;
mod draft;
mod form;
mod keep;
mod line;
mod list;
mod messages;
mod moves;
mod nobody;
mod note;
mod open;
mod photos;
mod to_whom;
mod withdraw;
pub mod words;

pub use advice::AdviceScreen;
pub use advice_form::AdviceEditor;
pub use case::{CallButton, CaseScreen};
pub use form::AskScreen;
pub use list::AsksScreen;
pub use note::NotePage;
pub use open::{Open, writes};
