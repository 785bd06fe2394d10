//! One meeting of two laptops over a line: who is there, and what each hands over.
//!
//! What holds: nothing is taken from, or handed to, who is not a device of this facility by the HIE's word; nothing that
//! was handed over counts before its signatures were checked; nothing of it counts as sent; nothing is taken twice; a
//! line that breaks leaves what was taken until then.

use std::{collections::BTreeSet, sync::Arc};

use ed25519_dalek::VerifyingKey;
use rabta_store::{Handed, RecordStore, StoreError};
use rabta_wire::{
    Id,
    cert::{Cert, Subject},
    envelope::{Envelope, Kind},
    nearby::{HANDFUL, HAVE, Handful, Have, Hello, Taken, VERSION, Want},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Met, NearbyError, line::Line};
use crate::{Keyring, client::Identity, status::Changed};

/// Who called hands over first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Called,
    Answered,
}

/// This laptop at a meeting.
pub(super) struct Here<S> {
    pub store: Arc<S>,
    pub me: Identity,
    pub hie: VerifyingKey,
    /// What this laptop calls itself on this Wi-Fi.
    pub name: String,
    /// Milliseconds since 1970, by the HIE's clock as far as it is known.
    pub now: i64,
}

impl<S: RecordStore> Here<S> {
    /// What became of it, and what the far side calls itself. `changed` says what changed here, also where it failed then.
    pub async fn meet<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut line: Line<T>,
        side: Side,
        changed: &mut Changed,
    ) -> Result<(Met, String), NearbyError> {
        let mut keyring = Keyring::new(self.hie);
        self.recall(&mut keyring, self.me.device).await?;
        let facility = keyring.certs(self.me.device).first().map(|cert| cert.facility);
        let facility = facility.ok_or(NearbyError::NotEnrolled)?;

        let certs = self.store.certs(self.me.device).await?.into_iter().map(|cert| cert.bytes.into());
        line.say(&Hello { version: VERSION, certs: certs.collect(), name: self.name.clone() }).await?;
        let hello: Hello = line.hear().await?;
        hello.certs.iter().for_each(|bytes| drop(keyring.learn(bytes)));
        let (device, name) = self.believe(&mut keyring, &hello, &line.key, facility).await?;

        let mut met = Met { device, name, at: self.now, handed: 0, taken: 0 };
        if side == Side::Called {
            met.handed = self.hand_over(&mut line).await?;
            met.taken = self.take(&mut line, &mut keyring, facility, changed).await?;
        } else {
            met.taken = self.take(&mut line, &mut keyring, facility, changed).await?;
            met.handed = self.hand_over(&mut line).await?;
        }
        line.close().await;
        Ok((met, hello.name))
    }

    /// The device that holds the far key by the HIE's word, as it was last heard of here or there.
    async fn believe(
        &self,
        keyring: &mut Keyring,
        hello: &Hello,
        key: &[u8; 32],
        facility: Id,
    ) -> Result<(Id, String), NearbyError> {
        let said =
            hello.certs.iter().filter_map(|bytes| rabta_wire::cert::SignedCert::open(bytes, &self.hie).ok());
        let device = said
            .filter(|cert| cert.key == *key)
            .find_map(|cert| match cert.subject {
                Subject::Device { id, .. } => Some(id),
                Subject::Person { .. } => None,
            })
            .ok_or(NearbyError::Stranger)?;
        if device == self.me.device {
            return Err(NearbyError::Myself);
        }
        self.recall(keyring, device).await?;
        let newest = keyring.certs(device).into_iter().find(|cert| cert.key == *key);
        match newest {
            Some(Cert {
                revoked: false, subject: Subject::Device { name, .. }, facility: theirs, ..
            }) if *theirs == facility => Ok((device, name.clone())),
            _ => Err(NearbyError::Stranger),
        }
    }

    async fn hand_over<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        line: &mut Line<T>,
    ) -> Result<usize, NearbyError> {
        let mut envelopes = self.store.only_here().await?;
        envelopes.truncate(HAVE);
        let offered: BTreeSet<Id> = envelopes.iter().copied().collect();
        line.say(&Have { envelopes }).await?;
        let want: Want = line.hear().await?;
        let mut wanted = want.envelopes.into_iter().filter(|id| offered.contains(id));
        let (mut handed, mut told) = (0, BTreeSet::new());
        loop {
            let (mut handful, mut size) = (Handful::default(), 0);
            while size < HANDFUL
                && let Some(id) = wanted.next()
            {
                let Some(bytes) = self.envelope(id).await? else { continue };
                let Ok(header) = Envelope::from_bytes(&bytes).and_then(|envelope| envelope.header()) else {
                    continue;
                };
                for subject in header.signed_by.iter().map(|signed| signed.person).chain([header.device]) {
                    if told.insert(subject) {
                        let certs = self.store.certs(subject).await?;
                        handful.certs.extend(certs.into_iter().map(|cert| cert.bytes.into()));
                    }
                }
                size += bytes.len();
                handful.envelopes.push(bytes.into());
            }
            let last = handful.envelopes.is_empty();
            line.say(&handful).await?;
            if last {
                return Ok(handed);
            }
            let taken: Taken = line.hear().await?;
            handed += taken.count as usize;
        }
    }

    async fn take<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        line: &mut Line<T>,
        keyring: &mut Keyring,
        facility: Id,
        changed: &mut Changed,
    ) -> Result<usize, NearbyError> {
        let have: Have = line.hear().await?;
        if have.envelopes.len() > HAVE {
            return Err(NearbyError::Malformed);
        }
        let mut envelopes = Vec::new();
        for id in have.envelopes {
            if self.envelope(id).await?.is_none() {
                envelopes.push(id);
            }
        }
        line.say(&Want { envelopes }).await?;
        let mut taken = 0;
        loop {
            let handful: Handful = line.hear().await?;
            if handful.envelopes.is_empty() {
                return Ok(taken);
            }
            let certs: Vec<_> = handful.certs.iter().filter_map(|bytes| keyring.learn(bytes)).collect();
            let mut handed = Handed { at: self.now, envelopes: Vec::new(), certs };
            for bytes in handful.envelopes {
                if self.is_sound(keyring, facility, &bytes, changed).await? {
                    handed.envelopes.push(bytes.into());
                }
            }
            let count = self.store.take_handed(handed).await?;
            line.say(&Taken { count: u32::try_from(count).unwrap_or(u32::MAX) }).await?;
            taken += count;
        }
    }

    /// Whether an envelope is of this facility and what it claims to be.
    async fn is_sound(
        &self,
        keyring: &mut Keyring,
        facility: Id,
        bytes: &[u8],
        changed: &mut Changed,
    ) -> Result<bool, StoreError> {
        if let Ok(header) = Envelope::from_bytes(bytes).and_then(|envelope| envelope.header()) {
            for subject in header.signed_by.iter().map(|signed| signed.person).chain([header.device]) {
                self.recall(keyring, subject).await?;
            }
        }
        Ok(match keyring.check(bytes, self.now) {
            // Its own device's, which this log does not know: an older state of this laptop wrote it, and the HIE has a word
            // to say about that.
            Ok(verified) if verified.header.device == self.me.device => false,
            Ok(verified) if verified.header.facility != facility || verified.header.kind == Kind::Audit => {
                false
            }
            Ok(verified) => {
                changed.patients.extend(verified.header.patient);
                changed.asks.extend(verified.header.task);
                true
            }
            Err(why) => {
                tracing::warn!(%why, "an envelope from nearby is not taken");
                false
            }
        })
    }

    async fn envelope(&self, id: Id) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(own) = self.store.log_entry(id).await? {
            return Ok(Some(own.bytes.0));
        }
        Ok(self.store.received(id).await?.map(|received| received.bytes.0))
    }

    async fn recall(&self, keyring: &mut Keyring, subject: Id) -> Result<(), StoreError> {
        for cert in self.store.certs(subject).await? {
            keyring.learn(&cert.bytes);
        }
        Ok(())
    }
}
