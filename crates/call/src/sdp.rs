//! The little that a session reads in an SDP: the DTLS fingerprints, which device keys sign, and the candidate
//! lines, which must not leave before the call is accepted.

use rabta_wire::{Id, signal::Party};

use crate::SdpKind;

/// An SDP cannot be bound to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no DTLS fingerprint in the description")]
pub(crate) struct NoFingerprint;

/// The exact bytes that the device of `from` signs: the call, both devices, the description's kind and number,
/// and each `a=fingerprint` value (RFC 8122), sorted, once. A router that changed a fingerprint, or replays a
/// description of another call or to another device, fails the signature.
pub(crate) fn signed_bytes(
    call: Id,
    from: Party,
    to: Party,
    kind: SdpKind,
    n: u32,
    sdp: &str,
) -> Result<Vec<u8>, NoFingerprint> {
    let mut prints: Vec<String> = sdp
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix("a=fingerprint:"))
        .map(str::to_ascii_lowercase)
        .collect();
    prints.sort();
    prints.dedup();
    if prints.is_empty() {
        return Err(NoFingerprint);
    }
    let kind = match kind {
        SdpKind::Offer => "offer",
        SdpKind::Answer => "answer",
    };
    let head = format!(
        "rabta call fingerprints 1\n{call}\n{}\n{}\n{}\n{}\n{kind} {n}\n",
        from.person, from.device, to.person, to.device
    );
    Ok((head + &prints.join("\n")).into_bytes())
}

/// The description without its candidates other than relayed ones.
pub(crate) fn relay_only(sdp: &str) -> String {
    let keep = |line: &&str| !line.starts_with("a=candidate:") || line.contains(" typ relay");
    sdp.split_inclusive('\n').filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\na=fingerprint:sha-256 AA:BB\r\nm=audio 9\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n\
        a=candidate:2 1 udp 1 192.0.2.1 9 typ relay raddr 0.0.0.0 rport 0\r\na=fingerprint:sha-256 AA:BB\r\n";

    fn party(n: u8) -> Party {
        Party { person: Id([n; 16]), device: Id([n + 1; 16]) }
    }

    #[test]
    fn a_changed_fingerprint_call_device_or_number_changes_what_is_signed() {
        let of = |call: u8, to, n, sdp: &str| {
            signed_bytes(Id([call; 16]), party(1), to, SdpKind::Offer, n, sdp).unwrap()
        };
        let base = of(1, party(3), 1, SDP);
        assert_eq!(base, of(1, party(3), 1, &SDP.replace("aa:bb", "AA:BB")));
        assert_ne!(base, of(1, party(3), 1, &SDP.replace("AA:BB", "AA:BC")));
        assert_ne!(base, of(2, party(3), 1, SDP));
        assert_ne!(base, of(1, party(5), 1, SDP));
        assert_ne!(base, of(1, party(3), 2, SDP));
        let none = signed_bytes(Id([1; 16]), party(1), party(3), SdpKind::Offer, 1, "v=0\r\n");
        assert_eq!(none, Err(NoFingerprint));
    }

    #[test]
    fn before_the_accept_an_sdp_carries_no_address_but_the_relays() {
        let kept = relay_only(SDP);
        assert!(kept.contains("192.0.2.1") && !kept.contains("10.0.0.1"));
        assert!(kept.ends_with("\r\n"));
    }
}
