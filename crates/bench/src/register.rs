//! Invented people of a district, as many as wanted: names skewed as in life, spelt in several ways and in two scripts,
//! fathers who are shared, villages, papers and phones. The same number gives the same person.

use std::path::Path;

use anyhow::{Context, Result};
use rabta_domain::{
    age::{AgeSaid, Said},
    fhir::{self, Facility, Signer, Slots, Stamp},
    medicine::{Food, MedicineLine},
    mr,
    paper::{Assurance, Paper},
    patient::{Phone, Place, Registration, Relation, Sex},
    visit::{AllergyAnswer, AllergyState, DangerSigns, Diagnosis, FollowUp, VisitForm},
    vitals::{Measured, Months, Vital},
};
use time::{Date, Duration, OffsetDateTime, macros::datetime};

/// Where numbers come from: SplitMix64, so that a seed is all that a person is made of.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T], weight: impl Fn(&T) -> f64) -> &'a T {
        let mut left = self.share() * all.iter().map(&weight).sum::<f64>();
        for one in all {
            left -= weight(one);
            if left < 0.0 {
                return one;
            }
        }
        &all[all.len() - 1]
    }

    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        let (a, b) = (a & !0xf000 | 0x4000, b & !(0b11 << 62) | (0b10 << 62));
        let hex = format!("{a:016x}{b:016x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

struct Name {
    part: String,
    urdu: String,
    spellings: Vec<String>,
    weight: f64,
}

/// The tables of the sample clinic: names with their weights, villages.
pub struct Register {
    names: Vec<Name>,
    villages: Vec<(String, String)>,
    seed: u64,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Somebody {
    pub id: String,
    pub name: String,
    pub urdu: String,
    pub father: String,
    pub father_urdu: String,
    pub village: String,
    pub cnic: String,
    pub phone: String,
    pub mr: String,
    pub female: bool,
    pub years: u16,
}

impl Register {
    /// Reads the tables of a country package.
    pub fn read(package: &Path, seed: u64) -> Result<Self> {
        let text = |file: &str| {
            std::fs::read_to_string(package.join(file)).with_context(|| format!("reading {file}"))
        };
        let names = text("sample/make/names.csv")?
            .lines()
            .skip(1)
            .filter_map(|line| {
                let mut cells = line.split(',');
                let (part, urdu) = (cells.next()?.to_owned(), cells.next()?.to_owned());
                let spellings = cells.next()?.split(';').map(str::to_owned).collect();
                Some(Name { part, urdu, spellings, weight: cells.next()?.parse().ok()? })
            })
            .collect();
        let mut villages: Vec<(String, String)> = text("places.csv")?
            .lines()
            .filter_map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                let kind = *cells.get(2)?;
                ["village", "basti", "chak", "tehsil", "union-council", "district"]
                    .contains(&kind)
                    .then(|| (cells[3].to_owned(), cells[4].to_owned()))
            })
            .collect();
        villages.extend((1..400).map(|n| (format!("Chak {n}"), format!("چک {n}"))));
        Ok(Self { names, villages, seed })
    }

    fn part(&self, dice: &mut Dice, part: &str) -> (String, String) {
        let all: Vec<&Name> = self.names.iter().filter(|name| name.part == part).collect();
        let name = *dice.pick(&all, |name| name.weight);
        (spelt(name, dice), name.urdu.clone())
    }

    fn muhammad(&self, dice: &mut Dice) -> (String, String) {
        let name = self.names.iter().find(|name| name.weight == 0.0).expect("the table begins with it");
        (spelt(name, dice), name.urdu.clone())
    }

    fn man(&self, dice: &mut Dice) -> (String, String) {
        let kind = dice.share();
        let mut parts = if kind < 0.2 {
            vec![self.part(dice, "male-whole")]
        } else if kind < 0.62 {
            vec![self.muhammad(dice), self.part(dice, "male")]
        } else if kind < 0.92 {
            vec![self.part(dice, "male"), self.part(dice, "male-tail")]
        } else {
            vec![self.part(dice, "male")]
        };
        if dice.share() < 0.12 {
            parts.push(self.part(dice, "caste"));
        }
        joined(&parts)
    }

    fn woman(&self, dice: &mut Dice) -> (String, String) {
        let mut parts = vec![self.part(dice, "female")];
        if dice.share() < 0.8 {
            parts.push(self.part(dice, "female-tail"));
        }
        joined(&parts)
    }

    /// The person with this number.
    pub fn somebody(&self, n: u32) -> Somebody {
        let mut dice = Dice::new(self.seed ^ (u64::from(n) << 20));
        let female = dice.share() < 0.56;
        let (name, urdu) = if female { self.woman(&mut dice) } else { self.man(&mut dice) };
        // Two to five children and wives share a man's name.
        let mut family = Dice::new(self.seed ^ 0xfa ^ u64::from(n / 4));
        let (father, father_urdu) = self.man(&mut family);
        let rank: Vec<(usize, &(String, String))> = self.villages.iter().enumerate().collect();
        let village = dice.pick(&rank, |(rank, _)| 1.0 / (*rank as f64 + 2.0).powf(0.6)).1.0.clone();
        // `319..` is a district code that was never given out; as many last digits as there are people.
        let cnic = format!("319{:02}-{:07}-{}", n / 10_000_000, n % 10_000_000, if female { 2 } else { 1 });
        let phone = format!("0300 00{:05}", family.below(100_000));
        Somebody {
            id: dice.uuid(),
            name,
            urdu,
            father,
            father_urdu,
            village,
            cnic,
            phone,
            mr: mr::format("4999", n % 1_000_000),
            female,
            years: dice.below(80) as u16,
        }
    }
}

