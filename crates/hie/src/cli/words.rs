//! What the operator's commands answer, in words.

use crate::{
    admin::{self, Reply, health},
    backup,
    envelopes::{HandedIn, stick::Answered},
    papers, system_clock,
};

pub(super) fn restored(done: &backup::Restored) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(done.made_at / 1000);
    let at = at.map_or_else(|_| "an unknown time".into(), |t| t.to_string());
    format!(
        "The HIE is as it was at {at}, change {}.\nA new epoch begins: {}. Start the server; laptops send again what \
         came later. Devices that joined after that time must join anew.",
        done.seq, done.epoch
    )
}

fn imported(done: &HandedIn) -> String {
    let mut lines = vec![format!(
        "device {}: {} taken, {} were here already, {} refused, {} wait for something that is not here",
        done.device,
        done.taken,
        done.known,
        done.refused.len(),
        done.waiting.len()
    )];
    lines.extend(done.refused.iter().map(|(id, code, text)| format!("refused {id}  {code}  {text}")));
    lines.extend(done.waiting.iter().map(|id| format!("waits {id}")));
    lines.join("\n")
}

fn answered(file: &Answered) -> String {
    match file.error.as_str() {
        "" => format!(
            "{}  {} taken, {} refused; its answer lies beside it",
            file.name, file.taken, file.refused
        ),
        why => format!("{}  not taken: {why}", file.name),
    }
}

/// For people; a code or a token is the last line.
pub(super) fn words(reply: &Reply) -> String {
    let facility = |f: &rabta_wire::enroll::Facility| format!("{}  {}  {}", f.id, f.kind, f.name);
    let lines = |lines: Vec<String>| lines.join("\n");
    match reply {
        Reply::Facility(f) => facility(f),
        Reply::Facilities(all) => lines(all.iter().map(facility).collect()),
        Reply::Person { person, .. } => format!("{}  {}  {}", person.id, person.role, person.name),
        Reply::Persons(all) => {
            lines(all.iter().map(|(p, at)| format!("{}  {}  {}  at {at}", p.id, p.role, p.name)).collect())
        }
        Reply::Code { code, person, .. } => {
            format!("A code for person {person}, good once and for seven days:\n{code}")
        }
        Reply::Roster(all) => lines(
            all.iter()
                .map(|r| format!("{}  {}  {}  {}  {}", r.person, r.specialty, r.name, r.phone, r.hours))
                .collect(),
        ),
        Reply::Token { token, .. } => token.clone(),
        Reply::MrBlock(b) => format!("{}-{:06} to {}-{:06}", b.prefix, b.first, b.prefix, b.last),
        Reply::Devices(all) => {
            let now = system_clock()();
            lines(all.iter().map(|d| health::device_line(d, now)).collect())
        }
        Reply::Health { findings, .. } => health::page(findings),
        Reply::Backup(made) => format!(
            "{}\n{} pieces, {} of them new ({:.1} MB); {} older backups removed; read back whole",
            made.file.display(),
            made.pieces,
            made.new_pieces,
            made.new_bytes as f64 / 1e6,
            made.removed
        ),
        Reply::Audit(reports) => lines(reports.iter().map(|r| r.words()).collect()),
        Reply::OperatorActs(acts) => crate::audit::report::operator_words(acts),
        Reply::BreakGlass(all) => admin::care::words(all),
        Reply::Key { pins: [now, next] } => format!(
            "The backup key has taken over; every laptop knows it. Codes that were not used yet are worth nothing now: make \
             new ones.\nin use   {now}\nbackup   {next}"
        ),
        Reply::Paper(answer) => papers::words(answer),
        Reply::LeaseCode { code, days } => {
            format!("Good once, for {days} days of use of that laptop:\n{code}")
        }
        Reply::Imported(done) => imported(done),
        Reply::Stick(all) if all.is_empty() => "there is nothing of a laptop on it".into(),
        Reply::Stick(all) => lines(all.iter().map(answered).collect()),
        Reply::AdminLink { url, minutes } => {
            let port = url
                .split([':', '/'])
                .find(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty());
            let port = port.unwrap_or_default();
            format!(
                "Good once, for {minutes} minutes. From another machine first: ssh -L {port}:localhost:{port} you@this-server\n{url}"
            )
        }
        Reply::Done => "done".into(),
        Reply::Failed(why) => why.clone(),
    }
}
