//! What must be asked before any medicine: allergies, in three states, and pregnancy.

use std::sync::Arc;

use leptos::prelude::*;
use rabta_domain::patient::Sex;
use rabta_domain::visit::{Allergy, AllergyState};
use rabta_ipc::visit::{FindAllergen, Term};

use super::draft::{Draft, draft};
use super::row::{Cell, PickCell};
use super::words::{SEVERITY, YES_NO};
use crate::parts::{Button, Card, Choice, Combobox, Field, Found, Kind, NumberField, Opt};
use crate::prefs::{lang, say};
use crate::screens::register::{parse_day, show_day};
use crate::words::Lang;
use crate::{Text, W, dom, format, icon, ipc};

/// A term in the screen's language, and in the other as its note.
pub fn found(term: &Term) -> Found {
    let (text, note) = match lang() {
        Lang::Ur if !term.ur.is_empty() => (term.ur.clone(), term.en.clone()),
        _ => (term.en.clone(), term.ur.clone()),
    };
    Found { id: term.code.clone(), text, note }
}

/// Not asked, none known, or a list.
#[component]
pub fn Allergies() -> impl IntoView {
    let draft = draft();
    let state = draft.text(
        |f| state_code(&f.allergies.state).to_owned(),
        |f, v| {
            f.allergies.state = match v.as_str() {
                "none-known" => AllergyState::NoneKnown,
                "known" => AllergyState::Known,
                _ => AllergyState::NotAsked,
            }
        },
    );
    let typed = RwSignal::new(String::new());
    let terms = StoredValue::new(Vec::<Term>::new());
    let items = Memo::new(move |_| {
        draft.form.with(|f| f.allergies.items.iter().map(|a| a.id.clone()).collect::<Vec<_>>())
    });
    let search: Arc<dyn Fn(String) -> std::pin::Pin<Box<dyn Future<Output = Vec<Found>>>> + Send + Sync> =
        Arc::new(move |q| {
            Box::pin(async move {
                let answer = ipc::call(FindAllergen { q }).await.unwrap_or_default();
                let shown = answer.iter().map(found).collect();
                terms.try_set_value(answer);
                shown
            })
        });
    let add = move |substance: String, classes: Vec<String>| {
        let allergy =
            Allergy { id: dom::uuid(), substance: substance.trim().into(), classes, ..Allergy::default() };
        let id = allergy.id.clone();
        draft.edit(|f| {
            f.allergies.state = AllergyState::Known;
            f.allergies.items.push(allergy);
        });
        dom::after(0, move || dom::focus(&format!("#reaction-{id}")));
    };
    let take = move |one: Found| {
        let term = terms.with_value(|all| all.iter().find(|term| term.code == one.id).cloned());
        match term {
            // Kept in English, which every later reader and the clash check know.
            Some(term) => add(term.en, term.classes),
            None => add(one.text, Vec::new()),
        }
    };
    let options = vec![
        Opt::new("not-asked", W::VisitNotAsked),
        Opt::new("none-known", W::VisitNoneKnown),
        Opt::new("known", W::VisitKnown),
    ];
    view! {
        <Card title=W::Allergies t="allergies-card">
            <div class="stack">
                <Choice label=W::Allergies hide_label=true t="allergy-state" value=state options />
                <Show when=move || state.with(|s| s == "known")>
                    <For each=move || items.get() key=String::clone let:id>
                        <AllergyRow draft id />
                    </For>
                    <Combobox
                        label=W::VisitAllergen
                        t="allergen"
                        text=typed
                        search=search.clone()
                        hint=W::VisitAllergenHint
                        clears=true
                        on_take=move |one| take(one)
                        on_free=move |words: String| add(words, Vec::new())
                    />
                </Show>
            </div>
        </Card>
    }
}

fn state_code(state: &AllergyState) -> &'static str {
    match state {
        AllergyState::NotAsked => "not-asked",
        AllergyState::NoneKnown => "none-known",
        AllergyState::Known => "known",
    }
}

