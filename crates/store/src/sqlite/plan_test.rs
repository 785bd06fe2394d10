//! How SQLite would run every statement: none may read a table that grows from end to end.

use sqlx::Row;

use super::{
    connect::{RawKey, Writer},
    sql,
};

/// Tables that stay small: the numbers of kinds, states, dictionaries and blocks; drafts are what is open on a desk.
/// `lately` is some hundred patients; `beside` are those about whose details somebody has to decide; the old table is read
/// once.
const SMALL: &[&str] = &[
    "beside",
    "custody",
    "dictionary",
    "mr_block",
    "draft",
    "json_each",
    "keyed",
    "kind",
    "counter",
    "lately",
    "sqlite_schema",
    "resource_version_1",
];

#[tokio::test]
async fn no_statement_scans_a_table_that_grows() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut writer =
        Writer::open(&dir.path().join("records.db"), &RawKey::random(), true).await.expect("a new database");
    let connection = writer.begin().await.expect("a transaction");
    let mut bad = Vec::new();
    assert!(sql::ALL.len() > 60, "the registry holds every statement");
    for (name, statement) in sql::ALL {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let rows = sqlx::query(explain)
            .fetch_all(&mut *connection)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for row in rows {
            let step: String = row.get(3);
            let table = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            // Reading an index backwards up to a LIMIT of 1 is no scan, though it is called one.
            let one_step = *name == "LOG_HEAD" && step == "SCAN log";
            // An HIE is restored once in years, and then everything is looked at again anyway.
            let rare = *name == "FORGET_PLACES";
            // An index of only what the HIE is not known to have: empty once all of it is there.
            let waiting = step.contains("INDEX inbox_nearby") || step.contains("INDEX inbox_stray");
            if table.is_some_and(|table| !SMALL.contains(&table))
                && !one_step
                && !rare
                && !waiting
                && step != "SCAN CONSTANT ROW"
            {
                bad.push(format!("{name}: {step}"));
            }
            if step.contains("USE TEMP B-TREE FOR ORDER BY") && statement.contains("LIMIT") {
                bad.push(format!("{name} sorts everything before its LIMIT: {step}"));
            }
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("records.db");
    let key = RawKey::random();
    let writer = Writer::open(&path, &key, true).await.expect("a new database");
    let mut reader = super::connect::Reader::open(&path, &key).await.expect("a reader");
    let refused = sqlx::query("DELETE FROM setting").execute(reader.connection()).await;
    assert!(refused.is_err());
    let pragma = |name: &'static str| name;
    for (query, expected) in
        [("PRAGMA query_only", 1_i64), ("PRAGMA wal_autocheckpoint", 0), ("PRAGMA cache_size", -65536)]
    {
        let row = sqlx::query(pragma(query)).fetch_one(reader.connection()).await.expect("an answer");
        assert_eq!(row.get::<i64, _>(0), expected, "{query}");
    }
    drop(writer);
}

#[tokio::test]
async fn the_writer_is_durable_and_strict() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut writer =
        Writer::open(&dir.path().join("records.db"), &RawKey::random(), true).await.expect("a new database");
    let connection = writer.begin().await.expect("a transaction");
    for (query, expected) in
        [("PRAGMA synchronous", 2_i64), ("PRAGMA foreign_keys", 1), ("PRAGMA wal_autocheckpoint", 0)]
    {
        let row = sqlx::query(query).fetch_one(&mut *connection).await.expect("an answer");
        assert_eq!(row.get::<i64, _>(0), expected, "{query}");
    }
    let row = sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await.expect("an answer");
    assert_eq!(row.get::<String, _>(0), "wal");
    let loose = sqlx::query("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx_%'")
        .fetch_all(&mut *connection)
        .await
        .expect("an answer");
    assert!(loose.is_empty(), "every table is STRICT");
    let nullable = sqlx::query(
        "SELECT t.name || '.' || c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c \
         WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '_sqlx_%' AND c.\"notnull\" = 0",
    )
    .fetch_all(&mut *connection)
    .await
    .expect("an answer");
    let names: Vec<String> = nullable.iter().map(|row| row.get(0)).collect();
    assert!(names.is_empty(), "every column is NOT NULL: {names:?}");
}
