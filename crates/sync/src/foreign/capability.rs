//! What a server says of itself (http://hl7.org/fhir/R4/capabilitystatement.html), and what it has not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use rabta_domain::fhir::Json;

use super::{answer::ForeignError, pull::PULLED, server::Server};

/// Something that a server lacks, or has another way than most. Its text says what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// FHIR of another version: nothing is sent or read.
    NotR4(String),
    /// No JSON: nothing is sent or read.
    NoJson,
    /// No transactions: single PUTs, the marker last.
    NoTransaction,
    /// Ids are the server's alone: nothing is sent.
    NoClientIds,
    /// No Provenance: a lost answer is not recognised, so all of the envelope is put again.
    NoMarker,
    /// Not a word about updates of this type: it is not sent.
    NoUpdate(String),
    /// A type that it does not keep, or that cannot be searched by patient: it is not read.
    NoSearch(String),
    /// No `_lastUpdated`: all of the type is read each time.
    NoLastUpdated(String),
    /// No search by POST: fewer patients in one request.
    NoPostSearch,
    /// Its links name another server than the one that was asked.
    OtherAddress,
    /// Versions are not counted: an update over there may be overwritten.
    NoVersions(String),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotR4(version) => write!(f, "it speaks FHIR {version}, not 4.0: nothing is sent or read"),
            Self::NoJson => f.write_str("it does not speak JSON: nothing is sent or read"),
            Self::NoTransaction => {
                f.write_str("no transactions: resources are put one by one, the marker last")
            }
            Self::NoClientIds => f.write_str("it takes no ids that clients made: nothing is sent"),
            Self::NoMarker => f.write_str("no Provenance: after a lost answer all is put again"),
            Self::NoUpdate(kind) => write!(f, "no updates of {kind}: none is sent"),
            Self::NoSearch(kind) => write!(f, "no search of {kind} by patient: none is read"),
            Self::NoLastUpdated(kind) => write!(f, "no _lastUpdated of {kind}: all of it is read each time"),
            Self::NoPostSearch => f.write_str("no search by POST: fewer patients in one request"),
            Self::OtherAddress => f.write_str("its links name another server: they are asked of this one"),
            Self::NoVersions(kind) => {
                write!(f, "no versions of {kind}: a change over there may be overwritten")
            }
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfKind {
    interactions: BTreeSet<String>,
    params: BTreeSet<String>,
    update_create: Option<bool>,
    versioning: String,
}

/// A CapabilityStatement, as far as it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Name and version, where it says them.
    pub software: String,
    pub fhir_version: String,
    pub transaction: bool,
    json: bool,
    kinds: BTreeMap<String, OfKind>,
    /// What was found while it was used.
    pub(crate) found: BTreeSet<Lack>,
}

impl Capabilities {
    /// Asks the server (`GET metadata`).
    pub async fn ask(server: &Server) -> Result<Self, ForeignError> {
        let answer = server.get("metadata").await?.accepted()?;
        let json = Json::parse(&answer.body).map_err(|_| ForeignError::Malformed("it is not JSON"))?;
        Self::read(&json)
    }

    pub fn read(json: &Json) -> Result<Self, ForeignError> {
        if json.str("resourceType") != "CapabilityStatement" {
            return Err(ForeignError::Malformed("its metadata is no CapabilityStatement"));
        }
        let software = [json.str("software.name"), json.str("software.version")];
        let software = software.iter().filter(|part| !part.is_empty());
        let mut all = Self {
            software: software.copied().collect::<Vec<_>>().join(" "),
            fhir_version: json.str("fhirVersion").to_owned(),
            json: json
                .items("format")
                .iter()
                .any(|format| matches!(format, Json::String(text) if text.contains("json"))),
            ..Self::default()
        };
        let Some(rest) = json.items("rest").iter().find(|rest| rest.str("mode") == "server") else {
            return Err(ForeignError::Malformed("its CapabilityStatement describes no server"));
        };
        let codes = |json: &Json, list: &str, member: &str| -> BTreeSet<String> {
            json.items(list).iter().filter_map(|item| item.opt(member)).map(str::to_owned).collect()
        };
        all.transaction = codes(rest, "interaction", "code").contains("transaction");
        let general = codes(rest, "searchParam", "name");
        for resource in rest.items("resource") {
            let mut params = codes(resource, "searchParam", "name");
            params.extend(general.iter().cloned());
            let of_kind = OfKind {
                interactions: codes(resource, "interaction", "code"),
                params,
                update_create: match resource.get("updateCreate") {
                    Json::Bool(yes) => Some(*yes),
                    _ => None,
                },
                versioning: resource.str("versioning").to_owned(),
            };
            all.kinds.insert(resource.str("type").to_owned(), of_kind);
        }
        Ok(all)
    }

