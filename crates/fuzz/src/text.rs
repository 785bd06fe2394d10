//! What is typed, scanned, or comes as text.

use ed25519_dalek::SigningKey;
use rabta_domain::{
    duty, fhir::dates, mr, paper::normalize_cnic, registration::normalize_phone, vitals::number,
};
use rabta_search::Query;
use rabta_wire::{
    Id,
    code::{EnrollmentCode, base32, unbase32},
    cursor::Cursor,
    guest::LinkSecret,
    lease::Challenge,
    paper::{PaperCode, Statement},
    token::{Claims, claims_text, sign_assertion, verify_assertion},
};
use time::macros::datetime;

fn texts<const N: usize>(texts: [&str; N]) -> Vec<Vec<u8>> {
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Of joining, of paper, of links, of leases.
pub fn codes(bytes: &[u8]) {
    let text = &*text(bytes);
    if let Ok(code) = EnrollmentCode::parse(text) {
        assert_eq!(EnrollmentCode::parse(&code.to_text()).ok(), Some(code));
    }
    if let Ok(code) = PaperCode::parse(text) {
        assert_eq!(PaperCode::parse(&code.to_text()).ok(), Some(code));
    }
    if let Ok(read) = unbase32(text) {
        assert_eq!(unbase32(&base32(&read)).ok(), Some(read));
    }
    if let Some(secret) = LinkSecret::from_fragment(text) {
        assert!(LinkSecret::from_fragment(&secret.fragment()).is_some());
    }
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
    let _ = Challenge::parse(text);
    let _ = text.parse::<Id>();
}

pub fn code_seeds() -> Vec<Vec<u8>> {
    let join =
        EnrollmentCode { address: "hie.example.org:8443".into(), spki_sha256_16: [7; 16], secret: [9; 10] };
    let statement = Statement { document: Id([1; 16]), person: Id([2; 16]), day: 20_779, medicines: 2 };
    let paper = PaperCode::sign(&SigningKey::from_bytes(&[3; 32]), statement).to_text();
    let cursor = Cursor { epoch: Id([9; 16]), seq: 42 }.to_string();
    let link = LinkSecret::from_random([7; 16]).fragment();
    [join.to_text(), paper, cursor, link, "ABCD-2345".into()].map(String::into_bytes).to_vec()
}

/// RFC 7523: only what the key signed counts.
pub fn assertion(bytes: &[u8]) {
    let text = &*text(bytes);
    let _ = claims_text(text);
    let key = SigningKey::from_bytes(&[3; 32]).verifying_key();
    let good = verify_assertion(&key, text).is_ok();
    assert!(!good || text.as_bytes() == assertions()[0], "a forged assertion");
}

pub fn assertions() -> Vec<Vec<u8>> {
    let claims = Claims {
        iss: Id([1; 16]),
        sub: Id([1; 16]),
        aud: "rabta-hie/v1/token".into(),
        exp: 1_795_000_240,
        iat: 1_795_000_000,
        jti: "5f0c9f3e".into(),
        person: Id([2; 16]),
    };
    vec![sign_assertion(&SigningKey::from_bytes(&[3; 32]), &claims).into_bytes()]
}

/// Names and numbers as they are looked for.
pub fn search(bytes: &[u8]) {
    let text = &*text(bytes);
    let keys =
        [rabta_search::name_keys(text), rabta_search::number_keys(text), rabta_search::phone_keys(text)];
    assert!(keys.iter().flatten().all(|key| !key.as_str().is_empty()));
    if let Some(query) = Query::parse(text) {
        for token in query.tokens() {
            let _ = (token.ranges(), token.vocabulary());
        }
        assert!(!query.tokens().is_empty());
    }
}

pub fn names() -> Vec<Vec<u8>> {
    texts([
        "ayesha akram basti malook",
        "محمد حسین ولد اللہ بخش",
        "0300-1234567",
        "36302-1234567-8",
        "Md. Hussain 3740-000123-4",
    ])
}

/// Numbers, dates and hours.
pub fn typed(bytes: &[u8]) {
    let text = &*text(bytes);
    if let Some(phone) = normalize_phone(text) {
        assert_eq!(normalize_phone(&phone), Some(phone.clone()));
    }
    if let Some(cnic) = normalize_cnic(text) {
        assert_eq!(normalize_cnic(&cnic), Some(cnic.clone()));
    }
    if let Some(mr) = mr::parse(text) {
        assert_eq!(mr::parse(&mr), Some(mr.clone()));
    }
    if let Some(n) = number(text) {
        assert!(n.to_f64().is_finite());
    }
    let _ = duty::covers(text, datetime!(2026-11-22 23:59 +5));
    let _ = dates::parse_date(text);
    let _ = dates::parse_instant(text);
    if let Some((first, last)) = dates::bounds(text) {
        assert!(first <= last);
    }
}

pub fn typed_seeds() -> Vec<Vec<u8>> {
    texts([
        "+92 300 1234567",
        "36302-1234567-8",
        "3740-000123-4",
        "104.50",
        "mon-fri 08:00-16:00, sat 20:00-06:00",
        "2026-11",
        "2026-02-29",
        "2026-11-22T10:00:00.123+05:00",
    ])
}
