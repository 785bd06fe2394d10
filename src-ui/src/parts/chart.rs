use leptos::prelude::*;

use crate::Text;
use crate::format::fixed;

/// The last values as one thin line, over the band of what is usual. Words say the same to who cannot see it.
#[component]
pub fn TinyChart(
    /// Oldest first; fewer than two draw nothing.
    values: Vec<f64>,
    #[prop(optional)] usual: Option<(f64, f64)>,
    #[prop(into)] label: Text,
) -> impl IntoView {
    if values.len() < 2 {
        return ().into_any();
    }
    let low = values.iter().copied().chain(usual.map(|u| u.0)).fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().chain(usual.map(|u| u.1)).fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let y = move |v: f64| 38.0 - (v - low) / span * 34.0;
    let step = 100.0 / (values.len() - 1) as f64;
    let points: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(i, v)| format!("{},{}", fixed(i as f64 * step, 1), fixed(y(*v), 1)))
        .collect();
    view! {
        <svg class="chart" viewBox="0 0 100 42" preserveAspectRatio="none" role="img" aria-label=label.view()>
            {usual
                .map(|(from, to)| {
                    view! {
                        <rect class="band" x="0" width="100" y=fixed(y(to), 1) height=fixed(y(from) - y(to), 1)></rect>
                    }
                })}
            <polyline points=points.join(" ")></polyline>
        </svg>
    }
    .into_any()
}
