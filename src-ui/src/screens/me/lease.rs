//! How many days of use are left without a word of the health exchange, and more of them by telephone.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::Error;
use rabta_ipc::gate::{AskLease, GetLease, LeaseAsk, LeaseView, RenewLease};

use crate::errors::MaybeError;
use crate::parts::{Button, Card, Field, Kind, Tag, Tint, toast};
use crate::prefs::{say, say_count, say_with, t};
use crate::{Text, W, dom, icon, ipc};

/// From here on it is said loudly.
const FEW: u32 = 7;

#[component]
pub fn LeaseCard() -> impl IntoView {
    let lease = RwSignal::new(None::<LeaseView>);
    let ask = RwSignal::new(None::<LeaseAsk>);
    let error = RwSignal::new(None::<Error>);
    let busy = RwSignal::new(false);
    let load = move || {
        spawn_local(async move {
            match ipc::call(GetLease {}).await {
                Ok(view) => {
                    lease.try_set(Some(view));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    load();
    let begin = move || {
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(AskLease {}).await;
            busy.try_set(false);
            match answer {
                Ok(told) => {
                    ask.try_set(Some(told));
                    dom::focus_soon("#lease-code");
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let renewed = move |view: LeaseView| {
        toast(Text::live(move || say_with(W::LeaseRenewed, &[&view.days_left.to_string()])));
        lease.set(Some(view));
        ask.set(None);
    };
    let head = move || {
        let LeaseView { days_left, days } = lease.get()?;
        let left = move || say_count(days_left as usize, W::LeaseOneDay, W::LeaseDays);
        let tag = (days_left <= FEW)
            .then(|| view! { <Tag label=W::LeaseSoon tint=Tint::Amber icon=icon::ALERT /> });
        Some(view! {
            <div class="row" data-t="lease-left" data-days=days_left.to_string()>
                <span class="strong">{left}</span>
                {tag}
            </div>
            <p class="small quiet">{move || say_with(W::LeaseMeans, &[&days.to_string()])}</p>
        })
    };
    view! {
        <Card title=W::LeaseHead t="lease">
            <div class="stack" style="--gap:12px">
                {head}
                <MaybeError error />
                {move || match ask.get() {
                    None => view! { <div class="row"><Button label=W::LeaseByPhone t="ask-lease" icon=icon::PHONE busy on_press=begin /></div> }.into_any(),
                    Some(told) => view! { <ByPhone told ask on_renewed=renewed /> }.into_any(),
                }}
            </div>
        </Card>
    }
    .into_any()
}

/// What is read out, and the code that comes back.
#[component]
fn ByPhone(
    told: LeaseAsk,
    ask: RwSignal<Option<LeaseAsk>>,
    #[prop(into)] on_renewed: Callback<(LeaseView,)>,
) -> impl IntoView {
    let code = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let refused = RwSignal::new(None::<Error>);
    let wrong = Signal::derive(move || {
        let refused = refused.get().filter(|error| error.code == "wrong-lease-code")?;
        Some(match refused.detail.as_deref() {
            Some("0") | None => say(W::LeaseAnother).to_owned(),
            Some(left) => say_with(W::LeaseWrong, &[left]),
        })
    });
    let other = Signal::derive(move || refused.get().filter(|error| error.code != "wrong-lease-code"));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || code.with_untracked(|code| code.trim().is_empty()) {
            return dom::focus("#lease-code");
        }
        busy.set(true);
        refused.set(None);
        spawn_local(async move {
            let answer = ipc::call(RenewLease { code: code.get_untracked() }).await;
            // After the last try there are other letters to read out.
            let others = match &answer {
                Err(problem) if problem.detail.as_deref() == Some("0") => ipc::call(AskLease {}).await.ok(),
                _ => None,
            };
            busy.try_set(false);
            match answer {
                Ok(view) => on_renewed.run((view,)),
                Err(problem) => {
                    refused.try_set(Some(problem));
                    dom::focus("#lease-code");
                }
            }
            if let Some(others) = others {
                ask.try_update(|ask| *ask = Some(others));
            }
        });
    };
    view! {
        <form class="stack" style="--gap:12px;max-inline-size:480px" novalidate on:submit=send>
            <p>{t(W::LeaseReadOut)}</p>
            <p class="small quiet">{t(W::LeaseDevice)}</p>
            {groups(&told.device, "lease-device")}
            <p class="small quiet">{t(W::LeaseChallenge)}</p>
            {groups(&told.challenge, "lease-challenge")}
            <Field
                label=W::LeaseCode
                t="lease-code"
                value=code
                hint=W::LeaseCodeHint
                error=wrong
                ltr=true
                max=40
                on_input=move || refused.set(None)
            />
            <MaybeError error=other />
            <div class="row">
                <Button label=W::LeaseRenew t="renew-lease" kind=Kind::Main icon=icon::CHECK submit=true busy />
                <Button label=W::Cancel t="renew-cancel" kind=Kind::Plain on_press=move || ask.set(None) />
            </div>
        </form>
    }
    .into_any()
}

/// A code in fours, as it is read out.
fn groups(code: &str, t: &'static str) -> AnyView {
    let letters: Vec<char> = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let each = letters
        .chunks(4)
        .zip(1..)
        .map(|(four, n)| view! { <li><span>{n}</span><b>{four.iter().collect::<String>()}</b></li> })
        .collect_view();
    view! { <ul class="groups" data-t=t data-code=code.to_owned()>{each}</ul> }.into_any()
}
