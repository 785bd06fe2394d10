//! How a session and the far side come together: accepting, descriptions and their signatures, candidates, and
//! finding each other again.
//!
//! The roles are strict, so that there is no glare: who called offers, always. The other asks for an offer.

use rabta_wire::signal::{Body, HangupWhy, Party, Refusal, ServerFrame, Signal};

use crate::{
    CallSession, Candidate, ChatLine, EndReason, EngineCommand, EngineEvent, Invitation, LegId, LinkState,
    Millis, Named, Output, Receipt, SdpKind, StillView,
    chat::Arrived,
    leg::{Leg, Pending, State, limits},
    link::Link,
    sdp,
};

/// Devices of one person that may ring for one leg.
const MOST_DEVICES: usize = 8;
/// Candidates kept for a description that has not been verified yet.
const MOST_HELD: usize = 64;

impl CallSession {
    pub(crate) fn accept(&mut self, now: Millis) {
        let ringing = self.legs.values_mut().find(|leg| !leg.outgoing && matches!(leg.state, State::Ringing));
        let Some(leg) = ringing else { return };
        leg.send(now, Signal::Accept);
        let id = leg.id;
        self.command(EngineCommand::GoLive);
        self.accepted(now, id);
    }

    /// The call is on: media both ways, and addresses may be known.
    pub(crate) fn accepted(&mut self, now: Millis, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.state = State::Accepted;
        leg.accepted_at = Some(now);
        leg.down_since = (!leg.up).then_some(now);
        // A link that is being made now gets its chance before a restart.
        leg.next_restart = now + limits::RESTART_AGAIN;
        if leg.up {
            self.live_since.get_or_insert(now);
        }
        let withheld = std::mem::take(&mut leg.withheld);
        for candidate in withheld {
            send_candidate(leg, now, candidate);
        }
        self.command(EngineCommand::Media { leg: id, open: true });
        self.say_media(now);
    }

    pub(crate) fn frame(&mut self, now: Millis, frame: ServerFrame) {
        match frame {
            ServerFrame::From { call, from, body, .. } if call == self.call => self.body(now, from, body),
            ServerFrame::Presence { call, party, here, .. } if call == self.call => {
                for leg in self.legs.values_mut().filter(|leg| leg.party() == Some(party)) {
                    leg.here = here;
                }
            }
            // Whoever may not be called is not called; the others go on.
            ServerFrame::Refused { call, code: Refusal::NotAllowed, to, .. } if call == Some(self.call) => {
                let meant = |leg: &&Leg| {
                    leg.outgoing && !leg.accepted() && to.is_none_or(|to| to.person == leg.person)
                };
                let legs: Vec<LegId> = self.legs.values().filter(meant).map(|leg| leg.id).collect();
                for leg in legs {
                    self.hang_up(now, leg, HangupWhy::Failed, EndReason::Failed);
                }
            }
            ServerFrame::Welcome { ice_servers, .. } | ServerFrame::IceServers { ice_servers, .. } => {
                self.ice_servers = ice_servers.clone();
                let open: Vec<LegId> = self.legs.values().filter(|l| !l.ended()).map(|l| l.id).collect();
                for leg in open {
                    self.command(EngineCommand::IceServers { leg, ice_servers: ice_servers.clone() });
                }
            }
            _ => {}
        }
    }

