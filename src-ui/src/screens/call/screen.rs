use leptos::prelude::*;
use rabta_ipc::call::{CallView, LegView};

use super::controls::Controls;
use super::figures::CallFigures;
use super::items::Items;
use super::third::Thirds;
use super::video;
use super::{codec, words};
use crate::errors::MaybeError;
use crate::parts::{Banner, Card, Draw, LinkButton, Tag, Tint, Tone};
use crate::prefs::{say, t};
use crate::router::Route;
use crate::screens::ask::{AdviceEditor, CallButton, NotePage, Open, writes};
use crate::session::session;
use crate::{W, icon};

/// In place of an ask's id: the call that runs, which is about none.
pub const NOW: &str = "now";

/// The call about one ask: the picture on one side, the record on the other, never one over the other. A reloaded
/// window is back in the running call: it lives in the shell.
#[component]
pub fn CallScreen(id: String) -> impl IntoView {
    if id == NOW {
        return view! { <Unasked /> }.into_any();
    }
    let open = Open::new(id);
    let session = session();
    let this = Memo::new(move |_| {
        let call = session.call.get();
        let ask = open.id();
        match call.filter(|call| call.ask == ask) {
            None => Stage::None,
            Some(CallView { ended: Some(reason), .. }) => Stage::Over(reason),
            Some(_) => Stage::Runs,
        }
    });
    let stage = move || match this.get() {
        Stage::None => view! {
            <Banner title=W::CallNone body=W::CallNoneBody t="call-none"><CallAgain open /></Banner>
        }
        .into_any(),
        Stage::Over(reason) => view! { <Over open reason /> }.into_any(),
        Stage::Runs => view! { <Running /> }.into_any(),
    };
    view! {
        <div class="page wide">
            <h1 class="sr">{t(W::CallTitle)}</h1>
            <MaybeError error=open.error />
            <div class="call">
                <div class="call-side stack">{stage}<CallFigures /></div>
                <Record open />
            </div>
        </div>
    }
    .into_any()
}

/// A call that was brought to us without a case.
#[component]
fn Unasked() -> impl IntoView {
    let session = session();
    let over = Memo::new(move |_| session.call.with(|call| call.as_ref().map(|call| call.ended.clone())));
    let stage = move || match over.get() {
        None => view! { <Banner title=W::CallNone t="call-none" /> }.into_any(),
        Some(Some(reason)) => view! {
            <div data-t="call-ended" data-reason=reason.clone()>
                <Banner title=W::CallEndedTitle body=words::ended(&reason) t="call-over" />
            </div>
        }
        .into_any(),
        Some(None) => view! { <Running /> }.into_any(),
    };
    view! { <div class="page"><h1 class="sr">{t(W::CallTitle)}</h1><div class="stack">{stage}</div></div> }
}

#[derive(Clone, PartialEq)]
enum Stage {
    None,
    Over(String),
    Runs,
}

#[component]
fn CallAgain(open: Open) -> impl IntoView {
    let online = open.part(|view| view.other_online);
    move || online.get().map(|online| view! { <CallButton open online /> })
}

/// It is over: why, and what next.
#[component]
fn Over(open: Open, reason: String) -> impl IntoView {
    let session = session();
    let why = words::ended(&reason);
    let next = move || say(if session.is_specialist() { W::CallEndedNext } else { W::CallEndedNextClinic });
    view! {
        <div data-t="call-ended" data-reason=reason>
            <Banner title=W::CallEndedTitle body=why t="call-over">
                <p>{next}</p>
                <div class="stack" style="--gap:8px">
                    <div class="row">
                        <Show when=move || session.is_specialist()>
                            <LinkButton label=W::CaseAnswer t="answer-writing" icon=icon::PEN href=Route::Advice(open.id()).href() />
                        </Show>
                        <LinkButton label=W::AdviceToCase t="to-case" icon=icon::NOTE href=Route::Case(open.id()).href() />
                    </div>
                    <CallAgain open />
                </div>
            </Banner>
        </div>
        <Items writes=false />
    }
    .into_any()
}

/// Pictures, the connection in words, controls, what is written.
#[component]
pub(super) fn Running() -> impl IntoView {
    let session = session();
    let legs = RwSignal::new(Vec::<u8>::new());
    let own = RwSignal::new(false);
    video::start(legs, own);
    let far = Memo::new(move |_| {
        session.call.with(|call| call.as_ref().map(|call| call.legs.clone()).unwrap_or_default())
    });
    let devices = Memo::new(move |_| {
        session
            .call
            .with(|call| call.as_ref().map_or((true, true), |call| (call.has_camera, call.has_microphone)))
    });
    let there = Memo::new(move |_| {
        far.with(|legs| legs.iter().filter(|leg| leg.phase != "ended").map(|leg| leg.leg).collect::<Vec<_>>())
    });
    let tile = move |id: u8| view! { <Tile id far legs /> };
    view! {
        <div class="pictures">
            <div class="far">
                <For each=move || there.get() key=|leg| *leg children=tile />
            </div>
            <div class="row apart top">
                <div class="grow stack" style="--gap:6px">
                    <ConnectionWords />
                    <Thirds />
                </div>
                <figure class="own" class:hid=move || !own.get()>
                    <canvas id="own-video" data-t="own-video" width="0" height="0"></canvas>
                    <figcaption class="small quiet">{t(W::CallOwn)}</figcaption>
                </figure>
            </div>
        </div>
        {move || (!devices.get().0).then(|| view! { <Banner title=W::CallNoCamera tone=Tone::Look t="no-camera" /> })}
        {move || (!devices.get().1).then(|| view! { <Banner title=W::CallNoMicrophone tone=Tone::Look t="no-microphone" /> })}
        <Controls />
        <Items />
    }
    .into_any()
}

