//! The house's rules, read from what cargo says about the workspace: who may depend on whom, which licences, how
//! large a file may grow, where `unsafe` may stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use rabta_tests::run::checkout;
use serde_json::Value;

/// What cargo says about the workspace, with the dependencies that only other systems need.
fn metadata() -> &'static Value {
    static METADATA: LazyLock<Value> = LazyLock::new(|| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let out = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(checkout())
            .output()
            .expect("cargo runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).expect("cargo writes JSON")
    });
    &METADATA
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Each package of ours with all dependencies that its manifest names; what only tests use apart.
struct Ours {
    normal: BTreeMap<String, BTreeSet<String>>,
    with_tests: BTreeMap<String, BTreeSet<String>>,
}

fn ours(metadata: &Value) -> Ours {
    let members: BTreeSet<&str> =
        list(metadata, "workspace_members").iter().filter_map(Value::as_str).collect();
    let mut ours = Ours { normal: BTreeMap::new(), with_tests: BTreeMap::new() };
    for package in list(metadata, "packages").iter().filter(|p| members.contains(text(p, "id"))) {
        let name = text(package, "name").to_owned();
        let named = |all: bool| {
            let kept = list(package, "dependencies").iter().filter(|d| all || text(d, "kind") != "dev");
            kept.map(|d| text(d, "name").to_owned()).collect()
        };
        ours.normal.insert(name.clone(), named(false));
        ours.with_tests.insert(name, named(true));
    }
    ours
}

/// Everything that `package` uses, directly or through others of ours.
fn reach(graph: &BTreeMap<String, BTreeSet<String>>, package: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![package.to_owned()];
    while let Some(name) = next.pop() {
        for dependency in graph.get(&name).into_iter().flatten() {
            if found.insert(dependency.clone()) {
                next.push(dependency.clone());
            }
        }
    }
    found
}

#[test]
fn only_its_owner_names_a_framework() {
    let graph = ours(metadata()).with_tests;
    let rules: &[(&str, &[&str])] = &[
        ("tauri", &["rabta"]),
        ("tauri-build", &["rabta"]),
        // rabta-sys: the one unsafe call that gives a connection its key.
        ("sqlx", &["rabta-store", "rabta-hie", "rabta-sys"]),
        ("libsqlite3-sys", &["rabta-store", "rabta-hie", "rabta-sys"]),
        ("axum", &["rabta-hie"]),
        ("axum-server", &["rabta-hie"]),
        ("leptos", &["rabta-ui"]),
        ("webrtc", &["rabta-engine"]),
        ("gstreamer", &["rabta-engine"]),
        ("typst", &["rabta-print"]),
        ("keyring", &["rabta-app"]),
        ("mdns-sd", &["rabta-sync"]),
    ];
    for (framework, owners) in rules {
        let naming: Vec<&String> =
            graph.iter().filter(|(_, d)| d.contains(*framework)).map(|(n, _)| n).collect();
        let strangers: Vec<_> = naming.into_iter().filter(|n| !owners.contains(&n.as_str())).collect();
        assert!(strangers.is_empty(), "{framework} is for {owners:?} alone, but {strangers:?} name it too");
    }
}

#[test]
fn dependencies_among_our_crates_point_one_way() {
    let graph = ours(metadata()).normal;
    // What each may see of ours, directly. A crate that is not listed may see everything.
    let may_see: &[(&str, &[&str])] = &[
        ("rabta-domain", &[]),
        ("rabta-wire", &["rabta-domain"]),
        ("rabta-ipc", &["rabta-domain"]),
        ("rabta-search", &["rabta-domain"]),
        ("rabta-sys", &[]),
        ("rabta-netlab", &["rabta-sys"]),
        ("rabta-call", &["rabta-domain", "rabta-ipc", "rabta-wire"]),
        ("rabta-relay", &["rabta-wire"]),
        ("rabta-print", &["rabta-domain", "rabta-ipc"]),
        ("rabta-store", &["rabta-domain", "rabta-wire", "rabta-search", "rabta-sys"]),
        ("rabta-sync", &["rabta-domain", "rabta-wire", "rabta-store"]),
        ("rabta-sim", &["rabta-domain", "rabta-hie", "rabta-store", "rabta-sync", "rabta-wire"]),
        ("rabta-engine", &["rabta-domain", "rabta-ipc", "rabta-wire", "rabta-call"]),
        ("rabta-hie", &["rabta-domain", "rabta-wire", "rabta-relay", "rabta-search", "rabta-sys"]),
        ("rabta-ui-base", &["rabta-ipc"]),
        ("rabta-ui", &["rabta-domain", "rabta-ipc", "rabta-call", "rabta-ui-base"]),
        ("rabta-gate", &["rabta-domain", "rabta-ipc", "rabta-ui-base"]),
        ("rabta-page", &["rabta-wire", "rabta-call"]),
        ("rabta", &["rabta-app", "rabta-ipc"]),
        ("rabta-tests", &[]),
        ("xtask", &[]),
    ];
    for (name, allowed) in may_see {
        let named = graph.get(*name).unwrap_or_else(|| panic!("{name} is a member of the workspace"));
        let wrong: Vec<_> =
            named.iter().filter(|d| graph.contains_key(*d) && !allowed.contains(&d.as_str())).collect();
        assert!(wrong.is_empty(), "{name} may see {allowed:?}, but it names {wrong:?}");
    }
}

