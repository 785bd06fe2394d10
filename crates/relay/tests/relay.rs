//! The relay over real sockets, with a client made by hand.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rabta_relay::{Relay, RelayConfig, RelayHandle, Secret, credentials};
use tokio::{net::UdpSocket, time::timeout};
use turn_server_proto::types::{
    attribute::{Data, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CREATE_PERMISSION, REFRESH, SEND},
    stun::{
        attribute::{ErrorCode, Nonce, Realm, Username, XorMappedAddress},
        message::{
            BINDING, IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass,
            MessageIntegrityCredentials, MessageWrite, MessageWriteExt, MessageWriteVec, Method,
            TransactionId,
        },
    },
};

fn secret() -> Secret {
    Secret::new(b"a secret of the tests, 32 bytes.".to_vec())
}

fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn relay(change: impl FnOnce(&mut RelayConfig)) -> RelayHandle {
    let mut config = RelayConfig::new("127.0.0.1:0".parse().unwrap(), secret());
    change(&mut config);
    Relay::start(config).await.unwrap()
}

struct Client {
    socket: UdpSocket,
    server: SocketAddr,
    username: String,
    key: LongTermKeyCredentials,
    realm: String,
    nonce: String,
}

/// An answer's error code, or none for success.
type Outcome = Result<(), u16>;

impl Client {
    /// Meets the relay, and learns its realm and nonce from the refusal of an unsigned request.
    async fn new(relay: &RelayHandle, username: &str, password: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut client = Self {
            socket,
            server: relay.local_addr(),
            username: username.into(),
            key: LongTermKeyCredentials::new(username.into(), password.into(), "rabta".into()),
            realm: String::new(),
            nonce: String::new(),
        };
        let mut request = Message::builder_request(ALLOCATE, MessageWriteVec::new());
        request.add_attribute(&RequestedTransport::new(17)).unwrap();
        let answer = client.ask(request.finish()).await;
        let answer = Message::from_bytes(&answer).unwrap();
        assert_eq!(answer.attribute::<ErrorCode>().unwrap().code(), 401);
        client.realm = answer.attribute::<Realm>().unwrap().realm().to_string();
        client.nonce = answer.attribute::<Nonce>().unwrap().nonce().to_string();
        client
    }

    async fn good(relay: &RelayHandle, id: &str) -> Self {
        let (username, password) = credentials(&secret(), id, unix(), 60);
        Self::new(relay, &username, &password).await
    }

    async fn ask(&self, request: Vec<u8>) -> Vec<u8> {
        self.socket.send_to(&request, self.server).await.unwrap();
        self.receive().await.expect("the relay answers")
    }

