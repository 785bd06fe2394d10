//! The way back: from pieces to a database that is as it was, and a new epoch.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rabta_wire::Id;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{Row as _, SqliteConnection};

use super::{
    make::begin_epoch,
    manifest::{Manifest, ManifestError, name_of},
    piece_path,
};
use crate::{
    clock::system_clock,
    db::{self, DataLock, KeyError, LockError, OpenError},
};

/// What was restored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Restored {
    pub manifest: PathBuf,
    /// When the backup was made, milliseconds since 1970.
    pub made_at: i64,
    pub seq: u64,
    /// The epoch that begins.
    pub epoch: Id,
}

/// Why nothing was restored. The data folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("{} holds a database already; move it away first, nothing is overwritten", .0.display())]
    NotEmpty(PathBuf),
    #[error("there is no backup in {}", .0.display())]
    None(PathBuf),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("a piece of the backup is missing or was changed: {0}")]
    Piece(String),
    #[error("the key file is not the one of this backup")]
    WrongKey,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the database in the backup is damaged: {0}")]
    Damaged(String),
    #[error("the manifest was signed by another HIE than the one in the backup")]
    Stranger,
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{0}: {1}")]
    Io(&'static str, #[source] io::Error),
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

/// Restores the backup of this manifest, or the newest in `folder`, into a data folder without a database.
pub async fn restore(
    folder: &Path,
    manifest: Option<&Path>,
    data: &Path,
    key_file: &Path,
) -> Result<Restored, RestoreError> {
    let target = data.join("hie.db");
    let _lock = DataLock::take(data)?;
    if target.exists() {
        return Err(RestoreError::NotEmpty(data.to_owned()));
    }
    let (file, manifest) = match manifest {
        Some(file) => (file.to_owned(), Manifest::read(file)?),
        None => Manifest::all(folder)?.pop().ok_or_else(|| RestoreError::None(folder.to_owned()))?,
    };
    let unfinished = data.join("hie.db.restoring");
    let from = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let done = put_together(folder, &manifest, &from, &unfinished, key_file).await;
    let epoch = match done {
        Ok(epoch) => epoch,
        Err(e) => {
            let _ = fs::remove_file(&unfinished);
            return Err(e);
        }
    };
    let io = |e| RestoreError::Io("the data folder", e);
    fs::rename(&unfinished, &target).map_err(io)?;
    File::open(data).and_then(|folder| folder.sync_all()).map_err(io)?;
    Ok(Restored { manifest: file, made_at: manifest.made_at, seq: manifest.seq, epoch })
}

async fn put_together(
    folder: &Path,
    manifest: &Manifest,
    from: &str,
    to: &Path,
    key_file: &Path,
) -> Result<Id, RestoreError> {
    let (pieces, wanted, path) = (folder.to_owned(), manifest.clone(), to.to_owned());
    tokio::task::spawn_blocking(move || assemble(&pieces, &wanted, &path))
        .await
        .map_err(|e| RestoreError::Io("copying", io::Error::other(e)))??;
    let mut opened = match db::open_alone(to, key_file).await {
        Err(OpenError::WrongKey) => return Err(RestoreError::WrongKey),
        Err(OpenError::Key(e)) => return Err(e.into()),
        Err(OpenError::Sql(e)) => return Err(e.into()),
        Err(e) => return Err(RestoreError::Damaged(e.to_string())),
        Ok(opened) => opened,
    };
    check(&mut opened).await?;
    let seed: Vec<u8> = sqlx::query_scalar("SELECT value FROM setting WHERE name = 'signing-key'")
        .fetch_one(&mut opened)
        .await?;
    let seed = zeroize::Zeroizing::new(seed);
    let seed: &[u8; 32] =
        seed.as_slice().try_into().map_err(|_| RestoreError::Damaged("its signing key".to_owned()))?;
    let key = ed25519_dalek::SigningKey::from_bytes(seed);
    if name_of(&key.verifying_key()) != manifest.hie {
        return Err(RestoreError::Stranger);
    }
    let epoch = begin_epoch(&mut opened, from, system_clock()()).await?;
    sqlx::Connection::close(opened).await?;
    Ok(epoch)
}

/// Writes the pieces into one file, each checked.
pub(super) fn assemble(folder: &Path, manifest: &Manifest, to: &Path) -> Result<(), RestoreError> {
    let io = |e| RestoreError::Io("putting the pieces together", e);
    let mut file = File::create(to).map_err(io)?;
    let mut length = 0;
    for sha256 in &manifest.pieces {
        let path = piece_path(folder, sha256);
        let piece = fs::read(&path).map_err(|_| RestoreError::Piece(sha256.clone()))?;
        if hex::encode(Sha256::digest(&piece)) != *sha256 {
            return Err(RestoreError::Piece(sha256.clone()));
        }
        length += piece.len() as u64;
        file.write_all(&piece).map_err(io)?;
    }
    if length != manifest.length {
        return Err(RestoreError::Piece(format!("{length} bytes in place of {}", manifest.length)));
    }
    file.sync_all().map_err(io)
}

/// Why an opened copy is not whole.
pub(super) async fn check(db: &mut SqliteConnection) -> Result<(), RestoreError> {
    match damage(db).await? {
        None => Ok(()),
        Some(said) => Err(RestoreError::Damaged(said)),
    }
}

/// Lets SQLCipher check the authentication code of every page, and SQLite its structure: the first complaint.
pub async fn damage(db: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    for pragma in ["PRAGMA cipher_integrity_check", "PRAGMA quick_check(1)"] {
        for row in sqlx::query(pragma).fetch_all(&mut *db).await? {
            let said: String = row.try_get(0)?;
            if said != "ok" {
                return Ok(Some(said));
            }
        }
    }
    Ok(None)
}
