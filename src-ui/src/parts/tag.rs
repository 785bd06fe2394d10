use leptos::prelude::*;

use super::Draw;
use crate::Text;
use crate::icon::Icon;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tint {
    #[default]
    Grey,
    Teal,
    Amber,
    Red,
    /// For what must not be overlooked: an allergy in the band.
    SolidRed,
}

/// A state in one or two words.
#[component]
pub fn Tag(
    #[prop(into)] label: Text,
    #[prop(optional)] tint: Tint,
    #[prop(optional)] icon: Option<Icon>,
    /// May take several lines.
    #[prop(optional)]
    long: bool,
    #[prop(default = "tag")] t: &'static str,
) -> impl IntoView {
    let class = match tint {
        Tint::Grey => "tag",
        Tint::Teal => "tag teal",
        Tint::Amber => "tag amber",
        Tint::Red => "tag red",
        Tint::SolidRed => "tag solid-red",
    };
    view! {
        <span class=class class:long=long data-t=t>
            {icon.map(|icon| view! { <Draw icon /> })}
            <span dir="auto">{label.view()}</span>
        </span>
    }
    .into_any()
}
