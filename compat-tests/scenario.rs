//! The notation of scenarios: one readable text file becomes a [`Scenario`].
//!
//! `compat-tests/README.md` is the reference of the notation. A mistake in a file is an error with its line number.

use std::net::Ipv4Addr;
use std::time::Duration;

use regex::Regex;

use crate::hex;
use crate::packet::{Change, Kind, Mac, mac};

/// One scenario file.
#[derive(Debug)]
pub struct Scenario {
    pub name: String,
    /// First line of the comment at the top.
    pub title: String,
    /// Files present before the first start; the text may hold `@now` placeholders.
    pub files: Vec<(String, String)>,
    pub directories: Vec<String>,
    /// The server is started by `nobody`.
    pub unprivileged: bool,
    /// Arguments of every `start` that names none.
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub interfaces: Vec<Interface>,
    /// Networks behind a router: prefix and next hop.
    pub routes: Vec<(String, Ipv4Addr)>,
    pub approx: Vec<Approx>,
    /// Whether the runner may send its own marker packets.
    pub fences: bool,
    /// Whether a syslog socket is there and recorded.
    pub syslog: bool,
    /// Why the engine alone cannot play this scenario.
    pub process_only: Option<String>,
    pub steps: Vec<Step>,
}

/// An interface of the server.
#[derive(Clone, Debug)]
pub struct Interface {
    pub name: String,
    pub mac: Mac,
    /// Addresses with prefix length, as `ip addr add` takes them.
    pub addresses: Vec<String>,
}

impl Interface {
    /// The first address, or 0.0.0.0.
    pub fn address(&self) -> Ipv4Addr {
        self.addresses
            .first()
            .and_then(|a| a.split('/').next())
            .and_then(|a| a.parse().ok())
            .unwrap_or(Ipv4Addr::UNSPECIFIED)
    }
}

/// A number that shows a clock and may therefore be off by one.
#[derive(Clone, Debug)]
pub enum Approx {
    /// The value of this DHCP option, in seconds.
    Option(u8),
    /// The groups of this expression, in log lines.
    Log(Regex),
}

/// One line of the play.
#[derive(Clone, Debug)]
pub struct Step {
    pub line: usize,
    pub text: String,
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    Client { name: String, mac: Mac, habits: Vec<Change> },
    Send { client: String, kind: Kind, changes: Vec<Change> },
    Expect { client: String, what: Reply },
    ExpectLog(String),
    Start(Vec<String>),
    Stop,
    Kill,
    Swap,
    Run(Vec<String>),
    Wait(Duration),
    Answer { address: Ipv4Addr, mac: Mac, ping: bool },
    Dump(String),
    Write { name: String, text: String },
    Remove(String),
    Link { interface: String, up: bool },
}

/// The reply a client expects next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Option 53 of this value.
    Type(u8),
    /// A BOOTREPLY without option 53.
    Bootp,
    Nothing,
}

/// Where relayed networks and routers live unless the scenario says otherwise.
const ROUTE: (&str, Ipv4Addr) = ("10.92.0.0/14", Ipv4Addr::new(10, 91, 0, 254));

/// The command line of an ordinary start.
const COMMAND: &str = "-4 -d -cf dhcpd.conf -lf dhcpd.leases -pf dhcpd.pid";

