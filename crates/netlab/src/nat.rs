//! A box that hides a place behind one address (RFC 4787), as carriers and hospitals have them.
//!
//! Pure: packets and moments in, packets out. IPv4 with UDP, TCP and ICMP echo; anything else does not pass.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use smoltcp::wire::{Icmpv4Message, Icmpv4Packet, IpAddress, IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};

use crate::profile::NatKind;

/// A mapping that nobody used for so long is forgotten. RFC 4787 asks for two minutes at least; carriers' boxes often
/// keep less.
const FORGETS_UDP: Duration = Duration::from_secs(30);
const FORGETS_TCP: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    protocol: u8,
    inside: SocketAddrV4,
    /// Only where mappings depend on whom one speaks to.
    outside: Option<SocketAddrV4>,
}

struct Mapping {
    key: Key,
    used: Duration,
    /// Whom the inside spoke to: only they are let in.
    spoken_to: Vec<SocketAddrV4>,
}

/// The box with its table.
pub struct Nat {
    kind: NatKind,
    /// Its address outside; each rebinding takes the next.
    public: Vec<Ipv4Addr>,
    rebinds: Vec<Duration>,
    done: usize,
    ports: HashMap<Key, u16>,
    mappings: HashMap<(u8, u16), Mapping>,
    next_port: u16,
}

impl Nat {
    /// `public` has one address more than there are rebindings; with fewer the last one stays.
    pub fn new(kind: NatKind, public: Vec<Ipv4Addr>, rebinds: Vec<Duration>) -> Self {
        Self {
            kind,
            public,
            rebinds,
            done: 0,
            ports: HashMap::new(),
            mappings: HashMap::new(),
            next_port: 40_000,
        }
    }

    /// The address outside at this moment.
    pub fn address(&mut self, now: Duration) -> Ipv4Addr {
        while self.rebinds.get(self.done).is_some_and(|at| *at <= now) {
            self.done += 1;
            self.ports.clear();
            self.mappings.clear();
            self.next_port = self.next_port.wrapping_add(1000).max(20_000);
        }
        let which = self.done.min(self.public.len().saturating_sub(1));
        self.public.get(which).copied().unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// A packet on its way out gets the box's address and a port of it. `None`: it does not pass.
    pub fn outward(&mut self, packet: &mut [u8], now: Duration) -> Option<()> {
        let public = self.address(now);
        let (protocol, inside, outside) = ends(packet)?;
        let symmetric = self.kind == NatKind::Symmetric;
        let key = Key { protocol: protocol.into(), inside, outside: symmetric.then_some(outside) };
        let port = match self.ports.get(&key).copied() {
            Some(port) if self.lives(key.protocol, port, now) => port,
            _ => self.open(key, now),
        };
        let mapping = self.mappings.get_mut(&(key.protocol, port))?;
        mapping.used = now;
        if !mapping.spoken_to.contains(&outside) {
            mapping.spoken_to.push(outside);
        }
        rewrite(packet, Side::Source, SocketAddrV4::new(public, port))
    }

    /// A packet on its way in, to the box's address. `None`: nobody inside asked for it.
    pub fn inward(&mut self, packet: &mut [u8], now: Duration) -> Option<()> {
        let public = self.address(now);
        let (protocol, outside, to) = ends(packet)?;
        if *to.ip() != public || !self.lives(protocol.into(), to.port(), now) {
            return None;
        }
        let mapping = self.mappings.get(&(protocol.into(), to.port()))?;
        // Filtering is by address and port, the strictest that is common.
        if !mapping.spoken_to.contains(&outside) {
            return None;
        }
        let inside = mapping.key.inside;
        rewrite(packet, Side::Destination, inside)
    }

    fn lives(&self, protocol: u8, port: u16, now: Duration) -> bool {
        let keeps = if protocol == u8::from(IpProtocol::Tcp) { FORGETS_TCP } else { FORGETS_UDP };
        self.mappings.get(&(protocol, port)).is_some_and(|m| now.saturating_sub(m.used) < keeps)
    }

    fn open(&mut self, key: Key, now: Duration) -> u16 {
        let taken = |nat: &Self, port| nat.lives(key.protocol, port, now);
        while taken(self, self.next_port) {
            self.next_port = self.next_port.checked_add(1).unwrap_or(20_000);
        }
        let port = self.next_port;
        self.next_port = self.next_port.checked_add(1).unwrap_or(20_000);
        self.ports.insert(key, port);
        self.mappings.insert((key.protocol, port), Mapping { key, used: now, spoken_to: Vec::new() });
        port
    }
}

enum Side {
    Source,
    Destination,
}

/// Protocol, source and destination; of an echo the identifier stands for both ports.
fn ends(packet: &[u8]) -> Option<(IpProtocol, SocketAddrV4, SocketAddrV4)> {
    let ip = Ipv4Packet::new_checked(packet).ok()?;
    // Only the first fragment has ports; ours are below the MTU.
    if ip.frag_offset() != 0 {
        return None;
    }
    let (source, destination) = match ip.next_header() {
        IpProtocol::Udp => {
            let udp = UdpPacket::new_checked(ip.payload()).ok()?;
            (udp.src_port(), udp.dst_port())
        }
        IpProtocol::Tcp => {
            let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
            (tcp.src_port(), tcp.dst_port())
        }
        IpProtocol::Icmp => {
            let icmp = Icmpv4Packet::new_checked(ip.payload()).ok()?;
            match icmp.msg_type() {
                Icmpv4Message::EchoRequest | Icmpv4Message::EchoReply => {
                    (icmp.echo_ident(), icmp.echo_ident())
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    Some((
        ip.next_header(),
        SocketAddrV4::new(ip.src_addr(), source),
        SocketAddrV4::new(ip.dst_addr(), destination),
    ))
}

fn rewrite(packet: &mut [u8], side: Side, to: SocketAddrV4) -> Option<()> {
    let mut ip = Ipv4Packet::new_checked(packet).ok()?;
    match side {
        Side::Source => ip.set_src_addr(*to.ip()),
        Side::Destination => ip.set_dst_addr(*to.ip()),
    }
    ip.fill_checksum();
    let (source, destination): (IpAddress, IpAddress) = (ip.src_addr().into(), ip.dst_addr().into());
    match ip.next_header() {
        IpProtocol::Udp => {
            let mut udp = UdpPacket::new_checked(ip.payload_mut()).ok()?;
            match side {
                Side::Source => udp.set_src_port(to.port()),
                Side::Destination => udp.set_dst_port(to.port()),
            }
            udp.fill_checksum(&source, &destination);
        }
        IpProtocol::Tcp => {
            let mut tcp = TcpPacket::new_checked(ip.payload_mut()).ok()?;
            match side {
                Side::Source => tcp.set_src_port(to.port()),
                Side::Destination => tcp.set_dst_port(to.port()),
            }
            tcp.fill_checksum(&source, &destination);
        }
        _ => {
            let mut icmp = Icmpv4Packet::new_checked(ip.payload_mut()).ok()?;
            icmp.set_echo_ident(to.port());
            icmp.fill_checksum();
        }
    }
    Some(())
}

/// Is it UDP? What a strict firewall drops.
pub fn is_udp(packet: &[u8]) -> bool {
    Ipv4Packet::new_checked(packet).is_ok_and(|ip| ip.next_header() == IpProtocol::Udp)
}

/// Where it goes.
pub fn destination(packet: &[u8]) -> Option<Ipv4Addr> {
    Ipv4Packet::new_checked(packet).ok().map(|ip| ip.dst_addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 77, 1, 2), 5000);
    const PUBLIC: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 78, 1, 1), Ipv4Addr::new(10, 78, 1, 2)];

    fn server(n: u8) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(10, 77, 9, n), 3478)
    }

