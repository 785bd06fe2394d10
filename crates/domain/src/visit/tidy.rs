//! The form as it is signed: blank rows gone, numbers in Latin digits, no control characters.

use super::{AllergyState, VisitForm};
use crate::{
    Private,
    medicine::MedicineLine,
    vitals::{Vital, number},
};

impl VisitForm {
    /// What signing keeps. A tidied form comes back from its FHIR document exactly; tidying it again changes
    /// nothing.
    pub fn tidied(&self) -> Self {
        let mut form = self.clone();
        for text in [
            &mut form.complaint,
            &mut form.history,
            &mut form.examination,
            &mut form.procedures,
            &mut form.plan,
            &mut form.return_advice,
        ] {
            tidy_private(text);
        }
        for text in [
            &mut form.informant,
            &mut form.present,
            &mut form.complaint_since,
            &mut form.disposition,
            &mut form.follow_up.event,
            &mut form.pregnancy.pregnant,
            &mut form.pregnancy.breastfeeding,
        ] {
            tidy(text);
        }
        tidy_all(&mut form.danger.signs);
        for medicine in &mut form.current_medicines {
            tidy_private(&mut medicine.text);
            tidy(&mut medicine.source);
        }
        form.current_medicines.retain(|m| !m.text.is_empty());

        for item in &mut form.allergies.items {
            tidy_private(&mut item.substance);
            tidy_private(&mut item.reaction);
            tidy_all(&mut item.classes);
            tidy(&mut item.severity);
            if !matches!(item.severity.as_str(), "mild" | "severe" | "unknown") {
                item.severity.clear();
            }
        }
        form.allergies.items.retain(|i| !i.substance.is_empty());
        if form.allergies.state != AllergyState::Known {
            form.allergies.items.clear();
        }
        if !matches!(form.pregnancy.pregnant.as_str(), "yes" | "no" | "unsure") {
            form.pregnancy.pregnant.clear();
        }
        if !matches!(form.pregnancy.breastfeeding.as_str(), "yes" | "no") {
            form.pregnancy.breastfeeding.clear();
        }

        for measured in &mut form.vitals {
            tidy(&mut measured.unit);
            if !tidy_number(&mut measured.value) {
                measured.unit = measured.vital.units()[0].to_owned();
            }
            measured.estimated &= measured.vital == Vital::Weight;
        }
        form.vitals.retain(|m| !m.value.is_empty());
        order_vitals(&mut form);
        for tested in &mut form.tests {
            tidy(&mut tested.unit);
            if tested.unit.is_empty() || tested.test.units().is_empty() {
                tested.unit.clear();
                tidy(&mut tested.value);
            } else {
                if !tidy_number(&mut tested.value) {
                    tested.unit = tested.test.units()[0].to_owned();
                }
            }
        }
        form.tests.retain(|t| !t.value.is_empty());

        form.photos.retain(|p| !p.id.is_empty());
        form.photos.iter_mut().for_each(|p| tidy_private(&mut p.caption));
        for diagnosis in &mut form.diagnoses {
            tidy(&mut diagnosis.code);
            tidy_private(&mut diagnosis.text);
            tidy(&mut diagnosis.certainty);
        }
        form.diagnoses.retain(|d| !d.text.is_empty() || !d.code.is_empty());
        form.medicines.iter_mut().for_each(tidy_line);
        form.medicines.retain(|m| !m.generic.is_empty());
        form
    }
}

/// A medicine line as it is signed.
pub(crate) fn tidied_line(line: &MedicineLine) -> MedicineLine {
    let mut line = line.clone();
    tidy_line(&mut line);
    line
}

fn tidy_line(line: &mut MedicineLine) {
    for text in [
        &mut line.generic,
        &mut line.brand,
        &mut line.form,
        &mut line.strength,
        &mut line.atc,
        &mut line.dose,
    ] {
        tidy(text);
    }
    tidy_all(&mut line.classes);
    tidy_private(&mut line.note);
    if let Some(reason) = &mut line.clash_reason {
        tidy(reason);
    }
    line.clash_reason.take_if(|r| r.is_empty());
}

pub(crate) fn tidy(text: &mut String) {
    *text = crate::fhir::clean(text);
}

pub(crate) fn tidy_private(text: &mut Private<String>) {
    tidy(&mut text.0);
}

fn tidy_all(texts: &mut Vec<String>) {
    texts.iter_mut().for_each(tidy);
    texts.retain(|t| !t.is_empty());
}

/// Whether it is a number.
fn tidy_number(text: &mut String) -> bool {
    let number = number(text);
    match &number {
        Some(number) => *text = number.as_str().to_owned(),
        None => tidy(text),
    }
    number.is_some()
}

/// Blood pressures in pairs, then the rest as FHIR gives it back: each panel stands before the single values.
fn order_vitals(form: &mut VisitForm) {
    let (mut systolic, mut diastolic, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for measured in form.vitals.drain(..) {
        match measured.vital {
            Vital::Systolic => systolic.push(measured),
            Vital::Diastolic => diastolic.push(measured),
            _ => others.push(measured),
        }
    }
    let (mut systolic, mut diastolic) = (systolic.into_iter(), diastolic.into_iter());
    loop {
        let pair = [systolic.next(), diastolic.next()];
        if pair.iter().all(Option::is_none) {
            break;
        }
        form.vitals.extend(pair.into_iter().flatten());
    }
    form.vitals.extend(others);
}
