//! The command line.

mod serve;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use rabta_wire::{Id, lease};

pub use self::serve::Serve;
use self::words::{restored, words};
use crate::{
    admin::{self, PersonFields, Reply, Request, health, reach},
    backup,
    config::default_key_file,
    db::{DataLock, Db, LockError},
    identity::NewFacility,
    papers, system_clock,
};

/// The Rabta HIE: records, asks and calls between clinics and specialists.
#[derive(Parser)]
#[command(name = "rabta-hie", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Clone)]
pub struct Data {
    /// The folder of the database.
    #[arg(long)]
    data: PathBuf,
    /// The database's key; `<data>.key` if not given. Keep it apart from the data's backups.
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// One JSON object instead of words.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Serve until SIGTERM.
    Serve(Serve),
    /// Wait until the server on this folder answers; at most half a minute.
    Ready(Data),
    /// Make a one-time code with which a person joins on a device.
    Enroll(Enroll),
    /// Facilities.
    #[command(subcommand)]
    Facility(FacilityCommand),
    /// Persons.
    #[command(subcommand)]
    Person(PersonCommand),
    /// The duty roster.
    #[command(subcommand)]
    Roster(RosterCommand),
    /// An access token for the FHIR API, for everything of one facility.
    Token(Token),
    /// Keep a range of MR numbers from being allotted.
    MrBlock(MrBlock),
    /// Devices.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// The key that laptops know this server by.
    #[command(subcommand)]
    Key(KeyCommand),
    /// A one-time address of the operator's page in a browser, good for ten minutes.
    AdminLink(Data),
    /// Look at everything that an operator must keep an eye on, and say what to do. Fails where somebody should act.
    Doctor(Doctor),
    /// Who looked at a patient's record: on the HIE and on laptops, when, from where, what and why.
    Audit(Audit),
    /// Emergency accesses to other facilities' records.
    #[command(subcommand)]
    BreakGlass(BreakGlassCommand),
    /// Add an encrypted backup to a folder and read it back; what did not change is not copied again.
    Backup(Backup),
    /// Say whether the code on a printed prescription is genuine, who signed it, when, and for how many medicines. Fails
    /// where it is not genuine.
    Verify(Verify),
    /// Take a file with records that a laptop could not send any more.
    Import(Import),
    /// Answer what laptops without a line sent on a stick, then give the stick back: they take the answers from it.
    Stick(Stick),
    /// Bring a backup back into an empty data folder. Laptops then send again what they have.
    Restore(Restore),
}

#[derive(Args)]
pub struct Doctor {
    #[command(flatten)]
    data: Data,
    /// Read every page of the database, too.
    #[arg(long)]
    deep: bool,
}

#[derive(Args)]
pub struct Audit {
    #[command(flatten)]
    data: Data,
    /// The patient's id, MR number or other identifier (`number` or `system|number`); `-` reads it from the input, so
    /// that it is in no shell's history.
    #[arg(long, required_unless_present = "operator")]
    patient: Option<String>,
    /// What was done to this server: by the operator's command and page.
    #[arg(long, conflicts_with = "patient")]
    operator: bool,
    /// Only what the HIE received since then, like 2026-11-22.
    #[arg(long)]
    since: Option<String>,
}

#[derive(Subcommand)]
pub enum BreakGlassCommand {
    List {
        #[command(flatten)]
        data: Data,
        /// Only those that nobody reviewed.
        #[arg(long)]
        open: bool,
    },
    /// Note what a review of it found.
    Review {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        grant: Id,
        #[arg(long)]
        note: String,
        /// It was not justified: it ends now.
        #[arg(long)]
        end: bool,
    },
}

#[derive(Args)]
pub struct Backup {
    #[command(flatten)]
    data: Data,
    /// The folder of the backups, best on another disk.
    #[arg(long)]
    to: PathBuf,
    /// How many to keep.
    #[arg(long, default_value_t = 30)]
    keep: usize,
}

#[derive(Args)]
pub struct Verify {
    #[command(flatten)]
    data: Data,
    /// As scanned: it begins with `RABTA:`.
    code: String,
}

#[derive(Args)]
pub struct Import {
    #[command(flatten)]
    data: Data,
    /// The file that the laptop made.
    file: PathBuf,
}

