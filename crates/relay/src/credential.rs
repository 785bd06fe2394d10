//! Short-lived credentials that the relay checks without having met them (draft-uberti-behave-turn-rest-00, as
//! coturn's `use-auth-secret` has it): the user name holds the expiry, the password is its MAC.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

/// What the HIE and its relay share.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// At least 16 random bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The password that belongs to a user name.
    pub(crate) fn password(&self, username: &str) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("an HMAC takes a key of any length");
        mac.update(username.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[..]")
    }
}

/// A user name and its password, good for `ttl` seconds from `now` (Unix). `id` is opaque, never a name or a
/// number of a person, and what quotas are counted by; a colon in it is left out.
pub fn credentials(secret: &Secret, id: &str, now: u64, ttl: u64) -> (String, String) {
    let username = format!("{}:{}", now + ttl, id.replace(':', ""));
    let password = secret.password(&username);
    (username, password)
}

/// Not a user name of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a relay credential")]
pub struct BadCredential;

/// The expiry (Unix seconds) and the opaque id of a user name.
pub(crate) fn parse(username: &str) -> Result<(u64, &str), BadCredential> {
    let (expiry, id) = username.split_once(':').ok_or(BadCredential)?;
    if username.len() > 128 || id.is_empty() {
        return Err(BadCredential);
    }
    Ok((expiry.parse().map_err(|_| BadCredential)?, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_mac_that_coturn_would_compute() {
        // printf '1700000600:doc' | openssl dgst -sha1 -hmac secret -binary | base64
        let (username, password) = credentials(&Secret::new(b"secret".to_vec()), "doc", 1_700_000_000, 600);
        assert_eq!(username, "1700000600:doc");
        assert_eq!(password, EXPECTED);
        assert_eq!(parse(&username), Ok((1_700_000_600, "doc")));
    }

    const EXPECTED: &str = "xjxVEP4ESPSjmQLlggdQ3bto5Z0=";

    #[test]
    fn a_user_name_of_another_make_is_refused() {
        for name in ["", "doc", "x:doc", "12:", ":doc"] {
            assert_eq!(parse(name), Err(BadCredential));
        }
    }
}
