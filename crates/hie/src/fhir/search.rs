use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{
    acceptable, known,
    paging::{After, Page},
    params::{self, Condition, Op, Search, Sort},
    store::{self, Stored},
    visible,
};
use crate::{
    App,
    audit::{Act, Event},
    auth::Reader,
    care,
    web::{ApiError, FHIR_JSON, body},
};

/// `POST [type]/_search`: the parameters are in the body, where no access log keeps them.
pub async fn by_post(
    State(app): State<Arc<App>>,
    Path(kind): Path<String>,
    who: Reader,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, ApiError> {
    let kind = known(&kind)?.name;
    acceptable(request.headers())?;
    let mut all = params::form(query.unwrap_or_default().as_bytes());
    params::refuse_personal(&all)?;
    if !body::is_type(request.headers(), &["application/x-www-form-urlencoded"]) {
        return Err(body::unsupported("application/x-www-form-urlencoded"));
    }
    all.extend(params::form(&body::bytes(request, 100_000).await?));
    let search = params::search(kind, &all)?;
    let lookup = care::lookup::asked(&who, &search);
    first_page(&app, who, search, &all, lookup).await
}

/// `GET [type]?…`: what names nobody, and the next pages of any search.
pub async fn by_get(
    State(app): State<Arc<App>>,
    Path(kind): Path<String>,
    who: Reader,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let kind = known(&kind)?.name;
    acceptable(&headers)?;
    let all = params::form(query.unwrap_or_default().as_bytes());
    if let Some((_, token)) = all.iter().find(|(name, _)| name == "_page") {
        let gone =
            || ApiError::new(StatusCode::GONE, "page-gone", "this page is no longer kept; search again");
        let page =
            app.pages.get(&who, token, app.now()).filter(|p| p.search.kind == kind).ok_or_else(gone)?;
        let mut db = app.db.read().acquire().await?;
        // Counted anew: what was closed since is not in the number, either.
        let total = total(&mut db, &who, &page.search).await?;
        return answer(&app, who, &mut db, page.search, total, Some(page.after)).await;
    }
    params::refuse_personal(&all)?;
    first_page(&app, who, params::search(kind, &all)?, &all, None).await
}

async fn first_page(
    app: &App,
    who: Reader,
    search: Search,
    asked: &[(String, String)],
    lookup: Option<care::lookup::Wanted>,
) -> Result<Response, ApiError> {
    let mut event = Event::by(Act::Query, &who);
    let asked: Vec<String> = asked.iter().map(|(name, value)| format!("{name}={value}")).collect();
    event.query = Some(format!("{}?{}", search.kind, asked.join("&")));
    event.patient = search.conditions.iter().find_map(|c| match c {
        Condition::Tokens { param: "patient", any } if any.len() == 1 => Some(any[0].1.clone()),
        _ => None,
    });
    // An id that a client made up is no patient: only one that this caller can see is named in the audit.
    event.patient = match event.patient {
        Some(id) => sees_patient(app, &who, &id).await?.then_some(id),
        None => None,
    };
    let found = {
        let mut db = app.db.read().acquire().await?;
        let total = total(&mut db, &who, &search).await?;
        if let (0, Some(wanted)) = (total, &lookup) {
            drop(db);
            return care::lookup::answer(app, &who, wanted, event).await;
        }
        answer(app, who, &mut db, search, total, None).await?
    };
    // What is not audited is not told.
    app.audit.record(event).await?;
    Ok(found)
}

async fn sees_patient(app: &App, who: &Reader, id: &str) -> Result<bool, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM resource r WHERE r.type = 'Patient' AND r.id = ");
    query.push_bind(id.to_owned()).push(" AND ");
    visible::push(&mut query, who, "Patient", "r.label");
    let found: i64 = query.build_query_scalar().fetch_one(app.db.read()).await?;
    Ok(found > 0)
}

