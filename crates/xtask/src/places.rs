//! Where things are: the checkout and the caches.

use std::path::PathBuf;

use anyhow::{Context, Result};

pub struct Places {
    /// The checkout.
    pub root: PathBuf,
    /// All caches; may be deleted at any time, at the price of the next run's time.
    pub cache: PathBuf,
    /// The host's build. `CARGO_TARGET_DIR` where somebody set it.
    pub target: PathBuf,
    /// The user interface's build, for WebAssembly.
    pub wasm: PathBuf,
    /// Programs that are not Debian's: wasm-bindgen, wasm-opt.
    pub tools: PathBuf,
    /// What runs leave behind: demo data, reports, screenshots.
    pub run: PathBuf,
}

impl Places {
    pub fn find() -> Result<Self> {
        // Cargo says it to whatever it runs: one cache serves several checkouts, and this program may be another's.
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root =
            own.ancestors().nth(2).context("crates/xtask is two levels below the checkout")?.to_owned();
        let cache = match std::env::var_os("RABTA_CACHE") {
            Some(folder) => PathBuf::from(folder),
            None => {
                let home = std::env::var_os("HOME")
                    .or_else(|| std::env::var_os("USERPROFILE"))
                    .context("neither RABTA_CACHE nor HOME is set, so there is no place for the caches")?;
                PathBuf::from(home).join(".cache").join("rabta")
            }
        };
        let cache = if cache.is_absolute() { cache } else { root.join(cache) };
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        Ok(Self {
            target: target
                .map_or_else(|| cache.join("target"), |t| if t.is_absolute() { t } else { root.join(t) }),
            wasm: cache.join("wasm"),
            tools: cache.join("tools"),
            run: cache.join("run"),
            root,
            cache,
        })
    }

    /// The version of `package` in the lock file.
    pub fn locked(&self, package: &str) -> Result<String> {
        let lock = std::fs::read_to_string(self.root.join("Cargo.lock")).context("reading Cargo.lock")?;
        version_in_lock(&lock, package).with_context(|| format!("Cargo.lock has no {package}"))
    }
}

fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{package}\""))?;
    Some(lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::version_in_lock;

    #[test]
    fn the_locked_version_is_that_of_the_package_with_exactly_this_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in_lock(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in_lock(lock, "wasm"), None);
    }
}