    /// Whether resources of this type can be put there. A server that says nothing of `updateCreate` is tried (HAPI says
    /// nothing and can).
    pub fn takes(&self, kind: &str) -> bool {
        let of = self.kinds.get(kind);
        of.is_some_and(|of| of.interactions.contains("update") && of.update_create != Some(false))
    }

    pub fn reads(&self, kind: &str) -> bool {
        self.kinds.get(kind).is_some_and(|of| of.interactions.contains("read"))
    }

    /// The parameter by which resources of this type are found for a patient.
    pub fn patient_param(&self, kind: &str) -> Option<&'static str> {
        let of = self.kinds.get(kind).filter(|of| of.interactions.contains("search-type"))?;
        if kind == "Patient" {
            return Some("_id");
        }
        ["patient", "subject"].into_iter().find(|param| of.params.contains(*param))
    }

    /// Whether the type can be asked for by when it changed.
    pub fn last_updated(&self, kind: &str) -> bool {
        self.kinds.get(kind).is_some_and(|of| of.params.contains("_lastUpdated"))
    }

    /// Whether an update may name the version that it was made on.
    pub fn if_match(&self, kind: &str) -> bool {
        self.kinds.get(kind).is_some_and(|of| of.versioning != "no-version")
    }

    /// What makes the server of no use at all.
    pub fn unusable(&self) -> Option<Lack> {
        if !self.fhir_version.starts_with("4.0") {
            return Some(Lack::NotR4(self.fhir_version.chars().take(20).collect()));
        }
        (!self.json).then_some(Lack::NoJson)
    }

    /// Whether the server refuses ids that clients made.
    pub fn no_client_ids(&self) -> bool {
        self.kinds.get("Patient").is_some_and(|of| of.update_create == Some(false))
    }

    /// Everything that is missing, by what it says and by what was found in use.
    pub fn lacks(&self) -> Vec<Lack> {
        let mut lacks = self.found.clone();
        lacks.extend(self.unusable());
        if !self.transaction {
            lacks.insert(Lack::NoTransaction);
        }
        if self.no_client_ids() {
            lacks.insert(Lack::NoClientIds);
        }
        if !self.takes("Provenance") || !self.reads("Provenance") {
            lacks.insert(Lack::NoMarker);
        }
        for kind in PULLED {
            if !self.takes(kind) {
                lacks.insert(Lack::NoUpdate(kind.to_owned()));
            }
            if self.patient_param(kind).is_none() {
                lacks.insert(Lack::NoSearch(kind.to_owned()));
            } else if !self.last_updated(kind) {
                lacks.insert(Lack::NoLastUpdated(kind.to_owned()));
            }
            if self.takes(kind) && !self.if_match(kind) {
                lacks.insert(Lack::NoVersions(kind.to_owned()));
            }
        }
        lacks.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Capabilities {
        Capabilities::read(&Json::parse(text).expect("JSON")).expect("a statement")
    }

    #[test]
    fn what_is_not_said_is_lacking_and_has_words() {
        let bare = of(
            r#"{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","format":["json"],"rest":[{"mode":"server"}]}"#,
        );
        assert_eq!(bare.unusable(), None);
        let lacks = bare.lacks();
        assert!(lacks.contains(&Lack::NoTransaction) && lacks.contains(&Lack::NoMarker));
        assert!(lacks.contains(&Lack::NoSearch("Observation".into())));
        let other = of(
            r#"{"resourceType":"CapabilityStatement","fhirVersion":"5.0.0","format":["xml"],"rest":[{"mode":"server"}]}"#,
        );
        assert_eq!(other.unusable(), Some(Lack::NotR4("5.0.0".into())));
        assert_eq!(
            other.unusable().map(|lack| lack.to_string()).as_deref(),
            Some("it speaks FHIR 5.0.0, not 4.0: nothing is sent or read")
        );
    }

    #[test]
    fn only_a_plain_no_keeps_our_ids_out() {
        let with = |said: &str| {
            of(&format!(
                r#"{{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","format":["application/fhir+json"],"rest":[{{"mode":"server","interaction":[{{"code":"transaction"}}],
                "resource":[{{"type":"Patient","interaction":[{{"code":"update"}},{{"code":"search-type"}}]{said},"searchParam":[{{"name":"_lastUpdated"}}]}}]}}]}}"#
            ))
        };
        assert!(with("").takes("Patient") && !with("").no_client_ids());
        let no = with(r#","updateCreate":false"#);
        assert!(!no.takes("Patient") && no.lacks().contains(&Lack::NoClientIds));
        assert_eq!(no.patient_param("Patient"), Some("_id"));
        assert!(no.last_updated("Patient"));
    }
}
