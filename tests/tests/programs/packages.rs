//! The packages, as those get them who install them: in a system that has nothing of this checkout, its tools or its libraries.
//!
//! `cargo xtask bundle --check` and `cargo xtask test` make packages and systems; where they could not (no root, no network), each test says that
//! it is left out.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use rabta_tests::{
    Run,
    ports::free_port,
    process::{Kept, POLL},
    root::{Root, given},
    webdriver,
};

/// An HIE from its package: a user of its own, a folder that only that user reads, nothing started unasked, and the records stay when
/// the package goes.
#[tokio::test]
async fn the_hie_is_installed_serves_is_well_and_leaves_the_records_when_it_goes() -> Result<()> {
    let (Some(deb), Some(layers)) = (given("RABTA_HIE_DEB"), given("RABTA_ROOT_BASE")) else { return Ok(()) };
    let run = Run::of_test("package-hie")?;
    let root = Root::new(&run, layers);
    ensure!(!root.has("/usr/bin/rabta-hie"), "the system is fresh");
    root.install(&deb)?;
    ensure!(
        root.sh("stat -c '%U %a' /var/lib/rabta-hie")? == "rabta-hie 700",
        "the records' folder is the user's alone"
    );
    ensure!(
        root.sh("grep -c '^RABTA_PUBLIC' /etc/default/rabta-hie || true")? == "0",
        "no address is made up"
    );
    // Its own words are right where systemd is there to read them: what the unit starts is installed.
    let start = root.sh("grep -h ^ExecStart= /usr/lib/systemd/system/rabta-hie*.service | cut -d= -f2 | cut -d' ' -f1 | sort -u")?;
    ensure!(start == "/usr/bin/rabta-hie", "the units start {start}");

    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let data = "/var/lib/rabta-hie/data";
    let mut serve = root.command("setpriv");
    serve.args([
        "--reuid=rabta-hie",
        "--regid=rabta-hie",
        "--clear-groups",
        "--",
        "rabta-hie",
        "serve",
        "--data",
        data,
    ]);
    serve.args(["--listen", &address, "--public", &address]);
    let mut server = Kept::start("the HIE", &mut serve, &run.log("hie"))?;
    let http = webdriver::client()?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !http.get(format!("https://{address}/readyz")).send().await.is_ok_and(|a| a.status().is_success()) {
        if server.has_ended() || Instant::now() > deadline {
            bail!("the HIE is not ready; its log: {}", run.log("hie").display());
        }
        tokio::time::sleep(POLL).await;
    }
    // Operators' commands reach the running server as its own user.
    let beside = |line: &str| root.beside(server.pid(), line);
    let as_user = "setpriv --reuid=rabta-hie --regid=rabta-hie --clear-groups -- rabta-hie";
    beside(&format!("{as_user} facility add --data {data} --name 'BHU Basti Malook' --kind clinic"))?;
    beside("install -d -o rabta-hie -g rabta-hie -m 700 /mnt/backup/rabta")?;
    beside(&format!("{as_user} backup --data {data} --to /mnt/backup/rabta"))?;
    // It fails where something needs somebody.
    let said = beside(&format!("{as_user} doctor --data {data} --json 2>&1"))?;
    ensure!(said.contains("\"state\":\"good\"") && !said.contains("\"bad\""), "the doctor says {said}");
    server.signal("TERM")?;
    server.wait(Duration::from_secs(30))?;

    root.sh("apt-get -q purge -y rabta-hie")?;
    ensure!(!root.has("/usr/bin/rabta-hie") && !root.has("/etc/default/rabta-hie"), "the package is gone");
    ensure!(root.has(&format!("{data}/hie.db")) || root.has(data), "the records are still there");
    Ok(())
}

mod in_a_window {
    use std::path::PathBuf;

    use rabta_tests::{
        run,
        window::{App, Window},
    };

    use super::*;

    /// First start, as far as it goes without a code: the language, then the code's page.
    async fn comes_up(run: &Run, root: &Root, program: &str, becomes: &str) -> Result<()> {
        let mut app = App::new("doctor", run.path("doctor"));
        app.wrapper = root.words();
        app.program = Some(PathBuf::from(program));
        // As this side's kernel names it.
        app.becomes = Some(run.path("root/root").join(becomes.trim_start_matches('/')));
        let home = run.path("home").display().to_string();
        std::fs::create_dir_all(&home)?;
        let window = Window::open(run, app.env("HOME", home)).await?;
        window.screen("gate-language").await?;
        window.click("lang-en").await?;
        window.screen("gate-code").await?;
        std::fs::write(run.path("gate.png"), window.screenshot().await?)?;
        window.close().await
    }

    #[tokio::test]
    async fn the_app_is_installed_by_apt_and_shows_its_first_page() -> Result<()> {
        let (Some(deb), Some(layers)) = (given("RABTA_DEB"), given("RABTA_ROOT_DEB")) else { return Ok(()) };
        let _alone = run::alone().await;
        let run = Run::of_test("package-deb")?;
        let root = Root::new(&run, layers);
        ensure!(!root.has("/usr/bin/rabta"), "the system has all that it needs, and not the app");
        root.install(&deb)?;
        ensure!(root.has("/usr/share/applications/Rabta.desktop"), "it is in the menu");
        comes_up(&run, &root, "/usr/bin/rabta", "/usr/bin/rabta").await?;
        ensure!(run.path("doctor/settings.json").exists(), "the choice of language is kept");
        root.sh("apt-get -q purge -y rabta")?;
        ensure!(!root.has("/usr/bin/rabta"), "it goes again");
        Ok(())
    }

    /// In a system with the libraries that every desktop has: no GTK, no WebKit, no GStreamer.
    #[tokio::test]
    async fn the_appimage_brings_along_what_a_plain_desktop_lacks() -> Result<()> {
        let (Some(image), Some(layers)) = (given("RABTA_APPIMAGE"), given("RABTA_ROOT_DESKTOP")) else {
            return Ok(());
        };
        let _alone = run::alone().await;
        let run = Run::of_test("package-appimage")?;
        let root = Root::new(&run, layers);
        for library in ["libgtk-3.so.0", "libwebkit2gtk-4.1.so.0", "libgstreamer-1.0.so.0"] {
            ensure!(
                !root.has(&format!("/usr/lib/x86_64-linux-gnu/{library}")),
                "{library} is not the system's"
            );
        }
        let file = run.path("Rabta.AppImage");
        std::fs::copy(&image, &file)?;
        // Its own way of starting where FUSE is not to be had.
        root.sh(&format!("cd /opt && '{}' --appimage-extract >/dev/null", file.display()))?;
        // The programs name the folder themselves; the libraries and plugins that they load are looked at with it given.
        let lacking = root.sh(
            "cd /opt/squashfs-root/usr && export LD_LIBRARY_PATH=$PWD/lib/x86_64-linux-gnu && \
             find . -type f \\( -perm -u+x -o -name '*.so*' \\) -exec ldd {} + 2>/dev/null | grep 'not found' | sort -u || true",
        )?;
        ensure!(lacking.is_empty(), "libraries are lacking: {lacking}");
        comes_up(&run, &root, "/opt/squashfs-root/AppRun", "/opt/squashfs-root/usr/bin/rabta").await
    }
}
