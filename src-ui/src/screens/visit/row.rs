//! Small fields for rows that repeat: each has its own id, and all of a kind one `data-t`.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::web_sys;

use crate::parts::Draw;
use crate::{Text, icon};

/// One line of text in a row.
#[component]
pub fn Cell(
    #[prop(into)] label: Text,
    t: &'static str,
    /// Of its own on the page.
    id: String,
    value: RwSignal<String>,
    #[prop(optional, into)] placeholder: Option<Text>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional, into)] warning: Signal<Option<String>>,
    /// Latin in any language.
    #[prop(optional)]
    ltr: bool,
    /// Digits only.
    #[prop(optional)]
    number: bool,
    #[prop(optional, into)] on_enter: Option<Callback<()>>,
    #[prop(optional, into)] on_leave: Option<Callback<()>>,
) -> impl IntoView {
    view! {
        <div class="f" class:odd=move || warning.get().is_some()>
            <label for=id.clone()>{label.view()}</label>
            <div class="box">
                <input
                    id=id
                    data-t=t
                    class=if number { "in num" } else if ltr { "in ltr-in" } else { "in" }
                    type="text"
                    dir=move || (!ltr && !number && value.with(|text| !text.is_empty())).then_some("auto")
                    inputmode=if number { "numeric" } else { "text" }
                    autocomplete="off"
                    spellcheck="false"
                    maxlength=if number { "3" } else { "200" }
                    placeholder=placeholder.map(Text::view)
                    prop:value=value
                    on:input=move |event| {
                        let typed = event_target_value(&event);
                        value.set(if number { typed.chars().filter_map(western).collect() } else { typed });
                    }
                    on:keydown=move |event: KeyboardEvent| {
                        if event.key() == "Enter" && !event.ctrl_key() {
                            event.prevent_default();
                            if let Some(call) = on_enter {
                                call.run(());
                            }
                        }
                    }
                    on:blur=move |_| {
                        if let Some(call) = on_leave {
                            call.run(());
                        }
                    }
                />
            </div>
            {move || warning.get().map(|text| view! { <p class="warn"><Draw icon=icon::ALERT />{text}</p> })}
            {hint.map(|hint| view! { <p class="hint">{hint.view()}</p> })}
        </div>
    }
    .into_any()
}

/// A digit of any keyboard as a Western one.
fn western(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '\u{0660}'..='\u{0669}' => char::from_digit(c as u32 - 0x0660, 10),
        '\u{06F0}'..='\u{06F9}' => char::from_digit(c as u32 - 0x06F0, 10),
        _ => None,
    }
}

/// One of a few in a row, as the system draws it.
#[component]
pub fn PickCell(
    #[prop(into)] label: Text,
    t: &'static str,
    id: String,
    value: RwSignal<String>,
    options: Vec<(String, Text)>,
) -> impl IntoView {
    view! {
        <div class="f">
            <label for=id.clone()>{label.view()}</label>
            <div class="box select">
                <select
                    id=id
                    data-t=t
                    class="in"
                    prop:value=value
                    on:change=move |event| value.set(event_target_value(&event))
                >
                    {options
                        .into_iter()
                        .map(|(code, words)| {
                            let same = code.clone();
                            view! {
                                <option value=code selected=move || value.with(|now| *now == same)>
                                    {words.view()}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
                <Draw icon=icon::CHEVRON_DOWN />
            </div>
        </div>
    }
    .into_any()
}

/// Enter in a one-line field goes to the next one, as Tab does: it never sends and never loses anything.
pub fn next_field(event: &KeyboardEvent) {
    use web_sys::wasm_bindgen::JsCast;
    let Some(now) = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
        return;
    };
    if !matches!(now.type_().as_str(), "text" | "radio") || event.default_prevented() {
        return;
    }
    event.prevent_default();
    let selector = ".visit input:not([disabled]), .visit textarea, .visit select";
    let Ok(all) = crate::dom::document().query_selector_all(selector) else { return };
    let at = (0..all.length()).find(|i| all.item(*i).is_some_and(|node| node.is_same_node(Some(&now))));
    if let Some(next) =
        at.and_then(|i| all.item(i + 1)).and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok())
    {
        let _ = next.focus();
    }
}
