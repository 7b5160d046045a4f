//! What a real dhcpd did: 39 scenarios of expressions, scopes and statements, recorded packet by packet.
//!
//! They lie beside the sources, not in them; without them the test says so and passes.

#![allow(clippy::disallowed_methods)] // the recorded truth is read from files

use super::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Just enough JSON to read the recordings.
#[derive(Clone, Debug)]
enum Json {
    Null,
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    fn parse(text: &str) -> Self {
        let mut rest = text.trim_start();
        Self::value(&mut rest)
    }

    fn value(rest: &mut &str) -> Self {
        *rest = rest.trim_start();
        let take = |rest: &mut &str, n: usize| *rest = rest[n..].trim_start();
        match rest.as_bytes()[0] {
            b'{' => {
                let mut members = BTreeMap::new();
                take(rest, 1);
                while !rest.starts_with('}') {
                    let Self::Text(key) = Self::value(rest) else { panic!("key") };
                    *rest = rest.trim_start();
                    take(rest, 1);
                    members.insert(key, Self::value(rest));
                    *rest = rest.trim_start();
                    if rest.starts_with(',') {
                        take(rest, 1);
                    }
                }
                take(rest, 1);
                Self::Object(members)
            }
            b'[' => {
                let mut items = Vec::new();
                take(rest, 1);
                while !rest.starts_with(']') {
                    items.push(Self::value(rest));
                    *rest = rest.trim_start();
                    if rest.starts_with(',') {
                        take(rest, 1);
                    }
                }
                take(rest, 1);
                Self::List(items)
            }
            b'"' => {
                let mut text = String::new();
                let mut chars = rest[1..].char_indices();
                let end = loop {
                    let (at, c) = chars.next().expect("string");
                    match c {
                        '"' => break at,
                        '\\' => match chars.next().expect("escape").1 {
                            'n' => text.push('\n'),
                            't' => text.push('\t'),
                            'r' => text.push('\r'),
                            'u' => {
                                let hex: String = (0..4).map(|_| chars.next().expect("hex").1).collect();
                                let code = u32::from_str_radix(&hex, 16).expect("hex");
                                text.push(char::from_u32(code).unwrap_or('?'));
                            }
                            other => text.push(other),
                        },
                        c => text.push(c),
                    }
                };
                *rest = &rest[1 + end + 1..];
                Self::Text(text)
            }
            b'n' => {
                *rest = &rest[4..];
                Self::Null
            }
            _ => {
                let end = rest.find([',', '}', ']']).expect("number");
                let number = rest[..end].trim().parse().expect("number");
                *rest = &rest[end..];
                Self::Number(number)
            }
        }
    }

