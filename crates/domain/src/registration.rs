//! What stops a registration, what asks, and phone numbers in one form.

use time::Date;

use crate::{
    age::{AgeSaid, Said},
    paper::{cnic_sex_differs, normalize_cnic},
    patient::Registration,
    visit::Finding,
};

/// The most characters that a name may have.
pub const NAME_MAX: usize = 300;

/// The oldest age that is not a slip: the oldest person on record reached 122.
const OLDEST_YEARS: i32 = 125;

/// Findings in the form's order. Codes are stable: `name-missing`, `name-too-long`, `name-control`, `name-no-letter`,
/// `relation-name`, `age-missing`, `born-in-the-future`, `age-impossible`, `age-in-months`, `age-bounds`,
/// `phone-unreadable`, `village-missing`, `cnic-unreadable`, `cnic-sex`, `cnic-is-guardians`, `paper-empty`,
/// `paper-expired`, `guardian-missing`, `text-control`, `text-too-long`.
pub fn check(form: &Registration, today: Date) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut add = |code: &str, field: &str, stops: bool| {
        all.push(Finding { code: code.to_owned(), field: field.to_owned(), stops });
    };
    name(&form.name, "name", &mut add);
    if let Some(other) = form.name_other_script.as_ref().filter(|n| !n.trim().is_empty()) {
        name(other, "name_other_script", &mut add);
    }
    if let Some(relation) = &form.relation {
        match relation.name.trim().is_empty() {
            true => add("relation-name", "relation", true),
            false => name(&relation.name, "relation", &mut add),
        }
    }
    match &form.age {
        None => add("age-missing", "age", false),
        Some(said) => age(said, today, &mut add),
    }
    for (n, phone) in form.phones.iter().enumerate() {
        if normalize_phone(&phone.number).is_none() {
            add("phone-unreadable", &format!("phones.{n}"), true);
        }
    }
    if form.place.text.trim().is_empty() && form.place.id.is_none() {
        add("village-missing", "place", false);
    }
    for text in [&form.place.text, &form.place.landmark] {
        line(text, "place", &mut add);
    }
    papers(form, today, &mut add);
    guardian(form, today, &mut add);
    all
}

fn name(text: &str, field: &str, add: &mut impl FnMut(&str, &str, bool)) {
    if text.trim().is_empty() {
        return add("name-missing", field, true);
    }
    if text.chars().count() > NAME_MAX {
        add("name-too-long", field, true);
    }
    if text.chars().any(is_forbidden) {
        add("name-control", field, true);
    }
    if !text.chars().any(char::is_alphabetic) {
        add("name-no-letter", field, true);
    }
}

fn line(text: &str, field: &str, add: &mut impl FnMut(&str, &str, bool)) {
    if text.chars().any(is_forbidden) {
        add("text-control", field, true);
    }
    if text.chars().count() > NAME_MAX {
        add("text-too-long", field, true);
    }
}

/// Control characters, and those that make text read other than it is stored: bidirectional overrides and
/// isolates (UAX #9), invisible tags. The joiners that Urdu needs (ZWNJ, ZWJ) and the plain marks are fine.
pub fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn age(said: &AgeSaid, today: Date, add: &mut impl FnMut(&str, &str, bool)) {
    let born = said.born();
    if let Said::Event { from_year, to_year, .. } = said.said {
        if from_year > to_year {
            add("age-bounds", "age", true);
        }
    }
    let years_said = match said.said {
        Said::Years { n } => i32::from(n),
        Said::Months { n } => i32::from(n) / 12,
        Said::Weeks { n } => i32::from(n) / 52,
        Said::Days { n } => i32::from(n) / 365,
        _ => 0,
    };
    let year_ahead = matches!(said.said, Said::BirthYear { year } if year > today.year());
    if years_said > OLDEST_YEARS || today.year() - born.latest.year() > OLDEST_YEARS {
        add("age-impossible", "age", true);
    } else if born.earliest > today || year_ahead || said.on > today {
        add("born-in-the-future", "age", true);
    }
    // Under five, doses and growth need months (CLINIC.md, Identity).
    let years_only = matches!(said.said, Said::Years { .. } | Said::BirthYear { .. });
    if years_only && born.months_on(today).0 < 60 {
        add("age-in-months", "age", false);
    }
}

