//! Expressions that need a packet or a lease, held against what the real dhcpd made of them.
//!
//! The project's collection (`RELET_SHARED`, else `../shared`) has scenarios of a few packets each; they are played by
//! the engine alone, on virtual time. Compared are what each marked expression logged and, where the collection has
//! it, the whole log of a step. `RELET_EXPRESSIONS=v` prints every difference. Without the collection nothing is
//! compared here; the scenarios of `compat-tests/scenarios` are.

// A test reads files.
#![allow(clippy::disallowed_methods)]

use relet::config::network::Hardware;
use relet::config::{Family, build};
use relet::eval::bindings::Bindings;
use relet::eval::{Environment, Memory, NotRun, ResolveError};
use relet::server::engine::{Engine, Settings, Setup};
use relet::server::globals::{CommandLine, read_globals, run_again};
use relet::server::interfaces::{Discovered, match_interfaces};
use relet::server::startup::{STARTUP_COMMIT, open_database};
use relet::server::{Effect, Event, Interface, InterfaceId};
use relet::syntax::{LoadError, parse};
use relet::time::Now;
use relet::wire::frame::{Auxiliary, FrameDecoder};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const EPOCH: i64 = 1_790_000_000;

#[test]
fn expressions_see_packets_and_leases_as_in_the_real_dhcpd() {
    let shared = std::env::var("RELET_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("spec/expressions");
    let Ok(scenarios) = std::fs::read_to_string(folder.join("packet-scenarios.json")) else {
        println!("{} is not here: nothing compared", folder.display());
        return;
    };
    let cases = std::fs::read_to_string(folder.join("packet-cases.tsv")).expect("the table of cases");
    let cases: HashMap<&str, [&str; 3]> = cases
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            Some((
                *fields.first()?,
                [fields.get(2)?, fields.get(3)?, fields.get(4).copied().unwrap_or_default()],
            ))
        })
        .collect();
    let scenarios = Json::parse(&scenarios);
    let thread = std::thread::Builder::new().stack_size(16 << 20);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let played = thread.spawn_scoped(scope, || {
            for scenario in scenarios.list() {
                if scenario.get("family").number() == 4 && scenario.get("died").text().is_empty() {
                    play(scenario, &cases, &mut tally);
                }
            }
        });
        played.expect("a thread").join().expect("no panic");
    });
    println!("cases equal {}/{}: {}", tally.equal, tally.count, tally.different.join(" "));
    println!("logs equal {}/{}: {}", tally.equal_logs, tally.logs, tally.different_logs.join(" "));
    assert!(tally.count > 500, "the collection is whole");
    assert!(tally.different.is_empty() && tally.different_logs.is_empty());
}

#[derive(Default)]
struct Tally {
    count: usize,
    equal: usize,
    different: Vec<String>,
    logs: usize,
    equal_logs: usize,
    different_logs: Vec<String>,
}

fn play(scenario: &Json, cases: &HashMap<&str, [&str; 3]>, tally: &mut Tally) {
    let verbose = std::env::var("RELET_EXPRESSIONS").is_ok();
    let name = scenario.get("name").text();
    let Some(mut server) = Server::start(scenario.get("conf").text()) else {
        println!("{name}: does not start");
        tally.different_logs.push(name.to_owned());
        tally.logs += 1;
        return;
    };
    for step in scenario.get("steps").list() {
        let number = step.get("step").number();
        let frame = octets(step.get("frame").text());
        if number > 0 {
            server.pass(if frame.is_empty() { 7_000 } else { 200 });
            if !frame.is_empty() {
                server.receive(&frame);
            }
        }
        let log: Vec<String> = server.lines.drain(..).collect();
        let printed: Vec<String> = server.world.printed.drain(..).collect();
        let expected = step.get("log");
        if expected.is_list() {
            // The recording has what programs print among the lines.
            let lines =
                expected.list().iter().map(Json::text).filter(|line| !printed.iter().any(|p| p == line));
            let expected: Vec<String> = lines.map(timeless).collect();
            let log: Vec<String> = log.iter().map(|line| timeless(line)).collect();
            tally.logs += 1;
            if expected == log {
                tally.equal_logs += 1;
            } else {
                tally.different_logs.push(format!("{name}/{number}"));
                if verbose {
                    println!("{name}/{number}\n  expected {expected:#?}\n  got {log:#?}");
                }
            }
        }
        let prefix = format!("{name}/{number}/");
        let mut ids: Vec<&&str> = cases.keys().filter(|id| id.starts_with(&prefix)).collect();
        ids.sort();
        for id in ids {
            let [context, expression, expected] = cases[*id];
            let case = &id[prefix.len()..];
            let got = if context == "match-if" {
                let line = format!("class {case} matched");
                if log.contains(&line) { "matched".to_owned() } else { "not matched".to_owned() }
            } else {
                marked(&log, case)
            };
            tally.count += 1;
            if got == expected || (expression.contains("lease-time") && within_a_second(expected, &got)) {
                tally.equal += 1;
            } else {
                tally.different.push((*id).to_string());
                if verbose {
                    println!("{id}\n  expected {expected}\n  got      {got}");
                }
            }
        }
    }
}

