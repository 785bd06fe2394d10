//! What can go wrong between this program and the HIE.

use rabta_wire::Id;

use crate::pin::OtherKey;

/// Why the HIE did not answer as hoped. Neither the text nor the sources name a patient: requests carry none in
/// their URL, and the HIE's own words never do.
#[derive(Debug, thiserror::Error)]
pub enum HieError {
    /// No answer: no network, no server, or the line broke.
    #[error("the HIE cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something answered that is not the HIE that this laptop joined. Nothing was said to it.
    #[error("another key answers at the HIE's address")]
    KeyChanged,
    /// The HIE said no. `code` is stable, `text` its own words.
    #[error("the HIE refused: {code}")]
    Refused { status: u16, code: String, text: String },
    /// The HIE was restored from a backup: what it acknowledged before must be asked again.
    #[error("the HIE has a new epoch")]
    EpochChanged(Id),
    /// The answer was not what the protocol says.
    #[error("the HIE's answer is not readable: {0}")]
    Malformed(&'static str),
}

impl HieError {
    /// Whether a later try may bring something else, without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::EpochChanged(_) => true,
            Self::Refused { .. } if self.is_revoked() => false,
            Self::Refused { status, .. } => *status >= 500 || *status == 429 || *status == 401,
            Self::KeyChanged | Self::Malformed(_) => false,
        }
    }

    /// Whether the HIE says that this device is revoked: said to who proves to hold its key, over the pinned line.
    pub fn is_revoked(&self) -> bool {
        matches!(self, Self::Refused { status: 401, code, .. } if code == rabta_wire::token::REVOKED)
    }

    /// Sorts an I/O or handshake error.
    pub(crate) fn of_line(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        if OtherKey::caused(&error) { Self::KeyChanged } else { Self::Unreachable(Box::new(error)) }
    }

    /// Sorts what reqwest says. The URL is left out: it holds a cursor, and a log need not.
    pub(crate) fn of_http(error: reqwest::Error) -> Self {
        Self::of_line(error.without_url())
    }
}
