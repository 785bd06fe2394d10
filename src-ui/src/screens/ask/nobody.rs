use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::ask::State;
use rabta_domain::patient::Custody;
use rabta_ipc::ask::{GetRoster, Roster};

use super::open::Open;
use crate::parts::{Banner, Tone};
use crate::prefs::t;
use crate::session::session;
use crate::{W, ipc};

/// Urgent, and nobody has looked yet: whom to telephone now. Only at the clinic that asked.
#[component]
pub fn NobodySeen(open: Open) -> impl IntoView {
    let roster = RwSignal::new(Roster::default());
    let unseen = open.part(|view| {
        let refer = view.row.state == State::NobodyOnDuty;
        (view.nobody_has_seen, view.phone.clone(), view.row.custody, refer)
    });
    let session = session();
    let shown = move || unseen.get().filter(|(nobody, ..)| *nobody && !session.is_specialist());
    Effect::new(move |before: Option<bool>| {
        let needed = shown().is_some();
        if needed && before != Some(true) {
            spawn_local(async move {
                if let Ok(answer) = ipc::call(GetRoster {}).await {
                    roster.try_set(answer);
                }
            });
        }
        needed
    });
    move || {
        let (_, phone, custody, refer) = shown()?;
        let (title, body) = match refer {
            true => (W::AskRefer, W::AskReferBody),
            false => (W::AskNobodySeen, W::AskNobodySeenBody),
        };
        let roster = roster.get();
        let line = |word: W, name: String, number: String| {
            (!number.is_empty()).then(|| {
                view! {
                    <p class="dial">
                        <span>{t(word)} {(!name.is_empty()).then(|| view! { ": " <bdi>{name}</bdi> })}</span>
                        <a class="ltr" href=format!("tel:{}", number.replace(' ', ""))>{number.clone()}</a>
                    </p>
                }
            })
        };
        Some(view! {
            <Banner title body tone=Tone::Stop t="nobody-seen">
                {(custody == Custody::Here || custody == Custody::NeedsYou)
                    .then(|| view! { <p class="strong">{t(W::AskNotLeft)}</p> })}
                {line(W::AskDutyPhone, String::new(), phone.unwrap_or_default())}
                {line(W::AskEmergencyPhone, String::new(), roster.emergency_phone)}
                {line(W::AskReferral, roster.referral_hospital, roster.referral_phone)}
            </Banner>
        })
    }
}
