//! A pull: fetch, verify, apply with the cursor in one transaction. The very first begins with what is needed first.

use rabta_store::{PullBatch, Pulled, RecordStore, StoreError, Transaction};
use rabta_wire::{
    Id,
    cursor::Cursor,
    envelope::Envelope,
    log::{Change, Item, PullReply},
};

use crate::{
    apart::{self, Kept, kept_apart},
    carrier::Carrier,
    driver::{Driver, Failure},
    error::HieError,
    status::{Changed, FirstPull},
    verify::Apart,
};

/// Set once the first fetch came to its end.
const FETCHED: &str = "sync.first-pull-done";

impl<S: RecordStore + 'static, C: Carrier> Driver<S, C> {
    pub(crate) async fn pull(&mut self, after: Option<Cursor>, limit: u32) -> Result<(), Failure> {
        self.busy(true);
        if after.is_none_or(|cursor| cursor.seq == 0) {
            self.lately(limit).await?;
        }
        let began = self.now();
        let hint = self.link.hint;
        let reply = self.client.pull(after, limit).await?;
        self.contact(began);
        goes_on(after, &reply)?;
        if after.is_none() {
            // The first word of this HIE's life, or of its new one.
            self.store.enter_epoch(reply.next.epoch).await?;
        }
        let (next, more, remaining) = (reply.next, reply.more, reply.remaining);
        let copied = reply.copied == Some(true);
        self.change(|status| status.copied = copied);
        self.granted(reply.lease.as_ref().map(|lease| lease.as_slice()));
        let count = reply.changes.len() as u64;
        self.apply(reply).await?;
        self.link.more = more;
        if !more {
            self.link.pulled_at = Some(self.now());
            (self.link.wanted, self.link.catching_up) = (false, false);
            let now = self.now();
            self.strays.read_to_end(now);
            // A hint beyond the end was of another life, or of nothing in our scope.
            if self.link.hint == hint {
                self.link.hint = self.link.hint.min(next.seq);
            }
        }
        self.progress(after.is_none(), count, remaining, more).await?;
        Ok(())
    }

    /// A new laptop is of use before all is there: the patients of these days and those with open asks come first. They
    /// come again in their places, where they change nothing; the cursor stays at the start.
    async fn lately(&mut self, limit: u32) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let began = self.now();
            let mut reply = match self.client.pull_lately(after, limit).await {
                // An HIE that does not know this yet.
                Err(HieError::Refused { status: 404, .. }) => return Ok(()),
                reply => reply?,
            };
            self.contact(began);
            goes_on(after, &reply)?;
            if after.is_none() {
                self.store.enter_epoch(reply.next.epoch).await?;
            }
            after = Some(reply.next);
            let more = reply.more;
            reply.next.seq = 0;
            self.apply(reply).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// A lease that came with the answer. One that is not the HIE's, or for another device, is no lease.
    fn granted(&mut self, lease: Option<&[u8]>) {
        let Some(bytes) = lease else { return };
        let device = self.client.identity().map(|me| me.device);
        match self.keyring.lease(bytes).filter(|grant| Some(grant.device) == device) {
            Some(grant) => self.change(|status| status.lease = Some(grant)),
            None => tracing::warn!("a lease that is not for this device"),
        }
    }

    async fn apply(&mut self, reply: PullReply) -> Result<(), Failure> {
        let PullReply { changes, next, backed_up, .. } = reply;
        let mut changed = Changed::default();
        let mut items: Vec<(u64, Pulled)> = Vec::new();
        let mut kept = kept_apart(&*self.store).await?;
        let before = kept.len();
        // Certificates first: the HIE writes them before what needs them, but one batch is one moment.
        let mut certified = false;
        for Change { seq, item } in &changes {
            if let Item::Cert { bytes } = item {
                match self.keyring.learn(bytes) {
                    Some(cert) => {
                        items.push((*seq, Pulled::Cert(cert)));
                        certified = true;
                    }
                    None => tracing::warn!(seq, "a certificate that is not this HIE's"),
                }
            }
        }
        for Change { seq, item } in changes {
            match item {
                Item::Resource { kind, id, version, body } => {
                    changed.resources += 1;
                    if kind == "Patient" {
                        changed.patients.extend(id.parse::<Id>().ok());
                    }
                    items.push((seq, Pulled::Resource { kind, id, version, body: body.into() }));
                }
                Item::Envelope { bytes, received_at } => {
                    match self.verify(&bytes, received_at, &mut changed).await? {
                        Ok(()) => {
                            items.push((seq, Pulled::Envelope { seq, received_at, bytes: bytes.into() }))
                        }
                        Err(why) => {
                            tracing::warn!(seq, %why, "an envelope is kept apart");
                            kept.push(Kept::new(seq, received_at, &bytes, why));
                        }
                    }
                }
                Item::Roster { json } => {
                    changed.roster = true;
                    items.push((seq, Pulled::Roster(json.into())));
                }
                Item::Cert { .. } | Item::Other => {}
            }
        }
        let mut mended = Vec::new();
        if certified {
            (mended, kept) = apart::retry(kept, &self.keyring);
        }
        if kept.len() != before || !mended.is_empty() {
            apart::save(&*self.store, kept.clone()).await?;
        }
        for bytes in mended.iter().filter_map(|item| match item {
            Pulled::Envelope { bytes, .. } => Some(bytes),
            _ => None,
        }) {
            note(bytes, &mut changed);
        }
        items.sort_by_key(|(seq, _)| *seq);
        let all: Vec<Pulled> = mended.into_iter().chain(items.iter().map(|(_, item)| item.clone())).collect();
        let applied = self.store.apply_pull(PullBatch { items: all, next, backed_up }).await;
        match applied {
            Err(StoreError::Payload(..) | StoreError::Resource(_)) => {
                self.apply_singly(items, next, backed_up, &mut kept).await?;
            }
            other => other?,
        }
        let apart = kept.len() as u64;
        self.change(|status| status.apart = apart);
        if !changed.is_empty() {
            let _ = self.changes.send(changed);
        }
        Ok(())
    }

    /// One change that the store cannot take must not hold up all others: it is kept apart.
    async fn apply_singly(
        &mut self,
        items: Vec<(u64, Pulled)>,
        next: Cursor,
        backed_up: u64,
        kept: &mut Vec<Kept>,
    ) -> Result<(), Failure> {
        for (seq, item) in items {
            let here = Cursor { epoch: next.epoch, seq };
            let batch = PullBatch { items: vec![item.clone()], next: here, backed_up };
            match self.store.apply_pull(batch).await {
                Err(error @ (StoreError::Payload(..) | StoreError::Resource(_))) => {
                    tracing::warn!(seq, %error, "a change is kept apart");
                    if let Pulled::Envelope { received_at, bytes, .. } = item {
                        kept.push(Kept::new(seq, received_at, &bytes, Apart::Unreadable));
                        apart::save(&*self.store, kept.clone()).await?;
                    }
                }
                other => other?,
            }
        }
        Ok(self.store.apply_pull(PullBatch { items: Vec::new(), next, backed_up }).await?)
    }

    /// Whether the envelope is what it claims to be; our own needs no certificate.
    async fn verify(
        &mut self,
        bytes: &[u8],
        received_at: i64,
        changed: &mut Changed,
    ) -> Result<Result<(), Apart>, StoreError> {
        let Ok((envelope, header)) = Envelope::from_bytes(bytes).and_then(|e| e.header().map(|h| (e, h)))
        else {
            return Ok(self.keyring.check(bytes, received_at).map(|_| ()));
        };
        let ours = self.client.identity().is_some_and(|me| {
            me.device == header.device && envelope.open(&me.device_key.verifying_key()).is_ok()
        });
        for subject in header.signed_by.iter().map(|s| s.person).chain([header.device]) {
            self.recall(subject).await?;
        }
        let verdict = if ours { Ok(()) } else { self.keyring.check(bytes, received_at).map(|_| ()) };
        if verdict.is_ok() {
            note(bytes, changed);
            self.arrived(header.id);
            self.strays.arrived(header.id);
        }
        Ok(verdict)
    }

    /// Certificates that an earlier pull brought.
    pub(crate) async fn recall(&mut self, subject: Id) -> Result<(), StoreError> {
        // Knowing one key of a person says nothing of the others: they may have joined elsewhere in this very page.
        if self.recalled.insert(subject) {
            for cert in self.store.certs(subject).await? {
                self.keyring.learn(&cert.bytes);
            }
        }
        Ok(())
    }

    async fn progress(
        &mut self,
        first: bool,
        count: u64,
        remaining: u64,
        more: bool,
    ) -> Result<(), StoreError> {
        let going = self.status.borrow().first_pull;
        let begun = going.or_else(|| first.then(FirstPull::default));
        let Some(FirstPull { done, .. }) = begun else { return Ok(()) };
        let done = done + count;
        if more {
            self.change(|status| status.first_pull = Some(FirstPull { done, of: done + remaining }));
        } else {
            // The whole bar for a moment, then none.
            self.change(|status| status.first_pull = Some(FirstPull { done, of: done }));
            if self.store.setting(FETCHED).await?.is_none() {
                self.store.commit(Transaction::new().set(FETCHED, *b"1"), None).await?;
            }
            self.change(|status| status.first_pull = None);
        }
        Ok(())
    }
}

