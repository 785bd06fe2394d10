//! What the sample clinic promises: read through the same views that the app and the HIE read it with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use rabta_domain::{
    fhir::{Bundle, Json, Known, Resource, patient, patient_card, urls},
    medicine::MedicineLine,
    mr, paper,
    patient::{Allergies, Registration, Sex},
    vitals::{Measured, Months, Verdict, Vital},
};
use rabta_sample::{Clinic, MR_PREFIX, MR_RANGE, package};
use rabta_search::{Field, Query, name_keys};
use time::{Date, macros::date};

/// The day after the last of its visits, on which its pregnancies are as old as the README says.
const TODAY: Date = date!(2026 - 11 - 01);

struct Person {
    id: String,
    mr: String,
    form: Registration,
    bundle: Bundle,
}

static FILE: LazyLock<std::path::PathBuf> = LazyLock::new(|| package("pk").join("sample/clinic.ndjson.zst"));

static PEOPLE: LazyLock<Vec<Person>> = LazyLock::new(|| {
    let clinic = Clinic::read(&FILE).expect("the sample clinic is there");
    let read = |line: &str| {
        let bundle = Bundle::parse(line.as_bytes()).expect("each line is a Bundle");
        assert_eq!(bundle.kind, "transaction");
        let related: Vec<Resource> = bundle.of("RelatedPerson").cloned().collect();
        let record =
            patient::read(bundle.first("Patient").expect("a Patient"), &related).expect("a readable Patient");
        let mr = record.mr.expect("everybody has an MR number").as_str().to_owned();
        Person { id: record.id, mr, form: record.form, bundle }
    };
    clinic.bundles().map(read).collect()
});

fn views<'a>(person: &'a Person, kind: &'a str) -> impl Iterator<Item = Json> + 'a {
    person.bundle.of(kind).map(|r| r.view().expect("a readable resource"))
}

#[test]
fn it_is_about_a_thousand_people_in_at_most_five_megabytes() {
    assert!((950..=1050).contains(&PEOPLE.len()), "{} people", PEOPLE.len());
    let size = FILE.metadata().expect("the file is there").len();
    assert!(size <= 5_000_000, "{size} bytes");
}

#[test]
fn children_pregnancies_and_many_conditions_are_among_them() {
    let cards: Vec<_> = PEOPLE.iter().map(card).collect();
    let children = cards.iter().filter(|c| c.age.is_some_and(|a| a.months_high < 12 * 15)).count();
    let infants = cards.iter().filter(|c| c.age.is_some_and(|a| a.months_high < 60)).count();
    let pregnant = cards.iter().filter(|c| c.pregnant_weeks.is_some()).count();
    assert!(children >= 200 && infants >= 80, "{children} children, {infants} under five");
    assert!(pregnant >= 15, "{pregnant} pregnancies");
    let mut conditions: BTreeMap<String, usize> = BTreeMap::new();
    for condition in PEOPLE.iter().flat_map(|p| views(p, "Condition")) {
        let code = condition.code_of("code", urls::ICD10).expect("every condition has an ICD-10 code");
        *conditions.entry(code.to_owned()).or_default() += 1;
    }
    let often = conditions.values().filter(|n| **n >= 20).count();
    assert!(often >= 6, "{often} conditions that twenty people have");
    for code in ["I10", "E11.2", "D64.9", "J45.9", "Z34.9", "J20.9", "H66.9"] {
        assert!(conditions.contains_key(code), "{code}");
    }
}

fn card(person: &Person) -> rabta_domain::patient::PatientCard {
    let of = |kind: &str| person.bundle.of(kind).cloned().collect::<Vec<_>>();
    let (related, allergies, observations) =
        (of("RelatedPerson"), of("AllergyIntolerance"), of("Observation"));
    let known =
        Known { related: &related, allergies: &allergies, observations: &observations, ..Known::default() };
    let patient = person.bundle.first("Patient").expect("a Patient");
    patient_card(patient, &known, TODAY).expect("a card can be made")
}

