//! What a resource must be before it is stored: known, of the right structure, with references that can be right
//! and texts that a screen can show. Deliberately thin: profiles are the programs' business.

use serde_json::Value;
use time::{Date, Month};

use super::{kind, kinds::Kind};

/// One thing that is wrong. `text` names elements, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable.
    pub code: &'static str,
    pub text: String,
    /// Path of element names.
    pub path: String,
}

fn problem<T>(code: &'static str, text: impl Into<String>, path: &str) -> Result<T, Problem> {
    Err(Problem { code, text: text.into(), path: path.to_owned() })
}

/// The longest text of one element, in characters; a name's is [`NAME`], markup and data have their own.
const TEXT: usize = 20_000;
const NAME: usize = 1_000;
/// Base64 of an attachment or a Binary: 3 MB of content.
const DATA: usize = 4_000_000;
const XHTML: usize = 500_000;

/// Checks `resource`; `latest` is the latest date anywhere on Earth.
pub fn resource(resource: &Value, latest: Date) -> Result<&'static Kind, Problem> {
    let Value::Object(members) = resource else { return problem("structure", "a resource is an object", "") };
    let Some(name) = members.get("resourceType").and_then(Value::as_str) else {
        return problem("structure", "resourceType is missing", "resourceType");
    };
    let Some(kind) = kind(name) else {
        return problem("unknown-resource", "this server keeps no resources of that type", "resourceType");
    };
    if let Some(id) = members.get("id") {
        match id.as_str() {
            Some(id) if is_id(id) => {}
            _ => {
                return problem(
                    "id",
                    "an id is 1 to 64 letters, digits, dashes and dots, and not a person's number",
                    "id",
                );
            }
        }
    }
    for required in kind.required {
        if !has(members, required) {
            return problem("required", format!("{name}.{required} is required"), required);
        }
    }
    for (element, shape) in SHAPES {
        if let Some(value) = members.get(*element)
            && !shape.fits(value)
        {
            return problem("structure", format!("{name}.{element} must be {}", shape.words()), element);
        }
    }
    if let Some(element) = kind.patient
        && let Some(reference) = members.get(element).and_then(|s| s.get("reference"))
    {
        let text = reference.as_str().unwrap_or("");
        let group = matches!(element, "subject" | "patient")
            && ["Group/", "Device/", "Location/"].iter().any(|t| text.starts_with(t));
        if !(text.starts_with("Patient/") || text.starts_with("urn:uuid:") || group) {
            return problem("wrong-reference", format!("{name}.{element} must refer to a Patient"), element);
        }
    }
    if name == "Patient" {
        patient(members, latest)?;
    }
    walk(resource, &mut vec![name.to_owned()], 0)?;
    Ok(kind)
}

fn has(members: &serde_json::Map<String, Value>, required: &str) -> bool {
    match required.strip_suffix('x') {
        Some(choice) if required != "x" => members.keys().any(|k| k.starts_with(choice)),
        _ => members.get(required).is_some_and(|v| !v.is_null()),
    }
}

fn patient(members: &serde_json::Map<String, Value>, latest: Date) -> Result<(), Problem> {
    const ELEMENTS: [&str; 26] = [
        "resourceType",
        "id",
        "meta",
        "implicitRules",
        "language",
        "text",
        "contained",
        "extension",
        "modifierExtension",
        "identifier",
        "active",
        "name",
        "telecom",
        "gender",
        "birthDate",
        "deceasedBoolean",
        "deceasedDateTime",
        "address",
        "maritalStatus",
        "multipleBirthBoolean",
        "multipleBirthInteger",
        "photo",
        "contact",
        "communication",
        "generalPractitioner",
        "managingOrganization",
    ];
    if members.keys().any(|k| k != "link" && !ELEMENTS.contains(&k.trim_start_matches('_'))) {
        return problem("structure", "Patient has an element that R4 does not define", "Patient");
    }
    if let Some(gender) = members.get("gender")
        && !matches!(gender.as_str(), Some("male" | "female" | "other" | "unknown"))
    {
        return problem("code", "Patient.gender is male, female, other or unknown", "gender");
    }
    if let Some(born) = members.get("birthDate") {
        let Some(first) = born.as_str().and_then(first_day) else {
            return problem("date", "Patient.birthDate is not a date", "birthDate");
        };
        if first > latest {
            return problem("birth-date-future", "Patient.birthDate is in the future", "birthDate");
        }
        if first.year() < 1850 {
            return problem("date", "Patient.birthDate is before 1850", "birthDate");
        }
    }
    Ok(())
}

