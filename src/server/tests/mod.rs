//! The engine driven by hand: configurations as text, packets built octet by octet, virtual time.

mod basics;
mod hostile;
mod parameters;
mod recorded;
mod rewriting;

use super::engine::{Engine, Settings, Setup};
use super::globals::{CommandLine, read_globals, run_again};
use super::interfaces::{Discovered, match_interfaces};
use super::startup::open_database;
use super::{CommitId, Effect, Event, Interface, InterfaceId, Route, Send};
use crate::config::network::Hardware;
use crate::config::{Family, build};
use crate::eval::bindings::Bindings;
use crate::eval::{Memory, Nothing};
use crate::syntax;
use crate::time::{Now, Seconds};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// Where virtual time begins: 2024-01-01 00:00:00 UTC.
const START: Seconds = 1_704_067_200;

/// A server on `eth0` with 10.0.0.1, the disk never failing unless told to.
struct Server {
    engine: Engine,
    elapsed: Duration,
    /// Lines, in order.
    log: Vec<String>,
    /// Replies, in order.
    sent: Vec<Send>,
    /// Addresses pinged.
    pings: Vec<Ipv4Addr>,
    /// The lease file.
    file: String,
    /// One that is being written anew, and what was appended meanwhile.
    new: Option<(String, String)>,
    /// Commits are reported back as they are asked for.
    disk_works: bool,
    /// A fatal line was logged.
    ended: bool,
    /// Commits not reported.
    held: Vec<CommitId>,
}

impl Server {
    fn new(config: &str) -> Self {
        Self::with_leases(config, "")
    }

    fn with_leases(text: &str, leases: &str) -> Self {
        Self::start(text, leases, "10.0.0.1")
    }

    /// A server with another address.
    fn on(text: &str, address: &str) -> Self {
        Self::start(text, "", address)
    }

    fn start(text: &str, leases: &str, address: &str) -> Self {
        let parsed = syntax::parse(b"dhcpd.conf", text.as_bytes().to_vec(), &mut |_: &[u8]| {
            unreachable!("no include")
        });
        let built = build(&parsed, Family::V4);
        assert!(built.accepted(), "{:#?}", built.diagnostics);
        let config = Arc::new(built.config);
        let now = Now { wall: START, tick: Duration::from_secs(1000) };
        let (mut bindings, mut memory) = (Bindings::default(), Memory::default());
        let mut lines = Vec::new();
        let command_line = CommandLine {
            family: Family::V4,
            config_file: Vec::new(),
            lease_file: Vec::new(),
            pid_file: Vec::new(),
            quiet: true,
        };
        let globals =
            read_globals(&config, &command_line, now, &mut bindings, &mut memory, &mut Nothing, &mut lines)
                .expect("globals");
        let mut effects = Vec::new();
        let database =
            open_database(&config, "dhcpd.leases", leases.as_bytes(), now, &mut Nothing, &mut effects);
        let interface = Interface {
            name: "eth0".into(),
            index: 2,
            hardware: Hardware { htype: 1, address: vec![2, 0, 0, 0, 0, 1] },
            addresses: vec![address.parse().unwrap()],
        };
        run_again(&config, now, &mut bindings, &mut memory, &mut Nothing, &mut lines).expect("root scope");
        let addresses = interface.addresses.iter().map(|&address| (0, address)).collect();
        let plan = match_interfaces(&config, &Discovered { interfaces: vec![interface], addresses }, &[]);
        let setup = Setup {
            database,
            globals: bindings,
            memory,
            settings: Settings::new(&globals, 67, 68, Ipv4Addr::BROADCAST),
            interfaces: plan.served,
        };
        let mut server = Self {
            engine: Engine::new(setup),
            elapsed: Duration::ZERO,
            log: Vec::new(),
            sent: Vec::new(),
            pings: Vec::new(),
            file: String::new(),
            new: None,
            disk_works: true,
            ended: false,
            held: Vec::new(),
        };
        server.take(effects);
        server.log.clear();
        server.file.clear();
        server
    }

    fn now(&self) -> Now {
        Now {
            wall: START + self.elapsed.as_secs() as Seconds,
            tick: Duration::from_secs(1000) + self.elapsed,
        }
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Log(line) => self.log.push(text(&line.text)),
                Effect::Write(octets) => {
                    let text = String::from_utf8_lossy(&octets);
                    self.file.push_str(&text);
                    if let Some((_, since)) = &mut self.new {
                        since.push_str(&text);
                    }
                }
                Effect::Rewrite { piece, last } => {
                    let new = self.new.get_or_insert_default();
                    new.0.push_str(&String::from_utf8_lossy(&piece));
                    if let (Some(id), Some((whole, since))) = (last, self.new.take_if(|_| last.is_some())) {
                        self.file = whole + &since;
                        self.held.push(id);
                    }
                }
                Effect::Commit(id) => self.held.push(id),
                Effect::Send(send) => self.sent.push(send),
                Effect::Ping(address) => self.pings.push(address),
                Effect::Fatal(line) => {
                    self.log.push(text(&line.text));
                    self.ended = true;
                }
            }
        }
        if self.disk_works {
            while let Some(&id) = self.held.first() {
                self.held.remove(0);
                if id.0 > 0 {
                    self.event(Event::Committed(id));
                }
            }
        }
    }

    fn event(&mut self, event: Event<'_>) {
        let mut effects = Vec::new();
        self.engine.handle(event, self.now(), &mut Nothing, &mut effects);
        self.take(effects);
    }

    fn receive(&mut self, packet: &Client) {
        self.receive_octets(&packet.encode());
    }

    fn receive_octets(&mut self, payload: &[u8]) {
        let source = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
        self.event(Event::Datagram { interface: InterfaceId(0), source, payload });
    }

    /// Lets time pass, timers firing when they are due.
    fn wait(&mut self, seconds: u64) {
        let end = self.elapsed + Duration::from_secs(seconds);
        loop {
            let next = self.engine.next_timer();
            let wall = next.wall.map(|at| Duration::from_secs((at - START).max(0) as u64));
            let tick = next.tick.map(|at| at - Duration::from_secs(1000));
            let Some(at) = wall.into_iter().chain(tick).min().filter(|&at| at <= end) else { break };
            self.elapsed = self.elapsed.max(at);
            self.event(Event::Timer);
        }
        self.elapsed = end;
    }

    /// The lines since the last call.
    fn lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// The one reply since the last call.
    fn reply(&mut self) -> Reply {
        assert_eq!(self.sent.len(), 1, "log: {:#?}", self.log);
        let send = self.sent.remove(0);
        Reply { send }
    }

    /// Nothing was sent.
    fn silent(&self) {
        assert!(self.sent.is_empty(), "log: {:#?}", self.log);
    }
}

