//! Language and theme of this window. Kept in the window's own storage, so that the first paint is right; they say
//! nothing about anybody. So does what else is kept there: the paper used last, the place in practice's guide.

use leptos::prelude::*;
pub use rabta_ui_base::theme::Theme;
use rabta_ui_base::theme::paint;

use crate::dom;
use crate::words::{Lang, W, fill};

thread_local! {
    static LANG: ArcRwSignal<Lang> = ArcRwSignal::new(dom::stored("rabta.lang").map_or(Lang::En, |code| Lang::from_code(&code)));
    static THEME: ArcRwSignal<Theme> = ArcRwSignal::new(dom::stored("rabta.theme").map_or(Theme::Auto, |code| Theme::from_code(&code)));
}

/// The language now; tracked, so what reads it in a view changes with it.
pub fn lang() -> Lang {
    LANG.with(|signal| signal.get())
}

/// Whether anybody has chosen a language in this window.
pub fn lang_chosen() -> bool {
    dom::stored("rabta.lang").is_some()
}

/// Changes the language everywhere at once, mirrored where it is Urdu.
pub fn set_lang(lang: Lang) {
    dom::store("rabta.lang", lang.code());
    LANG.with(|signal| signal.set(lang));
    show();
}

pub fn theme() -> Theme {
    THEME.with(|signal| signal.get())
}

pub fn set_theme(theme: Theme) {
    dom::store("rabta.theme", theme.code());
    THEME.with(|signal| signal.set(theme));
    show();
}

/// Writes language, direction and theme to `<html>`.
pub fn show() {
    paint(LANG.with(|signal| signal.get_untracked()), THEME.with(|signal| signal.get_untracked()));
}

/// The text of `word` now (tracked).
pub fn say(word: W) -> &'static str {
    lang().say(word)
}

/// The text of `word` with its places filled (tracked).
pub fn say_with(word: W, values: &[&str]) -> String {
    fill(say(word), values)
}

/// One thing or several: the word for one, or the word for many with the number filled in.
pub fn say_count(n: usize, one: W, many: W) -> String {
    say_with(if n == 1 { one } else { many }, &[&n.to_string()])
}

/// `word` as what a view takes for a text or an attribute: it follows the language.
pub fn t(word: W) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    move || say(word)
}
