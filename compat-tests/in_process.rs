//! The engine alone, on virtual time: no root, no sockets, no waiting.
//!
//! Plays the part of the kernel and of `runtime`: routes, ARP and packet filter are imitated, the lease file is a
//! buffer, every commit succeeds at once, and a wait moves a clock forward from timer to timer. So the recorded
//! transcripts of the real dhcpd also count where it is not installed.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use relet::config::network::Hardware;
use relet::eval::{Environment, NotRun, ResolveError};
use relet::log::Line;
use relet::runtime::args::{Cli, banner};
use relet::runtime::configuration::{Loaded, load};
use relet::runtime::fatal::Fatal;
use relet::runtime::settings::Network;
use relet::server::duid;
use relet::server::engine::{Engine, Settings, Setup};
use relet::server::globals::{CommandLine, run_again};
use relet::server::interfaces::{Discovered, Step, match_interfaces};
use relet::server::startup::{STARTUP_COMMIT, open_database};
use relet::server::{Effect, Event, Interface, InterfaceId, Route, Send};
use relet::time::Now;
use relet::wire::frame::{Auxiliary, BROADCAST, FrameDecoder, Headers, assemble};

use crate::packet::{self, Mac, RELAY_MAC, udp_checksum};
use crate::scenario::{Action, Scenario, fill_in};
use crate::subject::{Ending, Heard, Outcome, Stored, Subject};

/// When virtual time begins: an arbitrary second.
const EPOCH: i64 = 1_790_000_000;
/// A time that is not tuned to whole seconds, as in the real runs.
const START: Duration = Duration::from_millis(10);

/// What a step takes.
const STEP: Duration = Duration::from_millis(20);

/// Whether the engine alone can play this scenario.
pub fn can_play(scenario: &Scenario) -> bool {
    let process = |a: &Action| matches!(a, Action::Run(_) | Action::Link { .. });
    let standard = scenario.command.iter().any(|w| w == "dhcpd.conf");
    scenario.process_only.is_none() && standard && !scenario.steps.iter().any(|s| process(&s.action))
}

/// An environment in which no name has an address and no program runs.
struct Nothing;

impl Environment for Nothing {
    fn resolve(&mut self, _: &str) -> Result<Vec<Ipv4Addr>, ResolveError> {
        Err(ResolveError::HostUnknown)
    }

    fn reverse(&mut self, _: Ipv4Addr) -> Option<String> {
        None
    }

    fn hostname(&mut self) -> Vec<u8> {
        b"host".to_vec()
    }

    fn execute(&mut self, _: &[u8], _: &[Vec<u8>]) -> Result<i32, NotRun> {
        Err(NotRun::NotStarted("No such file or directory".to_owned()))
    }
}

/// What happens next to the engine, without the borrowed payload of [`Event`].
enum Next {
    Frame(usize, Vec<u8>),
    /// A frame of the server's own kernel: its checksum is left to the card.
    Own(usize, Vec<u8>),
    Echo(Ipv4Addr),
    Committed(relet::server::CommitId),
}

/// One engine and the world around it.
pub struct InProcess {
    interfaces: Vec<crate::scenario::Interface>,
    routes: Vec<(String, Ipv4Addr)>,
    directory: tempfile::TempDir,
    files: BTreeMap<String, Vec<u8>>,
    neighbours: HashMap<Ipv4Addr, (Mac, bool)>,
    /// What the kernel has learnt by ARP. It does not ask again while a scenario lasts.
    learnt: HashMap<Ipv4Addr, Mac>,
    engine: Option<Engine>,
    decoder: FrameDecoder,
    port: u16,
    /// What the fallback socket is bound to.
    local_address: Ipv4Addr,
    leases: String,
    /// A new lease file being written, and what was appended meanwhile.
    rewriting: Option<(Vec<u8>, Vec<u8>)>,
    queue: VecDeque<Next>,
    lines: Vec<Vec<u8>>,
    heard: VecDeque<Heard>,
    now: Duration,
    ending: Option<Ending>,
}

