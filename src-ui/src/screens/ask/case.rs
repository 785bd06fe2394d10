use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::ask::State;
use rabta_domain::patient::Custody;
use rabta_ipc::call::StartCall;

use super::advised::Advised;
use super::messages::{Happened, Messages};
use super::moves::Moves;
use super::nobody::NobodySeen;
use super::note::NotePage;
use super::open::{Coming, Open, writes};
use super::withdraw::Withdraw;
use super::words;
use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Card, Kind, LinkButton, Tag, Tint, Tone};
use crate::prefs::{say, say_with};
use crate::router::{self, Route};
use crate::session::session;
use crate::{Text, W, format, icon, ipc};

/// One ask on one page: the question on top, what is out of the usual first, photos large, what happened beside it.
#[component]
pub fn CaseScreen(id: String) -> impl IntoView {
    let open = Open::new(id);
    let there = open.part(|_| ());
    // Who had it is told with whom it is, and has nothing to do.
    let ours = open.part(|view| view.mine_to_answer || view.visit.is_some());
    view! {
        <div class="page">
            <MaybeError error=open.error />
            <Show when=move || there.get().is_some() fallback=move || view! { <Coming open /> }>
                <NobodySeen open />
                <Elsewhere open />
                <Head open />
                <div class="two" hidden=move || ours.get() != Some(true)>
                    <div class="stack">
                        <Advised open />
                        <CaseNote open />
                    </div>
                    <div class="side stack">
                        <Next open />
                        <Messages open />
                        <Happened open />
                    </div>
                </div>
            </Show>
        </div>
    }
}

/// For a specialist who had it, or wanted to take it: it is with another by now.
#[component]
fn Elsewhere(open: Open) -> impl IntoView {
    let session = session();
    let row = open.part(|view| {
        (!view.mine_to_answer && view.visit.is_none()).then(|| view.row.to_person.clone().unwrap_or_default())
    });
    move || {
        let name = row.get().flatten().filter(|_| session.is_specialist())?;
        Some(
            view! { <Banner title=W::CaseElsewhere tone=Tone::Look t="elsewhere"><p><bdi>{name}</bdi></p></Banner> },
        )
    }
}

/// The question, how urgent, how long it waits, where it stands.
#[component]
pub fn Head(open: Open) -> impl IntoView {
    let row = open.part(|view| view.row.clone());
    let ticks = words::ticks();
    let line = move || {
        let row = row.get()?;
        let (urgency, urgency_tint) = format::urgency(row.urgency);
        let (state, state_tint) = format::ask_state(row.state);
        let (custody, custody_tint) = format::custody(row.custody);
        let waits = row.state.waits_for_specialist();
        // Once it was opened the state says so; twice the same words would say nothing.
        let custody = (row.custody != Custody::SeenBySpecialist || row.state != State::Seen)
            .then(|| view! { <Tag label=custody tint=custody_tint icon=icon::CLOUD t="custody" /> });
        Some(view! {
            <div class="stack" style="--gap:8px">
                <h1 class="question" data-t="case-question" dir="auto">{row.question.0.clone()}</h1>
                <div class="row">
                    <Tag label=urgency tint=urgency_tint icon=icon::CLOCK t="urgency" />
                    <span data-t="ask-state" data-state=row.state.code()><Tag label=state tint=state_tint t="state" /></span>
                    {custody}
                    {waits.then(|| view! { <span class="strong" data-t="waiting">{move || say_with(W::CaseWaiting, &[&words::clock(open.waiting(ticks))])}</span> })}
                    <span class="small quiet">
                        {move || say_with(W::CaseFrom, &[&row.from_person, &row.from_facility])} " \u{00B7} "
                        {let code = row.specialty.clone(); move || words::specialty(&code)}
                        {row.to_person.clone().map(|name| view! { " \u{00B7} " <bdi>{name}</bdi> })}
                    </span>
                </div>
            </div>
        })
    };
    view! { {line} }.into_any()
}

/// The note as it was sent.
#[component]
pub fn CaseNote(open: Open) -> impl IntoView {
    let note = open.part(|view| view.note.clone());
    move || {
        // Of one that is with another by now nothing is shown.
        let note = note.get().filter(|note| note.at != 0)?;
        Some(view! { <Card t="case-note"><NotePage note /></Card> })
    }
}

/// What this person can do now: the call, the answer, the moves.
#[component]
fn Next(open: Open) -> impl IntoView {
    let can = open.part(|view| {
        let answered = view.advice.is_some();
        // One main thing at a time: accepting comes before calling, and calling before the advice is there.
        let call_first = !answered && !(view.mine_to_answer && view.moves.contains(&State::Accepted));
        let call = view.can_call.then_some((view.other_online, call_first));
        let home = (view.mine_to_answer && !view.row.state.is_closed()).then(|| view.row.card.id.clone());
        (call, writes(view), answered, view.visit.clone(), home)
    });
    let buttons = move || {
        let (call, writes, answered, visit, home) = can.get()?;
        let word = if answered { W::CaseAnswerAgain } else { W::CaseAnswer };
        Some(view! {
            {call.map(|(online, main)| view! { <CallButton open online main /> })}
            {writes
                .then(|| view! { <LinkButton label=word t="answer-writing" icon=icon::PEN href=Route::Advice(open.id()).href() /> })}
            {home
                .map(|id| view! { <LinkButton label=W::PhoneCall t="call-at-home" icon=icon::PHONE href=Route::Phone(id).href() /> })}
            {visit
                .map(|visit| view! { <LinkButton label=W::CaseToVisit t="to-visit" icon=icon::DOCUMENT href=Route::VisitPage(visit).href() /> })}
        })
    };
    view! {
        <Card title=W::CaseNext t="next">
            <div class="stack choices" style="--gap:8px">{buttons}<Moves open /><Withdraw open /></div>
        </Card>
    }
    .into_any()
}

/// Rings the other side, or goes back to the call that runs.
#[component]
pub fn CallButton(open: Open, online: bool, #[prop(default = true)] main: bool) -> impl IntoView {
    let session = session();
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None);
    let running = Memo::new(move |_| {
        session
            .call
            .with(|call| call.as_ref().is_some_and(|call| call.ended.is_none() && call.ask == open.id()))
    });
    let press = move |_: ()| {
        if running.get_untracked() {
            router::go(&Route::Call(open.id()));
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(StartCall { ask: open.id(), video: true }).await;
            busy.try_set(false);
            match answer {
                Ok(()) => router::go(&Route::Call(open.id())),
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let label =
        Text::live(move || say(if running.get() { W::CaseCallBack } else { W::CaseCallButton }).to_owned());
    let (word, tint) = if online { (W::CaseOnline, Tint::Teal) } else { (W::CaseOffline, Tint::Grey) };
    view! {
        <div class="row">
            <Button label t="call" kind=if main { Kind::Main } else { Kind::Usual } icon=icon::VIDEO busy on_press=press />
            <Tag label=word tint t="online" />
        </div>
        <MaybeError error />
    }
    .into_any()
}
