//! Unlocking: the passphrase for the vault, the PIN for the screen. A wrong one is said, delayed, never punished by
//! losing anything.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_ipc::gate::{GetStatus, LockVault, PersonRef, Phase, Unlock, UnlockPin};

use super::shape::Title;
use super::{Step, enter, gate};
use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Face, Kind, PassField, Tone};
use crate::prefs::{say, say_with};
use crate::{Text, W, dom, format, icon, ipc};

/// Counts `seconds` down to nothing.
fn count_down(left: RwSignal<u32>, seconds: u32) {
    thread_local! {
        static ROUND: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }
    // The newest wait counts: an older one that is still running must not make it shorter.
    let this = ROUND.with(|round| {
        round.set(round.get().wrapping_add(1));
        round.get()
    });
    let until = dom::now_ms() + f64::from(seconds) * 1000.0;
    left.set(seconds);
    spawn_local(async move {
        while ROUND.with(std::cell::Cell::get) == this {
            let rest = ((until - dom::now_ms()) / 1000.0).ceil().max(0.0) as u32;
            if left.try_set(rest).is_some() || rest == 0 {
                return;
            }
            dom::pause(200).await;
        }
    });
}

/// Who, and the passphrase.
#[component]
pub fn UnlockPage() -> impl IntoView {
    let state = gate();
    let persons = state.status.with_untracked(|status| match status.as_ref().map(|s| s.phase.clone()) {
        Some(Phase::Locked { persons }) => persons,
        _ => Vec::new(),
    });
    let one = (persons.len() == 1).then(|| persons[0].clone());
    let facility = persons.first().map(|p| p.facility.clone()).unwrap_or_default();
    let who = RwSignal::new(one);
    let several = persons.len() > 1;
    let passphrase = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(false);
    let error = RwSignal::new(None);
    let left = RwSignal::new(0_u32);
    count_down(left, state.status.with_untracked(|status| status.as_ref().map_or(0, |s| s.wait_seconds)));

    let unlock = move || {
        let Some(person) = who.get_untracked() else { return };
        if busy.get_untracked() || left.get_untracked() > 0 {
            return;
        }
        if passphrase.with_untracked(String::is_empty) {
            return dom::focus("#passphrase");
        }
        busy.set(true);
        error.set(None);
        wrong.set(false);
        let command = Unlock { person: person.id, passphrase: Private(passphrase.get_untracked()) };
        spawn_local(async move {
            let answer = ipc::call(command).await;
            busy.set(false);
            match answer {
                // Set-up may not be finished: then the gate goes on with it.
                Ok(()) => match ipc::call(GetStatus {}).await.map(|status| status.phase) {
                    Ok(Phase::Recovery { .. }) => state.refresh(),
                    _ => enter(false),
                },
                Err(problem) => {
                    if let Some(seconds) = problem.seconds {
                        count_down(left, seconds);
                    }
                    match problem.code.as_str() {
                        "wrong-passphrase" => {
                            wrong.set(true);
                            passphrase.set(String::new());
                            dom::focus_soon("#passphrase");
                        }
                        "wait" => {}
                        "vault-damaged" | "vault-newer" | "vault-in-use" => state.refresh(),
                        _ => error.set(Some(problem)),
                    }
                }
            }
        });
    };
    let list = persons
        .into_iter()
        .map(|person| {
            let (id, role, choice) = (person.id.clone(), person.role.clone(), person.clone());
            view! {
                <button
                    type="button"
                    class="person"
                    data-t="person"
                    data-id=person.id.clone()
                    aria-pressed=move || who.with(|who| who.as_ref().is_some_and(|who| who.id == id)).to_string()
                    on:click=move |_| {
                        who.set(Some(choice.clone()));
                        dom::focus_soon("#passphrase");
                    }
                >
                    <Face name=person.name.clone() />
                    <span class="grow">
                        <span class="strong"><bdi>{person.name.clone()}</bdi></span>
                        <br />
                        <span class="small quiet">{move || format::role(&role)}</span>
                    </span>
                </button>
            }
        })
        .collect_view();
    view! {
        <form
            class="stack"
            style="--gap:20px"
            on:submit=move |event| {
                event.prevent_default();
                unlock();
            }
        >
            <Title title=Text::from(facility) body=W::UnlockBody />
            <div class="people" role="group" aria-label=crate::prefs::t(if several { W::UnlockWho } else { W::UnlockTitle })>{list}</div>
            <Show when=move || who.get().is_some()>
                <PassField
                    label=W::PassLabel
                    t="passphrase"
                    value=passphrase
                    autofocus=true
                    off=Signal::derive(move || left.get() > 0)
                    error=Signal::derive(move || wrong.get().then(|| say(W::WrongPass).to_owned()))
                    on_input=move || wrong.set(false)
                />
                <Show when={move || left.get() > 0}>
                    <Banner title=Text::live(move || say_with(W::WaitSeconds, &[&left.get().to_string()])) tone=Tone::Look t="wait" />
                </Show>
                <MaybeError error />
                <Button
                    label=W::Unlock
                    t="unlock"
                    kind=Kind::Main
                    big=true
                    wide=true
                    submit=true
                    icon=icon::UNLOCK
                    busy
                    off=Signal::derive(move || left.get() > 0)
                />
                <Button
                    label=W::Forgot
                    t="forgot"
                    kind=Kind::Plain
                    wide=true
                    on_press=move || {
                        if let Some(person) = who.get_untracked() {
                            state.step.set(Step::UseRecovery(person));
                        }
                    }
                />
            </Show>
        </form>
    }
}