#[test]
fn every_patient_has_what_tells_two_namesakes_apart() {
    let places: BTreeSet<String> = csv::Reader::from_path(package("pk").join("places.csv"))
        .expect("places.csv is there")
        .records()
        .map(|row| row.expect("a row")[0].to_owned())
        .collect();
    for (n, person) in PEOPLE.iter().enumerate() {
        let form = &person.form;
        assert!(
            !form.name.is_empty() && form.name_other_script.is_some(),
            "line {n}: a name in both scripts"
        );
        assert!(form.relation.is_some(), "line {n}: a father or husband");
        assert!(matches!(form.sex, Sex::Male | Sex::Female), "line {n}: sex");
        assert!(form.age.is_some(), "line {n}: an age as said");
        assert!(
            form.place.id.as_ref().is_some_and(|id| places.contains(id)),
            "line {n}: a place of the tree"
        );
        assert!(uuid_like(&person.id), "line {n}: a UUID");
    }
}

fn uuid_like(id: &str) -> bool {
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && id.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

#[test]
fn mr_numbers_are_unique_valid_and_from_the_block_kept_for_the_sample() {
    let mut seen = BTreeSet::new();
    for person in PEOPLE.iter() {
        let parsed = mr::parse(&person.mr).expect("the check digit is right");
        assert_eq!(parsed, person.mr, "written in the usual form");
        let mut parts = parsed.split('-');
        assert_eq!(parts.next(), Some(MR_PREFIX));
        let number: u32 = parts.next().and_then(|n| n.parse().ok()).expect("six digits");
        assert!((MR_RANGE.0..=MR_RANGE.1).contains(&number), "{number} is in the block");
        assert!(seen.insert(number), "{number} twice");
    }
}

#[test]
fn papers_are_unique_have_the_right_last_digit_and_most_adults_have_one() {
    let mut seen = BTreeSet::new();
    let (mut adults, mut with_cnic) = (0_usize, 0_usize);
    for person in PEOPLE.iter() {
        let adult = card(person).age.is_some_and(|a| a.months_low >= 12 * 19);
        adults += usize::from(adult);
        with_cnic += usize::from(adult && person.form.papers.iter().any(|p| p.kind == "cnic"));
        for held in &person.form.papers {
            let number = paper::normalize_cnic(&held.number).expect("thirteen digits and a province");
            assert!(!paper::cnic_sex_differs(&number, person.form.sex), "parity");
            assert!(number.starts_with("319"), "a district code that was never given out");
            assert!(seen.insert(number), "twice");
        }
    }
    let share = with_cnic as f64 / adults as f64;
    assert!((0.55..=0.75).contains(&share), "{share}");
}

#[test]
fn every_reference_resolves_inside_its_own_bundle() {
    fn references(json: &Json, found: &mut Vec<String>) {
        match json {
            Json::Object(members) => {
                for (key, value) in members {
                    match value {
                        Json::String(text) if key == "reference" => found.push(text.clone()),
                        _ => references(value, found),
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut ids = BTreeSet::new();
    for person in PEOPLE.iter() {
        let own: BTreeSet<String> = person.bundle.entries.iter().map(Resource::reference).collect();
        for resource in &person.bundle.entries {
            assert!(ids.insert(resource.reference()), "{} is in two Bundles", resource.reference());
            let mut found = Vec::new();
            references(&resource.view().expect("readable"), &mut found);
            assert!(found.iter().all(|r| own.contains(r)), "{} points outside", resource.reference());
        }
    }
}

#[test]
fn nothing_of_the_generators_country_is_left() {
    let clinic = Clinic::read(&FILE).expect("the sample clinic is there");
    for (n, line) in clinic.bundles().enumerate() {
        for foreign in [
            "us-ssn",
            "us-core",
            "Massachusetts",
            "ynthea",
            "rxnorm",
            "smarthealthit",
            "(finding)",
            "(disorder)",
        ] {
            assert!(!line.contains(foreign), "line {n}: {foreign}");
        }
    }
}

#[test]
fn every_vital_sign_is_one_that_the_form_would_take() {
    let mut known = 0_usize;
    for person in PEOPLE.iter() {
        let age = card(person).age.map_or(Months::UNKNOWN, |a| Months::years(a.months_high / 12));
        for observation in views(person, "Observation") {
            let own = std::iter::once(&observation);
            for measured in own.chain(observation.items("component")).filter_map(measured) {
                known += 1;
                let Measured { vital, value, unit, .. } = &measured;
                assert!(vital.units().contains(&unit.as_str()), "{vital:?} in {unit}");
                let verdict = measured.judge(age);
                assert!(!matches!(verdict, Verdict::Impossible | Verdict::NotANumber), "{vital:?} {value}");
            }
        }
    }
    assert!(known > 5000, "{known} vital signs");
}

fn measured(coded: &Json) -> Option<Measured> {
    let code = coded.items("code.coding").first()?.str("code").to_owned();
    let vital = Vital::from_loinc(&code)?;
    let value = coded.number("valueQuantity.value")?.as_str().to_owned();
    Some(Measured {
        vital,
        value,
        unit: coded.str("valueQuantity.code").to_owned(),
        estimated: false,
        confirmed: false,
    })
}

#[test]
fn every_dose_can_be_said_in_words_and_every_medicine_is_in_the_formulary() {
    let formulary: BTreeSet<(String, String)> = csv::Reader::from_path(package("pk").join("medicines.csv"))
        .expect("medicines.csv is there")
        .records()
        .map(|row| row.map(|r| (r[0].to_owned(), r[1].to_owned())).expect("a row"))
        .collect();
    let mut seen = 0_usize;
    for request in PEOPLE.iter().flat_map(|p| views(p, "MedicationRequest")) {
        let line = request.extension(urls::MEDICINE_LINE).expect("the line as the form holds it");
        let part =
            |url: &str| line.extension(url).map(|e| e.str("valueString").to_owned()).unwrap_or_default();
        let line = MedicineLine {
            generic: part("generic"),
            form: part("form"),
            dose: part("dose"),
            ..MedicineLine::default()
        };
        assert!(line.course().is_some(), "{} is no dose", line.dose);
        assert!(
            formulary.contains(&(line.generic.clone(), line.form.clone())),
            "{} {}",
            line.generic,
            line.form
        );
        seen += 1;
    }
    assert!(seen > 1000, "{seen} medicines");
}

#[test]
fn all_three_states_of_allergies_occur() {
    let (mut not_asked, mut none, mut known) = (0_usize, 0_usize, 0_usize);
    for person in PEOPLE.iter() {
        match card(person).allergies {
            Allergies::NotAsked => not_asked += 1,
            Allergies::NoneKnown => none += 1,
            Allergies::Known(_) => known += 1,
        }
    }
    assert!(not_asked > 100 && none > 100 && known > 50, "{not_asked} not asked, {none} none, {known} known");
}

#[test]
fn names_are_skewed_and_spelt_in_several_ways_as_in_life() {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for word in PEOPLE.iter().filter_map(|p| p.form.name.split_whitespace().next()) {
        *first.entry(word).or_default() += 1;
    }
    let count = |name: &str| first.get(name).copied().unwrap_or(0);
    assert!(count("Muhammad") > PEOPLE.len() / 20, "Muhammad is the most common");
    for variant in ["Mohammad", "Mohd", "M.", "Aisha"] {
        assert!(count(variant) > 0, "{variant}");
    }
}

#[test]
fn both_scripts_of_a_name_are_found_by_either() {
    let found = |typed: &str, stored: &str| {
        let keys = name_keys(stored);
        Query::parse(typed)
            .is_some_and(|q| q.score(keys.iter().map(|k| (Field::Name, 2, k.as_str()))).is_some())
    };
    let missed = PEOPLE
        .iter()
        .filter(|p| {
            let other = p.form.name_other_script.as_ref().map(|n| n.as_str().to_owned()).unwrap_or_default();
            !found(&p.form.name, &other) || !found(&other, &p.form.name)
        })
        .count();
    // An initial ("M. Akram") says less than the name that it stands for.
    assert!(
        missed * 20 < PEOPLE.len(),
        "{missed} of {} names are not found in the other script",
        PEOPLE.len()
    );
}
