//! Unlocking: the passphrase for the vault, the PIN for the screen. A wrong one is said, delayed, never punished by
//! losing anything.

use std::cell::RefCell;
use std::rc::Rc;

use rabta_domain::Private;
use rabta_ipc::Error;
use rabta_ipc::gate::{GetStatus, LockVault, PersonRef, Phase, Unlock, UnlockPin};
use wasm_bindgen_futures::spawn_local;

use super::ask::{Pause, ask};
use super::el::{El, el};
use super::field::{Field, secret};
use super::parts::{Slot, face, form, person_row, quiet, role, send, title};
use super::say::Say;
use super::training::{practice, reminder};
use super::{Step, enter, gate};
use crate::{W, icon, ipc};

/// A secret that opens: its field, the pause, the error, and the button that sends it.
#[derive(Clone)]
pub struct Entry {
    pub field: Field,
    pub button: super::parts::Button,
    pub error: Slot,
    pub pause: Pause,
    /// What a wrong one is called, and what is said of it.
    wrong: (&'static str, W),
}

impl Entry {
    pub fn passphrase(t: &str, label: Say) -> Self {
        let wrong = ("wrong-passphrase", W::WrongPass);
        Self::new(secret(W::PassLabel, "passphrase", None, false), t, label, wrong)
    }

    /// The passphrase of now, where another one is chosen.
    pub fn old_passphrase(t: &str, label: Say) -> Self {
        let wrong = ("wrong-passphrase", W::WrongPass);
        Self::new(secret(W::SecretsOld, "old-passphrase", None, false), t, label, wrong)
    }

    pub fn pin(t: &str, label: Say) -> Self {
        Self::new(secret(W::PinLabel, "pin", None, true), t, label, ("wrong-pin", W::WrongPin))
    }

