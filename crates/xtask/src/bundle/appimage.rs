//! The AppImage: the .deb's files, the libraries that another distribution may not have, WebKitGTK's helper processes and
//! GStreamer's plugins, behind an AppImage runtime.
//!
//! linuxdeploy, which Tauri's bundler would fetch for this, is in no package registry, so the folder is put together here, as
//! linuxdeploy and its GTK plugin do it: libraries by `ldd`, less those that every desktop has (AppImage's excludelist);
//! programs look beside themselves first (DT_RPATH, by `patchelf`), so nothing is said through `LD_LIBRARY_PATH` to the programs that
//! the app starts; WebKit's path of its helpers, which is compiled in, becomes relative to the folder that AppRun works in.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use super::Stage;
use crate::{places::Places, shell, step::step, tools};

/// Where Debian has libraries on this architecture; the same below the AppImage's `usr`.
const LIB: &str = "lib/x86_64-linux-gnu";

/// What every desktop has, and what has to fit its kernel, drivers or fonts: AppImage's excludelist (AppImageCommunity/pkg2appimage).
const EXCLUDED: &[&str] = &[
    "ld-linux-x86-64.so.2",
    "libanl.so.1",
    "libBrokenLocale.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libmvec.so.1",
    "libnss_compat.so.2",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libthread_db.so.1",
    "libutil.so.1",
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libGL.so.1",
    "libEGL.so.1",
    "libGLdispatch.so.0",
    "libGLX.so.0",
    "libOpenGL.so.0",
    "libdrm.so.2",
    "libglapi.so.0",
    "libgbm.so.1",
    "libxcb.so.1",
    "libX11.so.6",
    "libX11-xcb.so.1",
    "libxcb-dri2.so.0",
    "libxcb-dri3.so.0",
    "libwayland-client.so.0",
    "libasound.so.2",
    "libfontconfig.so.1",
    "libthai.so.0",
    "libfreetype.so.6",
    "libharfbuzz.so.0",
    "libfribidi.so.0",
    "libcom_err.so.2",
    "libexpat.so.1",
    "libICE.so.6",
    "libSM.so.6",
    "libusb-1.0.so.0",
    "libuuid.so.1",
    "libz.so.1",
    "libjack.so.0",
    "libpipewire-0.3.so.0",
    "libp11-kit.so.0",
    "libgpg-error.so.0",
    "libgmp.so.10",
];

/// Opened by name, so no linker knows of it: GTK's way to the graphics driver ends the program where it is missing. It is the driver's front
/// (libglvnd), and not on AppImage's list.
const OPENED: &[&str] = &["libGLESv2.so.2"];

/// What the call engine and WebKit's player put their pipelines together of. The plugin that has an element is asked of GStreamer.
const ELEMENTS: &[&str] = &[
    "appsink",
    "appsrc",
    "audioconvert",
    "audiomixer",
    "audioresample",
    "audiotestsrc",
    "autoaudiosink",
    "autoaudiosrc",
    "capsfilter",
    "decodebin",
    "fakesink",
    "filesrc",
    "jpegdec",
    "matroskademux",
    "oggdemux",
    "opusdec",
    "opusenc",
    "opusparse",
    "playbin",
    "pulsesink",
    "pulsesrc",
    "queue",
    "rtpjitterbuffer",
    "rtpopusdepay",
    "tee",
    "v4l2src",
    "videoconvert",
    "videorate",
    "videoscale",
    "videotestsrc",
    "volume",
    "vorbisdec",
    "vp8dec",
    "vp8enc",
    "wavparse",
    "webrtcdsp",
    "webrtcechoprobe",
];

/// What starts: it works in `usr`, to which WebKit's path of its helpers is relative.
const APP_RUN: &str = r#"#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
lib="$here/usr/lib/x86_64-linux-gnu"
export GST_PLUGIN_SYSTEM_PATH_1_0="$lib/gstreamer-1.0" GST_PLUGIN_SCANNER_1_0="$lib/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner"
export GST_REGISTRY_1_0="${XDG_CACHE_HOME:-$HOME/.cache}/org.rabta.clinic/gstreamer-appimage.bin"
export GDK_PIXBUF_MODULE_FILE="$lib/gdk-pixbuf-2.0/2.10.0/loaders.cache" GIO_MODULE_DIR="$lib/gio/modules"
export GSETTINGS_SCHEMA_DIR="$here/usr/share/glib-2.0/schemas"
export XDG_DATA_DIRS="$here/usr/share:${XDG_DATA_DIRS:-/usr/local/share:/usr/share}"
cd "$here/usr" || exit 1
exec bin/rabta "$@"
"#;

/// `deb`: the app's package, whose files are the beginning.
pub fn make(places: &Places, stage: &Stage, deb: &Path) -> Result<PathBuf> {
    step("make the AppImage", "read the message above; docs/PACKAGING.md says what it is made of", || {
        let folder = stage.scratch("AppDir")?;
        shell::run(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&folder))?;
        let dir = AppDir { usr: folder.join("usr"), folder };
        dir.add_webkit()?;
        dir.add_gstreamer()?;
        dir.add_desktop()?;
        dir.add_libraries()?;
        dir.add_entry()?;
        let version = places.locked("rabta")?;
        let file = stage.out.join(format!("Rabta_{version}_x86_64.AppImage"));
        pack(&tools::appimage_runtime(places)?, &dir.folder, &file)?;
        Ok(file)
    })
}