impl InProcess {
    /// The world of `scenario`, before anything happened.
    pub fn new(scenario: &Scenario) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|e| e.to_string())?;
        let fill = |(name, text): &(String, String)| (name.clone(), fill_in(text, EPOCH).into_bytes());
        Ok(Self {
            interfaces: scenario.interfaces.clone(),
            routes: scenario.routes.clone(),
            directory,
            files: scenario.files.iter().map(fill).collect(),
            neighbours: scenario.routes.iter().map(|(_, via)| (*via, (RELAY_MAC, false))).collect(),
            learnt: HashMap::new(),
            engine: None,
            decoder: FrameDecoder::default(),
            port: 67,
            local_address: Ipv4Addr::UNSPECIFIED,
            leases: String::new(),
            rewriting: None,
            queue: VecDeque::new(),
            lines: Vec::new(),
            heard: VecDeque::new(),
            now: START,
            ending: None,
        })
    }

    fn clock(&self) -> Now {
        Now { wall: EPOCH + self.now.as_secs() as i64, tick: self.now }
    }

    fn log(&mut self, line: &Line) {
        self.lines.extend(line.text.split(|b| *b == b'\n').map(<[u8]>::to_vec));
    }

    fn fatal(&mut self, line: Vec<u8>) {
        self.lines.extend(Fatal::new(line).lines().into_iter().map(|line| line.text));
        self.ending = Some(Ending::Status(1));
        self.engine = None;
    }

    /// Everything of start-up up to `Server starting service.`; an error is the fatal line.
    fn boot(&mut self, arguments: &[String]) -> Result<(), Vec<u8>> {
        let words: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let reading = Cli::read(OsStr::new("dhcpd"), &words);
        reading.lines.iter().for_each(|l| self.log(l));
        let cli = reading.outcome?;
        banner().iter().for_each(|l| self.log(l));
        let value =
            |flag: &str| arguments.iter().skip_while(|a| *a != flag).nth(1).cloned().unwrap_or_default();
        let (conf, leases, pid) = (value("-cf"), value("-lf"), value("-pf"));
        for (name, octets) in &self.files {
            std::fs::write(self.directory.path().join(name), octets).map_err(|e| e.to_string())?;
        }
        let mut lines = Vec::new();
        let network = Network::resolve(&cli, |_: &str| None::<OsString>, &mut lines);
        let network = network.map_err(|f| f.text().to_vec())?;
        let path = self.directory.path().join(&conf);
        let shown = self.directory.path().join(&leases).display().to_string();
        let command_line = CommandLine {
            family: cli.family(),
            config_file: conf.clone().into_bytes(),
            lease_file: shown.clone().into_bytes(),
            pid_file: pid.clone().into_bytes(),
            quiet: cli.quiet,
        };
        let loaded = load(&path, &command_line, self.clock(), &mut Nothing, &mut lines);
        lines.drain(..).for_each(|l| self.log(&l));
        let Loaded { config, mut bindings, mut memory, globals, unsupported } =
            loaded.map_err(|f| f.text().to_vec())?;
        if let Some(what) = unsupported.first() {
            return Err(format!("not built yet: {what}").into_bytes());
        }
        let settings =
            Settings::new(&globals, network.local_port, network.remote_port, network.limited_broadcast);
        self.port = settings.local_port;
        self.local_address = globals.local_address.unwrap_or(network.local_address);
        let pid = String::from_utf8_lossy(&globals.pid_file).into_owned();
        // The files are here by their names alone.
        let leases =
            String::from_utf8_lossy(&globals.lease_file).replace(&format!("{}/", self.directory()), "");
        let text = self.files.get(&leases).cloned().ok_or("no lease file")?;
        self.leases = leases;
        let mut effects = Vec::new();
        let database = open_database(&config, &shown, &text, self.clock(), &mut Nothing, &mut effects);
        for effect in effects {
            self.perform(effect);
        }
        self.queue.clear();
        let discovered: Vec<Interface> = self
            .interfaces
            .iter()
            .enumerate()
            .map(|(n, i)| Interface {
                name: i.name.clone(),
                index: n as u32 + 2,
                hardware: Hardware { htype: 1, address: i.mac.to_vec() },
                addresses: i.addresses.iter().filter_map(|a| a.split('/').next()?.parse().ok()).collect(),
            })
            .collect();
        let addresses = discovered
            .iter()
            .enumerate()
            .flat_map(|(n, i)| i.addresses.iter().map(move |&a| (n, a)))
            .collect();
        let plan = match_interfaces(&config, &Discovered { interfaces: discovered, addresses }, &[]);
        for step in plan.steps {
            match step {
                Step::Log(line) | Step::Fallback(line) => self.log(&line),
                Step::Open { lines, .. } => lines.iter().for_each(|l| self.log(l)),
                Step::Fatal(line) => return Err(line.text),
            }
        }
        self.files.insert(pid, b"1\n".to_vec());
        let again = run_again(&config, self.clock(), &mut bindings, &mut memory, &mut Nothing, &mut lines);
        lines.iter().for_each(|l| self.log(l));
        let option = again.map_err(|f| f.0.text)?;
        let first = plan.served.first().map(|served| &served.interface.hardware);
        let duid = duid::server_duid(&config, &database, option, first, self.clock().wall)
            .ok_or("Unable to set server identifier.")?;
        let entry = duid::entry(&config, &duid);
        self.files.entry(self.leases.clone()).or_default().extend_from_slice(&entry);
        self.lines.push(b"Server starting service.".to_vec());
        let setup = Setup { database, globals: bindings, memory, settings, interfaces: plan.served };
        self.engine = Some(Engine::new(setup));
        self.queue.push_back(Next::Committed(STARTUP_COMMIT));
        Ok(())
    }

    /// Hand the engine everything that waits, and what is due.
    fn work(&mut self) {
        while self.engine.is_some() {
            if let Some(next) = self.queue.pop_front() {
                self.one(next);
                continue;
            }
            let timer = self.engine.as_ref().map(Engine::next_timer).unwrap_or_default();
            let now = self.clock();
            if !(timer.wall.is_some_and(|w| w <= now.wall) || timer.tick.is_some_and(|t| t <= now.tick)) {
                return;
            }
            self.handle(Event::Timer);
        }
    }

    fn one(&mut self, next: Next) {
        match next {
            Next::Committed(commit) => self.handle(Event::Committed(commit)),
            Next::Echo(from) => self.handle(Event::EchoReply { from }),
            Next::Frame(..) | Next::Own(..) => {
                let ready = matches!(next, Next::Frame(..));
                let (Next::Frame(wire, frame) | Next::Own(wire, frame)) = next else { return };
                let served = self.engine.as_ref().and_then(|e| {
                    e.interfaces().iter().position(|s| s.interface.name == self.interfaces[wire].name)
                });
                let Some(served) = served.filter(|_| self.passes(&frame)) else { return };
                let mut lines = Vec::new();
                let auxiliary = Auxiliary { checksum_ready: ready, ..Auxiliary::default() };
                let datagram = self.decoder.decode(&frame, auxiliary, &mut lines);
                let datagram = datagram.map(|d| (d.source, d.payload.to_vec()));
                lines.iter().for_each(|l| self.log(l));
                if let Some((source, payload)) = datagram {
                    self.handle(Event::Datagram {
                        interface: InterfaceId(served),
                        source,
                        payload: &payload,
                    });
                }
            }
        }
    }

    fn handle(&mut self, event: Event<'_>) {
        let now = self.clock();
        let mut effects = Vec::new();
        if let Some(engine) = &mut self.engine {
            engine.handle(event, now, &mut Nothing, &mut effects);
        }
        effects.into_iter().for_each(|e| self.perform(e));
    }

    /// The packet filter: an unfragmented UDP datagram for our port.
    fn passes(&self, frame: &[u8]) -> bool {
        let short = |at: usize| frame.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
        let header = usize::from(frame.get(14).copied().unwrap_or(0) & 15) * 4;
        short(12) == Some(0x0800)
            && frame.get(23) == Some(&17)
            && short(20).is_some_and(|f| f & 0x1fff == 0)
            && short(14 + header + 2) == Some(self.port)
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Log(line) => self.log(&line),
            Effect::Fatal(line) => self.fatal(line.text),
            Effect::Write(octets) => {
                if let Some((_, since)) = &mut self.rewriting {
                    since.extend(&octets);
                }
                self.files.entry(self.leases.clone()).or_default().extend(octets);
            }
            Effect::Commit(commit) => self.queue.push_back(Next::Committed(commit)),
            Effect::Rewrite { piece, last } => {
                let (mut new, since) = self.rewriting.take().unwrap_or_default();
                new.extend(piece);
                let Some(commit) = last else {
                    self.rewriting = Some((new, since));
                    return;
                };
                new.extend(since);
                let old = self.files.insert(self.leases.clone(), new);
                self.files.insert(format!("{}~", self.leases), old.unwrap_or_default());
                self.queue.push_back(Next::Committed(commit));
            }
            Effect::Send(send) => self.send(&send),
            Effect::Ping(address) => self.ping(address),
        }
    }

    fn send(&mut self, send: &Send) {
        match &send.route {
            Route::Packet { interface, hardware, source, destination } => {
                let Some(served) = self.engine.as_ref().and_then(|e| e.interfaces().get(interface.0)) else {
                    return;
                };
                let name = served.interface.name.clone();
                let six = |octets: &[u8]| octets.try_into().ok();
                let headers = Headers {
                    hardware_source: six(&served.interface.hardware.address).unwrap_or([0; 6]),
                    hardware_destination: six(&hardware.address).unwrap_or(BROADCAST),
                    source: SocketAddrV4::new(*source, self.port),
                    destination: *destination,
                };
                let mut frame = Vec::new();
                if assemble(&headers, &send.payload, &mut frame).is_ok() {
                    self.hear(&name, frame);
                }
            }
            Route::Fallback { destination } => {
                let Some((wire, hop)) = self.route(*destination.ip()) else {
                    self.unreachable(send);
                    return;
                };
                let bound = Some(self.local_address).filter(|address| !address.is_unspecified());
                let source = bound.unwrap_or_else(|| self.source(wire, hop));
                let datagram = self.udp(source, *destination, &send.payload);
                let Some(frame) = self.kernel(wire, hop, (source, *destination.ip()), 17, &datagram) else {
                    return;
                };
                // The packet socket hears what the kernel sends to our own port.
                if destination.port() == self.port {
                    self.queue.push_back(Next::Own(wire, frame));
                }
            }
        }
    }

    fn unreachable(&mut self, send: &Send) {
        self.lines.push(b"send_packet: Network is unreachable".to_vec());
        self.lines.push(b"send_packet: please consult README file regarding broadcast address.".to_vec());
        if let Some(site) = send.failure_site {
            let n = send.payload.len();
            let text = format!("{site}: Failed to send {n} byte long packet over fallback interface.");
            self.lines.push(text.into_bytes());
        }
    }

    fn ping(&mut self, address: Ipv4Addr) {
        let echo = relet::wire::icmp::echo_request(1);
        let Some((wire, hop)) = self.route(address) else { return };
        let source = self.source(wire, hop);
        let sent = self.kernel(wire, hop, (source, address), 1, &echo).is_some();
        if sent && self.neighbours.get(&address).is_some_and(|n| n.1) {
            self.queue.push_back(Next::Echo(address));
        }
    }

    /// A datagram whose checksum the kernel leaves to the card.
    fn udp(&self, source: Ipv4Addr, to: SocketAddrV4, payload: &[u8]) -> Vec<u8> {
        let length = payload.len() + 8;
        let sum = !udp_checksum(source, *to.ip(), &vec![0; length]);
        let head = [self.port, to.port(), length as u16, sum].map(u16::to_be_bytes).concat();
        [&head[..], payload].concat()
    }

    /// The interface and the next hop towards an address.
    fn route(&self, to: Ipv4Addr) -> Option<(usize, Ipv4Addr)> {
        let direct =
            |a: Ipv4Addr| self.interfaces.iter().position(|i| i.addresses.iter().any(|p| within(p, a)));
        if let Some(wire) = direct(to) {
            return Some((wire, to));
        }
        let (_, via) = self.routes.iter().find(|(prefix, _)| within(prefix, to))?;
        Some((direct(*via)?, *via))
    }

    /// The address that the kernel gives to what leaves towards `hop`: the first one of that network.
    fn source(&self, wire: usize, hop: Ipv4Addr) -> Ipv4Addr {
        let Some(interface) = self.interfaces.get(wire) else { return Ipv4Addr::UNSPECIFIED };
        let of_network = interface.addresses.iter().find(|prefix| within(prefix, hop));
        let address = of_network.and_then(|prefix| prefix.split('/').next()?.parse().ok());
        address.unwrap_or_else(|| interface.address())
    }

    /// Send as the kernel would; nothing leaves when nobody answers ARP.
    fn kernel(
        &mut self,
        wire: usize,
        hop: Ipv4Addr,
        (source, to): (Ipv4Addr, Ipv4Addr),
        protocol: u8,
        body: &[u8],
    ) -> Option<Vec<u8>> {
        let mac = match self.learnt.get(&hop) {
            Some(mac) => *mac,
            None => self.neighbours.get(&hop)?.0,
        };
        self.learnt.insert(hop, mac);
        let interface = self.interfaces.get(wire)?;
        let (name, own) = (interface.name.clone(), interface.mac);
        let header = packet::ip_header(source, to, protocol, (body.len() + 20) as u16, 0x4000);
        let frame = packet::ethernet(mac, own, 0x0800, &[&header[..], body].concat());
        self.hear(&name, frame.clone());
        Some(frame)
    }

    fn hear(&mut self, interface: &str, frame: Vec<u8>) {
        self.heard.push_back(Heard { interface: interface.to_owned(), frame, wall: self.clock().wall });
    }

    /// Move the clock to `end`, stopping at each timer on the way, or at the first frame if `eager`.
    fn pass(&mut self, end: Duration, eager: bool) {
        loop {
            self.work();
            if eager && !self.heard.is_empty() {
                return;
            }
            let timer = self.engine.as_ref().map(Engine::next_timer).unwrap_or_default();
            let wall = timer.wall.map(|w| Duration::from_secs(u64::try_from(w - EPOCH).unwrap_or(0)));
            match [wall, timer.tick].into_iter().flatten().min() {
                Some(due) if due <= end => self.now = self.now.max(due),
                _ => break,
            }
        }
        self.now = self.now.max(end);
    }
}

