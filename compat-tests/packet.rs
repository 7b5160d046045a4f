//! What a client sends: a draft of one DHCP message and its frame, changed word by word as the scenario says.
//!
//! Everything a sane client does is the default; everything a hostile one does can be asked for, so the builder never
//! refuses: lengths, checksums and the cookie may all be wrong. Independent of the server's own packet code.

use std::net::Ipv4Addr;

use crate::hex;

/// The six octets of an Ethernet address.
pub type Mac = [u8; 6];

/// The MAC address of the router and relay agent that stands between the server and other networks.
pub const RELAY_MAC: Mac = [0x02, 0, 0, 0, 0x98, 0x01];

/// What a message is, before any change: decides message type, addresses and how it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// DHCPDISCOVER.
    Discover,
    /// DHCPREQUEST answering an offer: options 50 and 54 from the offer.
    Selecting,
    /// DHCPREQUEST after a reboot: option 50 only.
    InitReboot,
    /// DHCPREQUEST by unicast: ciaddr.
    Renew,
    /// DHCPREQUEST by broadcast: ciaddr.
    Rebind,
    /// DHCPDECLINE: options 50 and 54.
    Decline,
    /// DHCPRELEASE by unicast: ciaddr and option 54.
    Release,
    /// DHCPINFORM: ciaddr.
    Inform,
    /// DHCPLEASEQUERY from a relay agent.
    LeaseQuery,
    /// BOOTREQUEST: no option 53.
    Bootp,
    /// Any other value of option 53.
    Type(u8),
    /// These octets as the UDP payload.
    Raw(Vec<u8>),
    /// These octets as the whole frame.
    Frame(Vec<u8>),
}

/// One change to a draft, as written behind a message in a scenario.
#[derive(Clone, Debug)]
pub enum Change {
    Op(u8),
    Htype(u8),
    Hlen(u8),
    Hops(u8),
    Xid(u32),
    Secs(u16),
    Flags(u16),
    Ciaddr(Ipv4Addr),
    Yiaddr(Ipv4Addr),
    Siaddr(Ipv4Addr),
    Giaddr(Ipv4Addr),
    Chaddr(Vec<u8>),
    Sname(Vec<u8>),
    File(Vec<u8>),
    /// The address asked for: option 50, or ciaddr where the message carries the address there.
    Address(Ipv4Addr),
    /// Option with a value: replaces the one already there, else goes to the end.
    Option(u8, Vec<u8>),
    /// The same option once more, whatever is there.
    Again(u8, Vec<u8>),
    NoOption(u8),
    /// These octets instead of all options (after the cookie).
    Options(Vec<u8>),
    /// These octets behind the options, before END.
    Tail(Vec<u8>),
    /// These octets behind END.
    AfterEnd(Vec<u8>),
    NoEnd,
    Cookie(Vec<u8>),
    /// Pad the payload to at least this many octets (300 by default).
    Pad(usize),
    /// Cut the payload after this many octets.
    Truncate(usize),
    /// Through a relay agent of this address: giaddr, hops 1, unicast from it.
    Relay(Ipv4Addr),
    /// From behind a router, but not relayed: what a client of another network sends by unicast.
    Routed,
    Source(Ipv4Addr),
    Destination(Ipv4Addr),
    EthernetDestination(Mac),
    SourcePort(u16),
    DestinationPort(u16),
    BadUdpChecksum,
    NoUdpChecksum,
    BadIpChecksum,
    UdpLength(u16),
    IpLength(u16),
    Fragment(u16),
    /// Out of another interface than the first.
    On(String),
}

/// A client as the scenario describes it, and what it has learnt so far.
#[derive(Clone, Debug)]
pub struct Client {
    pub mac: Mac,
    /// Changes made to every message of this client.
    pub habits: Vec<Change>,
    /// yiaddr of the last OFFER or ACK.
    pub address: Ipv4Addr,
    /// Option 54 of the last OFFER or ACK.
    pub server: Option<Ipv4Addr>,
    /// The transaction that is under way.
    pub xid: u32,
}

impl Client {
    /// Through which relay agent this client's broadcasts travel.
    fn relay(&self) -> Option<Ipv4Addr> {
        self.habits.iter().rev().find_map(|c| if let Change::Relay(a) = c { Some(*a) } else { None })
    }
}

/// The server's side of the wire the frame travels on.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub server_mac: Mac,
    pub server_address: Ipv4Addr,
}

