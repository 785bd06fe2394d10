//! Today: who waits, what was left open, what came in, what was promised.

use std::collections::HashSet;

use rabta_domain::fhir::urls;
use rabta_ipc::{
    Error,
    patient::{DraftRow, Promise, Today, Waits},
};
use rabta_store::RecordStore;
use rabta_wire::envelope::Envelope;

use crate::{Session, cards::parsed, visits::DraftBody};

/// How far ahead a promise is shown, days.
const PROMISE_DAYS: i64 = 1;

pub(crate) async fn today(session: &Session) -> Result<Today, Error> {
    let store = session.store();
    let told = |e| session.told(e);
    let mut today = Today::default();
    let asks = session.ask_rows(false).await?;
    if session.is_specialist() {
        today.queue = asks;
    } else {
        today.open = asks;
    }
    // Of these an ask may have brought the Encounter; nobody has signed the visit.
    let mut unsigned = HashSet::new();
    for draft in store.drafts(Some("visit")).await.map_err(told)? {
        let Some(body) = DraftBody::read(&draft) else { continue };
        if body.replaces.is_none() {
            unsigned.insert(draft.id.clone());
        }
        if !session.may_go_on_with(body.by) {
            continue;
        }
        let card = session.card(&body.patient).await?;
        today.drafts.push(DraftRow {
            visit: draft.id,
            card,
            reason: body.form.complaint.clone(),
            saved_at: draft.updated_at,
        });
    }
    let (day, now) = (session.stamp().today, session.millis());
    for encounter in store.of_kind("Encounter", None, 200).await.map_err(told)? {
        let Some(patient) = encounter.patient.clone() else { continue };
        let Some(json) = parsed(&encounter).and_then(|r| r.view().ok()) else { continue };
        let made = json.str("period.start");
        let reason: rabta_domain::Private<String> = json.str("reasonCode.text").into();
        // What came with another clinic's ask is theirs.
        let here = json.str("serviceProvider.reference").strip_prefix("Organization/");
        let ours = encounter.envelope.is_some() && here == Some(session.facility().id.as_str());
        if ours && made.starts_with(&day.to_string()) && !unsigned.contains(&encounter.id) {
            let card = session.card(&patient).await?;
            today.done.push(DraftRow {
                visit: encounter.id.clone(),
                card,
                reason: reason.clone(),
                saved_at: now,
            });
        }
        if let Some(due) = due_day(&json) {
            let days = (due - day).whole_days();
            if ours && (-30..=PROMISE_DAYS).contains(&days) {
                let card = session.card(&patient).await?;
                today.promises.push(Promise { card, visit: encounter.id, due: due.to_string(), reason });
            }
        }
    }
    (today.waits, today.copied) = (waits(session).await?, session.sync.is_copied());
    today.promises.sort_by(|a, b| a.due.cmp(&b.due));
    today.notices = crate::notices::unread(session).await?;
    today.emergencies = session.own_emergencies().await?;
    today.patients = store.count_of_kind("Patient").await.map_err(told)?;
    Ok(today)
}

/// A day, in milliseconds.
const DAY: i64 = 24 * 3_600_000;

/// How long the oldest record waits that is on this laptop only, where that is a day or more. A clock that was set back
/// makes it no younger than it is: then nothing is said.
async fn waits(session: &Session) -> Result<Option<Waits>, Error> {
    if session.training {
        return Ok(None);
    }
    let oldest = session.store().oldest_unsent().await.map_err(|e| session.told(e))?;
    let header = oldest.and_then(|entry| Envelope::from_bytes(&entry.bytes).and_then(|e| e.header()).ok());
    let Some(days) = header.map(|header| (session.millis() - header.device_time) / DAY) else {
        return Ok(None);
    };
    if days < 1 {
        return Ok(None);
    }
    let chip = session.counted_chip().await?;
    Ok(Some(Waits { days: u32::try_from(days).unwrap_or(u32::MAX), records: chip.here_only }))
}

/// The day of a follow-up that an Encounter promises.
fn due_day(encounter: &rabta_domain::fhir::Json) -> Option<time::Date> {
    let day = encounter.extension(urls::FOLLOW_UP)?.extension("day")?;
    rabta_domain::fhir::dates::parse_date(day.str("valueDate"))
}
