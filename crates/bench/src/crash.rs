//! `rabta-bench crash --rounds N`: the app core and the server as programs of their own, killed with SIGKILL at random
//! moments while visits are written, signed and sent. What was acknowledged must be there when they start again; in the
//! end every signed visit is at the server, once.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rabta_app::App;
use rabta_domain::{
    age::{AgeSaid, Said},
    patient::{Registration, Sex},
    visit::{AllergyState, VisitForm},
};
use rabta_ipc::{
    patient::Register,
    sync::GetSync,
    visit::{GetVisit, SaveVisit, SignVisit, StartVisit, VisitStatus},
};
use rabta_tests::{
    Run,
    hie::Hie,
    process,
    story::{CLINIC, DOCTOR},
};
use serde_json::{Value, json};

use crate::{
    laptop::{app, ask, join, unlock},
    register::Dice,
};

const FOLDER: &str = "RABTA_CRASH_FOLDER";
const CODE: &str = "RABTA_CRASH_CODE";
/// Longer than any start or drain takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(180);
/// The latest moment of a kill, milliseconds after the laptop began to write.
const LATEST_MS: u64 = 2_500;

/// What a laptop said was durable.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Durable {
    /// The visit's draft has this many lines of its complaint.
    Saved(u32),
    Signed,
}

/// Kills at random, `rounds` times. Prints `{"ok":…,"rounds":…,"failed":[…]}`.
pub async fn take(rounds: u32, seed: u64) -> Result<bool> {
    let run = Run::kept("crash")?;
    let mut hie = Hie::new(&run)?;
    hie.start().await?;
    hie.add_facility(CLINIC, "clinic", &[])?;
    let code = hie.enroll(&DOCTOR)?.code;
    let folder = run.path("laptop");
    let (mut dice, mut said, mut failed) = (Dice::new(seed), BTreeMap::new(), Vec::new());
    for round in 0..rounds {
        let mut laptop = Laptop::start("crash-laptop", &folder, &code, &said)?;
        let lost = laptop.until("ready", &mut said)?;
        let hie_too = dice.below(3) == 0;
        let began = Instant::now();
        let mut at = || Duration::from_millis(dice.below(LATEST_MS));
        let (ends, mut hie_ends) = (at(), hie_too.then(at));
        while began.elapsed() < ends {
            if hie_ends.take_if(|at| began.elapsed() >= *at).is_some() {
                hie.kill()?;
            }
            laptop.hear(Duration::from_millis(5), &mut said)?;
        }
        laptop.kill(&mut said)?;
        if !lost.is_empty() {
            failed.push(json!({ "round": round, "lost": lost }));
        }
        if !hie.runs() {
            hie.start().await?;
        }
        if round % 20 == 19 {
            crate::say(&format!("{} rounds, {} visits", round + 1, said.len()));
        }
    }
    // Everything up, and time: all that was signed is at the server, once.
    let mut laptop = Laptop::start("crash-drain", &folder, &code, &said)?;
    let lost = laptop.until("drained", &mut said)?;
    if !lost.is_empty() {
        failed.push(json!({ "round": rounds, "lost": lost }));
    }
    laptop.kill(&mut said)?;
    let signed: Vec<&String> =
        said.iter().filter(|(_, said)| **said == Durable::Signed).map(|(visit, _)| visit).collect();
    let token = hie.token(CLINIC)?;
    let mut missing = Vec::new();
    for visit in &signed {
        let (status, _) = hie.fhir(&token, &format!("Encounter/{visit}")).await?;
        if status != 200 {
            missing.push(visit.to_owned());
        }
    }
    let (_, all) = hie.fhir(&token, "Encounter?_summary=count").await?;
    let there = all["total"].as_u64().context("a count")?;
    // A visit whose signature was durable, but whose word of it was cut, may be there besides; none twice.
    let (_, documents) = hie.fhir(&token, "Composition?_summary=count").await?;
    let twice = documents["total"].as_u64() != Some(there);
    if !missing.is_empty() || twice || there < signed.len() as u64 {
        failed.push(json!({ "missing": missing, "encounters": there, "documents": documents["total"] }));
    }
    hie.stop()?;
    let ok = failed.is_empty();
    crate::say(&format!("{} visits were signed, {there} are at the server", signed.len()));
    println!("{}", json!({ "ok": ok, "rounds": rounds, "failed": failed }));
    Ok(ok)
}

/// The app core as a process.
struct Laptop {
    child: Child,
    lines: Receiver<String>,
}

