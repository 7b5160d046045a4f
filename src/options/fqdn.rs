//! The FQDN options: DHCPv4 option 81 (RFC 4702) and DHCPv6 option 39 (RFC 4704) as members of the `fqdn` space.
//!
//! On the wire both are one fixed layout; dhcpd turns their fields into the options of a virtual space
//! (`fqdn.hostname`, `fqdn.server-update`...) and builds the layout from them again (ISC
//! `common/options.c:fqdn_universe_decode`, `fqdn_option_space_encapsulate` and their DHCPv6 twins).

use super::domain::domain_name_text;
use super::packet::{Malformed, PacketOptions, save};
use super::space::Spaces;
use crate::log::Line;

/// `fqdn.no-client-update`.
pub const NO_CLIENT_UPDATE: u32 = 1;
/// `fqdn.server-update`.
pub const SERVER_UPDATE: u32 = 2;
/// `fqdn.encoded`: the name is in wire form.
pub const ENCODED: u32 = 3;
/// `fqdn.rcode1`.
pub const RCODE1: u32 = 4;
/// `fqdn.rcode2`.
pub const RCODE2: u32 = 5;
/// `fqdn.hostname`: the first label.
pub const HOSTNAME: u32 = 6;
/// `fqdn.domainname`: what follows the first label.
pub const DOMAINNAME: u32 = 7;
/// `fqdn.fqdn`: the whole name.
pub const FQDN: u32 = 8;

/// Flag S of the option: the server updates the address record.
const FLAG_SERVER: u8 = 1;
/// Flag O: in a reply, S was overridden.
const FLAG_OVERRIDE: u8 = 2;
/// Flag E: the name is in wire form.
const FLAG_ENCODED: u8 = 4;

fn put(spaces: &Spaces, options: &mut PacketOptions, code: u32, value: &[u8]) {
    save(spaces, options, spaces.by_code(Spaces::FQDN, code), value);
}

/// Reads option 81.
pub(super) fn decode(
    spaces: &Spaces,
    octets: &[u8],
    options: &mut PacketOptions,
    lines: &mut Vec<Line>,
) -> Result<(), Malformed> {
    let &[flags, rcode1, rcode2, ref name @ ..] = octets else {
        return Err(Malformed);
    };
    let encoded = flags & FLAG_ENCODED != 0;
    let mut no_client_update = flags & FLAG_OVERRIDE != 0;
    put(spaces, options, ENCODED, &[u8::from(encoded)]);
    if encoded {
        decode_labels(spaces, name, options, lines)?;
    } else {
        // A final NUL (even that of a second rcode without a name) is taken off, and dhcpd notes it in the octet of
        // another field.
        let name = match octets.split_last() {
            Some((0, _)) => {
                no_client_update = true;
                name.split_last().map_or(name, |(_, name)| name)
            }
            _ => name,
        };
        let dot = name.iter().position(|&c| c == b'.').unwrap_or(name.len());
        let (hostname, rest) = name.split_at(dot);
        if !hostname.is_empty() {
            put(spaces, options, HOSTNAME, hostname);
        }
        if let Some((_, domainname @ [_, ..])) = rest.split_first() {
            put(spaces, options, DOMAINNAME, domainname);
        }
        if !name.is_empty() {
            put(spaces, options, FQDN, name);
        }
    }
    put(spaces, options, NO_CLIENT_UPDATE, &[u8::from(no_client_update)]);
    put(spaces, options, SERVER_UPDATE, &[u8::from(flags & FLAG_SERVER != 0)]);
    put(spaces, options, RCODE1, &[rcode1]);
    put(spaces, options, RCODE2, &[rcode2]);
    Ok(())
}

/// The name of option 81 in wire form, without compression; the root label may be missing, and then the name counts as
/// a host name as a whole.
fn decode_labels(
    spaces: &Spaces,
    name: &[u8],
    options: &mut PacketOptions,
    lines: &mut Vec<Line>,
) -> Result<(), Malformed> {
    // dhcpd works in a buffer two zero octets longer than the name, and lets a label run into them.
    let mut text = name.to_vec();
    text.extend([0, 0]);
    let (mut at, mut first) = (0, 0);
    let mut terminated = false;
    while at < name.len() {
        let Some(length) = text.get(at).copied().map(usize::from) else {
            break;
        };
        if length > 63 {
            lines.push(Line::info("label length exceeds 63 in fqdn option"));
            return Err(Malformed);
        }
        if length == 0 {
            terminated = true;
            break;
        }
        if at + length > name.len() + 1 {
            lines.push(Line::info("fqdn label longer than buffer"));
            return Err(Malformed);
        }
        if first == 0 {
            first = length;
        }
        if let Some(octet) = text.get_mut(at) {
            *octet = b'.';
        }
        at += length + 1;
    }
    // The text begins after the first label's length octet, where a dot stands now.
    let total = at.saturating_sub(1);
    if !terminated {
        first = total;
    }
    let text = text.get(1..).unwrap_or_default();
    let hostname = text.get(..first).unwrap_or_default();
    if !hostname.is_empty() {
        put(spaces, options, HOSTNAME, hostname);
    }
    if total > 0 {
        let whole = text.get(..total).unwrap_or_default();
        if first != total {
            // With the dot in front, other than for a name that came as text.
            put(spaces, options, DOMAINNAME, whole.get(first..).unwrap_or_default());
        }
        put(spaces, options, FQDN, whole);
    }
    Ok(())
}