/// The PIN, within the shift.
#[component]
pub fn ScreenLockPage(person: PersonRef) -> impl IntoView {
    let state = gate();
    let pin = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let wrong = RwSignal::new(false);
    let error = RwSignal::new(None);
    let left = RwSignal::new(0_u32);
    let unlock = move || {
        if busy.get_untracked() || left.get_untracked() > 0 {
            return;
        }
        if pin.with_untracked(|pin| pin.len() < 4) {
            return dom::focus("#pin");
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = ipc::call(UnlockPin { pin: Private(pin.get_untracked()) }).await;
            busy.set(false);
            match answer {
                Ok(()) => enter(true),
                Err(problem) => {
                    pin.set(String::new());
                    if let Some(seconds) = problem.seconds {
                        count_down(left, seconds);
                    }
                    match problem.code.as_str() {
                        "wrong-pin" => {
                            wrong.set(true);
                            dom::focus_soon("#pin");
                        }
                        "wait" => {}
                        "vault-locked" => state.refresh(),
                        _ => error.set(Some(problem)),
                    }
                }
            }
        });
    };
    let use_passphrase = move || {
        spawn_local(async move {
            let _ = ipc::call(LockVault {}).await;
            state.refresh();
        });
    };
    let role = person.role.clone();
    view! {
        <form
            class="stack"
            style="--gap:20px"
            on:submit=move |event| {
                event.prevent_default();
                unlock();
            }
        >
            <Title title=W::ScreenLocked body=W::ScreenLockedBody />
            <div class="sheet row" style="--gap:12px">
                <Face name=person.name.clone() />
                <span class="grow">
                    <span class="strong"><bdi data-t="locked-name">{person.name.clone()}</bdi></span>
                    <br />
                    <span class="small quiet">{move || format::role(&role)} " \u{00B7} " <bdi>{person.facility.clone()}</bdi></span>
                </span>
            </div>
            <PassField
                label=W::PinLabel
                t="pin"
                value=pin
                pin=true
                autofocus=true
                off=Signal::derive(move || left.get() > 0)
                error=Signal::derive(move || wrong.get().then(|| say(W::WrongPin).to_owned()))
                on_input=move || wrong.set(false)
            />
            <Show when={move || left.get() > 0}>
                <Banner title=Text::live(move || say_with(W::WaitSeconds, &[&left.get().to_string()])) tone=Tone::Look t="wait" />
            </Show>
            <MaybeError error />
            <Button
                label=W::Unlock
                t="unlock-pin"
                kind=Kind::Main
                big=true
                wide=true
                submit=true
                icon=icon::UNLOCK
                busy
                off=Signal::derive(move || left.get() > 0)
            />
            <Button label=W::UsePassphrase t="use-passphrase" kind=Kind::Plain wide=true on_press=use_passphrase />
        </form>
    }
}
