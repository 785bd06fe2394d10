//! What a query adds so that it finds only what its reader may read. Nothing is filtered afterwards: totals and pages
//! would leak.

use std::sync::OnceLock;

use rabta_domain::role::{Label, Part};
use rabta_wire::Id;
use sqlx::{QueryBuilder, Sqlite};

use super::{kinds::part, labels};
use crate::auth::Reader;

/// All that the text of the condition depends on: few enough texts that each is prepared once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The role or the purpose does not cover the type.
    Closed,
    /// AuditEvents: who acts, and who has the patient's record, see who looked.
    Audit,
    Record {
        /// Up to which label.
        most: Label,
        /// The type is Patient or Consent, which an ask brings along.
        with_ask: bool,
        /// A person, who cares for patients: asks count.
        cares: bool,
        /// It is an emergency: a broken glass counts.
        emergency: bool,
    },
}

/// How many shapes there are.
const SHAPES: usize = 26;

impl Shape {
    /// Its place among all.
    fn place(self) -> usize {
        match self {
            Self::Closed => 0,
            Self::Audit => 1,
            Self::Record { most, with_ask, cares, emergency } => {
                2 + labels::number(most) as usize * 8
                    + usize::from(with_ask) * 4
                    + usize::from(cares) * 2
                    + usize::from(emergency)
            }
        }
    }
}

/// A part of the condition's text, or a value of the reader in it.
enum Piece {
    Text(String),
    Facility,
    Person,
    Now,
}

fn shape(who: &Reader, kind: &str) -> Shape {
    let part = part(kind);
    if !who.rights.covers(part) {
        return Shape::Closed;
    }
    if part == Part::Audit {
        return Shape::Audit;
    }
    let cares = who.person().is_some() && who.purpose.is_care();
    Shape::Record {
        most: who.rights.label,
        with_ask: matches!(kind, "Patient" | "Consent"),
        cares,
        emergency: cares && who.purpose.is_emergency(),
    }
}

/// The condition on the row `row`, whose label is in the column `label`.
fn pieces(shape: Shape, row: &str, label: &str) -> Vec<Piece> {
    use Piece::{Facility, Now, Person, Text};
    let text = |t: &str| Text(t.replace("{row}", row).replace("{label}", label));
    let (most, with_ask, cares, emergency) = match shape {
        Shape::Closed => return vec![text("0")],
        Shape::Audit => {
            return vec![
                text("({row}.facility = "),
                Facility,
                text(
                    " OR EXISTS (SELECT 1 FROM resource p WHERE p.type = 'Patient' AND p.id = {row}.patient AND p.facility = ",
                ),
                Facility,
                text("))"),
            ];
        }
        Shape::Record { most, with_ask, cares, emergency } => (most, with_ask, cares, emergency),
    };
    let mut out = vec![text("(")];
    if most < Label::VeryRestricted {
        out.push(text(&format!("{{label}} <= {} AND (", labels::number(most))));
    }
    out.extend([text("{row}.facility = "), Facility]);
    if row == "r" {
        out.push(text(" OR r.facility IS NULL"));
    }
    // Whoever says that it is an emergency has broken a glass more often than they have an ask.
    if emergency {
        out.extend([
            text(" OR EXISTS (SELECT 1 FROM break_glass g WHERE g.person = "),
            Person,
            text(" AND g.patient = {row}.patient AND g.ends_at > "),
            Now,
            text(" AND ({label} < 2 OR g.restricted <> ''))"),
        ]);
    }
    out.extend([
        text(" OR EXISTS (SELECT 1 FROM task t WHERE t.id = {row}.task AND (t.facility = "),
        Facility,
    ]);
    // It is with this person, and its patient's consent stands. A closed ask is with nobody.
    if cares {
        let with =
            " OR (t.shut_by = '' AND EXISTS (SELECT 1 FROM task_with w WHERE w.task = t.id AND w.person = ";
        out.extend([text(with), Person, text("))")]);
    }
    out.push(text("))"));
    if cares && with_ask {
        let ask = " OR EXISTS (SELECT 1 FROM task t JOIN task_with w ON w.task = t.id \
                   WHERE t.patient = {row}.patient AND t.shut_by = '' AND w.person = ";
        out.extend([text(ask), Person, text(")")]);
    }
    out.push(text(if most < Label::VeryRestricted { "))" } else { ")" }));
    out
}

fn person(who: &Reader) -> Vec<u8> {
    who.person().unwrap_or(Id([0; 16])).0.to_vec()
}

fn put(query: &mut QueryBuilder<Sqlite>, who: &Reader, pieces: Vec<Piece>) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => query.push(text),
            Piece::Facility => query.push_bind(who.facility().0.to_vec()),
            Piece::Person => query.push_bind(person(who)),
            Piece::Now => query.push_bind(who.now),
        };
    }
}

/// Adds the condition on `resource r`, all of the type `kind`, under which `who` may read it: the role and the purpose
/// cover that type and its label (`label`: the column of the version that is read), and the resource
///
/// - is of the HIE itself, of their facility, or of an ask that their facility made; or
/// - belongs to an open ask that is with the person, by name or as one of a pool (or is that ask's patient or
///   consent), until the consent is taken back; or
/// - is of a patient for whom the person broke the glass, while that lasts, and the read says that it is an emergency.
pub fn push(query: &mut QueryBuilder<Sqlite>, who: &Reader, kind: &str, label: &str) {
    put(query, who, pieces(shape(who, kind), "r", label));
}

/// The same for `envelope e`, whose exact payload a signature's proof needs.
pub fn push_envelope(query: &mut QueryBuilder<Sqlite>, who: &Reader) {
    put(query, who, pieces(shape(who, "Binary"), "e", "e.label"));
}

/// A query with the condition in it, as a text of its own for each shape of reader: a read neither writes it nor looks
/// for it, and SQLite has it prepared.
pub struct Prepared {
    /// `{visible}` is where the condition goes; its values are `?3` (facility), `?4` (person) and `?5` (now).
    template: &'static str,
    label: &'static str,
    texts: [OnceLock<String>; SHAPES],
}

/// The values that a [`Prepared`] query takes after its own two.
pub fn values(who: &Reader) -> (Vec<u8>, Vec<u8>, i64) {
    (who.facility().0.to_vec(), person(who), who.now)
}

impl Prepared {
    pub const fn new(template: &'static str, label: &'static str) -> Self {
        Self { template, label, texts: [const { OnceLock::new() }; SHAPES] }
    }

    /// The text for this reader and this type.
    pub fn text(&'static self, who: &Reader, kind: &str) -> &'static str {
        let shape = shape(who, kind);
        self.texts[shape.place()].get_or_init(|| {
            let condition: String = pieces(shape, "r", self.label)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text,
                    Piece::Facility => "?3".into(),
                    Piece::Person => "?4".into(),
                    Piece::Now => "?5".into(),
                })
                .collect();
            self.template.replace("{visible}", &condition)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_a_place_of_its_own() {
        let mut places = vec![Shape::Closed.place(), Shape::Audit.place()];
        for most in [Label::Normal, Label::Restricted, Label::VeryRestricted] {
            for bits in 0..8 {
                let (with_ask, cares, emergency) = (bits & 4 > 0, bits & 2 > 0, bits & 1 > 0);
                places.push(Shape::Record { most, with_ask, cares, emergency }.place());
            }
        }
        places.sort_unstable();
        assert_eq!(places, (0..SHAPES).collect::<Vec<_>>());
    }
}
