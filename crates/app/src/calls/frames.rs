//! Video on its way to the window: whoever asked last gets the frames; a reloaded window just asks again.

use rabta_engine::{FrameSource, VideoFrame};
use rabta_ipc::call::FrameHead;
use tokio::sync::{mpsc, watch};

/// Frames that may wait in the channel to the window; the engine drops and mends what does not fit before it.
const WAITING: usize = 8;

/// The running call's video, each frame as [`FrameHead`] and VP8. Stays good from call to call, until somebody else
/// asks for one or the vault is locked.
pub struct FrameReceiver(mpsc::Receiver<Vec<u8>>);

impl FrameReceiver {
    /// The next frame; `None` when no more will come to this receiver.
    pub async fn recv(&mut self) -> Option<Vec<u8>> {
        self.0.recv().await
    }
}

/// Where frames go now.
#[derive(Clone)]
pub(crate) struct FrameDesk(watch::Sender<Option<mpsc::Sender<Vec<u8>>>>);

impl FrameDesk {
    pub fn new() -> Self {
        Self(watch::channel(None).0)
    }

    /// The newest receiver; an older one ends.
    pub fn receiver(&self) -> FrameReceiver {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.0.send_replace(Some(sender));
        FrameReceiver(receiver)
    }

    /// No window gets anything any more.
    pub fn close(&self) {
        self.0.send_replace(None);
    }

    /// Hands an engine's frames on until it ends. While nobody looks they wait in the engine, which then goes on
    /// with a key frame. `counted` learns how many frames of the far side were handed over.
    pub async fn carry(self, mut frames: mpsc::Receiver<VideoFrame>, counted: watch::Sender<u64>) {
        let mut desk = self.0.subscribe();
        let mut out: Option<mpsc::Sender<Vec<u8>>> = None;
        let mut first = true;
        loop {
            match &out {
                Some(to) if !to.is_closed() && !desk.has_changed().unwrap_or(false) => {
                    let frame = tokio::select! {
                        frame = frames.recv() => frame,
                        // Another window: the old one must learn at once that nothing more comes.
                        _ = desk.changed() => {
                            desk.mark_changed();
                            continue;
                        }
                    };
                    let Some(frame) = frame else { return };
                    let far = matches!(frame.source, FrameSource::Leg(_));
                    tokio::select! {
                        sent = to.send(packed(&frame)) => {
                            if sent.is_ok() && far {
                                counted.send_modify(|count| *count += 1);
                            }
                        }
                        // The window was reloaded while the old one's channel was full.
                        _ = desk.changed() => desk.mark_changed(),
                    }
                }
                _ => {
                    let current = desk.borrow_and_update().clone();
                    out = current.filter(|to| !to.is_closed());
                    if out.is_none() {
                        tokio::select! {
                            changed = desk.changed() => {
                                if changed.is_err() {
                                    return;
                                }
                                desk.mark_changed();
                            }
                            () = frames_closed(&mut frames) => return,
                        }
                    } else if !first {
                        // What waited is of before the reload: useless to a fresh decoder.
                        while frames.try_recv().is_ok() {}
                    }
                    first = false;
                }
            }
        }
    }
}

/// Resolves when the engine is gone. Frames that come meanwhile stay where they are until the channel is full.
async fn frames_closed(frames: &mut mpsc::Receiver<VideoFrame>) {
    while !frames.is_closed() {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

fn packed(frame: &VideoFrame) -> Vec<u8> {
    let (own, leg) = match frame.source {
        FrameSource::Own => (true, 0),
        FrameSource::Leg(leg) => (false, u8::try_from(leg.0).unwrap_or(u8::MAX)),
    };
    let (width, height) = frame.size.unwrap_or_default();
    FrameHead { key: frame.key, own, leg, pts_us: frame.pts_us, width, height }.with(&frame.data)
}

#[cfg(test)]
mod tests {
    use rabta_call::LegId;

    use super::*;

    fn frame(n: u64) -> VideoFrame {
        let source = FrameSource::Leg(LegId(1));
        VideoFrame { source, key: n == 0, pts_us: n, size: None, data: vec![n as u8].into() }
    }

    fn number(bytes: &[u8]) -> u64 {
        FrameHead::read(bytes).expect("a head").pts_us
    }

    #[tokio::test]
    async fn the_window_that_asked_last_gets_the_frames_and_the_older_one_ends() {
        let desk = FrameDesk::new();
        let mut first = desk.receiver();
        let (engine, frames) = mpsc::channel(60);
        let (counted, mut count) = watch::channel(0);
        tokio::spawn(desk.clone().carry(frames, counted));
        engine.send(frame(0)).await.expect("carried");
        assert_eq!(first.recv().await.as_deref().map(number), Some(0));
        count.wait_for(|n| *n == 1).await.expect("counted");

        let mut second = desk.receiver();
        assert!(first.recv().await.is_none(), "replaced");
        let mut n = 1;
        let got = loop {
            // Whether the frame is of before or after the change is up to the scheduler; one of the next comes.
            engine.send(frame(n)).await.expect("carried");
            n += 1;
            tokio::select! {
                biased;
                got = second.recv() => break got,
                () = tokio::task::yield_now() => {}
            }
        };
        assert!(got.is_some_and(|bytes| number(&bytes) >= 1));
    }
}
