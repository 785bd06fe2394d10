//! Whether a move of a Task takes effect. Pure; the table itself is the domain's.

use rabta_domain::ask::{Party, State, Urgency};
use rabta_wire::{
    Id,
    envelope::{Header, Kind},
};

use super::{
    content::{Holder, TaskContent},
    examine::{Refusal, codes},
};

/// How an ask stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub id: Id,
    /// The clinic that asked.
    pub facility: Id,
    pub patient: String,
    pub holder: Holder,
    /// Whom it is with: its owner, or everybody of its pool. Nobody, once it is closed.
    pub with: Vec<Id>,
    /// Whom it was ever with.
    pub asked: Vec<Id>,
    pub specialty: String,
    pub urgency: Urgency,
    pub state: State,
    /// From 1.
    pub version: u32,
    /// The place in the log of the note that opened it.
    pub note: u64,
}

/// What a move comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    Moved,
    /// It came too late; the ask stands so.
    Superseded(State),
}

/// As whom the writer of an envelope acts on an ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mover {
    /// The person who signed, where somebody did.
    pub person: Option<Id>,
    pub parties: Vec<Party>,
    /// They were asked once and it is with others now.
    pub former: bool,
    pub basis: Basis,
}

/// What an envelope is built on: which of the ask's envelopes, all of them here, it depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Basis {
    /// It names none.
    #[default]
    Unnamed,
    /// Those that it names took effect.
    Taken,
    /// One of them came too late and has none. In the life of the HIE before a restore it may have had.
    WithoutEffect,
}

impl Basis {
    /// Of the ask's envelopes that are named: whether each is without effect.
    pub fn of(superseded: impl IntoIterator<Item = bool>) -> Self {
        superseded.into_iter().fold(Self::Unnamed, |basis, superseded| match superseded {
            true => Self::WithoutEffect,
            false if basis == Self::Unnamed => Self::Taken,
            false => basis,
        })
    }
}

/// The version that a move counts as made on. It is an older one than the ask's where the move was built on what has no
/// effect here, or counts more versions than there are though all that it was built on is here: a restored HIE took some
/// of them in another order, and they came too late. `None`: it names none, or one that this HIE cannot know.
pub fn base(standing: &Standing, named: Option<u32>, basis: Basis) -> Option<u32> {
    let named = named.filter(|version| *version > 0)?;
    match basis {
        Basis::WithoutEffect => Some(named.min(standing.version - 1)),
        Basis::Taken if named > standing.version => Some(standing.version - 1),
        _ => Some(named).filter(|version| *version <= standing.version),
    }
}

impl Mover {
    /// The ask is none of theirs, and they are not told that it exists.
    pub fn is_stranger(&self) -> bool {
        self.parties.is_empty() && !self.former
    }

    pub fn is(&self, party: Party) -> bool {
        self.parties.contains(&party)
    }
}

/// As whom the writer of `header` acts. `persons`: those who have a key on its device; `duty`: the device is the
/// HIE's own.
pub fn mover(standing: &Standing, header: &Header, persons: &[Id], duty: bool, basis: Basis) -> Mover {
    let person = header.signed_by.as_ref().map(|signed| signed.person);
    let is_among = |people: &[Id]| match person {
        Some(person) => people.contains(&person),
        None => persons.iter().any(|person| people.contains(person)),
    };
    let mut parties = Vec::new();
    if is_among(&standing.with) {
        parties.push(Party::Specialist);
    }
    if standing.facility == header.facility {
        parties.push(Party::Requester);
    }
    if duty {
        parties.push(Party::System);
    }
    let former = !parties.contains(&Party::Specialist) && is_among(&standing.asked);
    Mover { person, former, parties, basis }
}

/// The one answer to an ask that is not there and to one that is not theirs.
pub fn unknown() -> Refusal {
    Refusal::new(codes::TASK_UNKNOWN, "there is no such ask that this device may act on")
}

