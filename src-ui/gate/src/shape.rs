//! The gate's frame: our mark and the steps at one side, the question at the other, the language always at hand.

use std::cmp::Ordering;

use super::el::{El, el};
use super::parts::ltr;
use super::say::{self, Say};
use super::{Step, gate, help};
use crate::words::Lang;
use crate::{W, icon};

/// The steps of the first start, in order; and of somebody joining an open vault.
const FIRST: &[W] = &[
    W::StepLanguage,
    W::StepCode,
    W::StepConfirm,
    W::StepPassphrase,
    W::StepPin,
    W::StepRecovery,
    W::StepPatients,
];
const ADDING: &[W] = &[W::StepCode, W::StepConfirm, W::StepPassphrase, W::StepPin, W::StepRecovery];

/// The mark's idea, large: two points, and what carries from one to the other.
const BRIDGE: &str = r##"<svg class="art" viewBox="0 0 460 210" aria-hidden="true" fill="none"><path d="M-10 190 C 90 190 96 96 230 96 C 364 96 370 190 470 190" stroke="#7fd1ca" stroke-opacity=".55" stroke-width="3"></path><path d="M-10 214 H470" stroke="#7fd1ca" stroke-opacity=".25" stroke-width="3"></path><g stroke="#7fd1ca" stroke-opacity=".22" stroke-width="2"><path d="M70 172 V214 M110 146 V214 M150 116 V214 M190 101 V214 M230 96 V214 M270 101 V214 M310 116 V214 M350 146 V214 M390 172 V214"></path></g><circle cx="110" cy="146" r="9" fill="#7fd1ca"></circle><circle cx="350" cy="146" r="9" fill="#f2c14e"></circle></svg>"##;

/// Our mark and name.
const MARK: &str = r#"<div class="mark"><img class="logo" src="mark.svg" alt="" width="44" height="44"><b>Rabta</b><span lang="ur">رابطہ</span></div>"#;

/// Which of its steps a page is.
fn number(step: &Step) -> Option<(&'static [W], usize)> {
    let at: usize = match step {
        Step::Language => 0,
        Step::Code => 1,
        Step::Confirm => 2,
        Step::Passphrase => 3,
        Step::Pin => 4,
        Step::RecoveryShow | Step::RecoveryAsk => 5,
        Step::Pull => 6,
        _ => return None,
    };
    if gate().adding.get() { at.checked_sub(1).map(|at| (ADDING, at)) } else { Some((FIRST, at)) }
}

pub fn shape(step: &Step, page: &El) -> El {
    let at = number(step);
    let side = el("aside").class("gate-side").markup(MARK);
    let side = match at {
        Some((steps, now)) => {
            let numbers = vec![(now + 1).to_string(), steps.len().to_string()];
            side.child(&list(steps, now)).child(&el("span").class("sr").say(Say::With(W::StepOf, numbers)))
        }
        None => side.child(&el("p").class("lead").say(W::Tagline)),
    };
    let work = el("div").class("gate-work").child(&help::panel(step)).child(page);
    work.toggle(
        "roomy",
        matches!(step, Step::RecoveryShow | Step::RecoveryAsk | Step::LeaseEnded { .. } | Step::MoreDays),
    );
    let foot = el("p").class("gate-foot");
    let foot = match gate().of_status(|status| ["Rabta ", &status.version].concat()) {
        Some(version) => foot.child(&ltr(&version)),
        None => foot,
    };
    let top = el("div").class("gate-top").child(&help::opener(step)).child(&language(step));
    let main = el("main").class("gate-main").child(&top).child(&work).child(&foot);
    el("div").class("gate").child(&side.markup(BRIDGE)).child(&main)
}

fn list(steps: &[W], now: usize) -> El {
    steps.iter().enumerate().fold(el("ol").class("steps"), |list, (i, word)| {
        let n = el("span").class("n");
        let (class, n) = match i.cmp(&now) {
            Ordering::Less => ("done", n.icon(icon::CHECK)),
            Ordering::Equal => ("now", n.text(&(i + 1).to_string())),
            Ordering::Greater => ("", n.text(&(i + 1).to_string())),
        };
        let item = el("li").class(class).child(&n).child(&el("span").say(*word));
        let item = if i == now { item.attr("aria-current", "step") } else { item };
        list.child(&item)
    })
}

/// The other language's button.
fn language(step: &Step) -> El {
    let other = |lang: Lang| if lang == Lang::En { Lang::Ur } else { Lang::En };
    let button = el("button")
        .attr("type", "button")
        .class("b plain")
        .t("switch-language")
        .attr("lang", other(say::lang()).code())
        .icon(icon::LANGUAGES)
        .child(&el("span").say(W::LanguageSwitch));
    button.flag("hidden", *step == Step::Language);
    let own = button.clone();
    button.on("click", move |_| {
        say::change_lang(other(say::lang()));
        own.set("lang", other(say::lang()).code());
    })
}
