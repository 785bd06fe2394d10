//! A new passphrase and a new PIN: what makes them strong, the fields that ask for each twice, and their pages.

use std::cell::Cell;
use std::rc::Rc;

use rabta_domain::Private;
use rabta_domain::passphrase::{Advice, Hint, Strength, hint};
use rabta_ipc::Error;
use rabta_ipc::gate::{AddPerson, Join, Recovery};

use super::ask::ask;
use super::el::{El, el};
use super::field::{Field, secret};
use super::parts::{Slot, banner, form, para, quiet, send, title};
use super::say::Say;
use super::{Step, gate};
use crate::errors::Tone;
use crate::{W, icon};

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
fn verdict(hint: Hint) -> Say {
    let word = match hint.strength {
        Strength::TooWeak => W::Strength1,
        Strength::Weak => W::Strength2,
        Strength::Good => W::Strength3,
        Strength::Strong => W::Strength4,
    };
    let advice = match hint.advice {
        Advice::MoreWords => W::PassMoreWords,
        Advice::LessCommon => W::PassLessCommon,
        Advice::LessRepeated => W::PassLessRepeated,
        Advice::Nothing => return word.into(),
    };
    if hint.strength >= Strength::Good { word.into() } else { Say::Two(word, advice) }
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

/// What is wrong with two texts, and whether with the second one.
type Problem = fn(&str, &str) -> Option<(W, bool)>;

/// A new secret, asked for twice.
#[derive(Clone)]
pub struct Twice {
    first: Field,
    second: Field,
    /// Between the two.
    between: Option<El>,
    problem: Problem,
    /// The person pressed on, so problems may be said.
    asked: Rc<Cell<bool>>,
}

impl Twice {
    fn new(first: Field, second: Field, problem: Problem) -> Self {
        let twice = Twice { first, second, between: None, problem, asked: Rc::default() };
        for field in [&twice.first, &twice.second] {
            let own = twice.clone();
            let _ = field.clone().on_input(move || {
                if own.asked.get() {
                    own.say();
                }
            });
        }
        twice
    }

    /// A passphrase with its strength. `typed` before, if one came back to this page.
    pub fn passphrase(typed: &str) -> Self {
        let first = secret(W::PassLabel, "passphrase", Some(W::PassHint), false);
        let second = secret(W::PassAgain, "passphrase-again", None, false);
        first.set(typed);
        let bars_shown = el("div").attr("aria-hidden", "true");
        let bars_shown = (0..4).fold(bars_shown, |bars, _| bars.child(&el("i")));
        let words = para("small quiet", Say::Fixed(String::new()))
            .attr("style", "min-block-size:1.5em")
            .t("strength");
        let meter =
            el("div").class("stack").gap(6).attr("aria-live", "polite").child(&bars_shown).child(&words);
        let judge = {
            let first = first.clone();
            move || {
                let typed = first.value();
                let judged = (!typed.is_empty()).then(|| hint(&typed));
                let level = judged.map_or(0, |hint| bars(hint.strength));
                bars_shown.set(
                    "class",
                    ["strength s0", "strength s1", "strength s2", "strength s3", "strength s4"]
                        [usize::from(level)],
                );
                bars_shown.each(|i, bar| bar.toggle("on", i < usize::from(level)));
                let _ = words.clone().say(judged.map_or(Say::Fixed(String::new()), verdict));
            }
        };
        judge();
        let _ = first.clone().on_input(judge);
        Twice { between: Some(meter), ..Twice::new(first, second, passphrase_problem) }
    }

    pub fn pin() -> Self {
        let first = secret(W::PinLabel, "pin", Some(W::PinHint), true);
        Twice::new(first, secret(W::PinAgain, "pin-again", None, true), pin_problem)
    }

    /// The page with these fields at its end.
    pub fn onto(&self, page: El) -> El {
        let page = page.child(&self.first.frame);
        let page = self.between.iter().fold(page, El::child);
        page.child(&self.second.frame)
    }

    pub fn focus_soon(&self) {
        self.first.focus_soon();
    }

    fn found(&self) -> Option<(W, bool)> {
        (self.problem)(&self.first.value(), &self.second.value())
    }

    fn say(&self) {
        let found = self.found();
        let of = |second: bool| found.filter(|found| found.1 == second).map(|found| Say::Word(found.0));
        self.first.error(of(false));
        self.second.error(of(true));
    }

    /// The secret, where nothing is wrong with it; else what is wrong is said from now on, and the keyboard is there.
    pub fn take(&self) -> Option<String> {
        self.asked.set(true);
        self.say();
        match self.found() {
            None => return Some(self.first.value()),
            Some((_, true)) => self.second.focus(),
            Some((_, false)) => self.first.focus(),
        }
        None
    }
}

pub fn passphrase() -> El {
    let twice = Twice::passphrase(&gate().passphrase.borrow());
    twice.focus_soon();
    let own = twice.clone();
    let page = form(16, move || {
        if let Some(passphrase) = own.take() {
            *gate().passphrase.borrow_mut() = passphrase;
            gate().go(Step::Pin);
        }
    });
    twice
        .onto(page.child(&title(W::PassTitle, Some(W::PassBody.into()))))
        .child(&send("next", W::Continue, None).el)
        .child(&quiet("back", W::Back, || gate().go(Step::Confirm)))
}

pub fn pin() -> El {
    let twice = Twice::pin();
    twice.focus_soon();
    let adding = gate().adding.get();
    let facility =
        gate().invitation.borrow().as_ref().map(|invited| invited.facility.clone()).unwrap_or_default();
    let label = if adding { W::AddNow.into() } else { Say::one(W::JoinNow, &facility) };
    let button = send("join", label, Some(icon::SHIELD));
    let (error, doing) = (Slot::new(), Slot::new());
    let page = {
        let (twice, button, error, doing) = (twice.clone(), button.clone(), error.clone(), doing.clone());
        form(16, move || {
            if button.is_busy() {
                return;
            }
            let Some(pin) = twice.take() else { return };
            let (code, pin) = (gate().code.borrow().clone(), Private(pin));
            let passphrase = Private(gate().passphrase.borrow().clone());
            error.clear();
            doing.put(Some(banner(Tone::Info, "joining", W::Joining, None, None)));
            let (error, doing) = (error.clone(), doing.clone());
            let joined = move |answer| {
                doing.clear();
                joined(answer, &error);
            };
            if adding {
                ask(&button, AddPerson { code, passphrase, pin }, joined);
            } else {
                ask(&button, Join { code, passphrase, pin }, joined);
            }
        })
    };
    twice
        .onto(page.child(&title(W::PinTitle, Some(W::PinBody.into()))))
        .child(&para("sr", W::PinHint))
        .child(error.place())
        .child(&button.el)
        .child(doing.place())
        .child(&quiet("back", W::Back, || gate().go(Step::Passphrase)))
}

fn joined(answer: Result<Recovery, Error>, error: &Slot) {
    match answer {
        Ok(recovery) => {
            gate().passphrase.take();
            gate().code.take();
            *gate().recovery.borrow_mut() = recovery.code.0;
            gate().go(Step::RecoveryShow);
        }
        Err(problem) => error.error(&problem),
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
