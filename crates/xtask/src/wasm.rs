//! How the user interface gets compiled for WebAssembly: by the toolchain in use where it has the target or rustup
//! can fetch it, by Debian's compiler and the standard library's sources where not.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{places::Places, shell, system};

pub const TARGET: &str = "wasm32-unknown-unknown";
/// Debian 12's way: a compiler, its sources to build the standard library from; the linker is [`lld_package`].
const DEBIAN: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

pub enum Way {
    /// The toolchain in use has the target.
    Toolchain,
    /// Debian's cargo in /usr/bin builds the standard library itself, linking with this program.
    Debian { linker: PathBuf },
}

/// What is there already.
pub fn way() -> Option<Way> {
    if toolchain_has_target() {
        return Some(Way::Toolchain);
    }
    let complete = Path::new("/usr/bin/cargo").exists()
        && Path::new("/usr/bin/rustc").exists()
        && Path::new("/usr/lib/rustlib/src/rust/library").exists();
    complete.then(debian_linker).flatten().map(|linker| Way::Debian { linker })
}

/// Gets the target, whichever way works here.
pub fn install() -> Result<()> {
    if shell::which("rustup").is_some() {
        let mut add = Command::new("timeout");
        add.args(["--kill-after=5", "180", "rustup", "target", "add", TARGET]);
        if shell::run(&mut add).is_ok() && toolchain_has_target() {
            return Ok(());
        }
        eprintln!("    rustup cannot fetch the target here; Debian's packages can build it");
    }
    if system::detect() != system::System::Debian {
        bail!(
            "this toolchain has no {TARGET}, rustup could not add it, and only Debian has packages that can build it"
        );
    }
    let lld = lld_package()?;
    let mut packages = DEBIAN.to_vec();
    packages.push(&lld);
    let missing = system::missing(&packages);
    if !missing.is_empty() {
        system::install(&missing)?;
    }
    match way() {
        Some(_) => Ok(()),
        None => bail!(
            "Debian's packages are installed, but /usr/bin/cargo, the sources or wasm-ld are not where they should be"
        ),
    }
}

/// A cargo command for the WebAssembly build.
pub fn cargo(places: &Places, way: &Way) -> Command {
    let mut command = match way {
        Way::Toolchain => Command::new(env_or("CARGO", "cargo")),
        Way::Debian { linker } => {
            let mut command = Command::new("/usr/bin/cargo");
            let path = std::env::var("PATH").unwrap_or_default();
            command
                .env("PATH", format!("/usr/bin:{path}"))
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            for set_by_rustup in
                ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "RUST_RECURSION_COUNT", "LD_LIBRARY_PATH"]
            {
                command.env_remove(set_by_rustup);
            }
            command
        }
    };
    command.current_dir(&places.root).env("CARGO_TARGET_DIR", &places.wasm).env("CARGO_TERM_COLOR", "never");
    command
}

pub fn env_or(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn toolchain_has_target() -> bool {
    let sysroot = shell::output(Command::new(env_or("RUSTC", "rustc")).args(["--print", "sysroot"]));
    sysroot.is_some_and(|root| {
        let lib = Path::new(&root).join("lib/rustlib").join(TARGET).join("lib");
        std::fs::read_dir(lib).is_ok_and(|mut files| files.next().is_some())
    })
}

fn debian_linker() -> Option<PathBuf> {
    let found = std::fs::read_dir("/usr/bin").ok()?.flatten().filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.strip_prefix("wasm-ld-")?.parse().ok()?;
        Some((number, entry.path()))
    });
    found.max().map(|(_, path)| path)
}

/// The newest LLVM linker that Debian has; rustc-web needs a recent one.
fn lld_package() -> Result<String> {
    let names = shell::output(Command::new("apt-cache").args(["--names-only", "search", "^lld-[0-9]+$"]))
        .context("apt-cache does not run")?;
    let newest = names
        .lines()
        .filter_map(|l| l.split_whitespace().next()?.strip_prefix("lld-")?.parse::<u32>().ok())
        .max();
    Ok(format!("lld-{}", newest.unwrap_or(22)))
}
