//! One connection to one remote device.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use gstreamer_app::AppSrc;
use rabta_call::{Candidate, EngineEvent, LegId, LinkState, SdpKind};
use rabta_wire::{data_channel::LABEL, signal::IceServer};
use rtc::{
    interceptor::{Registry, Slot},
    peer_connection::{
        configuration::{
            interceptor_registry::register_default_interceptors, media_engine::MediaEngine,
            setting_engine::SettingEngineBuilder,
        },
        sdp::RTCSessionDescription,
    },
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp_transceiver::rtp_sender::RtpCodecKind,
    shared::marshal::Marshal,
};
use tokio::{
    sync::{Notify, broadcast, mpsc},
    task::JoinHandle,
};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    error::Error,
    media_stream::{
        track_local::TrackLocal,
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceServer,
        RTCPeerConnectionIceEvent, RTCPeerConnectionState,
    },
    runtime::TokioRuntime,
};

use crate::{
    FrameSource, VideoFrame,
    clip::Encoded,
    keyframe::{self, KeyFrameRequests},
    nudge,
    outgoing::{self, Gate, Stream},
    sound, vp8,
};

/// Silence before a link counts as down, and far longer before the crate gives it up: the session decides that.
const DOWN_AFTER: Duration = Duration::from_secs(3);
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Connectivity checks go on for ten seconds: over 2G an answer can take two.
const CHECK_EVERY: Duration = Duration::from_millis(100);
const CHECKS: u16 = 100;
/// The payload type that the decoder's end expects, whatever was agreed on.
const OPUS_TYPE: u8 = 111;
/// How long a closed connection may still deliver a last message.
const LAST_WORDS: Duration = Duration::from_millis(250);

pub(crate) type Events = mpsc::UnboundedSender<EngineEvent>;

/// What a leg is made of and talks to.
pub(crate) struct LegSetup {
    pub(crate) id: LegId,
    pub(crate) offers: bool,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) bind: Vec<String>,
    pub(crate) epoch: Instant,
    pub(crate) events: Events,
    pub(crate) frames: mpsc::Sender<VideoFrame>,
    pub(crate) ours: broadcast::Receiver<Arc<Encoded>>,
    /// Asks our encoder for a key frame.
    pub(crate) key: Arc<Notify>,
    /// Where their voice goes, if sound could be opened.
    pub(crate) voice: Option<AppSrc>,
}

pub(crate) struct Leg {
    pub(crate) pc: Arc<dyn PeerConnection>,
    pub(crate) gate: Arc<Gate>,
    shared: Arc<Shared>,
    sender: JoinHandle<()>,
    nudge: JoinHandle<()>,
    servers: nudge::Servers,
}

/// What the connection's callbacks share.
struct Shared {
    id: LegId,
    epoch: Instant,
    events: Events,
    frames: mpsc::Sender<VideoFrame>,
    voice: Mutex<Option<AppSrc>>,
    gate: Arc<Gate>,
    channel: Mutex<Option<Arc<dyn DataChannel>>>,
    /// The window wants a key frame of their picture.
    wants_key: Notify,
    /// Frames handed out since the last look.
    shown: std::sync::atomic::AtomicU32,
}

/// How long a pair that works waits for a better one, once for each step that it is worse than a direct one (RFC 8445,
/// section 8.1.1 leaves it open). The crate's own 0.5, 1 and 2 seconds held the handshake up where a far side's check came
/// before its candidate.
const BETTER_PAIR: Duration = Duration::from_millis(50);

