//! The database: SQLCipher with a random raw key that is kept apart from the data, one connection that writes and
//! checkpoints, a few that only read.
//!
//! The bundled SQLite (3.50.4) can corrupt a write-ahead log when two connections write or checkpoint at once; so
//! there is one writer in one process ([`DataLock`]), and readers are `query_only` and never checkpoint.

mod key;
mod lock;
pub(crate) mod settings;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    audit, duty,
    envelopes::{
        World,
        sequencer::{Sequencer, SingleWriter},
    },
};

pub use key::KeyError;
pub use lock::{DataLock, LockError};
pub use settings::{RotateError, Settings};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/hie/sqlite");

/// A transaction of the one writer; dropped without a commit, it is rolled back.
pub type Write = Transaction<'static, Sqlite>;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    writer: SqlitePool,
    readers: SqlitePool,
    sequencer: std::sync::Arc<dyn Sequencer>,
    file: PathBuf,
    options: SqliteConnectOptions,
    pub settings: std::sync::Arc<Settings>,
}

/// Why a database was not opened. It is left exactly as it is.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the data folder: {0}")]
    Folder(#[source] std::io::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the key file does not open this database")]
    WrongKey,
    #[error("this database was made by a newer version of rabta-hie; nothing was changed")]
    Newer,
    #[error("the database's migrations: {0}")]
    Migrate(#[source] MigrateError),
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
}

const BEGIN: &str = "BEGIN IMMEDIATE";

impl Db {
    /// Opens or creates `folder/hie.db` with the key in `key_file`, migrates it, and makes the epoch and the keys
    /// where it is new. `now` in milliseconds.
    pub async fn open(folder: &Path, key_file: &Path, now: i64) -> Result<Self, OpenError> {
        create_private_dir(folder).map_err(OpenError::Folder)?;
        let path = folder.join("hie.db");
        let key = if path.exists() { key::read(key_file)? } else { key::read_or_make(key_file)? };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .pragma("key", key.pragma())
            .pragma("cache_size", "-8192")
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await
            .map_err(not_a_database)?;
        MIGRATIONS.run(&writer).await.map_err(|e| match e {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => OpenError::Newer,
            MigrateError::Execute(e) => not_a_database(e),
            e => OpenError::Migrate(e),
        })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(3)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.clone().pragma("query_only", "ON").pragma("wal_autocheckpoint", "0"))
            .await?;
        crate::fhir::labels::index_old(&writer).await?;
        let settings = Settings::load_or_make(&writer, now).await?;
        let last: i64 =
            sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM change").fetch_one(&writer).await?;
        let sequencer = std::sync::Arc::new(SingleWriter::starting_after(last as u64));
        let db =
            Self { writer, readers, sequencer, file: path, options, settings: std::sync::Arc::new(settings) };
        duty::ensure(&db, now).await?;
        let mut tx = db.write().await?;
        audit::note_restore(&mut tx, now).await?;
        tx.commit().await?;
        Ok(db)
    }

    /// The database's file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The one connection that writes, outside of a transaction: for checkpoints.
    pub(crate) async fn writer(&self) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
        self.writer.acquire().await
    }

    /// A copy of the database under another name, opened with the same key.
    pub(crate) async fn open_copy(&self, file: &Path) -> Result<SqliteConnection, OpenError> {
        let options = self.options.clone().filename(file).create_if_missing(false);
        connect(options).await
    }

    /// Begins the one write transaction; waits for whoever has it.
    pub async fn write(&self) -> Result<Write, sqlx::Error> {
        match self.writer.begin_with(BEGIN).await {
            // On a full disk SQLite rolls back by itself (https://sqlite.org/lang_transaction.html, 3.1), so the
            // ROLLBACK that follows fails, and sqlx counts this connection as being in a transaction ever after.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                tracing::warn!("the writer's connection is made anew");
                self.writer.acquire().await?.close().await?;
                self.writer.begin_with(BEGIN).await
            }
            begun => begun,
        }
    }

    /// What reads.
    pub fn read(&self) -> &SqlitePool {
        &self.readers
    }

    pub fn sequencer(&self) -> &dyn Sequencer {
        &*self.sequencer
    }

    /// What an envelope comes into.
    pub(crate) fn world(&self) -> World<'_> {
        World { sequencer: self.sequencer(), duty: self.settings.duty.id }
    }

    /// Checkpoints and closes, readers first so that the writer is the last to leave the log.
    pub async fn close(&self) {
        self.readers.close().await;
        if let Err(e) = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await {
            tracing::warn!(error = %e, "the last checkpoint failed; the next start will do it");
        }
        self.writer.close().await;
    }
}

/// Opens a database that nobody serves, without changing anything.
pub(crate) async fn open_alone(file: &Path, key_file: &Path) -> Result<SqliteConnection, OpenError> {
    let key = key::read(key_file)?;
    connect(SqliteConnectOptions::new().filename(file).pragma("key", key.pragma())).await
}

/// One connection without a log beside the file. The first read is what tells a wrong key.
async fn connect(options: SqliteConnectOptions) -> Result<SqliteConnection, OpenError> {
    let options = options.journal_mode(SqliteJournalMode::Delete).synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.map_err(not_a_database)?;
    sqlx::query("SELECT count(*) FROM sqlite_schema")
        .execute(&mut connection)
        .await
        .map_err(not_a_database)?;
    Ok(connection)
}

/// Whether it failed for want of room, by SQLite's extended result code (https://sqlite.org/rescode.html): FULL, and
/// IOERR_WRITE, IOERR_FSYNC, IOERR_DIR_FSYNC, IOERR_TRUNCATE, IOERR_SHMSIZE, which is how file systems that allocate
/// late say it.
pub fn is_disk_full(e: &sqlx::Error) -> bool {
    let code = e.as_database_error().and_then(|d| d.code()).and_then(|c| c.parse::<i64>().ok());
    code.is_some_and(|code| code & 0xff == 13 || (code & 0xff == 10 && matches!(code >> 8, 3..=6 | 19)))
}

fn not_a_database(e: sqlx::Error) -> OpenError {
    let code = e.as_database_error().and_then(|d| d.code()).map(|c| c.into_owned());
    // SQLITE_NOTADB: what SQLCipher answers to a wrong key.
    if code.as_deref() == Some("26") { OpenError::WrongKey } else { OpenError::Sql(e) }
}

fn create_private_dir(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
