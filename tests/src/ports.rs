//! Ports for servers that a test stops and starts again at the same address, and for programs that must be told theirs.
//! A port that the system picked is given to somebody else as soon as nobody holds it: to another test's server, or to
//! a connection on its way out. Other packages' tests include this file.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher as _, RandomState},
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::Range,
    sync::Mutex,
};

/// Below those that a system gives away by itself (Linux: from 32768; macOS and Windows, as IANA has it: from 49152).
const OURS: Range<u16> = 20_000..32_000;

/// A port on loopback that nobody has, for TCP and for UDP; no other call in this process gets it.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().expect("nothing panics while it is held");
    // Programs that run side by side begin to look at different places.
    let chance = RandomState::new().hash_one(OURS.start);
    let count = OURS.end - OURS.start;
    let first = (chance % u64::from(count)) as u16;
    let mut all = (0..count).map(|n| OURS.start + (first + n) % count);
    let port = all.find(|port| !given.contains(port) && is_free(*port)).expect("one of thousands is free");
    given.insert(port);
    port
}

fn is_free(port: u16) -> bool {
    let at = (Ipv4Addr::LOCALHOST, port);
    TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok()
}
