//! What is decided before `turn-server-proto` sees a packet, and before a packet goes to a peer. No socket, no
//! clock.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
};

use turn_server_proto::types::{
    attribute::XorPeerAddress,
    message::{ALLOCATE, CHANNEL_BIND, CONNECT, CONNECTION_BIND, CREATE_PERMISSION, SEND},
    stun::{
        attribute::{ErrorCode, MessageIntegrity, MessageIntegritySha256, Username},
        message::{
            IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageIntegrityCredentials,
            MessageWrite as _, MessageWriteExt as _, MessageWriteVec,
        },
        prelude::*,
    },
};

use crate::{AllowRange, Secret, credential, range};

/// Past its expiry a credential opens nothing new, but what it opened lives on: a call is not cut at minute ten.
/// Even that ends after this many seconds.
const GRACE: u64 = 12 * 3_600;
/// Client addresses and users that one protocol instance remembers; see [`Guard::worn`].
const MOST_REMEMBERED: usize = 20_000;

/// What becomes of a client's packet.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// On to the protocol; `user`, if the protocol has not been told of them.
    Pass {
        user: Option<(String, String)>,
    },
    Drop,
    /// Answered here.
    Answer(Vec<u8>),
}

pub(crate) struct Guard {
    secret: Secret,
    realm: String,
    relay_ip: IpAddr,
    allow: Vec<AllowRange>,
    per_user: usize,
    in_all: usize,
    known: HashSet<String>,
    clients: HashMap<SocketAddr, Option<String>>,
    /// The relay's own addresses and whose they are.
    allocations: HashMap<SocketAddr, String>,
}

impl Guard {
    pub(crate) fn new(
        secret: Secret,
        realm: String,
        relay_ip: IpAddr,
        allow: Vec<AllowRange>,
        per_user: usize,
        in_all: usize,
    ) -> Self {
        Self {
            secret,
            realm,
            relay_ip,
            allow,
            per_user,
            in_all,
            known: HashSet::new(),
            clients: HashMap::new(),
            allocations: HashMap::new(),
        }
    }

    /// Judges a packet of a client. `now` in Unix seconds.
    pub(crate) fn admit(&mut self, from: SocketAddr, packet: &[u8], now: u64) -> Verdict {
        // Channel data (RFC 8656, section 12) starts with 0b01; it goes through on an allocation or not at all.
        let Ok(message) = Message::from_bytes(packet) else { return Verdict::Pass { user: None } };
        if !self.clients.contains_key(&from) && self.clients.len() >= 5 * MOST_REMEMBERED {
            return Verdict::Drop;
        }
        if message.has_class(MessageClass::Indication) && message.has_method(SEND) {
            let allowed = self.peers(&message).all(|peer| self.may_reach(peer));
            return if allowed { Verdict::Pass { user: None } } else { Verdict::Drop };
        }
        if !message.has_class(MessageClass::Request) {
            return Verdict::Drop;
        }
        if [CONNECT, CONNECTION_BIND].into_iter().any(|method| message.has_method(method)) {
            // TCP to peers (RFC 6062) is not relayed.
            return Verdict::Drop;
        }
        self.clients.entry(from).or_insert(None);
        let signed = message.has_attribute(MessageIntegrity::TYPE)
            || message.has_attribute(MessageIntegritySha256::TYPE);
        if !signed {
            return Verdict::Pass { user: None };
        }
        let Ok(username) = message.attribute::<Username>() else {
            // USERHASH would hide from this guard whose credential it is.
            return Verdict::Answer(plain_error(&message, ErrorCode::UNAUTHORIZED));
        };
        let username = username.username();
        let Ok((expiry, id)) = credential::parse(username) else {
            return Verdict::Answer(plain_error(&message, ErrorCode::UNAUTHORIZED));
        };
        let password = self.secret.password(username);
        let key = LongTermKeyCredentials::new(username.to_owned(), password.clone(), self.realm.clone());
        let key: MessageIntegrityCredentials = key.into();
        let Ok(algorithm) = message.validate_integrity(&key) else {
            return Verdict::Answer(plain_error(&message, ErrorCode::UNAUTHORIZED));
        };
        let opens = message.has_method(ALLOCATE);
        if now > expiry && (opens || now > expiry + GRACE) {
            return Verdict::Answer(plain_error(&message, ErrorCode::UNAUTHORIZED));
        }
        if opens && !self.has_room(id) {
            return Verdict::Answer(error(&message, ErrorCode::ALLOCATION_QUOTA_REACHED, &key, algorithm));
        }
        let reaches = [CREATE_PERMISSION, CHANNEL_BIND].into_iter().any(|method| message.has_method(method));
        if reaches && !self.peers(&message).all(|peer| self.may_permit(peer)) {
            return Verdict::Answer(error(&message, ErrorCode::FORBIDDEN, &key, algorithm));
        }
        self.clients.insert(from, Some(id.to_owned()));
        let user = self.known.insert(username.to_owned()).then(|| (username.to_owned(), password));
        Verdict::Pass { user }
    }

