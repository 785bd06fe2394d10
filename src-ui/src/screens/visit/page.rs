//! The page to check before signing, and the signed visit: one page, as the specialist will see it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::Error;
use rabta_ipc::visit::{Check, CheckVisit, CorrectVisit, GetVisit, SignVisit, VisitStatus, VisitView};

use super::findings::Findings;
use super::prescription::Prescription;
use super::read::Read;
use super::signing::{Meaning, Signed, title};
use crate::errors::MaybeError;
use crate::parts::{Button, Card, Kind, LinkButton, Skeleton};
use crate::prefs::t;
use crate::router::{self, Route};
use crate::session::session;
use crate::{W, dom, icon, ipc};

#[component]
pub fn VisitPageScreen(id: String) -> impl IntoView {
    let session = session();
    let shown = RwSignal::new(None::<(VisitView, Option<Check>)>);
    let error = RwSignal::new(None::<Error>);
    let id = StoredValue::new(id);
    let load = move || {
        spawn_local(async move {
            super::draft::settled().await;
            let Some(wanted) = id.try_get_value() else { return };
            let answer = ipc::call(GetVisit { id: wanted.clone() }).await;
            let visit = match answer {
                Ok(visit) => visit,
                Err(problem) => {
                    error.try_set(Some(problem));
                    return;
                }
            };
            let check = match visit.status {
                VisitStatus::Draft => match ipc::call(CheckVisit { id: wanted }).await {
                    Ok(check) => Some(check),
                    Err(problem) => {
                        error.try_set(Some(problem));
                        None
                    }
                },
                VisitStatus::Signed | VisitStatus::Replaced => None,
            };
            // The page was left meanwhile: the answer is for nobody.
            if id.try_get_value().is_some() {
                session.open(visit.card.clone(), None);
                shown.set(Some((visit, check)));
            }
        });
    };
    load();
    // Where the record is may change while one reads it.
    Effect::new(move |before: Option<()>| {
        let changed = session.patient_changed.get().1;
        let ours = shown.with_untracked(|s| {
            s.as_ref().is_some_and(|(v, _)| v.status != VisitStatus::Draft && v.card.id == changed)
        });
        if before.is_some() && ours {
            load();
        }
    });
    // Outside of what is drawn anew when the record moves on: an open panel stays open.
    let printing = Printing { open: RwSignal::new(false), at_once: RwSignal::new(0) };
    let draft = Memo::new(move |_| {
        shown.with(|s| s.as_ref().is_none_or(|(visit, _)| visit.status == VisitStatus::Draft))
    });
    view! {
        <div class="page visit-page" style="max-inline-size:940px">
            {move || match shown.get() {
                None => view! { <Card><Skeleton lines=8 /></Card> }.into_any(),
                Some((visit, check)) => view! { <Page visit check /> }.into_any(),
            }}
            {move || {
                let at_once = printing.at_once.get() > 0;
                printing.open.get().then(|| view! { <Prescription visit=id.get_value() draft at_once /> })
            }}
            <MaybeError error />
            {move || {
                let (visit, check) = shown.get()?;
                Some(view! { <Bar visit check reload=load error printing /> })
            }}
        </div>
    }
}

/// The panel for papers.
#[derive(Clone, Copy)]
struct Printing {
    open: RwSignal<bool>,
    /// Counts how often it was opened to print by itself.
    at_once: RwSignal<u32>,
}

/// What will be signed, or was.
#[component]
fn Page(visit: VisitView, #[prop(optional_no_strip)] check: Option<Check>) -> impl IntoView {
    let draft = visit.status == VisitStatus::Draft;
    let replaced = visit.status == VisitStatus::Replaced;
    let findings = check.map(|check| {
        view! { <Findings visit=visit.id.clone() findings=check.findings form=visit.form.clone() /> }
    });
    let signed = visit.signed.clone().map(|by| view! { <Signed by custody=visit.custody /> });
    view! {
        <div class="page-head">
            <div>
                <h1>{title(!draft, replaced).view()}</h1>
                <p class="quiet">{t(W::PageAsSeen)}</p>
            </div>
        </div>
        {signed}
        {findings}
        <Read card=visit.card.clone() form=visit.form />
        {draft.then(|| view! { <Meaning /> })}
    }
    .into_any()
}

