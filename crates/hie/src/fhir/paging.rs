//! Next links: opaque and bound to who asked, since the search behind one may name a person.

use std::{collections::HashMap, sync::Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::params::Search;
use crate::{auth::Reader, db::settings::random};

/// Where a page begins: after this (updated_at, id).
pub type After = (i64, String);

#[derive(Debug, Clone)]
pub struct Page {
    pub search: Search,
    pub after: After,
}

/// Pages to come, in memory: a link is good for ten minutes and not across a restart.
#[derive(Default)]
pub struct Pages(Mutex<HashMap<String, (Reader, Page, i64)>>);

const LIFE_MS: i64 = 600_000;
const MOST: usize = 10_000;

impl Pages {
    pub fn keep(&self, who: Reader, page: Page, now: i64) -> String {
        let token = URL_SAFE_NO_PAD.encode(random::<16>());
        let mut pages = self.0.lock().unwrap_or_else(|e| e.into_inner());
        if pages.len() >= MOST {
            pages.retain(|_, (_, _, ends)| *ends > now);
        }
        if pages.len() >= MOST {
            pages.clear();
        }
        pages.insert(token.clone(), (who, page, now + LIFE_MS));
        token
    }

    pub fn get(&self, who: &Reader, token: &str, now: i64) -> Option<Page> {
        let pages = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let (owner, page, ends) = pages.get(token)?;
        (owner.is_like(who) && *ends > now).then(|| page.clone())
    }
}
