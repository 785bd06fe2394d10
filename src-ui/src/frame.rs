//! The frame around every page of the app: the rail (a bottom bar where it is narrow), the patient band, the work.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::gate::LeaveTraining;

use crate::icon::Icon;
use crate::parts::{Banner, Button, Kind, LinkButton, Mark, PatientBand, SyncState, SyncWords, Toasts, Tone};
use crate::prefs::{say, t};
use crate::router::{self, Route};
use crate::session::{self, Session, session};
use crate::{Text, W, dom, guide, help, icon, ipc, screens};

/// The whole app.
#[component]
pub fn App() -> impl IntoView {
    provide_context(session::start());
    provide_context(screens::Carried::default());
    let session = session();
    let route = router::current();
    Effect::new(move |_| {
        let route = route.get();
        dom::set_screen(route.screen());
        // Pages about nobody in particular: the last patient's name must not stay.
        if matches!(
            route,
            Route::Today | Route::Find | Route::Register | Route::Asks | Route::Sync | Route::Me
        ) {
            session.close();
        }
    });
    let help = help::Help::new();
    keys(help);
    view! {
        <div class="app">
            <Rail session route help />
            <div style="grid-area:band;min-inline-size:0">
                <Practice session />
                <guide::Guide route />
                {move || session.patient.get().map(|patient| view! { <PatientBand patient /> })}
                <screens::call::Ringing />
                <CallStrip session route />
                <Show when=move || session.disk_full.get()>
                    <div style="padding:12px 24px 0">
                        <Banner title=W::ErrDiskFull body=W::ErrDiskFullBody tone=Tone::Stop t="disk-full" />
                    </div>
                </Show>
            </div>
            <main class="work" data-t="work" tabindex="-1">{move || screens::show(route.get())}</main>
            <help::HelpPanel help route />
        </div>
        <Toasts />
    }
}

/// In the training vault: said above everything, in a color of its own, with the way out.
#[component]
fn Practice(session: Session) -> impl IntoView {
    let on = Memo::new(move |_| session.status.with(|status| status.as_ref().is_some_and(|s| s.training)));
    Effect::new(move |_| dom::mark_training(on.get()));
    let leave = || {
        spawn_local(async {
            if ipc::call(LeaveTraining {}).await.is_ok() {
                dom::replace_page(session::GATE);
            }
        });
    };
    move || {
        on.get().then(|| {
            view! {
                <div class="practice" data-t="practice" role="status">
                    <strong>{t(W::PracticeStrip)}</strong>
                    <div class="row">
                        <Show when=|| !guide::is_shown()>
                            <Button label=W::GuideOpen t="guide-open" icon=icon::QUESTION on_press=guide::show />
                        </Show>
                        <Button label=W::PracticeLeave t="practice-leave" on_press=leave />
                    </div>
                </div>
            }
        })
    }
}

/// Today, Find, Asks, Sync, Me: five, always in this order.
#[component]
fn Rail(session: Session, route: Memo<Route>, help: help::Help) -> impl IntoView {
    let item = move |to: Route, words: Text, icon: Icon, t: &'static str| {
        let here = {
            let to = to.clone();
            move || {
                let now = route.get();
                let same = now == to
                    || (to == Route::Asks
                        && matches!(now, Route::Case(_) | Route::Advice(_) | Route::Call(_)))
                    || (to == Route::Find
                        && matches!(
                            now,
                            Route::Register | Route::Patient(_) | Route::Amend(_) | Route::Phone(_)
                        ));
                same.then_some("page")
            }
        };
        view! {
            <a href=to.href() data-t=t aria-current=here>
                <crate::parts::Draw icon />
                <span>{words.view()}</span>
            </a>
        }
        .into_any()
    };
    let chip = move || {
        session.chip.with(|chip| SyncState {
            only_here: chip.here_only as usize,
            visits: chip.visits_here_only as usize,
            needs_you: chip.needs_you as usize,
            carried: chip.carried as usize,
            reachable: chip.reachable,
        })
    };
    // There is nowhere to send it to: where it is says nothing about practice.
    let practice =
        Memo::new(move |_| session.status.with(|status| status.as_ref().is_some_and(|s| s.training)));
    let asks = Text::live(move || say(if session.is_specialist() { W::Queue } else { W::Asks }).to_owned());
    view! {
        <nav class="rail" aria-label=t(W::MainMenu)>
            <Mark />
            {item(Route::Today, W::Today.into(), icon::TODAY, "go-today")}
            {item(Route::Find, W::Find.into(), icon::SEARCH, "go-find")}
            {item(Route::Asks, asks, icon::ASKS, "go-asks")}
            <span class="gap"></span>
            <a
                href=Route::Sync.href()
                class=move || SyncWords::class(chip())
                data-t="sync-chip"
                aria-current=move || (route.get() == Route::Sync).then_some("page")
            >
                {move || view! { <crate::parts::Draw icon=SyncWords::icon(chip()) /> }}
                <span>{move || if practice.get() { say(W::PracticeChip).to_owned() } else { SyncWords::text(chip()) }}</span>
            </a>
            {item(Route::Me, W::Me.into(), icon::ME, "go-me")}
            <help::HelpButton help />
        </nav>
    }
    .into_any()
}

/// While a call runs and another page is open: who it is with, and the way back.
#[component]
fn CallStrip(session: Session, route: Memo<Route>) -> impl IntoView {
    move || {
        let call = session.call.get().filter(|call| call.ended.is_none())?;
        let to = match call.link {
            Some(link) => Route::Phone(link.patient),
            None if call.ask.is_empty() => Route::Call(crate::screens::call::NOW.to_owned()),
            None => Route::Call(call.ask),
        };
        if route.get() == to {
            return None;
        }
        let leg = call.legs.iter().find(|leg| leg.phase != "ended")?;
        if leg.phase == "incoming" {
            return None;
        }
        Some(view! {
            <div style="padding:8px 24px 0">
                <Banner title=Text::with(W::CallWith, vec![leg.name.clone()]) tone=Tone::Info t="call-strip">
                    <div class="row">
                        <LinkButton label=W::CallGo t="go-call" kind=Kind::Main icon=icon::PHONE href=to.href() />
                    </div>
                </Banner>
            </div>
        })
    }
}

/// Ctrl+K: Find. Ctrl+L: lock the screen. F1: help, and Escape closes it where nothing else took that key.
fn keys(help: help::Help) {
    let handle = window_event_listener(ev::keydown, move |event| {
        let command = event.ctrl_key() || event.meta_key();
        match event.key().as_str() {
            "k" | "K" if command => {
                event.prevent_default();
                router::go(&Route::Find);
                dom::after(0, || dom::focus_whole("#find-box", true));
            }
            "l" | "L" if command => {
                event.prevent_default();
                session::lock_screen();
            }
            "F1" => {
                event.prevent_default();
                help.toggle();
            }
            "Escape" if !event.default_prevented() => help.close(),
            _ => {}
        }
    });
    on_cleanup(move || handle.remove());
}
