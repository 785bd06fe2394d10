//! Words on the page that follow the language: when it changes, each is written anew where it stands, so what was typed,
//! the keyboard's place and a count-down stay.

use std::cell::{Cell, RefCell};

use wasm_bindgen_futures::spawn_local;

use super::el::El;
use crate::theme::{Theme, paint};
use crate::words::{Lang, W, fill};
use crate::{dom, ipc};

/// A text of the page.
#[derive(Clone)]
pub enum Say {
    Word(W),
    /// A word with its places filled.
    With(W, Vec<String>),
    /// Two sentences.
    Two(W, W),
    /// The same in any language: a name.
    Fixed(String),
}

impl Say {
    pub fn one(word: W, value: &str) -> Self {
        Say::With(word, vec![value.to_owned()])
    }

    fn text(&self, lang: Lang) -> String {
        match self {
            Say::Word(word) => lang.say(*word).to_owned(),
            Say::With(word, values) => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                fill(lang.say(*word), &values)
            }
            Say::Two(first, second) => {
                let mut text = lang.say(*first).to_owned();
                text.push_str(". ");
                text.push_str(lang.say(*second));
                text
            }
            Say::Fixed(text) => text.clone(),
        }
    }
}

impl From<W> for Say {
    fn from(word: W) -> Self {
        Say::Word(word)
    }
}

impl From<String> for Say {
    fn from(text: String) -> Self {
        Say::Fixed(text)
    }
}

/// Where words stand: the element, and which attribute of it.
struct Spot {
    el: El,
    attribute: Option<&'static str>,
    words: Say,
}

thread_local! {
    static LANG: Cell<Lang> = const { Cell::new(Lang::En) };
    static THEME: Cell<Theme> = const { Cell::new(Theme::Auto) };
    static SPOTS: RefCell<Vec<Spot>> = const { RefCell::new(Vec::new()) };
}

/// Writes `words` there, in place of those that stood there.
pub fn at(el: &El, attribute: Option<&'static str>, words: Say) {
    el.write(attribute, &words.text(lang()));
    SPOTS.with_borrow_mut(|spots| {
        match spots.iter_mut().find(|spot| spot.attribute == attribute && spot.el == *el) {
            Some(spot) => spot.words = words,
            None => spots.push(Spot { el: el.clone(), attribute, words }),
        }
    });
}

/// Another page comes: the words of the last one are nobody's.
pub fn forget() {
    SPOTS.take();
}

pub fn lang() -> Lang {
    LANG.get()
}

/// Language and theme as they were in this window before.
pub fn start() {
    LANG.set(dom::stored("rabta.lang").map_or(Lang::En, |code| Lang::from_code(&code)));
    THEME.set(dom::stored("rabta.theme").map_or(Theme::Auto, |code| Theme::from_code(&code)));
    paint(LANG.get(), THEME.get());
}

/// The language here and in this window's memory.
pub fn set_lang(lang: Lang) {
    dom::store("rabta.lang", lang.code());
    LANG.set(lang);
    paint(lang, THEME.get());
    SPOTS.with_borrow_mut(|spots| {
        spots.retain(|spot| spot.el.is_in_the_page());
        for spot in spots {
            spot.el.write(spot.attribute, &spot.words.text(lang));
        }
    });
}

/// As [`set_lang`], and tells the shell for next time.
pub fn change_lang(lang: Lang) {
    set_lang(lang);
    spawn_local(async move {
        let lang = match lang {
            Lang::En => rabta_ipc::gate::Lang::En,
            Lang::Ur => rabta_ipc::gate::Lang::Ur,
        };
        let _ = ipc::call(rabta_ipc::gate::SetLanguage { lang }).await;
    });
}

pub fn set_theme(theme: Theme) {
    dom::store("rabta.theme", theme.code());
    THEME.set(theme);
    paint(LANG.get(), theme);
}
