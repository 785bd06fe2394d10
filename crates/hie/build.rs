//! Puts the patient's page, which `cargo xtask ui` builds, into the server. Without it the server has no page and says 404.

use std::{env, fs, path::Path};

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../src-page/dist");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files: Vec<_> =
        fs::read_dir(&root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kind = match path.extension().and_then(|e| e.to_str()).unwrap_or_default() {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "wasm" => "application/wasm",
            "svg" => "image/svg+xml",
            "opus" | "ogg" => "audio/ogg",
            _ => continue,
        };
        let path = path.canonicalize().expect("it was just listed");
        let packed = path.with_file_name(format!("{name}.br"));
        let packed =
            if packed.exists() { format!("Some(include_bytes!({packed:?}))") } else { "None".into() };
        list += &format!("({name:?}, {kind:?}, include_bytes!({path:?}), {packed}),\n");
    }
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("page.rs");
    fs::write(out, list + "]").expect("the build folder can be written");
}