/// A message ready to go, every field changeable.
#[derive(Clone, Debug)]
pub struct Draft {
    op: u8,
    htype: u8,
    hlen: u8,
    hops: u8,
    pub xid: u32,
    secs: u16,
    flags: u16,
    ciaddr: Ipv4Addr,
    yiaddr: Ipv4Addr,
    siaddr: Ipv4Addr,
    pub giaddr: Ipv4Addr,
    chaddr: Vec<u8>,
    sname: Vec<u8>,
    file: Vec<u8>,
    cookie: Vec<u8>,
    options: Vec<(u8, Vec<u8>)>,
    whole_options: Option<Vec<u8>>,
    tail: Vec<u8>,
    after_end: Vec<u8>,
    end: bool,
    pad: usize,
    truncate: Option<usize>,
    raw: Option<Vec<u8>>,
    frame: Option<Vec<u8>>,
    in_ciaddr: bool,
    /// The IP source is the ciaddr.
    from_ciaddr: bool,
    ethernet: (Mac, Mac),
    source: Ipv4Addr,
    destination: Ipv4Addr,
    ports: (u16, u16),
    bad_udp: bool,
    no_udp: bool,
    bad_ip: bool,
    udp_length: Option<u16>,
    ip_length: Option<u16>,
    fragment: u16,
    /// Interface name when not the first.
    pub on: Option<String>,
    link: Link,
}

const BROADCAST: Ipv4Addr = Ipv4Addr::BROADCAST;
const NOWHERE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

impl Draft {
    /// The message `kind` as `client` would send it, then changed by its habits and by `changes`.
    pub fn new(kind: &Kind, client: &Client, link: Link, changes: &[Change]) -> Self {
        let mut d = Self::blank(client, link);
        let asked = |d: &mut Self| d.options.push((50, client.address.octets().to_vec()));
        let server = client.server.unwrap_or(link.server_address);
        match kind {
            Kind::Discover => d.message_type(1),
            Kind::Selecting => {
                d.message_type(3);
                asked(&mut d);
                d.options.push((54, server.octets().to_vec()));
            }
            Kind::InitReboot => {
                d.message_type(3);
                asked(&mut d);
            }
            Kind::Renew | Kind::Rebind => {
                d.message_type(3);
                d.bound(client.address);
            }
            Kind::Decline => {
                d.message_type(4);
                asked(&mut d);
                d.options.push((54, server.octets().to_vec()));
            }
            Kind::Release => {
                d.message_type(7);
                d.options.push((54, server.octets().to_vec()));
                d.bound(client.address);
            }
            Kind::Inform => {
                d.message_type(8);
                d.bound(client.address);
            }
            Kind::LeaseQuery => {
                d.message_type(10);
                d.in_ciaddr = true;
            }
            Kind::Bootp => {}
            Kind::Type(n) => d.message_type(*n),
            Kind::Raw(octets) => d.raw = Some(octets.clone()),
            Kind::Frame(octets) => d.frame = Some(octets.clone()),
        }
        let unicast = matches!(kind, Kind::Renew | Kind::Release);
        for change in &client.habits {
            match change {
                Change::Relay(_) if unicast => d.apply(&Change::Routed),
                _ => d.apply(change),
            }
        }
        if unicast && client.relay().is_none() {
            d.ethernet.1 = link.server_mac;
        }
        if unicast {
            d.source = client.address;
            d.destination = server;
        }
        for change in changes {
            d.apply(change);
        }
        d
    }

    fn blank(client: &Client, link: Link) -> Self {
        Self {
            op: 1,
            htype: 1,
            hlen: 6,
            hops: 0,
            xid: client.xid,
            secs: 0,
            flags: 0,
            ciaddr: NOWHERE,
            yiaddr: NOWHERE,
            siaddr: NOWHERE,
            giaddr: NOWHERE,
            chaddr: client.mac.to_vec(),
            sname: Vec::new(),
            file: Vec::new(),
            cookie: vec![0x63, 0x82, 0x53, 0x63],
            options: Vec::new(),
            whole_options: None,
            tail: Vec::new(),
            after_end: Vec::new(),
            end: true,
            pad: 300,
            truncate: None,
            raw: None,
            frame: None,
            in_ciaddr: false,
            from_ciaddr: false,
            ethernet: (client.mac, [0xff; 6]),
            source: NOWHERE,
            destination: BROADCAST,
            ports: (68, 67),
            bad_udp: false,
            no_udp: false,
            bad_ip: false,
            udp_length: None,
            ip_length: None,
            fragment: 0,
            on: None,
            link,
        }
    }

    fn message_type(&mut self, n: u8) {
        self.options.insert(0, (53, vec![n]));
    }

    fn bound(&mut self, address: Ipv4Addr) {
        self.in_ciaddr = true;
        self.from_ciaddr = true;
        self.ciaddr = address;
        self.source = address;
    }

