use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::Error;
use rabta_ipc::call::{BringIn, GetThirds, Third, ThirdId};

use crate::errors::MaybeError;
use crate::parts::Button;
use crate::prefs::{say_with, t};
use crate::session::session;
use crate::{Text, W, dom, icon, ipc};

/// A patient may come to their phone at any moment.
const LOOK_MS: i32 = 5_000;

/// Who may join: buttons for whom there is, and what the patient said of whom they were asked about.
#[component]
pub fn Thirds() -> impl IntoView {
    let session = session();
    let (thirds, error) = (RwSignal::new(Vec::<Third>::new()), RwSignal::new(None::<Error>));
    let asked = Memo::new(move |_| {
        session.call.with(|call| call.as_ref().map(|call| call.asked.clone()).unwrap_or_default())
    });
    let two = Memo::new(move |_| {
        session.call.with(|call| {
            let legs = call.as_ref().map(|call| call.legs.as_slice()).unwrap_or_default();
            let open = legs.iter().filter(|leg| leg.phase != "ended");
            let talks = |phase: &str| matches!(phase, "in-call" | "weak" | "waiting");
            open.clone().count() == 1 && open.clone().all(|leg| talks(&leg.phase))
        })
    });
    let waits = Memo::new(move |_| asked.with(|asked| asked.iter().any(|third| third.state == "waiting")));
    spawn_local(async move {
        while let Some(look) = two.try_get_untracked() {
            let found = if look { ipc::call(GetThirds {}).await } else { Ok(Vec::new()) };
            if let Ok(found) = found
                && thirds.try_with_untracked(|before| *before != found) == Some(true)
            {
                thirds.try_set(found);
            }
            dom::pause(LOOK_MS).await;
        }
    });
    let bring = move |third: ThirdId| {
        spawn_local(async move {
            error.try_set(ipc::call(BringIn { third }).await.err());
        });
    };
    let lines = move || {
        let line = |third: rabta_ipc::call::AskedThird| {
            let word = match third.state.as_str() {
                "no" => W::CallNotWanted,
                "unanswered" => W::CallUnanswered,
                _ => W::CallAsking,
            };
            view! { <p class="strong" role="status" data-t="asked" data-state=third.state>{move || say_with(word, &[&third.name])}</p> }
        };
        asked.get().into_iter().map(line).collect_view()
    };
    let buttons = move || {
        if !two.get() || waits.get() || thirds.with(Vec::is_empty) {
            return None;
        }
        let one = |third: Third| {
            let Third { id, name, here, .. } = third;
            view! {
                <div class="row" style="--gap:8px">
                    <Button label=Text::with(W::CallBringIn, vec![name.0]) t="bring-in" icon=icon::PHONE on_press=move || bring(id.clone()) />
                    {(!here).then(|| view! { <span class="small quiet">{t(W::CallNotHere)}</span> })}
                </div>
            }
        };
        let rows = thirds.get().into_iter().map(one).collect_view();
        Some(
            view! { <div class="stack" style="--gap:6px">{rows}<p class="small quiet">{t(W::CallBringInHint)}</p></div> },
        )
    };
    view! { {lines}{buttons}<MaybeError error /> }.into_any()
}
