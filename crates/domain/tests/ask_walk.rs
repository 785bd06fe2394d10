//! An ask, moved at random from all sides, by the table and against it: whatever happens it is with somebody or has a
//! next step, and what the table forbids changes nothing.

mod made;

use made::{clinic, doctor, stamp};
use proptest::{collection::vec, prelude::*, sample::select};
use rabta_domain::{
    ask::{AskForm, Party, State, Urgency},
    duty::{self, Member, Next, Waiting},
    fhir::{
        Bundle, Resource, Signer, Slots, note,
        patient::{self, Ids},
        task::{self, MoveError, Owner, TaskView},
        visit::VisitContext,
    },
    patient::Registration,
    visit::VisitForm,
};

const PATIENT: &str = "9a710000-0000-4000-8000-000000000001";
const PEOPLE: [&str; 3] = [
    "5a100000-0000-4000-8000-000000000001",
    "5a100000-0000-4000-8000-000000000002",
    "5a100000-0000-4000-8000-000000000003",
];

/// Somebody presses something, whether they may or not.
#[derive(Debug, Clone, Copy)]
struct Press {
    party: Party,
    to: State,
    by: usize,
    /// Whom it is given to, where the move gives it away; `None`: the pool.
    given: Option<usize>,
}

fn press() -> impl Strategy<Value = Press> {
    let party = select(vec![Party::Requester, Party::Specialist, Party::System]);
    (party, select(State::ALL.to_vec()), 0..PEOPLE.len(), proptest::option::of(0..PEOPLE.len()))
        .prop_map(|(party, to, by, given)| Press { party, to, by, given })
}

fn asked(owner: Owner<'_>, urgency: Urgency) -> Resource {
    let (author, facility) = (doctor(), clinic());
    let registration = Registration { name: "Zohra".into(), ..Registration::default() };
    let of = Ids { id: PATIENT, mr: None, facility: &facility, existing: None, related: &[] };
    let record = patient::to_bundle(&registration, &of, stamp(), &mut made::ids()).expect("made");
    let record = Bundle::parse(&record).expect("read").first("Patient").expect("there").clone();
    let context = note::NoteContext {
        visit: VisitContext {
            patient: PATIENT,
            facility: &facility,
            author: &author,
            stamp: stamp(),
            started: stamp().at,
            age: None,
            replaces: None,
        },
        patient: &record,
        related: &[],
        consent: "c",
        owner: Some(owner),
        visit_signed: false,
    };
    let ask = AskForm {
        specialty: "pediatrics".into(),
        urgency,
        question: "Refer now?".into(),
        ..AskForm::default()
    };
    let note =
        note::to_document(&VisitForm::default(), &ask, &context, &mut Slots::default(), &mut made::ids());
    Bundle::parse(&note.expect("made").0).expect("read").first("Task").expect("there").clone()
}

/// As the two programs and the HIE give an ask to somebody.
fn owner(press: Press) -> Option<Owner<'static>> {
    let person = |i: usize| Owner::Person { id: PEOPLE[i], name: "Dr" };
    match (press.to, press.party) {
        (State::PassedOn, _) => Some(press.given.map_or(Owner::Pool("pediatrics"), person)),
        (State::Escalated, Party::System) => Some(person(press.given.unwrap_or(press.by))),
        (State::Requested, _) | (State::NobodyOnDuty, Party::System) => Some(Owner::Pool("pediatrics")),
        _ => None,
    }
}

/// The table, with what a pool's members may not do for each other.
fn allowed(view: &TaskView, press: Press) -> bool {
    let for_all = press.party == Party::Specialist
        && view.pool.is_some()
        && !view.state.moves_from_pool().any(|to| to == press.to);
    view.state.allows(press.to, press.party) && !for_all
}

/// It is with somebody, or the clinic has something to do.
fn is_looked_after(view: &TaskView) -> Result<(), TestCaseError> {
    let state = view.state;
    prop_assert!(
        view.owner.id.is_empty() == view.pool.is_some(),
        "{state:?} is with one person or with a pool: {view:?}"
    );
    if state.is_closed() {
        return Ok(());
    }
    prop_assert!(!state.moves(Party::Requester).is_empty(), "{state:?}: the clinic can do nothing");
    if state.waits_for_specialist() || state == State::AskedBack || state == State::Declined {
        let in_pool = view.pool.is_some();
        let after = |seconds| Waiting {
            state,
            urgency: view.urgency,
            in_pool,
            since: seconds,
            asked: seconds,
            tries: 0,
        };
        for members in [vec![], vec![Member { on_duty: true, ..Member::default() }]] {
            prop_assert!(duty::next(after(60), &members) != Next::Rest, "{state:?} is forgotten");
            let at_last = duty::next(after(8 * 86_400), &members);
            prop_assert!(
                !matches!(at_last, Next::Rest | Next::Wait(_)),
                "{state:?} waits for ever: {at_last:?}"
            );
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_ask_is_never_without_somebody_or_a_next_step(
        presses in vec(press(), 1..60),
        urgency in select(vec![Urgency::Emergency, Urgency::Urgent, Urgency::Routine]),
        by_name: bool,
    ) {
        let to = if by_name { Owner::Person { id: PEOPLE[0], name: "Dr" } } else { Owner::Pool("pediatrics") };
        let mut ask = asked(to, urgency);
        let mut steps = 0;
        for press in presses {
            let before = task::view(&ask).expect("an ask");
            let by = Signer { id: PEOPLE[press.by].into(), name: "Dr".into(), ..Signer::default() };
            let step = task::Move {
                to: press.to,
                party: press.party,
                by: &by,
                at: stamp().at,
                reason: "a reason",
                owner: owner(press),
                output: None,
            };
            let text = ask.text().to_owned();
            let after = task::moved(&ask, &step);
            prop_assert_eq!(ask.text(), text.as_str(), "a move makes a new version and leaves the old one alone");
            if !allowed(&before, press) {
                let refused = MoveError::NotAllowed { from: before.state, to: press.to, party: press.party };
                prop_assert_eq!(after, Err(refused));
                continue;
            }
            ask = after.expect("the table allows it");
            steps += 1;
            let view = task::view(&ask).expect("still an ask");
            prop_assert_eq!((view.state, view.history.len()), (press.to, steps));
            let of_pool = before.pool.is_some() && press.party == Party::Specialist && press.to.takes();
            if of_pool {
                prop_assert_eq!(&view.owner.id, PEOPLE[press.by], "whoever takes it has it");
            }
            is_looked_after(&view)?;
        }
    }
}
