//! The capabilities that our projection needs, each tried on a server.

use anyhow::{Context, Result};
use rabta_domain::fhir::{Json, Resource};
use rabta_store::RecordStore;
use rabta_sync::foreign::{Answer, Lack, Page, Server, Why};
use rabta_tests::Run;
use serde_json::json;

use super::{
    cut,
    laptop::{Story, open},
    peers::Peer,
};

/// How a server does with one capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Works,
    OtherWay,
    Lacks,
    /// It should work and does not: ours to mend, or the server's bug.
    Fails,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::OtherWay => "another way",
            Self::Lacks => "lacks",
            Self::Fails => "FAILS",
        }
    }
}

pub struct Row {
    pub name: &'static str,
    pub state: State,
    pub words: String,
}

/// What a server says that it is, and how it does.
pub struct Report {
    pub server: String,
    pub software: String,
    pub rows: Vec<Row>,
}

impl Report {
    fn row(&mut self, name: &'static str, state: State, words: impl Into<String>) {
        let words: String = words.into();
        let words = words.replace(['\n', '|'], " ").chars().take(160).collect();
        self.rows.push(Row { name, state, words });
    }

    fn is(&mut self, name: &'static str, holds: bool, otherwise: State, words: impl Into<String>) {
        let (state, words) = if holds { (State::Works, String::new()) } else { (otherwise, words.into()) };
        self.row(name, state, words);
    }
}

/// Tries everything on one server. Errors are of this program's own making, or say that the server went away.
pub async fn take(peer: &Peer, run: &Run) -> Result<Report> {
    let server = Server::new(&peer.base, peer.auth.clone(), peer.trust.clone())?;
    let story = Story::new(peer.facility)?;
    let store = story.laptop(&run.path("laptop")).await?;
    let mut report = Report { server: peer.name.clone(), software: String::new(), rows: Vec::new() };

    let mut driver = match open(&server, &store).await {
        Ok(driver) => driver,
        Err(error) => {
            report.row("CapabilityStatement of R4 with JSON", State::Lacks, error.to_string());
            return Ok(report);
        }
    };
    report.software = driver.capabilities().software.clone();
    report.row("CapabilityStatement of R4 with JSON", State::Works, "");

    let pushed = driver.push().await.context("pushing")?;
    let held: Vec<_> = driver.held().iter().filter(|held| held.envelope != story.bad).collect();
    let why = held.first().map(|held| format!("{:?}: {}", held.envelope, words(&held.why)));
    let singly = driver.capabilities().lacks().contains(&Lack::NoTransaction);
    match why {
        Some(why) => report.row("a log of visits, asks, advice and photos goes there", State::Fails, why),
        None if singly => {
            report.row(
                "a log of visits, asks, advice and photos goes there",
                State::OtherWay,
                Lack::NoTransaction.to_string(),
            );
        }
        None => {
            report.row("a log of visits, asks, advice and photos goes there", State::Works, "as transactions")
        }
    }
    match driver.held().iter().find(|held| held.envelope == story.bad).map(|held| &held.why) {
        Some(why @ Why::Refused { .. }) => {
            report.row("what is not FHIR is refused in words, others go on", State::Works, words(why));
        }
        Some(why) => report.row(
            "what is not FHIR is refused in words, others go on",
            State::OtherWay,
            format!("put off and tried again: {}", words(why)),
        ),
        None => report.row(
            "what is not FHIR is refused in words, others go on",
            State::Lacks,
            "it took an Observation whose status and code are nonsense",
        ),
    }
    let again = driver.push().await.context("pushing again")?;
    report.is("nothing is sent twice", again.sent == 0, State::Fails, format!("{} were", again.sent));

    // Another laptop with the same log that knows nothing of what was sent: as after a lost answer, for each of them.
    let twin = story.laptop(&run.path("twin")).await?;
    let mut lost = open(&server, &twin).await?;
    lost.look_again().await?;
    let found = lost.push().await.context("pushing from a laptop that forgot")?;
    report.is(
        "a lost answer is recognised by the Provenance marker",
        found.recognised == pushed.sent && found.sent == 0,
        if driver.capabilities().lacks().contains(&Lack::NoMarker) { State::Lacks } else { State::Fails },
        format!("{} of {} were recognised, {} sent again", found.recognised, pushed.sent, found.sent),
    );
    drop((lost, twin));
    cut_off(peer, run, &mut report).await?;

    let patient = story.patients[0].clone();
    let ours = story.observation(&store).await?;
    single_resources(&server, &patient, &mut report).await?;
    searches(&server, &patient, &mut report).await?;

    let first = driver.pull().await.context("pulling")?;
    let unread = first.unfinished.join(", ");
    let said = first.words.iter().map(|(kind, words)| format!("{kind}: {}", words.as_str())).next();
    report.is(
        "changes of our patients are read by _lastUpdated",
        first.applied >= 1 && first.unfinished.is_empty(),
        State::Fails,
        format!("{} stored; unfinished: {unread}; {}", first.applied, said.unwrap_or_default()),
    );
    report.is(
        "our own records come back as our own",
        first.differs.is_empty() && first.known > 0,
        State::Fails,
        format!("{} of {} are told to differ", first.differs.len(), first.differs.len() as u64 + first.known),
    );
    let second = driver.pull().await.context("pulling again")?;
    report.is("nothing is read twice", second.applied == 0, State::Fails, format!("{} were", second.applied));

    let mut changed = Resource::parse(&ours.body)?;
    changed.set("status", "entered-in-error")?;
    let put = server.put(&changed, None).await?;
    let third = driver.pull().await.context("pulling a change")?;
    let stays = store.resource("Observation", &ours.id).await?.is_some_and(|now| now.body == ours.body);
    report.is(
        "a change over there of what was written here is named, ours stays",
        put.is_success() && third.differs.len() == 1 && stays,
        State::Fails,
        format!("HTTP {}, {} named", put.status, third.differs.len()),
    );
    let moved = driver.capabilities().lacks().contains(&Lack::OtherAddress);
    if moved {
        report.row("links name the server that was asked", State::OtherWay, Lack::OtherAddress.to_string());
    }
    Ok(report)
}

