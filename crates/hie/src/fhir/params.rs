//! Search parameters: what each means, and which of them name a person.

use axum::http::StatusCode;

use crate::web::ApiError;

/// `application/x-www-form-urlencoded` as pairs.
pub fn form(bytes: &[u8]) -> Vec<(String, String)> {
    bytes
        .split(|b| *b == b'&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let mut halves = part.splitn(2, |b| *b == b'=');
            (decode(halves.next().unwrap_or_default()), decode(halves.next().unwrap_or_default()))
        })
        .collect()
}

fn decode(part: &[u8]) -> String {
    let (mut out, mut at) = (Vec::with_capacity(part.len()), 0);
    while at < part.len() {
        let hex = |b: Option<&u8>| b.and_then(|b| (*b as char).to_digit(16));
        match (part[at], hex(part.get(at + 1)), hex(part.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            (b, ..) => out.push(b),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Parameters whose value names a person: never in a URL.
const PERSONAL: [&str; 14] = [
    "name",
    "family",
    "given",
    "identifier",
    "phone",
    "email",
    "telecom",
    "birthdate",
    "phonetic",
    "address",
    "address-city",
    "address-postalcode",
    "address-state",
    "death-date",
];

/// Refuses a GET that names somebody, and points to POST.
pub fn refuse_personal(params: &[(String, String)]) -> Result<(), ApiError> {
    let names_somebody = |param: &str| {
        param.split(['.', ':']).any(|part| PERSONAL.contains(&part) || part.starts_with("address"))
    };
    if params.iter().any(|(name, _)| names_somebody(name)) {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "search-by-post",
            "a search by name, identifier, phone or birth date would leave them in the logs of every machine on the way; \
             send the same parameters by POST to [type]/_search",
        ));
    }
    Ok(())
}

/// How a parameter is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Ids(Vec<String>),
    /// Any of (system, value); no system means any, an empty one means none.
    Tokens {
        param: &'static str,
        any: Vec<(Option<String>, String)>,
    },
    /// Each word the start of a word, or the whole the start of the whole.
    Strings {
        param: &'static str,
        any: Vec<String>,
    },
    Dates {
        param: &'static str,
        op: Op,
        low: i64,
        high: i64,
    },
    LastUpdated {
        op: Op,
        low: i64,
        high: i64,
    },
}

/// http://hl7.org/fhir/R4/search.html#prefix
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Id,
    Oldest,
    Newest,
}

/// A search, understood.
#[derive(Debug, Clone)]
pub struct Search {
    pub kind: &'static str,
    pub conditions: Vec<Condition>,
    pub count: usize,
    pub sort: Sort,
    /// `_summary=count` or `_count=0`.
    pub only_total: bool,
}

/// Entries in a page, if not asked otherwise, and at most.
const COUNT: usize = 50;
const MOST: usize = 500;

/// Token parameters: (name, types that have it; none means all).
const TOKENS: [(&str, &[&str]); 16] = [
    ("identifier", &[]),
    ("phone", &["Patient", "RelatedPerson", "Practitioner"]),
    ("gender", &["Patient", "RelatedPerson", "Practitioner"]),
    ("code", &[]),
    ("category", &[]),
    ("status", &[]),
    ("intent", &[]),
    ("class", &["Encounter"]),
    ("business-status", &["Task"]),
    ("encounter", &[]),
    ("owner", &["Task"]),
    ("focus", &["Task"]),
    ("based-on", &[]),
    ("about", &["Communication"]),
    ("target", &["Provenance"]),
    ("part-of", &[]),
];

