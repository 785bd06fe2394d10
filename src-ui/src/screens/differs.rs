//! Details of which two values stand: both side by side, who wrote them and when. Nothing is chosen until somebody chooses.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::patient::{Choice, DecideDetails, Differs, Said};

use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Kind, LinkButton, Tone, toast};
use crate::prefs::{say, say_with};
use crate::router::Route;
use crate::{W, format, icon, ipc};

/// On a patient's page.
#[component]
pub fn TwoValues(patient: String, differs: Vec<Differs>) -> impl IntoView {
    let chosen = RwSignal::new(Vec::<Choice>::new());
    let count = differs.len();
    let (busy, error) = (RwSignal::new(false), RwSignal::new(None));
    // Nobody picks blindly: one of each first.
    let off = Signal::derive(move || chosen.with(Vec::len) < count);
    let amend = Route::Amend(patient.clone()).href();
    let decide = move || {
        let choices = chosen.get_untracked();
        busy.set(true);
        let id = patient.clone();
        spawn_local(async move {
            let answer = ipc::call(DecideDetails { id, choices }).await;
            busy.try_set(false);
            match answer {
                Ok(_) => toast(W::DiffersDone),
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let ours = differs.iter().all(|differs| differs.ours);
    let fields = differs.into_iter().map(|differs| view! { <OneField differs chosen /> }).collect_view();
    view! {
        <Banner title=W::DiffersTitle body=W::DiffersBody tone=Tone::Look t="differs">
            {fields} <MaybeError error />
            {ours
                .then(|| {
                    view! {
                        <p class="row">
                            <Button label=W::DiffersSave t="decide" kind=Kind::Main icon=icon::CHECK busy off on_press=decide />
                            <LinkButton label=W::DiffersOther t="differs-amend" icon=icon::PEN href=amend />
                        </p>
                    }
                })}
        </Banner>
    }
    .into_any()
}

#[component]
fn OneField(differs: Differs, chosen: RwSignal<Vec<Choice>>) -> impl IntoView {
    let ours = differs.ours;
    let field = StoredValue::new(differs.field);
    let values = differs
        .values
        .into_iter()
        .map(|said| {
            let version = StoredValue::new(said.version.clone());
            let is_chosen = move || {
                chosen.with(|all| {
                    all.iter().any(|choice| {
                        field.with_value(|f| *f == choice.field) && version.with_value(|v| *v == choice.version)
                    })
                })
            };
            let (code, words) = (field.get_value(), said.clone());
            view! {
                <label data-t="differs-value">
                    <input
                        type="radio"
                        name=format!("differs-{}", field.get_value())
                        disabled=!ours
                        prop:checked=is_chosen
                        on:change=move |_| {
                            chosen
                                .update(|all| {
                                    all.retain(|choice| field.with_value(|f| *f != choice.field));
                                    all.push(Choice { field: field.get_value(), version: version.get_value() });
                                })
                        }
                    />
                    <span class="dot" aria-hidden="true"></span>
                    <span class="stack" style="--gap:0">
                        <bdi class="strong">{move || value(&code, &words)}</bdi>
                        <span class="small quiet">{move || who(&said)}</span>
                    </span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="f" data-t="differs-field" data-field=field.get_value()>
            <legend class="label">{move || field.with_value(|field| say(label(field)))}</legend>
            <div class="choice">{values}</div>
        </fieldset>
    }
    .into_any()
}

/// "Dr Amna, BHU Kot Radha · on this laptop · 2 h ago".
fn who(said: &Said) -> String {
    let place = say(if said.here { W::DiffersHere } else { W::DiffersThere });
    let by = match (said.by.is_empty(), said.facility.is_empty()) {
        (false, false) => say_with(W::ByAt, &[&said.by, &said.facility]),
        (false, true) => said.by.clone(),
        _ => said.facility.clone(),
    };
    let parts = [by.as_str(), place, &format::ago(said.at)];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" \u{00B7} ")
}

fn label(field: &str) -> W {
    match field {
        "name" => W::Name,
        "name-other" => W::NameOther,
        "relation" => W::RelationKind,
        "sex" => W::Sex,
        "age" => W::Age,
        "phones" => W::Phone,
        "place" => W::Village,
        "papers" => W::RegisterPapers,
        "guardian" => W::GuardianHead,
        _ => W::NewbornMother,
    }
}

/// A value in words.
fn value(field: &str, said: &Said) -> String {
    let words = match field {
        "relation" => said.relation.as_ref().map(|r| format::relation(r, said.sex)).unwrap_or_default(),
        "sex" => format::sex(said.sex).to_owned(),
        "age" if said.age.is_some() => format!("{} {}", format::age(said.age), said.text.0),
        _ => said.text.0.clone(),
    };
    if words.is_empty() { say(W::DiffersNothing).to_owned() } else { words }
}
