//! Fields: one line, or a secret that can be shown. What is typed stays in the field itself and goes with its page.

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use super::code::{digits, grouped};
use super::el::{El, el};
use super::say::Say;
use crate::{W, dom, icon};

/// A labelled field with its hint and its error below; clones are the same one.
#[derive(Clone)]
pub struct Field {
    pub frame: El,
    input: El,
    note: El,
    hint: Option<W>,
}

/// The label above, `box` in the middle, the error or the hint below. The box's control has the id `t`.
fn framed(label: W, t: &str, hint: Option<W>, input: El, inside: &El) -> Field {
    let mut note_id = t.to_owned();
    note_id.push_str("-note");
    let note = el("div").attr("id", &note_id).attr("aria-live", "polite");
    let input = input
        .attr("id", t)
        .t(t)
        .attr("autocomplete", "off")
        .attr("spellcheck", "false")
        .attr("aria-describedby", &note_id)
        .attr("aria-invalid", "false");
    let frame = el("div")
        .class("f")
        .child(&el("label").attr("for", t).child(&el("span").say(label)))
        .child(inside)
        .child(&note);
    let field = Field { frame, input, note, hint };
    field.error(None);
    field
}

/// A code's field: Latin letters, large.
pub fn code_field(label: W, t: &str, hint: W) -> Field {
    let input = el("input").class("in code-in ltr-in").attr("type", "text").attr("maxlength", "300");
    let inside = el("div").class("box").child(&input);
    framed(label, t, Some(hint), input, &inside)
}

/// One line of Latin text: a folder.
pub fn line(label: W, t: &str, hint: W) -> Field {
    let input = el("input").class("in ltr-in").attr("type", "text").attr("maxlength", "300");
    let inside = el("div").class("box").child(&input);
    framed(label, t, Some(hint), input, &inside)
}

/// A code's field of several lines, as long codes are pasted.
pub fn code_area(label: W, t: &str, hint: W) -> Field {
    let input = el("textarea")
        .class("in code-in")
        .attr("rows", "3")
        .attr("autocapitalize", "characters")
        .attr("placeholder", "XXXXX-XXXXX-XXXXX");
    let inside = el("div").class("box").child(&input);
    framed(label, t, Some(hint), input, &inside)
}

/// A secret: hidden, with a button that shows it. `pin`: digits only, drawn large.
pub fn secret(label: W, t: &str, hint: Option<W>, pin: bool) -> Field {
    let input = el("input")
        .class(if pin { "in pin-in" } else { "in ltr-in" })
        .attr("type", "password")
        .attr("autocapitalize", "off")
        .attr("inputmode", if pin { "numeric" } else { "text" })
        .attr("maxlength", if pin { "6" } else { "200" });
    let input = if pin { only_digits(input) } else { input };
    let eye = el("button")
        .attr("type", "button")
        .class(if pin { "b plain icon" } else { "b plain" })
        .t("show-secret")
        .attr("aria-busy", "false");
    draw_eye(&eye, false, pin);
    let (own, shown) = (eye.clone(), input.clone());
    let eye = eye.on("click", move |_| {
        let control = shown.as_kind::<HtmlInputElement>();
        let show = control.type_() == "password";
        control.set_type(if show { "text" } else { "password" });
        draw_eye(&own, show, pin);
    });
    let inside = el("div").class("box").child(&input).child(&eye);
    framed(label, t, hint, input, &inside)
}

fn draw_eye(eye: &El, shown: bool, pin: bool) {
    let (label, drawing) = if shown { (W::Hide, icon::EYE_OFF) } else { (W::Show, icon::EYE) };
    eye.clear();
    let eye = eye.clone().icon(drawing);
    if pin {
        let _ = eye.say_attr("aria-label", label).say_attr("title", label);
    } else {
        let _ = eye.child(&el("span").say(label));
    }
}

fn only_digits(input: El) -> El {
    let own = input.clone();
    input.on("input", move |_| {
        let control = own.as_kind::<HtmlInputElement>();
        let typed = control.value();
        let kept = digits(&typed);
        if kept != typed {
            control.set_value(&kept);
        }
    })
}

impl Field {
    pub fn value(&self) -> String {
        // A text area has the same property.
        self.input.as_kind::<HtmlInputElement>().value()
    }

    pub fn set(&self, value: &str) {
        self.input.as_kind::<HtmlInputElement>().set_value(value);
    }

    /// What was typed, of it what `keep` finds, in groups: also in the field, once the caret is at the end, since grouping
    /// moves it.
    pub fn regroup(&self, size: usize, keep: fn(&str) -> String) -> String {
        let control = self.input.as_kind::<HtmlInputElement>();
        let typed = control.value();
        let caret = control.selection_end().ok().flatten();
        if caret.is_some_and(|end| (end as usize) < typed.encode_utf16().count()) {
            return typed;
        }
        let grouped = grouped(&keep(&typed), size);
        if grouped != typed {
            control.set_value(&grouped);
        }
        grouped
    }

    pub fn off(&self, on: bool) {
        self.input.flag("disabled", on);
    }

    /// Each change, after what does not belong into the field was taken out.
    pub fn on_input(self, mut then: impl FnMut() + 'static) -> Self {
        let _ = self.input.clone().on("input", move |_| then());
        self
    }

    /// Enter, also where it would begin a new line.
    pub fn on_enter(self, mut then: impl FnMut() + 'static) -> Self {
        let _ = self.input.clone().on("keydown", move |event| {
            if event.dyn_ref::<web_sys::KeyboardEvent>().is_some_and(|event| event.key() == "Enter") {
                event.prevent_default();
                then();
            }
        });
        self
    }

    /// The error in place of the hint; `None` takes it away.
    pub fn error(&self, error: Option<Say>) {
        let bad = error.is_some();
        self.frame.toggle("bad", bad);
        self.input.set("aria-invalid", if bad { "true" } else { "false" });
        self.note.clear();
        let note = self.note.clone();
        let _ = match (error, self.hint) {
            (Some(words), _) => {
                // As text beside the sign, like the app's fields.
                note.child(
                    &el("p").class("err").t("field-error").icon(icon::STOP).child(&el("span").say(words)),
                )
            }
            (None, Some(hint)) => note.child(&el("p").class("hint").say(hint)),
            (None, None) => note,
        };
    }

    /// Other words in the hint's place.
    pub fn note(&self, words: Say) {
        self.note.clear();
        let _ = self.note.clone().child(&el("p").class("hint").say(words));
    }

    pub fn focus(&self) {
        let _ = self.input.as_kind::<web_sys::HtmlElement>().focus();
    }

    /// As [`Field::focus`], once the page is there.
    pub fn focus_soon(&self) {
        let field = self.clone();
        dom::after(0, move || field.focus());
    }
}
