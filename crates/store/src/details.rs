//! A patient's details where several people wrote them beside each other ([`rabta_domain::standing`]): which envelopes say
//! what, and what stands.

use std::collections::{BTreeMap, BTreeSet};

use rabta_domain::{
    fhir,
    patient::Registration,
    standing::{Field, Standing, Version, standing},
};
use rabta_wire::{
    Id,
    envelope::{Envelope, Header},
};

use crate::pack;

/// What came without an envelope stands before all that did.
pub(crate) const IMPORTED: Id = Id([0; 16]);

/// Details that several people wrote without knowing of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Envelopes that nobody has followed up yet: what a version that settles it depends on.
    pub heads: Vec<Id>,
    /// Of which field which envelopes' values stand, until somebody decides.
    pub open: Vec<(Field, Vec<Id>)>,
    versions: Vec<Version<Id>>,
    standing: Standing<Id>,
}

impl Details {
    /// `shown` with all that stands alone.
    pub fn merged(&self, shown: &Registration) -> Registration {
        self.standing.merged(&self.versions, shown)
    }

    /// What an envelope says.
    pub fn form(&self, envelope: Id) -> Option<&Registration> {
        self.versions.iter().find(|version| version.id == envelope).map(|version| &version.form)
    }

    /// Rows of the table: field and envelope.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static str, Id)> {
        let heads = self.heads.iter().map(|head| ("", *head));
        heads.chain(self.open.iter().flat_map(|(field, said)| said.iter().map(|id| (field.code(), *id))))
    }
}

/// A patient's demographic envelope as it is kept.
pub(crate) struct Written {
    pub header: Header,
    envelope: Envelope,
}

impl Written {
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let envelope = Envelope::from_bytes(bytes).ok()?;
        Some(Self { header: envelope.header().ok()?, envelope })
    }

    /// `None` where it cannot be read: it says nothing then, and keeps nobody from the rest.
    fn form(&self, dictionaries: &BTreeMap<u32, Vec<u8>>) -> Option<Registration> {
        let dictionary = dictionaries.get(&self.header.dictionary).map(Vec::as_slice);
        let payload = pack::unpack_payload(&self.envelope, &self.header, dictionary).ok()?;
        fhir::patient::from_bundle(&payload).ok().map(|record| record.form)
    }
}

/// Whether there is more than one that nobody has followed up, or was: known from the headers alone.
pub(crate) fn is_beside(written: &[Written]) -> bool {
    let here: BTreeSet<Id> = written.iter().map(|w| w.header.id).collect();
    let named: BTreeSet<Id> = written.iter().flat_map(|w| w.header.depends.iter().copied()).collect();
    let follows_several =
        |w: &&Written| w.header.depends.iter().filter(|parent| here.contains(parent)).count() > 1;
    here.difference(&named).count() > 1 || written.iter().any(|w| follows_several(&w))
}

/// What stands; `None` where one version follows the other and nothing is open. `imported`: the details as they came without an envelope.
pub(crate) fn read(
    written: &[Written],
    imported: Option<Registration>,
    dictionaries: &BTreeMap<u32, Vec<u8>>,
) -> Option<Details> {
    let mut versions = Vec::with_capacity(written.len() + 1);
    for w in written {
        if let Some(form) = w.form(dictionaries) {
            let parents = w.header.depends.iter().copied().collect();
            versions.push(Version { id: w.header.id, parents, form });
        }
    }
    if let Some(form) = imported {
        let here: BTreeSet<Id> = versions.iter().map(|version| version.id).collect();
        for version in versions.iter_mut().filter(|version| version.parents.is_disjoint(&here)) {
            version.parents.insert(IMPORTED);
        }
        versions.push(Version { id: IMPORTED, parents: BTreeSet::new(), form });
    }
    let standing = standing(&versions);
    let open: Vec<(Field, Vec<Id>)> =
        standing.open().map(|(field, said)| (field, said.iter().copied().collect())).collect();
    if standing.heads.len() < 2 && open.is_empty() {
        return None;
    }
    let heads = standing.heads.iter().copied().collect();
    Some(Details { heads, open, versions, standing })
}
