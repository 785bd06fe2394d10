use futures_util::{SinkExt, StreamExt};
use rabta_wire::{
    Id,
    envelope::Kind,
    log::Hint,
    signal::{
        Address, Body, ClientFrame, PATH, Refusal, ServerFrame, Signal, VERSION, decode_server, encode,
    },
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::asks::ask;
use crate::support::{Draft, id, payloads, server::Server};

pub type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

#[derive(Debug)]
struct AnyCertificate;

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &[rustls_pki_types::CertificateDer<'_>],
        _: &rustls_pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls_pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

pub async fn connect(server: &Server, token: &str) -> Socket {
    let mut request = format!("wss://{}{PATH}", server.handle.addr).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    open(request).await
}

pub async fn open(request: tokio_tungstenite::tungstenite::handshake::client::Request) -> Socket {
    let tls = rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .dangerous()
    .with_custom_certificate_verifier(std::sync::Arc::new(AnyCertificate))
    .with_no_client_auth();
    let connector = Connector::Rustls(std::sync::Arc::new(tls));
    connect_async_tls_with_config(request, None, false, Some(connector)).await.unwrap().0
}

pub async fn text(socket: &mut Socket) -> String {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return text.to_string(),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("no text: {other:?}"),
        }
    }
}

/// The next signaling frame; hints in between are passed over.
pub async fn frame(socket: &mut Socket) -> ServerFrame {
    loop {
        let text = text(socket).await;
        if let Ok(frame) = decode_server(&text) {
            return frame;
        }
        serde_json::from_str::<Hint>(&text).expect("a frame or a hint");
    }
}

pub async fn send(socket: &mut Socket, frame: &ClientFrame) {
    socket.send(Message::Text(encode(frame).into())).await.unwrap();
}

pub async fn hello(server: &Server, token: &str) -> Socket {
    let mut socket = connect(server, token).await;
    send(&mut socket, &ClientFrame::Hello { v: VERSION, token: token.into(), session: None }).await;
    assert!(matches!(frame(&mut socket).await, ServerFrame::Welcome { .. }));
    socket
}

pub fn body(msg: Signal) -> Body {
    Body { inst: 1, seq: 1, ack: 0, ack_inst: 0, msg }
}

pub fn to(person: Id) -> Address {
    Address { person, device: None }
}

#[tokio::test]
async fn a_hint_comes_when_there_is_something_to_pull_and_not_otherwise() {
    let server = Server::start().await;
    let mut ask = ask(&server).await;
    let mut socket = connect(&server, &ask.specialists).await;
    let first: Hint = serde_json::from_str(&text(&mut socket).await).unwrap();
    let pulled = server.pull(&ask.specialists, None).await;
    assert!(first.seq <= pulled.next.seq);

    // Something that is not the specialist's, then something that is.
    let other = id();
    let unrelated = ask.doctor.write(Draft::new(Kind::Patient, other, payloads::patient(other, "B")));
    let chat = serde_json::json!({
        "resourceType": "Communication", "id": id().to_string(), "status": "completed",
        "subject": {"reference": format!("Patient/{}", ask.patient)},
    });
    let draft = Draft::new(Kind::Communication, ask.patient, payloads::bundle("collection", &[chat]));
    let chat = ask.doctor.write(draft.task(ask.task));
    server.push(&ask.doctors, &[unrelated]).await;
    server.push(&ask.doctors, &[chat]).await;
    let hint: Hint = serde_json::from_str(&text(&mut socket).await).unwrap();
    let news = server.pull(&ask.specialists, Some(pulled.next.to_string())).await;
    assert_eq!(news.changes.len(), 1);
    assert_eq!(news.changes[0].seq, hint.seq, "the one hint was for the one that is theirs");
}

