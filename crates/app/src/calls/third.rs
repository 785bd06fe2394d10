//! Who can be brought into the running call as a third.

use rabta_domain::duty;
use rabta_ipc::{
    Error,
    call::{BringIn, GetThirds, LinkCall, Third, ThirdId},
};
use rabta_wire::{Id, signal::Address};

use super::{
    About,
    host::{PATIENT, Wish},
};
use crate::Session;

/// Specialists of the roster that are offered.
const MOST: usize = 5;

impl Session {
    /// With a patient in the call: the other side of their open ask, else the roster, who is on duty first. With a
    /// specialist in it: the links of the patient whom it is about.
    pub(super) async fn get_thirds(&self, _: GetThirds) -> Result<Vec<Third>, Error> {
        let Some(call) = self.calls.view().filter(|call| call.ended.is_none()) else { return Ok(Vec::new()) };
        let open: Vec<_> = call.legs.iter().filter(|leg| leg.phase != "ended").collect();
        if open.len() != 1 {
            return Ok(Vec::new());
        }
        if open[0].role == PATIENT {
            return self.specialists(&open[0].person).await;
        }
        let patient = match &call.link {
            Some(link) => link.patient.clone(),
            None if self.is_specialist() || call.ask.is_empty() => return Ok(Vec::new()),
            None => self.patient_of_ask(&call.ask).await?,
        };
        self.waiting_links(&patient).await
    }

    async fn specialists(&self, guest: &str) -> Result<Vec<Third>, Error> {
        // A patient whom somebody else brought in is not ours to share.
        let Ok((_, _, patient)) = self.link_secret(guest).await else { return Ok(Vec::new()) };
        let mut thirds = Vec::new();
        for row in self.asks_of_patient(&patient).await?.into_iter().filter(|row| !row.state.is_closed()) {
            let Ok(person) = self.other_party(&row.id).await else { continue };
            let listed = self.roster_entries().await?.into_iter().find(|entry| entry.person == person);
            let name = listed.map(|entry| entry.name).or(row.to_person).unwrap_or_default();
            thirds.push(Third {
                id: ThirdId::Ask(row.id),
                name: name.into(),
                specialty: row.specialty,
                here: self.calls.is_online(person).unwrap_or(true),
            });
        }
        if !thirds.is_empty() {
            return Ok(thirds);
        }
        let now = self.hie_local_now();
        let mut entries = self.roster_entries().await?;
        entries.retain(|entry| entry.person != self.person_id);
        entries.sort_by_key(|entry| !duty::covers(&entry.hours, now));
        let third = |entry: rabta_wire::enroll::RosterEntry| Third {
            here: self.calls.is_online(entry.person).unwrap_or(true),
            id: ThirdId::Person(entry.person.to_string()),
            name: entry.name.into(),
            specialty: entry.specialty,
        };
        Ok(entries.into_iter().take(MOST).map(third).collect())
    }

    /// Brings somebody in; the patient is asked by the session.
    pub(super) async fn bring_in(&self, wish: BringIn) -> Result<(), Error> {
        let (about, to) = match &wish.third {
            ThirdId::Ask(ask) => {
                let id: Id = ask.parse().map_err(|_| Error::new("not-found"))?;
                (About::Ask(id), self.other_party(ask).await?)
            }
            ThirdId::Person(person) => {
                let entries = self.roster_entries().await?;
                let entry = entries.into_iter().find(|entry| entry.person.to_string() == *person);
                (About::Colleague, entry.ok_or_else(|| Error::new("not-found"))?.person)
            }
            ThirdId::Guest(guest) => {
                let (id, secret, patient) = self.link_secret(guest).await?;
                let name = self.card(&patient).await?.name.0;
                let link = LinkCall { guest: guest.clone(), patient };
                (About::Link { secret, name, link }, id)
            }
        };
        let to = Address { person: to, device: None };
        self.calls.ask(|answer| Wish::BringIn { about, to, answer }).await
    }
}