impl Scenario {
    /// Parse the text of the file called `name`.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut scenario = Self {
            name: name.to_owned(),
            title: String::new(),
            files: Vec::new(),
            directories: Vec::new(),
            unprivileged: false,
            command: COMMAND.split(' ').map(str::to_owned).collect(),
            environment: Vec::new(),
            interfaces: Vec::new(),
            routes: Vec::new(),
            approx: Vec::new(),
            fences: true,
            syslog: false,
            process_only: None,
            steps: Vec::new(),
        };
        let mut lease_file = true;
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let fault = |why: String| format!("{name}.scenario line {}: {why}", index + 1);
            if let Some(comment) = line.strip_prefix('#') {
                if scenario.title.is_empty() {
                    scenario.title = comment.trim().to_owned();
                }
                continue;
            }
            if line.trim().is_empty() {
                continue;
            }
            if line.starts_with(' ') {
                return Err(fault("an indented line belongs to a file, and none is open".to_owned()));
            }
            if let Some(heading) = line.strip_suffix(':') {
                let mut block = Vec::new();
                while let Some((_, next)) =
                    lines.next_if(|(_, l)| l.starts_with("    ") || l.trim().is_empty())
                {
                    block.push(next.strip_prefix("    ").unwrap_or(""));
                }
                while block.last().is_some_and(|l| l.is_empty()) {
                    block.pop();
                }
                let text = block.iter().flat_map(|l| [l, "\n"]).collect::<String>();
                match heading.split_once(' ') {
                    Some(("write", name)) => scenario.steps.push(Step {
                        line: index + 1,
                        text: heading.to_owned(),
                        action: Action::Write { name: name.to_owned(), text },
                    }),
                    Some(("file", name)) => scenario.files.push((name.to_owned(), text)),
                    None => scenario.files.push((heading.to_owned(), text)),
                    _ => return Err(fault(format!("{heading}: not a file"))),
                }
                continue;
            }
            let words = words(line).map_err(fault)?;
            let rest = &words[1..];
            match words[0].as_str() {
                "command" => scenario.command = rest.to_vec(),
                "flags" => scenario.command.extend_from_slice(rest),
                "environment" => {
                    let (key, value) =
                        words[1].split_once('=').ok_or_else(|| fault("NAME=VALUE".to_owned()))?;
                    scenario.environment.push((key.to_owned(), value.to_owned()));
                }
                "interface" => scenario.interface(rest).map_err(fault)?,
                "route" => {
                    let via = words.get(3).and_then(|w| w.parse().ok());
                    scenario
                        .routes
                        .push((words[1].clone(), via.ok_or_else(|| fault("route P via A".to_owned()))?));
                }
                "approx" => scenario.approx.push(approx(rest).map_err(fault)?),
                "fences" => scenario.fences = words.get(1).is_none_or(|w| w != "off"),
                "syslog" => scenario.syslog = true,
                "process" => scenario.process_only = Some(rest[1..].join(" ")),
                "directory" => scenario.directories.push(words[1].clone()),
                "unprivileged" => scenario.unprivileged = true,
                "no" if line == "no lease file" => lease_file = false,
                _ => scenario.step(index + 1, line, &words).map_err(fault)?,
            }
        }
        if scenario.title.is_empty() {
            return Err(format!("{name}.scenario: no comment says what it shows"));
        }
        if scenario.interfaces.is_empty() {
            scenario.interface(&["eth0".to_owned(), "10.91.0.1/24".to_owned()])?;
        }
        if scenario.routes.is_empty() && scenario.interfaces[0].addresses == ["10.91.0.1/24"] {
            scenario.routes.push((ROUTE.0.to_owned(), ROUTE.1));
        }
        if lease_file && !scenario.files.iter().any(|(name, _)| name == "dhcpd.leases") {
            scenario.files.push(("dhcpd.leases".to_owned(), String::new()));
        }
        let quiet = |s: &&Step| {
            !matches!(s.action, Action::Client { .. } | Action::Answer { .. } | Action::Write { .. })
        };
        let first = scenario.steps.iter().find(quiet);
        if !first.is_some_and(|s| matches!(s.action, Action::Start(_) | Action::Run(_) | Action::Remove(_))) {
            let start = Step { line: 0, text: "start".to_owned(), action: Action::Start(Vec::new()) };
            scenario.steps.insert(0, start);
        }
        Ok(scenario)
    }

    /// Whether a swap of binaries is part of the play.
    pub fn swaps(&self) -> bool {
        self.steps.iter().any(|s| matches!(s.action, Action::Swap))
    }

    fn interface(&mut self, words: &[String]) -> Result<(), String> {
        let mut interface = Interface {
            name: words.first().ok_or("an interface has a name")?.clone(),
            mac: [0x02, 0, 0, 0, 0x99, self.interfaces.len() as u8 + 1],
            addresses: Vec::new(),
        };
        let mut rest = words[1..].iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "mac" => interface.mac = mac(rest.next().ok_or("mac what?")?)?,
                address => interface.addresses.push(address.to_owned()),
            }
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn step(&mut self, line: usize, text: &str, words: &[String]) -> Result<(), String> {
        let push =
            |s: &mut Self, text: &str, action| s.steps.push(Step { line, text: text.to_owned(), action });
        let word = |n: usize| words.get(n).map(String::as_str).unwrap_or("");
        let address =
            |n: usize| word(n).parse::<Ipv4Addr>().map_err(|_| format!("{}: not an address", word(n)));
        let action = match words[0].as_str() {
            "client" if word(2) == "mac" => {
                Action::Client { name: word(1).to_owned(), mac: mac(word(3))?, habits: changes(&words[4..])? }
            }
            "start" => Action::Start(words[1..].to_vec()),
            "stop" => Action::Stop,
            "kill" => Action::Kill,
            "restart" | "swap" => {
                push(self, "stop", Action::Stop);
                if words[0] == "swap" {
                    push(self, "swap", Action::Swap);
                }
                push(self, "start", Action::Start(Vec::new()));
                return Ok(());
            }
            "run" => Action::Run(words[2..].to_vec()),
            "wait" => Action::Wait(duration(word(1))?),
            "answer" => Action::Answer {
                address: address(3)?,
                mac: if word(4) == "as" { mac(word(5))? } else { [0x02, 0, 0, 0, 0x96, 1] },
                ping: word(1) == "ping",
            },
            "dump" if word(1) == "leases" => Action::Dump("dhcpd.leases".to_owned()),
            "dump" => Action::Dump(word(1).to_owned()),
            "remove" => Action::Remove(word(1).to_owned()),
            "link" => Action::Link { interface: word(1).to_owned(), up: word(2) == "up" },
            "expect" if word(1) == "log" => {
                Action::ExpectLog(String::from_utf8_lossy(&hex::unquote(word(2))?).into_owned())
            }
            name => {
                let client = self.client(name)?;
                if word(1) == "expect" {
                    Action::Expect { client, what: reply(word(2))? }
                } else if word(1) == "DORA" {
                    let more = changes(&words[2..])?;
                    let tail = words[2..].iter().map(|w| format!(" {w}")).collect::<String>();
                    for (kind, verb, what, reply) in [
                        (Kind::Discover, "DISCOVER", "OFFER", Reply::Type(2)),
                        (Kind::Selecting, "REQUEST selecting", "ACK", Reply::Type(5)),
                    ] {
                        let send = Action::Send { client: client.clone(), kind, changes: more.clone() };
                        push(self, &format!("{name} {verb}{tail}"), send);
                        let expect = Action::Expect { client: client.clone(), what: reply };
                        push(self, &format!("{name} expect {what}"), expect);
                    }
                    return Ok(());
                } else {
                    let (kind, used) = kind(&words[1..])?;
                    Action::Send { client, kind, changes: changes(&words[1 + used..])? }
                }
            }
        };
        push(self, text, action);
        Ok(())
    }

    fn client(&self, name: &str) -> Result<String, String> {
        let known = |s: &Step| matches!(&s.action, Action::Client { name: n, .. } if n == name);
        if self.steps.iter().any(known) {
            Ok(name.to_owned())
        } else {
            Err(format!("{name}: neither a step nor a client"))
        }
    }
}

