//! A disk that can be filled: a file system in a file, mounted over a loop device; in memory where that cannot be had.
//! Needs the right to mount.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::left_out;

/// A file system of its own, unmounted when this is dropped.
pub struct SmallDisk {
    at: PathBuf,
    image: PathBuf,
}

impl SmallDisk {
    /// Mounts an empty one of `mb` megabytes at `at`. `None`, said on standard error, where this user may not.
    pub fn mount(at: &Path, mb: u64) -> Result<Option<Self>> {
        let image = at.with_extension("img");
        fs::create_dir_all(at)?;
        File::create(&image)?.set_len(mb * 1_000_000)?;
        let size = format!("size={}", mb * 1_000_000);
        let mounted = (run(Command::new("/usr/sbin/mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image))
            && run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(at)))
            || run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "rabta-test"]).arg(at));
        if !mounted {
            left_out("this user may not mount a file system");
            return Ok(None);
        }
        Ok(Some(Self { at: at.to_owned(), image }))
    }

    /// Leaves no room at all.
    pub fn fill(&self) -> Result<()> {
        let mut filler = File::create(self.filler())?;
        let mut size = 1 << 20;
        while size > 0 {
            match filler.write_all(&vec![0x5a; size]).and_then(|()| filler.sync_data()) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => size /= 2,
                Err(error) => return Err(error).context("filling the disk"),
            }
        }
        Ok(())
    }

    /// Frees what [`Self::fill`] took.
    pub fn make_room(&self) -> Result<()> {
        fs::remove_file(self.filler()).context("making room")
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(&self.at);
        let _ = fs::remove_file(&self.image);
    }
}

/// Unmounts what a run that was killed left mounted below `folder`.
pub(crate) fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    for at in mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(Path::new) {
        if at.starts_with(folder) {
            unmount(at);
        }
    }
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|out| out.status.success())
}

/// At once, although somebody may still have a file open there.
fn unmount(at: &Path) {
    run(Command::new("umount").arg("-l").arg(at));
}
