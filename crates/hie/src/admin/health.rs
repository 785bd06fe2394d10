//! What `rabta-hie doctor` looks at, and what it says should be done.

use std::{fs, path::Path};

use rabta_wire::Id;
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqliteConnection};

use crate::{backup, db::Db};

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Good,
    /// Somebody should look at it this week.
    Look,
    /// Somebody should act today.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// For machines: `backup`, `clock`.
    pub name: String,
    pub state: State,
    /// What was seen.
    pub seen: String,
    /// What to do, where something is to be done.
    pub todo: Option<String>,
}

impl Finding {
    pub(super) fn good(name: &str, seen: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Good, seen: seen.into(), todo: None }
    }

    pub(super) fn todo(name: &str, state: State, seen: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { name: name.into(), state, seen: seen.into(), todo: Some(todo.into()) }
    }
}

const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// Backups older than this are looked at; after three times as long it is bad.
const BACKUP_DUE: i64 = 26 * HOUR;
/// Fewer free bytes than this, or than this share of the disk.
const ROOM: u64 = 2_000_000_000;

/// What the database knows; `deep` also reads every page.
pub(super) async fn of_database(db: &Db, deep: bool, now: i64) -> Result<Vec<Finding>, sqlx::Error> {
    let mut reader = db.read().acquire().await?;
    let mut found = vec![
        clock(&mut reader, now).await?,
        backups(&mut reader, now).await?,
        quarantine(&mut reader).await?,
        forks(&mut reader).await?,
    ];
    if deep {
        found.push(pages(&mut reader).await?);
    }
    Ok(found)
}

async fn clock(db: &mut SqliteConnection, now: i64) -> Result<Finding, sqlx::Error> {
    let newest: i64 =
        sqlx::query_scalar("SELECT coalesce(max(received_at), 0) FROM envelope").fetch_one(db).await?;
    let today = time::OffsetDateTime::from_unix_timestamp(now / 1000).map(|t| t.date().to_string());
    let today = today.unwrap_or_else(|_| "beyond the calendar".into());
    if newest > now + 60_000 {
        let seen = format!("it is {today} by this machine, and records were received later than that");
        return Ok(Finding::todo(
            "clock",
            State::Bad,
            seen,
            "set the clock; let chrony or systemd-timesyncd keep it",
        ));
    }
    // No version of this program is older.
    if now < 1_750_000_000_000 {
        let seen = format!("it is {today} by this machine");
        return Ok(Finding::todo(
            "clock",
            State::Bad,
            seen,
            "set the clock; let chrony or systemd-timesyncd keep it",
        ));
    }
    Ok(Finding::good("clock", format!("it is {today}; nothing was received later than now")))
}

async fn backups(db: &mut SqliteConnection, now: i64) -> Result<Finding, sqlx::Error> {
    let last: i64 =
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM change").fetch_one(&mut *db).await?;
    let todo = "run `rabta-hie backup` every night, to another disk; see docs/OPERATE.md";
    let Some((seq, at)) = backup::last(db).await? else {
        if last == 0 {
            return Ok(Finding::good("backup", "there is nothing yet to back up"));
        }
        return Ok(Finding::todo("backup", State::Bad, format!("none; {last} changes are only here"), todo));
    };
    let age = now - at;
    if age < -HOUR {
        let seen = "the last one was made later than now by this clock";
        return Ok(Finding::todo(
            "backup",
            State::Look,
            seen,
            "see that the clock is right, then make another",
        ));
    }
    let behind = last.unsigned_abs().saturating_sub(seq);
    let seen = format!("{} hours old, {behind} changes behind", age / HOUR);
    Ok(match age {
        _ if behind == 0 => Finding::good("backup", seen),
        age if age > 3 * BACKUP_DUE => Finding::todo("backup", State::Bad, seen, todo),
        age if age > BACKUP_DUE => Finding::todo("backup", State::Look, seen, todo),
        _ => Finding::good("backup", seen),
    })
}

async fn quarantine(db: &mut SqliteConnection) -> Result<Finding, sqlx::Error> {
    let refused = count(db, "SELECT count(*) FROM log_entry WHERE state = 2").await?;
    let todo = "their laptops show them with the reason; `rabta-hie device list` says whose they are";
    Ok(match refused {
        0 => Finding::good("refused", "no entry of any laptop is refused"),
        n => Finding::todo("refused", State::Look, format!("{n} entries were refused"), todo),
    })
}

async fn forks(db: &mut SqliteConnection) -> Result<Finding, sqlx::Error> {
    let forked = count(db, "SELECT count(*) FROM device WHERE forked_at IS NOT NULL").await?;
    let todo = "a disk was copied: both laptops must join anew with new codes; nothing of either is lost";
    Ok(match forked {
        0 => Finding::good("forks", "no laptop's log was written twice"),
        n => Finding::todo("forks", State::Bad, format!("{n} devices have two histories"), todo),
    })
}

async fn count(db: &mut SqliteConnection, sql: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(sql).fetch_one(db).await
}

async fn pages(db: &mut SqliteConnection) -> Result<Finding, sqlx::Error> {
    let todo = "stop the server, keep the folder, restore the last backup; see docs/OPERATE.md";
    Ok(match backup::damage(db).await? {
        None => Finding::good("pages", "every page of the database is whole"),
        Some(said) => Finding::todo("pages", State::Bad, format!("the database is damaged: {said}"), todo),
    })
}

/// What the files say: rights, room, where the key is.
pub fn of_files(data: &Path, key_file: &Path) -> Vec<Finding> {
    vec![key(data, key_file), room(data), rights(data)]
}

