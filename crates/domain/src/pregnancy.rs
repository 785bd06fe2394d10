//! Weeks and due date from the last menstrual period.

use time::{Date, Duration};

/// From when on a pregnancy is over, whatever the record says: 42 completed weeks are post-term (WHO), two more
/// for a period that was remembered wrong.
pub const LONGEST_WEEKS: u8 = 44;

/// Completed weeks on `today`; `None` where the period lies ahead or so far back that the child is born.
pub fn weeks(lmp: Date, today: Date) -> Option<u8> {
    let days = (today - lmp).whole_days();
    let weeks = u8::try_from(days.div_euclid(7)).ok()?;
    (days >= 0 && weeks < LONGEST_WEEKS).then_some(weeks)
}

/// Completed weeks on `today` of one who was `then` weeks pregnant on `day`.
pub fn weeks_later(then: u8, day: Date, today: Date) -> Option<u8> {
    weeks(day.checked_sub(Duration::weeks(i64::from(then)))?, today)
}

/// The estimated day of delivery: 280 days after the last period began (Naegele).
pub fn due(lmp: Date) -> Option<Date> {
    lmp.checked_add(Duration::days(280))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn weeks_are_completed_weeks_and_end_with_the_birth() {
        let lmp = date!(2026 - 01 - 01);
        assert_eq!(weeks(lmp, date!(2026 - 01 - 07)), Some(0));
        assert_eq!(weeks(lmp, date!(2026 - 01 - 08)), Some(1));
        assert_eq!(weeks(lmp, date!(2026 - 10 - 08)), Some(40));
        assert_eq!(weeks(lmp, date!(2026 - 12 - 31)), None);
        assert_eq!(weeks(lmp, date!(2025 - 12 - 31)), None);
        assert_eq!(due(lmp), Some(date!(2026 - 10 - 08)));
        assert_eq!(weeks_later(24, date!(2026 - 06 - 01), date!(2026 - 06 - 15)), Some(26));
    }
}
