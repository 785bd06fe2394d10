use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::ask::{AskRow, ListAsks};

use super::words;
use crate::errors::MaybeError;
use crate::parts::{Card, Check, Draw, Empty, Face, Skeleton, Tag, Tint};
use crate::prefs::{say, say_with};
use crate::router::Route;
use crate::session::session;
use crate::{W, dom, format, icon, ipc};

/// For a specialist the queue, by urgency and then by who waits longest; for a clinic its own asks. New ones come by
/// themselves.
#[component]
pub fn AsksScreen() -> impl IntoView {
    let session = session();
    let rows = RwSignal::new(None::<Vec<AskRow>>);
    let came = RwSignal::new(0.0_f64);
    let error = RwSignal::new(None);
    let closed = RwSignal::new(false);
    let ticks = words::ticks();
    Effect::new(move |_| {
        session.asks_changed.track();
        let closed = closed.get();
        spawn_local(async move {
            match ipc::call(ListAsks { closed }).await {
                Ok(answer) => {
                    error.try_set(None);
                    came.try_set(dom::now_ms());
                    rows.try_set(Some(answer));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    });
    let title = move || say(if session.is_specialist() { W::Queue } else { W::AsksTitle });
    let list = move || match rows.get() {
        None => view! { <Skeleton lines=4 /> }.into_any(),
        Some(all) if all.is_empty() && session.is_specialist() => {
            view! { <Empty icon=icon::INBOX title=W::QueueEmptyTitle body=W::QueueEmptyBody /> }.into_any()
        }
        Some(all) if all.is_empty() => {
            view! { <Empty icon=icon::INBOX title=W::AsksNoneTitle body=W::AsksNoneBody /> }.into_any()
        }
        Some(all) => all.into_iter().map(|row| view! { <Line row came ticks /> }).collect_view().into_any(),
    };
    view! {
        <div class="page">
            <div class="page-head">
                <h1>{title}</h1>
                <Check label=W::AsksClosedToo t="closed-too" value=closed />
            </div>
            <MaybeError error />
            <Card flush=true t="asks">{list}</Card>
        </div>
    }
}

/// One ask: who, why, how urgent, from where, how long it waits, where it stands.
#[component]
fn Line(row: AskRow, came: RwSignal<f64>, ticks: RwSignal<i64>) -> impl IntoView {
    let session = session();
    let (urgency, urgency_tint) = format::urgency(row.urgency);
    let (state, state_tint) = format::ask_state(row.state);
    let (custody, custody_tint) = format::custody(row.custody);
    let (code, unread, waits) = (row.state.code(), row.unread, row.state.waits_for_specialist());
    let row = StoredValue::new(row);
    let waiting = move || {
        ticks.track();
        let since = (((dom::now_ms() - came.get()) / 1000.0) as i64).max(0);
        say_with(W::Waiting, &[&words::clock(row.with_value(|row| row.waiting_seconds) + since)])
    };
    let place = move || {
        row.with_value(|row| {
            if session.is_specialist() {
                say_with(W::AsksFrom, &[&row.from_facility, &row.from_person])
            } else {
                row.to_person.as_ref().map(|name| say_with(W::AsksTo, &[name])).unwrap_or_default()
            }
        })
    };
    view! {
        <a
            class="r"
            href=row.with_value(|row| Route::Case(row.id.clone()).href())
            data-t="ask-row"
            data-id=row.with_value(|row| row.id.clone())
            data-state=code
        >
            <Face name=row.with_value(|row| row.card.name.0.clone()) />
            <span class="grow">
                <span class="main-line">
                    <Tag label=urgency tint=urgency_tint t="urgency" />
                    <bdi class="strong">{row.with_value(|row| row.question.0.clone())}</bdi>
                    {unread.then(|| view! { <Tag label=W::AsksNew tint=Tint::Teal icon=icon::BELL t="unread" /> })}
                </span>
                <span class="sub">
                    <bdi>{move || row.with_value(|row| format::name(&row.card))}</bdi>
                    <span>{move || row.with_value(|row| format::age_sex(&row.card))}</span>
                    <span>{place}</span>
                    <span>{move || row.with_value(|row| words::specialty(&row.specialty))}</span>
                </span>
            </span>
            <span class="row end">
                {waits.then(|| view! { <span class="small nowrap" data-t="waiting">{waiting}</span> })}
                {move || (!session.is_specialist()).then(|| view! { <Tag label=custody tint=custody_tint t="custody" /> })}
                <Tag label=state tint=state_tint t="state" />
            </span>
            <Draw icon=icon::CHEVRON_END />
        </a>
    }
    .into_any()
}
