//! Which system this is, and what Rabta needs of it.

use std::process::Command;

use anyhow::{Result, bail};

use crate::shell;

#[derive(Debug, PartialEq, Eq)]
pub enum System {
    /// Debian 12 or newer, and what is built from it: set-up installs by itself.
    Debian,
    /// Known, but left to the person: what to type.
    Told(&'static str, &'static str),
}

/// Debian's packages: to build the shell, for media, to drive windows and browsers, to break the world in tests, to
/// read and show what comes out.
pub const PACKAGES: &[&str] = &[
    // the window and its build
    "build-essential",
    "libwebkit2gtk-4.1-dev",
    "librsvg2-dev",
    "libssl-dev",
    "libxdo-dev",
    "pkg-config",
    "cmake",
    "clang",
    "perl",
    "make",
    // sound and picture
    "libgstreamer1.0-dev",
    "libgstreamer-plugins-base1.0-dev",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-tools",
    // windows and browsers in tests
    "xvfb",
    "xdotool",
    "webkit2gtk-driver",
    "chromium",
    "chromium-driver",
    "libnss3-tools",
    // a broken world
    "faketime",
    // whose an update is
    "minisign",
    // type and paper
    "fonts-noto-core",
    "poppler-utils",
    "brotli",
    "ca-certificates",
];

const FEDORA: &str = "sudo dnf install @development-tools clang cmake perl webkit2gtk4.1-devel librsvg2-devel openssl-devel \
libxdo-devel gstreamer1-devel gstreamer1-plugins-base-devel gstreamer1-plugins-good gstreamer1-plugins-bad-free \
xorg-x11-server-Xvfb xdotool webkitgtk6.0 chromium chromedriver nss-tools libfaketime minisign google-noto-sans-arabic-fonts poppler-utils \
brotli nodejs npm && rustup target add wasm32-unknown-unknown";
const MACOS: &str = "xcode-select --install; brew install cmake pkg-config node minisign brotli poppler gstreamer && \
rustup target add wasm32-unknown-unknown";
const WINDOWS: &str = "winget install Microsoft.VisualStudio.2022.BuildTools StrawberryPerl.StrawberryPerl Kitware.CMake \
OpenJS.NodeJS Google.Brotli; rustup target add wasm32-unknown-unknown (WebView2 comes with Windows 11)";
const OTHER: &str = "install what README.md lists under \"Other systems\" with your system's package manager";

pub fn detect() -> System {
    if cfg!(target_os = "macos") {
        return System::Told("macOS", MACOS);
    }
    if cfg!(windows) {
        return System::Told("Windows", WINDOWS);
    }
    from_os_release(&std::fs::read_to_string("/etc/os-release").unwrap_or_default())
}

fn from_os_release(text: &str) -> System {
    let field = |key: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        line.map(|v| v.trim_matches('"').to_owned()).unwrap_or_default()
    };
    let ids = format!("{} {}", field("ID"), field("ID_LIKE"));
    let is = |id: &str| ids.split_whitespace().any(|i| i == id);
    if is("debian") {
        System::Debian
    } else if is("fedora") || is("rhel") {
        System::Told("Fedora", FEDORA)
    } else {
        System::Told("this system", OTHER)
    }
}

/// Which of `packages` are not installed.
pub fn missing<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${Package} ${db:Status-Status}\n"]).args(packages);
    // It fails where one is unknown, and still lists the others.
    let listed = match query.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null()).output() {
        Ok(out) => String::from_utf8_lossy(&out.stdout).into_owned(),
        Err(_) => String::new(),
    };
    let installed: Vec<&str> = listed.lines().filter_map(|l| l.strip_suffix(" installed")).collect();
    packages.iter().copied().filter(|p| !installed.contains(p)).collect()
}

/// Installs Debian packages: as root, else by `sudo -n`, else it says the one line to run.
pub fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let prefix: &[&str] = if is_root() {
        &[]
    } else if shell::succeeds(Command::new("sudo").args(["-n", "true"])) {
        &["sudo", "-n"]
    } else {
        bail!(
            "packages are missing and this is not root. Run this once, then start again:\n\n    \
               sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}\n"
        );
    };
    let apt = |args: &[&str]| {
        let mut words = prefix.to_vec();
        words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "Dpkg::Use-Pty=0"]);
        words.extend(args);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        command
    };
    shell::run(&mut apt(&["update"]))?;
    let mut args = vec!["install", "-y", "--no-install-recommends"];
    args.extend(packages);
    shell::run(&mut apt(&args))
}

pub fn is_root() -> bool {
    shell::output(Command::new("id").arg("-u")).as_deref() == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_told_apart_by_os_release() {
        assert_eq!(from_os_release("ID=debian\nVERSION_ID=\"12\"\n"), System::Debian);
        assert_eq!(from_os_release("ID=ubuntu\nID_LIKE=debian\n"), System::Debian);
        assert!(matches!(from_os_release("ID=fedora\n"), System::Told("Fedora", _)));
        assert!(matches!(
            from_os_release("ID=\"centos\"\nID_LIKE=\"rhel fedora\"\n"),
            System::Told("Fedora", _)
        ));
        assert!(matches!(from_os_release(""), System::Told("this system", _)));
    }

    #[test]
    fn a_package_that_nobody_has_is_missing() {
        assert_eq!(missing(&["rabta-there-is-no-such-package"]), ["rabta-there-is-no-such-package"]);
    }
}
