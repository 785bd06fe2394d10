//! The clinic's other laptops on the same Wi-Fi.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::sync::{Nearby, SetNearby};

use crate::errors::MaybeError;
use crate::parts::{Card, Check};
use crate::prefs::{say, say_with, t};
use crate::session::session;
use crate::{W, format, ipc};

#[component]
pub fn NearbyCard(nearby: Nearby) -> impl IntoView {
    let session = session();
    let on = RwSignal::new(nearby.on);
    let error = RwSignal::new(None);
    let change = move |()| {
        spawn_local(async move {
            error.try_set(ipc::call(SetNearby { on: on.get_untracked() }).await.err());
            // The page asks again.
            session.chip.notify();
        });
    };
    let lines = move || {
        if !nearby.on {
            return String::new();
        }
        if nearby.met.is_empty() {
            return say(if nearby.failed { W::NearbyFailed } else { W::NearbyNobody }).to_owned();
        }
        let line = |met: &rabta_ipc::sync::NearbyLaptop| {
            let (given, got) = (met.handed.to_string(), met.taken.to_string());
            say_with(W::NearbyMet, &[&met.name, &format::ago(met.at), &given, &got])
        };
        nearby.met.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    view! {
        <Card title=W::NearbyTitle t="nearby">
            <div class="stack">
                <p class="quiet">{t(W::NearbyBody)}</p>
                <MaybeError error />
                <Check label=W::NearbyOn t="nearby-on" value=on on_change=Callback::new(change) />
                <p data-t="nearby-met" style="white-space:pre-line" role="status">{lines}</p>
            </div>
        </Card>
    }
    .into_any()
}
