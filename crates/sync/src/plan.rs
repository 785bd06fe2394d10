//! What to do next, as a pure function: [`plan`] looks at what is unsent, at what the line said last and at the
//! time, and answers with operations. The driver ([`crate::Driver`]) carries them out and asks again.
//!
//! What holds, whatever the network does:
//! - an unsent envelope stays in the plan until it is acknowledged;
//! - a refused one holds back what depends on it and nothing else;
//! - an ask goes first, with everything that it depends on; parts of attachments go last;
//! - there is always something to do or a time to look again.

use std::collections::{BTreeMap, BTreeSet};

use rabta_wire::{
    Id,
    cursor::Cursor,
    envelope::{Header, Kind},
    limits,
};

use crate::backoff;

/// Milliseconds of the monotone clock.
pub type Millis = u64;

/// In which order things go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Somebody waits for it: all that belongs to an ask.
    Ask,
    Record,
    /// Photos and voice notes, in parts.
    Attachment,
    /// Another device's, which a restored HIE may have lost ([`crate::Driver`] says which): whoever wrote it most likely
    /// sends it, too.
    Stray,
}

impl Tier {
    pub fn of(header: &Header) -> Self {
        match header.kind {
            Kind::AttachmentPart => Self::Attachment,
            Kind::ReferralNote | Kind::TaskMove | Kind::Communication | Kind::Advice | Kind::Decisions => {
                Self::Ask
            }
            Kind::Patient | Kind::Consent | Kind::Visit | Kind::Audit if header.task.is_some() => Self::Ask,
            Kind::Patient | Kind::Consent | Kind::Visit | Kind::Audit => Self::Record,
        }
    }
}

/// An envelope that is not acknowledged: of this device's log, or another's that is carried for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    pub id: Id,
    /// Its place in this device's log, from 1; 0 of another's.
    pub seq: u64,
    pub kind: Kind,
    pub tier: Tier,
    pub depends: Vec<Id>,
    /// Encoded.
    pub bytes: usize,
    /// The HIE refused it: it waits for a person.
    pub refused: bool,
}

/// What the store knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Local {
    /// What is unacknowledged, refused ones too. May be cut off at the end of the store's pushing order, never at
    /// something that an entry depends on.
    pub unsent: Vec<Unsent>,
    /// Up to where the HIE's log is here.
    pub cursor: Option<Cursor>,
}

/// What the driver remembers of the line; gone with the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Tries without an answer since the last one with.
    pub failures: u32,
    /// When the last of them ended.
    pub failed_at: Millis,
    /// Pulls in a row whose answer could not be read, and when the last of them was: they are tried later and hold up nothing
    /// that is to be sent.
    pub unread: u32,
    pub unread_at: Millis,
    /// When the log was last read to its end.
    pub pulled_at: Option<Millis>,
    /// The last pull's answer: there is more.
    pub more: bool,
    /// The newest place of the HIE's log that it told of.
    pub hint: u64,
    /// An answer carried an epoch that is not the cursor's.
    pub new_epoch: Option<Id>,
    /// The HIE's epoch changed and its log was not read to the end since: what it still has comes back with that
    /// reading, so only an ask goes out before.
    pub catching_up: bool,
    /// What the HIE put off: when to say it again.
    pub put_off: BTreeMap<Id, Millis>,
    /// How much to put into one push and one pull: what the line carried last time, or half of what it did not.
    pub push_bytes: usize,
    pub pull_count: u32,
    /// The WebSocket is there, so hints come.
    pub socket: bool,
    /// Somebody pressed "try now".
    pub wanted: bool,
    /// A call runs: only what somebody waits for, in small pieces.
    pub calling: bool,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            failures: 0,
            failed_at: 0,
            unread: 0,
            unread_at: 0,
            pulled_at: None,
            more: false,
            hint: 0,
            new_epoch: None,
            catching_up: false,
            put_off: BTreeMap::new(),
            push_bytes: FIRST_PUSH,
            pull_count: FIRST_PULL,
            socket: false,
            wanted: false,
            calling: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Send these, in this order, as one request.
    Push(Vec<Id>),
    Pull {
        after: Option<Cursor>,
        limit: u32,
    },
    /// Nothing that the old epoch acknowledged counts any more.
    ResetEpoch(Id),
    /// Nothing to do before this time, unless something happens.
    Wait {
        until: Millis,
    },
}

