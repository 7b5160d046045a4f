//! Pieces of log lines: hardware addresses, client names, identifiers, message types.
//!
//! Mirrors ISC `common/print.c` and the `msgbuf` prefixes of `server/dhcp.c`.

use crate::lease::Lease;
use std::net::Ipv4Addr;

/// `00:01:02:03:04:05`; empty for an empty address (ISC `print_hw_addr`).
pub fn hardware_text(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 3);
    for (at, octet) in octets.iter().enumerate() {
        if at > 0 {
            text.push(':');
        }
        for nibble in [octet >> 4, octet & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

/// Quoted text if the part that would be shown is printable, else hex, else (too long for hex) nothing; `limit` is the
/// size of dhcpd's buffer (ISC `print_hex_or_string`).
pub fn text_or_hex(octets: &[u8], limit: usize) -> String {
    let shown = octets.get(..limit.saturating_sub(3)).unwrap_or(octets);
    if shown.iter().all(|&c| (0x20..0x7f).contains(&c)) {
        let mut text = String::with_capacity(shown.len() + 2);
        text.push('"');
        text.extend(shown.iter().map(|&c| char::from(c)));
        text.push('"');
        return text;
    }
    if octets.len() * 3 > limit { String::new() } else { hardware_text(octets) }
}

/// `(NAME) ` as it stands before `via`, from the host name stored on a lease; empty without one.
pub fn client_name(hostname: Option<&[u8]>) -> String {
    let Some(name) = hostname else { return String::new() };
    let printable = |&c: &u8| (0x20..0x7f).contains(&c) && c != b'"' && c != b'\\';
    if name.len() <= 64 && name.iter().all(printable) {
        format!("({}) ", String::from_utf8_lossy(name))
    } else {
        "(Hostname Unsuitable for Printing) ".to_owned()
    }
}

/// Who sent a request: the hardware address; with hardware type 0 the client identifier of the lease found.
pub fn requester(htype: u8, chaddr: &[u8], lease: Option<&Lease>) -> String {
    match lease {
        _ if htype != 0 => hardware_text(chaddr),
        Some(lease) => text_or_hex(lease.uid.as_deref().unwrap_or(&[]), 60),
        None => "<no identifier>".to_owned(),
    }
}

/// The relay a packet came through, else the name of the interface.
pub fn via(giaddr: Ipv4Addr, interface: &str) -> String {
    if giaddr.is_unspecified() { interface.to_owned() } else { giaddr.to_string() }
}

/// The name of a message type in lines about packets that are dropped.
pub fn message_name(kind: u8) -> String {
    match kind {
        1 => "DHCPDISCOVER",
        2 => "DHCPOFFER",
        3 => "DHCPREQUEST",
        4 => "DHCPDECLINE",
        5 => "DHCPACK",
        6 => "DHCPNAK",
        7 => "DHCPRELEASE",
        8 => "DHCPINFORM",
        10 => "DHCPLEASEQUERY",
        11 => "DHCPLEASEUNASSIGNED",
        12 => "DHCPLEASEUNKNOWN",
        13 => "DHCPLEASEACTIVE",
        other => return format!("type {other}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_and_identifiers() {
        assert_eq!(hardware_text(&[2, 0, 0xab, 0xff]), "02:00:ab:ff");
        assert_eq!(hardware_text(&[]), "");
        assert_eq!(text_or_hex(b"cid4", 60), "\"cid4\"");
        assert_eq!(text_or_hex(&[1, 2, 3], 60), "01:02:03");
        assert_eq!(text_or_hex(&[], 60), "\"\"");
        assert_eq!(text_or_hex(&[0; 21], 60), "");
        assert_eq!(text_or_hex(&[b'x'; 100], 60).len(), 59);
    }

    #[test]
    fn names_are_shown_only_when_printable() {
        assert_eq!(client_name(None), "");
        assert_eq!(client_name(Some(b"pc1")), "(pc1) ");
        assert_eq!(client_name(Some(b"a\"b")), "(Hostname Unsuitable for Printing) ");
        assert_eq!(client_name(Some(&[b'a'; 65])), "(Hostname Unsuitable for Printing) ");
    }

    #[test]
    fn who_and_through_what() {
        assert_eq!(requester(1, &[1, 2], None), "01:02");
        assert_eq!(requester(0, &[1, 2], None), "<no identifier>");
        assert_eq!(via(Ipv4Addr::UNSPECIFIED, "eth0"), "eth0");
        assert_eq!(via(Ipv4Addr::new(10, 0, 0, 1), "eth0"), "10.0.0.1");
        assert_eq!(message_name(9), "type 9");
        assert_eq!(message_name(13), "DHCPLEASEACTIVE");
        assert_eq!(message_name(14), "type 14");
    }
}
