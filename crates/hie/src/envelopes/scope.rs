//! Who may pull what: one row of `change` for each scope that may see an item, in commit order, so that what becomes
//! visible later (through a new ask) is pulled later.

use rabta_domain::role::Part;
use rabta_wire::{Id, envelope::Kind};
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::sequencer::Sequencer;

/// Who sees a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Everybody,
    Facility(Id),
    /// Every device at which this person has a key.
    Person(Id),
    Device(Id),
}

impl Scope {
    pub(super) fn parts(self) -> (i64, Vec<u8>) {
        match self {
            Self::Everybody => (0, Vec::new()),
            Self::Facility(id) => (1, id.0.to_vec()),
            Self::Person(id) => (2, id.0.to_vec()),
            Self::Device(id) => (3, id.0.to_vec()),
        }
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Resource {
        kind: String,
        id: String,
        version: i64,
    },
    /// A resource that this scope may no longer read: it is told so, without the resource.
    Gone {
        kind: String,
        id: String,
        version: i64,
    },
    /// By its place in the log.
    Envelope(u64),
    /// By its row.
    Cert(i64),
    Roster,
}

/// Shows `item` to `scope` at a new place, which it returns. `while_open`: only as long as that ask is open and with
/// the scope's person.
pub async fn show(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    scope: Scope,
    while_open: Option<Id>,
    item: Item,
) -> Result<u64, sqlx::Error> {
    let seq = sequencer.next();
    show_at(tx, seq, scope, while_open, item).await?;
    Ok(seq)
}

/// [`show`] at a place that was taken before.
pub async fn show_at(
    tx: &mut SqliteConnection,
    seq: u64,
    scope: Scope,
    while_open: Option<Id>,
    item: Item,
) -> Result<(), sqlx::Error> {
    let (scope_kind, scope) = scope.parts();
    let (code, envelope, cert, resource) = match item {
        Item::Resource { kind, id, version } => (0, None, None, Some((kind, id, version))),
        Item::Envelope(seq) => (1, Some(seq as i64), None, None),
        Item::Cert(row) => (2, None, Some(row), None),
        Item::Roster => (3, None, None, None),
        Item::Gone { kind, id, version } => (4, None, None, Some((kind, id, version))),
    };
    let (kind, id, version) = match resource {
        Some((kind, id, version)) => (Some(kind), Some(id), Some(version)),
        None => (None, None, None),
    };
    sqlx::query(
        "INSERT INTO change (seq, scope_kind, scope, while_open, item, envelope, cert, resource_type, resource_id, resource_version) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(seq as i64)
    .bind(scope_kind)
    .bind(scope)
    .bind(while_open.map(|t| t.0.to_vec()))
    .bind(code)
    .bind(envelope)
    .bind(cert)
    .bind(kind)
    .bind(id)
    .bind(version)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether whoever was asked sees this kind only while the ask is open: the patient's own things do; the ask's course
/// and the written advice stay with who wrote them.
pub(super) fn only_while_open(kind: Kind) -> bool {
    !matches!(kind, Kind::TaskMove | Kind::Advice | Kind::Decisions)
}

/// Shows a patient's new demographics or consent to those who have an open ask about them.
pub async fn show_patient_to_asked(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    patient: &str,
    item: Item,
) -> Result<(), sqlx::Error> {
    let asks = sqlx::query(
        "SELECT t.id, w.person FROM task t JOIN task_with w ON w.task = t.id WHERE t.patient = ?",
    )
    .bind(patient)
    .fetch_all(&mut *tx)
    .await?;
    for ask in asks {
        let (task, owner) = (crate::identity::id(ask.try_get(0)?)?, crate::identity::id(ask.try_get(1)?)?);
        show(tx, sequencer, Scope::Person(owner), Some(task), item.clone()).await?;
    }
    Ok(())
}

/// Shows an ask's patient and consents to the person whom it is now with: they came before it, in another scope.
pub(super) async fn show_patient(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    task: Id,
    patient: &str,
    person: Id,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT r.type, r.id, r.version, e.seq FROM resource r \
               JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version \
               LEFT JOIN envelope e ON e.id = v.envelope \
               WHERE r.patient = ? AND r.type IN ('Patient', 'Consent') ORDER BY r.type DESC, r.id";
    // To a laptop that was told before that the patient is gone, an envelope that it has brings nothing back. A consent
    // never goes: the patient's words stay.
    let gone = crate::care::consent::was_closed_to(tx, patient, person).await?;
    for row in sqlx::query(sql).bind(patient).fetch_all(&mut *tx).await? {
        let kind: String = row.try_get(0)?;
        let item = match row.try_get::<Option<i64>, _>(3)? {
            Some(seq) if !gone || kind == "Consent" => Item::Envelope(seq as u64),
            _ => Item::Resource { kind, id: row.try_get(1)?, version: row.try_get(2)? },
        };
        show(tx, sequencer, Scope::Person(person), Some(task), item).await?;
    }
    Ok(())
}

/// Shows all of an ask to the person whom it is now with.
pub async fn show_ask(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    task: Id,
    patient: &str,
    person: Id,
) -> Result<(), sqlx::Error> {
    show_patient(tx, sequencer, task, patient, person).await?;
    let sql = "SELECT seq FROM envelope WHERE task = ? AND superseded = 0 ORDER BY seq";
    let envelopes: Vec<i64> = sqlx::query_scalar(sql).bind(task.0.to_vec()).fetch_all(&mut *tx).await?;
    for seq in envelopes {
        show(tx, sequencer, Scope::Person(person), Some(task), Item::Envelope(seq as u64)).await?;
    }
    Ok(())
}

/// The condition under which a row of `change` (by its alias) holds a clinical part of a record that `?3`, a device, did
/// not write itself: all envelopes but demographics and consents, all resources but those of a directory or of
/// demographics.
pub(super) fn clinical(alias: &str) -> String {
    let open: Vec<String> = [Part::Directory, Part::Demographics]
        .into_iter()
        .flat_map(crate::fhir::types)
        .map(|name| format!("'{name}'"))
        .collect();
    format!(
        "(({alias}.item IN (0, 4) AND {alias}.resource_type NOT IN ({})) OR ({alias}.item = 1 AND EXISTS \
         (SELECT 1 FROM envelope x WHERE x.seq = {alias}.envelope AND x.kind NOT IN (1, 2) AND x.device <> ?3)))",
        open.join(", ")
    )
}

/// Shows the clinical parts of a facility's records to a device whose cursor is past them: the first person who may
/// read them joins it.
pub async fn show_record_to(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    facility: Id,
    device: Id,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SELECT n.item, n.envelope, n.resource_type, n.resource_id, n.resource_version FROM change n \
         WHERE n.scope_kind = 1 AND n.scope = ?1 AND {} ORDER BY n.seq",
        clinical("n").replace("?3", "?2")
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(facility.0.to_vec())
        .bind(device.0.to_vec())
        .fetch_all(&mut *tx)
        .await?;
    for row in rows {
        let item = match row.try_get::<i64, _>(0)? {
            1 => Item::Envelope(row.try_get::<i64, _>(1)? as u64),
            0 => Item::Resource { kind: row.try_get(2)?, id: row.try_get(3)?, version: row.try_get(4)? },
            _ => continue,
        };
        show(tx, sequencer, Scope::Device(device), None, item).await?;
    }
    Ok(())
}

/// Shows a person's open asks anew: they joined a device whose cursor is past them.
pub async fn show_open_asks(
    tx: &mut SqliteConnection,
    sequencer: &dyn Sequencer,
    person: Id,
) -> Result<(), sqlx::Error> {
    let asks = sqlx::query(
        "SELECT t.id, t.patient FROM task_with w JOIN task t ON t.id = w.task WHERE w.person = ?",
    )
    .bind(person.0.to_vec())
    .fetch_all(&mut *tx)
    .await?;
    for ask in asks {
        let (task, patient): (Id, String) = (crate::identity::id(ask.try_get(0)?)?, ask.try_get(1)?);
        show_ask(tx, sequencer, task, &patient, person).await?;
    }
    Ok(())
}
