//! What is offered: the signed list, checked, and the one package in it that fits this program.

use std::{env::consts::ARCH, fs, path::Path};

use minisign_verify::{PublicKey, Signature};
use rabta_ipc::{Error, update::UpdateWay};
use rabta_wire::update::{Package, RELEASE, Release, SIGNATURE};
use semver::Version;

use super::Updates;

/// A list that holds: signed with the key of this build, newer than what runs, with a package for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    pub version: Version,
    pub release: Release,
    pub package: Package,
}

/// The signature first: nothing of the list is looked at before. `None` where it offers what runs.
pub(super) fn check(updates: &Updates, list: &[u8], signature: &[u8]) -> Result<Option<Offer>, Error> {
    let wrong = |why: &str| Error::detail("update-signature", why);
    let key = updates.key.as_deref().ok_or_else(|| Error::new("update-none"))?;
    let key = PublicKey::from_base64(key).map_err(|_| wrong("this build's key is none"))?;
    let text = std::str::from_utf8(signature).map_err(|_| wrong("no signature"))?;
    let signature = Signature::decode(text).map_err(|_| wrong("no signature"))?;
    key.verify(list, &signature, false).map_err(|_| wrong("another key signed it, or it was changed"))?;
    let release: Release = serde_json::from_slice(list).map_err(|_| wrong("the list cannot be read"))?;
    let version = Version::parse(&release.version).map_err(|_| wrong("the list names no version"))?;
    match version.cmp_precedence(&updates.current) {
        std::cmp::Ordering::Less => {
            return Err(Error::detail("update-older", format!("{version} < {}", updates.current)));
        }
        std::cmp::Ordering::Equal => return Ok(None),
        std::cmp::Ordering::Greater => {}
    }
    let kind = match updates.way() {
        UpdateWay::Own => "appimage",
        UpdateWay::Package => "deb",
        UpdateWay::Off => return Err(Error::new("update-none")),
    };
    let package = release.package(kind, ARCH).cloned();
    let package = package.ok_or_else(|| Error::detail("update-none", format!("{kind} {ARCH}")))?;
    Ok(Some(Offer { version, release, package }))
}

/// What an earlier run was offered, checked again: the folder is only a folder.
pub(super) fn kept(updates: &Updates, folder: &Path) -> Option<Offer> {
    let list = fs::read(folder.join(RELEASE)).ok()?;
    let signature = fs::read(folder.join(SIGNATURE)).ok()?;
    check(updates, &list, &signature).ok().flatten()
}

/// Keeps the list for the next run. The rest of an earlier version goes.
pub(super) fn keep(folder: &Path, offer: &Offer, list: &[u8], signature: &[u8]) -> std::io::Result<()> {
    forget(folder, Some(&offer.package.file))?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join(RELEASE), list)?;
    fs::write(folder.join(SIGNATURE), signature)
}

/// Deletes what was fetched, but for the package of this name.
pub(super) fn forget(folder: &Path, but: Option<&str>) -> std::io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if but.is_none_or(|but| name != but && name.strip_suffix(super::PART) != Some(but)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
