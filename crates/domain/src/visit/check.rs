//! What stops a visit's signature, and what deserves a look before it.

use time::Date;

use super::{AllergyState, Finding, VisitForm};
use crate::{
    medicine::clashes,
    patient::Sex,
    vitals::{Measured, Months, Verdict, Vital, judge_pressure},
};

/// Who is seen, when, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// `None` where nobody knows the age.
    pub age: Option<Months>,
    pub sex: Sex,
    pub today: Date,
    /// The lines come from the remote party's own order: no controlled drugs (CLINIC.md, Medicines).
    pub remote: bool,
}

/// Findings in the page's order; those that stop first read as such by `stops`. Codes are stable: the window puts
/// them into words. Fields: the form's field name, with the line's or row's id where there is one
/// (`medicines.<id>`, `vitals.pulse`).
pub fn check(form: &VisitForm, seen: &Seen) -> Vec<Finding> {
    let form = form.tidied();
    let age = seen.age.unwrap_or(Months::UNKNOWN);
    let mut all = Findings::default();

    if !form.danger.asked {
        all.look("danger-signs-not-asked", "danger");
    }
    if form.complaint.is_empty() {
        all.stop("complaint-missing", "complaint");
    }
    allergies(&form, &mut all);
    pregnancy(&form, seen, age, &mut all);
    vitals(&form, age, &mut all);
    for tested in &form.tests {
        let field = format!("tests.{}", serde_name(&tested.test));
        all.verdict(tested.judge(age), "test", &field);
    }
    if form.photos.iter().any(|p| p.intimate) {
        all.look("photo-intimate", "photos");
    }
    if form.diagnoses.is_empty() {
        all.look("diagnosis-missing", "diagnoses");
    }
    medicines(&form, seen, age, &mut all);
    if form.disposition.is_empty() {
        all.look("disposition-missing", "disposition");
    }
    if form.follow_up.day.is_some_and(|day| day < seen.today) {
        all.stop("follow-up-past", "follow_up");
    }
    all.0
}

