//! Makes sure that the window has something to show, even when the UI was not built yet, then lets Tauri
//! generate what it embeds.

use std::{fs, path::Path};

fn main() {
    let dist = Path::new("src-ui/dist");
    if !dist.join("index.html").exists() {
        let page = "<!doctype html><title>Rabta</title><p>The user interface is not built. Run <code>cargo xtask demo</code>.";
        fs::create_dir_all(dist)
            .and_then(|()| fs::write(dist.join("index.html"), page))
            .expect("src-ui/dist is writable");
    }
    println!("cargo:rerun-if-changed=src-ui/dist");
    tauri_build::try_build(
        tauri_build::Attributes::new().capabilities_path_pattern("src-tauri/capabilities/*.json"),
    )
    .expect("tauri.conf.json is valid");
}
