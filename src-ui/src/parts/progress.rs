use leptos::prelude::*;

use crate::Text;
use crate::format::fixed;

/// How far something is, in words and as a bar. Never a circle that turns for ever.
#[component]
pub fn Progress(
    #[prop(into)] label: Text,
    /// Done and total; a total of 0 is not known yet.
    #[prop(into)]
    of: Signal<(u64, u64)>,
) -> impl IntoView {
    let share = move || {
        let (done, total) = of.get();
        if total == 0 { 0.0 } else { (done as f64 / total as f64 * 100.0).min(100.0) }
    };
    view! {
        <div class="stack" style="--gap:8px" data-t="progress">
            <p>{label.clone().view()}</p>
            <div
                class="bar"
                role="progressbar"
                aria-label=label.view()
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=move || (share() as u32).to_string()
            >
                <i style:inline-size=move || format!("{}%", fixed(share(), 1))></i>
            </div>
        </div>
    }
    .into_any()
}

/// Where text will be in a moment.
#[component]
pub fn Skeleton(#[prop(default = 3)] lines: u8) -> impl IntoView {
    let lines = (0..lines)
        .map(|i| view! { <span class="sk" style:inline-size=format!("{}%", [92, 78, 85, 60][usize::from(i) % 4])></span> })
        .collect_view();
    view! { <div class="stack" style="--gap:10px;padding:16px" aria-busy="true" data-t="loading">{lines}</div> }.into_any()
}
