//! One medicine line: written, or said in words. Used for the advice and for changing a proposed line.

use leptos::prelude::*;
use rabta_domain::medicine::{Food, MedicineLine};
use wasm_bindgen::prelude::*;

use super::words;
use crate::parts::{Button, Choice, Field, NumberField, Opt, Pick};
use crate::prefs::{say, t};
use crate::{Text, W, icon};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// An id for a new line, made once.
pub fn new_id() -> String {
    random_uuid()
}

/// A line in words: what, how it is taken, and the note.
#[component]
pub fn LineWords(line: MedicineLine) -> impl IntoView {
    let line = StoredValue::new(line);
    let dose = move || line.with_value(|line| words::dose(line).unwrap_or_else(|| line.dose.clone()));
    view! {
        <div class="grow">
            <p><bdi class="strong">{move || line.with_value(words::medicine)}</bdi> " " <span class="small quiet ltr">{line.with_value(|l| l.dose.clone())}</span></p>
            <p class="small" data-t="line-words">{dose}</p>
            {line
                .with_value(|l| (!l.note.is_empty()).then(|| l.note.0.clone()))
                .map(|note| view! { <p class="small quiet" dir="auto">{note}</p> })}
        </div>
    }
    .into_any()
}

/// The fields of one line. `on_change` gets the whole line after each change.
#[component]
pub fn LineEditor(
    line: MedicineLine,
    /// Strengths that the list knows, to press.
    #[prop(optional)]
    strengths: Vec<String>,
    /// It clashes with an allergy: why it is kept.
    #[prop(optional, into)]
    clashes: Signal<bool>,
    #[prop(into)] on_change: Callback<(MedicineLine,)>,
) -> impl IntoView {
    let now = RwSignal::new(line.clone());
    let strength = RwSignal::new(line.strength.clone());
    let form = RwSignal::new(line.form.clone());
    let dose = RwSignal::new(line.dose.clone());
    let days = RwSignal::new(if line.days == 0 { String::new() } else { line.days.to_string() });
    let food = RwSignal::new(food_code(line.food).to_owned());
    let note = RwSignal::new(line.note.0.clone());
    let reason = RwSignal::new(line.clash_reason.clone().unwrap_or_default());
    let changed = Callback::new(move |()| {
        let reason = reason.get_untracked();
        now.update(|line| {
            line.strength = strength.get_untracked().trim().to_owned();
            line.form = form.get_untracked();
            line.dose = dose.get_untracked().trim().to_owned();
            line.days = days.get_untracked().parse().unwrap_or(0);
            line.food = food_of(&food.get_untracked());
            line.note = note.get_untracked().into();
            line.clash_reason = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        });
        on_change.run((now.get_untracked(),));
    });
    let spoken = move || now.with(words::dose);
    let unread = Signal::derive(move || {
        (!dose.with(|d| d.trim().is_empty()) && spoken().is_none())
            .then(|| say(W::VisitDoseUnread).to_owned())
    });
    let quick = strengths
        .into_iter()
        .map(|one| {
            let label = one.clone();
            view! {
                <Button
                    label=Text::Fixed(label)
                    t="advice-strength-quick"
                    on_press=move || {
                        strength.set(one.clone());
                        changed.run(());
                    }
                />
            }
        })
        .collect_view();
    let forms = std::iter::once(("", Text::from(W::AskChoose)))
        .chain(words::FORMS.iter().map(|(code, word)| (*code, Text::from(*word))))
        .collect();
    view! {
        <div class="stack" style="--gap:12px">
            <div class="row quick">{quick}</div>
            <div class="grid-3">
                <Field label=W::VisitStrength t="advice-strength" value=strength ltr=true max=60 on_input=changed />
                <Pick label=W::VisitForm t="advice-form" value=form options=forms on_change=changed />
                <Field
                    label=W::VisitDose
                    t="advice-dose"
                    value=dose
                    ltr=true
                    max=60
                    placeholder=W::VisitDosePlaceholder
                    warning=unread
                    on_input=changed
                />
                <NumberField label=W::VisitDays t="advice-days" value=days max_digits=3 on_input=changed />
            </div>
            <Choice
                label=W::VisitFood
                t="advice-food"
                value=food
                options=vec![
                    Opt::new("any", W::FoodAny),
                    Opt::new("before", W::FoodBefore),
                    Opt::new("after", W::FoodAfter),
                    Opt::new("with", W::FoodWith),
                ]
                on_change=changed
            />
            <Field label=W::VisitMedicineNote t="advice-note" value=note optional_word=true on_input=changed />
            <Show when=move || clashes.get()>
                <Field label=W::VisitClashReason t="advice-clash-reason" value=reason on_input=changed />
            </Show>
            <p class="spoken" data-t="advice-words" aria-live="polite">
                <crate::parts::Draw icon=icon::PILL />
                " " {move || spoken().unwrap_or_else(|| t(W::VisitDoseHelp)().to_owned())}
            </p>
        </div>
    }
    .into_any()
}

fn food_code(food: Food) -> &'static str {
    match food {
        Food::Any => "any",
        Food::Before => "before",
        Food::After => "after",
        Food::With => "with",
    }
}

fn food_of(code: &str) -> Food {
    match code {
        "before" => Food::Before,
        "after" => Food::After,
        "with" => Food::With,
        _ => Food::Any,
    }
}
