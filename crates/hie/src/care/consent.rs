//! The patient's word about who outside the clinic may read. The last one that the HIE received counts.

use rabta_wire::Id;
use serde_json::Value;
use sqlx::{Row, SqliteConnection};

use crate::{
    envelopes::{
        consent_opens, holders,
        scope::{self, Item, Scope},
        sequencer::Sequencer,
    },
    fhir::store,
    identity,
};

/// A Consent that was stored in this transaction.
pub struct Heard<'a> {
    pub consent: &'a Value,
    pub id: &'a str,
    pub patient: &'a str,
    /// Whose program brought it.
    pub facility: Id,
    /// The ask that it came with.
    pub task: Option<Id>,
    /// As whoever is outside pulls it.
    pub item: Item,
}

/// What a Consent says of reading a record: open, closed, or nothing (it is about research, or not yet in force).
fn word(consent: &Value) -> Option<bool> {
    let scopes = consent.pointer("/scope/coding").and_then(Value::as_array).into_iter().flatten();
    let elsewhere = scopes.filter_map(|c| c["code"].as_str()).any(|code| matches!(code, "research" | "adr"));
    let status = consent["status"].as_str().unwrap_or_default();
    if elsewhere || matches!(status, "draft" | "proposed") {
        return None;
    }
    Some(consent_opens(consent))
}

/// Takes the word: a withdrawal or a refusal closes the patient's open asks to everybody outside the clinic and tells
/// their laptops; the same consent given anew, or one given for an ask, opens that again.
pub async fn heard(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    heard: &Heard<'_>,
    now: i64,
) -> Result<(), sqlx::Error> {
    let Some(opens) = word(heard.consent) else { return Ok(()) };
    let owner = store::head(tx, "Patient", heard.patient).await?.and_then(|(_, owner, _)| owner);
    // Whoever is outside may take a patient's "no" to protocol, never their "yes".
    if opens && owner != Some(heard.facility) {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO consent_state (patient, consent, opens, at) VALUES (?, ?, ?, ?) \
         ON CONFLICT (patient) DO UPDATE SET consent = excluded.consent, opens = excluded.opens, at = excluded.at",
    )
    .bind(heard.patient)
    .bind(heard.id)
    .bind(opens)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    let rows = if opens {
        sqlx::query(
            "UPDATE task SET shut_by = '' WHERE patient = ?1 AND closed = 0 AND shut_by <> '' \
             AND (shut_by = ?2 OR id = ?3) RETURNING id, facility",
        )
        .bind(heard.patient)
        .bind(heard.id)
        .bind(heard.task.map(|t| t.0.to_vec()))
        .fetch_all(&mut *tx)
        .await?
    } else {
        sqlx::query(
            "UPDATE task SET shut_by = ?2 WHERE patient = ?1 AND closed = 0 AND shut_by = '' \
             RETURNING id, facility",
        )
        .bind(heard.patient)
        .bind(heard.id)
        .fetch_all(&mut *tx)
        .await?
    };
    for row in rows {
        let (task, clinic) = (identity::id(row.try_get(0)?)?, identity::id(row.try_get(1)?)?);
        // Whoever ever had it may have it still on a laptop; it comes back to those whom it is with.
        let people = if opens { holders::with(tx, task).await? } else { holders::asked(tx, task).await? };
        for person in people {
            // A colleague of the same clinic reads its record as before.
            if works_at(tx, person).await? == Some(clinic) {
                continue;
            }
            if !opens {
                // The word itself, which stays visible, and then what is to go.
                scope::show(tx, sequencer, Scope::Person(person), None, heard.item.clone()).await?;
            }
            change(tx, sequencer, task, person, heard.patient, opens).await?;
        }
    }
    Ok(())
}

async fn works_at(tx: &mut SqliteConnection, person: Id) -> Result<Option<Id>, sqlx::Error> {
    let facility: Option<Vec<u8>> = sqlx::query_scalar("SELECT facility FROM person WHERE id = ?")
        .bind(person.0.to_vec())
        .fetch_optional(tx)
        .await?;
    facility.map(identity::id).transpose()
}

/// What an ask brought to somebody outside: the clinic's part of it and the patient, not their own advice, not the
/// ask's course.
const BROUGHT: &str = "SELECT r.type, r.id, r.version FROM resource r \
    WHERE ((r.task = ?1 AND r.facility = (SELECT facility FROM task WHERE id = ?1)) \
        OR (r.patient = ?2 AND r.type = 'Patient')) \
    AND r.type NOT IN ('Task', 'Consent', 'AuditEvent') ORDER BY r.type, r.id";

async fn brought(
    tx: &mut SqliteConnection,
    task: Id,
    patient: &str,
) -> Result<Vec<(String, String, i64)>, sqlx::Error> {
    sqlx::query_as(BROUGHT).bind(task.0.to_vec()).bind(patient).fetch_all(tx).await
}

/// Tells the person's laptop that all this is gone; or gives it anew, as resources, since a laptop that was told so does
/// not read their envelopes again.
async fn change(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    task: Id,
    person: Id,
    patient: &str,
    opens: bool,
) -> Result<(), sqlx::Error> {
    for (kind, id, version) in brought(tx, task, patient).await? {
        let (item, while_open) = match opens {
            true => (Item::Resource { kind, id, version }, Some(task)),
            false => (Item::Gone { kind, id, version }, None),
        };
        scope::show(tx, sequencer, Scope::Person(person), while_open, item).await?;
    }
    Ok(())
}

/// The patient's last word, if there was one since words are kept.
pub async fn last_word(db: &mut SqliteConnection, patient: &str) -> Result<Option<bool>, sqlx::Error> {
    sqlx::query_scalar("SELECT opens FROM consent_state WHERE patient = ?")
        .bind(patient)
        .fetch_optional(db)
        .await
}

/// Whether this person was told before that the patient is gone: then an envelope that they have brings nothing back.
pub async fn was_closed_to(
    db: &mut SqliteConnection,
    patient: &str,
    person: Id,
) -> Result<bool, sqlx::Error> {
    let n: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM change WHERE scope_kind = 2 AND scope = ? AND item = 4 \
         AND resource_type = 'Patient' AND resource_id = ?",
    )
    .bind(person.0.to_vec())
    .bind(patient)
    .fetch_one(db)
    .await?;
    Ok(n > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_word_is_about_reading_a_record_and_in_force() {
        let of = |status: &str, scope: &str, provision: &str| {
            word(&json!({
                "status": status, "scope": {"coding": [{"code": scope}]}, "provision": {"type": provision},
            }))
        };
        assert_eq!(of("active", "patient-privacy", "permit"), Some(true));
        assert_eq!(of("active", "patient-privacy", "deny"), Some(false));
        assert_eq!(of("inactive", "patient-privacy", "permit"), Some(false));
        assert_eq!(of("rejected", "patient-privacy", "deny"), Some(false));
        assert_eq!(of("entered-in-error", "patient-privacy", "permit"), Some(false));
        assert_eq!(of("draft", "patient-privacy", "permit"), None);
        assert_eq!(of("active", "research", "deny"), None);
    }
}
