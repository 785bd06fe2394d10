//! The MR number: one patient, one id. `<prefix>-<six digits>-<check digit>`, for example `3740-000123-4`.
//!
//! The prefix (four digits) and the range come in a block that the HIE handed to the clinic; the check digit is
//! Damm's over prefix and number, which catches every single mistyped digit and every swap of neighbors.

const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

fn damm(digits: impl Iterator<Item = u8>) -> u8 {
    digits.fold(0, |interim, d| DAMM[interim as usize][d as usize])
}

/// `FHIR Identifier.system` of MR numbers.
pub const SYSTEM: &str = "https://rabta.health/fhir/sid/mr";

/// The MR number `number` of the block with `prefix` (digits), written with its check digit.
pub fn format(prefix: &str, number: u32) -> String {
    let body = format!("{prefix}{number:06}");
    let check = damm(body.bytes().map(|b| b.saturating_sub(b'0') % 10));
    format!("{prefix}-{number:06}-{check}")
}

/// Reads an MR number as typed (dashes and spaces do not matter). `None` if the check digit is wrong.
pub fn parse(text: &str) -> Option<String> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_digit(10).map(|d| d as u8))
        .collect::<Option<_>>()?;
    if digits.len() != 11 || damm(digits.iter().copied()) != 0 {
        return None;
    }
    let text: String = digits.iter().map(|d| (b'0' + d) as char).collect();
    Some(format!("{}-{}-{}", &text[..4], &text[4..10], &text[10..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistyped_digit_and_swap_is_caught() {
        let number = format("3740", 123);
        assert_eq!(parse(&number), Some(number.clone()));
        let digits: Vec<char> = number.chars().filter(|c| *c != '-').collect();
        for i in 0..digits.len() {
            for d in '0'..='9' {
                let mut typed = digits.clone();
                typed[i] = d;
                let ok = parse(&typed.iter().collect::<String>()).is_some();
                assert_eq!(ok, d == digits[i], "digit {i} as {d}");
            }
            if i > 0 && digits[i] != digits[i - 1] {
                let mut typed = digits.clone();
                typed.swap(i, i - 1);
                assert_eq!(parse(&typed.iter().collect::<String>()), None, "swap at {i}");
            }
        }
    }
}
