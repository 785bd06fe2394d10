use leptos::prelude::*;

use super::{Step, gate};
use crate::parts::{Draw, Mark};
use crate::prefs::{self, say_with, t};
use crate::session::change_language;
use crate::words::Lang;
use crate::{W, icon};

/// The steps of the first start, in order.
const STEPS: [W; 7] = [
    W::StepLanguage,
    W::StepCode,
    W::StepConfirm,
    W::StepPassphrase,
    W::StepPin,
    W::StepRecovery,
    W::StepPatients,
];

fn number(step: &Step) -> Option<usize> {
    Some(match step {
        Step::Language => 0,
        Step::Code => 1,
        Step::Confirm => 2,
        Step::Passphrase => 3,
        Step::Pin => 4,
        Step::RecoveryShow | Step::RecoveryAsk => 5,
        Step::Pull => 6,
        _ => return None,
    })
}

/// The gate's frame: our mark and the steps at one side, the question at the other, the language always at hand.
#[component]
pub fn Shape(children: ChildrenFn) -> impl IntoView {
    let state = gate();
    let at = Memo::new(move |_| state.step.with(number));
    view! {
        <div class="gate">
            <aside class="gate-side">
                <div class="mark">
                    <Mark />
                    <b>"Rabta"</b>
                    <span lang="ur">"رابطہ"</span>
                </div>
                {move || match at.get() {
                    Some(now) => {
                        let items = STEPS
                            .iter()
                            .enumerate()
                            .map(|(i, word)| {
                                let class = match i.cmp(&now) {
                                    std::cmp::Ordering::Less => "done",
                                    std::cmp::Ordering::Equal => "now",
                                    std::cmp::Ordering::Greater => "",
                                };
                                view! {
                                    <li class=class aria-current=(i == now).then_some("step")>
                                        <span class="n">
                                            {if i < now {
                                                view! { <Draw icon=icon::CHECK /> }.into_any()
                                            } else {
                                                (i + 1).to_string().into_any()
                                            }}
                                        </span>
                                        <span>{t(*word)}</span>
                                    </li>
                                }
                            })
                            .collect_view();
                        view! {
                            <ol class="steps">{items}</ol>
                            <span class="sr">
                                {move || say_with(W::StepOf, &[&(now + 1).to_string(), &STEPS.len().to_string()])}
                            </span>
                        }
                            .into_any()
                    }
                    None => view! { <p class="lead">{t(W::Tagline)}</p> }.into_any(),
                }}
                <Bridge />
            </aside>
            <main class="gate-main">
                <div class="gate-top">
                    <button
                        type="button"
                        class="b plain"
                        hidden=move || at.get() == Some(0)
                        data-t="switch-language"
                        lang=move || if prefs::lang() == Lang::En { "ur" } else { "en" }
                        on:click=|_| {
                            change_language(if untrack(prefs::lang) == Lang::En { Lang::Ur } else { Lang::En });
                        }
                    >
                        <Draw icon=icon::LANGUAGES />
                        <span>{t(W::LanguageSwitch)}</span>
                    </button>
                </div>
                <div class="gate-work" class:roomy=move || at.get() == Some(5)>{children()}</div>
                <p class="gate-foot">
                    {move || {
                        state.status.get().map(|status| view! { <span class="ltr">"Rabta " {status.version}</span> })
                    }}
                </p>
            </main>
        </div>
    }
}

/// The mark's idea, large: two points, and what carries from one to the other.
#[component]
fn Bridge() -> impl IntoView {
    view! {
        <svg class="art" viewBox="0 0 460 210" aria-hidden="true" fill="none">
            <path d="M-10 190 C 90 190 96 96 230 96 C 364 96 370 190 470 190" stroke="#7fd1ca" stroke-opacity=".55" stroke-width="3"></path>
            <path d="M-10 214 H470" stroke="#7fd1ca" stroke-opacity=".25" stroke-width="3"></path>
            <g stroke="#7fd1ca" stroke-opacity=".22" stroke-width="2">
                <path d="M70 172 V214 M110 146 V214 M150 116 V214 M190 101 V214 M230 96 V214 M270 101 V214 M310 116 V214 M350 146 V214 M390 172 V214"></path>
            </g>
            <circle cx="110" cy="146" r="9" fill="#7fd1ca"></circle>
            <circle cx="350" cy="146" r="9" fill="#f2c14e"></circle>
        </svg>
    }
}

/// A page's heading and its one line.
#[component]
pub fn Title(
    #[prop(into)] title: crate::Text,
    #[prop(optional, into)] body: Option<crate::Text>,
) -> impl IntoView {
    view! {
        <div class="title">
            <h1>{title.view()}</h1>
            {body.map(|body| view! { <p>{body.view()}</p> })}
        </div>
    }
    .into_any()
}
