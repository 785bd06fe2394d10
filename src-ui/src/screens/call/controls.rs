use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::call::{CameraOff, HangUp, Mute, SendStill};
use rabta_ipc::{Command, Error};
use wasm_bindgen::JsCast;

use crate::errors::MaybeError;
use crate::icon::Icon;
use crate::parts::{Button, Kind};
use crate::prefs::say;
use crate::session::session;
use crate::{Text, W, dom, icon, ipc};

/// Mute, camera, still, chat, end; each with its word and its key (M, V, S, C, Ctrl+E).
#[component]
pub fn Controls() -> impl IntoView {
    let session = session();
    let error = RwSignal::new(None::<Error>);
    let part = move |part: fn(&rabta_ipc::call::CallView) -> bool| {
        Memo::new(move |_| session.call.with(|call| call.as_ref().is_some_and(part)))
    };
    let (muted, camera_off) = (part(|call| call.muted), part(|call| call.camera_off));
    let (camera, microphone) = (part(|call| call.has_camera), part(|call| call.has_microphone));
    let mute = move |_: ()| run(Mute { on: !muted.get_untracked() }, error);
    let picture = move |_: ()| run(CameraOff { on: !camera_off.get_untracked() }, error);
    let still = move |_: ()| run(SendStill {}, error);
    let end = move |_: ()| run(HangUp {}, error);
    let keys = window_event_listener(ev::keydown, move |event| {
        // By place: an Urdu layout has other letters on the same keys.
        let key = event.code();
        let command = event.ctrl_key() || event.meta_key();
        if command && key == "KeyE" {
            event.prevent_default();
            end(());
            return;
        }
        if command || event.alt_key() || writing(&event) {
            return;
        }
        match key.as_str() {
            "KeyM" if microphone.get_untracked() => mute(()),
            "KeyV" if camera.get_untracked() => picture(()),
            "KeyS" if camera.get_untracked() => still(()),
            "KeyC" => {
                // The letter itself is not part of what is written.
                event.prevent_default();
                dom::focus("#chat-box");
            }
            _ => {}
        }
    });
    on_cleanup(move || keys.remove());
    let two =
        |on: Memo<bool>, yes: W, no: W| Text::live(move || say(if on.get() { yes } else { no }).to_owned());
    let without = |there: Memo<bool>| Signal::derive(move || !there.get());
    let drawn = |on: Memo<bool>, yes: Icon, no: Icon| move || if on.get() { yes } else { no };
    let (mic_sign, camera_sign) =
        (drawn(muted, icon::MIC_OFF, icon::MIC), drawn(camera_off, icon::VIDEO_OFF, icon::VIDEO));
    view! {
        <div class="controls" role="toolbar" aria-label=crate::prefs::t(W::CallTitle)>
            {move || view! { <Button label=two(muted, W::CallUnmute, W::CallMute) t="mute" icon=mic_sign() off=without(microphone) on_press=mute /> }}
            {move || view! { <Button label=two(camera_off, W::CallCameraOn, W::CallCameraOff) t="camera-off" icon=camera_sign() off=without(camera) on_press=picture /> }}
            <Button label=W::CallStill t="still" icon=icon::CAMERA off=without(camera) on_press=still />
            <Button label=W::CallChat t="chat-go" icon=icon::MESSAGE on_press=move || dom::focus("#chat-box") />
            <Button label=W::CallEnd t="hang-up" kind=Kind::Danger icon=icon::PHONE_OFF on_press=end />
        </div>
        <p class="code ltr" aria-hidden="true">{crate::prefs::t(W::CallKeys)}</p>
        <MaybeError error />
    }
    .into_any()
}

fn run<C: Command<Reply = ()> + 'static>(command: C, error: RwSignal<Option<Error>>) {
    spawn_local(async move {
        error.try_set(ipc::call(command).await.err());
    });
}

/// The key belongs to something that is being written.
fn writing(event: &web_sys::KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}
