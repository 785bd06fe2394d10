//! Another facility's patient: the exact lookup, the broken glass, and what it opens (`rabta_wire::care`). Numbers and
//! ids go in bodies, never in a URL.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rabta_wire::{
    Id,
    care::{BreakGlass, Grant, Grants, PATH, PURPOSE_HEADER},
};
use reqwest::{Method, RequestBuilder, header};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    client::{HieClient, bytes, json},
    error::HieError,
};

/// The largest answer to a search, in bytes.
const MOST: usize = 8_000_000;
const FORM: &str = "application/x-www-form-urlencoded";

/// A page of a searchset (http://hl7.org/fhir/R4/bundle.html#searchset).
pub struct RecordPage {
    /// The resources as the HIE sent them.
    pub resources: Vec<Box<RawValue>>,
    /// For [`HieClient::record`]: the next page.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Bundle {
    #[serde(default)]
    link: Vec<Link>,
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Link {
    relation: String,
    url: String,
}

#[derive(Deserialize)]
struct Entry {
    resource: Box<RawValue>,
}

impl HieClient {
    /// Who has exactly this identifier anywhere in the register: whole Patients of one's own facility, else the minimum.
    /// Refused with `slow-down` (429) where this device asked too often.
    pub async fn look_up(&self, system: &str, value: &str) -> Result<Vec<Box<RawValue>>, HieError> {
        let identifier = format!("{system}|{value}");
        let form = format!("identifier={}", utf8_percent_encode(&identifier, NON_ALPHANUMERIC));
        let answer = self.authorized(|| self.search("Patient", form.clone())).await?;
        Ok(read(&bytes(answer, MOST).await?)?.resources)
    }

    /// Opens another facility's record in an emergency. Refused with the codes of [`rabta_wire::care::codes`].
    pub async fn break_glass(&self, wish: &BreakGlass) -> Result<Grant, HieError> {
        json(self.authorized(|| self.request(Method::POST, PATH).json(wish)).await?).await
    }

    /// The glasses that were broken at this facility's records, and this person's own.
    pub async fn grants(&self) -> Result<Grants, HieError> {
        json(self.authorized(|| self.request(Method::GET, PATH)).await?).await
    }

    /// A page of a patient's resources of one kind, read for the emergency of an open [`Grant`].
    pub async fn record(&self, kind: &str, patient: Id, next: Option<&str>) -> Result<RecordPage, HieError> {
        let request = || {
            let request = match next {
                // An opaque token of the server, bound to who asked.
                Some(token) => self.request(Method::GET, &format!("/fhir/{kind}?_page={token}")),
                None if kind == "Patient" => self.search(kind, format!("_id={patient}")),
                None => self.search(kind, format!("patient={patient}&_count=200")),
            };
            request.header(PURPOSE_HEADER, "ETREAT")
        };
        let answer = self.authorized(request).await?;
        read(&bytes(answer, MOST).await?)
    }

    fn search(&self, kind: &str, form: String) -> RequestBuilder {
        let request = self.request(Method::POST, &format!("/fhir/{kind}/_search"));
        request.header(header::CONTENT_TYPE, FORM).body(form)
    }
}

fn read(body: &[u8]) -> Result<RecordPage, HieError> {
    let bundle: Bundle = serde_json::from_slice(body).map_err(|_| HieError::Malformed("a searchset"))?;
    let next = bundle.link.iter().find(|link| link.relation == "next");
    let next = next.and_then(|link| link.url.split_once("_page=")).map(|(_, token)| token.to_owned());
    Ok(RecordPage { resources: bundle.entry.into_iter().map(|entry| entry.resource).collect(), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_the_bytes_and_names_the_next_one() {
        let body = br#"{"resourceType":"Bundle","type":"searchset","total":1,
            "link":[{"relation":"self","url":"Observation"},{"relation":"next","url":"Observation?_page=abc-_1"}],
            "entry":[{"fullUrl":"Observation/o","resource":{"id":"o", "valueQuantity":{"value":1.50}}}]}"#;
        let page = read(body).expect("a searchset");
        assert_eq!(page.resources[0].get(), r#"{"id":"o", "valueQuantity":{"value":1.50}}"#);
        assert_eq!(page.next.as_deref(), Some("abc-_1"));
        let empty = read(br#"{"resourceType":"Bundle","total":0}"#).expect("a searchset");
        assert!(empty.resources.is_empty() && empty.next.is_none());
        assert!(matches!(read(b"<html>"), Err(HieError::Malformed(_))));
    }
}
