use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_domain::patient::{Allergies, PatientCard};
use rabta_ipc::patient::{Find, Found};
use rabta_ipc::visit::StartVisit;

use super::Carried;
use crate::errors::MaybeError;
use crate::parts::{Button, Card, Draw, Empty, Face, Kind, Tag, Tint};
use crate::prefs::{say, say_with, t};
use crate::router::{self, Route};
use crate::{Text, W, dom, format, icon, ipc};

/// How many rows a search shows.
const ROWS: u32 = 20;
/// Typing has to rest this long before a search is asked.
const REST_MS: i32 = 60;

/// One box: any name in any spelling, a phone, a CNIC, an MR number, a village. Results while typing.
#[component]
pub fn FindScreen() -> impl IntoView {
    let typed = expect_context::<Carried>().typed;
    let found = RwSignal::new(None::<Found>);
    let error = RwSignal::new(None);
    let at = RwSignal::new(0_usize);
    let round = StoredValue::new(0_u32);
    // What is listed may still be the answer to fewer letters.
    let asking = RwSignal::new(false);

    let ask = move |text: String| {
        round.update_value(|n| *n = n.wrapping_add(1));
        let this = round.get_value();
        let empty = text.trim().is_empty();
        asking.set(!empty);
        if empty {
            found.set(None);
            return;
        }
        spawn_local(async move {
            dom::pause(REST_MS).await;
            if round.try_get_value() != Some(this) {
                return;
            }
            let answer = ipc::call(Find { q: Private(text), offset: 0, limit: ROWS }).await;
            // A slower answer to an older question is nobody's.
            if round.try_get_value() != Some(this) {
                return;
            }
            match answer {
                Ok(answer) => {
                    error.set(None);
                    at.set(0);
                    found.set(Some(answer));
                }
                Err(problem) => error.set(Some(problem)),
            }
            asking.set(false);
        });
    };
    // Coming back: the list is there again.
    ask(typed.get_untracked());
    dom::after(30, || dom::focus_whole("#find-box", false));

    let open = move |card: &PatientCard| router::go(&Route::Patient(card.id.clone()));
    // From the hit straight to the visit's page: one key less for who comes daily.
    let begin = move |card: &PatientCard| {
        let patient = card.id.clone();
        spawn_local(async move {
            match ipc::call(StartVisit { patient }).await {
                Ok(visit) if round.try_get_value().is_some() => router::go(&Route::Visit(visit.id)),
                Ok(_) => {}
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let key = move |event: KeyboardEvent| {
        let n = found.with_untracked(|found| found.as_ref().map_or(0, |found| found.rows.len()));
        match event.key().as_str() {
            "ArrowDown" if n > 0 => {
                event.prevent_default();
                at.update(|i| *i = (*i + 1).min(n - 1));
                dom::after(0, || dom::reveal("#results [aria-selected=true]"));
            }
            "ArrowUp" if n > 0 => {
                event.prevent_default();
                at.update(|i| *i = i.saturating_sub(1));
                dom::after(0, || dom::reveal("#results [aria-selected=true]"));
            }
            "Enter" => {
                event.prevent_default();
                found.with_untracked(|found| {
                    if let Some(card) = found.as_ref().and_then(|found| found.rows.get(at.get_untracked())) {
                        if event.ctrl_key() || event.meta_key() { begin(card) } else { open(card) }
                    }
                });
            }
            "Escape" => {
                typed.set(String::new());
                found.set(None);
            }
            _ => {}
        }
    };
    let new_patient = Text::live(move || match typed.get().trim() {
        name if looks_like_name(name) => say_with(W::NewPatientNamed, &[name]),
        _ => say(W::NewPatient).to_owned(),
    });
    view! {
        <div class="page" style="max-inline-size:860px">
            <h1 class="sr">{t(W::FindTitle)}</h1>
            <div class="find-box stack" style="--gap:6px">
                <div class="box">
                    <Draw icon=icon::SEARCH />
                    <input
                        id="find-box"
                        data-t="find-box"
                        data-state=move || if asking.get() { "asking" } else { "answered" }
                        class="in"
                        type="search"
                        dir=move || typed.with(|text| !text.is_empty()).then_some("auto")
                        role="combobox"
                        aria-expanded=move || found.get().is_some_and(|found| !found.rows.is_empty()).to_string()
                        aria-controls="results"
                        aria-label=t(W::FindTitle)
                        placeholder=t(W::FindPlaceholder)
                        autocomplete="off"
                        spellcheck="false"
                        maxlength="300"
                        prop:value=typed
                        on:input=move |event| {
                            let text = event_target_value(&event);
                            typed.set(text.clone());
                            ask(text);
                        }
                        on:keydown=key
                    />
                </div>
                <div class="row apart small quiet">
                    <span>{t(W::FindHint)}</span>
                    <span class="row" style="--gap:6px"><kbd>"↑"</kbd><kbd>"↓"</kbd><kbd>"Enter"</kbd>{t(W::FindKeys)}<kbd>"Ctrl Enter"</kbd>{t(W::FindVisitKey)}</span>
                </div>
            </div>
            <MaybeError error />
            {move || {
                let found = found.get()?;
                if found.rows.is_empty() {
                    return Some(
                        view! { <Card><Empty icon=icon::SEARCH title=W::FindNone body=W::FindNoneBody t="find-none" /></Card> }.into_any(),
                    );
                }
                let (shown, total) = (found.rows.len(), found.total as usize);
                let count = Text::live(move || match (shown, total) {
                    (1, 1) => say(W::FoundOne).to_owned(),
                    (shown, total) if shown < total => say_with(W::FoundFirst, &[&shown.to_string(), &total.to_string()]),
                    (_, total) => say_with(W::FoundMany, &[&total.to_string()]),
                });
                let rows = found
                    .rows
                    .into_iter()
                    .enumerate()
                    .map(|(i, card)| {
                        let to = card.clone();
                        view! { <ResultRow card selected=Signal::derive(move || at.get() == i) on_open=move || open(&to) /> }
                    })
                    .collect_view();
                Some(
                    view! {
                        <div class="stack" style="--gap:8px">
                            <p class="small quiet" aria-live="polite" data-t="found-count">{count.view()}</p>
                            <div class="card"><div class="body flush rows" role="listbox" id="results">{rows}</div></div>
                        </div>
                    }
                    .into_any(),
                )
            }}
            <div class="row">
                <span class="quiet">{t(W::NotThere)}</span>
                <Button label=new_patient t="new-patient" kind=Kind::Usual icon=icon::USER_PLUS on_press=move || router::go(&Route::Register) />
            </div>
            <super::outside::Outside typed />
        </div>
    }
}

/// Letters and spaces, two at least: a name rather than a number.
pub fn looks_like_name(text: &str) -> bool {
    text.chars().filter(|c| c.is_alphabetic()).count() >= 2 && !text.chars().any(char::is_numeric)
}

/// One patient, with the facts that tell two Ayeshas apart.
#[component]
pub fn ResultRow(
    card: PatientCard,
    #[prop(into)] selected: Signal<bool>,
    #[prop(into)] on_open: Callback<()>,
    #[prop(default = "result")] t: &'static str,
    /// Said above the facts: why it may be the same person.
    #[prop(optional)]
    because: Option<Text>,
) -> impl IntoView {
    let card = StoredValue::new(card);
    let other_name =
        card.with_value(|card| card.name_ur.as_ref().map(|ur| (card.name.0.clone(), ur.0.clone())));
    view! {
        <button
            type="button"
            class="r"
            role="option"
            data-t=t
            data-id=card.with_value(|card| card.id.clone())
            aria-selected=move || selected.get().to_string()
            on:click=move |_| on_open.run(())
        >
            <Face name=card.with_value(|card| card.name.0.clone()) />
            <span class="grow">
                <span class="main-line">
                    <bdi class="strong">{move || card.with_value(format::name)}</bdi>
                    <span>{move || card.with_value(|card| card.relation.as_ref().map(|r| format::relation(r, card.sex)))}</span>
                    {other_name
                        .map(|(latin, ur)| {
                            view! {
                                <bdi class="quiet">
                                    {move || if crate::prefs::lang() == crate::words::Lang::Ur { latin.clone() } else { ur.clone() }}
                                </bdi>
                            }
                        })}
                </span>
                {because.map(|because| view! { <span class="sub"><span>{because.view()}</span></span> })}
                <span class="sub">
                    {move || card.with_value(format::row_facts).into_iter().map(|fact| view! { <bdi>{fact}</bdi> }).collect_view()}
                </span>
            </span>
            {card
                .with_value(|card| matches!(&card.allergies, Allergies::Known(_)))
                .then(|| view! { <Tag label=W::Allergies tint=Tint::Red icon=icon::ALERT /> })}
            <Draw icon=icon::CHEVRON_END />
        </button>
    }
    .into_any()
}