fn spelt(name: &Name, dice: &mut Dice) -> String {
    let ranked: Vec<(usize, &String)> = name.spellings.iter().enumerate().collect();
    dice.pick(&ranked, |(rank, _)| 6.0 / (*rank as f64 + 1.0).powf(1.6)).1.clone()
}

fn joined(parts: &[(String, String)]) -> (String, String) {
    let all = |each: fn(&(String, String)) -> &str| parts.iter().map(each).collect::<Vec<_>>().join(" ");
    (all(|part| &part.0), all(|part| &part.1))
}

impl Somebody {
    fn form(&self, on: Date) -> Registration {
        Registration {
            name: self.name.clone().into(),
            name_other_script: (!self.urdu.is_empty()).then(|| self.urdu.clone().into()),
            relation: Some(Relation { code: "FTH".into(), name: self.father.clone().into() }),
            sex: if self.female { Sex::Female } else { Sex::Male },
            age: Some(AgeSaid { said: Said::Years { n: self.years }, on, by: "patient".into() }),
            phones: vec![Phone {
                number: self.phone.clone().into(),
                owner: "father".into(),
                safe_to_call: true,
                ..Phone::default()
            }],
            place: Place { text: self.village.clone().into(), ..Place::default() },
            papers: vec![Paper {
                kind: "cnic".into(),
                number: self.cnic.clone().into(),
                assurance: Assurance::default(),
                issuer: None,
                expires: None,
            }],
            ..Registration::default()
        }
    }

    /// The person and one plain visit as Bundles (a collection, a document), as their clinic would have made them.
    pub fn payloads(&self, clinic: &Facility, doctor: &Signer) -> Result<[Vec<u8>; 2]> {
        let mut dice = Dice::new(u64::from_str_radix(&self.id[..8], 16)?);
        let day = Duration::minutes(dice.below(700_000) as i64);
        let at: OffsetDateTime = datetime!(2025-06-01 08:00 +5) + day;
        let stamp = Stamp::new(at);
        let ids = fhir::patient::Ids {
            id: &self.id,
            mr: Some(&self.mr),
            facility: clinic,
            existing: None,
            related: &[],
        };
        let mut ways = Dice::new(dice.next());
        let mut new_id = || ways.uuid();
        let person = fhir::patient::to_bundle(&self.form(at.date()), &ids, stamp, &mut new_id)?;
        let context = fhir::visit::VisitContext {
            patient: &self.id,
            facility: clinic,
            author: doctor,
            stamp,
            started: at - Duration::minutes(9),
            age: Some(Months::years(u32::from(self.years))),
            replaces: None,
        };
        let form = plain_visit(&mut dice);
        let visit = fhir::visit::to_document(&form, &context, &mut Slots::default(), &mut new_id)?;
        Ok([person, visit])
    }
}