const FIRST_PUSH: usize = 64_000;
const LEAST_PUSH: usize = 16_000;
const FIRST_PULL: u32 = 200;
const LEAST_PULL: u32 = 20;
const QUICK: Millis = 4_000;
const SLOW: Millis = 20_000;
/// With hints over the WebSocket, a pull now and then only makes sure.
const POLL_WITH_SOCKET: Millis = 10 * 60_000;
const POLL: Millis = 60_000;
/// So many answers in a row that cannot be read are no accident.
const UNREAD: u32 = 3;
/// Sending while a call runs must not queue in front of the voice.
const CALLING_PUSH: usize = 16_000;
const CALLING_PULL: u32 = 20;

impl Link {
    /// A request was answered after `took` milliseconds: the next may be larger, or had better be smaller.
    pub fn answered(&mut self, took: Millis) {
        self.failures = 0;
        if took < QUICK {
            self.push_bytes = (self.push_bytes * 2).min(limits::PUSH);
            self.pull_count = (self.pull_count * 2).min(limits::PULL_COUNT);
        } else if took > SLOW {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        self.push_bytes = (self.push_bytes / 2).max(LEAST_PUSH);
        self.pull_count = (self.pull_count / 2).max(LEAST_PULL);
    }

    /// A pull was answered with something that cannot be read: perhaps less of it can.
    pub fn unreadable(&mut self, now: Millis) {
        self.unread = self.unread.saturating_add(1);
        self.unread_at = now;
        self.wanted = false;
        self.shrink();
    }

    /// A request was not.
    pub fn failed(&mut self, now: Millis) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = now;
        self.wanted = false;
        self.shrink();
    }
}

/// What to do next, in order; after a failure, or a push of which not everything was taken, plan again. `seed` spreads the laptops of a district that all lost their network at once.
pub fn plan(local: &Local, link: &Link, now: Millis, seed: u64) -> Vec<Operation> {
    // Also what the own store could not take (a full disk) is tried again later, not at once and for ever.
    let until = link.failed_at + backoff::delay(link.failures, seed);
    if link.failures > 0 && !link.wanted && now < until {
        return vec![Operation::Wait { until }];
    }
    if let Some(epoch) = link.new_epoch {
        return vec![Operation::ResetEpoch(epoch)];
    }

    let order = ready(local, link, now);
    let most = if link.calling { CALLING_PUSH } else { link.push_bytes };
    let mut operations = Vec::new();
    let asks = batch(order.iter().filter(|(tier, _)| *tier == Tier::Ask), most);
    // What depends on an ask that does not fit into this round waits with it.
    let mut left: BTreeSet<Id> = order.iter().map(|(_, e)| e.id).filter(|id| !asks.contains(id)).collect();
    if !asks.is_empty() {
        operations.push(Operation::Push(asks));
    }
    if pull_due(local, link, now, seed) {
        let limit = if link.calling { CALLING_PULL.min(link.pull_count) } else { link.pull_count };
        operations.push(Operation::Pull { after: local.cursor, limit });
    }
    // What the HIE still has would come back with its log; where that cannot be read, nothing is to wait for it.
    if !(link.catching_up && link.unread < UNREAD) && !link.calling {
        let free = order.iter().filter(|(tier, e)| {
            let free = *tier != Tier::Ask && !e.depends.iter().any(|d| left.contains(d));
            if free {
                left.remove(&e.id);
            }
            free
        });
        let rest = batch(free, most);
        if !rest.is_empty() {
            operations.push(Operation::Push(rest));
        }
    }
    if operations.is_empty() {
        operations.push(Operation::Wait { until: next_look(link, now, seed) });
    }
    operations
}

/// Refused envelopes, and those that wait for one of them: what a person must see to.
pub fn held(unsent: &[Unsent]) -> BTreeSet<Id> {
    let mut held: BTreeSet<Id> = unsent.iter().filter(|e| e.refused).map(|e| e.id).collect();
    spread(unsent, &mut held);
    held
}

/// Adds to `held` all that depends on it.
fn spread(unsent: &[Unsent], held: &mut BTreeSet<Id>) {
    loop {
        let before = held.len();
        for envelope in unsent {
            if envelope.depends.iter().any(|d| held.contains(d)) {
                held.insert(envelope.id);
            }
        }
        if held.len() == before {
            return;
        }
    }
}

