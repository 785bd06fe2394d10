use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::gate::ExportUnsent;
use rabta_ipc::sync::{GetSync, SeeTo, SyncNow, SyncRow, SyncView};

use crate::errors::{self, MaybeError};
use crate::parts::{
    Banner, Button, Card, Empty, Kind, LinkButton, Skeleton, SyncState, SyncWords, Tag, Tint, Tone,
};
use crate::prefs::{say, say_with, t};
use crate::router::Route;
use crate::session::session;
use crate::{Text, W, format, icon, ipc};

/// A clock that is wrong by more than this is said, minutes.
const CLOCK_SLACK_MIN: i64 = 5;

/// Where the records are, counted; what was refused, in the HIE's own words.
#[component]
pub fn SyncScreen() -> impl IntoView {
    let session = session();
    let sync = RwSignal::new(None::<SyncView>);
    let error = RwSignal::new(None);
    let trying = RwSignal::new(false);
    let fetch = move || {
        spawn_local(async move {
            match ipc::call(GetSync {}).await {
                Ok(view) => {
                    // Only what is new: this page asks again at each change of the chip.
                    if session.chip.with_untracked(|chip| *chip != view.chip) {
                        session.chip.set(view.chip.clone());
                    }
                    sync.try_set(Some(view));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    Effect::new(move |_| {
        session.chip.track();
        fetch();
    });
    let now = move || {
        trying.set(true);
        spawn_local(async move {
            let answer = ipc::call(SyncNow {}).await;
            trying.try_set(false);
            error.try_set(answer.err());
            fetch();
        });
    };
    view! {
        <div class="page">
            <div class="page-head">
                <h1>{t(W::SyncTitle)}</h1>
                <Button label=W::SyncNow t="sync-now" kind=Kind::Main icon=icon::REFRESH busy=trying on_press=now />
            </div>
            <p style="max-inline-size:70ch">{t(W::SyncBody)}</p>
            <MaybeError error />
            {move || match sync.get() {
                None => view! { <Card><Skeleton /></Card> }.into_any(),
                Some(view) => body(view),
            }}
            <Show when=move || session.status.with(|status| status.as_ref().is_some_and(|s| !s.training))>
                <super::stick::StickCard on_done=fetch />
            </Show>
        </div>
    }
}

fn body(sync: SyncView) -> AnyView {
    let state = SyncState {
        only_here: sync.chip.here_only as usize,
        visits: sync.chip.visits_here_only as usize,
        needs_you: sync.chip.needs_you as usize,
        carried: sync.chip.carried as usize,
        reachable: sync.chip.reachable,
    };
    let tone = match state {
        SyncState { needs_you: 1.., .. } => Tone::Stop,
        SyncState { only_here: 1.., .. }
        | SyncState { carried: 1.., .. }
        | SyncState { reachable: false, .. } => Tone::Look,
        _ => Tone::Info,
    };
    let link = if sync.chip.reachable { W::SyncReachable } else { W::SyncUnreachable };
    let last = sync.last_contact;
    let hie = sync.hie.clone();
    let line = Text::live(move || match last {
        Some(at) => format!("{} \u{00B7} {}", say(link), say_with(W::SyncLast, &[&format::ago(at)])),
        None => format!("{} \u{00B7} {}", say(link), say(W::SyncNever)),
    });
    let clock = sync.clock_offset.map(|ms| ms.abs() / 60_000).filter(|minutes| *minutes >= CLOCK_SLACK_MIN);
    let kinds = sync
        .kinds
        .into_iter()
        .map(|kind| {
            let word = kind_word(&kind.kind);
            view! {
                <tr data-t="kind-row" data-kind=kind.kind>
                    <th scope="row">{t(word)}</th>
                    <td class:hot=kind.here.gt(&0)>{kind.here.to_string()}</td>
                    <td>{kind.at_hie.to_string()}</td>
                    <td class:bad=kind.refused.gt(&0)>{kind.refused.to_string()}</td>
                </tr>
            }
        })
        .collect_view();
    let next_try = sync.next_try.filter(|_| !sync.chip.reachable);
    let (bytes, used, kept_apart) = (sync.bytes, sync.used, sync.apart);
    let lines = move || {
        let mut lines = Vec::new();
        lines.extend(next_try.map(|at| say_with(W::SyncNextTry, &[&format::moment(at)])));
        if bytes > 0 {
            lines.push(say_with(W::SyncBytes, &[&format::bytes(bytes)]));
        }
        if let Some(used) = &used {
            lines.push(say_with(W::SyncUsed, &[&format::bytes(used.sent), &format::bytes(used.received)]));
        }
        if kept_apart > 0 {
            lines.push(say_with(W::SyncApart, &[&kept_apart.to_string()]));
        }
        lines.join(" \u{00B7} ")
    };
    // Of a laptop that is out of service: only the operator's hand can take them.
    let carried = sync.problem.is_empty() && sync.rows.iter().any(|row| row.code == "device-revoked");
    let (mut undecided, mut waiting, mut seen_to) = (Vec::new(), Vec::new(), Vec::new());
    for row in sync.rows {
        match row.why.as_str() {
            "undecided" => undecided.push(row),
            "replaced" | "kept" => seen_to.push(row),
            _ => waiting.push(row),
        }
    }
    let listed = |rows: Vec<SyncRow>| {
        rows.into_iter().map(|row| view! { <WaitingRow row /> }.into_any()).collect_view()
    };
    let apart = |rows: Vec<SyncRow>, title: W, t: &'static str| {
        (!rows.is_empty()).then(|| view! { <Card title=title flush=true t=t>{listed(rows)}</Card> })
    };
    let (undecided, seen_to) =
        (apart(undecided, W::DiffersTitle, "undecided"), apart(seen_to, W::TagSeenTo, "seen-to"));
    let rows = if waiting.is_empty() {
        view! { <Empty icon=icon::CLOUD_CHECK title=W::SyncNothing body=W::SyncNothingBody t="sync-nothing" /> }.into_any()
    } else {
        listed(waiting).into_any()
    };
    let stopped = (!sync.problem.is_empty()).then(|| errors::words(&sync.problem));
    let (title, line, tone): (Text, Text, Tone) = match stopped {
        Some((title, body)) => (title.into(), body.into(), Tone::Stop),
        None => (Text::live(move || SyncWords::text(state)), line, tone),
    };
    view! {
        <Banner title body=line tone t="sync-state">
            <p class="small quiet"><span class="ltr">{hie}</span></p>
            <p class="small quiet" data-t="data-used">{lines}</p>
            {stopped.map(|_| view! { <p class="code"><span class="ltr">{sync.problem}</span></p> })}
        </Banner>
        {clock.map(|minutes| view! { <Banner title=Text::with(W::SyncClock, vec![minutes.to_string()]) tone=Tone::Look t="clock-wrong" /> })}
        {carried.then(|| view! { <Carried /> })}
        <div class="two">
            <div class="stack">
                {undecided}
                <Card title=W::SyncWaiting flush=true>{rows}</Card>
                {seen_to}
            </div>
            <div class="side stack">
                <Card title=W::SyncKinds flush=true>
                    <table class="tab">
                        <thead>
                            <tr>
                                <td></td>
                                <th scope="col">{t(W::SyncColHere)}</th>
                                <th scope="col">{t(W::SyncColHie)}</th>
                                <th scope="col">{t(W::SyncColRefused)}</th>
                            </tr>
                        </thead>
                        <tbody>{kinds}</tbody>
                    </table>
                </Card>
                {sync.nearby.map(|nearby| view! { <super::nearby::NearbyCard nearby /> })}
            </div>
        </div>
    }
    .into_any()
}

/// The file that the operator takes in.
#[component]
fn Carried() -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None);
    let file = RwSignal::new(None::<String>);
    let write = move || {
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(ExportUnsent {}).await;
            busy.try_set(false);
            match answer {
                Ok(handed) => {
                    error.try_set(None);
                    file.try_set(Some(handed.file));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <Banner title=W::HandOver body=W::HandOverBody tone=Tone::Look t="carried">
            <MaybeError error />
            {move || file.get().map(|file| view! { <p data-t="handed-over">{move || say_with(W::HandedOverTo, &[&file])}</p> })}
            <p class="row"><Button label=W::HandOver t="hand-over" icon=icon::FOLDER busy on_press=write /></p>
        </Banner>
    }
    .into_any()
}

/// Why a record is not at the health exchange.
fn why(code: &str) -> Option<W> {
    Some(match code {
        "after" => W::WhyAfter,
        "call" => W::WhyCall,
        "no-link" | "stopped" => W::WhyNoLink,
        "next" => W::WhyNext,
        "replaced" => W::WhyReplaced,
        "kept" => W::RefusedKeep,
        "undecided" => W::DiffersBody,
        _ => return None,
    })
}

/// What was refused, why, what waits for it and what to do.
#[component]
fn Refused(row: SyncRow) -> impl IntoView {
    let session = session();
    let (busy, error) = (RwSignal::new(false), RwSignal::new(None));
    let SyncRow { envelope, code, text, means, waiting, can, visit, card, .. } = row;
    let able = |what: &str| can.iter().any(|can| can == what);
    let mend = match (visit, card) {
        (Some(visit), _) => Some((W::RefusedCorrect, Route::VisitPage(visit))),
        (None, Some(card)) if able("amend") => Some((W::CorrectDetails, Route::Amend(card.id))),
        _ => None,
    };
    let mend = mend.map(|(label, to)| {
        view! { <LinkButton label t="refused-mend" kind=Kind::Main icon=icon::PEN href=to.href() /> }
    });
    let id = StoredValue::new(envelope);
    let see_to = move |keep: bool| {
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(SeeTo { envelope: id.get_value(), keep }).await;
            busy.try_set(false);
            error.try_set(answer.err());
            // The page asks again.
            session.chip.notify();
        });
    };
    view! {
        <span class="sub" data-t="refused-means">
            {move || {
                let means = say(match means.as_str() {
                    "role" => W::RefusedRole,
                    "patient" => W::RefusedPatient,
                    "content" => W::RefusedContent,
                    _ => W::RefusedOther,
                });
                let mut said = format!("{means} {}", say_with(W::SyncRefused, &[&text]));
                if waiting > 0 {
                    said = format!("{said} {}", say_with(W::WaitForIt, &[&waiting.to_string()]));
                }
                said
            }}
        </span>
        <span class="code ltr">{code}</span>
        <MaybeError error />
        <span class="row" data-t="refused-do">
            {mend}
            {able("again").then(|| view! { <Button label=W::RefusedAgain t="refused-again" icon=icon::REFRESH busy on_press=move || see_to(false) /> })}
            {able("keep").then(|| view! { <Button label=W::RefusedKeep t="refused-keep" icon=icon::SHIELD busy on_press=move || see_to(true) /> })}
        </span>
    }
    .into_any()
}

#[component]
fn WaitingRow(row: SyncRow) -> impl IntoView {
    let seen_to = matches!(row.why.as_str(), "replaced" | "kept");
    let (word, tint) = if seen_to { (W::TagSeenTo, Tint::Grey) } else { format::custody(row.custody) };
    let (size, empty) = (format::bytes(row.bytes), row.bytes == 0);
    let because = why(&row.why).map(|word| {
        view! { <span class="sub" data-t="why" data-why=row.why.clone()>{move || if empty { say(word).to_owned() } else { format!("{} \u{00B7} {size}", say(word)) }}</span> }
    });
    let refused = (row.why == "refused").then(|| view! { <Refused row=row.clone() /> });
    let kind = kind_word(&row.kind);
    let href = row.card.as_ref().map(|card| Route::Patient(card.id.clone()).href());
    let made = row.made_at;
    let card = StoredValue::new(row.card);
    view! {
        <div class="r still" data-t="sync-row">
            <span class="grow">
                <span class="main-line">
                    <span class="strong">{t(kind)}</span>
                    {move || {
                        card.with_value(|card| card.as_ref().map(format::name))
                            .map(|name| match href.clone() {
                                Some(href) => view! { <a href=href data-t="row-patient"><bdi>{name}</bdi></a> }.into_any(),
                                None => view! { <bdi>{name}</bdi> }.into_any(),
                            })
                    }}
                    <span class="quiet small">{move || format::ago(made)}</span>
                </span>
                {because} {refused}
            </span>
            <Tag label=word tint t="custody" />
        </div>
    }
    .into_any()
}

fn kind_word(kind: &str) -> W {
    match kind {
        "patient" => W::KindPatient,
        "consent" => W::KindConsent,
        "visit" => W::KindVisit,
        "referral-note" => W::KindNote,
        "task-move" => W::KindTask,
        "communication" => W::KindCommunication,
        "advice" => W::KindAdvice,
        "decisions" => W::KindDecisions,
        "attachment-part" => W::KindAttachment,
        "audit" => W::KindAudit,
        _ => W::KindOther,
    }
}
