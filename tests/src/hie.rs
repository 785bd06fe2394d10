//! The central server as its operator uses it: the program, its commands, its HTTP.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    Run,
    phone::TestCa,
    ports::free_port,
    process::{self, Kept, POLL},
    story::Person,
    webdriver,
};

/// How long it may take to start, migrations included, and to drain.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Hie {
    /// Its machine's address, where it listens.
    pub host: Ipv4Addr,
    program: PathBuf,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    relay_port: u16,
    server: Option<Kept>,
    /// Where phones come in, and with which certificate and key.
    pub door: Option<(u16, PathBuf, PathBuf)>,
    /// A folder of packages for laptops.
    pub updates: Option<PathBuf>,
    /// Words to put before the program, such as `faketime`.
    pub wrapper: Vec<String>,
}

/// A one-time code and whom it is for.
pub struct Invited {
    pub code: String,
    /// The person's id.
    pub person: String,
}

impl Hie {
    /// A new server's place, on ports of its own; nothing runs yet.
    pub fn new(run: &Run) -> Result<Self> {
        Self::at(run, "hie")
    }

    /// The same under another name, for two in one run.
    pub fn at(run: &Run, name: &str) -> Result<Self> {
        Ok(Self {
            host: Ipv4Addr::LOCALHOST,
            program: process::built("rabta-hie")?,
            data: run.path(name),
            log: run.log(name),
            port: free_port(),
            relay_port: free_port(),
            server: None,
            door: None,
            updates: None,
            wrapper: Vec::new(),
        })
    }

    /// `host:port`, as clients reach it.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Lets phones in from its next start on.
    pub fn open_door(&mut self, ca: &TestCa) -> Result<()> {
        self.door = Some((free_port(), ca.cert.clone(), ca.key.clone()));
        Ok(())
    }

    /// Answers at another server's address from now on.
    pub fn take_the_place_of(&mut self, other: &Hie) {
        self.port = other.port;
        self.relay_port = other.relay_port;
    }

    pub fn pid(&self) -> Result<u32> {
        let server = self.server.as_ref().context("the HIE does not run")?;
        Ok(process::running(server.pid(), &self.program).first().copied().unwrap_or(server.pid()))
    }

    /// Starts it and waits until it says that it is ready.
    pub async fn start(&mut self) -> Result<()> {
        let mut serve = self.command();
        serve
            .args(["serve", "--data"])
            .arg(&self.data)
            .args(["--listen", &self.address(), "--public", &self.address()])
            .args([
                "--relay-listen",
                &format!("{}:{}", self.host, self.relay_port),
                "--relay-allow",
                &self.host.to_string(),
            ]);
        if let Some((port, cert, key)) = &self.door {
            serve.args(["--patient-listen", &format!("{}:{port}", self.host)]);
            serve.arg("--tls-cert").arg(cert).arg("--tls-key").arg(key);
            if !self.host.is_loopback() {
                serve.args(["--patient-url", &format!("https://{}:{port}", self.host)]);
            }
        }
        if let Some(folder) = &self.updates {
            serve.arg("--updates").arg(folder);
        }
        let mut server = Kept::start("the HIE", &mut serve, &self.log)?;
        let http = webdriver::client()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ready = http.get(self.url("/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            if server.has_ended() {
                bail!("the HIE ended at once; its log: {}", self.log.display());
            }
            if Instant::now() > deadline {
                bail!("the HIE is not ready after {PATIENCE:?}; its log: {}", self.log.display());
            }
            tokio::time::sleep(POLL).await;
        }
        self.server = Some(server);
        Ok(())
    }

    /// Asks it to drain and waits for its end.
    pub fn stop(&mut self) -> Result<()> {
        let pid = self.pid()?;
        let Some(mut server) = self.server.take() else { return Ok(()) };
        process::signal(pid, "TERM")?;
        match server.wait(PATIENCE)? {
            Some(0) => Ok(()),
            code => bail!("the HIE ended with {code:?} after SIGTERM"),
        }
    }

    /// Ends it at once, as a power cut does.
    pub fn kill(&mut self) -> Result<()> {
        let pid = self.pid()?;
        process::signal(pid, "KILL")?;
        self.server = None;
        Ok(())
    }

    pub fn runs(&self) -> bool {
        self.server.is_some()
    }

    /// An operator's command, on the data folder, whether the server runs or not; what it answered.
    pub fn admin(&self, args: &[&str]) -> Result<Value> {
        let mut command = self.command();
        command.args(args).arg("--json").arg("--data").arg(&self.data).stdin(Stdio::null());
        let out = command.output().context("starting rabta-hie")?;
        if !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr);
            bail!("rabta-hie {} ended with {}: {}", args.join(" "), out.status, said.trim());
        }
        serde_json::from_slice(&out.stdout)
            .with_context(|| format!("what rabta-hie {} printed", args.join(" ")))
    }

    /// What `doctor --json` printed, and whether it says that all is well.
    pub fn doctor(&self) -> Result<(bool, Value)> {
        let mut command = self.command();
        command.args(["doctor", "--json", "--data"]).arg(&self.data).stdin(Stdio::null());
        let out = command.output().context("starting rabta-hie")?;
        let found = serde_json::from_slice(&out.stdout).context("what rabta-hie doctor printed")?;
        Ok((out.status.success(), found))
    }

    pub fn add_facility(&self, name: &str, kind: &str, more: &[&str]) -> Result<String> {
        let mut args = vec!["facility", "add", "--name", name, "--kind", kind];
        args.extend(more);
        text(&self.admin(&args)?, "/facility/id")
    }

    /// A one-time code for a new person.
    pub fn enroll(&self, person: &Person) -> Result<Invited> {
        let mut args =
            vec!["enroll", "--facility", person.facility, "--name", person.name, "--role", person.role];
        args.extend(["--registration", person.registration, "--qualification", person.qualification]);
        args.extend(["--phone", person.phone]);
        if let Some(specialty) = person.specialty {
            args.extend(["--specialty", specialty, "--hours", "always"]);
        }
        let made = self.admin(&args)?;
        Ok(Invited { code: text(&made, "/code/code")?, person: text(&made, "/code/person")? })
    }

    /// A code for a person who is known already, on a further device.
    pub fn enroll_again(&self, person: &Person, id: &str) -> Result<Invited> {
        let made = self.admin(&["enroll", "--facility", person.facility, "--person", id])?;
        Ok(Invited { code: text(&made, "/code/code")?, person: id.to_owned() })
    }

    /// A token for all that one facility may see, good for an hour.
    pub fn token(&self, facility: &str) -> Result<String> {
        text(&self.admin(&["token", "--operator", "--facility", facility, "--hours", "1"])?, "/token/token")
    }

    /// The address of a page of this server.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address())
    }

    /// GETs a page of its FHIR API with an operator's token: the status and the body.
    pub async fn fhir(&self, token: &str, path: &str) -> Result<(u16, Value)> {
        let http = webdriver::client()?;
        let answer = http.get(self.url(&format!("/fhir/{path}"))).bearer_auth(token).send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.unwrap_or(Value::Null)))
    }

    fn command(&self) -> Command {
        match self.wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        }
    }
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("rabta-hie's answer has no {pointer}"))
}
