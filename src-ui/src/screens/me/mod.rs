//! Who is at the keyboard and at this laptop, language, colors, locking, secrets, the lease, and papers to verify.

mod lease;
mod paper;
mod people;
mod vault;

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::gate::{LockVault, ResetTraining, SetTheme};

use crate::errors::MaybeError;
use crate::parts::{Button, Card, Choice, Face, Kind, Opt};
use crate::prefs::{self, Theme, t};
use crate::session::{self, change_language, session};
use crate::words::Lang;
use crate::{W, dom, format, icon, ipc};

/// To a page of the gate; the records stay open behind it. What follows is the way back.
pub fn gate(page: &str) {
    dom::replace_page(&[session::GATE, page, "#/me"].concat());
}

/// In practice: everything as it was at first.
#[component]
fn Practice() -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None);
    let reset = move || {
        busy.set(true);
        spawn_local(async move {
            match ipc::call(ResetTraining {}).await {
                // The gate sees that practice is open, and goes to its first page.
                Ok(()) => dom::replace_page(session::GATE),
                Err(problem) => {
                    busy.try_set(false);
                    error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <Card title=W::PracticeCard>
            <div class="stack">
                <p class="quiet">{t(W::PracticeCardBody)}</p>
                <MaybeError error />
                <div class="row"><Button label=W::PracticeReset t="reset-training" icon=icon::UNDO busy on_press=reset /></div>
            </div>
        </Card>
    }
    .into_any()
}

/// Who is at the keyboard, language, colors, locking, this laptop.
#[component]
pub fn MeScreen() -> impl IntoView {
    let session = session();
    let practice = Memo::new(move |_| session.status.with(|s| s.as_ref().is_some_and(|s| s.training)));
    let language = RwSignal::new(untrack(prefs::lang).code().to_owned());
    let theme = RwSignal::new(untrack(prefs::theme).code().to_owned());
    let set_language = move || change_language(Lang::from_code(&language.get_untracked()));
    let set_theme = move || {
        let theme = Theme::from_code(&theme.get_untracked());
        prefs::set_theme(theme);
        spawn_local(async move {
            let code = if theme == Theme::Auto { "" } else { theme.code() };
            let _ = ipc::call(SetTheme { theme: code.to_owned() }).await;
        });
    };
    let lock_vault = || {
        spawn_local(async {
            if ipc::call(LockVault {}).await.is_ok() {
                dom::replace_page(session::GATE);
            }
        });
    };
    view! {
        <div class="page" style="max-inline-size:860px">
            <h1>{t(W::MeTitle)}</h1>
            {move || {
                session.me.get().map(|me| {
                    let role = me.role.clone();
                    view! {
                        <Card>
                            <div class="row top" style="--gap:16px">
                                <Face name=me.name.clone() />
                                <div class="grow stack" style="--gap:8px">
                                    <p class="strong" style="font-size:1.15em"><bdi data-t="me-name">{me.name.clone()}</bdi></p>
                                    <dl class="facts">
                                        <dt>{t(W::Role)}</dt>
                                        <dd>{move || format::role(&role)}</dd>
                                        {me.specialty.clone().map(|s| view! { <dt>{t(W::Specialty)}</dt><dd><bdi>{s}</bdi></dd> })}
                                        {me.registration.clone().map(|r| view! { <dt>{t(W::Registration)}</dt><dd><span class="ltr">{r}</span></dd> })}
                                        <dt>{t(W::Facility)}</dt>
                                        <dd><bdi>{me.facility.clone()}</bdi></dd>
                                    </dl>
                                </div>
                            </div>
                        </Card>
                    }
                })
            }}
            <Card>
                <div class="stack" style="--gap:20px">
                    <Choice
                        label=W::Language
                        t="language"
                        value=language
                        options=vec![Opt::new("en", W::LanguageEnglish), Opt::new("ur", W::LanguageUrdu)]
                        on_change=set_language
                    />
                    <Choice
                        label=W::Theme
                        t="theme"
                        value=theme
                        options=vec![
                            Opt::new("auto", W::ThemeAuto),
                            Opt::new("light", W::ThemeLight).with_icon(icon::SUN),
                            Opt::new("dark", W::ThemeDark).with_icon(icon::MOON),
                        ]
                        on_change=set_theme
                    />
                </div>
            </Card>
            <Card title=W::LockNow>
                <div class="stack">
                    <div class="row apart">
                        <p class="quiet grow">{t(W::LockScreenHint)}</p>
                        <Button label=W::LockScreen t="lock-screen" kind=Kind::Main icon=icon::LOCK on_press=session::lock_screen />
                    </div>
                    <hr />
                    <div class="row apart">
                        <p class="quiet grow">{t(W::LockVaultHint)}</p>
                        <Button label=W::LockVault t="lock-vault" icon=icon::KEY on_press=lock_vault />
                    </div>
                    <Show when=move || !practice.get()>
                        <hr />
                        <div class="row">
                            <Button label=W::SecretsPass t="open-passphrase" icon=icon::KEY on_press=|| gate("#new-passphrase") />
                            <Button label=W::SecretsPin t="open-pin" icon=icon::LOCK on_press=|| gate("#new-pin") />
                        </div>
                    </Show>
                </div>
            </Card>
            {move || {
                if practice.get() {
                    view! { <Practice /> }.into_any()
                } else {
                    view! {
                        <people::People />
                        <vault::VaultCard />
                        <lease::LeaseCard />
                        <super::update::UpdateCard />
                    }
                        .into_any()
                }
            }}
            <paper::VerifyCard />
            <Card title=W::ThisLaptop>
                <div class="stack">
                    {move || {
                        session.status.get().map(|status| {
                            view! {
                                <dl class="facts">
                                    <dt>{t(W::DataFolder)}</dt>
                                    <dd><span class="ltr" data-t="folder">{status.folder}</span></dd>
                                    <dt>{t(W::Version)}</dt>
                                    <dd><span class="ltr" data-t="version">{status.version}</span></dd>
                                </dl>
                            }
                        })
                    }}
                    <dl class="facts">
                        <dt><kbd>"Ctrl K"</kbd></dt>
                        <dd>{t(W::KeyFind)}</dd>
                        <dt><kbd>"Ctrl L"</kbd></dt>
                        <dd>{t(W::KeyLock)}</dd>
                        <dt><kbd>"F1"</kbd></dt>
                        <dd>{t(W::KeyHelp)}</dd>
                    </dl>
                    <p class="small"><a href="LICENSES.txt" target="_blank" data-t="licenses">{t(W::Licenses)}</a></p>
                </div>
            </Card>
        </div>
    }
}