impl Leg {
    pub(crate) async fn open(setup: LegSetup) -> Result<Self, Error> {
        let mut media = MediaEngine::default();
        media.register_codec(outgoing::opus(), RtpCodecKind::Audio)?;
        media.register_codec(outgoing::vp8(), RtpCodecKind::Video)?;
        let registry = register_default_interceptors(Registry::new(), &mut media)?
            .with(Slot::from(keyframe::SLOT), KeyFrameRequests::default());
        let settings = SettingEngineBuilder::new()
            .with_ice_timeouts(Some(DOWN_AFTER), Some(GIVE_UP_AFTER), Some(KEEP_ALIVE))
            .with_ice_connection_attempts(Some(CHECK_EVERY), Some(CHECKS))
            .with_srflx_acceptance_min_wait(Some(BETTER_PAIR))
            .with_prflx_acceptance_min_wait(Some(BETTER_PAIR))
            .with_relay_acceptance_min_wait(Some(2 * BETTER_PAIR))
            .with_include_loopback_candidate(true)
            .with_discard_local_candidates_during_ice_restart(true)
            .build();
        let gate = Arc::new(Gate::default());
        let shared = Arc::new(Shared {
            id: setup.id,
            epoch: setup.epoch,
            events: setup.events,
            frames: setup.frames,
            voice: Mutex::new(setup.voice),
            gate: gate.clone(),
            channel: Mutex::new(None),
            wants_key: Notify::new(),
            shown: Default::default(),
        });
        let key = setup.key;
        let servers = nudge::Servers::new(Mutex::new(servers(&setup.ice_servers)));
        let pc: Arc<dyn PeerConnection> = Arc::new(
            PeerConnectionBuilder::new()
                .with_configuration(nudge::configuration(&servers))
                .with_media_engine(media)
                .with_setting_engine(settings)
                .with_interceptor_registry(registry)
                .with_runtime(Arc::new(TokioRuntime))
                .with_handler(Arc::new(Handler(shared.clone())))
                .with_udp_addrs(setup.bind)
                .build()
                .await?,
        );
        let audio = stream(&*pc, RtpCodecKind::Audio).await?;
        let video = stream(&*pc, RtpCodecKind::Video).await?;
        if setup.offers {
            let channel = pc.create_data_channel(LABEL, None).await?;
            tokio::spawn(shared.clone().serve_channel(channel));
        }
        for track in [audio.track.clone(), video.track.clone()] {
            let (key, gate) = (key.clone(), gate.clone());
            tokio::spawn(async move {
                // Only requests for a key frame come through; see `keyframe`.
                while track.poll().await.is_some() {
                    if gate.is_open() {
                        key.notify_one();
                    }
                }
            });
        }
        let sender = tokio::spawn(outgoing::send(audio, video, gate.clone(), setup.ours, key));
        let nudge = tokio::spawn(nudge::nudge(pc.clone(), servers.clone()));
        Ok(Self { pc, gate, shared, sender, nudge, servers })
    }

    /// An offer, with fresh ICE credentials if it is not the first.
    pub(crate) async fn offer(&self, restart: bool) -> Result<(), Error> {
        if restart {
            self.pc.restart_ice().await?;
        }
        let offer = self.pc.create_offer(None).await?;
        self.describe(SdpKind::Offer, offer).await
    }

    async fn describe(&self, kind: SdpKind, description: RTCSessionDescription) -> Result<(), Error> {
        let sdp = description.sdp.clone();
        // Told before it is applied: the candidates that applying it brings come after it.
        self.shared.tell(EngineEvent::LocalDescription { leg: self.shared.id, kind, sdp });
        self.pc.set_local_description(description).await
    }

    pub(crate) async fn remote_description(&self, kind: SdpKind, sdp: String) -> Result<(), Error> {
        match kind {
            SdpKind::Answer => self.pc.set_remote_description(RTCSessionDescription::answer(sdp)?).await,
            SdpKind::Offer => {
                self.pc.set_remote_description(RTCSessionDescription::offer(sdp)?).await?;
                let answer = self.pc.create_answer(None).await?;
                self.describe(SdpKind::Answer, answer).await
            }
        }
    }

    pub(crate) async fn remote_candidate(&self, candidate: Candidate) -> Result<(), Error> {
        if candidate.candidate.is_empty() {
            return Ok(());
        }
        let Candidate { candidate, mid, index } = candidate;
        let init = RTCIceCandidateInit {
            candidate,
            sdp_mid: Some(mid.unwrap_or_default()),
            sdp_mline_index: Some(index.unwrap_or(0)),
            ..Default::default()
        };
        self.pc.add_ice_candidate(init).await
    }

