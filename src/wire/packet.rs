//! The BOOTP message: its fixed header, on receipt and in a reply.
//!
//! Options are taken apart and put together by the `options` layer; here they are octets.
//! Mirrors ISC `includes/dhcp.h` and the length tests of `common/discover.c:got_one`, `common/options.c:do_packet`.

use std::net::Ipv4Addr;

use dhcproto::v4::borrowed::Message;

use crate::log::Line;

/// Octets of a message up to and without the magic cookie (RFC 951).
pub const FIXED: usize = 236;

/// What begins the options (RFC 1497).
pub const MAGIC_COOKIE: [u8; 4] = [99, 130, 83, 99];

/// `op` of a message from a client.
pub const BOOTREQUEST: u8 = 1;
/// `op` of a message from a server.
pub const BOOTREPLY: u8 = 2;

/// The flag by which a client asks for a broadcast reply (RFC 2131 figure 2).
pub const BROADCAST_FLAG: u16 = 0x8000;

/// The fixed fields of a BOOTP message, in their order on the wire. Numbers are in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 1 is a request, 2 a reply.
    pub op: u8,
    /// Hardware type.
    pub htype: u8,
    /// Octets of `chaddr` that count.
    pub hlen: u8,
    /// Relay agents passed.
    pub hops: u8,
    /// Transaction identifier.
    pub xid: u32,
    /// Seconds since the client began.
    pub secs: u16,
    /// [`BROADCAST_FLAG`] and bits that must be zero.
    pub flags: u16,
    /// Client's address, when it has one.
    pub ciaddr: Ipv4Addr,
    /// The address given.
    pub yiaddr: Ipv4Addr,
    /// Server to boot from.
    pub siaddr: Ipv4Addr,
    /// Relay agent.
    pub giaddr: Ipv4Addr,
    /// Client's hardware address.
    pub chaddr: [u8; 16],
    /// Server's name, or options.
    pub sname: [u8; 64],
    /// Boot file, or options.
    pub file: [u8; 128],
}

impl Default for Header {
    fn default() -> Self {
        Self {
            op: 0,
            htype: 0,
            hlen: 0,
            hops: 0,
            xid: 0,
            secs: 0,
            flags: 0,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            siaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            chaddr: [0; 16],
            sname: [0; 64],
            file: [0; 128],
        }
    }
}

impl Header {
    /// The octets of `chaddr` that count: at most 16.
    pub fn hardware_address(&self) -> &[u8] {
        self.chaddr.get(..usize::from(self.hlen)).unwrap_or(&self.chaddr)
    }

    /// Does the client ask for a broadcast reply?
    pub fn wants_broadcast(&self) -> bool {
        self.flags & BROADCAST_FLAG != 0
    }

    /// Reads the fixed fields of a message of at least [`FIXED`] octets.
    fn read(raw: &[u8]) -> Option<Self> {
        // dhcproto's view wants room for the cookie, which a BOOTP message need not have.
        let mut padded = [0; FIXED + MAGIC_COOKIE.len()];
        padded.get_mut(..FIXED)?.copy_from_slice(raw.get(..FIXED)?);
        let message = Message::new(&padded).ok()?;
        Some(Self {
            op: message.opcode().into(),
            htype: padded[1],
            hlen: message.hlen(),
            hops: message.hops(),
            xid: message.xid(),
            secs: message.secs(),
            flags: message.flags().into(),
            ciaddr: message.ciaddr(),
            yiaddr: message.yiaddr(),
            siaddr: message.siaddr(),
            giaddr: message.giaddr(),
            // dhcproto ends these three at `hlen` and at the first NUL; all their octets may be options.
            chaddr: *padded.get(28..)?.first_chunk()?,
            sname: *padded.get(44..)?.first_chunk()?,
            file: *padded.get(108..)?.first_chunk()?,
        })
    }

    /// Appends the fixed fields, [`FIXED`] octets.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.op, self.htype, self.hlen, self.hops]);
        out.extend_from_slice(&self.xid.to_be_bytes());
        out.extend_from_slice(&self.secs.to_be_bytes());
        out.extend_from_slice(&self.flags.to_be_bytes());
        for address in [self.ciaddr, self.yiaddr, self.siaddr, self.giaddr] {
            out.extend_from_slice(&address.octets());
        }
        out.extend_from_slice(&self.chaddr);
        out.extend_from_slice(&self.sname);
        out.extend_from_slice(&self.file);
    }
}

