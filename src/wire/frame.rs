//! Ethernet, IPv4 and UDP headers: taken apart on receipt, put together for replies.
//!
//! Clients without an address are served through packet sockets, so dhcpd parses and builds these headers itself.
//! [`FrameDecoder`] applies ISC's checks in ISC's order, with its three counters and their log lines.
//! Mirrors ISC `common/packet.c`, `common/ethernet.c` and the VLAN and checksum rules of `common/lpf.c:receive_packet`.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::checksum::Checksum;
use crate::log::Line;

/// Octets of an Ethernet header.
const ETHERNET: usize = 14;
/// Octets of an IPv4 header without options.
const IP: usize = 20;
/// Octets of a UDP header.
const UDP: usize = 8;
/// IP protocol number of UDP.
const IPPROTO_UDP: u16 = 17;
/// Ethernet type of IPv4.
const ETHERTYPE_IP: [u8; 2] = [0x08, 0x00];

/// The largest frame that is looked at; what is longer is cut off, and then dropped for its lengths.
pub const LARGEST_FRAME: usize = 1536;

/// The Ethernet broadcast address.
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// What the kernel says about a frame besides its octets (`PACKET_AUXDATA`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auxiliary {
    /// VLAN tag control information the card has taken out of the frame; 0 for none.
    pub vlan: u16,
    /// False while the UDP checksum still waits for the card to fill it in.
    pub checksum_ready: bool,
}

impl Default for Auxiliary {
    fn default() -> Self {
        Self { vlan: 0, checksum_ready: true }
    }
}

/// A UDP datagram out of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// IP source and UDP source port.
    pub source: SocketAddrV4,
    /// UDP payload.
    pub payload: &'a [u8],
}

/// Counts datagrams and the bad ones among them; says so when most are bad.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    seen: u32,
    bad: u32,
}

impl Counter {
    fn see(&mut self) {
        self.seen = self.seen.saturating_add(1);
    }

    /// One more bad one: returns (bad, seen) when it is time for a line.
    fn count_bad(&mut self) -> Option<(u32, u32)> {
        self.bad = self.bad.saturating_add(1);
        let Self { seen, bad } = *self;
        if seen <= 4 || seen.checked_div(bad).is_none_or(|ratio| ratio >= 2) {
            return None;
        }
        *self = Self::default();
        Some((bad, seen))
    }

    /// A good one after at least five: start over.
    fn count_good(&mut self) {
        if self.seen > 4 {
            *self = Self::default();
        }
    }
}

/// Takes frames apart. One for all interfaces of the server, as its counters are the server's.
#[derive(Clone, Debug, Default)]
pub struct FrameDecoder {
    lengths: Counter,
    ip_checksums: Counter,
    udp_checksums: Counter,
}

impl FrameDecoder {
    /// The UDP datagram in a frame, or `None` when dhcpd drops it. The packet filter has already seen to it that the
    /// frame is an unfragmented UDP datagram for our port. Lines to be logged are pushed to `lines`.
    pub fn decode<'a>(
        &mut self,
        frame: &'a [u8],
        auxiliary: Auxiliary,
        lines: &mut Vec<Line>,
    ) -> Option<Datagram<'a>> {
        // A frame for a VLAN is seen on the parent interface too, with its tag taken out; the VLAN's own interface
        // will answer it.
        if auxiliary.vlan & 0x0fff != 0 {
            return None;
        }
        let packet = frame.get(ETHERNET..)?;
        let header = packet.first_chunk::<IP>()?;
        let header_length = usize::from(header[0] & 0x0f) * 4;
        let total_length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if total_length > packet.len() {
            return None;
        }
        let datagram = packet.get(header_length..)?;
        let udp = datagram.first_chunk::<UDP>()?;
        let udp_length = usize::from(u16::from_be_bytes([udp[4], udp[5]]));
        if udp_length < UDP {
            return None;
        }

        // The payload is checked against the frame, not against the IP total length: dhcpd is that liberal.
        self.lengths.see();
        let Some(datagram) = datagram.get(..udp_length) else {
            if let Some((bad, seen)) = self.lengths.count_bad() {
                lines.push(Line::info(format!("{bad} udp packets in {seen} too long - dropped")));
            }
            return None;
        };
        self.lengths.count_good();

        self.ip_checksums.see();
        let ip_header = packet.get(..header_length)?;
        if Checksum::default().octets(ip_header).finish() != 0 {
            if let Some((bad, seen)) = self.ip_checksums.count_bad() {
                lines.push(Line::info(format!("{bad} bad IP checksums seen in {seen} packets")));
            }
            return None;
        }
        self.ip_checksums.count_good();

        self.udp_checksums.see();
        let has_checksum = udp[6] != 0 || udp[7] != 0;
        if has_checksum && auxiliary.checksum_ready {
            let pseudo_header = Checksum::default()
                .octets(header.get(12..20)?)
                .word(IPPROTO_UDP)
                .word(u16::from_be_bytes([udp[4], udp[5]]));
            if pseudo_header.octets(datagram).finish() != 0 {
                if let Some((bad, seen)) = self.udp_checksums.count_bad() {
                    lines.push(Line::debug(format!("{bad} bad udp checksums in {seen} packets")));
                }
                return None;
            }
        }
        self.udp_checksums.count_good();

        let address = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
        let port = u16::from_be_bytes([udp[0], udp[1]]);
        Some(Datagram { source: SocketAddrV4::new(address, port), payload: datagram.get(UDP..)? })
    }
}

