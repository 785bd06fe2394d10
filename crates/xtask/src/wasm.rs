//! How the user interface gets compiled for WebAssembly: by the toolchain in use where it has the target or rustup
//! can fetch it, by Debian's compiler and the standard library's sources where not.
//!
//! Where the sources of the standard library are there, it is built with the window, for size: a tenth of the program
//! is what panics would say. Where they are not, the library that came with the toolchain does; the window is larger.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{places::Places, shell, system};

pub const TARGET: &str = "wasm32-unknown-unknown";
/// Debian 12's way: a compiler, its sources to build the standard library from; the linker is [`lld_package`].
const DEBIAN: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

/// Leptos's own switch: one code for all elements, attributes and closures instead of one for each.
const ERASED: &str = "--cfg erase_components";
/// With a standard library of our own: a panic is a bare trap (which the console still shows), `{:?}` writes nothing.
const TERSE: &str = "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none";

pub enum Way {
    /// The toolchain in use has the target; and where the manifest is named, the standard library's sources.
    Toolchain { library: Option<PathBuf> },
    /// Debian's cargo in /usr/bin builds the standard library itself, linking with this program.
    Debian { linker: PathBuf },
}

/// What is there already.
pub fn way() -> Option<Way> {
    if toolchain_has_target() {
        return Some(Way::Toolchain { library: library() });
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

/// Where rustup can, fetches the standard library's sources; the window builds without them, too.
pub fn add_sources() {
    let mut add = Command::new("timeout");
    add.args(["--kill-after=5", "60", "rustup", "component", "add", "rust-src"]);
    if shell::run(&mut add).is_err() {
        eprintln!("    no sources of the standard library here; the window will be larger");
    }
}

/// Whether the sources would help, and could be had: asked once for each toolchain, as rustup waits long for no answer.
pub fn wants_sources(places: &Places) -> bool {
    if shell::which("rustup").is_none() || !matches!(way(), Some(Way::Toolchain { library: None })) {
        return false;
    }
    let asked = places.cache.join("rust-src.asked");
    let toolchain = sysroot().unwrap_or_default();
    if std::fs::read_to_string(&asked).is_ok_and(|before| before == toolchain) {
        return false;
    }
    shell::write_if_changed(&asked, toolchain.as_bytes()).is_ok()
}

/// A cargo command for the WebAssembly build.
pub fn cargo(places: &Places, way: &Way) -> Command {
    let mut flags = ERASED.to_owned();
    let mut command = match way {
        Way::Toolchain { library } => {
            let mut command = Command::new(env_or("CARGO", "cargo"));
            if library.as_deref().is_some_and(library_is_complete) {
                own_library(&mut command, &mut flags);
            }
            command
        }
        Way::Debian { linker } => {
            let mut command = Command::new("/usr/bin/cargo");
            let path = std::env::var("PATH").unwrap_or_default();
            own_library(&mut command, &mut flags);
            command
                .env("PATH", format!("/usr/bin:{path}"))
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
    // What the caller set is for the host's programs; it would go before ours.
    command.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", flags);
    command
}

/// Builds the standard library with the program.
fn own_library(command: &mut Command, flags: &mut String) {
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
        .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
    flags.push(' ');
    flags.push_str(TERSE);
}

pub fn env_or(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn sysroot() -> Option<String> {
    shell::output(Command::new(env_or("RUSTC", "rustc")).args(["--print", "sysroot"]))
}

fn toolchain_has_target() -> bool {
    sysroot().is_some_and(|root| {
        let lib = Path::new(&root).join("lib/rustlib").join(TARGET).join("lib");
        std::fs::read_dir(lib).is_ok_and(|mut files| files.next().is_some())
    })
}

/// The manifest of the standard library's sources, where the toolchain has them.
fn library() -> Option<PathBuf> {
    let manifest = Path::new(&sysroot()?).join("lib/rustlib/src/rust/library/Cargo.toml");
    manifest.exists().then_some(manifest)
}

/// Whether this compiler takes [`TERSE`] (each part of it may be named anew one day), and the few crates that the
/// standard library uses are in cargo's cache or can be fetched now.
fn library_is_complete(manifest: &Path) -> bool {
    let mut cfg = Command::new(env_or("RUSTC", "rustc"));
    cfg.args(["--print", "cfg", "--target", TARGET]).args(TERSE.split(' ')).env("RUSTC_BOOTSTRAP", "1");
    if !shell::succeeds(&mut cfg) {
        eprintln!("    this compiler builds no small standard library; the window will be larger");
        return false;
    }
    let mut fetch = Command::new(env_or("CARGO", "cargo"));
    fetch.args(["fetch", "--quiet", "--locked", "--target", TARGET, "--manifest-path"]).arg(manifest);
    let complete = shell::succeeds(fetch.env("RUSTC_BOOTSTRAP", "1"));
    if !complete {
        eprintln!("    what the standard library uses cannot be fetched; the window will be larger");
    }
    complete
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
