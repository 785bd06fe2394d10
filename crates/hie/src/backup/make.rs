//! Making a backup while the server runs: writers wait while the file is read, readers do not notice.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use rabta_wire::Id;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{Row as _, SqliteConnection};

use super::{
    PIECE, list,
    manifest::{Manifest, ManifestError, name_of},
    piece_path, restore,
};
use crate::{
    audit,
    db::{Db, OpenError},
    identity,
};

/// The last change that is in a backup, and when that was made.
const SETTING: &str = "backed-up";

/// What was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// The manifest.
    pub file: PathBuf,
    pub seq: u64,
    pub bytes: u64,
    pub pieces: usize,
    /// Pieces that earlier backups did not have.
    pub new_pieces: usize,
    pub new_bytes: u64,
    /// Older backups that were removed.
    pub removed: usize,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the backup folder: {0}")]
    Io(#[from] io::Error),
    #[error("the backup folder is in the data folder: both would be lost together")]
    Inside,
    #[error("the backup folder holds another HIE's backups")]
    Stranger,
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("the database is too busy to be copied; try again")]
    Busy,
    #[error("what was written does not read back: {0}")]
    Verify(String),
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Adds a backup to `folder`, reads it back whole, and removes all but the newest `keep`.
pub async fn make(db: &Db, folder: &Path, keep: usize, now: i64) -> Result<Made, BackupError> {
    fs::create_dir_all(folder.join("pieces"))?;
    let data = db.file().parent().unwrap_or(Path::new(".")).canonicalize()?;
    if folder.canonicalize()?.starts_with(&data) {
        return Err(BackupError::Inside);
    }
    let hie = name_of(&db.settings.signing_key.verifying_key());
    let earlier = Manifest::all(folder)?;
    if earlier.iter().any(|(_, manifest)| manifest.hie != hie) {
        return Err(BackupError::Stranger);
    }
    let number = earlier.last().map_or(0, |(_, newest)| newest.number) + 1;
    // While this connection is held nobody else writes, and nothing but it ever checkpoints: the file is whole.
    let mut writer = db.writer().await?;
    checkpoint(&mut writer).await?;
    let seq: i64 =
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM change").fetch_one(&mut *writer).await?;
    let (from, to) = (db.file().to_owned(), folder.to_owned());
    let copied = tokio::task::spawn_blocking(move || copy(&from, &to)).await.map_err(io::Error::other)??;
    drop(writer);

    let manifest = Manifest {
        version: 1,
        hie,
        epoch: db.settings.epoch,
        number,
        seq: seq.unsigned_abs(),
        made_at: now,
        length: copied.length,
        pieces: copied.pieces,
    };
    read_back(db, folder, &manifest).await?;
    let file = folder.join(manifest.file_name());
    write_whole(&file, &manifest.signed(&db.settings.signing_key))?;
    let mut tx = db.write().await?;
    let value = [manifest.seq.to_be_bytes(), now.to_be_bytes()].concat();
    sqlx::query("INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(SETTING)
        .bind(value)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    // It counts, whether or not the old ones can be removed.
    let removed = prune(folder, keep.max(1));
    let made = Made {
        file,
        seq: manifest.seq,
        bytes: manifest.length,
        pieces: manifest.pieces.len(),
        new_pieces: copied.new_pieces,
        new_bytes: copied.new_bytes,
        removed: removed.as_ref().map_or(0, Vec::len),
    };
    let mut tx = db.write().await?;
    list::note(&mut tx, folder, &made, removed.as_deref().unwrap_or_default(), now).await?;
    tx.commit().await?;
    removed.map(|_| made)
}

/// The last change that is in a backup, and when it was made (ms). `None`: there was none in this epoch.
pub async fn last(db: &mut SqliteConnection) -> Result<Option<(u64, i64)>, sqlx::Error> {
    let value: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM setting WHERE name = ?")
        .bind(SETTING)
        .fetch_optional(db)
        .await?;
    let value = value.and_then(|v| <[u8; 16]>::try_from(v).ok());
    Ok(value.map(|v| {
        let (seq, at) = v.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        (number(seq), number(at).cast_signed())
    }))
}

/// A restored server has no backup yet, and is a new epoch. What may have been given out after the backup is not given
/// again. `from` is the backup's name; `now` in milliseconds since 1970.
pub(super) async fn begin_epoch(db: &mut SqliteConnection, from: &str, now: i64) -> Result<Id, sqlx::Error> {
    let epoch = Id::from_random(crate::db::settings::random());
    sqlx::query(
        "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
    )
    .bind(audit::RESTORED)
    .bind(from.as_bytes())
    .execute(&mut *db)
    .await?;
    identity::leave_gaps(db, now).await?;
    sqlx::query("DELETE FROM setting WHERE name = ?").bind(SETTING).execute(&mut *db).await?;
    sqlx::query("UPDATE setting SET value = ? WHERE name = 'epoch'")
        .bind(epoch.0.to_vec())
        .execute(db)
        .await?;
    Ok(epoch)
}

/// Moves the whole log into the file.
async fn checkpoint(writer: &mut SqliteConnection) -> Result<(), BackupError> {
    for _ in 0..50 {
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *writer).await?;
        let (busy, left): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if busy == 0 && left <= 0 {
            return Ok(());
        }
        // A reader is in the middle of an older state.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Err(BackupError::Busy)
}

struct Copied {
    length: u64,
    pieces: Vec<String>,
    new_pieces: usize,
    new_bytes: u64,
}

fn copy(from: &Path, folder: &Path) -> io::Result<Copied> {
    let mut file = File::open(from)?;
    let mut copied = Copied { length: 0, pieces: Vec::new(), new_pieces: 0, new_bytes: 0 };
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        (&mut file).take(PIECE as u64).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok(copied);
        }
        let sha256 = hex::encode(Sha256::digest(&piece));
        let path = piece_path(folder, &sha256);
        if fs::metadata(&path).map_or(true, |m| m.len() != piece.len() as u64) {
            write_whole(&path, &piece)?;
            copied.new_pieces += 1;
            copied.new_bytes += piece.len() as u64;
        }
        copied.length += piece.len() as u64;
        copied.pieces.push(sha256);
    }
}