/// What an envelope of an ask that is there comes to, by somebody who has to do with it.
pub fn belongs(
    standing: &Standing,
    kind: Kind,
    to: Option<&TaskContent>,
    base: Option<u32>,
    mover: &Mover,
) -> Result<Effect, Refusal> {
    match (kind, to) {
        (Kind::TaskMove, Some(to)) => judge(standing, to, base, mover),
        (Kind::Decisions, _) if !mover.is(Party::Requester) => Err(unknown()),
        // Their advice is kept, and counts as long as there is no other.
        (Kind::Advice, _) if mover.former && takes_late_answers(standing.state) => Ok(Effect::Moved),
        (_, _) if mover.former && mover.parties.is_empty() => Ok(Effect::Superseded(standing.state)),
        (Kind::Advice, _) if !mover.is(Party::Specialist) => Err(unknown()),
        _ => Ok(Effect::Moved),
    }
}

/// A move to `to`, made on the version that it has `named`: it takes effect if the table allows it from how the ask
/// stands now.
///
/// Of two who take an ask of their pool at once, the first has it and the second is told how it stands. An answer of
/// somebody who was asked before still counts while nobody else has answered: better late than nobody.
pub fn judge(
    standing: &Standing,
    to: &TaskContent,
    named: Option<u32>,
    mover: &Mover,
) -> Result<Effect, Refusal> {
    if named.is_none() {
        return Err(Refusal::new(codes::TASK_VERSION, "a move names the version that it was made on"));
    }
    let unknown = "the move was made on a version that this server does not have";
    let base =
        base(standing, named, mover.basis).ok_or_else(|| Refusal::new(codes::TASK_VERSION, unknown))?;
    let in_pool = matches!(standing.holder, Holder::Pool(_));
    let may = |party: Party| match party {
        Party::Specialist if in_pool => standing.state.moves_from_pool().any(|state| state == to.state),
        party => standing.state.allows(to.state, party),
    };
    let answers_late = mover.former && to.state == State::Answered && takes_late_answers(standing.state);
    let allowing = mover.parties.iter().copied().find(|party| may(*party));
    let Some(party) = allowing.or(answers_late.then_some(Party::Specialist)) else {
        if base < standing.version {
            return Ok(Effect::Superseded(standing.state));
        }
        return Err(Refusal::new(
            codes::TASK_MOVE,
            format!(
                "an ask that is {} cannot become {} from this side",
                standing.state.code(),
                to.state.code()
            ),
        ));
    };
    let theirs = mover.person.map(Holder::Person);
    // An answer to the question of somebody who had it before: who has it by now has asked another one.
    if party == Party::Requester
        && to.state.takes()
        && to.holder != standing.holder
        && base < standing.version
    {
        return Ok(Effect::Superseded(standing.state));
    }
    // A move that was made on an older version keeps whom the ask is with by now ([`holder_after`]).
    let keeps = to.holder == standing.holder || base < standing.version;
    let right = match party {
        Party::System => true,
        Party::Requester if to.state.takes() => to.holder == standing.holder,
        Party::Requester => to.state == State::Requested || keeps,
        Party::Specialist if to.state == State::PassedOn => true,
        Party::Specialist if in_pool || answers_late => match to.state.takes() {
            true => theirs.as_ref() == Some(&to.holder),
            false => keeps,
        },
        Party::Specialist => keeps,
    };
    if !right {
        return Err(Refusal::new(codes::TASK_OWNER, "this move may not give the ask to another person"));
    }
    Ok(Effect::Moved)
}

/// Nobody has answered yet, and an answer would still help.
fn takes_late_answers(state: State) -> bool {
    !matches!(state, State::Answered | State::AdviceSeen | State::Explained)
        && state.allows(State::Answered, Party::Specialist)
}

