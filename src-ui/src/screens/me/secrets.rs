//! A new passphrase or PIN for who is at work. The passphrase of now is asked for both.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_domain::passphrase::hint;
use rabta_ipc::Error;
use rabta_ipc::gate::{ChangePassphrase, ChangePin};
use rabta_ui_base::secrets::{bars, passphrase_problem, pin_problem, verdict};

use crate::errors::MaybeError;
use crate::parts::{Button, Card, Kind, PassField, toast};
use crate::prefs::{say, say_with};
use crate::{W, dom, icon, ipc};

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Passphrase,
    Pin,
}

/// Two buttons; the one that was pressed opens its fields below.
#[component]
pub fn Secrets() -> impl IntoView {
    let open = RwSignal::new(None::<What>);
    let toggle = move |what: What| open.update(|open| *open = (*open != Some(what)).then_some(what));
    let done = move |word: W| {
        open.set(None);
        toast(word);
    };
    view! {
        <Card title=W::SecretsTitle t="secrets">
            <div class="stack">
                <div class="row">
                    <Button label=W::SecretsPass t="open-passphrase" icon=icon::KEY on_press=move || toggle(What::Passphrase) />
                    <Button label=W::SecretsPin t="open-pin" icon=icon::LOCK on_press=move || toggle(What::Pin) />
                </div>
                {move || open.get().map(|what| view! { <NewSecret what on_done=done /> })}
            </div>
        </Card>
    }
    .into_any()
}

#[component]
fn NewSecret(what: What, #[prop(into)] on_done: Callback<(W,)>) -> impl IntoView {
    let pin = what == What::Pin;
    let (old, first, second) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let busy = RwSignal::new(false);
    // Problems are said from the first press on.
    let pressed = RwSignal::new(false);
    let refused = RwSignal::new(None::<Error>);
    let problem = Memo::new(move |_| {
        let (first, second) = (first.get(), second.get());
        if pin { pin_problem(&first, &second) } else { passphrase_problem(&first, &second) }
    });
    let at = move |second: bool| {
        Signal::derive(move || {
            let found = problem.get().filter(|found| pressed.get() && found.1 == second)?;
            Some(say(found.0).to_owned())
        })
    };
    let of_old = Signal::derive(move || {
        let refused = refused.get()?;
        match (refused.code.as_str(), refused.seconds) {
            ("wait", Some(seconds)) | ("wrong-passphrase", Some(seconds)) if seconds > 0 => {
                Some(say_with(W::WaitSeconds, &[&seconds.to_string()]))
            }
            ("wrong-passphrase" | "wait", _) => Some(say(W::WrongPass).to_owned()),
            _ => None,
        }
    });
    let other = Signal::derive(move || {
        refused.get().filter(|error| !matches!(error.code.as_str(), "wait" | "wrong-passphrase"))
    });
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        pressed.set(true);
        if busy.get_untracked() {
            return;
        }
        if old.with_untracked(String::is_empty) {
            return dom::focus("#old-passphrase");
        }
        match (problem.get_untracked(), pin) {
            (Some((_, true)), true) => return dom::focus("#new-pin-again"),
            (Some((_, true)), false) => return dom::focus("#new-passphrase-again"),
            (Some((_, false)), true) => return dom::focus("#new-pin"),
            (Some((_, false)), false) => return dom::focus("#new-passphrase"),
            (None, _) => {}
        }
        busy.set(true);
        refused.set(None);
        let passphrase = Private(old.get_untracked());
        let new = Private(first.get_untracked());
        spawn_local(async move {
            let answer = if pin {
                ipc::call(ChangePin { passphrase, pin: new }).await
            } else {
                ipc::call(ChangePassphrase { passphrase, new }).await
            };
            busy.try_set(false);
            match answer {
                Ok(()) => on_done.run((if pin { W::SecretsPinDone } else { W::SecretsPassDone },)),
                Err(problem) => {
                    refused.try_set(Some(problem));
                    dom::focus("#old-passphrase");
                }
            }
        });
    };
    let fields = if pin {
        view! {
            <PassField label=W::SecretsNewPin t="new-pin" value=first hint=W::PinHint error=at(false) pin=true />
            <PassField label=W::PinAgain t="new-pin-again" value=second error=at(true) pin=true />
        }
        .into_any()
    } else {
        view! {
            <PassField label=W::SecretsNewPass t="new-passphrase" value=first hint=W::PassHint error=at(false) />
            <Meter typed=first />
            <PassField label=W::PassAgain t="new-passphrase-again" value=second error=at(true) />
        }
        .into_any()
    };
    view! {
        <form class="stack" style="max-inline-size:480px" novalidate on:submit=send data-t="new-secret">
            <PassField label=W::SecretsOld t="old-passphrase" value=old error=of_old autofocus=true on_input=move || refused.set(None) />
            {fields}
            <MaybeError error=other />
            <div class="row">
                <Button
                    label=if pin { W::SecretsPin } else { W::SecretsPass }
                    t="change-secret"
                    kind=Kind::Main
                    icon=icon::CHECK
                    submit=true
                    busy
                />
            </div>
        </form>
    }
    .into_any()
}

/// How long a passphrase would hold: four bars, and a word.
#[component]
fn Meter(typed: RwSignal<String>) -> impl IntoView {
    let judged = Memo::new(move |_| typed.with(|typed| (!typed.is_empty()).then(|| hint(typed))));
    let level = move || judged.get().map_or(0, |hint| bars(hint.strength));
    let class = move || {
        ["strength s0", "strength s1", "strength s2", "strength s3", "strength s4"][usize::from(level())]
    };
    let words = move || {
        let (word, advice) = verdict(judged.get()?);
        Some(match advice {
            Some(advice) => [say(word), say(advice)].join(". "),
            None => say(word).to_owned(),
        })
    };
    view! {
        <div class="stack" style="--gap:6px" aria-live="polite">
            <div class=class aria-hidden="true">{(0..4).map(|n| view! { <i class:on=move || n < level()></i> }).collect_view()}</div>
            <p class="small quiet" style="min-block-size:1.5em" data-t="strength">{words}</p>
        </div>
    }
    .into_any()
}
