//! The duty roster: who can be asked, when, and whom to phone.

use rabta_domain::duty;
use rabta_ipc::{
    Error,
    ask::{GetRoster, Roster, RosterRow},
};
use rabta_store::RecordStore;
use rabta_wire::enroll::RosterEntry;
use time::OffsetDateTime;

use super::case::Case;
use crate::Session;

impl Session {
    pub(super) async fn get_roster(&self, _: GetRoster) -> Result<Roster, Error> {
        let entries = self.roster_rows().await?;
        let emergency = &self.app.country.emergency;
        Ok(Roster {
            entries,
            as_of: self.sync.last_contact(),
            emergency_phone: emergency.phone.clone(),
            referral_hospital: emergency.referral_hospital.clone(),
            referral_phone: emergency.referral_phone.clone(),
        })
    }

    /// Who is on duty first, then by specialty and name.
    async fn roster_rows(&self) -> Result<Vec<RosterRow>, Error> {
        let now = self.hie_local_now();
        let entries = self.roster_entries().await?.into_iter().map(|entry| RosterRow {
            on_duty: duty::covers(&entry.hours, now),
            person: entry.person.to_string(),
            name: entry.name,
            facility: entry.facility,
            specialty: entry.specialty,
            phone: entry.phone,
            hours: entry.hours,
        });
        let mut entries: Vec<RosterRow> = entries.collect();
        entries.sort_by(|a, b| (!a.on_duty, &a.specialty, &a.name).cmp(&(!b.on_duty, &b.specialty, &b.name)));
        Ok(entries)
    }

    /// To whom this person may pass an ask on: everybody but the two who have it already, who passes it on and who asked.
    pub(super) async fn colleagues(&self, case: &Case) -> Result<Vec<RosterRow>, Error> {
        let mut rows = self.roster_rows().await?;
        rows.retain(|row| row.person != self.person.id && row.person != case.view.requester.id);
        rows.sort_by_key(|row| (!row.on_duty, row.specialty != case.view.specialty));
        Ok(rows)
    }

    pub(crate) async fn roster_entries(&self) -> Result<Vec<RosterEntry>, Error> {
        let json = self.store().roster().await.map_err(|e| self.told(e))?;
        Ok(json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default())
    }

    /// The person whom an ask goes to by name.
    pub(super) async fn on_roster(&self, person: &str) -> Result<RosterEntry, Error> {
        let entries = self.roster_entries().await?;
        let found = entries.into_iter().find(|entry| entry.person.to_string() == person);
        found.ok_or_else(|| Error::field("invalid", "to_person"))
    }

    /// Somebody else of the specialty, on duty if there is one.
    pub(super) async fn another(&self, specialty: &str) -> Result<Option<RosterEntry>, Error> {
        let (entries, me) = (self.roster_entries().await?, self.person_id);
        Ok(next_on_duty(entries, specialty, self.hie_local_now(), |entry| entry.person != me))
    }

    /// Now, as the roster's hours mean it: the HIE's time where it is known, at the place where the laptop stands.
    pub(crate) fn hie_local_now(&self) -> OffsetDateTime {
        let offset = self.sync.clock_offset().unwrap_or(0);
        self.now().saturating_add(time::Duration::milliseconds(offset))
    }
}

fn next_on_duty(
    entries: Vec<RosterEntry>,
    specialty: &str,
    now: OffsetDateTime,
    may: impl Fn(&RosterEntry) -> bool,
) -> Option<RosterEntry> {
    let mut fit: Vec<RosterEntry> =
        entries.into_iter().filter(|entry| entry.specialty == specialty && may(entry)).collect();
    fit.sort_by_key(|entry| !duty::covers(&entry.hours, now));
    fit.into_iter().next()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn somebody_on_duty_is_asked_before_somebody_who_is_not() {
        let entry = |name: &str, hours: &str| RosterEntry {
            person: rabta_wire::Id([name.len() as u8; 16]),
            name: name.into(),
            facility: "DHQ".into(),
            specialty: "pediatrics".into(),
            phone: "1".into(),
            hours: hours.into(),
        };
        let entries = vec![entry("Off", "mon 08:00-09:00"), entry("Duty!", "always")];
        let now = datetime!(2026-11-22 12:00 +5);
        let next =
            |specialty, may: fn(&RosterEntry) -> bool| next_on_duty(entries.clone(), specialty, now, may);
        assert_eq!(next("pediatrics", |_| true).map(|e| e.name), Some("Duty!".into()));
        assert_eq!(next("pediatrics", |e| e.name != "Duty!").map(|e| e.name), Some("Off".into()));
        assert_eq!(next("cardiology", |_| true), None);
    }
}
