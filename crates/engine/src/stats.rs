//! A second of a leg, from two reports of the connection.

use std::time::Instant;

use rabta_call::LegStats;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use webrtc::peer_connection::{RTCStatsReport, RTCStatsReportEntry};

/// Sums since the connection began.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    audio_in: u64,
    audio_out: u64,
    video_in: u64,
    video_out: u64,
    received: u64,
    lost: i64,
}

#[derive(Default)]
pub(crate) struct Ledger {
    last: Option<(Instant, Totals)>,
}

impl Ledger {
    pub(crate) fn take(&mut self, now: Instant, report: &RTCStatsReport) -> LegStats {
        let mut totals = Totals::default();
        let mut stats = LegStats::default();
        for entry in report.iter() {
            match entry {
                RTCStatsReportEntry::InboundRtp(inbound) => {
                    let stream = &inbound.received_rtp_stream_stats;
                    totals.received += stream.packets_received;
                    totals.lost += stream.packets_lost;
                    match stream.rtp_stream_stats.kind {
                        RtpCodecKind::Audio => totals.audio_in += inbound.bytes_received,
                        _ => totals.video_in += inbound.bytes_received,
                    }
                }
                RTCStatsReportEntry::OutboundRtp(outbound) => {
                    let stream = &outbound.sent_rtp_stream_stats;
                    match stream.rtp_stream_stats.kind {
                        RtpCodecKind::Audio => totals.audio_out += stream.bytes_sent,
                        _ => totals.video_out += stream.bytes_sent,
                    }
                }
                RTCStatsReportEntry::RemoteInboundRtp(remote) => {
                    stats.loss_out = stats.loss_out.max(remote.fraction_lost as f32);
                    if remote.round_trip_time_measurements > 0 && stats.rtt_ms.is_none() {
                        stats.rtt_ms = Some((remote.round_trip_time * 1_000.0) as u32);
                    }
                }
                RTCStatsReportEntry::IceCandidatePair(pair)
                    if pair.nominated && pair.current_round_trip_time > 0.0 =>
                {
                    stats.rtt_ms = Some((pair.current_round_trip_time * 1_000.0) as u32);
                }
                _ => {}
            }
        }
        if let Some((then, before)) = self.last.replace((now, totals)) {
            let millis = now.duration_since(then).as_millis().max(1) as u64;
            let kbps = |after: u64, before: u64| (after.saturating_sub(before) * 8 / millis) as u32;
            stats.audio_in_kbps = kbps(totals.audio_in, before.audio_in);
            stats.audio_out_kbps = kbps(totals.audio_out, before.audio_out);
            stats.video_in_kbps = kbps(totals.video_in, before.video_in);
            stats.video_out_kbps = kbps(totals.video_out, before.video_out);
            let received = totals.received.saturating_sub(before.received) as f32;
            let lost = (totals.lost - before.lost).max(0) as f32;
            // A handful of packets says nothing about a rate.
            if received + lost >= 10.0 {
                stats.loss_in = lost / (received + lost);
            }
        }
        stats
    }
}