/// Whether the address is in the network of `prefix`.
fn within(prefix: &str, address: Ipv4Addr) -> bool {
    let parts = prefix
        .split_once('/')
        .and_then(|(network, length)| Some((network.parse::<Ipv4Addr>().ok()?, length.parse::<u32>().ok()?)));
    parts.is_some_and(|(network, length)| {
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        u32::from(network) & mask == u32::from(address) & mask
    })
}

impl Subject for InProcess {
    fn start(&mut self, arguments: &[String]) -> Result<(), String> {
        self.ending = None;
        self.decoder = FrameDecoder::default();
        if let Err(line) = self.boot(arguments) {
            self.fatal(line);
        }
        self.work();
        Ok(())
    }

    fn stop(&mut self, kill: bool) -> Ending {
        self.queue.clear();
        match self.engine.take() {
            Some(_) => Ending::Signal(if kill { 9 } else { 15 }),
            None => self.ending.take().unwrap_or(Ending::NotRunning),
        }
    }

    fn run(&mut self, _: &[String]) -> Result<Outcome, String> {
        Err("the engine alone cannot run a command".to_owned())
    }

    fn swap(&mut self) {}

    fn transmit(&mut self, interface: Option<&str>, frame: &[u8]) -> Result<(), String> {
        let wire = match interface {
            None => 0,
            Some(name) => self
                .interfaces
                .iter()
                .position(|i| i.name == name)
                .ok_or_else(|| format!("no interface {name}"))?,
        };
        self.queue.push_back(Next::Frame(wire, frame.to_vec()));
        self.work();
        Ok(())
    }

