//! The first fetch of the facility's patients. It goes on in the shell, so nobody has to wait for its end.

use std::cell::Cell;
use std::rc::Rc;

use rabta_ipc::gate::GetStatus;
use wasm_bindgen_futures::spawn_local;

use super::el::{El, el};
use super::parts::{button, para, stack, title};
use super::say::Say;
use super::{enter, gate};
use crate::{W, dom, icon, ipc};

/// After this long without a count, one may start anyway.
const PATIENCE_MS: i32 = 6_000;

pub fn page() -> El {
    let words = el("p");
    let fill = el("i");
    let bar = el("div")
        .class("bar")
        .attr("role", "progressbar")
        .say_attr("aria-label", W::PullTitle)
        .attr("aria-valuemin", "0")
        .attr("aria-valuemax", "100")
        .child(&fill);
    let progress = stack(8).t("progress").child(&words).child(&bar);
    let safe = para("quiet", W::PullSafe);
    let start = button("main big wide", "start", W::StartWork, Some(icon::NEXT)).press(|| enter(false));
    let page = stack(24).child(&title(W::PullTitle, None)).child(&progress).child(&safe).child(&start.el);
    let waited = Rc::new(Cell::new(false));
    let show: Rc<dyn Fn()> = {
        let waited = waited.clone();
        Rc::new(move || {
            let now = gate().progress.get();
            let all = now.of > 0 && now.done >= now.of;
            let _ = words.clone().say(match (now.done, now.of) {
                (0, 0) => W::PullStarting.into(),
                (_, of) if all => Say::one(W::PullDone, &thousands(of)),
                (done, of) => Say::With(W::PullCount, vec![thousands(done), thousands(of)]),
            });
            let percent = (now.done.min(now.of) * 100).checked_div(now.of).unwrap_or(0).to_string();
            bar.set("aria-valuenow", &percent);
            fill.set("style", &["inline-size:", &percent, "%"].concat());
            safe.flag("hidden", all);
            start.off(!all && !waited.get() && now.done == 0);
        })
    };
    show();
    let (later, here) = (show.clone(), gate().here());
    dom::after(PATIENCE_MS, move || {
        if !here.left() {
            waited.set(true);
            later();
        }
    });
    // The window may have come after the last event: the shell knows the person is in.
    spawn_local(async move {
        if let Ok(status) = ipc::call(GetStatus {}).await {
            *gate().status.borrow_mut() = Some(status);
        }
    });
    *gate().hears_progress.borrow_mut() = Some(show);
    page
}

/// `1000` as `1,000`.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        assert_eq!(super::thousands(0), "0");
        assert_eq!(super::thousands(999), "999");
        assert_eq!(super::thousands(1000), "1,000");
        assert_eq!(super::thousands(1_234_567), "1,234,567");
    }
}
