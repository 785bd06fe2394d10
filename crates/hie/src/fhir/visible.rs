//! What a query adds so that it finds only what its reader may read. Nothing is filtered afterwards: totals and pages
//! would leak.

use rabta_domain::role::{Label, Part};
use rabta_wire::Id;
use sqlx::{QueryBuilder, Sqlite};

use super::kinds::part;
use crate::auth::Reader;

fn blob(id: Id) -> Vec<u8> {
    id.0.to_vec()
}

fn level(label: Label) -> i64 {
    match label {
        Label::Normal => 0,
        Label::Restricted => 1,
        Label::VeryRestricted => 2,
    }
}

/// Adds the condition on `resource r`, all of the type `kind`, under which `who` may read it: the role and the purpose
/// cover that type and its label (`label`: the column of the version that is read), and the resource
///
/// - is of the HIE itself, of their facility, or of an ask that their facility made; or
/// - belongs to an open ask that the person owns (or is that ask's patient or consent), until the consent is taken
///   back; or
/// - is of a patient for whom the person broke the glass, while that lasts, and the read says that it is an emergency.
pub fn push(query: &mut QueryBuilder<Sqlite>, who: &Reader, kind: &str, label: &str) {
    let part = part(kind);
    if !who.rights.covers(part) {
        query.push("0");
        return;
    }
    let facility = blob(who.facility());
    if part == Part::Audit {
        // Who acts, and who has the patient's record, see who looked.
        query.push("(r.facility = ").push_bind(facility.clone());
        query
            .push(
                " OR EXISTS (SELECT 1 FROM resource p WHERE p.type = 'Patient' AND p.id = r.patient AND p.facility = ",
            )
            .push_bind(facility)
            .push("))");
        return;
    }
    query.push("(");
    if who.rights.label < Label::VeryRestricted {
        query.push(format!("{label} <= {} AND (", level(who.rights.label)));
    }
    query.push("r.facility = ").push_bind(facility.clone()).push(" OR r.facility IS NULL");
    query.push(" OR EXISTS (SELECT 1 FROM task t WHERE t.id = r.task AND t.facility = ");
    query.push_bind(facility).push(")");
    if let Some(person) = who.person().filter(|_| who.purpose.is_care()) {
        query.push(" OR EXISTS (SELECT 1 FROM task t WHERE t.id = r.task AND ");
        owned(query, person);
        query.push(")");
        if matches!(kind, "Patient" | "Consent") {
            query.push(" OR EXISTS (SELECT 1 FROM task t WHERE t.patient = r.patient AND ");
            owned(query, person);
            query.push(")");
        }
        if who.purpose.is_emergency() {
            query.push(" OR ");
            glass(query, person, who.now, "r.patient", label);
        }
    }
    if who.rights.label < Label::VeryRestricted {
        query.push(")");
    }
    query.push(")");
}

/// The same for `envelope e`, whose exact payload a signature's proof needs.
pub fn push_envelope(query: &mut QueryBuilder<Sqlite>, who: &Reader) {
    if !who.rights.covers(Part::Clinical) {
        query.push("0");
        return;
    }
    let facility = blob(who.facility());
    query.push(format!("(e.label <= {} AND (", level(who.rights.label)));
    query.push("e.facility = ").push_bind(facility.clone());
    query.push(" OR EXISTS (SELECT 1 FROM task t WHERE t.id = e.task AND t.facility = ");
    query.push_bind(facility).push(")");
    if let Some(person) = who.person().filter(|_| who.purpose.is_care()) {
        query.push(" OR EXISTS (SELECT 1 FROM task t WHERE t.id = e.task AND ");
        owned(query, person);
        query.push(")");
        if who.purpose.is_emergency() {
            query.push(" OR ");
            glass(query, person, who.now, "e.patient", "e.label");
        }
    }
    query.push("))");
}

/// `task t` is open, its patient's consent stands, and it is with this person.
fn owned(query: &mut QueryBuilder<Sqlite>, person: Id) {
    query.push("t.closed = 0 AND t.shut_by = '' AND t.owner = ").push_bind(blob(person));
}

fn glass(query: &mut QueryBuilder<Sqlite>, person: Id, now: i64, patient: &str, label: &str) {
    query.push("EXISTS (SELECT 1 FROM break_glass g WHERE g.person = ").push_bind(blob(person));
    query.push(format!(" AND g.patient = {patient} AND g.ends_at > ")).push_bind(now);
    query.push(format!(" AND ({label} < 2 OR g.restricted <> ''))"));
}
