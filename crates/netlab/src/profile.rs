//! What a place's link is like. One file has them all: `profiles.json`.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

/// A place's access link. What is not said is without limit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    /// For people: where one meets such a link.
    #[serde(default)]
    pub words: String,
    /// To the place, kbit/s of IP packets.
    #[serde(default)]
    pub down_kbps: Option<f64>,
    /// From the place, kbit/s.
    #[serde(default)]
    pub up_kbps: Option<f64>,
    /// Both directions together, ms; half of it each.
    #[serde(default)]
    pub rtt_ms: f64,
    /// At most this much is added to a packet's delay, ms; packets stay in order unless `reorder_pct` says otherwise.
    #[serde(default)]
    pub jitter_ms: f64,
    /// Of all packets, percent, each direction.
    #[serde(default)]
    pub loss_pct: f64,
    /// Packets lost in a row, on average.
    #[serde(default = "one")]
    pub loss_burst: f64,
    /// Packets that overtake the ones before them, percent.
    #[serde(default)]
    pub reorder_pct: f64,
    /// What waits before a slow link, ms of its rate; more is dropped at the tail.
    #[serde(default = "queue")]
    pub queue_ms: f64,
    /// The same in bytes, in place of `queue_ms`.
    #[serde(default)]
    pub queue_bytes: Option<usize>,
    /// Other rates from these moments on, in order of time.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Times at which nothing passes.
    #[serde(default)]
    pub cuts: Vec<Cut>,
    /// A box that hides the place behind one address.
    #[serde(default)]
    pub nat: Option<NatKind>,
    /// Moments at which that box forgets all, and takes another address and other ports: ms.
    #[serde(default)]
    pub rebind_at_ms: Vec<u64>,
    /// A firewall that lets no UDP through.
    #[serde(default)]
    pub no_udp: bool,
    /// So many downloads share the way down, like a TCP sender that always has something to send.
    #[serde(default)]
    pub rivals: u32,
}

fn one() -> f64 {
    1.0
}

fn queue() -> f64 {
    600.0
}

/// Rates from a moment on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub at_ms: u64,
    pub down_kbps: f64,
    pub up_kbps: f64,
}

/// A time at which nothing passes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    pub from_ms: u64,
    pub to_ms: u64,
    /// What is sent meanwhile waits for the end (a modem that looks for its cell) instead of being lost.
    #[serde(default)]
    pub holds: bool,
}

/// How a NAT maps, RFC 4787 section 4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NatKind {
    /// One port for an inside port, whoever is spoken to.
    EndpointIndependent,
    /// Another port for each address and port outside.
    Symmetric,
}

/// One direction of a [`Profile`].
#[derive(Debug, Clone)]
pub struct Direction {
    /// From when on, bits a second; ordered, the first from 0. `None`: without limit.
    pub rates: Option<Vec<(Duration, f64)>>,
    pub delay: Duration,
    pub jitter: Duration,
    pub loss: f64,
    pub loss_burst: f64,
    pub reorder: f64,
    pub queue: Queue,
    pub cuts: Vec<Cut>,
    pub rivals: u32,
}

/// What may wait before a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Queue {
    Bytes(usize),
    Time(Duration),
}

fn ms(ms: f64) -> Duration {
    Duration::from_secs_f64(ms.max(0.0) / 1000.0)
}

impl Profile {
    pub fn up(&self) -> Direction {
        Direction { rivals: 0, ..self.direction(self.up_kbps, |step| step.up_kbps) }
    }

    pub fn down(&self) -> Direction {
        self.direction(self.down_kbps, |step| step.down_kbps)
    }

    fn direction(&self, kbps: Option<f64>, of: impl Fn(&Step) -> f64) -> Direction {
        let rates = kbps.map(|kbps| {
            let steps = self.steps.iter().map(|s| (Duration::from_millis(s.at_ms), of(s) * 1000.0));
            std::iter::once((Duration::ZERO, kbps * 1000.0)).chain(steps).collect()
        });
        Direction {
            rates,
            delay: ms(self.rtt_ms / 2.0),
            jitter: ms(self.jitter_ms),
            loss: self.loss_pct / 100.0,
            loss_burst: self.loss_burst,
            reorder: self.reorder_pct / 100.0,
            queue: self.queue_bytes.map_or(Queue::Time(ms(self.queue_ms)), Queue::Bytes),
            cuts: self.cuts.clone(),
            rivals: self.rivals,
        }
    }
}

/// All profiles of the file.
pub fn profiles() -> Result<Vec<Profile>> {
    #[derive(Deserialize)]
    struct File {
        profiles: Vec<Profile>,
    }
    let file: File =
        serde_json::from_str(include_str!("../profiles.json")).context("reading profiles.json")?;
    Ok(file.profiles)
}

/// The profile of this name.
pub fn profile(name: &str) -> Result<Profile> {
    let all = profiles()?;
    let names = all.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = all.iter().find(|p| p.name == name).cloned();
    found.with_context(|| format!("there is no profile {name}; there are {names}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_names_are_unique() {
        let all = profiles().expect("read");
        let names: std::collections::BTreeSet<_> = all.iter().map(|p| p.name.clone()).collect();
        assert_eq!(names.len(), all.len());
        let gprs = profile("gprs").expect("there");
        assert_eq!(gprs.up().rates.expect("limited"), [(Duration::ZERO, 44_000.0)]);
        assert_eq!(gprs.down().delay, Duration::from_millis(375));
        assert!(profile("dial-up").is_err_and(|e| e.to_string().contains("gprs")));
    }
}
