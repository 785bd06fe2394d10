//! [`Server`]: HTTP to one foreign FHIR server.

use std::time::Duration;

use rabta_domain::{Private, fhir::Resource};
use reqwest::{Method, Url, header};
use sha2::{Digest, Sha256};

use super::answer::{Answer, ForeignError, unreachable};
use crate::pin::{Pins, tls_config};

/// As towards the HIE: a clinic's 2G link may take long to say anything.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
const FHIR_JSON: &str = "application/fhir+json";

/// Who this program is to the server.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    #[default]
    Nobody,
    /// RFC 6750.
    Bearer(Private<String>),
}

/// Whose certificate the server must show.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// One that the operating system trusts.
    #[default]
    System,
    /// One with one of these keys, whatever else it says: our own HIE's.
    Pinned(Pins),
}

/// A line to one server. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    http: reqwest::Client,
    /// Ends with a slash.
    base: Url,
    auth: Auth,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Server {
    /// `base` is the FHIR base URL. Without TLS only a server on this machine is spoken to.
    pub fn new(base: &str, auth: Auth, trust: Trust) -> Result<Self, ForeignError> {
        let address = ForeignError::Address;
        let mut base = Url::parse(base).map_err(|_| address("it is not a URL"))?;
        let here = match base.host_str() {
            Some(host) => {
                let bare = host.trim_start_matches('[').trim_end_matches(']');
                host == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
            }
            None => return Err(address("it names no server")),
        };
        match base.scheme() {
            "https" => {}
            "http" if here => {}
            "http" => return Err(address("records are not sent without TLS")),
            _ => return Err(address("it is neither https nor http")),
        }
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return Err(address("a user, a password or a question has no place in it"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_fragment(None);
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            // A redirect would take the token and the record to wherever it points.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT);
        builder = match trust {
            Trust::Pinned(pins) => builder.tls_backend_preconfigured(tls_config(pins)),
            Trust::System => {
                // Fails where the process has one already.
                let _ = rustls::crypto::ring::default_provider().install_default();
                builder
            }
        };
        Ok(Self { http: builder.build().map_err(unreachable)?, base, auth })
    }

    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Tells this server's settings in the store from those of others: 16 hex digits of the base's SHA-256.
    pub(crate) fn key(&self) -> String {
        let hash: [u8; 32] = Sha256::digest(self.base.as_str()).into();
        hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The URL of a path below the base; with `""` the base itself, without its last slash, as transactions want it.
    fn url(&self, path: &str) -> Result<Url, ForeignError> {
        let mut url = self.base.clone();
        if path.is_empty() {
            let bare = url.path().trim_end_matches('/').to_owned();
            url.set_path(&bare);
            return Ok(url);
        }
        url.join(path).map_err(|_| ForeignError::Address("a path below it is not a URL"))
    }

    /// Any request; the answer whatever its status.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, String)>,
        if_match: Option<&str>,
    ) -> Result<Answer, ForeignError> {
        self.send_to(method, self.url(path)?, body, if_match).await
    }

    async fn send_to(
        &self,
        method: Method,
        url: Url,
        body: Option<(&str, String)>,
        if_match: Option<&str>,
    ) -> Result<Answer, ForeignError> {
        let mut request = self
            .http
            .request(method, url)
            .header(header::ACCEPT, FHIR_JSON)
            .header(header::ACCEPT_ENCODING, "gzip");
        if let Auth::Bearer(token) = &self.auth {
            request = request.bearer_auth(token.as_str());
        }
        if let Some(tag) = if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        if let Some((kind, text)) = body {
            request = request.header(header::CONTENT_TYPE, kind).body(text);
        }
        Answer::read(request.send().await.map_err(unreachable)?).await
    }

    pub async fn get(&self, path: &str) -> Result<Answer, ForeignError> {
        self.send(Method::GET, path, None, None).await
    }

    /// `POST [base]`: a transaction (http://hl7.org/fhir/R4/http.html#transaction).
    pub async fn transaction(&self, bundle: String) -> Result<Answer, ForeignError> {
        self.send(Method::POST, "", Some((FHIR_JSON, bundle)), None).await
    }

    /// `PUT [type]/[id]`, under a version where one is named.
    pub async fn put(&self, resource: &Resource, if_match: Option<&str>) -> Result<Answer, ForeignError> {
        let body = Some((FHIR_JSON, resource.text().to_owned()));
        self.send(Method::PUT, &resource.reference(), body, if_match).await
    }

    /// `GET [type]/[id]`: the resource, or `None` where the server has none (404, 410). Another resource than the one that
    /// was asked for is no answer.
    pub async fn read(&self, kind: &str, id: &str) -> Result<Option<Resource>, ForeignError> {
        let answer = self.get(&format!("{kind}/{id}")).await?;
        if matches!(answer.status, 404 | 410) {
            return Ok(None);
        }
        let answer = answer.accepted()?;
        let read = Resource::from_text(&answer.body)
            .map_err(|_| ForeignError::Malformed("it is not a FHIR resource"))?;
        if read.resource_type() != kind || read.id() != id {
            return Err(ForeignError::Malformed("it is another resource than the one that was asked for"));
        }
        Ok(Some(read))
    }

    /// A search, by POST where `by_post` (http://hl7.org/fhir/R4/http.html#search).
    pub async fn search(
        &self,
        kind: &str,
        params: &[(&str, String)],
        by_post: bool,
    ) -> Result<Answer, ForeignError> {
        let mut url = self.url(&if by_post { format!("{kind}/_search") } else { kind.to_owned() })?;
        url.query_pairs_mut().extend_pairs(params);
        if !by_post {
            return self.send_to(Method::GET, url, None, None).await;
        }
        let form = url.query().unwrap_or_default().to_owned();
        url.set_query(None);
        self.send_to(Method::POST, url, Some(("application/x-www-form-urlencoded", form)), None).await
    }

    /// A page's `next` link, as it came. One that names another server (many stand behind a proxy and do not know their own
    /// address) is asked of this one: the token and the record go nowhere else. Whether it named another comes with it.
    pub async fn follow(&self, link: &str) -> Result<(Answer, bool), ForeignError> {
        let url = self.base.join(link).map_err(|_| ForeignError::Malformed("the next link is not a URL"))?;
        let moved = url.origin() != self.base.origin();
        let url = if moved {
            let mut ours = self.base.clone();
            ours.set_path(url.path());
            ours.set_query(url.query());
            ours
        } else {
            url
        };
        Ok((self.send_to(Method::GET, url, None, None).await?, moved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_go_nowhere_without_tls_but_to_this_machine() {
        for bad in [
            "http://fhir.example.org/r4",
            "ftp://example.org",
            "r4",
            "https://user:word@example.org/fhir",
            "https://example.org/fhir?x=1",
            "http://127.0.0.1.example.org/fhir",
        ] {
            assert!(
                matches!(Server::new(bad, Auth::Nobody, Trust::System), Err(ForeignError::Address(_))),
                "{bad}"
            );
        }
        for good in [
            "https://fhir.example.org/r4",
            "http://127.0.0.1:8080/fhir",
            "http://[::1]:1/",
            "http://localhost/x",
        ] {
            assert!(Server::new(good, Auth::Nobody, Trust::System).is_ok(), "{good}");
        }
    }

    #[test]
    fn paths_stand_below_the_base() {
        let server = Server::new("http://localhost:1/a/fhir", Auth::Nobody, Trust::System).expect("a base");
        assert_eq!(server.url("Patient/x").expect("a URL").as_str(), "http://localhost:1/a/fhir/Patient/x");
        assert_eq!(server.url("").expect("a URL").as_str(), "http://localhost:1/a/fhir");
    }
}
