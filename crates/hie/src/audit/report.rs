//! "Who looked?": the acts about one patient, in words that an operator can read out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::SqliteConnection;

use crate::{clock::instant, fhir::store};

/// One act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When, as whoever recorded it says: for a laptop, by its own clock.
    pub recorded: String,
    /// When the HIE wrote it down.
    pub received: String,
    /// `hie`, or `laptop` for what happened there and was sent.
    pub place: String,
    /// Name and role; what it was where it was no person.
    pub who: String,
    pub person: Option<String>,
    pub facility: String,
    pub device: Option<String>,
    /// The address that the connection came from.
    pub from: Option<String>,
    /// read, search, create, print, emergency access, ...
    pub act: String,
    /// `Type/id` and the like; of a search the type and its parameters' names.
    pub what: Vec<String>,
    /// A code of v3-ActReason.
    pub purpose: Option<String>,
    pub reason: Option<String>,
}

/// The acts about one patient, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub patient: String,
    pub acts: Vec<Line>,
}

/// The ids of the patients whom an operator means: an id, an identifier's value, or `system|value`.
pub async fn patients(db: &mut SqliteConnection, asked: &str) -> Result<Vec<String>, sqlx::Error> {
    let (system, value) = match asked.split_once('|') {
        Some((system, value)) => (Some(system), value),
        None => (None, asked),
    };
    sqlx::query_scalar(
        "SELECT r.id FROM resource r WHERE r.type = 'Patient' AND (r.id = ?1 OR EXISTS \
         (SELECT 1 FROM resource_token x WHERE x.type = 'Patient' AND x.param = 'identifier' AND x.value = ?1 \
          AND x.id = r.id AND (?2 IS NULL OR x.system = ?2))) ORDER BY r.id",
    )
    .bind(value)
    .bind(system)
    .fetch_all(db)
    .await
}

/// What is kept about `patient` since `since` (milliseconds, by the HIE's clock).
pub async fn of_patient(
    db: &mut SqliteConnection,
    patient: &str,
    since: Option<i64>,
) -> Result<Report, sqlx::Error> {
    let sql = "SELECT v.codec, v.dictionary, v.body, r.updated_at, v.envelope IS NOT NULL, f.name \
               FROM resource_token x JOIN resource r ON r.type = x.type AND r.id = x.id \
               JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version \
               LEFT JOIN facility f ON f.id = r.facility \
               WHERE x.type = 'AuditEvent' AND x.param = 'patient' AND x.value = ? AND r.updated_at >= ? \
               ORDER BY r.updated_at, r.id";
    type Row = (i64, i64, Vec<u8>, i64, bool, Option<String>);
    let rows: Vec<Row> =
        sqlx::query_as(sql).bind(patient).bind(since.unwrap_or(i64::MIN)).fetch_all(&mut *db).await?;
    let mut acts = Vec::with_capacity(rows.len());
    for (codec, dictionary, body, received, laptop, facility) in rows {
        let text = store::unpack(codec, dictionary, body)?;
        let event: Value = serde_json::from_str(&text).map_err(|e| sqlx::Error::Decode(e.into()))?;
        acts.push(line(db, &event, received, laptop, facility).await?);
    }
    Ok(Report { patient: patient.to_owned(), acts })
}

/// What whoever keeps the server did since `since` (milliseconds, by the HIE's clock), oldest first.
pub async fn of_operator(db: &mut SqliteConnection, since: Option<i64>) -> Result<Vec<Line>, sqlx::Error> {
    let sql = "SELECT v.codec, v.dictionary, v.body, r.updated_at \
               FROM resource_token x JOIN resource r ON r.type = x.type AND r.id = x.id \
               JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version \
               WHERE x.type = 'AuditEvent' AND x.param = 'subtype' AND x.system = ? AND r.updated_at >= ? \
               ORDER BY r.updated_at, r.id";
    let rows: Vec<(i64, i64, Vec<u8>, i64)> =
        sqlx::query_as(sql).bind(super::OPERATOR).bind(since.unwrap_or(i64::MIN)).fetch_all(&mut *db).await?;
    let mut acts = Vec::with_capacity(rows.len());
    for (codec, dictionary, body, received) in rows {
        let text = store::unpack(codec, dictionary, body)?;
        let event: Value = serde_json::from_str(&text).map_err(|e| sqlx::Error::Decode(e.into()))?;
        acts.push(line(db, &event, received, false, None).await?);
    }
    Ok(acts)
}

