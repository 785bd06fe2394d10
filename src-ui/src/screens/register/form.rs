use leptos::prelude::*;
use rabta_domain::Private;
use rabta_domain::age::AgeSaid;
use rabta_domain::paper::{Assurance, Paper, cnic_sex_differs, normalize_cnic};
use rabta_domain::patient::{Guardian, Newborn, Phone, Place, Registration, Relation, Sex};
use rabta_domain::registration::check;

use super::age::{AgeFields, parse_day, show_day};
use crate::prefs::say;
use crate::{W, format};

/// How many phones the form has room for.
pub const PHONES: usize = 3;

/// The fields in the page's order, so that the first problem is the first that is seen.
const ORDER: [&str; 18] = [
    "name",
    "name-other",
    "mother",
    "relation-name",
    "sex",
    "age",
    "birth-date",
    "age-from",
    "guardian-name",
    "guardian-phone",
    "guardian-cnic",
    "village",
    "landmark",
    "phone",
    "phone-2",
    "phone-3",
    "paper-number",
    "paper-expires",
];

/// The form's field for a field of the registration.
fn field(of: &str, code: &str) -> &'static str {
    match of {
        "name_other_script" => "name-other",
        "relation" => "relation-name",
        "sex" => "sex",
        "age" => "age",
        "place" => "village",
        "phones.0" => "phone",
        "phones.1" => "phone-2",
        "phones.2" => "phone-3",
        "guardian" if code == "cnic-unreadable" => "guardian-cnic",
        "guardian" if code == "phone-unreadable" => "guardian-phone",
        "guardian" => "guardian-name",
        _ if of.starts_with("papers") => "paper-number",
        _ => "name",
    }
}

/// What a finding says at its field.
fn word(code: &str) -> W {
    match code {
        "name-missing" | "name-no-letter" => W::NameMissing,
        "name-too-long" | "text-too-long" => W::NameTooLong,
        "name-control" | "text-control" => W::NameControl,
        "phone-unreadable" => W::PhoneBad,
        "cnic-unreadable" => W::CnicBad,
        "cnic-is-guardians" => W::CnicGuardians,
        _ => W::FieldInvalid,
    }
}

/// One phone of the form.
#[derive(Clone, Copy)]
pub struct PhoneFields {
    pub number: RwSignal<String>,
    pub owner: RwSignal<String>,
    pub call: RwSignal<bool>,
    pub text: RwSignal<bool>,
    pub voice: RwSignal<bool>,
    pub hours: RwSignal<String>,
}

impl PhoneFields {
    fn new() -> Self {
        PhoneFields {
            number: RwSignal::new(String::new()),
            owner: RwSignal::new("self".to_owned()),
            call: RwSignal::new(true),
            text: RwSignal::new(false),
            voice: RwSignal::new(false),
            hours: RwSignal::new(String::new()),
        }
    }
}

/// The form, field by field, as typed. [`Form::registration`] makes of it what the shell takes.
#[derive(Clone, Copy)]
pub struct Form {
    pub name: RwSignal<String>,
    pub name_other: RwSignal<String>,
    pub prefix: RwSignal<String>,
    pub relation: RwSignal<String>,
    pub relation_name: RwSignal<String>,
    pub sex: RwSignal<String>,
    pub age: AgeFields,
    pub newborn: RwSignal<bool>,
    /// The mother's Patient id and name.
    pub mother: RwSignal<Option<(String, String)>>,
    pub birth_order: RwSignal<String>,
    pub phones: [PhoneFields; PHONES],
    pub phones_shown: RwSignal<usize>,
    pub village: RwSignal<String>,
    pub village_id: RwSignal<Option<String>>,
    pub landmark: RwSignal<String>,
    pub paper_kind: RwSignal<String>,
    pub paper_number: RwSignal<String>,
    pub paper_seen: RwSignal<bool>,
    pub paper_expires: RwSignal<String>,
    pub paper_issuer: RwSignal<String>,
    /// Papers beyond the one that the form shows, kept as they are.
    more_papers: RwSignal<Vec<Paper>>,
    pub guardian_name: RwSignal<String>,
    pub guardian_relation: RwSignal<String>,
    pub guardian_cnic: RwSignal<String>,
    pub guardian_phone: RwSignal<String>,
    /// The person pressed Register, so problems may be said.
    pub asked: RwSignal<bool>,
    /// The field that the shell refused.
    pub refused: RwSignal<Option<String>>,
    pub is_child: Memo<bool>,
}