/// Understands the parameters of a search over `kind`. One that is not known is refused: leaving it out would find
/// more than was asked for.
pub fn search(kind: &'static str, params: &[(String, String)]) -> Result<Search, ApiError> {
    let mut search = Search { kind, conditions: Vec::new(), count: COUNT, sort: Sort::Id, only_total: false };
    for (name, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
        let values = || value.split(',').map(str::to_owned);
        match name.as_str() {
            "_format" | "_pretty" | "_total" => {}
            "_count" => {
                let count: usize = value.parse().map_err(|_| wrong(name))?;
                search.only_total |= count == 0;
                search.count = count.clamp(1, MOST);
            }
            "_summary" if value == "count" => search.only_total = true,
            "_summary" if value == "false" => {}
            "_sort" => {
                search.sort = match value.as_str() {
                    "_id" => Sort::Id,
                    "_lastUpdated" => Sort::Oldest,
                    "-_lastUpdated" => Sort::Newest,
                    _ => return Err(wrong(name)),
                }
            }
            "_id" => search.conditions.push(Condition::Ids(values().collect())),
            "_lastUpdated" => {
                let (op, (low, high)) = date(value).ok_or_else(|| wrong(name))?;
                search.conditions.push(Condition::LastUpdated { op, low, high });
            }
            "name" | "family" | "given" if has_names(kind) => {
                search.conditions.push(Condition::Strings {
                    param: "name",
                    any: values().map(|v| super::fold(&v)).collect(),
                });
            }
            "birthdate" if matches!(kind, "Patient" | "RelatedPerson") => {
                search.conditions.push(dates("birthdate", name, value)?)
            }
            "date" | "authored-on" | "authored" | "recorded-date" | "onset-date" | "sent"
                if kind != "Patient" =>
            {
                search.conditions.push(dates("date", name, value)?);
            }
            "patient" | "subject" | "beneficiary" | "for" if kind != "Patient" => {
                let any = values().map(|v| {
                    (Some("Patient".to_owned()), v.strip_prefix("Patient/").unwrap_or(&v).to_owned())
                });
                search.conditions.push(Condition::Tokens { param: "patient", any: any.collect() });
            }
            "telecom" if has_names(kind) => search.conditions.push(token("phone", value)),
            _ => {
                let known =
                    TOKENS.iter().find(|(n, kinds)| n == name && (kinds.is_empty() || kinds.contains(&kind)));
                let (param, _) = known.ok_or_else(|| {
                    ApiError::bad(
                        "unknown-parameter",
                        format!("{kind} cannot be searched by one of the parameters given"),
                    )
                })?;
                search.conditions.push(token(param, value));
            }
        }
    }
    Ok(search)
}

fn has_names(kind: &str) -> bool {
    matches!(kind, "Patient" | "RelatedPerson" | "Practitioner")
}

fn wrong(name: &str) -> ApiError {
    ApiError::bad("parameter", format!("the value of {name} is not one that this server understands"))
}

fn token(param: &'static str, value: &str) -> Condition {
    let one = |text: &str| {
        let (system, code) = match text.split_once('|') {
            Some((system, code)) => (Some(system.to_owned()), code.to_owned()),
            None => (None, text.to_owned()),
        };
        match param {
            "phone" => (None, super::index::phone(&code)),
            "encounter" | "owner" | "focus" | "based-on" | "about" | "target" | "part-of" => {
                match text.split_once('/') {
                    Some((kind, id)) => (Some(kind.to_owned()), id.to_owned()),
                    None => (None, code),
                }
            }
            _ => (system, code),
        }
    };
    Condition::Tokens { param, any: value.split(',').map(one).collect() }
}

fn dates(param: &'static str, name: &str, value: &str) -> Result<Condition, ApiError> {
    let (op, (low, high)) = date(value).ok_or_else(|| wrong(name))?;
    Ok(Condition::Dates { param, op, low, high })
}

fn date(value: &str) -> Option<(Op, (i64, i64))> {
    let (op, rest) = match value.get(..2) {
        Some("eq") => (Op::Eq, &value[2..]),
        Some("ne") => (Op::Ne, &value[2..]),
        Some("lt") => (Op::Lt, &value[2..]),
        Some("le") => (Op::Le, &value[2..]),
        Some("gt") => (Op::Gt, &value[2..]),
        Some("ge") => (Op::Ge, &value[2..]),
        _ => (Op::Eq, value),
    };
    Some((op, super::dates::range(rest)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let read = form("name=%D8%B2%DB%81%D8%B1%DB%81+bibi&x=%zz&&flag".as_bytes());
        assert_eq!(read[0], ("name".into(), "زہرہ bibi".into()));
        assert_eq!(read[1], ("x".into(), "%zz".into()));
        assert_eq!(read[2], ("flag".into(), String::new()));
    }

    #[test]
    fn no_disguise_of_a_persons_name_passes_in_a_url() {
        for name in [
            "name",
            "name:contains",
            "patient.identifier",
            "subject:Patient.birthdate",
            "address-district",
            "given",
        ] {
            assert!(refuse_personal(&[(name.into(), "x".into())]).is_err(), "{name}");
        }
        for name in ["_id", "patient", "code", "date", "_lastUpdated"] {
            assert!(refuse_personal(&[(name.into(), "x".into())]).is_ok(), "{name}");
        }
    }
}