    fn settle(&mut self) -> Vec<Vec<u8>> {
        self.work();
        self.pass(self.now + STEP, false);
        std::mem::take(&mut self.lines)
    }

    fn lines(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.lines)
    }

    fn syslog(&mut self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn receive(&mut self, patience: Duration) -> Option<Heard> {
        if self.heard.is_empty() && !patience.is_zero() {
            self.pass(self.now + patience, true);
        }
        self.heard.pop_front()
    }

    fn wait_until(&mut self, offset: Duration) {
        self.pass(START + offset, false);
    }

    fn answer(&mut self, address: Ipv4Addr, mac: Mac, ping: bool) {
        let entry = self.neighbours.entry(address).or_insert((mac, false));
        *entry = (mac, entry.1 || ping);
    }

    fn link(&mut self, _: &str, _: bool) -> Result<(), String> {
        Err("the engine alone has no links".to_owned())
    }

    fn file(&self, name: &str) -> Option<Stored> {
        self.files.get(name).map(|octets| Stored { octets: octets.clone(), mode: 0o100_644 })
    }

    fn write(&mut self, name: &str, octets: &[u8]) -> Result<(), String> {
        self.files.insert(name.to_owned(), octets.to_vec());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), String> {
        self.files.remove(name).map(drop).ok_or_else(|| format!("{name}: No such file or directory"))
    }

    fn files(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn late(&mut self) -> bool {
        false
    }

    fn epoch(&self) -> i64 {
        EPOCH
    }

    fn directory(&self) -> String {
        self.directory.path().display().to_string()
    }
}