    pub(crate) async fn set_ice_servers(&self, ice_servers: &[IceServer]) -> Result<(), Error> {
        *self.servers.lock().unwrap_or_else(|e| e.into_inner()) = servers(ice_servers);
        self.pc.set_configuration(nudge::configuration(&self.servers)).await
    }

    /// The sound was built anew.
    pub(crate) fn set_voice(&self, voice: Option<AppSrc>) {
        *self.shared.voice.lock().unwrap_or_else(|e| e.into_inner()) = voice;
    }

    pub(crate) fn want_key_frame(&self) {
        self.shared.wants_key.notify_one();
    }

    pub(crate) async fn send_data(&self, text: bool, bytes: Vec<u8>) -> Result<(), Error> {
        let channel = self.shared.channel.lock().unwrap_or_else(|e| e.into_inner()).clone();
        let Some(channel) = channel else { return Ok(()) };
        if text {
            channel.send_text(&String::from_utf8_lossy(&bytes)).await
        } else {
            channel.send(BytesMut::from(&bytes[..])).await
        }
    }

    /// Pictures handed to the window since the last call.
    pub(crate) fn take_shown(&self) -> u32 {
        self.shared.shown.swap(0, std::sync::atomic::Ordering::Relaxed)
    }

    /// No more media at once; the connection closes after its last words.
    pub(crate) fn close(self) {
        self.gate.set_open(false);
        self.sender.abort();
        tokio::spawn(async move {
            tokio::time::sleep(LAST_WORDS).await;
            self.nudge.abort();
            if let Err(error) = self.pc.close().await {
                tracing::debug!(%error, "a connection did not close cleanly");
            }
        });
    }
}

fn servers(ice_servers: &[IceServer]) -> Vec<RTCIceServer> {
    ice_servers
        .iter()
        .map(|server| RTCIceServer {
            urls: server.urls.clone(),
            username: server.username.clone(),
            credential: server.credential.clone(),
        })
        .collect()
}

async fn stream(pc: &dyn PeerConnection, kind: RtpCodecKind) -> Result<Stream, Error> {
    let codec = if kind == RtpCodecKind::Audio { outgoing::opus() } else { outgoing::vp8() };
    let random = |_| getrandom::u32().map_err(|error| Error::Other(error.to_string()));
    // Zero is no source (RFC 3550 leaves it free, but parts of the stack take it for none).
    let ssrc = random(())?.max(1);
    let track = outgoing::track(kind, ssrc, codec.rtp_codec.clone());
    let sender = pc.add_track(track.clone() as Arc<dyn TrackLocal>).await?;
    Ok(Stream {
        track,
        sender,
        ssrc,
        clock_rate: codec.rtp_codec.clock_rate,
        payload_type: codec.payload_type,
        sequence: random(())? as u16,
        time_offset: random(())?,
    })
}

struct Handler(Arc<Shared>);

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let Ok(init) = event.candidate.to_json() else { return };
        let mid = init.sdp_mid.filter(|mid| !mid.is_empty());
        let candidate = Candidate { candidate: init.candidate, mid, index: init.sdp_mline_index };
        self.0.tell(EngineEvent::LocalCandidate { leg: self.0.id, candidate });
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let state = match state {
            RTCPeerConnectionState::Connecting => LinkState::Connecting,
            RTCPeerConnectionState::Connected => LinkState::Up,
            RTCPeerConnectionState::Disconnected => LinkState::Down,
            RTCPeerConnectionState::Failed => LinkState::Failed,
            _ => return,
        };
        if state != LinkState::Connecting {
            self.0.gate.set_link(state == LinkState::Up);
        }
        self.0.tell(EngineEvent::Link { leg: self.0.id, state });
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        tokio::spawn(self.0.clone().serve_channel(channel));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let shared = self.0.clone();
        if track.kind().await == RtpCodecKind::Audio {
            tokio::spawn(shared.hear(track));
        } else {
            tokio::spawn(shared.see(track));
        }
    }
}

