//! The operator's questions about who looked, and the review of emergency accesses.

use rabta_wire::Id;
use sqlx::SqliteConnection;

use super::{AdminError, Reply};
use crate::{
    audit::{self, Act, Event, report},
    care::glass,
    clock::instant,
};

/// Who looked at the record of whoever has this id or identifier. The question is audited like any other.
pub async fn who_looked(
    tx: &mut SqliteConnection,
    patient: &str,
    since: Option<&str>,
    now: i64,
) -> Result<Reply, AdminError> {
    let since = date(since)?;
    let found = report::patients(tx, patient.trim()).await?;
    if found.is_empty() {
        return Err(AdminError::NoPatient);
    }
    let mut reports = Vec::with_capacity(found.len());
    for id in found {
        reports.push(report::of_patient(tx, &id, since).await?);
        let mut event = Event::of_operator(Act::Query);
        event.query = Some("AuditEvent?patient".into());
        event.patient = Some(id);
        audit::write(tx, &event, now).await?;
    }
    Ok(Reply::Audit(reports))
}

fn date(since: Option<&str>) -> Result<Option<i64>, AdminError> {
    since.map(|text| crate::fhir::instant_of(text).ok_or(AdminError::Date)).transpose()
}

/// What whoever keeps the server did, by the command and by the page.
pub async fn operator_acts(
    tx: &mut SqliteConnection,
    since: Option<String>,
) -> Result<Vec<report::Line>, AdminError> {
    Ok(report::of_operator(tx, date(since.as_deref())?).await?)
}

/// Notes a review.
pub async fn review(
    tx: &mut SqliteConnection,
    grant: Id,
    note: &str,
    end: bool,
    now: i64,
) -> Result<Reply, AdminError> {
    let note = note.trim();
    if note.is_empty() || note.chars().count() > 1000 {
        return Err(AdminError::Note);
    }
    if glass::review(tx, grant, note, end, now).await? { Ok(Reply::Done) } else { Err(AdminError::NoGrant) }
}

/// Emergency accesses, for people.
pub fn words(lines: &[glass::Line]) -> String {
    if lines.is_empty() {
        return "none".into();
    }
    let line = |l: &glass::Line| {
        let g = &l.grant;
        let review = match (&g.reviewed_at, &l.review) {
            (Some(at), Some(note)) => format!("reviewed {}: {note}", instant(*at)),
            _ => "NOT REVIEWED".into(),
        };
        let restricted = if g.restricted { ", very restricted parts, too" } else { "" };
        format!(
            "{}  {} ({}), {} opened patient {} of {} until {}{restricted}; {}: {}\n    {review}",
            g.id,
            l.person,
            l.role,
            l.facility,
            g.patient,
            l.owner,
            instant(g.ends_at),
            g.reason,
            g.text
        )
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}
