//! The sheet that says in pictures when to take what.

mod support;

use rabta_domain::medicine::{Food, MedicineLine};
use rabta_print::{Lang, Paper, SheetData, medicine_sheet};
use support::{flat, gray_levels, look, pages, size_mm};
use time::macros::date;

fn line(generic: &str, form: &str, dose: &str, food: Food, days: u16) -> MedicineLine {
    MedicineLine {
        generic: generic.into(),
        form: form.into(),
        strength: "500 mg".into(),
        dose: dose.into(),
        food,
        days,
        ..MedicineLine::default()
    }
}

fn data() -> SheetData {
    SheetData {
        clinic: "BHU Chak 12".into(),
        date: date!(2026 - 11 - 22),
        name: "Ayesha Bibi".into(),
        name_ur: Some("عائشہ بی بی".into()),
        medicines: vec![
            line("Amoxicillin", "capsule", "1+1+1", Food::After, 5),
            line("Paracetamol", "tablet", "1/2+0+2", Food::Any, 3),
            line("Zinc", "syrup", "1 1/2 tsp BD", Food::Before, 10),
        ],
    }
}

fn others() -> SheetData {
    let medicines = vec![
        line("Paracetamol", "tablet", "1 SOS", Food::With, 0),
        line("Chloroquine", "tablet", "2 weekly", Food::After, 28),
        line("Ceftriaxone", "injection", "1 OD", Food::Any, 3),
        line("Salbutamol", "inhaler", "2 puffs q6h", Food::Any, 5),
        line("Metformin", "tablet", "1 OD", Food::With, 0),
    ];
    SheetData { medicines, ..data() }
}

fn sheet(data: &SheetData, paper: Paper, lang: Lang) -> Vec<u8> {
    let pdf = medicine_sheet(data, paper, lang, true).expect("printed");
    if data.name.as_str() == "Ayesha Bibi" {
        look(&format!("sheet-{}-{paper:?}-{lang:?}", data.medicines.len()), &pdf);
    }
    pdf
}

#[test]
fn every_medicine_stands_there_with_its_day_its_numbers_and_its_words() {
    for paper in [Paper::A5, Paper::A4, Paper::Roll] {
        let pdf = sheet(&data(), paper, Lang::En);
        let page = flat(&pdf);
        for field in [
            "When to take what",
            "Ayesha Bibi",
            "BHU Chak 12",
            "22 Nov 2026",
            "1. Amoxicillin 500 mg capsule",
            "2. Paracetamol 500 mg tablet",
            "3. Zinc 500 mg syrup",
            "½",
            "1½",
            "after food",
            "before food",
            "5 days",
            "10 days",
            "1 capsule in the morning, at noon and at night, after food, for 5 days",
        ] {
            assert!(page.contains(field), "{field} is missing in\n{page}");
        }
        for word in ["morning", "noon", "evening", "night"] {
            assert!(page.matches(word).count() >= 3, "{word} over each day: {page}");
        }
        assert_eq!(pages(&pdf), 1);
        assert!(!page.contains("DRAFT"));
    }
}

#[test]
fn what_cannot_be_drawn_has_its_words_in_both_languages() {
    for paper in [Paper::A5, Paper::Roll] {
        for lang in [Lang::En, Lang::Ur] {
            let page = flat(&sheet(&others(), paper, lang));
            for field in
                ["1 tablet, when needed", "2 tablets once a week", "1 injection once a day", "every 6 hours"]
            {
                assert!(page.contains(field), "{field} is missing in\n{page}");
            }
            assert!(page.chars().filter(|c| ('\u{600}'..='\u{6ff}').contains(c)).count() > 60, "{page}");
            assert!(!page.contains("noon"), "no day is drawn");
        }
    }
}

#[test]
fn a_roll_is_one_black_page_80_mm_wide() {
    for data in [data(), others()] {
        for lang in [Lang::En, Lang::Ur] {
            let pdf = sheet(&data, Paper::Roll, lang);
            let (width, _) = size_mm(&pdf);
            assert!((width - 80.0).abs() < 0.1 && pages(&pdf) == 1);
            assert_eq!(gray_levels(&pdf), [0, 255]);
        }
    }
}

#[test]
fn it_is_a_draft_until_the_visit_is_signed_and_twenty_medicines_flow() {
    let medicines = (0..20).map(|n| line(&format!("Medicine{n:02}"), "tablet", "1+1+1", Food::After, 30));
    let many = SheetData { medicines: medicines.collect(), ..data() };
    for paper in [Paper::A5, Paper::Roll] {
        let pdf = medicine_sheet(&many, paper, Lang::Ur, false).expect("printed");
        let page = support::poppler("pdftotext", &["-raw", "-", "-"], &pdf);
        assert!((0..20).all(|n| page.contains(&format!("Medicine{n:02}"))));
        assert_eq!(page.matches("DRAFT").count(), pages(&pdf));
    }
    let nothing = SheetData { medicines: vec![], ..data() };
    assert!(flat(&sheet(&nothing, Paper::A5, Lang::En)).contains("No medicines."));
}

#[test]
fn what_people_type_is_never_markup() {
    let mut data = data();
    data.medicines[0].note = "#panic(\"no\") $x$ *b*".to_owned().into();
    data.name = "#read(\"/etc/passwd\")".into();
    let page = flat(&sheet(&data, Paper::A5, Lang::En));
    assert!(page.contains("#panic(\"no\") $x$ *b*") && page.contains("#read(\"/etc/passwd\")"), "{page}");
}
