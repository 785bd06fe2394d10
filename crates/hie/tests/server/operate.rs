//! docs/OPERATE.md, played: the page's own commands, in their order, and in their midst a laptop that joins with the code
//! that one of them printed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use clap::Parser as _;
use rabta_hie::cli::Cli;
use rabta_wire::{code::EnrollmentCode, enroll::Enrolled};

use crate::{
    left_out::left_out,
    ports::free_port,
    support::{
        Member,
        server::{Server, client},
    },
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_rabta-hie");
/// Printed by the script where it waits for a line.
const JOIN_NOW: &str = "join now";
/// Printed by the script before the disk dies.
const LOST_NOW: &str = "lost now";

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The page's commands, with its three lines of places replaced; after a block that makes codes the script waits.
fn commands(temp: &Path, port: u16) -> String {
    let page = std::fs::read_to_string(checkout().join("docs/OPERATE.md")).unwrap();
    let (mut script, mut block, mut inside) = (String::new(), String::new(), false);
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" if inside => {
                inside = false;
                let waits = block.contains("rabta-hie enroll");
                let dies = block.contains("kill $SERVER");
                script = script
                    + if dies { "echo 'lost now'\n" } else { "" }
                    + &block
                    + if waits { "echo 'join now'; read -r _\n" } else { "" };
                block.clear();
            }
            _ if inside => block = block + line + "\n",
            _ => {}
        }
    }
    let places = [
        ("DATA=", temp.join("data").display().to_string()),
        ("BACKUPS=", temp.join("backups").display().to_string()),
        ("ADDRESS=", format!("127.0.0.1:{port}")),
    ];
    for (name, place) in places {
        let line = script.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("a line {name}"));
        script = script.replacen(&line.to_owned(), &format!("{name}'{place}'"), 1);
    }
    script.replace("0.0.0.0:", "127.0.0.1:")
}

async fn join(code: &EnrollmentCode) -> Member {
    let (ask, mut member) = Server::enrollment(code);
    let url = format!("https://{}/v1/enroll", code.address);
    let enrolled: Enrolled = client().post(url).json(&ask).send().await.unwrap().json().await.unwrap();
    assert_eq!(enrolled.invitation.facility.kind, "clinic");
    (member.device, member.person) = (enrolled.device, enrolled.invitation.person.id);
    member
}

