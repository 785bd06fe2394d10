//! JSON that keeps its bytes: members of an object as they were written, and small changes by splicing.

use std::{collections::HashMap, fmt};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::clock::instant;

/// The text is not a JSON object, or has a member twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON object, or one with a member twice")]
pub struct NotAnObject;

/// The members of an object in their order, values unread.
pub fn members(text: &str) -> Result<Vec<(String, &RawValue)>, NotAnObject> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members: Self::Value = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                // Two programs could read two different records out of such an object.
                if members.iter().any(|(n, _)| *n == name) {
                    return Err(serde::de::Error::custom("a member twice"));
                }
                members.push((name, value));
            }
            Ok(members)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_map(Members).map_err(|_| NotAnObject)?;
    deserializer.end().map_err(|_| NotAnObject)?;
    Ok(members)
}

fn push_member(out: &mut String, name: &str, value: &str) {
    out.push(if out.is_empty() { '{' } else { ',' });
    out.push_str(&serde_json::Value::from(name).to_string());
    out.push(':');
    out.push_str(value);
}

/// The resource as it is shown: the received members as they were, with this `id`, and `meta` with this version and
/// time instead of whatever it had.
pub fn present(body: &str, id: &str, version: i64, updated_at: i64) -> Result<String, NotAnObject> {
    let members = members(body)?;
    let mut meta = String::new();
    push_member(&mut meta, "versionId", &format!("\"{version}\""));
    push_member(&mut meta, "lastUpdated", &format!("\"{}\"", instant(updated_at)));
    if let Some((_, old)) = members.iter().find(|(name, _)| name == "meta") {
        for (name, value) in self::members(old.get())? {
            if name != "versionId" && name != "lastUpdated" {
                push_member(&mut meta, &name, value.get());
            }
        }
    }
    meta.push('}');
    let mut out = String::with_capacity(body.len() + meta.len() + 64);
    for (name, value) in members.iter().filter(|(name, _)| name == "resourceType") {
        push_member(&mut out, name, value.get());
    }
    push_member(&mut out, "id", &format!("\"{id}\""));
    push_member(&mut out, "meta", &meta);
    for (name, value) in &members {
        if !matches!(name.as_str(), "resourceType" | "id" | "meta") {
            push_member(&mut out, name, value.get());
        }
    }
    out.push('}');
    Ok(out)
}

/// `text` with every `"reference": "<from>"` whose value is in `map` replaced; all other bytes stay.
pub fn with_references(text: &str, map: &HashMap<String, String>) -> String {
    if map.is_empty() || !text.contains("urn:uuid:") {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    let mut key_is_reference = false;
    while at < bytes.len() {
        if bytes[at] != b'"' {
            at += 1;
            continue;
        }
        let start = at + 1;
        at = start;
        while at < bytes.len() && bytes[at] != b'"' {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        let end = at.min(bytes.len());
        at = end + 1;
        let after = bytes[at.min(bytes.len())..].iter().find(|b| !b.is_ascii_whitespace());
        if after == Some(&b':') {
            key_is_reference = &text[start..end] == "reference";
        } else if key_is_reference {
            key_is_reference = false;
            if let Some(to) = map.get(&text[start..end]) {
                out.push_str(&text[copied..start]);
                out.push_str(to);
                copied = end;
            }
        }
    }
    out.push_str(&text[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_order_are_kept_as_they_were_written() {
        let body = r#"{"resourceType":"Observation","meta":{"profile":["p"],"versionId":"9"},"valueQuantity":{"value":1.50, "unit":"mg"},"x":1e2}"#;
        let shown = present(body, "a", 3, 0).unwrap();
        assert_eq!(
            shown,
            r#"{"resourceType":"Observation","id":"a","meta":{"versionId":"3","lastUpdated":"1970-01-01T00:00:00Z","profile":["p"]},"valueQuantity":{"value":1.50, "unit":"mg"},"x":1e2}"#
        );
    }

    #[test]
    fn only_references_are_rewritten() {
        let map = HashMap::from([("urn:uuid:a".to_owned(), "Patient/1".to_owned())]);
        let text = r#"{"display":"urn:uuid:a","subject":{"reference" : "urn:uuid:a","q":"\"urn:uuid:a"},"reference":["urn:uuid:b"]}"#;
        assert_eq!(
            with_references(text, &map),
            r#"{"display":"urn:uuid:a","subject":{"reference" : "Patient/1","q":"\"urn:uuid:a"},"reference":["urn:uuid:b"]}"#
        );
    }

    #[test]
    fn a_member_twice_is_not_an_object() {
        assert_eq!(members(r#"{"id":"a","id":"b"}"#).unwrap_err(), NotAnObject);
        assert_eq!(members("[1]").unwrap_err(), NotAnObject);
    }
}
