//! What stands of a patient's details where several people changed them without knowing of each other.
//!
//! Each [`Version`] names the versions that its author had before them. A field's value stands until somebody who had it
//! before them says another one. So two values of one field stand beside each other only where neither author knew of the
//! other, and until a person who has both before them decides. All of it follows from the set of versions: whoever has the
//! same set, in whichever order it came, sees the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    age::Said,
    patient::{Phone, Registration},
};

/// What is compared and decided as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// With what stands before it.
    Name,
    NameOther,
    Relation,
    Sex,
    Age,
    Phones,
    Place,
    /// Or why there is none.
    Papers,
    Guardian,
    Newborn,
}

impl Field {
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::NameOther,
        Self::Relation,
        Self::Sex,
        Self::Age,
        Self::Phones,
        Self::Place,
        Self::Papers,
        Self::Guardian,
        Self::Newborn,
    ];

    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameOther => "name-other",
            Self::Relation => "relation",
            Self::Sex => "sex",
            Self::Age => "age",
            Self::Phones => "phones",
            Self::Place => "place",
            Self::Papers => "papers",
            Self::Guardian => "guardian",
            Self::Newborn => "newborn",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.code() == code)
    }

    /// Whether both say the same. Who said an age, and when a date of birth was said, changes nothing about it; nor does
    /// the order of phones.
    pub fn same(self, a: &Registration, b: &Registration) -> bool {
        match self {
            Self::Name => a.name == b.name && written(a.prefix.as_ref()) == written(b.prefix.as_ref()),
            Self::NameOther => {
                let other =
                    |form: &Registration| written(form.name_other_script.as_deref()).map(str::to_owned);
                other(a) == other(b)
            }
            Self::Relation => a.relation == b.relation,
            Self::Sex => a.sex == b.sex,
            Self::Age => match (&a.age, &b.age) {
                (Some(a), Some(b)) => a.said == b.said && (a.on == b.on || !counts_from_its_day(&a.said)),
                (a, b) => a.is_none() && b.is_none(),
            },
            Self::Phones => sorted(&a.phones) == sorted(&b.phones),
            Self::Place => a.place == b.place,
            Self::Papers => a.papers == b.papers && a.no_paper == b.no_paper,
            Self::Guardian => a.guardian == b.guardian,
            Self::Newborn => a.newborn_of == b.newborn_of,
        }
    }

    /// Takes this field of `from` over into `to`.
    pub fn copy(self, from: &Registration, to: &mut Registration) {
        let from = from.clone();
        match self {
            Self::Name => (to.name, to.prefix) = (from.name, from.prefix),
            Self::NameOther => to.name_other_script = from.name_other_script,
            Self::Relation => to.relation = from.relation,
            Self::Sex => to.sex = from.sex,
            Self::Age => to.age = from.age,
            Self::Phones => to.phones = from.phones,
            Self::Place => to.place = from.place,
            Self::Papers => (to.papers, to.no_paper) = (from.papers, from.no_paper),
            Self::Guardian => to.guardian = from.guardian,
            Self::Newborn => to.newborn_of = from.newborn_of,
        }
    }
}

fn written(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn counts_from_its_day(said: &Said) -> bool {
    matches!(said, Said::Years { .. } | Said::Months { .. } | Said::Weeks { .. } | Said::Days { .. })
}

fn sorted(phones: &[Phone]) -> Vec<&Phone> {
    let mut phones: Vec<&Phone> = phones.iter().collect();
    phones.sort_by(|a, b| a.number.as_str().cmp(b.number.as_str()));
    phones
}

/// The details as one person wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<K> {
    pub id: K,
    /// What its author had before them. One that is not here counts as nothing.
    pub parents: BTreeSet<K>,
    pub form: Registration,
}

/// What stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing<K> {
    /// Versions that nobody has followed up yet. More than one: they were written beside each other.
    pub heads: BTreeSet<K>,
    /// Of each field the versions whose values stand, one for each different value.
    fields: BTreeMap<Field, BTreeSet<K>>,
}

