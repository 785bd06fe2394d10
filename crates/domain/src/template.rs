//! Templates for common complaints: what a visit's page may begin with. Pure: applying one fills only what is empty, and says
//! what it did, so that it can be undone. A template proposes; whoever signs decides.

use serde::{Deserialize, Serialize};

use crate::{
    medicine::MedicineLine,
    visit::{Diagnosis, VisitForm},
};

/// The same in both languages of the country package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    pub en: String,
    pub ur: String,
}

/// The language in which a template writes into the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    En,
    Ur,
}

impl Words {
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Ur => &self.ur,
        }
    }
}

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub id: String,
    pub name: Words,
    pub complaint: Words,
    /// What to ask: each becomes a line "Cough: " to be completed. A line that is not is left out when the visit is signed.
    pub history: Vec<Words>,
    /// What to look at, likewise.
    pub examination: Vec<Words>,
    /// Likely ones, most likely first; none is taken by itself.
    pub diagnoses: Vec<Choice>,
    pub medicines: Vec<Proposal>,
    /// When to come back at once.
    pub return_advice: Words,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// ICD-10, as in the country package.
    pub code: String,
    pub words: Words,
}

/// A medicine with an adult's dose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub line: MedicineLine,
    /// Below it the dose is not this one.
    pub min_age_months: u32,
    /// May be taken when pregnant.
    pub pregnant: bool,
    /// For whom, or when not.
    pub when: Words,
}

/// What is known of the patient, for the medicines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whom {
    /// The youngest that the patient may be; `None` where nobody knows.
    pub months_low: Option<u32>,
    /// A woman of childbearing age, or one who may be: nobody known to be male.
    pub may_be_pregnant: bool,
}

/// What was chosen of a template, by index; what is not there is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Picked {
    pub diagnoses: Vec<usize>,
    pub medicines: Vec<usize>,
}

