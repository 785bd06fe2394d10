//! The gate's few components. They look, and are found by tests, as the app's.

use std::cell::RefCell;
use std::rc::Rc;

use rabta_ipc::Error;
use rabta_ipc::gate::PersonRef;

use super::el::{El, el};
use super::say::Say;
use crate::errors::Tone;
use crate::icon::Icon;
use crate::{W, errors, icon, roles};

/// A button; clones are the same one.
#[derive(Clone)]
pub struct Button {
    pub el: El,
    spin: El,
}

/// `class`: besides `b`, of `main`, `plain`, `big`, `wide`, `icon`.
fn bare(class: &str, t: &str) -> Button {
    let mut classes = String::from("b ");
    classes.push_str(class);
    let el = el("button").attr("type", "button").class(classes.trim_end()).t(t).attr("aria-busy", "false");
    Button { el, spin: self::el("span").class("spin").attr("aria-hidden", "true") }
}

/// A button with a word, and a drawing before it.
pub fn button(class: &str, t: &str, label: impl Into<Say>, icon: Option<Icon>) -> Button {
    let mut button = bare(class, t);
    if let Some(icon) = icon {
        button.el = button.el.icon(icon);
    }
    button.el = button.el.child(&el("span").say(label));
    button
}

/// The one button of a form that sends it.
pub fn send(t: &str, label: impl Into<Say>, icon: Option<Icon>) -> Button {
    let button = button("main big wide", t, label, icon);
    button.el.set("type", "submit");
    button
}

/// A button across the page without a border: what is done more rarely.
pub fn quiet(t: &str, label: impl Into<Say>, press: impl FnMut() + 'static) -> El {
    button("plain wide", t, label, None).press(press).el
}

impl Button {
    pub fn press(mut self, mut then: impl FnMut() + 'static) -> Self {
        let own = self.el.clone();
        self.el = self.el.on("click", move |_| {
            if !busy(&own) {
                then();
            }
        });
        self
    }

    /// While busy it turns and takes no second press.
    pub fn set_busy(&self, on: bool) {
        self.el.toggle("busy", on);
        self.el.set("aria-busy", if on { "true" } else { "false" });
        if let Some(drawing) = self.el.first("svg") {
            drawing.flag("hidden", on);
        }
        if on {
            self.el.put_first(&self.spin);
        } else {
            self.spin.remove();
        }
    }

    pub fn is_busy(&self) -> bool {
        busy(&self.el)
    }

    pub fn off(&self, on: bool) {
        self.el.flag("disabled", on);
    }
}

fn busy(button: &El) -> bool {
    button.as_kind::<web_sys::Element>().class_list().contains("busy")
}

/// A place where something may stand, or nothing: nothing takes no room.
#[derive(Clone)]
pub struct Slot {
    place: El,
    now: Rc<RefCell<Option<El>>>,
}

impl Slot {
    pub fn new() -> Self {
        Slot { place: el("template"), now: Rc::default() }
    }

    /// What stands for it among its parent's children.
    pub fn place(&self) -> &El {
        &self.place
    }

    /// What stands there now.
    pub fn now(&self) -> Option<El> {
        self.now.borrow().clone()
    }

    pub fn put(&self, what: Option<El>) {
        if let Some(new) = &what {
            new.put_before(&self.place);
        }
        if let Some(old) = self.now.replace(what) {
            old.remove();
        }
    }

    pub fn error(&self, error: &Error) {
        self.put(Some(error_banner(error)));
    }

    pub fn clear(&self) {
        self.put(None);
    }
}

