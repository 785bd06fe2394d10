use leptos::prelude::*;

use super::Draw;
use crate::Text;
use crate::icon::Icon;

thread_local! {
    static SET: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// One answer of a [`Choice`].
#[derive(Clone)]
pub struct Opt {
    pub code: &'static str,
    pub words: Text,
    pub icon: Option<Icon>,
}

impl Opt {
    pub fn new(code: &'static str, words: impl Into<Text>) -> Self {
        Opt { code, words: words.into(), icon: None }
    }

    pub fn with_icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }
}

/// One of a few, all visible: radio buttons. The arrows move, Tab passes; nothing is chosen until somebody chooses.
/// Each answer is `data-t="<t>-<code>"`.
#[component]
pub fn Choice(
    #[prop(into)] label: Text,
    t: &'static str,
    value: RwSignal<String>,
    options: Vec<Opt>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    /// All answers equally wide.
    #[prop(optional)]
    even: bool,
    #[prop(optional)] hide_label: bool,
    #[prop(optional, into)] off: Signal<bool>,
    #[prop(optional, into)] on_change: Option<Callback<()>>,
) -> impl IntoView {
    // The same question may stand on a page twice: each set of buttons is its own.
    let name = format!(
        "{t}-{}",
        SET.with(|set| {
            set.set(set.get() + 1);
            set.get()
        })
    );
    let answers = options
        .into_iter()
        .map(|option| {
            let code = option.code;
            view! {
                <label data-t=format!("{t}-{code}")>
                    <input
                        type="radio"
                        name=name.clone()
                        value=code
                        disabled=off
                        prop:checked=move || value.get() == code
                        on:change=move |_| {
                            value.set(code.to_owned());
                            if let Some(call) = on_change {
                                call.run(());
                            }
                        }
                    />
                    {match option.icon {
                        Some(icon) => view! { <Draw icon /> }.into_any(),
                        None => view! { <span class="dot" aria-hidden="true"></span> }.into_any(),
                    }}
                    <span>{option.words.view()}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="f" class:bad=move || error.get().is_some() data-t=t>
            <legend class="label" class:sr=hide_label>{label.view()}</legend>
            <div class="choice" class:even=even>{answers}</div>
            {move || {
                error.get().map(|error| view! { <p class="err" data-t="field-error"><Draw icon=crate::icon::STOP />{error}</p> })
            }}
            {hint.map(|hint| view! { <p class="hint">{hint.view()}</p> })}
        </fieldset>
    }
    .into_any()
}

/// Yes or not yet.
#[component]
pub fn Check(
    #[prop(into)] label: Text,
    t: &'static str,
    value: RwSignal<bool>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional, into)] off: Signal<bool>,
    #[prop(optional, into)] on_change: Option<Callback<()>>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                data-t=t
                disabled=off
                prop:checked=value
                on:change=move |event| {
                    value.set(event_target_checked(&event));
                    if let Some(call) = on_change {
                        call.run(());
                    }
                }
            />
            <span>
                {label.view()}
                {hint.map(|hint| view! { <span class="hint">{hint.view()}</span> })}
            </span>
        </label>
    }
    .into_any()
}