/// The same on a line that really breaks; only where it can be seen what passes.
async fn cut_off(peer: &Peer, run: &Run, report: &mut Report) -> Result<()> {
    let Some((host, path)) = peer.base.strip_prefix("http://").and_then(|rest| rest.split_once('/')) else {
        return Ok(());
    };
    let path = format!("/{}", path.trim_end_matches('/'));
    let (line, cut) = cut::line(host.to_owned(), &path).await?;
    let server = Server::new(&format!("http://{line}{path}"), peer.auth.clone(), peer.trust.clone())?;
    let story = Story::new(peer.facility)?;
    let store = story.laptop(&run.path("cut")).await?;
    let mut driver = open(&server, &store).await?;
    let first = driver.push().await;
    let mut next = open(&server, &store).await?;
    let second = next.push().await.context("pushing after the line broke")?;
    report.is(
        "an answer that was cut off: the transaction is found, not sent again",
        first.is_err() && cut.load(std::sync::atomic::Ordering::SeqCst) && second.recognised == 1,
        if next.capabilities().lacks().contains(&Lack::NoTransaction) {
            State::OtherWay
        } else {
            State::Fails
        },
        format!("{} recognised, {} sent", second.recognised, second.sent),
    );
    Ok(())
}

fn words(why: &Why) -> String {
    match why {
        Why::Refused { status, words } => format!("HTTP {status}: {}", words.as_str()),
        Why::Conflict { words } | Why::PutOff { words } => words.as_str().to_owned(),
        Why::Waits { on } => format!("waits for {on}"),
    }
}