/// What was logged between the marks of a case, as the table writes it.
fn marked(log: &[String], case: &str) -> String {
    let (open, close) = (format!("@{case}<"), format!("@{case}>"));
    let mut runs: Vec<Vec<String>> = Vec::new();
    let mut inside = false;
    for line in log {
        if *line == open {
            inside = true;
            runs.push(Vec::new());
        } else if *line == close {
            inside = false;
        } else if let (true, Some(run)) = (inside, runs.last_mut()) {
            let line = match line.split_once("when it is now ") {
                Some((before, _)) => format!("{before}when it is now TIME"),
                None => line.clone(),
            };
            run.push(line);
        }
    }
    let runs: Vec<String> = runs.iter().map(|run| escape(&run.join("\n"))).collect();
    runs.join(" || ")
}

/// Whether two values of `lease-time`, as hex octets, are as good as equal.
fn within_a_second(expected: &str, got: &str) -> bool {
    let seconds = |text: &str| {
        let octets = text.strip_prefix("v=[")?.strip_suffix("]")?.split(':');
        octets
            .map(|octet| u8::from_str_radix(octet, 16).ok())
            .try_fold(0_u64, |sum, octet| Some(sum << 8 | u64::from(octet?)))
    };
    seconds(expected).zip(seconds(got)).is_some_and(|(expected, got)| expected.abs_diff(got) <= 1)
}

/// A line without the age of a lease in seconds.
fn timeless(line: &str) -> String {
    match line.split_once("lease age ").and_then(|(before, rest)| Some((before, rest.split_once(' ')?.1))) {
        Some((before, after)) => format!("{before}lease age N {after}"),
        None => line.to_owned(),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            ' '..='~' => escaped.push(character),
            other => escaped.push_str(&format!("\\x{:02x}", u32::from(other))),
        }
    }
    escaped
}