/// What happened, what is safe, what to do; and a code in small print for support.
pub fn banner(tone: Tone, t: &str, title: impl Into<Say>, body: Option<Say>, code: Option<&str>) -> El {
    let (class, sign, role) = match tone {
        Tone::Info => ("banner info", icon::INFO, "status"),
        Tone::Look => ("banner look", icon::ALERT, "status"),
        Tone::Stop => ("banner stop", icon::STOP, "alert"),
    };
    let mut words = el("div").class("grow stack").gap(4).child(&el("p").class("title").say(title));
    if let Some(body) = body {
        words = words.child(&el("p").say(body));
    }
    if let Some(code) = code {
        words = words.child(&el("p").class("code").child(&ltr(code)));
    }
    el("div").class(class).attr("role", role).t(t).icon(sign).child(&words)
}

/// An error of the shell in words.
pub fn error_banner(error: &Error) -> El {
    let (title, body) = errors::words_at_the_gate(&error.code);
    banner(errors::tone(&error.code), "error", title, Some(body.into()), Some(&errors::small_print(error)))
}

/// A page's heading and its one line.
pub fn title(title: impl Into<Say>, body: Option<Say>) -> El {
    let heading = el("div").class("title").child(&el("h1").say(title));
    match body {
        Some(body) => heading.child(&el("p").say(body)),
        None => heading,
    }
}

/// A page that is a form: Enter sends it.
pub fn form(gap: u8, mut send: impl FnMut() + 'static) -> El {
    el("form").class("stack").gap(gap).on("submit", move |event| {
        event.prevent_default();
        send();
    })
}

pub fn stack(gap: u8) -> El {
    el("div").class("stack").gap(gap)
}

pub fn para(class: &str, words: impl Into<Say>) -> El {
    el("p").class(class).say(words)
}

/// Latin letters or digits, in any language.
pub fn ltr(text: &str) -> El {
    el("span").class("ltr").text(text)
}

/// A person's initials.
pub fn face(name: &str) -> El {
    let initials: String = name
        .split_whitespace()
        .filter_map(|part| part.chars().next())
        .filter(|c| c.is_alphabetic())
        .take(2)
        .collect();
    el("span").class("face").attr("aria-hidden", "true").text(&initials)
}

/// A role in words; its code where there is no word.
pub fn role(code: &str) -> Say {
    roles::word(code).map_or_else(|| Say::Fixed(code.to_owned()), Say::Word)
}

/// Somebody in a list: a face, the name, and the role.
pub fn person_row(person: &PersonRef, at_work: bool) -> El {
    let words = el("span")
        .class("grow")
        .child(&el("span").class("strong").child(&el("bdi").text(&person.name)))
        .child(&el("br"))
        .child(&el("span").class("small quiet").say(role(&person.role)));
    let row = el("button")
        .attr("type", "button")
        .class("person")
        .t("person")
        .attr("data-id", &person.id)
        .attr("aria-pressed", "false")
        .child(&face(&person.name))
        .child(&words);
    if at_work {
        let tag = el("span")
            .class("tag teal")
            .t("at-work")
            .child(&el("span").attr("dir", "auto").say(W::AtWorkNow));
        return row.child(&tag);
    }
    row
}

/// Letters to read or write group by group, large: a recovery code, a challenge.
pub fn groups(t: &str, code: &str) -> El {
    let list = el("ol").class("groups").t(t).attr("data-code", code);
    in_groups(code).iter().enumerate().fold(list, |list, (i, group)| {
        let number = el("span").attr("aria-hidden", "true").text(&(i + 1).to_string());
        list.child(&el("li").child(&number).child(&el("b").text(group)))
    })
}

/// The groups of a code, as it is written or in fours.
fn in_groups(text: &str) -> Vec<String> {
    let written: Vec<String> =
        text.split(['-', ' ']).filter(|group| !group.is_empty()).map(str::to_owned).collect();
    if written.len() > 1 {
        return written;
    }
    text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::in_groups;

    #[test]
    fn a_code_is_read_in_its_own_groups_or_in_fours() {
        assert_eq!(in_groups("ABCDE-FGHJK"), ["ABCDE", "FGHJK"]);
        assert_eq!(in_groups("ABCDEFGHJ"), ["ABCD", "EFGH", "J"]);
    }
}
