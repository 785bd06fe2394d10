//! Every component with its states, once from left to right and once from right to left. What a designer or a newcomer
//! opens first: a page of its own beside the window, no part of what ships. The names here are
//! nobody's. It is in English, with every word of the components in the language chosen in the window.

use std::sync::Arc;

use leptos::prelude::*;
use rabta_domain::Private;
use rabta_domain::patient::{AgeShown, Allergies, Custody, PatientCard, Relation, Sex};

use rabta_ui::parts::{
    Area, Banner, Button, Card, Check, Choice, Combobox, Dialog, Draw, Empty, Face, Field, Found, Kind,
    LinkButton, Moment, NumberField, Opt, PassField, PatientBand, PhotoThumb, Pick, Progress, RowButton,
    RowLink, Skeleton, SyncState, SyncWords, Tag, Timeline, Tint, TinyChart, Toasts, Tone, toast,
    toast_with_undo,
};
use rabta_ui::prefs::{say, t};
use rabta_ui::session::BandPatient;
use rabta_ui::{Text, W, dom, icon};

fn main() {
    console_error_panic_hook::set_once();
    rabta_ui::prefs::show();
    dom::set_screen("gallery");
    mount_to_body(Gallery);
}

#[component]
fn Gallery() -> impl IntoView {
    view! {
        <main class="work" style="block-size:100vh"><div class="page wide">
            <h1>"Components"</h1>
            <p>"Every component with its states, in both directions."</p>
            <div class="gallery">
                <section dir="ltr"><Components /></section>
                <section dir="rtl" data-t="gallery-rtl"><Components /></section>
            </div>
        </div></main>
        <Toasts />
    }
}

#[component]
fn Part(name: &'static str, children: Children) -> impl IntoView {
    view! {
        <Card title=name>
            <div class="stack">{children()}</div>
        </Card>
    }
}

#[component]
fn Components() -> impl IntoView {
    view! {
        <div class="stack">
            <Buttons />
            <Fields />
            <Choices />
            <Combos />
            <Rows />
            <Messages />
            <Pictures />
            <Bands />
        </div>
    }
}

#[component]
fn Buttons() -> impl IntoView {
    let yes = Signal::stored(true);
    view! {
        <Part name="Button">
            <div class="row">
                <Button label=W::Save t="g-main" kind=Kind::Main icon=icon::CHECK />
                <Button label=W::Cancel t="g-usual" />
                <Button label=W::Remove t="g-danger" kind=Kind::Danger icon=icon::TRASH />
                <Button label=W::Undo t="g-plain" kind=Kind::Plain icon=icon::UNDO />
                <Button label=W::Close t="g-icon" icon=icon::CLOSE icon_only=true />
            </div>
            <div class="row">
                <Button label=W::Save t="g-busy" kind=Kind::Main busy=yes />
                <Button label=W::Save t="g-off" kind=Kind::Main off=yes />
                <Button label=W::Cancel t="g-off-usual" off=yes />
                <LinkButton label=W::Today t="g-link" href="#" icon=icon::NEXT />
                <Button label=W::StartVisit t="g-big" kind=Kind::Main big=true icon=icon::STETHOSCOPE />
            </div>
        </Part>
    }
}

#[component]
fn Fields() -> impl IntoView {
    let text = |value: &str| RwSignal::new(value.to_owned());
    let wrong = Signal::derive(|| Some(say(W::NameMissing).to_owned()));
    let odd = Signal::derive(|| Some(say(W::AgeSmallHint).to_owned()));
    view! {
        <Part name="Field, number, area, secret, pick">
            <div class="grid-2">
                <Field label=W::FullName t="g-name" value=text("") hint=W::FullNameHint />
                <Field label=W::FullName t="g-name-filled" value=text("عائشہ بی بی") optional_word=true />
                <Field label=W::FullName t="g-name-wrong" value=text("") error=wrong />
                <Field label=W::Phone t="g-phone" value=text("0300 1234567") ltr=true icon=icon::PHONE off=Signal::stored(true) />
                <NumberField label=W::VitalWeight t="g-weight" value=text("64.2") unit="kg" decimals=1 />
                <NumberField label=W::Age t="g-age" value=text("3") unit=W::AgeYears warning=odd />
                <PassField label=W::PassLabel t="g-pass" value=text("secret words here") />
                <PassField label=W::PinLabel t="g-pin" value=text("2580") pin=true />
                <Area label=W::History t="g-area" value=text("") placeholder=W::LandmarkHint />
                <Pick
                    label=W::PaperKind
                    t="g-pick"
                    value=text("cnic")
                    options=vec![("cnic", W::PaperCnic.into()), ("none", W::PaperNone.into())]
                />
            </div>
        </Part>
    }
}