/// What stands on both sides of one resource.
async fn single_resources(server: &Server, patient: &str, report: &mut Report) -> Result<()> {
    let theirs = |n: u8| {
        // Beside the patient's id, so that a second run on the same server makes others.
        format!("{}{n:02x}", &patient[..34])
    };
    let observation = |n: u8| {
        Resource::from_text(
            &json!({
                "resourceType": "Observation", "id": theirs(n), "status": "final",
                "extension": [{ "url": "https://example.org/unknown", "valueDecimal": "DECIMAL" }],
                "code": { "coding": [{ "system": "http://loinc.org", "code": "8310-5" }], "text": "\u{62a}\u{67e}" },
                "subject": { "reference": format!("Patient/{patient}") },
                "effectiveDateTime": "2026-11-01T10:00:00+05:00",
                "valueQuantity": { "value": "DECIMAL", "unit": "Cel", "system": "http://unitsofmeasure.org", "code": "Cel" },
            })
            .to_string()
            .replace("\"DECIMAL\"", "37.50"),
        )
    };
    let one = observation(1)?;
    let put = server.put(&one, None).await?;
    report.is("an update makes what was not there, with our id", put.is_success(), State::Lacks, said(&put));
    for n in 2..=3 {
        server.put(&observation(n)?, None).await?;
    }
    let old = server.put(&one, Some("W/\"999\"")).await?;
    report.is(
        "If-Match keeps an old version from replacing a newer one",
        matches!(old.status, 409 | 412),
        State::Lacks,
        format!("HTTP {}", old.status),
    );
    let Some(back) = server.read("Observation", one.id()).await? else {
        report.row("a resource is read back", State::Fails, "it is not there");
        return Ok(());
    };
    report.is(
        "a decimal keeps its digits (37.50)",
        back.raw("valueQuantity").is_some_and(|value| value.contains("37.50")),
        State::Lacks,
        "37.50 comes back as another number of digits",
    );
    let (sent, kept) = (one.view()?, back.view()?);
    report.is(
        "unknown extensions and other scripts are kept",
        kept.items("extension").len() == 1 && kept.str("code.text") == sent.str("code.text"),
        State::Lacks,
        "",
    );
    let moved: Vec<&str> =
        ["code", "subject"].into_iter().filter(|name| one.raw(name) != back.raw(name)).collect();
    report.is(
        "elements keep their bytes, so that a signature over JSON would hold",
        moved.is_empty() && one.raw("valueQuantity") == back.raw("valueQuantity"),
        State::OtherWay,
        "it writes JSON anew; the signed bytes lie in a Binary",
    );
    let other = server.read("Observation", "00000000-0000-4000-8000-000000000000").await;
    report.is("what is not there is 404", matches!(other, Ok(None)), State::Fails, "");
    Ok(())
}

fn said(answer: &Answer) -> String {
    let json = Json::parse(&answer.body).unwrap_or(Json::Null);
    format!("HTTP {}: {}", answer.status, json.str("issue.diagnostics"))
}

async fn searches(server: &Server, patient: &str, report: &mut Report) -> Result<()> {
    let about = [("patient", patient.to_owned()), ("_count", "1".to_owned())];
    let post = server.search("Observation", &about, true).await?;
    let page = Page::read(&post.body).ok();
    let found = page.as_ref().is_some_and(|page| !page.matches.is_empty());
    report.is(
        "search by POST",
        post.is_success() && found,
        State::OtherWay,
        "asked by GET, with fewer patients",
    );

    let late = [("patient", patient.to_owned()), ("_lastUpdated", "ge2999-01-01T00:00:00Z".to_owned())];
    let none = server.search("Observation", &late, false).await?;
    let none = Page::read(&none.body).map(|page| page.matches.len());
    report.is(
        "_lastUpdated narrows a search",
        matches!(none, Ok(0)),
        State::Lacks,
        "it is passed over: everything is read each time",
    );

    let mut answer = server.search("Observation", &about, false).await?;
    let (mut ids, mut total, mut pages, mut gzip) = (std::collections::BTreeSet::new(), None, 0, false);
    loop {
        gzip |= answer.packed;
        let page = match answer.accepted().map(|answer| Page::read(&answer.body)) {
            Ok(Ok(page)) => page,
            Ok(Err(error)) | Err(error) => {
                report.row("pages by next links", State::Fails, error.words().as_str());
                return Ok(());
            }
        };
        pages += 1;
        total = page.total.or(total);
        ids.extend(page.matches.iter().map(|resource| resource.id().to_owned()));
        match page.next {
            Some(link) if pages < 100 => answer = server.follow(&link).await?.0,
            _ => break,
        }
    }
    let whole = total.is_none_or(|total| total == ids.len() as u64);
    report.is(
        "pages by next links",
        pages > 1 && pages < 100 && ids.len() >= 3 && whole,
        State::Fails,
        format!("{} of {total:?} in {pages} pages", ids.len()),
    );
    report.is("answers are packed (gzip)", gzip, State::Lacks, "plain");
    Ok(())
}