/// What can be done with it.
#[component]
fn Bar(
    visit: VisitView,
    #[prop(optional_no_strip)] check: Option<Check>,
    #[prop(into)] reload: Callback<()>,
    error: RwSignal<Option<Error>>,
    printing: Printing,
) -> impl IntoView {
    let draft = visit.status == VisitStatus::Draft;
    let replaced = visit.status == VisitStatus::Replaced;
    let id = StoredValue::new(visit.id.clone());
    let busy = RwSignal::new(false);
    let stops = check.as_ref().is_none_or(|check| check.findings.iter().any(|f| f.stops));
    let sign = move |and_print: bool| {
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = ipc::call(SignVisit { id: id.get_value() }).await;
            busy.try_set(false);
            match answer {
                Ok(_) => {
                    if let Some(work) = dom::document().query_selector(".work").ok().flatten() {
                        work.set_scroll_top(0);
                    }
                    reload.run(());
                    if and_print {
                        printing.at_once.try_update(|n| *n += 1);
                        printing.open.try_set(true);
                        dom::after(60, || dom::reveal("[data-t=prescription-panel]"));
                    }
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let correct = move || {
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = ipc::call(CorrectVisit { id: id.get_value() }).await;
            busy.try_set(false);
            match answer {
                Ok(visit) => router::go(&Route::Visit(visit.id)),
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let ask = match &visit.ask {
        Some(ask) => {
            view! { <LinkButton label=W::PageRead t="see-ask" icon=icon::ASKS href=Route::Case(ask.clone()).href() /> }.into_any()
        }
        None => {
            let href = Route::Ask(visit.id.clone()).href();
            view! { <LinkButton label=W::VisitAskSpecialist t="ask-specialist" icon=icon::ASKS href /> }.into_any()
        }
    };
    let has_medicines = !visit.form.medicines.is_empty();
    let main = if draft {
        view! {
            <LinkButton label=W::PageGoOn t="go-on" icon=icon::PEN href=Route::Visit(visit.id.clone()).href() />
            <Button
                label=W::PageSign
                t="sign"
                kind=if has_medicines { Kind::default() } else { Kind::Main }
                big=!has_medicines
                icon=icon::SIGN
                busy
                off=Signal::stored(stops)
                on_press=move || sign(false)
            />
            {has_medicines
                .then(|| {
                    view! {
                        <Button
                            label=W::SignAndPrint
                            t="sign-and-print"
                            kind=Kind::Main
                            big=true
                            icon=icon::PRINT
                            busy
                            off=Signal::stored(stops)
                            on_press=move || sign(true)
                        />
                    }
                })}
        }
        .into_any()
    } else {
        let may_correct = !replaced;
        view! {
            {may_correct.then(|| view! { <Button label=W::PageCorrect t="correct" icon=icon::PEN busy on_press=correct /> })}
        }
        .into_any()
    };
    view! {
        <div class="save-bar">
            <LinkButton label=W::PagePatient t="back-to-patient" kind=Kind::Plain icon=icon::BACK href=Route::Patient(visit.card.id).href() />
            <span class="grow"></span>
            {has_medicines
                .then(|| {
                    let open = move || {
                        printing.open.set(true);
                        dom::after(30, || dom::reveal("[data-t=prescription-panel]"));
                    };
                    view! { <Button label=W::PagePrescription t="prescription" icon=icon::PRINT on_press=open /> }
                })}
            {ask}
            {main}
        </div>
    }
    .into_any()
}
