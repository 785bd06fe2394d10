//! How sensitive a resource says that it is (`meta.security`, http://hl7.org/fhir/R4/security-labels.html).

use rabta_domain::role::Label;
use serde_json::Value;
use sqlx::{SqliteConnection, SqlitePool};

use super::store;

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// Sensitive topics of v3-ActCode: sexual health, HIV, mental health, violence, substance use.
const TOPICS: [&str; 6] = ["SEX", "HIV", "PSY", "SDV", "ETH", "STD"];

/// The highest of the resource's labels. What it contains counts, too.
pub fn of(resource: &Value) -> Label {
    let own = resource.pointer("/meta/security").and_then(Value::as_array).into_iter().flatten();
    let own = own.map(|coding| {
        let (system, code) = (coding["system"].as_str(), coding["code"].as_str().unwrap_or_default());
        match (system, code) {
            (Some(CONFIDENTIALITY) | None, "V") => Label::VeryRestricted,
            (Some(CONFIDENTIALITY) | None, "R") => Label::Restricted,
            (Some(ACT_CODE) | None, topic) if TOPICS.contains(&topic) => Label::Restricted,
            _ => Label::Normal,
        }
    });
    let contained = resource.get("contained").and_then(Value::as_array).into_iter().flatten().map(of);
    own.chain(contained).max().unwrap_or_default()
}

pub fn number(label: Label) -> i64 {
    match label {
        Label::Normal => 0,
        Label::Restricted => 1,
        Label::VeryRestricted => 2,
    }
}

/// The Binaries that hold what a Media or a DocumentReference is about.
pub fn contents(resource: &Value) -> Vec<String> {
    let mut urls = vec![resource.pointer("/content/url")];
    urls.extend(resource["content"].as_array().into_iter().flatten().map(|c| c.pointer("/attachment/url")));
    let id = |url: &Value| url.as_str()?.strip_prefix("Binary/").map(str::to_owned);
    urls.into_iter().flatten().filter_map(id).collect()
}

/// The label that a Binary has from what refers to it.
pub async fn of_content(db: &mut SqliteConnection, binary: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce(max(r.label), 0) FROM resource_token x JOIN resource r ON r.type = x.type AND r.id = x.id \
         WHERE x.type IN ('Media', 'DocumentReference') AND x.param = 'content' AND x.value = ?",
    )
    .bind(binary)
    .fetch_one(db)
    .await
}

/// Gives the Binaries of `resource`, and the envelopes that brought their parts, at least its label.
pub async fn pass_on(tx: &mut SqliteConnection, resource: &Value, label: i64) -> Result<(), sqlx::Error> {
    if label == 0 {
        return Ok(());
    }
    for binary in contents(resource) {
        for sql in [
            "UPDATE resource SET label = max(label, ?1) WHERE type = 'Binary' AND id = ?2",
            "UPDATE resource_version SET label = max(label, ?1) WHERE type = 'Binary' AND id = ?2",
        ] {
            sqlx::query(sql).bind(label).bind(&binary).execute(&mut *tx).await?;
        }
        if let Ok(attachment) = binary.parse::<rabta_wire::Id>() {
            sqlx::query(
                "UPDATE envelope SET label = max(label, ?) \
                 WHERE id IN (SELECT envelope FROM attachment_part WHERE attachment = ?)",
            )
            .bind(label)
            .bind(attachment.0.to_vec())
            .execute(&mut *tx)
            .await?;
        }
    }
    Ok(())
}

/// Reads the labels of what was stored before labels were indexed; once in a database's life.
pub async fn index_old(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut tx = writer.begin().await?;
    let done: i64 = sqlx::query_scalar("SELECT count(*) FROM setting WHERE name = 'labels-indexed'")
        .fetch_one(&mut *tx)
        .await?;
    if done > 0 {
        return Ok(());
    }
    let mut after = 0_i64;
    loop {
        let sql = "SELECT rowid, type, id, version, envelope, codec, dictionary, body FROM resource_version \
                   WHERE rowid > ? ORDER BY rowid LIMIT 500";
        type Row = (i64, String, String, i64, Option<Vec<u8>>, i64, i64, Vec<u8>);
        let rows: Vec<Row> = sqlx::query_as(sql).bind(after).fetch_all(&mut *tx).await?;
        let Some(last) = rows.last() else { break };
        after = last.0;
        for (row, kind, id, version, envelope, codec, dictionary, body) in rows {
            let text = store::unpack(codec, dictionary, body)?;
            let label = serde_json::from_str(&text).map_or(0, |value| number(of(&value)));
            if label == 0 {
                continue;
            }
            if let Ok(value) = serde_json::from_str(&text) {
                pass_on(&mut tx, &value, label).await?;
            }
            sqlx::query("UPDATE resource_version SET label = max(label, ?) WHERE rowid = ?")
                .bind(label)
                .bind(row)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "UPDATE resource SET label = max(label, ?) WHERE type = ? AND id = ? AND version = ?",
            )
            .bind(label)
            .bind(kind)
            .bind(id)
            .bind(version)
            .execute(&mut *tx)
            .await?;
            sqlx::query("UPDATE envelope SET label = max(label, ?) WHERE id = ?")
                .bind(label)
                .bind(envelope)
                .execute(&mut *tx)
                .await?;
        }
    }
    sqlx::query("INSERT INTO setting (name, value) VALUES ('labels-indexed', x'01')")
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_highest_label_counts() {
        let of = |codes: &[(&str, &str)]| {
            let list: Vec<Value> = codes.iter().map(|(s, c)| json!({"system": s, "code": c})).collect();
            super::of(&json!({"resourceType": "Observation", "meta": {"security": list}}))
        };
        assert_eq!(of(&[]), Label::Normal);
        assert_eq!(of(&[(CONFIDENTIALITY, "N")]), Label::Normal);
        assert_eq!(of(&[(CONFIDENTIALITY, "R")]), Label::Restricted);
        assert_eq!(of(&[(ACT_CODE, "HIV"), (CONFIDENTIALITY, "N")]), Label::Restricted);
        assert_eq!(of(&[(ACT_CODE, "SDV"), (CONFIDENTIALITY, "V")]), Label::VeryRestricted);
        assert_eq!(of(&[("https://other.example", "V")]), Label::Normal);
        let inside = json!({"contained": [{"meta": {"security": [{"code": "V"}]}}]});
        assert_eq!(super::of(&inside), Label::VeryRestricted);
    }
}
