//! Places and the emulator between them.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    net::Ipv4Addr,
    path::Path,
    process::Command,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};

use crate::{
    link::{Fate, Link, Lost},
    nat::{self, Nat},
    place::{Device, Place},
    profile::Profile,
};

/// What this machine lacks for a lab, in words; `None` where all is there.
pub fn missing() -> Option<String> {
    // Tried once: of two tests that try at the same time one would find the other's namespace in its way.
    static MISSING: LazyLock<Option<String>> = LazyLock::new(tried);
    MISSING.clone()
}

fn tried() -> Option<String> {
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".to_owned());
    }
    // Only root may make a namespace, and not in every container.
    let name = format!("lab-probe-{}", std::process::id());
    match Command::new("ip").args(["netns", "add", &name]).output() {
        Err(_) => Some("there is no `ip` (iproute2)".to_owned()),
        Ok(out) if !out.status.success() => {
            Some(format!("no network namespace: {}", String::from_utf8_lossy(&out.stderr).trim()))
        }
        Ok(_) => {
            let _ = Command::new("ip").args(["netns", "del", &name]).status();
            None
        }
    }
}

/// What an emulator saw of one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    pub packets: u64,
    pub bytes: u64,
    pub lost_air: u64,
    pub lost_queue: u64,
    pub lost_cut: u64,
    /// By the firewall, the NAT, or since nobody has that address.
    pub stopped: u64,
}

/// Both directions of a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub up: Seen,
    pub down: Seen,
}

/// A place's access link with its box.
struct Access {
    up: Link,
    down: Link,
    nat: Option<Nat>,
    no_udp: bool,
    address: Ipv4Addr,
    traffic: Traffic,
}

struct Net {
    started: Instant,
    accesses: Vec<Access>,
    queue: BinaryHeap<Reverse<Under>>,
    /// Breaks ties, so that what came first goes first.
    count: u64,
    wake: UnboundedSender<()>,
}

/// A packet on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Under {
    at: Duration,
    count: u64,
    step: Step,
    packet: Vec<u8>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// It has come up the link of this place.
    Router(usize),
    /// It has come down the link of this place.
    Home(usize),
}

/// The places of a run and the task that carries their packets. It all ends with this value.
pub struct Lab {
    places: Vec<Place>,
    net: Arc<Mutex<Net>>,
    _tasks: JoinSet<()>,
}

impl Lab {
    /// Makes the places, each with its link; `seed` decides what is lost. `tag` (at most 8 letters) keeps apart the labs of
    /// one machine. Call it in a Tokio runtime.
    pub fn new(tag: &str, seed: u64, places: &[(&str, Profile)]) -> Result<Self> {
        let (wake, woken) = unbounded_channel();
        let mut made = Vec::new();
        let mut accesses = Vec::new();
        for (i, (name, profile)) in places.iter().enumerate() {
            let number = u8::try_from(i + 1).context("at most 250 places")?;
            let place = Place::new(name, number, tag)?;
            accesses.push(access(profile, number, place.address(), seed));
            made.push(place);
        }
        let net = Net { started: Instant::now(), accesses, queue: BinaryHeap::new(), count: 0, wake };
        let net = Arc::new(Mutex::new(net));
        let mut tasks = JoinSet::new();
        for (i, place) in made.iter().enumerate() {
            tasks.spawn(listen(place.device(), i, net.clone()));
        }
        let devices = made.iter().map(Place::device).collect();
        tasks.spawn(carry(net.clone(), woken, devices));
        Ok(Self { places: made, net, _tasks: tasks })
    }

    /// The place of this name.
    pub fn place(&self, name: &str) -> Result<&Place> {
        self.places.iter().find(|p| p.name() == name).with_context(|| format!("there is no place {name}"))
    }

    /// What passed a place's link so far.
    pub fn traffic(&self, name: &str) -> Result<Traffic> {
        let i = self.places.iter().position(|p| p.name() == name);
        let i = i.with_context(|| format!("there is no place {name}"))?;
        Ok(lock(&self.net).accesses[i].traffic)
    }

    /// How long it runs: the clock of steps, cuts and rebindings.
    pub fn now(&self) -> Duration {
        lock(&self.net).started.elapsed()
    }

    /// Another link for a place from now on (a change from Wi-Fi to mobile data); what is under way arrives. Its times
    /// count from the lab's start.
    pub fn change(&self, name: &str, profile: &Profile, seed: u64) -> Result<()> {
        let i = self.places.iter().position(|p| p.name() == name);
        let i = i.with_context(|| format!("there is no place {name}"))?;
        let net = &mut *lock(&self.net);
        let before = &net.accesses[i];
        let number = u8::try_from(i + 1).context("at most 250 places")?;
        let traffic = before.traffic;
        net.accesses[i] = Access { traffic, ..access(profile, number, before.address, seed) };
        Ok(())
    }
}

