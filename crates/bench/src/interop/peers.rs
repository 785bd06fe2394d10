//! Servers to try, started by this program: built or installed once into the cache, stopped when this is dropped.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rabta_sync::{
    Pins,
    foreign::{Auth, Trust},
};
use rabta_tests::{
    Run,
    hie::Hie,
    ports::free_port,
    process::{Kept, POLL},
    run::checkout,
    story::{CLINIC, DOCTOR},
    webdriver,
};
use rabta_wire::{Id, code::EnrollmentCode};

const HAPI: &str = "8.8.0";
const SEKMET: &str = "0.1.1";
/// HAPI needs two minutes where others use the processors, too.
const PATIENCE: Duration = Duration::from_secs(360);

/// A server to try.
pub struct Peer {
    pub name: String,
    pub base: String,
    pub auth: Auth,
    pub trust: Trust,
    /// Whose records these are, where the server asks.
    pub facility: Option<Id>,
    _running: Option<Running>,
}

enum Running {
    Process { _kept: Kept },
    Hie { _hie: Box<Hie> },
}

impl Peer {
    /// One that runs somewhere.
    pub fn at(base: &str, auth: Auth, trust: Trust, facility: Option<Id>) -> Self {
        Self { name: base.to_owned(), base: base.to_owned(), auth, trust, facility, _running: None }
    }

    /// `hapi`, `sekmet` or `rabta`.
    pub async fn start(name: &str, run: &Run) -> Result<Self> {
        match name {
            "hapi" => hapi(run).await,
            "sekmet" => sekmet(run).await,
            "rabta" => rabta(run).await,
            other => bail!("there is no server {other} to start; there are hapi, sekmet and rabta"),
        }
    }
}

/// What is kept from run to run.
fn tools() -> Result<PathBuf> {
    let cache = match std::env::var_os("RABTA_CACHE") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache/rabta"),
    };
    Ok(cache.join("tools"))
}

/// Whether `name` can be started without installing anything.
pub fn is_there(name: &str) -> bool {
    let there = |file: &str| tools().is_ok_and(|tools| tools.join(file).exists());
    match name {
        "hapi" => there(&format!("hapi-fhir-{HAPI}/target/hapi-r4.jar")),
        "sekmet" => there(&format!("sekmet-fhir-{SEKMET}/bin/sekmet")),
        _ => true,
    }
}

async fn hapi(run: &Run) -> Result<Peer> {
    let folder = tools()?.join(format!("hapi-fhir-{HAPI}"));
    if !is_there("hapi") {
        eprintln!("    building HAPI FHIR {HAPI} (Java 17, Maven; 300 MB, once)");
        copy(&checkout().join("crates/bench/peers/hapi-r4"), &folder)?;
        quietly(Command::new("mvn").args(["-B", "-q", "package"]).current_dir(&folder), run, "mvn")?;
    }
    let port = free_port();
    let mut java = Command::new("java");
    java.args(["-Xmx1500m", "-cp", "target/hapi-r4.jar:target/lib/*", "peer.HapiR4"]);
    java.arg(port.to_string()).current_dir(&folder);
    let kept = Kept::start("HAPI", &mut java, &run.log("hapi"))?;
    up("HAPI FHIR", format!("http://127.0.0.1:{port}/fhir"), kept, run).await
}

async fn sekmet(run: &Run) -> Result<Peer> {
    let folder = tools()?.join(format!("sekmet-fhir-{SEKMET}"));
    if !is_there("sekmet") {
        eprintln!("    installing sekmet-fhir {SEKMET} (Python; 190 MB, once)");
        quietly(Command::new("python3").args(["-m", "venv"]).arg(&folder), run, "venv")?;
        let wanted = format!("sekmet-fhir=={SEKMET}");
        let mut pip = Command::new(folder.join("bin/pip"));
        quietly(pip.args(["install", "-q", &wanted, "aiohttp"]), run, "pip")?;
    }
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}/fhir");
    let settings = run.path("sekmet.yaml");
    // Its simulator answers orders by itself.
    let text = format!(
        "base_url: {base}\nhost: 127.0.0.1\nport: {port}\ndata_dir: {}\nsimulator: {{enabled: false}}\nlog_inbound: false\n",
        run.path("sekmet").display()
    );
    std::fs::write(&settings, text)?;
    let mut serve = Command::new(folder.join("bin/sekmet"));
    serve.args(["serve", "--host", "127.0.0.1", "--port", &port.to_string()]);
    serve.env("SEKMET_CONFIG", &settings).current_dir(run.folder());
    let kept = Kept::start("sekmet", &mut serve, &run.log("sekmet"))?;
    up("sekmet-fhir", base, kept, run).await
}

/// Our own, through its FHIR API, as another system sees it.
async fn rabta(run: &Run) -> Result<Peer> {
    let mut hie = Hie::new(run)?;
    hie.start().await?;
    let facility = hie.add_facility(CLINIC, "clinic", &[])?;
    let token = hie.token(CLINIC)?;
    let code = hie.enroll(&DOCTOR)?.code;
    let code = EnrollmentCode::parse(&code).map_err(|_| anyhow::anyhow!("the server's own code"))?;
    Ok(Peer {
        name: "rabta-hie".into(),
        base: hie.url("/fhir"),
        auth: Auth::Bearer(token.into()),
        trust: Trust::Pinned(Pins::of_code(code.spki_sha256_16)),
        facility: Some(facility.parse().map_err(|_| anyhow::anyhow!("the facility's id"))?),
        _running: Some(Running::Hie { _hie: Box::new(hie) }),
    })
}

/// Waits until it describes itself.
async fn up(name: &str, base: String, mut kept: Kept, run: &Run) -> Result<Peer> {
    let http = webdriver::client()?;
    let began = Instant::now();
    loop {
        let answer = http.get(format!("{base}/metadata")).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
        let logs = run.folder().display();
        ensure!(!kept.has_ended(), "{name} ended at once; its log is in {logs}");
        ensure!(began.elapsed() < PATIENCE, "{name} is not up after {PATIENCE:?}; its log is in {logs}");
        tokio::time::sleep(POLL).await;
    }
    let running = Some(Running::Process { _kept: kept });
    Ok(Peer {
        name: name.into(),
        base,
        auth: Auth::Nobody,
        trust: Trust::System,
        facility: None,
        _running: running,
    })
}

fn quietly(command: &mut Command, run: &Run, name: &str) -> Result<()> {
    let log = run.log(name);
    let file = std::fs::File::create(&log)?;
    let status = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).status();
    let status = status.with_context(|| format!("starting {name}; is it installed?"))?;
    ensure!(status.success(), "{name} failed; its words are in {}", log.display());
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