    fn set(&mut self, code: u8, value: &[u8]) {
        match self.options.iter_mut().find(|(c, _)| *c == code) {
            Some((_, old)) => *old = value.to_vec(),
            None => self.options.push((code, value.to_vec())),
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Op(v) => self.op = *v,
            Change::Htype(v) => self.htype = *v,
            Change::Hlen(v) => self.hlen = *v,
            Change::Hops(v) => self.hops = *v,
            Change::Xid(v) => self.xid = *v,
            Change::Secs(v) => self.secs = *v,
            Change::Flags(v) => self.flags = *v,
            Change::Ciaddr(v) => self.ciaddr = *v,
            Change::Yiaddr(v) => self.yiaddr = *v,
            Change::Siaddr(v) => self.siaddr = *v,
            Change::Giaddr(v) => self.giaddr = *v,
            Change::Chaddr(v) => self.chaddr.clone_from(v),
            Change::Sname(v) => self.sname.clone_from(v),
            Change::File(v) => self.file.clone_from(v),
            Change::Address(v) if self.in_ciaddr => {
                if self.from_ciaddr {
                    self.source = *v;
                }
                self.ciaddr = *v;
            }
            Change::Address(v) => self.set(50, &v.octets()),
            Change::Option(code, value) => self.set(*code, value),
            Change::Again(code, value) => self.options.push((*code, value.clone())),
            Change::NoOption(code) => self.options.retain(|(c, _)| c != code),
            Change::Options(octets) => self.whole_options = Some(octets.clone()),
            Change::Tail(octets) => self.tail.clone_from(octets),
            Change::AfterEnd(octets) => self.after_end.clone_from(octets),
            Change::NoEnd => self.end = false,
            Change::Cookie(octets) => self.cookie.clone_from(octets),
            Change::Pad(n) => self.pad = *n,
            Change::Truncate(n) => self.truncate = Some(*n),
            Change::Relay(agent) => {
                self.giaddr = *agent;
                self.hops = 1;
                self.apply(&Change::Routed);
                self.source = *agent;
                self.from_ciaddr = false;
                self.destination = self.link.server_address;
                self.ports = (67, 67);
            }
            Change::Routed => self.ethernet = (RELAY_MAC, self.link.server_mac),
            Change::Source(v) => {
                self.source = *v;
                self.from_ciaddr = false;
            }
            Change::Destination(v) => self.destination = *v,
            Change::EthernetDestination(v) => self.ethernet.1 = *v,
            Change::SourcePort(v) => self.ports.0 = *v,
            Change::DestinationPort(v) => self.ports.1 = *v,
            Change::BadUdpChecksum => self.bad_udp = true,
            Change::NoUdpChecksum => self.no_udp = true,
            Change::BadIpChecksum => self.bad_ip = true,
            Change::UdpLength(v) => self.udp_length = Some(*v),
            Change::IpLength(v) => self.ip_length = Some(*v),
            Change::Fragment(v) => self.fragment = *v,
            Change::On(name) => self.on = Some(name.clone()),
        }
    }

    /// The IP and Ethernet source addresses.
    pub fn sender(&self) -> (Ipv4Addr, Mac) {
        (self.source, self.ethernet.0)
    }

    /// The UDP payload.
    pub fn payload(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut p = vec![self.op, self.htype, self.hlen, self.hops];
        p.extend(self.xid.to_be_bytes());
        p.extend(self.secs.to_be_bytes());
        p.extend(self.flags.to_be_bytes());
        for address in [self.ciaddr, self.yiaddr, self.siaddr, self.giaddr] {
            p.extend(address.octets());
        }
        for (field, size) in [(&self.chaddr, 16), (&self.sname, 64), (&self.file, 128)] {
            let mut field = field.clone();
            field.resize(size, 0);
            p.extend(field);
        }
        p.extend(&self.cookie);
        match &self.whole_options {
            Some(octets) => p.extend(octets),
            None => {
                for (code, value) in &self.options {
                    for piece in pieces(value) {
                        p.push(*code);
                        p.push(piece.len() as u8);
                        p.extend(piece);
                    }
                }
            }
        }
        p.extend(&self.tail);
        if self.end {
            p.push(255);
        }
        p.extend(&self.after_end);
        if p.len() < self.pad {
            p.resize(self.pad, 0);
        }
        if let Some(n) = self.truncate {
            p.truncate(n);
        }
        p
    }

