//! Which addresses a relay may reach.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A range that the operator allows although it is private, in CIDR notation: `10.20.0.0/16`, `127.0.0.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowRange {
    net: IpAddr,
    bits: u8,
}

/// Not an address or an address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address range such as 10.20.0.0/16")]
pub struct BadRange;

impl FromStr for AllowRange {
    type Err = BadRange;

    fn from_str(text: &str) -> Result<Self, BadRange> {
        let (net, bits) = match text.split_once('/') {
            Some((net, bits)) => (net, Some(bits.parse::<u8>().map_err(|_| BadRange)?)),
            None => (text, None),
        };
        let net: IpAddr = net.parse().map_err(|_| BadRange)?;
        let most = if net.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(BadRange) } else { Ok(Self { net, bits }) }
    }
}

impl AllowRange {
    pub fn contains(&self, address: IpAddr) -> bool {
        fn same(a: u128, b: u128, width: u32, bits: u8) -> bool {
            bits == 0 || (a ^ b) >> (width - u32::from(bits)) == 0
        }
        match (self.net, plain(address)) {
            (IpAddr::V4(net), IpAddr::V4(a)) => {
                same(u128::from(net.to_bits()), u128::from(a.to_bits()), 32, self.bits)
            }
            (IpAddr::V6(net), IpAddr::V6(a)) => same(net.to_bits(), a.to_bits(), 128, self.bits),
            _ => false,
        }
    }
}

/// The address that a packet would really go to: IPv4 written as IPv6 (mapped, compatible, NAT64 (RFC 6052),
/// 6to4 (RFC 3056)) is IPv4. CVE-2026-27624 was a deny list that did not see `::ffff:127.0.0.1`.
pub(crate) fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let s = v6.segments();
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if v6 != Ipv6Addr::LOCALHOST && v6 != Ipv6Addr::UNSPECIFIED => {
            v4(high, low)
        }
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

/// Whether an address is out on the Internet (IANA's special-purpose registries, RFC 6890).
pub(crate) fn public(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(a) => {
            let o = a.octets();
            !(o[0] == 0
                || a.is_private()
                || a.is_loopback()
                || a.is_link_local()
                || (o[0] == 100 && (64..128).contains(&o[1]))
                || (o[0] == 192 && o[1] == 0 && o[2] == 0)
                || (o[0] == 198 && (18..20).contains(&o[1]))
                || o[0] >= 224)
        }
        IpAddr::V6(a) => {
            // Global unicast is 2000::/3; NAT64's local prefix (RFC 8215) and all the rest are not.
            a.segments()[0] & 0xe000 == 0x2000
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_notation_of_a_private_address_counts_as_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2002:a00:1::",
        ] {
            assert!(!public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_range_holds_what_its_bits_say_in_every_notation() {
        let range: AllowRange = "10.20.0.0/16".parse().unwrap();
        assert!(range.contains("10.20.255.1".parse().unwrap()));
        assert!(range.contains("::ffff:10.20.0.1".parse().unwrap()));
        assert!(!range.contains("10.21.0.1".parse().unwrap()));
        assert!("127.0.0.1".parse::<AllowRange>().unwrap().contains("127.0.0.1".parse().unwrap()));
        assert!("fd00::/8".parse::<AllowRange>().unwrap().contains("fd12::1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<AllowRange>().unwrap().contains("10.0.0.1".parse().unwrap()));
        for bad in ["10.0.0.0/33", "x", "10.0.0.0/", "/8", "::/129"] {
            assert_eq!(bad.parse::<AllowRange>(), Err(BadRange));
        }
    }
}
