use leptos::prelude::*;
use rabta_ipc::ask::{Roster, RosterRow};

use super::open::Open;
use super::words;
use crate::parts::{Draw, Tag, Tint};
use crate::prefs::t;
use crate::{Text, W, icon};

/// Which specialist: those whom the duty list has, all of them where it never came.
#[component]
pub fn Specialty(
    roster: RwSignal<Option<Roster>>,
    value: RwSignal<String>,
    chosen: RwSignal<Option<String>>,
) -> impl IntoView {
    let codes = Memo::new(move |_| {
        let mut codes: Vec<String> = Vec::new();
        roster.with(|roster| {
            for entry in roster.iter().flat_map(|roster| &roster.entries) {
                if !codes.contains(&entry.specialty) {
                    codes.push(entry.specialty.clone());
                }
            }
        });
        if codes.is_empty() {
            codes = words::SPECIALTIES.iter().map(|(code, ..)| (*code).to_owned()).collect();
        }
        codes
    });
    let options = move || {
        codes
            .get()
            .into_iter()
            .map(|code| {
                let words = words::specialty(&code);
                let me = code.clone();
                view! { <option value=code selected=move || value.get() == me>{words}</option> }
            })
            .collect_view()
    };
    view! {
        <div class="f">
            <label for="specialty">{t(W::AskSpecialty)}</label>
            <div class="box select">
                <select
                    id="specialty"
                    data-t="specialty"
                    class="in"
                    on:change=move |event| {
                        value.set(event_target_value(&event));
                        // Somebody of another specialty is not whom one asks.
                        chosen.set(None);
                    }
                >
                    <option value="" selected=move || value.with(String::is_empty)>{t(W::AskChoose)}</option>
                    {options}
                </select>
                <Draw icon=icon::CHEVRON_DOWN />
            </div>
        </div>
    }
    .into_any()
}

/// The people of that specialty: where, on duty or not, their duty telephone. `None`: whoever is on duty.
#[component]
pub fn ToWhom(
    roster: RwSignal<Option<Roster>>,
    specialty: RwSignal<String>,
    chosen: RwSignal<Option<String>>,
) -> impl IntoView {
    let rows = move || {
        let roster = roster.get()?;
        let code = specialty.get();
        if code.is_empty() {
            return None;
        }
        let fit: Vec<_> = roster.entries.into_iter().filter(|entry| entry.specialty == code).collect();
        if fit.is_empty() {
            let word = if roster.as_of.is_none() { W::AskRosterNever } else { W::AskRosterNone };
            return Some(view! { <p class="quiet small" data-t="roster-none">{t(word)}</p> }.into_any());
        }
        Some(choice(W::AskToAnyoneHint.into(), chosen, fit))
    };
    view! { {rows} }.into_any()
}

/// To whom an ask is passed on, as the shell has put them in order; or back to its pool.
#[component]
pub fn PassTo(open: Open, chosen: RwSignal<Option<String>>) -> impl IntoView {
    let view = open.view.get_untracked()?;
    let code = view.row.specialty;
    Some(choice(Text::live(move || words::specialty(&code)), chosen, view.pass_to))
}

/// A list in which one is chosen: everybody together on top, then the people.
fn choice(hint: Text, chosen: RwSignal<Option<String>>, people: Vec<RosterRow>) -> AnyView {
    let people = people.into_iter().map(|entry| person(entry, chosen)).collect_view();
    view! {
        <div class="f" role="group" aria-label=t(W::AskTo)>
            <span class="label">{t(W::AskTo)}</span>
            <div class="card rows people-rows">
                <button
                    type="button"
                    class="r"
                    data-t="to-anyone"
                    aria-pressed=move || chosen.get().is_none().to_string()
                    on:click=move |_| chosen.set(None)
                >
                    <span class="grow">
                        <span class="strong">{t(W::AskToAnyone)}</span>
                        <span class="sub">{hint.view()}</span>
                    </span>
                </button>
                {people}
            </div>
        </div>
    }
    .into_any()
}

/// One of the duty list.
fn person(entry: RosterRow, chosen: RwSignal<Option<String>>) -> AnyView {
    let (id, me) = (entry.person.clone(), entry.person.clone());
    let (word, tint) = if entry.on_duty { (W::AskOnDuty, Tint::Teal) } else { (W::AskOffDuty, Tint::Grey) };
    let code = entry.specialty;
    view! {
        <button
            type="button"
            class="r"
            data-t="to-person"
            data-id=id.clone()
            aria-pressed=move || (chosen.get().as_deref() == Some(&me)).to_string()
            on:click=move |_| chosen.set(Some(id.clone()))
        >
            <span class="grow">
                <bdi class="strong">{entry.name}</bdi>
                <span class="sub">
                    <span>{move || words::specialty(&code)}</span>
                    <bdi>{entry.facility}</bdi>
                    <bdi class="ltr">{entry.phone}</bdi>
                </span>
            </span>
            <Tag label=word tint t="duty" />
        </button>
    }
    .into_any()
}
