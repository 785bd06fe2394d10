//! The country package: places, medicines, diagnoses, specialties. Data files, read once.

use rabta_ipc::{
    patient::PlaceRow,
    visit::{MedicineTerm, Term},
};
use serde::{Deserialize, de::DeserializeOwned};

/// A country's data. Pakistan is the first.
pub struct Country {
    medicines: Vec<Medicine>,
    diagnoses: Vec<Diagnosis>,
    allergens: Vec<Allergen>,
    places: Vec<Place>,
    pub(crate) emergency: Emergency,
}

#[derive(Deserialize)]
struct Medicine {
    generic: String,
    form: String,
    strength: String,
    atc: String,
    brands: String,
    aware: String,
    controlled: String,
    classes: String,
}

#[derive(Deserialize)]
struct Diagnosis {
    code: String,
    en: String,
    ur: String,
    synonyms: String,
}

#[derive(Deserialize)]
struct Allergen {
    code: String,
    en: String,
    ur: String,
    classes: String,
}

#[derive(Deserialize)]
struct Place {
    id: String,
    parent: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    name_ur: String,
    aliases: String,
}

/// Whom to phone when nobody has seen an urgent ask.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Emergency {
    pub phone: String,
    pub referral_hospital: String,
    pub referral_phone: String,
}

fn rows<T: DeserializeOwned>(file: &str) -> Vec<T> {
    csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(file.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("the country package's files are checked by its tests")
}

fn list(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|s| !s.is_empty())
}

impl Country {
    /// What goes with a link to a patient's phone: who calls, and nothing about why.
    pub(crate) fn link_message(&self, caller: &str) -> String {
        format!(
            "{caller} آپ کو کال کریں گے۔ وقت پر یہ کھولیں۔\n{caller} will call you. Open this when it is time:"
        )
    }

    pub fn pakistan() -> Self {
        Self {
            medicines: rows(include_str!("../../../packages/pk/medicines.csv")),
            diagnoses: rows(include_str!("../../../packages/pk/icd10.csv")),
            allergens: rows(include_str!("../../../packages/pk/allergens.csv")),
            places: rows(include_str!("../../../packages/pk/places.csv")),
            emergency: serde_json::from_str(include_str!("../../../packages/pk/emergency.json"))
                .expect("the country package's files are checked by its tests"),
        }
    }

    /// ICD-10 by code, English or Urdu words and lay synonyms, best first.
    pub(crate) fn find_diagnosis(&self, q: &str) -> Vec<Term> {
        best(q, &self.diagnoses, 12, |d| {
            [d.code.as_str(), &d.en, &d.ur].into_iter().chain(list(&d.synonyms)).collect()
        })
        .into_iter()
        .map(|(d, _)| Term { code: d.code.clone(), en: d.en.clone(), ur: d.ur.clone(), classes: vec![] })
        .collect()
    }

    /// Generics by generic or brand name, best first.
    pub(crate) fn find_medicine(&self, q: &str) -> Vec<MedicineTerm> {
        best(q, &self.medicines, 12, |m| std::iter::once(m.generic.as_str()).chain(list(&m.brands)).collect())
            .into_iter()
            .map(|(m, hit)| MedicineTerm {
                generic: m.generic.clone(),
                brand: if hit == m.generic { String::new() } else { hit.to_owned() },
                form: m.form.clone(),
                strengths: list(&m.strength).map(str::to_owned).collect(),
                atc: m.atc.clone(),
                classes: list(&m.classes).map(str::to_owned).collect(),
                controlled: matches!(m.controlled.as_str(), "1" | "true" | "yes"),
                aware: m.aware.clone(),
            })
            .collect()
    }

    pub(crate) fn find_allergen(&self, q: &str) -> Vec<Term> {
        best(q, &self.allergens, 12, |a| vec![&a.code, &a.en, &a.ur])
            .into_iter()
            .map(|(a, _)| Term {
                code: a.code.clone(),
                en: a.en.clone(),
                ur: a.ur.clone(),
                classes: list(&a.classes).map(str::to_owned).collect(),
            })
            .collect()
    }

    /// Villages and the like, by name or alias, best first.
    pub(crate) fn find_place(&self, q: &str) -> Vec<PlaceRow> {
        best(q, &self.places, 12, |p| {
            [p.name.as_str(), &p.name_ur].into_iter().chain(list(&p.aliases)).collect()
        })
        .into_iter()
        .filter(|(p, _)| !matches!(p.kind.as_str(), "country" | "province"))
        .map(|(p, _)| {
            let within: Vec<&Place> = self.above(p).collect();
            let join =
                |name: fn(&Place) -> &str| within.iter().map(|p| name(p)).collect::<Vec<_>>().join(", ");
            PlaceRow {
                id: p.id.clone(),
                name: p.name.clone(),
                name_ur: p.name_ur.clone(),
                within: join(|p| &p.name),
                within_ur: join(|p| &p.name_ur),
            }
        })
        .collect()
    }

    /// Union council, tehsil, district: not the province, which says nothing there.
    fn above<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Place> {
        std::iter::successors(Some(place), |p| self.places.iter().find(|q| q.id == p.parent))
            .skip(1)
            .filter(|p| !matches!(p.kind.as_str(), "country" | "province"))
            .take(4)
    }
}

/// The `limit` best of `items` for what was typed, each with the name that matched. A name that begins with it comes
/// before one with a word that does, and that before one that contains it; every typed word must be found.
fn best<'a, T>(
    q: &str,
    items: &'a [T],
    limit: usize,
    names: impl Fn(&'a T) -> Vec<&'a str>,
) -> Vec<(&'a T, &'a str)> {
    let q = q.trim().to_lowercase();
    if q.is_empty() {
        return vec![];
    }
    let mut hits: Vec<(u8, usize, &T, &str)> = items
        .iter()
        .filter_map(|item| {
            let scored =
                names(item).into_iter().filter_map(|name| Some((score(&q, name)?, name.len(), item, name)));
            scored.min_by_key(|hit| (hit.0, hit.1))
        })
        .collect();
    hits.sort_by_key(|hit| (hit.0, hit.1));
    hits.truncate(limit);
    hits.into_iter().map(|(_, _, item, name)| (item, name)).collect()
}

fn score(q: &str, name: &str) -> Option<u8> {
    let name = name.to_lowercase();
    if name == q {
        Some(0)
    } else if name.starts_with(q) {
        Some(1)
    } else if name.split(|c: char| !c.is_alphanumeric()).any(|w| w.starts_with(q)) {
        Some(2)
    } else if q.split_whitespace().all(|part| name.contains(part)) {
        Some(3)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generic_is_found_by_its_brand() {
        let found = Country::pakistan().find_medicine("panad");
        assert_eq!(found.first().map(|m| m.generic.to_lowercase()), Some("paracetamol".into()));
        assert_eq!(found[0].brand, "Panadol");
    }

    #[test]
    fn a_diagnosis_is_found_by_code_word_and_lay_word() {
        let country = Country::pakistan();
        for q in ["J18", "pneumonia"] {
            assert!(country.find_diagnosis(q).iter().any(|d| d.code.starts_with("J18")), "{q}");
        }
        assert!(country.find_diagnosis("sugar").iter().any(|d| d.code.starts_with("E1")), "a lay word");
    }

    #[test]
    fn a_typed_nothing_finds_nothing() {
        assert!(Country::pakistan().find_place("  ").is_empty());
    }
}
