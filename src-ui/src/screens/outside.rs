//! Other facilities' records: the lookup below Find, the broken glass, and what Today says of both.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_ipc::Error;
use rabta_ipc::care::{
    BreakGlass, Elsewhere, Emergency, EmergencyRow, FetchEmergency, LookUp, Notice, SeeNotice,
};

use crate::errors::MaybeError;
use crate::parts::{
    Area, Banner, Button, Card, Check, Choice, Dialog, Face, Kind, LinkButton, Opt, RowLink, Tag, Tint, Tone,
};
use crate::prefs::{say, say_with, t};
use crate::router::{self, Route};
use crate::session::session;
use crate::{Text, W, format, icon, ipc};

/// Why a glass is broken: codes of `rabta_wire::care::REASONS`.
const REASONS: [(&str, W); 5] = [
    ("unconscious", W::GlassUnconscious),
    ("life-threatening", W::GlassLife),
    ("childbirth", W::GlassBirth),
    ("clinic-unreachable", W::GlassUnreachable),
    ("other", W::GlassOther),
];

fn reason(code: &str) -> &'static str {
    say(REASONS.iter().find(|(known, _)| *known == code).map_or(W::GlassOther, |(_, word)| *word))
}

/// Whether what was typed may be a whole identity card or MR number: 13 or 11 digits.
fn is_whole_number(typed: &str) -> bool {
    let typed = typed.trim();
    let digits = typed.chars().filter(|c| c.is_numeric()).count();
    matches!(digits, 11 | 13) && typed.chars().all(|c| c.is_numeric() || c == '-' || c == ' ')
}

/// "Look in the whole register", for what was typed in Find.
#[component]
pub fn Outside(typed: RwSignal<String>) -> impl IntoView {
    let session = session();
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Error>);
    let found = RwSignal::new(None::<Vec<Elsewhere>>);
    // Another number: what was found is not of it.
    Effect::new(move |_| {
        typed.track();
        found.set(None);
        error.set(None);
    });
    let whole = Memo::new(move |_| typed.with(|typed| is_whole_number(typed)));
    let reachable = Memo::new(move |_| session.chip.with(|chip| chip.reachable));
    let look = move || {
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = ipc::call(LookUp { number: Private(typed.get_untracked()) }).await;
            busy.try_set(false);
            match answer {
                Ok(rows) => drop(found.try_set(Some(rows))),
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    };
    let chosen = RwSignal::new(None::<Elsewhere>);
    view! {
        <div class="row">
            <Button
                label=W::OutsideLook
                t="look-outside"
                icon=icon::HOSPITAL
                busy
                off=Signal::derive(move || !whole.get() || !reachable.get())
                on_press=look
            />
            <span class="small quiet">
                {move || say(if reachable.get() { W::OutsideHint } else { W::OutsideNoLink })}
            </span>
        </div>
        <MaybeError error />
        {move || found.get().map(|rows| view! { <Found rows chosen /> })}
        <Glass chosen />
    }
    .into_any()
}

#[component]
fn Found(rows: Vec<Elsewhere>, chosen: RwSignal<Option<Elsewhere>>) -> impl IntoView {
    if rows.is_empty() {
        return view! { <p data-t="outside-none">{t(W::OutsideNone)}</p> }.into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            let facts = {
                let row = row.clone();
                move || [Some(format::sex(row.sex).to_owned()), row.born.clone()]
            };
            let end = if row.here {
                view! { <LinkButton label=W::OutsideHere t="outside-open" href=Route::Patient(row.id.clone()).href() /> }.into_any()
            } else if row.may_open {
                let it = row.clone();
                view! {
                    <Button label=W::OutsideOpen t="outside-glass" icon=icon::ALERT on_press=move || chosen.set(Some(it.clone())) />
                }
                .into_any()
            } else {
                view! { <span class="small quiet">{t(W::OutsideNotYou)}</span> }.into_any()
            };
            view! {
                <div class="r" data-t="outside-row">
                    <Face name=row.name.0.clone() />
                    <span class="grow">
                        <span class="main-line"><bdi class="strong">{row.name.0.clone()}</bdi></span>
                        <span class="sub">
                            {move || facts().into_iter().flatten().map(|fact| view! { <bdi>{fact}</bdi> }).collect_view()}
                            <bdi>{row.facility.clone()}</bdi>
                        </span>
                    </span>
                    {end}
                </div>
            }
        })
        .collect_view();
    view! { <Card title=W::OutsideTitle flush=true t="outside">{rows}</Card> }.into_any()
}