/// Those that may go now: by tier (of what waits for them, if that is higher), then in log order.
fn ready<'a>(local: &'a Local, link: &Link, now: Millis) -> Vec<(Tier, &'a Unsent)> {
    let mut held = held(&local.unsent);
    let later = local.unsent.iter().filter(|e| link.put_off.get(&e.id).is_some_and(|until| now < *until));
    held.extend(later.map(|e| e.id));
    spread(&local.unsent, &mut held);

    let mut order: Vec<&Unsent> = local.unsent.iter().filter(|e| !held.contains(&e.id)).collect();
    order.sort_by_key(|e| e.seq);
    // A dependency always stands earlier in the log, so one pass from the end lifts whole chains.
    let mut tiers: BTreeMap<Id, Tier> = order.iter().map(|e| (e.id, e.tier)).collect();
    for envelope in order.iter().rev() {
        let tier = tiers[&envelope.id];
        for dependency in &envelope.depends {
            if let Some(theirs) = tiers.get_mut(dependency) {
                *theirs = tier.min(*theirs);
            }
        }
    }
    let mut order: Vec<(Tier, &Unsent)> = order.into_iter().map(|e| (tiers[&e.id], e)).collect();
    order.sort_by_key(|(tier, e)| (*tier, e.seq));
    order
}

/// The first of `order` that fit into one request: at least one, however large.
fn batch<'a>(order: impl Iterator<Item = &'a (Tier, &'a Unsent)>, most: usize) -> Vec<Id> {
    let mut chosen: Vec<&Unsent> = Vec::new();
    let mut bytes = 0;
    for (_, envelope) in order.take(limits::PUSH_COUNT) {
        // The frame around each envelope is a few bytes.
        bytes += envelope.bytes + 16;
        if bytes > most.min(limits::PUSH - 1_000) && !chosen.is_empty() {
            break;
        }
        chosen.push(envelope);
    }
    // The protocol asks for log order within a request.
    chosen.sort_by_key(|e| e.seq);
    chosen.into_iter().map(|e| e.id).collect()
}

/// When a pull may be tried again after answers that could not be read.
fn readable_again(link: &Link, seed: u64) -> Millis {
    link.unread_at + backoff::delay(link.unread, seed)
}

fn pull_due(local: &Local, link: &Link, now: Millis, seed: u64) -> bool {
    if link.unread > 0 && !link.wanted && now < readable_again(link, seed) {
        return false;
    }
    let behind = local.cursor.is_none_or(|cursor| cursor.seq < link.hint);
    let looked = link.pulled_at.is_some_and(|at| now < at + poll(link));
    link.more || link.wanted || behind || link.catching_up || !looked
}

fn poll(link: &Link) -> Millis {
    if link.socket { POLL_WITH_SOCKET } else { POLL }
}

