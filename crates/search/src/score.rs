//! How well a patient's keys answer a query.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::{
    close::closeness,
    digits,
    key::Field,
    query::{Kind, Query, Token},
};

/// Higher is better; comparable within one query only.
pub type Score = u32;

/// A word as written, equal to the best; in percent of it.
const EQUAL: u32 = 100;
const BEGINS: u32 = 84;
const SOUNDS_EQUAL: u32 = 62;
const SOUNDS_BEGIN: u32 = 40;
const SLIPPED: u32 = 20;
/// Off the score for each word of the query that found no word of its own.
const TWICE: u32 = 60;
/// Letters of a word that may begin a name of one consonant only, and how alike the two must then be.
const VAGUE_FROM: usize = 4;
const VAGUE_ALIKE: u32 = 75;

/// What answers a word of a query best in one patient's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Best {
    /// [`Token::points`].
    pub points: u32,
    /// Of the name that it stands in (0: no name of theirs).
    pub length: u8,
    /// [`Token::takes`].
    pub word: u64,
}

impl Query {
    /// Ranks the patient with these keys; `None` when one of the query's words or numbers is not there at all.
    /// Takes all of a patient's keys in any order, each with its field and, for their own names, the name's
    /// [length](crate::name_length).
    pub fn score<'k>(&self, keys: impl IntoIterator<Item = (Field, u8, &'k str)>) -> Option<Score> {
        let keys: Vec<(Field, u8, &str)> = keys.into_iter().collect();
        let best: Vec<Option<Best>> = self
            .tokens
            .iter()
            .map(|token| {
                let of = |&(field, length, key): &(Field, u8, &str)| {
                    Some(Best { points: token.points(field, key)?, length, word: token.takes(key) })
                };
                keys.iter().filter_map(of).max()
            })
            .collect();
        self.total(&best)
    }

    /// The score of whoever has these answers, one for each token.
    pub fn total(&self, best: &[Option<Best>]) -> Option<Score> {
        let asked = self.tokens.len() as u32;
        let (mut total, mut length) = (0_u32, 0_u8);
        for (i, answer) in best.iter().enumerate() {
            let answer = (*answer)?;
            total += answer.points;
            length = length.max(answer.length);
            // One word of theirs is no answer to two words of the query: the worse of them stands for nothing.
            let twice =
                best[..i].iter().flatten().find(|other| answer.word != 0 && other.word == answer.word);
            if let Some(other) = twice {
                total = total.saturating_sub(answer.points.min(other.points) + TWICE);
            }
        }
        // Somebody with just these names comes before somebody with two names more.
        let near = if length > 0 { 20_u32.saturating_sub(u32::from(length).abs_diff(asked) * 4) } else { 0 };
        Some(total * 10 / asked + near)
    }
}

impl Token {
    /// What one key is worth, 0 to 120, weighted by where it is from; `None` where it does not answer at all.
    pub fn points(&self, field: Field, key: &str) -> Option<u32> {
        let whole = key;
        let (tag, key) = key.split_at_checked(1)?;
        let points = match (&self.kind, tag) {
            (Kind::Number { digits }, "k" | "j") => number(digits, tag, key.split_once(' ')?.1)?,
            (Kind::Number { digits }, _) => number(digits, tag, key)?,
            (Kind::Word { text, .. }, "n") => key.starts_with(text.as_str()).then_some(BEGINS)?,
            (Kind::Word { text, skeleton: own, open }, _) => {
                let (theirs, written) = key.split_once(' ')?;
                // Two words on one side that are written as one on the other.
                let joined = self.is_joined_in(theirs).then_some(SOUNDS_EQUAL);
                let read = word(text, own, open, theirs, written).max(joined);
                read.or_else(|| self.slip(text, written, whole))?
            }
        };
        let weight = match field {
            Field::Name | Field::Mr | Field::Paper | Field::Phone => 100,
            Field::Relative => 60,
            Field::Place => 35,
        };
        Some((points * weight / 100).max(1))
    }

    /// The word of theirs that this one takes for itself; 0 where it is a part of one, or a number.
    pub fn takes(&self, key: &str) -> u64 {
        let word = key.split_at_checked(1).and_then(|(_, rest)| rest.split_once(' '));
        match (&self.kind, word) {
            (Kind::Word { .. }, Some((theirs, _))) if !self.is_joined_in(theirs) => {
                let mut hasher = DefaultHasher::new();
                key.hash(&mut hasher);
                hasher.finish().max(1)
            }
            _ => 0,
        }
    }

    fn slip(&self, text: &str, written: &str, key: &str) -> Option<u32> {
        self.meant(key)?;
        let reached = self.vocabulary().iter().any(|range| range.holds(key));
        reached.then(|| SLIPPED + alike(text, written) * 15 / 100)
    }
}

fn number(digits: &str, tag: &str, key: &str) -> Option<u32> {
    let national = digits::national(digits);
    match tag {
        _ if key == digits || key == national => Some(120),
        "d" | "n" | "k" | "j" if key.starts_with(digits) || key.starts_with(national) => {
            Some((50 + 5 * digits.len() as u32).min(110))
        }
        _ => None,
    }
}

fn word(text: &str, own: &str, open: &str, theirs: &str, other: &str) -> Option<u32> {
    if text == other {
        return Some(EQUAL);
    }
    if other.starts_with(text) {
        return Some(BEGINS + (closeness(text, other) * 12 / 100));
    }
    let alike = alike(text, other);
    if !own.is_empty() && own == theirs {
        return Some(SOUNDS_EQUAL + alike * 20 / 100);
    }
    if !open.is_empty() && theirs.starts_with(open) && !is_vague(text, open, other) {
        return Some(SOUNDS_BEGIN + alike * 20 / 100);
    }
    None
}

/// A longer word with one consonant (a slip took the others) sounds like the beginning of too many names.
fn is_vague(text: &str, open: &str, other: &str) -> bool {
    let length = text.chars().count();
    let beginning: String = other.chars().take(length).collect();
    open.len() == 1
        && length >= VAGUE_FROM
        && text.is_ascii() == other.is_ascii()
        && closeness(text, &beginning) < VAGUE_ALIKE
}

/// Between scripts only the sounds can be compared.
fn alike(text: &str, other: &str) -> u32 {
    if text.is_ascii() == other.is_ascii() { closeness(text, other) } else { 80 }
}
