//! What of a resource can be searched for.

use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::dates;

/// Search values of one resource.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// (parameter, value, system).
    pub tokens: Vec<(&'static str, String, String)>,
    /// (parameter, low, high) in milliseconds.
    pub dates: Vec<(&'static str, i64, i64)>,
}

/// Lower case, without marks (Arabic vowel signs too), and the Arabic-script letters that keyboards mix up made one.
pub fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| {
            !is_combining_mark(*c)
                && !matches!(c, '\u{200c}' | '\u{200d}' | '\u{200e}' | '\u{200f}' | '\u{640}')
        })
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ي' | 'ى' | 'ئ' => 'ی',
            'ك' => 'ک',
            'ه' | 'ۃ' | 'ة' | 'ھ' => 'ہ',
            'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
            'ؤ' => 'و',
            c => c,
        })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The digits of a telephone number, without the country's or the trunk prefix.
pub fn phone(text: &str) -> String {
    let digits: String =
        text.chars().filter_map(|c| c.to_digit(10)).filter_map(|d| char::from_digit(d, 10)).collect();
    for prefix in ["0092", "92", "0"] {
        if let Some(rest) = digits.strip_prefix(prefix)
            && rest.len() >= 7
        {
            return rest.to_owned();
        }
    }
    digits
}

/// The values to search `resource` by.
pub fn entries(resource: &Value) -> Entries {
    let mut out = Entries::default();
    let each = |value: &Value, f: &mut dyn FnMut(&Value)| match value {
        Value::Array(items) => items.iter().for_each(f),
        Value::Object(_) => f(value),
        _ => {}
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);

    if let Some(identifiers) = resource.get("identifier") {
        each(identifiers, &mut |i| {
            if let Some(value) = text(i, "value") {
                out.tokens.push(("identifier", value, text(i, "system").unwrap_or_default()));
            }
        });
    }
    if let Some(Value::Array(names)) = resource.get("name") {
        for name in names {
            let mut words = Vec::new();
            strings(name, &mut words);
            let mut folded: Vec<String> = Vec::new();
            for word in words {
                let whole = fold(word);
                folded.extend(whole.split(' ').map(str::to_owned));
                folded.push(whole);
            }
            folded.sort();
            folded.dedup();
            out.tokens
                .extend(folded.into_iter().filter(|w| !w.is_empty()).map(|w| ("name", w, String::new())));
        }
    }
    if let Some(telecom) = resource.get("telecom") {
        each(telecom, &mut |t| {
            if let Some(value) = text(t, "value") {
                out.tokens.push(("phone", phone(&value), text(t, "system").unwrap_or_default()));
            }
        });
    }
    for (param, element) in
        [("gender", "gender"), ("status", "status"), ("status", "lifecycleStatus"), ("intent", "intent")]
    {
        if let Some(code) = text(resource, element) {
            out.tokens.push((param, code, String::new()));
        }
    }
    for (param, element) in [
        ("status", "clinicalStatus"),
        ("code", "code"),
        ("code", "medicationCodeableConcept"),
        ("code", "vaccineCode"),
        ("code", "type"),
        ("category", "category"),
        ("business-status", "businessStatus"),
        ("class", "class"),
    ] {
        if let Some(concepts) = resource.get(element) {
            each(concepts, &mut |c| {
                codings(c, &mut |system, code| out.tokens.push((param, code.to_owned(), system.to_owned())));
            });
        }
    }
    for (param, element) in [
        ("patient", "subject"),
        ("patient", "patient"),
        ("patient", "for"),
        ("patient", "beneficiary"),
        ("encounter", "encounter"),
        ("encounter", "context"),
        ("owner", "owner"),
        ("focus", "focus"),
        ("based-on", "basedOn"),
        ("about", "about"),
        ("target", "target"),
        ("part-of", "partOf"),
    ] {
        if let Some(references) = resource.get(element) {
            each(references, &mut |r| {
                if let Some((kind, id)) = text(r, "reference")
                    .and_then(|r| r.split_once('/').map(|(t, i)| (t.to_owned(), i.to_owned())))
                {
                    let id = id.split('/').next().unwrap_or_default().to_owned();
                    if param != "patient" || kind == "Patient" {
                        out.tokens.push((param, id, kind));
                    }
                }
            });
        }
    }
    // Which Binary holds a picture or a document: its label is theirs.
    for id in super::labels::contents(resource) {
        out.tokens.push(("content", id, "Binary".into()));
    }
    // What the operator did.
    if let Some(subtypes) = resource.get("subtype").filter(|_| resource["resourceType"] == "AuditEvent") {
        each(subtypes, &mut |coding| {
            if text(coding, "system").as_deref() == Some(crate::audit::OPERATOR) {
                out.tokens.extend(
                    text(coding, "code").map(|code| ("subtype", code, crate::audit::OPERATOR.into())),
                );
            }
        });
    }
    // An AuditEvent's patient is among its entities.
    if let Some(Value::Array(entities)) = resource.get("entity") {
        for entity in entities {
            if let Some(id) = entity
                .pointer("/what/reference")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix("Patient/"))
            {
                out.tokens.push(("patient", id.to_owned(), "Patient".into()));
            }
        }
    }
    for (param, element) in [
        ("birthdate", "birthDate"),
        ("date", "effectiveDateTime"),
        ("date", "effectiveInstant"),
        ("date", "performedDateTime"),
        ("date", "occurrenceDateTime"),
        ("date", "onsetDateTime"),
        ("date", "authoredOn"),
        ("date", "date"),
        ("date", "recorded"),
        ("date", "sent"),
        ("date", "dateTime"),
        ("date", "recordedDate"),
        ("date", "issued"),
    ] {
        if let Some((low, high)) = text(resource, element).and_then(|d| dates::range(&d)) {
            out.dates.push((param, low, high));
        }
    }
    for element in ["period", "effectivePeriod", "performedPeriod", "occurrencePeriod"] {
        if let Some(period) = resource.get(element) {
            let bound = |name| text(period, name).and_then(|d| dates::range(&d));
            let (start, end) = (bound("start"), bound("end"));
            if start.is_some() || end.is_some() {
                out.dates.push(("date", start.map_or(i64::MIN, |r| r.0), end.map_or(i64::MAX, |r| r.1)));
            }
        }
    }
    out.tokens.sort();
    out.tokens.dedup();
    out.dates.sort_unstable();
    out.dates.dedup();
    out
}

