//! The one task that carries out commands, in order.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use rabta_call::{Device, DeviceState, EngineCommand, EngineEvent, LegId};
use tokio::sync::{Notify, broadcast, mpsc};
use webrtc::peer_connection::StatsSelector;

use crate::{
    EngineConfig, FrameSource, VideoFrame,
    camera::Camera,
    clip::{Encoded, Kind},
    leg::{Events, Leg, LegSetup},
    sound::{DeviceTeller, Sound},
    stats::Ledger,
    vp8,
};

/// Encoded units that a slow leg may lag behind: about three seconds.
const OURS_WAITING: usize = 256;
/// The encoder makes at most one key frame in this time, however many ask.
const KEY_FRAME_AGAIN: Duration = Duration::from_millis(300);

/// A sound server that died is sought this often.
const SOUND_AGAIN: Duration = Duration::from_secs(2);
/// And this many times in a call: one that breaks at once is not worth more.
const MOST_REPAIRS: u32 = 30;

/// Tells engines of one process apart, for their echo probes.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// What came of opening a device. That takes its time (a sound server, a camera's first light), and nothing waits for
/// it: legs connect meanwhile.
enum Opened {
    Sound(Result<Sound, gstreamer::glib::BoolError>),
    Camera(Option<Camera>),
}

pub(crate) struct Actor {
    config: EngineConfig,
    events: Events,
    frames: mpsc::Sender<VideoFrame>,
    ours: broadcast::Sender<Arc<Encoded>>,
    key: Arc<Notify>,
    sound: Option<Sound>,
    camera: Option<Camera>,
    opened: (mpsc::UnboundedSender<Opened>, mpsc::UnboundedReceiver<Opened>),
    camera_opens: bool,
    prepared: bool,
    live: bool,
    camera_on: bool,
    mic_on: bool,
    /// A device broke while it ran.
    sound_broke: Arc<Notify>,
    camera_broke: Arc<AtomicBool>,
    sound_due: Option<Instant>,
    repairs: u32,
    legs: HashMap<LegId, (Leg, Ledger)>,
    last_key: Option<Instant>,
    /// A key frame was asked for too soon after another.
    key_due: Option<Instant>,
}

impl Actor {
    pub(crate) fn new(config: EngineConfig, events: Events, frames: mpsc::Sender<VideoFrame>) -> Self {
        Self {
            config,
            events,
            frames,
            ours: broadcast::channel(OURS_WAITING).0,
            key: Arc::new(Notify::new()),
            sound: None,
            camera: None,
            opened: mpsc::unbounded_channel(),
            camera_opens: false,
            prepared: false,
            live: false,
            camera_on: true,
            mic_on: true,
            sound_broke: Arc::new(Notify::new()),
            camera_broke: Arc::new(AtomicBool::new(false)),
            sound_due: None,
            repairs: 0,
            legs: HashMap::new(),
            last_key: None,
            key_due: None,
        }
    }

    /// Who notifies it gets a key frame of our picture.
    pub(crate) fn key(&self) -> Arc<Notify> {
        self.key.clone()
    }

