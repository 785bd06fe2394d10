//! Text to comparable words.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Words that join or address, and tell nobody apart.
const SMALL_WORDS: &[&str] = &[
    "so",
    "do",
    "wo",
    "co",
    "bin",
    "bint",
    "ibn",
    "binte",
    "mr",
    "mrs",
    "miss",
    "ms",
    "mst",
    "mstt",
    "musamat",
    "dr",
    "ولد",
    "بن",
    "بنت",
    "زوجہ",
    "دختر",
    "مسمات",
    "مسماہ",
    "ڈاکٹر",
];

/// Lower case, without marks, vowel signs, joiners and apostrophes; one form for letters that Arabic and Urdu
/// keyboards type differently; Western digits; split at everything else.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_slash: Option<String> = None;
    for c in text.nfkd() {
        match c {
            c if is_combining_mark(c) => {}
            // Tatweel, joiners and direction marks, and the ways to write hamza or ain in Latin.
            '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            '\'' | '’' | '‘' | '`' | 'ʿ' | 'ʾ' | 'ء' | '.' => {}
            '/' => {
                // "s/o", "d/o" and "w/o" are one small word.
                before_slash = words.last().cloned().filter(|w| w.chars().count() == 1);
                if before_slash.is_none() {
                    words.push(String::new());
                }
                continue;
            }
            c if c.is_alphanumeric() => {
                let word = words.last_mut().expect("there is always a last word");
                word.extend(one_form(c).to_lowercase());
            }
            _ => words.push(String::new()),
        }
        before_slash.take();
    }
    words.retain(|w| !w.is_empty());
    whole_bibis(words)
}

/// "بی بی" and "Bi Bi" are one word, as Bibi is.
fn whole_bibis(words: Vec<String>) -> Vec<String> {
    let mut whole: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        match whole.last_mut() {
            Some(last) if *last == word && ["بی", "bi"].contains(&word.as_str()) => last.push_str(&word),
            _ => whole.push(word),
        }
    }
    whole
}

/// [`words`] without the small ones, unless there is nothing else.
pub(crate) fn telling_words(text: &str) -> Vec<String> {
    let all = words(text);
    let telling: Vec<String> = all.iter().filter(|w| !SMALL_WORDS.contains(&w.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

fn one_form(c: char) -> char {
    match c {
        'ي' | 'ى' | 'ې' | 'ے' => 'ی',
        'ك' | 'ڪ' => 'ک',
        'ه' | 'ة' | 'ۃ' | 'ە' => 'ہ',
        'ٱ' => 'ا',
        '\u{6f0}'..='\u{6f9}' => char::from(b'0' + (c as u32 - 0x6f0) as u8),
        '\u{660}'..='\u{669}' => char::from(b'0' + (c as u32 - 0x660) as u8),
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_what_tells_nobody_apart() {
        assert_eq!(telling_words("Mst. Ayesha-Bibi  W/O  Sa'eed"), ["ayesha", "bibi", "saeed"]);
        assert_eq!(telling_words("MR"), ["mr"]);
        assert_eq!(telling_words("\u{202b}۰۳۰۰\u{202c} ٱلي"), ["0300", "الی"]);
        assert_eq!(telling_words("Zoë/Ali"), ["zoe", "ali"]);
        assert!(telling_words(" -\u{0}/ ").is_empty());
    }

    #[test]
    fn arabic_and_urdu_keyboards_type_the_same_name() {
        assert_eq!(words("علي"), words("علی"));
        assert_eq!(words("فاطمة"), words("فاطمہ"));
        assert_eq!(words("آمنہ"), words("امنہ"));
    }
}
