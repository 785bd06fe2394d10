use leptos::prelude::*;

use super::Draw;
use crate::Text;
use crate::icon::Icon;

/// What a button is for. One `Main` a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Usual,
    Main,
    Danger,
    /// No border: beside other things.
    Plain,
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Kind::Usual => "b",
            Kind::Main => "b main",
            Kind::Danger => "b danger",
            Kind::Plain => "b plain",
        }
    }
}

/// A button. While `busy` it turns and takes no second press; with `icon_only` its word is read aloud and shown as a tip.
#[component]
pub fn Button(
    #[prop(into)] label: Text,
    t: &'static str,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] icon: Option<Icon>,
    #[prop(optional)] icon_only: bool,
    #[prop(optional)] big: bool,
    #[prop(optional)] wide: bool,
    /// Sends the form that it stands in; then `on_press` is usually the form's.
    #[prop(optional)]
    submit: bool,
    #[prop(optional, into)] busy: Signal<bool>,
    #[prop(optional, into)] off: Signal<bool>,
    #[prop(optional, into)] on_press: Option<Callback<()>>,
) -> impl IntoView {
    let press = move |_| {
        if let Some(on_press) = on_press
            && !busy.get_untracked()
            && !off.get_untracked()
        {
            on_press.run(());
        }
    };
    let word = label.clone().view();
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=kind.class()
            class:icon=icon_only
            class:big=big
            class:wide=wide
            class:busy=busy
            data-t=t
            disabled=off
            aria-busy=move || busy.get().to_string()
            aria-label=icon_only.then(|| word.clone())
            title=icon_only.then(|| word.clone())
            on:click=press
        >
            {move || {
                if busy.get() {
                    view! { <span class="spin" aria-hidden="true"></span> }.into_any()
                } else {
                    icon.map(|icon| view! { <Draw icon /> }).into_any()
                }
            }}
            {(!icon_only).then(|| view! { <span>{label.view()}</span> })}
        </button>
    }
    .into_any()
}

/// A link that looks like a button: it goes to a page.
#[component]
pub fn LinkButton(
    #[prop(into)] label: Text,
    t: &'static str,
    #[prop(into)] href: String,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] icon: Option<Icon>,
    #[prop(optional)] big: bool,
) -> impl IntoView {
    view! {
        <a class=kind.class() class:big=big href=href data-t=t>
            {icon.map(|icon| view! { <Draw icon /> })}
            <span>{label.view()}</span>
        </a>
    }
    .into_any()
}
