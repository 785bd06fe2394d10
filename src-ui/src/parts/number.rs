use leptos::prelude::*;
use web_sys::wasm_bindgen::JsCast;

use super::field::Frame;
use crate::Text;

/// A number as typed, kept as text: what was typed is what is stored. Digits, and a point where `decimals` allows one;
/// a comma and Urdu digits are read as what they mean. The wheel and the arrows change nothing.
#[component]
pub fn NumberField(
    #[prop(into)] label: Text,
    t: &'static str,
    value: RwSignal<String>,
    #[prop(optional, into)] unit: Option<Text>,
    #[prop(optional, into)] hint: Option<Text>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional, into)] warning: Signal<Option<String>>,
    /// How many digits after the point.
    #[prop(optional)]
    decimals: u8,
    #[prop(default = 6)] max_digits: u32,
    #[prop(optional, into)] off: Signal<bool>,
    #[prop(optional, into)] on_input: Option<Callback<()>>,
    #[prop(optional, into)] on_leave: Option<Callback<()>>,
) -> impl IntoView {
    let input_mode = if decimals > 0 { "decimal" } else { "numeric" };
    view! {
        <Frame label for_id=t hint=hint error warning>
            <div class="box">
                <input
                    id=t
                    data-t=t
                    class="in num"
                    type="text"
                    inputmode=input_mode
                    autocomplete="off"
                    maxlength=max_digits.to_string()
                    aria-describedby=format!("{t}-note")
                    aria-invalid=move || error.get().is_some().to_string()
                    disabled=off
                    prop:value=value
                    on:input=move |event| {
                        let typed = event_target_value(&event);
                        let kept = clean(&typed, decimals);
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

/// What of `typed` is a number with at most `decimals` digits after the point.
pub fn clean(typed: &str, decimals: u8) -> String {
    let mut out = String::new();
    let mut after_point: Option<u8> = None;
    for c in typed.chars() {
        let digit = match c {
            '0'..='9' => Some(c),
            '\u{0660}'..='\u{0669}' => char::from_digit(c as u32 - 0x0660, 10),
            '\u{06F0}'..='\u{06F9}' => char::from_digit(c as u32 - 0x06F0, 10),
            _ => None,
        };
        match (digit, after_point) {
            (Some(digit), None) => out.push(digit),
            (Some(digit), Some(n)) if n < decimals => {
                out.push(digit);
                after_point = Some(n + 1);
            }
            (None, None) if decimals > 0 && matches!(c, '.' | ',' | '\u{066B}') && !out.is_empty() => {
                out.push('.');
                after_point = Some(0);
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn only_a_number_stays_of_what_was_typed() {
        assert_eq!(clean("12 0a", 0), "120");
        assert_eq!(clean("98,65", 1), "98.6");
        assert_eq!(clean("\u{06F9}\u{06F8}.\u{06F6}", 1), "98.6");
        assert_eq!(clean("1.2.3", 2), "1.23");
        assert_eq!(clean(".5", 1), "5");
    }
}