    async fn receive(&self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 2_048];
        let (size, from) =
            timeout(Duration::from_secs(30), self.socket.recv_from(&mut buffer)).await.ok()?.ok()?;
        assert_eq!(from, self.server);
        buffer.truncate(size);
        Some(buffer)
    }

    async fn signed(
        &self,
        method: Method,
        fill: impl FnOnce(&mut MessageWriteVec, TransactionId),
    ) -> Vec<u8> {
        let id = TransactionId::generate();
        let class = turn_server_proto::types::stun::message::MessageType::from_class_method(
            MessageClass::Request,
            method,
        );
        let mut request = Message::builder(class, id, MessageWriteVec::new());
        fill(&mut request, id);
        request.add_attribute(&Username::new(&self.username).unwrap()).unwrap();
        request.add_attribute(&Realm::new(&self.realm).unwrap()).unwrap();
        request.add_attribute(&Nonce::new(&self.nonce).unwrap()).unwrap();
        let key: MessageIntegrityCredentials = self.key.clone().into();
        request.add_message_integrity(&key, IntegrityAlgorithm::Sha1).unwrap();
        self.ask(request.finish()).await
    }

    async fn allocate(&self) -> Result<SocketAddr, u16> {
        let answer = self
            .signed(ALLOCATE, |request, _| request.add_attribute(&RequestedTransport::new(17)).unwrap())
            .await;
        outcome(&answer)?;
        let answer = Message::from_bytes(&answer).unwrap();
        Ok(answer.attribute::<XorRelayedAddress>().unwrap().addr(answer.transaction_id()))
    }

    async fn permit(&self, peer: SocketAddr) -> Outcome {
        let answer = self
            .signed(CREATE_PERMISSION, |request, id| {
                request.add_attribute(&XorPeerAddress::new(peer, id)).unwrap();
            })
            .await;
        if outcome(&answer) == Err(403) {
            let key: MessageIntegrityCredentials = self.key.clone().into();
            Message::from_bytes(&answer).unwrap().validate_integrity(&key).expect("a refusal is signed");
        }
        outcome(&answer)
    }

    async fn release(&self) -> Outcome {
        let answer =
            self.signed(REFRESH, |request, _| request.add_attribute(&Lifetime::new(0)).unwrap()).await;
        outcome(&answer)
    }

    async fn send(&self, peer: SocketAddr, data: &[u8]) {
        let id = TransactionId::generate();
        let class = turn_server_proto::types::stun::message::MessageType::from_class_method(
            MessageClass::Indication,
            SEND,
        );
        let mut message = Message::builder(class, id, MessageWriteVec::new());
        message.add_attribute(&XorPeerAddress::new(peer, id)).unwrap();
        message.add_attribute(&Data::new(data)).unwrap();
        self.socket.send_to(&message.finish(), self.server).await.unwrap();
    }

    /// The data of the next indication, and whose it is.
    async fn data(&self) -> Option<(SocketAddr, Vec<u8>)> {
        let packet = self.receive().await?;
        let message = Message::from_bytes(&packet).unwrap();
        let peer = message.attribute::<XorPeerAddress>().unwrap().addr(message.transaction_id());
        Some((peer, message.attribute::<Data<'_>>().unwrap().data().to_vec()))
    }
}

fn outcome(answer: &[u8]) -> Outcome {
    let message = Message::from_bytes(answer).unwrap();
    if message.has_class(MessageClass::Success) {
        Ok(())
    } else {
        Err(message.attribute::<ErrorCode>().unwrap().code())
    }
}

#[tokio::test]
async fn a_binding_request_tells_the_clients_own_address() {
    let relay = relay(|_| {}).await;
    let client = Client::good(&relay, "a").await;
    let answer = client.ask(Message::builder_request(BINDING, MessageWriteVec::new()).finish()).await;
    let answer = Message::from_bytes(&answer).unwrap();
    let mapped = answer.attribute::<XorMappedAddress>().unwrap().addr(answer.transaction_id());
    assert_eq!(mapped, client.socket.local_addr().unwrap());
}

#[tokio::test]
async fn two_clients_meet_over_their_allocations_although_those_are_on_loopback() {
    let relay = relay(|_| {}).await;
    let (a, b) = (Client::good(&relay, "a").await, Client::good(&relay, "b").await);
    let (at_a, at_b) = (a.allocate().await.unwrap(), b.allocate().await.unwrap());
    assert_eq!(relay.stats().allocations, 2);
    a.permit(at_b).await.unwrap();
    b.permit(at_a).await.unwrap();
    a.send(at_b, b"salaam").await;
    assert_eq!(b.data().await, Some((at_a, b"salaam".to_vec())));
    b.send(at_a, b"wa alaikum").await;
    assert_eq!(a.data().await, Some((at_b, b"wa alaikum".to_vec())));
    a.release().await.unwrap();
    b.release().await.unwrap();
    // The next answer comes after what the release brought was done.
    b.ask(Message::builder_request(BINDING, MessageWriteVec::new()).finish()).await;
    assert_eq!(relay.stats().allocations, 0);
}

#[tokio::test]
async fn a_neighbor_on_loopback_or_a_private_net_is_refused_in_every_notation() {
    let relay = relay(|_| {}).await;
    let client = Client::good(&relay, "a").await;
    client.allocate().await.unwrap();
    for peer in
        ["10.0.0.1:80", "192.168.0.1:80", "169.254.169.254:80", "[::ffff:10.0.0.1]:80", "[fd00::1]:80"]
    {
        assert_eq!(client.permit(peer.parse().unwrap()).await, Err(403), "{peer}");
    }
    // On the relay's own address a permission says nothing yet: each packet is judged by its port.
    let neighbor = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let target = neighbor.local_addr().unwrap();
    client.permit(target).await.unwrap();
    client.send(target, b"GET / HTTP/1.1").await;
    // The refusal is counted before the next request of the same client is answered.
    client.permit(target).await.unwrap();
    assert_eq!(relay.stats().refused, 1);
    assert!(neighbor.try_recv(&mut [0; 16]).is_err(), "nothing reached the neighbor");
}

#[tokio::test]
async fn an_allowed_neighbor_is_reached_and_answers() {
    let relay = relay(|config| config.allow = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let client = Client::good(&relay, "a").await;
    let relayed = client.allocate().await.unwrap();
    let neighbor = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let target = neighbor.local_addr().unwrap();
    client.permit(target).await.unwrap();
    client.send(target, b"echo").await;
    let mut buffer = [0; 16];
    let (size, from) = neighbor.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..size], from), (&b"echo"[..], relayed));
    neighbor.send_to(&buffer[..size], from).await.unwrap();
    assert_eq!(client.data().await, Some((target, b"echo".to_vec())));
}

