//! How well a patient's keys answer a query.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::{
    close::{closeness, sounds_alike},
    digits,
    key::Field,
    query::{Kind, Query, TOKENS, Token},
};

/// Higher is better; comparable within one query only.
pub type Score = u32;

/// A word as written, equal to the best; in percent of it.
const EQUAL: u32 = 100;
const BEGINS: u32 = 84;
const SOUNDS_EQUAL: u32 = 62;
const SOUNDS_BEGIN: u32 = 40;
const SLIPPED: u32 = 38;
/// A query that five people answer so well is rarely a slip of a key: each word as written or sounding so, in its place.
pub const SURE: Score = 900;
/// For a name of just the words that were asked for, their own and a relative's: somebody with just these names comes before
/// somebody with two names more.
const NEAR: [u32; 2] = [40, 20];
/// People say the patient's name first, and one name after the other.
const OWN_FIRST: u32 = 40;
const IN_ORDER: u32 = 40;
/// Off it for each change from one name to another but the first.
const TURN: u32 = 20;
/// Off the score for each word of the query that found no word of its own.
const TWICE: u32 = 60;
/// Letters of a word that may begin a name of one consonant only, and how alike the two must then be.
const VAGUE_FROM: usize = 4;
const VAGUE_ALIKE: u32 = 75;

/// What answers a word of a query best in one place of a patient's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Best {
    /// [`Token::points`]; 0: nothing there does.
    points: u32,
    /// Words of the name that it stands in; 0: not known, or no name.
    length: u8,
    /// [`Token::takes`].
    word: u64,
    /// Words of theirs that it answers, in halves: two that are written as one in the query, or one for two words of it.
    halves: u8,
}

/// What answers a word of a query in one patient's keys: in their own name, in a relative's, elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers([Best; PLACES]);

const PLACES: usize = 3;
const OWN: usize = 0;
const RELATIVE: usize = 1;

impl Answers {
    /// Counts a key in; see [`Token::answer`].
    pub fn add(&mut self, field: Field, best: Best) {
        let place = match field {
            Field::Name => OWN,
            Field::Relative => RELATIVE,
            Field::Place | Field::Phone | Field::Paper | Field::Mr => 2,
        };
        self.0[place] = self.0[place].max(best);
    }

    /// Counts in what another look at the index found.
    pub fn merge(&mut self, other: &Self) {
        for (best, other) in self.0.iter_mut().zip(other.0) {
            *best = (*best).max(other);
        }
    }
}

const NOTHING: Answers = Answers([Best { points: 0, length: 0, word: 0, halves: 0 }; PLACES]);

/// One way to read the first words of a query: which is answered where.
#[derive(Clone, Copy, Default)]
struct Reading {
    points: u32,
    taken: [(usize, Best); TOKENS],
    /// Halves of words answered in the own name and in a relative's, and the lengths of those.
    answered: [u8; 2],
    lengths: [u8; 2],
    /// How often the next word is answered in another place.
    turns: u32,
}

impl Query {
    /// Ranks the patient with these keys; `None` when one of the query's words or numbers is not there at all.
    /// Takes all of a patient's keys in any order, each with its field and, for names, the name's
    /// [length](crate::name_length).
    pub fn score<'k>(&self, keys: impl IntoIterator<Item = (Field, u8, &'k str)>) -> Option<Score> {
        let keys: Vec<(Field, u8, &str)> = keys.into_iter().collect();
        let answers: Vec<Answers> = self
            .tokens
            .iter()
            .map(|token| {
                let mut answers = NOTHING;
                for &(field, length, key) in &keys {
                    if let Some(best) = token.answer(field, length, key) {
                        answers.add(field, best);
                    }
                }
                answers
            })
            .collect();
        self.total(|token| answers.get(token))
    }

    /// The score of whoever has these answers, one for each token: that of the best way to read the query.
    pub fn total<'a>(&self, answer: impl Fn(usize) -> Option<&'a Answers>) -> Option<Score> {
        let mut answers = [&NOTHING; TOKENS];
        for (token, place) in answers.iter_mut().enumerate().take(self.tokens.len()) {
            *place = answer(token)?;
        }
        best_reading(&answers[..self.tokens.len()], 0, Reading::default())
    }
}

/// Goes on after the first `read` words; a patient has few places in which one word is answered.
fn best_reading(answers: &[&Answers], read: usize, so_far: Reading) -> Option<Score> {
    let Some(answer) = answers.get(read) else { return Some(so_far.score(read)) };
    let somewhere = answer.0.iter().enumerate().filter(|(_, best)| best.points > 0);
    somewhere
        .filter_map(|(place, best)| best_reading(answers, read + 1, so_far.with(read, place, *best)))
        .max()
}

impl Reading {
    fn with(mut self, read: usize, place: usize, best: Best) -> Self {
        let taken = &self.taken[..read];
        self.turns += u32::from(taken.last().is_some_and(|(before, _)| *before != place));
        // One word of theirs is no answer to two words of the query: the worse of them stands for nothing.
        let twice = taken.iter().find(|(other, b)| *other == place && best.word != 0 && b.word == best.word);
        self.points += best.points;
        if let Some((_, other)) = twice {
            self.points = self.points.saturating_sub(best.points.min(other.points) + TWICE);
        } else if let Some(answered) = self.answered.get_mut(place) {
            *answered += best.halves;
            self.lengths[place] = self.lengths[place].max(best.length);
        }
        self.taken[read] = (place, best);
        self
    }

    fn score(&self, asked: usize) -> Score {
        let near = |place: usize| match self.lengths[place] {
            0 => 0,
            length => {
                let apart = u32::from((2 * length).abs_diff(self.answered[place]));
                NEAR[place].saturating_sub(apart * NEAR[place] / 8)
            }
        };
        let first = if self.taken[0].0 == OWN { OWN_FIRST } else { 0 };
        let order = IN_ORDER.saturating_sub(self.turns.saturating_sub(1) * TURN);
        self.points * 10 / asked.max(1) as u32 + near(OWN) + near(RELATIVE) + first + order
    }
}

impl Token {
    /// What one key of a name of this length answers; `None` where it does not.
    pub fn answer(&self, field: Field, length: u8, key: &str) -> Option<Best> {
        let points = self.points(field, key)?;
        let theirs = key.get(1..).and_then(|key| key.split_once(' ')).map_or("", |(theirs, _)| theirs);
        let halves = match () {
            () if self.is_joined_in(theirs) => 1,
            () if key.starts_with('j') => 4,
            () => 2,
        };
        Some(Best { points, length, word: self.takes(key), halves })
    }

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
            Field::Relative => 92,
            Field::Place => 85,
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
        reached.then(|| SLIPPED + alike(text, written) * 25 / 100)
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

fn alike(text: &str, other: &str) -> u32 {
    if text.is_ascii() == other.is_ascii() { closeness(text, other) } else { sounds_alike(text, other) }
}
