//! An open vault that shows nothing: its lease ended, or the operator took the laptop out of service. Nothing is deleted
//! in either, and both pages say so first.

use std::rc::Rc;

use rabta_ipc::gate::{AskLease, ExportUnsent, GetStatus, HandedOver, Phase, RenewLease};
use rabta_ipc::sync::SyncNow;
use wasm_bindgen_futures::spawn_local;

use super::ask::ask;
use super::code::clean;
use super::el::{El, el};
use super::field::code_field;
use super::parts::{Button, Slot, banner, button, form, groups, ltr, para, quiet, send, stack, title};
use super::say::Say;
use super::{Step, enter, gate};
use crate::errors::Tone;
use crate::{W, dom, icon, ipc};

/// How often, and for how long, the shell is asked whether the health exchange answered.
const LOOK_MS: i32 = 1_000;
const LOOKS: u32 = 15;

/// What is read out, and the field for the code that comes back. `taken` after a code that was right, `others` after the
/// last wrong one.
fn by_phone(
    device: &str,
    challenge: &str,
    (head, word): (W, W),
    taken: impl Fn() + 'static,
    others: impl Fn() + 'static,
) -> El {
    let field = code_field(W::LeaseCode, "lease-code", W::LeaseCodeHint);
    let typed = field.clone();
    let field = field.on_input(move || {
        typed.regroup(5, str::to_owned);
        typed.error(None);
    });
    let error = Slot::new();
    let button = send("renew-lease", word, Some(icon::UNLOCK));
    let calls: Rc<(Box<dyn Fn()>, Box<dyn Fn()>)> = Rc::new((Box::new(taken), Box::new(others)));
    let page = {
        let (field, error, button) = (field.clone(), error.clone(), button.clone());
        form(20, move || {
            let code = field.value();
            if clean(&code).is_empty() || button.is_busy() {
                return field.focus();
            }
            error.clear();
            let (field, error, calls) = (field.clone(), error.clone(), calls.clone());
            ask(&button, RenewLease { code }, move |answer| match answer {
                Ok(_) => (calls.0)(),
                Err(problem) if problem.code == "wrong-lease-code" => match problem.detail.as_deref() {
                    Some("0") => (calls.1)(),
                    left => {
                        field.error(Some(Say::one(W::LeaseWrong, left.unwrap_or_default())));
                        field.focus();
                    }
                },
                Err(problem) => error.error(&problem),
            });
        })
    };
    let sheet = el("div")
        .class("sheet stack")
        .gap(12)
        .child(&para("strong", head))
        .child(&para("small quiet", W::LeaseDevice))
        .child(&groups("lease-device", &device.replace('-', "")).attr("data-code", device))
        .child(&para("small quiet", W::LeaseChallenge))
        .child(&groups("lease-challenge", challenge).attr("data-code", challenge));
    page.child(&sheet).child(&field.frame).child(error.place()).child(&button.el)
}

/// Other letters in place of those for which too many codes were wrong.
fn other_letters() -> El {
    banner(Tone::Look, "lease-another", W::LeaseAnother, None, None)
}

/// The laptop's number and the letters to read out, a field for the code, and the server again.
pub fn lease_ended(device: &str, challenge: &str, another: bool) -> El {
    let words = (W::LeaseDo, W::LeaseOpen);
    let asked = by_phone(device, challenge, words, || gate().refresh(), after_the_last_try);
    let page = stack(20).child(&title(W::LeaseTitle, Some(W::LeaseBody.into())));
    let page = if another { page.child(&other_letters()) } else { page };
    let server = Slot::new();
    page.child(&asked).child(server.place()).child(&try_server(server).el)
}

fn after_the_last_try() {
    let here = gate().here();
    spawn_local(async move {
        match ipc::call(GetStatus {}).await.map(|status| status.phase) {
            Ok(Phase::LeaseEnded { device, challenge, .. }) if !here.left() => {
                gate().go(Step::LeaseEnded { device, challenge, another: true });
            }
            _ => gate().refresh(),
        }
    });
}