/// Whom an ask is with after a move that took effect.
pub fn holder_after(standing: Option<&Standing>, to: &TaskContent) -> Holder {
    match standing {
        Some(standing) if !to.state.gives() => standing.holder.clone(),
        _ => to.holder.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Id = Id([7; 16]);
    const B: Id = Id([8; 16]);

    fn standing(state: State, version: u32) -> Standing {
        Standing {
            id: Id([1; 16]),
            facility: Id([2; 16]),
            patient: "p".into(),
            holder: Holder::Nobody,
            with: vec![],
            asked: vec![],
            specialty: "pediatrics".into(),
            urgency: Urgency::Routine,
            state,
            version,
            note: 1,
        }
    }

    fn in_pool() -> Standing {
        Standing {
            holder: Holder::Pool("pediatrics".into()),
            with: vec![A, B],
            asked: vec![A, B],
            ..standing(State::Requested, 1)
        }
    }

    fn to(state: State, holder: Holder) -> TaskContent {
        TaskContent {
            id: Id([1; 16]),
            state,
            holder,
            specialty: "pediatrics".into(),
            urgency: Urgency::Routine,
        }
    }

    fn as_(party: Party) -> Mover {
        Mover { parties: vec![party], ..Mover::default() }
    }

    fn specialist(person: Id) -> Mover {
        Mover { person: Some(person), ..as_(Party::Specialist) }
    }

    fn former(person: Id) -> Mover {
        Mover { person: Some(person), former: true, ..Mover::default() }
    }

    #[test]
    fn a_late_move_that_the_table_still_allows_takes_effect() {
        let cancelled = to(State::Cancelled, Holder::Nobody);
        let effect = judge(&standing(State::Seen, 2), &cancelled, Some(1), &as_(Party::Requester));
        assert_eq!(effect, Ok(Effect::Moved));
    }

    #[test]
    fn a_late_move_that_the_table_no_longer_allows_is_superseded() {
        let accepted = to(State::Accepted, Holder::Nobody);
        let effect = judge(&standing(State::Cancelled, 2), &accepted, Some(1), &as_(Party::Specialist));
        assert_eq!(effect, Ok(Effect::Superseded(State::Cancelled)));
    }

    #[test]
    fn a_forbidden_move_on_the_current_version_is_refused() {
        let refused = |state, base| {
            let to = to(state, Holder::Nobody);
            judge(&standing(State::Requested, 1), &to, Some(base), &as_(Party::Requester)).unwrap_err().code
        };
        assert_eq!(refused(State::Done, 1), codes::TASK_MOVE);
        assert_eq!(refused(State::Seen, 2), codes::TASK_VERSION);
    }

    #[test]
    fn a_move_that_counts_what_a_restored_hie_took_in_another_order_is_a_late_one() {
        // The clinic had seen versions 2 and 3; in this life 2 came too late, and the specialist's is version 2.
        let now = Standing { holder: Holder::Person(A), with: vec![A], ..standing(State::Accepted, 2) };
        let by = |basis| Mover { basis, ..as_(Party::Requester) };
        let cancelled = to(State::Cancelled, Holder::Person(A));
        let done = to(State::Done, Holder::Person(A));
        for basis in [Basis::Taken, Basis::WithoutEffect] {
            assert_eq!(judge(&now, &cancelled, Some(4), &by(basis)), Ok(Effect::Moved));
            assert_eq!(judge(&now, &done, Some(4), &by(basis)), Ok(Effect::Superseded(State::Accepted)));
            assert_eq!(base(&now, Some(4), basis), Some(1));
            assert_eq!(judge(&now, &done, Some(0), &by(basis)).unwrap_err().code, codes::TASK_VERSION);
        }
        // Of the same number, and not the same version.
        let superseded = judge(&now, &done, Some(2), &by(Basis::WithoutEffect));
        assert_eq!(superseded, Ok(Effect::Superseded(State::Accepted)));
        assert_eq!(judge(&now, &done, Some(2), &by(Basis::Taken)).unwrap_err().code, codes::TASK_MOVE);
        // A version out of nowhere.
        let nowhere = judge(&now, &cancelled, Some(4), &by(Basis::Unnamed));
        assert_eq!(nowhere.unwrap_err().code, codes::TASK_VERSION);
    }

    #[test]
    fn one_part_without_effect_makes_the_whole_basis_so() {
        assert_eq!(Basis::of([]), Basis::Unnamed);
        assert_eq!(Basis::of([false, false]), Basis::Taken);
        assert_eq!(Basis::of([false, true, false]), Basis::WithoutEffect);
    }

    #[test]
    fn of_two_who_take_an_ask_at_once_one_has_it_and_the_other_is_told() {
        let take = |person| to(State::Accepted, Holder::Person(person));
        assert_eq!(judge(&in_pool(), &take(A), Some(1), &specialist(A)), Ok(Effect::Moved));
        let taken = Standing {
            holder: Holder::Person(A),
            with: vec![A],
            state: State::Accepted,
            version: 2,
            ..in_pool()
        };
        assert_eq!(
            judge(&taken, &take(B), Some(1), &former(B)),
            Ok(Effect::Superseded(State::Accepted)),
            "told, not refused"
        );
        assert_eq!(judge(&taken, &take(B), Some(2), &former(B)).unwrap_err().code, codes::TASK_MOVE);
    }

    #[test]
    fn a_late_cancellation_counts_whoever_the_ask_is_with_by_now() {
        let given = Standing {
            holder: Holder::Person(B),
            with: vec![B],
            state: State::Escalated,
            version: 2,
            ..in_pool()
        };
        let cancelled = to(State::Cancelled, in_pool().holder);
        assert_eq!(judge(&given, &cancelled, Some(1), &as_(Party::Requester)), Ok(Effect::Moved));
        assert_eq!(holder_after(Some(&given), &cancelled), Holder::Person(B));
        assert_eq!(
            judge(&given, &cancelled, Some(2), &as_(Party::Requester)).unwrap_err().code,
            codes::TASK_OWNER,
            "who knows whom it is with does not give it away by the way"
        );
    }

    #[test]
    fn an_answer_to_a_question_of_before_does_not_answer_the_one_of_now() {
        let asked_back = Standing {
            holder: Holder::Person(B),
            with: vec![B],
            state: State::AskedBack,
            version: 5,
            ..in_pool()
        };
        let answers = |holder, base| {
            judge(&asked_back, &to(State::Accepted, holder), Some(base), &as_(Party::Requester))
        };
        assert_eq!(answers(Holder::Person(A), 3), Ok(Effect::Superseded(State::AskedBack)));
        assert_eq!(answers(Holder::Person(B), 5), Ok(Effect::Moved));
        assert_eq!(answers(Holder::Person(A), 5).unwrap_err().code, codes::TASK_OWNER);
    }

    #[test]
    fn a_pool_is_looked_at_or_taken_by_who_signs_and_not_declined_for_all() {
        let pool = in_pool();
        let judged = |state, holder| judge(&pool, &to(state, holder), Some(1), &specialist(A));
        assert_eq!(judged(State::Seen, pool.holder.clone()), Ok(Effect::Moved));
        assert_eq!(judged(State::Seen, Holder::Person(A)).unwrap_err().code, codes::TASK_OWNER);
        assert_eq!(judged(State::Accepted, Holder::Person(B)).unwrap_err().code, codes::TASK_OWNER);
        assert_eq!(judged(State::Accepted, pool.holder.clone()).unwrap_err().code, codes::TASK_OWNER);
        assert_eq!(judged(State::Declined, pool.holder.clone()).unwrap_err().code, codes::TASK_MOVE);
    }

    #[test]
    fn a_late_answer_of_somebody_asked_before_counts_until_there_is_one() {
        let escalated = Standing {
            holder: Holder::Person(B),
            with: vec![B],
            state: State::Escalated,
            version: 3,
            ..in_pool()
        };
        let answer = to(State::Answered, Holder::Person(A));
        assert_eq!(judge(&escalated, &answer, Some(2), &former(A)), Ok(Effect::Moved));
        let answered = Standing { state: State::Answered, version: 4, ..escalated.clone() };
        assert_eq!(judge(&answered, &answer, Some(2), &former(A)), Ok(Effect::Superseded(State::Answered)));
        let done = Standing { state: State::Done, version: 6, ..escalated };
        assert_eq!(judge(&done, &answer, Some(2), &former(A)), Ok(Effect::Superseded(State::Done)));
    }
}
