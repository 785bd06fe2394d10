//! `rabta-hie verify`: what the code on a printed prescription proves. The answer is fit for a stranger with the paper in
//! hand: genuine or not, who signed, on which day, how many medicines. It never says who the patient is or what was given.

use rabta_domain::fhir;
use rabta_wire::{
    Id,
    cert::{SignedCert, Subject},
    envelope::{Envelope, Kind},
    paper::{KnownKey, PaperCode, PaperError, Statement},
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};
use time::{Date, Duration, Month};

use crate::envelopes::{kind_code, unpack};

/// What can be said to whoever holds the paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperAnswer {
    pub genuine: bool,
    /// Stable: `genuine`, `not-a-code`, `mistyped`, `newer-program`, `unknown-signer`, `forged`, `revoked`,
    /// `signer-revoked-since`, `document-differs`.
    pub code: String,
    /// The same in words.
    pub words: String,
    /// Who signed, as this HIE certified them; there where it is genuine.
    pub name: Option<String>,
    pub registration: Option<String>,
    /// `2026-11-22`.
    pub day: Option<String>,
    /// 255: that many or more.
    pub medicines: Option<u8>,
    pub document: Document,
}

/// Whether the document that the paper was printed from is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Document {
    /// It is, and carries this very code.
    Here,
    /// A later version took its place.
    Corrected,
    /// Not (yet): a clinic without a network sends it later.
    NotHere,
}

/// Answers for one code, as scanned or typed.
pub async fn verify(db: &mut SqliteConnection, text: &str) -> Result<PaperAnswer, sqlx::Error> {
    let code = match PaperCode::parse(text) {
        Ok(code) => code,
        Err(why) => return Ok(refused(why)),
    };
    let Statement { document, person, day, medicines } = code.statement;
    let standing = match code.check(&known_keys(db, person).await?) {
        Ok(standing) => standing,
        Err(why) => return Ok(refused(why)),
    };
    let (found, received_at) = find(db, document, &code).await?;
    let Some(found) = found else {
        let words = "the document of this number is another one: the code was not printed from it";
        return Ok(answer("document-differs", words.to_owned()));
    };
    let revoked = standing.revoked_at.filter(|since| received_at.is_none_or(|at| at >= *since));
    if let Some(since) = revoked {
        let words = format!(
            "signed by somebody whose right to sign was withdrawn on {}; this HIE did not have the document by then",
            day_of(since)
        );
        return Ok(answer("signer-revoked-since", words));
    }
    let (name, registration) = signer(db, person, standing.key).await?;
    Ok(PaperAnswer {
        genuine: true,
        name,
        registration,
        day: Some(day_text(day)),
        medicines: Some(medicines),
        document: found,
        ..answer("genuine", "genuine".to_owned())
    })
}

/// All keys that this HIE certified for a person, revoked ones too.
async fn known_keys(db: &mut SqliteConnection, person: Id) -> Result<Vec<KnownKey>, sqlx::Error> {
    let sql = "SELECT key, revoked_at FROM person_key WHERE person = ?";
    let rows = sqlx::query(sql).bind(person.0.to_vec()).fetch_all(db).await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let key: Vec<u8> = row.try_get("key")?;
        let key = key.try_into().map_err(|_| sqlx::Error::Decode("a key that is not 32 bytes".into()))?;
        Ok(KnownKey { key, revoked_at: row.try_get("revoked_at")? })
    };
    rows.iter().map(read).collect()
}

