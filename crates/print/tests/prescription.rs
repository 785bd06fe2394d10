//! The printed page, read back with poppler's tools (Debian: poppler-utils).

mod support;

use rabta_domain::{
    medicine::{Food, MedicineLine},
    patient::{AgeShown, Allergies, Relation, Sex},
    visit::{Diagnosis, FollowUp},
};
use rabta_print::{Clinic, Clinician, Lang, Mode, Paper, PrescriptionData, Signed, prescription};
use support::{THERMAL, flat, gray_levels, look, pages, poppler, raster, size_mm, text};
use time::macros::{date, datetime};

fn line(generic: &str, dose: &str, form: &str) -> MedicineLine {
    MedicineLine {
        id: generic.into(),
        generic: generic.into(),
        brand: "Brandol".into(),
        form: form.into(),
        strength: "500 mg".into(),
        dose: dose.into(),
        food: Food::After,
        days: 5,
        ..MedicineLine::default()
    }
}

fn data() -> PrescriptionData {
    PrescriptionData {
        clinic: Clinic {
            name: "BHU Chak 12".into(),
            address: "Chak 12 NB, District Sargodha".into(),
            phone: "048-6661234".into(),
        },
        doctor: Clinician {
            name: "Dr Nadia Khan".into(),
            qualification: "MBBS".into(),
            registration: "12345-P".into(),
            ..Clinician::default()
        },
        specialist: Some(Clinician {
            name: "Dr Saira Ahmed".into(),
            qualification: "FCPS".into(),
            registration: "54321-P".into(),
            ..Clinician::default()
        }),
        ordered_by: None,
        mode: Mode::Video,
        date: date!(2026 - 11 - 22),
        name: "Ayesha Bibi".into(),
        name_ur: Some("عائشہ بی بی".into()),
        relation: Some(Relation { code: "HUSB".into(), name: "Muhammad Akram".into() }),
        mr: Some("3740-000123-4".into()),
        sex: Sex::Female,
        age: Some(AgeShown { months_low: 408, months_high: 419, approximate: true }),
        weight: Some("58 kg".into()),
        pregnant_weeks: Some(24),
        allergies: Allergies::Known(vec!["Penicillin".into()]),
        diagnoses: vec![Diagnosis {
            code: "J06.9".into(),
            text: "Common cold".into(),
            certainty: "provisional".into(),
            ..Diagnosis::default()
        }],
        medicines: vec![line("Azithromycin", "1+0+1", "tablet"), line("Paracetamol", "SOS", "tablet")],
        proposed: vec![],
        advice: "Rest.\nPlenty of water.".into(),
        return_advice: "Fast breathing".into(),
        follow_up: FollowUp { day: Some(date!(2026 - 11 - 29)), event: "after Jumma".into() },
    }
}

fn signed() -> Signed {
    Signed {
        by: "Dr Nadia Khan".into(),
        at: datetime!(2026-11-22 14:05 +5),
        fingerprint: "9F3A 77C1".into(),
        code: Some(CODE.into()),
    }
}

/// As long as a real one.
const CODE: &str = "RABTA:05P6RQ0C9J8D4N7K2V5T1WZ3X6Y9B8A4E7G2H5M1P3Q6R9S0C8J4D7N2K5V1T3W6Z9X0Y8B4A7E2G5H1M3P6Q9R0S8C4J7D2N5K1V3T6W9Z0X8Y4B7A2E5G1H3M6P9Q0R8S4C7J2D5N1K3V6T9W0Z8X4Y7B2A5E1G3H6";

#[test]
fn every_field_stands_on_the_page() {
    for paper in [Paper::A5, Paper::A4, Paper::Roll] {
        let page = flat(&prescription(&data(), paper, Lang::En, Some(&signed())).expect("printed"));
        for field in [
            "BHU Chak 12",
            "Chak 12 NB, District Sargodha",
            "Dr Nadia Khan",
            "MBBS",
            "12345-P",
            "Dr Saira Ahmed",
            "FCPS",
            "54321-P",
            "22 Nov 2026",
            "Ayesha Bibi",
            "W/O",
            "Muhammad Akram",
            "3740-000123-4",
            "~34 years",
            "Female",
            "58 kg",
            "24 weeks",
            "Penicillin",
            "Common cold",
            "J06.9",
            "provisional",
            "Azithromycin 500 mg tablet",
            "Brandol",
            "1 tablet in the morning and at night, after food, for 5 days",
            "10 tablets",
            "1 tablet, when needed",
            "Rest.",
            "Plenty of water.",
            "Fast breathing",
            "29 Nov 2026, after Jumma",
            "14:05",
            "9F3A 77C1",
            "In person, with a specialist by video call",
            "Scan to verify",
        ] {
            assert!(page.contains(field), "{field} is missing in\n{page}");
        }
    }
}