/// Puts the pieces together beside them, opens what comes out with the key, and lets SQLCipher check every page.
async fn read_back(db: &Db, folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let copy = folder.join("verify.tmp");
    let (from, to, wanted) = (folder.to_owned(), copy.clone(), manifest.clone());
    let said = |e: restore::RestoreError| BackupError::Verify(e.to_string());
    let checked = async {
        tokio::task::spawn_blocking(move || restore::assemble(&from, &wanted, &to))
            .await
            .map_err(io::Error::other)?
            .map_err(said)?;
        let mut opened = db.open_copy(&copy).await?;
        restore::check(&mut opened).await.map_err(said)?;
        sqlx::Connection::close(opened).await?;
        Ok(())
    }
    .await;
    let _ = fs::remove_file(&copy);
    checked
}

/// All or nothing: under another name first, then synced, then renamed.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = path.with_extension("tmp");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

/// Removes the oldest manifests, and the pieces that none needs any more.
fn prune(folder: &Path, keep: usize) -> Result<Vec<PathBuf>, BackupError> {
    let all = Manifest::all(folder)?;
    let (old, kept) = all.split_at(all.len().saturating_sub(keep));
    if old.is_empty() {
        return Ok(Vec::new());
    }
    let needed: HashSet<&String> = kept.iter().flat_map(|(_, manifest)| &manifest.pieces).collect();
    // The manifests go first: one whose pieces are gone would promise what is not there.
    for (file, _) in old {
        fs::remove_file(file)?;
    }
    for shelf in fs::read_dir(folder.join("pieces"))? {
        for piece in fs::read_dir(shelf?.path())? {
            let piece = piece?;
            if !piece.file_name().to_str().is_some_and(|name| needed.contains(&name.to_owned())) {
                fs::remove_file(piece.path())?;
            }
        }
    }
    Ok(old.iter().map(|(file, _)| file.clone()).collect())
}