fn key(data: &Path, key_file: &Path) -> Finding {
    let todo = "keep a copy of the key file on paper or in a safe: without it no backup opens";
    if !key_file.exists() {
        return Finding::todo("key", State::Bad, format!("{} is not there", key_file.display()), todo);
    }
    if key_file.starts_with(data) {
        let seen = "it lies in the data folder, so that a thief of one has both";
        return Finding::todo("key", State::Look, seen, "move it out and name it with --key-file");
    }
    match others_may_read(key_file) {
        true => Finding::todo(
            "key",
            State::Bad,
            "others on this machine may read it",
            format!("chmod 600 {}", key_file.display()),
        ),
        false => Finding::good("key", "it is apart from the data, and only its owner may read it"),
    }
}

fn rights(data: &Path) -> Finding {
    match others_may_read(data) {
        true => Finding::todo(
            "folder",
            State::Look,
            "others on this machine may look into the data folder",
            format!("chmod 700 {}", data.display()),
        ),
        false => Finding::good("folder", "only its owner may look into it"),
    }
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}

#[cfg(unix)]
fn room(data: &Path) -> Finding {
    let Ok(disk) = rustix::fs::statvfs(data) else {
        return Finding::todo("disk", State::Look, "its free room cannot be read", "look with `df`");
    };
    let (free, whole) = (disk.f_bavail * disk.f_frsize, (disk.f_blocks * disk.f_frsize).max(1));
    let used = fs::metadata(data.join("hie.db")).map_or(0, |m| m.len());
    let seen = format!("{:.1} GB free, the database has {:.2} GB", free as f64 / 1e9, used as f64 / 1e9);
    let todo = "make room, or move the data folder to a larger disk; a full disk takes no more records";
    match free {
        free if free < ROOM / 4 => Finding::todo("disk", State::Bad, seen, todo),
        free if free < ROOM || free * 10 < whole => Finding::todo("disk", State::Look, seen, todo),
        _ => Finding::good("disk", seen),
    }
}

#[cfg(not(unix))]
fn room(_: &Path) -> Finding {
    Finding::todo("disk", State::Look, "its free room is not read on this system", "look yourself")
}

/// A device and how it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceLine {
    pub id: Id,
    pub facility: String,
    pub name: String,
    /// Who has a key on it.
    pub persons: Vec<String>,
    /// Milliseconds since 1970: when it last proved who it is.
    #[serde(default)]
    pub last_seen: Option<i64>,
    /// Milliseconds since 1970: when it last sent something.
    pub last_sent: Option<i64>,
    pub refused: i64,
    pub revoked: bool,
    pub forked: bool,
}

pub(crate) async fn devices(db: &mut SqliteConnection) -> Result<Vec<DeviceLine>, sqlx::Error> {
    let sql = "SELECT d.id, f.name AS facility, d.name, d.revoked_at, d.forked_at, d.seen_at, \
               (SELECT max(l.seen_at) FROM log_entry l WHERE l.device = d.id) AS last_sent, \
               (SELECT count(*) FROM log_entry l WHERE l.device = d.id AND l.state = 2) AS refused, \
               (SELECT group_concat(p.name, char(10)) FROM person_key k JOIN person p ON p.id = k.person \
                WHERE k.device = d.id AND k.revoked_at IS NULL) AS persons \
               FROM device d JOIN facility f ON f.id = d.facility WHERE f.kind <> 'hie' ORDER BY f.name, d.created_at";
    let rows = sqlx::query(sql).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let id: Vec<u8> = row.try_get("id")?;
            let persons: Option<String> = row.try_get("persons")?;
            Ok(DeviceLine {
                id: crate::identity::id(id)?,
                facility: row.try_get("facility")?,
                name: row.try_get("name")?,
                persons: persons.iter().flat_map(|p| p.lines().map(str::to_owned)).collect(),
                last_seen: row.try_get("seen_at")?,
                last_sent: row.try_get("last_sent")?,
                refused: row.try_get("refused")?,
                revoked: row.try_get::<Option<i64>, _>("revoked_at")?.is_some(),
                forked: row.try_get::<Option<i64>, _>("forked_at")?.is_some(),
            })
        })
        .collect()
}

/// All findings for people, the worst first.
pub fn page(findings: &[Finding]) -> String {
    let mut all: Vec<&Finding> = findings.iter().collect();
    all.sort_by_key(|f| std::cmp::Reverse(f.state as u8));
    let line = |f: &Finding| {
        let mark = match f.state {
            State::Good => "good",
            State::Look => "look",
            State::Bad => "BAD ",
        };
        let todo = f.todo.iter().map(|todo| format!("\n                -> {todo}")).collect::<String>();
        format!("{mark}  {:<8}  {}{todo}", f.name, f.seen)
    };
    all.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One device for people.
pub fn device_line(device: &DeviceLine, now: i64) -> String {
    let sent =
        device.last_sent.map_or_else(|| "never sent anything".into(), |at| format!("sent {}", ago(at, now)));
    let mut marks = Vec::new();
    if device.revoked {
        marks.push("REVOKED".to_owned());
    }
    if device.forked {
        marks.push("FORKED".to_owned());
    }
    if device.refused > 0 {
        marks.push(format!("{} refused", device.refused));
    }
    let (persons, marks) = (device.persons.join(", "), marks.join(", "));
    format!("{}  {}  {}  {persons}  {sent}  {marks}", device.id, device.facility, device.name)
        .trim_end()
        .to_owned()
}

/// `3 days ago`, for people.
fn ago(at: i64, now: i64) -> String {
    match now - at {
        age if age < HOUR => format!("{} minutes ago", (age / 60_000).max(0)),
        age if age < 2 * DAY => format!("{} hours ago", age / HOUR),
        age => format!("{} days ago", age / DAY),
    }
}
