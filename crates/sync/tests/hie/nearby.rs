//! Two laptops of a clinic that hear each other while nobody hears the HIE.

use std::{net::SocketAddr, path::Path};

use rabta_hie::admin::Request;
use rabta_store::{EntryState, RecordStore};
use rabta_sync::{
    Changed,
    nearby::{Found, Host, Mdns, Met, Nearby},
};
use rabta_wire::{Id, envelope::Kind};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{
    laptop::{LONG, Laptop, any_port, code_at, facility, serve, tell},
    left_out::left_out,
    restored::{at_the_hie, once},
};

/// A laptop that listens to others on this network.
struct Listening {
    address: SocketAddr,
    tell: mpsc::Sender<Found>,
    met: watch::Receiver<Vec<Met>>,
    changes: mpsc::UnboundedReceiver<Changed>,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn nearby(
    laptop: &Laptop,
    name: &str,
) -> (Nearby<rabta_store::SqliteStore>, mpsc::UnboundedReceiver<Changed>) {
    let hie = crate::bytes32(&laptop.enrolled.hie_key);
    let (changes, changed) = mpsc::unbounded_channel();
    let host = Host {
        store: laptop.store.clone(),
        me: laptop.client.identity().unwrap().clone(),
        hie: ed25519_dalek::VerifyingKey::from_bytes(&hie).unwrap(),
        clock: laptop.client.clock().clone(),
        offset: laptop.client.offset().clone(),
        sync: laptop.sync.clone(),
        changes,
        open: Box::new(|| true),
    };
    let nearby = Nearby::new(host, name.to_owned());
    (nearby, changed)
}

async fn listen(laptop: &Laptop, name: &str) -> Listening {
    let (nearby, changes) = nearby(laptop, name);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, found) = mpsc::channel(4);
    let met = nearby.watch();
    Listening { address, tell, met, changes, task: tokio::spawn(nearby.run(listener, found)) }
}

impl Listening {
    async fn hears_of(&self, name: &str, other: &Self) {
        self.tell.send(Found::Came { name: name.to_owned(), addresses: vec![other.address] }).await.unwrap();
    }

    async fn until(&mut self, good: impl FnMut(&Vec<Met>) -> bool) -> Vec<Met> {
        tokio::time::timeout(LONG, self.met.wait_for(good)).await.expect("it never came").unwrap().clone()
    }
}

/// Two laptops of one clinic, and their HIE, which both have heard of.
async fn clinic(folder: &Path) -> (Laptop, Laptop, Id, rabta_hie::Handle) {
    let hie = serve(&folder.join("hie"), any_port()).await;
    let clinic = facility(&hie, "BHU Kot Radha").await;
    let author = Laptop::join(&code_at(&hie, clinic).await).await;
    let colleague = Laptop::join(&code_at(&hie, clinic).await).await;
    for laptop in [&author, &colleague] {
        laptop.when(async || laptop.store.cursor().await.unwrap().is_some_and(|at| at.seq > 0)).await;
    }
    (author, colleague, clinic, hie)
}

