//! What is ordered again: a patient's last medicines, and what this person orders most. Counts lie in the vault, one list
//! for each person; they hold no patient.

use rabta_domain::medicine::MedicineLine;
use rabta_ipc::{
    Error,
    visit::{Favorite, FavoriteMedicines, GetTemplates, LastMedicines, LastOrders},
};
use rabta_store::{RecordStore, Transaction};
use rabta_wire::envelope::Kind;
use serde::{Deserialize, Serialize};

use crate::{Session, session::new_id};

/// How many the window is given.
const SHOWN: usize = 12;
/// How many are counted; the least used goes first.
const KEPT: usize = 200;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Counted {
    line: MedicineLine,
    times: u32,
    /// Milliseconds since 1970 by the device's clock: settles a tie.
    last: i64,
}

impl Session {
    fn favorites_setting(&self) -> String {
        format!("favorites.{}", self.person_id)
    }

    async fn counted(&self) -> Result<Vec<Counted>, Error> {
        let kept = self.store().setting(&self.favorites_setting()).await.map_err(|e| self.told(e))?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
    }

    /// Counts what a visit that is being signed orders.
    pub(crate) async fn count_medicines(
        &self,
        transaction: Transaction,
        lines: &[MedicineLine],
    ) -> Result<Transaction, Error> {
        if lines.is_empty() {
            return Ok(transaction);
        }
        let mut counted = self.counted().await?;
        lines.iter().for_each(|line| count(&mut counted, line, self.millis()));
        let text = serde_json::to_vec(&counted).expect("lines are plain data");
        Ok(transaction.set(self.favorites_setting(), text))
    }

    pub(crate) async fn favorite_medicines(&self, _: FavoriteMedicines) -> Result<Vec<Favorite>, Error> {
        let counted = self.counted().await?.into_iter().take(SHOWN);
        Ok(counted.map(|c| Favorite { line: anew(c.line), times: c.times }).collect())
    }

    /// The newest visit here with medicines, signed: its own orders and those that came of its ask.
    pub(crate) async fn last_medicines(&self, last: LastMedicines) -> Result<Option<LastOrders>, Error> {
        let told = |e| self.told(e);
        let encounters = self.store().of_patient(&last.patient, "Encounter", None, 20).await.map_err(told)?;
        for encounter in encounters {
            let Some(envelope) = encounter.envelope else { continue };
            if self.payload(envelope).await?.0.kind != Kind::Visit {
                continue;
            }
            let ask = self.ask_of_visit(&encounter.id).await?;
            let printed = self.orders(&encounter.id, ask.as_deref()).await?;
            if !printed.lines.is_empty() {
                let lines = printed.lines.into_iter().map(anew).collect();
                return Ok(Some(LastOrders { day: printed.day.to_string(), lines }));
            }
        }
        Ok(None)
    }

    pub(crate) async fn get_templates(
        &self,
        _: GetTemplates,
    ) -> Result<Vec<rabta_domain::template::Template>, Error> {
        Ok(self.app.country.templates.clone())
    }
}

/// The same medicine for somebody else: what was said of one patient stays there.
fn anew(line: MedicineLine) -> MedicineLine {
    MedicineLine { id: new_id(), clash_reason: None, ..line }
}

/// Most used first, then the latest.
fn count(counted: &mut Vec<Counted>, line: &MedicineLine, now: i64) {
    let kept =
        MedicineLine { id: String::new(), note: Default::default(), clash_reason: None, ..line.clone() };
    let same = |c: &Counted| {
        let key = |l: &MedicineLine| (l.generic.to_lowercase(), l.form.clone(), l.strength.clone());
        key(&c.line) == key(&kept)
    };
    match counted.iter_mut().find(|c| same(c)) {
        Some(known) => {
            *known = Counted { line: kept, times: known.times.saturating_add(1), last: now.max(known.last) };
        }
        None => {
            // There is always room for a new one.
            counted.truncate(KEPT - 1);
            counted.push(Counted { line: kept, times: 1, last: now });
        }
    }
    counted.sort_by_key(|c| (std::cmp::Reverse(c.times), std::cmp::Reverse(c.last)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(generic: &str, dose: &str) -> MedicineLine {
        MedicineLine {
            generic: generic.into(),
            form: "tablet".into(),
            strength: "500 mg".into(),
            dose: dose.into(),
            note: "for her son".to_owned().into(),
            clash_reason: Some("took it before".into()),
            ..MedicineLine::default()
        }
    }

    #[test]
    fn what_is_ordered_most_comes_first_as_it_was_last_ordered_and_without_anything_of_a_patient() {
        let mut counted = Vec::new();
        for (n, (generic, dose)) in
            [("Zinc", "OD"), ("Paracetamol", "TDS"), ("paracetamol", "BD"), ("ORS", "SOS")].iter().enumerate()
        {
            count(&mut counted, &line(generic, dose), n as i64);
        }
        let names: Vec<(&str, &str, u32)> =
            counted.iter().map(|c| (c.line.generic.as_str(), c.line.dose.as_str(), c.times)).collect();
        assert_eq!(names, [("paracetamol", "BD", 2), ("ORS", "SOS", 1), ("Zinc", "OD", 1)]);
        assert!(counted.iter().all(|c| c.line.note.is_empty() && c.line.clash_reason.is_none()));
    }

    #[test]
    fn the_list_does_not_grow_for_ever_and_the_most_used_stay() {
        let mut counted = Vec::new();
        count(&mut counted, &line("Often", "OD"), 0);
        count(&mut counted, &line("Often", "OD"), 1);
        for n in 0..400 {
            count(&mut counted, &line(&format!("Medicine {n}"), "OD"), n);
        }
        assert_eq!((counted.len(), counted[0].line.generic.as_str()), (KEPT, "Often"));
        assert_eq!(counted[1].line.generic, "Medicine 399");
    }
}