fn text(value: &str) -> RwSignal<String> {
    RwSignal::new(value.to_owned())
}

impl Form {
    pub fn new() -> Self {
        let age = AgeFields::new();
        let newborn = RwSignal::new(false);
        Form {
            name: text(""),
            name_other: text(""),
            prefix: text(""),
            relation: text("FTH"),
            relation_name: text(""),
            sex: text(""),
            age,
            newborn,
            mother: RwSignal::new(None),
            birth_order: text("1"),
            phones: std::array::from_fn(|_| PhoneFields::new()),
            phones_shown: RwSignal::new(1),
            village: text(""),
            village_id: RwSignal::new(None),
            landmark: text(""),
            paper_kind: text("cnic"),
            paper_number: text(""),
            paper_seen: RwSignal::new(false),
            paper_expires: text(""),
            paper_issuer: text(""),
            more_papers: RwSignal::new(Vec::new()),
            guardian_name: text(""),
            guardian_relation: text("FTH"),
            guardian_cnic: text(""),
            guardian_phone: text(""),
            asked: RwSignal::new(false),
            refused: RwSignal::new(None),
            is_child: Memo::new(move |_| {
                newborn.get()
                    || age.said().is_some_and(|said| {
                        AgeSaid { said, on: format::local_date(), by: String::new() }
                            .born()
                            .months_on(format::local_date())
                            .1
                            < 18 * 12
                    })
            }),
        }
    }

    /// What stops it, by field, in the page's order: what the domain says, and what only the form can know.
    pub fn problems(&self) -> Vec<(&'static str, W)> {
        let mut found = Vec::new();
        if self.newborn.get() && self.mother.with(Option::is_none) {
            found.push(("mother", W::NewbornMotherHint));
        }
        if self.sex.with(String::is_empty) {
            found.push(("sex", W::SexMissing));
        }
        found.extend(self.age.problem(self.newborn.get()));
        if !self.paper_expires.with(|n| n.trim().is_empty()) && parse_day(&self.paper_expires.get()).is_none()
        {
            found.push(("paper-expires", W::AgeBadDate));
        }
        for finding in check(&self.registration(), format::local_date()) {
            if finding.stops && finding.field != "age" {
                found.push((field(&finding.field, &finding.code), word(&finding.code)));
            }
        }
        if let Some(refused) = self.refused.get() {
            found.push((field(&refused, ""), W::FieldInvalid));
        }
        found.sort_by_key(|problem| ORDER.iter().position(|field| *field == problem.0));
        found
    }

