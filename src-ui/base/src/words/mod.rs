//! Everything a person reads, in English and Urdu.
//!
//! `en.rs` defines the keys and the English, and takes the Urdu of the same key from `ur.rs`: a missing Urdu word does
//! not compile, one too many is an unused constant.
//! `{0}`, `{1}` in a text are filled by [`fill`]. Numbers are Western digits in both languages.
//! Longer texts that belong together stand in `help.rs` and `week.rs`, each word with its Urdu beside it.
//! The Urdu is to be checked by native-speaking clinicians before it is used with patients.

/// Declares words with both texts in one place.
macro_rules! pairs {
    ($($key:ident = $en:literal, $ur:literal;)*) => {
        #[allow(non_upper_case_globals, missing_docs)]
        impl W {
            $(pub const $key: W = W(&Both { en: $en, ur: $ur });)*
        }

        /// Every word of this file, for the tests that compare the languages.
        #[cfg(test)]
        pub(super) const ALL: &[W] = &[$(W::$key,)*];
    };
}

mod en;
mod help;
mod needs;
mod stick;
mod ur;
mod vault;
mod week;

/// A text of the screen, in both languages: `W::Today`. One pointer: the window names a thousand of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct W(&'static Both);

#[derive(Debug, PartialEq, Eq)]
struct Both {
    en: &'static str,
    ur: &'static str,
}

/// A language of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    En,
    Ur,
}

impl Lang {
    /// BCP 47, for `<html lang>` and the shell.
    pub const fn code(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ur => "ur",
        }
    }

    /// For `<html dir>`.
    pub const fn dir(self) -> &'static str {
        match self {
            Lang::En => "ltr",
            Lang::Ur => "rtl",
        }
    }

    /// Unknown codes read as English.
    pub fn from_code(code: &str) -> Self {
        if code.starts_with("ur") { Lang::Ur } else { Lang::En }
    }

    /// The text of `word` in this language.
    pub fn say(self, word: W) -> &'static str {
        match self {
            Lang::En => word.0.en,
            Lang::Ur => word.0.ur,
        }
    }
}

/// `text` with `{0}`, `{1}`, ... replaced. Each value is isolated (U+2068, U+2069), so that a Latin name or a number
/// inside Urdu neither moves nor turns round.
pub fn fill(text: &str, values: &[&str]) -> String {
    let mut out = String::with_capacity(text.len() + 24);
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let tail = &rest[open + 1..];
        let Some(close) = tail.find('}') else {
            rest = &rest[open..];
            break;
        };
        if let Some(value) = tail[..close].parse::<usize>().ok().and_then(|at| values.get(at)) {
            out.push('\u{2068}');
            out.push_str(value);
            out.push('\u{2069}');
        }
        rest = &tail[close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static W> {
        W::ALL.iter().chain(help::ALL).chain(week::ALL).chain(vault::ALL).chain(needs::ALL).chain(stick::ALL)
    }

    #[test]
    fn values_are_filled_in_and_isolated() {
        assert_eq!(fill("{1} of {0}", &["a", "b"]), "\u{2068}b\u{2069} of \u{2068}a\u{2069}");
        assert_eq!(fill("plain", &[]), "plain");
        assert_eq!(fill("no {9} value", &["a"]), "no  value");
    }

    #[test]
    fn both_languages_fill_the_same_places() {
        let holes = |text: &str| {
            let mut found: Vec<char> =
                text.split('{').skip(1).filter_map(|rest| rest.chars().next()).collect();
            found.sort_unstable();
            found
        };
        for word in all() {
            assert_eq!(holes(Lang::En.say(*word)), holes(Lang::Ur.say(*word)), "{word:?}");
        }
    }

    #[test]
    fn urdu_has_western_digits_and_no_letters_of_other_keyboards() {
        for word in all() {
            let text = Lang::Ur.say(*word);
            assert!(!text.chars().any(|c| matches!(c, '٠'..='٩' | '۰'..='۹')), "{word:?}: digits");
            assert!(!text.chars().any(|c| matches!(c, 'ي' | 'ك' | 'ه' | 'ى')), "{word:?}: Arabic letters");
        }
    }
}
