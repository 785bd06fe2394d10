//! A text handed to a component: a word that follows the language, a fixed text, or one made as needed.

use std::sync::Arc;

use crate::prefs;
use crate::words::W;

#[derive(Clone)]
pub enum Text {
    Word(W),
    Fixed(String),
    Live(Arc<dyn Fn() -> String + Send + Sync>),
}

impl Text {
    /// A text that follows whatever it reads (language, signals).
    pub fn live(make: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Text::Live(Arc::new(make))
    }

    /// `word` with its places filled.
    pub fn with(word: W, values: Vec<String>) -> Self {
        Text::live(move || prefs::say_with(word, &values.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    /// The text now (tracked).
    pub fn get(&self) -> String {
        match self {
            Text::Word(word) => prefs::say(*word).to_owned(),
            Text::Fixed(text) => text.clone(),
            Text::Live(make) => make(),
        }
    }

    /// As what a view takes.
    pub fn view(self) -> impl Fn() -> String + Clone + Send + Sync + 'static {
        move || self.get()
    }
}

impl From<W> for Text {
    fn from(word: W) -> Self {
        Text::Word(word)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::Fixed(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::Fixed(text.to_owned())
    }
}
