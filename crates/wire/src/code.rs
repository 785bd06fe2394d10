//! The one-time enrollment code: what a person types, pastes or scans to join.
//!
//! Bytes: version (1), the first 16 bytes of the SHA-256 of the HIE's SubjectPublicKeyInfo, an 80-bit secret,
//! the address (`host:port`), and two check bytes (the first of the SHA-256 of all before). Text: Crockford's
//! base32 in groups of five; reading forgives case, spaces, dashes and the look-alikes O/0 and I/L/1.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const VERSION: u8 = 1;

#[derive(Clone, PartialEq, Eq)]
pub struct EnrollmentCode {
    /// `host:port` of the HIE.
    pub address: String,
    /// First half of the SHA-256 of the SPKI: what the first connection is pinned to.
    pub spki_sha256_16: [u8; 16],
    pub secret: [u8; 10],
}

impl std::fmt::Debug for EnrollmentCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnrollmentCode[..]")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error("a character that no code has")]
    Character,
    #[error("mistyped or incomplete")]
    Check,
    #[error("a code of a newer version")]
    Version,
}

impl EnrollmentCode {
    pub fn to_text(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.spki_sha256_16);
        bytes.extend(self.secret);
        bytes.extend(self.address.as_bytes());
        bytes.extend(&Sha256::digest(&bytes)[..2]);
        let text = base32(&bytes);
        let groups: Vec<&str> =
            text.as_bytes().chunks(5).map(|c| std::str::from_utf8(c).expect("base32 is ASCII")).collect();
        groups.join("-")
    }

    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let bytes = unbase32(text)?;
        if bytes.len() < 30 {
            return Err(CodeError::Check);
        }
        let (body, check) = bytes.split_at(bytes.len() - 2);
        if Sha256::digest(body)[..2] != *check {
            return Err(CodeError::Check);
        }
        if body[0] != VERSION {
            return Err(CodeError::Version);
        }
        let address = std::str::from_utf8(&body[27..]).map_err(|_| CodeError::Check)?.to_owned();
        Ok(Self {
            address,
            spki_sha256_16: body[1..17].try_into().expect("16 bytes"),
            secret: body[17..27].try_into().expect("10 bytes"),
        })
    }
}

/// Crockford's base32 without padding; also used for recovery codes.
pub fn base32(bytes: &[u8]) -> String {
    let (mut out, mut acc, mut bits) = (String::new(), 0u32, 0);
    for b in bytes {
        acc = acc << 8 | u32::from(*b);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(ALPHABET[(acc >> bits & 31) as usize] as char);
        }
        acc &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(ALPHABET[(acc << (5 - bits) & 31) as usize] as char);
    }
    out
}

/// Reads what [`base32`] wrote, as people type it.
pub fn unbase32(text: &str) -> Result<Vec<u8>, CodeError> {
    let (mut out, mut acc, mut bits) = (Vec::new(), 0u32, 0);
    for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        let value = ALPHABET.iter().position(|a| *a as char == c).ok_or(CodeError::Character)?;
        acc = acc << 5 | value as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits & 0xff) as u8);
            acc &= (1 << bits) - 1;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> EnrollmentCode {
        EnrollmentCode { address: "127.0.0.1:8443".into(), spki_sha256_16: [0xA5; 16], secret: [7; 10] }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let text = code().to_text();
        assert_eq!(EnrollmentCode::parse(&text), Ok(code()));
        let sloppy = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(EnrollmentCode::parse(&sloppy), Ok(code()));
    }

    #[test]
    fn a_mistyped_code_is_told_before_any_network() {
        let text = code().to_text();
        let wrong = text.replacen(|c: char| c.is_ascii_alphanumeric(), "Z", 1);
        assert!(EnrollmentCode::parse(&wrong).is_err());
        assert_eq!(EnrollmentCode::parse("hello!"), Err(CodeError::Character));
        assert_eq!(EnrollmentCode::parse(""), Err(CodeError::Check));
    }
}