struct AppDir {
    folder: PathBuf,
    usr: PathBuf,
}

impl AppDir {
    fn lib(&self) -> PathBuf {
        self.usr.join(LIB)
    }

    /// WebKit's helper processes; the library's own path to them is made relative, at the same length.
    fn add_webkit(&self) -> Result<()> {
        let name = format!("{LIB}/webkit2gtk-4.1");
        copy_tree(&Path::new("/usr").join(&name), &self.usr.join(&name))?;
        let library = fs::canonicalize(Path::new("/usr").join(LIB).join("libwebkit2gtk-4.1.so.0"))
            .context("libwebkit2gtk-4.1 is not installed")?;
        let mut bytes = fs::read(&library)?;
        let found = replace(&mut bytes, format!("/usr/{name}").as_bytes(), format!("././/{name}").as_bytes());
        ensure!(found > 0, "{} does not name /usr/{name}; its helpers would not be found", library.display());
        write(&self.lib().join("libwebkit2gtk-4.1.so.0"), &bytes, 0o755)
    }

    fn add_gstreamer(&self) -> Result<()> {
        let scanner = format!("{LIB}/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner");
        copy(&Path::new("/usr").join(&scanner), &self.usr.join(&scanner))?;
        let mut plugins = BTreeSet::new();
        for element in ELEMENTS {
            let said = shell::output(Command::new("gst-inspect-1.0").arg(element))
                .with_context(|| format!("GStreamer here has no element {element}"))?;
            let file = said.lines().find_map(|line| line.trim().strip_prefix("Filename"));
            plugins.insert(PathBuf::from(file.context("an element has a plugin")?.trim()));
        }
        for plugin in plugins {
            let name = plugin.file_name().context("a plugin is a file")?;
            copy(&plugin, &self.lib().join("gstreamer-1.0").join(name))?;
        }
        Ok(())
    }

    /// What GTK looks for by itself: its settings' schemas (a file chooser without them ends the program), the reader of SVG icons, and
    /// no modules of GIO, which the host may have for another GLib.
    fn add_desktop(&self) -> Result<()> {
        let schemas = self.usr.join("share/glib-2.0/schemas");
        let from = Path::new("/usr/share/glib-2.0/schemas");
        for entry in fs::read_dir(from).context("GTK's schemas are not installed")?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("org.gtk.") {
                copy(&entry.path(), &schemas.join(entry.file_name()))?;
            }
        }
        shell::run(Command::new(glib_tool("glib-compile-schemas")?).arg(&schemas))?;
        fs::create_dir_all(self.lib().join("gio/modules"))?;
        let loader = format!("{LIB}/gdk-pixbuf-2.0/2.10.0/loaders/libpixbufloader-svg.so");
        let installed = Path::new("/usr").join(&loader);
        copy(&installed, &self.usr.join(&loader))?;
        let query = Path::new("/usr").join(LIB).join("gdk-pixbuf-2.0/gdk-pixbuf-query-loaders");
        let cache =
            shell::output(Command::new(query).arg(&installed)).context("asking about the SVG loader")?;
        let cache = cache.replace(&installed.display().to_string(), &format!("././{loader}"));
        write(&self.lib().join("gdk-pixbuf-2.0/2.10.0/loaders.cache"), format!("{cache}\n").as_bytes(), 0o644)
    }

    /// All libraries of all that is there so far, and what makes them be found.
    fn add_libraries(&self) -> Result<()> {
        for name in OPENED {
            copy(&Path::new("/usr").join(LIB).join(name), &self.lib().join(name))?;
        }
        let mut programs = Vec::new();
        for file in files(&self.folder)? {
            if is_elf(&file)? {
                programs.push(file);
            }
        }
        let mut wanted = BTreeSet::new();
        for file in &programs {
            wanted.extend(libraries(file)?);
        }
        for library in wanted {
            let name = library.file_name().context("a library is a file")?;
            let there = self.lib().join(name);
            if !there.exists() && !EXCLUDED.iter().any(|e| name == *e) {
                copy(&library, &there)?;
            }
        }
        for file in files(&self.folder)?.into_iter().filter(|f| !f.is_symlink()) {
            if !is_elf(&file)? {
                continue;
            }
            let mut patch = Command::new("patchelf");
            if is_program(&file) {
                // DT_RPATH, which the libraries' own libraries are found by, too; DT_RUNPATH is not.
                patch.args(["--force-rpath", "--set-rpath", &self.rpath(&file)?]);
            } else {
                patch.arg("--remove-rpath");
            }
            shell::run_quietly(patch.arg(&file))?;
        }
        Ok(())
    }

    /// From a program's folder to the libraries.
    fn rpath(&self, program: &Path) -> Result<String> {
        let below = program.parent().context("a program lies in a folder")?.strip_prefix(&self.usr)?;
        let up = "/..".repeat(below.components().count());
        Ok(format!("$ORIGIN{up}/{LIB}"))
    }

    /// AppRun, the desktop entry and the icon, where the runtime and desktops look (AppImage specification, "The AppDir").
    fn add_entry(&self) -> Result<()> {
        write(&self.folder.join("AppRun"), APP_RUN.as_bytes(), 0o755)?;
        let entry = self.usr.join("share/applications/Rabta.desktop");
        shell::run(Command::new("desktop-file-validate").arg(&entry))?;
        copy(&entry, &self.folder.join("rabta.desktop"))?;
        copy(&self.usr.join("share/icons/hicolor/256x256/apps/rabta.png"), &self.folder.join("rabta.png"))?;
        Ok(symlink("rabta.png", self.folder.join(".DirIcon"))?)
    }
}

