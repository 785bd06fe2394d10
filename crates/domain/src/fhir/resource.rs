//! A resource as the bytes that were received, and edits that touch nothing but the edited elements.

use super::json::{Json, JsonError, members};

/// One FHIR resource. The text is kept as it came; [`Resource::view`] reads it, [`Resource::set`] and
/// [`Resource::remove`] rewrite single top-level elements and leave every other byte where it was.
///
/// ```
/// # use rabta_domain::fhir::Resource;
/// let mut patient = Resource::parse(br#"{ "resourceType":"Patient", "id":"a", "x-future": 1.50 }"#)?;
/// patient.set("active", true)?;
/// assert_eq!(patient.text(), r#"{ "resourceType":"Patient", "id":"a", "x-future": 1.50,"active":true }"#);
/// # Ok::<(), rabta_domain::fhir::ResourceError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    text: String,
    resource_type: String,
    id: String,
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resource({}[..])", self.resource_type)
    }
}

/// Why some bytes are no resource. Never says what was in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    #[error("not UTF-8")]
    Utf8,
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error("not an object")]
    NotAnObject,
    #[error("no resourceType")]
    NoType,
    #[error("the id has characters that FHIR does not allow")]
    Id,
}

impl Resource {
    /// Reads `bytes`, which are one JSON object with a `resourceType`. An `id` may be missing, but not malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, ResourceError> {
        Self::from_text(std::str::from_utf8(bytes).map_err(|_| ResourceError::Utf8)?)
    }

    pub fn from_text(text: &str) -> Result<Self, ResourceError> {
        let text = text.trim();
        if !text.starts_with('{') {
            return Err(ResourceError::NotAnObject);
        }
        let mut resource_type = String::new();
        let mut id = String::new();
        for (key, value) in members(text)? {
            if key == "resourceType" {
                resource_type = serde_json::from_str(value).map_err(|_| ResourceError::NoType)?;
            } else if key == "id" {
                id = serde_json::from_str(value).map_err(|_| ResourceError::Id)?;
                if !is_id(&id) {
                    return Err(ResourceError::Id);
                }
            }
        }
        let named = !resource_type.is_empty() && resource_type.len() <= 64;
        if !named || !resource_type.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(ResourceError::NoType);
        }
        Ok(Self { text: text.to_owned(), resource_type, id })
    }

    /// The resource that `json` is.
    pub fn from_json(json: &Json) -> Result<Self, ResourceError> {
        Self::from_text(&json.to_text())
    }

    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// Empty where it has none yet.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Exactly what was received, or what the edits made of it.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// `Type/id`.
    pub fn reference(&self) -> String {
        format!("{}/{}", self.resource_type, self.id)
    }

    /// The whole of it as a tree. Depth and doubled members are checked here.
    pub fn view(&self) -> Result<Json, ResourceError> {
        Ok(Json::parse(&self.text)?)
    }

    /// One top-level element's exact text.
    pub fn raw(&self, key: &str) -> Option<&str> {
        members(&self.text).ok()?.into_iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// `meta.versionId`, where a server gave one.
    pub fn version(&self) -> Option<u32> {
        let meta = Json::parse(self.raw("meta")?).ok()?;
        meta.opt("versionId")?.parse().ok()
    }

    /// Sets one top-level element; in its old place where it was there, else at the end. A value that says
    /// nothing removes it.
    pub fn set(&mut self, key: &str, value: impl Into<Json>) -> Result<(), ResourceError> {
        let value = value.into();
        if value.is_nothing() {
            return self.remove(key);
        }
        let value = value.to_text();
        let text = match self.spans()?.into_iter().find(|s| s.key == key) {
            Some(span) => format!("{}{}{}", &self.text[..span.from], value, &self.text[span.to..]),
            None => {
                let body = self.text[..self.text.len() - 1].trim_end();
                let comma = if body.ends_with('{') { "" } else { "," };
                let key = Json::from(key).to_text();
                format!("{body}{comma}{key}:{value}{}", &self.text[body.len()..])
            }
        };
        *self = Self::from_text(&text)?;
        Ok(())
    }

    /// Removes one top-level element. Nothing happens where there is none.
    pub fn remove(&mut self, key: &str) -> Result<(), ResourceError> {
        let spans = self.spans()?;
        let Some(i) = spans.iter().position(|s| s.key == key) else { return Ok(()) };
        let (from, to) = match (i.checked_sub(1), spans.get(i + 1)) {
            (Some(before), _) => (spans[before].to, spans[i].to),
            (None, Some(_)) => {
                let comma = self.text[spans[i].to..].find(',').expect("another member follows") + spans[i].to;
                (1, comma + 1)
            }
            (None, None) => (1, spans[i].to),
        };
        let text = format!("{}{}", &self.text[..from], &self.text[to..]);
        *self = Self::from_text(&text)?;
        Ok(())
    }

    fn spans(&self) -> Result<Vec<Span>, ResourceError> {
        let start = self.text.as_ptr() as usize;
        Ok(members(&self.text)?
            .into_iter()
            .map(|(key, value)| {
                // Borrowed from `self.text`, so the difference of the addresses is the place in it.
                let from = value.as_ptr() as usize - start;
                Span { key, from, to: from + value.len() }
            })
            .collect())
    }
}

struct Span {
    key: String,
    from: usize,
    to: usize,
}

/// `[A-Za-z0-9\-\.]{1,64}` (http://hl7.org/fhir/R4/datatypes.html#id).
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOREIGN: &str = "{\n  \"resourceType\" : \"Patient\",\n  \"id\":\"p\", \"extension\":[{\"url\":\"http://x\",\"valueDecimal\":1.500}],\n  \"gender\" : \"male\" ,\"_gender\":{\"id\":\"g\"}\n}";

    fn foreign() -> Resource {
        Resource::from_text(FOREIGN).expect("valid")
    }

    #[test]
    fn an_edit_leaves_every_other_byte_alone() {
        let mut patient = foreign();
        patient.set("gender", "female").expect("still valid");
        assert_eq!(patient.text(), FOREIGN.replace("\"male\"", "\"female\""));
    }

    #[test]
    fn an_element_added_and_removed_again_leaves_what_was_there() {
        let mut patient = foreign();
        patient.set("active", true).expect("still valid");
        assert!(patient.view().expect("valid").bool("active"));
        patient.remove("active").expect("still valid");
        assert_eq!(patient.text(), FOREIGN);
    }

    #[test]
    fn each_element_can_be_removed_first_last_and_between() {
        for key in ["id", "extension", "gender", "_gender"] {
            let mut patient = foreign();
            patient.remove(key).expect("still valid");
            assert!(patient.raw(key).is_none());
            assert_eq!(members(patient.text()).expect("valid").len(), 4, "{key}");
        }
        let mut first = Resource::from_text(r#"{ "a":[1,2] , "resourceType":"Patient"}"#).expect("valid");
        first.remove("a").expect("still valid");
        assert_eq!(first.text(), r#"{ "resourceType":"Patient"}"#);
    }

    #[test]
    fn what_is_no_resource_is_refused_without_repeating_it() {
        for bad in
            ["", "[]", "{}", "{\"resourceType\":\"\"}", "{\"resourceType\":\"P\",\"id\":\"a b\"}", "nil"]
        {
            let error = Resource::from_text(bad).expect_err(bad);
            assert!(bad.is_empty() || !format!("{error}").contains("a b"));
        }
    }
}
