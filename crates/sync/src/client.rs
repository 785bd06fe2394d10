//! [`HieClient`]: the HIE's `/v1` over one pinned key.

use std::{io::Read as _, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use rabta_wire::{
    Id,
    code::EnrollmentCode,
    cursor::Cursor,
    enroll::{Check, Enroll, Enrolled, Invitation},
    guest::{AfterPart, LinkAct, Links, MakeLink},
    limits,
    log::{EPOCH_HEADER, MEDIA_TYPE, PullReply, Push, PushReply},
    stick,
    token::{ASSERTION_TYPE, AUDIENCE, Claims, GRANT_TYPE, TokenReply, sign_assertion},
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use tokio::sync::{Mutex, watch};

use crate::{
    clock::{Clock, Offset},
    error::HieError,
    pin::{Pins, tls_config},
    traffic::{Traffic, size_of},
};

/// A clinic's 2G link may take long to say anything, and then says it slowly.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const SILENCE_TIMEOUT: Duration = Duration::from_secs(40);
/// A token is renewed this long before its end.
const TOKEN_MARGIN_MS: u64 = 60_000;
/// RFC 8878, section 3.1.1.1.2: no frame for general use needs more than 8 MB of window.
const WINDOW_LOG: u32 = 23;
/// JSON answers and error texts are small.
const SMALL_ANSWER: usize = 256_000;

/// Who this program is to the HIE.
#[derive(Clone)]
pub struct Identity {
    pub device: Id,
    /// The person at the device now.
    pub person: Id,
    /// Shared rather than copied: fewer places to wipe.
    pub device_key: Arc<SigningKey>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("device", &self.device)
            .field("person", &self.person)
            .finish_non_exhaustive()
    }
}

/// Where the HIE is and which keys may answer there.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `host:port`.
    pub address: String,
    pub pins: Pins,
}

/// The HIE's `/v1`. Cheap to clone; one connection pool and one token behind it.
#[derive(Clone)]
pub struct HieClient {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    tls: Arc<rustls::ClientConfig>,
    endpoint: Endpoint,
    identity: Option<Identity>,
    clock: Arc<dyn Clock>,
    offset: Offset,
    token: Mutex<Option<Token>>,
    told: watch::Sender<Option<Vec<[u8; 32]>>>,
    traffic: Arc<Traffic>,
}

struct Token {
    text: String,
    /// By the monotone clock.
    until: u64,
}

impl std::fmt::Debug for HieClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HieClient").field("address", &self.inner.endpoint.address).finish_non_exhaustive()
    }
}

impl HieClient {
    /// For joining: pinned to the half hash in the code, without an identity.
    pub fn for_code(code: &EnrollmentCode, clock: Arc<dyn Clock>) -> Result<Self, HieError> {
        let endpoint = Endpoint { address: code.address.clone(), pins: Pins::of_code(code.spki_sha256_16) };
        Self::build(endpoint, None, clock, Offset::default())
    }

    /// For an enrolled device. `offset` is what an earlier run learnt, or `Offset::default()`.
    pub fn new(
        endpoint: Endpoint,
        identity: Identity,
        clock: Arc<dyn Clock>,
        offset: Offset,
    ) -> Result<Self, HieError> {
        Self::build(endpoint, Some(identity), clock, offset)
    }

