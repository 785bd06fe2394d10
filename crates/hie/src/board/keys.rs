//! Who may see the operator's page: whoever opens a one-time address that `rabta-hie admin-link` made on the server, and
//! then a browser's session. Both are in memory only, as hashes; a restart ends them.

use std::{collections::HashMap, sync::Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::words::Lang;
use crate::db::settings::random;

/// How long a one-time address works.
pub const LINK_MS: i64 = 10 * 60_000;
/// A session that nobody used for so long ends,
pub const IDLE_MS: i64 = 30 * 60_000;
/// and any after so long.
const LONGEST_MS: i64 = 8 * 3_600_000;
/// Links, and sessions, at a time: the oldest go.
const MOST: usize = 16;

type Hash = [u8; 32];

#[derive(Default)]
pub struct Keys(Mutex<State>);

#[derive(Default)]
struct State {
    links: HashMap<Hash, i64>,
    sessions: HashMap<Hash, Kept>,
}

struct Kept {
    began: i64,
    used: i64,
    lang: Lang,
}

/// A session, while a request of it is answered.
#[derive(Clone)]
pub struct Session {
    hash: Hash,
    pub lang: Lang,
    /// Goes into every form: another site does not know it.
    pub form_key: String,
}

fn hash(purpose: &[u8], text: &str) -> Hash {
    Sha256::new().chain_update(purpose).chain_update(text.as_bytes()).finalize().into()
}

fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(random::<20>())
}

/// Makes room for one more.
fn trim<T>(all: &mut HashMap<Hash, T>, at: impl Fn(&T) -> i64) {
    while all.len() >= MOST {
        let oldest = all.iter().min_by_key(|(_, kept)| at(kept)).map(|(hash, _)| *hash);
        oldest.map(|hash| all.remove(&hash));
    }
}

impl Keys {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// A new one-time key, good for [`LINK_MS`] from `now` (milliseconds since 1970).
    pub fn link(&self, now: i64) -> String {
        let mut state = self.state();
        trim(&mut state.links, |ends| *ends);
        let key = fresh();
        state.links.insert(hash(b"link", &key), now + LINK_MS);
        key
    }

    /// Whether the key still works; it is not used up by this.
    pub fn works(&self, key: &str, now: i64) -> bool {
        self.state().links.get(&hash(b"link", key)).is_some_and(|ends| (now..=now + LINK_MS).contains(ends))
    }

    /// Uses the key up and begins a session: what its cookie holds.
    pub fn enter(&self, key: &str, lang: Lang, now: i64) -> Option<String> {
        if !self.works(key, now) {
            return None;
        }
        let mut state = self.state();
        state.links.remove(&hash(b"link", key))?;
        trim(&mut state.sessions, |kept| kept.used);
        let cookie = fresh();
        state.sessions.insert(hash(b"session", &cookie), Kept { began: now, used: now, lang });
        Some(cookie)
    }

    /// The session of a cookie, if it has not ended. A clock that was set back ends it.
    pub fn session(&self, cookie: &str, now: i64) -> Option<Session> {
        let id = hash(b"session", cookie);
        let mut state = self.state();
        let kept = state.sessions.get_mut(&id)?;
        let lives = (kept.used..kept.used + IDLE_MS).contains(&now) && now < kept.began + LONGEST_MS;
        if !lives {
            state.sessions.remove(&id);
            return None;
        }
        kept.used = now;
        let form_key = URL_SAFE_NO_PAD.encode(hash(b"form", cookie));
        Some(Session { hash: id, lang: kept.lang, form_key })
    }

    pub fn speak(&self, session: &Session, lang: Lang) {
        if let Some(kept) = self.state().sessions.get_mut(&session.hash) {
            kept.lang = lang;
        }
    }

    pub fn leave(&self, session: &Session) {
        self.state().sessions.remove(&session.hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_works_once_and_not_for_long() {
        let keys = Keys::default();
        let key = keys.link(0);
        assert!(keys.works(&key, LINK_MS) && !keys.works(&key, LINK_MS + 1) && !keys.works("x", 0));
        assert!(keys.enter(&key, Lang::En, LINK_MS + 1).is_none());
        let cookie = keys.enter(&key, Lang::En, 5).expect("it works");
        assert!(keys.enter(&key, Lang::En, 5).is_none(), "once");
        let first = keys.session(&cookie, 5).expect("a session");
        assert_eq!(keys.session(&cookie, 6).map(|s| s.form_key), Some(first.form_key.clone()));
        assert!(keys.session(&first.form_key, 6).is_none(), "a form's key is no cookie");
        assert!(keys.session(&cookie, 6 + IDLE_MS).is_none());
        assert!(keys.session(&cookie, 7).is_none(), "what has ended has ended");
    }

    #[test]
    fn a_session_ends_by_leaving_by_its_age_and_by_a_clock_that_goes_back() {
        let keys = Keys::default();
        let enter = |now| keys.enter(&keys.link(now), Lang::Ur, now).expect("a session");
        let left = enter(0);
        keys.leave(&keys.session(&left, 0).expect("it lives"));
        assert!(keys.session(&left, 0).is_none());
        let old = enter(0);
        let mut now = 0;
        while keys.session(&old, now).is_some() {
            now += IDLE_MS / 2;
        }
        assert_eq!(now, LONGEST_MS);
        let back = enter(100);
        assert!(keys.session(&back, 99).is_none());
        for _ in 0..MOST + 5 {
            enter(0);
        }
        assert_eq!(keys.state().sessions.len(), MOST);
    }
}
