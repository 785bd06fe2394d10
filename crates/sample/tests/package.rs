//! What the rest of the workspace expects of the country package's tables.

use std::collections::{BTreeMap, BTreeSet};

use rabta_domain::{medicine::crosses, paper};
use rabta_sample::package;

/// Rows by header.
fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(package("pk").join(name)).expect("the table is there");
    let rows: Vec<BTreeMap<String, String>> =
        reader.deserialize().collect::<Result<_, _>>().expect("every row has every cell");
    assert!(!rows.is_empty(), "{name} has rows");
    rows
}

fn list(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|s| !s.is_empty())
}

fn unique<'a>(name: &str, keys: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    for key in keys {
        assert!(!key.is_empty() && seen.insert(key), "{name}: {key:?} is empty or there twice");
    }
    seen
}

fn is_urdu(text: &str) -> bool {
    text.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c))
        && !text.chars().any(|c| c.is_ascii_alphabetic())
}

#[test]
fn every_place_hangs_in_one_tree_and_a_village_lies_in_a_district() {
    let rows = rows("places.csv");
    unique("places", rows.iter().map(|r| r["id"].as_str()));
    let parents: BTreeMap<&str, &BTreeMap<String, String>> =
        rows.iter().map(|r| (r["id"].as_str(), r)).collect();
    let mut villages = 0;
    for row in &rows {
        assert!(is_urdu(&row["name_ur"]), "{} has an Urdu name", row["id"]);
        let above: Vec<&str> =
            std::iter::successors(Some(row), |r| parents.get(r["parent"].as_str()).copied())
                .map(|r| r["type"].as_str())
                .collect();
        assert_eq!(above.last(), Some(&"country"), "{} hangs in the tree", row["id"]);
        if matches!(row["type"].as_str(), "village" | "basti" | "chak" | "goth" | "killi") {
            villages += 1;
            assert_eq!(
                &above[1..],
                ["union-council", "tehsil", "district", "province", "country"],
                "{}",
                row["id"]
            );
        }
    }
    assert!(villages >= 50, "{villages} villages");
}

#[test]
fn every_diagnosis_has_a_code_of_icd_10_and_words_in_both_languages() {
    let rows = rows("icd10.csv");
    assert!(rows.len() >= 400, "{} rows", rows.len());
    unique("icd10", rows.iter().map(|r| r["code"].as_str()));
    for row in &rows {
        let code = row["code"].as_bytes();
        let shape = code[0].is_ascii_uppercase() && code[1].is_ascii_digit() && code[2].is_ascii_digit();
        let rest = &row["code"][3..];
        let decimal =
            rest.is_empty() || (rest.len() == 2 && rest.starts_with('.') && code[4].is_ascii_digit());
        assert!(shape && decimal, "{}", row["code"]);
        assert!(!row["en"].is_empty() && is_urdu_word(&row["ur"]), "{} in both languages", row["code"]);
    }
    for (lay, chapter) in
        [("sugar", "E11"), ("BP", "I10"), ("TB", "A1"), ("dast", "A09"), ("khansi", "R05"), ("yarqan", "B1")]
    {
        let found =
            rows.iter().any(|r| r["code"].starts_with(chapter) && list(&r["synonyms"]).any(|s| s == lay));
        assert!(found, "{lay} finds {chapter}");
    }
}

/// Urdu, perhaps with a Latin abbreviation within.
fn is_urdu_word(text: &str) -> bool {
    text.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c))
}

#[test]
fn every_medicine_has_a_readable_row() {
    let rows = rows("medicines.csv");
    assert!(rows.len() >= 250, "{} rows", rows.len());
    let keys: Vec<String> = rows.iter().map(|r| format!("{}/{}", r["generic"], r["form"])).collect();
    unique("medicines", keys.iter().map(String::as_str));
    for row in &rows {
        let name = &row["generic"];
        assert!(matches!(row["controlled"].as_str(), "yes" | "no"), "{name}: controlled");
        assert!(
            matches!(row["aware"].as_str(), "" | "Access" | "Watch" | "Reserve" | "Not recommended"),
            "{name}: AWaRe"
        );
        assert!(
            row["min_age_months"].is_empty() || row["min_age_months"].parse::<u16>().is_ok(),
            "{name}: age"
        );
        let atc = &row["atc"];
        let levels = matches!(atc.len(), 0 | 4 | 5 | 7)
            && atc.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        assert!(levels, "{name}: {atc}");
    }
    for (brand, generic) in [("Panadol", "Paracetamol"), ("Brufen", "Ibuprofen"), ("Flagyl", "Metronidazole")]
    {
        let found = rows.iter().any(|r| list(&r["brands"]).any(|b| b == brand) && r["generic"] == generic);
        assert!(found, "{brand} finds {generic}");
    }
}

#[test]
fn what_a_clash_needs_is_said_of_medicines_and_allergens_alike() {
    let (medicines, allergens) = (rows("medicines.csv"), rows("allergens.csv"));
    unique("allergens", allergens.iter().map(|r| r["code"].as_str()));
    let given: BTreeSet<&str> = medicines.iter().flat_map(|r| list(&r["classes"])).collect();
    for row in allergens.iter().filter(|r| r["kind"] == "medicine") {
        for class in list(&row["classes"]) {
            assert!(given.contains(class), "{}: no medicine is of class {class}", row["code"]);
            for other in list(&row["cross"]) {
                let same_paper = crosses(class, other) || !DOMAIN_KNOWS.contains(&(class, other));
                assert!(same_paper, "{class} and {other} cross here, but not in the clash check");
            }
        }
    }
    // An antibiotic whose kind people are allergic to must say its class.
    for row in medicines.iter().filter(|r| r["atc"].starts_with("J01C") || r["atc"].starts_with("J01D")) {
        assert!(list(&row["classes"]).count() > 0, "{} has no class", row["generic"]);
    }
}

/// Pairs that the clash check must know, too.
const DOMAIN_KNOWS: &[(&str, &str)] = &[
    ("penicillins", "cephalosporins"),
    ("penicillins", "carbapenems"),
    ("cephalosporins", "carbapenems"),
    ("salicylates", "nsaids"),
    ("nsaids", "salicylates"),
    ("sulfonamides", "sulfones"),
];

#[test]
fn papers_and_relations_are_those_that_the_domain_speaks_of() {
    let papers = rows("papers.csv");
    let kinds = unique("papers", papers.iter().map(|r| r["kind"].as_str()));
    assert_eq!(
        kinds,
        BTreeSet::from(["acc", "b-form", "cnic", "nicop", "old-nic", "passport", "poc", "por"])
    );
    assert!(papers.iter().all(|r| r["system"] == paper::system(&r["kind"])), "systems");
    let relations = rows("relations.csv");
    let codes = unique("relations", relations.iter().map(|r| r["code"].as_str()));
    for code in ["FTH", "HUSB", "MTH", "GUARD", "GRPRN", "BRO", "SIS", "UNCLE", "AUNT"] {
        assert!(codes.contains(code), "{code}");
    }
    let specialties = rows("specialties.csv");
    unique("specialties", specialties.iter().map(|r| r["code"].as_str()));
    assert!(specialties.iter().chain(&relations).all(|r| is_urdu(&r["ur"])), "in Urdu");
}

#[test]
fn the_emergency_numbers_are_there() {
    let text =
        std::fs::read_to_string(package("pk").join("emergency.json")).expect("emergency.json is there");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["phone"], "1122");
    assert!(json["referral_hospital"].is_string() && json["referral_phone"].is_string());
}