#[component]
fn AllergyRow(draft: Draft, id: String) -> impl IntoView {
    let now = draft
        .form
        .with_untracked(|f| f.allergies.items.iter().find(|a| a.id == id).cloned())
        .unwrap_or_default();
    let put = |id: String, change: fn(&mut Allergy, String)| {
        move |f: &mut rabta_domain::visit::VisitForm, v: String| {
            if let Some(one) = f.allergies.items.iter_mut().find(|a| a.id == id) {
                change(one, v);
            }
        }
    };
    let reaction = draft.bound(now.reaction.0.clone(), put(id.clone(), |a, v| a.reaction = v.into()));
    let severity = draft.bound(now.severity.clone(), put(id.clone(), |a, v| a.severity = v));
    let gone = id.clone();
    let options = [(String::new(), Text::from(W::VisitNotSaid))]
        .into_iter()
        .chain(SEVERITY.into_iter().map(|(code, word)| (code.to_owned(), Text::from(word))))
        .collect();
    view! {
        <div class="item" data-t="allergy">
            <div class="row apart">
                <bdi class="strong">{now.substance.0}</bdi>
                <Button
                    label=W::Remove
                    t="allergy-remove"
                    kind=Kind::Plain
                    icon=icon::TRASH
                    icon_only=true
                    on_press=move || draft.edit(|f| f.allergies.items.retain(|a| a.id != gone))
                />
            </div>
            <div class="grid-2">
                <Cell label=W::VisitReaction t="reaction" id=format!("reaction-{id}") value=reaction on_enter=|| dom::focus("#allergen") />
                <PickCell label=W::VisitSeverity t="severity" id=format!("severity-{id}") value=severity options />
            </div>
        </div>
    }
    .into_any()
}

/// Asked of all at 12 to 50 years who are not known to be male.
#[component]
pub fn Pregnancy() -> impl IntoView {
    let draft = draft();
    let months = draft.age();
    let asked = draft.form.with_untracked(|f| f.pregnancy != Default::default());
    let applies = draft.sex() != Sex::Male && months.high >= 12 * 12 && months.low < 51 * 12;
    if !applies && !asked {
        return ().into_any();
    }
    let pregnant = draft.text(|f| f.pregnancy.pregnant.clone(), |f, v| f.pregnancy.pregnant = v);
    let breastfeeding =
        draft.text(|f| f.pregnancy.breastfeeding.clone(), |f, v| f.pregnancy.breastfeeding = v);
    let lmp = draft
        .text(|f| f.pregnancy.lmp.map(show_day).unwrap_or_default(), |f, v| f.pregnancy.lmp = parse_day(&v));
    let weeks = draft.text(
        |f| f.pregnancy.weeks.map(|n| n.to_string()).unwrap_or_default(),
        |f, v| f.pregnancy.weeks = v.parse().ok(),
    );
    let left = RwSignal::new(true);
    let odd = Signal::derive(move || {
        let typed = lmp.get();
        if typed.trim().is_empty() || !left.get() {
            return None;
        }
        match parse_day(&typed) {
            None => Some(say(W::AgeBadDate).to_owned()),
            Some(day) if day > format::local_date() => Some(say(W::FindingLmpFuture).to_owned()),
            Some(_) => None,
        }
    });
    // What the date says, at once.
    let counted = Text::live(move || {
        let weeks =
            parse_day(&lmp.get()).and_then(|day| rabta_domain::pregnancy::weeks(day, format::local_date()));
        weeks.map_or_else(
            || say(W::DateHint).to_owned(),
            |n| crate::prefs::say_with(W::PageWeeks, &[&n.to_string()]),
        )
    });
    view! {
        <Card title=W::VisitPregnancy t="pregnancy">
            <div class="grid-2">
                <Choice
                    label=W::VisitPregnantAsk
                    t="pregnant"
                    value=pregnant
                    options=YES_NO.into_iter().map(|(code, word)| Opt::new(code, word)).collect()
                />
                <Choice
                    label=W::VisitBreastfeeding
                    t="breastfeeding"
                    value=breastfeeding
                    options=YES_NO.into_iter().take(2).map(|(code, word)| Opt::new(code, word)).collect()
                />
                <Field
                    label=W::VisitLmp
                    t="lmp"
                    value=lmp
                    ltr=true
                    hint=counted
                    warning=odd
                    max=12
                    on_input=move || left.set(false)
                    on_leave=move || left.set(true)
                />
                <Show when=move || pregnant.with(|p| p != "no")>
                    <NumberField label=W::VisitWeeks t="pregnancy-weeks" value=weeks unit=W::VisitUnitWeeks max_digits=2 />
                </Show>
            </div>
        </Card>
    }
    .into_any()
}
