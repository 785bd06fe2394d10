use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::ask::State;
use rabta_ipc::ask::AskRow;
use rabta_ipc::patient::{DraftRow, GetToday, Promise, Today};

use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Card, Empty, Face, Kind, LinkButton, RowLink, Skeleton, Tag, Tone};
use crate::prefs::{say, say_with, t};
use crate::router::Route;
use crate::session::session;
use crate::{Text, W, format, icon, ipc};

/// Who waits, what was left open, what came in, what was promised. On the first day it teaches the first step.
#[component]
pub fn TodayScreen() -> impl IntoView {
    let session = session();
    let today = RwSignal::new(None::<Today>);
    let error = RwSignal::new(None);
    Effect::new(move |_| {
        session.asks_changed.track();
        session.patient_changed.track();
        spawn_local(async move {
            match ipc::call(GetToday {}).await {
                Ok(answer) => {
                    error.try_set(None);
                    today.try_set(Some(answer));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    });
    view! {
        <div class="page">
            <div class="page-head">
                <h1>
                    {move || match session.me.get() {
                        Some(me) => say_with(W::GoodDay, &[&me.name]),
                        None => say(W::TodayTitle).to_owned(),
                    }}
                </h1>
                <LinkButton label=W::FindOrRegister t="find-or-register" kind=Kind::Main icon=icon::SEARCH href=Route::Find.href() />
            </div>
            <MaybeError error />
            <crate::screens::call::Waiting />
            {move || match today.get() {
                None => view! { <Card><Skeleton lines=4 /></Card> }.into_any(),
                Some(today) => view! { <Lists today specialist=session.is_specialist() /> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Lists(today: Today, specialist: bool) -> impl IntoView {
    let nothing = today.queue.is_empty()
        && today.drafts.is_empty()
        && today.open.is_empty()
        && today.done.is_empty()
        && today.promises.is_empty()
        && today.notices.is_empty()
        && today.emergencies.is_empty();
    let patients = today.patients;
    let empty = nothing.then(|| {
        if specialist {
            view! { <Card><Empty icon=icon::INBOX title=W::QueueEmptyTitle body=W::QueueEmptyBody /></Card> }.into_any()
        } else {
            view! {
                <Card>
                    <Empty icon=icon::STETHOSCOPE title=W::FirstDayTitle body=W::FirstDayBody>
                        <LinkButton label=W::NewVisitHint t="first-step" kind=Kind::Main big=true icon=icon::USER_PLUS href=Route::Find.href() />
                    </Empty>
                </Card>
            }
            .into_any()
        }
    });
    let asks = |title: W, t: &'static str, rows: Vec<AskRow>| {
        (!rows.is_empty()).then(|| {
            let rows = rows.into_iter().map(|row| view! { <AskLine row /> }).collect_view();
            view! { <Card title=title flush=true t=t>{rows}</Card> }
        })
    };
    let drafts = |title: W, t: &'static str, rows: Vec<DraftRow>, signed: bool| {
        (!rows.is_empty()).then(|| {
            let rows = rows.into_iter().map(|row| view! { <DraftLine row signed /> }).collect_view();
            view! { <Card title=title flush=true t=t>{rows}</Card> }
        })
    };
    let promises = (!today.promises.is_empty()).then(|| {
        let rows = today.promises.clone().into_iter().map(|row| view! { <PromiseLine row /> }).collect_view();
        view! { <Card title=W::PromisesDue flush=true t="promises">{rows}</Card> }
    });
    let copied = today.copied.then(|| {
        view! {
            <Banner title=W::CopiedTitle body=W::CopiedBody tone=Tone::Stop t="device-copied">
                <p class="row">
                    <Button label=W::AnewTitle t="start-anew" icon=icon::REFRESH on_press=|| super::me::gate("#start-anew") />
                    <LinkButton label=W::BackupTitle t="copied-backup" icon=icon::SHIELD href=Route::Me.href() />
                </p>
            </Banner>
         }
    });
    let waits = today.waits.map(|waits| {
        let title = Text::with(W::WaitsTitle, vec![waits.days.to_string(), waits.records.to_string()]);
        view! {
            <Banner title body=W::WaitsBody tone=Tone::Look t="waits-long">
                <p class="row">
                    <LinkButton label=W::WaitsSee t="see-waiting" icon=icon::CLOUD_ALERT href=Route::Sync.href() />
                    <LinkButton label=W::BackupTitle t="to-backup" icon=icon::SHIELD href=Route::Me.href() />
                </p>
            </Banner>
        }
    });
    view! {
        {copied}
        {waits}
        <super::outside::OfOthers notices=today.notices emergencies=today.emergencies />
        {empty}
        {asks(W::QueueWaiting, "queue", today.queue)}
        {asks(W::AdviceAndAsks, "open-asks", today.open)}
        {drafts(W::DraftsOpen, "drafts", today.drafts, false)}
        {promises}
        {drafts(W::DoneToday, "done-today", today.done, true)}
        <p class="small quiet" data-t="patients-here">
            {t(W::PatientsHere)} ": " <span class="strong">{patients.to_string()}</span>
        </p>
    }
    .into_any()
}

/// One ask: who, why, how urgent, how long, where it stands.
#[component]
pub fn AskLine(row: AskRow) -> impl IntoView {
    let (urgency, urgency_tint) = format::urgency(row.urgency);
    let (state, state_tint) = format::ask_state(row.state);
    let waits = row.state.waits_for_specialist().then_some(row.waiting_seconds);
    let row = StoredValue::new(row);
    let href = row.with_value(|row| match row.state {
        State::Answered => Route::Advice(row.id.clone()).href(),
        _ => Route::Case(row.id.clone()).href(),
    });
    view! {
        <RowLink href t="ask-row">
            <Face name=row.with_value(|row| row.card.name.0.clone()) />
            <span class="grow">
                <span class="main-line">
                    <bdi class="strong">{move || row.with_value(|row| format::name(&row.card))}</bdi>
                    <span>{move || row.with_value(|row| format::age_sex(&row.card))}</span>
                    <Tag label=urgency tint=urgency_tint t="urgency" />
                    <Tag label=state tint=state_tint t="ask-state" />
                </span>
                <span class="sub">
                    <bdi>{row.with_value(|row| row.question.0.clone())}</bdi>
                    <bdi>{row.with_value(|row| row.from_facility.clone())}</bdi>
                </span>
            </span>
            {waits.map(|seconds| view! { <span class="small nowrap">{move || say_with(W::Waiting, &[&format::seconds_long(seconds)])}</span> })}
        </RowLink>
    }
    .into_any()
}

#[component]
fn DraftLine(row: DraftRow, signed: bool) -> impl IntoView {
    let href = if signed {
        Route::VisitPage(row.visit.clone()).href()
    } else {
        Route::Visit(row.visit.clone()).href()
    };
    let (word, tint) = format::custody(row.card.custody);
    let row = StoredValue::new(row);
    view! {
        <RowLink href t=if signed { "done-row" } else { "draft-row" }>
            <Face name=row.with_value(|row| row.card.name.0.clone()) />
            <span class="grow">
                <span class="main-line">
                    <bdi class="strong">{move || row.with_value(|row| format::name(&row.card))}</bdi>
                    <span>{move || row.with_value(|row| format::age_sex(&row.card))}</span>
                </span>
                <span class="sub">
                    <bdi>
                        {move || {
                            row.with_value(|row| if row.reason.is_empty() { say(W::NoReason).to_owned() } else { row.reason.0.clone() })
                        }}
                    </bdi>
                    <span>{move || row.with_value(|row| say_with(W::SavedAt, &[&format::ago(row.saved_at)]))}</span>
                </span>
            </span>
            {signed.then(|| view! { <Tag label=word tint t="custody" /> })}
        </RowLink>
    }
    .into_any()
}

#[component]
fn PromiseLine(row: Promise) -> impl IntoView {
    let row = StoredValue::new(row);
    view! {
        <RowLink href=row.with_value(|row| Route::Patient(row.card.id.clone()).href()) t="promise-row">
            <Face name=row.with_value(|row| row.card.name.0.clone()) />
            <span class="grow">
                <span class="main-line">
                    <bdi class="strong">{move || row.with_value(|row| format::name(&row.card))}</bdi>
                    <span>{move || row.with_value(|row| format::age_sex(&row.card))}</span>
                </span>
                <span class="sub"><bdi>{row.with_value(|row| row.reason.0.clone())}</bdi></span>
            </span>
            <Tag label=Text::live(move || row.with_value(|row| say_with(W::DueOn, &[&format::day(&row.due)]))) icon=icon::CLOCK />
        </RowLink>
    }
    .into_any()
}
