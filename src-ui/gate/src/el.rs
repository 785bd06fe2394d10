//! Elements, with as little program as a form needs: what is built is the page, and who changes a part of it keeps its
//! [`El`]. No graph of signals stands behind it.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event};

use super::say::{self, Say};
use crate::dom;
use crate::icon::Icon;

/// A handle to an element of the page; clones are the same element.
#[derive(Clone, PartialEq)]
pub struct El(Element);

/// A new element, in no page yet.
pub fn el(tag: &str) -> El {
    El(dom::document().create_element(tag).expect("the tags are ours"))
}

impl El {
    pub fn class(self, name: &str) -> Self {
        self.attr("class", name)
    }

    /// What tests find it by.
    pub fn t(self, name: &str) -> Self {
        self.attr("data-t", name)
    }

    pub fn attr(self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// The space between the parts of a `stack` or `row`, pixels.
    pub fn gap(self, pixels: u8) -> Self {
        let mut style = String::from("--gap:");
        style.push_str(&pixels.to_string());
        style.push_str("px");
        self.attr("style", &style)
    }

    pub fn text(self, text: &str) -> Self {
        self.0.set_text_content(Some(text));
        self
    }

    /// Words, which follow the language from now on.
    pub fn say(self, words: impl Into<Say>) -> Self {
        say::at(&self, None, words.into());
        self
    }

    /// As [`El::say`], in an attribute.
    pub fn say_attr(self, name: &'static str, words: impl Into<Say>) -> Self {
        say::at(&self, Some(name), words.into());
        self
    }

    pub fn child(self, child: &El) -> Self {
        let _ = self.0.append_child(&child.0);
        self
    }

    /// Markup of ours at the end; never anything that somebody typed.
    pub fn markup(self, markup: &str) -> Self {
        let _ = self.0.insert_adjacent_html("beforeend", markup);
        self
    }

    /// A drawing at the end. Decoration only: the word beside it is what is read aloud.
    pub fn icon(self, icon: Icon) -> Self {
        let mut svg = String::from("<svg class=\"i ");
        svg.push_str(if icon.stroked { "line" } else { "fill" });
        svg.push_str(if icon.directional { " dir" } else { "" });
        svg.push_str("\" viewBox=\"0 0 24 24\" fill=\"currentColor\" aria-hidden=\"true\">");
        svg.push_str(icon.body);
        svg.push_str("</svg>");
        self.markup(&svg)
    }

    /// Calls `then` at each such event, for as long as the element lives.
    pub fn on(self, event: &str, then: impl FnMut(Event) + 'static) -> Self {
        listen(&self.0, event, Box::new(then));
        self
    }

    pub fn set(&self, name: &str, value: &str) {
        let _ = self.0.set_attribute(name, value);
    }

    /// An attribute that is there or is not: `hidden`, `disabled`.
    pub fn flag(&self, name: &str, on: bool) {
        let _ = if on { self.0.set_attribute(name, "") } else { self.0.remove_attribute(name) };
    }

    pub fn toggle(&self, class: &str, on: bool) {
        let _ = self.0.class_list().toggle_with_force(class, on);
    }

    /// Takes everything out of it.
    pub fn clear(&self) {
        self.0.set_text_content(None);
    }

    pub fn remove(&self) {
        self.0.remove();
    }

    /// The first element in it that `selector` finds.
    pub fn first(&self, selector: &str) -> Option<El> {
        self.0.query_selector(selector).ok().flatten().map(El)
    }

    /// Each of its children, in order.
    pub fn each(&self, mut call: impl FnMut(usize, &El)) {
        let mut next = self.0.first_element_child();
        let mut at = 0;
        while let Some(child) = next {
            next = child.next_element_sibling();
            call(at, &El(child));
            at += 1;
        }
    }

    pub fn put_first(&self, child: &El) {
        let _ = self.0.insert_adjacent_element("afterbegin", &child.0);
    }

    pub fn put_before(&self, other: &El) {
        let _ = other.0.insert_adjacent_element("beforebegin", &self.0);
    }

    pub fn is_in_the_page(&self) -> bool {
        self.0.is_connected()
    }

    /// One that is in the page already.
    pub fn of(element: Element) -> Self {
        El(element)
    }

    /// As the browser's kind of element.
    pub fn as_kind<T: JsCast>(&self) -> T {
        self.0.clone().unchecked_into()
    }

    pub(super) fn write(&self, attribute: Option<&str>, text: &str) {
        match attribute {
            Some(name) => self.set(name, text),
            None => self.0.set_text_content(Some(text)),
        }
    }
}

/// Puts `page` into the window, in place of what was there.
pub fn show(page: &El) {
    if let Some(body) = dom::document().body() {
        body.set_text_content(None);
        let _ = body.append_child(&page.0);
    }
}

/// One code for every listener; the browser frees it with its element.
pub fn listen(target: &web_sys::EventTarget, event: &str, then: Box<dyn FnMut(Event)>) {
    let callback: JsValue = Closure::wrap(then).into_js_value();
    let _ = target.add_event_listener_with_callback(event, callback.unchecked_ref());
}
