use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::call::{AcceptCall, DeclineCall};

use crate::errors::MaybeError;
use crate::parts::{Banner, Button, Kind, Tone};
use crate::router::{self, Route};
use crate::session::session;
use crate::{Text, W, dom, icon, ipc};

use super::{NOW, video};

/// Somebody rings: on every page, above the work, with two large answers. It takes nothing away from what is being
/// typed.
#[component]
pub fn Ringing() -> impl IntoView {
    let session = session();
    let incoming = Memo::new(move |_| {
        session.call.with(|call| {
            let call = call.as_ref().filter(|call| call.ended.is_none())?;
            let leg = call.legs.iter().find(|leg| leg.phase == "incoming")?;
            Some((call.ask.clone(), leg.name.clone()))
        })
    });
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None);
    Effect::new(move |_| {
        if incoming.with(Option::is_some) {
            video::warm();
        } else {
            video::cool();
        }
    });
    let accept = move |ask: String| {
        let pressed_at = dom::now_ms() as i64;
        busy.set(true);
        spawn_local(async move {
            if let Err(problem) = ipc::call(AcceptCall { video: true, pressed_at }).await {
                error.try_set(Some(problem));
            }
            busy.try_set(false);
        });
        // The page is drawn while the shell accepts.
        router::go(&Route::Call(if ask.is_empty() { NOW.to_owned() } else { ask }));
    };
    let decline = move |_: ()| {
        spawn_local(async move {
            if let Err(problem) = ipc::call(DeclineCall {}).await {
                error.try_set(Some(problem));
            }
        });
    };
    move || {
        let (ask, name) = incoming.get()?;
        Some(view! {
            <div class="ringing">
                <Banner title=Text::with(W::CallIncoming, vec![name]) tone=Tone::Look t="call-incoming">
                    <div class="row">
                        <Button label=W::CallAccept t="call-accept" kind=Kind::Main big=true icon=icon::VIDEO busy on_press=move || accept(ask.clone()) />
                        <Button label=W::CallDecline t="call-decline" kind=Kind::Danger big=true icon=icon::PHONE_OFF on_press=decline />
                    </div>
                    <MaybeError error />
                </Banner>
            </div>
        })
    }
}
