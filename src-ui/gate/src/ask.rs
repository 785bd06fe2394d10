//! Asking the shell from a page, and the pause after wrong tries.

use std::cell::Cell;
use std::rc::Rc;

use rabta_ipc::{Command, Error};
use wasm_bindgen_futures::spawn_local;

use super::el::El;
use super::field::Field;
use super::parts::{Button, Slot, banner};
use super::say::Say;
use super::{Here, gate};
use crate::errors::Tone;
use crate::{W, dom, ipc};

/// Asks while `button` is busy. An answer for a page that was left is dropped.
pub fn ask<C: Command + 'static>(
    button: &Button,
    command: C,
    then: impl FnOnce(Result<C::Reply, Error>) + 'static,
) {
    match ipc::body(&command) {
        Ok(body) => send(
            button.clone(),
            C::NAME,
            body,
            Box::new(move |answer| then(answer.and_then(|json| ipc::reply::<C>(&json)))),
        ),
        Err(problem) => then(Err(problem)),
    }
}

/// The part of [`ask`] that is the same for every command.
fn send(button: Button, name: &'static str, body: String, then: Box<dyn FnOnce(Result<String, Error>)>) {
    let here = gate().here();
    button.set_busy(true);
    spawn_local(async move {
        let answer = ipc::send(name, &body).await;
        if here.left() {
            return;
        }
        button.set_busy(false);
        then(answer);
    });
}

/// The pause after wrong tries: while it lasts, the field and the button are off, and the seconds are counted down.
#[derive(Clone)]
pub struct Pause {
    slot: Slot,
    field: Field,
    button: Button,
    until: Rc<Cell<f64>>,
    left: Rc<Cell<u32>>,
    /// The newest pause counts: an older one that still runs must not make it shorter.
    round: Rc<Cell<u32>>,
}

impl Pause {
    pub fn new(field: &Field, button: &Button) -> Self {
        let (field, button) = (field.clone(), button.clone());
        Pause {
            slot: Slot::new(),
            field,
            button,
            until: Rc::default(),
            left: Rc::default(),
            round: Rc::default(),
        }
    }

    /// Where it stands among its parent's children.
    pub fn place(&self) -> &El {
        self.slot.place()
    }

    pub fn is_on(&self) -> bool {
        self.left.get() > 0
    }

    /// Counts `seconds` down to nothing.
    pub fn begin(&self, seconds: u32) {
        self.until.set(dom::now_ms() + f64::from(seconds) * 1000.0);
        self.round.set(self.round.get().wrapping_add(1));
        self.clone().tick(self.round.get(), gate().here());
    }

    fn tick(self, round: u32, here: Here) {
        if here.left() || self.round.get() != round {
            return;
        }
        let rest = ((self.until.get() - dom::now_ms()) / 1000.0).ceil().max(0.0) as u32;
        if rest != self.left.replace(rest) {
            self.show(rest);
        }
        if rest > 0 {
            dom::after(200, Box::new(move || self.tick(round, here)) as Box<dyn FnOnce()>);
        }
    }

    fn show(&self, rest: u32) {
        self.field.off(rest > 0);
        self.button.off(rest > 0);
        if rest == 0 {
            self.slot.clear();
            return self.field.focus();
        }
        let words = Say::one(W::WaitSeconds, &rest.to_string());
        match self.slot.now().and_then(|banner| banner.first(".title")) {
            Some(title) => drop(title.say(words)),
            None => self.slot.put(Some(banner(Tone::Look, "wait", words, None, None))),
        }
    }
}