fn papers(form: &Registration, today: Date, add: &mut impl FnMut(&str, &str, bool)) {
    for (n, paper) in form.papers.iter().enumerate() {
        let field = format!("papers.{n}");
        if paper.number.trim().is_empty() {
            add("paper-empty", &field, true);
            continue;
        }
        line(&paper.number, &field, add);
        if matches!(paper.kind.as_str(), "cnic" | "b-form" | "nicop") {
            match normalize_cnic(&paper.number) {
                None => add("cnic-unreadable", &field, true),
                Some(cnic) if cnic_sex_differs(&cnic, form.sex) => add("cnic-sex", &field, false),
                Some(_) => {}
            }
            let guardians = form.guardian.as_ref().and_then(|g| g.cnic.as_ref());
            if guardians.is_some_and(|g| normalize_cnic(g) == normalize_cnic(&paper.number)) {
                add("cnic-is-guardians", &field, true);
            }
        }
        if paper.expires.is_some_and(|day| day < today) {
            add("paper-expired", &field, false);
        }
    }
}

fn guardian(form: &Registration, today: Date, add: &mut impl FnMut(&str, &str, bool)) {
    match &form.guardian {
        Some(guardian) => {
            name(&guardian.name, "guardian", add);
            if guardian.cnic.as_ref().is_some_and(|c| normalize_cnic(c).is_none()) {
                add("cnic-unreadable", "guardian", true);
            }
            if guardian.phone.as_ref().is_some_and(|p| normalize_phone(p).is_none()) {
                add("phone-unreadable", "guardian", true);
            }
        }
        None => {
            let minor = form.age.as_ref().is_some_and(|a| a.born().months_on(today).1 < 18 * 12);
            if minor && form.newborn_of.is_none() {
                add("guardian-missing", "guardian", false);
            }
        }
    }
}

/// A phone number as typed, to `03001234567` for Pakistan's mobiles, `0XXX...` for its landlines, `+...` for other
/// countries'. `None` where it is none.
pub fn normalize_phone(text: &str) -> Option<String> {
    let mut digits = String::new();
    let mut plus = false;
    for (n, c) in text.trim().chars().enumerate() {
        match c {
            '+' if n == 0 => plus = true,
            '0'..='9' => digits.push(c),
            '\u{6f0}'..='\u{6f9}' => digits.push(char::from_digit(c as u32 - 0x6f0, 10)?),
            '\u{660}'..='\u{669}' => digits.push(char::from_digit(c as u32 - 0x660, 10)?),
            ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}' | '\u{2011}' => {}
            _ => return None,
        }
    }
    let (international, national) = match (plus, digits.strip_prefix("00")) {
        (true, _) => (Some(digits.as_str()), None),
        (false, Some(rest)) => (Some(rest), None),
        (false, None) => (None, Some(digits.as_str())),
    };
    let pakistans = international.and_then(|i| i.strip_prefix("92")).or_else(|| {
        // "923001234567" and "3001234567", as phones show them.
        let national = national?;
        national
            .strip_prefix("92")
            .filter(|rest| rest.len() == 10)
            .or((national.len() == 10 && national.starts_with('3')).then_some(national))
    });
    if let Some(rest) = pakistans {
        let rest = rest.strip_prefix('0').unwrap_or(rest);
        return local(&format!("0{rest}"));
    }
    match (international, national) {
        // ITU-T E.164: at most 15 digits.
        (Some(number), _) if (8..=15).contains(&number.len()) && !number.starts_with('0') => {
            Some(format!("+{number}"))
        }
        (_, Some(number)) => local(number),
        _ => None,
    }
}