fn codings<'a>(concept: &'a Value, f: &mut dyn FnMut(&'a str, &'a str)) {
    let one = |coding: &'a Value| {
        let code = coding.get("code").and_then(Value::as_str)?;
        Some((coding.get("system").and_then(Value::as_str).unwrap_or(""), code))
    };
    match concept.get("coding").and_then(Value::as_array) {
        Some(list) => list.iter().filter_map(one).for_each(|(s, c)| f(s, c)),
        None => {
            if let Some((s, c)) = one(concept) {
                f(s, c);
            }
        }
    }
}

/// All texts of a HumanName: the name itself and its variants in other scripts (extensions), without codes.
fn strings<'a>(value: &'a Value, out: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if !matches!(name.as_str(), "use" | "url" | "period" | "valueCode" | "id") {
                    strings(value, out);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|i| strings(i, out)),
        Value::String(text) => out.push(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patient_is_found_by_any_word_of_any_script() {
        let found = entries(&json!({
            "resourceType": "Patient",
            "name": [{"use": "official", "text": "Zöhra Bibi", "_text": {"extension": [{"url": "x", "valueString": "زُہرہ بی بی"}]}}],
            "telecom": [{"system": "phone", "value": "+92 300-1234567"}],
            "birthDate": "1990",
        }));
        let has = |param, value: &str| found.tokens.iter().any(|(p, v, _)| *p == param && v == value);
        assert!(
            has("name", "zohra") && has("name", "bibi") && has("name", "zohra bibi") && has("name", "زہرہ")
        );
        assert!(has("phone", "3001234567") && !has("name", "official"));
        assert_eq!(phone("0300 1234567"), "3001234567");
        assert_eq!(found.dates.len(), 1);
    }
}
