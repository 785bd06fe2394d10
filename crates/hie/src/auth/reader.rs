//! Who reads, why, and when: what every query of a read is authorised by.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use rabta_domain::role::{self, Label, Part, Reading};
use rabta_wire::{
    Id,
    care::{PURPOSE_HEADER, codes},
};

use super::{Access, Agent, bearer, unauthorized};
use crate::{App, web::ApiError};

/// Why somebody reads: a code of v3-ActReason (http://terminology.hl7.org/CodeSystem/v3-ActReason).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose(&'static str);

/// What a purpose opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opens {
    /// The record, to who cares for the patient.
    Care,
    /// The same, and what a broken glass opens.
    Emergency,
    /// Who the patients of one's own facility are, and who read what.
    Administration,
    /// Nothing of a patient's record.
    Nothing,
}

const PURPOSES: [(&str, Opens); 15] = [
    ("TREAT", Opens::Care),
    ("CAREMGT", Opens::Care),
    ("CLINTRCH", Opens::Nothing),
    ("ETREAT", Opens::Emergency),
    ("BTG", Opens::Emergency),
    ("PATADMIN", Opens::Administration),
    ("HOPERAT", Opens::Administration),
    ("HSYSADMIN", Opens::Administration),
    ("HPAYMT", Opens::Nothing),
    ("COVERAGE", Opens::Nothing),
    ("HRESCH", Opens::Nothing),
    ("PUBHLTH", Opens::Nothing),
    ("HMARKT", Opens::Nothing),
    ("HTEST", Opens::Nothing),
    ("FAMRQT", Opens::Nothing),
];

impl Purpose {
    pub const TREAT: Self = Self("TREAT");

    /// The purpose of that code, if this server knows it.
    pub fn of(code: &str) -> Option<Self> {
        PURPOSES.iter().find(|(known, _)| *known == code).map(|(known, _)| Self(known))
    }

    pub fn code(self) -> &'static str {
        self.0
    }

    fn opens(self) -> Opens {
        PURPOSES.iter().find(|(known, _)| *known == self.0).map_or(Opens::Nothing, |(_, opens)| *opens)
    }

    /// Whether it is the care for a patient: only that opens what an ask brings.
    pub fn is_care(self) -> bool {
        matches!(self.opens(), Opens::Care | Opens::Emergency)
    }

    pub fn is_emergency(self) -> bool {
        self.opens() == Opens::Emergency
    }

    /// What is left of a right under this purpose.
    fn limit(self, reading: Reading) -> Reading {
        let most: &'static [Part] = match self.opens() {
            Opens::Care | Opens::Emergency => return reading,
            Opens::Administration => {
                match (reading.covers(Part::Demographics), reading.covers(Part::Audit)) {
                    (true, true) => &[Part::Directory, Part::Demographics, Part::Audit],
                    (true, false) => &[Part::Directory, Part::Demographics],
                    (false, true) => &[Part::Directory, Part::Audit],
                    (false, false) => &[Part::Directory],
                }
            }
            Opens::Nothing => &[Part::Directory],
        };
        Reading { parts: most, label: Label::Normal.min(reading.label) }
    }
}

/// A request that reads. Every query takes this and finds nothing else.
#[derive(Debug, Clone)]
pub struct Reader {
    pub access: Access,
    pub purpose: Purpose,
    /// What the person's role may read for this purpose.
    pub rights: Reading,
    /// The person's role; `None` for an operator's program.
    pub role: Option<String>,
    /// From where, as the connection says.
    pub from: Option<IpAddr>,
    /// Milliseconds by the HIE's clock: what was opened for a time ends by it.
    pub now: i64,
}

impl Reader {
    /// A reader of `role` (`None`: an operator's program).
    pub fn new(access: Access, role: Option<String>, purpose: Purpose, now: i64) -> Self {
        let whole = match (&access.agent, &role) {
            (Agent::Operator, _) => Reading::EVERYTHING,
            (Agent::Device { .. }, Some(role)) => role::reading(role),
            (Agent::Device { .. }, None) | (Agent::Hie, _) => Reading::NOTHING,
        };
        Self { access, purpose, rights: purpose.limit(whole), role, from: None, now }
    }

    pub fn facility(&self) -> Id {
        self.access.facility
    }

    /// The person, if it is one.
    pub fn person(&self) -> Option<Id> {
        match self.access.agent {
            Agent::Operator | Agent::Hie => None,
            Agent::Device { person, .. } => Some(person),
        }
    }

    pub fn may(&self, act: role::Act) -> bool {
        self.role.as_deref().is_some_and(|role| role::may(role, act))
    }

    /// Whether both ask as the same, for the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.access == other.access && self.purpose == other.purpose
    }
}

fn purpose(headers: &HeaderMap) -> Result<Purpose, ApiError> {
    let Some(value) = headers.get(PURPOSE_HEADER) else { return Ok(Purpose::TREAT) };
    value
        .to_str()
        .ok()
        .and_then(Purpose::of)
        .ok_or_else(|| ApiError::bad(codes::PURPOSE, "the purpose is not one that this server knows"))
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers)
            .ok_or_else(|| unauthorized(app, "token-missing", "an access token is needed"))?;
        let now = app.now();
        let (access, role) =
            app.tokens.holder(&app.db, token, now).await?.ok_or_else(|| {
                unauthorized(app, "token-unknown", "the access token is unknown or expired")
            })?;
        let mut reader = Self::new(access, role, purpose(&parts.headers)?, now);
        reader.from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_never_adds_to_a_right() {
        for (code, _) in PURPOSES {
            let purpose = Purpose::of(code).expect("it is in the list");
            for role in role::roles() {
                let (whole, left) = (role::reading(role), purpose.limit(role::reading(role)));
                assert!(left.label <= whole.label, "{code} {role}");
                assert!(left.parts.iter().all(|part| whole.covers(*part)), "{code} {role}");
            }
        }
        assert_eq!(Purpose::of("CURIOUS"), None);
    }
}
