//! The code on a printed prescription: who signed it, on which day, how many medicines it holds, and which document it
//! is printed from. Nothing in it names the patient or a medicine.
//!
//! ```text
//! RABTA: base32( version 1 | document 16 | person 16 | day 2 | medicines 1 | Ed25519 signature 64 | check 2 )
//! ```
//! Numbers are big-endian. The check is the start of a SHA-256, so that a mistyped code is told from a forged one. All
//! characters are of QR's alphanumeric mode (ISO/IEC 18004, 7.4.4): 170 of them fit version 7 at level M. The person
//! signs when they sign the document (a JWS input as in [`PersonSignature`], over these bytes after a prefix that no
//! FHIR payload begins with), so printing needs no key.
//!
//! **Never change** the layout or the prefix under the same version: papers live for years.

use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::{
    Id,
    cert::Cert,
    code::{base32, unbase32},
    envelope::PersonSignature,
};

/// What the code begins with.
pub const PREFIX: &str = "RABTA:";
const VERSION: u8 = 1;
/// What the signature covers begins with this.
const DOMAIN: &[u8] = b"rabta paper 1\0";
/// urn:iso-astm:E1762-95:2013, author.
const PURPOSE: &str = "1.2.840.10065.1.12.1.1";
const STATEMENT: usize = 1 + 16 + 16 + 2 + 1;
const SIGNATURE: usize = 64;
const CHECK: usize = 2;
const DAY_MS: i64 = 86_400_000;
/// No calendar is further ahead of UTC.
const EARLIEST_MS: i64 = 14 * 3_600_000;

/// What the person says of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The envelope that the paper is printed from.
    pub document: Id,
    pub person: Id,
    /// Days since 1970-01-01, by the calendar of the place where it was signed.
    pub day: u16,
    /// How many medicines the paper orders; 255: that many or more.
    pub medicines: u8,
}

/// A statement and the person's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperCode {
    pub statement: Statement,
    signature: [u8; SIGNATURE],
}

/// A key that is known of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownKey {
    pub key: [u8; 32],
    /// Milliseconds since 1970 by the HIE's clock.
    pub revoked_at: Option<i64>,
}

impl From<&Cert> for KnownKey {
    fn from(cert: &Cert) -> Self {
        Self { key: cert.key, revoked_at: cert.revoked.then_some(cert.issued_at) }
    }
}

/// Whose signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub key: [u8; 32],
    /// The person was revoked after that day, or on it. Only the document itself, if the HIE received it before, tells
    /// that the day was not put back.
    pub revoked_at: Option<i64>,
}

/// Why a code proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    #[error("this is not the code of a prescription")]
    NotACode,
    #[error("the code is incomplete or mistyped")]
    Mistyped,
    #[error("the code was made by a newer program (version {0})")]
    Newer(u8),
    #[error("nobody who is known here signed it")]
    UnknownPerson,
    #[error("the signature is not that person's: the code was made up or changed")]
    Signature,
    #[error("the person had been revoked before that day")]
    Revoked { since: i64 },
}

impl Statement {
    fn bytes(&self) -> [u8; STATEMENT] {
        let mut out = [0; STATEMENT];
        out[0] = VERSION;
        out[1..17].copy_from_slice(&self.document.0);
        out[17..33].copy_from_slice(&self.person.0);
        out[33..35].copy_from_slice(&self.day.to_be_bytes());
        out[35] = self.medicines;
        out
    }

    fn signed(&self) -> Vec<u8> {
        [DOMAIN, &self.bytes()].concat()
    }
}

impl PaperCode {
    /// Signs with the person's key: at the moment when the document is signed.
    pub fn sign(key: &SigningKey, statement: Statement) -> Self {
        let signed = PersonSignature::sign(key, statement.person, PURPOSE, &statement.signed());
        Self { statement, signature: signed.signature }
    }

    /// As it is printed and scanned.
    pub fn to_text(&self) -> String {
        let mut bytes = self.statement.bytes().to_vec();
        bytes.extend(self.signature);
        bytes.extend(check(&bytes));
        format!("{PREFIX}{}", base32(&bytes))
    }

    /// Reads what [`Self::to_text`] wrote, in either case, with spaces, dashes and line breaks as people copy it.
    pub fn parse(text: &str) -> Result<Self, PaperError> {
        // Longer texts are no code, whatever they are.
        if text.len() > 2_000 {
            return Err(PaperError::NotACode);
        }
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let body = plain.strip_prefix(PREFIX).ok_or(PaperError::NotACode)?;
        let body = body.replace('O', "0").replace(['I', 'L'], "1");
        let bytes = unbase32(&body).map_err(|_| PaperError::Mistyped)?;
        // One text for one code: what is left over in the last character must be nothing.
        if bytes.len() < 1 + CHECK || base32(&bytes) != body {
            return Err(PaperError::Mistyped);
        }
        let (said, sum) = bytes.split_at(bytes.len() - CHECK);
        if check(said) != *sum {
            return Err(PaperError::Mistyped);
        }
        if said[0] != VERSION {
            return Err(if said[0] > VERSION { PaperError::Newer(said[0]) } else { PaperError::NotACode });
        }
        if said.len() != STATEMENT + SIGNATURE {
            return Err(PaperError::Mistyped);
        }
        let id = |from: usize| Id(said[from..from + 16].try_into().expect("16 bytes"));
        let statement = Statement {
            document: id(1),
            person: id(17),
            day: u16::from_be_bytes([said[33], said[34]]),
            medicines: said[35],
        };
        Ok(Self { statement, signature: said[STATEMENT..].try_into().expect("64 bytes") })
    }

