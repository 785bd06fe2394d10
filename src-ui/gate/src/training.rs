//! The way to the training vault: invented patients, no way to the health exchange.

use rabta_ipc::gate::OpenTraining;
use wasm_bindgen_futures::spawn_local;

use super::el::El;
use super::parts::{Slot, banner, button, stack};
use super::say::Say;
use super::{enter, gate};
use crate::errors::Tone;
use crate::{W, ipc};

/// A quiet button that opens it.
pub fn practice() -> El {
    let error = Slot::new();
    let button = button("plain wide", "practice", W::Practice, None);
    let (pressed, said) = (button.clone(), error.clone());
    let button = button.press(move || {
        let (pressed, said, here) = (pressed.clone(), said.clone(), gate().here());
        pressed.set_busy(true);
        said.clear();
        spawn_local(async move {
            let answer = ipc::call(OpenTraining {}).await;
            if here.left() {
                return;
            }
            match answer {
                Ok(()) => enter(false),
                Err(problem) => {
                    pressed.set_busy(false);
                    said.error(&problem);
                }
            }
        });
    });
    stack(8).child(error.place()).child(&button.el)
}

/// On a locked screen of the training vault: that it is one, and its PIN.
pub fn reminder() -> El {
    banner(Tone::Info, "training", W::PracticeHere, Some(Say::Word(W::PracticePin)), None)
}
