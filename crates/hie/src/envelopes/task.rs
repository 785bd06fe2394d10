//! Whether a move of a Task takes effect. Pure; the table itself is the domain's.

use rabta_domain::ask::{Party, State};
use rabta_wire::{Id, envelope::Header};

use super::{
    content::TaskContent,
    examine::{Refusal, codes},
};

/// How an ask stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub id: Id,
    /// The clinic that asked.
    pub facility: Id,
    pub patient: String,
    pub owner: Option<Id>,
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

/// As which parties the writer of `header` acts on the ask. `persons`: those who have a key on its device. Empty: the
/// ask is none of theirs, and they are not told that it exists.
pub fn parties(standing: &Standing, header: &Header, persons: &[Id]) -> Vec<Party> {
    let owner = standing.owner.is_some_and(|owner| match &header.signed_by {
        Some(signed) => signed.person == owner,
        None => persons.contains(&owner),
    });
    let mut parties = Vec::new();
    if owner {
        parties.push(Party::Specialist);
    }
    if standing.facility == header.facility {
        parties.push(Party::Requester);
    }
    parties
}

/// The one answer to an ask that is not there and to one that is not theirs.
pub fn unknown() -> Refusal {
    Refusal::new(codes::TASK_UNKNOWN, "there is no such ask that this device may act on")
}

/// A move to `to`, made on version `base`: it takes effect if the table allows it from how the ask stands now.
pub fn judge(
    standing: &Standing,
    to: &TaskContent,
    base: Option<u32>,
    parties: &[Party],
) -> Result<Effect, Refusal> {
    let base = base
        .ok_or_else(|| Refusal::new(codes::TASK_VERSION, "a move names the version that it was made on"))?;
    if base > standing.version || base == 0 {
        return Err(Refusal::new(
            codes::TASK_VERSION,
            "the move was made on a version that this server does not have",
        ));
    }
    let allowing = parties.iter().find(|party| standing.state.allows(to.state, **party));
    let Some(party) = allowing else {
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
    let hands_on = match party {
        Party::Specialist => to.state == State::PassedOn,
        Party::Requester => to.state == State::Requested,
        Party::System => true,
    };
    if to.owner != standing.owner && !hands_on {
        return Err(Refusal::new(codes::TASK_OWNER, "this move may not give the ask to another person"));
    }
    Ok(Effect::Moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(state: State, version: u32) -> Standing {
        Standing {
            id: Id([1; 16]),
            facility: Id([2; 16]),
            patient: "p".into(),
            owner: None,
            state,
            version,
            note: 1,
        }
    }

    fn to(state: State) -> TaskContent {
        TaskContent { id: Id([1; 16]), state, owner: None }
    }

    #[test]
    fn a_late_move_that_the_table_still_allows_takes_effect() {
        let effect = judge(&standing(State::Seen, 2), &to(State::Cancelled), Some(1), &[Party::Requester]);
        assert_eq!(effect, Ok(Effect::Moved));
    }

    #[test]
    fn a_late_move_that_the_table_no_longer_allows_is_superseded() {
        let effect =
            judge(&standing(State::Cancelled, 2), &to(State::Accepted), Some(1), &[Party::Specialist]);
        assert_eq!(effect, Ok(Effect::Superseded(State::Cancelled)));
    }

    #[test]
    fn a_forbidden_move_on_the_current_version_is_refused() {
        let refused = judge(&standing(State::Requested, 1), &to(State::Done), Some(1), &[Party::Requester]);
        assert_eq!(refused.unwrap_err().code, codes::TASK_MOVE);
        let refused = judge(&standing(State::Requested, 1), &to(State::Seen), Some(2), &[Party::Specialist]);
        assert_eq!(refused.unwrap_err().code, codes::TASK_VERSION);
    }
}
