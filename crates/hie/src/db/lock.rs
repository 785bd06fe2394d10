use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

/// The operating system's lock on a data folder: whoever holds it is the only one that opens the database.
/// Released when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another rabta-hie runs on this data folder")]
    Taken,
    #[error("the data folder's lock: {0}")]
    Io(#[from] std::io::Error),
}

impl DataLock {
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        std::fs::create_dir_all(folder)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(e)) => Err(e.into()),
        }
    }
}