    fn new(field: Field, t: &str, label: Say, wrong: (&'static str, W)) -> Self {
        let button = send(t, label, Some(icon::UNLOCK));
        field.focus_soon();
        let own = field.clone();
        let field = field.on_input(move || own.error(None));
        let pause = Pause::new(&field, &button);
        Entry { field, button, error: Slot::new(), pause, wrong }
    }

    /// What is in it, ready to be sent; where nothing is, the keyboard goes there.
    pub fn ready(&self, shortest: usize) -> Option<Private<String>> {
        if self.button.is_busy() || self.pause.is_on() {
            return None;
        }
        let typed = self.field.value();
        if typed.len() < shortest {
            self.field.focus();
            return None;
        }
        self.error.clear();
        self.field.error(None);
        Some(Private(typed))
    }

    /// Says why it did not open. What a page answers in its own way comes back.
    pub fn refused(&self, problem: Error) -> Option<Error> {
        if let Some(seconds) = problem.seconds {
            self.pause.begin(seconds);
        }
        if problem.code == self.wrong.0 {
            self.field.set("");
            self.field.error(Some(self.wrong.1.into()));
            self.field.focus_soon();
            return None;
        }
        Some(problem).filter(|problem| problem.code != "wait")
    }

    /// These at the end of the page.
    pub fn onto(&self, page: El) -> El {
        page.child(&self.field.frame)
            .child(self.pause.place())
            .child(self.error.place())
            .child(&self.button.el)
    }
}

/// The vault is open: to the app, or on with the set-up where it is not finished.
pub fn opened() {
    let here = gate().here();
    spawn_local(async move {
        match ipc::call(GetStatus {}).await.map(|status| status.phase) {
            Ok(Phase::Open { .. }) | Err(_) if !here.left() => enter(false),
            _ => gate().refresh(),
        }
    });
}

/// Who, and the passphrase.
pub fn vault() -> El {
    let persons = gate().of_status(|status| match &status.phase {
        Phase::Locked { persons } => persons.clone(),
        _ => Vec::new(),
    });
    let persons = persons.unwrap_or_default();
    let who: Rc<RefCell<Option<PersonRef>>> = Rc::new(RefCell::new(None));
    let entry = Entry::passphrase("unlock", W::Unlock.into());
    let page = {
        let (entry, who) = (entry.clone(), who.clone());
        form(20, move || {
            let Some(person) = who.borrow().as_ref().map(|person| person.id.clone()) else { return };
            let Some(passphrase) = entry.ready(1) else { return };
            let own = entry.clone();
            ask(&entry.button, Unlock { person, passphrase }, move |answer| match answer {
                Ok(()) => opened(),
                Err(problem) => match own.refused(problem) {
                    Some(problem) if problem.code.starts_with("vault-") => gate().refresh(),
                    Some(problem) => own.error.error(&problem),
                    None => {}
                },
            });
        })
    };
    let forgot = {
        let who = who.clone();
        quiet("forgot", W::Forgot, move || {
            let person = who.borrow().clone();
            if let Some(person) = person {
                gate().go(Step::UseRecovery(person));
            }
        })
    };
    // Who has to be known before the passphrase is asked.
    let below = entry.onto(el("div").class("stack").gap(20)).child(&forgot);
    below.flag("hidden", persons.len() != 1);
    let several = persons.len() > 1;
    let label = if several { W::UnlockWho } else { W::UnlockTitle };
    let list = el("div").class("people").attr("role", "group").say_attr("aria-label", label);
    let list = persons.iter().fold(list, |list, person| {
        let row = person_row(person, false);
        let (own, all, who) = (row.clone(), list.clone(), who.clone());
        let (person, below, field) = (person.clone(), below.clone(), entry.field.clone());
        list.child(&row.on("click", move |_| {
            pick(&all, &own);
            *who.borrow_mut() = Some(person.clone());
            below.flag("hidden", false);
            field.focus();
        }))
    });
    if let [only] = persons.as_slice() {
        *who.borrow_mut() = Some(only.clone());
        list.each(|_, row| row.set("aria-pressed", "true"));
    }
    let facility = persons.first().map(|person| person.facility.clone()).filter(|name| !name.is_empty());
    let heading = facility.map_or(Say::Word(label), Say::Fixed);
    if let Some(seconds) = gate().of_status(|status| status.wait_seconds).filter(|seconds| *seconds > 0) {
        entry.pause.begin(seconds);
    }
    page.child(&title(heading, Some(W::UnlockBody.into()))).child(&list).child(&below).child(&practice())
}

/// Marks one row of a list.
pub fn pick(list: &El, row: &El) {
    list.each(|_, other| other.set("aria-pressed", if other == row { "true" } else { "false" }));
}

/// The PIN, within the shift.
pub fn screen(person: &PersonRef) -> El {
    let entry = Entry::pin("unlock-pin", W::Unlock.into());
    let page = {
        let entry = entry.clone();
        form(20, move || {
            let Some(pin) = entry.ready(4) else { return };
            let own = entry.clone();
            ask(&entry.button, UnlockPin { pin }, move |answer| match answer {
                Ok(()) => still_open(),
                Err(problem) => match own.refused(problem) {
                    Some(problem) if problem.code == "vault-locked" => gate().refresh(),
                    Some(problem) => own.error.error(&problem),
                    None => {}
                },
            });
        })
    };
    let line = el("span").class("small quiet").child(&el("span").say(role(&person.role)));
    let line = if person.facility.is_empty() {
        line
    } else {
        line.child(&el("span").text(" \u{00B7} ")).child(&el("bdi").text(&person.facility))
    };
    let words = el("span")
        .class("grow")
        .child(&el("span").class("strong").child(&el("bdi").t("locked-name").text(&person.name)))
        .child(&el("br"))
        .child(&line);
    let who = el("div").class("sheet row").gap(12).child(&face(&person.name)).child(&words);
    let page = page.child(&title(W::ScreenLocked, Some(W::ScreenLockedBody.into())));
    let page = if gate().is_training() { page.child(&reminder()) } else { page };
    let page = entry.onto(page.child(&who));
    let page = match gate().of_status(|status| status.people.len()) {
        Some(2..) => page.child(&quiet("somebody-else", W::NotMe, || gate().go(Step::Switch))),
        _ => page,
    };
    page.child(&quiet("use-passphrase", W::UsePassphrase, || {
        spawn_local(async {
            let _ = ipc::call(LockVault {}).await;
            gate().refresh();
        });
    }))
}

/// The screen is unlocked: back to where one was, unless the vault shows nothing.
fn still_open() {
    spawn_local(async {
        match ipc::call(GetStatus {}).await {
            Ok(status) if !matches!(status.phase, Phase::Open { .. }) => gate().take(status),
            _ => enter(true),
        }
    });
}
