//! The first start, page by page: language, code, whom it is for, passphrase, PIN; then joining.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_ipc::gate::{CheckCode, Join};
use web_sys::wasm_bindgen::JsCast;

use super::code;
use super::new_secrets::{NewPassphrase, NewPin, passphrase_problem, pin_problem};
use super::shape::Title;
use super::{Step, gate};
use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Kind, Tone};
use crate::prefs::{say_with, t};
use crate::session::change_language;
use crate::words::Lang;
use crate::{Text, W, dom, format, icon, ipc};

#[component]
pub fn LanguagePage() -> impl IntoView {
    let state = gate();
    let choose = move |lang: Lang| {
        change_language(lang);
        state.step.set(Step::Code);
    };
    view! {
        <div class="stack" style="--gap:24px">
            <div class="title">
                <h1><span lang="en">"Choose a language"</span></h1>
                <h1 lang="ur" dir="rtl" style="font-family:Nastaliq,Naskh,serif;font-weight:400;line-height:2">"زبان چنیں"</h1>
            </div>
            <div class="pick">
                <button type="button" class="b" data-t="lang-en" lang="en" dir="ltr" on:click=move |_| choose(Lang::En)>
                    <span>"English"</span>
                    <small>"Left to right"</small>
                </button>
                <button type="button" class="b" data-t="lang-ur" lang="ur" dir="rtl" on:click=move |_| choose(Lang::Ur)>
                    <span class="ur">"اردو"</span>
                    <small>"دائیں سے بائیں"</small>
                </button>
            </div>
            <p class="quiet">{t(W::LanguageHint)}</p>
        </div>
    }
}

#[component]
pub fn CodePage() -> impl IntoView {
    let state = gate();
    let error = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let length = move || state.code.with(|text| code::clean(text).len());
    let check = move || {
        let text = state.code.get_untracked();
        if code::clean(&text).is_empty() || busy.get_untracked() {
            dom::focus("#code");
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = ipc::call(CheckCode { code: text }).await;
            busy.set(false);
            match answer {
                Ok(invitation) => {
                    state.invitation.set(Some(invitation));
                    state.step.set(Step::Confirm);
                }
                Err(problem) => error.set(Some(problem)),
            }
        });
    };
    dom::after(30, || dom::focus("#code"));
    view! {
        <form
            class="stack"
            style="--gap:20px"
            on:submit=move |event| {
                event.prevent_default();
                check();
            }
        >
            <Title title=W::CodeTitle body=W::CodeBody />
            <div class="f">
                <label for="code">{t(W::CodeLabel)}</label>
                <div class="box">
                    <textarea
                        id="code"
                        data-t="code"
                        class="in code-in"
                        rows="3"
                        autocomplete="off"
                        autocapitalize="characters"
                        spellcheck="false"
                        placeholder="XXXXX-XXXXX-XXXXX"
                        aria-describedby="code-note"
                        prop:value=state.code
                        on:input=move |event| {
                            let Some(area) = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlTextAreaElement>().ok())
                            else {
                                return;
                            };
                            let typed = area.value();
                            let at_end = area
                                .selection_end()
                                .ok()
                                .flatten()
                                .is_none_or(|end| end as usize >= typed.encode_utf16().count());
                            error.set(None);
                            // Grouping moves the caret, so it waits until the caret is at the end.
                            if at_end {
                                let grouped = code::grouped(&code::from_message(&typed), 5);
                                if grouped != typed {
                                    area.set_value(&grouped);
                                }
                                state.code.set(grouped);
                            } else {
                                state.code.set(typed);
                            }
                        }
                        on:keydown=move |event| {
                            if event.key() == "Enter" {
                                event.prevent_default();
                                check();
                            }
                        }
                    ></textarea>
                </div>
                <p class="hint" id="code-note">
                    {move || match length() {
                        n if n > 0 && n < code::SHORTEST => say_with(W::CodeShort, &[&n.to_string()]),
                        _ => crate::prefs::say(W::CodeHint).to_owned(),
                    }}
                </p>
            </div>
            <MaybeError error />
            <Button label=W::CodeCheck t="check-code" kind=Kind::Main big=true wide=true submit=true busy />
        </form>
    }
}

