//! Fetching a package over a thin line: from where it stopped, never during a call, and only whole and right under its name.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rabta_ipc::{Error, update::UpdateState};
use rabta_sync::{HieClient, HieError, backoff};
use rabta_wire::update::Package;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::Shared;

/// After so many bytes they are put on the disk for certain, and the window is told.
pub(super) const STEP: u64 = 1024 * 1024;
/// How often a running call is looked at.
const CALL: Duration = Duration::from_millis(500);

/// Why fetching ended before the end.
enum Stopped {
    /// The line broke: it is tried again.
    Line(HieError),
    /// A call began.
    Call,
    Disk(io::Error),
    /// The HIE has it no more, or says no.
    Refused(HieError),
}

/// Fetches until it is there, somebody pauses it (who also says what the state is then), or it makes no sense to go on.
pub(super) async fn run(
    shared: Arc<Shared>,
    client: HieClient,
    package: Package,
    in_call: impl Fn() -> bool + Send + Sync + 'static,
    stop: CancellationToken,
) {
    let mut failures = 0;
    loop {
        while in_call() {
            shared.set(UpdateState::Waits, "");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(CALL) => {}
            }
        }
        if stop.is_cancelled() {
            return;
        }
        shared.set(UpdateState::Fetching, "");
        let before = shared.done();
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = rest(&shared, &client, &package, &in_call) => ended,
        };
        match ended {
            Ok(()) => return finish(&shared, package).await,
            Err(Stopped::Call) => {}
            Err(Stopped::Line(error)) => {
                failures = if shared.done() > before { 1 } else { failures + 1 };
                tracing::debug!(%error, failures, "fetching an update goes on later");
                shared.set(UpdateState::Fetching, "hie-unreachable");
                let wait = Duration::from_millis(backoff::delay(failures, package.size));
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(wait) => {}
                }
            }
            Err(Stopped::Disk(error)) => {
                return shared.set(UpdateState::Offered, &crate::gate::disk(error).code);
            }
            Err(Stopped::Refused(error)) => {
                return shared.set(UpdateState::Offered, &crate::gate::hie(error).code);
            }
        }
    }
}

/// One answer of the HIE, written behind what is there.
async fn rest(
    shared: &Shared,
    client: &HieClient,
    package: &Package,
    in_call: &impl Fn() -> bool,
) -> Result<(), Stopped> {
    let line = |e: HieError| if e.is_passing() { Stopped::Line(e) } else { Stopped::Refused(e) };
    let path = shared.part(package);
    fs::create_dir_all(&shared.folder).map_err(Stopped::Disk)?;
    let mut file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(Stopped::Disk)?;
    let length = file.metadata().map_err(Stopped::Disk)?.len();
    let mut at = if length == package.size { length } else { certain(length.min(package.size)) };
    if at == package.size {
        return Ok(());
    }
    let mut rest = client.package(&package.file, at).await.map_err(line)?;
    // The server may send all of it instead.
    at = rest.from;
    file.set_len(at).map_err(Stopped::Disk)?;
    file.seek(SeekFrom::Start(at)).map_err(Stopped::Disk)?;
    shared.progress(at);
    while let Some(piece) = rest.next().await.map_err(line)? {
        let piece = piece.as_ref();
        let next = at + piece.len() as u64;
        if next > package.size {
            return Err(Stopped::Refused(HieError::Malformed("more than the package's size")));
        }
        file.write_all(piece).map_err(Stopped::Disk)?;
        if next / STEP > at / STEP {
            file.sync_data().map_err(Stopped::Disk)?;
            shared.progress(next);
        }
        at = next;
        if in_call() {
            shared.progress(at);
            return Err(Stopped::Call);
        }
    }
    if at < package.size {
        shared.progress(at);
        return Err(Stopped::Line(HieError::Malformed("the answer ended early")));
    }
    file.sync_all().map_err(Stopped::Disk)
}

/// How much of a file of `length` bytes is certainly what was written, whenever the power went: every [`STEP`] is synced when it is full, and a
/// file may be longer than what of it reached the disk.
fn certain(length: u64) -> u64 {
    (length / STEP).saturating_sub(1) * STEP
}