async fn answer(
    app: &App,
    who: Reader,
    db: &mut SqliteConnection,
    search: Search,
    total: i64,
    after: Option<After>,
) -> Result<Response, ApiError> {
    let kind = search.kind;
    let mut found =
        if search.only_total { Vec::new() } else { page(db, &who, &search, after.as_ref()).await? };
    let more = found.len() > search.count;
    found.truncate(search.count);
    let mut out = format!(
        r#"{{"resourceType":"Bundle","type":"searchset","total":{total},"link":[{{"relation":"self","url":"{kind}"}}"#
    );
    if let (true, Some(last)) = (more, found.last()) {
        let after = (last.updated_at, last.id.clone());
        let token = app.pages.keep(who, Page { search, after }, app.now());
        out.push_str(&format!(r#",{{"relation":"next","url":"{kind}?_page={token}"}}"#));
    }
    out.push(']');
    for (i, resource) in found.iter().enumerate() {
        out.push_str(if i == 0 { r#","entry":["# } else { "," });
        let shown = resource.present().map_err(|e| ApiError::internal(&e))?;
        out.push_str(&format!(
            r#"{{"fullUrl":"{kind}/{}","resource":{shown},"search":{{"mode":"match"}}}}"#,
            resource.id
        ));
    }
    out.push_str(if found.is_empty() { "}" } else { "]}" });
    Ok(([(header::CONTENT_TYPE, FHIR_JSON)], out).into_response())
}

/// How many there are that `who` may see.
pub async fn total(db: &mut SqliteConnection, who: &Reader, search: &Search) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM resource r WHERE ");
    conditions(&mut query, who, search);
    query.build_query_scalar().fetch_one(db).await
}

/// One more than a page, so that it is known whether there is another.
async fn page(
    db: &mut SqliteConnection,
    who: &Reader,
    search: &Search,
    after: Option<&After>,
) -> Result<Vec<Stored>, sqlx::Error> {
    let mut query = QueryBuilder::new(format!(
        "SELECT {} FROM resource r JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version WHERE ",
        store::COLUMNS
    ));
    conditions(&mut query, who, search);
    if let Some((updated_at, id)) = after {
        match search.sort {
            Sort::Id => query.push(" AND r.id > ").push_bind(id.clone()),
            Sort::Oldest => query
                .push(" AND (r.updated_at, r.id) > (")
                .push_bind(*updated_at)
                .push(", ")
                .push_bind(id.clone())
                .push(")"),
            Sort::Newest => query
                .push(" AND (r.updated_at, r.id) < (")
                .push_bind(*updated_at)
                .push(", ")
                .push_bind(id.clone())
                .push(")"),
        };
    }
    query.push(match search.sort {
        Sort::Id => " ORDER BY r.id",
        Sort::Oldest => " ORDER BY r.updated_at, r.id",
        Sort::Newest => " ORDER BY r.updated_at DESC, r.id DESC",
    });
    query.push(" LIMIT ").push_bind(search.count as i64 + 1);
    query.build().fetch_all(db).await?.iter().map(store::stored).collect()
}

fn conditions(query: &mut QueryBuilder<Sqlite>, who: &Reader, search: &Search) {
    query.push("r.type = ").push_bind(search.kind).push(" AND ");
    visible::push(query, who, search.kind, "r.label");
    for condition in &search.conditions {
        query.push(" AND ");
        match condition {
            Condition::Ids(ids) => {
                let mut list = query.push("r.id IN (").separated(", ");
                ids.iter().for_each(|id| {
                    list.push_bind(id.clone());
                });
                query.push(")");
            }
            Condition::Tokens { param, any } => {
                exists(query, "resource_token", param);
                query.push("(");
                for (i, (system, value)) in any.iter().enumerate() {
                    query.push(if i > 0 { " OR (" } else { "(" });
                    match (system, value.as_str()) {
                        (Some(system), "") => query.push("x.system = ").push_bind(system.clone()),
                        (None, _) => query.push("x.value = ").push_bind(value.clone()),
                        (Some(system), _) => query
                            .push("x.value = ")
                            .push_bind(value.clone())
                            .push(" AND x.system = ")
                            .push_bind(system.clone()),
                    };
                    query.push(")");
                }
                query.push("))");
            }
            Condition::Strings { param, any } => {
                query.push("(");
                for (i, text) in any.iter().enumerate() {
                    if i > 0 {
                        query.push(" OR ");
                    }
                    // Each word must be the start of some word.
                    query.push("(1");
                    for word in text.split(' ').filter(|w| !w.is_empty()) {
                        query.push(" AND ");
                        exists(query, "resource_token", param);
                        query.push("x.value >= ").push_bind(word.to_owned()).push(" AND x.value < ");
                        query.push_bind(format!("{word}\u{10ffff}")).push(")");
                    }
                    query.push(")");
                }
                query.push(")");
            }
            Condition::Dates { param, op, low, high } => {
                exists(query, "resource_date", param);
                compare(query, *op, ("x.low", "x.high"), *low, *high);
                query.push(")");
            }
            Condition::LastUpdated { op, low, high } => {
                compare(query, *op, ("r.updated_at", "(r.updated_at + 1)"), *low, *high);
            }
        }
    }
}

fn exists(query: &mut QueryBuilder<Sqlite>, table: &str, param: &str) {
    query.push(format!(
        "EXISTS (SELECT 1 FROM {table} x WHERE x.type = r.type AND x.id = r.id AND x.param = '{param}' AND "
    ));
}

/// A range [low, high) of the resource against one of the search (http://hl7.org/fhir/R4/search.html#prefix).
fn compare(query: &mut QueryBuilder<Sqlite>, op: Op, (from, to): (&str, &str), low: i64, high: i64) {
    match op {
        Op::Eq => {
            query.push(format!("({from} >= ")).push_bind(low).push(format!(" AND {to} <= ")).push_bind(high)
        }
        Op::Ne => {
            query.push(format!("({from} < ")).push_bind(low).push(format!(" OR {to} > ")).push_bind(high)
        }
        Op::Lt => query.push(format!("({from} < ")).push_bind(low),
        Op::Le => query.push(format!("({from} < ")).push_bind(high),
        Op::Gt => query.push(format!("({to} > ")).push_bind(high),
        Op::Ge => query.push(format!("({to} > ")).push_bind(low),
    };
    query.push(")");
}
