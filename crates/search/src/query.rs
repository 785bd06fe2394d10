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

/// Keys to look up: `from <= key` and `key < to`, bytewise.
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

    fn skeletons(beginning: &str) -> Self {
        Self::prefix(Key(format!("k{beginning}")))
    }

    /// All words of one skeleton.
    fn skeleton(skeleton: &str) -> Self {
        Self::prefix(Key(format!("k{skeleton} ")))
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
                let mut beginnings = vec![open.clone()];
                // What may yet follow the last letter changes its sound.
                beginnings.extend(["h", "e"].map(|next| open_skeleton(&format!("{text}{next}"))));
                let mut ranges = Vec::new();
                beginnings.sort();
                beginnings.dedup();
                for (i, beginning) in beginnings.iter().enumerate() {
                    let within = beginnings[..i].iter().any(|b| !b.is_empty() && beginning.starts_with(b));
                    if !within && !beginning.is_empty() {
                        ranges.push(Range::skeletons(beginning));
                    }
                }
                if beginnings.iter().any(String::is_empty) {
                    ranges.push(Range::prefix(Key::word("", text)));
                }
                if !ranges.iter().any(|range| range.holds(&format!("k{skeleton} "))) {
                    ranges.push(Range::skeleton(skeleton));
                }
                for joined in &self.joined {
                    if !ranges.iter().any(|range| range.holds(&format!("k{joined} "))) {
                        ranges.push(Range::skeleton(joined));
                    }
                }
                if text.bytes().any(|b| b.is_ascii_digit()) {
                    ranges.push(Range::prefix(Key::lettered(text)));
                }
                ranges
            }
            Kind::Number { digits } => {
                let mut ranges = vec![Range::prefix(Key::digits(digits))];
                let national = digits::national(digits);
                if national != digits {
                    ranges.push(Range::prefix(Key::digits(national)));
                }
                ranges.push(Range::prefix(Key::lettered(digits)));
                // A number in a village's name.
                ranges.push(Range::skeletons(&skeleton(digits)));
                ranges
            }
        }
    }

    /// The words that one slip (a letter too many, too few, wrong, or two swapped) may have meant: a few hundred ranges,
    /// to look up when the [`Token::ranges`] gave too little.
    pub fn slips(&self) -> Vec<Range> {
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
        near.iter().map(|n| Range::skeleton(n)).collect()
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