/// Whether the server at `address` gives this laptop a token.
async fn is_known(address: &str, member: &Member) -> bool {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let assertion = Server::assertion(member, i64::try_from(now).unwrap());
    let body = format!(
        "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    );
    let url = format!("https://{address}/v1/token");
    let request = client().post(url).header("content-type", "application/x-www-form-urlencoded");
    request.body(body).send().await.unwrap().status() == 200
}

#[tokio::test]
async fn the_page_for_operators_is_right_from_the_first_clinic_to_the_way_back() {
    let temp = tempfile::tempdir().unwrap();
    let port = free_port();
    let script = format!(
        "set -euo pipefail\ntrap 'kill ${{SERVER:-}} 2> /dev/null || true' EXIT\n{}\nrabta-hie facility list --data \"$DATA\"\n\
         echo 'join now'; read -r _\n",
        commands(temp.path(), port)
    );
    let folder = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let log = temp.path().join("log");
    let mut shell = Command::new("bash")
        .args(["-c", &script])
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut go_on = shell.stdin.take().unwrap();
    let (mut said, mut laptop) = (String::new(), None);
    let (mut since, mut took) = (Instant::now(), Vec::new());
    for line in BufReader::new(shell.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        said = said + &line + "\n";
        if line == LOST_NOW {
            since = Instant::now();
        }
        if line != JOIN_NOW {
            continue;
        }
        match &laptop {
            None => {
                // The clinic's code is the first.
                let code = said.lines().find_map(|line| EnrollmentCode::parse(line).ok()).expect("a code");
                assert_eq!(code.address, format!("127.0.0.1:{port}"));
                let joined = join(&code).await;
                assert!(is_known(&code.address, &joined).await);
                laptop = Some((code.address, joined));
            }
            // The restored server is the one that this laptop joined.
            Some((address, joined)) => assert!(is_known(address, joined).await),
        }
        took.push(since.elapsed());
        go_on.write_all(b"\n").unwrap();
    }
    let ended = shell.wait().unwrap();
    assert!(ended.success(), "{said}\n{}", std::fs::read_to_string(&log).unwrap());
    assert_eq!(said.matches(JOIN_NOW).count(), 2, "{said}");
    assert!(said.contains("read back whole"), "a backup was made:\n{said}");
    assert!(said.contains("A new epoch begins"), "it was restored:\n{said}");
    assert!(said.contains("every page of the database is whole"), "the doctor looked at it:\n{said}");
    assert!(said.contains("hospital  Nishtar Hospital\njoin now"), "it knows its facilities:\n{said}");
    // Not anywhere in a line: the codes that were printed are letters of chance.
    assert!(!said.lines().any(|line| line.starts_with("BAD ")), "nothing is bad at the end:\n{said}");
    let [first, back] = took.as_slice() else { panic!("{took:?}") };
    let figures = format!(
        "from the empty machine to the first laptop that joined: {:.1} s\nfrom the lost disk to the same laptop known again: {:.1} s\n",
        first.as_secs_f64(),
        back.as_secs_f64()
    );
    println!("{figures}");
    if let Some(run) = std::env::var_os("RABTA_RUN").map(PathBuf::from) {
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(run.join("operate.txt"), figures).unwrap();
    }
}

/// The words of each line of `text` that calls `rabta-hie`, as a shell would hand them over: continued lines put together,
/// comments and what follows `&`, `|`, `>` and `<` cut off, quotes taken away. Placeholders stand for something that fits.
fn calls(text: &str) -> Vec<Vec<String>> {
    let whole = text.replace("\\\n", " ");
    let at = |line: &str| match line.trim_start() {
        // In a container, or the program's own line.
        run if run.starts_with("podman run ") || run.starts_with("podman exec ") => line.rfind(" rabta-hie "),
        own => own.starts_with("rabta-hie ").then(|| line.len() - own.len()),
    };
    let lines = whole.lines().filter_map(|line| at(line).map(|at| (line, at)));
    lines
        .map(|(line, at)| {
            let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
            for c in line[at..].chars() {
                match (c, quote) {
                    (c, Some(open)) if c == open => quote = None,
                    ('"' | '\'', None) => quote = Some(c),
                    ('#' | '&' | '|' | '>' | '<', None) => break,
                    (' ', None) => words.push(std::mem::take(&mut word)),
                    (c, _) => word.push(c),
                }
            }
            words.push(word);
            words.retain(|word| !word.is_empty());
            words
        })
        .map(|words| words.into_iter().map(|word| meant(&word)).collect())
        .collect()
}

/// Something of the kind that a placeholder or a variable stands for.
fn meant(word: &str) -> String {
    match word {
        "ID" => "00000000-0000-4000-8000-000000000001".into(),
        "\"$ADDRESS\"" | "$ADDRESS" | "${RABTA_PUBLIC}" => "hie.example.org:8443".into(),
        word => word.replace("${ADDRESS##*:}", "8443"),
    }
}

/// Whether the real program's own parser takes these words.
fn parsed(words: &[String]) -> Result<(), String> {
    // Words that are lists of further words, or nothing.
    let given = words.iter().filter(|word| !matches!(word.as_str(), "$RABTA_PHONES" | "$RABTA_UPDATES"));
    Cli::try_parse_from(given).map(drop).map_err(|error| format!("{words:?}: {error}"))
}

/// Also of the commands that are not played: those of a service, with an id or a device that a reader has, of a container.
#[test]
fn every_command_that_an_operator_is_shown_is_one_that_the_program_takes() {
    let file = |name: &str| std::fs::read_to_string(checkout().join(name)).unwrap();
    let page = file("docs/OPERATE.md");
    let (mut shown, mut inside) = (String::new(), false);
    for line in page.lines() {
        match line {
            "```" => inside = false,
            _ if line.starts_with("```sh") => inside = true,
            _ if inside => shown = shown + line + "\n",
            _ => {}
        }
    }
    let container = file("packaging/Containerfile").replace("\n#", "\n");
    let units: String = ["rabta-hie.service", "rabta-hie-backup.service"]
        .map(|unit| file(&format!("packaging/{unit}")).replace("ExecStart=/usr/local/bin/", ""))
        .concat();
    let healthcheck = container.lines().find_map(|line| line.split_once("CMD [")).expect("a HEALTHCHECK").1;
    let healthcheck = healthcheck.replace(['"', ',', ']'], "").replace("/usr/local/bin/", "");
    let phones = |text: &str| -> Vec<String> {
        let of = |name: &str| {
            let lines =
                text.lines().filter_map(|l| l.split_once(name)).filter(|(_, words)| words.starts_with("--"));
            lines
                .map(|(_, words)| words.split('\'').next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        [of("RABTA_PHONES="), of("RABTA_UPDATES=")].concat()
    };
    let listed = phones(&shown);
    assert_eq!(listed.len(), 2, "{listed:?}");
    let served = listed.iter().map(|words| format!("rabta-hie serve --data d {words}\n"));
    let mut all: Vec<Vec<String>> = Vec::new();
    for (text, least) in [
        (shown.as_str(), 25),
        // `podman run IMAGE words`, and the command inside a running one.
        (&container, 2),
        (&units, 3),
        (&healthcheck, 1),
        (&served.collect::<String>(), 2),
    ] {
        let found = calls(text);
        assert!(found.len() >= least, "{} commands in\n{text}", found.len());
        all.extend(found);
    }
    let wrong: Vec<String> = all.iter().filter_map(|words| parsed(words).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Every file that is copied from the repository is in it.
    let named = shown.split_whitespace().chain(container.split_whitespace());
    for name in named.filter(|word| word.starts_with("packaging/")) {
        assert!(checkout().join(name.trim_end_matches(['`', ')', ','])).exists(), "{name}");
    }
    // And a slip does not pass.
    for slip in [
        "rabta-hie doctr --data \"$DATA\"",
        "rabta-hie device revoke --data \"$DATA\" --device LAPTOP",
        "rabta-hie backup --data \"$DATA\" \\\n    --into \"$BACKUPS\"",
    ] {
        assert!(parsed(&calls(slip)[0]).is_err(), "{slip}");
    }
}

/// What the container file builds and copies is what there is: it cannot be built here, where no container runs.
#[test]
fn the_container_file_copies_what_its_build_makes() {
    let text = std::fs::read_to_string(checkout().join("packaging/Containerfile")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let after = |name: &str| lines.iter().filter_map(|l| l.strip_prefix(name)).collect::<Vec<_>>();
    // The package that is built makes the program that is copied, at the place that everything calls.
    let build = after("RUN cargo ").concat();
    let package = build.split("-p ").nth(1).expect("one package").split(' ').next().unwrap();
    assert_eq!(package, env!("CARGO_PKG_NAME"));
    assert!(
        build.contains("--release") && build.contains("--locked") && checkout().join("Cargo.lock").exists()
    );
    let copied = after("COPY --from=build ").concat();
    let program = Path::new(PROGRAM).file_stem().unwrap().to_str().unwrap();
    assert_eq!(copied, format!("/rabta/target/release/{program} /usr/local/bin/"));
    assert_eq!(after("ENTRYPOINT "), [format!("[\"/usr/local/bin/{program}\"]")]);
    // Its user owns the folder in which it serves.
    let user = after("USER ").concat();
    assert!(after("RUN useradd ").concat().contains(&format!("--uid {user} --home-dir /var/lib/rabta-hie")));
    assert_eq!(after("VOLUME "), ["/var/lib/rabta-hie"]);
}

/// With a program that is there in the place of ours, systemd finds nothing wrong with the units, and little exposed.
#[test]
fn the_units_are_right_and_hardened() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        left_out("there is no systemd-analyze");
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for entry in std::fs::read_dir(checkout().join("packaging")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "service" || e == "timer") {
            let unit = std::fs::read_to_string(&path).unwrap().replace("/usr/local/bin/rabta-hie", PROGRAM);
            let copy = temp.path().join(path.file_name().unwrap());
            std::fs::write(&copy, unit).unwrap();
            units.push(copy);
        }
    }
    assert_eq!(units.len(), 3, "{units:?}");
    let out = Command::new("systemd-analyze").arg("verify").args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && !said.contains("rabta-hie"), "{said}");
    for unit in units.iter().filter(|u| u.extension().is_some_and(|e| e == "service")) {
        // From 0 to 100: at most 3.0 of 10.
        let out = Command::new("systemd-analyze")
            .args(["security", "--offline=yes", "--threshold=30"])
            .arg(unit)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    }
}
