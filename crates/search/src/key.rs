//! What is stored beside a patient so that a query finds them.

use std::fmt;

use crate::{
    digits,
    query::SLIP_FROM,
    skeleton::{skeleton, written_skeleton},
    words,
};

/// Which keys are made of a name or a number: another number wherever other keys are made of the same, so that an index knows
/// that it is old.
pub const KEYS: i64 = 2;

/// Where a key came from. The numbers are stored: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Field {
    /// The patient's own name, in either script.
    Name = 1,
    /// Father's, husband's, mother's or guardian's name.
    Relative = 2,
    /// The village, as said.
    Place = 3,
    Phone = 4,
    /// CNIC, B-Form and other papers.
    Paper = 5,
    /// The MR number.
    Mr = 6,
}

impl Field {
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Name, Self::Relative, Self::Place, Self::Phone, Self::Paper, Self::Mr]
            .into_iter()
            .find(|f| *f as i64 == number)
    }
}

/// One entry of the index, compared bytewise: `k`, a skeleton, a space and the word as written; `j` and the same of two
/// words written as one; `d` and digits; `n` and a number with letters. Made from a name or a number, so it prints `[..]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub(crate) String);

impl Key {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    /// A number that has letters, too.
    pub(crate) fn lettered(number: &str) -> Self {
        Self(format!("n{number}"))
    }

    pub(crate) fn word(skeleton: &str, word: &str) -> Self {
        Self(format!("k{skeleton} {word}"))
    }

    /// Two neighbors as one word.
    fn joined(word: &str) -> Self {
        Self(format!("j{} {word}", skeleton(word)))
    }

    /// Whether it belongs into the vocabulary, in which a word with a slip is looked up: words only, each as it stands in a
    /// name.
    pub fn is_word(&self) -> bool {
        self.0.strip_prefix('k').and_then(|key| key.split_once(' ')).is_some_and(|(_, word)| is_word(word))
    }

    pub(crate) fn digits(digits: &str) -> Self {
        Self(format!("d{digits}"))
    }
}

pub(crate) fn is_word(written: &str) -> bool {
    written.chars().count() >= SLIP_FROM && !written.bytes().any(|b| b.is_ascii_digit())
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[..]")
    }
}

/// The longest name that is indexed, in words.
const WORDS: usize = 24;

/// Keys of a name or a place: each word, and each two neighbors written as one (Noor Jahan, Noorjahan).
pub fn name_keys(text: &str) -> Vec<Key> {
    let mut words = words::telling_words(text);
    words.truncate(WORDS);
    let joined = words.windows(2).map(|pair| Key::joined(&pair.concat()));
    let mut keys: Vec<Key> =
        words.iter().map(|word| Key::word(&written_skeleton(word), word)).chain(joined).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// How many words of a name count, at most 7: of two who answer equally, the one with just these comes first.
pub fn name_length(text: &str) -> u8 {
    words::telling_words(text).len().min(7) as u8
}

/// Keys of an identity paper's or MR number: all of it, and its parts without leading zeros (`123` finds
/// 3740-000123-4). Letters count where there are any (a passport).
pub fn number_keys(text: &str) -> Vec<Key> {
    let words = words::words(text);
    let Some(whole) = number_key(text) else { return Vec::new() };
    let mut keys = vec![whole];
    for (i, part) in words.iter().enumerate().skip(1) {
        let from_here = words[i..].concat();
        let short = from_here.trim_start_matches('0');
        if part.len() > 2 && short.len() >= 2 && short.bytes().all(|b| b.is_ascii_digit()) {
            keys.push(Key::digits(short));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// Keys of a telephone number: national, so that 0300, +92 300 and 0092 300 are the same.
pub fn phone_keys(text: &str) -> Vec<Key> {
    match digits::only_digits(text) {
        Some(digits) => vec![Key::digits(digits::national(&digits))],
        None => Vec::new(),
    }
}

/// The key of the whole of a number: equal for equal numbers in any writing.
pub fn number_key(text: &str) -> Option<Key> {
    let whole = words::words(text).concat();
    let digits = whole.bytes().all(|b| b.is_ascii_digit());
    (!whole.is_empty()).then(|| if digits { Key::digits(&whole) } else { Key::lettered(&whole) })
}
