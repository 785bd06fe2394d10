//! A certificate that phones trust, fetched and renewed by the server itself: ACME (RFC 8555) with the TLS-ALPN-01
//! challenge (RFC 8737), which needs nothing but the patients' own port.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::certificate::{CertificateError, Certificates, Held};
use crate::{App, private_file};

/// The protocol of the challenge (RFC 8737, section 6.2).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// RFC 8555, section 6.7.
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// How often it is looked whether the certificate is due.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// After a failure, doubled with each further one: an authority takes few failures in an hour.
const RETRY_FIRST: Duration = Duration::from_secs(300);
const RETRY_MOST: Duration = Duration::from_secs(6 * 3_600);
/// Longer than any authority takes.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long an order or a certificate is waited for.
const POLLING: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// From whom, for which name.
#[derive(Debug, Clone)]
pub struct AcmeConfig {
    /// The host name in the links.
    pub domain: String,
    /// `mailto:` address that the authority may write to.
    pub contact: Option<String>,
    /// The directory's URL (RFC 8555, section 7.1.1).
    pub directory: String,
    /// The authority's own root (PEM), if the system does not know it.
    pub root: Option<PathBuf>,
    /// Where the account and the certificate are kept.
    pub folder: PathBuf,
}

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    #[error("{0:?} is not a host name that a certificate can be had for")]
    Domain(String),
    #[error("{0:?} is not an https:// address")]
    Directory(String),
    #[error("the contact is an address like mailto:operator@example.org")]
    Contact,
    #[error("the authority: {0}")]
    Authority(#[from] instant_acme::Error),
    #[error("the authority does not offer the TLS-ALPN-01 challenge")]
    NoChallenge,
    #[error("the authority could not convince itself that {domain} is this server: {why}")]
    Refused { domain: String, why: String },
    #[error("the authority did not answer in time")]
    Silent,
    #[error(
        "what the authority sent is no certificate for {0} that is good now; is this machine's clock right?"
    )]
    NotGood(String),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("a key or a request for a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("{0}: {1}")]
    Io(&'static str, #[source] io::Error),
}

/// The account's file.
#[derive(Serialize, Deserialize)]
struct Saved {
    directory: String,
    credentials: AccountCredentials,
}

impl AcmeConfig {
    /// Refuses what no authority would take, before anybody is asked.
    pub fn check(&self) -> Result<(), AcmeError> {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let number =
            self.domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()));
        if self.domain.len() > 253 || !self.domain.split('.').all(label) || number {
            return Err(AcmeError::Domain(self.domain.clone()));
        }
        if !self.directory.starts_with("https://") {
            return Err(AcmeError::Directory(self.directory.clone()));
        }
        let named = |contact: &String| contact.strip_prefix("mailto:").is_some_and(|a| a.contains('@'));
        if !self.contact.iter().all(named) {
            return Err(AcmeError::Contact);
        }
        Ok(())
    }

    /// A folder for each authority, so that a test authority's certificate is not taken for the real one's.
    fn place(&self) -> PathBuf {
        let host = self.directory.trim_start_matches("https://").split('/').next().unwrap_or_default();
        let host: String =
            host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' }).collect();
        self.folder.join(host)
    }

    /// The key and the chain in one file: they are renewed together or not at all.
    fn file(&self) -> PathBuf {
        self.place().join(format!("{}.pem", self.domain))
    }

    /// The certificate that was fetched last, if there is one. What cannot be read is fetched anew.
    pub fn kept(&self) -> Option<Held> {
        let file = self.file();
        match Held::read(&file, &file) {
            Ok(held) => Some(held),
            Err(error) => {
                if file.exists() {
                    tracing::error!(%error, "the kept certificate for phones cannot be used");
                }
                None
            }
        }
    }
}

/// Renews the certificate when it is due, for as long as the server runs; the old one serves on meanwhile.
pub(super) async fn keep(config: AcmeConfig, certificates: Arc<Certificates>, app: Arc<App>) {
    let mut retry = RETRY_FIRST;
    loop {
        let now = app.now();
        let due = certificates.held().is_none_or(|held| held.is_due(now));
        let wait = if due {
            match fetch(&config, &certificates, now).await {
                Ok(held) => {
                    certificates.renewed(held);
                    retry = RETRY_FIRST;
                    tracing::info!("a certificate for phones was fetched");
                    LOOK_EVERY
                }
                Err(error) => {
                    tracing::error!(%error, "no new certificate for phones");
                    certificates.not_renewed(error.to_string());
                    let wait = retry;
                    retry = (retry * 2).min(RETRY_MOST);
                    wait
                }
            }
        } else {
            LOOK_EVERY
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.stopping.cancelled() => return,
        }
    }
}

async fn fetch(config: &AcmeConfig, certificates: &Certificates, now: i64) -> Result<Held, AcmeError> {
    let fetched = tokio::time::timeout(PATIENCE, order(config, certificates)).await;
    certificates.answer_challenge(None);
    let pem = fetched.map_err(|_| AcmeError::Silent)??;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let (Ok(key), Ok(chain)) = (key, chain) else { return Err(AcmeError::NotGood(config.domain.clone())) };
    let held = Held::new(chain, key)?;
    if held.name.as_deref() != Some(config.domain.as_str()) || held.is_due(now) {
        return Err(AcmeError::NotGood(config.domain.clone()));
    }
    let file = config.file();
    tokio::task::spawn_blocking(move || private_file::write(&file, pem.as_bytes()))
        .await
        .map_err(io::Error::other)
        .and_then(|written| written)
        .map_err(|e| AcmeError::Io("keeping the certificate", e))?;
    Ok(held)
}

