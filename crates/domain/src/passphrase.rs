//! A plain hint on how long a passphrase would hold against somebody who has the stolen disk.
//!
//! An estimate, on the low side: words count as words, runs and repeats as one choice. Argon2id makes each guess
//! cost about a tenth of a second.

/// How long it would hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Refused: minutes to days.
    TooWeak,
    /// Months: accepted with a word of warning.
    Weak,
    /// Years on many machines.
    Good,
    /// Nobody will guess it.
    Strong,
}

/// What would help most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advice {
    /// Four words or more, with spaces.
    MoreWords,
    /// It is, or is built on, something that everybody tries first.
    LessCommon,
    /// Repeats and runs add nothing.
    LessRepeated,
    Nothing,
}

/// The verdict on a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hint {
    pub strength: Strength,
    pub advice: Advice,
    /// log2 of the guesses that it would take.
    pub bits: u16,
}

/// What is tried first anywhere, and here. Ours, lower case; twelve bits each.
const COMMON: &[&str] = &[
    "password",
    "passphrase",
    "passwort",
    "qwerty",
    "qwertyuiop",
    "asdfgh",
    "asdf",
    "zxcvbn",
    "letmein",
    "welcome",
    "admin",
    "login",
    "iloveyou",
    "monkey",
    "dragon",
    "football",
    "cricket",
    "princess",
    "sunshine",
    "master",
    "secret",
    "doctor",
    "hospital",
    "clinic",
    "rabta",
    "patient",
    "medicine",
    "nurse",
    "pakistan",
    "punjab",
    "sindh",
    "lahore",
    "karachi",
    "islamabad",
    "multan",
    "allah",
    "bismillah",
    "mashallah",
    "inshallah",
    "alhamdulillah",
    "muhammad",
    "mohammad",
    "ahmed",
    "ahmad",
    "ali",
    "fatima",
    "ayesha",
    "khan",
    "malik",
    "hassan",
    "hussain",
    "usman",
    "bilal",
    "zindabad",
    "786",
    "123456",
    "12345678",
    "123456789",
    "1234",
    "12345",
    "111111",
    "000000",
    "2024",
    "2025",
    "2026",
    "abc",
    "abcd",
    "test",
    "user",
    "love",
    "god",
    "mother",
    "father",
    "ammi",
    "abbu",
    "jaan",
];

/// Estimates `passphrase`. Linear in its length, so that a pasted book does not stop the window.
pub fn hint(passphrase: &str) -> Hint {
    let lower = passphrase.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | '_' | '.' | ','))
        .filter(|w| !w.is_empty())
        .collect();
    let (mut bits, mut common, mut repeated) = (0.0_f64, false, false);
    for (n, word) in words.iter().take(64).enumerate() {
        if words[..n].contains(word) {
            repeated = true;
            bits += 1.0;
            continue;
        }
        let (guess, is_common, is_repeated) = word_bits(word);
        bits += guess;
        common |= is_common;
        repeated |= is_repeated;
    }
    // Capitals and the choice of separator.
    if passphrase.chars().any(char::is_uppercase) && passphrase.chars().any(char::is_lowercase) {
        bits += 2.0;
    }
    let strength = match bits {
        b if b < 36.0 => Strength::TooWeak,
        b if b < 44.0 => Strength::Weak,
        b if b < 56.0 => Strength::Good,
        _ => Strength::Strong,
    };
    let advice = match strength {
        Strength::Good | Strength::Strong => Advice::Nothing,
        _ if common => Advice::LessCommon,
        _ if repeated => Advice::LessRepeated,
        _ => Advice::MoreWords,
    };
    Hint { strength, advice, bits: bits.min(999.0) as u16 }
}

/// (bits, is common, repeats or runs).
fn word_bits(word: &str) -> (f64, bool, bool) {
    let letters: String = word.chars().map(unleet).collect();
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let tail = word.chars().count() - stem.chars().count();
    if COMMON.contains(&word) || COMMON.contains(&letters.as_str()) {
        return (7.0, true, false);
    }
    let stem: String = stem.chars().map(unleet).collect();
    if COMMON.contains(&stem.as_str()) {
        return (7.0 + 2.5 * tail.min(4) as f64, true, false);
    }
    let chars: Vec<char> = word.chars().take(256).collect();
    let mut fresh = 0_usize;
    for (n, c) in chars.iter().enumerate() {
        let step = n.checked_sub(1).map(|p| *c as i64 - chars[p] as i64);
        let before = n.checked_sub(2).map(|p| chars[p + 1] as i64 - chars[p] as i64);
        // The same again, or the next in a run ("aaa", "4567", "fedc").
        let predictable = step == Some(0) || (step.is_some_and(|s| s.abs() == 1) && step == before);
        fresh += usize::from(!predictable);
    }
    let repeated = fresh + 2 < chars.len();
    let digits = chars.iter().all(char::is_ascii_digit);
    let mixed = chars.iter().any(char::is_ascii_digit) || chars.iter().any(|c| c.is_ascii_punctuation());
    let bits = if digits {
        3.3 * fresh as f64
    } else if mixed {
        // Letters and signs in one word: not a word.
        4.0 * fresh as f64
    } else {
        // A word of a language: 1 to 1.5 bits a letter beyond the first few, about 12 for a common one.
        (2.3 * fresh as f64).min(14.0 + 1.2 * (fresh as f64 - 6.0).max(0.0))
    };
    (bits, false, repeated)
}

fn unleet(c: char) -> char {
    match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_too_weak() {
        for weak in [
            "",
            "a",
            "password",
            "P@ssw0rd",
            "12345678",
            "pakistan786",
            "Lahore2026",
            "aaaaaaaaaaaaaaaa",
            "abcdefghijkl",
            "ali ali ali ali ali ali",
            "03001234567",
        ] {
            assert_eq!(hint(weak).strength, Strength::TooWeak, "{weak}");
        }
    }

    #[test]
    fn four_plain_words_are_good_in_any_language() {
        for good in
            ["kettle mango window thirteen", "نیلا پہاڑ چائے ستمبر دریا", "correct horse battery staple"]
        {
            assert!(hint(good).strength >= Strength::Good, "{good} {:?}", hint(good));
        }
    }

    #[test]
    fn more_is_never_weaker() {
        let (mut text, mut last) = (String::new(), 0);
        for word in ["river", "lamp", "orange", "dusty", "planet"] {
            text.push_str(word);
            text.push(' ');
            assert!(hint(&text).bits >= last);
            last = hint(&text).bits;
        }
        assert_eq!(hint(&text).strength, Strength::Strong);
    }

    #[test]
    fn the_advice_names_the_reason() {
        assert_eq!(hint("password1").advice, Advice::LessCommon);
        assert_eq!(hint("zzzzzzzzzzzz").advice, Advice::LessRepeated);
        assert_eq!(hint("river").advice, Advice::MoreWords);
    }
}
