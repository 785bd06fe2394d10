//! Finding patients: from ranges of keys to candidates, from candidates to a ranking.

use std::collections::{BTreeSet, HashMap};

use rabta_search::{Field, Query, Token};
use sqlx::SqliteConnection;

use super::{connect::get, read, sql};
use crate::{
    error::StoreError,
    model::{Hit, HitPage, Resource},
};

/// More patients than this behind one word are not told apart by it: the other words choose, or the best of these.
const CANDIDATES: usize = 2000;

pub(crate) async fn find(
    c: &mut SqliteConnection,
    text: &str,
    offset: usize,
    limit: usize,
) -> Result<HitPage, StoreError> {
    let Some(query) = Query::parse(text) else { return Ok(HitPage::default()) };
    let found = candidates(c, &query, false).await?;
    let mut ranked = rank(c, &query, found).await?;
    if ranked.is_empty() {
        let found = candidates(c, &query, true).await?;
        ranked = rank(c, &query, found).await?;
    }
    let mut page = HitPage::default();
    let mut skip = offset;
    for (score, patient) in ranked {
        let Some(patient) = resource(c, &patient).await? else { continue };
        if skip > 0 {
            skip -= 1;
        } else if page.hits.len() == limit {
            page.more = true;
            break;
        } else {
            let relatives =
                sqlx::query(sql::OF_PATIENT).bind(&patient.id).bind("RelatedPerson").bind(i64::MAX).bind(20);
            let rows = relatives.fetch_all(&mut *c).await?;
            page.hits.push(Hit { score, relatives: read::resources(c, rows).await?, patient });
        }
    }
    Ok(page)
}

async fn resource(c: &mut SqliteConnection, patient: &str) -> Result<Option<Resource>, StoreError> {
    let Some(row) = sqlx::query(sql::RESOURCE).bind("Patient").bind(patient).fetch_optional(&mut *c).await?
    else {
        return Ok(None);
    };
    Ok(Some(read::resource(c, &row).await?).filter(|r| !r.deleted))
}

/// Patients in whom every word may be found. A word that too many share only checks in the ranking, unless all are
/// like that.
async fn candidates(
    c: &mut SqliteConnection,
    query: &Query,
    slips: bool,
) -> Result<BTreeSet<String>, StoreError> {
    let mut chosen: Option<BTreeSet<String>> = None;
    let mut crowd: Option<BTreeSet<String>> = None;
    for token in query.tokens() {
        let found = behind(c, token, slips).await?;
        if found.len() >= CANDIDATES {
            crowd.get_or_insert(found);
            continue;
        }
        chosen = Some(match chosen {
            Some(before) => before.intersection(&found).cloned().collect(),
            None => found,
        });
    }
    Ok(chosen.or(crowd).unwrap_or_default())
}

async fn behind(
    c: &mut SqliteConnection,
    token: &Token,
    slips: bool,
) -> Result<BTreeSet<String>, StoreError> {
    let mut found = BTreeSet::new();
    for range in token.ranges() {
        let rows = sqlx::query(sql::KEY_RANGE)
            .bind(range.from)
            .bind(range.to)
            .bind(CANDIDATES as i64)
            .fetch_all(&mut *c)
            .await?;
        for row in &rows {
            found.insert(get(row, 0)?);
        }
    }
    if slips {
        let keys: Vec<String> = token.slips().into_iter().map(|key| key.into_string()).collect();
        let rows = sqlx::query(sql::KEYS_EXACT)
            .bind(json_list(&keys))
            .bind(CANDIDATES as i64)
            .fetch_all(&mut *c)
            .await?;
        for row in &rows {
            found.insert(get(row, 0)?);
        }
    }
    Ok(found)
}

/// Best first; ties by id, so that pages do not overlap.
async fn rank(
    c: &mut SqliteConnection,
    query: &Query,
    candidates: BTreeSet<String>,
) -> Result<Vec<(u32, String)>, StoreError> {
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = candidates.into_iter().collect();
    let rows = sqlx::query(sql::KEYS_OF).bind(json_list(&ids)).fetch_all(c).await?;
    let mut keys: HashMap<&str, Vec<(Field, &str)>> = HashMap::new();
    for row in &rows {
        if let Some(field) = Field::from_number(get(row, 1)?) {
            keys.entry(get(row, 0)?).or_default().push((field, get(row, 2)?));
        }
    }
    let mut ranked: Vec<(u32, String)> = keys
        .into_iter()
        .filter_map(|(patient, keys)| Some((query.score(keys)?, patient.to_owned())))
        .collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(ranked)
}

fn json_list(items: &[String]) -> String {
    serde_json::to_string(items).expect("strings are JSON")
}
