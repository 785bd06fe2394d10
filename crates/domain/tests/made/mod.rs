//! Forms made at random: any text that a keyboard can send, in any combination.
#![allow(dead_code, reason = "each test uses a part")]

use proptest::{collection::vec, option, prelude::*, sample::select};
use rabta_domain::{
    Private,
    age::{AgeSaid, Said},
    fhir::{Facility, Signer, Stamp},
    medicine::{Food, MedicineLine},
    paper::{Assurance, Paper},
    patient::{Guardian, Newborn, Phone, Place, Registration, Relation, Sex},
    visit::*,
    vitals::{Measured, PocTest, Tested, Vital},
};
use time::{
    Date, Duration,
    macros::{date, datetime},
};

/// Ids that count up, shaped like UUIDs.
pub fn ids() -> impl FnMut() -> String {
    let mut n = 0_u32;
    move || {
        n += 1;
        format!("00000000-0000-4000-8000-{n:012x}")
    }
}

pub fn stamp() -> Stamp {
    Stamp::new(datetime!(2026-11-22 14:05:06.789 +5))
}

pub fn doctor() -> Signer {
    Signer {
        id: "d0c70000-0000-4000-8000-000000000001".into(),
        name: "Dr Nadia Khan".into(),
        registration: "12345-P".into(),
        ..Signer::default()
    }
}

pub fn clinic() -> Facility {
    Facility { id: "fac00000-0000-4000-8000-000000000001".into(), name: "BHU Chak 12".into() }
}

/// As typed: Urdu, markup, quotes, line ends, control characters.
pub fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-zA-Z0-9 .,<>&\"'/\\\\#*_$@\\[\\]{}\n\r\t-]{0,40}",
        "[آابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوہءیے ۰-۹]{1,30}",
        "\\PC{0,20}",
        any::<String>(),
    ]
}

fn text() -> impl Strategy<Value = Private<String>> {
    typed().prop_map(Private)
}

pub fn uuid() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}"
}

pub fn day() -> impl Strategy<Value = Date> {
    (0..40_000_i64).prop_map(|n| date!(1920 - 01 - 01) + Duration::days(n))
}

fn one_of(all: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(all).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9]{1,3}(\\.[0-9]{1,2})?", "[۰-۹]{1,3}(٫[۰-۹])?", typed()]
}

pub fn measured() -> impl Strategy<Value = Measured> {
    (select(&Vital::ALL[..]), value(), any::<prop::sample::Index>(), any::<bool>(), any::<bool>()).prop_map(
        |(vital, value, unit, estimated, confirmed)| Measured {
            vital,
            value,
            unit: (*unit.get(vital.units())).to_owned(),
            estimated,
            confirmed,
        },
    )
}

fn tested() -> impl Strategy<Value = Tested> {
    let words = one_of(&["positive", "negative", "invalid", "0", "trace", "1+", "4+", "7.2"]);
    (select(&PocTest::ALL[..]), value(), words, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(test, value, word, unit, confirmed)| match test.units() {
            [] => Tested { test, value: word, unit: String::new(), confirmed },
            units => Tested { test, value, unit: (*unit.get(units)).to_owned(), confirmed },
        },
    )
}

pub fn dose() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-3](/[1-4])?\\+[0-3]\\+[0-3]",
        one_of(&[
            "OD",
            "BD",
            "TDS",
            "QID",
            "HS",
            "SOS",
            "stat",
            "5 ml TDS",
            "1 tsp bd",
            "2 puffs q6h",
            "1 weekly",
            "۱+۰+۱"
        ]),
        typed(),
    ]
}

