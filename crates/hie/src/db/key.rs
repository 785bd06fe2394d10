use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

/// A random 32-byte key in hexadecimal. Prints nothing.
pub(super) struct Key(Zeroizing<String>);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key file {} is missing; without it the database cannot be opened, and nothing was changed", .0.display())]
    Missing(PathBuf),
    #[error("the key file {} does not hold 64 hexadecimal digits", .0.display())]
    Malformed(PathBuf),
    #[error("the key file {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl Key {
    /// SQLCipher's raw key form, which skips the key derivation.
    pub(super) fn pragma(&self) -> String {
        format!("\"x'{}'\"", *self.0)
    }
}

pub(super) fn read(path: &Path) -> Result<Key, KeyError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(KeyError::Missing(path.to_owned())),
        Err(source) => return Err(KeyError::Io { path: path.to_owned(), source }),
    };
    let hex = Zeroizing::new(text.trim().to_owned());
    if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(KeyError::Malformed(path.to_owned()));
    }
    Ok(Key(hex))
}

pub(super) fn read_or_make(path: &Path) -> Result<Key, KeyError> {
    match read(path) {
        Err(KeyError::Missing(_)) => {}
        other => return other,
    }
    let io = |source| KeyError::Io { path: path.to_owned(), source };
    let mut bytes = Zeroizing::new([0u8; 32]);
    getrandom::fill(&mut *bytes).map_err(|e| io(io::Error::other(e.to_string())))?;
    let hex = Zeroizing::new(hex::encode(*bytes));
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(io)?;
    file.write_all(hex.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .map_err(io)?;
    Ok(Key(hex))
}