#[test]
fn it_is_a_draft_on_every_page_until_it_is_signed() {
    let mut long = data();
    long.medicines = (0..15).map(|n| line(&format!("Medicine{n:02}"), "1+1+1", "tablet")).collect();
    let draft = prescription(&long, Paper::A5, Lang::En, None).expect("printed");
    assert!(pages(&draft) > 1);
    // The watermark is turned, so its letters come apart in layout mode: raw order keeps them.
    let raw = poppler("pdftotext", &["-raw", "-", "-"], &draft);
    assert_eq!(raw.matches("DRAFT").count(), pages(&draft), "{raw}");
    let done = prescription(&long, Paper::A5, Lang::En, Some(&signed())).expect("printed");
    assert!(!poppler("pdftotext", &["-raw", "-", "-"], &done).contains("DRAFT"));
    assert!(text(&done).contains(&format!("Page 1 of {}", pages(&done))));
    let roll = |signed: Option<&Signed>| {
        let pdf = prescription(&long, Paper::Roll, Lang::En, signed).expect("printed");
        (pages(&pdf), text(&pdf).matches("DRAFT").count())
    };
    assert_eq!((roll(None), roll(Some(&signed()))), ((1, 2), (1, 0)), "above and below");
}

#[test]
fn urdu_is_set_in_nastaliq_and_the_names_stand() {
    let pdf = prescription(&data(), Paper::A5, Lang::Ur, Some(&signed())).expect("printed");
    let fonts = poppler("pdffonts", &["-"], &pdf);
    assert!(fonts.contains("NotoNastaliqUrdu") && fonts.contains("AtkinsonHyperlegible"), "{fonts}");
    let page = text(&pdf);
    for field in ["Dr Nadia Khan", "Ayesha Bibi", "3740-000123-4", "Azithromycin 500 mg tablet"] {
        assert!(page.contains(field), "{field} is missing in\n{page}");
    }
    // Letters that join come back as the letters they are.
    assert!(page.chars().filter(|c| ('\u{600}'..='\u{6ff}').contains(c)).count() > 60, "{page}");
}

#[test]
fn fifteen_medicines_and_a_name_of_300_characters_flow_with_the_header_on_each_page() {
    for lang in [Lang::En, Lang::Ur] {
        for name in ["Ghulam ".repeat(42) + "Fatima", "ع".repeat(300), "Q".repeat(300)] {
            let mut long = data();
            long.name = name.clone().into();
            long.medicines = (0..15).map(|n| line(&format!("Medicine{n:02}"), "1+1+1", "tablet")).collect();
            let pdf = prescription(&long, Paper::A5, lang, Some(&signed())).expect("printed");
            let page = text(&pdf);
            let count = pages(&pdf);
            assert!(count > 1);
            assert_eq!(page.matches("3740-000123-4").count(), count);
            assert_eq!(page.matches("BHU Chak 12").count(), count);
            for n in 0..15 {
                assert!(page.contains(&format!("Medicine{n:02}")), "medicine {n}");
            }
            if name.starts_with('Q') {
                assert_eq!(page.matches('Q').count(), 300 * count, "letters are cut off");
            }
        }
    }
}

#[test]
fn what_people_type_is_never_markup() {
    let mut data = data();
    let typed = "#panic(\"no\") $x^2$ *b* _i_ `c` @r <l> #let x = 1 \\ // gone? /* gone? */";
    data.advice = typed.into();
    data.name = "#read(\"/etc/passwd\")".into();
    data.diagnoses[0].text = "= Heading".into();
    let page = text(&prescription(&data, Paper::A4, Lang::En, None).expect("printed"));
    let flat = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for field in [
        "#panic(\"no\") $x^2$ *b* _i_ `c` @r <l> #let x = 1 \\ // gone? /* gone? */",
        "#read(\"/etc/passwd\")",
        "= Heading",
    ] {
        assert!(flat.contains(field), "{field} is missing in\n{page}");
    }
}

#[test]
fn an_empty_prescription_prints_too() {
    let empty = PrescriptionData {
        clinic: Clinic::default(),
        doctor: Clinician::default(),
        specialist: None,
        mode: Mode::InPerson,
        name: "Baby of X".into(),
        name_ur: None,
        relation: None,
        mr: None,
        sex: Sex::Unknown,
        age: None,
        weight: None,
        pregnant_weeks: None,
        allergies: Allergies::NotAsked,
        diagnoses: vec![],
        medicines: vec![],
        advice: "".into(),
        return_advice: "".into(),
        follow_up: FollowUp::default(),
        ..data()
    };
    for lang in [Lang::En, Lang::Ur] {
        assert_eq!(pages(&prescription(&empty, Paper::A5, lang, None).expect("printed")), 1);
    }
}