#[component]
pub fn ConfirmPage() -> impl IntoView {
    let state = gate();
    let card = move || {
        let invitation = state.invitation.get()?;
        let role = invitation.role.clone();
        let line = |word: W, value: Option<String>, t_: &'static str| {
            value
                .filter(|value| !value.is_empty())
                .map(|value| view! { <dt>{t(word)}</dt><dd><bdi data-t=t_>{value}</bdi></dd> })
        };
        Some(view! {
            <div class="sheet stack" style="--gap:16px">
                <div class="row" style="--gap:16px">
                    <crate::parts::Face name=invitation.name.clone() />
                    <div class="grow">
                        <h2><bdi data-t="invited-name">{invitation.name.clone()}</bdi></h2>
                        <p class="quiet">{move || format::role(&role)}</p>
                    </div>
                </div>
                <hr />
                <dl class="facts">
                    {line(W::Registration, invitation.registration, "invited-registration")}
                    {line(W::Qualification, invitation.qualification, "invited-qualification")}
                    {line(W::Specialty, invitation.specialty, "invited-specialty")}
                    {line(W::Facility, Some(invitation.facility), "invited-facility")}
                    {line(W::HieAddress, Some(invitation.hie), "invited-hie")}
                </dl>
            </div>
        })
    };
    view! {
        <div class="stack" style="--gap:20px">
            <Title title=W::ConfirmTitle body=W::ConfirmBody />
            {card}
            <p class="small quiet">{t(W::ConfirmWrong)}</p>
            <Button label=W::ConfirmYes t="confirm" kind=Kind::Main big=true wide=true on_press=move || state.step.set(Step::Passphrase) />
            <Button
                label=W::ConfirmNo
                t="other-code"
                kind=Kind::Plain
                wide=true
                on_press=move || {
                    state.code.set(String::new());
                    state.step.set(Step::Code);
                }
            />
        </div>
    }
}

#[component]
pub fn PassphrasePage() -> impl IntoView {
    let state = gate();
    let again = RwSignal::new(String::new());
    let asked = RwSignal::new(false);
    let next = move || {
        asked.set(true);
        match passphrase_problem(&state.passphrase.get_untracked(), &again.get_untracked()) {
            None => state.step.set(Step::Pin),
            Some((_, true)) => dom::focus("#passphrase-again"),
            Some((_, false)) => dom::focus("#passphrase"),
        }
    };
    view! {
        <form
            class="stack"
            on:submit=move |event| {
                event.prevent_default();
                next();
            }
        >
            <Title title=W::PassTitle body=W::PassBody />
            <NewPassphrase first=state.passphrase second=again asked autofocus=true />
            <Button label=W::Continue t="next" kind=Kind::Main big=true wide=true submit=true />
        </form>
    }
}

#[component]
pub fn PinPage() -> impl IntoView {
    let state = gate();
    let pin = RwSignal::new(String::new());
    let again = RwSignal::new(String::new());
    let asked = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None);
    let facility =
        state.invitation.with_untracked(|i| i.as_ref().map(|i| i.facility.clone()).unwrap_or_default());
    let join = move || {
        asked.set(true);
        if busy.get_untracked() {
            return;
        }
        match pin_problem(&pin.get_untracked(), &again.get_untracked()) {
            Some((_, true)) => return dom::focus("#pin-again"),
            Some((_, false)) => return dom::focus("#pin"),
            None => {}
        }
        busy.set(true);
        error.set(None);
        let command = Join {
            code: state.code.get_untracked(),
            passphrase: Private(state.passphrase.get_untracked()),
            pin: Private(pin.get_untracked()),
        };
        spawn_local(async move {
            let answer = ipc::call(command).await;
            busy.set(false);
            match answer {
                Ok(recovery) => {
                    state.passphrase.set(String::new());
                    state.code.set(String::new());
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
            on:submit=move |event| {
                event.prevent_default();
                join();
            }
        >
            <Title title=W::PinTitle body=W::PinBody />
            <NewPin first=pin second=again asked autofocus=true />
            <MaybeError error />
            <Button label=Text::with(W::JoinNow, vec![facility]) t="join" kind=Kind::Main big=true wide=true submit=true icon=icon::SHIELD busy />
            <Show when=move || busy.get()>
                <Banner title=W::Joining tone=Tone::Info t="joining" />
            </Show>
        </form>
    }
}
