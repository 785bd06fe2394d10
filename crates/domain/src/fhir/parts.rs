//! The pieces that several resources share: codes, references, extensions, sections with a narrative.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::{
    Decimal, dates,
    json::{Json, arr, obj},
    urls,
};

/// When something is made: the device's clock, and the local day that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub at: OffsetDateTime,
    pub today: Date,
}

impl Stamp {
    /// The day is that of `at` in its own offset.
    pub fn new(at: OffsetDateTime) -> Self {
        Self { at, today: at.date() }
    }

    pub(crate) fn instant(&self) -> String {
        dates::instant(self.at)
    }
}

/// Gives a new UUID at each call.
pub type NewId<'a> = &'a mut dyn FnMut() -> String;

/// The clinician who writes, as the HIE certified them. Not private: it stands on every print.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Signer {
    /// Practitioner id.
    pub id: String,
    pub name: String,
    /// doctor, lhv, nurse, specialist, ...
    pub role: String,
    /// PMDC number; empty for those who have none.
    pub registration: String,
    /// "MBBS, FCPS"; empty where not known.
    pub qualification: String,
}

/// A facility: an Organization of the HIE.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facility {
    /// Organization id.
    pub id: String,
    pub name: String,
}

pub(crate) fn coding(system: &str, code: &str) -> Json {
    obj! { "system": system, "code": code }
}

pub(crate) fn coding_named(system: &str, code: &str, display: &str) -> Json {
    obj! { "system": system, "code": code, "display": display }
}

/// A CodeableConcept of one coding.
pub(crate) fn concept(system: &str, code: &str, display: &str) -> Json {
    obj! { "coding": arr![coding_named(system, code, display)] }
}

/// A CodeableConcept in words.
pub(crate) fn words(text: &str) -> Json {
    obj! { "text": text }
}

pub(crate) fn reference(resource_type: &str, id: &str) -> Json {
    if id.is_empty() {
        Json::Null
    } else {
        obj! { "reference": format!("{resource_type}/{id}") }
    }
}

/// The id that a reference at `path` to `resource_type` points to.
pub(crate) fn referenced<'a>(json: &'a Json, path: &str, resource_type: &str) -> Option<&'a str> {
    json.at(path).opt("reference")?.strip_prefix(resource_type)?.strip_prefix('/')?.split('/').next()
}

pub(crate) fn signer(signer: &Signer) -> Json {
    let identifier = if signer.registration.is_empty() {
        Json::Null
    } else {
        obj! {
            "type": concept(urls::V2_0203, "MD", ""),
            "system": urls::PMDC,
            "value": &signer.registration,
        }
    };
    // The HIE moves an ask, too, and is no person.
    let person = if signer.id.is_empty() { Json::Null } else { format!("Practitioner/{}", signer.id).into() };
    obj! { "reference": person, "identifier": identifier, "display": &signer.name }
}

pub(crate) fn read_signer(json: &Json) -> Signer {
    Signer {
        id: json.str("reference").strip_prefix("Practitioner/").unwrap_or_default().to_owned(),
        name: json.str("display").to_owned(),
        registration: json.str("identifier.value").to_owned(),
        ..Signer::default()
    }
}

pub(crate) fn facility(facility: &Facility) -> Json {
    obj! { "reference": format!("Organization/{}", facility.id), "display": &facility.name }
}

pub(crate) fn read_facility(json: &Json) -> Facility {
    Facility {
        id: json.str("reference").strip_prefix("Organization/").unwrap_or_default().to_owned(),
        name: json.str("display").to_owned(),
    }
}

/// An extension with a simple value: `key` is `valueCode`, `valueString`, ... Nothing where the value is nothing.
pub(crate) fn ext(url: &str, key: &'static str, value: impl Into<Json>) -> Json {
    let value = value.into();
    if value.is_nothing() { Json::Null } else { super::json::object(vec![("url", url.into()), (key, value)]) }
}

/// An extension made of others. Nothing where they are.
pub(crate) fn ext_of(url: &str, parts: Vec<Json>) -> Json {
    let parts = Json::from(parts);
    if parts.is_nothing() {
        Json::Null
    } else {
        obj! { "url": url, "extension": parts }
    }
}

/// The text of a code-like extension's value.
pub(crate) fn ext_str<'a>(json: &'a Json, url: &str) -> Option<&'a str> {
    let ext = json.extension(url)?;
    ["valueCode", "valueString", "valueDate", "valueInstant", "valueDateTime"]
        .into_iter()
        .find_map(|key| ext.opt(key))
}

pub(crate) fn ext_bool(json: &Json, url: &str) -> Option<bool> {
    match json.extension(url)?.get("valueBoolean") {
        Json::Bool(b) => Some(*b),
        _ => None,
    }
}

pub(crate) fn quantity(value: Decimal, unit: &str) -> Json {
    obj! { "value": value, "unit": unit, "system": urls::UCUM, "code": unit }
}

// --- Sections -----------------------------------------------------------------------------------------------