    fn get(&self, key: &str) -> &Json {
        match self {
            Self::Object(members) => members.get(key).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    fn list(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

fn shared() -> PathBuf {
    std::env::var_os("RELET_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
}

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

/// Recorded cases: by scenario and step, case and what was logged.
fn cases(text: &str) -> BTreeMap<(String, i64), Vec<(String, String)>> {
    let mut cases: BTreeMap<(String, i64), Vec<(String, String)>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let mut id = fields[0].split('/');
        let (scenario, step, case) =
            (id.next().expect("scenario"), id.next().expect("step"), id.next().expect("case"));
        let step = step.parse().expect("number");
        let logged = fields.get(4).copied().unwrap_or_default();
        cases.entry((scenario.to_owned(), step)).or_default().push((case.to_owned(), logged.to_owned()));
    }
    cases
}

/// What was logged between the marks of a case, one execution after the other.
fn logged(lines: &[String], case: &str) -> String {
    let (open, close) = (format!("@{case}<"), format!("@{case}>"));
    let mut runs = Vec::new();
    let mut current: Option<Vec<&str>> = None;
    for line in lines {
        if *line == open {
            current = Some(Vec::new());
        } else if *line == close {
            runs.extend(current.take().map(|run| run.join("\\n")));
        } else if let Some(run) = &mut current {
            run.push(line);
        }
    }
    runs.join(" || ")
}

#[test]
fn expressions_scopes_and_statements_as_recorded() {
    let directory = shared().join("spec/expressions");
    let Ok(scenarios) = std::fs::read_to_string(directory.join("packet-scenarios.json")) else {
        println!("{} is absent: nothing compared", directory.display());
        return;
    };
    let cases = cases(&std::fs::read_to_string(directory.join("packet-cases.tsv")).expect("cases"));
    let only = std::env::var("RELET_SCENARIO").ok();
    let (mut differences, mut compared) = (Vec::new(), 0);
    for scenario in Json::parse(&scenarios).list() {
        let name = scenario.get("name").text();
        let four = matches!(scenario.get("family"), Json::Number(4));
        if !four || only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        // Nobody wrote down when the clock of the recording went on to the next second: try.
        let mut waits: Vec<u64> = vec![0; scenario.get("steps").list().len()];
        loop {
            let Run { compared: count, differences: found } = run(scenario, &cases, &waits);
            let culprit = found.first().and_then(|(step, _)| usize::try_from(*step).ok());
            if let Some(at) = culprit.filter(|&at| waits.get(at) == Some(&0)) {
                waits[at] = 1;
                continue;
            }
            compared += count;
            differences.extend(found.into_iter().map(|(_, text)| text));
            break;
        }
    }
    println!("{compared} compared, {} different", differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The outcome of one replay: how much was compared, and the differences by step.
struct Run {
    compared: usize,
    differences: Vec<(i64, String)>,
}

/// Replays a scenario, waiting so many seconds before each step.
fn run(scenario: &Json, cases: &BTreeMap<(String, i64), Vec<(String, String)>>, waits: &[u64]) -> Run {
    let name = scenario.get("name").text();
    let (mut differences, mut compared) = (Vec::new(), 0);
    let mut server = Server::on(scenario.get("conf").text(), "10.91.0.1");
    for step in scenario.get("steps").list() {
        let Json::Number(number) = *step.get("step") else { panic!("step") };
        let frame = octets(step.get("frame").text());
        server.wait(usize::try_from(number).ok().and_then(|at| waits.get(at)).copied().unwrap_or(0));
        server.lines();
        if step.get("note").text().contains("expiry") {
            server.wait(10);
        }
        if frame.len() > 42 {
            let source = <[u8; 4]>::try_from(&frame[26..30]).expect("source");
            let length = usize::from(u16::from_be_bytes([frame[38], frame[39]]));
            let payload = &frame[42..34 + length];
            let source = SocketAddrV4::new(source.into(), 68);
            server.event(Event::Datagram { interface: InterfaceId(0), source, payload });
        }
        let lines = server.lines();
        let place = format!("{name}/{number}");
        for (case, expected) in cases.get(&(name.to_owned(), number)).into_iter().flatten() {
            compared += 1;
            let found = match name.starts_with("match-if") {
                true if lines.contains(&format!("class {case} matched")) => "matched".to_owned(),
                true => "not matched".to_owned(),
                false => logged(&lines, case).replace(&server.now().wall.to_string(), "TIME"),
            };
            if found != *expected && expected != "crashed" {
                differences.push((number, format!("{place}/{case}: expected {expected:?}, found {found:?}")));
            }
        }
        if number > 0 && !matches!(step.get("log"), Json::Null) {
            let mut expected: Vec<&str> = step.get("log").list().iter().map(Json::text).collect();
            // What the programs printed that were run stands in the recording, too.
            if name == "execute-in-event" {
                expected.retain(|line| !line.starts_with("second ") && !line.starts_with("commit "));
            }
            // The trailer of a fatal error is not the engine's.
            if let [first, .., "exiting."] = expected[..] {
                expected = vec![first];
            }
            compared += 1;
            if lines != expected {
                differences.push((number, format!("{place}: log expected {expected:#?}, found {lines:#?}")));
            }
        }
        let sent: Vec<Vec<u8>> = server.sent.drain(..).map(|send| send.payload).collect();
        if number > 0 && !matches!(step.get("replies"), Json::Null) {
            compared += 1;
            let expected: Vec<Vec<u8>> =
                step.get("replies").list().iter().map(|reply| octets(reply.text())).collect();
            if sent != expected {
                let hex = |replies: &[Vec<u8>]| -> Vec<String> {
                    let fixed = |r: &[u8]| super::super::logline::hardware_text(&r[..28]);
                    let options = |r: &[u8]| super::super::logline::hardware_text(&r[240..]);
                    replies.iter().map(|r| format!("{} {}", fixed(r), options(r))).collect()
                };
                differences.push((
                    number,
                    format!("{place}: replies\n  expected {:?}\n  found    {:?}", hex(&expected), hex(&sent)),
                ));
            }
        }
    }
    Run { compared, differences }
}