    /// Whether one of `keys`, all that is known of the statement's person, made it, and whether that key counted then.
    pub fn check(&self, keys: &[KnownKey]) -> Result<Standing, PaperError> {
        if keys.is_empty() {
            return Err(PaperError::UnknownPerson);
        }
        // The protected header is that of every signature of this person and purpose.
        let person = self.statement.person;
        let protected = PersonSignature::protected(person, PURPOSE);
        let signed = PersonSignature { person, protected, signature: self.signature };
        let bytes = self.statement.signed();
        let made = |known: &&KnownKey| {
            VerifyingKey::from_bytes(&known.key).is_ok_and(|key| signed.verify(&key, &bytes))
        };
        let known = keys.iter().find(made).ok_or(PaperError::Signature)?;
        match known.revoked_at {
            Some(since) if since <= i64::from(self.statement.day) * DAY_MS - EARLIEST_MS => {
                Err(PaperError::Revoked { since })
            }
            revoked_at => Ok(Standing { key: known.key, revoked_at }),
        }
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    let sum = Sha256::digest(bytes);
    [sum[0], sum[1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn known(n: u8, revoked_at: Option<i64>) -> KnownKey {
        KnownKey { key: key(n).verifying_key().to_bytes(), revoked_at }
    }

    fn code() -> PaperCode {
        let statement =
            Statement { document: Id([0xd0; 16]), person: Id([7; 16]), day: 20_779, medicines: 3 };
        PaperCode::sign(&key(1), statement)
    }

    #[test]
    fn a_code_is_read_back_and_holds() {
        let text = code().to_text();
        assert_eq!(text.len(), 170);
        assert!(text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b':'));
        let read = PaperCode::parse(&text).expect("its own text");
        assert_eq!(read, code());
        assert_eq!(read.check(&[known(9, None), known(1, None)]).map(|s| s.revoked_at), Ok(None));
        let copied = text
            .to_lowercase()
            .as_bytes()
            .chunks(20)
            .fold(String::new(), |all, part| all + std::str::from_utf8(part).expect("ASCII") + "-\n ");
        assert_eq!(PaperCode::parse(&copied), Ok(code()));
    }

    #[test]
    fn every_cut_and_every_changed_character_is_refused() {
        let text = code().to_text();
        for end in 0..text.len() {
            let cut = PaperCode::parse(&text[..end]);
            let why = if end < PREFIX.len() { PaperError::NotACode } else { PaperError::Mistyped };
            assert_eq!(cut, Err(why), "{end} characters");
        }
        for at in PREFIX.len()..text.len() {
            for other in "0Z7K".chars().filter(|c| *c != text.as_bytes()[at] as char) {
                let mut changed = text.clone();
                changed.replace_range(at..=at, &other.to_string());
                // A check of 16 bits lets one in 65536 by: then the signature does not.
                match PaperCode::parse(&changed) {
                    Err(why) => assert_eq!(why, PaperError::Mistyped, "character {at}"),
                    Ok(code) => assert_eq!(code.check(&[known(1, None)]), Err(PaperError::Signature)),
                }
            }
        }
        for long in [format!("{text}0"), format!("{text}{}", &text[6..]), "RABTA:".repeat(10_000)] {
            assert!(PaperCode::parse(&long).is_err());
        }
        for other in ["", "RABTA:U", "https://example.org", "RABTA:آم", "\0"] {
            assert!(PaperCode::parse(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn every_changed_byte_with_a_right_check_fails_the_signature() {
        let mut bytes = code().statement.bytes().to_vec();
        bytes.extend(code().signature);
        for at in 0..bytes.len() {
            for bit in [1, 0x10, 0x80] {
                let mut forged = bytes.clone();
                forged[at] ^= bit;
                forged.extend(check(&forged));
                let text = format!("{PREFIX}{}", base32(&forged));
                match PaperCode::parse(&text) {
                    Err(why) if at == 0 => {
                        assert!(matches!(why, PaperError::Newer(_) | PaperError::NotACode), "{why}");
                    }
                    Err(why) => panic!("byte {at}: {why}"),
                    Ok(code) => assert_eq!(code.check(&[known(1, None)]), Err(PaperError::Signature)),
                }
            }
        }
    }

    #[test]
    fn somebody_elses_key_and_nobodys_are_told_apart() {
        assert_eq!(code().check(&[]), Err(PaperError::UnknownPerson));
        assert_eq!(code().check(&[known(2, None)]), Err(PaperError::Signature));
        let no_key = KnownKey { key: [0xff; 32], revoked_at: None };
        assert_eq!(code().check(&[no_key]), Err(PaperError::Signature));
    }

    #[test]
    fn who_was_revoked_before_that_day_signed_nothing_and_later_is_said() {
        let noon = 20_779 * DAY_MS + DAY_MS / 2;
        let before = noon - 2 * DAY_MS;
        let check = |at| code().check(&[known(1, Some(at))]);
        assert_eq!(check(before), Err(PaperError::Revoked { since: before }));
        assert_eq!(check(noon).map(|s| s.revoked_at), Ok(Some(noon)));
        assert_eq!(check(noon + 90 * DAY_MS).map(|s| s.revoked_at), Ok(Some(noon + 90 * DAY_MS)));
    }

    #[test]
    fn a_signature_under_a_document_is_no_code() {
        let payload = br#"{"resourceType":"Bundle"}"#;
        let signed = PersonSignature::sign(&key(1), Id([7; 16]), PURPOSE, payload);
        let forged = PaperCode { signature: signed.signature, ..code() };
        assert_eq!(forged.check(&[known(1, None)]), Err(PaperError::Signature));
    }
}
