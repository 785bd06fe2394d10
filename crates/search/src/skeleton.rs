//! The consonant skeleton: one spelling for all the spellings of a name, in both scripts.

/// Spellings that no rule leads to.
const KNOWN: &[(&str, &str)] = &[
    ("md", "mhmd"),
    ("mohd", "mhmd"),
    ("muhd", "mhmd"),
    ("mhd", "mhmd"),
    ("mohmd", "mhmd"),
    ("uthman", "asmn"),
    ("othman", "asmn"),
    ("ishaq", "ashk"),
    ("ishaque", "ashk"),
    ("gh", "glm"),
    ("ch", "cdr"),
    ("ramadan", "rmzn"),
    ("rida", "rz"),
    ("reda", "rz"),
];

/// The skeleton of one word of [`crate::name_keys`] (lower case, no marks). Vowels vanish but for a first one
/// (`a`); w, v and y count at the beginning only, where they are consonants for sure; a last h is silent; q and kh
/// are k, ph is f, gh is g, ch is `c` and sh is `x`; runs of one letter become one.
///
/// A word in another script stays as it is.
pub fn skeleton(word: &str) -> String {
    squeeze(&sounds(word, true))
}

/// The skeleton of a word as it stands in a name: "M." is Muhammad and "G." is Ghulam there. Typed, it may begin any name.
pub(crate) fn written_skeleton(word: &str) -> String {
    match word {
        "m" => "mhmd".to_owned(),
        "g" => "glm".to_owned(),
        word => skeleton(word),
    }
}

/// The skeleton of a word that may still be being typed: a last h may yet be followed by something.
pub(crate) fn open_skeleton(word: &str) -> String {
    squeeze(&sounds(word, false))
}

fn sounds(word: &str, ended: bool) -> String {
    if let Some((_, known)) = KNOWN.iter().find(|(spelling, _)| *spelling == word) {
        return (*known).to_owned();
    }
    if word.is_ascii() {
        match servant_of(word) {
            Some(rest) => format!("abdl{}", latin(rest, ended, false)),
            None => latin(word, ended, true),
        }
    } else if word.chars().all(|c| ('\u{600}'..='\u{6ff}').contains(&c) || c.is_ascii_digit()) {
        urdu(word, ended)
    } else {
        word.to_owned()
    }
}

/// Abdul, Abdur, Abdus...: the article takes the next word's first consonant. What follows it in the same word.
fn servant_of(word: &str) -> Option<&str> {
    let rest = word.strip_prefix("abd")?;
    let rest = rest.strip_prefix("oo").or_else(|| rest.strip_prefix(['u', 'a', 'e', 'i', 'o']))?;
    rest.strip_prefix(['l', 'r', 's', 'z', 'n', 't', 'd'])
}

fn latin(word: &str, ended: bool, start: bool) -> String {
    let letters = word.as_bytes();
    let mut out = String::new();
    let mut i = 0;
    while i < letters.len() {
        let next = letters.get(i + 1).copied();
        let aspirated = next == Some(b'h');
        let (sound, step) = match letters[i] {
            b'a' | b'e' | b'i' | b'o' | b'u' => (if i == 0 && start { "a" } else { "" }, 1),
            b'y' => (if i == 0 { "y" } else { "" }, 1),
            b'w' | b'v' => (if i == 0 { "w" } else { "" }, 1),
            b'h' => (if ended && next.is_none() && i > 0 { "" } else { "h" }, 1),
            b's' if aspirated => ("x", 2),
            b'c' if aspirated => ("c", 2),
            b'p' if aspirated => ("f", 2),
            b'k' | b'q' => ("k", if aspirated { 2 } else { 1 }),
            b'c' => (if matches!(next, Some(b'e' | b'i' | b'y')) { "s" } else { "k" }, 1),
            // As in Bux, which is Bakhsh.
            b'x' => ("kx", 1),
            b'g' => ("g", if aspirated { 2 } else { 1 }),
            b't' => ("t", if aspirated { 2 } else { 1 }),
            b'd' => ("d", if aspirated { 2 } else { 1 }),
            b'b' => ("b", if aspirated { 2 } else { 1 }),
            b'j' => ("j", if aspirated { 2 } else { 1 }),
            b'z' => ("z", if aspirated { 2 } else { 1 }),
            _ => (&word[i..=i], 1),
        };
        out.push_str(sound);
        i += step;
    }
    out
}

fn urdu(word: &str, ended: bool) -> String {
    let letters: Vec<char> = word.chars().collect();
    // "عبد الرحمن" as two words: the article is no part of the name. In "اللہ" it is.
    let god = letters.starts_with(&['ا', 'ل', 'ل', 'ہ']);
    let article = if letters.len() > 4 && letters.starts_with(&['ا', 'ل']) && !god { 2 } else { 0 };
    let letters = &letters[article..];
    let mut out = String::new();
    for (i, c) in letters.iter().enumerate() {
        let first = i == 0;
        let last = i + 1 == letters.len();
        out.push_str(match c {
            'ا' | 'ع' => ["", "a"][first as usize],
            'ی' => ["", "y"][first as usize],
            'و' => ["", "w"][first as usize],
            'ہ' | 'ح' => ["h", ""][(last && ended && !first) as usize],
            // Aspiration only.
            'ھ' => "",
            c if c.is_ascii_digit() => {
                out.push(*c);
                continue;
            }
            c => consonant(*c),
        });
    }
    out
}

/// The sound of an Urdu letter that is a consonant wherever it stands; nothing for others.
pub(crate) fn consonant(letter: char) -> &'static str {
    match letter {
        'ب' => "b",
        'پ' => "p",
        'ت' | 'ٹ' | 'ط' => "t",
        'ث' | 'س' | 'ص' => "s",
        'ج' | 'ژ' => "j",
        'چ' => "c",
        'خ' | 'ق' | 'ک' => "k",
        'د' | 'ڈ' => "d",
        'ذ' | 'ز' | 'ض' | 'ظ' => "z",
        'ر' | 'ڑ' => "r",
        'ش' => "x",
        'غ' | 'گ' => "g",
        'ف' => "f",
        'ل' => "l",
        'م' => "m",
        'ن' | 'ں' => "n",
        _ => "",
    }
}

fn squeeze(sounds: &str) -> String {
    let mut out = String::with_capacity(sounds.len());
    for c in sounds.chars() {
        if !out.ends_with(c) {
            out.push(c);
        }
    }
    out
}
