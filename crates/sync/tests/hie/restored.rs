//! An HIE that was restored from its last backup, and the laptops that sent more since.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use rabta_hie::{
    admin::{Reply, Request},
    backup,
};
use rabta_store::{EntryState, RecordStore};
use rabta_wire::{Id, envelope::Envelope, log::Item};

use crate::laptop::{Laptop, any_port, code_at, facility, serve, tell};

/// A clinic with two laptops and an HIE that is backed up in the middle of the first one's work, and restored after it.
struct Clinic {
    author: Laptop,
    colleague: Laptop,
    /// Envelopes that are in the backup: the patient and five visits.
    kept: Vec<Id>,
    /// Five visits more, acknowledged afterwards: envelopes and one resource of each.
    lost: Vec<Id>,
    observations: Vec<Id>,
    backups: tempfile::TempDir,
    hie: rabta_hie::Handle,
}

impl Clinic {
    async fn at_work(folder: &Path) -> Self {
        let hie = serve(&folder.join("hie"), any_port()).await;
        let clinic = facility(&hie, "BHU Kot Radha").await;
        let author = Laptop::join(&code_at(&hie, clinic).await).await;
        let colleague = Laptop::join(&code_at(&hie, clinic).await).await;
        let (patient, known) = author.registered().await;
        let mut kept = vec![known];
        for _ in 0..5 {
            kept.push(author.visit(patient, known).await.1);
        }
        author.when(async || author.sync.status().here_only == 0).await;
        let backups = tempfile::tempdir().unwrap();
        let request = Request::Backup { folder: backups.path().to_owned(), keep: 3 };
        assert!(matches!(tell(&hie, request).await, Reply::Backup(_)));
        let (mut lost, mut observations) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let (observation, envelope) = author.visit(patient, known).await;
            lost.push(envelope);
            observations.push(observation);
        }
        author.when(async || author.sync.status().here_only == 0).await;
        colleague.sync.now();
        for envelope in kept.iter().chain(&lost) {
            colleague.when(async || colleague.store.received(*envelope).await.unwrap().is_some()).await;
        }
        Self { author, colleague, kept, lost, observations, backups, hie }
    }

    /// The machine burned; a new one has the backup, at the same address.
    async fn restored(self, folder: &Path) -> (Laptop, Laptop, Vec<Id>, Vec<Id>, Vec<Id>, rabta_hie::Handle) {
        let Self { author, colleague, kept, lost, observations, backups, hie } = self;
        let (address, epoch) = (hie.addr, hie.app.db.settings.epoch);
        hie.shutdown().await;
        let (data, key) = (folder.join("restored"), folder.join("restored.key"));
        std::fs::copy(folder.join("hie.key"), &key).unwrap();
        let done = backup::restore(backups.path(), None, &data, &key).await.unwrap();
        assert_ne!(done.epoch, epoch);
        (author, colleague, kept, lost, observations, serve(&data, address).await)
    }
}

/// How often each envelope is at the HIE, as who pulls all of it sees.
pub async fn at_the_hie(laptop: &Laptop) -> BTreeMap<Id, usize> {
    let mut found = BTreeMap::new();
    let mut after = None;
    loop {
        let reply = laptop.client.pull(after, 500).await.unwrap();
        for change in &reply.changes {
            if let Item::Envelope { bytes, .. } = &change.item {
                let header = Envelope::from_bytes(bytes).unwrap().header().unwrap();
                *found.entry(header.id).or_default() += 1;
            }
        }
        after = Some(reply.next);
        if !reply.more {
            return found;
        }
    }
}

pub fn once<'a>(envelopes: impl IntoIterator<Item = &'a Id>) -> BTreeMap<Id, usize> {
    envelopes.into_iter().map(|id| (*id, 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_hie_gets_again_what_it_lost_and_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let clinic = Clinic::at_work(folder.path()).await;
    clinic.author.sent.lock().unwrap().clear();
    let (author, colleague, kept, lost, _, hie) = clinic.restored(folder.path()).await;
    assert_eq!(at_the_hie(&colleague).await, once(&kept), "what came after the backup is gone");

    author.sync.now();
    author.when(async || !author.sent.lock().unwrap().is_empty()).await;
    author.when(async || author.sync.status().here_only == 0).await;
    assert_eq!(at_the_hie(&colleague).await, once(kept.iter().chain(&lost)));
    let mut times: BTreeMap<Id, usize> = BTreeMap::new();
    {
        let sent = author.sent.lock().unwrap();
        // Before the first of them went out, the laptop said how many are on it only.
        let first = &sent[0];
        assert_eq!((first.counts.here, first.counts.at_hie), (5, 6));
        assert_eq!((first.status.here_only, first.status.visits_here_only), (5, 5));
        sent.iter().flat_map(|push| &push.ids).for_each(|id| *times.entry(*id).or_default() += 1);
    }
    assert_eq!(times, once(&lost), "each once, and nothing that the HIE still had");
    for envelope in kept.iter().chain(&lost) {
        assert!(author.is_at_hie(*envelope).await);
    }
    // The other laptop has them from before, and offers none of them: their author did.
    colleague.sync.now();
    colleague.when(async || colleague.store.strays().await.unwrap().is_empty()).await;
    colleague.later(11);
    colleague.when(async || colleague.sync.status().reachable && !colleague.sync.status().busy).await;
    assert!(colleague.sent.lock().unwrap().is_empty());
    hie.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_hie_lost_comes_from_a_colleague_where_its_author_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let clinic = Clinic::at_work(folder.path()).await;
    let (author, colleague, kept, lost, observations, hie) = clinic.restored(folder.path()).await;
    let device = author.enrolled.device;
    drop(author);
    let where_is = async |observation: &Id| {
        colleague.store.custody_of("Observation", &observation.to_string()).await.unwrap()
    };
    colleague.sync.now();
    let strays = async || colleague.store.strays().await.unwrap().into_iter().collect::<BTreeSet<Id>>();
    colleague.when(async || strays().await == lost.iter().copied().collect()).await;
    for observation in &observations {
        assert_eq!(where_is(observation).await, Some(EntryState::Here), "it is known to be nowhere else");
    }
    assert!(colleague.sent.lock().unwrap().is_empty(), "its author is given time to send it");

    colleague.later(11);
    colleague.when(async || colleague.store.strays().await.unwrap().is_empty()).await;
    assert_eq!(at_the_hie(&colleague).await, once(kept.iter().chain(&lost)));
    for observation in &observations {
        assert!(matches!(where_is(observation).await, Some(EntryState::AtHie(_))));
    }
    let sent: Vec<Id> = colleague.sent.lock().unwrap().iter().flat_map(|push| push.ids.clone()).collect();
    assert_eq!(sent, lost);
    // They are their author's still: nobody else's log grew.
    for envelope in &lost {
        let received = colleague.store.received(*envelope).await.unwrap().unwrap();
        assert_eq!(received.device, device);
    }
    assert_eq!(colleague.store.custody().await.unwrap().total(), 0);
    hie.shutdown().await;
}
