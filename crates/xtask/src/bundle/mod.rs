//! `cargo xtask bundle`: what is handed to a clinic or an operator, made of the programs that were built. Each package lands in the cache's `packages/`,
//! a folder for release builds and one for debug builds.
//!
//! The .deb and the .rpm of the app are made by Tauri's own bundler, the AppImage from the .deb, the HIE's .deb by `dpkg-deb`. docs/PACKAGING.md says
//! what each is, what it needs on the other side, and which were tried.

mod app;
mod appimage;
mod hie;
mod roots;
mod updates;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

pub use updates::publish;

use crate::{
    build,
    places::Places,
    setup, shell,
    step::{nothing_to_do, reason, step},
    system::{self, System},
    ui,
};

/// What [`check`] adds to the environment of the tests: the packages, and the systems to install them in.
pub type Tried = Vec<(&'static str, String)>;

/// Makes all packages of the debug build, and the systems that the tests install them in.
pub fn for_tests(places: &Places) -> Result<Tried> {
    roots::possible()?;
    let made = make(places, &[Kind::Deb, Kind::AppImage, Kind::Hie], false)?;
    let [deb, appimage, hie] = &made[..] else { bail!("three packages were asked for") };
    let roots = roots::prepare(places, deb)?;
    Ok(vec![
        ("RABTA_DEB", deb.display().to_string()),
        ("RABTA_APPIMAGE", appimage.display().to_string()),
        ("RABTA_HIE_DEB", hie.display().to_string()),
        ("RABTA_ROOT_BASE", roots.base),
        ("RABTA_ROOT_DEB", roots.deb),
        ("RABTA_ROOT_DESKTOP", roots.desktop),
    ])
}

/// The same where the systems are there already: making them takes minutes and the network, so a run of all tests does not begin with it.
/// Nothing where they are not; the tests say then that they are left out.
pub fn for_tests_if_there(places: &Places) -> Tried {
    const LEFT_OUT: &str = "packages are not installed anywhere";
    if roots::possible().is_err() || !roots::there(places) {
        nothing_to_do(LEFT_OUT, "`cargo xtask bundle --check`, as root, makes systems to install them in");
        return Vec::new();
    }
    for_tests(places).unwrap_or_else(|error| {
        nothing_to_do(LEFT_OUT, &reason(&error));
        Vec::new()
    })
}

/// Builds, packs, installs in fresh systems and starts what was installed.
pub fn check(places: &Places) -> Result<()> {
    build::everything(places, false)?;
    let tried = for_tests(places)?;
    step("install and start the packages", "read the failed test's message above", || {
        let mut cargo = build::cargo(places, "test");
        cargo.args(["--test", "programs", "--", "packages::"]).envs(tried);
        shell::run_as_is(&mut cargo)
    })
}

/// What can be made on Debian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Deb,
    Rpm,
    AppImage,
    Hie,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Deb, Self::Rpm, Self::AppImage, Self::Hie];

    pub fn named(name: &str) -> Option<Self> {
        match name {
            "deb" => Some(Self::Deb),
            "rpm" => Some(Self::Rpm),
            "appimage" => Some(Self::AppImage),
            "hie" => Some(Self::Hie),
            _ => None,
        }
    }
}

/// Debian's packages that packing takes, beyond those of a build.
const PACKAGES: &[&str] = &["dpkg-dev", "binutils", "squashfs-tools", "patchelf", "desktop-file-utils"];

/// Builds the programs, then the packages named (all of them where none is).
pub fn run(places: &Places, names: &[&str], release: bool) -> Result<()> {
    let mut kinds = Vec::new();
    for name in names {
        let Some(kind) = Kind::named(name) else {
            bail!("there is no package `{name}`: deb, rpm, appimage, hie")
        };
        kinds.push(kind);
    }
    if kinds.is_empty() {
        kinds.extend(Kind::ALL);
    }
    setup::run(places, false)?;
    ui::build(places)?;
    build::host(places, release)?;
    for file in make(places, &kinds, release)? {
        println!("{}", file.display());
    }
    Ok(())
}