    /// Whether data may go to, or come from, exactly this peer.
    pub(crate) fn may_reach(&self, peer: SocketAddr) -> bool {
        if self.allocations.contains_key(&SocketAddr::new(range::plain(peer.ip()), peer.port())) {
            return true;
        }
        let ip = range::plain(peer.ip());
        let allowed = self.allow.iter().any(|range| range.contains(ip));
        // The relay's own machine is not the Internet, whatever its address is.
        allowed || (range::public(ip) && ip != range::plain(self.relay_ip))
    }

    /// Whether a permission, which names no port, may be had: the relay's own address too, for its allocations;
    /// each packet is judged by [`Guard::may_reach`] as well.
    fn may_permit(&self, peer: SocketAddr) -> bool {
        range::plain(peer.ip()) == range::plain(self.relay_ip) || self.may_reach(peer)
    }

    fn peers<'a>(&self, message: &'a Message<'a>) -> impl Iterator<Item = SocketAddr> + 'a {
        let id = message.transaction_id();
        message
            .iter_attributes()
            .filter(|(_, raw)| raw.get_type() == XorPeerAddress::TYPE)
            .filter_map(move |(_, raw)| XorPeerAddress::from_raw_ref(&raw).ok().map(|peer| peer.addr(id)))
    }

    /// Whether the client that asked for an allocation still has room; whose it would be.
    pub(crate) fn owner_with_room(&self, client: SocketAddr) -> Option<String> {
        let owner = self.clients.get(&client)?.clone()?;
        self.has_room(&owner).then_some(owner)
    }

    fn has_room(&self, id: &str) -> bool {
        let theirs = self.allocations.values().filter(|owner| *owner == id).count();
        theirs < self.per_user && self.allocations.len() < self.in_all
    }

    pub(crate) fn allocated(&mut self, address: SocketAddr, owner: String) {
        self.allocations.insert(address, owner);
    }

    pub(crate) fn closed(&mut self, address: SocketAddr) {
        self.allocations.remove(&address);
    }

    pub(crate) fn allocations(&self) -> usize {
        self.allocations.len()
    }

    /// Whether the protocol instance, which forgets neither users nor strangers' addresses, is to be replaced;
    /// only while nobody depends on it.
    pub(crate) fn worn(&mut self) -> bool {
        let many = self.known.len().max(self.clients.len()) > MOST_REMEMBERED;
        let worn = many && self.allocations.is_empty();
        if worn {
            self.known.clear();
            self.clients.clear();
        }
        worn
    }
}

/// An answer that proves nothing, to one who proved nothing.
fn plain_error(request: &Message<'_>, code: u16) -> Vec<u8> {
    let mut answer = Message::builder_error(request, MessageWriteVec::with_capacity(64));
    let code = ErrorCode::builder(code).build().expect("our codes are in the range of codes");
    answer.add_attribute(&code).expect("the first attribute fits");
    answer.finish()
}

/// An answer that the client can check.
fn error(
    request: &Message<'_>,
    code: u16,
    key: &MessageIntegrityCredentials,
    algorithm: IntegrityAlgorithm,
) -> Vec<u8> {
    let mut answer = Message::builder_error(request, MessageWriteVec::with_capacity(128));
    let code = ErrorCode::builder(code).build().expect("our codes are in the range of codes");
    answer.add_attribute(&code).expect("the first attribute fits");
    answer.add_message_integrity(key, algorithm).expect("an answer has one integrity attribute");
    answer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allow: &[&str]) -> Guard {
        let allow = allow.iter().map(|range| range.parse().unwrap()).collect();
        Guard::new(Secret::new(vec![1; 32]), "r".into(), "203.0.113.5".parse().unwrap(), allow, 2, 3)
    }

    #[test]
    fn only_the_internet_allowed_ranges_and_our_own_allocations_are_reached() {
        let mut g = guard(&["10.20.0.0/16"]);
        let at = |address: &str| address.parse::<SocketAddr>().unwrap();
        assert!(g.may_reach(at("1.1.1.1:9")));
        assert!(g.may_reach(at("10.20.3.4:9")));
        assert!(!g.may_reach(at("10.21.3.4:9")));
        assert!(!g.may_reach(at("[::ffff:127.0.0.1]:9")));
        assert!(!g.may_reach(at("203.0.113.5:443")), "the relay's own machine");
        g.allocated(at("203.0.113.5:50000"), "a".into());
        assert!(g.may_reach(at("203.0.113.5:50000")));
        assert!(g.may_permit(at("203.0.113.5:1")), "a permission names no port");
        g.closed(at("203.0.113.5:50000"));
        assert!(!g.may_reach(at("203.0.113.5:50000")));
    }

    #[test]
    fn a_person_and_all_together_have_a_quota() {
        let mut g = guard(&[]);
        let port = |n: u16| SocketAddr::new("203.0.113.5".parse().unwrap(), n);
        g.allocated(port(1), "a".into());
        assert!(g.has_room("a"));
        g.allocated(port(2), "a".into());
        assert!(!g.has_room("a") && g.has_room("b"));
        g.allocated(port(3), "b".into());
        assert!(!g.has_room("b"), "three in all");
    }
}