/// One far side: the picture, or why there is none; with two, whose it is.
#[component]
fn Tile(id: u8, far: Memo<Vec<LegView>>, legs: RwSignal<Vec<u8>>) -> impl IntoView {
    let leg = Memo::new(move |_| far.with(|legs| legs.iter().find(|leg| leg.leg == id).cloned()));
    let several =
        Memo::new(move |_| far.with(|legs| legs.iter().filter(|leg| leg.phase != "ended").count() > 1));
    let drawn = Memo::new(move |_| legs.with(|legs| legs.contains(&id)));
    let why = Memo::new(move |_| {
        leg.with(|leg| {
            let leg = leg.as_ref()?;
            let waits = matches!(leg.phase.as_str(), "waiting" | "weak");
            let word = match () {
                () if !codec::is_there() => W::CallNoDecoder,
                () if leg.far_camera_off => W::CallFarCameraOff,
                () => W::CallNoPicture,
            };
            (!drawn.get() || leg.far_camera_off || waits).then_some(word)
        })
    });
    let name = move || several.get().then(|| leg.with(|leg| leg.as_ref().map(|leg| leg.name.clone())));
    let blank = move || {
        why.get().map(|word| {
            view! { <p class="no-picture" class:under=move || drawn.get() data-t="no-picture"><Draw icon=icon::VIDEO_OFF />{t(word)}</p> }
        })
    };
    view! {
        <div class="tile">
            <canvas id=video::far_canvas(id) data-t="far-video" data-leg=id.to_string() width="0" height="0"></canvas>
            {blank}
            {move || name().map(|name| view! { <p class="whose"><bdi>{name}</bdi></p> })}
        </div>
    }
    .into_any()
}

/// With whom, how long, and how the link is.
#[component]
fn ConnectionWords() -> impl IntoView {
    let session = session();
    move || {
        let call = session.call.get()?;
        let time = crate::screens::ask::words::clock(i64::from(call.seconds));
        let legs = call
            .legs
            .into_iter()
            .map(|leg| {
                let (verified, muted) = (leg.verified, leg.far_muted);
                let connected = matches!(leg.phase.as_str(), "in-call" | "weak" | "waiting");
                let look = matches!(leg.phase.as_str(), "weak" | "waiting");
                // A link proves a phone, not who holds it: nobody's identity is called checked.
                let certified = leg.role != "patient";
                let (name, level) = (leg.name.clone(), leg.level.to_string());
                let phase = leg.phase.clone();
                view! {
                    <div class="leg">
                        <p class="strong" data-t="call-name" data-leg=leg.leg.to_string() data-level=level><bdi>{name}</bdi></p>
                        <p data-t="call-words" data-phase=phase class:look=look aria-live="polite">{words::leg(&leg)}</p>
                        {(connected && certified).then(|| {
                            let (word, tint) = if verified { (W::CallVerified, Tint::Teal) } else { (W::CallUnverified, Tint::Amber) };
                            view! { <Tag label=word tint icon=icon::SHIELD t="call-verified" /> }
                        })}
                        {leg.agreed.map(|video| {
                            let word = if video { W::CallAgreedVideo } else { W::CallAgreedVoice };
                            view! { <p class="small quiet" data-t="call-agreed">{t(word)}</p> }
                        })}
                        {(connected && muted).then(|| view! { <Tag label=W::CallFarMuted icon=icon::MIC_OFF t="far-muted" /> })}
                    </div>
                }
            })
            .collect_view();
        Some(view! { {legs} <p class="small quiet ltr" data-t="call-seconds">{time}</p> })
    }
}

/// The record stays usable: the case for both, the advice form for the specialist, the visit for the clinic.
#[component]
fn Record(open: Open) -> impl IntoView {
    let question = open.part(|view| view.row.question.clone());
    let note = open.part(|view| view.note.clone());
    let writes = open.part(writes);
    let visit = open.part(|view| view.visit.clone());
    let links = move || {
        let visit = visit.get().flatten();
        view! {
            <div class="row">
                <LinkButton label=W::AdviceToCase t="to-case" icon=icon::NOTE href=Route::Case(open.id()).href() />
                {visit.map(|visit| view! { <LinkButton label=W::Visit t="to-visit" icon=icon::PEN href=Route::Visit(visit).href() /> })}
            </div>
        }
    };
    view! {
        <div class="stack">
            {links}
            <Card t="call-record">
                <p class="question" dir="auto" style="margin-block-end:12px">{move || question.get().map(|q| q.0)}</p>
                {move || note.get().map(|note| view! { <NotePage note /> })}
            </Card>
            <Show when=move || writes.get() == Some(true)>
                <AdviceEditor open on_signed=|| () />
            </Show>
        </div>
    }
    .into_any()
}