#[test]
fn what_also_runs_in_a_page_knows_no_database_no_socket_and_no_window() {
    let graph = ours(metadata()).normal;
    for name in
        ["rabta-domain", "rabta-ipc", "rabta-wire", "rabta-call", "rabta-search", "rabta-ui", "rabta-gate"]
    {
        let used = reach(&graph, name);
        for heavy in ["tokio", "sqlx", "tauri", "axum", "reqwest", "rabta-store", "rabta-sync", "rabta-app"] {
            assert!(!used.contains(heavy), "{name} reaches {heavy}");
        }
    }
}

#[test]
fn the_command_that_builds_the_house_is_thin() {
    let graph = ours(metadata()).normal;
    let named: Vec<&String> = graph["xtask"].iter().collect();
    assert_eq!(named, ["anyhow", "serde_json"]);
}

#[test]
fn serde_json_keeps_numbers_as_numbers() {
    let metadata = metadata();
    let by_id: BTreeMap<&str, &str> =
        list(metadata, "packages").iter().map(|p| (text(p, "id"), text(p, "name"))).collect();
    let nodes = list(&metadata["resolve"], "nodes");
    let serde_json: Vec<&Value> =
        nodes.iter().filter(|n| by_id.get(text(n, "id")) == Some(&"serde_json")).collect();
    assert!(!serde_json.is_empty(), "the workspace uses serde_json");
    for node in serde_json {
        let features: Vec<&str> = list(node, "features").iter().filter_map(Value::as_str).collect();
        assert!(
            !features.contains(&"arbitrary_precision"),
            "it breaks flattened and tagged types everywhere"
        );
    }
}

/// As in deny.toml, which cargo-deny reads.
fn allowed_licences() -> BTreeSet<String> {
    let deny = fs::read_to_string(checkout().join("deny.toml")).expect("deny.toml is there");
    let list = deny
        .split_once("allow = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .expect("a list of licences")
        .0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression can be met with what is allowed. `/` is cargo's old word for OR.
fn acceptable(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let fine = any_of(&words, &mut at, allowed);
    fine && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut fine = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        fine |= all_of(words, at, allowed);
    }
    fine
}

fn all_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut fine = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        fine &= one(words, at, allowed);
    }
    fine
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let fine = any_of(words, at, allowed);
        *at += 1;
        return fine;
    }
    let mut name = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", words.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
    }
    allowed.contains(&name)
}

#[test]
fn a_licence_expression_is_met_by_any_side_of_or_and_every_side_of_and() {
    let allowed = ["MIT", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    assert!(acceptable("MIT OR GPL-3.0", &allowed));
    assert!(acceptable("GPL-3.0/MIT", &allowed));
    assert!(acceptable("(GPL-3.0 OR MIT) AND Apache-2.0 WITH LLVM-exception", &allowed));
    assert!(!acceptable("MIT AND GPL-3.0", &allowed));
    assert!(!acceptable("", &allowed));
}

#[test]
fn every_dependency_has_a_licence_that_we_allow() {
    let metadata = metadata();
    let allowed = allowed_licences();
    assert!(allowed.contains("Apache-2.0"), "deny.toml was read");
    let refused: Vec<String> = list(metadata, "packages")
        .iter()
        .filter(|p| !acceptable(text(p, "license"), &allowed))
        .map(|p| format!("{} {}: {}", text(p, "name"), text(p, "version"), text(p, "license")))
        .collect();
    assert!(refused.is_empty(), "not allowed by deny.toml: {refused:#?}");
}

#[test]
fn everything_comes_from_the_registry_or_from_here() {
    for package in list(metadata(), "packages") {
        let source = text(package, "source");
        let fine =
            source.is_empty() || source.starts_with("registry+https://github.com/rust-lang/crates.io-index");
        assert!(fine, "{} comes from {source}", text(package, "name"));
    }
}

/// All files of ours with this ending, as git has them or would take them.
fn sources(endings: &[&str]) -> Vec<PathBuf> {
    let out = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(checkout())
        .output()
        .expect("git runs");
    let names = String::from_utf8(out.stdout).expect("names are UTF-8");
    let wanted = |p: &PathBuf| p.extension().and_then(|e| e.to_str()).is_some_and(|e| endings.contains(&e));
    let found: Vec<PathBuf> =
        names.lines().map(|n| checkout().join(n)).filter(wanted).filter(|p| p.exists()).collect();
    assert!(!found.is_empty(), "git lists our files");
    found
}

#[test]
fn at_most_two_source_files_are_longer_than_700_lines() {
    let long: Vec<(usize, PathBuf)> = sources(&["rs", "js", "css", "sql", "html"])
        .into_iter()
        .filter_map(|p| Some((fs::read_to_string(&p).ok()?.lines().count(), p)))
        .filter(|(lines, _)| *lines > 700)
        .collect();
    assert!(long.len() <= 2, "too many long files: {long:#?}");
}

#[test]
fn unsafe_stands_in_one_crate_only_and_each_block_says_why_it_is_sound() {
    let sys = checkout().join("crates/sys");
    let this = Path::new(file!()).file_name().expect("this file has a name").to_owned();
    for file in sources(&["rs"]).into_iter().filter(|f| f.file_name() != Some(&this)) {
        let text = fs::read_to_string(&file).expect("a source file is text");
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let block = code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
            if !block || code.contains('"') {
                continue;
            }
            assert!(file.starts_with(&sys), "{}:{}: unsafe outside crates/sys", file.display(), number + 1);
            let above = &lines[number.saturating_sub(8)..=number];
            let said = above.iter().any(|l| l.contains("SAFETY") || l.contains("# Safety"));
            assert!(said, "{}:{}: no SAFETY comment", file.display(), number + 1);
        }
    }
}
