use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::patient::PatientCard;
use rabta_ipc::Error;
use rabta_ipc::link::{CloseLink, LeaveNote, LinksView, MakeLink, MoveLink, SendLink, StartLinkCall};
use rabta_ipc::patient::VisitRow;

use super::figures::CallFigures;
use super::link::Links;
use super::screen::Running;
use super::words;
use crate::errors::MaybeError;
use crate::parts::{
    Area, Banner, Button, Card, Check, Choice, Field, Kind, LinkButton, Opt, Skeleton, Tag, Tint, Tone, toast,
};
use crate::prefs::{lang, say, say_with, t};
use crate::router::Route;
use crate::screens::patient;
use crate::session::session;
use crate::words::Lang;
use crate::{Text, W, dom, format, icon, ipc};

/// What the HIE takes, in letters.
const WORD: std::ops::RangeInclusive<usize> = 3..=30;

/// A call to a patient's phone: the links that open it, and the call.
#[component]
pub fn PhoneScreen(id: String) -> impl IntoView {
    let session = session();
    let links = Links::of(Some(id.clone()));
    let id = StoredValue::new(id);
    let (chart, error) = patient::load(id);
    let card = Memo::new(move |_| chart.with(|chart| chart.as_ref().map(|chart| chart.card.clone())));
    // The call that is shown here: running, or over and why.
    let call = Memo::new(move |_| {
        let call = session.call.get()?;
        let ours = call.link.as_ref().is_some_and(|link| id.try_get_value().as_ref() == Some(&link.patient));
        ours.then_some(call.ended)
    });
    let runs = Memo::new(move |_| call.get() == Some(None));
    let visit =
        Memo::new(move |_| chart.with(|chart| chart.as_ref()?.visits.iter().find(|v| v.ours).cloned()));
    // What the doctor looks at while they talk.
    let record = move || runs.get().then(|| chart.get().map(patient::body));
    let stage = move || match call.get() {
        None => ().into_any(),
        Some(Some(reason)) => view! {
            <div data-t="call-ended" data-reason=reason.clone()>
                <Banner title=W::CallEndedTitle body=words::ended(&reason) t="call-over" />
            </div>
        }
        .into_any(),
        Some(None) => view! { <Aloud card /><Running /> }.into_any(),
    };
    // Whether links can be made, and whether there is none.
    let stand = Memo::new(move |_| {
        links.view.with(|view| view.as_ref().map(|view| (view.possible, view.links.is_empty())))
    });
    let beside = move || match stand.get() {
        None => view! { <Card><Skeleton lines=4 /></Card> }.into_any(),
        Some((Some(true), none)) => none.then(|| view! { <Make id=id.get_value() links error /> }).into_any(),
        Some((Some(false), _)) => view! {
            <Banner title=W::PhoneNoPage body=W::PhoneNoPageBody tone=Tone::Look t="no-page" />
        }
        .into_any(),
        Some((None, _)) => view! {
            <Banner title=W::ErrUnreachable body=W::PhoneNoServer tone=Tone::Look t="no-server" />
        }
        .into_any(),
    };
    // What is being pressed or written stays when the patient comes or goes.
    let guests = Memo::new(move |_| {
        let guests = |view: &LinksView| view.links.iter().map(|link| link.guest.clone()).collect::<Vec<_>>();
        links.view.with(|view| view.as_ref().map(guests).unwrap_or_default())
    });
    let cards = view! {
        <For each=move || guests.get() key=String::clone children=move |guest| view! { <Link guest links error /> } />
    };
    let leaves = view! {
        <For each=move || guests.get() key=String::clone children=move |guest| view! { <Leave guest error visit /> } />
    };
    view! {
        <div class="page" class:wide=move || runs.get()>
            <div class="page-head">
                <h1>
                    {move || match &*card.read() {
                        Some(card) => say_with(W::PhoneTitle, &[&format::name(card)]),
                        None => say(W::PhoneCall).to_owned(),
                    }}
                </h1>
                <LinkButton label=W::PhoneRecord t="to-patient" icon=icon::NOTE href=id.with_value(|id| Route::Patient(id.clone()).href()) />
            </div>
            <MaybeError error />
            <div class=move || if runs.get() { "call" } else { "stack" }>
                <div class="call-side stack">{stage}{move || call.get().is_some().then(|| view! { <CallFigures /> })}</div>
                <div class="stack" data-t="beside">{beside}{cards}{leaves}{record}</div>
            </div>
        </div>
    }
}

