//! Identity papers, CNIC first. A CNIC is an attribute with an assurance, never a resource id, never in a URL.

use serde::{Deserialize, Serialize};
use time::Date;

use crate::{Private, patient::Sex};

/// `Identifier.system` of a kind of paper. NADRA publishes none, so it is ours, on a neutral base.
pub fn system(kind: &str) -> String {
    format!("https://rabta.health/fhir/sid/pk-{kind}")
}

/// How sure we are that the number is this person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    #[default]
    Stated,
    CardSeen,
    Verified,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// A code of the country package: cnic, b-form, nicop, poc, por, acc, passport, old-nic.
    pub kind: String,
    /// Digits as on the card, normalized (a CNIC as `35202-1234567-1`).
    pub number: Private<String>,
    #[serde(default)]
    pub assurance: Assurance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
}

/// A CNIC or B-Form number as typed, to `XXXXX-XXXXXXX-X`; `None` unless it has 13 digits and a province (1-7).
pub fn normalize_cnic(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ' | '\u{2011}' | '\u{2013}')).collect();
    let plausible = digits.len() == 13
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (b'1'..=b'7').contains(&digits.as_bytes()[0]);
    plausible.then(|| format!("{}-{}-{}", &digits[..5], &digits[5..12], &digits[12..]))
}

/// Whether the last digit (odd for men, even for women) disagrees with the sex. Only ever a warning: it is a hint,
/// not a rule.
pub fn cnic_sex_differs(cnic: &str, sex: Sex) -> bool {
    let odd = cnic.bytes().last().is_some_and(|b| b % 2 == 1);
    matches!((sex, odd), (Sex::Male, false) | (Sex::Female, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cnic_is_read_with_and_without_dashes() {
        assert_eq!(normalize_cnic("3520212345671").as_deref(), Some("35202-1234567-1"));
        assert_eq!(normalize_cnic("35202-1234567-1").as_deref(), Some("35202-1234567-1"));
        assert_eq!(normalize_cnic("35202-123456-1"), None);
        assert_eq!(normalize_cnic("95202-1234567-1"), None);
    }

    #[test]
    fn a_last_digit_that_disagrees_only_warns_for_men_and_women() {
        assert!(cnic_sex_differs("35202-1234567-1", Sex::Female));
        assert!(!cnic_sex_differs("35202-1234567-1", Sex::Male));
        assert!(!cnic_sex_differs("35202-1234567-1", Sex::Other));
    }
}
