//! How well a patient's keys answer a query.

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

impl Query {
    /// Ranks the patient with these keys; `None` when one of the query's words or numbers is not there at all.
    /// Takes all of a patient's keys in any order, each with its field and, for their own names, the name's
    /// [length](crate::name_length).
    pub fn score<'k>(&self, keys: impl IntoIterator<Item = (Field, u8, &'k str)>) -> Option<Score> {
        let keys: Vec<(Field, u8, &str)> = keys.into_iter().collect();
        let best = self.tokens.iter().map(|token| {
            keys.iter().filter_map(|(field, length, key)| Some((token.points(*field, key)?, *length))).max()
        });
        self.total(best)
    }

    /// The score of whoever has these best [points](Token::points), one for each token, with the length of the name that
    /// each was found in (0: no name of theirs).
    pub fn total(&self, best: impl IntoIterator<Item = Option<(u32, u8)>>) -> Option<Score> {
        let asked = self.tokens.len() as u32;
        let (mut total, mut length) = (0, None);
        for best in best {
            let (points, name) = best?;
            total += points;
            length = length.max((name > 0).then_some(u32::from(name)));
        }
        // Somebody with just these names comes before somebody with two names more.
        let near = length.map_or(0, |length| 20_u32.saturating_sub(length.abs_diff(asked) * 4));
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
                let joined = self.joined.iter().any(|joined| joined == theirs).then_some(SOUNDS_EQUAL);
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
    if !open.is_empty() && theirs.starts_with(open) {
        return Some(SOUNDS_BEGIN + alike * 20 / 100);
    }
    None
}

/// Between scripts only the sounds can be compared.
fn alike(text: &str, other: &str) -> u32 {
    if text.is_ascii() == other.is_ascii() { closeness(text, other) } else { 80 }
}
