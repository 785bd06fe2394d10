//! The prescription's lines: found by brand or generic name, the dose as doctors write it with its words at once.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::medicine::{Food, MedicineLine, clashes};
use rabta_domain::visit::VisitForm;
use rabta_ipc::visit::{FindMedicine, MedicineTerm};

use super::draft::{Draft, draft};
use super::row::{Cell, PickCell};
use super::words::{self, FOOD, FORM};
use crate::parts::{Banner, Button, Card, Choice, Combobox, Draw, Found, Kind, Opt, Tag, Tint};
use crate::prefs::{lang, say, say_with, t};
use crate::words::Lang;
use crate::{Text, W, dom, icon, ipc};

#[component]
pub fn Medicines(
    /// Opens the question about a clash.
    #[prop(into)]
    on_clash: Callback<()>,
) -> impl IntoView {
    let draft = draft();
    let may_prescribe = draft.view.with_value(|view| view.may_prescribe);
    let typed = RwSignal::new(String::new());
    let terms = StoredValue::new(Vec::<MedicineTerm>::new());
    let ids =
        Memo::new(move |_| draft.form.with(|f| f.medicines.iter().map(|m| m.id.clone()).collect::<Vec<_>>()));
    let search: Arc<dyn Fn(String) -> std::pin::Pin<Box<dyn Future<Output = Vec<Found>>>> + Send + Sync> =
        Arc::new(move |q| {
            Box::pin(async move {
                let answer = ipc::call(FindMedicine { q }).await.unwrap_or_default();
                let shown = answer
                    .iter()
                    .zip(0..)
                    .map(|(term, at): (&MedicineTerm, usize)| found(term, at))
                    .collect();
                terms.try_set_value(answer);
                shown
            })
        });
    let add = move |line: MedicineLine| {
        let id = line.id.clone();
        draft.edit(|f| f.medicines.push(line));
        dom::after(30, move || dom::focus(&format!("#dose-{id}")));
    };
    let take = move |one: Found| {
        let term = one.id.parse::<usize>().ok().and_then(|at| terms.with_value(|all| all.get(at).cloned()));
        if let Some(term) = term {
            let strength = if term.strengths.len() == 1 { term.strengths[0].clone() } else { String::new() };
            add(MedicineLine {
                id: dom::uuid(),
                generic: term.generic,
                brand: term.brand,
                form: term.form,
                strength,
                atc: term.atc,
                classes: term.classes,
                controlled: term.controlled,
                ..MedicineLine::default()
            });
        }
    };
    let free = move |words: String| {
        add(MedicineLine {
            id: dom::uuid(),
            generic: words.trim().to_owned(),
            form: "tablet".into(),
            ..MedicineLine::default()
        });
    };
    view! {
        <Card title=W::Medicines t="medicines">
            <div class="stack">
                {(!may_prescribe).then(|| view! { <Banner title=W::VisitNoPrescribe t="no-prescribe" /> })}
                <For each=move || ids.get() key=String::clone let:id>
                    <Line draft id on_clash />
                </For>
                <super::again::Again />
                <Combobox
                    label=W::VisitMedicine
                    t="medicine"
                    text=typed
                    search
                    hint=W::VisitMedicineHint
                    from=2
                    clears=true
                    on_take=move |one| take(one)
                    on_free=move |words| free(words)
                />
            </div>
        </Card>
    }
}

/// The strengths in which a medicine of the country's list comes; asked anew by each line, so that a reload knows them.
async fn strengths(generic: String, form: String) -> Vec<String> {
    let answer = ipc::call(FindMedicine { q: generic.clone() }).await.unwrap_or_default();
    answer
        .into_iter()
        .find(|term| term.generic == generic && term.form == form)
        .map(|term| term.strengths)
        .unwrap_or_default()
}

fn found(term: &MedicineTerm, at: usize) -> Found {
    let form = words::of(&FORM, &term.form);
    let mut note = vec![term.strengths.join(", ")];
    if !term.brand.is_empty() {
        note.insert(0, term.brand.clone());
    }
    if term.controlled {
        note.push(say(W::VisitControlled).to_owned());
    }
    note.retain(|part| !part.is_empty());
    Found { id: at.to_string(), text: format!("{} {form}", term.generic), note: note.join(" \u{00B7} ") }
}

/// What changes one field of the line `id`.
fn put(id: &str, change: fn(&mut MedicineLine, String)) -> impl Fn(&mut VisitForm, String) + 'static {
    let id = id.to_owned();
    move |f, v| {
        if let Some(line) = f.medicines.iter_mut().find(|m| m.id == id) {
            change(line, v);
        }
    }
}