/// Before anything is said: is it the patient?
#[component]
fn Aloud(card: Memo<Option<PatientCard>>) -> impl IntoView {
    move || {
        let card = card.get()?;
        let body =
            Text::live(move || say_with(W::PhoneCheckBody, &[&format::name(&card), &format::born(&card)]));
        Some(view! { <Banner title=W::PhoneCheck body tone=Tone::Look t="check-aloud" /> })
    }
}

/// A new link: the word, how long, one button.
#[component]
fn Make(id: String, links: Links, error: RwSignal<Option<Error>>) -> impl IntoView {
    let id = StoredValue::new(id);
    let word = RwSignal::new(String::new());
    let hours = RwSignal::new("24".to_owned());
    let bad = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let shown = move || {
        let phone = links.view.with(|view| view.as_ref()?.phone.clone())?;
        Some(
            view! { <p class="small quiet" data-t="number-shown">{say_with(W::PhoneNumberShown, &[&phone.0])}</p> },
        )
    };
    let make = move || {
        let typed = word.get_untracked().trim().to_owned();
        if !WORD.contains(&typed.chars().count()) {
            bad.set(Some(say(W::PhoneWordBad).to_owned()));
            dom::focus("#link-word");
            return;
        }
        bad.set(None);
        busy.set(true);
        spawn_local(async move {
            let hours = hours.get_untracked().parse().unwrap_or(24);
            let answer = ipc::call(MakeLink { patient: id.get_value(), word: typed.into(), hours }).await;
            error.try_set(answer.err());
            links.look().await;
            busy.try_set(false);
        });
    };
    view! {
        <Card title=W::PhoneMake t="make-link-card">
            <form
                class="stack"
                style="--gap:16px"
                on:submit=move |event| {
                    event.prevent_default();
                    make();
                }
            >
                <p>{t(W::PhoneMakeHint)}</p>
                <Field label=W::PhoneWord hint=W::PhoneWordHint t="link-word" value=word error=bad max=30 />
                <Choice
                    label=W::LinkHours
                    t="link-hours"
                    value=hours
                    options=vec![
                        Opt::new("2", W::LinkHours2),
                        Opt::new("24", W::LinkHours24),
                        Opt::new("168", W::LinkHours168),
                    ]
                />
                {shown}
                <div class="row"><Button label=W::PhoneMake t="make-link" kind=Kind::Main icon=icon::PHONE submit=true busy /></div>
            </form>
        </Card>
    }
    .into_any()
}

/// The newest visit of the patient that was signed here.
type Newest = Memo<Option<VisitRow>>;

/// What the phone shows after the call: the next step, and the medicines if the patient was asked and wants them there.
#[component]
fn Leave(guest: String, error: RwSignal<Option<Error>>, visit: Newest) -> impl IntoView {
    let (text, medicines, busy) = (RwSignal::new(String::new()), RwSignal::new(false), RwSignal::new(false));
    let guest = StoredValue::new(guest);
    let send = move || {
        busy.set(true);
        let leave = LeaveNote {
            guest: guest.get_value(),
            next_step: text.get_untracked().into(),
            visit: visit.get_untracked().filter(|_| medicines.get_untracked()).map(|visit| visit.id),
            lang: if lang() == Lang::Ur { rabta_ipc::gate::Lang::Ur } else { rabta_ipc::gate::Lang::En },
        };
        spawn_local(async move {
            let answer = ipc::call(leave).await;
            if answer.is_ok() {
                toast(W::AfterSent);
            }
            error.try_set(answer.err());
            busy.try_set(false);
        });
    };
    let empty = Signal::derive(move || text.with(|text| text.trim().is_empty()));
    view! {
        <Card t="after">
            <div class="stack" style="--gap:12px">
            <Area label=W::AfterLabel t="after-text" value=text lines=3 />
            {move || visit.get().map(|visit| {
                let about = visit.diagnoses.into_iter().next().unwrap_or(visit.reason).0;
                let which = Text::live(move || {
                    format!("{}{}\u{2068}{about}\u{2069}", format::day(&visit.day), format::comma())
                });
                view! { <Check label=W::AfterMedicines t="after-medicines" value=medicines hint=which /> }
            })}
            <div class="row"><Button label=W::AfterSend t="after-send" icon=icon::PHONE busy off=empty on_press=send /></div>
            </div>
        </Card>
    }
    .into_any()
}

