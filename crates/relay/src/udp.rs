//! The relay's sockets: one that clients talk to, one for each allocation.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    net::UdpSocket,
    sync::mpsc,
    task::{AbortHandle, JoinHandle},
};
use turn_server_proto::{
    api::{SocketAllocateError, TcpConnectError, Transmit, TurnServerApi, TurnServerPollRet},
    server::TurnServer,
    types::{AddressFamily, Instant, TransportType, prelude::*},
};

use crate::{
    AllowRange, Secret,
    guard::{Guard, Verdict},
};

/// Larger datagrams than any call sends, smaller than what two of them would take.
const DATAGRAM: usize = 2_048;
/// Packets of peers that may wait for the relay's one task.
const WAITING: usize = 2_048;

/// How a relay is set up.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Where clients reach it, UDP.
    pub listen: SocketAddr,
    /// The address of the relayed sockets; peers see it.
    pub relay_ip: IpAddr,
    /// What clients and peers see instead, where the server stands behind a one-to-one NAT.
    pub external_ip: Option<IpAddr>,
    pub realm: String,
    pub secret: Secret,
    /// `--relay-allow`.
    pub allow: Vec<AllowRange>,
    /// Allocations of one credential id, and in all.
    pub per_user: usize,
    pub in_all: usize,
}

impl RelayConfig {
    pub fn new(listen: SocketAddr, secret: Secret) -> Self {
        Self {
            listen,
            relay_ip: listen.ip(),
            external_ip: None,
            realm: "rabta".into(),
            secret,
            allow: Vec::new(),
            per_user: 12,
            in_all: 2_000,
        }
    }
}

/// The relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the relay's address cannot be bound")]
    Bind(#[source] io::Error),
    /// `0.0.0.0` is no address that a peer can send to.
    #[error("the relay needs an address of its own to relay from, not a wildcard")]
    Wildcard,
}

/// For `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RelayStats {
    pub allocations: usize,
    pub bytes_relayed: u64,
    /// Packets for addresses that are not reached.
    pub refused: u64,
}

#[derive(Default)]
struct Counters {
    allocations: AtomicUsize,
    bytes: AtomicU64,
    refused: AtomicU64,
}

/// A running relay; it ends when this is dropped.
pub struct RelayHandle {
    address: SocketAddr,
    task: JoinHandle<()>,
    counters: Arc<Counters>,
}

impl RelayHandle {
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    pub fn stats(&self) -> RelayStats {
        RelayStats {
            allocations: self.counters.allocations.load(Ordering::Relaxed),
            bytes_relayed: self.counters.bytes.load(Ordering::Relaxed),
            refused: self.counters.refused.load(Ordering::Relaxed),
        }
    }
}

impl Drop for RelayHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts relays.
pub struct Relay;

impl Relay {
    /// Binds and serves on the current Tokio runtime.
    pub async fn start(config: RelayConfig) -> Result<RelayHandle, StartError> {
        if config.relay_ip.is_unspecified() {
            return Err(StartError::Wildcard);
        }
        let socket = UdpSocket::bind(config.listen).await.map_err(StartError::Bind)?;
        let address = socket.local_addr().map_err(StartError::Bind)?;
        let counters = Arc::new(Counters::default());
        let task = tokio::spawn(Serving::new(config, socket, address, counters.clone()).run());
        Ok(RelayHandle { address, task, counters })
    }
}

/// A packet that came to an allocation.
struct FromPeer {
    to: SocketAddr,
    from: SocketAddr,
    data: Vec<u8>,
}

struct Allocated {
    socket: Arc<UdpSocket>,
    reader: AbortHandle,
}

impl Drop for Allocated {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

struct Serving {
    config: RelayConfig,
    socket: UdpSocket,
    address: SocketAddr,
    server: TurnServer,
    guard: Guard,
    /// By the address that clients and peers know.
    allocated: HashMap<SocketAddr, Allocated>,
    peers: mpsc::Sender<FromPeer>,
    from_peers: mpsc::Receiver<FromPeer>,
    counters: Arc<Counters>,
    start: std::time::Instant,
}

impl Serving {
    fn new(config: RelayConfig, socket: UdpSocket, address: SocketAddr, counters: Arc<Counters>) -> Self {
        let (peers, from_peers) = mpsc::channel(WAITING);
        let seen = config.external_ip.unwrap_or(config.relay_ip);
        let (secret, realm, allow) = (config.secret.clone(), config.realm.clone(), config.allow.clone());
        let guard = Guard::new(secret, realm, seen, allow, config.per_user, config.in_all);
        let server = TurnServer::new(TransportType::Udp, address, config.realm.clone());
        let start = std::time::Instant::now();
        let allocated = HashMap::new();
        Self { config, socket, address, server, guard, allocated, peers, from_peers, counters, start }
    }