/// The package's hash decides. What is not it goes, so that the next try starts clean.
async fn finish(shared: &Shared, package: Package) {
    let (part, whole) = (shared.part(&package), shared.whole(&package));
    let named = tokio::task::spawn_blocking(move || {
        if is(&part, &package)? {
            fs::rename(&part, &whole)?;
            return Ok(true);
        }
        fs::remove_file(&part)?;
        Ok::<_, io::Error>(false)
    });
    match named.await {
        Ok(Ok(true)) => shared.set(UpdateState::Ready, ""),
        Ok(Ok(false)) => {
            tracing::warn!("a fetched update is not what was signed; it is deleted");
            shared.progress(0);
            shared.set(UpdateState::Offered, "update-damaged");
        }
        Ok(Err(error)) => shared.set(UpdateState::Offered, &crate::gate::disk(error).code),
        Err(_) => shared.set(UpdateState::Offered, "unexpected"),
    }
}

/// Whether a file is the package that was signed.
pub(super) fn is(file: &Path, package: &Package) -> io::Result<bool> {
    let mut file = File::open(file)?;
    if file.metadata()?.len() != package.size {
        return Ok(false);
    }
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => hash.update(&piece[..count]),
        }
    }
    Ok(hex::encode(hash.finalize()) == package.sha256)
}

/// Puts `file` in the place of the program `own`: beside it first, then over it in one step, so that a power cut leaves the old or the new one.
/// What ran so far stays beside it as `NAME.previous`.
pub(super) fn replace(own: &Path, file: &Path, package: &Package) -> Result<(), Error> {
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Error::new("update-not-writable")
        }
        _ => crate::gate::disk(error),
    };
    let beside = |ending: &str| {
        let mut name = own.as_os_str().to_owned();
        name.push(ending);
        std::path::PathBuf::from(name)
    };
    let (fresh, previous) = (beside(".new"), beside(".previous"));
    let copied = (|| {
        let permissions = fs::metadata(own)?.permissions();
        fs::copy(file, &fresh)?;
        fs::set_permissions(&fresh, permissions)?;
        File::open(&fresh)?.sync_all()
    })();
    copied.map_err(refused)?;
    // Read back from where it will be started from.
    if !is(&fresh, package).map_err(refused)? {
        let _ = fs::remove_file(&fresh);
        return Err(Error::new("update-damaged"));
    }
    let _ = fs::remove_file(&previous);
    if let Err(error) = fs::hard_link(own, &previous) {
        tracing::debug!(%error, "the version before is not kept");
    }
    fs::rename(&fresh, own).map_err(refused)?;
    // The rename itself, where the system can be asked for that.
    if let Some(folder) = own.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_power_cut_may_have_left_undone_is_fetched_again() {
        assert_eq!(certain(0), 0);
        assert_eq!(certain(STEP), 0, "the first step may be written and not yet synced");
        assert_eq!(certain(2 * STEP), STEP);
        assert_eq!(certain(5 * STEP + 9), 4 * STEP);
    }

    #[test]
    fn a_program_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, file) = (folder.path().join("Rabta.AppImage"), folder.path().join("fetched"));
        fs::write(&own, b"old").expect("it is writable");
        fs::write(&file, b"new").expect("it is writable");
        let mut package = Package {
            kind: "appimage".into(),
            arch: "x86_64".into(),
            file: "fetched".into(),
            size: 3,
            sha256: hex::encode(Sha256::digest(b"other")),
        };
        assert_eq!(replace(&own, &file, &package).map_err(|e| e.code), Err("update-damaged".into()));
        assert_eq!(fs::read(&own).expect("it is there"), b"old");
        package.sha256 = hex::encode(Sha256::digest(b"new"));
        replace(&own, &file, &package).expect("it is what was signed");
        assert_eq!(fs::read(&own).expect("it is there"), b"new");
        assert_eq!(fs::read(folder.path().join("Rabta.AppImage.previous")).expect("it is there"), b"old");
        assert!(!folder.path().join("Rabta.AppImage.new").exists());
    }
}
