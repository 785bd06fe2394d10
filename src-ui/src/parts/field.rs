use leptos::prelude::*;
use web_sys::wasm_bindgen::JsCast;

use super::{Button, Draw, Kind};
use crate::icon;
use crate::{Text, W};

/// The label above, and below: the error, else the warning, else the hint. `for_id` ties the label to its control.
#[component]
pub(super) fn Frame(
    #[prop(into)] label: Text,
    for_id: &'static str,
    hint: Option<Text>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] warning: Signal<Option<String>>,
    #[prop(optional)] optional_word: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="f" class:bad=move || error.get().is_some() class:odd=move || warning.get().is_some()>
            <label for=for_id>
                <span>{label.view()}</span>
                {optional_word.then(|| view! { <span class="need">{crate::prefs::t(W::OptionalMark)}</span> })}
            </label>
            {children()}
            <div id=format!("{for_id}-note") aria-live="polite">
                {move || match (error.get(), warning.get(), hint.clone()) {
                    (Some(error), _, _) => {
                        view! { <p class="err" data-t="field-error"><Draw icon=icon::STOP />{error}</p> }.into_any()
                    }
                    (None, Some(warning), _) => {
                        view! { <p class="warn"><Draw icon=icon::ALERT />{warning}</p> }.into_any()
                    }
                    (None, None, Some(hint)) => view! { <p class="hint">{hint.get()}</p> }.into_any(),
                    (None, None, None) => ().into_any(),
                }}
            </div>
        </div>
    }
    .into_any()
}

/// One line of text. `t` is also its id; `ltr` for what is Latin in any language (numbers, codes).
#[component]
pub fn Field(
    #[prop(into)] label: Text,
    t: &'static str,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional, into)] placeholder: Option<Text>,
    #[prop(optional, into)] unit: Option<Text>,
    #[prop(optional)] icon: Option<icon::Icon>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] warning: Signal<Option<String>>,
    #[prop(optional)] optional_word: bool,
    #[prop(optional)] ltr: bool,
    #[prop(optional, into)] class: String,
    #[prop(optional)] input_mode: &'static str,
    #[prop(optional)] max: Option<u32>,
    #[prop(optional)] autofocus: bool,
    #[prop(optional, into)] off: Signal<bool>,
    /// Each change, after `value` holds it.
    #[prop(optional, into)]
    on_input: Option<Callback<()>>,
    /// The field was left.
    #[prop(optional, into)]
    on_leave: Option<Callback<()>>,
) -> impl IntoView {
    let class = format!("in {class}{}", if ltr { " ltr-in" } else { "" });
    if autofocus {
        focus_when_drawn(t);
    }
    view! {
        <Frame label for_id=t hint=hint error warning optional_word>
            <div class="box">
                {icon.map(|icon| view! { <Draw icon /> })}
                <input
                    id=t
                    data-t=t
                    class=class
                    type="text"
                    dir=move || (!ltr && value.with(|text| !text.is_empty())).then_some("auto")
                    autocomplete="off"
                    spellcheck="false"
                    inputmode=input_mode
                    maxlength=max.unwrap_or(300).to_string()
                    placeholder=placeholder.map(Text::view)
                    aria-describedby=format!("{t}-note")
                    aria-invalid=move || error.get().is_some().to_string()
                    disabled=off
                    prop:value=value
                    on:input=move |event| {
                        value.set(event_target_value(&event));
                        if let Some(call) = on_input {
                            call.run(());
                        }
                    }
                    on:blur=move |_| {
                        if let Some(call) = on_leave {
                            call.run(());
                        }
                    }
                />
                {unit.map(|unit| view! { <span class="unit">{unit.view()}</span> })}
            </div>
        </Frame>
    }
    .into_any()
}

