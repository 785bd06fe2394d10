//! Calls: the session and its engine live here, in the shell's process, so a reloaded window finds its call as it
//! was. The window says what the person wants and is shown what there is.

mod about;
mod desk;
mod frames;
mod host;
mod last;
mod leaving;
mod media;
pub(crate) mod stretch;
mod third;
mod trust;
mod view;

use std::sync::{Arc, Mutex};

pub(crate) use about::About;
pub use frames::FrameReceiver;
pub use media::MediaConfig;
use rabta_call::Intent;
use rabta_ipc::{
    Error, Event,
    call::{
        AcceptCall, BringIn, CallItem, CallItems, CallView, CameraOff, DeclineCall, GetCall, GetThirds,
        HangUp, Mute, NeedKeyframe, PictureDrawn, SendChat, SendStill, StartCall,
    },
};
use rabta_store::{RecordStore, vault::OpenVault};
use rabta_wire::{
    Id,
    data_channel::CHAT_BYTES,
    signal::{Address, Party},
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    desk::Desk,
    frames::FrameDesk,
    host::{Host, Wish},
    stretch::Stretch,
    trust::Trust,
};
use crate::{Inner, Session, routes::routes, session::Enrollment, sync_task::SyncTask};

routes!(Session {
    StartCall => start_call,
    AcceptCall => accept_call,
    DeclineCall => decline_call,
    HangUp => hang_up,
    Mute => mute,
    CameraOff => camera_off,
    SendStill => send_still,
    SendChat => send_chat,
    GetCall => get_call,
    CallItems => call_items,
    PictureDrawn => picture_drawn,
    NeedKeyframe => need_keyframe,
    GetThirds => get_thirds,
    BringIn => bring_in,
});

/// After unlocking, the laptop is busy with what the person sees.
const READY_AFTER: std::time::Duration = std::time::Duration::from_secs(3);

/// The calls of one open vault: at most one runs.
pub(crate) struct Calls {
    wishes: mpsc::UnboundedSender<Wish>,
    desk: Arc<Mutex<Desk>>,
    frames: FrameDesk,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Why there are no calls, where there are none.
    without: &'static str,
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Calls {
    /// In training nobody calls and nobody can be called.
    pub(crate) fn none() -> Self {
        Self {
            wishes: mpsc::unbounded_channel().0,
            desk: Arc::default(),
            frames: FrameDesk::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            without: "training",
        }
    }

    /// Waits for calls on the sync's WebSocket. Once for each [`SyncTask`].
    pub(crate) fn new(
        app: &Arc<Inner>,
        vault: &OpenVault,
        enrollment: &Enrollment,
        person: Id,
        sync: &SyncTask,
    ) -> Self {
        let (wishes, inbox) = mpsc::unbounded_channel();
        let calls = Self {
            wishes,
            desk: Arc::default(),
            frames: FrameDesk::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            without: "vault-locked",
        };
        let hie = crate::sync_task::hie_key(enrollment);
        if let (Some(signaling), Ok(hie), Ok(device_key)) = (sync.signaling(), hie, vault.device_key()) {
            let host = Host::new(host::Parts {
                app: app.clone(),
                me: Party { person, device: enrollment.enrolled.device },
                device_key,
                trust: Trust { store: vault.store().clone(), hie, sync: sync.handle().clone() },
                socket: sync.socket().clone(),
                desk: calls.desk.clone(),
                frames: calls.frames.clone(),
                traffic: sync.traffic().clone(),
                tasks: calls.tasks.clone(),
                stop: calls.stop.clone(),
            });
            calls.tasks.spawn(host.run(inbox, signaling));
            calls.tasks.spawn(get_ready(calls.stop.clone()));
        }
        calls
    }

    /// The video, for the window's decoder. The newest receiver gets the frames.
    pub(crate) fn frames(&self) -> FrameReceiver {
        let receiver = self.frames.receiver();
        self.tell(Wish::KeyFrame { own: true });
        receiver
    }

    /// A call rings, connects or runs: it counts as somebody at the keyboard.
    pub(crate) fn is_running(&self) -> bool {
        self.view().is_some_and(|view| view.ended.is_none())
    }

    /// The same question for a task that outlives this borrow.
    pub(crate) fn running(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let desk = self.desk.clone();
        move || {
            let desk = desk.lock().expect("nothing panics while it is held");
            desk.view.as_ref().is_some_and(|view| view.ended.is_none())
        }
    }

    pub(crate) fn view(&self) -> Option<CallView> {
        self.desk.lock().expect("nothing panics while it is held").view.clone()
    }

    /// Whether `person` was last heard of as connected to the HIE; `None` where nothing is known.
    pub(crate) fn is_online(&self, person: Id) -> Option<bool> {
        self.desk.lock().expect("nothing panics while it is held").online.get(&person).copied()
    }

    /// How the running call about `ask` has gone so far.
    pub(crate) fn stretches(&self, ask: &str) -> Vec<Stretch> {
        let desk = self.desk.lock().expect("nothing panics while it is held");
        let this = desk.view.as_ref().is_some_and(|view| view.ask == ask);
        if this { desk.stretches.clone() } else { Vec::new() }
    }

    /// Hangs up and lets go of microphone and camera; when this returns, nothing of it runs.
    pub(crate) async fn end(&self) {
        let (done, ended) = oneshot::channel();
        if self.wishes.send(Wish::End { done }).is_ok() {
            // The goodbye is on the wire, or there was nobody to say it to.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), ended).await;
        }
        self.frames.close();
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn tell(&self, wish: Wish) {
        let _ = self.wishes.send(wish);
    }

    async fn ask<T>(&self, wish: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Wish) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.tell(wish(answer));
        answered.await.unwrap_or_else(|_| Err(Error::new(self.without)))
    }
}

/// Loads the engine before it rings for the first time, once the first page is there.
async fn get_ready(stop: CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(READY_AFTER) => {}
        () = stop.cancelled() => return,
    }
    // Not waited for: it cannot be stopped halfway. What it finds missing is told when a call begins.
    drop(tokio::task::spawn_blocking(rabta_engine::get_ready));
}