fn access(profile: &Profile, number: u8, address: Ipv4Addr, seed: u64) -> Access {
    let stream = u64::from(number) * 2;
    let public = (0..=profile.rebind_at_ms.len()).map(|n| Ipv4Addr::new(10, 78, number, n as u8 + 1));
    let rebinds = profile.rebind_at_ms.iter().map(|ms| Duration::from_millis(*ms)).collect();
    Access {
        up: Link::new(profile.up(), seed, stream),
        down: Link::new(profile.down(), seed, stream + 1),
        nat: profile.nat.map(|kind| Nat::new(kind, public.collect(), rebinds)),
        no_udp: profile.no_udp,
        address,
        traffic: Traffic::default(),
    }
}

impl Net {
    /// A place sends.
    fn up(&mut self, from: usize, packet: Vec<u8>) {
        let now = self.started.elapsed();
        let access = &mut self.accesses[from];
        access.traffic.up.packets += 1;
        access.traffic.up.bytes += packet.len() as u64;
        if access.no_udp && nat::is_udp(&packet) {
            access.traffic.up.stopped += 1;
            return;
        }
        match access.up.pass(now, packet.len()) {
            Fate::Arrives(at) => self.later(at, Step::Router(from), packet),
            Fate::Lost(lost) => count(&mut access.traffic.up, lost),
        }
    }

    /// It is at the router: whose is it?
    fn route(&mut self, from: usize, mut packet: Vec<u8>, now: Duration) {
        let access = &mut self.accesses[from];
        let passed = access.nat.as_mut().map_or(Some(()), |nat| nat.outward(&mut packet, now));
        let target =
            passed.and_then(|()| nat::destination(&packet)).and_then(|address| self.home(address, now));
        let Some(to) = target else {
            self.accesses[from].traffic.up.stopped += 1;
            return;
        };
        let access = &mut self.accesses[to];
        let passed = access.nat.as_mut().map_or(Some(()), |nat| nat.inward(&mut packet, now));
        if passed.is_none() || (access.no_udp && nat::is_udp(&packet)) {
            access.traffic.down.stopped += 1;
            return;
        }
        access.traffic.down.packets += 1;
        access.traffic.down.bytes += packet.len() as u64;
        match access.down.pass(now, packet.len()) {
            Fate::Arrives(at) => self.later(at, Step::Home(to), packet),
            Fate::Lost(lost) => count(&mut access.traffic.down, lost),
        }
    }

    fn home(&mut self, address: Ipv4Addr, now: Duration) -> Option<usize> {
        self.accesses.iter_mut().position(|access| match &mut access.nat {
            Some(nat) => nat.address(now) == address,
            None => access.address == address,
        })
    }

    fn later(&mut self, at: Duration, step: Step, packet: Vec<u8>) {
        self.count += 1;
        self.queue.push(Reverse(Under { at, count: self.count, step, packet }));
        // Fails only when the lab ends.
        let _ = self.wake.send(());
    }

    /// What is due now.
    fn due(&mut self) -> Option<Under> {
        let now = self.started.elapsed();
        self.queue.peek().is_some_and(|next| next.0.at <= now).then(|| self.queue.pop())?.map(|next| next.0)
    }

    fn next(&self) -> Option<Instant> {
        self.queue.peek().and_then(|next| self.started.checked_add(next.0.at))
    }
}

fn count(seen: &mut Seen, lost: Lost) {
    match lost {
        Lost::Air => seen.lost_air += 1,
        Lost::Queue => seen.lost_queue += 1,
        Lost::Cut => seen.lost_cut += 1,
    }
}

fn lock(net: &Mutex<Net>) -> std::sync::MutexGuard<'_, Net> {
    net.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what a place sends.
async fn listen(device: Arc<Device>, from: usize, net: Arc<Mutex<Net>>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length) = device.recv(&mut buffer).await {
        // IPv6 has no route here; the kernel asks for routers all the same.
        if length > 0 && buffer[0] >> 4 == 4 {
            lock(&net).up(from, buffer[..length].to_vec());
        }
    }
}

/// Delivers each packet at its moment.
async fn carry(net: Arc<Mutex<Net>>, mut woken: UnboundedReceiver<()>, devices: Vec<Arc<Device>>) {
    loop {
        let mut home: HashMap<usize, Vec<Vec<u8>>> = HashMap::new();
        let next = {
            let net = &mut *lock(&net);
            while let Some(under) = net.due() {
                match under.step {
                    Step::Router(from) => net.route(from, under.packet, under.at),
                    Step::Home(to) => home.entry(to).or_default().push(under.packet),
                }
            }
            net.next()
        };
        for (to, packets) in home {
            for packet in packets {
                // A namespace that is being taken down takes no packets any more.
                let _ = devices[to].send(&packet).await;
            }
        }
        let sleep = async {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            more = woken.recv() => {
                if more.is_none() {
                    return;
                }
                while woken.try_recv().is_ok() {}
            }
        }
    }
}
