//! The visit: written on one page in the order in which it is asked, saved as it is typed; then the page to check and
//! sign, as the specialist will see it.

mod again;
mod aside;
mod assess;
mod before;
mod clash;
mod draft;
mod end;
mod findings;
mod judged;
mod medicines;
mod page;
mod photos;
mod prescription;
mod read;
mod row;
mod signing;
mod start;
mod templates;
mod tests;
mod vitals;
mod words;

pub use page::VisitPageScreen;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::template::Template;
use rabta_ipc::Error;
use rabta_ipc::visit::{
    DiscardDraft, Favorite, FavoriteMedicines, GetTemplates, GetVisit, LastMedicines, LastOrders,
    VisitStatus, VisitView,
};

use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Card, Dialog, Draw, Kind, Skeleton, Tone, toast};
use crate::prefs::t;
use crate::router::{self, Route};
use crate::session::session;
use crate::{W, dom, icon, ipc};
use draft::{Draft, SaveState};

/// What is offered in place of typing. It is there before the page is: a button that came later would move what
/// somebody is about to press.
#[derive(Clone, Default)]
struct Offers {
    templates: Vec<Template>,
    /// What this patient had last.
    last: Option<LastOrders>,
    /// What whoever writes orders most.
    often: Vec<Favorite>,
}

impl Offers {
    async fn of(visit: &VisitView) -> Self {
        let patient = visit.card.id.clone();
        Offers {
            templates: ipc::call(GetTemplates {}).await.unwrap_or_default(),
            last: ipc::call(LastMedicines { patient }).await.unwrap_or_default(),
            often: ipc::call(FavoriteMedicines {}).await.unwrap_or_default(),
        }
    }
}

/// What is offered on this page.
fn offers() -> Offers {
    expect_context::<StoredValue<Offers>>().get_value()
}

/// The visit being written, by its draft's id.
#[component]
pub fn VisitScreen(id: String) -> impl IntoView {
    let session = session();
    let view = RwSignal::new(None::<VisitView>);
    let error = RwSignal::new(None::<Error>);
    let changed_elsewhere = RwSignal::new(false);
    let id = StoredValue::new(id);
    let offered = StoredValue::new(Offers::default());
    provide_context(offered);
    let load = move || {
        spawn_local(async move {
            draft::settled().await;
            let Some(wanted) = id.try_get_value() else { return };
            let answer = ipc::call(GetVisit { id: wanted }).await;
            let Some(wanted) = id.try_get_value() else { return };
            match answer {
                Ok(visit) if visit.status != VisitStatus::Draft => {
                    router::go_instead(&Route::VisitPage(wanted))
                }
                Ok(visit) => {
                    let offers = Offers::of(&visit).await;
                    if error.try_set(None).is_some() {
                        return;
                    }
                    offered.set_value(offers);
                    session.open(visit.card.clone(), None);
                    view.set(Some(visit));
                    if let Some(field) = findings::take_wanted() {
                        dom::after(60, move || findings::go_to(&field));
                    }
                }
                Err(problem) => error.set(Some(problem)),
            }
        });
    };
    load();
    view! {
        <div class="page visit">
            <MaybeError error />
            {move || match view.get() {
                None => view! { <Card><Skeleton lines=8 /></Card> }.into_any(),
                Some(visit) => {
                    let reload = move || {
                        changed_elsewhere.set(true);
                        load();
                    };
                    view! { <Writing visit on_stale=reload on_filled=load changed_elsewhere /> }.into_any()
                }
            }}
        </div>
    }
}

