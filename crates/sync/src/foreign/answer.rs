//! One answer of a foreign server, and everything that is checked before a byte of it is believed.

use std::io::Read;

use rabta_domain::{Private, fhir::Json};
use reqwest::{Response, header};

/// The largest answer, packed or unpacked. A page of fifty resources is a tenth of it.
pub const MOST_BYTES: usize = 16_000_000;
/// How deep an answer may nest. FHIR's own examples stay under 20.
pub const MOST_DEPTH: usize = 64;
/// Characters of a server's own words that are kept.
const MOST_WORDS: usize = 600;
/// RFC 8878, section 3.1.1.1.2: no frame for general use needs more than 8 MB of window.
const WINDOW_LOG: u32 = 23;

/// Why a foreign server did not answer as hoped. The server's own words may name a patient, so they never print.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The base URL is not one that records may be sent to.
    #[error("the server's address cannot be used: {0}")]
    Address(&'static str),
    /// No answer: no network, no server, or the line broke.
    #[error("the server cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server said no; `words` are its OperationOutcome's (http://hl7.org/fhir/R4/operationoutcome.html).
    #[error("the server refused with {status}")]
    Refused { status: u16, words: Private<String> },
    /// The answer is larger than [`MOST_BYTES`], as it came or unpacked.
    #[error("the server's answer is larger than {MOST_BYTES} bytes")]
    TooLarge,
    /// The answer is not what FHIR says.
    #[error("the server's answer cannot be used: {0}")]
    Malformed(&'static str),
    /// The server lacks something without which nothing can be sent or read.
    #[error("{0}")]
    Lacks(super::Lack),
}

impl ForeignError {
    /// Whether the server as a whole cannot be used now, rather than this one request: another request would fail, too.
    pub fn is_of_the_line(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Address(_) | Self::Lacks(_) => true,
            Self::Refused { status, .. } => matches!(status, 401 | 403 | 429 | 502 | 503 | 504),
            Self::TooLarge | Self::Malformed(_) => false,
        }
    }

    /// In words for a person, the server's own included.
    pub fn words(&self) -> Private<String> {
        match self {
            Self::Refused { status, words } if words.is_empty() => {
                Private(format!("HTTP {status}, without a word"))
            }
            Self::Refused { words, .. } => words.clone(),
            other => Private(other.to_string()),
        }
    }
}

/// An answer within all limits.
pub struct Answer {
    pub status: u16,
    /// RFC 9110, section 8.8.3, as it came.
    pub etag: Option<String>,
    /// RFC 9110, section 6.6.1, as it came.
    pub date: Option<String>,
    /// RFC 9110, section 10.2.2, as it came.
    pub location: Option<String>,
    /// It came packed with gzip or zstd.
    pub packed: bool,
    /// Patients' data.
    pub body: Private<String>,
}

