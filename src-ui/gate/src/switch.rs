//! Another person of this laptop takes over, while the vault is open: by PIN, or by the passphrase where it was not given
//! since the vault was opened.

use rabta_ipc::Error;
use rabta_ipc::gate::{Member, Phase, SwitchPerson, Unlock};

use super::ask::ask;
use super::el::{El, el};
use super::parts::{Slot, form, para, person_row, quiet, stack, title};
use super::say::Say;
use super::training::reminder;
use super::unlock::{Entry, opened, pick};
use super::{enter, gate};
use crate::W;

pub fn page() -> El {
    let people = gate().of_status(|status| status.people.clone()).unwrap_or_default();
    let asked = Slot::new();
    let list = el("div").class("people").attr("role", "group").say_attr("aria-label", W::SwitchTitle);
    let list = people.iter().fold(list, |list, member| {
        let row = person_row(&member.person, member.active);
        let (own, all, member, asked) = (row.clone(), list.clone(), member.clone(), asked.clone());
        list.child(&row.on("click", move |_| {
            // Who is at work goes on.
            if member.active {
                return back();
            }
            pick(&all, &own);
            asked.put(Some(secret_of(&member, member.pin, &asked)));
        }))
    });
    let page = stack(20).child(&title(W::SwitchTitle, Some(W::SwitchBody.into())));
    let page = if gate().is_training() { page.child(&reminder()) } else { page };
    page.child(&list).child(asked.place()).child(&quiet("back", back_word(), back))
}

/// Whether the screen is locked: then the way back leads there.
fn screen_is_locked() -> bool {
    gate().of_status(|status| matches!(status.phase, Phase::ScreenLocked { .. })).unwrap_or(false)
}

fn back_word() -> W {
    if screen_is_locked() { W::Back } else { W::SwitchBack }
}

fn back() {
    if screen_is_locked() {
        // Not `refresh`: the shell would say nothing new.
        return gate().go_to_lock();
    }
    enter(true);
}

/// The PIN or the passphrase of who was chosen.
fn secret_of(member: &Member, by_pin: bool, asked: &Slot) -> El {
    let label = Say::one(W::SwitchTake, &member.person.name);
    let entry = if by_pin { Entry::pin("take-over", label) } else { Entry::passphrase("take-over", label) };
    let page = {
        let (entry, member, asked) = (entry.clone(), member.clone(), asked.clone());
        form(20, move || {
            let Some(secret) = entry.ready(if by_pin { 4 } else { 1 }) else { return };
            let (own, person, asked) = (entry.clone(), member.person.id.clone(), asked.clone());
            let member = member.clone();
            let answered = move |answer: Result<(), Error>| match answer {
                Ok(()) => opened(),
                Err(problem) => match own.refused(problem) {
                    Some(problem) if problem.code == "passphrase-first" && by_pin => {
                        asked.put(Some(secret_of(&member, false, &asked)));
                    }
                    Some(problem) if problem.code == "vault-locked" => gate().refresh(),
                    Some(problem) => own.error.error(&problem),
                    None => {}
                },
            };
            if by_pin {
                ask(&entry.button, SwitchPerson { person, pin: secret }, answered);
            } else {
                ask(&entry.button, Unlock { person, passphrase: secret }, answered);
            }
        })
    };
    let page =
        if by_pin { page } else { page.child(&para("small quiet", W::SwitchFirst).t("passphrase-first")) };
    entry.onto(page)
}
