//! Whom a patient phones when the page has no other way on: put beside the link by the doctor's program, sealed with a key
//! from the link's secret as what is left after a call ([`crate::after`]), and padded, so that the HIE learns nothing from it.
//!
//! ```
//! use rabta_wire::guest::{Contact, LinkSecret};
//! let secret = LinkSecret::from_random([7; 16]);
//! let contact = Contact { phone: Some("+923001234567".into()) };
//! let sealed = secret.seal_contact([1; 12], &contact);
//! assert_eq!(sealed.len(), secret.seal_contact([2; 12], &Contact::default()).len());
//! assert_eq!(secret.open_contact(&sealed), Some(contact));
//! ```

use serde::{Deserialize, Serialize};

use crate::guest::LinkSecret;

/// A sealed [`Contact`], at the most, bytes.
pub const CONTACT_BYTES: usize = 400;
/// What is sealed is padded with spaces to a multiple of this.
const PADDED: usize = 64;
/// What is authenticated with it, so that it cannot stand in for a part of what is left after a call.
const NAME: &str = "contact";

/// What the page shows as a way on.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// As [`dialable`] gives it.
    #[serde(default)]
    pub phone: Option<String>,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact[..]")
    }
}

/// A number as a telephone dials it (RFC 3966, section 5.1.4, without separators): digits, with a plus in front of an
/// international one. `None` where it cannot be one.
pub fn dialable(text: &str) -> Option<String> {
    let separates = |c: char| matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}');
    let number: String = text.trim().chars().filter(|c| !separates(*c)).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let good = (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    good.then_some(number)
}

impl LinkSecret {
    /// `nonce`: random, and another one each time.
    pub fn seal_contact(&self, nonce: [u8; 12], contact: &Contact) -> Vec<u8> {
        let mut plain = serde_json::to_vec(contact).expect("strings");
        plain.resize(plain.len().next_multiple_of(PADDED), b' ');
        self.seal_named(NAME, nonce, &plain)
    }

    /// `None` if it was sealed with another link's key, as something else, or was changed on the way.
    pub fn open_contact(&self, sealed: &[u8]) -> Option<Contact> {
        serde_json::from_slice(&self.open_named(NAME, sealed)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::AfterPart;

    #[test]
    fn what_is_no_number_is_not_dialed() {
        assert_eq!(dialable(" 0300 005-5101 ").as_deref(), Some("03000055101"));
        assert_eq!(dialable("+92 (300) 0055101").as_deref(), Some("+923000055101"));
        for text in ["", "12", "ask the nurse", "+", "0300;ext=1", "0300,,1", "#31#0300", "1234567890123456"]
        {
            assert_eq!(dialable(text), None, "{text}");
        }
    }

    #[test]
    fn one_sealed_thing_does_not_stand_in_for_another() {
        let secret = LinkSecret::from_random([7; 16]);
        let sealed = secret.seal_contact([1; 12], &Contact { phone: Some("1122".into()) });
        assert!(sealed.len() <= CONTACT_BYTES);
        assert_eq!(secret.open_after(AfterPart::Note, &sealed), None);
        assert_eq!(LinkSecret::from_random([8; 16]).open_contact(&sealed), None);
        let note = secret.seal_after(AfterPart::Note, [2; 12], b"{}");
        assert_eq!(secret.open_contact(&note), None);
        let newer = secret.seal_named(NAME, [3; 12], br#"{"phone":"1122","hours":"always"}"#);
        assert_eq!(secret.open_contact(&newer).unwrap().phone.as_deref(), Some("1122"));
        assert_eq!(format!("{:?}", Contact { phone: Some("1122".into()) }), "Contact[..]");
    }
}
