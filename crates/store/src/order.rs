//! What must go first goes first: the order in which unsent envelopes are pushed.

use std::collections::{HashMap, HashSet};

use rabta_wire::{Id, envelope::Kind};

/// An unsent envelope, as far as its order is concerned.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// Place in the log.
    pub n: i64,
    pub id: Id,
    pub kind: Kind,
    /// Part of an ask.
    pub of_task: bool,
    pub depends: Vec<Id>,
}

fn class(entry: &Waiting) -> u8 {
    match entry.kind {
        Kind::AttachmentPart => 3,
        Kind::Audit => 2,
        Kind::ReferralNote | Kind::TaskMove | Kind::Communication | Kind::Advice | Kind::Decisions => 0,
        Kind::Patient | Kind::Consent | Kind::Visit => u8::from(!entry.of_task),
    }
}

/// Places in the log, in pushing order: asks and whatever they need, the rest, audit, photos; within each as they
/// were made; nothing before what it needs. What needs a refused envelope, or something that does, is left out.
pub(crate) fn push_order(waiting: &[Waiting], refused: &HashSet<Id>) -> Vec<i64> {
    let by_id: HashMap<Id, usize> = waiting.iter().enumerate().map(|(i, w)| (w.id, i)).collect();
    let mut classes: Vec<u8> = waiting.iter().map(class).collect();
    let mut blocked: Vec<bool> =
        waiting.iter().map(|w| w.depends.iter().any(|d| refused.contains(d))).collect();

    // What an urgent one needs is as urgent; what needs a blocked one is blocked. Both until nothing changes.
    let mut changed = true;
    while changed {
        changed = false;
        for (i, entry) in waiting.iter().enumerate() {
            for needed in entry.depends.iter().filter_map(|d| by_id.get(d)) {
                if classes[*needed] > classes[i] {
                    classes[*needed] = classes[i];
                    changed = true;
                }
                if blocked[*needed] && !blocked[i] {
                    blocked[i] = true;
                    changed = true;
                }
            }
        }
    }

    let mut order: Vec<usize> = (0..waiting.len()).filter(|i| !blocked[*i]).collect();
    order.sort_by_key(|i| (classes[*i], waiting[*i].n));
    let mut done = HashSet::new();
    let mut sorted = Vec::with_capacity(order.len());
    for i in order {
        place(i, waiting, &by_id, &mut done, &mut sorted);
    }
    sorted
}

/// Places what entry `i` needs and then itself. A stack of its own: chains may be long, and a circle ends.
fn place(
    i: usize,
    waiting: &[Waiting],
    by_id: &HashMap<Id, usize>,
    done: &mut HashSet<usize>,
    sorted: &mut Vec<i64>,
) {
    let mut stack = vec![(i, false)];
    while let Some((i, needs_placed)) = stack.pop() {
        if needs_placed {
            sorted.push(waiting[i].n);
        } else if done.insert(i) {
            stack.push((i, true));
            stack.extend(
                waiting[i].depends.iter().rev().filter_map(|d| by_id.get(d)).map(|needed| (*needed, false)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> Id {
        Id([n; 16])
    }

    fn entry(n: u8, kind: Kind, depends: &[u8]) -> Waiting {
        Waiting {
            n: n.into(),
            id: id(n),
            kind,
            of_task: false,
            depends: depends.iter().map(|d| id(*d)).collect(),
        }
    }

    #[test]
    fn asks_and_what_they_need_go_first_and_photos_last() {
        let waiting = [
            entry(1, Kind::Patient, &[]),
            entry(2, Kind::Visit, &[1]),
            entry(3, Kind::AttachmentPart, &[]),
            entry(4, Kind::Patient, &[]),
            entry(5, Kind::Audit, &[]),
            entry(6, Kind::Consent, &[4]),
            entry(7, Kind::ReferralNote, &[4, 6]),
            entry(8, Kind::Visit, &[4]),
        ];
        assert_eq!(push_order(&waiting, &HashSet::new()), [4, 6, 7, 1, 2, 8, 5, 3]);
    }

    #[test]
    fn a_refused_envelope_holds_back_what_needs_it_and_nothing_else() {
        let waiting =
            [entry(2, Kind::Visit, &[1]), entry(3, Kind::Decisions, &[2]), entry(4, Kind::Visit, &[9])];
        assert_eq!(push_order(&waiting, &HashSet::from([id(1)])), [4]);
    }

    #[test]
    fn a_circle_of_needs_ends() {
        let waiting = [entry(1, Kind::Visit, &[2]), entry(2, Kind::Visit, &[1])];
        assert_eq!(push_order(&waiting, &HashSet::new()).len(), 2);
    }
}
