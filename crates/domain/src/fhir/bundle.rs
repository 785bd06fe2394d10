//! Bundles: what every payload is. `collection`, or `document` where it is signed as one.

use time::OffsetDateTime;

use super::{
    Resource, ResourceError, dates, is_id,
    json::{Json, items, members, obj},
    urls,
};

/// The most entries that a payload may have.
pub const MAX_ENTRIES: usize = 2000;

/// Why some bytes are no payload Bundle. Never says what was in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Resource(#[from] ResourceError),
    #[error("not a Bundle")]
    NotABundle,
    #[error("more than {MAX_ENTRIES} entries")]
    TooMany,
    #[error("entry {0} has no resource with an id")]
    Entry(usize),
    #[error("entry {0} is in the Bundle twice")]
    Twice(usize),
    #[error("the Bundle has no {0}")]
    Missing(&'static str),
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleType {
    Collection,
    /// Composition first (http://hl7.org/fhir/R4/documents.html).
    Document,
}

/// A Bundle being built: entries get `fullUrl: urn:uuid:<id>`.
pub struct Builder {
    kind: BundleType,
    id: String,
    at: OffsetDateTime,
    entries: Vec<(String, String)>,
}

impl Builder {
    /// `id` is a new UUID; `at` becomes the Bundle's timestamp.
    pub fn new(kind: BundleType, id: String, at: OffsetDateTime) -> Self {
        Self { kind, id, at, entries: Vec::new() }
    }

    /// Adds a resource, which has an id.
    pub fn push(&mut self, resource: &Json) {
        self.entries.push((resource.str("id").to_owned(), resource.to_text()));
    }

    /// Adds a resource exactly as it is.
    pub fn push_resource(&mut self, resource: &Resource) {
        self.entries.push((resource.id().to_owned(), resource.text().to_owned()));
    }

    /// The exact bytes: what is signed and stored.
    pub fn into_bytes(self) -> Vec<u8> {
        let kind = match self.kind {
            BundleType::Collection => "collection",
            BundleType::Document => "document",
        };
        let entries = self.entries.into_iter().map(|(id, text)| {
            obj! { "fullUrl": format!("urn:uuid:{id}"), "resource": Json::Raw(text) }
        });
        let bundle = obj! {
            "resourceType": "Bundle",
            "id": self.id.clone(),
            "identifier": obj! { "system": urls::URI, "value": format!("urn:uuid:{}", self.id) },
            "type": kind,
            "timestamp": dates::instant(self.at),
            "entry": entries.collect::<Json>(),
        };
        bundle.to_text().into_bytes()
    }
}

/// A Bundle as read: its entries in order, each with its exact bytes.
#[derive(Debug)]
pub struct Bundle {
    pub id: String,
    /// `collection`, `document`, ...
    pub kind: String,
    pub timestamp: Option<OffsetDateTime>,
    pub entries: Vec<Resource>,
}

impl Bundle {
    /// Reads a payload. Every entry has a resource with an id, and none comes twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ResourceError::Utf8)?;
        let mut bundle =
            Self { id: String::new(), kind: String::new(), timestamp: None, entries: Vec::new() };
        let mut resource_type = String::new();
        for (key, value) in members(text.trim()).map_err(ResourceError::from)? {
            let string = || serde_json::from_str::<String>(value).unwrap_or_default();
            match key.as_str() {
                "resourceType" => resource_type = string(),
                "id" => bundle.id = string(),
                "type" => bundle.kind = string(),
                "timestamp" => bundle.timestamp = dates::parse_instant(&string()),
                "entry" => bundle.entries = entries(value)?,
                _ => {}
            }
        }
        if resource_type != "Bundle" || !(bundle.id.is_empty() || is_id(&bundle.id)) {
            return Err(BundleError::NotABundle);
        }
        Ok(bundle)
    }

    /// The first resource of a type.
    pub fn first(&self, resource_type: &str) -> Option<&Resource> {
        self.entries.iter().find(|r| r.resource_type() == resource_type)
    }

    /// All resources of a type, in order.
    pub fn of<'a>(&'a self, resource_type: &'a str) -> impl Iterator<Item = &'a Resource> {
        self.entries.iter().filter(move |r| r.resource_type() == resource_type)
    }

    /// The first resource of a type, as a tree.
    pub fn view(&self, resource_type: &'static str) -> Result<Json, BundleError> {
        Ok(self.first(resource_type).ok_or(BundleError::Missing(resource_type))?.view()?)
    }

    /// All resources of a type, as trees.
    pub fn views(&self, resource_type: &str) -> Result<Vec<Json>, BundleError> {
        self.of(resource_type).map(|r| Ok(r.view()?)).collect()
    }
}

/// What a payload holds, for a projection: `(type, id, exact bytes)` of each entry.
pub fn read(payload: &[u8]) -> Result<Vec<(String, String, Vec<u8>)>, BundleError> {
    let entries = Bundle::parse(payload)?.entries;
    Ok(entries
        .into_iter()
        .map(|r| (r.resource_type().to_owned(), r.id().to_owned(), r.bytes().to_vec()))
        .collect())
}

fn entries(text: &str) -> Result<Vec<Resource>, BundleError> {
    let texts = items(text).map_err(ResourceError::from)?;
    if texts.len() > MAX_ENTRIES {
        return Err(BundleError::TooMany);
    }
    let mut seen = std::collections::HashSet::new();
    let mut all = Vec::with_capacity(texts.len());
    for (i, entry) in texts.into_iter().enumerate() {
        let members = members(entry).map_err(|_| BundleError::Entry(i))?;
        let resource = members.iter().find(|(k, _)| k == "resource").ok_or(BundleError::Entry(i))?;
        let resource = Resource::from_text(resource.1)?;
        if resource.id().is_empty() {
            return Err(BundleError::Entry(i));
        }
        if !seen.insert(resource.reference()) {
            return Err(BundleError::Twice(i));
        }
        all.push(resource);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn entries_come_back_byte_for_byte() {
        let raw = r#"{ "id":"a","resourceType":"Patient",  "x":1.0 }"#;
        let mut builder = Builder::new(BundleType::Collection, "b".into(), datetime!(2026-11-22 10:00 UTC));
        builder.push_resource(&Resource::from_text(raw).expect("valid"));
        let bytes = builder.into_bytes();
        assert_eq!(read(&bytes), Ok(vec![("Patient".into(), "a".into(), raw.as_bytes().to_vec())]));
        assert_eq!(Bundle::parse(&bytes).expect("valid").kind, "collection");
    }

    #[test]
    fn bundles_that_are_none_are_refused() {
        let cases: [(&str, BundleError); 4] = [
            (r#"{"resourceType":"Patient"}"#, BundleError::NotABundle),
            (r#"{"resourceType":"Bundle","entry":[{}]}"#, BundleError::Entry(0)),
            (
                r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}]}"#,
                BundleError::Entry(0),
            ),
            (
                r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"P","id":"a"}},{"resource":{"resourceType":"P","id":"a"}}]}"#,
                BundleError::Twice(1),
            ),
        ];
        for (text, error) in cases {
            assert_eq!(Bundle::parse(text.as_bytes()).expect_err(text), error);
        }
    }
}