    fn body(&mut self, now: Millis, from: Party, body: Body) {
        if !body.msg.within_limits() || body.inst == 0 {
            return;
        }
        if body.msg == Signal::Rejoin {
            return self.rejoins(now, from, body.inst);
        }
        // What answers another of our instances is not for this one.
        let ours = |leg: &Leg| body.ack_inst == 0 || body.ack_inst == leg.inst;
        let known = |leg: &Leg, link: &Link| {
            (link.peer == from && link.peer_inst == body.inst && ours(leg)).then_some(leg.id)
        };
        let bound = self.legs.values().find_map(|leg| leg.link.as_ref().and_then(|link| known(leg, link)));
        if let Some(id) = bound {
            self.bound_body(now, id, body);
            return;
        }
        let other = self.legs.values().find_map(|leg| leg.others.iter().find_map(|link| known(leg, link)));
        if other.is_none() && matches!(body.msg, Signal::Ring { .. }) {
            return self.rung_again(now, from, &body);
        }
        let Some(id) = other.or_else(|| self.admit(from, &body)) else { return };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.link.as_ref().is_some_and(|link| link.peer == from && link.peer_inst == body.inst) {
            self.bound_body(now, id, body);
            return;
        }
        let late = leg.accepted() || leg.ended();
        let Some(at) = leg.others.iter().position(|l| l.peer == from && l.peer_inst == body.inst) else {
            return;
        };
        for signal in leg.others[at].receive(body) {
            match signal {
                Signal::Accept if !late => return self.rebind(now, id, at),
                Signal::Accept => leg.others[at].send(now, Signal::Hangup { why: HangupWhy::Elsewhere }),
                Signal::Decline if !late => {
                    return self.hang_up(now, id, HangupWhy::Elsewhere, EndReason::Declined);
                }
                _ => {}
            }
        }
    }

    /// A device of a person that we call and that we have not heard yet.
    fn admit(&mut self, from: Party, body: &Body) -> Option<LegId> {
        let meant = |leg: &&mut Leg| {
            leg.outgoing
                && leg.key.is_none()
                && leg.person == from.person
                && (body.ack_inst == 0 || body.ack_inst == leg.inst)
        };
        // Who was called again has more than one leg: the newest is meant.
        let leg = self.legs.values_mut().filter(meant).max_by_key(|leg| (!leg.ended(), leg.id))?;
        if body.seq == 0 || leg.others.len() >= MOST_DEVICES {
            return None;
        }
        let link = Link::new(leg.inst, from, body.inst);
        if leg.link.is_none() && !leg.ended() {
            leg.link = Some(link);
        } else {
            leg.others.push(link);
        }
        Some(leg.id)
    }

    /// The person took the call on another device than the one we were connecting with: a new leg to that one.
    fn rebind(&mut self, now: Millis, id: LegId, at: usize) {
        let Some(mut old) = self.legs.remove(&id) else { return };
        self.command(EngineCommand::CloseLeg { leg: id });
        let taken = old.others.remove(at);
        let mut rest = old.others;
        rest.extend(old.link);
        for link in &mut rest {
            link.send(now, Signal::Hangup { why: HangupWhy::Elsewhere });
        }
        let to = rabta_wire::signal::Address { person: old.person, device: None };
        let new = self.add_outgoing(now, &Invitation { to, ask: old.ask, patient: old.patient });
        if let Some(leg) = self.legs.get_mut(&new) {
            // The links to its devices go on under the instance that they know.
            (leg.inst, leg.round) = (old.inst, old.round);
            leg.link = Some(taken);
            leg.others = rest;
            leg.started = old.started;
            leg.exchange = old.exchange;
        }
        self.accepted(now, new);
    }

