//! Finding people by what somebody says or types: names in Latin or Urdu letters in any spelling, phones, identity
//! papers and MR numbers, in any order and while still typing.
//!
//! Pure: this crate makes the [`Key`]s that a database stores in an index, tells which ranges of keys to look up
//! for a query, and ranks what was found. It never sees a database, a clock or a patient record, and nothing in it
//! logs: keys are made from names.
//!
//! ```
//! use rabta_search::{name_keys, Field, Query};
//! let keys = name_keys("محمد اکرم");
//! let query = Query::parse("mohd akr").expect("there is something to look for");
//! assert!(query.score(keys.iter().map(|k| (Field::Name, 2, k.as_str()))).is_some());
//! ```
//!
//! How: a word becomes a *skeleton* of its consonants, the same for both scripts and for the usual spellings
//! (Hussain, Husain, Hussein, حسین: `hsn`). Skeletons are coarse on purpose; the ranking compares the words as
//! they are written, so that Hassan comes after Hussain when Hussain was typed.

mod close;
mod digits;
mod key;
mod query;
mod score;
mod skeleton;
mod words;

pub use key::{Field, KEYS, Key, name_keys, name_length, number_key, number_keys, phone_keys};
pub use query::{FEW, Query, Range, Token};
pub use score::{Answers, Best, SURE, Score};
pub use skeleton::skeleton;
