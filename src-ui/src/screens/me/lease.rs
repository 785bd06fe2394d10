//! How many days of use are left without a word of the health exchange, and the way to more of them by telephone.

use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::gate::{GetLease, LeaseView};

use super::gate;
use crate::parts::{Button, Card, Tag, Tint};
use crate::prefs::{say_count, say_with};
use crate::{W, icon, ipc};

/// From here on it is said loudly.
const FEW: u32 = 7;

#[component]
pub fn LeaseCard() -> impl IntoView {
    let lease = RwSignal::new(None::<LeaseView>);
    spawn_local(async move {
        if let Ok(view) = ipc::call(GetLease {}).await {
            lease.try_set(Some(view));
        }
    });
    let left = move || {
        let LeaseView { days_left, days } = lease.get()?;
        let left = move || say_count(days_left as usize, W::LeaseOneDay, W::LeaseDays);
        let tag = (days_left <= FEW)
            .then(|| view! { <Tag label=W::LeaseSoon tint=Tint::Amber icon=icon::ALERT /> });
        Some(view! {
            <div class="row" data-t="lease-left" data-days=days_left.to_string()>
                <span class="strong">{left}</span>
                {tag}
            </div>
            <p class="small quiet">{move || say_with(W::LeaseMeans, &[&days.to_string()])}</p>
        })
    };
    view! {
        <Card title=W::LeaseHead t="lease">
            <div class="stack" style="--gap:12px">
                {left}
                <div class="row"><Button label=W::LeaseByPhone t="ask-lease" icon=icon::PHONE on_press=|| gate("#more-days") /></div>
            </div>
        </Card>
    }
    .into_any()
}
