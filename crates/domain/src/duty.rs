//! Who is on duty, and where an ask that nobody answers goes next. Pure: hours, times and the roster are arguments.

use time::{OffsetDateTime, Weekday};

use crate::ask::{State, Urgency};

/// Whether `hours` (`always`, or parts like `mon-fri 08:00-16:00` or `sat 20:00-08:00`, separated by commas or
/// semicolons) cover `now`. What cannot be read covers nothing: better to say "off duty" than to ring in vain.
pub fn covers(hours: &str, now: OffsetDateTime) -> bool {
    hours.split([',', ';', '\n']).any(|part| part_covers(part.trim(), now).unwrap_or(false))
}

fn part_covers(part: &str, now: OffsetDateTime) -> Option<bool> {
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
    (hour <= 24 && minute < 60).then(|| hour * 60 + minute)
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

/// An open ask, as whoever watches it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub state: State,
    pub urgency: Urgency,
    /// It is with a pool, not with one person.
    pub in_pool: bool,
    /// Seconds that it has stood so.
    pub since: i64,
    /// Seconds since it was asked.
    pub asked: i64,
    /// How many persons it was given to by name so far.
    pub tries: u32,
}

/// Somebody of the ask's specialty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Member {
    pub on_duty: bool,
    /// Connected now.
    pub reachable: bool,
    /// It was given to them by name before: they did not answer, declined it or passed it on.
    pub tried: bool,
}

/// What becomes of an ask that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing yet; look again in so many seconds, at least 1.
    Wait(i64),
    /// To this one of the members, by name: [`State::Escalated`].
    Escalate(usize),
    /// [`State::NobodyOnDuty`]: "no one answers: refer now". The pool keeps it, so that whoever comes may still take it.
    Nobody,
    /// [`State::Expired`].
    Expire,
    /// It waits for nobody on the specialist's side.
    Rest,
}

/// Persons who are asked by name before the doctor is told to refer.
const MOST_TRIES: u32 = 3;
/// An open ask that nobody answered is over after seven days.
const EXPIRES: i64 = 7 * 86_400;
/// How often it is looked whether somebody has come on duty.
const LOOK_AGAIN: i64 = 60;

/// Where an ask goes next. Whoever took it has four times the time in which it must be answered at all.
pub fn next(ask: Waiting, members: &[Member]) -> Next {
    use State::*;
    if !matches!(
        ask.state,
        Requested | PassedOn | Escalated | Seen | Accepted | AskedBack | Declined | NobodyOnDuty
    ) {
        return Next::Rest;
    }
    if ask.asked >= EXPIRES && ask.state != Declined {
        return Next::Expire;
    }
    let within = ask.urgency.answer_within_seconds();
    let wait = |limit: i64| Next::Wait((limit - ask.since).clamp(1, LOOK_AGAIN.max(limit)));
    match ask.state {
        Requested | PassedOn | Escalated | Seen if ask.since >= within => onward(ask, members),
        // Nobody of the pool is there to hear it ring.
        Requested if ask.in_pool && !members.iter().any(|m| m.on_duty) => Next::Nobody,
        // Given back, and nobody is there but those who had it.
        PassedOn if ask.in_pool && choose(members).is_none() => Next::Nobody,
        Requested | PassedOn | Escalated | Seen => wait(within),
        Accepted if ask.since >= 4 * within => match choose(members) {
            Some(member) => Next::Escalate(member),
            None => Next::Wait(within),
        },
        Accepted => wait(4 * within),
        Declined => onward(ask, members),
        NobodyOnDuty => match choose(members) {
            Some(member) if ask.tries < MOST_TRIES => Next::Escalate(member),
            _ => Next::Wait(LOOK_AGAIN),
        },
        _ => Next::Wait(EXPIRES - ask.asked),
    }
}

fn onward(ask: Waiting, members: &[Member]) -> Next {
    match choose(members) {
        Some(member) if ask.tries < MOST_TRIES => Next::Escalate(member),
        _ => Next::Nobody,
    }
}