/// Several lines of text.
#[component]
pub fn Area(
    #[prop(into)] label: Text,
    t: &'static str,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional, into)] placeholder: Option<Text>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] optional_word: bool,
    #[prop(default = 3)] lines: u32,
    #[prop(optional, into)] on_input: Option<Callback<()>>,
    #[prop(optional, into)] on_leave: Option<Callback<()>>,
) -> impl IntoView {
    view! {
        <Frame label for_id=t hint=hint error optional_word>
            <div class="box">
                <textarea
                    id=t
                    data-t=t
                    class="in"
                    // An empty field follows the page, a written one its own first letter.
                    dir=move || value.with(|text| !text.is_empty()).then_some("auto")
                    rows=lines.to_string()
                    placeholder=placeholder.map(Text::view)
                    aria-describedby=format!("{t}-note")
                    prop:value=value
                    on:input=move |event| {
                        value.set(event_target_value(&event));
                        if let Some(call) = on_input {
                            call.run(());
                        }
                    }
                    on:blur=move |_| {
                        if let Some(call) = on_leave {
                            call.run(());
                        }
                    }
                ></textarea>
            </div>
        </Frame>
    }
    .into_any()
}

/// A secret: hidden, with a button that shows it.
#[component]
pub fn PassField(
    #[prop(into)] label: Text,
    t: &'static str,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] autofocus: bool,
    /// Digits only, drawn large: a PIN.
    #[prop(optional)]
    pin: bool,
    #[prop(optional, into)] off: Signal<bool>,
    #[prop(optional, into)] on_input: Option<Callback<()>>,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    if autofocus {
        focus_when_drawn(t);
    }
    view! {
        <Frame label for_id=t hint=hint error>
            <div class="box">
                <input
                    id=t
                    data-t=t
                    class=if pin { "in pin-in" } else { "in ltr-in" }
                    type=move || if shown.get() { "text" } else { "password" }
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    inputmode=if pin { "numeric" } else { "text" }
                    maxlength=if pin { "6" } else { "200" }
                    aria-describedby=format!("{t}-note")
                    aria-invalid=move || error.get().is_some().to_string()
                    disabled=off
                    prop:value=value
                    on:input=move |event| {
                        let typed = event_target_value(&event);
                        let kept = if pin { typed.chars().filter(char::is_ascii_digit).collect() } else { typed.clone() };
                        if kept != typed
                            && let Some(input) =
                                event.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok())
                        {
                            input.set_value(&kept);
                        }
                        value.set(kept);
                        if let Some(call) = on_input {
                            call.run(());
                        }
                    }
                />
                {move || {
                    let (label, icon) = if shown.get() { (W::Hide, icon::EYE_OFF) } else { (W::Show, icon::EYE) };
                    view! {
                        <Button label t="show-secret" kind=Kind::Plain icon icon_only=pin on_press=move || shown.update(|s| *s = !*s) />
                    }
                }}
            </div>
        </Frame>
    }
    .into_any()
}

/// One of a list, as the system draws it: for lists too long to lay out and too short to search.
#[component]
pub fn Pick(
    #[prop(into)] label: Text,
    t: &'static str,
    value: RwSignal<String>,
    /// Code and words; follows the language.
    options: Vec<(&'static str, Text)>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional)] optional_word: bool,
    #[prop(optional, into)] on_change: Option<Callback<()>>,
) -> impl IntoView {
    view! {
        <Frame label for_id=t hint=hint optional_word>
            <div class="box select">
                <select
                    id=t
                    data-t=t
                    class="in"
                    prop:value=value
                    on:change=move |event| {
                        value.set(event_target_value(&event));
                        if let Some(call) = on_change {
                            call.run(());
                        }
                    }
                >
                    {options
                        .into_iter()
                        .map(|(code, words)| {
                            view! {
                                <option value=code selected=move || value.get() == code>
                                    {words.view()}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
                <Draw icon=icon::CHEVRON_DOWN />
            </div>
        </Frame>
    }
    .into_any()
}

fn focus_when_drawn(id: &'static str) {
    crate::dom::after(30, move || crate::dom::focus(&format!("#{id}")));
}