    /// The whole frame, from the Ethernet destination to the last octet of the payload.
    pub fn frame(&self) -> Vec<u8> {
        if let Some(frame) = &self.frame {
            return frame.clone();
        }
        let payload = self.payload();
        let mut udp = Vec::with_capacity(payload.len() + 8);
        udp.extend(self.ports.0.to_be_bytes());
        udp.extend(self.ports.1.to_be_bytes());
        udp.extend(self.udp_length.unwrap_or((payload.len() + 8) as u16).to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(payload);
        if !self.no_udp {
            let sum =
                udp_checksum(self.source, self.destination, &udp) ^ if self.bad_udp { 0x5555 } else { 0 };
            udp[6..8].copy_from_slice(&sum.to_be_bytes());
        }
        let length = self.ip_length.unwrap_or((udp.len() + 20) as u16);
        let mut ip = ip_header(self.source, self.destination, 17, length, self.fragment);
        if self.bad_ip {
            ip[10] ^= 0x55;
        }
        ethernet(self.ethernet.1, self.ethernet.0, 0x0800, &[&ip[..], &udp].concat())
    }
}

/// An option longer than 255 octets travels in pieces (RFC 3396).
fn pieces(value: &[u8]) -> Vec<&[u8]> {
    if value.is_empty() { vec![value] } else { value.chunks(255).collect() }
}

/// An Ethernet frame.
pub fn ethernet(to: Mac, from: Mac, kind: u16, body: &[u8]) -> Vec<u8> {
    [&to[..], &from, &kind.to_be_bytes(), body].concat()
}

/// A 20-octet IPv4 header with a right checksum.
pub fn ip_header(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, length: u16, fragment: u16) -> [u8; 20] {
    let mut h = [0u8; 20];
    h[0] = 0x45;
    h[2..4].copy_from_slice(&length.to_be_bytes());
    h[6..8].copy_from_slice(&fragment.to_be_bytes());
    h[8] = 64;
    h[9] = protocol;
    h[12..16].copy_from_slice(&from.octets());
    h[16..20].copy_from_slice(&to.octets());
    let sum = checksum(&h);
    h[10..12].copy_from_slice(&sum.to_be_bytes());
    h
}

/// The Internet checksum of `octets`; over octets that contain their checksum it gives 0 when that is right.
pub fn checksum(octets: &[u8]) -> u16 {
    let mut sum: u32 = octets
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The checksum of a UDP datagram (header with checksum 0, and payload) with its pseudo header.
pub fn udp_checksum(from: Ipv4Addr, to: Ipv4Addr, udp: &[u8]) -> u16 {
    let mut all = Vec::with_capacity(udp.len() + 12);
    all.extend(from.octets());
    all.extend(to.octets());
    all.extend([0, 17]);
    all.extend((udp.len() as u16).to_be_bytes());
    all.extend(udp);
    match checksum(&all) {
        0 => 0xffff,
        sum => sum,
    }
}

/// An ARP answer: `address` is at `mac`, told to the asker of `request` (a whole frame).
pub fn arp_answer(request: &[u8], address: Ipv4Addr, mac: Mac) -> Option<Vec<u8>> {
    let asker: Mac = request.get(22..28)?.try_into().ok()?;
    let asker_address = request.get(28..32)?;
    let body = [&[0, 1, 8, 0, 6, 4, 0, 2], &mac[..], &address.octets(), &asker, asker_address].concat();
    Some(ethernet(asker, mac, 0x0806, &body))
}

/// An ICMP echo reply to the echo request in `request` (a whole frame), from `mac`.
pub fn echo_reply(request: &[u8], mac: Mac) -> Option<Vec<u8>> {
    let asker: Mac = request.get(6..12)?.try_into().ok()?;
    let total = usize::from(u16::from_be_bytes(request.get(16..18)?.try_into().ok()?));
    let mut icmp = request.get(34..14 + total)?.to_vec();
    *icmp.get_mut(0)? = 0;
    icmp.get_mut(2..4)?.fill(0);
    let sum = checksum(&icmp);
    icmp.get_mut(2..4)?.copy_from_slice(&sum.to_be_bytes());
    let from: [u8; 4] = request.get(30..34)?.try_into().ok()?;
    let to: [u8; 4] = request.get(26..30)?.try_into().ok()?;
    let header = ip_header(from.into(), to.into(), 1, total as u16, 0);
    Some(ethernet(asker, mac, 0x0800, &[&header[..], &icmp].concat()))
}

/// The packet that marks a place in the server's log: an hlen of 255, which dhcpd answers with exactly one line and
/// nothing else (`Discarding packet with bogus hlen.`).
pub fn fence(link: Link) -> Vec<u8> {
    let nobody = Client {
        mac: [0x02, 0, 0, 0, 0x97, 0x01],
        habits: Vec::new(),
        address: NOWHERE,
        server: None,
        xid: 0,
    };
    Draft::new(&Kind::Bootp, &nobody, link, &[Change::Hlen(255)]).frame()
}

/// Parse `02:00:00:00:00:01`.
pub fn mac(text: &str) -> Result<Mac, String> {
    hex::parse(text)?.try_into().map_err(|_| format!("{text}: not an Ethernet address"))
}
