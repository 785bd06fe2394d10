//! VP8 over RTP, received: the payload descriptor (RFC 7741) taken off, packets put in order, whole frames out,
//! and a key frame asked for when one cannot be had.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};

/// How long a missing packet is waited for: a retransmission takes a round trip and the NACK's own rhythm.
const PATIENCE: Duration = Duration::from_millis(350);
/// Packets kept at most, two seconds of a good picture.
const MOST_PACKETS: usize = 512;
/// Between two requests for a key frame.
const ASK_AGAIN: Duration = Duration::from_millis(400);

/// A frame as it was encoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) key: bool,
    /// 90 kHz, unwrapped.
    pub(crate) rtp_time: u64,
    pub(crate) data: Bytes,
}

struct Slot {
    start: bool,
    marker: bool,
    rtp_time: u32,
    payload: Bytes,
}

/// Builds frames from one stream's packets.
#[derive(Default)]
pub(crate) struct Assembler {
    packets: BTreeMap<u64, Slot>,
    /// The unwrapped number of the next packet that a frame must start with.
    next: Option<u64>,
    highest: u64,
    last_time: Option<(u32, u64)>,
    gap_since: Option<Instant>,
    needs_key: bool,
    asked: Option<Instant>,
}

impl Assembler {
    pub(crate) fn new() -> Self {
        Self { needs_key: true, ..Self::default() }
    }

    /// Takes a packet; the frames that it completes, in order.
    pub(crate) fn packet(
        &mut self,
        now: Instant,
        sequence: u16,
        rtp_time: u32,
        marker: bool,
        payload: &Bytes,
    ) -> Vec<Frame> {
        let Some((start, payload)) = strip_descriptor(payload) else { return Vec::new() };
        let sequence = self.unwrap_sequence(sequence);
        if self.next.is_some_and(|next| sequence < next) {
            return Vec::new();
        }
        self.packets.insert(sequence, Slot { start, marker, rtp_time, payload });
        if self.packets.len() > MOST_PACKETS {
            self.skip();
        }
        self.frames(now)
    }

    /// Gives up on a gap that lasted too long. Whether a key frame is to be asked for now.
    pub(crate) fn check(&mut self, now: Instant) -> bool {
        if self.gap_since.is_some_and(|since| now.duration_since(since) > PATIENCE) {
            self.skip();
        }
        let due = self.asked.is_none_or(|asked| now.duration_since(asked) >= ASK_AGAIN);
        if self.needs_key && due && self.next.is_some() {
            self.asked = Some(now);
            return true;
        }
        false
    }

    /// The decoder lost its way.
    pub(crate) fn ask_key(&mut self) {
        self.needs_key = true;
        self.asked = None;
    }

    fn skip(&mut self) {
        self.needs_key = true;
        self.gap_since = None;
        // On to the newest frame start; what lies before it cannot be decoded any more.
        let start = self.packets.iter().rev().find(|(_, slot)| slot.start).map(|(n, _)| *n);
        let keep = start.unwrap_or(self.highest + 1);
        self.packets = self.packets.split_off(&keep);
        self.next = Some(keep);
    }

    fn frames(&mut self, now: Instant) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let Some((&first, slot)) = self.packets.first_key_value() else {
                self.gap_since = None;
                return frames;
            };
            let next = *self.next.get_or_insert(first);
            if first != next || !slot.start {
                if !slot.start && first == next {
                    // Joined in the middle of a frame.
                    self.packets.pop_first();
                    self.next = Some(next + 1);
                    self.needs_key = true;
                    continue;
                }
                self.gap_since.get_or_insert(now);
                return frames;
            }
            let Some(end) = self.whole_frame(first) else {
                // Waiting for the rest; a hole inside is a gap, an open end is not.
                let hole =
                    self.highest > first && (first..self.highest).any(|n| !self.packets.contains_key(&n));
                self.gap_since = if hole { Some(self.gap_since.unwrap_or(now)) } else { None };
                return frames;
            };
            self.gap_since = None;
            let rtp_time = self.unwrap_time(self.packets[&first].rtp_time);
            let mut data = BytesMut::new();
            for n in first..=end {
                if let Some(slot) = self.packets.remove(&n) {
                    data.extend_from_slice(&slot.payload);
                }
            }
            self.next = Some(end + 1);
            let key = is_key(&data);
            if key {
                self.needs_key = false;
                self.asked = None;
            }
            if !self.needs_key {
                frames.push(Frame { key, rtp_time, data: data.freeze() });
            }
        }
    }

    /// The last packet of the frame that starts at `first`, if all are here.
    fn whole_frame(&self, first: u64) -> Option<u64> {
        let time = self.packets.get(&first)?.rtp_time;
        let mut n = first;
        loop {
            let slot = self.packets.get(&n).filter(|slot| slot.rtp_time == time)?;
            if slot.marker {
                return Some(n);
            }
            n += 1;
        }
    }

    fn unwrap_sequence(&mut self, sequence: u16) -> u64 {
        if self.highest == 0 && self.next.is_none() && self.packets.is_empty() {
            self.highest = 65_536 + u64::from(sequence);
            return self.highest;
        }
        let delta = sequence.wrapping_sub(self.highest as u16) as i16;
        let unwrapped = self.highest.saturating_add_signed(i64::from(delta));
        self.highest = self.highest.max(unwrapped);
        unwrapped
    }

    fn unwrap_time(&mut self, time: u32) -> u64 {
        let unwrapped = match self.last_time {
            Some((last, total)) => total.saturating_add_signed(i64::from(time.wrapping_sub(last) as i32)),
            None => u64::from(time),
        };
        self.last_time = Some((time, unwrapped));
        unwrapped
    }
}