/// The question before another facility's record opens.
#[component]
fn Glass(chosen: RwSignal<Option<Elsewhere>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let (why, text) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (more, more_text) = (RwSignal::new(false), RwSignal::new(String::new()));
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Error>);
    Effect::new(move |_| {
        if chosen.with(Option::is_some) {
            for signal in [why, text, more_text] {
                signal.set(String::new());
            }
            more.set(false);
            error.set(None);
            open.set(true);
        }
    });
    let long = |text: &str| text.trim().chars().count() >= 8;
    let ready = Signal::derive(move || {
        !why.with(String::is_empty)
            && text.with(|text| long(text))
            && (!more.get() || more_text.with(|text| long(text)))
    });
    let go = move || {
        let Some(row) = chosen.get_untracked() else { return };
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = ipc::call(BreakGlass {
                patient: row.id.clone(),
                facility: row.facility,
                reason: why.get_untracked(),
                text: Private(text.get_untracked()),
                restricted: more.get_untracked().then(|| Private(more_text.get_untracked())),
            })
            .await;
            busy.try_set(false);
            match answer {
                Ok(emergency) => {
                    open.try_set(false);
                    // The link broke before all of it came: Today has the way on.
                    router::go(&if emergency.complete { Route::Patient(row.id) } else { Route::Today });
                }
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    };
    let owner = Text::live(move || {
        chosen.with(|row| say_with(W::GlassWarn, &[row.as_ref().map_or("", |row| row.facility.as_str())]))
    });
    let name = move || chosen.with(|row| row.as_ref().map(|row| row.name.0.clone()));
    view! {
        <Dialog
            title=W::GlassTitle
            open
            t="glass"
            on_close=move || chosen.set(None)
            foot=move || {
                view! { <Button label=W::GlassOpen t="glass-open" kind=Kind::Danger icon=icon::UNLOCK busy off=Signal::derive(move || !ready.get()) on_press=go /> }
            }
        >
            <div class="stack" style="--gap:16px">
                <p><bdi class="strong">{name}</bdi></p>
                <Banner title=owner.clone() body=W::GlassFor tone=Tone::Look t="glass-warning" />
                <Choice
                    label=W::GlassWhy
                    t="glass-why"
                    value=why
                    options=REASONS.into_iter().map(|(code, word)| Opt::new(code, word)).collect()
                />
                <Area label=W::GlassText t="glass-text" value=text hint=W::GlassTextHint lines=2 />
                <Check label=W::GlassRestricted t="glass-restricted" value=more />
                <Show when=move || more.get()>
                    <Area label=W::GlassRestrictedWhy t="glass-restricted-why" value=more_text lines=2 />
                </Show>
                <MaybeError error />
            </div>
        </Dialog>
    }
    .into_any()
}

/// Above a chart that is only open for a time.
#[component]
pub fn OpenForATime(emergency: Emergency) -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Error>);
    let Emergency { patient, facility, until, complete, reason: why } = emergency;
    let fetch = move || {
        let patient = patient.clone();
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(FetchEmergency { patient }).await;
            busy.try_set(false);
            error.try_set(answer.err());
        });
    };
    let title = Text::live(move || say_with(W::EmergencyUntil, &[&format::moment(until)]));
    let body = Text::live(move || say_with(W::EmergencyBody, &[reason(&why), &facility]));
    view! {
        <Banner title body tone=Tone::Stop t="emergency">
            {(!complete)
                .then(|| {
                    view! {
                        <p>{t(W::EmergencyPart)}</p>
                        <div class="row"><Button label=W::EmergencyFetch t="emergency-fetch" icon=icon::REFRESH busy on_press=fetch.clone() /></div>
                    }
                })}
            <MaybeError error />
        </Banner>
    }
    .into_any()
}

