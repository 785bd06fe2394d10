//! Reading a dose as doctors write it: `1+0+1`, `1/2+0+1/2`, `BD`, `5 ml TDS`, `1 tab HS`, `2 puffs Q6H SOS`.

use super::MedicineLine;

/// A dose, read: how much, when, how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// What is taken at each moment of a day (or of a period).
    pub doses: Vec<(Moment, Amount)>,
    pub unit: DoseUnit,
    /// 1: daily, 2: every other day, 7: weekly.
    pub period_days: u32,
    /// `Q6H`: every so many hours; then `doses` holds one.
    pub every_hours: Option<u32>,
    /// SOS, PRN.
    pub as_needed: bool,
    /// Stat: now, once.
    pub once: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    Morning,
    Noon,
    Evening,
    Night,
    Bedtime,
    /// Once a day, whenever.
    AnyTime,
}

/// A positive number as people say it: halves, thirds and quarters stay exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    pub numerator: u32,
    pub denominator: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoseUnit {
    /// Tablets, capsules, sachets, injections, ...: by the line's form.
    Piece,
    Milliliter,
    /// 5 ml.
    Teaspoon,
    Milligram,
    Drop,
    Puff,
    /// International units.
    InternationalUnit,
    /// As much as covers it: creams.
    Application,
}

impl Amount {
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    fn new(numerator: u32, denominator: u32) -> Option<Self> {
        let gcd = |mut a: u32, mut b: u32| {
            while b != 0 {
                (a, b) = (b, a % b);
            }
            a
        };
        if denominator == 0 || numerator > 1_000_000 || denominator > 1000 {
            return None;
        }
        let by = gcd(numerator, denominator).max(1);
        Some(Self { numerator: numerator / by, denominator: denominator / by })
    }

    /// `2`, `0.5`, `1.25`, `1/2`, `1½`; zero is none.
    fn parse(text: &str) -> Option<Self> {
        for (sign, n, d) in [('½', 1, 2), ('¼', 1, 4), ('¾', 3, 4), ('⅓', 1, 3)] {
            if let Some(whole) = text.strip_suffix(sign) {
                let whole: u32 = if whole.is_empty() { 0 } else { small(whole)? };
                return Self::new(whole * d + n, d);
            }
        }
        if let Some((n, d)) = text.split_once('/') {
            return Self::new(small(n)?, small(d)?);
        }
        if let Some((whole, fraction)) = text.split_once('.') {
            if fraction.is_empty() || fraction.len() > 3 {
                return None;
            }
            let scale = 10_u32.pow(fraction.len() as u32);
            let whole = if whole.is_empty() { 0 } else { small(whole)? };
            return Self::new(whole * scale + small(fraction)?, scale);
        }
        Self::new(small(text)?, 1)
    }

    fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// As a decimal with at most three digits after the point.
    pub fn decimal(self) -> String {
        let thousandths = (u64::from(self.numerator) * 1000 + u64::from(self.denominator) / 2)
            / u64::from(self.denominator);
        let (whole, rest) = (thousandths / 1000, thousandths % 1000);
        let text = format!("{whole}.{rest:03}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    fn times(self, n: u32) -> Option<Self> {
        Self::new(self.numerator.checked_mul(n)?, self.denominator)
    }

    fn plus(self, other: Self) -> Option<Self> {
        let n = self
            .numerator
            .checked_mul(other.denominator)?
            .checked_add(other.numerator.checked_mul(self.denominator)?)?;
        Self::new(n, self.denominator.checked_mul(other.denominator)?)
    }
}

fn small(text: &str) -> Option<u32> {
    (!text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

impl DoseUnit {
    /// The UCUM unit, where there is one for it.
    pub fn ucum(self) -> Option<&'static str> {
        match self {
            Self::Milliliter | Self::Teaspoon => Some("mL"),
            Self::Milligram => Some("mg"),
            Self::Drop => Some("[drp]"),
            Self::InternationalUnit => Some("[iU]"),
            Self::Puff => Some("{puff}"),
            Self::Piece | Self::Application => None,
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "tab" | "tabs" | "tablet" | "tablets" | "cap" | "caps" | "capsule" | "capsules" | "sachet"
            | "sachets" | "inj" | "injection" | "injections" | "amp" | "ampoule" | "vial" | "supp"
            | "suppository" => Self::Piece,
            "ml" | "cc" => Self::Milliliter,
            "tsp" | "tsf" | "teaspoon" | "teaspoons" | "spoon" | "spoons" => Self::Teaspoon,
            "mg" => Self::Milligram,
            "drop" | "drops" | "gtt" => Self::Drop,
            "puff" | "puffs" => Self::Puff,
            "iu" | "unit" | "units" => Self::InternationalUnit,
            "apply" | "application" | "applications" | "local" | "la" => Self::Application,
            _ => return None,
        })
    }

    /// What a bare number counts for a form; `None` where it could be anything: "5 TDS" of a syrup.
    fn of_form(form: &str) -> Option<Self> {
        Some(match form {
            "tablet" | "capsule" | "sachet" | "injection" | "suppository" | "pessary" | "lozenge"
            | "patch" | "implant" | "infusion" => Self::Piece,
            "drops" | "eye drops" | "ear drops" => Self::Drop,
            "inhaler" => Self::Puff,
            "cream" | "ointment" | "eye ointment" | "gel" | "lotion" | "shampoo" => Self::Application,
            _ => return None,
        })
    }
}

/// How often, without the amount.
struct Often {
    moments: Vec<Moment>,
    period_days: u32,
    every_hours: Option<u32>,
}

impl Often {
    fn daily(moments: &[Moment]) -> Self {
        Self { moments: moments.to_vec(), period_days: 1, every_hours: None }
    }

