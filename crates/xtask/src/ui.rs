//! Builds the user interface into `src-ui/dist`, which the shell embeds, and the patient's page into `src-page/dist`,
//! which the HIE embeds: so this runs before the host's build. The gallery of components, which ships with neither, goes
//! into `target/gallery`.
//!
//! cargo decides whether the programs changed; where neither they nor the public files did, `dist` stays untouched
//! and the shell is not built again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    exports,
    places::Places,
    shell,
    step::{nothing_to_do, step},
    tools, wasm,
};

/// Files to copy and programs that become a folder of the web.
struct Part {
    name: &'static str,
    /// What is copied as it is; of two files with one name the later folder's.
    public: &'static [&'static str],
    /// Recorded prompts, LANG/ID.ogg.
    prompts: Option<&'static str>,
    dist: &'static str,
    /// What cargo makes, and what it is called in `dist`: each becomes NAME.js and NAME_bg.wasm.
    programs: &'static [(&'static str, &'static str)],
    /// It goes over a thin link: each file lies beside its brotli (RFC 7932), as FILE.br.
    packed: bool,
}

const PARTS: &[Part] = &[
    Part {
        name: "src-ui",
        public: &["src-ui/public"],
        prompts: None,
        dist: "src-ui/dist",
        programs: &[("gate", "gate"), ("app", "app")],
        packed: false,
    },
    Part {
        name: "src-page",
        public: &["src-page/public"],
        prompts: Some("src-page/prompts"),
        dist: "src-page/dist",
        programs: &[("rabta_page", "session")],
        packed: true,
    },
    Part {
        name: "gallery",
        public: &["src-ui/public", "src-ui/gallery"],
        prompts: None,
        dist: "target/gallery",
        programs: &[("gallery", "gallery")],
        packed: false,
    },
];