/// On Today: one's own open emergencies, and who opened records of this facility.
#[component]
pub fn OfOthers(notices: Vec<Notice>, emergencies: Vec<EmergencyRow>) -> impl IntoView {
    let own = (!emergencies.is_empty()).then(|| {
        let rows = emergencies.into_iter().map(|row| view! { <OwnLine row /> }).collect_view();
        view! { <Card title=W::EmergencyMine flush=true t="emergencies">{rows}</Card> }
    });
    let told = (!notices.is_empty()).then(|| {
        let rows = notices.into_iter().map(|notice| view! { <NoticeLine notice /> }).collect_view();
        view! { <Card title=W::NoticeTitle flush=true t="notices">{rows}</Card> }
    });
    view! {
        {told}
        {own}
    }
    .into_any()
}

#[component]
fn OwnLine(row: EmergencyRow) -> impl IntoView {
    let EmergencyRow { emergency, card } = row;
    let until = emergency.until;
    let tag = move || {
        let label = Text::live(move || say_with(W::EmergencyTag, &[&format::moment(until)]));
        view! { <Tag label tint=Tint::SolidRed icon=icon::CLOCK /> }
    };
    let Some(card) = card else { return view! { <NotYetHere emergency /> }.into_any() };
    let card = StoredValue::new(card);
    view! {
        <RowLink href=Route::Patient(emergency.patient).href() t="emergency-row">
            <Face name=card.with_value(|card| card.name.0.clone()) />
            <span class="grow">
                <span class="main-line"><bdi class="strong">{move || card.with_value(format::name)}</bdi></span>
                <span class="sub"><bdi>{emergency.facility}</bdi></span>
            </span>
            {tag()}
        </RowLink>
    }
    .into_any()
}

/// The glass is broken, and nothing came yet.
#[component]
fn NotYetHere(emergency: Emergency) -> impl IntoView {
    view! { <div class="r" data-t="emergency-not-here"><div class="grow"><OpenForATime emergency /></div></div> }.into_any()
}

#[component]
fn NoticeLine(notice: Notice) -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Error>);
    let id = StoredValue::new(notice.id.clone());
    let see = move || {
        busy.set(true);
        spawn_local(async move {
            // The list comes anew without it.
            let answer = ipc::call(SeeNotice { id: id.get_value() }).await;
            busy.try_set(false);
            error.try_set(answer.err());
        });
    };
    let notice = StoredValue::new(notice);
    let who = move || {
        notice.with_value(|notice| {
            let name = match &notice.card {
                Some(card) => format::name(card),
                None => say(W::NoticePatient).to_owned(),
            };
            if notice.by.is_empty() {
                return say_with(W::NoticeUnknown, &[&name]);
            }
            say_with(W::NoticeLine, &[&notice.by, &format::role(&notice.role), &notice.facility, &name])
        })
    };
    view! {
        <div class="r" data-t="notice">
            <crate::parts::Draw icon=icon::BELL />
            <span class="grow stack" style="--gap:4px">
                <span class="strong">{who}</span>
                <span>
                    {move || notice.with_value(|notice| reason(&notice.reason))} ": "
                    <bdi>{notice.with_value(|notice| notice.text.0.clone())}</bdi>
                </span>
                {notice
                    .with_value(|notice| notice.restricted)
                    .then(|| view! { <span class="strong">{t(W::NoticeRestricted)}</span> })}
                <span class="small quiet">{move || notice.with_value(|notice| format::moment(notice.at))}</span>
                <MaybeError error />
            </span>
            <Button label=W::NoticeSeen t="notice-seen" icon=icon::CHECK busy on_press=see />
        </div>
    }
    .into_any()
}
