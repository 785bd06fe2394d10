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

/// What a script, a style sheet or a page may not hold, since the oldest browser that the page is for, Chrome 100, does not know it: with
/// the version that brought it. What only looks better where it is known (`text-wrap`, `fetchpriority`) is not in the list.
const YOUNGER: &[(&str, u16)] = &[
    // Syntax.
    ("await using ", 134),
    ("import defer", 999),
    (" with { type", 123),
    // The language's library.
    (".toSorted(", 110),
    (".toReversed(", 110),
    (".toSpliced(", 110),
    (".with(", 110),
    ("Array.fromAsync", 121),
    ("Object.groupBy", 117),
    ("Map.groupBy", 117),
    ("Promise.withResolvers", 119),
    ("Promise.try", 128),
    (".isSubsetOf(", 122),
    (".isDisjointFrom(", 122),
    (".union(", 122),
    (".intersection(", 122),
    (".symmetricDifference(", 122),
    ("Iterator.from", 122),
    (".isWellFormed(", 111),
    (".toWellFormed(", 111),
    ("RegExp.escape", 136),
    ("Error.isError", 134),
    (".fromBase64(", 140),
    (".toBase64(", 140),
    (".fromHex(", 140),
    (".toHex(", 140),
    (".transfer(", 114),
    ("Intl.DurationFormat", 129),
    ("Temporal.", 144),
    // The browser's.
    ("AbortSignal.timeout", 103),
    ("AbortSignal.any", 116),
    ("URL.canParse", 120),
    ("URL.parse", 126),
    ("import.meta.resolve", 105),
    ("startViewTransition", 111),
    ("scheduler.yield", 129),
    ("navigation.", 102),
    ("showPopover", 114),
    ("popover=", 114),
    ("requestClose(", 134),
    ("closedby=", 134),
    ("commandfor=", 135),
    ("setHTML", 124),
    ("moveBefore(", 133),
    ("checkVisibility(", 105),
    (" inert", 102),
    (".inert", 102),
    ("deflate-raw", 103),
    ("\"Ed25519\"", 137),
    ("\"X25519\"", 133),
    ("RTCRtpScriptTransform", 141),
    ("MediaStreamTrackProcessor.", 999),
    ("suppressLocalAudioPlayback", 109),
    // Style.
    (":has(", 105),
    ("@container", 105),
    ("@scope", 118),
    ("@starting-style", 117),
    ("color-mix(", 111),
    ("oklch(", 111),
    ("light-dark(", 123),
    ("subgrid", 117),
    (":user-invalid", 119),
    (":user-valid", 119),
    (":popover-open", 114),
    ("anchor(", 125),
    ("\n  &", 112),
];

/// The oldest Chrome that the page is for.
const CHROME: u16 = 100;

/// What of the list is in a text; comments of lines are left out.
fn younger(text: &str) -> Vec<&'static str> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    YOUNGER.iter().filter(|(word, _)| code.contains(word)).map(|(word, _)| *word).collect()
}

#[test]
fn the_page_is_written_for_chrome_100() {
    assert!(YOUNGER.iter().all(|(_, version)| *version > CHROME));
    assert_eq!(younger("const a = [2, 1].toSorted();\n// .toReversed()"), [".toSorted("]);
    let mut files = 0;
    for folder in ["src-page/public", "src-page/dist"] {
        for entry in
            fs::read_dir(checkout().join(folder)).expect("the page is built; `cargo xtask ui` builds it")
        {
            let path = entry.expect("an entry").path();
            if !path.extension().is_some_and(|kind| ["js", "css", "html"].iter().any(|known| kind == *known))
            {
                continue;
            }
            let found = younger(&fs::read_to_string(&path).expect("text"));
            assert!(found.is_empty(), "{}: {found:?}", path.display());
            // A height that older ones do not know comes after one that they know.
            let text = fs::read_to_string(&path).expect("text");
            assert!(!text.contains("dvh") || text.contains("100vh"), "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 30, "{files} files");
}
