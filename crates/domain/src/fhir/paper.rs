//! The code that a paper printed from a payload carries, kept in the payload itself (`Bundle.meta`), so that whoever has
//! the document can print it, and whoever is shown the paper can find it in the document.

use serde::Deserialize;

use super::{
    BundleError,
    json::{arr, obj},
    parts::ext,
    urls,
};

/// What every payload that our own builder wrote begins with.
const START: &str = r#"{"resourceType":"Bundle","#;

/// The payload with `code` in it; everything else keeps its exact bytes. To be done before it is signed.
pub fn with_code(payload: &[u8], code: &str) -> Result<Vec<u8>, BundleError> {
    let rest = payload.strip_prefix(START.as_bytes()).ok_or(BundleError::NotABundle)?;
    if code_of(payload).is_some() {
        return Err(BundleError::Unreadable("Bundle.meta"));
    }
    let meta = obj! { "extension": arr![ext(urls::PAPER_CODE, "valueString", code)] };
    Ok([START.as_bytes(), b"\"meta\":", meta.to_text().as_bytes(), b",", rest].concat())
}

/// The code that the payload carries, if it does.
pub fn code_of(payload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        meta: Meta,
    }
    #[derive(Deserialize, Default)]
    struct Meta {
        #[serde(default)]
        extension: Vec<Extension>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Extension {
        url: String,
        #[serde(default)]
        value_string: String,
    }
    let head: Head = serde_json::from_slice(payload).ok()?;
    head.meta.extension.into_iter().find(|e| e.url == urls::PAPER_CODE).map(|e| e.value_string)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::fhir::{Builder, Bundle, BundleType};

    fn payload() -> Vec<u8> {
        let mut builder = Builder::new(BundleType::Document, "b".into(), datetime!(2026-11-22 10:00 UTC));
        builder.push(&obj! { "resourceType": "Composition", "id": "c" });
        builder.into_bytes()
    }

    #[test]
    fn the_code_goes_in_once_and_comes_out_and_the_rest_stays_as_it_was() {
        let plain = payload();
        assert_eq!(code_of(&plain), None);
        let coded = with_code(&plain, "RABTA:1").expect("our own payload");
        assert_eq!(code_of(&coded).as_deref(), Some("RABTA:1"));
        assert!(coded.ends_with(&plain[START.len()..]));
        assert_eq!(Bundle::parse(&coded).expect("a Bundle").entries.len(), 1);
        assert!(with_code(&coded, "RABTA:2").is_err());
    }

    #[test]
    fn what_is_no_payload_of_ours_is_refused() {
        for other in [&b"{}"[..], b"", b"{\"resourceType\":\"Patient\",\"id\":\"a\"}", b"\xff"] {
            assert!(with_code(other, "RABTA:1").is_err());
            assert_eq!(code_of(other), None);
        }
    }
}