/// A received BOOTP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its fixed fields.
    pub header: Header,
    /// The datagram's payload, whole: at least [`FIXED`] octets.
    pub raw: Vec<u8>,
}

impl Packet {
    /// Reads a datagram's payload.
    ///
    /// # Errors
    /// [`PacketError`] for what dhcpd drops before it looks at options.
    pub fn decode(payload: &[u8]) -> Result<Self, PacketError> {
        let header = Header::read(payload).ok_or(PacketError::TooShort)?;
        if usize::from(header.hlen) > header.chaddr.len() {
            return Err(PacketError::BogusHlen);
        }
        Ok(Self { header, raw: payload.to_vec() })
    }

    /// What follows the magic cookie, when there is one; without it a message has no options.
    pub fn options(&self) -> Option<&[u8]> {
        self.raw.get(FIXED..)?.strip_prefix(&MAGIC_COOKIE)
    }

    /// What follows the fixed fields, cookie included: the vendor area of RFC 951.
    pub fn vendor_area(&self) -> &[u8] {
        self.raw.get(FIXED..).unwrap_or_default()
    }
}

/// Why dhcpd drops a datagram before it looks at options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Fewer than [`FIXED`] octets.
    #[error("shorter than a BOOTP message")]
    TooShort,
    /// `hlen` is greater than the 16 octets of `chaddr`.
    #[error("hlen greater than 16")]
    BogusHlen,
}

impl PacketError {
    /// What dhcpd logs for it.
    pub fn line(self) -> Option<Line> {
        match self {
            Self::TooShort => None,
            Self::BogusHlen => Some(Line::info("Discarding packet with bogus hlen.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn octets(length: usize) -> Vec<u8> {
        let mut octets: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        octets[2] = 6;
        octets
    }

    #[test]
    fn fields_are_where_rfc_951_puts_them() {
        let packet = Packet::decode(&octets(300)).expect("whole");
        let header = packet.header;
        assert_eq!((header.op, header.htype, header.hlen, header.hops), (0, 1, 6, 3));
        assert_eq!(header.xid, 0x0405_0607);
        assert_eq!((header.secs, header.flags), (0x0809, 0x0a0b));
        assert_eq!(header.ciaddr, Ipv4Addr::new(12, 13, 14, 15));
        assert_eq!(header.giaddr, Ipv4Addr::new(24, 25, 26, 27));
        assert_eq!(header.hardware_address(), [28, 29, 30, 31, 32, 33]);
        assert_eq!((header.sname[0], header.file[0]), (44, 108));
        assert_eq!(packet.vendor_area().len(), 64);
        assert_eq!(packet.options(), None, "no cookie");
    }

    #[test]
    fn short_and_bogus() {
        assert_eq!(Packet::decode(&octets(235)), Err(PacketError::TooShort));
        assert!(Packet::decode(&octets(236)).is_ok());
        let mut bogus = octets(300);
        bogus[2] = 17;
        let error = Packet::decode(&bogus).expect_err("hlen");
        assert_eq!(error.line(), Some(Line::info("Discarding packet with bogus hlen.")));
        bogus[2] = 16;
        assert_eq!(Packet::decode(&bogus).expect("fine").header.hardware_address().len(), 16);
    }

    #[test]
    fn options_follow_the_cookie() {
        let mut raw = octets(236);
        raw.extend([99, 130, 83, 99, 53, 1, 1, 255]);
        let packet = Packet::decode(&raw).expect("whole");
        assert_eq!(packet.options(), Some(&[53, 1, 1, 255][..]));
    }

    proptest! {
        #[test]
        fn any_octets_are_survived_and_written_back(raw in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(packet) = Packet::decode(&raw) {
                let mut written = Vec::new();
                packet.header.write(&mut written);
                prop_assert_eq!(&written[..], &raw[..FIXED]);
                let _ = (packet.options(), packet.vendor_area(), packet.header.hardware_address());
            } else {
                prop_assert!(raw.len() < FIXED || raw[2] > 16);
            }
        }
    }
}