/// The headers of an outgoing frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Ethernet source: ours.
    pub hardware_source: [u8; 6],
    /// Ethernet destination.
    pub hardware_destination: [u8; 6],
    /// IP source and UDP source port.
    pub source: SocketAddrV4,
    /// IP destination and UDP destination port.
    pub destination: SocketAddrV4,
}

/// Appends a whole frame to `frame`: type of service 0x10 (low delay), identification 0, time to live 128, both
/// checksums computed.
///
/// # Errors
/// [`TooLong`] when the payload does not fit into an IPv4 datagram; nothing is appended.
pub fn assemble(headers: &Headers, payload: &[u8], frame: &mut Vec<u8>) -> Result<(), TooLong> {
    let too_long = |_| TooLong;
    let udp_length = u16::try_from(payload.len() + UDP).map_err(too_long)?;
    let total_length = u16::try_from(payload.len() + UDP + IP).map_err(too_long)?;
    let source = headers.source.ip().octets();
    let destination = headers.destination.ip().octets();

    frame.reserve(ETHERNET + IP + UDP + payload.len());
    frame.extend_from_slice(&headers.hardware_destination);
    frame.extend_from_slice(&headers.hardware_source);
    frame.extend_from_slice(&ETHERTYPE_IP);

    let mut ip = [0; IP];
    ip[0] = 0x45;
    ip[1] = 0x10;
    ip[2..4].copy_from_slice(&total_length.to_be_bytes());
    ip[8] = 128;
    ip[9] = IPPROTO_UDP as u8;
    ip[12..16].copy_from_slice(&source);
    ip[16..20].copy_from_slice(&destination);
    let checksum = Checksum::default().octets(&ip).finish();
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
    frame.extend_from_slice(&ip);

    let mut udp = [0; UDP];
    udp[0..2].copy_from_slice(&headers.source.port().to_be_bytes());
    udp[2..4].copy_from_slice(&headers.destination.port().to_be_bytes());
    udp[4..6].copy_from_slice(&udp_length.to_be_bytes());
    // A sum of 0 stays 0, as in dhcpd, though RFC 768 would have 0xffff; receivers then take it for "no checksum".
    let checksum = Checksum::default()
        .octets(&source)
        .octets(&destination)
        .word(IPPROTO_UDP)
        .word(udp_length)
        .octets(&udp)
        .octets(payload)
        .finish();
    udp[6..8].copy_from_slice(&checksum.to_be_bytes());
    frame.extend_from_slice(&udp);
    frame.extend_from_slice(payload);
    Ok(())
}