#[derive(Args)]
pub struct Stick {
    #[command(flatten)]
    data: Data,
    /// Where the stick is plugged in.
    folder: PathBuf,
}

#[derive(Args)]
pub struct Restore {
    #[command(flatten)]
    data: Data,
    /// The folder of the backups.
    #[arg(long)]
    from: PathBuf,
    /// A certain one (its `.json`); else the newest.
    #[arg(long)]
    manifest: Option<PathBuf>,
}

#[derive(Args)]
pub struct Person {
    #[arg(long)]
    name: Option<String>,
    /// doctor, specialist, lhv, midwife, nurse, technician, dispenser, vaccinator, chw, registration or operator.
    #[arg(long)]
    role: Option<String>,
    /// The professional council's number.
    #[arg(long)]
    registration: Option<String>,
    #[arg(long)]
    qualification: Option<String>,
    #[arg(long)]
    specialty: Option<String>,
    #[arg(long)]
    phone: Option<String>,
    /// Duty hours like `mon-fri 08:00-16:00` or `always`: puts the person on the roster.
    #[arg(long)]
    hours: Option<String>,
}

#[derive(Args)]
pub struct Enroll {
    #[command(flatten)]
    data: Data,
    /// Id or name.
    #[arg(long)]
    facility: String,
    #[command(flatten)]
    fields: Person,
    /// A person who is known already and joins on a further device.
    #[arg(long)]
    person: Option<Id>,
    /// The address to put into the code, if not the one that the server runs under.
    #[arg(long)]
    public: Option<String>,
}

#[derive(Subcommand)]
pub enum FacilityCommand {
    Add {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        name: String,
        /// clinic or hospital.
        #[arg(long, default_value = "clinic")]
        kind: String,
        #[arg(long)]
        id: Option<Id>,
        /// A place id of the country package.
        #[arg(long)]
        place: Option<String>,
        #[arg(long)]
        address: Option<String>,
        /// Four digits with which its MR numbers begin.
        #[arg(long)]
        mr_prefix: Option<String>,
    },
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Revoke all its devices.
    Revoke {
        #[command(flatten)]
        data: Data,
        /// Id or name.
        #[arg(long)]
        facility: String,
    },
}

#[derive(Subcommand)]
pub enum PersonCommand {
    Add {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        facility: String,
        #[command(flatten)]
        fields: Person,
    },
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Nothing that they sign from now on is taken; they leave the roster.
    Revoke {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        person: Id,
    },
}

#[derive(Subcommand)]
pub enum RosterCommand {
    Set {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        person: Id,
        #[arg(long)]
        specialty: Option<String>,
        #[arg(long)]
        phone: Option<String>,
        #[arg(long, default_value = "always")]
        hours: String,
    },
    /// Take a person off it.
    Remove {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        person: Id,
    },
    List {
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Args)]
pub struct Token {
    #[command(flatten)]
    data: Data,
    /// Says that this is meant: the token opens every record of the facility.
    #[arg(long, required = true)]
    operator: bool,
    #[arg(long)]
    facility: String,
    #[arg(long, default_value_t = 15)]
    minutes: i64,
    #[arg(long)]
    hours: Option<i64>,
}

#[derive(Args)]
pub struct MrBlock {
    #[command(flatten)]
    data: Data,
    #[arg(long)]
    facility: String,
    #[arg(long)]
    first: i64,
    #[arg(long)]
    last: i64,
    #[arg(long, default_value = "sample")]
    purpose: String,
}

#[derive(Subcommand)]
pub enum DeviceCommand {
    /// Whose they are, when they last sent something, what was refused.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// The device may no longer push, pull or get a token.
    Revoke {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        device: Id,
    },
    /// A code to read out to somebody whose laptop asks for one, since it has not reached this server for long.
    LeaseCode {
        #[command(flatten)]
        data: Data,
        #[arg(long)]
        device: Id,
        /// The eight letters and digits on its screen.
        #[arg(long)]
        challenge: String,
        /// For how many days of use.
        #[arg(long, default_value_t = lease::DAYS)]
        days: u32,
    },
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Let the backup key take over, which every laptop knows already, and make another behind it: the key was told, or
    /// may have been.
    Rotate {
        #[command(flatten)]
        data: Data,
        /// Also less than 30 days after the last time.
        #[arg(long)]
        again: bool,
    },
}