    pub(crate) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<EngineCommand>) {
        let own_view = tokio::spawn(own_view(self.ours.subscribe(), self.frames.clone(), self.key.clone()));
        let mut second = tokio::time::interval(Duration::from_secs(1));
        let (key, sound_broke) = (self.key.clone(), self.sound_broke.clone());
        loop {
            tokio::select! {
                command = inbox.recv() => match command {
                    None | Some(EngineCommand::Close) => break,
                    Some(command) => self.carry_out(command).await,
                },
                Some(opened) = self.opened.1.recv() => self.take(opened),
                () = key.notified() => self.force_key_frame(),
                () = until(self.key_due) => self.force_key_frame(),
                () = sound_broke.notified() => self.drop_sound().await,
                () = until(self.sound_due) => self.open_sound(),
                _ = second.tick() => self.report().await,
            }
        }
        own_view.abort();
        for (_, (leg, _)) in self.legs.drain() {
            leg.close();
        }
        // Stopping a device can block; one that opens only now is stopped, too.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    async fn carry_out(&mut self, command: EngineCommand) {
        let (leg, done) = match command {
            EngineCommand::Prepare { live } => return self.prepare(live),
            EngineCommand::GoLive => return self.go_live(),
            EngineCommand::OpenLeg { leg, offers, ice_servers } => {
                (leg, self.open_leg(leg, offers, ice_servers).await)
            }
            EngineCommand::RestartIce { leg } => match self.legs.get(&leg) {
                Some((l, _)) => (leg, l.offer(true).await),
                None => return,
            },
            EngineCommand::RemoteDescription { leg, kind, sdp } => match self.legs.get(&leg) {
                Some((l, _)) => (leg, l.remote_description(kind, sdp).await),
                None => return,
            },
            EngineCommand::RemoteCandidate { leg, candidate } => {
                if let Some((l, _)) = self.legs.get(&leg)
                    && let Err(error) = l.remote_candidate(candidate).await
                {
                    // One address less; the others may do.
                    tracing::debug!(leg = leg.0, %error, "a candidate was not taken");
                }
                return;
            }
            EngineCommand::IceServers { leg, ice_servers } => {
                if let Some((l, _)) = self.legs.get(&leg)
                    && let Err(error) = l.set_ice_servers(&ice_servers).await
                {
                    tracing::debug!(leg = leg.0, %error, "relay credentials were not renewed");
                }
                return;
            }
            EngineCommand::Media { leg, open } => {
                if let Some((l, _)) = self.legs.get(&leg) {
                    l.gate.set_open(open);
                    self.force_key_frame();
                }
                return;
            }
            EngineCommand::Microphone { on } => {
                self.mic_on = on;
                if let Some(sound) = &self.sound {
                    sound.set_muted(!on);
                }
                return;
            }
            EngineCommand::Camera { on } => return self.set_camera(on),
            EngineCommand::VideoBudget { leg, kbps } => return self.set_budget(leg, kbps),
            EngineCommand::KeyFrame { leg } => {
                if let Some((l, _)) = self.legs.get(&leg) {
                    l.want_key_frame();
                }
                return;
            }
            EngineCommand::TakeStill => return self.take_still(),
            EngineCommand::SendData { leg, text, bytes } => {
                if let Some((l, _)) = self.legs.get(&leg)
                    && let Err(error) = l.send_data(text, bytes).await
                {
                    // What is not acknowledged is sent again on the next channel.
                    tracing::debug!(leg = leg.0, %error, "a message was not sent");
                }
                return;
            }
            EngineCommand::CloseLeg { leg } => return self.close_leg(leg),
            EngineCommand::Close => return,
        };
        if let Err(error) = done {
            tracing::warn!(leg = leg.0, %error, "a leg failed");
            self.close_leg(leg);
            self.tell(EngineEvent::LegFailed { leg });
        }
    }

    fn prepare(&mut self, live: bool) {
        if !std::mem::replace(&mut self.prepared, true) {
            self.open_sound();
            self.open_camera();
        }
        if live {
            self.go_live();
        }
    }

    /// Opens microphone and loudspeaker, or what there is of them.
    fn open_sound(&mut self) {
        self.sound_due = None;
        let (config, ours, tell) = (self.config.clone(), self.ours.clone(), self.teller());
        let (opened, probe) =
            (self.opened.0.clone(), format!("echo{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        tokio::task::spawn_blocking(move || {
            let EngineConfig { microphone, loudspeaker, epoch, .. } = config;
            let sound = Sound::open(&microphone, &loudspeaker, &probe, epoch, ours, tell);
            // Dropped here, where it may block, if the engine is gone.
            let _ = opened.send(Opened::Sound(sound));
        });
    }

    fn open_camera(&mut self) {
        self.camera_opens = true;
        self.camera_broke.store(false, Ordering::Relaxed);
        let (config, ours, tell) = (self.config.clone(), self.ours.clone(), self.teller());
        let opened = self.opened.0.clone();
        tokio::task::spawn_blocking(move || {
            let camera = Camera::open(&config.camera, config.frame_rate, config.epoch, ours, tell);
            if let Some(camera) = &camera {
                camera.make_ready();
            }
            let _ = opened.send(Opened::Camera(camera));
        });
    }

    fn take(&mut self, opened: Opened) {
        match opened {
            Opened::Sound(Ok(sound)) => self.take_sound(sound),
            Opened::Sound(Err(error)) => {
                tracing::warn!(%error, "no sound");
                for device in [Device::Microphone, Device::Speaker] {
                    self.tell(EngineEvent::Device { device, state: DeviceState::Failed });
                }
            }
            Opened::Camera(camera) => {
                self.camera_opens = false;
                self.camera = camera;
                self.share_budget();
                if let Some(camera) = self.camera.as_ref().filter(|_| self.live && self.camera_on) {
                    camera.start();
                }
            }
        }
    }

    /// The legs that are open already get their voice.
    fn take_sound(&mut self, sound: Sound) {
        sound.set_muted(!self.mic_on);
        if self.live {
            sound.go_live();
        }
        self.sound = Some(sound);
        let legs: Vec<LegId> = self.legs.keys().copied().collect();
        for id in legs {
            self.add_voice(id);
            let voice = self.sound.as_ref().and_then(|sound| sound.input(id));
            if let Some((leg, _)) = self.legs.get(&id) {
                leg.set_voice(voice);
            }
        }
    }

    /// The sound broke, as when its server is started anew.
    async fn drop_sound(&mut self) {
        let Some(broken) = self.sound.take() else { return };
        let _ = tokio::task::spawn_blocking(move || drop(broken)).await;
        if self.repairs < MOST_REPAIRS {
            self.repairs += 1;
            self.sound_due = Some(Instant::now() + SOUND_AGAIN);
        }
    }

    fn add_voice(&mut self, id: LegId) {
        let Some(sound) = &mut self.sound else { return };
        let (events, epoch) = (self.events.clone(), self.config.epoch);
        let first = move |at: Instant| {
            let at_ms = at.saturating_duration_since(epoch).as_millis() as u64;
            let _ = events.send(EngineEvent::FirstAudio { leg: id, at_ms });
        };
        if let Err(error) = sound.add_leg(id, first) {
            tracing::warn!(leg = id.0, %error, "no place for a leg's voice");
        }
    }

    fn go_live(&mut self) {
        if std::mem::replace(&mut self.live, true) {
            return;
        }
        if let Some(sound) = &self.sound {
            sound.go_live();
        }
        if let Some(camera) = self.camera.as_ref().filter(|_| self.camera_on) {
            camera.start();
        }
    }

    fn set_camera(&mut self, on: bool) {
        self.camera_on = on;
        let missing = self.camera.is_none() || self.camera_broke.load(Ordering::Relaxed);
        if on && self.prepared && missing && !self.camera_opens {
            // Plugged in, or freed by another program, since the last try.
            if let Some(broken) = self.camera.take() {
                tokio::task::spawn_blocking(move || drop(broken));
            }
            self.open_camera();
        }
        if let Some(camera) = self.camera.as_ref().filter(|_| self.live) {
            if on {
                camera.start();
            } else {
                camera.stop();
            }
        }
    }

    fn set_budget(&mut self, leg: LegId, kbps: u32) {
        if let Some((leg, _)) = self.legs.get(&leg) {
            leg.gate.set_video_kbps(kbps);
        }
        self.share_budget();
    }

    /// One encoder for all: the leg that can take least decides, of those that take any.
    fn share_budget(&self) {
        let budgets = self.legs.values().map(|(leg, _)| leg.gate.video_kbps());
        let least = budgets.filter(|kbps| *kbps > 0).min();
        if let (Some(camera), Some(kbps)) = (&self.camera, least) {
            camera.set_budget(kbps);
        }
    }

    fn take_still(&self) {
        let events = self.events.clone();
        let raw = self.camera.as_ref().filter(|_| self.live && self.camera_on).map(Camera::raw);
        tokio::task::spawn_blocking(move || {
            let still = raw.and_then(|raw| Camera::still(&raw));
            let event = match still {
                Some(s) => EngineEvent::Still { jpeg: s.jpeg, width: s.width, height: s.height },
                None => EngineEvent::NoStill,
            };
            let _ = events.send(event);
        });
    }

    async fn open_leg(
        &mut self,
        id: LegId,
        offers: bool,
        ice_servers: Vec<rabta_wire::signal::IceServer>,
    ) -> Result<(), webrtc::error::Error> {
        self.add_voice(id);
        let leg = Leg::open(LegSetup {
            id,
            offers,
            ice_servers,
            bind: self.config.bind.clone(),
            epoch: self.config.epoch,
            events: self.events.clone(),
            frames: self.frames.clone(),
            ours: self.ours.subscribe(),
            key: self.key.clone(),
            voice: self.sound.as_ref().and_then(|sound| sound.input(id)),
        })
        .await?;
        let offered = if offers { leg.offer(false).await } else { Ok(()) };
        self.legs.insert(id, (leg, Ledger::default()));
        offered
    }

    fn close_leg(&mut self, id: LegId) {
        if let Some((leg, _)) = self.legs.remove(&id) {
            leg.close();
        }
        if let Some(sound) = &mut self.sound {
            sound.remove_leg(id);
        }
    }

    fn force_key_frame(&mut self) {
        let now = Instant::now();
        let soonest = self.last_key.map(|last| last + KEY_FRAME_AGAIN);
        self.key_due = soonest.filter(|at| *at > now);
        if let Some(camera) = self.camera.as_ref().filter(|_| self.key_due.is_none()) {
            self.last_key = Some(now);
            camera.force_key_frame();
        }
    }

    async fn report(&mut self) {
        let now = Instant::now();
        let mut told = Vec::new();
        for (id, (leg, ledger)) in &mut self.legs {
            if !leg.gate.is_open() {
                continue;
            }
            let report = leg.pc.get_stats(now, StatsSelector::None).await;
            let mut stats = ledger.take(now, &report);
            stats.video_in_fps = leg.take_shown();
            if let Some(meter) = self.sound.as_ref().and_then(|sound| sound.meter(*id)) {
                stats.audio_in_level = meter.take_level();
            }
            told.push(EngineEvent::Stats { leg: *id, stats });
        }
        told.into_iter().for_each(|event| self.tell(event));
    }

    fn tell(&self, event: EngineEvent) {
        // A host that is gone needs no news.
        let _ = self.events.send(event);
    }

    fn teller(&self) -> DeviceTeller {
        let (events, sound, camera) =
            (self.events.clone(), self.sound_broke.clone(), self.camera_broke.clone());
        Arc::new(move |device, state| {
            if state == DeviceState::Failed {
                match device {
                    Device::Camera => camera.store(true, Ordering::Relaxed),
                    Device::Microphone | Device::Speaker => sound.notify_one(),
                }
            }
            let _ = events.send(EngineEvent::Device { device, state });
        })
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Our own picture, to the window.
async fn own_view(
    mut ours: broadcast::Receiver<Arc<Encoded>>,
    frames: mpsc::Sender<VideoFrame>,
    key: Arc<Notify>,
) {
    let mut lost = true;
    loop {
        let unit = match ours.recv().await {
            Ok(unit) => unit,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                lost = true;
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let Kind::Video { key: is_key } = unit.kind else { continue };
        if lost && !is_key {
            key.notify_one();
            continue;
        }
        let frame = VideoFrame {
            source: FrameSource::Own,
            key: is_key,
            pts_us: unit.time.as_micros() as u64,
            size: vp8::size(&unit.data),
            data: unit.data.clone(),
        };
        lost = match frames.try_send(frame) {
            Ok(()) => false,
            Err(mpsc::error::TrySendError::Full(_)) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => return,
        };
    }
}