/// The payload is longer than an IPv4 datagram can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the payload does not fit into an IPv4 datagram")]
pub struct TooLong;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers() -> Headers {
        Headers {
            hardware_source: [2, 0, 0, 0, 0, 1],
            hardware_destination: BROADCAST,
            source: SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 67),
            destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, 68),
        }
    }

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        assemble(&headers(), payload, &mut frame).expect("fits");
        frame
    }

    fn decode(decoder: &mut FrameDecoder, frame: &[u8]) -> (bool, Vec<Line>) {
        let mut lines = Vec::new();
        let decoded = decoder.decode(frame, Auxiliary::default(), &mut lines).is_some();
        (decoded, lines)
    }

    #[test]
    fn headers_are_dhcpd_s() {
        let frame = frame(&[0; 300]);
        assert_eq!(frame[..14], [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 0]);
        assert_eq!(frame[14..24], [0x45, 0x10, 0x01, 0x48, 0, 0, 0, 0, 128, 17]);
        assert_eq!(frame[34..40], [0, 67, 0, 68, 0x01, 0x34]);
        assert_eq!(frame.len(), 14 + 20 + 8 + 300);
    }

    #[test]
    fn a_vlan_tag_drops_a_priority_tag_does_not() {
        let frame = frame(&[1, 2, 3]);
        let mut decoder = FrameDecoder::default();
        let mut lines = Vec::new();
        let mut with =
            |vlan| decoder.decode(&frame, Auxiliary { vlan, checksum_ready: true }, &mut lines).is_some();
        assert!(!with(5));
        assert!(!with(0xe005));
        assert!(with(0xe000));
    }

    #[test]
    fn an_unfinished_checksum_is_not_looked_at() {
        let mut frame = frame(&[1, 2, 3]);
        frame[40] ^= 0x55;
        let mut decoder = FrameDecoder::default();
        assert!(!decode(&mut decoder, &frame).0);
        let unfinished = Auxiliary { vlan: 0, checksum_ready: false };
        assert!(decoder.decode(&frame, unfinished, &mut Vec::new()).is_some());
        frame[40] = 0;
        frame[41] = 0;
        assert!(decode(&mut decoder, &frame).0, "no checksum at all is fine");
    }

    #[test]
    fn four_good_and_five_bad_make_a_line() {
        let good = frame(&[1, 2, 3]);
        for (octet, line) in [
            (42, Line::debug("5 bad udp checksums in 9 packets")),
            (22, Line::info("5 bad IP checksums seen in 9 packets")),
        ] {
            let mut bad = good.clone();
            bad[octet] ^= 1;
            let mut decoder = FrameDecoder::default();
            for _ in 0..4 {
                assert_eq!(decode(&mut decoder, &good), (true, vec![]));
            }
            for _ in 0..4 {
                assert_eq!(decode(&mut decoder, &bad), (false, vec![]));
            }
            assert_eq!(decode(&mut decoder, &bad), (false, vec![line]));
            assert_eq!(decode(&mut decoder, &bad), (false, vec![]));
        }
        let mut long = good.clone();
        long[38..40].copy_from_slice(&1000_u16.to_be_bytes());
        let mut decoder = FrameDecoder::default();
        for _ in 0..4 {
            assert_eq!(decode(&mut decoder, &long), (false, vec![]));
        }
        assert_eq!(
            decode(&mut decoder, &long),
            (false, vec![Line::info("5 udp packets in 5 too long - dropped")])
        );
    }

    #[test]
    fn a_good_one_after_five_starts_over() {
        let good = frame(&[1, 2, 3]);
        let mut bad = good.clone();
        bad[42] ^= 1;
        let mut decoder = FrameDecoder::default();
        for frame in [&bad, &bad, &bad, &bad, &good, &bad, &bad, &bad, &bad] {
            assert_eq!(decode(&mut decoder, frame).1, vec![]);
        }
        assert_eq!(decode(&mut decoder, &bad).1, vec![Line::debug("5 bad udp checksums in 5 packets")]);
    }

    #[test]
    fn too_long_to_send() {
        let mut out = Vec::new();
        assert_eq!(assemble(&headers(), &[0; 65_508], &mut out), Err(TooLong));
        assert!(out.is_empty());
    }

    proptest! {
        #[test]
        fn what_is_assembled_is_decoded(payload in prop::collection::vec(any::<u8>(), 0..600), padding in 0_usize..20) {
            let mut frame = frame(&payload);
            frame.resize(frame.len() + padding, 0xee);
            let mut lines = Vec::new();
            let datagram = FrameDecoder::default().decode(&frame, Auxiliary::default(), &mut lines);
            prop_assert_eq!(datagram, Some(Datagram { source: headers().source, payload: &payload }));
            prop_assert!(lines.is_empty());
        }

        #[test]
        fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..100), vlan: u16, checksum_ready: bool) {
            let mut decoder = FrameDecoder::default();
            let mut lines = Vec::new();
            for _ in 0..6 {
                let auxiliary = Auxiliary { vlan, checksum_ready };
                if let Some(datagram) = decoder.decode(&octets, auxiliary, &mut lines) {
                    prop_assert!(datagram.payload.len() + ETHERNET + UDP <= octets.len());
                }
            }
        }

        #[test]
        fn damaged_frames_are_survived(index in 0_usize..80, value: u8, cut in 0_usize..100) {
            let mut frame = frame(&[7; 50]);
            frame[index] = value;
            frame.truncate(cut);
            let _ = FrameDecoder::default().decode(&frame, Auxiliary::default(), &mut Vec::new());
        }
    }
}
