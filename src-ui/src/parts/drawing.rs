use leptos::prelude::*;

use crate::icon::Icon;

/// An icon. Decoration only: the word beside it is what is read aloud.
#[component]
pub fn Draw(icon: Icon) -> impl IntoView {
    view! {
        <svg
            class="i"
            class:line=icon.stroked
            class:fill=!icon.stroked
            class:dir=icon.directional
            viewBox="0 0 24 24"
            fill="currentColor"
            aria-hidden="true"
            inner_html=icon.body
        ></svg>
    }
}

/// Our mark: two points in contact, the line between them a bridge.
#[component]
pub fn Mark() -> impl IntoView {
    view! { <img class="logo" src="mark.svg" alt="" width="44" height="44" /> }
}
