//! The recovery code: shown once, asked back once, and what opens the vault when the passphrase is forgotten.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_ipc::gate::{ConfirmRecovery, NewRecovery, PersonRef, UnlockRecovery};

use super::code;
use super::new_secrets::{NewPassphrase, NewPin, passphrase_problem, pin_problem};
use super::shape::Title;
use super::{Step, enter, gate};
use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Draw, Field, Kind, Tone};
use crate::prefs::{say, t};
use crate::{W, dom, icon, ipc};

/// The groups of a code, as it is written or in fours.
fn groups(text: &str) -> Vec<String> {
    let written: Vec<String> =
        text.split(['-', ' ']).filter(|group| !group.is_empty()).map(str::to_owned).collect();
    if written.len() > 1 {
        return written;
    }
    text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).map(str::to_owned).collect()
}

#[component]
pub fn ShowPage() -> impl IntoView {
    let state = gate();
    let code = state.recovery.get_untracked();
    let items = groups(&code)
        .into_iter()
        .enumerate()
        .map(|(i, group)| view! { <li><span aria-hidden="true">{(i + 1).to_string()}</span><b>{group}</b></li> })
        .collect_view();
    view! {
        <div class="stack" style="--gap:20px">
            <Title title=W::RecoveryTitle body=W::RecoveryBody />
            <ol class="groups" data-t="recovery-code" data-code=code>{items}</ol>
            <p class="row top" style="flex-wrap:nowrap"><Draw icon=icon::PEN /><span>{t(W::RecoveryHow)}</span></p>
            <Button
                label=W::RecoveryWritten
                t="written"
                kind=Kind::Main
                big=true
                wide=true
                icon=icon::CHECK
                on_press=move || state.step.set(Step::RecoveryAsk)
            />
        </div>
    }
}

#[component]
pub fn AskPage() -> impl IntoView {
    let state = gate();
    let typed = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(false);
    let error = RwSignal::new(None);
    // Known only right after joining: the shell shows it once.
    let shown = state.recovery.with_untracked(|code| !code.is_empty());
    let compare = move || {
        if typed.with_untracked(|text| text.trim().is_empty()) || busy.get_untracked() {
            return dom::focus("#recovery");
        }
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(ConfirmRecovery { typed: Private(typed.get_untracked()) }).await;
            busy.set(false);
            match answer {
                Ok(true) => {
                    state.recovery.set(String::new());
                    state.step.set(Step::Pull);
                }
                Ok(false) => {
                    error.set(None);
                    wrong.set(true);
                    dom::focus("#recovery");
                }
                Err(problem) => error.set(Some(problem)),
            }
        });
    };
    let another = move || {
        spawn_local(async move {
            match ipc::call(NewRecovery {}).await {
                Ok(recovery) => {
                    state.recovery.set(recovery.code.0);
                    state.step.set(Step::RecoveryShow);
                }
                Err(problem) => error.set(Some(problem)),
            }
        });
    };
    view! {
        <form
            class="stack"
            style="--gap:20px"
            on:submit=move |event| {
                event.prevent_default();
                compare();
            }
        >
            <Title title=W::RecoveryAskTitle body=W::RecoveryAskBody />
            <Field
                label=W::RecoveryLabel
                t="recovery"
                value=typed
                ltr=true
                class="code-in"
                autofocus=true
                hint=W::CodeHint
                error=Signal::derive(move || wrong.get().then(|| say(W::RecoveryWrong).to_owned()))
                on_input=move || wrong.set(false)
            />
            <MaybeError error />
            <Button label=W::RecoveryCheck t="compare" kind=Kind::Main big=true wide=true submit=true busy />
            {if shown {
                view! {
                    <Button
                        label=W::RecoveryShowAgain
                        t="show-again"
                        kind=Kind::Plain
                        wide=true
                        on_press=move || state.step.set(Step::RecoveryShow)
                    />
                }
                    .into_any()
            } else {
                view! {
                    <p class="small quiet">{t(W::RecoveryNewHint)}</p>
                    <Button label=W::RecoveryNew t="new-recovery" kind=Kind::Plain wide=true on_press=another />
                }
                    .into_any()
            }}
        </form>
    }
}

/// Opening with the recovery code, and a new passphrase and PIN with it.
#[component]
pub fn UsePage(person: PersonRef) -> impl IntoView {
    let state = gate();
    let typed = RwSignal::new(String::new());
    let (pass, pass_again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (pin, pin_again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let asked = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(false);
    let error = RwSignal::new(None);
    let id = person.id.clone();
    let open = move || {
        asked.set(true);
        if busy.get_untracked() {
            return;
        }
        if typed.with_untracked(|text| code::clean(text).is_empty()) {
            return dom::focus("#recovery");
        }
        if passphrase_problem(&pass.get_untracked(), &pass_again.get_untracked()).is_some() {
            return dom::focus("#passphrase");
        }
        if pin_problem(&pin.get_untracked(), &pin_again.get_untracked()).is_some() {
            return dom::focus("#pin");
        }
        busy.set(true);
        let command = UnlockRecovery {
            person: id.clone(),
            recovery: Private(typed.get_untracked()),
            passphrase: Private(pass.get_untracked()),
            pin: Private(pin.get_untracked()),
        };
        spawn_local(async move {
            let answer = ipc::call(command).await;
            busy.set(false);
            match answer {
                Ok(()) => enter(false),
                Err(problem)
                    if matches!(
                        problem.code.as_str(),
                        "wrong-passphrase" | "code-malformed" | "code-unknown"
                    ) =>
                {
                    wrong.set(true);
                    dom::focus("#recovery");
                }
                Err(problem) => error.set(Some(problem)),
            }
        });
    };
    view! {
        <form
            class="stack"
            on:submit=move |event| {
                event.prevent_default();
                open();
            }
        >
            <Title title=W::UseRecoveryTitle body=W::UseRecoveryBody />
            <Banner title=crate::Text::from(person.name.clone()) body=crate::Text::from(person.facility.clone()) tone=Tone::Info t="who" />
            <Field
                label=W::RecoveryLabel
                t="recovery"
                value=typed
                ltr=true
                class="code-in"
                autofocus=true
                hint=W::CodeHint
                error=Signal::derive(move || wrong.get().then(|| say(W::WrongRecovery).to_owned()))
                on_input=move || wrong.set(false)
            />
            <NewPassphrase first=pass second=pass_again asked />
            <NewPin first=pin second=pin_again asked />
            <MaybeError error />
            <Button label=W::SetNew t="use-recovery" kind=Kind::Main big=true wide=true submit=true busy />
            <Button label=W::Back t="back" kind=Kind::Plain wide=true on_press=move || state.refresh() />
        </form>
    }
}