/// Reads DHCPv6 option 39.
pub(super) fn decode6(
    spaces: &Spaces,
    octets: &[u8],
    options: &mut PacketOptions,
    lines: &mut Vec<Line>,
) -> Result<(), Malformed> {
    let (&flags, name) = octets.split_first().ok_or(Malformed)?;
    put(spaces, options, ENCODED, &[1]);
    put(spaces, options, SERVER_UPDATE, &[u8::from(flags & FLAG_SERVER != 0)]);
    put(spaces, options, NO_CLIENT_UPDATE, &[u8::from(flags & FLAG_OVERRIDE != 0)]);
    // dhcpd reads on behind an unterminated name; here it ends with the option.
    let mut terminated = name.to_vec();
    terminated.push(0);
    let Ok(text) = domain_name_text(&terminated) else {
        lines.push(Line::error("Unable to convert dhcp6.fqdn domain name to printable form."));
        return Err(Malformed);
    };
    put(spaces, options, FQDN, &text);
    let dot = text.iter().position(|&c| c == b'.').unwrap_or(text.len());
    let (hostname, domainname) = text.split_at(dot);
    if !hostname.is_empty() {
        put(spaces, options, HOSTNAME, hostname);
    }
    if !domainname.is_empty() {
        put(spaces, options, DOMAINNAME, domainname);
    }
    Ok(())
}

/// The values of the `fqdn` members that make up the option.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub no_client_update: bool,
    pub server_update: bool,
    pub encoded: bool,
    pub rcode1: u8,
    pub rcode2: u8,
    pub fqdn: Vec<u8>,
}

impl Members {
    /// Takes the value of a member; absent and empty values count as zero.
    pub(super) fn take(&mut self, code: u32, value: &[u8]) {
        let first = value.first().copied().unwrap_or(0);
        match code {
            NO_CLIENT_UPDATE => self.no_client_update = first != 0,
            SERVER_UPDATE => self.server_update = first != 0,
            ENCODED => self.encoded = first != 0,
            RCODE1 => self.rcode1 = first,
            RCODE2 => self.rcode2 = first,
            FQDN => self.fqdn = value.to_vec(),
            _ => {}
        }
    }

    fn flags(&self) -> u8 {
        u8::from(self.no_client_update) * FLAG_OVERRIDE + u8::from(self.server_update) * FLAG_SERVER
    }

    /// The value of option 81; `None` if the name does not fit its form.
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Option<()> {
        let flags = self.flags() | (u8::from(self.encoded) * FLAG_ENCODED);
        out.extend([flags, self.rcode1, self.rcode2]);
        match self.encoded {
            true if !self.fqdn.is_empty() => encode_labels(&self.fqdn, out)?,
            true => {}
            false => out.extend_from_slice(&self.fqdn),
        }
        Some(())
    }

    /// The value of DHCPv6 option 39.
    pub(super) fn encode6(&self, out: &mut Vec<u8>) -> Option<()> {
        out.push(self.flags());
        if !self.fqdn.is_empty() {
            encode_labels(&self.fqdn, out)?;
        }
        Some(())
    }
}

