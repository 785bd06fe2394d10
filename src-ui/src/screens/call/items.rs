use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_ipc::Error;
use rabta_ipc::call::{CallItem, CallItems, SendChat};

use crate::errors::MaybeError;
use crate::parts::{Button, Field};
use crate::prefs::{say, t};
use crate::screens::ask::words::moment;
use crate::session::session;
use crate::{W, icon, ipc};

/// What was written and shown in the call, and a box to write in. Lines come over the call itself; they are kept with
/// the ask as well.
#[component]
pub fn Items(
    /// The call runs: there is a box to write in.
    #[prop(default = true)]
    writes: bool,
) -> impl IntoView {
    let session = session();
    let items = RwSignal::new(Vec::<CallItem>::new());
    let text = RwSignal::new(String::new());
    let error = RwSignal::new(None::<Error>);
    Effect::new(move |_| {
        session.call_item.track();
        spawn_local(async move {
            if let Ok(all) = ipc::call(CallItems {}).await {
                items.try_set(all);
            }
        });
    });
    let send = move || {
        let typed = text.get_untracked().trim().to_owned();
        if typed.is_empty() {
            return;
        }
        spawn_local(async move {
            match ipc::call(SendChat { text: Private(typed) }).await {
                Ok(()) => {
                    text.try_set(String::new());
                    error.try_set(None);
                    if let Ok(all) = ipc::call(CallItems {}).await {
                        items.try_set(all);
                    }
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let lines = move || items.get().into_iter().rev().map(item).collect_view();
    view! {
        <form
            class="stack"
            style="--gap:8px"
            hidden=!writes
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
        >
            <div class="row" style="align-items:flex-end">
                <div class="grow"><Field label=W::CallChatLabel t="chat-box" value=text max=1000 /></div>
                <Button label=W::CaseSend t="chat-send" icon=icon::SEND submit=true />
            </div>
            <MaybeError error />
        </form>
        <ol class="talk" data-t="chat-lines">{lines}</ol>
    }
    .into_any()
}

fn item(item: CallItem) -> AnyView {
    match item {
        CallItem::Chat { mine, at, text } => view! {
            <li class:mine=mine data-t="chat-line" data-mine=mine.to_string()>
                <p dir="auto" class="said">{text.0}</p>
                <p class="small quiet">{move || moment(at)} {mine.then(|| view! { " \u{00B7} " {move || say(W::CaseYou)} })}</p>
            </li>
        }
        .into_any(),
        CallItem::Still { mine, at, url } => view! {
            <li class:mine=mine data-t="still-line" data-mine=mine.to_string()>
                <img class="whole" src=url.0 alt=t(W::CallStillAlt) />
                <p class="small quiet">{move || moment(at)}</p>
            </li>
        }
        .into_any(),
    }
}