/// One open link: where it stands, the call, how to hand it over.
#[component]
fn Link(guest: String, links: Links, error: RwSignal<Option<Error>>) -> impl IntoView {
    let session = session();
    let busy = RwSignal::new(false);
    let guest = StoredValue::new(guest);
    let here = move |view: &Option<LinksView>| {
        let links = view.as_ref().map(|view| view.links.as_slice()).unwrap_or_default();
        guest.try_with_value(|guest| links.iter().find(|link| link.guest == *guest).cloned()).flatten()
    };
    let link = links.view.with_untracked(here)?;
    // What changes of it; the rest is as it was made.
    let stand = Memo::new(move |_| {
        links.view.with(here).map(|link| (link.here, link.joined, link.asks_to_move)).unwrap_or_default()
    });
    let act = move |work: std::pin::Pin<Box<dyn Future<Output = Result<(), Error>>>>| {
        busy.set(true);
        spawn_local(async move {
            let answer = work.await;
            error.try_set(answer.err());
            links.look().await;
            busy.try_set(false);
        });
    };
    let ring = move || act(Box::pin(ipc::call(StartLinkCall { guest: guest.get_value(), video: true })));
    let end = move || {
        act(Box::pin(async move {
            ipc::call(CloseLink { guest: guest.get_value() }).await?;
            toast(W::PhoneEnded);
            Ok(())
        }));
    };
    let answer = move |yes| act(Box::pin(ipc::call(MoveLink { guest: guest.get_value(), yes })));
    let send = move |way: &str| {
        act(Box::pin(ipc::call(SendLink { guest: guest.get_value(), way: way.to_owned() })));
    };
    let in_call =
        Memo::new(move |_| session.call.with(|call| call.as_ref().is_some_and(|call| call.ended.is_none())));
    let state = move || {
        let (label, tint) = match stand.get() {
            (true, ..) => (W::PhoneHere, Tint::Teal),
            (false, true, _) => (W::PhoneWas, Tint::Amber),
            (false, false, _) => (W::PhoneNotYet, Tint::Grey),
        };
        view! { <Tag label tint icon=icon::PHONE t="link-state" /> }
    };
    let message = RwSignal::new(link.message.0.clone());
    let (word, expires_at) = (link.word.0.clone(), link.expires_at);
    let asks = move || {
        stand.get().2.then(|| {
        view! {
            <Banner title=W::PhoneMoveTitle body=W::PhoneMoveBody tone=Tone::Look t="link-moves">
                <div class="row">
                    <Button label=W::PhoneMoveYes t="move-yes" busy on_press=move || answer(true) />
                    <Button label=W::PhoneMoveNo t="move-no" kind=Kind::Danger busy on_press=move || answer(false) />
                </div>
            </Banner>
        }
    })
    };
    let card = view! {
        {asks}
        <Card title=W::PhoneSend t="link">
            <div class="stack" style="--gap:16px">
                <div class="row">
                    <span hidden=move || in_call.get()>{state}</span>
                    <span class="strong" data-t="link-the-word">{move || say_with(W::PhoneTheWord, &[&word])}</span>
                    <span class="small quiet">{move || say_with(W::PhoneUntil, &[&format::moment(expires_at)])}</span>
                </div>
                <Show when=move || !in_call.get()>
                    <div class="row"><Button label=W::PhoneRing t="link-call" kind=Kind::Main big=true icon=icon::VIDEO busy on_press=ring /></div>
                </Show>
                // The phone has it already: during the call the record is what is needed.
                <div class="row top" style="--gap:24px;flex-wrap:wrap" hidden=move || in_call.get()>
                    <figure class="stack" style="--gap:6px;flex:0 0 220px">
                        <img src=link.qr.0 alt=move || say(W::PhoneQr) width="220" height="220" data-t="link-qr" />
                        <figcaption class="small quiet">{t(W::PhoneQr)}</figcaption>
                    </figure>
                    <div class="stack" style="--gap:12px;flex:1 1 240px">
                        <Area label=W::PhoneMessage t="link-message" value=message lines=5 />
                        <div class="row">
                            <Button label=W::PhoneSms t="link-sms" icon=icon::PHONE busy on_press=move || send("sms") />
                            <Button label=W::PhoneWhatsapp t="link-whatsapp" icon=icon::PHONE busy on_press=move || send("whatsapp") />
                        </div>
                    </div>
                </div>
                <div class="row"><Button label=W::PhoneEnd t="link-end" kind=Kind::Plain icon=icon::TRASH busy on_press=end /></div>
            </div>
        </Card>
    };
    Some(card.into_any())
}