/// Labels up to the first empty one, then the root label; no escapes and no limit of 63 octets, as in ISC
/// `common/options.c:fqdn_encode`. `None` if that takes more than two octets above the text.
fn encode_labels(name: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let room = name.len() + 2;
    let (mut used, mut at) = (0, 0);
    while at < name.len() {
        let rest = name.get(at..)?;
        let length = rest.iter().position(|&c| c == b'.' || c == 0).unwrap_or(rest.len());
        if used + 1 + length > room {
            return None;
        }
        out.push(length as u8);
        used += 1;
        if length == 0 {
            return Some(());
        }
        out.extend_from_slice(rest.get(..length)?);
        used += length;
        at += length + 1;
    }
    if used + 1 > room {
        return None;
    }
    out.push(0);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(octets: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let (mut options, mut lines) = (PacketOptions::new(), Vec::new());
        let _ = decode(&Spaces::new(), octets, &mut options, &mut lines);
        options.entries(Spaces::FQDN).iter().map(|e| (e.option.code, e.value.to_vec())).collect()
    }

    fn member(members: &[(u32, Vec<u8>)], code: u32) -> Option<&[u8]> {
        members.iter().find(|(c, _)| *c == code).map(|(_, value)| &**value)
    }

    #[test]
    fn a_name_as_text() {
        let members = decoded(b"\x01\x02\x03pc.example.org");
        assert_eq!(members.iter().map(|(c, _)| *c).collect::<Vec<_>>(), [3, 6, 7, 8, 1, 2, 4, 5]);
        assert_eq!(member(&members, HOSTNAME), Some(&b"pc"[..]));
        assert_eq!(member(&members, DOMAINNAME), Some(&b"example.org"[..]));
        assert_eq!(member(&members, FQDN), Some(&b"pc.example.org"[..]));
        assert_eq!(member(&members, SERVER_UPDATE), Some(&[1][..]));
        assert_eq!(member(&members, NO_CLIENT_UPDATE), Some(&[0][..]));
        assert_eq!((member(&members, RCODE1), member(&members, RCODE2)), (Some(&[2][..]), Some(&[3][..])));
        let members = decoded(b"\x00\x00\x00pc\0");
        assert_eq!(member(&members, FQDN), Some(&b"pc"[..]));
        assert_eq!(member(&members, DOMAINNAME), None);
        assert_eq!(member(&members, NO_CLIENT_UPDATE), Some(&[1][..]), "the mark of the NUL");
        assert!(decoded(b"\x00\x00").is_empty());
    }

    #[test]
    fn a_name_in_wire_form() {
        let members = decoded(b"\x04\x00\x00\x02pc\x07example\x00");
        assert_eq!(member(&members, HOSTNAME), Some(&b"pc"[..]));
        assert_eq!(member(&members, DOMAINNAME), Some(&b".example"[..]));
        assert_eq!(member(&members, FQDN), Some(&b"pc.example"[..]));
        let members = decoded(b"\x04\x00\x00\x02pc\x07example");
        assert_eq!(member(&members, HOSTNAME), Some(&b"pc.example"[..]));
        assert_eq!(member(&members, DOMAINNAME), None);
        assert_eq!(decoded(b"\x04\x00\x00\x40a"), [(ENCODED, vec![1])]);
        assert_eq!(decoded(b"\x04\x00\x00\x09a"), [(ENCODED, vec![1])]);
    }

    #[test]
    fn encoding() {
        let encode = |members: &Members| {
            let mut out = Vec::new();
            members.encode(&mut out).map(|()| out)
        };
        let mut members = Members { server_update: true, rcode1: 255, rcode2: 255, ..Members::default() };
        members.fqdn = b"pc.example".to_vec();
        assert_eq!(encode(&members).unwrap(), b"\x01\xff\xffpc.example");
        members.encoded = true;
        assert_eq!(encode(&members).unwrap(), b"\x05\xff\xff\x02pc\x07example\0");
        members.fqdn = b"pc.example.".to_vec();
        assert_eq!(encode(&members).unwrap(), b"\x05\xff\xff\x02pc\x07example\0");
        members.fqdn = b"pc..example".to_vec();
        assert_eq!(encode(&members).unwrap(), b"\x05\xff\xff\x02pc\0");
        members.fqdn.clear();
        assert_eq!(encode(&members).unwrap(), b"\x05\xff\xff");
    }

    #[test]
    fn dhcp6_names() {
        let (mut options, mut lines) = (PacketOptions::new(), Vec::new());
        decode6(&Spaces::new(), b"\x01\x02pc\x07example\0", &mut options, &mut lines).unwrap();
        let value = |code| options.value(Spaces::FQDN, code).map(|v| v.to_vec());
        assert_eq!(value(FQDN), Some(b"pc.example".to_vec()));
        assert_eq!(value(HOSTNAME), Some(b"pc".to_vec()));
        assert_eq!(value(DOMAINNAME), Some(b".example".to_vec()));
    }

    proptest! {
        #[test]
        fn octets_never_panic(octets: Vec<u8>) {
            let (mut options, mut lines) = (PacketOptions::new(), Vec::new());
            let _ = decode(&Spaces::new(), &octets, &mut options, &mut lines);
            let _ = decode6(&Spaces::new(), &octets, &mut options, &mut lines);
            let mut members = Members { encoded: true, ..Members::default() };
            members.take(FQDN, &octets);
            let _ = members.encode(&mut Vec::new());
        }
    }
}
