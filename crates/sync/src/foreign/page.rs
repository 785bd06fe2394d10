//! One page of a search's answer (http://hl7.org/fhir/R4/bundle.html#searchset).

use rabta_domain::fhir::{Json, Resource};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{ForeignError, Outcome};

/// The most entries that a page may have, whatever was asked for.
const MOST_ENTRIES: usize = 5_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    resource_type: String,
    total: Option<u64>,
    #[serde(default)]
    link: Vec<Link>,
    #[serde(borrow, default)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    relation: String,
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    search: Option<Search>,
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    mode: String,
}

/// A page, read.
#[derive(Debug, Default)]
pub struct Page {
    /// What was searched for, with its bytes as they came.
    pub matches: Vec<Resource>,
    /// How many entries could not be read as resources with an id.
    pub odd: u64,
    /// The server's own words about the search.
    pub words: Vec<String>,
    /// How many it says that there are in all.
    pub total: Option<u64>,
    pub next: Option<String>,
}

impl Page {
    /// Reads a searchset. One entry that is not readable is counted and leaves the others.
    pub fn read(body: &str) -> Result<Self, ForeignError> {
        let raw: Raw<'_> =
            serde_json::from_str(body).map_err(|_| ForeignError::Malformed("it is no Bundle"))?;
        if raw.resource_type != "Bundle" {
            return Err(ForeignError::Malformed("it is no Bundle"));
        }
        if raw.entry.len() > MOST_ENTRIES {
            return Err(ForeignError::TooLarge);
        }
        let mut page = Self {
            total: raw.total,
            next: raw.link.into_iter().find(|link| link.relation == "next").map(|link| link.url),
            ..Self::default()
        };
        for entry in raw.entry {
            let mode = entry.search.map(|search| search.mode).unwrap_or_default();
            match entry.resource.map(|resource| Resource::from_text(resource.get())) {
                Some(Ok(resource)) if resource.resource_type() == "OperationOutcome" => {
                    if let Ok(json) = resource.view() {
                        page.words.push(Outcome::read(&json).words);
                    }
                }
                Some(Ok(resource)) if !resource.id().is_empty() => {
                    if matches!(mode.as_str(), "" | "match") {
                        page.matches.push(resource);
                    }
                }
                _ => page.odd += 1,
            }
        }
        Ok(page)
    }
}

/// `meta.versionId`; empty where there is none.
pub(crate) fn version_id(resource: &Resource) -> String {
    meta(resource, "versionId")
}

/// `meta.lastUpdated`, where there is one.
pub(crate) fn last_updated(resource: &Resource) -> Option<String> {
    Some(meta(resource, "lastUpdated")).filter(|text| !text.is_empty())
}

fn meta(resource: &Resource, member: &str) -> String {
    let meta = resource.raw("meta").and_then(|raw| Json::parse(raw).ok());
    meta.map(|meta| meta.str(member).to_owned()).unwrap_or_default()
}

/// Whether two say the same, apart from what servers write themselves: member order, versions, times, sources.
pub(crate) fn says_the_same(one: &Resource, other: &Resource) -> bool {
    let plain = |resource: &Resource| resource.view().ok().map(|json| without_meta(json).canonical());
    match (plain(one), plain(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

fn without_meta(json: Json) -> Json {
    match json {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter_map(|(name, value)| match (name.as_str(), value) {
                    ("meta", Json::Object(meta)) => {
                        let ours = meta.into_iter().filter(|(name, _)| {
                            !matches!(name.as_str(), "versionId" | "lastUpdated" | "source")
                        });
                        let ours: Vec<_> = ours.collect();
                        (!ours.is_empty()).then_some((name, Json::Object(ours)))
                    }
                    (_, value) => Some((name, value)),
                })
                .collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_entry_leaves_the_others_their_bytes() {
        let page = Page::read(
            r#"{"resourceType":"Bundle","type":"searchset","total":3,"link":[{"relation":"self","url":"a"},{"relation":"next","url":"b"}],
            "entry":[{"resource":{"resourceType":"Observation", "id":"x","v":1.50}},{"resource":{"resourceType":"Observation"}},{"resource":7},
            {"resource":{"resourceType":"Observation","id":"no spaces"}},
            {"resource":{"resourceType":"Patient","id":"p"},"search":{"mode":"include"}},
            {"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"x","diagnostics":"ignored"}]},"search":{"mode":"outcome"}}]}"#,
        )
        .expect("a page");
        assert_eq!(
            page.matches.iter().map(Resource::text).collect::<Vec<_>>(),
            [r#"{"resourceType":"Observation", "id":"x","v":1.50}"#]
        );
        assert_eq!((page.odd, page.total, page.next.as_deref()), (3, Some(3), Some("b")));
        assert_eq!(page.words, ["ignored"]);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(cut in 0_usize..600, at in 0_usize..600, byte in 0_u8..128, text in ".{0,40}") {
            let page = format!(
                r#"{{"resourceType":"Bundle","total":1,"link":[{{"relation":"next","url":"b"}}],"entry":[{{"resource":{{"resourceType":"Observation","id":"x",
                "meta":{{"versionId":"1","lastUpdated":"2026-11-23T10:00:00Z"}},"subject":{{"reference":"Patient/p"}}}},"search":{{"mode":"match"}}}},
                {{"resource":{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","diagnostics":{}}}]}}}}]}}"#,
                serde_json::Value::from(text.as_str())
            );
            let mut bytes = page.into_bytes();
            let at = at.min(bytes.len() - 1);
            bytes[at] = byte;
            let cut = cut.min(bytes.len());
            for bytes in [&bytes[..], &bytes[..cut]] {
                let text = String::from_utf8_lossy(bytes);
                for resource in Page::read(&text).map(|page| page.matches).unwrap_or_default() {
                    let _ = (version_id(&resource), last_updated(&resource), says_the_same(&resource, &resource));
                }
                if let Ok(json) = Json::parse(&text) {
                    let _ = super::super::Capabilities::read(&json);
                }
            }
            let _ = Page::read(&text);
        }
    }

    #[test]
    fn what_a_server_writes_itself_is_no_difference() {
        let of = |text| Resource::from_text(text).expect("a resource");
        let ours = of(r#"{"resourceType":"Patient","id":"p","gender":"female"}"#);
        let theirs = of(
            r#"{"resourceType":"Patient","id":"p","meta":{"versionId":"3","lastUpdated":"2026-11-23T10:00:00Z","source":"x"},"gender":"female"}"#,
        );
        assert!(says_the_same(&ours, &theirs));
        assert!(!says_the_same(&ours, &of(r#"{"resourceType":"Patient","id":"p","gender":"male"}"#)));
        assert_eq!(version_id(&theirs), "3");
    }
}
