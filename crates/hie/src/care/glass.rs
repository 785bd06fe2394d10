//! Emergency access to a record of another facility: who, to whose, why, until when.

use rabta_domain::role;
use rabta_wire::{
    Id,
    care::{BreakGlass, GRANT_S, Grant, REASONS, SHORTEST_TEXT, TEXT, codes},
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    audit::{Act, Event},
    auth::{Agent, Purpose, Reader},
    db::Db,
    envelopes::scope::{self, Item, Scope},
    fhir::store,
    identity,
    web::ApiError,
};

/// What was said, within its bounds.
fn said(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    (SHORTEST_TEXT..=TEXT).contains(&text.chars().count()).then_some(text)
}

/// Opens it, audits it and shows that to the facility that has the record. Everything or nothing.
pub async fn open(db: &Db, who: &Reader, wish: BreakGlass) -> Result<Grant, ApiError> {
    let Agent::Device { device, person } = who.access.agent else {
        return Err(ApiError::new(
            axum::http::StatusCode::FORBIDDEN,
            "device-only",
            "only a person breaks the glass",
        ));
    };
    if !who.may(role::Act::BreakGlass) {
        return Err(ApiError::new(
            axum::http::StatusCode::FORBIDDEN,
            codes::ROLE,
            "a person of this role may not open another facility's record",
        ));
    }
    let purpose = Purpose::of(&wish.purpose).filter(|p| p.is_emergency());
    let purpose = purpose
        .ok_or_else(|| ApiError::invalid(codes::PURPOSE, "the purpose is ETREAT or BTG").at("purpose"))?;
    let reason = REASONS
        .into_iter()
        .find(|known| *known == wish.reason)
        .ok_or_else(|| ApiError::invalid(codes::REASON, "the reason is not one of the list").at("reason"))?;
    let words = |text: &str, path: &str| {
        let bounds = format!("a reason has {SHORTEST_TEXT} to {TEXT} characters");
        said(text).ok_or_else(|| ApiError::invalid(codes::REASON, bounds).at(path))
    };
    let text = words(&wish.text, "text")?;
    let restricted = wish.restricted.as_deref().map(|text| words(text, "restricted")).transpose()?;

    let patient = wish.patient.to_string();
    let mut tx = db.write().await?;
    let owner = match store::head(&mut tx, "Patient", &patient).await? {
        Some((_, Some(owner), _)) => owner,
        _ => return Err(ApiError::not_found()),
    };
    if owner == who.facility() {
        return Err(ApiError::invalid(codes::NOT_NEEDED, "this record is your own facility's"));
    }
    let grant = Grant {
        id: identity::new_id(),
        patient: wish.patient,
        person,
        facility: who.facility(),
        owner,
        reason: reason.into(),
        text,
        restricted: restricted.is_some(),
        opened_at: who.now,
        ends_at: who.now + GRANT_S * 1000,
        reviewed_at: None,
    };
    sqlx::query(
        "INSERT INTO break_glass (id, person, device, facility, patient, owner, reason, text, restricted, opened_at, ends_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(grant.id.0.to_vec())
    .bind(person.0.to_vec())
    .bind(device.0.to_vec())
    .bind(grant.facility.0.to_vec())
    .bind(&patient)
    .bind(owner.0.to_vec())
    .bind(reason)
    .bind(&grant.text)
    .bind(restricted.as_deref().unwrap_or_default())
    .bind(grant.opened_at)
    .bind(grant.ends_at)
    .execute(&mut *tx)
    .await?;

    let mut event = Event::by(Act::BreakGlass, who).about(format!("Patient/{patient}"), Some(patient));
    event.purpose = Some(purpose);
    event.reason = Some(match &restricted {
        Some(why) => format!("{reason}: {}; very restricted: {why}", grant.text),
        None => format!("{reason}: {}", grant.text),
    });
    let id = crate::audit::write(&mut tx, &event, who.now).await?;
    // The notice: the facility that has the record pulls the AuditEvent itself.
    let item = Item::Resource { kind: "AuditEvent".into(), id, version: 1 };
    scope::show(&mut tx, db.sequencer(), Scope::Facility(owner), None, item).await?;
    tx.commit().await?;
    Ok(grant)
}

const COLUMNS: &str = "SELECT g.id, g.patient, g.person, g.facility, g.owner, g.reason, g.text, g.restricted, \
                       g.opened_at, g.ends_at, g.reviewed_at FROM break_glass g ";

fn read(row: &SqliteRow) -> Result<Grant, sqlx::Error> {
    let patient: String = row.try_get(1)?;
    Ok(Grant {
        id: identity::id(row.try_get(0)?)?,
        patient: patient.parse().map_err(|_| sqlx::Error::Decode("a patient's id that is no UUID".into()))?,
        person: identity::id(row.try_get(2)?)?,
        facility: identity::id(row.try_get(3)?)?,
        owner: identity::id(row.try_get(4)?)?,
        reason: row.try_get(5)?,
        text: row.try_get(6)?,
        restricted: !row.try_get::<String, _>(7)?.is_empty(),
        opened_at: row.try_get(8)?,
        ends_at: row.try_get(9)?,
        reviewed_at: row.try_get(10)?,
    })
}

/// What `who` may know of: at their facility's records, for whoever may see who looked, and their own. Newest first.
pub async fn of_reader(db: &mut SqliteConnection, who: &Reader) -> Result<Vec<Grant>, sqlx::Error> {
    let owner = who.rights.covers(role::Part::Audit).then(|| who.facility().0.to_vec());
    let mut query = sqlx::QueryBuilder::new(COLUMNS);
    query.push("WHERE g.owner = ").push_bind(owner);
    query.push(" OR g.person = ").push_bind(who.person().map(|p| p.0.to_vec()));
    query.push(" ORDER BY g.opened_at DESC, g.id LIMIT 200");
    query.build().fetch_all(db).await?.iter().map(read).collect()
}

/// A grant as the operator sees it, with names.
#[derive(Clone, Serialize, Deserialize)]
pub struct Line {
    pub grant: Grant,
    pub person: String,
    pub role: String,
    pub facility: String,
    pub owner: String,
    pub review: Option<String>,
}

/// All of them, newest first; `open`: only those that were not reviewed.
pub async fn all(db: &mut SqliteConnection, open: bool) -> Result<Vec<Line>, sqlx::Error> {
    let sql = "SELECT g.id, g.patient, g.person, g.facility, g.owner, g.reason, g.text, g.restricted, g.opened_at, \
               g.ends_at, g.reviewed_at, p.name, p.role, f.name, o.name, g.review FROM break_glass g \
               JOIN person p ON p.id = g.person JOIN facility f ON f.id = g.facility JOIN facility o ON o.id = g.owner \
               WHERE ?1 = 0 OR g.reviewed_at IS NULL ORDER BY g.opened_at DESC, g.id LIMIT 1000";
    let rows = sqlx::query(sql).bind(open).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            Ok(Line {
                grant: read(row)?,
                person: row.try_get(11)?,
                role: row.try_get(12)?,
                facility: row.try_get(13)?,
                owner: row.try_get(14)?,
                review: row.try_get(15)?,
            })
        })
        .collect()
}

/// Notes the operator's review; `end`: what is still open ends now. False where there is no such grant.
pub async fn review(
    tx: &mut SqliteConnection,
    grant: Id,
    note: &str,
    end: bool,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE break_glass SET reviewed_at = ?2, review = ?3, \
               ends_at = CASE WHEN ?4 THEN min(ends_at, ?2) ELSE ends_at END WHERE id = ?1";
    let done = sqlx::query(sql).bind(grant.0.to_vec()).bind(now).bind(note).bind(end).execute(tx).await?;
    Ok(done.rows_affected() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_and_not_too_much() {
        assert_eq!(said("  found on the road \n"), Some("found on the road".into()));
        assert_eq!(said("x"), None);
        assert_eq!(said(&" ".repeat(50)), None);
        assert_eq!(said(&"x".repeat(501)), None);
    }
}