const COMPLAINTS: [(&str, &str, &str); 6] = [
    ("Fever and cough", "J06.9", "Acute upper respiratory infection"),
    ("Loose motions since yesterday", "A09", "Gastroenteritis"),
    ("Burning on passing urine", "N39.0", "Urinary tract infection"),
    ("Headache, blood pressure high at the shop", "I10", "Essential hypertension"),
    ("Itching, worse at night, brothers too", "B86", "Scabies"),
    ("Pain in the back after carrying wheat", "M54.5", "Low back pain"),
];
const MEDICINES: [(&str, &str, &str, &str); 5] = [
    ("Paracetamol", "tablet", "500 mg", "1+1+1"),
    ("Amoxicillin", "capsule", "500 mg", "1+1+1"),
    ("Cetirizine", "tablet", "10 mg", "0+0+1"),
    ("Omeprazole", "capsule", "20 mg", "1+0+0"),
    ("Ibuprofen", "tablet", "400 mg", "1+0+1"),
];
const SAID: [&str; 8] = [
    "Started three days ago after the rain.",
    "Eats less but drinks well.",
    "No vomiting, no blood.",
    "Took a tablet from the shop, name unknown.",
    "Chest clear, throat red, abdomen soft.",
    "Mother says he slept badly.",
    "No swelling of the feet.",
    "Come back at once if breathing is fast.",
];

/// Four vitals, two medicines, about 300 characters of words.
fn plain_visit(dice: &mut Dice) -> VisitForm {
    let (complaint, code, text) = COMPLAINTS[dice.below(6) as usize];
    let mut said = |n: usize| (0..n).map(|_| SAID[dice.below(8) as usize]).collect::<Vec<_>>().join(" ");
    let (history, examination, advice) = (said(3), said(3), said(2));
    let measured = |vital, value: u64, unit: &str| Measured {
        vital,
        value: value.to_string(),
        unit: unit.into(),
        estimated: false,
        confirmed: false,
    };
    let vitals = vec![
        measured(Vital::Pulse, 60 + dice.below(50), "/min"),
        measured(Vital::Breathing, 14 + dice.below(12), "/min"),
        measured(Vital::Spo2, 93 + dice.below(7), "%"),
        measured(Vital::Temperature, 36 + dice.below(4), "Cel"),
    ];
    let first = dice.below(5) as usize;
    let medicines = [first, (first + 1 + dice.below(4) as usize) % 5]
        .map(|which| {
            let (generic, form, strength, dose) = MEDICINES[which];
            MedicineLine {
                id: dice.uuid(),
                generic: generic.into(),
                form: form.into(),
                strength: strength.into(),
                dose: dose.into(),
                food: Food::After,
                days: 3 + dice.below(5) as u16,
                ..MedicineLine::default()
            }
        })
        .to_vec();
    VisitForm {
        informant: "patient".into(),
        danger: DangerSigns { asked: true, signs: Vec::new() },
        complaint: complaint.to_owned().into(),
        complaint_since: "3 days".into(),
        history: history.into(),
        allergies: AllergyAnswer { state: AllergyState::NoneKnown, items: Vec::new() },
        vitals,
        examination: examination.into(),
        diagnoses: vec![Diagnosis {
            id: dice.uuid(),
            code: code.into(),
            text: text.to_owned().into(),
            certainty: "provisional".into(),
        }],
        medicines,
        disposition: "home".into(),
        return_advice: advice.into(),
        follow_up: FollowUp { day: None, event: "if worse".into() },
        ..VisitForm::default()
    }
}
