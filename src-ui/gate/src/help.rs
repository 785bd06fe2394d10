//! Help in words on each page of the gate, as the app has it: its button or F1 opens it, Escape closes it, and it follows
//! the page. What was typed stays.

use std::cell::Cell;

use wasm_bindgen::JsCast;

use super::el::{El, el, listen};
use super::parts::button;
use super::{Step, gate};
use crate::{W, dom, icon};

thread_local! {
    static OPEN: Cell<bool> = const { Cell::new(false) };
}

/// A page's few sentences; none where the page itself says all that there is to say.
fn about(step: &Step) -> &'static [W] {
    match step {
        Step::Loading | Step::Failed(_) => &[],
        Step::Language => &[W::HelpLanguage1],
        Step::Code => &[W::HelpCode1, W::HelpCode2, W::HelpCode3],
        Step::Confirm => &[W::HelpConfirm1],
        Step::Passphrase | Step::NewPassphrase => &[W::HelpPassphrase1, W::HelpPassphrase2],
        Step::Pin | Step::NewPin => &[W::HelpPin1, W::HelpPin2],
        Step::RecoveryShow | Step::RecoveryAsk => &[W::HelpRecovery1, W::HelpRecovery2],
        Step::Restore | Step::RestoreWith(_) => &[W::HelpRestore1, W::HelpRestore2],
        Step::Pull => &[W::HelpPull1, W::HelpPull2],
        Step::Unlock => &[W::HelpUnlock1, W::HelpUnlock2],
        Step::ScreenLock(_) => &[W::HelpScreen1, W::HelpScreen2],
        Step::UseRecovery(_) => &[W::HelpReopen1, W::HelpReopen2],
        Step::Switch => &[W::HelpSwitch1, W::HelpSwitch2],
        Step::MoreDays | Step::LeaseEnded { .. } => &[W::HelpLease1, W::HelpLease2],
        Step::Revoked { .. } => &[W::HelpRevoked1, W::HelpRevoked2],
        Step::Broken { .. } => &[W::HelpBroken1, W::HelpBroken2],
    }
}

/// Opens and closes it.
pub fn opener(step: &Step) -> El {
    let button = button("plain", "help-open", W::HelpOpen, Some(icon::QUESTION)).press(toggle).el;
    button.flag("hidden", about(step).is_empty());
    button.attr("aria-keyshortcuts", "F1").attr("aria-expanded", expanded())
}

/// The sentences, above the page.
pub fn panel(step: &Step) -> El {
    let lines = about(step)
        .iter()
        .fold(el("ul").class("stack").gap(12), |list, word| list.child(&el("li").t("help-line").say(*word)));
    let panel = el("aside")
        .class("gate-help sheet")
        .t("help")
        .attr("tabindex", "-1")
        .say_attr("aria-label", W::HelpOpen);
    panel.flag("hidden", !OPEN.get() || about(step).is_empty());
    panel.child(&lines)
}

fn expanded() -> &'static str {
    if OPEN.get() { "true" } else { "false" }
}

fn toggle() {
    set(!OPEN.get());
}

fn set(open: bool) {
    OPEN.set(open);
    let (Some(panel), Some(button)) = (find("[data-t=help]"), find("[data-t=help-open]")) else { return };
    panel.flag("hidden", !open || about(&gate().step.borrow()).is_empty());
    button.set("aria-expanded", expanded());
    dom::focus(if open { "[data-t=help]" } else { "[data-t=help-open]" });
}

fn find(selector: &str) -> Option<El> {
    dom::document().query_selector(selector).ok().flatten().map(El::of)
}

/// F1 and Escape, wherever the keyboard is.
pub fn watch_keys() {
    let keys = Box::new(move |event: web_sys::Event| {
        let Some(event) = event.dyn_ref::<web_sys::KeyboardEvent>() else { return };
        match event.key().as_str() {
            "F1" => {
                event.prevent_default();
                toggle();
            }
            "Escape" if OPEN.get() => set(false),
            _ => {}
        }
    });
    listen(&dom::window(), "keydown", keys);
}
