//! What somebody typed, and where in the index to look for it.

use std::fmt;

use crate::{
    digits,
    key::Key,
    skeleton::{open_skeleton, skeleton},
    words,
};

/// Letters of skeletons, for slips of a key.
const LETTERS: &str = "abcdfghjklmnprstwxyz";
/// Shorter skeletons are too near to too many others.
const SLIP_FROM: usize = 3;
/// Words of a query beyond this are ignored.
const TOKENS: usize = 8;

/// A query, ready to look up. Prints `[..]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    pub(crate) tokens: Vec<Token>,
}

/// One word or one number of a query.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    pub(crate) kind: Kind,
    /// This word and the next as one word's skeleton, and the one before with this.
    pub(crate) joined: Vec<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Word { text: String, skeleton: String, open: String },
    Number { digits: String },
}

/// Keys to look up: `from <= key` and `key < to`, bytewise. For one exact key `to` is just behind it.
#[derive(Clone, PartialEq, Eq)]
pub struct Range {
    pub from: String,
    pub to: String,
}

impl Range {
    fn prefix(key: Key) -> Self {
        let from = key.into_string();
        // No key holds the last character of Unicode.
        let to = format!("{from}\u{10ffff}");
        Self { from, to }
    }

    fn exactly(key: Key) -> Self {
        let from = key.into_string();
        let to = format!("{from}\0");
        Self { from, to }
    }

    pub fn holds(&self, key: &str) -> bool {
        self.from.as_str() <= key && key < self.to.as_str()
    }
}

impl Query {
    /// Reads what was typed: words in either script and numbers, in any order. `None` when there is nothing to
    /// look for in it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut kinds: Vec<Kind> = Vec::new();
        for word in words::telling_words(text) {
            if word.bytes().all(|b| b.is_ascii_digit()) {
                // "0300 1234567" and "35202 1234567 1" are one number each.
                match kinds.last_mut() {
                    Some(Kind::Number { digits }) => digits.push_str(&word),
                    _ => kinds.push(Kind::Number { digits: word }),
                }
            } else {
                kinds.push(Kind::Word { skeleton: skeleton(&word), open: open_skeleton(&word), text: word });
            }
        }
        kinds.truncate(TOKENS);
        let texts: Vec<Option<&str>> = kinds
            .iter()
            .map(|k| match k {
                Kind::Word { text, .. } => Some(text.as_str()),
                Kind::Number { .. } => None,
            })
            .collect();
        let pairs: Vec<Option<String>> =
            texts.windows(2).map(|pair| Some(skeleton(&format!("{}{}", pair[0]?, pair[1]?)))).collect();
        let tokens: Vec<Token> = kinds
            .iter()
            .enumerate()
            .map(|(i, kind)| {
                let before = i.checked_sub(1).and_then(|i| pairs[i].clone());
                let after = pairs.get(i).cloned().flatten();
                Token { kind: kind.clone(), joined: before.into_iter().chain(after).collect() }
            })
            .collect();
        (!tokens.is_empty()).then_some(Self { tokens })
    }

    /// Each must be found somewhere in a patient's keys.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

impl Token {
    /// The few ranges that hold every key that this may mean, but for slips of a key.
    pub fn ranges(&self) -> Vec<Range> {
        match &self.kind {
            Kind::Word { text, skeleton, open } => {
                let mut ranges = vec![Range::prefix(Key::word(text))];
                if !open.is_empty() {
                    ranges.push(Range::prefix(Key::skeleton(open)));
                }
                if skeleton != open && !skeleton.is_empty() {
                    ranges.push(Range::exactly(Key::skeleton(skeleton)));
                }
                ranges.extend(self.joined.iter().map(|j| Range::exactly(Key::skeleton(j))));
                ranges
            }
            Kind::Number { digits } => {
                let mut ranges = vec![Range::prefix(Key::digits(digits))];
                let national = digits::national(digits);
                if national != digits {
                    ranges.push(Range::prefix(Key::digits(national)));
                }
                ranges.push(Range::prefix(Key::word(digits)));
                ranges
            }
        }
    }

    /// Every key that one slip (a letter too many, too few, wrong, or two swapped) may have meant: a few hundred,
    /// to look up exactly when the [`Token::ranges`] gave too little.
    pub fn slips(&self) -> Vec<Key> {
        let Kind::Word { skeleton, .. } = &self.kind else { return Vec::new() };
        if skeleton.len() < SLIP_FROM || !skeleton.is_ascii() {
            return Vec::new();
        }
        let mut near = Vec::new();
        for i in 0..=skeleton.len() {
            let (head, tail) = skeleton.split_at(i);
            for letter in LETTERS.chars() {
                near.push(format!("{head}{letter}{tail}"));
                if !tail.is_empty() {
                    near.push(format!("{head}{letter}{}", &tail[1..]));
                }
            }
            if !tail.is_empty() {
                near.push(format!("{head}{}", &tail[1..]));
            }
            if tail.len() > 1 {
                near.push(format!("{head}{}{}{}", &tail[1..2], &tail[..1], &tail[2..]));
            }
        }
        near.retain(|n| n != skeleton);
        near.sort();
        near.dedup();
        near.iter().map(|n| Key::skeleton(n)).collect()
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query[{} tokens]", self.tokens.len())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[..]")
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[..]")
    }
}
