//! How much a FHIR server takes and gives: durable transactions of a plain visit a second, and reads by id, with four
//! clients that wait for each answer. Ours with TLS, authorisation and audit, each transaction after its fsync; the peer as
//! it is. Both in one run on one machine, one after the other; the peer's second turn counts, when it is warm.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rabta_tests::{Run, hie::Hie, story::CLINIC, webdriver};

use crate::{figure::Figure, plain::PlainVisit, register::Dice};

const CLIENTS: u64 = 4;
const WARM_UP: Duration = Duration::from_secs(3);
const TURN: Duration = Duration::from_secs(12);
/// Durable bundles and reads, as a multiple of the peer's.
const BUNDLES: f64 = 20.0;
const READS: f64 = 10.0;

/// A server under load.
#[derive(Clone)]
struct Server {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// A second.
#[derive(Debug, Clone, Copy)]
struct Rates {
    bundles: f64,
    reads: f64,
}

/// `peer`: the base URL of a FHIR server that is there, such as HAPI's.
pub async fn take(peer: Option<&str>) -> Result<Vec<Figure>> {
    let visit = Arc::new(PlainVisit::read()?);
    let peers = match peer {
        Some(base) => {
            let server = Server { http: webdriver::client()?, base: base.to_owned(), token: None };
            server.know(&visit).await.context("the peer")?;
            let first = server.rates(&visit, 1).await.context("the peer")?;
            let second = server.rates(&visit, 2).await.context("the peer")?;
            crate::say(&format!("the peer, first and second turn: {first:.1?}, {second:.1?}"));
            Some(second)
        }
        None => None,
    };
    let mut hie = Hie::new(&Run::kept("bench-hie-load")?)?;
    hie.start().await?;
    hie.add_facility(CLINIC, "clinic", &[])?;
    let token = Some(hie.token(CLINIC)?);
    let ours = Server { http: webdriver::client()?, base: hie.url("/fhir"), token };
    ours.know(&visit).await?;
    let rates = ours.rates(&visit, 3).await?;
    hie.stop()?;
    let bar = |of: fn(&Rates) -> f64, times: f64| peers.as_ref().map_or(0.0, |peer| of(peer) * times);
    let figure = |name, of: fn(&Rates) -> f64, times| {
        Figure::at_least(name, of(&rates), "/s", bar(of, times)).beside(peers.as_ref().map(of))
    };
    Ok(vec![figure("bundles", |r| r.bundles, BUNDLES), figure("reads", |r| r.reads, READS)])
}

impl Server {
    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::StatusCode> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let start = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        ensure!(status.is_success(), "{status}: {start}");
        Ok(status)
    }

    /// Puts there whom the visit names.
    async fn know(&self, visit: &PlainVisit) -> Result<()> {
        for reference in &visit.known {
            let (kind, id) = reference.split_once('/').context("Type/id")?;
            let body = format!(r#"{{"resourceType":"{kind}","id":"{id}"}}"#);
            let put = self.http.put(format!("{}/{reference}", self.base));
            let put = put.header("content-type", "application/fhir+json").body(body);
            // What it keeps itself it knows already.
            if let Err(error) = self.send(put).await {
                crate::say(&format!("{kind}: {error:#}"));
            }
        }
        Ok(())
    }

    async fn rates(&self, visit: &Arc<PlainVisit>, seed: u64) -> Result<Rates> {
        let done = Arc::new(std::sync::Mutex::new(Vec::new()));
        let bundles = self
            .each_second(|client, n, server| {
                let (visit, done) = (visit.clone(), done.clone());
                async move {
                    let mut dice = Dice::new(seed << 48 | client << 32 | n);
                    let (text, reads) = visit.with(&mut dice);
                    let post = server.http.post(&server.base).header("content-type", "application/fhir+json");
                    server.send(post.body(text)).await?;
                    done.lock().expect("nothing panics while it is held").extend(reads);
                    Ok(())
                }
            })
            .await?;
        let there = Arc::new(std::mem::take(&mut *done.lock().expect("nothing panics while it is held")));
        let reads = self
            .each_second(|client, n, server| {
                let there = there.clone();
                async move {
                    let at = Dice::new(client << 32 | n).below(there.len() as u64) as usize;
                    server.send(server.http.get(format!("{}/{}", server.base, there[at]))).await?;
                    Ok(())
                }
            })
            .await?;
        Ok(Rates { bundles, reads })
    }

    /// How often a second `one` (client, number of its turn) is done by all clients together, after a warm-up.
    async fn each_second<F, W>(&self, one: F) -> Result<f64>
    where
        F: Fn(u64, u64, Server) -> W,
        W: Future<Output = Result<()>> + Send + 'static,
    {
        let (count, counts, over) =
            (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let clients = (0..CLIENTS).map(|client| {
            let (count, counts, over) = (count.clone(), counts.clone(), over.clone());
            let one = &one;
            async move {
                let mut n = 0;
                while !over.load(Ordering::Relaxed) {
                    one(client, n, self.clone()).await?;
                    n += 1;
                    count.fetch_add(u64::from(counts.load(Ordering::Relaxed)), Ordering::Relaxed);
                }
                anyhow::Ok(())
            }
        });
        let clock = async {
            tokio::time::sleep(WARM_UP).await;
            counts.store(true, Ordering::Relaxed);
            let began = Instant::now();
            tokio::time::sleep(TURN).await;
            let done = count.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
            over.store(true, Ordering::Relaxed);
            done
        };
        let (rate, ended) = tokio::join!(clock, futures_util::future::try_join_all(clients));
        ended.map(|_| rate)
    }
}