/// What LLVM may emit today, and every webview that we support can run.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// For wasm-opt: small, and alike things near each other, which compression likes. The lowest kilobyte is the far end of
/// the stack, which nothing points to.
const SHRINK: &[&str] = &[
    "-Oz",
    "--low-memory-unused",
    "--reorder-functions",
    "--reorder-locals",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Once more after the exports are gone. Functions stay in the order of the first time: that packs better.
const AGAIN: &[&str] = &[
    "-Oz",
    "--low-memory-unused",
    "--reorder-locals",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

pub fn build(places: &Places) -> Result<()> {
    let Some(way) = wasm::way() else { bail!("there is no WebAssembly target; run `cargo xtask setup`") };
    step(
        "build the user interface",
        "read the compiler's message above; src-ui/, src-page/ or what they use do not compile",
        || {
            let mut cargo = wasm::cargo(places, &way);
            cargo.args(["build", "-p", "rabta-ui", "-p", "rabta-gate", "-p", "rabta-page"]);
            cargo.args(["--target", wasm::TARGET, "--profile", "wasm"]);
            shell::run(&mut cargo)
        },
    )?;
    PARTS.iter().try_for_each(|part| shrink(places, part))
}

fn shrink(places: &Places, part: &Part) -> Result<()> {
    let built = places.wasm.join(wasm::TARGET).join("wasm");
    let dist = places.root.join(part.dist);
    let mut public = BTreeMap::new();
    for folder in part.public {
        public.extend(files_below(&places.root.join(folder))?.into_iter().map(|(file, name)| (name, file)));
    }
    if let Some(folder) = part.prompts {
        public.extend(prompts(&places.root.join(folder))?);
    }
    let stamp_file = places.root.join(format!("target/{}.stamp", part.name));
    let stamp = stamp(places, &built, part, &public)?;
    let fresh = fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp);
    if fresh && part.programs.iter().all(|(_, name)| dist.join(format!("{name}_bg.wasm")).exists()) {
        nothing_to_do(&format!("shrink {}", part.name), "nothing changed");
        return Ok(());
    }
    step(
        &format!("shrink {}", part.name),
        "run `cargo xtask setup` again; wasm-bindgen or wasm-opt failed",
        || {
            let _ = fs::remove_file(&stamp_file);
            let mut wanted = BTreeSet::new();
            for (program, name) in part.programs {
                wanted.extend(bind(places, &built, &dist, program, name)?);
            }
            for (name, file) in &public {
                shell::write_if_changed(&dist.join(name), &fs::read(file)?)?;
                wanted.insert(name.clone());
            }
            if part.packed {
                for name in wanted.clone().into_iter().filter(|name| name.extension() != Some("ogg".as_ref()))
                {
                    wanted.insert(pack(&dist, &name)?);
                }
            }
            // What an older build left behind would be embedded too.
            for (file, name) in files_below(&dist)? {
                if !wanted.contains(&name) {
                    fs::remove_file(file)?;
                }
            }
            shell::write_if_changed(&stamp_file, stamp.as_bytes())?;
            Ok(())
        },
    )
}

/// The recorded prompts, LANG/ID.ogg, under the names say-LANG-ID.ogg: the HIE serves one folder.
fn prompts(folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let sounds =
        files_below(folder)?.into_iter().filter(|(_, name)| name.extension() == Some("ogg".as_ref()));
    Ok(sounds
        .map(|(file, name)| {
            (format!("say-{}", name.display().to_string().replace(['/', '\\'], "-")).into(), file)
        })
        .collect())
}

/// wasm-bindgen, then wasm-opt, into `dist`. Returns the names written.
fn bind(places: &Places, built: &Path, dist: &Path, program: &str, name: &str) -> Result<Vec<PathBuf>> {
    let work = places.wasm.join("bindgen").join(name);
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    let mut bindgen = std::process::Command::new(tools::wasm_bindgen(places));
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", name, "--out-dir"]);
    bindgen.arg(&work).arg(built.join(format!("{program}.wasm")));
    shell::run(&mut bindgen)?;
    let wasm = work.join(format!("{name}_bg.wasm"));
    let small = work.join("small.wasm");
    shell::run(tools::wasm_opt(places).args(SHRINK).args(FEATURES).arg(&wasm).arg("-o").arg(&small))?;
    // What only a library exports goes, and then what only that needed.
    let script = work.join(format!("{name}.js"));
    let used = exports::drop_unused(&script)?;
    let graph = work.join("exports.json");
    fs::write(&graph, exports::graph(&used).to_string())?;
    let mut needed = tools::wasm_metadce(places);
    needed.arg(&small).arg("--graph-file").arg(&graph).args(FEATURES).arg("-o").arg(&wasm);
    shell::run(&mut needed)?;
    shell::run(tools::wasm_opt(places).args(AGAIN).args(FEATURES).arg(&wasm).arg("-o").arg(&small))?;
    fs::remove_file(&graph)?;
    fs::rename(&small, &wasm)?;
    fs::write(&script, bare(&fs::read_to_string(&script)?))?;
    let mut names = Vec::new();
    for (file, name) in files_below(&work)? {
        shell::write_if_changed(&dist.join(&name), &fs::read(file)?)?;
        names.push(name);
    }
    Ok(names)
}

/// A program's glue without its comments and indents. No text in it goes over several lines.
fn bare(script: &str) -> String {
    let code =
        |line: &&str| !line.is_empty() && !["//", "/*", "*"].iter().any(|comment| line.starts_with(comment));
    script.lines().map(str::trim_start).filter(code).fold(String::new(), |all, line| all + line + "\n")
}

/// The file's brotli beside it; its name.
fn pack(dist: &Path, name: &Path) -> Result<PathBuf> {
    let mut packed = name.as_os_str().to_owned();
    packed.push(".br");
    let mut brotli = std::process::Command::new("brotli");
    let mut output = std::ffi::OsString::from("--output=");
    output.push(dist.join(&packed));
    brotli.args(["--force", "--best"]).arg(output).arg(dist.join(name));
    shell::run(&mut brotli)?;
    Ok(packed.into())
}

/// A fingerprint of all that `dist` is made of.
fn stamp(places: &Places, built: &Path, part: &Part, public: &BTreeMap<PathBuf, PathBuf>) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    places.locked("wasm-bindgen")?.hash(&mut hasher);
    FEATURES.hash(&mut hasher);
    part.packed.hash(&mut hasher);
    SHRINK.hash(&mut hasher);
    AGAIN.hash(&mut hasher);
    "bare".hash(&mut hasher);
    for (program, _) in part.programs {
        let file = built.join(format!("{program}.wasm"));
        fs::read(&file).with_context(|| format!("reading {}", file.display()))?.hash(&mut hasher);
    }
    for (name, file) in public {
        name.hash(&mut hasher);
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}

/// Every file below, with its name relative to the folder, in order.
fn files_below(folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("listing {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                found.push((path.clone(), name.to_owned()));
            }
        }
    }
    found.sort();
    Ok(found)
}