    /// A UDP packet with valid checksums.
    fn udp(from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
        let mut packet = vec![0; 20 + 8 + 4];
        let length = packet.len() as u16;
        let mut ip = Ipv4Packet::new_unchecked(&mut packet);
        ip.set_version(4);
        ip.set_header_len(20);
        ip.set_total_len(length);
        ip.set_hop_limit(64);
        ip.set_next_header(IpProtocol::Udp);
        ip.set_src_addr(*from.ip());
        ip.set_dst_addr(*to.ip());
        ip.fill_checksum();
        let mut inner = UdpPacket::new_unchecked(ip.payload_mut());
        inner.set_src_port(from.port());
        inner.set_dst_port(to.port());
        inner.set_len(length - 20);
        inner.fill_checksum(&(*from.ip()).into(), &(*to.ip()).into());
        packet
    }

    fn nat(kind: NatKind) -> Nat {
        Nat::new(kind, PUBLIC.to_vec(), vec![Duration::from_secs(60)])
    }

    fn out(nat: &mut Nat, to: SocketAddrV4, second: u64) -> SocketAddrV4 {
        let mut packet = udp(INSIDE, to);
        nat.outward(&mut packet, Duration::from_secs(second)).expect("passes");
        let ip = Ipv4Packet::new_checked(&packet).expect("whole");
        assert!(ip.verify_checksum());
        let inner = UdpPacket::new_checked(ip.payload()).expect("whole");
        assert!(inner.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()));
        ends(&packet).expect("UDP").1
    }

    fn comes_in(nat: &mut Nat, from: SocketAddrV4, to: SocketAddrV4, second: u64) -> bool {
        let mut packet = udp(from, to);
        let passed = nat.inward(&mut packet, Duration::from_secs(second)).is_some();
        assert!(!passed || ends(&packet).expect("UDP").2 == INSIDE);
        passed
    }

    #[test]
    fn an_answer_finds_its_way_and_a_stranger_does_not() {
        let mut nat = nat(NatKind::EndpointIndependent);
        let seen = out(&mut nat, server(1), 0);
        assert_eq!(*seen.ip(), PUBLIC[0]);
        assert!(comes_in(&mut nat, server(1), seen, 1));
        assert!(!comes_in(&mut nat, server(2), seen, 1), "nobody inside spoke to them");
        assert!(!comes_in(&mut nat, server(1), SocketAddrV4::new(PUBLIC[0], seen.port() + 1), 1));
    }

    #[test]
    fn one_kind_keeps_its_port_and_the_other_takes_a_new_one_for_each_peer() {
        let mut same = nat(NatKind::EndpointIndependent);
        assert_eq!(out(&mut same, server(1), 0), out(&mut same, server(2), 0));
        let mut other = nat(NatKind::Symmetric);
        assert_ne!(out(&mut other, server(1), 0), out(&mut other, server(2), 0));
        assert_eq!(out(&mut other, server(1), 1), out(&mut other, server(1), 2));
    }

    #[test]
    fn a_mapping_is_forgotten_and_a_rebinding_takes_another_address() {
        let mut nat = nat(NatKind::EndpointIndependent);
        let first = out(&mut nat, server(1), 0);
        assert!(!comes_in(&mut nat, server(1), first, 31), "unused for 30 s");
        let second = out(&mut nat, server(1), 59);
        assert!(comes_in(&mut nat, server(1), second, 59));
        assert!(!comes_in(&mut nat, server(1), second, 60), "another address since");
        assert_eq!(*out(&mut nat, server(1), 61).ip(), PUBLIC[1]);
    }
}
