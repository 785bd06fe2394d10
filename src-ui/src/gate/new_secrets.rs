//! A new passphrase and a new PIN: what makes them strong, and the fields that ask for each twice.

use leptos::prelude::*;

use crate::parts::PassField;
use crate::prefs::{say, say_with, t};
use crate::{Text, W};

/// Fewer characters than this are refused.
pub const MIN_PASSPHRASE: usize = 10;

/// 1 (weak) to 4 (strong), from length, words and variety. A hint, not a measure: it never refuses.
pub fn strength(passphrase: &str) -> u8 {
    let length = passphrase.chars().count();
    let words = passphrase.split_whitespace().filter(|word| word.chars().count() >= 3).count();
    let kinds = [
        passphrase.chars().any(char::is_lowercase),
        passphrase.chars().any(char::is_uppercase),
        passphrase.chars().any(char::is_numeric),
        passphrase.chars().any(|c| !c.is_alphanumeric() && !c.is_whitespace()),
        passphrase.chars().any(|c| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase()),
    ]
    .into_iter()
    .filter(|has| *has)
    .count();
    let mut distinct: Vec<char> = passphrase.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let varied = distinct.len();
    if varied < 6 || length < MIN_PASSPHRASE {
        return 1;
    }
    match () {
        () if length >= 24 && words >= 4 || length >= 20 && kinds >= 3 => 4,
        () if length >= 16 && words >= 3 || length >= 14 && kinds >= 3 => 3,
        () if length >= 12 => 2,
        () => 1,
    }
}

/// Whether a PIN is one that anybody tries first.
pub fn easy_pin(pin: &str) -> bool {
    let digits: Vec<i16> = pin.bytes().map(i16::from).collect();
    digits.windows(2).all(|pair| pair[0] == pair[1])
        || digits.windows(2).all(|pair| pair[1] - pair[0] == 1)
        || digits.windows(2).all(|pair| pair[0] - pair[1] == 1)
}

/// What is wrong with the two, if anything; `None` also while the second is still being typed.
pub fn passphrase_problem(first: &str, second: &str) -> Option<(W, bool)> {
    if first.chars().count() < MIN_PASSPHRASE {
        Some((W::PassTooShort, false))
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

/// Passphrase, its strength, and again. `asked`: the person pressed on, so problems may be said.
#[component]
pub fn NewPassphrase(first: RwSignal<String>, second: RwSignal<String>, asked: RwSignal<bool>) -> impl IntoView {
    let problem = move || passphrase_problem(&first.get(), &second.get()).filter(|_| asked.get());
    let words = |word: W| say_with(word, &[&MIN_PASSPHRASE.to_string()]);
    let first_error = Signal::derive(move || problem().filter(|p| !p.1).map(|p| words(p.0)));
    let second_error = Signal::derive(move || problem().filter(|p| p.1).map(|p| words(p.0)));
    let level = Memo::new(move |_| first.with(|text| if text.is_empty() { 0 } else { strength(text) }));
    view! {
        <PassField label=W::PassLabel t="passphrase" value=first hint=W::PassHint error=first_error autofocus=true />
        <div class="stack" style="--gap:6px" aria-live="polite">
            <div class=move || format!("strength s{}", level.get()) aria-hidden="true">
                {(1..=4_u8).map(|i| view! { <i class:on={move || level.get() >= i}></i> }).collect_view()}
            </div>
            <p class="small quiet" style="min-block-size:1.5em" data-t="strength">
                {move || match level.get() {
                    0 => "",
                    1 => say(W::Strength1),
                    2 => say(W::Strength2),
                    3 => say(W::Strength3),
                    _ => say(W::Strength4),
                }}
            </p>
        </div>
        <PassField label=W::PassAgain t="passphrase-again" value=second error=second_error />
    }
}

/// PIN and again.
#[component]
pub fn NewPin(
    first: RwSignal<String>,
    second: RwSignal<String>,
    asked: RwSignal<bool>,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let problem = move || pin_problem(&first.get(), &second.get()).filter(|_| asked.get());
    let first_error = Signal::derive(move || problem().filter(|p| !p.1).map(|p| say(p.0).to_owned()));
    let second_error = Signal::derive(move || problem().filter(|p| p.1).map(|p| say(p.0).to_owned()));
    view! {
        <PassField label=W::PinLabel t="pin" value=first hint=Text::from(W::PinHint) error=first_error pin=true autofocus />
        <PassField label=W::PinAgain t="pin-again" value=second error=second_error pin=true />
        <p class="sr">{t(W::PinHint)}</p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_words_are_stronger() {
        assert_eq!(strength("aaaaaaaaaaaaaaaaaaaaaaaaaa"), 1);
        assert_eq!(strength("chai"), 1);
        assert_eq!(strength("chai aur paratha"), 3);
        assert_eq!(strength("mango tree behind the old school"), 4);
        assert_eq!(strength("آم کا درخت پرانے اسکول کے پیچھے"), 4);
    }

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
        assert_eq!(passphrase_problem("chai aur paratha", "chai"), Some((W::PassDiffer, true)));
    }
}
