//! A frame of the server as text: decoded for the reader, in hexadecimal for the comparison.
//!
//! What must differ from run to run is masked in both: the identifier and checksums of frames the kernel made, the
//! identifier of a ping. Checksums are verified and then masked, because they follow from the rest.

use std::net::Ipv4Addr;

use crate::hex;
use crate::packet::{checksum, udp_checksum};
use crate::scenario::{Approx, REPLIES};
use crate::subject::Heard;

/// A DHCP reply, as far as the play needs to know it.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Option 53; `None` is BOOTP.
    pub kind: Option<u8>,
    pub xid: u32,
    pub yiaddr: Ipv4Addr,
    pub server: Option<Ipv4Addr>,
}

/// The payload of a UDP frame, if it is a DHCP or BOOTP reply.
pub fn reply(frame: &[u8]) -> Option<Reply> {
    let payload = udp(frame)?.1;
    if payload.len() < 236 || frame.get(23) != Some(&17) {
        return None;
    }
    let options = options(payload);
    let find = |code: u8| options.iter().find(|o| o.code == code).map(|o| o.value);
    Some(Reply {
        kind: find(53).and_then(|v| v.first().copied()),
        xid: u32::from_be_bytes(payload[4..8].try_into().ok()?),
        yiaddr: address(&payload[16..20]),
        server: find(54).filter(|v| v.len() == 4).map(address),
    })
}

/// The lines a transcript has for this frame.
pub fn lines(heard: &Heard, approx: &[Approx]) -> Vec<String> {
    let mut frame = heard.frame.clone();
    let mut out = Vec::new();
    let mac = |at: usize| hex::colons(frame.get(at..at + 6).unwrap_or(&[]));
    let addresses = format!("ethernet {} > {}", mac(6), mac(0));
    let title = title(&frame);
    out.push(format!("< {title} out of {}", heard.interface));
    out.push(format!("    {addresses}"));
    mask_ip(&mut frame, &mut out);
    if frame.get(23) == Some(&1) {
        out.push(format!("    ICMP type {} code {}", frame[34], frame[35]));
        if let Some(changing) = frame.get_mut(36..40) {
            changing.fill(0);
        }
    } else if udp(&frame).is_some() {
        mask_udp(&mut frame, &mut out);
        let mut masks = Vec::new();
        if let Some((_, payload)) = udp(&frame)
            && payload.len() >= 236
        {
            message(payload, heard.wall, approx, &mut out, &mut masks);
        }
        for (at, length) in masks {
            if let Some(changing) = frame.get_mut(42 + at..42 + at + length) {
                changing.fill(0xee);
            }
        }
    }
    dump(&frame, &mut out);
    out
}

/// The UDP header and payload of an Ethernet frame without IP options.
fn udp(frame: &[u8]) -> Option<(&[u8], &[u8])> {
    let total = usize::from(u16::from_be_bytes(frame.get(16..18)?.try_into().ok()?));
    let end = (14 + total).min(frame.len());
    Some((frame.get(34..42)?, frame.get(42..end)?))
}

fn title(frame: &[u8]) -> String {
    if frame.get(23) == Some(&1) {
        return format!("ping {}", frame.get(30..34).map_or(Ipv4Addr::UNSPECIFIED, address));
    }
    match reply(frame) {
        None => "something".to_owned(),
        Some(Reply { kind: None, yiaddr, .. }) => format!("BOOTREPLY {yiaddr}"),
        Some(Reply { kind: Some(n), yiaddr, .. }) => {
            let name = REPLIES.iter().find(|(_, k)| *k == n).map_or("type ?", |(name, _)| name);
            format!("{name} {yiaddr}")
        }
    }
}

