//! Consent: recorded before anyone outside the clinic can read.

use serde::{Deserialize, Serialize};

use crate::Private;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConsentForm {
    /// given, refused, emergency (ETREAT: an override with a reason, reviewed later); empty until answered.
    pub decision: String,
    /// patient, guardian.
    pub given_by: String,
    pub guardian_name: Private<String>,
    pub guardian_relation: String,
    /// spoken, thumb, signature.
    pub how: String,
    /// The language in which it was explained.
    pub language: String,
    pub witness: Private<String>,
    /// this-consultation, other-facilities, photos, phone-contact.
    pub scope: Vec<String>,
    /// For an emergency override.
    pub reason: Private<String>,
}

impl ConsentForm {
    /// Whether somebody outside the clinic may read the case, as answered so far.
    pub fn allows_consultation(&self) -> bool {
        match self.decision.as_str() {
            "given" => {
                self.scope.iter().any(|s| s == "this-consultation")
                    && !self.given_by.is_empty()
                    && !self.how.is_empty()
                    && (self.how != "spoken" || !self.witness.trim().is_empty())
            }
            "emergency" => !self.reason.trim().is_empty(),
            _ => false,
        }
    }
}
