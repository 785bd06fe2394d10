//! The printed page, read back with poppler's tools (Debian: poppler-utils).

use std::{
    io::Write,
    process::{Command, Stdio},
};

use rabta_domain::{
    medicine::{Food, MedicineLine},
    patient::{AgeShown, Allergies, Relation, Sex},
    visit::{Diagnosis, FollowUp},
};
use rabta_print::{Clinic, Clinician, Lang, Mode, Paper, PrescriptionData, Signed, prescription};
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
        },
        specialist: Some(Clinician {
            name: "Dr Saira Ahmed".into(),
            qualification: "FCPS".into(),
            registration: "54321-P".into(),
        }),
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
        advice: "Rest.\nPlenty of water.".into(),
        return_advice: "Fast breathing".into(),
        follow_up: FollowUp { day: Some(date!(2026 - 11 - 29)), event: "after Jumma".into() },
    }
}

fn signed() -> Signed {
    Signed { by: "Dr Nadia Khan".into(), at: datetime!(2026-11-22 14:05 +5), fingerprint: "9F3A 77C1".into() }
}

fn poppler(tool: &str, args: &[&str], pdf: &[u8]) -> String {
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Old poppler does not know every key of a tagged PDF, and says so.
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{tool} of poppler-utils does not start: {e}"));
    let mut stdin = child.stdin.take().expect("piped");
    let pdf = pdf.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads all");
    assert!(output.status.success(), "{tool} refused the PDF");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(pdf: &[u8]) -> String {
    poppler("pdftotext", &["-layout", "-", "-"], pdf)
}

fn pages(pdf: &[u8]) -> usize {
    let info = poppler("pdfinfo", &["-"], pdf);
    info.lines().find_map(|l| l.strip_prefix("Pages:")).expect("a count").trim().parse().expect("a number")
}

#[test]
fn every_field_stands_on_the_page() {
    for paper in [Paper::A5, Paper::A4] {
        let page = text(&prescription(&data(), paper, Lang::En, Some(&signed())).expect("printed"));
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
            "Page 1 of 1",
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