/// Whether the first partition's frame tag says key frame (RFC 6386, section 9.1).
pub(crate) fn is_key(frame: &[u8]) -> bool {
    frame.first().is_some_and(|tag| tag & 1 == 0)
}

/// Width and height from a key frame's header (RFC 6386, section 9.1).
pub(crate) fn size(frame: &[u8]) -> Option<(u16, u16)> {
    let header = frame.get(..10).filter(|f| is_key(f) && f[3..6] == [0x9d, 0x01, 0x2a])?;
    let pair = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]) & 0x3fff;
    Some((pair(6), pair(8)))
}

/// The payload without its descriptor (RFC 7741, section 4.2), and whether a frame starts here.
fn strip_descriptor(payload: &Bytes) -> Option<(bool, Bytes)> {
    let first = *payload.first()?;
    let mut at = 1;
    if first & 0x80 != 0 {
        let extension = *payload.get(at)?;
        at += 1;
        if extension & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        if extension & 0x40 != 0 {
            at += 1;
        }
        if extension & 0x30 != 0 {
            at += 1;
        }
    }
    let start = first & 0x10 != 0 && first & 0x0f == 0;
    (at < payload.len()).then(|| (start, payload.slice(at..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u8 = 0x10;
    const DELTA: u8 = 0x11;

    /// A packet of a frame: descriptor, then a frame tag if it starts one, then its number.
    fn payload(start: bool, tag: u8, n: u8) -> Bytes {
        if start { vec![0x10, tag, n].into() } else { vec![0x00, n].into() }
    }

    struct Stream {
        assembler: Assembler,
        now: Instant,
    }

    impl Stream {
        fn new() -> Self {
            Self { assembler: Assembler::new(), now: Instant::now() }
        }

        /// Frame `n` has two packets, `2n` and `2n + 1`.
        fn send(&mut self, sequence: u16, tag: u8) -> Vec<u64> {
            let (frame, start) = (u32::from(sequence / 2), sequence.is_multiple_of(2));
            let payload = payload(start, tag, sequence as u8);
            let frames = self.assembler.packet(self.now, sequence, frame * 6_000, !start, &payload);
            frames.iter().map(|f| f.rtp_time / 6_000).collect()
        }
    }

    #[test]
    fn frames_come_out_whole_and_in_order_when_packets_swap() {
        let mut s = Stream::new();
        assert!(s.send(10, KEY).is_empty());
        assert!(s.send(12, DELTA).is_empty());
        assert!(s.send(13, DELTA).is_empty());
        assert_eq!(s.send(11, KEY), [5, 6]);
    }

    #[test]
    fn a_lost_packet_costs_its_frames_and_asks_for_a_key_frame_once_in_a_while() {
        let mut s = Stream::new();
        s.send(10, KEY);
        assert_eq!(s.send(11, KEY), [5]);
        s.send(12, DELTA);
        // 13 never comes.
        s.send(14, DELTA);
        assert!(s.send(15, DELTA).is_empty());
        assert!(!s.assembler.check(s.now), "a retransmission may still come");
        s.now += PATIENCE * 2;
        assert!(s.assembler.check(s.now));
        assert!(!s.assembler.check(s.now), "asked a moment ago");
        assert!(s.send(16, DELTA).is_empty());
        assert!(s.send(17, DELTA).is_empty(), "a delta frame after a gap shows rubbish");
        s.send(18, KEY);
        assert_eq!(s.send(19, KEY), [9]);
        assert!(!s.assembler.check(s.now + PATIENCE * 9));
    }

    #[test]
    fn a_retransmission_in_time_loses_nothing() {
        let mut s = Stream::new();
        s.send(10, KEY);
        s.send(11, KEY);
        s.send(12, DELTA);
        s.send(14, DELTA);
        s.send(15, DELTA);
        s.now += PATIENCE / 2;
        assert_eq!(s.send(13, DELTA), [6, 7]);
    }

    #[test]
    fn numbers_wrap_around() {
        let mut s = Stream::new();
        s.send(65_534, KEY);
        assert_eq!(s.send(65_535, KEY).len(), 1);
        s.send(0, DELTA);
        assert_eq!(s.send(1, DELTA).len(), 1);
    }

    #[test]
    fn joining_in_the_middle_of_a_frame_waits_for_the_next_key_frame() {
        let mut s = Stream::new();
        assert!(s.send(11, DELTA).is_empty());
        s.send(12, DELTA);
        assert!(s.send(13, DELTA).is_empty());
        assert!(s.assembler.check(s.now));
        s.send(14, KEY);
        assert_eq!(s.send(15, KEY), [7]);
    }

    #[test]
    fn a_browsers_longer_descriptor_is_taken_off_and_rubbish_is_refused() {
        // X, I with a 15-bit picture id, L, T/K: as Chromium sends.
        let chromium = Bytes::from_static(&[0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 0xaa]);
        assert_eq!(strip_descriptor(&chromium), Some((true, Bytes::from_static(&[0xaa]))));
        for rubbish in [&b""[..], b"\x90", b"\x90\x80", b"\x10"] {
            assert_eq!(strip_descriptor(&Bytes::copy_from_slice(rubbish)), None);
        }
    }

    #[test]
    fn a_key_frame_tells_its_size() {
        let frame = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01];
        assert_eq!(size(&frame), Some((640, 480)));
        assert_eq!(size(&frame[..9]), None);
    }
}