impl Person {
    fn fields(self) -> Option<PersonFields> {
        Some(PersonFields {
            name: self.name?,
            role: self.role?,
            registration: self.registration,
            qualification: self.qualification,
            specialty: self.specialty,
            phone: self.phone,
            hours: self.hours,
        })
    }
}

/// Does an operator's command and returns what to print.
pub async fn operate(command: Command) -> anyhow::Result<String> {
    let (data, request) = match command {
        Command::Serve(_) => bail!("serve is no operator's command"),
        Command::Enroll(e) => (
            e.data,
            Request::Enroll {
                facility: e.facility,
                person: e.person,
                new: e.fields.fields(),
                public: e.public,
            },
        ),
        Command::Facility(FacilityCommand::Add { data, name, kind, id, place, address, mr_prefix }) => {
            (data, Request::AddFacility { new: NewFacility { id, name, kind, place, address, mr_prefix } })
        }
        Command::Facility(FacilityCommand::List { data }) => (data, Request::Facilities),
        Command::Person(PersonCommand::Add { data, facility, fields }) => {
            let new = fields.fields().context("a person has a --name and a --role")?;
            (data, Request::AddPerson { facility, new })
        }
        Command::Person(PersonCommand::List { data }) => (data, Request::Persons),
        Command::Roster(RosterCommand::Set { data, person, specialty, phone, hours }) => {
            (data, Request::SetRoster { person, specialty, phone, hours })
        }
        Command::Roster(RosterCommand::List { data }) => (data, Request::Roster),
        Command::Token(t) => {
            let seconds = t.hours.map_or(t.minutes * 60, |h| h * 3600);
            (t.data, Request::Token { facility: t.facility, seconds })
        }
        Command::MrBlock(m) => (
            m.data,
            Request::ReserveMr { facility: m.facility, first: m.first, last: m.last, purpose: m.purpose },
        ),
        Command::Facility(FacilityCommand::Revoke { data, facility }) => {
            (data, Request::RevokeFacility { facility })
        }
        Command::Person(PersonCommand::Revoke { data, person }) => (data, Request::RevokePerson { person }),
        Command::Roster(RosterCommand::Remove { data, person }) => (data, Request::LeaveRoster { person }),
        Command::Key(KeyCommand::Rotate { data, again }) => (data, Request::RotateKey { again }),
        Command::AdminLink(data) => (data, Request::AdminLink),
        Command::Ready(data) => return ready(&data).await,
        Command::Doctor(doctor) => return examine(doctor).await,
        Command::Backup(Backup { data, to, keep }) => {
            std::fs::create_dir_all(&to).context("the backup folder")?;
            let folder = to.canonicalize().context("the backup folder")?;
            (data, Request::Backup { folder, keep })
        }
        Command::Restore(Restore { data, from, manifest }) => {
            as_owner(&data.data)?;
            let key_file = data.key_file.clone().unwrap_or_else(|| default_key_file(&data.data));
            let done = backup::restore(&from, manifest.as_deref(), &data.data, &key_file).await?;
            return if data.json { Ok(serde_json::to_string(&done)?) } else { Ok(restored(&done)) };
        }
        Command::Audit(Audit { data, patient: None, since, .. }) => (data, Request::OperatorActs { since }),
        Command::Audit(Audit { data, patient: Some(mut patient), since, .. }) => {
            if patient == "-" {
                patient.clear();
                std::io::stdin().read_line(&mut patient).context("the patient's number")?;
            }
            (data, Request::Audit { patient, since })
        }
        Command::BreakGlass(BreakGlassCommand::List { data, open }) => (data, Request::BreakGlass { open }),
        Command::BreakGlass(BreakGlassCommand::Review { data, grant, note, end }) => {
            (data, Request::ReviewBreakGlass { grant, note, end })
        }
        Command::Verify(Verify { data, code }) => {
            let reply = ask(&data, Request::VerifyPaper { code }).await?;
            let Reply::Paper(answer) = reply else {
                bail!("the server that runs on this folder is of another version")
            };
            let text = if data.json { serde_json::to_string(&answer)? } else { papers::words(&answer) };
            return if answer.genuine { Ok(text) } else { bail!(text) };
        }
        Command::Device(DeviceCommand::List { data }) => (data, Request::Devices),
        Command::Device(DeviceCommand::Revoke { data, device }) => (data, Request::RevokeDevice { device }),
        Command::Device(DeviceCommand::LeaseCode { data, device, challenge, days }) => {
            (data, Request::LeaseCode { device, challenge, days })
        }
        Command::Import(Import { data, file }) => {
            let file = file.canonicalize().context("the file")?;
            (data, Request::Import { file })
        }
        Command::Stick(Stick { data, folder }) => {
            let folder = folder.canonicalize().context("the stick")?;
            (data, Request::Stick { folder })
        }
    };
    let reply = ask(&data, request).await?;
    if let Reply::Failed(why) = reply {
        bail!(why);
    }
    if data.json { Ok(serde_json::to_string(&reply)?) } else { Ok(words(&reply)) }
}