/// The same before the lease has ended, for who goes for weeks to where no network is.
pub fn more_days() -> El {
    let asked = Slot::new();
    letters(&asked, false);
    stack(20).child(&title(W::LeaseByPhone, Some(W::LeaseReadOut.into()))).child(asked.place()).child(&quiet(
        "back",
        W::SwitchBack,
        || enter(true),
    ))
}

/// Asks the shell for letters to read out, and shows them.
fn letters(asked: &Slot, another: bool) {
    let (asked, here) = (asked.clone(), gate().here());
    spawn_local(async move {
        let answer = ipc::call(AskLease {}).await;
        if here.left() {
            return;
        }
        match answer {
            Ok(told) => {
                let again = asked.clone();
                let words = (W::LeaseReadThis, W::LeaseRenew);
                let others = move || letters(&again, true);
                let page = by_phone(&told.device, &told.challenge, words, || enter(true), others);
                let all = stack(20);
                let all = if another { all.child(&other_letters()) } else { all };
                asked.put(Some(all.child(&page)));
            }
            Err(problem) => asked.error(&problem),
        }
    });
}

/// Tries the health exchange at once. The page goes by itself once it answered.
fn try_server(said: Slot) -> Button {
    let button = button("plain wide", "try-server", W::LeaseTry, Some(icon::REFRESH));
    let own = button.clone();
    button.press(move || {
        let (own, said, here) = (own.clone(), said.clone(), gate().here());
        own.set_busy(true);
        said.clear();
        spawn_local(async move {
            let mut answer = ipc::call(SyncNow {}).await;
            for _ in 0..LOOKS {
                if answer.is_err() {
                    break;
                }
                dom::pause(LOOK_MS).await;
                if here.left() {
                    return;
                }
                match ipc::call(GetStatus {}).await {
                    Ok(status) if !matches!(status.phase, Phase::LeaseEnded { .. }) => {
                        return gate().take(status);
                    }
                    Ok(_) => {}
                    Err(problem) => answer = Err(problem),
                }
            }
            own.set_busy(false);
            match answer {
                Ok(()) => said.put(Some(banner(Tone::Look, "no-server", W::LeaseNoServer, None, None))),
                Err(problem) => said.error(&problem),
            }
        });
    })
}

/// How much is only here, and a file for it that only the health exchange can read.
pub fn revoked(device: &str, unsent: u32, visits: u32) -> El {
    let laptop = el("div")
        .class("sheet stack")
        .gap(8)
        .child(&para("small quiet", W::LeaseDevice))
        .child(&el("p").class("strong").child(&ltr(device).t("revoked-device")));
    let page = stack(20).child(&title(W::RevokedTitle, Some(W::RevokedBody.into())));
    if unsent == 0 {
        return page.child(&banner(Tone::Info, "unsent-none", W::RevokedNothing, None, None)).child(&laptop);
    }
    let counts = Say::With(W::RevokedUnsent, vec![unsent.to_string(), visits.to_string()]);
    let result = Slot::new();
    let button = button("main big wide", "export-unsent", W::RevokedWrite, Some(icon::DOCUMENT));
    let (own, said) = (button.clone(), result.clone());
    let button = button.press(move || {
        let said = said.clone();
        ask(&own, ExportUnsent {}, move |answer| match answer {
            Ok(file) => said.put(Some(written(&file))),
            Err(problem) => said.error(&problem),
        });
    });
    page.child(&banner(Tone::Look, "unsent", counts, Some(W::RevokedDo.into()), None))
        .child(&laptop)
        .child(&button.el)
        .child(result.place())
}

/// Where the file is, and what to do with it.
fn written(file: &HandedOver) -> El {
    let counts = vec![file.records.to_string(), file.visits.to_string()];
    el("div")
        .class("sheet stack")
        .gap(8)
        .attr("role", "status")
        .child(&para("strong", Say::With(W::RevokedWritten, counts)))
        .child(&para("small quiet", W::RevokedFile))
        .child(&el("p").class("strong").child(&ltr(&file.file).t("export-file")))
        .child(&para("", W::RevokedNext))
}
