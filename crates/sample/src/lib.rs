//! The sample clinic of a country package: about a thousand synthetic patients, one FHIR transaction Bundle each.
//!
//! This crate reads the file and, in its tests, proves that it and the country package's tables say what the rest of
//! the workspace expects of them. It never makes the file (`packages/pk/sample/make` does), and it never ships in a
//! program that a clinic runs; but for twenty of its patients, in the training vault (`training.ndjson.zst`).
//!
//! ```
//! let clinic = rabta_sample::Clinic::read(&rabta_sample::package("pk").join("sample/clinic.ndjson.zst"))?;
//! assert!(clinic.bundles().next().is_some_and(|b| b.starts_with('{')));
//! # Ok::<(), rabta_sample::SampleError>(())
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The MR numbers of Pakistan's sample stand under this prefix ...
pub const MR_PREFIX: &str = "3740";
/// ... and in this range, both ends included, which an HIE with the sample keeps out of its clinics' blocks.
pub const MR_RANGE: (u32, u32) = (1, 1999);

/// Why the sample clinic cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    #[error("{path} cannot be read as zstd")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the sample clinic is not UTF-8")]
    NotText(#[from] std::string::FromUtf8Error),
}

/// A country package's folder in the checkout, by its country code.
pub fn package(country: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages").join(country)
}

/// The sample clinic's Bundles, ready to be posted.
pub struct Clinic {
    text: String,
}

impl Clinic {
    /// Reads `clinic.ndjson.zst`: 25 MB of text.
    pub fn read(path: &Path) -> Result<Self, SampleError> {
        let unreadable = |source| SampleError::Unreadable { path: path.to_owned(), source };
        let plain = fs::File::open(path).and_then(zstd::decode_all).map_err(unreadable)?;
        Ok(Self { text: String::from_utf8(plain)? })
    }

    /// One transaction Bundle a patient, as JSON text. Entries are `PUT Type/uuid`, the Patient first; every
    /// reference resolves inside its Bundle, so they can be posted in any order.
    pub fn bundles(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }
}