#[tokio::test]
async fn an_expired_credential_and_a_wrong_password_open_nothing() {
    let relay = relay(|_| {}).await;
    let (username, password) = credentials(&secret(), "a", unix() - 100, 60);
    let expired = Client::new(&relay, &username, &password).await;
    assert_eq!(expired.allocate().await, Err(401));
    let (username, _) = credentials(&secret(), "a", unix(), 60);
    let wrong = Client::new(&relay, &username, "guess").await;
    assert_eq!(wrong.allocate().await, Err(401));
    // A user name that was never ours, with the password that would belong to it elsewhere.
    let stranger = Client::new(&relay, "admin", "admin").await;
    assert_eq!(stranger.allocate().await, Err(401));
    assert_eq!(relay.stats().allocations, 0);
}

#[tokio::test]
async fn what_a_credential_opened_lives_on_when_it_expires() {
    let relay = relay(|_| {}).await;
    // Seconds are whole: of one alone there may be little left.
    let (username, password) = credentials(&secret(), "a", unix(), 3);
    let client = Client::new(&relay, &username, &password).await;
    client.allocate().await.unwrap();
    while unix() <= username.split(':').next().unwrap().parse::<u64>().unwrap() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer =
        client.signed(REFRESH, |request, _| request.add_attribute(&Lifetime::new(600)).unwrap()).await;
    assert_eq!(outcome(&answer), Ok(()));
    let again = Client::new(&relay, &username, &password).await;
    assert_eq!(again.allocate().await, Err(401));
}

#[tokio::test]
async fn one_person_has_a_quota_and_others_still_have_theirs() {
    let relay = relay(|config| config.per_user = 2).await;
    for _ in 0..2 {
        Client::good(&relay, "a").await.allocate().await.unwrap();
    }
    assert_eq!(Client::good(&relay, "a").await.allocate().await, Err(486));
    Client::good(&relay, "b").await.allocate().await.unwrap();
}

#[tokio::test]
async fn rubbish_is_survived() {
    let relay = relay(|_| {}).await;
    let client = Client::good(&relay, "a").await;
    for size in [0, 1, 4, 19, 20, 21, 600] {
        for byte in [0x00, 0x01, 0x40, 0xff] {
            client.socket.send_to(&vec![byte; size], relay.local_addr()).await.unwrap();
        }
    }
    client.allocate().await.unwrap();
}
