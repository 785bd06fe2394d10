//! Calls that are over here: ended sessions that still say goodbye, and the rounds of rings that are still under way.

use std::collections::VecDeque;

use rabta_call::{CallSession, Input, Millis, Output};
use rabta_sync::SocketHandle;
use rabta_wire::Id;

/// Rings of calls that ended here a moment ago are still under way.
const REMEMBERED: usize = 16;

#[derive(Default)]
pub(super) struct Leaving {
    /// They have no engine.
    sessions: Vec<CallSession>,
    /// With the round of the ring that was answered there.
    over: VecDeque<(Id, u32)>,
}

impl Leaving {
    pub fn deadline(&self) -> Option<Millis> {
        self.sessions.iter().filter_map(CallSession::deadline).min()
    }

    pub fn push(&mut self, session: CallSession) {
        self.sessions.push(session);
    }

    /// We are in this call again: the session of before has nothing more to say, and would leave the room.
    pub fn drop_call(&mut self, call: Id) {
        self.sessions.retain(|session| session.call() != call);
    }

    /// Whether a ring of this round is none of a call that was answered here before.
    pub fn is_new(&self, call: Id, round: u32) -> bool {
        let later = |before: u32| round > before;
        let leaving = self.sessions.iter().filter(|session| session.call() == call).map(CallSession::round);
        let over = self.over.iter().filter(|(id, _)| *id == call).map(|(_, round)| *round);
        leaving.chain(over).all(later)
    }

    /// Gives all of them an input, and sends what they still have to say.
    pub fn handle(&mut self, now: Millis, input: &Input, socket: &SocketHandle) {
        let mut over = Vec::new();
        for session in &mut self.sessions {
            session.handle(now, input.clone());
            while let Some(output) = session.poll() {
                match output {
                    Output::Send(frame) => socket.send(frame),
                    Output::Finished => over.push((session.call(), session.round())),
                    // Its engine is gone, and nothing new is agreed on.
                    Output::Engine(_) | Output::Sign { .. } | Output::Verify { .. } => {}
                }
            }
        }
        for (call, round) in over {
            self.drop_call(call);
            self.forget(call, round);
        }
    }

    pub fn forget(&mut self, call: Id, round: u32) {
        self.over.push_back((call, round));
        while self.over.len() > REMEMBERED {
            self.over.pop_front();
        }
    }
}