fn kind(words: &[String]) -> Result<(Kind, usize), String> {
    let second = || words.get(1).map(String::as_str).unwrap_or("");
    Ok(match words.first().map(String::as_str).unwrap_or("") {
        "DISCOVER" => (Kind::Discover, 1),
        "REQUEST" => (Kind::Selecting, if second() == "selecting" { 2 } else { 1 }),
        "INIT-REBOOT" => (Kind::InitReboot, 1),
        "RENEW" => (Kind::Renew, 1),
        "REBIND" => (Kind::Rebind, 1),
        "DECLINE" => (Kind::Decline, 1),
        "RELEASE" => (Kind::Release, 1),
        "INFORM" => (Kind::Inform, 1),
        "LEASEQUERY" => (Kind::LeaseQuery, 1),
        "BOOTREQUEST" => (Kind::Bootp, 1),
        "TYPE" => (Kind::Type(second().parse().map_err(|_| "TYPE needs a number".to_owned())?), 2),
        "raw" => (Kind::Raw(hex::parse(second())?), 2),
        "frame" => (Kind::Frame(hex::parse(second())?), 2),
        other => return Err(format!("{other}: not a message")),
    })
}

/// The names `expect` knows, as RFC 2131 and 4388 spell them without "DHCP".
pub const REPLIES: [(&str, u8); 6] = [
    ("OFFER", 2),
    ("ACK", 5),
    ("NAK", 6),
    ("LEASEUNASSIGNED", 11),
    ("LEASEUNKNOWN", 12),
    ("LEASEACTIVE", 13),
];