pub fn line() -> impl Strategy<Value = MedicineLine> {
    let form =
        one_of(&["tablet", "capsule", "syrup", "injection", "drops", "cream", "inhaler", "sachet", ""]);
    let what = (uuid(), typed(), typed(), form, typed(), one_of(&["", "J01CA04"]));
    let how = (
        vec(one_of(&["penicillins", "nsaids"]), 0..2),
        any::<bool>(),
        dose(),
        select(vec![Food::Any, Food::Before, Food::After, Food::With]),
    );
    (what, how, 0..400_u16, text(), option::of(typed())).prop_map(|(what, how, days, note, clash_reason)| {
        MedicineLine {
            id: what.0,
            generic: what.1,
            brand: what.2,
            form: what.3,
            strength: what.4,
            atc: what.5,
            classes: how.0,
            controlled: how.1,
            dose: how.2,
            food: how.3,
            days,
            note,
            clash_reason,
        }
    })
}

fn allergies() -> impl Strategy<Value = AllergyAnswer> {
    let item = (
        uuid(),
        text(),
        vec(one_of(&["penicillins", "sulfonamides"]), 0..3),
        text(),
        one_of(&["", "mild", "severe", "unknown"]),
    )
        .prop_map(|(id, substance, classes, reaction, severity)| Allergy {
            id,
            substance,
            classes,
            reaction,
            severity,
        });
    let state = select(vec![AllergyState::NotAsked, AllergyState::NoneKnown, AllergyState::Known]);
    (state, vec(item, 0..3)).prop_map(|(state, items)| AllergyAnswer { state, items })
}

pub fn diagnosis() -> impl Strategy<Value = Diagnosis> {
    (uuid(), one_of(&["", "J06.9", "A09"]), text(), one_of(&["", "provisional", "confirmed"]))
        .prop_map(|(id, code, text, certainty)| Diagnosis { id, code, text, certainty })
}

pub fn follow_up() -> impl Strategy<Value = FollowUp> {
    (option::of(day()), typed()).prop_map(|(day, event)| FollowUp { day, event })
}

pub fn visit() -> impl Strategy<Value = VisitForm> {
    let danger = (any::<bool>(), vec(one_of(&["airway", "shock", "chest-pain", "trauma"]), 0..3))
        .prop_map(|(asked, signs)| DangerSigns { asked, signs });
    let current = (text(), one_of(&["", "doctor", "hakeem", "steroid"]))
        .prop_map(|(text, source)| CurrentMedicine { text, source });
    let pregnancy = (
        one_of(&["", "yes", "no", "unsure"]),
        option::of(day()),
        option::of(0..50_u8),
        one_of(&["", "yes", "no"]),
    )
        .prop_map(|(pregnant, lmp, weeks, breastfeeding)| PregnancyAnswer {
            pregnant,
            lmp,
            weeks,
            breastfeeding,
        });
    let photo = (uuid(), text(), any::<bool>(), 0..5000_u32, 0..5000_u32)
        .prop_map(|(id, caption, intimate, width, height)| PhotoRef { id, caption, intimate, width, height });
    let said =
        (typed(), typed(), danger, text(), typed(), text(), vec(current, 0..3), allergies(), pregnancy);
    let found = (vec(measured(), 0..8), vec(tested(), 0..4), text(), vec(photo, 0..3));
    let decided = (
        vec(diagnosis(), 0..3),
        text(),
        text(),
        vec(line(), 0..4),
        one_of(&["", "home", "referred", "died"]),
        text(),
        follow_up(),
    );
    (said, found, decided).prop_map(|(said, found, decided)| VisitForm {
        informant: said.0,
        present: said.1,
        danger: said.2,
        complaint: said.3,
        complaint_since: said.4,
        history: said.5,
        current_medicines: said.6,
        allergies: said.7,
        pregnancy: said.8,
        vitals: found.0,
        tests: found.1,
        examination: found.2,
        photos: dedup_photos(found.3),
        diagnoses: decided.0,
        procedures: decided.1,
        plan: decided.2,
        medicines: decided.3,
        disposition: decided.4,
        return_advice: decided.5,
        follow_up: decided.6,
    })
}