fn next_look(link: &Link, now: Millis, seed: u64) -> Millis {
    let pull = link.pulled_at.map_or(now, |at| at + poll(link)).max(readable_again(link, seed));
    let put_off = link.put_off.values().copied().filter(|until| *until > now).min();
    pull.min(put_off.unwrap_or(Millis::MAX)).max(now + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: u64) -> Id {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&n.to_be_bytes());
        Id(bytes)
    }

    fn unsent(seq: u64, tier: Tier, depends: &[u64]) -> Unsent {
        let kind = match tier {
            Tier::Ask => Kind::ReferralNote,
            Tier::Record => Kind::Visit,
            Tier::Attachment => Kind::AttachmentPart,
            Tier::Stray => Kind::Patient,
        };
        let depends = depends.iter().copied().map(id).collect();
        Unsent { id: id(seq), seq, kind, tier, depends, bytes: 1_000, refused: false }
    }

    fn up_to_date() -> (Local, Link) {
        let cursor = Some(Cursor { epoch: id(99), seq: 7 });
        (Local { cursor, unsent: Vec::new() }, Link { pulled_at: Some(0), ..Link::default() })
    }

    fn pushes(operations: &[Operation]) -> Vec<Vec<Id>> {
        operations
            .iter()
            .filter_map(|o| if let Operation::Push(ids) = o { Some(ids.clone()) } else { None })
            .collect()
    }

    #[test]
    fn an_ask_goes_first_with_what_it_depends_on_and_photos_go_last() {
        let (mut local, link) = up_to_date();
        local.unsent = vec![
            unsent(1, Tier::Record, &[]),
            unsent(2, Tier::Attachment, &[]),
            unsent(3, Tier::Record, &[]),
            unsent(4, Tier::Record, &[3]),
            unsent(5, Tier::Ask, &[4]),
        ];
        let operations = plan(&local, &link, 1, 0);
        assert_eq!(pushes(&operations), [vec![id(3), id(4), id(5)], vec![id(1), id(2)]]);
        local.unsent[1].bytes = 63_999;
        assert_eq!(pushes(&plan(&local, &link, 1, 0))[1], [id(1)], "the photo waits for its own request");
    }

    #[test]
    fn anothers_goes_last_unless_something_of_ours_needs_it() {
        let (mut local, link) = up_to_date();
        let stray = |n: u64| Unsent { id: id(n), ..unsent(0, Tier::Stray, &[]) };
        local.unsent = vec![stray(91), stray(90), unsent(1, Tier::Attachment, &[])];
        assert_eq!(
            pushes(&plan(&local, &link, 1, 0)),
            [[id(91), id(90), id(1)]],
            "with what else there is room"
        );
        local.unsent[2].bytes = 63_999;
        assert_eq!(pushes(&plan(&local, &link, 1, 0)), [[id(1)]]);
        local.unsent.push(unsent(2, Tier::Ask, &[90]));
        assert_eq!(pushes(&plan(&local, &link, 1, 0)), [vec![id(90), id(2)], vec![id(1)]]);
        let calling = Link { calling: true, ..link };
        assert_eq!(pushes(&plan(&local, &calling, 1, 0)), [[id(90), id(2)]]);
    }

    #[test]
    fn a_refused_patient_holds_that_patients_visits_and_nothing_else() {
        let (mut local, link) = up_to_date();
        local.unsent = vec![
            unsent(1, Tier::Record, &[]),
            unsent(2, Tier::Record, &[1]),
            unsent(3, Tier::Ask, &[2]),
            unsent(4, Tier::Record, &[]),
        ];
        local.unsent[0].refused = true;
        assert_eq!(pushes(&plan(&local, &link, 1, 0)), [vec![id(4)]]);
        assert_eq!(held(&local.unsent), [id(1), id(2), id(3)].into());
    }

    #[test]
    fn a_changed_epoch_comes_before_everything_and_only_asks_go_out_until_it_was_read() {
        let (mut local, mut link) = up_to_date();
        local.unsent = vec![unsent(1, Tier::Record, &[]), unsent(2, Tier::Ask, &[])];
        link.new_epoch = Some(id(100));
        assert_eq!(plan(&local, &link, 1, 0), [Operation::ResetEpoch(id(100))]);
        link.new_epoch = None;
        (local.cursor, link.catching_up) = (None, true);
        let pull = Operation::Pull { after: None, limit: link.pull_count };
        assert_eq!(plan(&local, &link, 1, 0), [Operation::Push(vec![id(2)]), pull]);
    }

    #[test]
    fn a_full_disk_that_cannot_note_the_new_epoch_is_tried_again_later() {
        let (local, mut link) = up_to_date();
        link.new_epoch = Some(id(100));
        link.failed(1_000);
        let [Operation::Wait { until }] = plan(&local, &link, 1_000, 0)[..] else { panic!("no wait") };
        assert_eq!(plan(&local, &link, until, 0), [Operation::ResetEpoch(id(100))]);
    }

    #[test]
    fn after_failures_it_waits_longer_and_longer_unless_somebody_wants_it_now() {
        let (local, mut link) = up_to_date();
        let mut last = 0;
        for _ in 0..4 {
            link.failed(1_000);
            let [Operation::Wait { until }] = plan(&local, &link, 1_000, 5)[..] else { panic!("no wait") };
            assert!(until > last);
            last = until;
        }
        link.wanted = true;
        assert!(matches!(plan(&local, &link, 1_000, 5)[..], [Operation::Pull { .. }]));
    }

    #[test]
    fn a_hint_is_followed_and_without_one_it_looks_again_after_a_while() {
        let (local, mut link) = up_to_date();
        assert_eq!(plan(&local, &link, 1, 0), [Operation::Wait { until: POLL }]);
        assert!(matches!(plan(&local, &link, POLL, 0)[..], [Operation::Pull { .. }]));
        link.socket = true;
        assert_eq!(plan(&local, &link, POLL, 0), [Operation::Wait { until: POLL_WITH_SOCKET }]);
        link.hint = 8;
        assert!(matches!(plan(&local, &link, 1, 0)[..], [Operation::Pull { .. }]));
    }

    #[test]
    fn while_a_call_runs_only_the_ask_moves() {
        let (mut local, mut link) = up_to_date();
        link.calling = true;
        local.unsent =
            vec![unsent(1, Tier::Record, &[]), unsent(2, Tier::Ask, &[]), unsent(3, Tier::Attachment, &[])];
        assert_eq!(plan(&local, &link, 1, 0), [Operation::Push(vec![id(2)])]);
    }

    /// A log whose dependencies point backwards, as a log's do; which of them the HIE refuses.
    fn logs() -> impl Strategy<Value = (Vec<Unsent>, BTreeSet<Id>)> {
        let entry =
            (0..3u8, proptest::collection::vec(0..40u64, 0..3), 1..200_000usize, prop::bool::weighted(0.15));
        proptest::collection::vec(entry, 0..40).prop_map(|entries| {
            let mut refused = BTreeSet::new();
            let mut log = Vec::new();
            for (at, (tier, depends, bytes, refuse)) in entries.into_iter().enumerate() {
                let seq = at as u64 + 1;
                let tier = [Tier::Ask, Tier::Record, Tier::Attachment][tier as usize];
                let depends: Vec<u64> = depends.into_iter().map(|d| d + 1).filter(|d| *d < seq).collect();
                log.push(Unsent { bytes, ..unsent(seq, tier, &depends) });
                if refuse {
                    refused.insert(id(seq));
                }
            }
            (log, refused)
        })
    }

    proptest! {
        #[test]
        fn everything_arrives_in_the_end_but_the_refused_and_what_depends_on_them(
            (log, refuse) in logs(), breaks in proptest::collection::vec(any::<bool>(), 0..30), seed in any::<u64>()
        ) {
            let (mut local, mut link) = up_to_date();
            local.unsent = log.clone();
            let mut arrived = BTreeSet::new();
            let mut breaks = breaks.into_iter();
            let mut now = 1;
            for _ in 0..2_000 {
                'round: for operation in plan(&local, &link, now, seed) {
                    match operation {
                        Operation::Wait { until } => {
                            prop_assert!(until > now);
                            now = until;
                        }
                        Operation::Pull { .. } => link.pulled_at = Some(now),
                        Operation::ResetEpoch(_) => prop_assert!(false, "nobody said so"),
                        Operation::Push(ids) => {
                            prop_assert!(!ids.is_empty() && ids.len() <= limits::PUSH_COUNT);
                            if breaks.next() == Some(true) {
                                link.failed(now);
                                break;
                            }
                            link.answered(1);
                            for id in ids {
                                let envelope = local.unsent.iter().find(|e| e.id == id).expect("unsent").clone();
                                // Never before what it depends on.
                                prop_assert!(envelope.depends.iter().all(|d| arrived.contains(d)));
                                if refuse.contains(&id) {
                                    local.unsent.iter_mut().filter(|e| e.id == id).for_each(|e| e.refused = true);
                                    break 'round;
                                }
                                arrived.insert(id);
                                local.unsent.retain(|e| e.id != id);
                            }
                        }
                    }
                }
            }
            let mut marked = log.clone();
            marked.iter_mut().for_each(|e| e.refused = refuse.contains(&e.id));
            let stuck = held(&marked);
            for envelope in &log {
                prop_assert_eq!(arrived.contains(&envelope.id), !stuck.contains(&envelope.id));
            }
        }

        #[test]
        fn there_is_always_something_to_do_or_a_time_to_look_again(
            (log, refuse) in logs(), failures in 0..40u32, now in 0..1_000_000u64, calling in any::<bool>()
        ) {
            let (mut local, mut link) = up_to_date();
            local.unsent = log;
            local.unsent.iter_mut().for_each(|e| e.refused = refuse.contains(&e.id));
            (link.failures, link.failed_at, link.calling) = (failures, now, calling);
            let operations = plan(&local, &link, now, 3);
            prop_assert!(!operations.is_empty());
            for operation in operations {
                if let Operation::Wait { until } = operation {
                    prop_assert!(until > now && until < now + 20 * 60_000);
                }
            }
        }
    }
}