impl Answer {
    /// Reads an answer: at most [`MOST_BYTES`] before and after unpacking, UTF-8, no deeper than [`MOST_DEPTH`].
    pub(crate) async fn read(mut response: Response) -> Result<Self, ForeignError> {
        let header =
            |name: header::HeaderName| Some(response.headers().get(name)?.to_str().ok()?.trim().to_owned());
        let coding = header(header::CONTENT_ENCODING).map(|coding| coding.to_ascii_lowercase());
        let (etag, date, location) = (header(header::ETAG), header(header::DATE), header(header::LOCATION));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(ForeignError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let unpacked = match coding.as_deref() {
            None | Some("" | "identity") => None,
            Some("gzip" | "x-gzip") => Some(bounded(flate2::read::MultiGzDecoder::new(&body[..]))?),
            Some("zstd") => {
                let broken = |_| ForeignError::Malformed("it does not unpack");
                let mut reader = zstd::stream::read::Decoder::new(&body[..]).map_err(broken)?;
                reader.window_log_max(WINDOW_LOG).map_err(broken)?;
                Some(bounded(reader)?)
            }
            Some(_) => return Err(ForeignError::Malformed("it is packed in a way that was not asked for")),
        };
        let packed = unpacked.is_some();
        let body = String::from_utf8(unpacked.unwrap_or(body))
            .map_err(|_| ForeignError::Malformed("it is not UTF-8"))?;
        if !nests_within(body.as_bytes(), MOST_DEPTH) {
            return Err(ForeignError::Malformed("it is nested too deep"));
        }
        Ok(Self { status, etag, date, location, packed, body: Private(body) })
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer, unless it is a refusal: by its status, or (as some gateways do) a success whose body is an
    /// OperationOutcome of errors.
    pub fn accepted(self) -> Result<Self, ForeignError> {
        let outcome = Outcome::of(&self.body);
        if self.is_success() && outcome.as_ref().is_none_or(|outcome| !outcome.error) {
            return Ok(self);
        }
        let words = outcome.map(|outcome| outcome.words).unwrap_or_default();
        Err(ForeignError::Refused { status: self.status, words: Private(words) })
    }
}

pub(crate) fn unreachable(error: reqwest::Error) -> ForeignError {
    // The URL holds ids.
    ForeignError::Unreachable(Box::new(error.without_url()))
}

/// All of it, or [`ForeignError::TooLarge`] before more than that is in memory.
fn bounded(reader: impl Read) -> Result<Vec<u8>, ForeignError> {
    let mut out = Vec::new();
    reader
        .take(MOST_BYTES as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|_| ForeignError::Malformed("it does not unpack"))?;
    if out.len() > MOST_BYTES { Err(ForeignError::TooLarge) } else { Ok(out) }
}

/// Whether JSON opens at most `most` brackets at once, found in one pass without a stack.
fn nests_within(json: &[u8], most: usize) -> bool {
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'{' | b'[' if !text => {
                depth += 1;
                if depth > most {
                    return false;
                }
            }
            b'}' | b']' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// An OperationOutcome, as far as it is for people.
pub(crate) struct Outcome {
    /// An issue of severity `error` or `fatal`.
    pub error: bool,
    pub words: String,
}

impl Outcome {
    /// What `body` says, where it is an OperationOutcome.
    pub fn of(body: &str) -> Option<Self> {
        // Most answers are none, and large: look before reading all of it.
        if !body.contains("OperationOutcome") {
            return None;
        }
        let json = Json::parse(body).ok()?;
        (json.str("resourceType") == "OperationOutcome").then(|| Self::read(&json))
    }

    pub fn read(json: &Json) -> Self {
        let (mut error, mut words) = (false, Vec::new());
        for issue in json.items("issue") {
            let grave = matches!(issue.str("severity"), "error" | "fatal");
            error |= grave;
            if grave || words.is_empty() {
                let said = issue.opt("diagnostics").or(issue.opt("details.text"));
                let said = said.or(issue.opt("details.coding.display")).unwrap_or(issue.str("code"));
                words.push(said.trim().to_owned());
            }
        }
        Self { error, words: words.join("; ").chars().take(MOST_WORDS).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_that_are_not_text() {
        assert!(nests_within(br#"{"a":"[[[[{{{{\"[["}"#, 1));
        assert!(nests_within(br#"[[],[],[]]"#, 2));
        assert!(!nests_within(br#"[[[]]]"#, 2));
        assert!(!nests_within(&b"[".repeat(10_000_000), MOST_DEPTH));
    }

    #[test]
    fn a_bomb_is_given_up_when_the_limit_is_reached() {
        assert!(matches!(bounded(std::io::repeat(b' ')), Err(ForeignError::TooLarge)));
    }

    #[test]
    fn an_outcome_of_warnings_is_no_refusal() {
        let text = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"x","diagnostics":"odd"}]}"#;
        let outcome = Outcome::of(text).expect("an outcome");
        assert!(!outcome.error && outcome.words == "odd");
        assert!(Outcome::of(r#"{"resourceType":"Patient"}"#).is_none());
    }
}