fn dedup_photos(mut photos: Vec<PhotoRef>) -> Vec<PhotoRef> {
    photos.sort_by(|a, b| a.id.cmp(&b.id));
    photos.dedup_by(|a, b| a.id == b.id);
    photos
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        day().prop_map(|date| Said::BirthDate { date }),
        (1900..2026_i32).prop_map(|year| Said::BirthYear { year }),
        (0..120_u16).prop_map(|n| Said::Years { n }),
        (0..60_u16).prop_map(|n| Said::Months { n }),
        (0..50_u16).prop_map(|n| Said::Weeks { n }),
        (0..40_u16).prop_map(|n| Said::Days { n }),
        ("[a-z ]{1,20}", 1930..1990_i32, 1990..2020_i32).prop_map(|(text, from_year, to_year)| Said::Event {
            text: format!("x{text}x"),
            from_year,
            to_year
        }),
    ]
}

/// Not blank, no control characters: what registration's check lets through.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z][a-z]{1,10}( [A-Z][a-z]{1,10}){0,2}",
        "[آابپتٹثجچحخدڈذرڑزژسش]{2,10}( [کگلمنوہی]{2,8})?",
        "[<>&\"#*$]{1,20}x"
    ]
}

pub fn registration() -> impl Strategy<Value = Registration> {
    let relation = (one_of(&["FTH", "HUSB", "MTH", "GUARD"]), name())
        .prop_map(|(code, name)| Relation { code, name: name.into() });
    let phone =
        ("03[0-9]{9}", one_of(&["", "self", "husband"]), any::<[bool; 3]>(), one_of(&["", "after Maghrib"]))
            .prop_map(|(number, owner, [safe_to_call, safe_to_text, voice_only], hours)| Phone {
                number: number.into(),
                owner,
                safe_to_call,
                safe_to_text,
                voice_only,
                hours,
            });
    let place = (option::of("pk-[a-z]{3}-[0-9]{3}"), name(), prop_oneof![Just(String::new()), name()])
        .prop_map(|(id, text, landmark)| Place { id, text: text.into(), landmark: landmark.into() });
    let assurance = select(vec![Assurance::Stated, Assurance::CardSeen, Assurance::Verified]);
    let paper = (
        one_of(&["cnic", "b-form", "passport", "por"]),
        "[0-9]{5}-[0-9]{7}-[0-9]",
        assurance,
        option::of(name()),
        option::of(day()),
    )
        .prop_map(|(kind, number, assurance, issuer, expires)| Paper {
            kind,
            number: number.into(),
            assurance,
            issuer,
            expires,
        });
    let guardian = (
        name(),
        one_of(&["FTH", "MTH", "GUARD", "UNCLE"]),
        option::of("[0-9]{5}-[0-9]{7}-[0-9]"),
        option::of("03[0-9]{9}"),
    )
        .prop_map(|(name, relation, cnic, phone)| Guardian {
            name: name.into(),
            relation,
            cnic: cnic.map(Private),
            phone: phone.map(Private),
        });
    let newborn = (uuid(), 1..4_u8).prop_map(|(mother, birth_order)| Newborn { mother, birth_order });
    let age = (said(), day(), one_of(&["", "patient", "guardian"])).prop_map(|(said, on, by)| AgeSaid {
        said,
        on,
        by,
    });
    let who = (name(), option::of(name()), option::of(one_of(&["Mst", "Haji"])), option::of(relation));
    let sex = select(vec![Sex::Male, Sex::Female, Sex::Other, Sex::Unknown]);
    let rest = (
        vec(phone, 0..3),
        place,
        vec(paper, 0..3),
        option::of(one_of(&["none", "unconscious"])),
        option::of(guardian),
        option::of(newborn),
    );
    (who, sex, option::of(age), rest).prop_map(|(who, sex, age, rest)| Registration {
        name: who.0.into(),
        name_other_script: who.1.map(Private),
        prefix: who.2,
        relation: who.3,
        sex,
        age,
        phones: rest.0,
        place: rest.1,
        papers: rest.2,
        no_paper: rest.3,
        guardian: rest.4,
        newborn_of: rest.5,
        undecided: Vec::new(),
    })
}