/// The next on duty who was not asked by name yet; whoever is connected first.
fn choose(members: &[Member]) -> Option<usize> {
    let fit = |m: &&(usize, &Member)| m.1.on_duty && !m.1.tried;
    let members: Vec<(usize, &Member)> = members.iter().enumerate().collect();
    members.iter().filter(fit).min_by_key(|(_, m)| !m.reachable).map(|(i, _)| *i)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
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
            ("2020:00-06:00", false),
            ("", false),
        ] {
            assert_eq!(covers(hours, sunday_noon), on, "{hours}");
        }
    }

    #[test]
    fn a_night_duty_goes_on_into_the_morning_after() {
        let hours = "sat 20:00-08:00";
        assert!(covers(hours, datetime!(2026-11-21 23:00 +5)));
        assert!(covers(hours, datetime!(2026-11-22 07:59 +5)), "Sunday morning is Saturday's night");
        assert!(!covers(hours, datetime!(2026-11-21 07:00 +5)));
        assert!(!covers(hours, datetime!(2026-11-22 20:30 +5)));
    }

    const HERE: Member = Member { on_duty: true, reachable: true, tried: false };
    const AWAY: Member = Member { on_duty: true, reachable: false, tried: false };
    const OFF: Member = Member { on_duty: false, reachable: false, tried: false };

    fn asked(state: State, since: i64) -> Waiting {
        Waiting { state, urgency: Urgency::Emergency, in_pool: true, since, asked: since, tries: 0 }
    }

    #[test]
    fn an_emergency_goes_to_the_next_after_five_minutes_and_then_the_doctor_is_told_to_refer() {
        assert_eq!(next(asked(State::Requested, 10), &[OFF]), Next::Nobody, "nobody hears it");
        assert_eq!(next(asked(State::Requested, 10), &[OFF, AWAY]), Next::Wait(290));
        assert_eq!(next(asked(State::Requested, 300), &[OFF, AWAY, HERE]), Next::Escalate(2));
        let tried = |m: Member| Member { tried: true, ..m };
        let later = Waiting { tries: 2, in_pool: false, ..asked(State::Escalated, 300) };
        assert_eq!(next(later, &[OFF, AWAY, tried(HERE)]), Next::Escalate(1));
        assert_eq!(next(Waiting { tries: 3, ..later }, &[AWAY]), Next::Nobody, "enough were asked");
        assert_eq!(next(later, &[tried(AWAY)]), Next::Nobody);
        assert_eq!(next(asked(State::NobodyOnDuty, 5), &[OFF]), Next::Wait(60));
        assert_eq!(next(asked(State::NobodyOnDuty, 5), &[OFF, HERE]), Next::Escalate(1));
    }

    #[test]
    fn whoever_took_it_is_given_time_and_a_declined_one_goes_on_at_once() {
        assert_eq!(next(asked(State::Accepted, 600), &[HERE]), Next::Wait(600));
        assert_eq!(next(asked(State::Accepted, 1200), &[HERE]), Next::Escalate(0));
        assert_eq!(next(asked(State::Accepted, 1200), &[OFF]), Next::Wait(300), "better late than nobody");
        assert_eq!(next(asked(State::Declined, 0), &[HERE]), Next::Escalate(0));
        assert_eq!(next(asked(State::Declined, 0), &[OFF]), Next::Nobody);
        let tried = Member { tried: true, ..HERE };
        assert_eq!(next(asked(State::PassedOn, 10), &[tried, HERE]), Next::Wait(290), "back to the pool");
        assert_eq!(next(asked(State::PassedOn, 10), &[tried, OFF]), Next::Nobody, "nobody else is there");
        let by_name = Waiting { in_pool: false, ..asked(State::PassedOn, 10) };
        assert_eq!(next(by_name, &[tried]), Next::Wait(290));
        assert_eq!(next(asked(State::Answered, 1_000_000), &[HERE]), Next::Rest);
        assert_eq!(next(asked(State::AskedBack, EXPIRES), &[HERE]), Next::Expire);
    }

    proptest! {
        /// Whatever is decided, the table has that move for the HIE, and waiting is never for nothing.
        #[test]
        fn the_table_allows_what_is_decided(
            state in proptest::sample::select(State::ALL.to_vec()),
            urgency in proptest::sample::select(vec![Urgency::Emergency, Urgency::Urgent, Urgency::Routine]),
            in_pool: bool,
            since in 0..2_000_000_i64,
            before in 0..2_000_000_i64,
            tries in 0..5_u32,
            members in proptest::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 0..5),
        ) {
            let members: Vec<Member> = members
                .into_iter()
                .map(|(on_duty, reachable, tried)| Member { on_duty, reachable, tried })
                .collect();
            let ask = Waiting { state, urgency, in_pool, since, asked: since + before, tries };
            let system = crate::ask::Party::System;
            match next(ask, &members) {
                Next::Wait(seconds) => prop_assert!(seconds >= 1),
                Next::Escalate(i) => {
                    prop_assert!(members[i].on_duty && !members[i].tried);
                    prop_assert!(state.allows(State::Escalated, system), "{state:?}");
                }
                Next::Nobody => prop_assert!(state.allows(State::NobodyOnDuty, system), "{state:?}"),
                Next::Expire => prop_assert!(state.allows(State::Expired, system), "{state:?}"),
                Next::Rest => prop_assert!(!state.waits_for_specialist(), "{state:?}"),
            }
        }
    }
}
