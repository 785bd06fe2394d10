//! The recovery code: shown once, asked back once, and what opens the vault when the passphrase is forgotten.

use std::rc::Rc;

use rabta_domain::Private;
use rabta_ipc::Error;
use rabta_ipc::gate::{ConfirmRecovery, NewRecovery, PersonRef, UnlockRecovery};

use super::ask::{Pause, ask};
use super::code::clean;
use super::el::{El, el};
use super::field::{Field, code_field};
use super::new_secrets::Twice;
use super::parts::{Slot, banner, button, form, groups, para, quiet, send, stack, title};
use super::say::Say;
use super::{ME, Step, enter, gate, leave};
use crate::errors::Tone;
use crate::{W, icon};

pub fn show() -> El {
    let how = el("p")
        .class("row top")
        .attr("style", "flex-wrap:nowrap")
        .icon(icon::PEN)
        .child(&el("span").say(W::RecoveryHow));
    let written = button("main big wide", "written", W::RecoveryWritten, Some(icon::CHECK))
        .press(|| gate().go(Step::RecoveryAsk));
    stack(20)
        .child(&title(W::RecoveryTitle, Some(W::RecoveryBody.into())))
        .child(&groups("recovery-code", &gate().recovery.borrow()))
        .child(&how)
        .child(&written.el)
}

/// The code's field; what was said of it goes when something is typed.
fn field() -> Field {
    let field = code_field(W::RecoveryLabel, "recovery", W::CodeHint);
    field.focus_soon();
    let own = field.clone();
    field.on_input(move || own.error(None))
}

pub fn ask_back() -> El {
    // Known only right after joining: the shell shows it once.
    let shown = !gate().recovery.borrow().is_empty();
    let field = field();
    let error = Slot::new();
    let button = send("compare", W::RecoveryCheck, None);
    let page = {
        let (field, error, button) = (field.clone(), error.clone(), button.clone());
        form(20, move || {
            let typed = field.value();
            if typed.trim().is_empty() || button.is_busy() {
                return field.focus();
            }
            let (field, error) = (field.clone(), error.clone());
            ask(&button, ConfirmRecovery { typed: Private(typed) }, move |answer| match answer {
                Ok(true) => confirmed(),
                Ok(false) => {
                    error.clear();
                    field.error(Some(W::RecoveryWrong.into()));
                    field.focus();
                }
                Err(problem) => error.error(&problem),
            });
        })
    };
    let page = page
        .child(&title(W::RecoveryAskTitle, Some(W::RecoveryAskBody.into())))
        .child(&field.frame)
        .child(error.place())
        .child(&button.el);
    if shown {
        let page = page.child(&quiet("show-again", W::RecoveryShowAgain, || gate().go(Step::RecoveryShow)));
        return if gate().adding.get() {
            page.child(&quiet("later", W::AddLater, || leave(ME)))
        } else {
            page
        };
    }
    page.child(&para("small quiet", W::RecoveryNewHint)).child(&another(error))
}

/// It was read back: a laptop's first person goes on with the patients, the others are done.
fn confirmed() {
    gate().recovery.take();
    if gate().adding.get() {
        return leave(ME);
    }
    match gate().of_status(|status| status.people.len()) {
        Some(2..) => enter(false),
        _ => gate().go(Step::Pull),
    }
}

/// A button for another code, where the first was not read back in time.
fn another(error: Slot) -> El {
    let button = button("plain wide", "new-recovery", W::RecoveryNew, None);
    let own = button.clone();
    let press = button.press(move || {
        let error = error.clone();
        ask(&own, NewRecovery {}, move |answer| match answer {
            Ok(recovery) => {
                *gate().recovery.borrow_mut() = recovery.code.0;
                gate().go(Step::RecoveryShow);
            }
            Err(problem) => error.error(&problem),
        });
    });
    press.el
}

/// Opening with the recovery code, and a new passphrase and PIN with it.
pub fn reopen(person: &PersonRef) -> El {
    let field = field();
    let (passphrase, pin) = (Twice::passphrase(""), Twice::pin());
    let button = send("use-recovery", W::SetNew, None);
    let (error, pause) = (Slot::new(), Pause::new(&field, &button));
    let answered: Rc<dyn Fn(Result<(), Error>)> = {
        let (field, error, pause) = (field.clone(), error.clone(), pause.clone());
        Rc::new(move |answer| {
            let Err(problem) = answer else { return enter(false) };
            if let Some(seconds) = problem.seconds {
                pause.begin(seconds);
            }
            match problem.code.as_str() {
                "wrong-recovery" | "code-malformed" | "code-unknown" => {
                    field.error(Some(W::WrongRecovery.into()));
                    field.focus();
                }
                "wait" => {}
                _ => error.error(&problem),
            }
        })
    };
    let page = {
        let (field, button, error, pause) = (field.clone(), button.clone(), error.clone(), pause.clone());
        let (passphrase, pin, id) = (passphrase.clone(), pin.clone(), person.id.clone());
        form(16, move || {
            if button.is_busy() || pause.is_on() {
                return;
            }
            let typed = field.value();
            if clean(&typed).is_empty() {
                return field.focus();
            }
            let Some(passphrase) = passphrase.take() else { return };
            let Some(pin) = pin.take() else { return };
            error.clear();
            let command = UnlockRecovery {
                person: id.clone(),
                recovery: Private(typed),
                passphrase: Private(passphrase),
                pin: Private(pin),
            };
            let answered = answered.clone();
            ask(&button, command, move |answer| answered(answer));
        })
    };
    let facility = Some(Say::Fixed(person.facility.clone())).filter(|_| !person.facility.is_empty());
    let who = banner(Tone::Info, "who", Say::Fixed(person.name.clone()), facility, None);
    let page = page
        .child(&title(W::UseRecoveryTitle, Some(W::UseRecoveryBody.into())))
        .child(&who)
        .child(&field.frame);
    pin.onto(passphrase.onto(page))
        .child(&para("sr", W::PinHint))
        .child(pause.place())
        .child(error.place())
        .child(&button.el)
        .child(&quiet("back", W::Back, || gate().refresh()))
}
