//! Our media on its way to one leg: RTP packets made of encoded units, behind a gate that is shut until the call
//! is accepted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use rtc::{
    media_stream::MediaStreamTrack,
    rtp::{Header, Packet},
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
};
use tokio::sync::{Notify, broadcast};
use webrtc::{
    media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
    rtp_transceiver::RtpSender,
};

use crate::clip::{Encoded, Kind};

/// The payload of a packet: with SRTP, UDP and a relay's header well under 1280 (RFC 8200).
const MTU: usize = 1_120;

/// What a leg's sender is told by others.
pub(crate) struct Gate {
    open: AtomicBool,
    /// Before there is a link, packets would go nowhere, and the first key frame with them.
    link: AtomicBool,
    /// The picture's budget in kb/s; 0 holds it back.
    video_kbps: AtomicU32,
    /// The far side must get a key frame before anything else of the picture.
    needs_key: AtomicBool,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            open: AtomicBool::new(false),
            link: AtomicBool::new(false),
            video_kbps: AtomicU32::new(600),
            needs_key: AtomicBool::new(true),
        }
    }
}

impl Gate {
    pub(crate) fn set_open(&self, open: bool) {
        self.needs_key.store(true, Ordering::Relaxed);
        self.open.store(open, Ordering::Release);
    }

    pub(crate) fn set_link(&self, up: bool) {
        self.needs_key.store(true, Ordering::Relaxed);
        self.link.store(up, Ordering::Release);
    }

    fn may_send(&self) -> bool {
        self.is_open() && self.link.load(Ordering::Acquire)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub(crate) fn set_video_kbps(&self, kbps: u32) {
        if self.video_kbps.swap(kbps, Ordering::Relaxed) == 0 {
            self.needs_key.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn video_kbps(&self) -> u32 {
        self.video_kbps.load(Ordering::Relaxed)
    }
}

pub(crate) fn opus() -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: "audio/opus".into(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: "minptime=10;useinbandfec=1;usedtx=1".into(),
            rtcp_feedback: vec![],
        },
        payload_type: 111,
        ..Default::default()
    }
}

pub(crate) fn vp8() -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: RTCRtpCodec {
            mime_type: "video/VP8".into(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: String::new(),
            rtcp_feedback: vec![],
        },
        payload_type: 96,
        ..Default::default()
    }
}

/// A track with a synchronization source of its own.
pub(crate) fn track(kind: RtpCodecKind, ssrc: u32, codec: RTCRtpCodec) -> Arc<TrackLocalStaticRTP> {
    // The crate routes feedback by this name, and looks among the far side's tracks first.
    let name = format!("{kind}-{ssrc:08x}");
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() },
        codec,
        ..Default::default()
    };
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        "rabta".to_owned(),
        name.clone(),
        name,
        kind,
        vec![coding],
    )))
}

/// One stream of packets.
pub(crate) struct Stream {
    pub(crate) track: Arc<TrackLocalStaticRTP>,
    pub(crate) sender: Arc<dyn RtpSender>,
    pub(crate) ssrc: u32,
    pub(crate) clock_rate: u32,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    /// Random, as RFC 3550, section 5.1, wants.
    pub(crate) time_offset: u32,
}

impl Stream {
    fn next(&mut self, time: Duration, marker: bool, payload: Bytes) -> Packet {
        let ticks = time.as_nanos() * u128::from(self.clock_rate) / 1_000_000_000;
        self.sequence = self.sequence.wrapping_add(1);
        let header = Header {
            version: 2,
            marker,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp: self.time_offset.wrapping_add(ticks as u32),
            ssrc: self.ssrc,
            ..Default::default()
        };
        Packet { header, payload }
    }

    /// The payload type that was agreed on; the far side may have numbers of its own.
    async fn learn_payload_type(&mut self) {
        if let Ok(parameters) = self.sender.get_parameters().await
            && let Some(codec) = parameters.rtp_parameters.codecs.first()
        {
            self.payload_type = codec.payload_type;
        }
    }
}

/// Sends until the sources or the connection are gone. `key` is asked for a key frame when one is needed.
pub(crate) async fn send(
    mut audio: Stream,
    mut video: Stream,
    gate: Arc<Gate>,
    mut source: broadcast::Receiver<Arc<Encoded>>,
    key: Arc<Notify>,
) {
    let mut agreed = false;
    loop {
        let unit = match source.recv().await {
            Ok(unit) => unit,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                gate.needs_key.store(true, Ordering::Relaxed);
                key.notify_one();
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if !gate.may_send() {
            continue;
        }
        if !std::mem::replace(&mut agreed, true) {
            audio.learn_payload_type().await;
            video.learn_payload_type().await;
        }
        match unit.kind {
            Kind::Audio => {
                let packet = audio.next(unit.time, false, unit.data.clone());
                let _ = audio.track.write_rtp(packet).await;
            }
            Kind::Video { key: is_key } => {
                if gate.video_kbps() == 0 {
                    continue;
                }
                if gate.needs_key.load(Ordering::Relaxed) {
                    if !is_key {
                        key.notify_one();
                        continue;
                    }
                    gate.needs_key.store(false, Ordering::Relaxed);
                }
                for (payload, last) in payloads(&unit.data) {
                    let packet = video.next(unit.time, last, payload);
                    let _ = video.track.write_rtp(packet).await;
                }
            }
        }
    }
}

/// A frame cut into payloads, each with the one-byte descriptor (RFC 7741, section 4.2).
fn payloads(frame: &Bytes) -> impl Iterator<Item = (Bytes, bool)> + '_ {
    let count = frame.len().div_ceil(MTU);
    frame.chunks(MTU).enumerate().map(move |(i, part)| {
        let mut payload = BytesMut::with_capacity(part.len() + 1);
        payload.put_u8(if i == 0 { 0x10 } else { 0x00 });
        payload.put_slice(part);
        (payload.freeze(), i + 1 == count)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::vp8::Assembler;

    #[test]
    fn a_frame_cut_into_packets_is_the_same_frame_on_the_other_side() {
        let mut frame = vec![0x10; 3 * MTU + 2];
        frame[MTU] = 77;
        let frame = Bytes::from(frame);
        let mut assembler = Assembler::new();
        let mut out = Vec::new();
        for (i, (payload, last)) in payloads(&frame).enumerate() {
            assert!(payload.len() <= MTU + 1);
            out.extend(assembler.packet(Instant::now(), i as u16, 9, last, &payload));
        }
        assert_eq!(out.len(), 1);
        assert_eq!(out[0].data, frame);
    }
}