/// An answer that says "more" and stays where it was would be asked for again and again, and one that leads back would
/// never come to an end.
fn goes_on(after: Option<Cursor>, reply: &PullReply) -> Result<(), HieError> {
    let stood = after.map_or(0, |cursor| cursor.seq);
    if reply.next.seq < stood || (reply.more && reply.next.seq == stood) {
        return Err(HieError::Malformed("a page that does not go on"));
    }
    Ok(())
}

fn note(bytes: &[u8], changed: &mut Changed) {
    if let Ok(header) = Envelope::from_bytes(bytes).and_then(|e| e.header()) {
        changed.patients.extend(header.patient);
        changed.asks.extend(header.task);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ed25519_dalek::SigningKey;
    use rabta_store::{DeviceSigner, MemoryStore, NewEnvelope};
    use rabta_wire::{
        cert::{Cert, SignedCert, Subject},
        envelope::{Kind, PersonSignature},
    };
    use tokio::sync::mpsc;

    use super::*;
    use crate::carrier::Scripted;

    const PERSON: Id = Id([2; 16]);
    const EPOCH: Id = Id([9; 16]);

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn cert(seq: u64, subject: Subject, of: &SigningKey) -> Change {
        let key_bytes = of.verifying_key().to_bytes();
        let cert = Cert {
            subject,
            key: key_bytes,
            facility: Id([4; 16]),
            facility_name: "BHU".into(),
            issued_at: 1,
            revoked: false,
        };
        Change { seq, item: Item::Cert { bytes: SignedCert::sign(&key(1), &cert).to_bytes().into() } }
    }

    fn person(seq: u64, of: &SigningKey) -> Change {
        let subject = Subject::Person {
            id: PERSON,
            name: "a doctor".into(),
            role: "doctor".into(),
            registration: None,
            qualification: None,
            specialty: None,
        };
        cert(seq, subject, of)
    }

    /// One pull by a program that was started just now, answered by this page. `endless`: it says that there is more.
    async fn pull(store: &Arc<MemoryStore>, changes: Vec<Change>, endless: bool) -> Result<(), Failure> {
        let line = Scripted::new(move || {
            let next = Cursor { epoch: EPOCH, seq: changes.last().map_or(0, |change| change.seq) };
            let changes = changes.clone();
            Some(PullReply {
                changes,
                next,
                more: endless,
                backed_up: 0,
                remaining: 0,
                lease: None,
                copied: None,
            })
        });
        let (told, _) = mpsc::unbounded_channel();
        let (mut driver, _) = Driver::new(line, store.clone(), key(1).verifying_key(), told, 1);
        driver.pull(store.cursor().await.expect("it reads"), 20).await
    }

    async fn pull_once(store: &Arc<MemoryStore>, changes: Vec<Change>) {
        pull(store, changes, false).await.expect("it is applied");
    }

    #[tokio::test]
    async fn a_page_that_leads_to_itself_or_back_is_refused_and_moves_nothing() {
        // Also where the first pages, those of the last days, never end: this test would not either.
        let store = Arc::new(MemoryStore::new());
        let endless = pull(&store, vec![person(5, &key(6))], true).await;
        assert!(matches!(endless, Err(Failure::Hie(HieError::Malformed(_)))), "{endless:?}");

        pull_once(&store, vec![person(5, &key(6))]).await;
        let stood = store.cursor().await.expect("it reads");
        for (page, endless) in [(vec![person(5, &key(6))], true), (vec![person(3, &key(6))], false)] {
            let refused = pull(&store, page, endless).await;
            assert!(matches!(refused, Err(Failure::Hie(HieError::Malformed(_)))), "{refused:?}");
            assert_eq!(store.cursor().await.expect("it reads"), stood);
        }
    }

    const DEVICE: Id = Id([3; 16]);

    /// A visit that the device wrote and whoever has this key signed in the doctor's name.
    async fn visit(n: u8, by: &SigningKey) -> Vec<u8> {
        let payload = br#"{"resourceType":"Bundle","type":"document","entry":[]}"#.to_vec();
        let new = NewEnvelope {
            id: Id([n; 16]),
            kind: Kind::Visit,
            patient: Some(Id([8; 16])),
            facility: Id([4; 16]),
            task: None,
            base_version: None,
            depends: vec![],
            device_time: 0,
            clock_offset: None,
            signed_by: Some(PersonSignature::sign(by, PERSON, "x", &payload)),
            payload: payload.into(),
        };
        let theirs = MemoryStore::new();
        let signer = DeviceSigner::new(DEVICE, Arc::new(key(5)));
        theirs.commit(Transaction::new().append(new), Some(&signer)).await.expect("it is appended");
        theirs.log_entry(Id([n; 16])).await.expect("it reads").expect("it is there").bytes.0
    }

    fn at(seq: u64, bytes: Vec<u8>) -> Change {
        Change { seq, item: Item::Envelope { bytes: bytes.into(), received_at: 10 } }
    }

    #[tokio::test]
    async fn a_bent_and_a_forged_envelope_are_kept_apart_and_the_rest_of_their_page_is_here() {
        let store = Arc::new(MemoryStore::new());
        let laptop = Subject::Device { id: DEVICE, name: "first".into() };
        let mut bent = visit(8, &key(6)).await;
        *bent.last_mut().expect("bytes") ^= 1;
        // Another's key in the doctor's name.
        let forged = visit(9, &key(7)).await;
        let good = visit(7, &key(6)).await;
        let page =
            vec![cert(1, laptop, &key(5)), person(2, &key(6)), at(3, bent), at(4, forged), at(5, good)];
        pull_once(&store, page).await;
        let kept = kept_apart(&*store).await.expect("it reads");
        let apart: Vec<Apart> = kept.iter().map(|kept| kept.why).collect();
        assert_eq!(apart, [Apart::DeviceSignature, Apart::PersonSignature]);
        for (n, here) in [(7, true), (8, false), (9, false)] {
            assert_eq!(store.received(Id([n; 16])).await.expect("it reads").is_some(), here, "{n}");
        }
        let stood = store.cursor().await.expect("it reads").map(|at| at.seq);
        assert_eq!(stood, Some(5), "nothing is held up");
    }

    #[tokio::test]
    async fn who_joins_a_second_laptop_is_still_believed_with_the_first_key() {
        let store = Arc::new(MemoryStore::new());
        let laptop = Subject::Device { id: DEVICE, name: "first".into() };
        pull_once(&store, vec![cert(1, laptop, &key(5)), person(2, &key(6))]).await;

        // Written with the first key, and in the page that brings the second one.
        let visit = at(3, visit(7, &key(6)).await);
        pull_once(&store, vec![visit, person(4, &key(16))]).await;

        assert!(kept_apart(&*store).await.expect("it reads").is_empty());
        assert!(store.received(Id([7; 16])).await.expect("it reads").is_some());
    }
}
