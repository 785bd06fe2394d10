//! A laptop was lost: which backup, what opens it, and the code that makes this laptop known in its place.

use rabta_domain::Private;
use rabta_ipc::gate::{BackupRow, ListBackups, Restore};

use super::ask::ask;
use super::code::{clean, from_message};
use super::el::{El, el};
use super::field::{code_area, line, secret};
use super::new_secrets::Twice;
use super::parts::{Slot, banner, button, form, ltr, para, quiet, send, title};
use super::{Step, enter, gate};
use crate::errors::Tone;
use crate::{W, dom, icon};

/// The backups on the sticks that are plugged in, or in a folder that is named.
pub fn find() -> El {
    let place = line(W::BackupPlace, "backup-place", W::RestorePlaceHint);
    let (error, found) = (Slot::new(), Slot::new());
    let button = send("find-backups", W::RestoreLook, Some(icon::SEARCH));
    let page = {
        let (place, button, error, found) = (place.clone(), button.clone(), error.clone(), found.clone());
        form(20, move || {
            if button.is_busy() {
                return;
            }
            error.clear();
            found.clear();
            let (error, found) = (error.clone(), found.clone());
            ask(&button, ListBackups { place: place.value() }, move |answer| match answer {
                Ok(rows) => {
                    let list = el("ul").class("stack").gap(12);
                    found.put(Some(rows.into_iter().fold(list, |list, backup| list.child(&row(backup)))));
                }
                Err(problem) => error.error(&problem),
            });
        })
    };
    page.child(&title(W::RestoreTitle, Some(W::RestoreBody.into())))
        .child(&place.frame)
        .child(error.place())
        .child(&button.el)
        .child(found.place())
        .child(&quiet("back", W::Back, || gate().go(Step::Code)))
}

/// Whose it is, when it was made, and where it lies.
fn facts(backup: &BackupRow) -> El {
    let people = el("p").class("strong").child(&el("bdi").text(&backup.persons.join(", ")));
    let (day, time) = dom::local_moment(backup.made_at as f64);
    let made = el("p").child(&ltr(&[day.as_str(), " ", &time].concat()).t("backup-made"));
    let path = el("p").class("small quiet").child(&ltr(&backup.path));
    el("div").class("grow stack").gap(4).child(&people).child(&made).child(&path)
}

fn row(backup: BackupRow) -> El {
    let shown = facts(&backup);
    let choose = button("", "choose-backup", W::RestoreThis, None)
        .press(move || gate().go(Step::RestoreWith(backup.clone())));
    el("li").class("sheet stack").gap(12).t("backup").child(&shown).child(&choose.el)
}

pub fn with(backup: &BackupRow) -> El {
    let code = code_area(W::CodeLabel, "code", W::RestoreCodeHint);
    let typed = code.clone();
    let code = code.on_input(move || drop(typed.regroup(5, from_message)));
    let given = secret(W::RestoreGiven, "given", None, false);
    let (passphrase, pin) = (Twice::passphrase(""), Twice::pin());
    let (error, doing) = (Slot::new(), Slot::new());
    let button = send("restore-now", W::RestoreNow, Some(icon::SHIELD));
    let page = {
        let (code, given, button, path) = (code.clone(), given.clone(), button.clone(), backup.path.clone());
        let (passphrase, pin, error, doing) = (passphrase.clone(), pin.clone(), error.clone(), doing.clone());
        form(16, move || {
            if button.is_busy() {
                return;
            }
            if clean(&code.value()).is_empty() {
                return code.focus();
            }
            if given.value().trim().is_empty() {
                return given.focus();
            }
            let Some(passphrase) = passphrase.take() else { return };
            let Some(pin) = pin.take() else { return };
            let command = Restore {
                backup: path.clone(),
                code: code.value(),
                given: Private(given.value()),
                passphrase: Private(passphrase),
                pin: Private(pin),
            };
            error.clear();
            doing.put(Some(banner(Tone::Info, "restoring", W::RestoreDoing, None, None)));
            let (error, doing) = (error.clone(), doing.clone());
            ask(&button, command, move |answer| {
                doing.clear();
                match answer {
                    Ok(recovery) => {
                        *gate().recovery.borrow_mut() = recovery.code.0;
                        gate().go(Step::RecoveryShow);
                    }
                    Err(problem) => error.error(&problem),
                }
            });
        })
    };
    code.focus_soon();
    // Not from a stick: this laptop's own records, of which there are two copies.
    let own = backup.path.is_empty();
    let page = if own {
        page.child(&title(W::AnewTitle, Some(W::AnewBody.into())))
    } else {
        page.child(&title(W::RestoreTitle, None)).child(&el("div").class("sheet").child(&facts(backup)))
    };
    let page = page.child(&code.frame).child(&given.frame);
    let page = page.child(&para("strong", W::PassTitle));
    pin.onto(passphrase.onto(page))
        .child(&para("sr", W::PinHint))
        .child(error.place())
        .child(&button.el)
        .child(doing.place())
        .child(&quiet("back", W::Back, move || if own { enter(true) } else { gate().go(Step::Restore) }))
}
