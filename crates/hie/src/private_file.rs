//! Files written whole or not at all: those that only their owner may read, and sealed ones for anybody to carry.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

/// Writes `bytes` under another name first, syncs them and renames; on Unix with mode 0600, folders with 0700.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_folder(path.parent().unwrap_or(Path::new(".")))?;
    replace(path, bytes, Some(0o600))
}

/// The same in a folder that is there, with the mode that files get.
pub(crate) fn write_open(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, None)
}

fn replace(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = path.file_name().unwrap_or_default().to_owned();
    beside.push(".tmp");
    let beside = path.with_file_name(beside);
    match fs::remove_file(&beside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if let Some(mode) = mode {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_reads_it_and_it_is_replaced_whole() {
        let temp = tempfile::tempdir().expect("a folder");
        let path = temp.path().join("acme/account.json");
        for text in ["first", "second"] {
            write(&path, text.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
            assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        }
        let folder = path.parent().expect("a folder");
        assert_eq!(fs::metadata(folder).expect("there").permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(folder).expect("listed").count(), 1);
    }
}
