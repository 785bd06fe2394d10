//! Connections: how each kind is opened, and what it may do.

use std::path::Path;

use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteRow},
};
use zeroize::Zeroizing;

use crate::error::StoreError;

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/store");

/// SQLCipher's raw key on the heap, wiped when dropped. Never copied but into the call that keys a connection.
pub(crate) struct RawKey(pub Box<Zeroizing<[u8; 32]>>);

impl std::fmt::Debug for RawKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawKey[..]")
    }
}

impl RawKey {
    pub fn random() -> Self {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        getrandom::fill(&mut **key).expect("the operating system has randomness");
        Self(key)
    }

    /// `x'<64 hexadecimal digits>'`.
    pub(super) fn spec(&self) -> Zeroizing<Vec<u8>> {
        let mut spec = Zeroizing::new(vec![0; 67]);
        spec[..2].copy_from_slice(b"x'");
        hex::encode_to_slice(**self.0, &mut spec[2..66]).expect("64 digits for 32 bytes");
        spec[66] = b'\'';
        spec
    }
}

/// Opens and keys a connection. Nothing is read yet.
pub(super) async fn keyed(
    options: SqliteConnectOptions,
    key: &RawKey,
) -> Result<SqliteConnection, StoreError> {
    rabta_sys::sqlcipher::initialize();
    let mut connection = options.disable_statement_logging().connect().await?;
    let spec = key.spec();
    let mut handle = connection.lock_handle().await?;
    rabta_sys::sqlcipher::key(&mut handle, &spec)
        .map_err(|code| StoreError::Database(format!("SQLite code {}", code.0)))?;
    drop(handle);
    Ok(connection)
}

/// Whether `key` opens the database and which migration wrote it last; database and write-ahead log stay as they
/// are, byte for byte: a read-only connection makes no checkpoint when it closes.
pub(crate) async fn probe(path: &Path, key: &RawKey) -> Result<Option<i64>, StoreError> {
    // SQLite deletes the log of an empty database, and with it what could still be saved.
    if std::fs::metadata(path).is_ok_and(|database| database.len() == 0) {
        return Ok(None);
    }
    // After a crash, or on a full disk, the database is whole only together with its log. Where there is none, not
    // even the shared-memory file is made.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let no_log = std::fs::metadata(log).map_or(true, |log| log.len() == 0);
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(no_log);
    let mut connection = keyed(options, key).await?;
    let answer = async {
        let tables = sqlx::query("SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut connection)
            .await?;
        if tables.try_get::<i64, _>(0)? == 0 {
            return Ok(None);
        }
        let version =
            sqlx::query("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut connection).await?;
        Ok(Some(version.try_get::<i64, _>(0)?))
    }
    .await;
    connection.close().await?;
    answer
}

/// The one connection that writes.
pub(crate) struct Writer {
    connection: SqliteConnection,
    /// A transaction was begun and its end was not seen (the caller's future was dropped).
    begun: bool,
}

/// A connection that cannot write.
pub(crate) struct Reader(SqliteConnection);

impl Writer {
    /// Opens the database for writing, makes it where `create` says so, and brings it to this program's migration.
    pub async fn open(path: &Path, key: &RawKey, create: bool) -> Result<Self, StoreError> {
        Self::migrated(path, key, create, &MIGRATIONS).await
    }

    /// A new one, only so far.
    #[cfg(test)]
    pub async fn empty(path: &Path, key: &RawKey, migrations: &Migrator) -> Result<Self, StoreError> {
        Self::migrated(path, key, true, migrations).await
    }

    async fn migrated(
        path: &Path,
        key: &RawKey,
        create: bool,
        migrations: &Migrator,
    ) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .busy_timeout(std::time::Duration::from_secs(5));
        let mut connection = keyed(options, key).await?;
        // Checkpoints are made after the answer, not within somebody's save.
        for pragma in [
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA wal_autocheckpoint = 0",
            "PRAGMA cache_size = -16384",
            "PRAGMA foreign_keys = ON",
            "PRAGMA trusted_schema = OFF",
        ] {
            sqlx::query(pragma).execute(&mut connection).await?;
        }
        migrations.run_direct(None, &mut connection, false).await?;
        Ok(Self { connection, begun: false })
    }

    pub async fn begin(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if self.begun {
            self.rollback().await;
        }
        self.begun = true;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        Ok(&mut self.connection)
    }

    /// Commits what went well, undoes what did not.
    pub async fn finish<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        let committed = match done {
            Ok(value) => sqlx::query("COMMIT")
                .execute(&mut self.connection)
                .await
                .map(|_| value)
                .map_err(StoreError::from),
            Err(error) => Err(error),
        };
        match committed {
            Ok(value) => {
                self.begun = false;
                Ok(value)
            }
            Err(error) => {
                self.rollback().await;
                Err(error)
            }
        }
    }

    /// A full disk may have made SQLite roll back by itself; that a second one fails is no news.
    async fn rollback(&mut self) {
        let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        self.begun = false;
    }

    /// Moves what is in the write-ahead log into the database file.
    pub async fn checkpoint(&mut self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut self.connection).await?;
        Ok(())
    }

    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }
}

impl Reader {
    pub async fn open(path: &Path, key: &RawKey) -> Result<Self, StoreError> {
        let options =
            SqliteConnectOptions::new().filename(path).busy_timeout(std::time::Duration::from_secs(5));
        let mut connection = keyed(options, key).await?;
        for pragma in [
            "PRAGMA query_only = ON",
            "PRAGMA wal_autocheckpoint = 0",
            "PRAGMA cache_size = -65536",
            "PRAGMA trusted_schema = OFF",
        ] {
            sqlx::query(pragma).execute(&mut connection).await?;
        }
        Ok(Self(connection))
    }

    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }

    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.0.close().await?)
    }
}

/// A column as `T`; a wrong type is the database's fault, not the caller's.
pub(crate) fn get<'r, T>(row: &'r SqliteRow, column: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    Ok(row.try_get(column)?)
}
