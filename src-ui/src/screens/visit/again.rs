//! One press in place of typing: what this patient had last, and what whoever writes orders most.

use leptos::prelude::*;
use rabta_domain::medicine::MedicineLine;

use super::draft::{Draft, draft, edit_wherever};
use crate::icon::Icon;
use crate::parts::{Button, toast_with_undo};
use crate::prefs::{say_with, t};
use crate::{Text, W, dom, format, icon};

/// Below this age a dose goes by weight, as in WHO's pocket book: an adult's is not carried over.
const GROWN_MONTHS: u32 = 12 * 12;
/// More than these nobody finds faster than by typing.
const SHOWN: usize = 8;

/// Above the box for a new medicine; nothing where there is nothing to repeat.
#[component]
pub fn Again() -> impl IntoView {
    let draft = draft();
    let offers = StoredValue::new(super::offers());
    let grown = draft.age().low >= GROWN_MONTHS;
    let there = Memo::new(move |_| draft.form.with(|f| f.medicines.iter().map(same).collect::<Vec<_>>()));
    let shown = move || {
        let there = there.get();
        let missing = |line: &MedicineLine| !there.contains(&same(line));
        let super::Offers { last, often, .. } = offers.get_value();
        let mut again = last.unwrap_or_default();
        again.lines.retain(missing);
        let mut often: Vec<MedicineLine> = often.into_iter().map(|favorite| favorite.line).collect();
        often.retain(missing);
        let repeat = (!again.lines.is_empty()).then(|| {
            let (day, names) = (again.day, names(&again.lines));
            let label = Text::live(move || say_with(W::AgainLast, &[&format::day(&day), &names]));
            let button = button("repeat-last", icon::HISTORY, label, draft, again.lines);
            view! { <div class="row">{button}</div> }
        });
        let chips = (!often.is_empty()).then(|| {
            let chips = often.into_iter().take(SHOWN).map(|mut line| {
                if !grown {
                    (line.dose, line.days) = (String::new(), 0);
                }
                let parts = [line.generic.as_str(), &line.strength, &line.dose];
                let label = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
                button("favorite", icon::PLUS, label.into(), draft, vec![line])
            });
            view! {
                <div class="stack" style="--gap:6px" role="group" aria-label=t(W::AgainOften)>
                    <p class="small quiet">{t(W::AgainOften)}</p>
                    <div class="row">{chips.collect_view()}</div>
                    {(!grown).then(|| view! { <p class="small quiet" data-t="favorite-child">{t(W::AgainChild)}</p> })}
                </div>
            }
        });
        (repeat, chips)
    };
    view! { {shown} }.into_any()
}

/// A button that adds these lines.
fn button(t: &'static str, icon: Icon, label: Text, draft: Draft, lines: Vec<MedicineLine>) -> AnyView {
    view! { <Button label t icon on_press=move || add(draft, lines.clone()) /> }.into_any()
}

/// Two lines of the same medicine, whatever the dose.
fn same(line: &MedicineLine) -> (String, String) {
    (line.generic.to_lowercase(), line.form.clone())
}

fn names(lines: &[MedicineLine]) -> String {
    lines.iter().map(|line| line.generic.as_str()).collect::<Vec<_>>().join(format::comma())
}

/// Adds them, each as a line of its own, with the way back. A dose that is missing is asked for at once.
fn add(draft: Draft, lines: Vec<MedicineLine>) {
    let lines: Vec<MedicineLine> =
        lines.into_iter().map(|line| MedicineLine { id: dom::uuid(), ..line }).collect();
    let ids: Vec<String> = lines.iter().map(|line| line.id.clone()).collect();
    if let Some(open) = lines.iter().find(|line| line.dose.is_empty()) {
        let id = open.id.clone();
        dom::after(30, move || dom::focus(&format!("#dose-{id}")));
    }
    let text = Text::with(W::AgainAdded, vec![names(&lines)]);
    draft.edit(|form| form.medicines.extend(lines));
    let visit = draft.id();
    toast_with_undo(text, move || {
        let ids = ids.clone();
        edit_wherever(visit.clone(), move |form| form.medicines.retain(|line| !ids.contains(&line.id)));
    });
}