impl Laptop {
    /// `said`: what must be there. Joins the first time.
    fn start(part: &str, folder: &Path, code: &str, said: &BTreeMap<String, Durable>) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(part)
            .env(FOLDER, folder)
            .env(CODE, code)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let expected: Vec<Value> = said
            .iter()
            .map(|(visit, said)| match said {
                Durable::Saved(lines) => json!([visit, lines]),
                Durable::Signed => json!([visit, null]),
            })
            .collect();
        serde_json::to_writer(child.stdin.take().context("its input")?, &expected)?;
        let output = child.stdout.take().context("its output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// Takes down what it says until it says `word`; what it found missing.
    fn until(&mut self, word: &str, said: &mut BTreeMap<String, Durable>) -> Result<Vec<String>> {
        let began = Instant::now();
        let mut lost = Vec::new();
        loop {
            let line = match self.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    ensure!(began.elapsed() < PATIENCE, "the laptop does not come to \"{word}\"");
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the laptop ended by itself"),
            };
            match line.strip_prefix("lost ") {
                Some(visit) => lost.push(visit.to_owned()),
                None if line == word => return Ok(lost),
                None => note(&line, said)?,
            }
        }
    }

    fn hear(&mut self, within: Duration, said: &mut BTreeMap<String, Durable>) -> Result<()> {
        match self.lines.recv_timeout(within) {
            Ok(line) => note(&line, said),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => bail!("the laptop ended by itself"),
        }
    }

    fn kill(mut self, said: &mut BTreeMap<String, Durable>) -> Result<()> {
        process::signal(self.child.id(), "KILL")?;
        self.child.wait()?;
        // What it said before its end counts.
        while let Ok(line) = self.lines.recv() {
            note(&line, said)?;
        }
        Ok(())
    }
}

fn note(line: &str, said: &mut BTreeMap<String, Durable>) -> Result<()> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["saved", visit, lines] => said.insert(visit.to_owned(), Durable::Saved(lines.parse()?)),
        ["signed", visit] => said.insert(visit.to_owned(), Durable::Signed),
        // A kill cuts the last line.
        _ => None,
    };
    Ok(())
}

/// Inside that process: looks whether all is there, then works, or sends what is unsent, until it is killed.
pub async fn laptop(drains: bool) -> Result<()> {
    let folder = PathBuf::from(std::env::var(FOLDER).context("this runs inside of `crash` only")?);
    let expected: Vec<(String, Option<u32>)> = serde_json::from_reader(std::io::stdin())?;
    let joined = folder.join("vault").exists();
    let app = app(&folder);
    if joined {
        unlock(&app).await?;
    } else {
        join(&app, std::env::var(CODE)?).await?;
    }
    for (visit, lines) in &expected {
        let found = ask(&app, GetVisit { id: visit.clone() }).await;
        let is_there = found.is_ok_and(|found| match lines {
            None => found.status == VisitStatus::Signed,
            // More than it said may be there.
            Some(lines) => found.status == VisitStatus::Signed || written(&found.form) >= *lines,
        });
        if !is_there {
            println!("lost {visit}");
        }
    }
    if drains {
        loop {
            let chip = ask(&app, GetSync {}).await?.chip;
            if chip.here_only == 0 && !chip.busy && chip.reachable {
                println!("drained");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    println!("ready");
    loop {
        work(&app).await?;
    }
}

/// One patient: registered, a visit saved line by line, signed.
async fn work(app: &App) -> Result<()> {
    let age = AgeSaid {
        said: Said::Years { n: 30 },
        on: time::OffsetDateTime::now_utc().date(),
        by: "patient".into(),
    };
    let registration = Registration {
        name: "Zubaida Khatoon".into(),
        sex: Sex::Female,
        age: Some(age),
        no_paper: Some("none".into()),
        ..Registration::default()
    };
    let patient = ask(app, Register { registration, shared_cnic: None }).await?;
    let visit = ask(app, StartVisit { patient: patient.id }).await?;
    let (mut rev, mut form) = (visit.rev, visit.form);
    form.danger.asked = true;
    form.allergies.state = AllergyState::NoneKnown;
    form.pregnancy.pregnant = "no".into();
    for line in 1..=4_u32 {
        form.complaint = "fever ".repeat(line as usize).into();
        rev = ask(app, SaveVisit { id: visit.id.clone(), rev, form: form.clone() }).await?.rev;
        println!("saved {} {line}", visit.id);
    }
    ask(app, SignVisit { id: visit.id.clone() }).await?;
    println!("signed {}", visit.id);
    Ok(())
}

fn written(form: &VisitForm) -> u32 {
    form.complaint.0.split_whitespace().count() as u32
}
