use leptos::prelude::*;
use leptos::task::spawn_local;
use rabta_ipc::gate::GetStatus;

use super::shape::Title;
use super::{enter, gate};
use crate::parts::{Button, Kind, Progress};
use crate::prefs::{say, say_with, t};
use crate::{Text, W, dom, icon, ipc};

/// After this long without a count, the words change from "asking" to "you can start".
const PATIENCE_MS: i32 = 6_000;

/// The first fetch of the facility's patients. It goes on in the shell, so nobody has to wait for its end.
#[component]
pub fn PullPage() -> impl IntoView {
    let state = gate();
    let waited = RwSignal::new(false);
    dom::after(PATIENCE_MS, move || {
        waited.try_set(true);
    });
    // The window may have come after the last event: the shell knows the person is in.
    spawn_local(async move {
        if let Ok(status) = ipc::call(GetStatus {}).await {
            state.status.try_set(Some(status));
        }
    });
    let done = move || {
        let progress = state.progress.get();
        progress.of > 0 && progress.done >= progress.of
    };
    let words = Text::live(move || {
        let progress = state.progress.get();
        match (progress.done, progress.of) {
            (0, 0) => say(W::PullStarting).to_owned(),
            (done, of) if done >= of => say_with(W::PullDone, &[&thousands(of)]),
            (done, of) => say_with(W::PullCount, &[&thousands(done), &thousands(of)]),
        }
    });
    view! {
        <div class="stack" style="--gap:24px">
            <Title title=W::PullTitle />
            <Progress label=words of=Signal::derive(move || state.progress.with(|p| (p.done, p.of))) />
            <Show when=move || !done()>
                <p class="quiet">{t(W::PullSafe)}</p>
            </Show>
            <Button
                label=W::StartWork
                t="start"
                kind=Kind::Main
                big=true
                wide=true
                icon=icon::NEXT
                off=Signal::derive(move || !done() && !waited.get() && state.progress.with(|p| p.done == 0))
                on_press=|| enter(false)
            />
        </div>
    }
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
