//! Codes as people type them: grouped while they type, look-alikes forgiven, a whole message taken apart.

/// How many characters the shortest joining code has (30 bytes in base32).
pub const SHORTEST: usize = 48;

/// Letters and digits that a code has, in capitals, with O, I and L read as the digits that they look like.
pub fn clean(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect()
}

/// `text` in groups of `size`, joined by dashes.
pub fn grouped(text: &str, size: usize) -> String {
    let cleaned = clean(text);
    let groups: Vec<&str> =
        cleaned.as_bytes().chunks(size).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join("-")
}

/// The code in a pasted message: the longest piece made of groups of five with dashes; else all of it.
pub fn from_message(text: &str) -> String {
    text.split_whitespace()
        .map(|piece| piece.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|piece| {
            let groups: Vec<&str> = piece.split('-').collect();
            groups.len() >= 4 && groups[..groups.len() - 1].iter().all(|group| group.len() == 5)
        })
        .max_by_key(|piece| piece.len())
        .unwrap_or(text)
        .to_owned()
}

/// The digits of what was typed, also where the keyboard writes those of Urdu or Arabic.
pub fn digits(typed: &str) -> String {
    let western = |c: char| match c {
        '\u{0660}'..='\u{0669}' => char::from_digit(c as u32 - 0x0660, 10),
        '\u{06F0}'..='\u{06F9}' => char::from_digit(c as u32 - 0x06F0, 10),
        c => Some(c).filter(char::is_ascii_digit),
    };
    typed.chars().filter_map(western).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_grouped_and_look_alikes_are_digits() {
        assert_eq!(grouped("abcde fghil o1", 5), "ABCDE-FGH11-01");
        assert_eq!(grouped("", 5), "");
    }

    #[test]
    fn digits_of_any_keyboard_are_one_pin() {
        assert_eq!(digits("4 8a2"), "482");
        assert_eq!(digits("\u{06F4}\u{06F8}\u{0662}1"), "4821");
    }

    #[test]
    fn the_code_is_found_in_a_message() {
        let message = "Salaam! Your code: 0AB12-CDE34-FGH56-JKM78-9. It works once.";
        assert_eq!(from_message(message), "0AB12-CDE34-FGH56-JKM78-9");
        assert_eq!(from_message("0ab12 cde34"), "0ab12 cde34");
    }
}
