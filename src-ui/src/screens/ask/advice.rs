use leptos::prelude::*;

use super::advice_form::AdviceEditor;
use super::advised::Advised;
use super::case::{CaseNote, Head};
use super::messages::Messages;
use super::moves::Moves;
use super::open::{Coming, Open, writes};
use crate::errors::MaybeError;
use crate::parts::{Card, Empty, LinkButton};
use crate::router::{self, Route};
use crate::{W, icon};

/// For the specialist who answers: the form, with the case beside it. For everybody else the signed advice.
#[component]
pub fn AdviceScreen(id: String) -> impl IntoView {
    let open = Open::new(id);
    let writes = open.part(writes);
    let advised = open.part(|view| view.advice.is_some());
    let visit = open.part(|view| view.visit.clone());
    let body = move || {
        match writes.get() {
        None => view! { <Coming open /> }.into_any(),
        Some(true) => {
            view! {
                <div class="halves">
                    <AdviceEditor open on_signed=move || router::go_instead(&Route::Case(open.id())) />
                    <div class="stack"><CaseNote open /><Messages open /></div>
                </div>
            }
            .into_any()
        }
        Some(false) => {
            view! {
                <div class="two">
                    <div class="stack">
                        <Show
                            when=move || advised.get() == Some(true)
                            fallback=|| view! { <Card><Empty icon=icon::ADVICE title=W::AdviceNone body=W::AdviceNoneBody /></Card> }
                        >
                            <Advised open />
                        </Show>
                    </div>
                    <div class="side stack">
                        <Card title=W::CaseNext t="next">
                            <div class="stack choices" style="--gap:8px">
                                {move || {
                                    visit
                                        .get()
                                        .flatten()
                                        .map(|visit| view! { <LinkButton label=W::CaseToVisit t="to-visit" icon=icon::DOCUMENT href=Route::VisitPage(visit).href() /> })
                                }}
                                <Moves open />
                            </div>
                        </Card>
                        <Messages open />
                    </div>
                </div>
            }
            .into_any()
        }
    }
    };
    view! {
        <div class="page">
            <MaybeError error=open.error />
            <Head open />
            <div class="row">
                <LinkButton label=W::AdviceToCase t="to-case" icon=icon::BACK href=Route::Case(open.id()).href() />
            </div>
            {body}
        </div>
    }
}