#[test]
fn a_roll_is_80_mm_wide_as_long_as_its_content_and_black_only() {
    for lang in [Lang::En, Lang::Ur] {
        let pdf = |data: &PrescriptionData, signed: Option<&Signed>| {
            prescription(data, Paper::Roll, lang, signed).expect("printed")
        };
        let short = pdf(&data(), Some(&signed()));
        look(&format!("prescription-Roll-{lang:?}"), &short);
        let mut more = data();
        more.medicines.extend((0..8).map(|n| line(&format!("Medicine{n:02}"), "1+1+1", "tablet")));
        let long = pdf(&more, Some(&signed()));
        assert_eq!((pages(&short), pages(&long)), (1, 1));
        let ((width, low), (_, high)) = (size_mm(&short), size_mm(&long));
        assert!((width - 80.0).abs() < 0.1, "{width} mm");
        assert!(high > low + 60.0, "{low} mm, then {high} mm");
        for page in [&short, &pdf(&more, None)] {
            assert_eq!(gray_levels(page), [0, 255], "a thermal head has no gray");
        }
    }
    let nobody = PrescriptionData { medicines: vec![], diagnoses: vec![], ..data() };
    let (_, high) = size_mm(&prescription(&nobody, Paper::Roll, Lang::En, None).expect("printed"));
    assert!((80.0..250.0).contains(&high), "{high} mm");
}

#[test]
fn a_scanner_reads_the_code_off_every_paper() {
    for paper in [Paper::A5, Paper::A4, Paper::Roll] {
        for lang in [Lang::En, Lang::Ur] {
            let pdf = prescription(&data(), paper, lang, Some(&signed())).expect("printed");
            look(&format!("prescription-{paper:?}-{lang:?}"), &pdf);
            let read = |(width, height, gray): (usize, usize, Vec<u8>)| {
                let mut seen =
                    rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| gray[y * width + x]);
                seen.detect_grids().iter().find_map(|grid| grid.decode().ok()).map(|(_, code)| code)
            };
            // A thermal head's own dots; on paper a camera tries from more than one distance.
            let code = match paper {
                Paper::Roll => read(raster(&pdf, THERMAL, false)),
                _ => [220, 180, 260].into_iter().find_map(|dpi| read(raster(&pdf, dpi, true))),
            };
            assert_eq!(code.as_deref(), Some(CODE), "{paper:?} {lang:?}");
        }
    }
    let without = Signed { code: None, ..signed() };
    assert!(
        !flat(&prescription(&data(), Paper::A5, Lang::En, Some(&without)).expect("printed")).contains("Scan")
    );
}

#[test]
fn where_the_person_with_the_patient_may_not_prescribe_the_page_says_who_ordered() {
    let lhv = Clinician { name: "Nasreen Akhtar".into(), role: "lhv".into(), ..Clinician::default() };
    let ordered = PrescriptionData { doctor: lhv.clone(), ordered_by: data().specialist, ..data() };
    let slip = PrescriptionData { medicines: vec![], proposed: data().medicines, doctor: lhv, ..data() };
    for paper in [Paper::A5, Paper::A4, Paper::Roll] {
        let page = flat(&prescription(&ordered, paper, Lang::En, Some(&signed())).expect("printed"));
        for field in
            ["Seen by", "Nasreen Akhtar", "Lady Health Visitor", "Medicines ordered by", "Azithromycin"]
        {
            assert!(page.contains(field), "{field} is missing in\n{page}");
        }
        assert!(page.contains("Prescription") && !page.contains("Treating doctor"), "{page}");

        let page = flat(&prescription(&slip, paper, Lang::En, Some(&signed())).expect("printed"));
        for field in
            ["Visit slip", "Proposed only, not ordered", "Azithromycin 500 mg tablet", "No medicines."]
        {
            assert!(page.contains(field), "{field} is missing in\n{page}");
        }
        assert!(!page.contains("Prescription") && !page.contains("in the morning"), "{page}");
    }
}

#[test]
fn a_code_that_no_printer_could_print_is_refused() {
    let long = Signed { code: Some("A".repeat(900)), ..signed() };
    assert!(prescription(&data(), Paper::Roll, Lang::En, Some(&long)).is_err());
}

#[test]
fn the_same_data_gives_the_same_bytes() {
    let print = || prescription(&data(), Paper::A5, Lang::Ur, Some(&signed())).expect("printed");
    assert_eq!(print(), print());
}

#[test]
fn a_page_is_small_enough_for_a_weak_link() {
    // How long it takes is measured in a release build (`bench app`, `pdf`): a test on a busy machine cannot tell.
    let pdf = prescription(&data(), Paper::A5, Lang::Ur, None).expect("printed");
    assert!(pdf.len() < 150_000, "{} bytes", pdf.len());
}
