//! A specialist's advice and the treating doctor's decisions on it.

use serde::{Deserialize, Serialize};

use crate::{
    Private,
    medicine::MedicineLine,
    visit::{Diagnosis, FollowUp},
};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AdviceForm {
    pub diagnoses: Vec<Diagnosis>,
    /// What to do, in words.
    pub plan: Private<String>,
    /// Proposals: the treating doctor orders.
    pub medicines: Vec<MedicineLine>,
    pub danger_signs: Private<String>,
    pub follow_up: FollowUp,
    /// How it came about: video, voice, writing; filled by the program.
    pub modality: Vec<String>,
}

/// What the treating doctor does with one proposed line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    Accepted { line: String },
    Changed { line: String, to: Box<MedicineLine>, reason: String },
    Declined { line: String, reason: String },
}

impl Decision {
    /// The proposed line's id.
    pub fn line(&self) -> &str {
        match self {
            Self::Accepted { line } | Self::Changed { line, .. } | Self::Declined { line, .. } => line,
        }
    }
}
