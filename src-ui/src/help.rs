//! Help in words beside each page: `?` in the rail or F1 opens it, Escape closes it, and it follows the page. The work
//! beside it goes on.

use leptos::prelude::*;

use crate::parts::{Button, Draw, Kind};
use crate::prefs::t;
use crate::router::Route;
use crate::{W, dom, icon};

/// Whether it is open. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Help(RwSignal<bool>);

impl Help {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Help(RwSignal::new(false))
    }

    pub fn toggle(&self) {
        if self.0.get_untracked() { self.close() } else { self.open() }
    }

    fn open(&self) {
        self.0.set(true);
        dom::after(0, || dom::focus("[data-t=help]"));
    }

    /// The keyboard goes back to the button that it came from.
    pub fn close(&self) {
        if self.0.get_untracked() {
            self.0.set(false);
            dom::after(0, || dom::focus("[data-t=help-open]"));
        }
    }
}

/// A page's title and its few sentences.
fn about(route: &Route) -> (W, &'static [W]) {
    match route {
        Route::Today => (W::Today, &[W::HelpToday1, W::HelpToday2, W::HelpToday3]),
        Route::Find => (W::Find, &[W::HelpFind1, W::HelpFind2, W::HelpFind3, W::HelpFind4]),
        Route::Register | Route::Amend(_) => {
            (W::NewPatient, &[W::HelpRegister1, W::HelpRegister2, W::HelpRegister3, W::HelpRegister4])
        }
        Route::Patient(_) => {
            (W::Patient, &[W::HelpPatient1, W::HelpPatient2, W::HelpPatient3, W::HelpPatient4])
        }
        Route::Visit(_) => {
            (W::Visit, &[W::HelpVisit1, W::HelpVisit2, W::HelpVisit3, W::HelpVisit4, W::HelpVisit5])
        }
        Route::VisitPage(_) => (W::PageCheckTitle, &[W::HelpPage1, W::HelpPage2, W::HelpPage3, W::HelpPage4]),
        Route::Ask(_) => (W::VisitAskSpecialist, &[W::HelpAsk1, W::HelpAsk2, W::HelpAsk3]),
        Route::Asks => (W::Asks, &[W::HelpAsks1, W::HelpAsks2, W::HelpAsks3]),
        Route::Case(_) => (W::Asks, &[W::HelpCase1, W::HelpCase2, W::HelpCase3, W::HelpCase4]),
        Route::Advice(_) => (W::AdviceTitle, &[W::HelpAdvice1, W::HelpAdvice2, W::HelpAdvice3]),
        Route::Call(_) => (W::PhoneCall, &[W::HelpCall1, W::HelpCall2, W::HelpCall3]),
        Route::Phone(_) => (W::PhoneCall, &[W::HelpPhone1, W::HelpPhone2, W::HelpPhone3]),
        Route::Sync => (W::Records, &[W::HelpSync1, W::HelpSync2, W::HelpSync3]),
        Route::Me => (W::Me, &[W::HelpMe1, W::HelpMe2, W::HelpMe3, W::HelpMe4]),
    }
}

/// In the rail.
#[component]
pub fn HelpButton(help: Help) -> impl IntoView {
    view! {
        <button
            type="button"
            data-t="help-open"
            aria-expanded=move || help.0.get().to_string()
            aria-keyshortcuts="F1"
            on:click=move |_| help.toggle()
        >
            <Draw icon=icon::QUESTION />
            <span>{t(W::HelpOpen)}</span>
        </button>
    }
    .into_any()
}

/// Beside the work.
#[component]
pub fn HelpPanel(help: Help, route: Memo<Route>) -> impl IntoView {
    let body = move || {
        let (title, sentences) = about(&route.get());
        let lines =
            sentences.iter().map(|word| view! { <li data-t="help-line">{t(*word)}</li> }).collect_view();
        view! {
            <h2>{t(title)}</h2>
            <ul class="stack" style="--gap:12px">{lines}</ul>
        }
    };
    move || {
        help.0.get().then(|| {
            view! {
                <aside class="help" data-t="help" aria-label=t(W::HelpOpen) tabindex="-1">
                    <div class="head">
                        <span class="small quiet">{t(W::HelpOpen)}</span>
                        <Button
                            label=W::HelpClose
                            t="help-close"
                            kind=Kind::Plain
                            icon=icon::CLOSE
                            icon_only=true
                            on_press=move || help.close()
                        />
                    </div>
                    {body}
                    <p class="small quiet">{t(W::HelpKeys)}</p>
                </aside>
            }
        })
    }
}
