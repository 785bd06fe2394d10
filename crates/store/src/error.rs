use std::io;

use rabta_wire::Id;

/// Why the store could not do what was asked. Nothing of it was done: writes are transactions.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the disk is full")]
    DiskFull,
    #[error("the disk does not write or read: code {0}")]
    DiskFailed(String),
    #[error("the database was written by a newer version of this program (migration {0})")]
    Newer(i64),
    #[error("the database is damaged: {0}")]
    Damaged(&'static str),
    /// Vault lock came in between.
    #[error("the vault is locked")]
    Locked,
    #[error("the block of MR numbers is used up")]
    NoMrNumbers,
    #[error("payload of envelope {0} is not readable: {1}")]
    Payload(Id, &'static str),
    #[error("a resource that cannot be stored: {0}")]
    Resource(&'static str),
    #[error("the log cannot be written without the device's key")]
    NoSealer,
    #[error("the database does not answer: {0}")]
    Database(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) => Self::of_code(db.code().as_deref().unwrap_or("")),
            sqlx::Error::Io(io) if io.kind() == io::ErrorKind::StorageFull => Self::DiskFull,
            sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed => Self::Locked,
            // Decoding errors name columns, never values.
            sqlx::Error::ColumnDecode { index, .. } => Self::Database(format!("column {index}")),
            sqlx::Error::RowNotFound => Self::Database("row not found".into()),
            _ => Self::Database("driver".into()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError::*;
        match error {
            VersionMissing(version) | VersionTooNew(version, _) => Self::Newer(version),
            VersionMismatch(_) => Self::Damaged("a migration differs from this program's"),
            Dirty(_) => Self::Damaged("a migration was not finished"),
            Execute(error) | ExecuteMigration(error, _) => error.into(),
            _ => Self::Damaged("migrations"),
        }
    }
}

impl StoreError {
    /// By SQLite's extended result code (https://sqlite.org/rescode.html). Messages are dropped: they may quote.
    pub(crate) fn of_code(code: &str) -> Self {
        const IOERR: i64 = 10;
        let Ok(number) = code.parse::<i64>() else { return Self::Database("unknown".into()) };
        match (number & 0xff, number >> 8) {
            (13, _) => Self::DiskFull,
            // IOERR_WRITE, IOERR_FSYNC, IOERR_DIR_FSYNC, IOERR_TRUNCATE, IOERR_SHMSIZE: what a full disk looks like to
            // file systems that allocate late.
            (IOERR, 3 | 4 | 5 | 6 | 19) => Self::DiskFull,
            (IOERR, _) => Self::DiskFailed(code.to_owned()),
            (11, _) => Self::Damaged("the database file is malformed"),
            (26, _) => Self::Damaged("the key does not fit the database file"),
            _ => Self::Database(format!("SQLite code {code}")),
        }
    }
}
