//! The patient's page as files: the recordings that the loudspeaker plays, and what the page weighs up to the waiting room.

use std::{fs, process::Command};

use rabta_tests::run::checkout;

/// One recording, bytes: some seconds on the thinnest link.
const PROMPT: u64 = 40_000;
/// All of them: they lie in the server's program.
const PROMPTS: u64 = 600_000;
/// Everything up to the waiting room, packed.
const PAGE: u64 = 120_000;

#[test]
fn every_prompt_is_recorded_in_both_languages_and_small() {
    let folder = checkout().join("src-page/prompts");
    let said = fs::read_to_string(folder.join("said.tsv")).expect("the list of what is said");
    let mut all = 0;
    for line in said.lines() {
        let mut words = line.split('\t');
        let (lang, id) = (words.next().expect("a language"), words.next().expect("a prompt"));
        let file = folder.join(lang).join(format!("{id}.ogg"));
        let sound = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(sound.starts_with(b"OggS") && sound.windows(8).any(|w| w == b"OpusHead"), "{lang}/{id}");
        assert!(sound.len() as u64 <= PROMPT, "{lang}/{id} has {} bytes", sound.len());
        all += sound.len() as u64;
    }
    assert!(said.lines().count() > 80 && all <= PROMPTS, "{all} bytes in all");
}

#[test]
fn the_recordings_say_what_the_page_says() {
    let texts = checkout().join("src-page/prompts/texts.mjs");
    let out = Command::new("node").arg(texts).arg("--check").output().expect("node starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn the_page_up_to_the_waiting_room_is_light() {
    let dist = checkout().join("src-page/dist");
    let html =
        fs::read_to_string(dist.join("index.html")).expect("the page is built; `cargo xtask ui` builds it");
    let named = html.split(['"', '\'']).filter(|name| dist.join(name).is_file());
    let files: std::collections::BTreeSet<&str> = named.chain(["index.html"]).collect();
    assert!(files.contains("page.js") && files.contains("page.css"), "{files:?}");
    // What comes only after Join is not among them, and every module that the page starts with is.
    assert!(
        !files
            .iter()
            .any(|f| f.ends_with(".wasm") || ["call.js", "engine.js", "room.js", "after.js"].contains(f))
    );
    for file in files.iter().filter(|f| f.ends_with(".js")) {
        let text = fs::read_to_string(dist.join(file)).expect("it is there");
        for import in text.lines().filter(|l| l.starts_with("import ")).filter_map(|l| l.split("\"./").nth(1))
        {
            let import = import.split('"').next().unwrap_or_default();
            assert!(files.contains(import), "{file} imports {import}, which index.html does not fetch early");
        }
    }
    let weight: u64 =
        files.iter().map(|f| fs::metadata(dist.join(format!("{f}.br"))).expect("packed").len()).sum();
    assert!(weight <= PAGE, "{weight} bytes");
}
