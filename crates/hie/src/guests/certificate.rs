//! The certificate that phones are shown: where it comes from, how long it lasts, and what went wrong last.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, RwLock},
};

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};

use super::acme::{ACME_TLS, AcmeConfig};

/// Where the certificate comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// PEM files that somebody else renews in place: the certificate with what it is signed by, and its key.
    Files { cert: PathBuf, key: PathBuf },
    /// Fetched and renewed by this program.
    Acme(AcmeConfig),
}

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("the certificate for phones, {}: {why}", path.display())]
    Pem { path: PathBuf, why: String },
    #[error("the certificate for phones names no host; give --patient-url")]
    NoName,
    #[error("the certificate and the key for phones do not belong together: {0}")]
    Pair(#[source] rustls::Error),
}

/// A certificate with its key, and what a look at it tells.
#[derive(Debug, Clone)]
pub struct Held {
    pub key: Arc<CertifiedKey>,
    /// The first DNS name (RFC 5280, section 4.2.1.6).
    pub name: Option<String>,
    /// Milliseconds since 1970 (RFC 5280, section 4.1.2.5).
    pub not_before: i64,
    pub not_after: i64,
}

impl Held {
    /// From PEM files; one file may hold both.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, CertificateError> {
        let bad = |path: &Path, why: String| CertificateError::Pem { path: path.to_owned(), why };
        let file = File::open(cert).map_err(|e| bad(cert, e.to_string()))?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(BufReader::new(file)).collect();
        let chain = chain.map_err(|e| bad(cert, e.to_string()))?;
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| bad(key, e.to_string()))?;
        Self::new(chain, secret).map_err(|error| match error {
            CertificateError::Pem { why, .. } => bad(cert, why),
            other => other,
        })
    }

    /// From a chain, the certificate itself first, and its key.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, CertificateError> {
        let bad = |why: &str| CertificateError::Pem { path: PathBuf::new(), why: why.to_owned() };
        let leaf = chain.first().ok_or_else(|| bad("there is no certificate in it"))?.clone();
        let (_, leaf) = x509_parser::parse_x509_certificate(&leaf).map_err(|_| bad("it cannot be read"))?;
        let names = leaf.subject_alternative_name().ok().flatten();
        let name = names.and_then(|names| {
            names.value.general_names.iter().find_map(|name| match name {
                x509_parser::extensions::GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            })
        });
        let (from, to) = (leaf.validity().not_before.timestamp(), leaf.validity().not_after.timestamp());
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(CertificateError::Pair)?;
        Ok(Self {
            key: Arc::new(key),
            name,
            not_before: from.saturating_mul(1000),
            not_after: to.saturating_mul(1000),
        })
    }

    /// Whether two thirds of its life are over at `now`.
    pub fn is_due(&self, now: i64) -> bool {
        let life = self.not_after.saturating_sub(self.not_before);
        now >= self.not_after.saturating_sub(life / 3)
    }
}

/// How the certificate stands, for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether this program renews it itself.
    pub acme: bool,
    /// Milliseconds since 1970; `None` while there is none.
    pub ends_at: Option<i64>,
    /// What went wrong when it was last to be renewed; `None` after a success.
    pub failed: Option<String>,
}

/// What the patients' listener shows, and takes into use when it is renewed.
#[derive(Debug)]
pub struct Certificates {
    page: String,
    acme: bool,
    held: RwLock<Option<Held>>,
    /// The answer to a challenge that is under way.
    challenge: RwLock<Option<Arc<CertifiedKey>>>,
    failed: Mutex<Option<String>>,
}

impl Certificates {
    /// `page` is the page's address, good while there is a certificate.
    pub fn new(page: String, acme: bool, held: Option<Held>) -> Self {
        Self { page, acme, held: RwLock::new(held), challenge: RwLock::default(), failed: Mutex::default() }
    }

    /// Where phones open links, unless no phone would trust what it is shown there.
    pub fn page(&self, now: i64) -> Option<String> {
        self.held().filter(|held| held.not_after > now).map(|_| self.page.clone())
    }

    /// The page's address, with or without a certificate.
    pub fn address(&self) -> &str {
        &self.page
    }

    pub fn held(&self) -> Option<Held> {
        self.held.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    pub fn standing(&self) -> Standing {
        let failed = self.failed.lock().unwrap_or_else(|e| e.into_inner()).clone();
        Standing { acme: self.acme, ends_at: self.held().map(|held| held.not_after), failed }
    }

    pub(super) fn renewed(&self, held: Held) {
        *self.held.write().unwrap_or_else(|e| e.into_inner()) = Some(held);
        *self.failed.lock().unwrap_or_else(|e| e.into_inner()) = None;
    }

    pub(super) fn not_renewed(&self, why: String) {
        *self.failed.lock().unwrap_or_else(|e| e.into_inner()) = Some(why);
    }

    pub(super) fn answer_challenge(&self, with: Option<Arc<CertifiedKey>>) {
        *self.challenge.write().unwrap_or_else(|e| e.into_inner()) = with;
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // RFC 8737, section 3: the validator offers this protocol and no other.
        if hello.alpn().is_some_and(|mut offered| offered.all(|protocol| protocol == ACME_TLS)) {
            return self.challenge.read().unwrap_or_else(|e| e.into_inner()).clone();
        }
        self.held().map(|held| held.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600_000;

    fn held(from: (i32, u8, u8), to: (i32, u8, u8)) -> Held {
        let mut params = rcgen::CertificateParams::new(vec!["care.example".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
        let key = rcgen::KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("signed");
        let secret = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS #8");
        Held::new(vec![cert.der().clone()], secret).expect("a pair")
    }

    #[test]
    fn it_is_due_when_two_thirds_of_its_life_are_over() {
        let held = held((2026, 1, 1), (2026, 4, 1));
        assert_eq!((held.not_after - held.not_before) / DAY, 90);
        assert!(!held.is_due(held.not_before) && !held.is_due(held.not_after - 31 * DAY));
        assert!(held.is_due(held.not_after - 29 * DAY) && held.is_due(held.not_after + DAY));
        assert_eq!(held.name.as_deref(), Some("care.example"));
    }

    #[test]
    fn there_is_a_page_while_phones_trust_what_it_shows() {
        let certificates = Certificates::new("https://care.example/p/".to_owned(), true, None);
        assert_eq!(certificates.page(0), None);
        certificates.not_renewed("no answer".to_owned());
        assert_eq!(certificates.standing().failed.as_deref(), Some("no answer"));
        let held = held((2026, 1, 1), (2026, 4, 1));
        let end = held.not_after;
        certificates.renewed(held);
        assert!(certificates.page(end - 1).is_some() && certificates.page(end).is_none());
        assert_eq!(certificates.standing(), Standing { acme: true, ends_at: Some(end), failed: None });
    }

    #[test]
    fn another_s_key_is_refused() {
        let (one, two) = (held((2026, 1, 1), (2026, 4, 1)), rcgen::KeyPair::generate().expect("a key"));
        let secret = PrivateKeyDer::try_from(two.serialize_der()).expect("PKCS #8");
        let mixed = Held::new(one.key.cert.clone(), secret);
        assert!(matches!(mixed, Err(CertificateError::Pair(_))));
    }
}
