//! The referral note as one readable page.

use rabta_domain::{
    Private,
    fhir::{self, note::ReferralNote},
    medicine::{Food, MedicineLine},
    visit::{AllergyState, VisitForm},
    vitals::{Measured, Verdict, Vital},
};
use rabta_ipc::{
    Error,
    ask::{Note, NoteSection, NoteVital},
    visit::SignedBy,
};

use super::case::Case;
use crate::Session;

impl Session {
    /// The note of an ask as it was signed.
    pub(super) async fn signed_note(&self, case: &Case) -> Result<Note, Error> {
        let (mut signed, mut at) = (None, 0);
        if let Some(item) = case.note_item() {
            at = item.header.device_time;
            signed = self.signed_by(&item.header, &item.payload, None).await?;
        }
        let consent = self.consent_said(&case.note.consent).await?;
        Ok(page(&case.note, at, signed, consent))
    }

    /// How the consent stands: `given`, `emergency`, `refused`, `withdrawn`; empty where it is not here.
    async fn consent_said(&self, consent: &str) -> Result<String, Error> {
        let Some(envelope) = self.brought_by("Consent", consent).await? else { return Ok(String::new()) };
        let (_, payload) = self.payload(envelope).await?;
        let record = fhir::consent::from_bundle(&payload).map_err(crate::error::bundle)?;
        Ok(if record.withdrawn { "withdrawn".to_owned() } else { record.form.decision })
    }
}

/// `at`: milliseconds since 1970 of the signature, 0 in a preview.
pub(super) fn page(note: &ReferralNote, at: i64, signed: Option<SignedBy>, consent: String) -> Note {
    Note {
        question: note.question.clone(),
        from_person: note.author.name.clone(),
        from_facility: note.facility.name.clone(),
        at,
        signed,
        danger_signs: note.visit.danger.signs.clone(),
        vitals: vitals(note),
        sections: sections(note),
        photos: note.visit.photos.clone(),
        consent,
        wishes: note.wishes.clone(),
    }
}

/// Gravest first; the two pressures as one row, at the place and with the verdict of the graver.
fn vitals(note: &ReferralNote) -> Vec<NoteVital> {
    let pressure = |m: &Measured| matches!(m.vital, Vital::Systolic | Vital::Diastolic);
    let value_of = |vital| note.vitals.iter().find(|judged| judged.value.vital == vital);
    let mut rows = Vec::new();
    let mut paired = false;
    for judged in &note.vitals {
        let measured = &judged.value;
        let (systolic, diastolic) = (value_of(Vital::Systolic), value_of(Vital::Diastolic));
        if let (true, Some(systolic), Some(diastolic)) = (pressure(measured), systolic, diastolic) {
            if !paired {
                rows.push(NoteVital {
                    vital: "bp".to_owned(),
                    value: format!("{}/{}", systolic.value.value, diastolic.value.value),
                    unit: measured.unit.clone(),
                    verdict: judged.verdict,
                });
            }
            paired = true;
            continue;
        }
        rows.push(NoteVital {
            vital: code_name(&measured.vital),
            value: if measured.estimated { format!("~{}", measured.value) } else { measured.value.clone() },
            unit: measured.unit.clone(),
            verdict: judged.verdict,
        });
    }
    rows
}

/// A unit enum's name in kebab case.
fn code_name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

fn sections(note: &ReferralNote) -> Vec<NoteSection> {
    let form = &note.visit;
    let complaint = match form.complaint_since.as_str() {
        "" => form.complaint.0.clone(),
        since => format!("{} ({since})", form.complaint.0),
    };
    let tests = note.tests.iter().map(|judged| {
        let tested = &judged.value;
        let mark = if matches!(judged.verdict, Verdict::Usual) { "" } else { " !" };
        format!("{}: {} {}{mark}", tested.test.display(), tested.value, tested.unit).trim_end().to_owned()
    });
    let mut all = vec![
        section("10154-3", "complaint", [complaint], "unavailable"),
        section("10164-2", "history", [form.history.0.clone()], "unavailable"),
        section("10162-6", "pregnancy", pregnancy(form), "notasked"),
        section("30954-2", "tests", tests, "unavailable"),
        section("29545-1", "examination", [form.examination.0.clone()], "unavailable"),
        section(
            "11450-4",
            "problems",
            form.diagnoses.iter().map(|d| [d.code.as_str(), &d.text.0].join(" ").trim().to_owned()),
            "unavailable",
        ),
        allergies(form),
        section("10160-0", "medicines", form.current_medicines.iter().map(|m| m.text.0.clone()), "notasked"),
        section("18776-5", "plan", plan(form), "unavailable"),
    ];
    // Not asked of whom it is not asked.
    all.retain(|section| section.title != "pregnancy" || !section.lines.is_empty());
    all
}

fn section(code: &str, title: &str, lines: impl IntoIterator<Item = String>, empty: &str) -> NoteSection {
    let lines: Vec<Private<String>> =
        lines.into_iter().filter(|line| !line.trim().is_empty()).map(Private).collect();
    let empty = if lines.is_empty() { empty.to_owned() } else { String::new() };
    NoteSection { code: code.to_owned(), title: title.to_owned(), lines, empty }
}

fn allergies(form: &VisitForm) -> NoteSection {
    let lines = form.allergies.items.iter().map(|allergy| match allergy.reaction.as_str() {
        "" => allergy.substance.0.clone(),
        reaction => format!("{}: {reaction}", allergy.substance.0),
    });
    let empty = if form.allergies.state == AllergyState::NoneKnown { "nilknown" } else { "notasked" };
    section("48765-2", "allergies", lines, empty)
}

fn pregnancy(form: &VisitForm) -> Vec<String> {
    let answer = &form.pregnancy;
    let mut lines = Vec::new();
    if !answer.pregnant.is_empty() {
        let more = match (answer.lmp, answer.weeks) {
            (Some(lmp), _) => format!(", LMP {lmp}"),
            (None, Some(weeks)) => format!(", {weeks} weeks"),
            (None, None) => String::new(),
        };
        lines.push(format!("Pregnant: {}{more}", answer.pregnant));
    }
    if !answer.breastfeeding.is_empty() {
        lines.push(format!("Breastfeeding: {}", answer.breastfeeding));
    }
    lines
}

fn plan(form: &VisitForm) -> Vec<String> {
    let mut lines = vec![form.plan.0.clone(), form.procedures.0.clone()];
    lines.extend(form.medicines.iter().map(medicine));
    lines
}

/// A medicine in one line, as it was written.
fn medicine(line: &MedicineLine) -> String {
    let food = match line.food {
        Food::Any => "",
        Food::Before => "before food",
        Food::After => "after food",
        Food::With => "with food",
    };
    let days = if line.days == 0 { String::new() } else { format!("{} days", line.days) };
    let name = format!("{} {} {}", line.generic, line.strength, line.form);
    let parts = [name.trim(), &line.dose, food, &days];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
