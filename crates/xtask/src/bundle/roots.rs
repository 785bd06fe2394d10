//! Debian systems to install packages in, made once by debootstrap and kept in the cache as layers: a minimal Debian 12, what the app's
//! .deb asks for, and what an AppImage may expect of a desktop. Tests lay their changes over them (`packaging/in-root.sh`).

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{places::Places, shell, step::step, system};

const RELEASE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";
const SOURCES: &str = "\
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
";

/// Debian's names of what AppImage's excludelist leaves to the system, and a font.
const DESKTOP: &[&str] = &[
    "libasound2",
    "libegl1",
    "libexpat1",
    "libfontconfig1",
    "libfreetype6",
    "libfribidi0",
    "libgbm1",
    "libgl1",
    "libgl1-mesa-dri",
    "libglapi-mesa",
    "libglx-mesa0",
    "libegl-mesa0",
    "libopengl0",
    "libgmp10",
    "libharfbuzz0b",
    "libice6",
    "libjack-jackd2-0",
    "libp11-kit0",
    "libpipewire-0.3-0",
    "libsm6",
    "libstdc++6",
    "libthai0",
    "libusb-1.0-0",
    "libwayland-client0",
    "libx11-6",
    "libx11-xcb1",
    "libxcb-dri2-0",
    "libxcb-dri3-0",
    "libxcb1",
    "fonts-dejavu-core",
    "xdg-utils",
];

/// Layers for `in-root.sh`, each list the uppermost first.
pub struct Roots {
    /// Debian 12 and nothing else.
    pub base: String,
    /// With what the app's .deb depends on, and not the app.
    pub deb: String,
    /// With what an AppImage may expect.
    pub desktop: String,
}

/// Whether such systems can be made here; why not.
pub fn possible() -> Result<()> {
    if !system::is_root() {
        bail!("only root can make and enter another system");
    }
    if !cfg!(target_arch = "x86_64") {
        bail!("the packages are for x86-64");
    }
    Ok(())
}

/// Whether they were made here before.
pub fn there(places: &Places) -> bool {
    places.cache.join("roots").join(RELEASE).exists()
}

/// Makes what is missing. `deb` is the app's package, whose dependencies apt resolves.
pub fn prepare(places: &Places, deb: &Path) -> Result<Roots> {
    possible()?;
    let missing = system::missing(&["debootstrap"]);
    if !missing.is_empty() {
        step("install debootstrap", "read what apt says above", || system::install(&missing))?;
    }
    let folder = places.cache.join("roots");
    fs::create_dir_all(&folder)?;
    let base = folder.join(RELEASE);
    if !base.exists() {
        step("make a minimal Debian 12 (about 2 minutes)", NETWORK, || {
            let fresh = emptied(&folder.join("new-base"))?;
            let mut debootstrap = Command::new("debootstrap");
            debootstrap.args(["--variant=minbase", "--include=ca-certificates", RELEASE]);
            shell::run(debootstrap.arg(&fresh).arg(MIRROR))?;
            fs::write(fresh.join("etc/apt/sources.list"), SOURCES)?;
            Ok(fs::rename(fresh, &base)?)
        })?;
    }
    let needs = shell::output(Command::new("dpkg-deb").arg("-f").arg(deb).arg("Depends"))
        .with_context(|| format!("{} is no package", deb.display()))?;
    let with_deb = layer(places, &base, "deb", &needs, || {
        format!("apt-get -q install -y --no-install-recommends '{}' && dpkg --purge rabta", deb.display())
    })?;
    let desktop = layer(places, &base, "desktop", &DESKTOP.join(" "), || {
        format!("apt-get -q install -y --no-install-recommends {}", DESKTOP.join(" "))
    })?;
    let over = |layer: PathBuf| format!("{}:{}", layer.display(), base.display());
    Ok(Roots { base: base.display().to_string(), deb: over(with_deb), desktop: over(desktop) })
}

const NETWORK: &str = "check the network, then start this again";

/// What `script` changes in the minimal Debian; made again where `key` is another one.
fn layer(
    places: &Places,
    base: &Path,
    name: &str,
    key: &str,
    script: impl Fn() -> String,
) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let folder = places.cache.join("roots");
    let kept = folder.join(format!("{name}-{:016x}", hasher.finish()));
    if kept.exists() {
        return Ok(kept);
    }
    for old in fs::read_dir(&folder)?.flatten() {
        if old.file_name().to_string_lossy().starts_with(&format!("{name}-")) {
            fs::remove_dir_all(old.path())?;
        }
    }
    step(&format!("install what {name} asks for in it"), NETWORK, || {
        let changes = emptied(&folder.join(format!("new-{name}")))?;
        let all = format!(
            "export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8; apt-get -q update && {} && apt-get clean",
            script()
        );
        let mut enter = Command::new(places.root.join("packaging/in-root.sh"));
        enter.arg(base).arg(&changes).arg(&places.cache).args(["sh", "-c", &all]);
        shell::run(&mut enter)?;
        fs::rename(changes.join("upper"), &kept)?;
        Ok(fs::remove_dir_all(changes)?)
    })?;
    Ok(kept)
}

fn emptied(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}