/// Makes the packages from the programs as they were built; where each lies.
pub fn make(places: &Places, kinds: &[Kind], release: bool) -> Result<Vec<PathBuf>> {
    if system::detect() != System::Debian {
        bail!("packages for Linux are made on Debian; docs/PACKAGING.md has the commands of other systems");
    }
    tools()?;
    let stage = Stage::of(places, release)?;
    let (mut made, mut deb) = (Vec::new(), None);
    for kind in kinds {
        if deb.is_none() && matches!(kind, Kind::Deb | Kind::AppImage) {
            deb = Some(app::deb(places, &stage)?);
        }
        made.push(match (kind, &deb) {
            (Kind::AppImage, Some(deb)) => appimage::make(places, &stage, deb)?,
            (Kind::Deb | Kind::AppImage, deb) => deb.clone().context("the .deb was made")?,
            (Kind::Rpm, _) => app::rpm(places, &stage)?,
            (Kind::Hie, _) => hie::deb(places, &stage)?,
        });
    }
    Ok(made)
}

fn tools() -> Result<()> {
    let missing = system::missing(PACKAGES);
    if missing.is_empty() {
        nothing_to_do("packing tools", "all there");
        return Ok(());
    }
    step("install the packing tools", "run the line above by hand and read what apt says", || {
        system::install(&missing)
    })
}

/// Where packages are put together: the stripped programs, and what comes out.
pub struct Stage {
    /// Looks like cargo's target folder, for Tauri's bundler.
    pub folder: PathBuf,
    /// `debug` or `release`.
    pub profile: &'static str,
    /// Finished packages.
    pub out: PathBuf,
}

impl Stage {
    pub fn of(places: &Places, release: bool) -> Result<Self> {
        let profile = if release { "release" } else { "debug" };
        let stage = Self {
            folder: places.cache.join("bundle"),
            profile,
            out: places.cache.join("packages").join(profile),
        };
        fs::create_dir_all(stage.folder.join(profile)).context("making the folder for packing")?;
        fs::create_dir_all(&stage.out).context("making the folder of packages")?;
        for program in ["rabta", "rabta-hie"] {
            stage.strip(&build::program(places, release, program), program)?;
        }
        Ok(stage)
    }

    /// A program without its symbols; made again only where the build made a new one.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(self.profile).join(name)
    }

    fn strip(&self, built: &Path, name: &str) -> Result<()> {
        let stripped = self.program(name);
        let of = |file: &Path| fs::metadata(file).and_then(|m| m.modified());
        let built_at = of(built).with_context(|| format!("{} is not built", built.display()))?;
        if of(&stripped).is_ok_and(|at| at > built_at) {
            return Ok(());
        }
        let mut strip = Command::new("strip");
        strip.args(["--strip-unneeded", "-o"]).arg(&stripped).arg(built);
        shell::run(&mut strip)
    }

    /// A fresh, empty folder to work in.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// What the program's libraries are called as Debian packages, with versions, such as `libc6 (>= 2.36)`: `dpkg-shlibdeps`.
fn depends(stage: &Stage, program: &Path) -> Result<Vec<String>> {
    let work = stage.scratch("shlibdeps")?;
    fs::create_dir_all(work.join("debian"))?;
    fs::write(work.join("debian/control"), "Source: rabta\n\nPackage: rabta\nArchitecture: any\n")?;
    let mut command = Command::new("dpkg-shlibdeps");
    command.arg("-O").arg("-e").arg(program).current_dir(&work);
    let said = shell::output(&mut command)
        .with_context(|| format!("dpkg-shlibdeps does not know the libraries of {}", program.display()))?;
    listed(&said).context("dpkg-shlibdeps named no library")
}

/// The packages of `shlibs:Depends=a, b (>= 1)`.
fn listed(said: &str) -> Option<Vec<String>> {
    let list = said.lines().find_map(|line| line.strip_prefix("shlibs:Depends="))?;
    Some(list.split(',').map(|one| one.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_depends_on_is_read_as_dpkg_writes_it() {
        let said = "dpkg-shlibdeps: warning: one\nshlibs:Depends=libc6 (>= 2.36), libgtk-3-0 (>= 3.21.5)\n";
        assert_eq!(listed(said), Some(vec!["libc6 (>= 2.36)".into(), "libgtk-3-0 (>= 3.21.5)".into()]));
        assert_eq!(listed("nothing"), None);
    }

    #[test]
    fn packages_are_known_by_their_names() {
        assert_eq!(Kind::named("appimage"), Some(Kind::AppImage));
        assert_eq!(Kind::named("dmg"), None);
    }
}
