//! A new version of the program, as the HIE offers it to laptops: a folder of packages with a signed list of them.
//!
//! `GET /v1/updates/release.json` is a [`Release`], `release.json.minisig` its minisign signature
//! (<https://jedisct1.github.io/minisign/>, prehashed), and `/v1/updates/{file}` a package, by range (RFC 9110, section 14). What is signed names
//! version, size and hash together, so nobody can pass an old package off as a new one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where the folder is at the HIE, `/{file}` behind it.
pub const PATH: &str = "/v1/updates";
/// The list.
pub const RELEASE: &str = "release.json";
/// Its signature.
pub const SIGNATURE: &str = "release.json.minisig";
/// The list's size at most, bytes; the signature's as well.
pub const MOST: usize = 64_000;

/// What there is. Unknown fields are skipped: the format only grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Semantic version 2.0.0, such as `0.2.0`.
    pub version: String,
    /// What is new, in a sentence or two, by language (`en`, `ur`).
    #[serde(default)]
    pub notes: BTreeMap<String, String>,
    pub packages: Vec<Package>,
}

/// One file for one kind of machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// `appimage`, `deb`, `rpm`; others are for programs to come.
    pub kind: String,
    /// `x86_64`, `aarch64`.
    pub arch: String,
    /// Its name in the folder; see [`is_name`].
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Of the whole file, lower-case hex.
    pub sha256: String,
}

impl Release {
    /// The package for a machine, if there is one whose name may be asked for.
    pub fn package(&self, kind: &str, arch: &str) -> Option<&Package> {
        self.packages.iter().find(|p| p.kind == kind && p.arch == arch && is_name(&p.file))
    }
}

/// Whether this may be the name of a file of the folder: letters, digits and `. _ - + ~`, no dot first, at most 120 bytes.
pub fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-+~".contains(&b);
    !name.is_empty() && name.len() <= 120 && !name.starts_with('.') && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        assert!(is_name("Rabta_0.2.0_x86_64.AppImage") && is_name(SIGNATURE));
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a b", "a\0", "ر", &"x".repeat(121)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_later_list_with_more_in_it_is_read() {
        let text = r#"{"version":"1.2.3","channel":"new","packages":[{"kind":"deb","arch":"x86_64","file":"r.deb","size":7,
            "sha256":"00","os":"13"},{"kind":"appimage","arch":"x86_64","file":"../r","size":7,"sha256":"00"}]}"#;
        let release: Release = serde_json::from_str(text).expect("it is a list");
        assert_eq!(release.package("deb", "x86_64").map(|p| p.size), Some(7));
        assert_eq!(release.package("appimage", "x86_64"), None, "that name is not asked for");
        assert_eq!(release.package("deb", "aarch64"), None);
    }
}
