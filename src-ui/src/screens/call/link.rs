use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::link::{GetLinks, LinksView};

use crate::parts::{Card, Face, RowLink, Tag, Tint};
use crate::router::Route;
use crate::{W, dom, format, icon, ipc};

/// Somebody may press Join at any moment.
const LOOK_MS: i32 = 4_000;

/// The open links, of one patient or of all, looked at again and again for as long as the page lives.
#[derive(Clone, Copy)]
pub(super) struct Links {
    pub view: RwSignal<Option<LinksView>>,
    patient: StoredValue<Option<String>>,
}

impl Links {
    pub fn of(patient: Option<String>) -> Self {
        let links = Links { view: RwSignal::new(None), patient: StoredValue::new(patient) };
        spawn_local(async move {
            while links.look().await {
                dom::pause(LOOK_MS).await;
            }
        });
        links
    }

    /// Looks now; says whether the page is still there.
    pub async fn look(self) -> bool {
        let Some(patient) = self.patient.try_get_value() else { return false };
        if let Ok(view) = ipc::call(GetLinks { patient }).await
            && self.view.try_with_untracked(|before| before.as_ref() != Some(&view)) == Some(true)
        {
            self.view.try_set(Some(view));
        }
        self.patient.try_get_value().is_some()
    }
}

/// On Today: patients who wait on their phones now.
#[component]
pub fn Waiting() -> impl IntoView {
    let links = Links::of(None);
    let here = Memo::new(move |_| {
        links.view.with(|view| {
            let links = view.as_ref().map(|view| view.links.as_slice()).unwrap_or_default();
            links.iter().filter(|link| link.here).map(|link| link.card.clone()).collect::<Vec<_>>()
        })
    });
    move || {
        let rows = here
            .get()
            .into_iter()
            .map(|card| {
                let card = StoredValue::new(card);
                view! {
                    <RowLink href=card.with_value(|card| Route::Phone(card.id.clone()).href()) t="waiting-row">
                        <Face name=card.with_value(|card| card.name.0.clone()) />
                        <span class="grow main-line">
                            <bdi class="strong">{move || card.with_value(format::name)}</bdi>
                            <span>{move || card.with_value(format::age_sex)}</span>
                        </span>
                        <Tag label=W::PhoneHere tint=Tint::Teal icon=icon::PHONE />
                    </RowLink>
                }
            })
            .collect_view();
        (!here.with(Vec::is_empty))
            .then(|| view! { <Card title=W::PhoneWaiting flush=true t="phone-waiting">{rows}</Card> })
    }
}