/// Whether nothing stops the signature.
pub fn may_sign(findings: &[Finding]) -> bool {
    findings.iter().all(|f| !f.stops)
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn stop(&mut self, code: &str, field: &str) {
        self.push(code, field, true);
    }

    fn look(&mut self, code: &str, field: &str) {
        self.push(code, field, false);
    }

    fn push(&mut self, code: &str, field: &str, stops: bool) {
        let finding = Finding { code: code.to_owned(), field: field.to_owned(), stops };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    fn verdict(&mut self, verdict: Verdict, what: &str, field: &str) {
        match verdict {
            Verdict::Impossible => self.stop(&format!("{what}-impossible"), field),
            Verdict::NotANumber => self.stop(&format!("{what}-not-a-number"), field),
            Verdict::Unlikely => self.stop(&format!("{what}-unlikely"), field),
            Verdict::Critical => self.look(&format!("{what}-critical"), field),
            Verdict::Abnormal | Verdict::Usual => {}
        }
    }
}

fn allergies(form: &VisitForm, all: &mut Findings) {
    match form.allergies.state {
        // A slip of paper without medicines harms nobody; with them it may.
        AllergyState::NotAsked if form.medicines.is_empty() => all.look("allergies-not-asked", "allergies"),
        AllergyState::NotAsked => all.stop("allergies-not-asked", "allergies"),
        AllergyState::Known if form.allergies.items.is_empty() => all.stop("allergies-empty", "allergies"),
        AllergyState::Known | AllergyState::NoneKnown => {}
    }
}

/// Asked before any medicine at 12 to 50 years, of all who are not known to be male (CLINIC.md, The visit).
fn pregnancy(form: &VisitForm, seen: &Seen, age: Months, all: &mut Findings) {
    let of_age = age.high >= 12 * 12 && age.low < 51 * 12;
    let asked = !form.pregnancy.pregnant.is_empty();
    if seen.sex == Sex::Male || !of_age {
        if asked && form.pregnancy.pregnant == "yes" {
            all.look("pregnancy-unexpected", "pregnancy");
        }
        return;
    }
    if !asked {
        match form.medicines.is_empty() {
            true => all.look("pregnancy-not-asked", "pregnancy"),
            false => all.stop("pregnancy-not-asked", "pregnancy"),
        }
    }
    if let Some(lmp) = form.pregnancy.lmp {
        if lmp > seen.today {
            all.stop("lmp-in-the-future", "pregnancy");
        } else if form.pregnancy.pregnant == "yes" && crate::pregnancy::weeks(lmp, seen.today).is_none() {
            all.look("lmp-too-long-ago", "pregnancy");
        }
    }
    if form.pregnancy.weeks.is_some_and(|w| w > crate::pregnancy::LONGEST_WEEKS) {
        all.stop("pregnancy-weeks-impossible", "pregnancy");
    }
}

fn vitals(form: &VisitForm, age: Months, all: &mut Findings) {
    for measured in &form.vitals {
        all.verdict(measured.judge(age), "vital", &format!("vitals.{}", serde_name(&measured.vital)));
    }
    let of = |vital: Vital| form.vitals.iter().filter(move |m| m.vital == vital);
    for (systolic, diastolic) in of(Vital::Systolic).zip(of(Vital::Diastolic)) {
        let confirmed = systolic.confirmed || diastolic.confirmed;
        all.verdict(
            judge_pressure(&systolic.value, &diastolic.value, confirmed),
            "vital",
            "vitals.diastolic",
        );
    }
    if of(Vital::Systolic).count() != of(Vital::Diastolic).count() {
        all.look("pressure-half", "vitals.systolic");
    }
}

fn medicines(form: &VisitForm, seen: &Seen, age: Months, all: &mut Findings) {
    for line in &form.medicines {
        let field = format!("medicines.{}", line.id);
        if line.course().is_none() {
            all.stop("dose-unreadable", &field);
        }
        if line.strength.is_empty() && !matches!(line.form.as_str(), "cream" | "sachet") {
            all.look("strength-missing", &field);
        }
        if line.controlled && seen.remote {
            all.stop("controlled-remote", &field);
        }
        if line.days > 90 {
            all.look("days-many", &field);
        }
    }
    for clash in clashes(&form.medicines, &form.allergies) {
        let line = form.medicines.iter().find(|m| m.id == clash.line);
        let field = format!("medicines.{}", clash.line);
        match line.is_some_and(|l| l.clash_reason.is_some()) {
            true => all.look("allergy-clash-kept", &field),
            false => all.stop("allergy-clash", &field),
        }
    }
    let generics: Vec<String> = form.medicines.iter().map(|m| m.generic.to_lowercase()).collect();
    for (n, line) in form.medicines.iter().enumerate() {
        if generics[..n].contains(&generics[n]) {
            all.look("medicine-twice", &format!("medicines.{}", line.id));
        }
    }
    // A child's dose goes by weight; under 12 years as in WHO's pocket book.
    let weighed = form.vitals.iter().any(|m: &Measured| m.vital == Vital::Weight);
    if !form.medicines.is_empty() && age.low < 12 * 12 && seen.age.is_some() && !weighed {
        all.stop("weight-missing", "vitals.weight");
    }
}

/// The name by which the window knows a vital or a test.
fn serde_name(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        medicine::MedicineLine,
        visit::{Allergy, AllergyAnswer, DangerSigns, Diagnosis},
    };
    use time::macros::date;

    const MAN: Seen = Seen {
        age: Some(Months { low: 480, high: 480 }),
        sex: Sex::Male,
        today: date!(2026 - 11 - 22),
        remote: false,
    };
    const WOMAN: Seen = Seen { sex: Sex::Female, age: Some(Months { low: 300, high: 311 }), ..MAN };
    const CHILD: Seen = Seen { age: Some(Months { low: 24, high: 35 }), ..MAN };

    fn cold() -> VisitForm {
        VisitForm {
            danger: DangerSigns { asked: true, signs: vec![] },
            complaint: "cough".into(),
            allergies: AllergyAnswer { state: AllergyState::NoneKnown, items: vec![] },
            diagnoses: vec![Diagnosis { text: "Common cold".into(), ..Diagnosis::default() }],
            disposition: "home".into(),
            ..VisitForm::default()
        }
    }

    fn amoxicillin() -> MedicineLine {
        MedicineLine {
            id: "m".into(),
            generic: "Amoxicillin".into(),
            form: "capsule".into(),
            strength: "500 mg".into(),
            classes: vec!["penicillins".into()],
            dose: "1+1+1".into(),
            days: 5,
            ..MedicineLine::default()
        }
    }

    fn vital(vital: Vital, value: &str, unit: &str) -> Measured {
        Measured { vital, value: value.into(), unit: unit.into(), estimated: false, confirmed: false }
    }

    fn stops(form: &VisitForm, seen: &Seen) -> Vec<String> {
        check(form, seen).into_iter().filter(|f| f.stops).map(|f| f.code).collect()
    }

    #[test]
    fn a_plain_cold_can_be_signed() {
        assert_eq!(check(&cold(), &MAN), []);
    }

    #[test]
    fn an_empty_form_lacks_its_complaint_only() {
        assert_eq!(stops(&VisitForm::default(), &MAN), ["complaint-missing"]);
    }

    #[test]
    fn medicines_make_allergies_and_pregnancy_a_must() {
        let mut form = VisitForm { medicines: vec![amoxicillin()], ..cold() };
        assert_eq!(stops(&form, &MAN), [""; 0]);
        assert_eq!(stops(&form, &WOMAN), ["pregnancy-not-asked"]);
        form.pregnancy.pregnant = "no".into();
        form.allergies.state = AllergyState::NotAsked;
        assert_eq!(stops(&form, &WOMAN), ["allergies-not-asked"]);
    }

    #[test]
    fn a_clash_stops_until_a_reason_is_given() {
        let mut form = VisitForm { medicines: vec![amoxicillin()], ..cold() };
        let item = Allergy { substance: "Penicillin".into(), ..Allergy::default() };
        form.allergies = AllergyAnswer { state: AllergyState::Known, items: vec![item] };
        assert_eq!(stops(&form, &MAN), ["allergy-clash"]);
        form.medicines[0].clash_reason = Some("tolerated last year".into());
        assert_eq!(stops(&form, &MAN), [""; 0]);
        assert!(check(&form, &MAN).iter().any(|f| f.code == "allergy-clash-kept"));
    }

    #[test]
    fn a_childs_medicine_needs_a_weight() {
        let mut form = VisitForm { medicines: vec![amoxicillin()], ..cold() };
        assert_eq!(stops(&form, &CHILD), ["weight-missing"]);
        form.vitals = vec![vital(Vital::Weight, "12.5", "kg")];
        assert_eq!(stops(&form, &CHILD), [""; 0]);
    }

    #[test]
    fn impossible_and_unconfirmed_values_stop() {
        let mut form = cold();
        form.vitals = vec![vital(Vital::Spo2, "110", "%")];
        assert_eq!(stops(&form, &MAN), ["vital-impossible"]);
        form.vitals = vec![vital(Vital::Temperature, "108", "[degF]")];
        assert_eq!(stops(&form, &MAN), ["vital-unlikely"]);
        form.vitals[0].confirmed = true;
        assert_eq!(
            check(&form, &MAN),
            [Finding { code: "vital-critical".into(), field: "vitals.temperature".into(), stops: false }]
        );
        form.vitals = vec![vital(Vital::Systolic, "80", "mm[Hg]"), vital(Vital::Diastolic, "120", "mm[Hg]")];
        assert!(stops(&form, &MAN).contains(&"vital-impossible".to_owned()));
    }

    #[test]
    fn a_dose_nobody_can_read_and_a_remote_controlled_drug_stop() {
        let mut line = amoxicillin();
        line.dose = "as told".into();
        let mut form = VisitForm { medicines: vec![line], ..cold() };
        assert_eq!(stops(&form, &MAN), ["dose-unreadable"]);
        form.medicines = vec![MedicineLine { controlled: true, ..amoxicillin() }];
        assert_eq!(stops(&form, &MAN), [""; 0]);
        assert_eq!(stops(&form, &Seen { remote: true, ..MAN }), ["controlled-remote"]);
    }
}
