//! A doctor's device at the HIE's staff API, without a window: for what patients meet while no laptop is looked at. Written from the
//! protocol's description (crates/wire), with other code than the programs have.

use std::{fs::File, io::Read};

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use rcgen::{KeyPair, PKCS_ED25519, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{hie::Hie, story::Person, webdriver};

/// The clinic's telephone, as it is in links.
pub const PHONE: &str = "03000055101";

pub struct Desk {
    http: reqwest::Client,
    base: String,
    key: KeyPair,
    device: String,
    person: String,
    token: String,
}

/// A link as the doctor's device knows it.
pub struct Link {
    pub guest: String,
    secret: [u8; 16],
    page: String,
}

impl Link {
    /// The address in the message.
    pub fn url(&self) -> String {
        format!("{}#{}", self.page, self.fragment())
    }

    pub fn fragment(&self) -> String {
        BASE64.encode(self.secret)
    }

    /// RFC 5869 and AES-256-GCM, the nonce in front.
    fn seal(&self, part: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let mut key = [0; 32];
        let hkdf = hkdf::Hkdf::<Sha256>::new(None, &self.secret);
        hkdf.expand(b"rabta link after 1", &mut key).ok().context("32 bytes")?;
        let nonce: [u8; 12] = random()?;
        let sealed = Aes256Gcm::new(&key.into())
            .encrypt(&nonce.into(), Payload { msg: plain, aad: part.as_bytes() })
            .ok()
            .context("sealing")?;
        Ok([&nonce[..], &sealed].concat())
    }
}

impl Desk {
    /// Enrolls a new device for a new person.
    pub async fn join(hie: &Hie, person: &Person) -> Result<Self> {
        let http = webdriver::client()?;
        let base = hie.url("");
        let (device, own) = (KeyPair::generate_for(&PKCS_ED25519)?, KeyPair::generate_for(&PKCS_ED25519)?);
        let secret = BASE64.encode(secret_of(&hie.enroll(person)?.code)?);
        let own = BASE64.encode(own.public_key_raw());
        let said = [b"rabta enroll 1\0", secret.as_bytes(), own.as_bytes()].concat();
        let ask = json!({
            "secret": secret, "person_key": own, "device_name": "a test's laptop", "device": null,
            "device_key": BASE64.encode(device.public_key_raw()),
            "countersignature": BASE64.encode(device.sign(&said)?),
        });
        let enrolled = told(http.post(format!("{base}/v1/enroll")).json(&ask)).await?;
        let text = |pointer: &str| enrolled.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (id, person) =
            (text("/device").context("a device")?, text("/invitation/person/id").context("a person")?);
        let mut desk = Self { http, base, key: device, device: id, person, token: String::new() };
        desk.sign_in().await?;
        Ok(desk)
    }

    /// Gets a token (RFC 7523); again after the HIE was started anew.
    pub async fn sign_in(&mut self) -> Result<()> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
        let claims = json!({
            "iss": self.device, "sub": self.device, "aud": "rabta-hie/v1/token", "exp": now + 240, "iat": now,
            "jti": new_id()?, "person": self.person,
        });
        let header = BASE64.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
        let input = format!("{header}.{}", BASE64.encode(claims.to_string()));
        let assertion = format!("{input}.{}", BASE64.encode(self.key.sign(input.as_bytes())?));
        let form = format!(
            "grant_type=client_credentials&client_assertion={assertion}&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        let asked = self.http.post(format!("{}/v1/token", self.base)).body(form);
        let reply = told(asked.header("content-type", "application/x-www-form-urlencoded")).await?;
        self.token = reply["access_token"].as_str().context("a token")?.to_owned();
        Ok(())
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// `word` as it is normalized: lower case, single spaces.
    pub async fn make_link(&self, word: &str, life_ms: i64) -> Result<Link> {
        self.make_link_with(word, life_ms, Some(PHONE)).await
    }

    /// The same of a clinic with this telephone, or without one.
    pub async fn make_link_with(&self, word: &str, life_ms: i64, phone: Option<&str>) -> Result<Link> {
        let secret: [u8; 16] = random()?;
        let open = digest(&[b"rabta link open 1", &secret]);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() as i64;
        let guest = new_id()?;
        let mut link = json!({
            "guest": guest, "open": BASE64.encode(digest(&[&open])), "expires_at": now + life_ms,
            "word": BASE64.encode(digest(&[b"rabta link word 1", &open, word.as_bytes()])),
        });
        let mut made = Link { guest, secret, page: String::new() };
        let contact = made.seal("contact", json!({ "phone": phone }).to_string().as_bytes())?;
        link["contact"] = json!(BASE64.encode(contact));
        let answer = told(self.http.post(self.at("")).bearer_auth(&self.token).json(&link)).await?;
        made.page = answer["page"].as_str().context("a page")?.to_owned();
        Ok(made)
    }

    /// Asks the door about a link, without its word, until it is asked to wait: as somebody who guesses does.
    pub async fn ask_too_often(&self, link: &Link) -> Result<()> {
        let open = BASE64.encode(digest(&[b"rabta link open 1", &link.secret]));
        let door = link.page.trim_end_matches("/p/");
        for _ in 0..200 {
            let knock = self.http.post(format!("{door}/v1/p/open")).json(&json!({ "open": open }));
            if knock.send().await?.status() == reqwest::StatusCode::TOO_MANY_REQUESTS {
                return Ok(());
            }
        }
        bail!("nobody is ever asked to wait")
    }

    /// `close`, `move` or `do-not-move`.
    pub async fn act(&self, link: &Link, act: &str) -> Result<()> {
        told(self.http.post(self.at(&format!("/{}", link.guest))).bearer_auth(&self.token).json(&act))
            .await
            .map(drop)
    }

    /// What the HIE tells of an open link.
    pub async fn link(&self, link: &Link) -> Result<Value> {
        let all = told(self.http.get(self.at("")).bearer_auth(&self.token)).await?;
        let open = all["open"].as_array().cloned().unwrap_or_default();
        open.into_iter().find(|one| one["guest"] == json!(link.guest)).context("the link is not open")
    }

    /// Leaves a note, and a paper where there is one.
    pub async fn leave(&self, link: &Link, note: &Value, paper: Option<&[u8]>) -> Result<()> {
        self.put(link, "", link.seal("note", note.to_string().as_bytes())?).await?;
        match paper {
            Some(pdf) => self.put(link, "/paper", link.seal("paper", pdf)?).await,
            None => Ok(()),
        }
    }

    /// Leaves something that was sealed for another link.
    pub async fn leave_another_links(&self, link: &Link) -> Result<()> {
        let other = Link { guest: String::new(), secret: random()?, page: String::new() };
        self.put(link, "", other.seal("note", b"{}")?).await
    }

    async fn put(&self, link: &Link, part: &str, sealed: Vec<u8>) -> Result<()> {
        let put = self.http.put(self.at(&format!("/{}/after{part}", link.guest))).bearer_auth(&self.token);
        told(put.header("content-type", "application/octet-stream").body(sealed)).await.map(drop)
    }

    fn at(&self, path: &str) -> String {
        format!("{}/v1/links{path}", self.base)
    }
}

async fn told(request: reqwest::RequestBuilder) -> Result<Value> {
    let answer = request.send().await.context("the HIE does not answer")?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status.is_success(), "the HIE said {status}: {text}");
    Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// The 80 bits of an enrollment code (crates/wire/src/code.rs): Crockford's base32, after version and pin.
fn secret_of(code: &str) -> Result<Vec<u8>> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u32, Vec::new());
    for c in code.chars().filter(|c| *c != '-') {
        let Some(value) = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".find(c) else { bail!("not a code: {c}") };
        (bits, held) = (bits << 5 | value as u32, held + 5);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Ok(bytes.get(17..27).context("the code is too short")?.to_vec())
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A UUID of version 4 (RFC 9562).
pub(crate) fn new_id() -> Result<String> {
    let mut b: [u8; 16] = random()?;
    (b[6], b[8]) = (b[6] & 0x0f | 0x40, b[8] & 0x3f | 0x80);
    let hex: String = b.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