    fn parse(word: &str) -> Option<Self> {
        use Moment::*;
        Some(match word {
            "od" | "qd" | "daily" | "once" => Self::daily(&[AnyTime]),
            "om" | "mane" | "morning" => Self::daily(&[Morning]),
            "on" | "night" => Self::daily(&[Night]),
            "hs" | "nocte" | "bedtime" => Self::daily(&[Bedtime]),
            "bd" | "bid" | "bds" | "twice" => Self::daily(&[Morning, Evening]),
            "tds" | "tid" | "thrice" => Self::daily(&[Morning, Noon, Night]),
            "qid" | "qds" => Self::daily(&[Morning, Noon, Evening, Night]),
            "weekly" => Self { moments: vec![AnyTime], period_days: 7, every_hours: None },
            "eod" | "alternate" => Self { moments: vec![AnyTime], period_days: 2, every_hours: None },
            _ => {
                let hours = word
                    .strip_prefix('q')
                    .and_then(|w| w.strip_suffix('h'))
                    .or_else(|| word.strip_suffix("hourly"))?;
                let hours = small(hours).filter(|h| (1..=48).contains(h))?;
                Self { moments: vec![AnyTime], period_days: 1, every_hours: Some(hours) }
            }
        })
    }
}

impl MedicineLine {
    /// The dose, read. `None` where it cannot be: then it must be written so that a patient can follow it.
    pub fn course(&self) -> Option<Course> {
        let text = plain(&self.dose);
        let mut unit = None;
        let mut doses: Option<Vec<(Moment, Amount)>> = None;
        let mut amount: Option<Amount> = None;
        let mut often: Option<Often> = None;
        let (mut as_needed, mut once) = (false, false);
        for word in text.split_whitespace() {
            if let Some(pattern) = slots(word) {
                if doses.replace(pattern?).is_some() {
                    return None;
                }
            } else if let Some(found) = Often::parse(word) {
                if often.replace(found).is_some() {
                    return None;
                }
            } else if matches!(word, "sos" | "prn") {
                as_needed = true;
            } else if matches!(word, "stat" | "now") {
                once = true;
            } else if let Some(found) = DoseUnit::parse(word) {
                if unit.replace(found).is_some_and(|before| before != found) {
                    return None;
                }
            } else if matches!(word, "a" | "day" | "days" | "x" | "of" | "times" | "at") {
                // "twice a day", "alternate days"
            } else {
                let found = Amount::parse(word).filter(|a| !a.is_zero())?;
                // "1 1/2"
                amount = Some(match amount {
                    None => found,
                    Some(whole) if whole.denominator == 1 && found.denominator > 1 && doses.is_none() => {
                        whole.plus(found)?
                    }
                    Some(_) => return None,
                });
            }
        }
        let unit = unit.or_else(|| DoseUnit::of_form(&self.form))?;
        let often = match (often, as_needed || once) {
            (Some(often), _) => Some(often),
            (None, true) => Some(Often::daily(&[Moment::AnyTime])),
            (None, false) => None,
        };
        let (doses, period_days, every_hours) = match (doses, often) {
            // "1+0+1 BD" says it twice: only the pattern with SOS or weekly adds to it.
            (Some(doses), None) if amount.is_none() => (doses, 1, None),
            (Some(doses), Some(_)) if amount.is_none() && as_needed => (doses, 1, None),
            (None, Some(often)) => {
                let amount = match (amount, unit) {
                    (Some(amount), _) => amount,
                    (None, DoseUnit::Piece | DoseUnit::Application) => Amount::ONE,
                    // How many drops, puffs, ml?
                    (None, _) => return None,
                };
                (
                    often.moments.into_iter().map(|m| (m, amount)).collect(),
                    often.period_days,
                    often.every_hours,
                )
            }
            _ => return None,
        };
        Some(Course { doses, unit, period_days, every_hours, as_needed, once })
    }
}

impl Course {
    /// The moments of each different amount, in the order of the day.
    pub fn by_amount(&self) -> Vec<(Amount, Vec<Moment>)> {
        let mut all: Vec<(Amount, Vec<Moment>)> = Vec::new();
        for (moment, amount) in &self.doses {
            match all.iter_mut().find(|(a, _)| a == amount) {
                Some((_, moments)) => moments.push(*moment),
                None => all.push((*amount, vec![*moment])),
            }
        }
        all
    }