/// One thing that a template did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Change {
    /// A text that was empty: its new value.
    Text {
        field: Text,
        to: crate::Private<String>,
    },
    Diagnosis {
        row: Diagnosis,
    },
    Medicine {
        line: Box<MedicineLine>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Text {
    Complaint,
    History,
    Examination,
    ReturnAdvice,
}

impl Text {
    fn of(self, form: &mut VisitForm) -> &mut String {
        match self {
            Self::Complaint => &mut form.complaint,
            Self::History => &mut form.history,
            Self::Examination => &mut form.examination,
            Self::ReturnAdvice => &mut form.return_advice,
        }
    }
}

/// The indexes of the medicines that this patient may be offered. An unknown age is offered none, and so is who may be
/// pregnant and was not asked, of what may not be taken then.
pub fn offered(template: &Template, form: &VisitForm, whom: Whom) -> Vec<usize> {
    let no_pregnancy = !whom.may_be_pregnant || form.pregnancy.pregnant == "no";
    let fits = |p: &Proposal| {
        whom.months_low.is_some_and(|months| months >= p.min_age_months) && (p.pregnant || no_pregnancy)
    };
    template.medicines.iter().enumerate().filter(|(_, p)| fits(p)).map(|(n, _)| n).collect()
}

/// Fills what is empty and adds what was picked and is not there yet. What somebody typed stays. Ids of new rows come from
/// `new_id`.
pub fn apply(
    template: &Template,
    picked: &Picked,
    whom: Whom,
    language: Language,
    form: &mut VisitForm,
    new_id: &mut dyn FnMut() -> String,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let texts = [
        (Text::Complaint, template.complaint.get(language).to_owned()),
        (Text::History, prompts(&template.history, language)),
        (Text::Examination, prompts(&template.examination, language)),
        (Text::ReturnAdvice, template.return_advice.get(language).to_owned()),
    ];
    for (field, to) in texts {
        let text = field.of(form);
        if text.trim().is_empty() && !to.is_empty() {
            text.clone_from(&to);
            changes.push(Change::Text { field, to: to.into() });
        }
    }
    for choice in picked.diagnoses.iter().filter_map(|n| template.diagnoses.get(*n)) {
        if form.diagnoses.iter().any(|d| d.code == choice.code) {
            continue;
        }
        let row = Diagnosis {
            id: new_id(),
            code: choice.code.clone(),
            text: choice.words.get(language).to_owned().into(),
            certainty: "provisional".into(),
        };
        form.diagnoses.push(row.clone());
        changes.push(Change::Diagnosis { row });
    }
    let offered = offered(template, form, whom);
    for n in picked.medicines.iter().filter(|n| offered.contains(n)) {
        let line = &template.medicines[*n].line;
        if form.medicines.iter().any(|m| m.generic.eq_ignore_ascii_case(&line.generic)) {
            continue;
        }
        let line = MedicineLine { id: new_id(), ..line.clone() };
        form.medicines.push(line.clone());
        changes.push(Change::Medicine { line: Box::new(line) });
    }
    changes
}

/// Takes back what [`apply`] did, but for what somebody has changed since.
pub fn undo(changes: &[Change], form: &mut VisitForm) {
    for change in changes {
        match change {
            Change::Text { field, to } => {
                let text = field.of(form);
                if *text == **to {
                    text.clear();
                }
            }
            Change::Diagnosis { row } => form.diagnoses.retain(|d| d != row),
            Change::Medicine { line } => form.medicines.retain(|m| *m != **line),
        }
    }
}

/// Without the prompts that nobody answered, so that they do not stand in the record as if they had been asked.
pub fn answered(text: &str, templates: &[Template]) -> String {
    let asked: Vec<&str> = templates
        .iter()
        .flat_map(|t| t.history.iter().chain(&t.examination))
        .flat_map(|words| [words.en.as_str(), words.ur.as_str()])
        .collect();
    let open = |line: &&str| {
        let line = line.trim();
        !line.strip_suffix(':').is_some_and(|prompt| asked.contains(&prompt.trim_end()))
    };
    if text.lines().all(|line| open(&line)) {
        return text.to_owned();
    }
    text.lines().filter(open).collect::<Vec<_>>().join("\n")
}

fn prompts(all: &[Words], language: Language) -> String {
    all.iter().map(|words| format!("{}: ", words.get(language))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(en: &str) -> Words {
        Words { en: en.into(), ur: format!("اردو {}", en.len()) }
    }

    fn medicine(generic: &str, min_age_months: u32, pregnant: bool) -> Proposal {
        let line = MedicineLine { generic: generic.into(), dose: "1+0+1".into(), ..MedicineLine::default() };
        Proposal { line, min_age_months, pregnant, when: words("when") }
    }

    fn template() -> Template {
        Template {
            id: "cold".into(),
            name: words("Cold"),
            complaint: words("cough and runny nose"),
            history: vec![words("Fever"), words("Breathless")],
            examination: vec![words("Throat")],
            diagnoses: vec![Choice { code: "J00".into(), words: words("Common cold") }],
            medicines: vec![medicine("Paracetamol", 144, true), medicine("Ibuprofen", 216, false)],
            return_advice: words("fast breathing"),
        }
    }

    const GROWN: Whom = Whom { months_low: Some(400), may_be_pregnant: false };

    fn picked() -> Picked {
        Picked { diagnoses: vec![0, 7], medicines: vec![0, 1, 9] }
    }

    fn ids() -> impl FnMut() -> String {
        let mut n = 0;
        move || {
            n += 1;
            format!("row-{n}")
        }
    }

    #[test]
    fn it_fills_an_empty_page_and_undo_empties_it() {
        for language in [Language::En, Language::Ur] {
            let mut form = VisitForm::default();
            let changes = apply(&template(), &picked(), GROWN, language, &mut form, &mut ids());
            assert_eq!(changes.len(), 7);
            assert_eq!(form.complaint.as_str(), template().complaint.get(language));
            assert_eq!((form.diagnoses.len(), form.medicines.len()), (1, 2));
            assert_eq!(form.diagnoses[0].certainty, "provisional");
            let again = apply(&template(), &picked(), GROWN, language, &mut form, &mut ids());
            assert!(again.is_empty(), "nothing comes twice");
            undo(&changes, &mut form);
            assert_eq!(form, VisitForm::default());
        }
    }

    #[test]
    fn what_was_typed_is_never_overwritten_nor_taken_back() {
        let typed = VisitForm {
            complaint: "khansi".into(),
            history: "since Monday".into(),
            return_advice: "  ".into(),
            medicines: vec![MedicineLine { generic: "PARACETAMOL".into(), ..MedicineLine::default() }],
            diagnoses: vec![Diagnosis { code: "J00".into(), ..Diagnosis::default() }],
            ..VisitForm::default()
        };
        let mut form = typed.clone();
        let changes = apply(&template(), &picked(), GROWN, Language::En, &mut form, &mut ids());
        assert_eq!((form.complaint.as_str(), form.history.as_str()), ("khansi", "since Monday"));
        assert_eq!((form.medicines.len(), form.diagnoses.len()), (2, 1));
        form.examination.0.push_str("red");
        form.medicines[1].days = 9;
        undo(&changes, &mut form);
        assert_eq!((form.examination.as_str(), form.medicines.len()), ("Throat: red", 2), "edited since");
        assert_eq!((form.history.as_str(), form.return_advice.as_str()), ("since Monday", ""));
    }

    #[test]
    fn an_adult_dose_is_not_for_children_nor_for_who_may_be_pregnant() {
        let offered = |months_low, may_be_pregnant, pregnant: &str| {
            let mut form = VisitForm::default();
            form.pregnancy.pregnant = pregnant.into();
            let whom = Whom { months_low, may_be_pregnant };
            let all = super::offered(&template(), &form, whom);
            let mut filled = form.clone();
            apply(&template(), &picked(), whom, Language::En, &mut filled, &mut ids());
            assert_eq!(filled.medicines.len(), all.len(), "nothing else is filled in");
            all
        };
        assert!(offered(None, false, "").is_empty());
        assert!(offered(Some(60), false, "").is_empty());
        assert_eq!(offered(Some(150), false, ""), [0]);
        assert_eq!(offered(Some(400), false, ""), [0, 1]);
        for unsure in ["", "yes", "unsure"] {
            assert_eq!(offered(Some(400), true, unsure), [0], "{unsure:?}");
        }
        assert_eq!(offered(Some(400), true, "no"), [0, 1]);
    }

    #[test]
    fn what_nobody_answered_does_not_stand_in_the_record() {
        let all = [template()];
        assert_eq!(answered("Fever: 3 days\nBreathless: \nown words:", &all), "Fever: 3 days\nown words:");
        let urdu = &template().history[0].ur;
        assert_eq!(answered(&format!("{urdu}: \n{urdu}: ہاں"), &all), format!("{urdu}: ہاں"));
        for untouched in ["", "no prompt\n", "a\n\nb\n"] {
            assert_eq!(answered(untouched, &all), untouched);
        }
    }
}