    async fn run(mut self) {
        let mut buffer = vec![0; DATAGRAM];
        loop {
            let wait = self.advance().await;
            tokio::select! {
                got = self.socket.recv_from(&mut buffer) => match got {
                    Ok((size, from)) if size < DATAGRAM => self.from_client(from, &buffer[..size]).await,
                    // An ICMP error of an earlier packet, or a datagram too long: nothing to answer.
                    Ok(_) | Err(_) => {}
                },
                Some(packet) = self.from_peers.recv() => self.from_peer(packet).await,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(i64::try_from(self.start.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }

    async fn from_client(&mut self, from: SocketAddr, packet: &[u8]) {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        match self.guard.admit(from, packet, unix) {
            Verdict::Drop => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Verdict::Answer(answer) => {
                let _ = self.socket.send_to(&answer, from).await;
                return;
            }
            Verdict::Pass { user } => {
                if let Some((username, password)) = user {
                    self.server.add_user(username, password);
                }
            }
        }
        let packet = Transmit::new(packet.to_vec(), TransportType::Udp, from, self.address);
        if let Some(out) = self.server.recv(packet, self.now()) {
            // turn-server-proto 0.7.3 addresses its answer to a Binding request to itself.
            let (out_from, out_to) = (out.from, if out.to == self.address { from } else { out.to });
            self.send(out_from, out_to, &out.data.build()).await;
        }
        if self.guard.worn() {
            self.server = TurnServer::new(TransportType::Udp, self.address, self.config.realm.clone());
        }
    }

    async fn from_peer(&mut self, FromPeer { to, from, data }: FromPeer) {
        if !self.guard.may_reach(from) {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let packet = Transmit::new(data, TransportType::Udp, from, to);
        if let Some(out) = self.server.recv(packet, self.now()) {
            let (out_from, out_to) = (out.from, out.to);
            self.send(out_from, out_to, &out.data.build()).await;
        }
    }

    async fn send(&self, from: SocketAddr, to: SocketAddr, data: &[u8]) {
        // A full socket buffer loses the packet, as any router would.
        if from == self.address {
            let _ = self.socket.send_to(data, to).await;
            return;
        }
        let Some(allocated) = self.allocated.get(&from) else { return };
        if self.guard.may_reach(to) {
            self.counters.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
            let _ = allocated.socket.send_to(data, to).await;
        } else {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Does what the protocol wants done; how long nothing more is due.
    async fn advance(&mut self) -> Duration {
        loop {
            let now = self.now();
            while let Some(out) = self.server.poll_transmit(now) {
                self.send(out.from, out.to, &out.data).await;
            }
            match self.server.poll(now) {
                TurnServerPollRet::WaitUntil(until) => {
                    let nanos = until.as_nanos().saturating_sub(now.as_nanos()).max(1_000_000);
                    return Duration::from_nanos(nanos.unsigned_abs()).min(Duration::from_secs(30));
                }
                TurnServerPollRet::AllocateSocket {
                    transport,
                    listen_addr,
                    client_addr,
                    allocation_transport,
                    family,
                } => {
                    let made = self.allocate(client_addr, allocation_transport, family).await;
                    self.server.allocated_socket(
                        transport,
                        listen_addr,
                        client_addr,
                        allocation_transport,
                        family,
                        made,
                        now,
                    );
                }
                TurnServerPollRet::TcpConnect { relayed_addr, peer_addr, listen_addr, client_addr } => {
                    let no = Err(TcpConnectError::Forbidden);
                    self.server.tcp_connected(relayed_addr, peer_addr, listen_addr, client_addr, no, now);
                }
                TurnServerPollRet::TcpClose { .. } => {}
                TurnServerPollRet::SocketClose { listen_addr, .. } => {
                    self.allocated.remove(&listen_addr);
                    self.guard.closed(listen_addr);
                    self.counters.allocations.store(self.guard.allocations(), Ordering::Relaxed);
                }
            }
        }
    }

    async fn allocate(
        &mut self,
        client: SocketAddr,
        transport: TransportType,
        family: AddressFamily,
    ) -> Result<SocketAddr, SocketAllocateError> {
        let ours = if self.config.relay_ip.is_ipv4() { AddressFamily::IPV4 } else { AddressFamily::IPV6 };
        if transport != TransportType::Udp || family != ours {
            return Err(SocketAllocateError::AddressFamilyNotSupported);
        }
        let full = SocketAllocateError::InsufficientCapacity;
        let owner = self.guard.owner_with_room(client).ok_or(full)?;
        let socket = UdpSocket::bind((self.config.relay_ip, 0)).await.map_err(|_| full)?;
        let port = socket.local_addr().map_err(|_| full)?.port();
        let known = SocketAddr::new(self.config.external_ip.unwrap_or(self.config.relay_ip), port);
        let socket = Arc::new(socket);
        let reader = tokio::spawn(read(socket.clone(), known, self.peers.clone())).abort_handle();
        self.allocated.insert(known, Allocated { socket, reader });
        self.guard.allocated(known, owner);
        self.counters.allocations.store(self.guard.allocations(), Ordering::Relaxed);
        tracing::debug!(allocations = self.guard.allocations(), "an allocation was made");
        Ok(known)
    }
}

async fn read(socket: Arc<UdpSocket>, to: SocketAddr, peers: mpsc::Sender<FromPeer>) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((size, from)) if size < DATAGRAM => {
                // Full: the packet is lost, as on any router; the sender of media must not wait.
                let packet = FromPeer { to, from, data: buffer[..size].to_vec() };
                if let Err(mpsc::error::TrySendError::Closed(_)) = peers.try_send(packet) {
                    return;
                }
            }
            Ok(_) => {}
            // An ICMP error that an earlier packet brought; anything lasting would spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}
