//! In practice only: a first visit in ten steps, beside the real pages. A strip says what to press next and marks it; a
//! step is over when it was done, however it was done. It can be left, and taken up again where it was.

use leptos::prelude::*;
use leptos::web_sys;
use leptos::web_sys::wasm_bindgen::JsCast;

use crate::parts::{Button, Kind, LinkButton};
use crate::prefs::{say_with, t};
use crate::router::Route;
use crate::session::session;
use crate::{Text, W, dom, icon};

/// Where the window keeps the place: a number, after `off:` where the guide was left.
const PLACE: &str = "rabta.guide";
/// How often the page is looked at.
const LOOK: std::time::Duration = std::time::Duration::from_millis(400);

thread_local! {
    static SHOWN: ArcRwSignal<bool> = ArcRwSignal::new(!place().1);
}

struct Step {
    words: W,
    /// What to mark, the first that is drawn (CSS).
    marks: &'static [&'static str],
    done: fn(&Route) -> bool,
}

/// In the order of the visit's page.
const STEPS: [Step; 11] = [
    Step {
        words: W::GuideFind,
        marks: &["[data-t=result]", "[data-t=register]", "#find-box", "[data-t=go-find]"],
        done: |route| {
            matches!(route, Route::Patient(_) | Route::Visit(_) | Route::VisitPage(_) | Route::Ask(_))
        },
    },
    Step {
        words: W::GuideStart,
        marks: &["[data-t=start-visit]"],
        done: |route| matches!(route, Route::Visit(_) | Route::VisitPage(_)),
    },
    Step {
        words: W::GuideDanger,
        marks: &["[data-t=danger-none]"],
        done: |_| is_there(".danger input:checked") || is_past_writing(),
    },
    Step {
        words: W::GuideTemplate,
        marks: &["[data-t=template-fill]", "[data-t=template][data-id=cough-cold]"],
        done: |_| is_there("[data-t=template-undo]") || is_past_writing(),
    },
    Step {
        words: W::GuideAllergy,
        marks: &[
            "[data-t=allergy-state]:not(:has([value=none-known]:checked, [value=known]:checked))",
            "[data-t=pregnant]:not(:has(:checked))",
        ],
        done: |_| {
            let allergies = "[data-t=allergy-state] :is([value=none-known], [value=known]):checked";
            let open = is_there("[data-t=pregnant]") && !is_there("[data-t=pregnant] :checked");
            is_there(allergies) && !open || is_past_writing()
        },
    },
    Step {
        words: W::GuideVitals,
        marks: &["#vital-temperature"],
        done: |_| has_a_value() || is_past_writing(),
    },
    Step {
        words: W::GuideCheck,
        marks: &["[data-t=check-and-sign]"],
        done: |route| matches!(route, Route::VisitPage(_)),
    },
    Step {
        words: W::GuideSign,
        marks: &["[data-t=finding][data-stops=true]", "[data-t=sign-and-print]", "[data-t=sign]"],
        done: |_| is_there("[data-t=signed-by]"),
    },
    Step {
        words: W::GuidePrint,
        marks: &["[data-t=print]", "[data-t=prescription]"],
        done: |_| is_there("[data-t=printed-file]"),
    },
    Step {
        words: W::GuideAsk,
        marks: &["[data-t=ask-specialist]"],
        done: |route| matches!(route, Route::Ask(_)),
    },
    Step { words: W::GuideEnd, marks: &[], done: |_| false },
];

/// The step and whether the guide was left.
fn place() -> (usize, bool) {
    let text = dom::stored(PLACE).unwrap_or_default();
    let (off, number) = match text.strip_prefix("off:") {
        Some(number) => (true, number),
        None => (false, text.as_str()),
    };
    (number.parse::<usize>().unwrap_or(0).min(STEPS.len() - 1), off)
}

fn keep(step: usize, off: bool) {
    dom::store(PLACE, &format!("{}{step}", if off { "off:" } else { "" }));
}

/// Whether the strip is there (tracked).
pub fn is_shown() -> bool {
    SHOWN.with(|shown| shown.get())
}

/// Takes it up again where it was left.
pub fn show() {
    keep(place().0, false);
    SHOWN.with(|shown| shown.set(true));
}

fn drawn(css: &str) -> Option<web_sys::HtmlElement> {
    let all = dom::document().query_selector_all(css).ok()?;
    (0..all.length())
        .filter_map(|n| all.item(n)?.dyn_into::<web_sys::HtmlElement>().ok())
        .find(|element| element.offset_width() > 0)
}

