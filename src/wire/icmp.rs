//! The ICMP echo of `ping-check` (RFC 792).
//!
//! Mirrors ISC `common/icmp.c`: the request is 28 octets with sequence 0 and zero data; any echo reply of at least
//! that length counts, whatever its identifier.

use super::checksum::Checksum;

/// Octets of the ICMP message dhcpd sends and expects.
const MESSAGE: usize = 28;

/// An echo request, without IP header.
pub fn echo_request(identifier: u16) -> [u8; MESSAGE] {
    let mut message = [0; MESSAGE];
    message[0] = 8;
    message[4..6].copy_from_slice(&identifier.to_be_bytes());
    let checksum = Checksum::default().octets(&message).finish();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// Is this IP packet, as a raw ICMP socket hands it out, an echo reply that dhcpd takes notice of?
pub fn is_echo_reply(packet: &[u8]) -> bool {
    let Some(first) = packet.first() else { return false };
    let header_length = usize::from(first & 0x0f) * 4;
    match packet.get(header_length..) {
        Some(message) if message.len() >= MESSAGE => message.first() == Some(&0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_carry_a_right_checksum() {
        let request = echo_request(0x1234);
        assert_eq!(request[..2], [8, 0]);
        assert_eq!(request[4..8], [0x12, 0x34, 0, 0]);
        assert_eq!(Checksum::default().octets(&request).finish(), 0);
    }

    #[test]
    fn replies() {
        let mut packet = vec![0x45; 20];
        packet.extend(echo_request(1));
        assert!(!is_echo_reply(&packet), "a request");
        packet[20] = 0;
        assert!(is_echo_reply(&packet));
        packet.pop();
        assert!(!is_echo_reply(&packet), "too short");
    }

    proptest! {
        #[test]
        fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = is_echo_reply(&octets);
        }
    }
}
