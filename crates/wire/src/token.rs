//! `POST /v1/token`: a signed assertion for a short opaque access token (SMART Backend Services,
//! private_key_jwt, RFC 7523). The form fields are the standard's; the assertion's times are by the HIE's
//! clock, which a client learns from the `Date` header of any answer.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::Id;

pub const GRANT_TYPE: &str = "client_credentials";
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// `rabta_code` of the refusal (RFC 6749, section 5.2, lets an answer have further members) to a device whose enrollment
/// the operator revoked.
pub const REVOKED: &str = "device-revoked";
/// The `aud` of every assertion.
pub const AUDIENCE: &str = "rabta-hie/v1/token";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The device.
    pub iss: Id,
    pub sub: Id,
    pub aud: String,
    /// Seconds since 1970 by the HIE's clock; at most 300 from now.
    pub exp: i64,
    pub iat: i64,
    /// Used once.
    pub jti: String,
    /// The person at the device.
    pub person: Id,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct TokenReply {
    /// Opaque, at most 32 characters.
    pub access_token: String,
    pub token_type: String,
    /// Seconds.
    pub expires_in: u32,
    /// SHA-256 of the SPKI in use and of the backup key, base64url, as in [`crate::enroll::Enrolled`]: what to pin from
    /// now on. Empty from an HIE that does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid assertion")]
pub struct BadAssertion;

/// A compact JWS (RFC 7515) with EdDSA.
pub fn sign_assertion(key: &SigningKey, claims: &Claims) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
    let body = URL_SAFE_NO_PAD.encode(json(claims));
    let input = format!("{header}.{body}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).to_bytes());
    format!("{input}.{signature}")
}

fn json(claims: &Claims) -> String {
    let Claims { iss, sub, aud, exp, iat, jti, person } = claims;
    format!(
        r#"{{"iss":"{iss}","sub":"{sub}","aud":"{aud}","exp":{exp},"iat":{iat},"jti":"{jti}","person":"{person}"}}"#
    )
}

/// The claims' JSON, unverified: to learn whose key to verify with.
pub fn claims_text(assertion: &str) -> Result<Vec<u8>, BadAssertion> {
    let body = assertion.split('.').nth(1).ok_or(BadAssertion)?;
    URL_SAFE_NO_PAD.decode(body).map_err(|_| BadAssertion)
}

/// Whether `key` signed the assertion.
pub fn verify_assertion(key: &VerifyingKey, assertion: &str) -> Result<(), BadAssertion> {
    let (input, signature) = assertion.rsplit_once('.').ok_or(BadAssertion)?;
    let header = input.split('.').next().ok_or(BadAssertion)?;
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| BadAssertion)?;
    // One algorithm only: what the header asks for is not a choice (RFC 8725, section 3.1).
    if header != br#"{"alg":"EdDSA","typ":"JWT"}"# {
        return Err(BadAssertion);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BadAssertion)?;
    let signature = Signature::from_slice(&signature).map_err(|_| BadAssertion)?;
    key.verify(input.as_bytes(), &signature).map_err(|_| BadAssertion)
}
