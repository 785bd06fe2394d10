//! Why a record is read, and emergency access ("break the glass").
//!
//! - Every read of `/fhir` may name its purpose in [`PURPOSE_HEADER`], a code of v3-ActReason
//!   (http://terminology.hl7.org/CodeSystem/v3-ActReason); none means `TREAT`.
//! - `POST /v1/break-glass` takes a [`BreakGlass`], answers 201 with a [`Grant`]. From then to its end the person who
//!   asked reads that patient's record, where the read names the purpose `ETREAT` or `BTG`.
//! - `GET /v1/break-glass` answers a [`Grants`]: whose glass was broken at the caller's facility, and the caller's own.
//!
//! JSON; errors are OperationOutcomes whose `details.coding[0].code` is one of [`codes`].

use serde::{Deserialize, Serialize};

use crate::Id;

pub const PURPOSE_HEADER: &str = "rabta-purpose";
pub const PATH: &str = "/v1/break-glass";
/// How long a grant lasts, in seconds: a day and a night.
pub const GRANT_S: i64 = 24 * 3600;
/// The longest text of a reason, in characters, and the shortest that says something.
pub const TEXT: usize = 500;
pub const SHORTEST_TEXT: usize = 8;

/// Stable codes of what can go wrong.
pub mod codes {
    /// The purpose is not one of the list.
    pub const PURPOSE: &str = "purpose";
    /// The reason is missing, or its code is not one of [`super::REASONS`].
    pub const REASON: &str = "reason";
    /// The record is open to the caller without it.
    pub const NOT_NEEDED: &str = "break-glass-not-needed";
    /// The caller's role may not.
    pub const ROLE: &str = "role";
}

/// Why the glass is broken.
pub const REASONS: [&str; 5] =
    ["unconscious", "life-threatening", "childbirth", "clinic-unreachable", "other"];

#[derive(Clone, Serialize, Deserialize)]
pub struct BreakGlass {
    /// The Patient's id, as an exact lookup by identifier gave it.
    pub patient: Id,
    /// `ETREAT` or `BTG`.
    #[serde(default = "etreat")]
    pub purpose: String,
    /// One of [`REASONS`].
    pub reason: String,
    /// In the person's own words.
    pub text: String,
    /// Why what is labelled very restricted (V) is needed as well; without it, that stays closed.
    #[serde(default)]
    pub restricted: Option<String>,
}

fn etreat() -> String {
    "ETREAT".into()
}

/// An emergency access.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: Id,
    pub patient: Id,
    pub person: Id,
    /// Of the person.
    pub facility: Id,
    /// The facility that has the record.
    pub owner: Id,
    pub reason: String,
    pub text: String,
    /// What is very restricted is open, too.
    pub restricted: bool,
    /// Milliseconds since 1970 by the HIE's clock.
    pub opened_at: i64,
    pub ends_at: i64,
    /// When the operator reviewed it.
    pub reviewed_at: Option<i64>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Grants {
    /// Newest first, at most 200.
    pub grants: Vec<Grant>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_few_words_is_read() {
        let text = r#"{"patient":"00000000-0000-4000-8000-000000000001","reason":"unconscious","text":"found on the road","later":1}"#;
        let read: BreakGlass = serde_json::from_str(text).expect("it has all that is needed");
        assert_eq!((read.purpose.as_str(), read.restricted), ("ETREAT", None));
    }
}