/// The first day that a FHIR `date` (`YYYY`, `YYYY-MM`, `YYYY-MM-DD`) may mean.
pub(crate) fn first_day(date: &str) -> Option<Date> {
    let mut parts = date.split('-');
    let number = |text: &str, digits: usize| {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u16>().ok())?
    };
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |m| number(m, 2))?;
    let day = parts.next().map_or(Some(1), |d| number(d, 2))?;
    if parts.next().is_some() {
        return None;
    }
    Date::from_calendar_date(i32::from(year), Month::try_from(month as u8).ok()?, day as u8).ok()
}

#[derive(Clone, Copy)]
enum Shape {
    Objects,
    Object,
    Text,
    Flag,
}

/// Elements that mean the same in every type that has them.
const SHAPES: &[(&str, Shape)] = &[
    ("identifier", Shape::Objects),
    ("extension", Shape::Objects),
    ("modifierExtension", Shape::Objects),
    ("contained", Shape::Objects),
    ("telecom", Shape::Objects),
    ("meta", Shape::Object),
    ("text", Shape::Object),
    ("subject", Shape::Object),
    ("encounter", Shape::Object),
    ("status", Shape::Text),
    ("birthDate", Shape::Text),
    ("gender", Shape::Text),
    ("language", Shape::Text),
    ("implicitRules", Shape::Text),
    ("active", Shape::Flag),
];

impl Shape {
    fn fits(self, value: &Value) -> bool {
        match self {
            // In Composition, Bundle and Consent an identifier is a single one.
            Self::Objects => {
                value.is_object() || value.as_array().is_some_and(|a| a.iter().all(Value::is_object))
            }
            Self::Object => value.is_object(),
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Object => "an object",
            Self::Text => "a text",
            Self::Flag => "true or false",
        }
    }
}

/// Every text and reference in the resource.
fn walk(value: &Value, path: &mut Vec<String>, depth: usize) -> Result<(), Problem> {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name.len() > 64 || name.chars().any(char::is_control) {
                    return problem("structure", "an element's name is not a name", &path.join("."));
                }
                path.push(name.clone());
                walk(value, path, depth + 1)?;
                path.pop();
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, path, depth + 1)),
        Value::String(text) => string(text, path),
        _ => Ok(()),
    }
}

fn string(text: &str, path: &[String]) -> Result<(), Problem> {
    let at = path.join(".");
    let element = path.last().map_or("", String::as_str);
    let parent = path.len().checked_sub(2).map_or("", |i| path[i].as_str());
    let most = match element {
        "data" => DATA,
        "div" => XHTML,
        "text" | "family" | "given" | "prefix" | "suffix" if parent == "name" => NAME,
        _ => TEXT,
    };
    // Bytes bound characters from above, so the count is only made where it may matter.
    if text.len() > most && text.chars().count() > most {
        return problem("too-long", format!("{at} is longer than {most} characters"), &at);
    }
    if element == "data" {
        return Ok(());
    }
    let one_line =
        parent == "name" || matches!(element, "id" | "reference" | "code" | "system" | "birthDate");
    let wrong = |c: char| c.is_control() && (one_line || !matches!(c, '\n' | '\r' | '\t'));
    if text.chars().any(wrong) {
        return problem("control-character", format!("{at} has a control character"), &at);
    }
    if element == "reference" && !is_reference(text) {
        return problem(
            "wrong-reference",
            format!("{at} is not a reference to something this server may have"),
            &at,
        );
    }
    Ok(())
}