#[component]
fn Choices() -> impl IntoView {
    // Radio buttons of one name belong together, so each direction's set keeps its own value but shares the name.
    let none = RwSignal::new(String::new());
    let one = RwSignal::new("female".to_owned());
    let options =
        || vec![Opt::new("female", W::SexFemale), Opt::new("male", W::SexMale), Opt::new("other", W::SexX)];
    let wrong = Signal::derive(|| Some(say(W::SexMissing).to_owned()));
    view! {
        <Part name="Choice, check">
            <Choice label=W::Sex t="g-sex" value=one options=options() />
            <Choice label=W::Sex t="g-sex-wrong" value=none options=options() error=wrong />
            <Choice label=W::Sex t="g-sex-off" value=one options=options() off=Signal::stored(true) even=true />
            <Check label=W::PaperSeen t="g-check" value=RwSignal::new(true) />
            <Check label=W::Newborn t="g-check-2" value=RwSignal::new(false) hint=W::NewbornHint />
            <Check label=W::SafeCall t="g-check-off" value=RwSignal::new(true) off=Signal::stored(true) />
        </Part>
    }
}

#[component]
fn Combos() -> impl IntoView {
    let search = Arc::new(|q: String| {
        let answer = async move {
            ["Paracetamol", "Penicillin V", "Phenobarbital", "Amoxicillin"]
                .into_iter()
                .filter(|name| name.to_lowercase().contains(&q.to_lowercase()))
                .map(|name| Found { id: name.to_owned(), text: name.to_owned(), note: "tablet".to_owned() })
                .collect::<Vec<_>>()
        };
        Box::pin(answer) as std::pin::Pin<Box<dyn Future<Output = Vec<Found>>>>
    });
    view! {
        <Part name="Combobox: type a p">
            <Combobox label=W::Medicines t="g-combo" text=RwSignal::new(String::new()) search on_take=|_: Found| {} hint=W::FindHint />
        </Part>
    }
}

#[component]
fn Rows() -> impl IntoView {
    let off = Signal::stored(false);
    let on = Signal::stored(true);
    view! {
        <Card title="Row, tag, face" flush=true>
            <RowLink href="#" t="g-row">
                <Face name="Ayesha Bibi" />
                <span class="grow">
                    <span class="main-line"><bdi class="strong">"Ayesha Bibi"</bdi><Tag label=W::Urgent tint=Tint::Amber /></span>
                    <span class="sub"><span>"Chak 45 SB"</span><span>"MR 3740-000123-4"</span></span>
                </span>
            </RowLink>
            <RowButton t="g-row-on" on_press=|| {} selected=on><span class="grow strong">{t(W::Patient)}</span></RowButton>
            <RowButton t="g-row-off" on_press=|| {} selected=off><span class="grow">{t(W::Visit)}</span></RowButton>
        </Card>
        <Part name="Tag, sync chip">
            <div class="row">
                <Tag label=W::CustodyAtHie />
                <Tag label=W::CustodySeen tint=Tint::Teal icon=icon::CHECK />
                <Tag label=W::CustodyHere tint=Tint::Amber icon=icon::CLOUD_OFF />
                <Tag label=W::CustodyNeedsYou tint=Tint::Red icon=icon::CLOUD_ALERT />
                <Tag label=W::Emergency tint=Tint::SolidRed icon=icon::ALERT />
            </div>
            <div class="row" style="background:var(--rail);padding:12px;border-radius:8px;--gap:20px">
                {[(0, 0, true), (9, 0, false), (5, 1, true), (0, 0, false)]
                    .map(|(only_here, needs_you, reachable)| {
                        let state =
                            SyncState { only_here, visits: only_here / 3, needs_you, carried: 0, reachable };
                        view! {
                            <span class=format!("chip {}", SyncWords::class(state))>
                                <Draw icon=SyncWords::icon(state) />
                                " "
                                {move || SyncWords::text(state)}
                            </span>
                        }
                    })
                    .collect_view()}
            </div>
        </Part>
    }
}

