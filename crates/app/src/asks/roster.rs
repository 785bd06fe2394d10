//! The duty roster: who can be asked, when, and whom to phone.

use rabta_ipc::{
    Error,
    ask::{GetRoster, Roster, RosterRow},
};
use rabta_store::RecordStore;
use rabta_wire::enroll::RosterEntry;
use time::{OffsetDateTime, Weekday};

use crate::Session;

impl Session {
    pub(super) async fn get_roster(&self, _: GetRoster) -> Result<Roster, Error> {
        let now = self.hie_local_now();
        let entries = self.roster_entries().await?.into_iter().map(|entry| RosterRow {
            on_duty: is_on_duty(&entry.hours, now),
            person: entry.person.to_string(),
            name: entry.name,
            facility: entry.facility,
            specialty: entry.specialty,
            phone: entry.phone,
            hours: entry.hours,
        });
        let mut entries: Vec<RosterRow> = entries.collect();
        entries.sort_by(|a, b| (!a.on_duty, &a.specialty, &a.name).cmp(&(!b.on_duty, &b.specialty, &b.name)));
        let emergency = &self.app.country.emergency;
        Ok(Roster {
            entries,
            as_of: self.sync.last_contact(),
            emergency_phone: emergency.phone.clone(),
            referral_hospital: emergency.referral_hospital.clone(),
            referral_phone: emergency.referral_phone.clone(),
        })
    }

    pub(super) async fn roster_entries(&self) -> Result<Vec<RosterEntry>, Error> {
        let json = self.store().roster().await.map_err(|e| self.told(e))?;
        Ok(json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default())
    }

    /// Whom an ask goes to: the person chosen, else one of the specialty, on duty if there is one.
    pub(super) async fn whom_to_ask(
        &self,
        chosen: Option<&str>,
        specialty: &str,
    ) -> Result<RosterEntry, Error> {
        let entries = self.roster_entries().await?;
        let me = self.person_id;
        let found = match chosen {
            Some(person) => entries.into_iter().find(|entry| entry.person.to_string() == person),
            None => next_on_duty(entries, specialty, self.hie_local_now(), |entry| entry.person != me),
        };
        found.ok_or_else(|| Error::field("invalid", "to_person"))
    }

    /// Somebody else of the specialty whom a specialist passes an ask on to.
    pub(super) async fn whom_to_pass_to(&self, specialty: &str) -> Result<RosterEntry, Error> {
        let (entries, me) = (self.roster_entries().await?, self.person_id);
        let found = next_on_duty(entries, specialty, self.hie_local_now(), |entry| entry.person != me);
        found.ok_or_else(|| Error::detail("not-allowed", "nobody else of this specialty is on the roster"))
    }

    /// Now, as the roster's hours mean it: the HIE's time where it is known, at the place where the laptop stands.
    fn hie_local_now(&self) -> OffsetDateTime {
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
    fit.sort_by_key(|entry| !is_on_duty(&entry.hours, now));
    fit.into_iter().next()
}

/// Whether `hours` (`always`, or parts like `mon-fri 08:00-16:00` or `sat 20:00-08:00`, separated by commas or
/// semicolons) cover `now`. What cannot be read covers nothing: better to say "off duty" than to ring in vain.
pub(super) fn is_on_duty(hours: &str, now: OffsetDateTime) -> bool {
    hours.split([',', ';', '\n']).any(|part| covers(part.trim(), now).unwrap_or(false))
}

fn covers(part: &str, now: OffsetDateTime) -> Option<bool> {
    let part = part.to_ascii_lowercase();
    if part == "always" {
        return Some(true);
    }
    let (days, times) = part.rsplit_once(' ').unwrap_or(("mon-sun", part.as_str()));
    let (from, to) = times.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    let minute = u16::from(now.hour()) * 60 + u16::from(now.minute());
    let (today, yesterday) = (now.weekday(), now.weekday().previous());
    Some(if from < to {
        on_day(days, today)? && (from..to).contains(&minute)
    } else {
        // Over midnight: the evening is today's, the morning belongs to yesterday's duty.
        on_day(days, today)? && minute >= from || on_day(days, yesterday)? && minute < to
    })
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
}

fn on_day(days: &str, day: Weekday) -> Option<bool> {
    let wanted = day.number_days_from_monday();
    match days.trim().split_once('-') {
        Some((from, to)) => {
            let (from, to) = (weekday(from)?, weekday(to)?);
            Some(if from <= to { (from..=to).contains(&wanted) } else { wanted >= from || wanted <= to })
        }
        None => Some(weekday(days)? == wanted),
    }
}

fn weekday(text: &str) -> Option<u8> {
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .position(|day| *day == text.trim())
        .map(|at| at as u8)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn hours_are_read_as_the_operator_writes_them() {
        // A Sunday.
        let sunday_noon = datetime!(2026-11-22 12:00 +5);
        for (hours, on) in [
            ("always", true),
            ("mon-fri 08:00-16:00", false),
            ("sun 08:00-16:00", true),
            ("mon-fri 08:00-16:00, sat-sun 10:00-13:00", true),
            ("fri-mon 08:00-16:00", true),
            ("08:00-16:00", true),
            ("sun 12:01-13:00", false),
            ("whenever", false),
            ("", false),
        ] {
            assert_eq!(is_on_duty(hours, sunday_noon), on, "{hours}");
        }
    }

    #[test]
    fn a_night_duty_goes_on_into_the_morning_after() {
        let hours = "sat 20:00-08:00";
        assert!(is_on_duty(hours, datetime!(2026-11-21 23:00 +5)));
        assert!(is_on_duty(hours, datetime!(2026-11-22 07:59 +5)), "Sunday morning is Saturday's night");
        assert!(!is_on_duty(hours, datetime!(2026-11-21 07:00 +5)));
        assert!(!is_on_duty(hours, datetime!(2026-11-22 20:30 +5)));
    }

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