/// The key and the chain, PEM.
async fn order(config: &AcmeConfig, certificates: &Certificates) -> Result<Zeroizing<String>, AcmeError> {
    let names = [Identifier::Dns(config.domain.clone())];
    let mut order = match account(config, true).await?.new_order(&NewOrder::new(&names)).await {
        Err(instant_acme::Error::Api(problem)) if problem.r#type.as_deref() == Some(NO_ACCOUNT) => {
            tracing::warn!("the authority does not know our account any more; another is made");
            account(config, false).await?.new_order(&NewOrder::new(&names)).await?
        }
        order => order?,
    };
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge =
            authorization.challenge(ChallengeType::TlsAlpn01).ok_or(AcmeError::NoChallenge)?;
        let answer = answer(&config.domain, challenge.key_authorization().digest().as_ref())?;
        certificates.answer_challenge(Some(answer));
        challenge.set_ready().await?;
    }
    let status = order.poll_ready(&POLLING).await;
    if !matches!(status, Ok(OrderStatus::Ready)) {
        return Err(AcmeError::Refused { domain: config.domain.clone(), why: why_not(&mut order).await });
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(vec![config.domain.clone()])?;
    params.distinguished_name = DistinguishedName::new();
    order.finalize_csr(params.serialize_request(&key)?.der()).await?;
    let chain = order.poll_certificate(&POLLING).await?;
    Ok(Zeroizing::new(key.serialize_pem() + &chain))
}

/// The account with this authority: the one that is kept, or a new one.
async fn account(config: &AcmeConfig, kept: bool) -> Result<Account, AcmeError> {
    // The client takes the process's TLS library; another part of the program may have named it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || match &config.root {
        Some(root) => Account::builder_with_root(root),
        None => Account::builder(),
    };
    let file = config.place().join("account.json");
    let saved = if kept { saved(&file) } else { None };
    if let Some(saved) = saved.filter(|saved| saved.directory == config.directory) {
        return Ok(builder()?.from_credentials(saved.credentials).await?);
    }
    let contact: Vec<&str> = config.contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder()?.create(&new, config.directory.clone(), None).await?;
    let saved = Saved { directory: config.directory.clone(), credentials };
    let text = Zeroizing::new(serde_json::to_vec(&saved).expect("an account is JSON"));
    private_file::write(&file, &text).map_err(|e| AcmeError::Io("keeping the account", e))?;
    Ok(account)
}

fn saved(file: &Path) -> Option<Saved> {
    let text = Zeroizing::new(std::fs::read(file).ok()?);
    let saved = serde_json::from_slice(&text);
    if saved.is_err() {
        tracing::warn!("the account's file cannot be read; another account is made");
    }
    saved.ok()
}

/// What the validator is shown: a certificate that carries the hash of the key authorization (RFC 8737, section 3).
fn answer(domain: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, AcmeError> {
    let mut params = CertificateParams::new(vec![domain.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let cert = params.self_signed(&key)?;
    let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = rustls::crypto::ring::default_provider();
    let signer = provider.key_provider.load_private_key(secret).map_err(CertificateError::Pair)?;
    // Not compared with each other: rustls reads no certificate that has a critical extension which it does not know.
    Ok(Arc::new(CertifiedKey::new(vec![cert.der().clone()], signer)))
}

/// What the authority says of a challenge that failed.
async fn why_not(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        if let Some(error) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return error.to_string();
        }
    }
    "it gave no reason".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(domain: &str) -> AcmeConfig {
        AcmeConfig {
            domain: domain.to_owned(),
            contact: None,
            directory: "https://127.0.0.1:14000/dir".to_owned(),
            root: None,
            folder: PathBuf::from("acme"),
        }
    }

    #[test]
    fn what_no_authority_would_take_is_refused_before_it_is_asked() {
        for good in ["care.example", "a-b.care.example.org", "localhost"] {
            assert!(config(good).check().is_ok(), "{good}");
        }
        for bad in [
            "",
            "care..example",
            "*.care.example",
            "192.0.2.1",
            "care example",
            "-a.example",
            "care.example/",
        ] {
            assert!(matches!(config(bad).check(), Err(AcmeError::Domain(_))), "{bad}");
        }
        let plain = AcmeConfig { directory: "http://acme.example/dir".to_owned(), ..config("care.example") };
        assert!(matches!(plain.check(), Err(AcmeError::Directory(_))));
        let contact = AcmeConfig { contact: Some("operator".to_owned()), ..config("care.example") };
        assert!(matches!(contact.check(), Err(AcmeError::Contact)));
    }

    #[test]
    fn each_authority_has_a_folder_of_its_own() {
        assert_eq!(config("care.example").file(), Path::new("acme/127.0.0.1_14000/care.example.pem"));
    }
}