/// What stands of these versions. The same for any order of them and however often each is told.
pub fn standing<K: Ord + Copy>(versions: &[Version<K>]) -> Standing<K> {
    let by_id: BTreeMap<K, &Version<K>> = versions.iter().map(|version| (version.id, version)).collect();
    let order = from_the_oldest(&by_id);
    let mut before: BTreeMap<K, BTreeSet<K>> = BTreeMap::new();
    let mut heads: BTreeSet<K> = order.iter().copied().collect();
    let mut live: BTreeMap<(K, Field), BTreeSet<K>> = BTreeMap::new();
    for id in &order {
        let version = by_id[id];
        let parents: Vec<K> = version.parents.iter().copied().filter(|p| before.contains_key(p)).collect();
        let mut older = BTreeSet::new();
        for parent in &parents {
            heads.remove(parent);
            older.insert(*parent);
            older.extend(before[parent].iter().copied());
        }
        for field in Field::ALL {
            let said = together(parents.iter().map(|p| &live[&(*p, field)]), &before);
            let agreed = one_of_each(&said, field, &by_id);
            // Who had several before them and says that nothing was decided leaves them as they stand.
            let left = agreed.len() > 1 && version.form.undecided.iter().any(|code| code == field.code());
            let kept =
                left || agreed.len() == 1 && agreed.iter().all(|k| field.same(&by_id[k].form, &version.form));
            live.insert((*id, field), if kept { said } else { BTreeSet::from([*id]) });
        }
        before.insert(*id, older);
    }
    let fields = Field::ALL.into_iter().map(|field| {
        let said = together(heads.iter().map(|head| &live[&(*head, field)]), &before);
        (field, one_of_each(&said, field, &by_id))
    });
    Standing { fields: fields.collect(), heads }
}

/// All that were said, but for what somebody after them said anew.
fn together<'a, K: Ord + Copy + 'a>(
    said: impl Iterator<Item = &'a BTreeSet<K>>,
    before: &BTreeMap<K, BTreeSet<K>>,
) -> BTreeSet<K> {
    let all: BTreeSet<K> = said.flatten().copied().collect();
    all.iter().copied().filter(|k| !all.iter().any(|later| before[later].contains(k))).collect()
}

/// The first of those that say the same.
fn one_of_each<K: Ord + Copy>(
    said: &BTreeSet<K>,
    field: Field,
    by_id: &BTreeMap<K, &Version<K>>,
) -> BTreeSet<K> {
    let mut kept: Vec<K> = Vec::new();
    for k in said {
        if !kept.iter().any(|other| field.same(&by_id[other].form, &by_id[k].form)) {
            kept.push(*k);
        }
    }
    kept.into_iter().collect()
}

/// Each after its parents. What stands in a circle, which no honest program makes, is left out.
fn from_the_oldest<K: Ord + Copy>(by_id: &BTreeMap<K, &Version<K>>) -> Vec<K> {
    let known = |version: &Version<K>| -> BTreeSet<K> {
        version.parents.iter().copied().filter(|p| by_id.contains_key(p)).collect()
    };
    let mut waits: BTreeMap<K, BTreeSet<K>> =
        by_id.iter().map(|(id, version)| (*id, known(version))).collect();
    let mut order = Vec::with_capacity(by_id.len());
    loop {
        let free: Vec<K> = waits.iter().filter(|(_, on)| on.is_empty()).map(|(id, _)| *id).collect();
        if free.is_empty() {
            return order;
        }
        for id in free {
            waits.remove(&id);
            for on in waits.values_mut() {
                on.remove(&id);
            }
            order.push(id);
        }
    }
}

impl<K: Ord + Copy> Standing<K> {
    /// Fields of which several values stand, each with the versions that say them.
    pub fn open(&self) -> impl Iterator<Item = (Field, &BTreeSet<K>)> {
        self.fields.iter().filter(|(_, said)| said.len() > 1).map(|(field, said)| (*field, said))
    }

    /// `shown` with every value that stands alone; where several stand, what `shown` says stays.
    pub fn merged(&self, versions: &[Version<K>], shown: &Registration) -> Registration {
        let mut merged = shown.clone();
        for (field, said) in self.fields.iter().filter(|(_, said)| said.len() == 1) {
            if let Some(version) = versions.iter().find(|version| said.contains(&version.id))
                && !field.same(&version.form, &merged)
            {
                field.copy(&version.form, &mut merged);
            }
        }
        merged
    }
}