fn reply(word: &str) -> Result<Reply, String> {
    match word {
        "nothing" => Ok(Reply::Nothing),
        "BOOTREPLY" => Ok(Reply::Bootp),
        _ => REPLIES
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, n)| Reply::Type(*n))
            .ok_or_else(|| format!("{word}: not a reply")),
    }
}

fn approx(words: &[String]) -> Result<Approx, String> {
    match (words.first().map(String::as_str), words.get(1)) {
        (Some("option"), Some(n)) => Ok(Approx::Option(n.parse().map_err(|_| format!("{n}: not a code"))?)),
        (Some("log"), Some(quoted)) => {
            let text = quoted.trim_matches('"');
            Ok(Approx::Log(Regex::new(text).map_err(|e| e.to_string())?))
        }
        _ => Err("approx option N, or approx log \"expression with (\\d+)\"".to_owned()),
    }
}

fn duration(word: &str) -> Result<Duration, String> {
    let wrong = || format!("{word}: not a time (2s, 300ms)");
    if let Some(ms) = word.strip_suffix("ms") {
        return ms.parse().map(Duration::from_millis).map_err(|_| wrong());
    }
    word.strip_suffix('s').and_then(|s| s.parse().ok()).map(Duration::from_secs).ok_or_else(wrong)
}

/// The changes behind a message, in the order written.
fn changes(words: &[String]) -> Result<Vec<Change>, String> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let (change, used) = change(word, &words[at + 1..])?;
        all.push(change);
        at += 1 + used;
    }
    Ok(all)
}

