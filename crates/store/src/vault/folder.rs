//! One program in a folder at a time.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

/// Another program works in the folder.
#[derive(Debug, thiserror::Error)]
pub enum InUse {
    #[error("another program is using this data folder")]
    Taken,
    #[error("the data folder cannot be used")]
    Folder(#[source] io::Error),
}

/// The folder is this program's for as long as this lives, even over a crash of it: the operating system keeps the
/// lock.
#[derive(Debug)]
pub struct FolderLock {
    _held: File,
}

impl FolderLock {
    /// For a program's start: makes the folder if need be and takes it.
    pub fn take(dir: &Path) -> Result<Self, InUse> {
        make_private(dir).map_err(InUse::Folder)?;
        Self::on(&dir.join("lock"))
    }

    pub(crate) fn on(path: &Path) -> Result<Self, InUse> {
        let file =
            File::options().create(true).truncate(false).write(true).open(path).map_err(InUse::Folder)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _held: file }),
            Err(TryLockError::WouldBlock) => Err(InUse::Taken),
            Err(TryLockError::Error(error)) => Err(InUse::Folder(error)),
        }
    }
}

/// A folder that only its owner may look into.
pub(crate) fn make_private(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