fn octets(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

/// A server, and time.
struct Server {
    engine: Engine,
    decoder: FrameDecoder,
    lines: Vec<String>,
    passed: Duration,
    world: Isolated,
}

/// A world without names, in which every program is `echo`.
#[derive(Default)]
struct Isolated {
    printed: Vec<String>,
}

impl Environment for Isolated {
    fn resolve(&mut self, _: &str) -> Result<Vec<Ipv4Addr>, ResolveError> {
        Err(ResolveError::TryAgain)
    }
    fn reverse(&mut self, _: Ipv4Addr) -> Option<String> {
        None
    }
    fn hostname(&mut self) -> Vec<u8> {
        b"host".to_vec()
    }
    fn execute(&mut self, _: &[u8], arguments: &[Vec<u8>]) -> Result<i32, NotRun> {
        let words: Vec<String> = arguments.iter().map(|argument| latin1(argument)).collect();
        self.printed.push(words.join(" "));
        Ok(0)
    }
}

fn latin1(octets: &[u8]) -> String {
    octets.iter().map(|&octet| char::from(octet)).collect()
}

impl Server {
    fn start(conf: &str) -> Option<Self> {
        let conf: Vec<u8> =
            conf.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?')).collect();
        let mut loader = |_: &[u8]| Err(LoadError { errno: None, message: String::new() });
        let built = build(&parse(b"dhcpd.conf", conf, &mut loader), Family::V4);
        if !built.accepted() {
            return None;
        }
        let config = Arc::new(built.config);
        let now = Now { wall: EPOCH, tick: Duration::ZERO };
        let mut world = Isolated::default();
        let (mut bindings, mut memory, mut log) = (Bindings::default(), Memory::default(), Vec::new());
        let command_line = CommandLine { quiet: true, ..CommandLine::default() };
        let globals =
            read_globals(&config, &command_line, now, &mut bindings, &mut memory, &mut world, &mut log)
                .ok()?;
        let mut effects = Vec::new();
        let database = open_database(&config, "leases", b"", now, &mut world, &mut effects);
        let address = Ipv4Addr::new(10, 91, 0, 1);
        let interface = Interface {
            name: "eth0".to_owned(),
            index: 2,
            hardware: Hardware { htype: 1, address: vec![2, 0, 0, 0, 0x99, 1] },
            addresses: vec![address],
        };
        let discovered = Discovered { interfaces: vec![interface], addresses: vec![(0, address)] };
        let plan = match_interfaces(&config, &discovered, &[]);
        run_again(&config, now, &mut bindings, &mut memory, &mut world, &mut log).ok()?;
        let settings = Settings::new(&globals, 67, 68, Ipv4Addr::BROADCAST);
        let engine =
            Engine::new(Setup { database, globals: bindings, memory, settings, interfaces: plan.served });
        let mut lines: Vec<String> = log.iter().map(|line| latin1(&line.text)).collect();
        lines.push("Server starting service.".to_owned());
        let mut server =
            Self { engine, decoder: FrameDecoder::default(), lines, passed: Duration::ZERO, world };
        server.handle(Event::Committed(STARTUP_COMMIT));
        Some(server)
    }

    fn now(&self) -> Now {
        Now { wall: EPOCH + i64::try_from(self.passed.as_secs()).expect("soon"), tick: self.passed }
    }

    fn handle(&mut self, event: Event<'_>) {
        let mut effects = Vec::new();
        let now = self.now();
        self.engine.handle(event, now, &mut self.world, &mut effects);
        for effect in effects {
            match effect {
                Effect::Log(line) | Effect::Fatal(line) => {
                    self.lines.extend(latin1(&line.text).split('\n').map(str::to_owned));
                }
                Effect::Commit(commit) | Effect::Rewrite { last: Some(commit), .. } => {
                    self.handle(Event::Committed(commit))
                }
                Effect::Rewrite { last: None, .. } | Effect::Write(_) | Effect::Send(_) | Effect::Ping(_) => {
                }
            }
        }
    }

    /// Lets milliseconds pass, a few at a time.
    fn pass(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds / 100 {
            self.passed += Duration::from_millis(100);
            loop {
                let (timer, now) = (self.engine.next_timer(), self.now());
                let due = timer.wall.is_some_and(|wall| wall <= now.wall)
                    || timer.tick.is_some_and(|tick| tick <= now.tick);
                if !due {
                    break;
                }
                self.handle(Event::Timer);
            }
        }
    }

    fn receive(&mut self, frame: &[u8]) {
        let mut lines = Vec::new();
        let datagram = self.decoder.decode(
            frame,
            Auxiliary { checksum_ready: true, ..Auxiliary::default() },
            &mut lines,
        );
        let datagram = datagram.map(|datagram| (datagram.source, datagram.payload.to_vec()));
        if let Some((source, payload)) = datagram {
            self.handle(Event::Datagram { interface: InterfaceId(0), source, payload: &payload });
        }
    }
}

/// As much of JSON as the collection needs.
#[derive(Debug)]
enum Json {
    Nothing,
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(HashMap<String, Json>),
}

impl Json {
    fn parse(text: &str) -> Self {
        Reader { rest: text.chars().peekable() }.value()
    }

    fn get(&self, key: &str) -> &Json {
        match self {
            Self::Object(fields) => fields.get(key).unwrap_or(&Json::Nothing),
            _ => &Json::Nothing,
        }
    }

    fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    fn list(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            _ => -1,
        }
    }
}

struct Reader<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
}

impl Reader<'_> {
    fn value(&mut self) -> Json {
        match self.visible() {
            '{' => {
                let mut fields = HashMap::new();
                while self.more('}') {
                    self.visible();
                    let key = self.string();
                    assert_eq!(self.visible(), ':');
                    fields.insert(key, self.value());
                }
                Json::Object(fields)
            }
            '[' => {
                let mut items = Vec::new();
                while self.more(']') {
                    items.push(self.value());
                }
                Json::List(items)
            }
            '"' => Json::Text(self.string()),
            first => {
                let mut word = String::from(first);
                while self.rest.peek().is_some_and(|c| c.is_ascii_alphanumeric()) {
                    word.extend(self.rest.next());
                }
                word.parse().map_or(Json::Nothing, Json::Number)
            }
        }
    }

    /// The next character that is no white space.
    fn visible(&mut self) -> char {
        self.rest.find(|c| !c.is_whitespace()).expect("more text")
    }

    /// Whether another item follows; takes the comma before it, or the end.
    fn more(&mut self, end: char) -> bool {
        while self.rest.peek().is_some_and(|&c| c.is_whitespace() || c == ',') {
            self.rest.next();
        }
        self.rest.next_if_eq(&end).is_none()
    }

    /// A string, after its opening quotation mark.
    fn string(&mut self) -> String {
        let mut text = String::new();
        loop {
            match self.rest.next().expect("a closing quotation mark") {
                '"' => return text,
                '\\' => match self.rest.next().expect("an escaped character") {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'u' => {
                        let digits: String = self.rest.by_ref().take(4).collect();
                        text.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
                    }
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
    }
}
