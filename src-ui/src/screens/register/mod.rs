//! Registering a patient, and correcting the details: one form. A likely duplicate is shown before it is made; a CNIC
//! used twice asks whose it is.

mod age;
mod contact;
mod form;
mod guardian;
mod identity;
mod papers;
mod questions;

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::patient::{PatientCard, Registration};
use rabta_ipc::patient::{Amend, LikelySame, Likeness, OpenPatient, Register, SharedCnic};

pub use age::{parse_day, show_day};
pub use contact::phone_owner;
pub use papers::paper_word;

use super::{Carried, find::looks_like_name};
use crate::errors::MaybeError;
use crate::parts::{Button, Card, Kind, toast};
use crate::prefs::t;
use crate::router::{self, Route};
use crate::session::session;
use crate::{Text, W, dom, icon, ipc};
use form::Form;

/// `amends`: the Patient whose details are corrected; else a new one.
#[component]
pub fn RegisterScreen(#[prop(optional_no_strip)] amends: Option<String>) -> impl IntoView {
    let carried = expect_context::<Carried>();
    let form = Form::new();
    provide_context(form);
    let error = RwSignal::new(None);
    let busy = RwSignal::new(false);
    let alike = RwSignal::new(Vec::<Likeness>::new());
    let ask_alike = RwSignal::new(false);
    let ask_cnic = RwSignal::new(false);
    let amends = StoredValue::new(amends);
    let new = amends.with_value(Option::is_none);

    if new {
        match carried.unfinished.try_update(Option::take).flatten() {
            Some(unfinished) => form.fill(&unfinished),
            None => {
                let typed = carried.typed.get_untracked();
                if looks_like_name(&typed) {
                    form.name.set(typed.trim().to_owned());
                }
            }
        }
        dom::after(40, || dom::focus("#name"));
        // Whoever looks something up in between finds the form as it was.
        Effect::new(move |_| {
            let now = form.registration();
            carried.unfinished.set((!now.name.trim().is_empty()).then_some(now));
        });
    } else {
        let session = session();
        spawn_local(async move {
            let id = amends.get_value().unwrap_or_default();
            match ipc::call(OpenPatient { id }).await {
                Ok(chart) if amends.try_get_value().is_some() => {
                    session.open(chart.card, Some(chart.hie_seen_at));
                    form.fill(&chart.registration);
                }
                Ok(_) => {}
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    }

    let done = move |card: PatientCard| {
        carried.typed.set(String::new());
        carried.unfinished.set(None);
        toast(Text::live(move || crate::prefs::say_with(W::Registered, &[&crate::format::name(&card)])));
    };
    let send = move |registration: Registration, shared_cnic: Option<SharedCnic>| {
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = match amends.get_value() {
                Some(id) => ipc::call(Amend { id, registration, shared_cnic }).await,
                None => ipc::call(Register { registration, shared_cnic }).await,
            };
            busy.try_set(false);
            match answer {
                Ok(card) => {
                    let to = Route::Patient(card.id.clone());
                    done(card);
                    router::go_instead(&to);
                }
                Err(problem) if problem.code == "cnic-used" => {
                    ask_cnic.try_set(true);
                }
                Err(problem) => {
                    if let Some(field) = &problem.field {
                        form.refused.try_set(Some(field.clone()));
                    }
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let submit = move || {
        form.asked.set(true);
        if busy.get_untracked() {
            return;
        }
        if let Some(field) = form.first_problem() {
            dom::focus(&format!("#{field}, [data-t={field}] input"));
            return;
        }
        let registration = form.registration();
        if !new {
            return send(registration, None);
        }
        busy.set(true);
        spawn_local(async move {
            let answer = ipc::call(LikelySame { registration: registration.clone() }).await;
            busy.try_set(false);
            match answer {
                Ok(found) if found.is_empty() => send(registration, None),
                Ok(found) => {
                    alike.set(found);
                    ask_alike.set(true);
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <form
            class="page"
            style="max-inline-size:940px"
            autocomplete="off"
            on:submit=move |event| {
                event.prevent_default();
                submit();
            }
        >
            <h1>{t(if new { W::RegisterTitle } else { W::AmendTitle })}</h1>
            <Card title=W::RegisterIdentity><identity::Identity new /></Card>
            <Show when=move || form.is_child.get()>
                <Card title=W::GuardianHead><guardian::GuardianFields /></Card>
            </Show>
            <Card title=W::RegisterContact><contact::Contact /></Card>
            <Card title=W::RegisterPapers><papers::Papers /></Card>
            <MaybeError error />
            <div class="save-bar">
                <Button label=W::Cancel t="cancel" on_press=move || { carried.unfinished.set(None); router::back() } />
                <Button
                    label=if new { W::RegisterButton } else { W::Save }
                    t="register"
                    kind=Kind::Main
                    big=true
                    icon=icon::CHECK
                    submit=true
                    busy
                />
            </div>
            <questions::MaybeSame
                open=ask_alike
                alike
                on_new=move || send(form.registration(), None)
                on_same=move |id: String| {
                    carried.unfinished.set(None);
                    router::go_instead(&Route::Patient(id));
                }
            />
            <questions::CnicUsed open=ask_cnic on_answer=move |whose: SharedCnic| send(form.registration(), Some(whose)) />
        </form>
    }
}