impl Shared {
    fn tell(&self, event: EngineEvent) {
        // A host that is gone needs no news.
        let _ = self.events.send(event);
    }

    fn at_ms(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch).as_millis() as u64
    }

    async fn serve_channel(self: Arc<Self>, channel: Arc<dyn DataChannel>) {
        while let Some(event) = channel.poll().await {
            match event {
                DataChannelEvent::OnOpen => {
                    *self.channel.lock().unwrap_or_else(|e| e.into_inner()) = Some(channel.clone());
                    self.tell(EngineEvent::DataOpen { leg: self.id });
                }
                DataChannelEvent::OnMessage(message) => {
                    let (text, bytes) = (message.is_string, message.data.to_vec());
                    self.tell(EngineEvent::Data { leg: self.id, text, bytes });
                }
                DataChannelEvent::OnClose => break,
                _ => {}
            }
        }
    }

    /// Their voice, to the decoder.
    async fn hear(self: Arc<Self>, track: Arc<dyn TrackRemote>) {
        while let Some(event) = track.poll().await {
            let TrackRemoteEvent::OnRtpPacket(mut packet) = event else { continue };
            if !self.gate.is_open() {
                continue;
            }
            packet.header.payload_type = OPUS_TYPE;
            let bytes = packet.marshal();
            let voice = self.voice.lock().unwrap_or_else(|e| e.into_inner());
            if let (Some(voice), Ok(bytes)) = (voice.as_ref(), bytes) {
                sound::push(voice, Bytes::from(bytes));
            }
        }
    }

    /// Their picture, to the window.
    async fn see(self: Arc<Self>, track: Arc<dyn TrackRemote>) {
        let mut picture =
            Picture { assembler: vp8::Assembler::new(), held: Vec::new(), first: true, lost: false };
        let mut clock = tokio::time::interval(Duration::from_millis(50));
        let mut ssrc = 0;
        loop {
            tokio::select! {
                event = track.poll() => match event {
                    Some(TrackRemoteEvent::OnRtpPacket(packet)) => {
                        ssrc = packet.header.ssrc;
                        let now = Instant::now();
                        let header = &packet.header;
                        let frames = picture.assembler.packet(
                            now, header.sequence_number, header.timestamp, header.marker, &packet.payload,
                        );
                        picture.take(&self, frames);
                    }
                    Some(_) => {}
                    None => return,
                },
                _ = clock.tick() => picture.take(&self, Vec::new()),
                () = self.wants_key.notified() => picture.assembler.ask_key(),
            }
            if ssrc != 0 && self.gate.is_open() && picture.assembler.check(Instant::now()) {
                let request = PictureLossIndication { sender_ssrc: 0, media_ssrc: ssrc };
                let _ = track.write_rtcp(vec![Box::new(request)]).await;
            }
        }
    }
}

/// One incoming picture on its way to the window.
struct Picture {
    assembler: vp8::Assembler,
    /// What came before our gate opened: their accept can be faster than ours. From the newest key frame on.
    held: Vec<vp8::Frame>,
    first: bool,
    /// The window was too slow for a frame; only a key frame mends that.
    lost: bool,
}

impl Picture {
    fn take(&mut self, shared: &Shared, frames: Vec<vp8::Frame>) {
        for frame in frames {
            if frame.key {
                self.held.clear();
            }
            self.held.push(frame);
        }
        if !shared.gate.is_open() {
            self.held.truncate(30);
            return;
        }
        for frame in std::mem::take(&mut self.held) {
            if self.lost && !frame.key {
                continue;
            }
            let out = VideoFrame {
                source: FrameSource::Leg(shared.id),
                key: frame.key,
                pts_us: frame.rtp_time * 100 / 9,
                size: vp8::size(&frame.data),
                data: frame.data,
            };
            self.lost = shared.frames.try_send(out).is_err();
            if self.lost {
                self.assembler.ask_key();
                continue;
            }
            shared.shown.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if std::mem::take(&mut self.first) {
                let at_ms = shared.at_ms(Instant::now());
                shared.tell(EngineEvent::FirstVideo { leg: shared.id, at_ms });
            }
        }
    }
}
