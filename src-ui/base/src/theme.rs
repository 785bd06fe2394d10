//! Light or dark, and what `<html>` says of the language.

use crate::dom;
use crate::words::Lang;

/// Which colors. `Auto` follows the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const fn code(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub fn from_code(code: &str) -> Self {
        match code {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::Auto,
        }
    }
}

/// Writes language, direction and theme to `<html>`.
pub fn paint(lang: Lang, theme: Theme) {
    let root = dom::root();
    let _ = root.set_attribute("lang", lang.code());
    let _ = root.set_attribute("dir", lang.dir());
    let dark = theme == Theme::Dark || (theme == Theme::Auto && dom::system_is_dark());
    let _ = root.set_attribute("data-theme", if dark { "dark" } else { "light" });
}