fn mask_ip(frame: &mut [u8], out: &mut Vec<String>) {
    let Some(header) = frame.get_mut(14..34) else { return };
    let good = checksum(header) == 0;
    let kernel = header[8] == 64;
    let id = if kernel { "any".to_owned() } else { u16::from_be_bytes([header[4], header[5]]).to_string() };
    out.push(format!(
        "    ip {} > {} tos {:#04x} id {id} flags {:02x}{:02x} ttl {} protocol {} length {} checksum {}",
        address(&header[12..16]),
        address(&header[16..20]),
        header[1],
        header[6],
        header[7],
        header[8],
        header[9],
        u16::from_be_bytes([header[2], header[3]]),
        if good { "good" } else { "WRONG" },
    ));
    if kernel {
        header[4..6].fill(0);
    }
    header[10..12].fill(0);
}

fn mask_udp(frame: &mut [u8], out: &mut Vec<String>) {
    let Some((header, payload)) = udp(frame) else { return };
    let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (from, to) = (address(&frame[26..30]), address(&frame[30..34]));
    let mut bare = [header, payload].concat();
    bare[6..8].fill(0);
    let state = match number(6) {
        0 => "none",
        sum if sum == udp_checksum(from, to, &bare) => "good",
        // The kernel leaves the sum over the pseudo header for the card to complete.
        sum if sum == !udp_checksum(from, to, &pseudo_only(bare.len())) => "left to the card",
        _ => "WRONG",
    };
    out.push(format!("    udp {} > {} length {} checksum {state}", number(0), number(2), number(4)));
    frame[40..42].fill(0);
}

/// A datagram of zeros: its checksum is that of the pseudo header.
fn pseudo_only(length: usize) -> Vec<u8> {
    vec![0; length]
}

fn message(p: &[u8], wall: i64, approx: &[Approx], out: &mut Vec<String>, masks: &mut Vec<(usize, usize)>) {
    out.push(format!(
        "    op {} htype {} hlen {} hops {} xid {} secs {} flags {:02x}{:02x}",
        p[0],
        p[1],
        p[2],
        p[3],
        hex::colons(&p[4..8]),
        u16::from_be_bytes([p[8], p[9]]),
        p[10],
        p[11],
    ));
    out.push(format!(
        "    ciaddr {} yiaddr {} siaddr {} giaddr {}",
        address(&p[12..16]),
        address(&p[16..20]),
        address(&p[20..24]),
        address(&p[24..28]),
    ));
    out.push(format!("    chaddr {}", hex::colons(&p[28..44])));
    let all = options(p);
    let overload = all.iter().find(|o| o.code == 52).and_then(|o| o.value.first().copied()).unwrap_or(0);
    for (name, from, to, bit) in [("sname", 44, 108, 2), ("file", 108, 236, 1)] {
        let field = &p[from..to];
        if overload & bit != 0 {
            out.push(format!("    {name} holds options"));
        } else if field.iter().any(|b| *b != 0) {
            let used = field.iter().rposition(|b| *b != 0).map_or(0, |n| n + 1);
            out.push(format!("    {name} \"{}\"", hex::text(&field[..used])));
        }
    }
    for o in &all {
        let where_ = match o.at {
            44..108 => " (in sname)",
            108..236 => " (in file)",
            _ => "",
        };
        let (shown, masked) = value(o, wall, approx);
        out.push(format!("    option {} {}{where_} {shown}", o.code, name(o.code)).trim_end().to_owned());
        if masked {
            masks.push((o.at, o.value.len()));
        }
    }
    out.push(format!("    {} octets", p.len()));
}

/// One option as found in a reply.
struct Found<'a> {
    code: u8,
    value: &'a [u8],
    /// Offset of the value in the payload.
    at: usize,
}

fn options(p: &[u8]) -> Vec<Found<'_>> {
    let mut all = Vec::new();
    if p.get(236..240) != Some(&[0x63, 0x82, 0x53, 0x63]) {
        return all;
    }
    walk(p, 240, p.len(), &mut all);
    let overload = all.iter().find(|o| o.code == 52).and_then(|o| o.value.first().copied()).unwrap_or(0);
    if overload & 1 != 0 {
        walk(p, 108, 236, &mut all);
    }
    if overload & 2 != 0 {
        walk(p, 44, 108, &mut all);
    }
    all
}