async fn out_of_reach(laptops: &[&Laptop]) {
    for laptop in laptops {
        laptop.sync.now();
        laptop.until(|status| !status.reachable).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_laptop_wrote_is_on_the_other_and_whoever_finds_a_line_brings_it() {
    let folder = tempfile::tempdir().unwrap();
    let (author, colleague, _, hie) = clinic(folder.path()).await;
    let address = hie.addr;
    hie.shutdown().await;
    out_of_reach(&[&author, &colleague]).await;
    let (patient, known) = author.registered().await;
    let (observation, visit) = author.visit(patient, known).await;
    let (_, theirs) = colleague.registered().await;

    let (mut a, mut b) = (listen(&author, "a").await, listen(&colleague, "b").await);
    a.hears_of("b", &b).await;
    let met = a.until(|met| met.first().is_some_and(|one| one.taken == 1)).await;
    assert_eq!((met.len(), met[0].device, met[0].handed), (1, colleague.enrolled.device, 2));
    assert_eq!(met[0].name, "a laptop");
    let met = b.until(|met| met.first().is_some_and(|one| one.handed == 1)).await;
    assert_eq!((met[0].device, met[0].taken), (author.enrolled.device, 2));
    assert!(b.changes.recv().await.unwrap().patients.contains(&patient), "the window is told");

    // It is found, and nobody says that it is at the HIE.
    let found = colleague.store.find_patients("ayesha", 0, 5).await.unwrap();
    assert_eq!(found.hits.len(), 2);
    let custody = async |laptop: &Laptop| {
        laptop.store.custody_of("Observation", &observation.to_string()).await.unwrap()
    };
    assert_eq!(custody(&colleague).await, Some(EntryState::Here));
    assert_eq!((author.sync.status().here_only, author.sync.status().visits_here_only), (2, 1));
    assert!(!author.is_at_hie(visit).await);
    colleague.until(|status| status.carried == 2).await;

    // The author's laptop stays without a line; the colleague's finds one.
    let device = author.enrolled.device;
    drop((a, author));
    let hie = serve(&folder.path().join("hie"), address).await;
    colleague.sync.now();
    colleague.until_at_hie(theirs).await;
    colleague.later(11);
    colleague.when(async || colleague.store.strays().await.unwrap().is_empty()).await;
    assert_eq!(at_the_hie(&colleague).await, once(&[known, visit, theirs]));
    assert!(matches!(custody(&colleague).await, Some(EntryState::AtHie(_))));
    colleague.until(|status| status.carried == 0).await;
    assert_eq!(colleague.store.received(visit).await.unwrap().unwrap().device, device, "it is its author's");
    hie.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_laptop_gets_it_from_the_second_and_nothing_goes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (author, second, clinic, hie) = clinic(folder.path()).await;
    let third = Laptop::join(&code_at(&hie, clinic).await).await;
    third.when(async || third.store.cursor().await.unwrap().is_some_and(|at| at.seq > 0)).await;
    hie.shutdown().await;
    out_of_reach(&[&author, &second, &third]).await;
    let (_, envelope) = author.registered().await;
    // Who looked at what is for the HIE.
    author.append_audit().await;
    let (a, mut b) = (listen(&author, "a").await, listen(&second, "b").await);
    b.hears_of("a", &a).await;
    assert_eq!(b.until(|met| !met.is_empty()).await[0].taken, 1);
    drop(a);
    let mut c = listen(&third, "c").await;
    c.hears_of("b", &b).await;
    let met = c.until(|met| !met.is_empty()).await;
    assert_eq!((met[0].device, met[0].taken), (second.enrolled.device, 1));
    assert_eq!(third.store.received(envelope).await.unwrap().unwrap().kind, Kind::Patient);
    // Met again by the other way round: there is nothing left to hand over.
    drop(c);
    let mut c = listen(&third, "c2").await;
    b.hears_of("c2", &c).await;
    assert_eq!(c.until(|met| !met.is_empty()).await[0].taken, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_of_this_clinic_or_no_more_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (author, revoked, _, hie) = clinic(folder.path()).await;
    let other = facility(&hie, "RHC Jand").await;
    let stranger = Laptop::join(&code_at(&hie, other).await).await;
    stranger.when(async || stranger.store.cursor().await.unwrap().is_some_and(|at| at.seq > 0)).await;
    let device = revoked.enrolled.device;
    tell(&hie, Request::RevokeDevice { device }).await;
    author.sync.now();
    author.when(async || author.store.certs(device).await.unwrap().iter().any(|cert| is_revoked(cert))).await;
    hie.shutdown().await;
    out_of_reach(&[&author, &revoked, &stranger]).await;
    author.registered().await;

    let mut a = listen(&author, "a").await;
    for (laptop, name) in [(&revoked, "r"), (&stranger, "s")] {
        let theirs = laptop.registered().await.1;
        let b = listen(laptop, name).await;
        b.hears_of("a", &a).await;
        a.hears_of(name, &b).await;
        tokio::time::sleep(std::time::Duration::from_secs(8)).await;
        assert_eq!(laptop.store.strays().await.unwrap(), []);
        assert!(author.store.received(theirs).await.unwrap().is_none());
    }
    assert!(a.met.borrow_and_update().is_empty());
}

fn is_revoked(cert: &rabta_store::StoredCert) -> bool {
    let signed: rabta_wire::cert::SignedCert = minicbor::decode(&cert.bytes).unwrap();
    minicbor::decode::<rabta_wire::cert::Cert>(&signed.cert).unwrap().revoked
}

/// In a network of its own, where multicast reaches nobody else.
#[test]
fn laptops_find_each_other_on_their_network() {
    let left = rabta_netlab::in_own_network("nearby::laptops_find_each_other_on_their_network", || {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(found());
    });
    left.iter().for_each(|why| left_out(why));
}

async fn found() {
    let folder = tempfile::tempdir().unwrap();
    let (author, colleague, _, hie) = clinic(folder.path()).await;
    hie.shutdown().await;
    out_of_reach(&[&author, &colleague]).await;
    let (_, envelope) = author.registered().await;
    let mut going = Vec::new();
    for laptop in [&author, &colleague] {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let (mdns, found) = Mdns::start(listener.local_addr().unwrap().port()).unwrap();
        let (nearby, changes) = nearby(laptop, &mdns.name);
        let met = nearby.watch();
        going.push((tokio::spawn(nearby.run(listener, found)), met, mdns, changes));
    }
    colleague.when(async || colleague.store.received(envelope).await.unwrap().is_some()).await;
    let met = going[0].1.wait_for(|met| !met.is_empty()).await.unwrap().clone();
    assert_eq!(met[0].device, colleague.enrolled.device);
}
