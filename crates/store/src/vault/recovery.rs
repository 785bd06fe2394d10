//! The recovery code: written down at set-up, opens the vault when the passphrase is lost.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// Crockford's base32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 24 random letters of 5 bits are 120 bits; one more checks them.
const RANDOM: usize = 24;
const GROUP: usize = 5;

/// 24 random letters and a check letter, in groups of five. Prints `[..]`.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Zeroizing<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("mistyped or incomplete: a recovery code has five groups of five letters and digits")]
pub struct NotARecoveryCode;

impl RecoveryCode {
    pub(crate) fn random() -> Self {
        let mut bytes = Zeroizing::new([0_u8; RANDOM]);
        getrandom::fill(&mut *bytes).expect("the operating system has randomness");
        let mut letters = Zeroizing::new(String::with_capacity(RANDOM + 1));
        letters.extend(bytes.iter().map(|b| ALPHABET[usize::from(b % 32)] as char));
        let check = check_letter(&letters);
        letters.push(check);
        Self(letters)
    }

    /// Reads what somebody typed: case, blanks and dashes do not matter, O is 0, I and L are 1. Takes and wipes it.
    pub fn parse(typed: String) -> Result<Self, NotARecoveryCode> {
        let typed = Zeroizing::new(typed);
        let mut letters = Zeroizing::new(String::with_capacity(RANDOM + 1));
        for c in typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}')) {
            let letter = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            if !letter.is_ascii() || !ALPHABET.contains(&(letter as u8)) || letters.len() > RANDOM {
                return Err(NotARecoveryCode);
            }
            letters.push(letter);
        }
        let sound = letters.len() == RANDOM + 1 && letters.ends_with(check_letter(&letters[..RANDOM]));
        if sound { Ok(Self(letters)) } else { Err(NotARecoveryCode) }
    }

    /// To be shown once and written down: `ABCDE-FGHJK-...`.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * self.0.len()));
        for (i, letter) in self.0.chars().enumerate() {
            if i > 0 && i % GROUP == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        text
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn check_letter(letters: &str) -> char {
    let mut hash = Sha256::digest(letters.as_bytes());
    let check = ALPHABET[usize::from(hash[0] % 32)] as char;
    hash.as_mut_slice().zeroize();
    check
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode[..]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_however_it_is_typed() {
        for _ in 0..50 {
            let code = RecoveryCode::random();
            let shown = code.reveal();
            assert_eq!(shown.len(), 29);
            let sloppy = shown.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            assert_eq!(RecoveryCode::parse(sloppy), Ok(code));
        }
    }

    #[test]
    fn most_single_mistakes_are_noticed() {
        let mut missed = 0;
        let mut tried = 0;
        // One in 32 is missed on average, of one code alone sometimes more than one in 20.
        for _ in 0..20 {
            let shown = RecoveryCode::random().reveal();
            for (i, c) in shown.char_indices().filter(|(_, c)| *c != '-') {
                for other in ALPHABET.iter().map(|b| *b as char).filter(|o| *o != c) {
                    let mut typed = shown.to_string();
                    typed.replace_range(i..=i, &other.to_string());
                    tried += 1;
                    missed += usize::from(RecoveryCode::parse(typed).is_ok());
                }
            }
        }
        assert!(missed * 20 < tried, "{missed} of {tried}");
        assert_eq!(RecoveryCode::parse(String::new()), Err(NotARecoveryCode));
        assert_eq!(RecoveryCode::parse("É".repeat(25)), Err(NotARecoveryCode));
    }
}