/// Octets that need not be UTF-8, those that are not ASCII as `\\xe4`.
fn text(octets: &[u8]) -> String {
    octets.iter().map(|&c| if c < 0x80 { char::from(c).to_string() } else { format!("\\x{c:02x}") }).collect()
}

/// A reply, to be looked at.
struct Reply {
    send: Send,
}

impl Reply {
    fn option(&self, code: u8) -> Option<Vec<u8>> {
        let mut found: Option<Vec<u8>> = None;
        let mut rest = self.send.payload.get(240..).unwrap_or_default();
        while let [c, after @ ..] = rest {
            match (*c, after) {
                (0, _) => rest = after,
                (255, _) | (_, []) => break,
                (c, [length, after @ ..]) => {
                    let (value, after) = after.split_at(usize::from(*length));
                    if c == code {
                        found.get_or_insert_default().extend_from_slice(value);
                    }
                    rest = after;
                }
            }
        }
        found
    }

    /// Option codes in order.
    fn codes(&self) -> Vec<u8> {
        let mut codes = Vec::new();
        let mut rest = self.send.payload.get(240..).unwrap_or_default();
        while let [code, after @ ..] = rest {
            match (*code, after) {
                (0, _) => rest = after,
                (255, _) | (_, []) => break,
                (code, [length, after @ ..]) => {
                    codes.push(code);
                    rest = &after[usize::from(*length)..];
                }
            }
        }
        codes
    }

    fn kind(&self) -> u8 {
        self.option(53).map_or(0, |o| o[0])
    }

    fn yiaddr(&self) -> String {
        Ipv4Addr::from(<[u8; 4]>::try_from(&self.send.payload[16..20]).unwrap()).to_string()
    }

    fn seconds(&self, code: u8) -> u32 {
        u32::from_be_bytes(self.option(code).expect("option").try_into().expect("four octets"))
    }

    fn destination(&self) -> String {
        match &self.send.route {
            Route::Packet { destination, hardware, .. } => {
                format!("packet {destination} {}", super::logline::hardware_text(&hardware.address))
            }
            Route::Fallback { destination } => format!("fallback {destination}"),
        }
    }
}

/// A packet to be sent.
#[derive(Clone, Debug)]
struct Client {
    op: u8,
    htype: u8,
    hlen: u8,
    mac: u8,
    flags: u16,
    secs: u16,
    ciaddr: Ipv4Addr,
    giaddr: Ipv4Addr,
    options: Vec<(u8, Vec<u8>)>,
}

impl Client {
    /// A message from 02:00:00:00:00:MAC.
    fn new(mac: u8, kind: u8) -> Self {
        Self {
            op: 1,
            htype: 1,
            hlen: 6,
            mac,
            flags: 0,
            secs: 0,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            options: vec![(53, vec![kind])],
        }
    }

    fn discover(mac: u8) -> Self {
        Self::new(mac, 1)
    }

    fn request(mac: u8, address: &str) -> Self {
        Self::new(mac, 3).address(50, address)
    }

    fn renew(mac: u8, address: &str) -> Self {
        Self { ciaddr: address.parse().unwrap(), ..Self::new(mac, 3) }
    }

    fn bootp(mac: u8) -> Self {
        Self { options: Vec::new(), ..Self::new(mac, 0) }
    }

    fn with(mut self, code: u8, octets: &[u8]) -> Self {
        self.options.push((code, octets.to_vec()));
        self
    }

    fn address(self, code: u8, address: &str) -> Self {
        let address: Ipv4Addr = address.parse().unwrap();
        self.with(code, &address.octets())
    }

    fn relayed(self, giaddr: &str) -> Self {
        Self { giaddr: giaddr.parse().unwrap(), ..self }
    }

    fn encode(&self) -> Vec<u8> {
        let mut octets = vec![self.op, self.htype, self.hlen, 0, 0, 0, 0, self.mac];
        octets.extend(self.secs.to_be_bytes());
        octets.extend(self.flags.to_be_bytes());
        octets.extend(self.ciaddr.octets());
        octets.extend([0; 8]);
        octets.extend(self.giaddr.octets());
        octets.extend([2, 0, 0, 0, 0, self.mac]);
        octets.resize(236, 0);
        octets.extend([99, 130, 83, 99]);
        for (code, value) in &self.options {
            octets.push(*code);
            octets.push(value.len() as u8);
            octets.extend(value);
        }
        octets.push(255);
        octets.resize(octets.len().max(300), 0);
        octets
    }
}
