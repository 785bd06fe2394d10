//! The country package: places, medicines, diagnoses, specialties. Data files, read once.

use rabta_domain::{
    medicine::{Food, MedicineLine},
    template::{Choice, Proposal, Template, Words},
};
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
    pub(crate) templates: Vec<Template>,
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
    #[cfg_attr(not(test), expect(dead_code, reason = "a hint in words, for the templates' test"))]
    pregnancy: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "a hint, for the templates' test"))]
    min_age_months: String,
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

/// The file of templates: diagnoses are codes of `icd10.csv`, medicines rows of `medicines.csv`.
#[derive(Deserialize)]
struct TemplateFile {
    templates: Vec<TemplateRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateRow {
    id: String,
    name: Words,
    complaint: Words,
    history: Vec<Words>,
    examination: Vec<Words>,
    diagnoses: Vec<String>,
    medicines: Vec<ProposalRow>,
    return_advice: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposalRow {
    generic: String,
    form: String,
    strength: String,
    dose: String,
    food: Food,
    days: u16,
    min_age_months: u32,
    pregnant: bool,
    when: Words,
}

impl TemplateRow {
    /// `None` where it names a diagnosis or a medicine that the package does not have.
    fn joined(self, diagnoses: &[Diagnosis], medicines: &[Medicine]) -> Option<Template> {
        let choice = |code: &String| {
            let found = diagnoses.iter().find(|d| d.code == *code)?;
            Some(Choice { code: code.clone(), words: Words { en: found.en.clone(), ur: found.ur.clone() } })
        };
        let proposal = |row: ProposalRow| {
            let known = medicines.iter().find(|m| {
                m.generic == row.generic && m.form == row.form && list(&m.strength).any(|s| s == row.strength)
            })?;
            let line = MedicineLine {
                generic: row.generic,
                form: row.form,
                strength: row.strength,
                atc: known.atc.clone(),
                classes: list(&known.classes).map(str::to_owned).collect(),
                controlled: is_yes(&known.controlled),
                dose: row.dose,
                food: row.food,
                days: row.days,
                ..MedicineLine::default()
            };
            let (min_age_months, pregnant, when) = (row.min_age_months, row.pregnant, row.when);
            Some(Proposal { line, min_age_months, pregnant, when })
        };
        Some(Template {
            id: self.id,
            name: self.name,
            complaint: self.complaint,
            history: self.history,
            examination: self.examination,
            diagnoses: self.diagnoses.iter().map(choice).collect::<Option<_>>()?,
            medicines: self.medicines.into_iter().map(proposal).collect::<Option<_>>()?,
            return_advice: self.return_advice,
        })
    }
}

fn is_yes(cell: &str) -> bool {
    matches!(cell, "1" | "true" | "yes")
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
        let medicines: Vec<Medicine> = rows(include_str!("../../../packages/pk/medicines.csv"));
        let diagnoses: Vec<Diagnosis> = rows(include_str!("../../../packages/pk/icd10.csv"));
        let file: TemplateFile = serde_json::from_str(include_str!("../../../packages/pk/templates.json"))
            .expect("the country package's files are checked by its tests");
        let templates = file.templates.into_iter().map(|row| row.joined(&diagnoses, &medicines));
        Self {
            templates: templates
                .collect::<Option<_>>()
                .expect("the country package's files are checked by its tests"),
            medicines,
            diagnoses,
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
                controlled: is_yes(&m.controlled),
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
    fn each_of_ten_templates_is_whole_in_both_languages_and_its_doses_can_be_followed() {
        let country = Country::pakistan();
        let ids: std::collections::BTreeSet<&str> = country.templates.iter().map(|t| t.id.as_str()).collect();
        assert_eq!(ids.len(), 10);
        for template in &country.templates {
            let id = &template.id;
            let when = template.medicines.iter().map(|p| &p.when);
            let names = template.diagnoses.iter().map(|c| &c.words);
            let prompts = template.history.iter().chain(&template.examination);
            for words in [&template.name, &template.complaint, &template.return_advice]
                .into_iter()
                .chain(prompts)
                .chain(when)
                .chain(names)
            {
                assert!(!words.en.is_empty() && words.en.is_ascii(), "{id}: {}", words.en);
                assert!(words.ur.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c)), "{id}: {}", words.ur);
            }
            assert!(template.history.len() >= 4 && template.examination.len() >= 3, "{id}");
            assert!(template.diagnoses.len() >= 2 && !template.medicines.is_empty(), "{id}");
            for proposal in &template.medicines {
                let line = &proposal.line;
                assert!(line.course().is_some(), "{id}: {} {}", line.generic, line.dose);
                assert!(!line.controlled && line.days > 0, "{id}: {}", line.generic);
                assert!(proposal.min_age_months >= 144, "{id}: {}", line.generic);
                let known = country
                    .medicines
                    .iter()
                    .find(|m| m.generic == line.generic && m.form == line.form)
                    .expect("joined");
                let least: u32 = known.min_age_months.parse().unwrap_or(0);
                assert!(proposal.min_age_months >= least, "{id}: {}", line.generic);
                let unfit = ["avoid", "never", "caution"].iter().any(|w| known.pregnancy.starts_with(w));
                assert!(!(proposal.pregnant && unfit), "{id}: {} in pregnancy", line.generic);
            }
        }
    }

    #[test]
    fn a_template_that_names_what_the_package_does_not_have_is_refused() {
        let row = |code: &str, strength: &str| -> TemplateRow {
            let words = serde_json::json!({ "en": "x", "ur": "x" });
            serde_json::from_value(serde_json::json!({
                "id": "x", "name": words, "complaint": words, "history": [], "examination": [],
                "diagnoses": [code], "return_advice": words,
                "medicines": [{
                    "generic": "Paracetamol", "form": "tablet", "strength": strength, "dose": "1+0+1",
                    "food": "any", "days": 3, "min_age_months": 144, "pregnant": true, "when": words,
                }],
            }))
            .expect("a row")
        };
        let country = Country::pakistan();
        let joined = |row: TemplateRow| row.joined(&country.diagnoses, &country.medicines);
        assert!(joined(row("J00", "500 mg")).is_some());
        assert!(joined(row("J00", "501 mg")).is_none() && joined(row("Q99.Z", "500 mg")).is_none());
    }

    #[test]
    fn a_typed_nothing_finds_nothing() {
        assert!(Country::pakistan().find_place("  ").is_empty());
    }
}
