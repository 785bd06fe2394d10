//! Finding patients: from ranges of keys to a ranking, read from the index alone; only who is shown is read.

use std::collections::HashMap;

use rabta_search::{Answers, Best, FEW, Field, Key, Query, Range, SURE, Token};
use sqlx::SqliteConnection;

use super::{connect::get, posting, put, read, sql};
use crate::{
    columns::Columns,
    error::StoreError,
    model::{Hit, HitPage, NumberUse, Resource},
};

/// Whoever was written about on this laptop lately comes before others who answer as well; a name that answers better
/// still comes first.
const SEEN_LATELY: u32 = 15;

/// What a word found: whom, and how well in which of their names.
#[derive(Default)]
struct Found {
    patients: HashMap<i64, Answers>,
    /// A name here begins with just what was typed.
    as_typed: bool,
}

pub(crate) async fn find(
    c: &mut SqliteConnection,
    text: &str,
    offset: usize,
    limit: usize,
) -> Result<HitPage, StoreError> {
    let Some(query) = Query::parse(text) else { return Ok(HitPage::default()) };
    let mut words = Vec::new();
    for token in query.tokens() {
        words.push(behind(c, token, &token.ranges()).await?);
    }
    let mut ranked = ranked(c, &query, &words).await?;
    // Where few answer for sure, or no name here begins with what was typed, it may have been a slip.
    let doubted = ranked.get(FEW - 1).is_none_or(|(score, _)| *score < SURE);
    let mut meant_more = false;
    for (token, word) in query.tokens().iter().zip(&mut words).filter(|(_, word)| doubted || !word.as_typed) {
        let mut meant = Vec::new();
        for range in token.vocabulary() {
            let rows = sqlx::query(sql::WORDS).bind(range.from).bind(range.to).fetch_all(&mut *c).await?;
            for row in &rows {
                meant.extend(token.meant(get(row, 0)?));
            }
        }
        for (patient, answers) in behind(c, token, &meant).await?.patients {
            word.patients.entry(patient).or_default().merge(&answers);
            meant_more = true;
        }
    }
    if meant_more {
        ranked = self::ranked(c, &query, &words).await?;
    }
    let mut page = HitPage::default();
    let mut rest = ranked.into_iter().skip(offset);
    for (score, patient) in rest.by_ref() {
        let rows = put::person(c, patient).await?;
        let mut found = read::resources(c, rows).await?.into_iter();
        let Some(patient) = found.next().filter(|first| first.kind == "Patient") else { continue };
        page.hits.push(Hit { score, patient, relatives: found.collect() });
        if page.hits.len() == limit {
            break;
        }
    }
    page.more = rest.next().is_some();
    Ok(page)
}

/// Best first; ties in the order of arrival, so that pages do not overlap.
async fn ranked(
    c: &mut SqliteConnection,
    query: &Query,
    words: &[Found],
) -> Result<Vec<(u32, i64)>, StoreError> {
    let Some(rarest) = words.iter().min_by_key(|found| found.patients.len()) else { return Ok(Vec::new()) };
    let mut ranked: Vec<(u32, i64)> = rarest
        .patients
        .keys()
        .filter_map(|patient| Some((query.total(|token| words[token].patients.get(patient))?, *patient)))
        .collect();
    if ranked.len() > 1 {
        let lately = lately(c).await?;
        for (score, patient) in &mut ranked {
            if lately.contains_key(patient) {
                *score += SEEN_LATELY;
            }
        }
    }
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(ranked)
}

async fn behind(c: &mut SqliteConnection, token: &Token, ranges: &[Range]) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for range in ranges {
        let rows = sqlx::query(sql::POSTINGS).bind(&range.from).bind(&range.to).fetch_all(&mut *c).await?;
        for row in &rows {
            let key: &str = get(row, 0)?;
            found.as_typed |= token.is_in(key);
            let mut worth: HashMap<(Field, u8), Option<Best>> = HashMap::new();
            for entry in posting::entries(get(row, 1)?) {
                let answer = || token.answer(entry.field, entry.length, key);
                if let Some(best) = *worth.entry((entry.field, entry.length)).or_insert_with(answer) {
                    found.patients.entry(entry.patient).or_default().add(entry.field, best);
                }
            }
        }
    }
    Ok(found)
}

async fn lately(c: &mut SqliteConnection) -> Result<HashMap<i64, ()>, StoreError> {
    let rows = sqlx::query(sql::LATELY).fetch_all(c).await?;
    rows.iter().map(|row| Ok((get(row, 0)?, ()))).collect()
}

/// Whose number this is: exact matches only.
pub(crate) async fn number_uses(c: &mut SqliteConnection, key: &Key) -> Result<Vec<NumberUse>, StoreError> {
    let rows = sqlx::query(sql::POSTINGS)
        .bind(key.as_str())
        .bind(format!("{}\0", key.as_str()))
        .fetch_all(&mut *c)
        .await?;
    let mut uses = Vec::new();
    for row in &rows {
        for entry in posting::entries(get(row, 1)?) {
            if !matches!(entry.field, Field::Paper | Field::Mr) {
                continue;
            }
            let rows = put::person(c, entry.patient).await?;
            let person = read::resources(c, rows).await?;
            uses.extend(person.iter().filter(|source| has(source, key)).map(|source| NumberUse {
                patient: source.patient.clone().unwrap_or_default(),
                source_kind: source.kind.clone(),
                source_id: source.id.clone(),
            }));
        }
    }
    uses.sort_by(|a, b| {
        (&a.patient, &a.source_kind, &a.source_id).cmp(&(&b.patient, &b.source_kind, &b.source_id))
    });
    uses.dedup();
    Ok(uses)
}

fn has(source: &Resource, key: &Key) -> bool {
    Columns::read(&source.kind, &source.id, &source.body).is_ok_and(|columns| {
        let number = |field: &Field| matches!(field, Field::Paper | Field::Mr);
        columns.keys.iter().any(|(field, _, own)| number(field) && own == key)
    })
}