    /// How much `days` days take: pieces, or in the unit's UCUM (teaspoons as ml). `None` for what is taken as
    /// needed, for creams, and without days.
    pub fn total(&self, days: u16) -> Option<Amount> {
        let spoon = if self.unit == DoseUnit::Teaspoon { 5 } else { 1 };
        if self.unit == DoseUnit::Application || self.as_needed {
            return None;
        }
        let mut dose = Amount::new(0, 1)?;
        for (_, amount) in &self.doses {
            dose = dose.plus(*amount)?;
        }
        let times = match (self.once, self.every_hours) {
            (true, _) => 1,
            _ if days == 0 => return None,
            (_, Some(hours)) => (u32::from(days) * 24).div_ceil(hours),
            _ => u32::from(days).div_ceil(self.period_days),
        };
        dose.times(times)?.times(spoon)
    }
}

/// Lower case, Latin digits, units set off from their numbers.
fn plain(dose: &str) -> String {
    let mut out = String::with_capacity(dose.len() + 8);
    let mut last = ' ';
    for c in dose.chars() {
        let c = match c {
            '\u{6f0}'..='\u{6f9}' => char::from_digit(c as u32 - 0x6f0, 10).unwrap_or(c),
            '\u{660}'..='\u{669}' => char::from_digit(c as u32 - 0x660, 10).unwrap_or(c),
            '\u{2013}' | '\u{2212}' => '-',
            '×' => 'x',
            ',' | ';' | '(' | ')' => ' ',
            c => c.to_lowercase().next().unwrap_or(c),
        };
        // "5ml", but not "q6h" or "6hourly".
        if c.is_ascii_alphabetic() && c != 'h' && last.is_ascii_digit() {
            out.push(' ');
        }
        out.push(c);
        last = c;
    }
    for (long, short) in [
        (" hourly", "hourly"),
        ("every other", "alternate"),
        ("t.d.s", "tds"),
        ("b.d", "bd"),
        ("o.d", "od"),
        ("q.i.d", "qid"),
        ("s.o.s", "sos"),
        ("h.s", "hs"),
    ] {
        out = out.replace(long, short);
    }
    // "1 + 0 + 1", "bd."
    let tight = out.replace(" + ", "+").replace("+ ", "+").replace(" +", "+");
    tight.split_whitespace().map(|w| w.strip_suffix('.').unwrap_or(w)).collect::<Vec<_>>().join(" ")
}

/// `1+0+1` and `1-0-1`: `None` where `word` is no such pattern, `Some(None)` where it is a wrong one.
fn slots(word: &str) -> Option<Option<Vec<(Moment, Amount)>>> {
    use Moment::*;
    let separator = if word.contains('+') {
        '+'
    } else if word.contains('-') && word.starts_with(|c: char| c.is_ascii_digit()) {
        '-'
    } else {
        return None;
    };
    let parts: Vec<&str> = word.split(separator).collect();
    let moments: &[Moment] = match parts.len() {
        2 => &[Morning, Night],
        3 => &[Morning, Noon, Night],
        4 => &[Morning, Noon, Evening, Night],
        _ => return Some(None),
    };
    let mut all = Vec::new();
    for (moment, part) in moments.iter().zip(parts) {
        let Some(amount) = Amount::parse(part) else { return Some(None) };
        if !amount.is_zero() {
            all.push((*moment, amount));
        }
    }
    Some((!all.is_empty()).then_some(all))
}
