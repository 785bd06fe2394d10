//! Backups of the database and the way back.
//!
//! A backup folder holds pieces of the database file, named after their SHA-256, and a manifest for each backup that
//! lists them:
//!
//! ```text
//! FOLDER/pieces/3f/3f09…   256 KiB of the encrypted file (the last one less)
//! FOLDER/20261122T031500Z-1234.json
//! ```
//! SQLCipher has encrypted and authenticated every page already, so pieces are stored as they are: a backup opens
//! nothing without the key file, which is not in it. A page that nobody wrote keeps its bytes, so the next backup adds
//! only the pieces that changed. A manifest appears last and at once; a backup that was cut leaves pieces that the next
//! one uses. The HIE signs manifests; a restore believes no other.
//!
//! A restored server is a new epoch: clients see it in every answer and offer again what they have, so what came after
//! the backup is had back from the laptops.

mod list;
mod make;
mod manifest;
mod restore;

pub use list::{Kept, kept};
pub use make::{BackupError, Made, last, make};
pub use manifest::Manifest;
pub use restore::{RestoreError, Restored, damage, restore};

/// Bytes of a piece: 64 pages.
const PIECE: usize = 256 * 1024;

fn piece_path(folder: &std::path::Path, sha256: &str) -> std::path::PathBuf {
    folder.join("pieces").join(&sha256[..2]).join(sha256)
}
