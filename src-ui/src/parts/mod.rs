//! The components: few, small, each with its states in the gallery (`bin/gallery`).
//!
//! What a test needs to find carries `data-t`; components take it as `t`.

mod band;
mod banner;
mod button;
mod chart;
mod choice;
mod combobox;
mod dialog;
mod drawing;
mod field;
mod list;
mod number;
mod photo;
mod progress;
mod sync_chip;
mod tag;
mod timeline;
mod toast;

pub use band::PatientBand;
pub use banner::{Banner, Tone};
pub use button::{Button, Kind, LinkButton};
pub use chart::TinyChart;
pub use choice::{Check, Choice, Opt};
pub use combobox::{Combobox, Found};
pub use dialog::Dialog;
pub use drawing::{Draw, Mark};
pub use field::{Area, Field, PassField, Pick};
pub use list::{Card, Empty, Face, RowButton, RowLink};
pub use number::NumberField;
pub use photo::PhotoThumb;
pub use progress::{Progress, Skeleton};
pub use sync_chip::{SyncState, SyncWords};
pub use tag::{Tag, Tint};
pub use timeline::{Moment, Timeline};
pub use toast::{Toasts, toast, toast_with_undo};
