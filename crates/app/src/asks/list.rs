//! Lists of asks: the specialist's queue, the clinic's own, a patient's.

use rabta_domain::{
    ask::{Party, State},
    patient::{Custody, PatientCard},
};
use rabta_ipc::{
    Error,
    ask::{AskRow, ListAsks},
};
use rabta_store::{RecordStore, Resource};

use super::case::Case;
use crate::{Session, cards::custody};

/// Most asks that a list has.
const ROWS: usize = 200;

impl Session {
    pub(super) async fn list_asks(&self, list: ListAsks) -> Result<Vec<AskRow>, Error> {
        self.ask_rows(list.closed).await
    }

    /// For a specialist: what waits for them, by urgency, then arrival; with `closed`, everything that was theirs. For
    /// a clinic: its own asks, advice that came in first; with `closed`, those that are over, too.
    pub(crate) async fn ask_rows(&self, closed: bool) -> Result<Vec<AskRow>, Error> {
        let store = self.store();
        let tasks = match closed {
            true => store.of_kind("Task", None, ROWS).await,
            false => store.open("Task", None, ROWS).await,
        };
        let rows = self.rows(tasks.map_err(|e| self.told(e))?).await?;
        let specialist = self.is_specialist();
        let mut rows: Vec<AskRow> = rows
            .into_iter()
            .filter(|(case, row)| {
                // An answer still helps a patient who left before it came.
                let wanted = row.state == State::PatientLeft && case.advice().is_none();
                let waits = row.state.waits_for_specialist() || row.state == State::AskedBack;
                closed || !specialist || waits || wanted
            })
            .map(|(_, row)| row)
            .collect();
        rows.sort_by_key(|row| {
            (rank(row.state, specialist), row.urgency, std::cmp::Reverse(row.waiting_seconds))
        });
        Ok(rows)
    }

    /// A patient's asks, newest first.
    pub(crate) async fn asks_of_patient(&self, patient: &str) -> Result<Vec<AskRow>, Error> {
        let tasks = self.store().of_patient(patient, "Task", None, ROWS).await.map_err(|e| self.told(e))?;
        Ok(self.rows(tasks).await?.into_iter().map(|(_, row)| row).collect())
    }

    /// The newest ask about a visit, by its Encounter's id.
    pub(crate) async fn ask_of_visit(&self, visit: &str) -> Result<Option<String>, Error> {
        let tasks = self.store().referring_to(visit, Some("Task")).await.map_err(|e| self.told(e))?;
        Ok(tasks.into_iter().next_back().map(|task| task.id))
    }

    async fn rows(&self, tasks: Vec<Resource>) -> Result<Vec<(Case, AskRow)>, Error> {
        let mut rows = Vec::with_capacity(tasks.len());
        for task in tasks {
            // A Task of another system, or one whose note has not come yet, is none of ours to show.
            let case = match self.case(&task.id).await {
                Ok(case) => case,
                Err(error) if matches!(error.code.as_str(), "not-found" | "consent-withdrawn") => continue,
                Err(error) => {
                    tracing::warn!(task = task.id, code = error.code, "an ask cannot be read");
                    continue;
                }
            };
            if self.party(&case).is_some() {
                let row = self.ask_row(&case).await?;
                rows.push((case, row));
            }
        }
        Ok(rows)
    }

    pub(super) async fn ask_row(&self, case: &Case) -> Result<AskRow, Error> {
        let view = &case.view;
        let opened = self.store().setting(&opened_setting(&view.id)).await.map_err(|e| self.told(e))?;
        let opened = opened.and_then(|n| String::from_utf8(n).ok()?.parse::<usize>().ok()).unwrap_or(0);
        Ok(AskRow {
            id: view.id.clone(),
            card: self.ask_card(case).await?,
            state: view.state,
            urgency: view.urgency,
            specialty: view.specialty.clone(),
            question: view.question.clone(),
            from_facility: view.facility.name.clone(),
            from_person: view.requester.name.clone(),
            to_person: Some(view.owner.name.clone()).filter(|name| !name.is_empty()),
            waiting_seconds: self.waited(case),
            custody: self.ask_custody(case),
            unread: case.foreign() > opened,
        })
    }

    /// Our own record of the patient where the ask is ours; else who it was when the note was sent.
    async fn ask_card(&self, case: &Case) -> Result<PatientCard, Error> {
        if case.view.facility.id == self.facility().id {
            match self.card(&case.view.patient).await {
                Err(error) if error.code == "not-found" => {}
                other => return other,
            }
        }
        Ok(PatientCard { custody: Custody::AtHie, ..case.note.patient.clone() })
    }

    /// Seconds since it was asked; for one that nobody waits for any more, until it was answered or ended.
    fn waited(&self, case: &Case) -> i64 {
        let Some(note) = case.note_item() else { return 0 };
        let now = self.millis() + self.sync.clock_offset().unwrap_or(0);
        let waits = case.view.state.waits_for_specialist() || case.view.state == State::AskedBack;
        let end = match case.moves().next_back() {
            Some((item, _)) if !waits => item.at,
            _ => now,
        };
        (end - note.at).max(0) / 1_000
    }

    /// Where the ask is: the worst of this device's envelopes of it; and whether the specialist has opened it.
    fn ask_custody(&self, case: &Case) -> Custody {
        let own = case.items.iter().filter_map(|item| item.own.as_ref());
        let worst = own.map(|state| custody(Some(state))).min().unwrap_or(Custody::AtHie);
        if worst == Custody::AtHie && case.is_seen() { Custody::SeenBySpecialist } else { worst }
    }

    /// Notes that this person has everything of the ask before them.
    pub(super) fn opened(&self, case: &Case) -> (String, Vec<u8>) {
        (opened_setting(&case.view.id), case.foreign().to_string().into_bytes())
    }

    /// As whom this person may act; `not-found` where the ask is none of theirs.
    pub(super) fn must_be_party(&self, case: &Case) -> Result<Party, Error> {
        self.party(case).ok_or_else(|| Error::new("not-found"))
    }
}

/// How many of others' envelopes this person had seen when they last opened the ask.
fn opened_setting(ask: &str) -> String {
    format!("ask.opened.{ask}")
}

/// What a person of this side looks at first.
fn rank(state: State, specialist: bool) -> u8 {
    use State::*;
    match state {
        _ if state.is_closed() => 9,
        Answered if !specialist => 0,
        AskedBack | Declined | NobodyOnDuty | Expired if !specialist => 1,
        _ if state.waits_for_specialist() => 2,
        AskedBack => 3,
        _ => 4,
    }
}
