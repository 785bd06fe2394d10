//! Numbers as people write them.

/// The digits of a text that is a number: digits, blanks, dashes, brackets and a plus only.
pub(crate) fn only_digits(text: &str) -> Option<String> {
    let mut digits = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '\u{6f0}'..='\u{6f9}' => digits.push(char::from(b'0' + (c as u32 - 0x6f0) as u8)),
            '\u{660}'..='\u{669}' => digits.push(char::from(b'0' + (c as u32 - 0x660) as u8)),
            '-' | '+' | ' ' | '(' | ')' | '\u{2010}'..='\u{2015}' => {}
            _ => return None,
        }
    }
    (!digits.is_empty()).then_some(digits)
}

/// A Pakistani telephone number without country code and trunk zero: `3001234567` for 0300-1234567,
/// +92 300 1234567 and 0092... What does not look like one stays as it is.
pub(crate) fn national(digits: &str) -> &str {
    for prefix in ["0092", "92", "0"] {
        if let Some(rest) = digits.strip_prefix(prefix)
            && !rest.is_empty()
            && (prefix != "92" || rest.len() >= 9)
        {
            return rest;
        }
    }
    digits
}
