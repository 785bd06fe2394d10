//! TLS that trusts one key and nothing else: the HIE's, known from the enrollment code.
//!
//! Names and dates in the certificate mean nothing here: a clinic's clock may stand in 1970 and its HIE may be an
//! address in a private network. The handshake's signature is still checked with the pinned key, so only its
//! holder can answer.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};

/// The keys that may answer: beginnings (16 to 32 bytes) of the SHA-256 of a SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pins(Vec<Vec<u8>>);

impl Pins {
    /// What the enrollment code holds: the first half of one hash.
    pub fn of_code(spki_sha256_16: [u8; 16]) -> Self {
        Self(vec![spki_sha256_16.to_vec()])
    }

    /// Whole hashes: the key in use and its backup.
    pub fn whole(hashes: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(hashes.into_iter().map(|hash| hash.to_vec()).collect())
    }

    /// Whether a key of `other` is among these.
    pub(crate) fn share(&self, other: &Self) -> bool {
        let begins = |a: &Vec<u8>, b: &Vec<u8>| a.starts_with(b) || b.starts_with(a);
        self.0.iter().any(|mine| other.0.iter().any(|theirs| begins(mine, theirs)))
    }

    fn allow(&self, hash: &[u8; 32]) -> bool {
        self.0.iter().any(|pin| pin.len() >= 16 && hash.starts_with(pin))
    }
}

/// Another key answered than the one that is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key that answered is not the HIE's")]
pub struct OtherKey;

impl OtherKey {
    /// Whether this is why `error` (of a TLS handshake, however wrapped) happened.
    pub fn caused(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(tls) = error.downcast_ref::<Error>() {
                return matches!(tls, Error::InvalidCertificate(CertificateError::Other(OtherError(e)))
                    if e.downcast_ref::<Self>().is_some());
            }
            // An io::Error hides what it wraps from `source`.
            next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        false
    }
}

/// A client configuration that trusts `pins` only, with ring.
pub fn tls_config(pins: Pins) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Verifier { pins, provider: provider.clone() });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

struct Verifier {
    pins: Pins,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (_, certificate) = x509_parser::parse_x509_certificate(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let hash: [u8; 32] = Sha256::digest(certificate.tbs_certificate.subject_pki.raw).into();
        if self.pins.allow(&hash) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(OtherKey)))))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_the_beginning_of_the_hash_and_at_least_half_of_it() {
        let mut hash = [7; 32];
        assert!(Pins::of_code([7; 16]).allow(&hash) && Pins::whole([[1; 32], [7; 32]]).allow(&hash));
        hash[15] = 8;
        assert!(!Pins::of_code([7; 16]).allow(&hash));
        assert!(!Pins(vec![vec![7; 4]]).allow(&[7; 32]), "four bytes are no pin");
        assert!(!Pins::default().allow(&hash), "no pin trusts nobody");
    }

    #[test]
    fn another_key_is_told_apart_from_a_broken_line_however_it_is_wrapped() {
        let tls = Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(OtherKey))));
        let wrapped = std::io::Error::other(std::io::Error::other(tls));
        assert!(OtherKey::caused(&wrapped));
        assert!(!OtherKey::caused(&std::io::Error::other(Error::DecryptError)));
    }
}