    pub fn first_problem(&self) -> Option<&'static str> {
        self.refused.set(None);
        untrack(|| self.problems()).first().map(|problem| problem.0)
    }

    /// The error to show at `field`, once the person pressed Register.
    pub fn error(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            if !self.asked.get() {
                return None;
            }
            self.problems()
                .into_iter()
                .find(|problem| problem.0 == field)
                .map(|problem| say(problem.1).to_owned())
        })
    }

    /// A CNIC whose last digit disagrees with the sex only warns.
    pub fn cnic_warning(self) -> Signal<Option<String>> {
        Signal::derive(move || {
            let cnic =
                normalize_cnic(&self.paper_number.get()).filter(|_| self.paper_kind.get() == "cnic")?;
            cnic_sex_differs(&cnic, sex_of(&self.sex.get())).then(|| say(W::CnicSexHint).to_owned())
        })
    }

    /// The form as the shell takes it. Tracked, so that an effect sees each change.
    pub fn registration(&self) -> Registration {
        let some =
            |signal: RwSignal<String>| Some(signal.get().trim().to_owned()).filter(|text| !text.is_empty());
        let newborn = self.newborn.get();
        let mother = self.mother.get().filter(|_| newborn);
        let name = match &mother {
            Some((_, mother)) if self.name.with(|name| name.trim().is_empty()) => format!("Baby of {mother}"),
            _ => self.name.get().trim().to_owned(),
        };
        let phones = self
            .phones
            .iter()
            .filter_map(|phone| {
                Some(Phone {
                    number: Private(some(phone.number)?),
                    owner: phone.owner.get(),
                    safe_to_call: phone.call.get(),
                    safe_to_text: phone.text.get(),
                    voice_only: phone.voice.get(),
                    hours: phone.hours.get().trim().to_owned(),
                })
            })
            .collect();
        let kind = self.paper_kind.get();
        let no_paper = matches!(kind.as_str(), "none" | "unconscious").then(|| kind.clone());
        let mut papers = self.more_papers.get();
        if let (None, Some(number)) = (&no_paper, some(self.paper_number)) {
            let paper = Paper {
                number: Private(normalize_cnic(&number).filter(|_| is_cnic_like(&kind)).unwrap_or(number)),
                kind,
                assurance: if self.paper_seen.get() { Assurance::CardSeen } else { Assurance::Stated },
                issuer: some(self.paper_issuer),
                expires: parse_day(&self.paper_expires.get()),
            };
            papers.insert(0, paper);
        }
        let guardian = some(self.guardian_name).filter(|_| self.is_child.get()).map(|name| Guardian {
            name: Private(name),
            relation: self.guardian_relation.get(),
            cnic: some(self.guardian_cnic).map(|cnic| Private(normalize_cnic(&cnic).unwrap_or(cnic))),
            phone: some(self.guardian_phone).map(Private),
        });
        Registration {
            name: Private(name),
            name_other_script: some(self.name_other).map(Private),
            prefix: some(self.prefix),
            relation: some(self.relation_name)
                .map(|name| Relation { code: self.relation.get(), name: Private(name) }),
            sex: sex_of(&self.sex.get()),
            age: self.age.age(),
            phones,
            place: Place {
                id: self.village_id.get(),
                text: Private(self.village.get().trim().to_owned()),
                landmark: Private(self.landmark.get().trim().to_owned()),
            },
            papers,
            no_paper,
            guardian,
            newborn_of: mother.map(|(id, _)| Newborn {
                mother: id,
                birth_order: self.birth_order.get().parse().unwrap_or(1),
            }),
            undecided: Vec::new(),
        }
    }

    /// Puts a registration into the fields.
    pub fn fill(&self, from: &Registration) {
        self.name.set(from.name.0.clone());
        self.name_other.set(from.name_other_script.as_ref().map(|n| n.0.clone()).unwrap_or_default());
        self.prefix.set(from.prefix.clone().unwrap_or_default());
        if let Some(relation) = &from.relation {
            self.relation.set(relation.code.clone());
            self.relation_name.set(relation.name.0.clone());
        }
        self.sex.set(
            match from.sex {
                Sex::Male => "male",
                Sex::Female => "female",
                Sex::Other => "other",
                Sex::Unknown => "",
            }
            .to_owned(),
        );
        if let Some(age) = &from.age {
            self.age.fill(age);
        }
        for (fields, phone) in self.phones.iter().zip(&from.phones) {
            fields.number.set(phone.number.0.clone());
            fields.owner.set(phone.owner.clone());
            fields.call.set(phone.safe_to_call);
            fields.text.set(phone.safe_to_text);
            fields.voice.set(phone.voice_only);
            fields.hours.set(phone.hours.clone());
        }
        self.phones_shown.set(from.phones.len().clamp(1, PHONES));
        self.village.set(from.place.text.0.clone());
        self.village_id.set(from.place.id.clone());
        self.landmark.set(from.place.landmark.0.clone());
        if let Some(paper) = from.papers.first() {
            self.paper_kind.set(paper.kind.clone());
            self.paper_number.set(paper.number.0.clone());
            self.paper_seen.set(paper.assurance != Assurance::Stated);
            self.paper_issuer.set(paper.issuer.clone().unwrap_or_default());
            self.paper_expires.set(paper.expires.map(show_day).unwrap_or_default());
            self.more_papers.set(from.papers[1..].to_vec());
        } else if let Some(none) = &from.no_paper {
            self.paper_kind.set(none.clone());
        }
        if let Some(guardian) = &from.guardian {
            self.guardian_name.set(guardian.name.0.clone());
            self.guardian_relation.set(guardian.relation.clone());
            self.guardian_cnic.set(guardian.cnic.as_ref().map(|c| c.0.clone()).unwrap_or_default());
            self.guardian_phone.set(guardian.phone.as_ref().map(|p| p.0.clone()).unwrap_or_default());
        }
        if let Some(newborn) = &from.newborn_of {
            self.newborn.set(true);
            self.mother.set(Some((newborn.mother.clone(), String::new())));
            self.birth_order.set(newborn.birth_order.to_string());
        }
    }
}

pub fn is_cnic_like(kind: &str) -> bool {
    matches!(kind, "cnic" | "b-form" | "nicop" | "poc")
}

fn sex_of(code: &str) -> Sex {
    match code {
        "male" => Sex::Male,
        "female" => Sex::Female,
        "other" => Sex::Other,
        _ => Sex::Unknown,
    }
}