/// A national number with its trunk 0: mobiles have 11 digits from 03, landlines 10 or 11.
fn local(number: &str) -> Option<String> {
    let mobile = number.starts_with("03");
    let fits = number.starts_with('0')
        && !number.starts_with("00")
        && if mobile { number.len() == 11 } else { matches!(number.len(), 9..=11) };
    fits.then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        paper::{Assurance, Paper},
        patient::{Guardian, Phone, Place, Sex},
    };
    use time::macros::date;

    const TODAY: Date = date!(2026 - 11 - 22);

    fn ayesha() -> Registration {
        Registration {
            name: "Ayesha Bibi".into(),
            sex: Sex::Female,
            age: Some(AgeSaid { said: Said::Years { n: 34 }, on: TODAY, by: "patient".into() }),
            place: Place { id: None, text: "Chak 12".into(), landmark: "".into() },
            ..Registration::default()
        }
    }

    fn codes(form: &Registration) -> Vec<(String, bool)> {
        check(form, TODAY).into_iter().map(|f| (f.code, f.stops)).collect()
    }

    fn one(code: &str, stops: bool) -> Vec<(String, bool)> {
        vec![(code.to_owned(), stops)]
    }

    #[test]
    fn a_plain_registration_has_nothing_wrong() {
        assert_eq!(codes(&ayesha()), []);
        let urdu = Registration { name: "عائشہ\u{200c}بی بی".into(), ..ayesha() };
        assert_eq!(codes(&urdu), []);
    }

    #[test]
    fn names_are_one_to_three_hundred_characters_and_read_as_stored() {
        let named = |name: &str| codes(&Registration { name: name.into(), ..ayesha() });
        assert_eq!(named(&"ع".repeat(300)), []);
        assert_eq!(named(&"ع".repeat(301)), one("name-too-long", true));
        assert_eq!(named("  "), one("name-missing", true));
        assert_eq!(named("Ay\u{0}esha"), one("name-control", true));
        assert_eq!(named("Ayesha\u{202e}ibiB"), one("name-control", true));
        assert_eq!(named("12345"), one("name-no-letter", true));
    }

    #[test]
    fn nobody_is_born_tomorrow_or_two_centuries_ago() {
        let aged = |said: Said| {
            codes(&Registration {
                age: Some(AgeSaid { said, on: TODAY, by: String::new() }),
                guardian: None,
                ..ayesha()
            })
        };
        assert_eq!(
            aged(Said::BirthDate { date: date!(2026 - 11 - 23) })[0],
            ("born-in-the-future".into(), true)
        );
        assert_eq!(aged(Said::BirthYear { year: 2027 })[0], ("born-in-the-future".into(), true));
        assert_eq!(aged(Said::Years { n: 150 }), one("age-impossible", true));
        assert!(aged(Said::Years { n: u16::MAX }).contains(&("age-impossible".into(), true)));
        assert_eq!(aged(Said::Years { n: 110 }), []);
        assert!(aged(Said::Years { n: 3 }).contains(&("age-in-months".into(), false)));
        assert!(aged(Said::Months { n: 40 }).iter().all(|(code, _)| code != "age-in-months"));
    }

    #[test]
    fn a_cnic_is_checked_and_never_the_guardians() {
        let mut form = ayesha();
        let paper = |number: &str| Paper {
            kind: "cnic".into(),
            number: number.into(),
            assurance: Assurance::Stated,
            issuer: None,
            expires: None,
        };
        form.papers = vec![paper("35202-1234567-1")];
        assert_eq!(codes(&form), one("cnic-sex", false));
        form.papers = vec![paper("35202-1234567")];
        assert_eq!(codes(&form), one("cnic-unreadable", true));
        form.papers = vec![paper("3520212345672")];
        form.guardian = Some(Guardian {
            name: "Akram".into(),
            relation: "HUSB".into(),
            cnic: Some("35202-1234567-2".into()),
            phone: None,
        });
        assert_eq!(codes(&form), one("cnic-is-guardians", true));
    }

    #[test]
    fn phones_are_normalized() {
        for (typed, stored) in [
            ("0300 1234567", Some("03001234567")),
            ("+92 300 1234567", Some("03001234567")),
            ("0092-300-1234567", Some("03001234567")),
            ("923001234567", Some("03001234567")),
            ("3001234567", Some("03001234567")),
            ("+92 (0)300 1234567", Some("03001234567")),
            ("۰۳۰۰۱۲۳۴۵۶۷", Some("03001234567")),
            ("042-35761234", Some("04235761234")),
            ("+44 20 7946 0958", Some("+442079460958")),
            ("0300 123456", None),
            ("12345", None),
            ("call Akram", None),
            ("", None),
        ] {
            assert_eq!(normalize_phone(typed).as_deref(), stored, "{typed}");
        }
        let form =
            Registration { phones: vec![Phone { number: "0300".into(), ..Phone::default() }], ..ayesha() };
        assert_eq!(codes(&form), one("phone-unreadable", true));
    }
}
