use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_domain::Private;
use rabta_ipc::ask::WithdrawConsent;

use super::open::Open;
use crate::errors::MaybeError;
use crate::parts::{Button, Dialog, Kind};
use crate::prefs::{say, t};
use crate::{W, icon, ipc};

/// For the clinic that asked, as long as somebody outside may read the case: the patient may change their mind.
#[component]
pub fn Withdraw(open: Open) -> impl IntoView {
    let may =
        open.part(|view| view.visit.is_some() && matches!(view.note.consent.as_str(), "given" | "emergency"));
    let (shown, busy, error) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(None));
    let go = move || {
        busy.set(true);
        let reason = Private(say(W::CaseConsentWithdrawn).to_owned());
        spawn_local(async move {
            let answer = ipc::call(WithdrawConsent { ask: open.id(), reason }).await;
            busy.try_set(false);
            match answer {
                Ok(view) => {
                    shown.try_set(false);
                    open.take(Ok(view));
                }
                Err(problem) => {
                    error.try_set(Some(problem));
                }
            }
        });
    };
    let press = move || {
        error.set(None);
        shown.set(true);
    };
    view! {
        <Show when=move || may.get() == Some(true)>
            <Button label=W::ConsentTakeBack t="take-back" kind=Kind::Plain icon=icon::SHIELD on_press=press />
        </Show>
        <Dialog
            title=W::ConsentTakeBack
            open=shown
            t="take-back-dialog"
            foot=move || {
                view! {
                    <Button label=W::Back t="take-back-no" on_press=move || shown.set(false) />
                    <Button label=W::ConsentTakeBackGo t="take-back-yes" kind=Kind::Main busy on_press=go />
                }
            }
        >
            <div class="stack">
                <p>{t(W::ConsentTakeBackBody)}</p>
                <MaybeError error />
            </div>
        </Dialog>
    }
    .into_any()
}