    fn build(
        endpoint: Endpoint,
        identity: Option<Identity>,
        clock: Arc<dyn Clock>,
        offset: Offset,
    ) -> Result<Self, HieError> {
        let tls = tls_config(endpoint.pins.clone());
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            // Most 2G gateways forget a silent connection within a minute or two.
            .pool_idle_timeout(Duration::from_secs(60))
            .build()
            .map_err(HieError::of_http)?;
        let token = Mutex::new(None);
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                tls: Arc::new(tls),
                endpoint,
                identity,
                clock,
                offset,
                token,
                told: watch::channel(None).0,
                traffic: Arc::default(),
            }),
        })
    }

    /// What went over the line since this client was made.
    pub fn traffic(&self) -> &Arc<Traffic> {
        &self.inner.traffic
    }

    /// What is known of the HIE's clock.
    pub fn offset(&self) -> &Offset {
        &self.inner.offset
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    pub fn identity(&self) -> Option<&Identity> {
        self.inner.identity.as_ref()
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// The keys that may answer from now on, whenever the HIE names others than those that are pinned: it rotated its key,
    /// and its next one stands behind it. To be kept, and pinned by the next client; this one goes on with what it has.
    pub fn told_pins(&self) -> watch::Receiver<Option<Vec<[u8; 32]>>> {
        self.inner.told.subscribe()
    }

    fn learn_pins(&self, told: &[String]) {
        let pins: Option<Vec<[u8; 32]>> =
            told.iter().map(|pin| URL_SAFE_NO_PAD.decode(pin).ok()?.try_into().ok()).collect();
        // The one that answered must be among them, or a wrong word would shut this laptop out for good.
        let Some(pins) =
            pins.filter(|pins| Pins::whole(pins.iter().copied()).share(&self.inner.endpoint.pins))
        else {
            return;
        };
        if Pins::whole(pins.iter().copied()) != self.inner.endpoint.pins {
            self.inner.told.send_if_modified(|held| {
                let new = held.as_ref() != Some(&pins);
                *held = Some(pins);
                new
            });
        }
    }

    pub(crate) fn tls(&self) -> Arc<rustls::ClientConfig> {
        self.inner.tls.clone()
    }

    /// What a code is for; does not use it up. Refusals carry `rabta_wire::enroll::codes`.
    pub async fn check_code(&self, code: &EnrollmentCode) -> Result<Invitation, HieError> {
        let body = Check { secret: URL_SAFE_NO_PAD.encode(code.secret) };
        let answer = self.send(self.request(Method::POST, "/v1/enroll/check").json(&body)).await?;
        json(answer).await
    }

    /// Uses the code: certifies the keys of a new device and its person, or (`device` set) of one more person at
    /// a device that is enrolled already.
    pub async fn enroll(
        &self,
        code: &EnrollmentCode,
        device_key: &SigningKey,
        person_key: &SigningKey,
        device_name: &str,
        device: Option<Id>,
    ) -> Result<Enrolled, HieError> {
        let secret = URL_SAFE_NO_PAD.encode(code.secret);
        let person = URL_SAFE_NO_PAD.encode(person_key.verifying_key().as_bytes());
        let said = [b"rabta enroll 1\0", secret.as_bytes(), person.as_bytes()].concat();
        let body = Enroll {
            device_key: URL_SAFE_NO_PAD.encode(device_key.verifying_key().as_bytes()),
            countersignature: URL_SAFE_NO_PAD.encode(device_key.sign(&said).to_bytes()),
            device_name: device_name.to_owned(),
            person_key: person,
            secret,
            device,
        };
        let answer = self.send(self.request(Method::POST, "/v1/enroll").json(&body)).await?;
        json(answer).await
    }

    /// An access token that is good for at least a minute.
    pub async fn token(&self) -> Result<String, HieError> {
        let mut held = self.inner.token.lock().await;
        let now = self.inner.clock.monotonic_ms();
        if let Some(token) = held.as_ref().filter(|token| now < token.until) {
            return Ok(token.text.clone());
        }
        let before = self.inner.offset.get();
        let reply = match self.fetch_token().await {
            // The refusal brought the HIE's time with it: say it again by that clock.
            Err(HieError::Refused { status: 400 | 401, .. }) if self.inner.offset.get() != before => {
                self.fetch_token().await?
            }
            other => other?,
        };
        self.learn_pins(&reply.pins);
        let life = u64::from(reply.expires_in) * 1_000;
        let until = now + life.saturating_sub(TOKEN_MARGIN_MS).max(life / 2);
        *held = Some(Token { text: reply.access_token.clone(), until });
        Ok(reply.access_token)
    }

    /// Forgets the token, which the HIE no longer takes.
    pub async fn drop_token(&self, refused: &str) {
        let mut held = self.inner.token.lock().await;
        if held.as_ref().is_some_and(|token| token.text == refused) {
            *held = None;
        }
    }

    /// Sends encoded envelopes, in log order, within [`limits::PUSH`].
    pub async fn push(&self, envelopes: Vec<Vec<u8>>) -> Result<PushReply, HieError> {
        let count = envelopes.len();
        let push = Push { envelopes: envelopes.into_iter().map(Into::into).collect() };
        let body = minicbor::to_vec(&push).expect("encoding into memory cannot fail");
        let answer = self
            .authorized(|| {
                self.request(Method::POST, "/v1/envelopes")
                    .header(header::CONTENT_TYPE, MEDIA_TYPE)
                    .header(header::ACCEPT, MEDIA_TYPE)
                    .body(body.clone())
            })
            .await?;
        let reply: PushReply = cbor(answer, SMALL_ANSWER).await?;
        if reply.acks.len() != count {
            return Err(HieError::Malformed("one ack for each envelope"));
        }
        Ok(reply)
    }

    /// Changes after `after`, at most `limit`; from the start without it. [`HieError::EpochChanged`] where the
    /// cursor is of an epoch that the HIE no longer has.
    pub async fn pull(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        self.changes("/v1/changes", after, limit).await
    }

    /// Of the same what a new laptop needs first. The cursor of its answers counts for the next of these only.
    pub async fn pull_lately(&self, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        self.changes("/v1/changes/lately", after, limit).await
    }

    async fn changes(&self, path: &str, after: Option<Cursor>, limit: u32) -> Result<PullReply, HieError> {
        let path = match after {
            Some(cursor) => format!("{path}?after={cursor}&limit={limit}"),
            None => format!("{path}?limit={limit}"),
        };
        let answer = self
            .authorized(|| {
                self.request(Method::GET, &path)
                    .header(header::ACCEPT, MEDIA_TYPE)
                    .header(header::ACCEPT_ENCODING, "zstd")
            })
            .await?;
        // One change may be as large as an envelope, beyond the point where the HIE stops.
        let reply: PullReply = cbor(answer, limits::PULL_BYTES + 2 * limits::FHIR_BODY).await?;
        if let Some(old) = after.filter(|old| old.epoch != reply.next.epoch) {
            tracing::warn!(was = %old.epoch, now = %reply.next.epoch, "the HIE has a new epoch");
            return Err(HieError::EpochChanged(reply.next.epoch));
        }
        Ok(reply)
    }

    /// Brings another laptop's ask ([`rabta_wire::stick`]); its sealed answer.
    pub async fn carry(&self, ask: Vec<u8>) -> Result<Vec<u8>, HieError> {
        let request = || {
            let request = self.request(Method::POST, stick::PATH);
            request.header(header::CONTENT_TYPE, stick::MEDIA_TYPE).body(ask.clone())
        };
        let answer = bytes(self.authorized(request).await?, stick::MOST).await?;
        // Only then may the ask go from the stick.
        if stick::answer_for(&answer).ok() != stick::asked_by(&ask).ok() {
            return Err(HieError::Malformed("another answer than was asked for"));
        }
        Ok(answer)
    }

    /// Whether patients' links can be made, and this person's open ones.
    pub async fn links(&self) -> Result<Links, HieError> {
        json(self.authorized(|| self.request(Method::GET, "/v1/links")).await?).await
    }

    /// Makes a link. Refused with `no-certificate` where phones could not open it.
    pub async fn make_link(&self, link: &MakeLink) -> Result<(), HieError> {
        self.authorized(|| self.request(Method::POST, "/v1/links").json(link)).await.map(drop)
    }

    pub async fn act_on_link(&self, guest: Id, act: LinkAct) -> Result<(), HieError> {
        let path = format!("/v1/links/{guest}");
        self.authorized(|| self.request(Method::POST, &path).json(&act)).await.map(drop)
    }

    /// Puts what was sealed for a patient's phone at the HIE.
    pub async fn leave_after(&self, guest: Id, part: AfterPart, sealed: Vec<u8>) -> Result<(), HieError> {
        let path = match part {
            AfterPart::Note => format!("/v1/links/{guest}/after"),
            AfterPart::Paper => format!("/v1/links/{guest}/after/paper"),
        };
        let request = || {
            let request = self.request(Method::PUT, &path);
            request.header(header::CONTENT_TYPE, "application/octet-stream").body(sealed.clone())
        };
        self.authorized(request).await.map(drop)
    }

    async fn fetch_token(&self) -> Result<TokenReply, HieError> {
        let identity = self.inner.identity.as_ref().ok_or(HieError::Malformed("not enrolled"))?;
        let now = self.inner.offset.hie_ms(self.inner.clock.unix_ms()).div_euclid(1_000);
        let claims = Claims {
            iss: identity.device,
            sub: identity.device,
            aud: AUDIENCE.to_owned(),
            exp: now + 240,
            iat: now,
            jti: uuid::Uuid::new_v4().to_string(),
            person: identity.person,
        };
        let assertion = sign_assertion(&identity.device_key, &claims);
        let kind = ASSERTION_TYPE.replace(':', "%3A");
        let form =
            format!("grant_type={GRANT_TYPE}&client_assertion_type={kind}&client_assertion={assertion}");
        let request = self
            .request(Method::POST, "/v1/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        json(self.send(request).await?).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.inner.http.request(method, format!("https://{}{path}", self.inner.endpoint.address))
    }

    /// Sends with a token; a 401 drops the token and is tried once more.
    pub(crate) async fn authorized(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, HieError> {
        let token = self.token().await?;
        match self.send(request().bearer_auth(&token)).await {
            Err(HieError::Refused { status: 401, .. }) => {
                self.drop_token(&token).await;
                let token = self.token().await?;
                self.send(request().bearer_auth(&token)).await
            }
            other => other,
        }
    }

    /// Sends, learns the time, and sorts the answer.
    async fn send(&self, request: RequestBuilder) -> Result<Response, HieError> {
        let request = request.build().map_err(HieError::of_http)?;
        let body = request.body().and_then(|body| body.as_bytes()).map_or(0, <[u8]>::len);
        let size = size_of(request.headers()) + request.url().as_str().len() + body;
        let sent = self.inner.clock.unix_ms();
        let answer = self.inner.http.execute(request).await;
        // Where nobody was reached, nothing was paid for.
        if !answer.as_ref().is_err_and(reqwest::Error::is_connect) {
            self.inner.traffic.add_sent(size);
        }
        let mut answer = answer.map_err(HieError::of_http)?;
        let received = self.inner.clock.unix_ms();
        self.inner.traffic.add_received(size_of(answer.headers()));
        answer.extensions_mut().insert(self.inner.traffic.clone());
        if let Some(date) = answer.headers().get(header::DATE).and_then(|d| d.to_str().ok()) {
            self.inner.offset.learn(date, sent, received);
        }
        if answer.status().is_success() { Ok(answer) } else { Err(refusal(answer).await) }
    }
}

async fn refusal(answer: Response) -> HieError {
    let status = answer.status();
    let epoch = answer.headers().get(EPOCH_HEADER).and_then(|h| h.to_str().ok()).and_then(|h| h.parse().ok());
    if let (StatusCode::CONFLICT, Some(epoch)) = (status, epoch) {
        return HieError::EpochChanged(epoch);
    }
    let body = bytes(answer, SMALL_ANSWER).await.unwrap_or_default();
    let (code, text) = said(&body);
    let code = if code.is_empty() { format!("http-{}", status.as_u16()) } else { code };
    HieError::Refused { status: status.as_u16(), code, text }
}

/// The code and words of an OperationOutcome, or of an OAuth error (RFC 6749, section 5.2).
fn said(body: &[u8]) -> (String, String) {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else { return Default::default() };
    let text = |pointer: &str| value.pointer(pointer).and_then(|v| v.as_str()).map(str::to_owned);
    let code = ["/issue/0/details/coding/0/code", "/rabta_code", "/error", "/issue/0/code"]
        .into_iter()
        .find_map(text);
    let words =
        ["/issue/0/details/text", "/issue/0/diagnostics", "/error_description"].into_iter().find_map(text);
    (code.unwrap_or_default(), words.unwrap_or_default())
}

pub(crate) async fn json<T: serde::de::DeserializeOwned>(answer: Response) -> Result<T, HieError> {
    let body = bytes(answer, SMALL_ANSWER).await?;
    serde_json::from_slice(&body).map_err(|_| HieError::Malformed("JSON"))
}

async fn cbor<T: for<'b> minicbor::Decode<'b, ()>>(answer: Response, most: usize) -> Result<T, HieError> {
    let body = bytes(answer, most).await?;
    minicbor::decode(&body).map_err(|_| HieError::Malformed("CBOR"))
}

/// The body, at most `most` bytes of it, packed or not: a reader checks before it allocates.
pub(crate) async fn bytes(mut answer: Response, most: usize) -> Result<Vec<u8>, HieError> {
    let packed = answer.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "zstd");
    let mut body = Vec::new();
    while let Some(chunk) = next(&mut answer).await? {
        let chunk = chunk.as_ref();
        if body.len() + chunk.len() > most {
            return Err(HieError::Malformed("larger than allowed"));
        }
        body.extend_from_slice(chunk);
    }
    if packed { unpacked(&body, most) } else { Ok(body) }
}

/// The next piece of a body, counted.
pub(crate) async fn next(answer: &mut Response) -> Result<Option<impl AsRef<[u8]> + use<>>, HieError> {
    let chunk = answer.chunk().await.map_err(HieError::of_http)?;
    if let (Some(chunk), Some(traffic)) = (&chunk, answer.extensions().get::<Arc<Traffic>>()) {
        traffic.add_received(chunk.len());
    }
    Ok(chunk)
}

/// zstd (RFC 8878).
pub(crate) fn unpacked(body: &[u8], most: usize) -> Result<Vec<u8>, HieError> {
    let broken = |_| HieError::Malformed("zstd");
    let mut decoder = zstd::Decoder::with_buffer(body).map_err(broken)?;
    decoder.window_log_max(WINDOW_LOG).map_err(broken)?;
    let mut out = Vec::new();
    decoder.take(most as u64 + 1).read_to_end(&mut out).map_err(broken)?;
    if out.len() > most {
        return Err(HieError::Malformed("larger than allowed"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_body_is_unpacked_up_to_what_is_allowed_and_not_beyond() {
        let packed = zstd::encode_all(&[7_u8; 5_000_000][..], 3).expect("it packs");
        assert!(packed.len() < 2_000, "a bomb is small");
        assert_eq!(unpacked(&packed, 5_000_000).expect("it is allowed").len(), 5_000_000);
        assert!(matches!(unpacked(&packed, 4_999_999), Err(HieError::Malformed("larger than allowed"))));
        for broken in [&packed[..packed.len() - 3], b"no zstd at all"] {
            assert!(matches!(unpacked(broken, 5_000_000), Err(HieError::Malformed("zstd"))));
        }
    }

    #[test]
    fn the_hies_words_are_read_from_both_kinds_of_error() {
        let outcome = br#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"conflict",
            "details":{"coding":[{"code":"enroll-used"}],"text":"used before"}}]}"#;
        assert_eq!(said(outcome), ("enroll-used".into(), "used before".into()));
        let oauth = br#"{"error":"invalid_client","error_description":"expired"}"#;
        assert_eq!(said(oauth), ("invalid_client".into(), "expired".into()));
        let revoked = br#"{"error":"invalid_client","error_description":"x","rabta_code":"device-revoked"}"#;
        assert_eq!(said(revoked), ("device-revoked".into(), "x".into()));
        assert_eq!(said(b"<html>"), (String::new(), String::new()));
    }
}
