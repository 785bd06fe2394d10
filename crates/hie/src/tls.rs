//! The HIE's own certificate. Staff programs pin the key (its SubjectPublicKeyInfo), not the certificate: dates and
//! names in it are decoration.

use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// P-256, since not every TLS client that must talk to us can do Ed25519. Keys are PKCS #8.
pub struct TlsKeys {
    pub(crate) key: Zeroizing<Vec<u8>>,
    pub(crate) cert: Vec<u8>,
    /// Takes over where `key` is lost or told; its pin is handed out at enrollment.
    pub(crate) backup_key: Zeroizing<Vec<u8>>,
}

/// A key in the database cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the TLS key kept in the database cannot be used")]
pub struct BadTlsKey;

impl TlsKeys {
    pub(crate) fn make(_now: i64) -> Self {
        let (key, backup) = (generate(), generate());
        Self {
            cert: certificate(&key),
            key: key.serialize_der().into(),
            backup_key: backup.serialize_der().into(),
        }
    }

    /// The backup key takes over, and a new one stands behind it. Clients that pinned both follow.
    pub(crate) fn rotated(&self) -> Result<Self, BadTlsKey> {
        Ok(Self {
            cert: certificate(&pair(&self.backup_key)?),
            key: self.backup_key.clone(),
            backup_key: generate().serialize_der().into(),
        })
    }

    /// SHA-256 of the SubjectPublicKeyInfo in use and of the backup key.
    pub fn pins(&self) -> Result<[[u8; 32]; 2], BadTlsKey> {
        Ok([spki_sha256(&self.key)?, spki_sha256(&self.backup_key)?])
    }

    pub(crate) fn server_config(&self) -> Result<Arc<rustls::ServerConfig>, BadTlsKey> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.to_vec()));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| BadTlsKey)?
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(self.cert.clone())], key)
            .map_err(|_| BadTlsKey)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn generate() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("P-256 is compiled in")
}

fn certificate(key: &KeyPair) -> Vec<u8> {
    let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into(), "rabta-hie".into()])
        .expect("the names are ASCII");
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "Rabta HIE");
    params.distinguished_name = name;
    params.self_signed(key).expect("a key of ours signs").der().to_vec()
}

fn pair(pkcs8: &[u8]) -> Result<KeyPair, BadTlsKey> {
    let der = PrivatePkcs8KeyDer::from(pkcs8.to_vec());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).map_err(|_| BadTlsKey)
}

fn spki_sha256(pkcs8: &[u8]) -> Result<[u8; 32], BadTlsKey> {
    Ok(Sha256::digest(pair(pkcs8)?.subject_public_key_info()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_is_the_hash_of_the_key_that_the_certificate_shows() {
        let keys = TlsKeys::make(0);
        let (_, cert) = x509_parser::parse_x509_certificate(&keys.cert).unwrap();
        let shown: [u8; 32] = Sha256::digest(cert.public_key().raw).into();
        assert_eq!(keys.pins().unwrap()[0], shown);
        assert_ne!(keys.pins().unwrap()[1], shown);
    }

    #[test]
    fn after_a_rotation_the_backup_key_answers_and_another_stands_behind_it() {
        let old = TlsKeys::make(0);
        let new = old.rotated().unwrap();
        let ([_, backup], [now, next]) = (old.pins().unwrap(), new.pins().unwrap());
        assert_eq!(now, backup);
        assert!(!old.pins().unwrap().contains(&next));
        let (_, cert) = x509_parser::parse_x509_certificate(&new.cert).unwrap();
        let shown: [u8; 32] = Sha256::digest(cert.public_key().raw).into();
        assert_eq!(shown, backup);
    }
}
