//! The one WebSocket to the HIE: hints that there is something to pull, and call signaling.
//!
//! It says what came; it never pulls and knows no call. What is sent while there is no socket is dropped: a call
//! session says again what matters, a hint lost is made up for by the next pull.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use rabta_wire::{
    log::Hint,
    signal::{self, ClientFrame, PATH, Refusal, ServerFrame},
};
use rustls_pki_types::ServerName;
use tokio::{
    net::TcpStream,
    sync::{Notify, mpsc},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        protocol::{WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{HieClient, backoff, error::HieError};

type Stream = WebSocketStream<tokio_rustls::client::TlsStream<TcpStream>>;

/// What the socket brings.
#[derive(Debug, Clone, PartialEq)]
pub enum SocketEvent {
    /// Greeted: hints and frames come now. A [`ServerFrame::Welcome`] follows as a frame.
    Up,
    Down,
    /// The newest place in the HIE's log.
    Hint(u64),
    Frame(ServerFrame),
}

/// The sending end, and the ways to hurry.
#[derive(Debug, Clone)]
pub struct SocketHandle {
    frames: mpsc::Sender<ClientFrame>,
    wake: Arc<Notify>,
    call: Arc<AtomicBool>,
}

impl SocketHandle {
    /// Sends if there is a socket.
    pub fn send(&self, frame: ClientFrame) {
        // A full queue means that the line is dead; the session repeats.
        let _ = self.frames.try_send(frame);
    }

    /// Tries to connect at once, if it is waiting to.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// While a call runs a dead line is noticed within seconds; else it may take longer and cost less.
    pub fn calling(&self, on: bool) {
        self.call.store(on, Ordering::Relaxed);
        self.wake.notify_one();
    }
}

/// Frames that may wait for the wire.
const QUEUE: usize = 256;
const GREETING: Duration = Duration::from_secs(20);
const FIRST_SILENCE: Duration = Duration::from_secs(20);
const CALL_SILENCE: Duration = Duration::from_secs(4);

/// A socket for `client`, and the future that keeps it up until it is dropped. Events are told in order.
pub fn socket(
    client: HieClient,
    events: mpsc::Sender<SocketEvent>,
) -> (SocketHandle, impl Future<Output = ()> + Send + 'static) {
    let (frames, queue) = mpsc::channel(QUEUE);
    let handle = SocketHandle { frames, wake: Arc::default(), call: Arc::default() };
    let task =
        Task { client, queue, events, wake: handle.wake.clone(), call: handle.call.clone(), session: None };
    (handle, task.run())
}

struct Task {
    client: HieClient,
    queue: mpsc::Receiver<ClientFrame>,
    events: mpsc::Sender<SocketEvent>,
    wake: Arc<Notify>,
    call: Arc<AtomicBool>,
    session: Option<String>,
}

impl Task {
    async fn run(mut self) {
        let mut failures = 0u32;
        let seed = self.client.identity().map_or(0, |me| u64::from(me.device.0[15]));
        while !self.events.is_closed() {
            match timeout(GREETING, self.connect()).await {
                Ok(Ok(stream)) => {
                    failures = 0;
                    let _ = self.events.send(SocketEvent::Up).await;
                    self.carry(stream).await;
                    let _ = self.events.send(SocketEvent::Down).await;
                }
                Ok(Err(error)) => {
                    failures = failures.saturating_add(1);
                    tracing::debug!(%error, "no socket to the HIE");
                }
                Err(_) => failures = failures.saturating_add(1),
            }
            let most = if self.call.load(Ordering::Relaxed) { 2_000 } else { 60_000 };
            let wait = backoff::delay(failures.max(1), seed).min(most);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    async fn connect(&mut self) -> Result<Stream, HieError> {
        let token = self.client.token().await?;
        let address = &self.client.endpoint().address;
        let tcp = TcpStream::connect(address.as_str()).await.map_err(HieError::of_line)?;
        // Candidates are small and each one counts in milliseconds.
        tcp.set_nodelay(true).map_err(HieError::of_line)?;
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| HieError::Malformed("host name"))?;
        let tls = tokio_rustls::TlsConnector::from(self.client.tls());
        let tls = tls.connect(name, tcp).await.map_err(HieError::of_line)?;
        let mut request = format!("wss://{address}{PATH}")
            .into_client_request()
            .map_err(|_| HieError::Malformed("address"))?;
        let bearer = format!("Bearer {token}").parse().map_err(|_| HieError::Malformed("token"))?;
        request.headers_mut().insert("authorization", bearer);
        let limit = Some(signal::FRAME_BYTES);
        let config = WebSocketConfig::default().max_message_size(limit).max_frame_size(limit);
        let opened = client_async_with_config(request, tls, Some(config)).await;
        let (mut stream, _) = match opened {
            Ok(opened) => opened,
            Err(tungstenite::Error::Http(answer)) => {
                if answer.status().as_u16() == 401 {
                    self.client.drop_token(&token).await;
                }
                let status = answer.status().as_u16();
                return Err(HieError::Refused {
                    status,
                    code: format!("http-{status}"),
                    text: String::new(),
                });
            }
            Err(error) => return Err(HieError::of_line(error)),
        };
        let hello =
            ClientFrame::Hello { v: signal::VERSION, token: token.clone(), session: self.session.clone() };
        stream.send(text(&hello)).await.map_err(HieError::of_line)?;
        loop {
            match stream.next().await {
                Some(Ok(Message::Text(said))) => match self.take(&said).await {
                    Some(ServerFrame::Welcome { .. }) => return Ok(stream),
                    Some(ServerFrame::Refused { code: Refusal::Token, .. }) => {
                        self.client.drop_token(&token).await;
                        let (code, text) = ("token".to_owned(), String::new());
                        return Err(HieError::Refused { status: 401, code, text });
                    }
                    _ => {}
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(HieError::of_line(error)),
                None => return Err(HieError::Malformed("closed before the welcome")),
            }
        }
    }

    /// Carries frames until the line dies.
    async fn carry(&mut self, mut stream: Stream) {
        let mut heard = Instant::now();
        let mut asked = false;
        loop {
            let silence = if self.call.load(Ordering::Relaxed) { CALL_SILENCE } else { FIRST_SILENCE };
            tokio::select! {
                frame = self.queue.recv() => {
                    let Some(frame) = frame else { return };
                    let frame = text(&frame);
                    self.client.traffic().add_sent(frame.len());
                    if stream.send(frame).await.is_err() {
                        return;
                    }
                }
                message = stream.next() => {
                    (heard, asked) = (Instant::now(), false);
                    match message {
                        Some(Ok(Message::Text(said))) => { self.take(&said).await; }
                        Some(Ok(Message::Close(frame))) => {
                            let code = frame.map_or(CloseCode::Status, |frame| frame.code);
                            tracing::debug!(%code, "the HIE closed the socket");
                            return;
                        }
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => return,
                    }
                }
                // Asked once and still silent: the line is dead, whatever the operating system believes.
                () = sleep_until(heard + silence * if asked { 2 } else { 1 }) => {
                    if asked || stream.send(Message::Ping(Default::default())).await.is_err() {
                        return;
                    }
                    asked = true;
                }
                // A call began or ended: measure the silence anew.
                () = self.wake.notified() => {}
            }
        }
    }

    /// Tells what came; answers the frame, if it was one.
    async fn take(&mut self, said: &str) -> Option<ServerFrame> {
        self.client.traffic().add_received(said.len());
        if let Ok(frame) = signal::decode_server::<signal::Body>(said) {
            if let ServerFrame::Welcome { session, .. } = &frame {
                self.session = Some(session.clone());
            }
            let _ = self.events.send(SocketEvent::Frame(frame.clone())).await;
            return Some(frame);
        }
        if let Ok(hint) = serde_json::from_str::<Hint>(said) {
            let _ = self.events.send(SocketEvent::Hint(hint.seq)).await;
        }
        // Anything else is of a newer HIE.
        None
    }
}

fn text(frame: &ClientFrame) -> Message {
    Message::Text(signal::encode(frame).into())
}