/// The runtime, and behind it the folder as squashfs.
fn pack(runtime: &Path, folder: &Path, file: &Path) -> Result<()> {
    let image = file.with_extension("squashfs");
    let mut squash = Command::new("mksquashfs");
    // gzip: what every runtime reads.
    squash.arg(folder).arg(&image).args([
        "-root-owned",
        "-noappend",
        "-no-progress",
        "-quiet",
        "-comp",
        "gzip",
    ]);
    shell::run(&mut squash)?;
    let fresh = file.with_extension("new");
    let mut whole = fs::File::create(&fresh)?;
    whole.write_all(&fs::read(runtime)?)?;
    std::io::copy(&mut fs::File::open(&image)?, &mut whole)?;
    whole.set_permissions(fs::Permissions::from_mode(0o755))?;
    drop(whole);
    fs::remove_file(&image)?;
    Ok(fs::rename(fresh, file)?)
}

/// Where the loader finds each library of a program or library, those of libraries included.
fn libraries(file: &Path) -> Result<Vec<PathBuf>> {
    let said = shell::output(Command::new("ldd").arg(file))
        .with_context(|| format!("ldd does not read {}", file.display()))?;
    let mut found = Vec::new();
    for line in said.lines() {
        let Some((name, place)) = line.trim().split_once(" => ") else { continue };
        let place = place.split(" (").next().unwrap_or_default();
        if place.starts_with("not found") && !EXCLUDED.contains(&name) {
            bail!("{} needs {name}, which is not installed", file.display());
        }
        if place.starts_with('/') {
            found.push(PathBuf::from(place));
        }
    }
    Ok(found)
}

fn is_elf(file: &Path) -> Result<bool> {
    use std::io::Read as _;
    let mut magic = [0; 4];
    let mut file = fs::File::open(file).with_context(|| format!("opening {}", file.display()))?;
    Ok(file.read(&mut magic)? == 4 && &magic == b"\x7fELF")
}

/// What is started, and not loaded.
fn is_program(file: &Path) -> bool {
    !file.file_name().is_some_and(|name| name.to_string_lossy().contains(".so"))
}

/// Replaces `from` by `to`, which is as long, everywhere; how often.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    debug_assert_eq!(from.len(), to.len());
    let (mut at, mut count) = (0, 0);
    while at + from.len() <= bytes.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            at += from.len();
            count += 1;
        } else {
            at += 1;
        }
    }
    count
}

fn glib_tool(name: &str) -> Result<PathBuf> {
    let own = Path::new("/usr").join(LIB).join("glib-2.0").join(name);
    if own.exists() {
        Ok(own)
    } else {
        shell::which(name).with_context(|| format!("{name} is not installed"))
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        copy(&file, &to.join(file.strip_prefix(from)?))?;
    }
    Ok(())
}

/// A file, links followed, its mode with it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
    write(to, &bytes, fs::metadata(from)?.permissions().mode() & 0o777 | 0o200)
}

fn write(file: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, bytes).with_context(|| format!("writing {}", file.display()))?;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(mode))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiled_in_path_becomes_relative_and_nothing_moves() {
        let mut bytes = b"a\0/usr/lib/x\0/usr/lib/x/y\0/usr/lib".to_vec();
        assert_eq!(replace(&mut bytes, b"/usr/lib/x", b"././/lib/x"), 2);
        assert_eq!(bytes, b"a\0././/lib/x\0././/lib/x/y\0/usr/lib".to_vec());
    }

    #[test]
    fn every_element_of_the_call_engine_is_packed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src");
        let mut missing = BTreeSet::new();
        for file in files(&folder).expect("the engine's sources") {
            let text = fs::read_to_string(file).expect("a source is text");
            let text: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            // In a pipeline's description an element stands behind an exclamation mark.
            for part in text.split("! ").skip(1) {
                let name: String = part.chars().take_while(char::is_ascii_alphanumeric).collect();
                let is_element = part[name.len()..].starts_with(' ')
                    && name.len() > 2
                    && !name.contains(char::is_uppercase);
                if is_element && part.trim_start().starts_with(&name) && !ELEMENTS.contains(&name.as_str()) {
                    missing.insert(name);
                }
            }
        }
        assert!(missing.is_empty(), "the engine uses {missing:?}");
    }
}