fn walk<'a>(p: &'a [u8], mut at: usize, end: usize, all: &mut Vec<Found<'a>>) {
    while at < end && p[at] != 255 {
        if p[at] == 0 {
            at += 1;
            continue;
        }
        let Some(&length) = p[..end].get(at + 1) else { return };
        let Some(value) = p[..end].get(at + 2..at + 2 + usize::from(length)) else { return };
        all.push(Found { code: p[at], value, at: at + 2 });
        at += 2 + value.len();
    }
}

/// The value for a reader, and whether it shows a clock and must be masked.
fn value(o: &Found<'_>, wall: i64, approx: &[Approx]) -> (String, bool) {
    let v = o.value;
    let number = || v.iter().fold(0i64, |n, b| n << 8 | i64::from(*b));
    if matches!(o.code, 51 | 58 | 59 | 91) && v.len() == 4 {
        // An infinite lease is sent as the seconds that are left until 2038.
        if (number() + wall - 0x7fff_ffff).abs() <= 2 {
            return ("until 2038".to_owned(), true);
        }
        if approx.iter().any(|a| matches!(a, Approx::Option(code) if *code == o.code)) {
            return (format!("<~{}>", number()), true);
        }
        return (number().to_string(), false);
    }
    let shown = match o.code {
        53 => {
            let n = v.first().copied().unwrap_or(0);
            REPLIES
                .iter()
                .find(|(_, k)| *k == n)
                .map_or_else(|| n.to_string(), |(name, _)| (*name).to_owned())
        }
        1
        | 3..=11
        | 16
        | 21
        | 28
        | 32
        | 33
        | 40..=42
        | 44
        | 45
        | 48..=50
        | 54
        | 65
        | 68..=76
        | 85
        | 92
        | 118
            if v.len().is_multiple_of(4) =>
        {
            v.chunks(4).map(|a| address(a).to_string()).collect::<Vec<_>>().join(", ")
        }
        2 | 13 | 19 | 20 | 22..=27 | 29..=31 | 34..=39 | 46 | 52 | 57 if v.len() <= 4 => number().to_string(),
        12 | 14 | 15 | 17 | 18 | 47 | 56 | 60 | 62 | 64 | 66 | 67 | 100 | 101 => {
            format!("\"{}\"", hex::text(v))
        }
        _ => hex::colons(v),
    };
    (shown, false)
}

fn name(code: u8) -> &'static str {
    match code {
        1 => "subnet-mask",
        2 => "time-offset",
        3 => "routers",
        4 => "time-servers",
        6 => "domain-name-servers",
        12 => "host-name",
        15 => "domain-name",
        28 => "broadcast-address",
        33 => "static-routes",
        42 => "ntp-servers",
        43 => "vendor-encapsulated-options",
        44 => "netbios-name-servers",
        50 => "dhcp-requested-address",
        51 => "dhcp-lease-time",
        52 => "dhcp-option-overload",
        53 => "dhcp-message-type",
        54 => "dhcp-server-identifier",
        56 => "dhcp-message",
        57 => "dhcp-max-message-size",
        58 => "dhcp-renewal-time",
        59 => "dhcp-rebinding-time",
        60 => "vendor-class-identifier",
        61 => "dhcp-client-identifier",
        66 => "tftp-server-name",
        67 => "bootfile-name",
        81 => "fqdn",
        82 => "relay-agent-information",
        91 => "client-last-transaction-time",
        92 => "associated-ip",
        118 => "subnet-selection",
        119 => "domain-search",
        121 => "classless-static-routes",
        _ => "",
    }
}

fn address(octets: &[u8]) -> Ipv4Addr {
    <[u8; 4]>::try_from(octets).map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from)
}

/// Thirty-two octets a line; lines of zeros are left out.
fn dump(frame: &[u8], out: &mut Vec<String>) {
    for (index, row) in frame.chunks(32).enumerate() {
        if row.iter().all(|b| *b == 0) && (index + 1) * 32 < frame.len() {
            continue;
        }
        let octets: Vec<String> =
            row.chunks(4).map(|four| four.iter().map(|b| format!("{b:02x}")).collect()).collect();
        out.push(format!("    {:04x}  {}", index * 32, octets.join(" ")));
    }
}
