use leptos::prelude::*;

use super::Draw;
use crate::Text;
use crate::icon::Icon;

/// A card with a heading. `flush` for rows that reach its edges.
#[component]
pub fn Card(
    #[prop(optional, into)] title: Option<Text>,
    #[prop(optional)] flush: bool,
    #[prop(default = "card")] t: &'static str,
    /// Beside the heading.
    #[prop(optional)]
    beside: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="card" data-t=t>
            {title.map(|title| view! { <div class="head"><h2>{title.view()}</h2>{beside}</div> })}
            <div class="body" class:flush=flush class:rows=flush>{children()}</div>
        </section>
    }
    .into_any()
}

/// A row that goes to a page.
#[component]
pub fn RowLink(#[prop(into)] href: String, t: &'static str, children: Children) -> impl IntoView {
    view! {
        <a class="r" href=href data-t=t>
            {children()}
            <Draw icon=crate::icon::CHEVRON_END />
        </a>
    }
    .into_any()
}

/// A row that does something.
#[component]
pub fn RowButton(
    t: &'static str,
    #[prop(into)] on_press: Callback<()>,
    #[prop(optional, into)] selected: Signal<bool>,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="r"
            data-t=t
            aria-pressed=move || selected.get().to_string()
            on:click=move |_| on_press.run(())
        >
            {children()}
        </button>
    }
    .into_any()
}

/// A person's initials: a shape to find again in a list, never a photo of a patient.
#[component]
pub fn Face(#[prop(into)] name: String) -> impl IntoView {
    let initials: String = name
        .split_whitespace()
        .filter_map(|part| part.chars().next())
        .filter(|c| c.is_alphabetic())
        .take(2)
        .collect();
    view! { <span class="face" aria-hidden="true">{initials}</span> }.into_any()
}

/// Nothing here yet, and what to do about it.
#[component]
pub fn Empty(
    icon: Icon,
    #[prop(into)] title: Text,
    #[prop(into)] body: Text,
    #[prop(default = "empty")] t: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty" data-t=t>
            <Draw icon />
            <h2>{title.view()}</h2>
            <p>{body.view()}</p>
            {children.map(|children| children())}
        </div>
    }
    .into_any()
}