#[component]
fn Line(draft: Draft, id: String, on_clash: Callback<()>) -> impl IntoView {
    let key = StoredValue::new(id.clone());
    let line = Memo::new(move |_| {
        key.with_value(|id| draft.form.with(|f| f.medicines.iter().find(|m| m.id == *id).cloned()))
            .unwrap_or_default()
    });
    let first = line.get_untracked();
    let dose = draft.bound(first.dose.clone(), put(&id, |m, v| m.dose = v));
    let days = draft.bound(
        if first.days == 0 { String::new() } else { first.days.to_string() },
        put(&id, |m, v| m.days = v.parse().unwrap_or(0)),
    );
    let note = draft.bound(first.note.0.clone(), put(&id, |m, v| m.note = v.into()));
    let form = draft.bound(first.form.clone(), put(&id, |m, v| m.form = v));
    let strength = draft.bound(first.strength.clone(), put(&id, |m, v| m.strength = v));
    let food_now =
        FOOD.into_iter().find(|(food, _, _)| *food == first.food).map_or("any", |(_, code, _)| code);
    let food = draft.bound(
        food_now.to_owned(),
        put(&id, |m, v| {
            m.food = FOOD.into_iter().find(|(_, code, _)| *code == v).map_or(Food::Any, |(food, _, _)| food)
        }),
    );
    let known = RwSignal::new(Vec::<String>::new());
    if !first.atc.is_empty() {
        let (generic, form) = (first.generic.clone(), first.form.clone());
        spawn_local(async move {
            known.try_set(strengths(generic, form).await);
        });
    }
    let clash = Memo::new(move |_| {
        draft.form.with(|f| !clashes(std::slice::from_ref(&line.get()), &f.allergies).is_empty())
    });
    let read = move || line.with(|line| line.course().is_some());
    let written = move || line.with(|line| !line.dose.trim().is_empty());
    let forms: Vec<(String, Text)> = {
        let own = (!FORM.iter().any(|(code, _)| *code == first.form))
            .then(|| (first.form.clone(), Text::from(first.form.clone())));
        own.into_iter()
            .chain(FORM.into_iter().map(|(code, word)| (code.to_owned(), Text::from(word))))
            .collect()
    };
    let strength_id = format!("strength-{id}");
    let strength_field = move || {
        let id = strength_id.clone();
        let all = known.get();
        let own = strength.get_untracked();
        if all.is_empty() || !(own.is_empty() || all.contains(&own)) {
            return view! { <Cell label=W::VisitStrength t="strength" id value=strength ltr=true /> }
                .into_any();
        }
        let none = all.len() > 1 || own.is_empty();
        let options = none
            .then(|| (String::new(), Text::from(W::VisitNotSaid)))
            .into_iter()
            .chain(all.into_iter().map(|s| (s.clone(), Text::from(s))))
            .collect();
        view! { <PickCell label=W::VisitStrength t="strength" id value=strength options /> }.into_any()
    };
    let gone = id.clone();
    view! {
        <div class="item med" class:clash=move || clash.get() data-t="medicine-line" data-id=id.clone()>
            <div class="row apart top">
                <p class="grow">
                    <bdi class="strong">{first.generic.clone()}</bdi>
                    " "
                    <span class="small quiet">
                        {move || line.with(|line| (!line.brand.is_empty()).then(|| say_with(W::VisitFoundBy, &[&line.brand])))}
                    </span>
                    " "
                    {first.controlled.then(|| view! { <Tag label=W::VisitControlled tint=Tint::Amber icon=icon::LOCK /> })}
                </p>
                <Button
                    label=W::Remove
                    t="medicine-remove"
                    kind=Kind::Plain
                    icon=icon::TRASH
                    icon_only=true
                    on_press=move || draft.edit(|f| f.medicines.retain(|m| m.id != gone))
                />
            </div>
            <Show when=move || clash.get()>
                {move || match line.with(|line| line.clash_reason.clone()) {
                    Some(reason) => {
                        view! { <Tag label=Text::with(W::VisitClashKept, vec![reason]) tint=Tint::Red icon=icon::ALERT long=true t="clash-kept" /> }
                            .into_any()
                    }
                    None => {
                        view! {
                            <div>
                                <Button label=W::VisitClashOpen t="clash-open" kind=Kind::Danger icon=icon::ALERT on_press=on_clash />
                            </div>
                        }
                            .into_any()
                    }
                }}
            </Show>
            <div class="med-row">
                <Cell
                    label=W::VisitDose
                    t="dose"
                    id=format!("dose-{id}")
                    value=dose
                    ltr=true
                    placeholder=W::VisitDosePlaceholder
                    on_enter={
                        let id = id.clone();
                        move || dom::focus(&format!("#days-{id}"))
                    }
                />
                <Cell
                    label=W::VisitDays
                    t="days"
                    id=format!("days-{id}")
                    value=days
                    number=true
                    on_enter=|| dom::focus("#medicine")
                />
                {strength_field}
                <PickCell label=W::VisitForm t="form" id=format!("form-{id}") value=form options=forms />
            </div>
            <p
                class="dose-words"
                class:unread=move || written() && !read()
                data-t="dose-words"
                dir="auto"
                lang=move || if lang() == Lang::Ur { "ur" } else { "en" }
            >
                {move || match (read(), written()) {
                    (true, _) => view! { <Draw icon=icon::CHECK /><span>{line.with(words::dose)}</span> }.into_any(),
                    (false, true) => {
                        view! { <Draw icon=icon::QUESTION /><span>{t(W::VisitDoseUnread)} ". " {t(W::VisitDoseHelp)}</span> }.into_any()
                    }
                    (false, false) => view! { <span class="quiet">{t(W::VisitDoseHelp)}</span> }.into_any(),
                }}
            </p>
            <div class="row apart">
                <Choice
                    label=W::VisitFood
                    hide_label=true
                    t="food"
                    value=food
                    options=FOOD.into_iter().map(|(_, code, word)| Opt::new(code, word)).collect()
                />
                <div class="grow" style="min-inline-size:160px">
                    <Cell label=W::VisitMedicineNote t="medicine-note" id=format!("note-{id}") value=note />
                </div>
            </div>
        </div>
    }
    .into_any()
}