fn change(word: &str, rest: &[String]) -> Result<(Change, usize), String> {
    let first = rest.first().map(String::as_str).unwrap_or("");
    let number = || {
        let parsed = match first.strip_prefix("0x") {
            Some(h) => u32::from_str_radix(h, 16).ok(),
            None => first.parse().ok(),
        };
        parsed.ok_or_else(|| format!("{word} {first}: not a number"))
    };
    let address = || first.parse::<Ipv4Addr>().map_err(|_| format!("{word} {first}: not an address"));
    let octets = || if first.starts_with('"') { hex::unquote(first) } else { hex::parse(first) };
    Ok(match word {
        "op" => (Change::Op(number()? as u8), 1),
        "htype" => (Change::Htype(number()? as u8), 1),
        "hlen" => (Change::Hlen(number()? as u8), 1),
        "hops" => (Change::Hops(number()? as u8), 1),
        "xid" => (Change::Xid(number()?), 1),
        "secs" => (Change::Secs(number()? as u16), 1),
        "flags" if first == "broadcast" => (Change::Flags(0x8000), 1),
        "flags" => (Change::Flags(number()? as u16), 1),
        "broadcast" => (Change::Flags(0x8000), 0),
        "ciaddr" => (Change::Ciaddr(address()?), 1),
        "yiaddr" => (Change::Yiaddr(address()?), 1),
        "siaddr" => (Change::Siaddr(address()?), 1),
        "giaddr" => (Change::Giaddr(address()?), 1),
        "chaddr" => (Change::Chaddr(octets()?), 1),
        "sname" => (Change::Sname(octets()?), 1),
        "file" => (Change::File(octets()?), 1),
        "addr" => (Change::Address(address()?), 1),
        "server" => (Change::Option(54, address()?.octets().to_vec()), 1),
        "prl" => (Change::Option(55, hex::list(first)?), 1),
        "hostname" => (Change::Option(12, octets()?), 1),
        "client-id" => (Change::Option(61, octets()?), 1),
        "vendor-class" => (Change::Option(60, octets()?), 1),
        "lease-time" => (Change::Option(51, number()?.to_be_bytes().to_vec()), 1),
        "mms" => (Change::Option(57, (number()? as u16).to_be_bytes().to_vec()), 1),
        "option" | "again" => {
            let code: u8 = first.parse().map_err(|_| format!("{first}: not an option code"))?;
            let equals = usize::from(rest.get(1).is_some_and(|w| w == "="));
            let (value, used) = hex::value(rest.get(1 + equals..).unwrap_or(&[]))?;
            let change =
                if word == "again" { Change::Again(code, value) } else { Change::Option(code, value) };
            (change, 1 + equals + used)
        }
        "no" if first == "end" => (Change::NoEnd, 1),
        "no" if first == "udp-checksum" => (Change::NoUdpChecksum, 1),
        "no" if first == "option" => {
            let code = rest.get(1).and_then(|w| w.parse().ok());
            (Change::NoOption(code.ok_or("no option N")?), 2)
        }
        "options" => (Change::Options(octets()?), 1),
        "tail" => (Change::Tail(octets()?), 1),
        "after-end" => (Change::AfterEnd(octets()?), 1),
        "magic" => (Change::Cookie(octets()?), 1),
        "pad" => (Change::Pad(number()? as usize), 1),
        "trunc" => (Change::Truncate(number()? as usize), 1),
        "via" if first == "relay" => {
            let agent = rest.get(1).and_then(|w| w.parse().ok());
            (Change::Relay(agent.ok_or("via relay ADDRESS")?), 2)
        }
        "routed" => (Change::Routed, 0),
        "source" => (Change::Source(address()?), 1),
        "destination" => (Change::Destination(address()?), 1),
        "ethernet" => (Change::EthernetDestination(mac(first)?), 1),
        "source-port" => (Change::SourcePort(number()? as u16), 1),
        "port" => (Change::DestinationPort(number()? as u16), 1),
        "bad" if first == "udp-checksum" => (Change::BadUdpChecksum, 1),
        "bad" if first == "ip-checksum" => (Change::BadIpChecksum, 1),
        "udp-length" => (Change::UdpLength(number()? as u16), 1),
        "ip-length" => (Change::IpLength(number()? as u16), 1),
        "fragment" => (Change::Fragment(number()? as u16), 1),
        "on" => (Change::On(first.to_owned()), 1),
        other => return Err(format!("{other}: not something a message can be changed with")),
    })
}

/// Split a line at blanks; a quoted text (with `*N` behind it) is one word and keeps its quotes.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut letters = line.chars();
    while let Some(c) = letters.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.push(c);
            }
            '\\' if quoted => {
                word.push(c);
                word.extend(letters.next());
            }
            ' ' if !quoted => {
                if !word.is_empty() {
                    all.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if quoted {
        return Err("a quoted text has no end".to_owned());
    }
    if !word.is_empty() {
        all.push(word);
    }
    Ok(all)
}

/// Replace `@now`, `@now-600` and `@now+600` by dates as the lease file has them, `@epoch-600` by seconds.
pub fn fill_in(text: &str, now: i64) -> String {
    let placeholder = Regex::new(r"@(now|epoch)([+-]\d+)?").expect("a constant expression");
    placeholder
        .replace_all(text, |c: &regex::Captures<'_>| {
            let offset: i64 = c.get(2).map_or(0, |m| m.as_str().parse().unwrap_or(0));
            let then = now + offset;
            if &c[1] == "epoch" {
                return then.to_string();
            }
            chrono::DateTime::from_timestamp(then, 0)
                .map_or_else(String::new, |d| d.format("%w %Y/%m/%d %H:%M:%S").to_string())
        })
        .into_owned()
}
