//! The HIE's .deb: the program, its units, its documents. `dpkg-deb` packs what is laid out here.
//!
//! Installing it makes the user `rabta-hie` and the folder `/var/lib/rabta-hie`, and starts nothing: the operator first writes the
//! server's public address into `/etc/default/rabta-hie`. Removing it, purging too, never deletes records.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use super::{Stage, depends};
use crate::{places::Places, shell, step::step};

const MAINTAINER: &str = "Rabta maintainers <maintainers@example.org>";

const DEFAULTS: &str = "\
# Where clinics reach this server, host:port. It goes into every enrollment code, so it should never change.
# The service does not start before it is set.
#RABTA_PUBLIC=hie.example.org:8443

# Where patients' phones come in, if they do: see section 3 of OPERATE.md.
#RABTA_PHONES=--acme-domain care.example.org --acme-contact mailto:operator@example.org

# A folder with updates for laptops, if they come from here: see section 8 of OPERATE.md.
#RABTA_UPDATES=--updates /var/lib/rabta-hie/updates
";

const POSTINST: &str = r#"#!/bin/sh
set -e
if [ "$1" = configure ]; then
    if ! getent passwd rabta-hie >/dev/null; then
        adduser --quiet --system --group --home /var/lib/rabta-hie --no-create-home rabta-hie
    fi
    install -d -m 700 -o rabta-hie -g rabta-hie /var/lib/rabta-hie
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        # Only where an operator started it before: a new version takes over.
        systemctl try-restart rabta-hie.service
    fi
    if [ -z "$2" ]; then
        echo "rabta-hie: set RABTA_PUBLIC in /etc/default/rabta-hie, then: systemctl enable --now rabta-hie"
    fi
fi
"#;

const PRERM: &str = r#"#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now rabta-hie-backup.timer rabta-hie.service
fi
"#;

const POSTRM: &str = r#"#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
if [ "$1" = purge ] && [ -d /var/lib/rabta-hie ]; then
    echo "rabta-hie: the records in /var/lib/rabta-hie are left where they are"
fi
"#;

pub fn deb(places: &Places, stage: &Stage) -> Result<PathBuf> {
    step("make the HIE's .deb", "read what dpkg-deb says above", || {
        let version = places.locked("rabta-hie")?;
        let architecture = shell::output(Command::new("dpkg").arg("--print-architecture"))
            .unwrap_or_else(|| "amd64".to_owned());
        let root = stage.scratch("hie")?;
        lay_out(places, stage, &root)?;
        let mut needs = depends(stage, &stage.program("rabta-hie"))?;
        needs.extend(["adduser".to_owned(), "ca-certificates".to_owned()]);
        let size = kilobytes(&root)?;
        let control = format!(
            "Package: rabta-hie\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: {MAINTAINER}\nInstalled-Size: {size}\n\
             Depends: {}\nSection: net\nPriority: optional\nDescription: health information exchange between clinics and specialists\n \
             One server for Rabta: FHIR R4, the encrypted store, identities, signaling and a relay for calls, in one program.\n",
            needs.join(", ")
        );
        write(&root.join("DEBIAN/control"), control.as_bytes(), 0o644)?;
        write(&root.join("DEBIAN/conffiles"), b"/etc/default/rabta-hie\n", 0o644)?;
        for (name, text) in [("postinst", POSTINST), ("prerm", PRERM), ("postrm", POSTRM)] {
            write(&root.join("DEBIAN").join(name), text.as_bytes(), 0o755)?;
        }
        open_folders(&root)?;
        let file = stage.out.join(format!("rabta-hie_{version}_{architecture}.deb"));
        let mut pack = Command::new("dpkg-deb");
        pack.args(["--root-owner-group", "-Zxz", "-z1", "--build"]).arg(&root).arg(&file);
        shell::run(&mut pack)?;
        Ok(file)
    })
}

fn lay_out(places: &Places, stage: &Stage, root: &Path) -> Result<()> {
    write(&root.join("usr/bin/rabta-hie"), &fs::read(stage.program("rabta-hie"))?, 0o755)?;
    write(&root.join("etc/default/rabta-hie"), DEFAULTS.as_bytes(), 0o644)?;
    let packaging = places.root.join("packaging");
    for unit in ["rabta-hie.service", "rabta-hie-backup.service", "rabta-hie-backup.timer"] {
        let text = packaged_unit(unit, &fs::read_to_string(packaging.join(unit))?)?;
        write(&root.join("usr/lib/systemd/system").join(unit), text.as_bytes(), 0o644)?;
    }
    let documents = root.join("usr/share/doc/rabta-hie");
    for name in ["OPERATE.md", "SECURITY.md"] {
        write(&documents.join(name), &fs::read(places.root.join("docs").join(name))?, 0o644)?;
    }
    write(&documents.join("copyright"), &fs::read(places.root.join("LICENSE"))?, 0o644)
}

/// A unit as it stands in the repository is for a program that was put into /usr/local by hand; a package's is in /usr.
fn packaged_unit(name: &str, text: &str) -> Result<String> {
    let text = text
        .replace("/usr/local/", "/usr/")
        .replace("/etc/rabta-hie.env", "/etc/default/rabta-hie")
        .replace("file:///usr/share/doc", "file:/usr/share/doc");
    ensure!(!text.contains("/usr/local"), "{name} still names /usr/local");
    if name == "rabta-hie.service" {
        ensure!(
            text.contains("EnvironmentFile=/etc/default/rabta-hie"),
            "{name} reads no /etc/default/rabta-hie"
        );
    }
    Ok(text)
}

fn write(file: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, bytes)?;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(mode))?)
}

/// dpkg takes folders' modes along; this person's umask is no part of a package.
fn open_folders(folder: &Path) -> Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            open_folders(&path)?;
        }
    }
    Ok(())
}

fn kilobytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        bytes += if path.is_dir() {
            kilobytes(&path)? * 1024
        } else {
            path.metadata()?.len().next_multiple_of(1024)
        };
    }
    Ok(bytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_of_the_repository_become_those_of_a_package() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging");
        for name in ["rabta-hie.service", "rabta-hie-backup.service", "rabta-hie-backup.timer"] {
            let text = fs::read_to_string(folder.join(name)).expect("it is in the repository");
            let packaged = packaged_unit(name, &text).expect("it can be changed");
            assert!(!packaged.contains("/usr/local"), "{name}");
            assert_eq!(packaged.lines().count(), text.lines().count(), "{name}");
        }
    }
}