#[tokio::test]
async fn the_parties_of_an_ask_can_call_each_other_and_nobody_else_can() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let (stranger, _) = server.join(server.facility("C", "clinic").await, "doctor").await;
    let strangers = server.token(&stranger).await;
    let mut doctor = hello(&server, &ask.doctors).await;
    let mut specialist = hello(&server, &ask.specialists).await;
    let mut outsider = hello(&server, &strangers).await;
    let call = id();
    let ring = |to| ClientFrame::Ring {
        v: VERSION,
        call,
        to,
        body: body(Signal::Ring { ask: Some(ask.task), video: true, round: 0 }),
    };

    send(&mut outsider, &ring(to(ask.specialist.person))).await;
    assert!(matches!(frame(&mut outsider).await, ServerFrame::Refused { code: Refusal::NotAllowed, .. }));

    send(&mut doctor, &ring(to(ask.specialist.person))).await;
    let ServerFrame::From { from, body: rung, .. } = frame(&mut specialist).await else { panic!("not rung") };
    assert_eq!(
        (from.person, from.device),
        (ask.doctor.person, ask.doctor.device),
        "from is the server's word"
    );
    assert!(matches!(rung.msg, Signal::Ring { .. }));

    send(&mut specialist, &ClientFrame::To { v: VERSION, call, to: from.into(), body: body(Signal::Accept) })
        .await;
    assert!(matches!(
        frame(&mut doctor).await,
        ServerFrame::From { body: Body { msg: Signal::Accept, .. }, .. }
    ));

    send(&mut outsider, &ClientFrame::To { v: VERSION, call, to: from.into(), body: body(Signal::Accept) })
        .await;
    assert!(
        matches!(frame(&mut outsider).await, ServerFrame::Refused { code: Refusal::NotAllowed, call: Some(c) , .. } if c == call)
    );
}

#[tokio::test]
async fn a_ring_waits_for_somebody_who_comes_and_a_hello_needs_the_sockets_own_token() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let mut doctor = hello(&server, &ask.doctors).await;
    let call = id();
    let ring = ClientFrame::Ring {
        v: VERSION,
        call,
        to: to(ask.specialist.person),
        body: body(Signal::Ring { ask: None, video: false, round: 0 }),
    };
    send(&mut doctor, &ring).await;
    assert!(matches!(frame(&mut doctor).await, ServerFrame::Refused { code: Refusal::NotHere, .. }));

    let mut specialist = connect(&server, &ask.specialists).await;
    for token in [ask.doctors.as_str(), "made up"] {
        send(&mut specialist, &ClientFrame::Hello { v: VERSION, token: token.into(), session: None }).await;
        assert!(matches!(frame(&mut specialist).await, ServerFrame::Refused { code: Refusal::Token, .. }));
    }
    send(&mut specialist, &ClientFrame::Hello { v: VERSION, token: ask.specialists.clone(), session: None })
        .await;
    assert!(
        matches!(frame(&mut specialist).await, ServerFrame::Welcome { me, .. } if me.person == ask.specialist.person)
    );
    assert!(matches!(frame(&mut specialist).await, ServerFrame::From { call: c, .. } if c == call));
}

#[tokio::test]
async fn nonsense_is_refused_and_a_huge_frame_ends_the_socket() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let mut doctor = hello(&server, &ask.doctors).await;
    doctor.send(Message::Text(r#"{"t":"dance","v":1}"#.into())).await.unwrap();
    assert!(matches!(frame(&mut doctor).await, ServerFrame::Refused { code: Refusal::Unknown, .. }));
    // The server may close before all of it is sent.
    let _ = doctor.send(Message::Text("x".repeat(rabta_wire::signal::FRAME_BYTES + 1).into())).await;
    while let Some(Ok(_)) = doctor.next().await {}
    // The server goes on.
    hello(&server, &ask.doctors).await;
}

#[tokio::test]
async fn a_server_that_stops_closes_its_sockets() {
    let server = Server::start().await;
    let ask = ask(&server).await;
    let mut doctor = hello(&server, &ask.doctors).await;
    server.handle.shutdown().await;
    let mut closed = None;
    while let Some(Ok(message)) = doctor.next().await {
        if let Message::Close(frame) = message {
            closed = frame.map(|f| u16::from(f.code));
        }
    }
    assert_eq!(closed, Some(1012), "service restart (RFC 6455, section 7.4 and IANA)");
}
