//! What somebody typed, and where in the index to look for it.

use std::fmt;

use crate::{
    close::one_slip,
    digits,
    key::{Key, is_word},
    skeleton::{open_skeleton, skeleton},
    words,
};

/// Letters of a word in which a slip is looked for: shorter ones are too near to too many others.
pub(crate) const SLIP_FROM: usize = 4;
/// A letter too few leaves one less.
const TYPED_FROM: usize = SLIP_FROM - 1;
/// Sounds of a word in which a slip is looked for.
const SOUNDS_FROM: usize = 3;
/// Where fewer were found for [sure](crate::SURE), there may have been a slip in any word: more would have been read.
pub const FEW: usize = 5;
/// Words of a query beyond this are ignored.
pub(crate) const TOKENS: usize = 8;

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
    joined: Vec<String>,
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

    /// All words whose skeletons begin so; `tag`: `k` or `j`.
    fn skeletons(tag: char, beginning: &str) -> Self {
        Self::prefix(Key(format!("{tag}{beginning}")))
    }

    /// All words of one skeleton.
    fn skeleton(tag: char, skeleton: &str) -> Self {
        Self::prefix(Key(format!("{tag}{skeleton} ")))
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
        let pairs: Vec<Option<String>> = texts
            .windows(2)
            .map(|pair| {
                let (first, second) = (pair[0]?, pair[1]?);
                let joined = skeleton(&format!("{first}{second}"));
                // Where one of them sounds like the whole, that one is meant.
                let adds = ![first, second].iter().any(|part| skeleton(part) == joined);
                adds.then_some(joined)
            })
            .collect();
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
                        ranges.extend(['k', 'j'].map(|tag| Range::skeletons(tag, beginning)));
                    }
                }
                if beginnings.iter().any(String::is_empty) {
                    ranges.push(Range::prefix(Key::word("", text)));
                }
                if !ranges.iter().any(|range| range.holds(&format!("k{skeleton} "))) {
                    ranges.extend(['k', 'j'].map(|tag| Range::skeleton(tag, skeleton)));
                }
                for joined in &self.joined {
                    if !ranges.iter().any(|range| range.holds(&format!("k{joined} "))) {
                        ranges.push(Range::skeleton('k', joined));
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
                ranges.push(Range::skeletons('k', &skeleton(digits)));
                ranges
            }
        }
    }

    /// Whether this word and a neighbor are a word of this skeleton, written as one on the other side.
    pub(crate) fn is_joined_in(&self, theirs: &str) -> bool {
        self.joined.iter().any(|joined| joined == theirs)
    }

    /// Whether a key's word or number begins with just what was typed.
    pub fn is_in(&self, key: &str) -> bool {
        let Some((tag, rest)) = key.split_at_checked(1) else { return false };
        match (&self.kind, tag) {
            (Kind::Word { text, .. }, "k" | "j") => {
                rest.split_once(' ').is_some_and(|(_, word)| word.starts_with(text.as_str()))
            }
            (Kind::Word { text, .. }, _) => rest.starts_with(text.as_str()),
            (Kind::Number { .. }, _) => true,
        }
    }

    /// Where in the vocabulary ([`Key::is_word`]) the words stand that one slip may have meant: those of the same first
    /// sound, which is rarely missed. None for a word that is too short, and for a number.
    pub fn vocabulary(&self) -> Vec<Range> {
        let Kind::Word { text, skeleton: own, .. } = &self.kind else { return Vec::new() };
        let mut letters = text.chars();
        let (Some(first), Some(_)) = (letters.next(), letters.next()) else { return Vec::new() };
        if text.chars().count() < TYPED_FROM {
            return Vec::new();
        }
        // The second letter makes another sound of some first ones: s and sh, k and ch.
        let others = [format!("{first}{}", letters.as_str()), format!("{first}h{}", letters.as_str())];
        let mut sounds: Vec<String> =
            others.iter().map(|other| skeleton(other)).chain([own.clone()]).collect();
        for sound in &mut sounds {
            *sound = sound.chars().take(1).collect();
        }
        sounds.retain(|sound| !sound.is_empty());
        sounds.sort();
        sounds.dedup();
        sounds.iter().map(|sound| Range::skeletons('k', sound)).collect()
    }

    /// Where the patients stand who have this word of the [vocabulary](Token::vocabulary), if one slip (a letter too many,
    /// too few, wrong, or two swapped) leads from it to what was typed, as written or as it sounds.
    pub fn meant(&self, key: &str) -> Option<Range> {
        let Kind::Word { text, skeleton, .. } = &self.kind else { return None };
        let (theirs, written) = key.strip_prefix('k')?.split_once(' ')?;
        let slipped = one_slip(text, written) || skeleton.len() >= SOUNDS_FROM && one_slip(skeleton, theirs);
        (slipped && skeleton != theirs && is_word(written))
            .then(|| Range { from: key.to_owned(), to: format!("{key}\0") })
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