fn is_there(css: &str) -> bool {
    dom::document().query_selector(css).ok().flatten().is_some()
}

/// The page to check shows: what was not done while writing is said there.
fn is_past_writing() -> bool {
    is_there(".visit-page [data-t=sign], .visit-page [data-t=signed-by]")
}

/// A value stands in a field, and whoever typed it has gone on.
fn has_a_value() -> bool {
    let Ok(all) = dom::document().query_selector_all("input[id^=vital-]") else { return false };
    let now = dom::document().active_element();
    (0..all.length()).filter_map(|n| all.item(n)?.dyn_into::<web_sys::HtmlInputElement>().ok()).any(|input| {
        !input.value().is_empty() && now.as_ref().is_none_or(|now| !now.is_same_node(Some(&input)))
    })
}

fn unmark() {
    if let Some(old) = dom::document().query_selector("[data-guide]").ok().flatten() {
        let _ = old.remove_attribute("data-guide");
    }
}

/// Marks what to press next, and says whether it is on this page. A new step's mark comes into view.
fn mark(step: &Step, is_new: bool) -> bool {
    let Some(target) = step.marks.iter().find_map(|css| drawn(css)) else {
        unmark();
        return false;
    };
    // A box to tick is smaller than its words.
    let target = target.closest("label").ok().flatten().unwrap_or_else(|| target.into());
    if !target.has_attribute("data-guide") {
        unmark();
        let _ = target.set_attribute("data-guide", "");
        if is_new {
            dom::reveal("[data-guide]");
        }
    }
    true
}

/// The strip. Nothing outside of practice.
#[component]
pub fn Guide(route: Memo<Route>) -> impl IntoView {
    let session = session();
    let on = Memo::new(move |_| {
        is_shown() && session.status.with(|status| status.as_ref().is_some_and(|s| s.training))
    });
    let step = RwSignal::new(place().0);
    // Where the control of this step was last seen, and whether it is there now.
    let seen_at = StoredValue::new(String::new());
    let away = RwSignal::new(false);
    let go = move |to: usize| {
        seen_at.set_value(String::new());
        away.set(false);
        unmark();
        step.set(to);
        keep(to, false);
    };
    let look = move || {
        if !on.get_untracked() {
            return;
        }
        let now = step.get_untracked();
        let here = route.get_untracked();
        if (STEPS[now].done)(&here) {
            return go(now + 1);
        }
        let found = mark(&STEPS[now], seen_at.with_value(String::is_empty));
        if found {
            seen_at.set_value(here.href());
        }
        let gone = !found && seen_at.with_value(|at| !at.is_empty() && *at != here.href());
        if away.get_untracked() != gone {
            away.set(gone);
        }
    };
    if let Ok(timer) = set_interval_with_handle(look, LOOK) {
        on_cleanup(move || timer.clear());
    }
    let leave = move || {
        keep(step.get_untracked(), true);
        unmark();
        SHOWN.with(|shown| shown.set(false));
    };
    let last = STEPS.len() - 1;
    move || {
        on.get().then(|| {
            let title = Text::live(move || match step.get() {
                n if n == last => crate::prefs::say(W::GuideName).to_owned(),
                n => {
                    let place = say_with(W::StepOf, &[&(n + 1).to_string(), &last.to_string()]);
                    format!("{}: {place}", crate::prefs::say(W::GuideName))
                }
            });
            view! {
                <section class="guide" data-t="guide" data-step=move || step.get().to_string() aria-label=t(W::GuideName)>
                    <div class="grow" aria-live="polite">
                        <p class="small">{title.view()}</p>
                        <p class="strong" data-t="guide-words">{move || t(STEPS[step.get()].words)()}</p>
                    </div>
                    <div class="row">
                        {move || {
                            away.get()
                                .then(|| {
                                    let href = seen_at.get_value();
                                    view! { <LinkButton label=W::GuideBack t="guide-back" icon=icon::UNDO href /> }
                                })
                        }}
                        {move || {
                            if step.get() == last {
                                view! { <Button label=W::GuideAgain t="guide-again" icon=icon::UNDO on_press=move || go(0) /> }.into_any()
                            } else {
                                view! {
                                    <Button label=W::GuideSkip t="guide-skip" kind=Kind::Plain on_press=move || go(step.get_untracked() + 1) />
                                }
                                    .into_any()
                            }
                        }}
                        <Button label=W::GuideLeave t="guide-leave" kind=Kind::Plain icon=icon::CLOSE on_press=leave />
                    </div>
                </section>
            }
        })
    }
}