    fn bound_body(&mut self, now: Millis, id: LegId, body: Body) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.last_heard = now;
        leg.here = true;
        if body.seq == 0
            && let Signal::Hangup { why } = body.msg
        {
            return self.hung_up(now, id, why);
        }
        let Some(link) = &mut leg.link else { return };
        for signal in link.receive(body) {
            self.signal(now, id, signal);
        }
        // The first word of a device lets a waiting offer go.
        self.sign_waiting(now, id);
    }

    fn hung_up(&mut self, now: Millis, id: LegId, why: HangupWhy) {
        let Some(leg) = self.legs.get(&id) else { return };
        let reason = match why {
            HangupWhy::Elsewhere => EndReason::Elsewhere,
            _ if leg.key.is_none() && !leg.outgoing && leg.state == State::Ringing => EndReason::Missed,
            HangupWhy::NoAnswer => EndReason::NoAnswer,
            HangupWhy::HungUp => EndReason::TheyHungUp,
            HangupWhy::NotWanted => EndReason::NotWanted,
            HangupWhy::Failed => EndReason::LinkLost,
        };
        self.end(now, id, reason);
    }

    fn signal(&mut self, now: Millis, id: LegId, signal: Signal) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.ended() {
            return;
        }
        match signal {
            Signal::Ringing if leg.state == State::Calling => leg.state = State::Ringing,
            Signal::Accept if leg.outgoing && !leg.accepted() => {
                for link in &mut leg.others {
                    link.send(now, Signal::Hangup { why: HangupWhy::Elsewhere });
                }
                self.accepted(now, id);
            }
            Signal::Decline if leg.outgoing && !leg.accepted() => {
                self.hang_up(now, id, HangupWhy::Elsewhere, EndReason::Declined);
            }
            Signal::Busy if leg.outgoing && !leg.accepted() => {
                self.hang_up(now, id, HangupWhy::Elsewhere, EndReason::Busy);
            }
            Signal::Hangup { why } => self.hung_up(now, id, why),
            Signal::Offer { n, sdp, sig } if !leg.outgoing && n > leg.n => {
                leg.n = n;
                self.verify(now, id, SdpKind::Offer, n, sdp, sig);
            }
            Signal::Answer { n, sdp, sig } if leg.outgoing && n == leg.n && leg.offered_at.is_some() => {
                leg.offered_at = None;
                self.verify(now, id, SdpKind::Answer, n, sdp, sig);
            }
            Signal::Candidate { candidate, mid, index } => {
                let candidate = Candidate { candidate, mid, index };
                if !leg.remote_described {
                    if leg.held_remote.len() < MOST_HELD {
                        leg.held_remote.push(candidate);
                    }
                } else {
                    self.command(EngineCommand::RemoteCandidate { leg: id, candidate });
                }
            }
            Signal::Media { mic, camera } => (leg.mic_on, leg.camera_on) = (mic, camera),
            Signal::Restart if leg.outgoing && leg.accepted() => self.restart(now, id),
            _ => {}
        }
    }

    fn verify(&mut self, now: Millis, id: LegId, kind: SdpKind, n: u32, sdp: String, signature: String) {
        let (token, call, me) = (self.fresh_token(), self.call, self.me);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(by) = leg.party() else { return };
        match sdp::signed_bytes(call, by, me, kind, n, &sdp) {
            Ok(bytes) => {
                leg.remote_described = false;
                leg.held_remote.clear();
                leg.verifying = Some(Pending { token, kind, n, sdp });
                match &leg.key {
                    Some(key) => {
                        let good = key.good(&bytes, &signature);
                        self.verified(now, token, good);
                    }
                    None => self.out.push_back(Output::Verify { token, by, bytes, signature }),
                }
            }
            Err(sdp::NoFingerprint) => self.hang_up(now, id, HangupWhy::Failed, EndReason::Untrusted),
        }
    }

    pub(crate) fn verified(&mut self, now: Millis, token: u64, good: bool) {
        let waits = |leg: &&mut Leg| leg.verifying.as_ref().is_some_and(|p| p.token == token);
        let Some(leg) = self.legs.values_mut().find(waits) else { return };
        let (id, pending) = (leg.id, leg.verifying.take());
        if leg.ended() {
            return;
        }
        if !good {
            return self.hang_up(now, id, HangupWhy::Failed, EndReason::Untrusted);
        }
        let Some(Pending { kind, sdp, .. }) = pending else { return };
        if kind == SdpKind::Offer {
            leg.described = false;
        }
        leg.remote_described = true;
        let held = std::mem::take(&mut leg.held_remote);
        self.command(EngineCommand::RemoteDescription { leg: id, kind, sdp });
        for candidate in held {
            self.command(EngineCommand::RemoteCandidate { leg: id, candidate });
        }
    }

    /// Has the engine's description signed, once there is a device to sign it to.
    fn sign_waiting(&mut self, now: Millis, id: LegId) {
        let (token, call, me) = (self.fresh_token(), self.call, self.me);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(to) = leg.party() else { return };
        let Some((kind, sdp)) = leg.unsigned.take() else { return };
        if kind == SdpKind::Offer {
            leg.n += 1;
        }
        let n = leg.n;
        if let Ok(bytes) = sdp::signed_bytes(call, me, to, kind, n, &sdp) {
            leg.signing = Some(Pending { token, kind, n, sdp });
            match &leg.key {
                Some(key) => {
                    let mac = key.mac(&bytes);
                    self.signed(now, token, mac);
                }
                None => self.out.push_back(Output::Sign { token, to, bytes }),
            }
        }
    }

    pub(crate) fn signed(&mut self, now: Millis, token: u64, sig: String) {
        let waits = |leg: &&mut Leg| leg.signing.as_ref().is_some_and(|p| p.token == token);
        let Some(leg) = self.legs.values_mut().find(waits) else { return };
        let Some(Pending { kind, n, sdp, .. }) = leg.signing.take() else { return };
        if leg.ended() {
            return;
        }
        let sdp = if leg.accepted() { sdp } else { sdp::relay_only(&sdp) };
        leg.send(
            now,
            match kind {
                SdpKind::Offer => Signal::Offer { n, sdp, sig },
                SdpKind::Answer => Signal::Answer { n, sdp, sig },
            },
        );
        if kind == SdpKind::Offer {
            leg.offered_at = Some(now);
        }
        leg.described = true;
        for candidate in std::mem::take(&mut leg.held_local) {
            send_candidate(leg, now, candidate);
        }
    }

    /// Another try at a link that is gone: an ICE restart if we offer, else we ask for one.
    pub(crate) fn seek(&mut self, now: Millis, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.next_restart = now + limits::RESTART_AGAIN;
        if leg.outgoing {
            self.restart(now, id);
        } else if leg.link.as_ref().is_some_and(Link::settled) {
            leg.send(now, Signal::Restart);
        }
    }

    fn restart(&mut self, now: Millis, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let answer_may_come = leg.offered_at.is_some_and(|at| now < at + limits::ANSWER);
        if leg.signing.is_some() || leg.unsigned.is_some() || answer_may_come || leg.verifying.is_some() {
            return;
        }
        leg.described = false;
        leg.offered_at = Some(now);
        self.command(EngineCommand::RestartIce { leg: id });
    }

    pub(crate) fn engine(&mut self, now: Millis, event: EngineEvent) {
        match event {
            EngineEvent::LocalDescription { leg: id, kind, sdp } => {
                let Some(leg) = self.legs.get_mut(&id).filter(|leg| !leg.ended()) else { return };
                leg.unsigned = Some((kind, sdp));
                self.sign_waiting(now, id);
            }
            EngineEvent::LocalCandidate { leg, candidate } => {
                let Some(leg) = self.legs.get_mut(&leg).filter(|leg| !leg.ended()) else { return };
                if leg.described {
                    send_candidate(leg, now, candidate);
                } else if leg.held_local.len() < MOST_HELD {
                    leg.held_local.push(candidate);
                }
            }
            EngineEvent::Link { leg, state } => self.link(now, leg, state),
            EngineEvent::DataOpen { leg } => {
                if let Some(leg) = self.legs.get_mut(&leg).filter(|leg| !leg.ended()) {
                    leg.exchange.opened();
                }
            }
            EngineEvent::Data { leg, text, bytes } => self.data(now, leg, text, &bytes),
            EngineEvent::FirstAudio { leg, at_ms } => {
                let since = self.legs.get(&leg).and_then(|leg| leg.accepted_at);
                let figure = since.map(|since| at_ms.saturating_sub(since) as u32);
                self.figures.accept_to_first_audio_ms = self.figures.accept_to_first_audio_ms.or(figure);
            }
            EngineEvent::FirstVideo { leg, at_ms } => {
                let since = self.legs.get(&leg).and_then(|leg| leg.accepted_at);
                let figure = since.map(|since| at_ms.saturating_sub(since) as u32);
                self.figures.accept_to_first_video_ms = self.figures.accept_to_first_video_ms.or(figure);
            }
            EngineEvent::Stats { leg: id, stats } => {
                let Some(leg) = self.legs.get_mut(&id).filter(|leg| !leg.ended()) else { return };
                leg.stats = stats;
                if let Some(level) = leg.quality.update(now, &stats).filter(|_| leg.up) {
                    self.command(EngineCommand::VideoBudget { leg: id, kbps: level.video_kbps() });
                }
            }
            EngineEvent::Device { device, state } => self.device(now, device, state),
            EngineEvent::Still { jpeg, width, height } => self.send_still(jpeg, width, height),
            EngineEvent::NoStill => {}
            EngineEvent::LegFailed { leg } => self.hang_up(now, leg, HangupWhy::Failed, EndReason::Failed),
        }
    }

    fn link(&mut self, now: Millis, id: LegId, state: LinkState) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| !leg.ended()) else { return };
        match state {
            LinkState::Connecting => {}
            LinkState::Up => {
                leg.up = true;
                leg.ever_up = true;
                leg.down_since = None;
                let accepted = leg.accepted();
                let took = now.saturating_sub(leg.started) as u32;
                self.figures.ring_to_link_ms.get_or_insert(took);
                if accepted {
                    self.live_since.get_or_insert(now);
                }
            }
            LinkState::Down | LinkState::Failed => {
                if leg.up {
                    leg.up = false;
                    leg.down_since = Some(now);
                    leg.next_restart = now;
                }
                if state == LinkState::Failed {
                    leg.next_restart = leg.next_restart.min(now);
                }
            }
        }
    }

    fn data(&mut self, now: Millis, id: LegId, text: bool, bytes: &[u8]) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.accepted()) else { return };
        let (arrived, reply) = leg.exchange.receive(text, bytes);
        if let Some((text, bytes)) = reply {
            self.command(EngineCommand::SendData { leg: id, text, bytes });
        }
        match arrived {
            Some(Arrived::Chat(text)) => {
                let receipt = Receipt::Delivered;
                self.chat.push(ChatLine { from_us: false, leg: Some(id), text, receipt, at_ms: now });
            }
            Some(Arrived::Still { id: item, width, height, total, done, whole }) => {
                let next = self.stills.len() as u32 + 1;
                let number = *self.still_numbers.entry((Some(id), item)).or_insert(next);
                if number == next {
                    let (bytes, from_us) = (total, false);
                    self.stills.push(StillView { number, from_us, width, height, bytes, done });
                }
                self.stills[number as usize - 1].done = done;
                if let Some(jpeg) = whole {
                    self.pictures.insert(number, jpeg.into());
                }
            }
            Some(Arrived::MayJoin { id: item, person, name, role }) => {
                self.may_join(id, item, person, Named { name, role });
            }
            Some(Arrived::Answer { about, yes }) => self.answered(now, id, about, yes),
            Some(Arrived::Agreed(video)) => {
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.agreed = Some(video);
                }
            }
            Some(Arrived::Here(person)) => self.is_here_already(now, id, person),
            Some(Arrived::Meet(meet)) => self.met(now, id, meet),
            Some(Arrived::Got(item)) => {
                self.first_has_met(item);
                if let Some(at) = self.own_lines.get(&item) {
                    self.chat[*at].receipt = Receipt::Delivered;
                }
                if let Some(number) = self.still_numbers.get(&(None, item)) {
                    let still = &mut self.stills[*number as usize - 1];
                    still.done = still.bytes;
                }
            }
            Some(Arrived::Bye(why)) => self.hung_up(now, id, why),
            None => {}
        }
    }
}

/// A candidate leaves now if it is a relay's or the call is accepted, else after the accept.
fn send_candidate(leg: &mut Leg, now: Millis, candidate: Candidate) {
    if !leg.accepted() && !candidate.is_relay() {
        if !candidate.candidate.is_empty() && leg.withheld.len() < MOST_HELD {
            leg.withheld.push(candidate);
        }
        return;
    }
    let Candidate { candidate, mid, index } = candidate;
    leg.send(now, Signal::Candidate { candidate, mid, index });
}
