//! A new passphrase or PIN: what makes it strong, and what is wrong with the two that were typed.

use rabta_domain::passphrase::{Advice, Hint, Strength, hint};

use crate::W;

/// How many of the four bars.
pub fn bars(strength: Strength) -> u8 {
    match strength {
        Strength::TooWeak => 1,
        Strength::Weak => 2,
        Strength::Good => 3,
        Strength::Strong => 4,
    }
}

/// The verdict in words, and what would help most where it is not good yet.
pub fn verdict(hint: Hint) -> (W, Option<W>) {
    let word = match hint.strength {
        Strength::TooWeak => W::Strength1,
        Strength::Weak => W::Strength2,
        Strength::Good => W::Strength3,
        Strength::Strong => W::Strength4,
    };
    let advice = match hint.advice {
        Advice::MoreWords => Some(W::PassMoreWords),
        Advice::LessCommon => Some(W::PassLessCommon),
        Advice::LessRepeated => Some(W::PassLessRepeated),
        Advice::Nothing => None,
    };
    (word, advice.filter(|_| hint.strength < Strength::Good))
}

/// Whether a PIN is one that anybody tries first.
pub fn easy_pin(pin: &str) -> bool {
    let digits: Vec<i16> = pin.bytes().map(i16::from).collect();
    digits.windows(2).all(|pair| pair[0] == pair[1])
        || digits.windows(2).all(|pair| pair[1] - pair[0] == 1)
        || digits.windows(2).all(|pair| pair[0] - pair[1] == 1)
}

/// What is wrong with a passphrase and its repetition, if anything, and whether it is to be said at the second one.
pub fn passphrase_problem(first: &str, second: &str) -> Option<(W, bool)> {
    if hint(first).strength == Strength::TooWeak {
        Some((W::PassTooWeak, false))
    } else if first != second {
        Some((W::PassDiffer, true))
    } else {
        None
    }
}

/// As [`passphrase_problem`], for a PIN.
pub fn pin_problem(first: &str, second: &str) -> Option<(W, bool)> {
    if first.len() < 4 {
        Some((W::PinShort, false))
    } else if easy_pin(first) {
        Some((W::PinEasy, false))
    } else if first != second {
        Some((W::PinDiffer, true))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_that_anybody_tries_first_are_easy() {
        for pin in ["1234", "4321", "0000", "777777", "456789"] {
            assert!(easy_pin(pin), "{pin}");
        }
        for pin in ["2580", "1357", "908172"] {
            assert!(!easy_pin(pin), "{pin}");
        }
    }

    #[test]
    fn a_problem_is_said_at_the_field_that_has_it() {
        assert_eq!(pin_problem("25", ""), Some((W::PinShort, false)));
        assert_eq!(pin_problem("2580", "2581"), Some((W::PinDiffer, true)));
        assert_eq!(pin_problem("2580", "2580"), None);
        assert_eq!(
            passphrase_problem("mango tree behind the old school", "mango"),
            Some((W::PassDiffer, true))
        );
        assert_eq!(passphrase_problem("password", ""), Some((W::PassTooWeak, false)));
    }

    #[test]
    fn what_would_help_is_said_until_it_is_good() {
        assert!(verdict(hint("password")).1.is_some());
        assert_eq!(verdict(hint("seven mangoes under the neem tree")), (W::Strength4, None));
    }
}
