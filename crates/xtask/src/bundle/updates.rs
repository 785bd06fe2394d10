//! `cargo xtask publish`: a folder that `rabta-hie serve --updates` hands to laptops: the packages, a list of them and its minisign signature
//! (`rabta_wire::update` has the format).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Stage;
use crate::{places::Places, shell};

const KINDS: &[(&str, &str)] = &[("AppImage", "appimage"), ("deb", "deb"), ("rpm", "rpm")];

/// Puts the packages that were made into `folder`, with their list signed by the secret key in `key`. minisign asks for the key's passphrase at the
/// terminal, unless the key has none.
pub fn publish(
    places: &Places,
    folder: &Path,
    key: &Path,
    notes: &[(String, String)],
    release: bool,
) -> Result<()> {
    ensure!(
        key.exists(),
        "there is no key {}; `minisign -G -p rabta.pub -s rabta.key` makes one",
        key.display()
    );
    let out = Stage::of(places, release)?.out;
    fs::create_dir_all(folder)?;
    let version = places.locked("rabta")?;
    let mut packages = Vec::new();
    for file in packages_in(&out, &version)? {
        let name = file.file_name().context("a package has a name")?.to_string_lossy().into_owned();
        fs::copy(&file, folder.join(&name)).with_context(|| format!("copying {name}"))?;
        packages.push(entry(&folder.join(&name), &name)?);
    }
    if packages.is_empty() {
        bail!("{} has no package of version {version}; run `cargo xtask bundle` first", out.display());
    }
    let notes: Value = notes
        .iter()
        .map(|(lang, text)| (lang.clone(), json!(text)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let list = json!({ "version": version, "notes": notes, "packages": packages });
    let file = folder.join("release.json");
    fs::write(&file, serde_json::to_vec_pretty(&list)?)?;
    let mut minisign = Command::new("minisign");
    minisign.arg("-S").arg("-s").arg(key).arg("-x").arg(folder.join("release.json.minisig"));
    minisign.args(["-t", &format!("Rabta {version}"), "-m"]).arg(&file);
    let status = minisign.status().context("starting minisign")?;
    ensure!(status.success(), "minisign ended with {status}; nothing is signed");
    println!("{}", file.display());
    Ok(())
}

/// The app's packages of this version; the HIE's is for its operator.
fn packages_in(out: &Path, version: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(out).with_context(|| format!("listing {}", out.display()))?;
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("Rabta") && name.contains(version) && kind(&name).is_some()
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(ours).collect();
    found.sort();
    Ok(found)
}

fn kind(name: &str) -> Option<&'static str> {
    KINDS.iter().find(|(ending, _)| name.ends_with(&format!(".{ending}"))).map(|(_, kind)| *kind)
}

fn entry(file: &Path, name: &str) -> Result<Value> {
    let said = shell::output(Command::new("sha256sum").arg(file)).context("sha256sum does not run")?;
    let sum = said.split_whitespace().next().context("sha256sum says a sum")?;
    let kind = kind(name).context("a package is of a known kind")?;
    Ok(json!({
        "kind": kind, "arch": std::env::consts::ARCH, "file": name, "size": fs::metadata(file)?.len(), "sha256": sum,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packages_kind_is_told_by_its_name_and_the_hies_is_left_out() {
        let folder = std::env::temp_dir().join(format!("rabta-publish-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("it is writable");
        for name in [
            "Rabta_1.0.0_x86_64.AppImage",
            "Rabta_1.0.0_amd64.deb",
            "rabta-hie_1.0.0_amd64.deb",
            "Rabta_0.9.0_amd64.deb",
        ] {
            fs::write(folder.join(name), name).expect("it is writable");
        }
        let found = packages_in(&folder, "1.0.0").expect("it can be listed");
        let entries: Vec<Value> = found
            .iter()
            .map(|f| entry(f, &f.file_name().expect("a name").to_string_lossy()).expect("it is a package"))
            .collect();
        fs::remove_dir_all(&folder).expect("it is ours");
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0]["kind"], "deb");
        assert_eq!(entries[1]["kind"], "appimage");
        assert_eq!(entries[1]["size"], 27);
        assert_eq!(entries[1]["sha256"].as_str().map(str::len), Some(64));
    }
}