impl Session {
    async fn start_call(&self, start: StartCall) -> Result<(), Error> {
        let ask: Id = start.ask.parse().map_err(|_| Error::new("not-found"))?;
        let person = self.other_party(&start.ask).await?;
        let to = Address { person, device: None };
        self.ring(About::Ask(ask), to, start.video).await
    }

    pub(crate) async fn ring(&self, about: About, to: Address, video: bool) -> Result<(), Error> {
        self.calls.ask(|answer| Wish::Start { about, to, video, answer }).await
    }

    async fn accept_call(&self, accept: AcceptCall) -> Result<(), Error> {
        self.calls
            .ask(|answer| Wish::Accept { video: accept.video, pressed_at: accept.pressed_at, answer })
            .await
    }

    async fn decline_call(&self, _: DeclineCall) -> Result<(), Error> {
        self.intent(Intent::Decline).await
    }

    async fn hang_up(&self, _: HangUp) -> Result<(), Error> {
        self.intent(Intent::HangUp).await
    }

    async fn mute(&self, mute: Mute) -> Result<(), Error> {
        self.intent(Intent::Microphone { on: !mute.on }).await
    }

    async fn camera_off(&self, off: CameraOff) -> Result<(), Error> {
        self.intent(Intent::Camera { on: !off.on }).await
    }

    async fn send_still(&self, _: SendStill) -> Result<(), Error> {
        self.intent(Intent::TakeStill).await
    }

    /// A line in the call is a line of the ask, too: what informed an advice belongs to the record.
    async fn send_chat(&self, chat: SendChat) -> Result<(), Error> {
        if chat.text.len() > CHAT_BYTES {
            return Err(Error::field("too-large", "text"));
        }
        let ask = self.calls.view().map(|view| view.ask).unwrap_or_default();
        self.intent(Intent::Chat { text: chat.text.0.clone() }).await?;
        if !ask.is_empty() {
            self.append_message(&ask, &chat.text).await?;
            self.emit(Event::Asks { ask: Some(ask) });
        }
        Ok(())
    }

    /// The patient's link was moved to another phone: a running call goes there, too.
    pub(crate) async fn call_goes_to(&self, guest: Id) {
        let _ = self.intent(Intent::CallAgain { person: guest }).await;
    }

    async fn intent(&self, intent: Intent) -> Result<(), Error> {
        self.calls.ask(|answer| Wish::Intent { intent, answer }).await
    }

    async fn get_call(&self, _: GetCall) -> Result<Option<CallView>, Error> {
        Ok(self.calls.view())
    }

    async fn call_items(&self, _: CallItems) -> Result<Vec<CallItem>, Error> {
        Ok(self.calls.desk.lock().expect("nothing panics while it is held").items.clone())
    }

    async fn picture_drawn(&self, drawn: PictureDrawn) -> Result<(), Error> {
        self.calls.tell(Wish::PictureDrawn { at: drawn.at });
        Ok(())
    }

    async fn need_keyframe(&self, _: NeedKeyframe) -> Result<(), Error> {
        self.calls.tell(Wish::KeyFrame { own: false });
        Ok(())
    }

    /// How the consultation about `ask` has gone: earlier calls and the running one.
    pub(crate) async fn call_stretches(&self, ask: &str) -> Result<Vec<Stretch>, Error> {
        let kept = self.store().setting(&stretch::setting(ask)).await.map_err(|e| self.told(e))?;
        let mut all = stretch::read(kept);
        all.extend(self.calls.stretches(ask));
        Ok(all)
    }
}