#[component]
fn Messages() -> impl IntoView {
    let open = RwSignal::new(false);
    let foot = move || view! { <Button label=W::Yes t="g-dialog-yes" kind=Kind::Main on_press=move || open.set(false) /> };
    view! {
        <Part name="Banner, dialog, toast">
            <Banner title=W::PullSafe tone=Tone::Info />
            <Banner title=W::ErrUnreachable body=W::ErrUnreachableBody tone=Tone::Look code="hie-unreachable" />
            <Banner title=W::ErrDiskFull body=W::ErrDiskFullBody tone=Tone::Stop code="disk-full" />
            <div class="row">
                <Button label=W::CnicUsedTitle t="g-dialog" on_press=move || open.set(true) />
                <Button label=W::Save t="g-toast" on_press=|| toast(W::CustodyHere) />
                <Button label=W::Remove t="g-toast-undo" on_press=|| toast_with_undo(W::Remove, || toast(W::Undo)) />
            </div>
            <Dialog title=W::CnicUsedTitle open foot><p>{t(W::CnicUsedBody)}</p></Dialog>
        </Part>
    }
}

#[component]
fn Pictures() -> impl IntoView {
    // A drawn square: a photo's place without a photo.
    let photo = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 3'%3E%3Crect width='4' height='3' fill='%23c98'/%3E%3Ccircle cx='2' cy='1.5' r='.8' fill='%23833'/%3E%3C/svg%3E";
    let moment = |when: &str, what: &str, tint| Moment {
        when: when.into(),
        what: what.into(),
        more: Some("Headache, swollen feet".into()),
        tint,
        href: Some("#".to_owned()),
    };
    view! {
        <Part name="Progress, skeleton, chart, timeline, photo, empty">
            <Progress label=Text::with(W::PullCount, vec!["340".to_owned(), "1,000".to_owned()]) of=Signal::stored((340, 1000)) />
            <Skeleton />
            <TinyChart values=vec![118.0, 126.0, 150.0, 142.0] usual=(90.0, 140.0) label=W::VitalBp />
            <Timeline moments=vec![
                moment("27 Oct 2026", "Gestational hypertension", Tint::Teal),
                moment("2 Aug 2026", "Antenatal check", Tint::Grey),
                moment("1 Jun 2026", "Snake bite", Tint::Red),
            ] />
            <div class="row">
                <PhotoThumb src=photo caption=W::Patient />
                <PhotoThumb src=photo caption=W::Patient intimate=true />
            </div>
            <Empty icon=icon::INBOX title=W::QueueEmptyTitle body=W::QueueEmptyBody />
        </Part>
    }
}

#[component]
fn Bands() -> impl IntoView {
    let card = |allergies, approximate, pregnant_weeks| PatientCard {
        id: "gallery".to_owned(),
        name: "Ayesha Bibi".into(),
        name_ur: Some("عائشہ بی بی".into()),
        prefix: None,
        relation: Some(Relation { code: "HUSB".to_owned(), name: "Muhammad Akram".into() }),
        sex: Sex::Female,
        age: Some(AgeShown { months_low: 34 * 12, months_high: 34 * 12 + 11, approximate }),
        mr: Some("3740-000123-4".into()),
        village: "Chak 45 SB".into(),
        phone_tail: Some("4567".into()),
        allergies,
        pregnant_weeks,
        last_visit: None,
        custody: Custody::Here,
    };
    let bands = [
        card(Allergies::NotAsked, true, None),
        card(Allergies::NoneKnown, false, None),
        card(
            Allergies::Known(vec![Private("Penicillin".to_owned()), Private("Sulfa".to_owned())]),
            true,
            Some(24),
        ),
    ];
    view! {
        <Card title="Patient band" flush=true>
            {bands.map(|card| view! { <PatientBand patient=BandPatient { card, hie_seen_at: Some(None), until: None } /> }).collect_view()}
        </Card>
    }
}