async fn ready(data: &Data) -> anyhow::Result<String> {
    for _ in 0..150 {
        #[cfg(unix)]
        if admin::socket::ask(&data.data, &Request::Facilities).await.is_ok() {
            return Ok("it is ready".into());
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("no server on this folder answers; look at its log")
}

/// Between two tries.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// Asks the running server, or does it here if there is none. A server that is about to start holds the folder, but
/// does not answer yet.
async fn ask(data: &Data, request: Request) -> anyhow::Result<Reply> {
    let mut left = 15;
    loop {
        match ask_once(data, request.clone()).await {
            Err(e) if left > 0 && e.is::<std::io::Error>() => left -= 1,
            other => return other,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask_once(data: &Data, request: Request) -> anyhow::Result<Reply> {
    match take_lock(&data.data)? {
        Ok(_lock) => {
            as_owner(&data.data)?;
            let key_file = data.key_file.clone().unwrap_or_else(|| default_key_file(&data.data));
            let now = system_clock()();
            let db = Db::open(&data.data, &key_file, now).await?;
            let reply = admin::run(&db, request, now).await;
            db.close().await;
            Ok(reply?)
        }
        #[cfg(unix)]
        Err(LockError::Taken) => admin::socket::ask(&data.data, &request)
            .await
            .context("the server that runs on this folder does not answer"),
        Err(e) => Err(e.into()),
    }
}

/// A server that runs may be asked by root; but the lock's file is the server's own.
fn take_lock(data: &Path) -> anyhow::Result<Result<DataLock, LockError>> {
    if !data.join("lock").exists() {
        as_owner(data)?;
    }
    Ok(DataLock::take(data))
}

/// Root may write everywhere, but what it makes in another user's folder, that user's server cannot open.
pub fn as_owner(data: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let there = data.ancestors().find_map(|folder| std::fs::metadata(folder).ok());
        let owner = there.map_or(0, |folder| folder.uid());
        if rustix::process::geteuid().is_root() && owner != 0 {
            let name = format!("'#{owner}'");
            bail!(
                "{} belongs to another user; run this as that user: sudo -u {name} rabta-hie …",
                data.display()
            );
        }
    }
    #[cfg(not(unix))]
    let _ = data;
    Ok(())
}

/// What `doctor` found where something is bad: the answer that was asked for, though the program fails.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unwell(pub String);

/// Looks at the files, asks the database, knocks at the address. [`Unwell`] where something is bad.
async fn examine(Doctor { data, deep }: Doctor) -> anyhow::Result<String> {
    let key_file = data.key_file.clone().unwrap_or_else(|| default_key_file(&data.data));
    let mut findings = health::of_files(&data.data, &key_file);
    let running = matches!(take_lock(&data.data)?, Err(LockError::Taken));
    if running || data.data.join("hie.db").exists() {
        let reply = ask(&data, Request::Health { deep }).await?;
        let Reply::Health { findings: more, address, page, relay } = reply else {
            bail!("the server that runs on this folder is of another version");
        };
        findings.push(reach::server(running, Some(&address)));
        findings.extend(page.as_deref().map(reach::page));
        findings.extend(relay.as_deref().map(reach::relay));
        findings.extend(more);
    } else {
        findings.push(reach::server(false, None));
    }
    let text = if data.json { serde_json::to_string(&findings)? } else { health::page(&findings) };
    if findings.iter().any(|f| f.state == health::State::Bad) { Err(Unwell(text).into()) } else { Ok(text) }
}
