//! A new passphrase and a new PIN: what makes them strong, and the fields that ask for each twice.

use leptos::prelude::*;
use rabta_domain::passphrase::{Advice, Hint, Strength, hint};

use crate::parts::PassField;
use crate::prefs::{say, t};
use crate::{Text, W};

/// How many of the four bars.
fn bars(strength: Strength) -> u8 {
    match strength {
        Strength::TooWeak => 1,
        Strength::Weak => 2,
        Strength::Good => 3,
        Strength::Strong => 4,
    }
}

/// The verdict in words, and what would help most.
fn verdict(hint: Hint) -> String {
    let word = say(match hint.strength {
        Strength::TooWeak => W::Strength1,
        Strength::Weak => W::Strength2,
        Strength::Good => W::Strength3,
        Strength::Strong => W::Strength4,
    });
    let advice = match hint.advice {
        Advice::MoreWords => W::PassMoreWords,
        Advice::LessCommon => W::PassLessCommon,
        Advice::LessRepeated => W::PassLessRepeated,
        Advice::Nothing => return word.to_owned(),
    };
    if hint.strength >= Strength::Good { word.to_owned() } else { format!("{word}. {}", say(advice)) }
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

/// Passphrase, its strength, and again. `asked`: the person pressed on, so problems may be said.
#[component]
pub fn NewPassphrase(
    first: RwSignal<String>,
    second: RwSignal<String>,
    asked: RwSignal<bool>,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    let problem = move || passphrase_problem(&first.get(), &second.get()).filter(|_| asked.get());
    let first_error = Signal::derive(move || problem().filter(|p| !p.1).map(|p| say(p.0).to_owned()));
    let second_error = Signal::derive(move || problem().filter(|p| p.1).map(|p| say(p.0).to_owned()));
    let judged = Memo::new(move |_| first.with(|text| (!text.is_empty()).then(|| hint(text))));
    let level = move || judged.get().map_or(0, |hint| bars(hint.strength));
    view! {
        <PassField label=W::PassLabel t="passphrase" value=first hint=W::PassHint error=first_error autofocus />
        <div class="stack" style="--gap:6px" aria-live="polite">
            <div class=move || format!("strength s{}", level()) aria-hidden="true">
                {(1..=4_u8).map(|i| view! { <i class:on={move || level() >= i}></i> }).collect_view()}
            </div>
            <p class="small quiet" style="min-block-size:1.5em" data-t="strength">
                {move || judged.get().map(verdict)}
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
}