/// A Composition's section in words; `entries` are the references that it gathers. Where both are empty, it says
/// why (`emptyReason`), as IPS asks.
pub(crate) fn section(
    loinc: &str,
    title: &str,
    paragraphs: &[&str],
    entries: Vec<Json>,
    empty: &str,
) -> Json {
    let silent = paragraphs.iter().all(|p| p.is_empty());
    let nothing = silent && entries.is_empty();
    let reason = if nothing { concept(urls::EMPTY_REASON, empty, "") } else { Json::Null };
    // cmp-1: a section without entries has a text.
    let text = match empty {
        "notasked" => "Not asked",
        "nilknown" => "None",
        _ => "Not available",
    };
    obj! {
        "title": title,
        "code": concept(urls::LOINC, loinc, ""),
        "text": match (nothing, silent) {
            (true, _) => narrative(&[text]),
            (false, true) => Json::Null,
            (false, false) => narrative(paragraphs),
        },
        "entry": entries,
        "emptyReason": reason,
    }
}

/// The section with a LOINC code.
pub(crate) fn find_section<'a>(composition: &'a Json, loinc: &str) -> Option<&'a Json> {
    composition.items("section").iter().find(|s| s.has_code("code", urls::LOINC, loinc))
}

/// One paragraph of the section with a LOINC code; empty where there is none.
pub(crate) fn section_text(composition: &Json, loinc: &str, paragraph: usize) -> String {
    find_section(composition, loinc)
        .filter(|s| s.get("emptyReason").is_nothing())
        .and_then(|s| paragraphs(s.str("text.div")).into_iter().nth(paragraph))
        .unwrap_or_default()
}

/// A generated Narrative (http://hl7.org/fhir/R4/narrative.html): each paragraph a `<p>`, each line break a `<br/>`.
pub(crate) fn narrative(paragraphs: &[&str]) -> Json {
    let mut div = String::from("<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    for paragraph in paragraphs {
        div.push_str("<p>");
        for c in paragraph.chars() {
            match c {
                '<' => div.push_str("&lt;"),
                '>' => div.push_str("&gt;"),
                '&' => div.push_str("&amp;"),
                '"' => div.push_str("&quot;"),
                '\n' => div.push_str("<br/>"),
                '\r' => div.push_str("&#13;"),
                c => div.push(c),
            }
        }
        div.push_str("</p>");
    }
    div.push_str("</div>");
    obj! { "status": "generated", "div": div }
}

/// A narrative's paragraphs as plain text. Of a foreign one, tags are dropped and the words kept.
pub(crate) fn paragraphs(div: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut rest = div;
    while let Some(c) = rest.chars().next() {
        if c == '<' {
            let end = rest.find('>').map_or(rest.len(), |i| i + 1);
            let tag = rest[1..end].trim_end_matches('>').trim_end_matches('/').trim();
            match tag.split_whitespace().next().unwrap_or_default() {
                "br" => current.push('\n'),
                "/p" | "/div" | "/li" | "/tr" => {
                    if tag == "/p" || !current.trim().is_empty() {
                        all.push(std::mem::take(&mut current));
                    }
                }
                _ => {}
            }
            rest = &rest[end..];
        } else if c == '&' {
            let end = rest.bytes().take(10).position(|b| b == b';');
            let (text, len) = match end.map(|e| &rest[1..e]) {
                Some("lt") => ("<", 4),
                Some("gt") => (">", 4),
                Some("amp") => ("&", 5),
                Some("quot") => ("\"", 6),
                Some("apos") => ("'", 6),
                Some("nbsp") => ("\u{a0}", 6),
                Some("#13") => ("\r", 5),
                _ => ("&", 1),
            };
            current.push_str(text);
            rest = &rest[len..];
        } else {
            current.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if !current.trim().is_empty() {
        all.push(current);
    }
    all
}

/// Text as FHIR allows it: no control characters but tab and line ends
/// (http://hl7.org/fhir/R4/datatypes.html#string), nothing before and after.
pub(crate) fn clean(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrative_gives_back_every_character() {
        let texts = ["a < b & \"c\"\nسطر دو\r\n  two  spaces", "", "</p><script>&lt;"];
        let json = narrative(&texts);
        assert_eq!(paragraphs(json.str("div")), texts);
    }

    #[test]
    fn a_foreign_narrative_gives_its_words() {
        let div = "<div xmlns=\"x\"><h1>Plan</h1><ul><li>rest</li><li>water&nbsp;&amp; salt</li></ul>&unknown; <b>end";
        assert_eq!(paragraphs(div), ["Planrest", "water\u{a0}& salt", "&unknown; end"]);
    }

    #[test]
    fn a_reference_gives_its_id_only_for_its_type() {
        let json = obj! { "subject": reference("Patient", "p1") };
        assert_eq!(referenced(&json, "subject", "Patient"), Some("p1"));
        assert_eq!(referenced(&json, "subject", "Group"), None);
    }
}