/// The document's state and when this HIE received it. `None` in the first place: an envelope of that id is here, and it
/// does not carry this code.
async fn find(
    db: &mut SqliteConnection,
    document: Id,
    code: &PaperCode,
) -> Result<(Option<Document>, Option<i64>), sqlx::Error> {
    let sql = "SELECT bytes, seq, task, received_at FROM envelope WHERE id = ?";
    let Some(row) = sqlx::query(sql).bind(document.0.to_vec()).fetch_optional(&mut *db).await? else {
        return Ok((Some(Document::NotHere), None));
    };
    let bytes: Vec<u8> = row.try_get("bytes")?;
    let received_at: i64 = row.try_get("received_at")?;
    let opened = Envelope::from_bytes(&bytes).ok().and_then(|e| e.header().ok().map(|header| (e, header)));
    let Some((envelope, header)) = opened else { return Ok((None, None)) };
    let payload = unpack(&envelope, &header).ok();
    let carries = payload.as_deref().and_then(fhir::paper::code_of).as_deref() == Some(&code.to_text());
    let same_person = header.signed_by.as_ref().is_some_and(|s| s.person == code.statement.person);
    if !carries || !same_person {
        return Ok((None, None));
    }
    let later = match header.kind {
        Kind::Visit => {
            let record = payload.as_deref().and_then(|p| fhir::visit::from_document(p).ok());
            let encounter = record.map(|record| record.encounter).unwrap_or_default();
            // A visit's Encounter is the same in every version of it.
            let sql = "SELECT 1 FROM resource_version v JOIN envelope e ON e.id = v.envelope \
                       WHERE v.type = 'Encounter' AND v.id = ? AND e.kind = ? AND e.seq > ? LIMIT 1";
            sqlx::query(sql)
                .bind(encounter)
                .bind(kind_code(Kind::Visit))
                .bind(row.try_get::<i64, _>("seq")?)
                .fetch_optional(&mut *db)
                .await?
        }
        kind => {
            let sql =
                "SELECT 1 FROM envelope WHERE task = ? AND kind = ? AND seq > ? AND superseded = 0 LIMIT 1";
            sqlx::query(sql)
                .bind(row.try_get::<Option<Vec<u8>>, _>("task")?)
                .bind(kind_code(kind))
                .bind(row.try_get::<i64, _>("seq")?)
                .fetch_optional(&mut *db)
                .await?
        }
    };
    let state = if later.is_some() { Document::Corrected } else { Document::Here };
    Ok((Some(state), Some(received_at)))
}

/// As the certificate of that key names them: what was certified then, not what is on file today.
async fn signer(
    db: &mut SqliteConnection,
    person: Id,
    key: [u8; 32],
) -> Result<(Option<String>, Option<String>), sqlx::Error> {
    let sql = "SELECT bytes FROM cert WHERE subject = ? ORDER BY id DESC";
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(sql).bind(person.0.to_vec()).fetch_all(db).await?;
    for bytes in rows {
        // Its own table: the HIE wrote these bytes.
        let Ok(signed) = minicbor::decode::<SignedCert>(&bytes) else { continue };
        let Ok(cert) = minicbor::decode::<rabta_wire::cert::Cert>(&signed.cert) else { continue };
        if let (true, Subject::Person { name, registration, .. }) = (cert.key == key, cert.subject) {
            return Ok((Some(name), registration));
        }
    }
    Ok((None, None))
}

fn refused(why: PaperError) -> PaperAnswer {
    let code = match why {
        PaperError::NotACode => "not-a-code",
        PaperError::Mistyped => "mistyped",
        PaperError::Newer(_) => "newer-program",
        PaperError::UnknownPerson => "unknown-signer",
        PaperError::Signature => "forged",
        PaperError::Revoked { .. } => "revoked",
    };
    answer(code, why.to_string())
}

/// Nothing but why.
fn answer(code: &str, words: String) -> PaperAnswer {
    PaperAnswer {
        genuine: false,
        code: code.to_owned(),
        words,
        name: None,
        registration: None,
        day: None,
        medicines: None,
        document: Document::NotHere,
    }
}

/// For people.
pub fn words(answer: &PaperAnswer) -> String {
    if !answer.genuine {
        return format!("NOT GENUINE: {}", answer.words);
    }
    let unknown = "unknown".to_owned();
    let count = match answer.medicines {
        Some(u8::MAX) => "255 or more".to_owned(),
        count => count.unwrap_or_default().to_string(),
    };
    let document = match answer.document {
        Document::Here => "The document is at this HIE.",
        Document::Corrected => "A LATER VERSION TOOK ITS PLACE: ask the clinic for the new paper.",
        Document::NotHere => "The document has not reached this HIE yet; the signature holds all the same.",
    };
    format!(
        "GENUINE\nsigned by  {}\nnumber     {}\nday        {}\nmedicines  {count}\n{document}\nCompare name, day and number \
         of medicines with the paper.",
        answer.name.as_ref().unwrap_or(&unknown),
        answer.registration.as_deref().unwrap_or("none"),
        answer.day.as_ref().unwrap_or(&unknown),
    )
}

fn first() -> Date {
    Date::from_calendar_date(1970, Month::January, 1).expect("a day")
}

fn day_text(day: u16) -> String {
    (first() + Duration::days(i64::from(day))).to_string()
}

/// The UTC day of milliseconds since 1970.
fn day_of(millis: i64) -> String {
    first().checked_add(Duration::milliseconds(millis)).unwrap_or(first()).to_string()
}