/// For people: one act of the operator's a line.
pub fn operator_words(acts: &[Line]) -> String {
    if acts.is_empty() {
        return "none".into();
    }
    let line = |act: &Line| format!("{}  {}: {} {}", act.recorded, act.who, act.act, act.what.join(" "));
    acts.iter().map(|act| line(act).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

async fn line(
    db: &mut SqliteConnection,
    event: &Value,
    received: i64,
    laptop: bool,
    facility: Option<String>,
) -> Result<Line, sqlx::Error> {
    let agents = || event["agent"].as_array().into_iter().flatten();
    let named = |kind: &str| {
        let prefix = format!("{kind}/");
        agents()
            .filter_map(|a| a.pointer("/who/reference").and_then(Value::as_str))
            .find_map(|r| r.strip_prefix(&prefix))
            .map(str::to_owned)
    };
    let (person, device) = (named("Practitioner"), named("Device"));
    let id = |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<rabta_wire::Id>().ok());
    let mut who = agents()
        .find_map(|a| a.pointer("/who/display").and_then(Value::as_str))
        .unwrap_or("a program")
        .to_owned();
    if let Some(person) = id(&person) {
        let found: Option<(String, String)> = sqlx::query_as("SELECT name, role FROM person WHERE id = ?")
            .bind(person.0.to_vec())
            .fetch_optional(&mut *db)
            .await?;
        who = found.map_or_else(
            || "a person who is not known here".into(),
            |(name, role)| format!("{name} ({role})"),
        );
    }
    let device = match id(&device) {
        Some(device) => {
            sqlx::query_scalar("SELECT name FROM device WHERE id = ?")
                .bind(device.0.to_vec())
                .fetch_optional(db)
                .await?
        }
        None => None,
    };
    let text = |path: &str| event.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Ok(Line {
        recorded: text("/recorded").unwrap_or_default(),
        received: instant(received),
        place: if laptop { "laptop" } else { "hie" }.into(),
        who,
        person,
        facility: facility.unwrap_or_default(),
        device,
        from: agents()
            .find_map(|a| a.pointer("/network/address").filter(|_| a["network"]["type"] == "2"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        act: act(event),
        what: what(event),
        purpose: text("/purposeOfEvent/0/coding/0/code"),
        reason: text("/purposeOfEvent/0/text"),
    })
}

fn act(event: &Value) -> String {
    let code = event.pointer("/subtype/0/code").or(event.pointer("/type/code")).and_then(Value::as_str);
    match code.unwrap_or_default() {
        "110127" => "emergency access".into(),
        "report" => "print".into(),
        "disclose" => "export".into(),
        "history-instance" => "read of the history".into(),
        "vread" => "read of an older version".into(),
        other => other.to_owned(),
    }
}

fn what(event: &Value) -> Vec<String> {
    let entities = event["entity"].as_array().into_iter().flatten();
    entities
        .filter_map(|entity| {
            if let Some(reference) = entity.pointer("/what/reference").and_then(Value::as_str) {
                return Some(reference.to_owned());
            }
            if let Some(details) = entity["detail"].as_array().filter(|_| entity.get("what").is_none()) {
                let value = |d: &Value| d["valueString"].as_str().map(str::to_owned);
                return Some(details.iter().filter_map(value).collect::<Vec<_>>().join(" "));
            }
            // Values say who was looked for; their names are enough here.
            let query = STANDARD.decode(entity["query"].as_str()?).ok()?;
            let query = String::from_utf8(query).ok()?;
            let (kind, params) = query.split_once('?').unwrap_or((&query, ""));
            let names: Vec<&str> = params
                .split('&')
                .map(|pair| pair.split('=').next().unwrap_or_default())
                .filter(|n| !n.is_empty())
                .collect();
            Some(format!("{kind} by {}", if names.is_empty() { "nothing".into() } else { names.join(", ") }))
        })
        .collect()
}

impl Report {
    /// For people: one act a line.
    pub fn words(&self) -> String {
        let mut out = format!("Patient {}: {} acts\n", self.patient, self.acts.len());
        for act in &self.acts {
            let place = if act.place == "laptop" {
                format!("on the laptop (received {})", act.received)
            } else {
                "at the HIE".into()
            };
            let device = act.device.as_ref().map(|d| format!(", device {d}")).unwrap_or_default();
            let from = act.from.as_ref().map(|f| format!(" from {f}")).unwrap_or_default();
            let why = match (&act.purpose, &act.reason) {
                (Some(purpose), Some(reason)) => format!("; {purpose}: {reason}"),
                (Some(purpose), None) => format!("; {purpose}"),
                _ => String::new(),
            };
            out.push_str(&format!(
                "{}  {}, {}{device}{from}: {} {} {place}{why}\n",
                act.recorded,
                act.who,
                act.facility,
                act.act,
                act.what.join(" "),
            ));
        }
        out.pop();
        out
    }
}