/// A FHIR id (http://hl7.org/fhir/R4/datatypes.html#id). Thirteen digits are a CNIC, and eleven an MR number or a
/// phone: no id here is ever a person's number.
pub fn is_id(text: &str) -> bool {
    let ok = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let only_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'.');
    ok && !(only_number && digits >= 9 && text.parse::<rabta_wire::Id>().is_err())
}

/// `Type/id[/_history/n]`, `urn:uuid:…`, `#contained` or an absolute URL. A conditional reference is none: it would
/// put an identifier into a URL.
fn is_reference(text: &str) -> bool {
    if let Some(uuid) = text.strip_prefix("urn:uuid:") {
        return uuid.parse::<rabta_wire::Id>().is_ok();
    }
    if let Some(fragment) = text.strip_prefix('#') {
        return fragment.is_empty() || is_id(fragment);
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return !text.contains(['?', ' ', '"', '<', '>']);
    }
    let mut parts = text.split('/');
    let head = matches!((parts.next(), parts.next()), (Some(t), Some(id)) if kind(t).is_some() && is_id(id));
    head && match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => true,
        (Some("_history"), Some(version), None) => is_id(version),
        _ => false,
    }
}

/// The patient that a resource belongs to: its own id for a Patient, else the one its subject names.
pub fn patient_of(kind: &Kind, id: &str, value: &Value) -> Option<String> {
    if kind.name == "Patient" {
        return Some(id.to_owned());
    }
    let reference = value.get(kind.patient?)?.get("reference")?.as_str()?;
    Some(reference.strip_prefix("Patient/")?.split('/').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::date;

    use super::*;

    fn code(value: Value) -> Option<&'static str> {
        resource(&value, date!(2026 - 11 - 22)).err().map(|p| p.code)
    }

    #[test]
    fn what_is_wrong_is_told_by_a_stable_code() {
        let patient = |extra: Value| {
            let mut p = json!({"resourceType": "Patient"});
            p.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            code(p)
        };
        assert_eq!(code(json!({"resourceType": "Starship"})), Some("unknown-resource"));
        assert_eq!(code(json!({"resourceType": "Observation", "status": "final"})), Some("required"));
        assert_eq!(patient(json!({})), None);
        assert_eq!(patient(json!({"birthDate": "2026-11-22"})), None);
        assert_eq!(patient(json!({"birthDate": "2026-11-23"})), Some("birth-date-future"));
        assert_eq!(patient(json!({"birthDate": "2020-02-30"})), Some("date"));
        assert_eq!(patient(json!({"nam": []})), Some("structure"));
        assert_eq!(patient(json!({"name": [{"text": "a\u{0}b"}]})), Some("control-character"));
        assert_eq!(patient(json!({"name": [{"text": "a\u{1b}b"}]})), Some("control-character"));
        assert_eq!(patient(json!({"name": [{"text": "ن".repeat(300)}]})), None);
        assert_eq!(patient(json!({"name": [{"text": "ن".repeat(1001)}]})), Some("too-long"));
        assert_eq!(patient(json!({"id": "3520212345671"})), Some("id"));
        assert_eq!(patient(json!({"id": "35202-1234567-1"})), Some("id"));
        assert_eq!(
            patient(json!({"managingOrganization": {"reference": "Nonsense/1"}})),
            Some("wrong-reference")
        );
    }

    #[test]
    fn references_are_of_known_types_and_never_conditional() {
        for good in [
            "Patient/a",
            "Patient/a/_history/2",
            "urn:uuid:01020304-0506-4708-890a-0b0c0d0e0f10",
            "#x",
            "https://a.b/C/1",
        ] {
            assert!(is_reference(good), "{good}");
        }
        for bad in [
            "Patient",
            "Patient?identifier=x|35202",
            "Ship/1",
            "Patient/a/b",
            "urn:uuid:zz",
            "",
            "Patient/a b",
        ] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