/// The page once the draft is there.
#[component]
fn Writing(
    visit: VisitView,
    #[prop(into)] on_stale: Callback<()>,
    #[prop(into)] on_filled: Callback<()>,
    changed_elsewhere: RwSignal<bool>,
) -> impl IntoView {
    let last = visit.last.clone();
    let replaces = visit.replaces.is_some();
    let id = StoredValue::new(visit.id.clone());
    let patient = StoredValue::new(visit.card.id.clone());
    let draft = Draft::new(visit);
    provide_context(draft);
    let clash_open = RwSignal::new(false);
    let discard_open = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Error>);
    Effect::new(move |_| {
        if draft.stale.get() {
            on_stale.run(());
        }
    });
    band_follows(draft);
    // To another page only once all that was typed is on the disk.
    let leave = move |to: fn(String) -> Route| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let saved = draft.flush().await;
            busy.try_set(false);
            if saved && let Some(id) = id.try_get_value() {
                router::go(&to(id));
            }
        });
    };
    let sign = move || leave(Route::VisitPage);
    let ask = move || leave(Route::Ask);
    keys(draft, sign);
    let discard = move || {
        busy.set(true);
        spawn_local(async move {
            let _ = draft.flush().await;
            let Some(id) = id.try_get_value() else { return };
            let answer = ipc::call(DiscardDraft { id }).await;
            busy.try_set(false);
            discard_open.try_set(false);
            match answer {
                Ok(()) => {
                    draft.stop();
                    toast(W::VisitDiscarded);
                    router::go_instead(&Route::Patient(patient.get_value()));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let foot = move || {
        view! {
            <Button label=W::Cancel t="discard-no" on_press=move || discard_open.set(false) />
            <Button label=W::VisitDiscardYes t="discard-yes" kind=Kind::Danger icon=icon::TRASH busy on_press=discard />
        }
    };
    view! {
        <SaveHead draft changed_elsewhere />
        {replaces.then(|| view! { <Banner title=W::VisitCorrecting t="correcting" /> })}
        <div
            class="two"
            on:focusout=move |_| draft.save_now()
            on:keydown=move |event| {
                if event.key() == "Enter" && !event.ctrl_key() && !event.meta_key() {
                    row::next_field(&event);
                }
            }
        >
            <div class="stack" style="--gap:16px">
                <start::Informant />
                <start::Danger on_ask=ask />
                <templates::Templates on_filled />
                <start::Complaint />
                <start::CurrentMedicines />
                <before::Allergies />
                <before::Pregnancy />
                <vitals::Vitals />
                <tests::Tests />
                <photos::Examination />
                <assess::Assessment />
                <medicines::Medicines on_clash=move || clash_open.set(true) />
                <end::End />
            </div>
            <div class="side stack" style="--gap:16px">
                <aside::Aside last />
            </div>
        </div>
        <MaybeError error />
        <div class="save-bar">
            <Button label=W::VisitDiscard t="discard" kind=Kind::Plain icon=icon::TRASH on_press=move || discard_open.set(true) />
            <span class="grow"></span>
            <Button label=W::VisitAskSpecialist t="ask-specialist" icon=icon::ASKS busy on_press=ask />
            <Button label=W::VisitCheckAndSign t="check-and-sign" kind=Kind::Main icon=icon::SIGN busy on_press=sign />
        </div>
        <clash::ClashQuestion open=clash_open />
        <Dialog title=W::VisitDiscardTitle open=discard_open t="discard-dialog" foot><p>{t(W::VisitDiscardBody)}</p></Dialog>
    }
    .into_any()
}

/// The band says at once what was just answered about allergies: it is what everybody looks at before a medicine.
fn band_follows(draft: Draft) {
    use rabta_domain::patient::Allergies;
    use rabta_domain::visit::AllergyState;
    let session = session();
    let answered = Memo::new(move |_| draft.form.with(|f| f.allergies.clone()));
    Effect::new(move |before: Option<()>| {
        let answer = answered.get();
        if before.is_none() && answer.state == AllergyState::NotAsked {
            return;
        }
        let shown = match answer.state {
            AllergyState::NotAsked => Allergies::NotAsked,
            AllergyState::NoneKnown => Allergies::NoneKnown,
            AllergyState::Known if answer.items.is_empty() => return,
            AllergyState::Known => {
                Allergies::Known(answer.items.into_iter().map(|item| item.substance).collect())
            }
        };
        let same =
            session.patient.with_untracked(|now| now.as_ref().is_none_or(|now| now.card.allergies == shown));
        if !same {
            session.patient.update(|now| {
                if let Some(now) = now {
                    now.card.allergies = shown;
                }
            });
        }
    });
}

/// One quiet word; and a banner where it is not quiet. It stays in sight.
#[component]
fn SaveHead(draft: Draft, changed_elsewhere: RwSignal<bool>) -> impl IntoView {
    let word = move || match draft.state.get() {
        SaveState::Saved => (W::VisitSaved, icon::CHECK),
        SaveState::Saving => (W::VisitSaving, icon::CLOCK),
        SaveState::Failed(_) => (W::VisitNotSaved, icon::STOP),
    };
    view! {
        <div class="visit-head">
            <div class="page-head">
                <h1>{t(W::Visit)}</h1>
                <p
                    class="save-state small"
                    class:bad=move || draft.state.with(|s| matches!(s, SaveState::Failed(_)))
                    data-t="save-state"
                    data-state=move || draft.state.with(SaveState::code)
                    role="status"
                >
                    {move || view! { <Draw icon=word().1 /> }}
                    <span>{move || t(word().0)()}</span>
                </p>
            </div>
            {move || {
                changed_elsewhere.get().then(|| view! { <Banner title=W::VisitStaleTitle body=W::VisitStaleBody tone=Tone::Look t="stale" /> })
            }}
            {move || match draft.state.get() {
                SaveState::Failed(error) => {
                    let (title, _) = crate::errors::words(&error.code);
                    view! { <Banner title body=W::VisitNotSavedBody tone=Tone::Stop code=error.code t="not-saved" /> }.into_any()
                }
                _ => ().into_any(),
            }}
        </div>
    }
    .into_any()
}

/// Ctrl+Enter checks and signs. Before any other command, and before the window goes, what was typed is sent to be kept.
fn keys(draft: Draft, sign: impl Fn() + 'static) {
    let key = window_event_listener(ev::keydown, move |event| {
        if !(event.ctrl_key() || event.meta_key()) {
            return;
        }
        if event.key() == "Enter" {
            event.prevent_default();
            sign();
        } else {
            draft.save_now();
        }
    });
    let hide = window_event_listener(ev::Custom::<ev::Event>::new("pagehide"), move |_| draft.save_now());
    on_cleanup(move || {
        key.remove();
        hide.remove();
    });
}
